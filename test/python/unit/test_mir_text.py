"""The text form of MIR: what `dump` writes `parse` reads, and errors name the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mir_generator import generate
from simple_jit.mir import nodes as mir
from simple_jit.mir.parse import MirSyntaxError, parse_function, parse_functions
from simple_jit.mir.text import dump
from simple_jit.mir.verify import verify
from simple_jit.mir.visit import TERMINATOR_USES, USES

GOLDEN = Path(__file__).parents[1] / "golden" / "mir"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.mir")), ids=lambda path: path.stem)
def test_golden_text_is_what_dump_writes(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    functions = parse_functions(text)
    for function in functions:
        verify(function)
    assert "\n".join(map(dump, functions)) == text


def test_the_golden_function_has_every_instruction_and_terminator() -> None:
    function = parse_function((GOLDEN / "every_instruction.mir").read_text(encoding="utf-8"))
    kinds = {type(i) for block in function.blocks for i in block.instructions}
    kinds |= {type(block.terminator) for block in function.blocks} | {mir.Jump}
    assert kinds == {*USES, *TERMINATOR_USES}


@pytest.mark.parametrize("seed", range(40))
def test_random_programs_come_back(seed: int) -> None:
    for function in generate(seed).functions:
        text = dump(function)
        assert dump(parse_function(text)) == text


def test_nan_keeps_its_bits() -> None:
    text = "fn @f() -> f64 {\nb0:\n  %0: f64 = const nan:0xfff8000000000001\n  return %0\n}\n"
    assert dump(parse_function(text)) == text


def test_white_space_and_comments_do_not_count() -> None:
    text = "fn @f(%0:i64)->i64{ # nothing\nb0:return %0 }"
    assert dump(parse_function(text)) == "fn @f(%0: i64) -> i64 {\nb0:\n  return %0\n}\n"


def test_an_unassigned_local_is_declared_in_the_text() -> None:
    function = mir.Function("f", (mir.F64,))
    local = function.new_local(mir.F64)
    function.new_block().terminator = mir.Return((local,))
    assert "  local %0: f64\n" in dump(function)
    assert dump(parse_function(dump(function))) == dump(function)


@pytest.mark.parametrize(
    ("body", "line", "reason"),
    [
        ("b0:\n  %1: i64 = frobnicate %0\n  return", 3, "unknown instruction 'frobnicate'"),
        ("b0:\n  frobnicate\n  return", 3, "unknown instruction 'frobnicate'"),
        ("b0:\n  %1 = copy %0\n  return", 3, "the first assignment of %1 states its type"),
        ("b0:\n  %1: i46 = copy %0\n  return", 3, "unknown type 'i46'"),
        ("b0:\n  %0: f64 = copy %0\n  return", 3, "%0 is i64, not f64"),
        ("b0:\n  return %7", 3, "%7 is never assigned"),
        ("b0:\n  jump b2", 3, "there is no block b2"),
        ("b1:\n  return", 2, "block b0 expected"),
        ("b0:\n  %1: i64, %2: i64 = copy %0\n  return", 3, "'copy' has 1 result"),
        ("b0:\n  check %0, NilError\n  return", 4, "'!' expected, found 'return'"),
        ("b0:\n  branch %0, b0, b0 cold left", 3, "then or orelse expected, found 'left'"),
        ("b0:\n  %1: bool = const 1\n  return", 3, "true or false expected, found '1'"),
        ("b0:\n  %1: i64 = const 1.5\n  return", 3, "an integer expected, found '1.5'"),
        ('b0:\n  %1: ref = text "\\q"\n  return', 3, "unknown escape \\q"),
        ("b0:\n  ?", 3, "what is '?'?"),
        ("b0:\n  return", 4, "an instruction expected, found 'the end'"),
    ],
)
def test_errors_name_line_and_reason(body: str, line: int, reason: str) -> None:
    end = "" if "the end" in reason else "\n}\n"
    if "the end" in reason:
        body = "b0:\n  %1: i64 = copy %0\n"
    with pytest.raises(MirSyntaxError) as caught:
        parse_functions(f"fn @f(%0: i64) {{\n{body}{end}")
    assert (caught.value.line, caught.value.reason) == (line, reason)
