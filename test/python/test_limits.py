"""Where memory and stack end: errors that can be caught, whatever the tier, the size and the thread."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness import ROOT, TIERS, run_simple
from simple_jit.backend import BackendKind, create_backend

FULL = """
fn deep(n: i64) -> i64: if n == 0: 0 else: 1 + deep(n - 1)
fn endless(n: i64) -> i64: 1 + endless(n + 1)
fn main():
    var xs: [[i64]] = []
    val hit = try:
        loop: xs.push([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    catch e: e.kind
    print hit
    xs = []
    val ys = [i for i in 0..100]
    print ys.sum(), try: endless(0).to_text() catch e: e.kind
    print deep(20_000)
"""
RECURSION = """
fn endless(n: i64) -> i64: 1 + endless(n + 1)
fn caught() -> text: try: endless(0).to_text() catch e: e.kind
"""


@pytest.mark.parametrize("size", ["1M", "32M"])
@pytest.mark.parametrize("tier", ["interpreter", "cranelift", "llvm", "auto"])
def test_a_full_heap_can_be_caught_and_used_again(tier: str, size: str, tmp_path: Path) -> None:
    (tmp_path / "full.spl").write_text(FULL)
    outcome = run_simple([*TIERS[tier], "--heap-max", size, "full.spl"], folder=tmp_path)
    assert outcome.out == "OutOfMemory\n4950 StackOverflow\n20000\n", outcome


def catch_overflow() -> str:
    with create_backend(BackendKind.CRANELIFT_JIT) as backend:
        backend.run(RECURSION)
        caught: str = backend.call("caught")
        return caught


def test_each_thread_has_a_stack_of_its_own() -> None:
    results: list[str] = []
    with create_backend(BackendKind.CRANELIFT_JIT) as backend:
        backend.run(RECURSION)
        results.append(backend.call("caught"))
        threads = [threading.Thread(target=lambda: results.append(backend.call("caught"))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        results.append(backend.call("caught"))
    assert results == ["StackOverflow"] * 5


def test_a_child_forked_in_a_thread_knows_its_stack() -> None:
    statuses: list[int] = []

    def fork() -> None:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 0 if catch_overflow() == "StackOverflow" else 2
            finally:
                os._exit(status)
        statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    thread = threading.Thread(target=fork)
    thread.start()
    thread.join()
    assert statuses == [0]


_NO_CODE_MEMORY = """
import sys
from simple_jit.cli.main import main
from simple_jit.runtime import code_arena
code_arena._mmap = lambda *_: code_arena._FAILED
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(("mode", "status", "out"), [("always_jit", 1, ""), ("auto", 0, "4999950000\n")])
def test_no_memory_for_machine_code(tmp_path: Path, mode: str, status: int, out: str) -> None:
    """AlwaysJit says so; Auto goes on interpreting."""
    program = tmp_path / "loop.spl"
    program.write_text("fn main():\n    var sum = 0\n    for i in 0..100_000:\n        sum += i\n    print sum\n")
    words = [sys.executable, "-c", _NO_CODE_MEMORY, "run", "--mode", mode, str(program)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (status, out), done.stderr
    assert done.stderr == "" if status == 0 else "error: cannot map 4 MiB for machine code" in done.stderr
