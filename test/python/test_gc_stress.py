"""A sample of the programs with a collection at every few allocations; `test/stress/gc.py` runs all."""

from __future__ import annotations

import pytest

from harness import PROGRAMS, TIERS, Expectation, run_simple

SAMPLE = [
    "arrays/growing.spl",
    "arrays/sorting.spl",
    "control/evaluation_order.spl",
    "structs/classes.spl",
    "text/building.spl",
    "whole/graph.spl",
    "whole/words.spl",
]


@pytest.mark.parametrize("tier", ["interpreter", "cranelift", "llvm", "auto"])
@pytest.mark.parametrize("name", SAMPLE)
def test_nothing_in_use_is_freed(name: str, tier: str) -> None:
    path = PROGRAMS / name
    wanted = Expectation(path)
    environ = {"SIMPLE_GC_STRESS": "3"}
    outcome = run_simple([*TIERS[tier], path.name, *wanted.args], folder=path.parent, environ=environ)
    assert not wanted.problems(outcome), outcome
