"""Random programs do the same in every way of running them; `tools/fuzz.py` tries as many as you like."""

from __future__ import annotations

import pytest

from differential import QUICK, REFERENCE, WAYS, disagreement, is_rejected, run_ways, shrink
from harness import Outcome
from program_generator import generate

SEEDS = range(20)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_program_does_the_same_in_every_tier(seed: int) -> None:
    overflow_checks = seed % 4 == 3
    source = generate(seed, overflow_checks)
    slow = [way for way in WAYS if way not in QUICK]
    ways = (*QUICK, slow[seed // 6 % len(slow)]) if seed % 6 == 0 else ("regions", QUICK[seed % len(QUICK)])
    found = disagreement(source, overflow_checks, ways)
    assert found is None, f"tools/fuzz.py --start {seed} --seeds 1\n{found}"


def test_random_programs_are_accepted() -> None:
    outcome = run_ways(generate(SEEDS[0]), [REFERENCE])[REFERENCE]
    assert not is_rejected(outcome), outcome


def test_a_program_is_made_smaller_while_it_disagrees(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(source: str, ways: list[str], overflow_checks: bool = False) -> dict[str, Outcome]:
        return {way: Outcome(0, way if "wrong" in source else "", "") for way in ways}

    monkeypatch.setattr("differential.run_ways", run)
    source = "fn main():\n    if (true):\n        print((1 + 2), wrong)\n    print(2)\n"
    found = disagreement(source, ways=("cranelift",))
    assert found is not None
    assert found.way == "cranelift"
    small = shrink(source, found)
    assert "wrong" in small
    assert len(small) <= len("print(1, wrong)\n")
