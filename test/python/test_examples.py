"""The programs of examples/ run as written, in every tier."""

from __future__ import annotations

import pytest

from harness import ROOT, TIERS, run_simple

FIRST = [0, 1]
while len(FIRST) < 31:
    FIRST.append(FIRST[-1] + FIRST[-2])

EXPECTED = {
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


@pytest.mark.parametrize("name", EXPECTED)
def test_example_prints_what_it_should(name: str) -> None:
    outcome = run_simple(["run", f"examples/{name}"])
    assert (outcome.status, outcome.out, outcome.err) == (0, EXPECTED[name], "")


@pytest.mark.parametrize("tier", [tier for tier in TIERS if not tier.startswith("mir")])
def test_fibonacci_is_the_same_in_every_tier(tier: str) -> None:
    outcome = run_simple([*TIERS[tier], "examples/fibonacci.spl"], seconds=120)
    assert (outcome.status, outcome.out, outcome.err) == (0, EXPECTED["fibonacci.spl"], "")


def test_the_verbose_log_shows_when_fibonacci_becomes_native() -> None:
    outcome = run_simple(["run", "--verbose", "--backend", "cranelift", "examples/fibonacci.spl"])
    assert "fibonacci(i64)" in outcome.err
    assert "with cranelift" in outcome.err
