"""The programs of examples/ run as written, in every tier."""

from __future__ import annotations

import pytest

from harness import ROOT, TIERS, run_simple

FIRST = [0, 1]
while len(FIRST) < 31:
    FIRST.append(FIRST[-1] + FIRST[-2])

SUMS = "[23, 24, 25, 26, 27, 1, 2, 3, 4, 5]"
MODES = ("Auto", "AlwaysJit", "AlwaysInterpret", "Hybrid", "ProfileGuided")
EXPECTED = {
    "fibonacci_auto.spl": (
        "engine: interpreter, back end: auto\n"
        "fibonacci(5) = 5\nfibonacci(10) = 55\nfibonacci(20) = 6765\nfibonacci(27) = 196418\n"
    ),
    "hybrid_execution.spl": (
        "heavy: 41, native: false\nheavy: 199999, native: true\nrare: 42, native: false\n"
        'compiled: ["heavy"]\ninterpreted: ["rare"]\n'
    ),
    "test_jit_autograd.spl": (
        "loss: 7.550527 at first, 0.010598 at last\n"
        "-1.0 xor -1.0: -0.947\n-1.0 xor 1.0: 0.953\n1.0 xor -1.0: 0.945\n1.0 xor 1.0: -0.951\nconverged\n"
    ),
    "test_jit_backend.spl": (
        "".join(f"running program on {name}: 28000\n" for name in ("cranelift", "llvm", "auto"))
        + "".join(
            f"running program as {name}: 28000\n" for name in ("tree-walk", "cranelift", "llvm", "interpreter")
        )
        + "".join(f"engine in mode JitMode.{mode}: {SUMS}\n" for mode in MODES)
        + "".join(f'manager on {name}: ["digits"]\n' for name in ("cranelift", "llvm"))
        + "all back ends agree\n"
    ),
    "fibonacci.spl": "".join(f"fibonacci({n}) = {FIRST[n]}\n" for n in [*range(20), 30]),
    "choose_backend.spl": "set: true\nlongest chain below 1000: 871, 178 steps\n",
    "switch_backends.spl": (
        "at first: auto\n"
        "llvm: true, now llvm, 332833500\n"
        "cranelift: true, now cranelift, 332833500\n"
        "auto: true, now auto, 332833500\n"
        "unknown: false, still auto\n"
    ),
}


def test_every_example_is_listed() -> None:
    assert sorted(EXPECTED) == sorted(path.name for path in (ROOT / "examples").glob("*.spl"))


LOGS = {"hybrid_execution.spl": "compiled main.heavy(i64) with cranelift"}
"""What the examples that ask for the log find on standard error."""
ENGINES = ["hybrid_execution.spl", "fibonacci_auto.spl", "test_jit_backend.spl"]


@pytest.mark.parametrize("name", EXPECTED)
def test_example_prints_what_it_should(name: str) -> None:
    outcome = run_simple(["run", f"examples/{name}"])
    assert (outcome.status, outcome.out) == (0, EXPECTED[name]), outcome.err
    assert LOGS[name] in outcome.err if name in LOGS else outcome.err == ""


PROGRAMS = ["fibonacci.spl", "test_jit_autograd.spl"]
# Engines inside of a program say nothing about the MIR interpreter, and Fibonacci takes half a minute there.
IN_MIR = ["test_jit_autograd.spl"]
IN_TIERS = [(n, t) for n in [*PROGRAMS, *ENGINES] for t in TIERS if n in IN_MIR or not t.startswith("mir")]


@pytest.mark.parametrize(("name", "tier"), IN_TIERS)
def test_example_is_the_same_in_every_tier(name: str, tier: str) -> None:
    outcome = run_simple([*TIERS[tier], f"examples/{name}"], seconds=120)
    assert (outcome.status, outcome.out) == (0, EXPECTED[name]), outcome.err


@pytest.mark.parametrize("mode", ["hybrid", "profile_guided"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_example_is_the_same_in_the_other_modes(name: str, mode: str) -> None:
    outcome = run_simple(["run", "--mode", mode, "--backend", "cranelift", f"examples/{name}"])
    assert (outcome.status, outcome.out, outcome.err) == (0, EXPECTED[name], "")


def test_the_verbose_log_shows_when_fibonacci_becomes_native() -> None:
    outcome = run_simple(["run", "--verbose", "--backend", "cranelift", "examples/fibonacci.spl"])
    assert "fibonacci(i64)" in outcome.err
    assert "with cranelift" in outcome.err
