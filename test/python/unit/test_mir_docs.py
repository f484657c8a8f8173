"""The worked example of docs/mir.md is what the compiler does."""

from __future__ import annotations

import re

from harness import ROOT, run_simple
from simple_jit.mir import visit
from simple_jit.mir.parse import parse_function
from simple_jit.mir.text import dump
from simple_jit.passes.pipeline import ALL

PAGE = (ROOT / "docs" / "mir.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PROGRAM = next(text for kind, text in BLOCKS if kind == "simple")
BEFORE, AFTER = (text for kind, text in BLOCKS if kind == "mir")


def test_the_mir_of_the_example() -> None:
    words = ["dump", "-", "--stage", "mir", "--fn", "total"]
    assert run_simple([*words, "--after", "none"], stdin=PROGRAM).out == BEFORE
    assert run_simple(words, stdin=PROGRAM).out == AFTER


def test_the_text_reads_back() -> None:
    for text in (BEFORE, AFTER):
        assert dump(parse_function(text)) == text


def test_every_pass_and_every_word_is_described() -> None:
    for step in ALL:
        assert f"| `{step.name}` |" in PAGE
    golden = (ROOT / "test/python/golden/mir/every_instruction.mir").read_text(encoding="utf-8")
    words = set(re.findall(r"^  (?:%[^=]*= )?([a-z_]+)", golden, re.MULTILINE))
    assert len(words) >= len(visit.USES)
    assert [word for word in sorted(words) if not re.search(rf"`[^`]*\b{word}\b", PAGE)] == []
