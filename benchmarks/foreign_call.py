"""Calls of C functions: Simple against C, which calls the same functions of the same shared library.

    python benchmarks/foreign_call.py [ROUNDS]

Needs `cc`. Prints, for each function, nanoseconds a call from C (`cc -O2`), from Simple with both back ends,
and their ratio: the best of ROUNDS interleaved measurements, since other work only ever adds time.
Each call waits for the result of the one before. Cranelift keeps a float that lives across calls in memory,
which is what the time of the second line is; LLVM passes it on in a register. The third line is `qsort` with
a function that C calls back, against one written in C, for each element.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

CALLED = """
#include <stdint.h>
int64_t bench_mix(int64_t x, int64_t y) { return (x ^ y) * 3 + 1; }
double bench_scale(double x) { return x * 0.999 + 1.0; }
"""

CALLER = """
#include <stdint.h>
#include <stdlib.h>
int64_t bench_mix(int64_t x, int64_t y);
double bench_scale(double x);
int64_t c_mix(int64_t n) {
    int64_t total = 0;
    for (int64_t i = 0; i < n; i++) total = bench_mix(total, i);
    return total;
}
double c_scale(int64_t n) {
    double total = 0;
    for (int64_t i = 0; i < n; i++) total = bench_scale(total);
    return total;
}
static int order(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}
void c_sort(int64_t *xs, int64_t n) { qsort(xs, n, 8, order); }
"""

PROGRAM = """
use std.ffi.{load_i64}
use std.time.{monotonic_ns}

extern "./libcalled.so" fn bench_mix(x: i64, y: i64) -> i64
extern "./libcalled.so" fn bench_scale(x: f64) -> f64
extern "./libcaller.so" fn c_mix(n: i64) -> i64
extern "./libcaller.so" fn c_scale(n: i64) -> f64
extern "./libcaller.so" fn c_sort(xs: [i64], n: i64)
extern fn qsort(base: [i64], n: u64, size: u64, order: fn(i64, i64) -> i32)

fn mix(n: i64) -> i64:
    var total = 0
    for i in 0..n:
        total = bench_mix(total, i)
    total

fn scale(n: i64) -> f64:
    var total = 0.0
    for i in 0..n:
        total = bench_scale(total)
    total

fn order(a: i64, b: i64) -> i32:
    val (x, y) = (load_i64(a), load_i64(b))
    if x > y: 1i32 elif x < y: -1i32 else: 0i32

fn shuffled(n: i64) -> [i64]: [i * 7919 % 1000003 for i in 0..n]

fn timed(run: fn()) -> i64:
    val start = monotonic_ns()
    run()
    monotonic_ns() - start

fn report(name: text, calls: i64, c: i64, ours: i64):
    print name, c.to_f64() / calls.to_f64(), ours.to_f64() / calls.to_f64(), ours.to_f64() / c.to_f64()

fn main(args: [text]):
    val rounds = args[0].to_i64()!
    val n = 2_000_000
    val m = 50_000
    assert c_mix(1000) == mix(1000) and c_scale(1000) == scale(1000)
    var best = [i64.MAX] * 6
    for _ in 0..rounds:
        best[0] = best[0].min(timed(\\: c_mix(n)))
        best[1] = best[1].min(timed(\\: mix(n)))
        best[2] = best[2].min(timed(\\: c_scale(n)))
        best[3] = best[3].min(timed(\\: scale(n)))
        val (xs, ys) = (shuffled(m), shuffled(m))
        best[4] = best[4].min(timed(\\: c_sort(xs, m)))
        best[5] = best[5].min(timed(\\: qsort(ys, m as u64, 8, order)))
        assert xs == ys
    report("(i64,i64)->i64", n, best[0], best[1])
    report("(f64)->f64", n, best[2], best[3])
    report("qsort", m, best[4], best[5])
"""


def compile_library(folder: Path, name: str, source: str, *flags: str) -> None:
    (folder / f"{name}.c").write_text(source)
    output = folder / f"lib{name}.so"
    command = ["cc", "-O2", "-shared", "-fPIC", "-o", output, folder / f"{name}.c", *flags]
    subprocess.run(command, check=True)


def measure(folder: Path, backend: str, rounds: str) -> list[list[str]]:
    command = [sys.executable, "-m", "simple_jit", "run", "--mode", "always_jit", "--backend", backend]
    done = subprocess.run(
        [*command, folder / "bench.spl", rounds],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT / "src",
    )
    return [line.split() for line in done.stdout.splitlines()]


def main() -> None:
    rounds = sys.argv[1] if len(sys.argv) > 1 else "30"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compile_library(folder, "called", CALLED)
        compile_library(folder, "caller", CALLER, f"-L{folder}", "-lcalled", f"-Wl,-rpath,{folder}")
        (folder / "bench.spl").write_text(PROGRAM)
        print(f"{'function':16} {'back end':10} {'C calls C':>10} {'Simple calls C':>15} {'ratio':>6}")
        for backend in ("cranelift", "llvm"):
            for function, c, ours, ratio in measure(folder, backend, rounds):
                times = f"{float(c):7.2f} ns {float(ours):12.2f} ns {float(ratio):6.2f}"
                print(f"{function:16} {backend:10} {times}")


if __name__ == "__main__":
    main()
