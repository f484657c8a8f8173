"""Every program of test/programs does what it says, and the same in every tier."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import PROGRAMS, TIERS, Expectation, Outcome, programs, run_simple


def program_id(path: Path) -> str:
    return str(path.relative_to(PROGRAMS))


def run_in_tiers(path: Path, args: list[str]) -> dict[str, Outcome]:
    name = path.name
    return {
        tier: run_simple([*words, name, *args], folder=path.parent)
        for tier, words in TIERS.items()
    }


@pytest.mark.parametrize("path", programs(), ids=program_id)
def test_program_does_what_it_says_in_every_tier(path: Path) -> None:
    wanted = Expectation(path)
    outcomes = run_in_tiers(path, wanted.args)
    problems = [
        f"[{tier}] {problem}\n{outcome}"
        for tier, outcome in outcomes.items()
        for problem in wanted.problems(outcome)
    ]
    assert not problems, "\n".join(problems)
    reference = outcomes["interpreter"]
    for tier, outcome in outcomes.items():
        assert outcome == reference, f"[{tier}] differs from the interpreter\n{outcome}\n{reference}"


def test_there_are_programs() -> None:
    assert len(programs()) > 20
