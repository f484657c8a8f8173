"""Each pass on MIR written by hand: `passes/<pass>/<case>.mir` has what goes in and what comes out.

The file starts with a comment, then come the functions as they are, a line `# after`, and the last
function as the pass leaves it. Run with BLESS=1 to write the outcomes anew, then read the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from simple_jit.mir.parse import parse_functions
from simple_jit.mir.text import dump
from simple_jit.mir.verify import verify
from simple_jit.passes.environment import Environment
from simple_jit.passes.pipeline import ALL, run_passes

FOLDER = Path(__file__).parents[1] / "passes"
CASES = sorted(FOLDER.glob("*/*.mir"))
SEPARATOR = "\n# after\n"
STEPS = {step.name: step for step in ALL}


def test_every_pass_has_cases() -> None:
    assert {case.parent.name for case in CASES} == set(STEPS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_pass(case: Path) -> None:
    text = case.read_text(encoding="utf-8")
    before, _, expected = text.partition(SEPARATOR)
    functions = {function.symbol: function for function in parse_functions(before)}
    for function in functions.values():
        verify(function)
    *_, last = functions.values()
    after = run_passes(last, Environment(functions.get), (STEPS[case.parent.name],))
    verify(after, after=case.parent.name)
    outcome = dump(after)
    if os.environ.get("BLESS"):
        case.write_text(before.rstrip("\n") + "\n" + SEPARATOR + outcome, encoding="utf-8")
    else:
        assert outcome == expected
