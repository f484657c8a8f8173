"""What the collector costs: memory against C's malloc, pauses, constant memory.

    python benchmarks/gc.py [--depth N] [--backend NAME]

    binary trees     peak memory and time against the same program in C with malloc and free
    churn            100 million short-lived objects, half of them in cycles
    text             `s += "x"` 200,000 times
    pause            the longest pause with some 500 MB in use

Peaks are those of whole processes; that of a program that does nothing is shown, since it is in all others.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TREES = ROOT / "test" / "programs" / "bench" / "binary_trees.spl"
TREES_IN_C = r"""
#include <stdio.h>
#include <stdlib.h>
typedef struct Node { struct Node *left, *right; } Node;
static Node *build(int depth) {
    Node *node = malloc(sizeof *node);
    node->left = depth ? build(depth - 1) : NULL;
    node->right = depth ? build(depth - 1) : NULL;
    return node;
}
static long count(Node *n) { return 1 + (n->left ? count(n->left) : 0) + (n->right ? count(n->right) : 0); }
static void drop(Node *n) { if (n->left) drop(n->left); if (n->right) drop(n->right); free(n); }
int main(int argc, char **argv) {
    int n = atoi(argv[1]);
    Node *kept = build(n);
    for (int depth = 4; depth <= n; depth += 2) {
        long trees = 1L << (n - depth + 4), nodes = 0;
        for (long i = 0; i < trees; i++) { Node *t = build(depth); nodes += count(t); drop(t); }
        printf("depth %d trees %ld nodes %ld\n", depth, trees, nodes);
    }
    printf("kept %ld\n", count(kept));
}
"""
CHURN = """
class Node:
    next: Node?
    value: i64

fn churn(rounds: i64) -> i64:
    var sum = 0
    for i in 0..rounds:
        val a = Node(next: nil, value: i)
        val b = Node(next: a, value: 1)
        if i % 2 == 0:
            a.next = b
        sum += b.next!.value
    sum

fn main():
    print churn(50_000_000)
"""
TEXT = """
fn main():
    var s = ""
    for i in 0..200_000:
        s += "x"
    print s.len()
"""
PAUSE = """
use std.gc

class Node:
    left: Node?
    right: Node?

fn build(depth: i64) -> Node:
    if depth == 0:
        return Node(left: nil, right: nil)
    Node(left: build(depth - 1), right: build(depth - 1))

fn main():
    val kept: [Node] = []
    for i in 0..16:
        kept.push(build(19))
    gc.collect()
    val about = gc.stats()
    print "{about.live_bytes >> 20} MB live, longest pause {about.longest_pause * 1000.0:.0f} ms"
"""


def measure(command: list[str], show: bool = False) -> tuple[float, float]:
    """Run a command; returns seconds and the peak of its memory in MB."""
    started = time.perf_counter()
    environ = dict(os.environ, PYTHONPATH=str(ROOT / "src"))
    process = subprocess.Popen(command, env=environ, stdout=None if show else subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command} ended with status {status}")
    return time.perf_counter() - started, usage.ru_maxrss / (1024 if sys.platform == "linux" else 1 << 20)


def simple(backend: str, *words: str) -> list[str]:
    return [sys.executable, "-m", "simple_jit", "run", "--mode", "always_jit", "--backend", backend, *words]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--depth", type=int, default=20)
    parser.add_argument("--backend", default="cranelift", choices=["cranelift", "llvm"])
    options = parser.parse_args()
    backend, depth = options.backend, str(options.depth)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, empty = measure(simple(backend, "-e", "fn main() -> i64:\n    0\n"))
    print(f"nothing         peak {empty:.0f} MB")

    seconds, peak = measure(simple(backend, str(TREES), depth))
    print(f"binary trees {depth} {seconds:.2f} s, peak {peak:.0f} MB")
    compiler = shutil.which("cc")
    if compiler:
        with tempfile.TemporaryDirectory() as folder:
            source, program = Path(folder, "trees.c"), Path(folder, "trees")
            source.write_text(TREES_IN_C)
            subprocess.run([compiler, "-O2", "-o", program, source], check=True)
            c_seconds, c_peak = measure([str(program), depth])
        print(f"  in C          {c_seconds:.2f} s, peak {c_peak:.0f} MB")
        print(
            f"  ratio         time {seconds / c_seconds:.2f}, peak {peak / c_peak:.2f}, "
            f"without what nothing takes {(peak - empty) / c_peak:.2f}"
        )
    for name, code in (("churn", CHURN), ("text", TEXT)):
        seconds, peak = measure(simple(backend, "-e", code))
        print(f"{name:15} {seconds:.2f} s, peak {peak:.0f} MB")
    print(f"{'pause':15} ", end="", flush=True)
    measure(simple(backend, "-e", PAUSE), show=True)


if __name__ == "__main__":
    main()
