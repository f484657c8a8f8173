"""Foreign functions that a program cannot test by itself: signals, statuses, libraries made for the purpose."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness import TIERS, run_simple

NATIVE = ["interpreter", "cranelift", "llvm"]

CALLBACKS = """
use std.gc
extern fn qsort(base: [i64], n: u64, size: u64, compare: fn(i64, i64) -> i32)
extern fn signal(number: i32, handler: fn(i32)) -> i64
extern fn raise(number: i32) -> i32
extern fn rt_exit(status: i64)
@blocking extern fn pause() -> i32
extern fn alarm(seconds: u32) -> u32

class Tally:
    calls: i64

fn install(tally: Tally, k: i64):
    signal(10, \\n: tally.calls += n.to_i64() + k)

fn forever(tally: Tally) -> i32:
    raise(2)
    while tally.calls >= 0: tally.calls += 1
    0

fn leave() -> i32:
    rt_exit(7)
    0

fn main(args: [text]):
    val tally = Tally(calls: 0)
    match args[0]:
        case "interrupt": qsort([1, 2], 2, 8, \\a, b: forever(tally))
        case "exit": qsort([1, 2], 2, 8, \\a, b: leave())
        case "dead":
            install(tally, 1)
            for _ in 0..10: gc.collect()
            raise(10)
        case _: pass
    print "not here", tally.calls
"""


def run(tier: str, folder: Path, text: str, *args: str):  # type: ignore[no-untyped-def]
    (folder / "prog.spl").write_text(text, encoding="utf-8")
    return run_simple([*TIERS[tier], "prog.spl", *args], folder=folder)


@pytest.mark.parametrize("tier", NATIVE)
def test_ctrl_c_and_exit_end_a_program_in_a_callback(tier: str, tmp_path: Path) -> None:
    for what, status in (("interrupt", 130), ("exit", 7)):
        outcome = run(tier, tmp_path, CALLBACKS, what)
        assert (outcome.status, outcome.out) == (status, ""), outcome


@pytest.mark.parametrize("tier", NATIVE)
def test_c_cannot_call_a_closure_that_is_gone(tier: str, tmp_path: Path) -> None:
    outcome = run(tier, tmp_path, CALLBACKS, "dead")
    assert outcome.status == 1, outcome
    assert "Panic: C called a function value that the program keeps no longer" in outcome.err


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two libraries that have functions of the same name, and everything C can pass."""
    folder = tmp_path_factory.mktemp("libraries")
    for name, factor in (("one", 1), ("two", 2)):
        (folder / f"{name}.c").write_text(
            f"""
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
int answer_count = 3;
int64_t answer(int64_t x) {{ return x * {factor}; }}
int64_t many(int8_t a, uint8_t b, int16_t c, uint16_t d, int32_t e, uint32_t f, int64_t g, uint64_t h,
             float i, double j, bool k) {{
    return a + b + c + d + e + f + g + (int64_t)h + (int64_t)i + (int64_t)j + k;
}}
int8_t least(void) {{ return -128; }}
uint16_t most(void) {{ return 65535; }}
bool flip(bool x) {{ return !x; }}
const char *no_text(void) {{ return 0; }}
const char *odd_text(void) {{ return "a\\xff"; }}
double each(double (*f)(int8_t, uint16_t, float, double, bool, const char *), int n) {{
    double total = 0;
    for (int i = 0; i < n; i++) total += f(-1, 65535, 0.5f, 2.0, i % 2, "é");
    return total;
}}
bool any(bool (*f)(int32_t), int n) {{
    for (int i = 0; i < n; i++) if (f(i)) return true;
    return false;
}}
double add(int count, ...) {{
    va_list list;
    double total = 0;
    va_start(list, count);
    for (int i = 0; i < count; i++) total += va_arg(list, double);
    va_end(list);
    return total;
}}
"""
        )
        output = folder / f"lib{name}.so"
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", output, folder / f"{name}.c"], check=True)
    return folder


PROGRAM = """
extern "./libone.so" fn answer(x: i64) -> i64
extern "./libone.so" fn many(a: i8, b: u8, c: i16, d: u16, e: i32, f: u32, g: i64, h: u64, i: f32, j: f64, k: bool) -> i64
extern "./libone.so" fn least() -> i8
extern "./libone.so" fn most() -> u16
extern "./libone.so" fn flip(x: bool) -> bool
extern "./libone.so" fn no_text() -> text?
extern "./libone.so" fn odd_text() -> text
extern "./libone.so" fn each(f: fn(i8, u16, f32, f64, bool, text) -> f64, n: i32) -> f64
extern "./libone.so" fn any(f: fn(i32) -> bool, n: i32) -> bool
@variadic extern "./libone.so" fn add(count: i32, x: f64, y: f64) -> f64
use other

fn weigh(e: bool) -> f64: if e: 1.0 else: 0.0

fn main():
    print answer(21), other.doubled(21)
    print many(-1i8, 2u8, -3i16, 4u16, -5i32, 6u32, -7, 8u64, 9.5f32, 10.5, true)
    print least(), most(), flip(true), flip(false), no_text(), odd_text()
    print each(\\a, b, c, d, e, s: weigh(e) + a.to_f64() + b.to_f64() + c * d + s.len().to_f64(), 4)
    print any(\\i: i == 3i32, 4), any(\\i: i == 4i32, 4)
    print add(2, 1.5, 2.25)
"""
OTHER = """
extern "./libtwo.so" fn answer(x: i64) -> i64
fn doubled(x: i64) -> i64: answer(x)
"""
EXPECTED = "21 42\n24\n-128 65535 false true nil a\N{REPLACEMENT CHARACTER}\n262146.0\ntrue false\n3.75\n"


@pytest.mark.parametrize("tier", TIERS)
def test_all_types_pass_in_both_directions(tier: str, libraries: Path) -> None:
    (libraries / "other.spl").write_text(OTHER)
    outcome = run(tier, libraries, PROGRAM)
    assert (outcome.status, outcome.out, outcome.err) == (0, EXPECTED, "")


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ('extern "./libone.so" fn anser(x: i64) -> i64', "there is no foreign function `anser`"),
        ('extern "./libone.so" fn answer_count() -> i64', "`answer_count` is a variable of C, not a function"),
        ("extern fn errno() -> i64", "`std.ffi.errno()`"),
        ('extern "libnothing_here.so" fn f() -> i64', "cannot load the library `libnothing_here.so`"),
        ('extern "./prog.spl" fn f() -> i64', "cannot load the library"),
        ("extern fn rt_file_reed(x: text) -> text", "the runtime has no function `rt_file_reed`"),
        ("extern fn rt_time_now() -> i64", "is `fn() -> f64`, not `fn() -> i64`"),
    ],
)
def test_what_is_not_there_is_said_before_the_program_runs(
    declaration: str, message: str, libraries: Path
) -> None:
    outcome = run("interpreter", libraries, f"{declaration}\nprint \"never\"\n")
    assert (outcome.status, outcome.out) == (1, ""), outcome
    assert message in outcome.err
    assert "prog.spl:1:" in outcome.err
