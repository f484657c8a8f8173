"""Module-level variables have so many cells of the context, and no more."""

from __future__ import annotations

from check_helper import check, errors
from simple_jit.hir.session import Options
from simple_jit.mir import abi

PROGRAM = "var a = 1\nvar b = (2, 3)\nvar c = 4\nfn main():\n    print a + b.0 + c\n"


def test_the_checker_knows_how_many_there_are() -> None:
    assert Options().most_globals == abi.GLOBALS_COUNT


def test_a_variable_without_room_is_reported_once() -> None:
    check(PROGRAM, Options(most_globals=4))
    message = "E0335 there is no room for `{}` beside all other module-level variables"
    assert errors(PROGRAM, Options(most_globals=3)) == [message.format("c")]
    assert errors(PROGRAM, Options(most_globals=2)) == [message.format("b")]
    assert errors(PROGRAM, Options(most_globals=1)) == [message.format("b")]
    assert errors(PROGRAM, Options(most_globals=14, first_global=12)) == [message.format("b")]
