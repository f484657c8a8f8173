"""The verifier: each rule, broken."""

from __future__ import annotations

import pytest

from simple_jit.mir import nodes as mir
from simple_jit.mir.parse import parse_function
from simple_jit.mir.verify import MirError, verify

BROKEN = {
    "%3: i64 = add %0, %1": "the right operand is f64, not i64",
    "%3: f64 = add %0, %0": "the result has another type than the left operand",
    "%3: bool = add %2, %2": "no add of bool",
    "%3: f64 = and %1, %1": "no and of f64",
    "%3: u8 = const 256": "256 is out of the range of u8",
    "%3: f64 = copy %0": "i64 copied to f64",
    "%3: i64 = sqrt %0": "no sqrt of i64",
    "%3: u64 = const 1 %4: u64 = checked_add %3, %3 !1:1": "no checked add of u64",
    "%3: bool = lt %0, %1": "i64 compared with f64",
    "%3: i64 = lt %0, %0": "the result is no bool",
    "%3: bool = convert %0": "i64 converted to bool",
    "%3: i32 = bitcast %1": "bits of f64 as i32",
    "%3: i64 = select %0, %0, %0": "the condition is no bool",
    "%3: i64 = load [%0 + 8]": "the base is i64, neither ref nor ptr",
    "%3: ptr = context %4: i64 = load [%3 + %1 * 8]": "the index is no i64",
    "%3: i64 = context": "the result is no ptr",
    "%3: i64 = index %0, %0 !%1": "the place is no i64",
    "check %0, NilError !1:1": "the condition is no bool",
    "check %2, Hiccup !1:1": "no kind of error Hiccup",
    "check %2, Panic, %0 !1:1": "the message is no ref",
    "%3: i64 = copy %4 %4: i64 = copy %3": "%4 is not assigned on every path to here",
    "return %0, %0 b1:": "returns (i64, i64), not (i64,)",
    "branch %0, b1, b1 b1:": "the condition is no bool",
    "switch %0, [1: b1, 1: b1], b1 b1:": "a case stands twice",
    "jump b0 b1:": "the entry is a target",
    "branch %2, b1, b2 b1: %3: i64 = copy %0 jump b2 b2: %5: i64 = copy %3": "%3 is not assigned on every",
}


@pytest.mark.parametrize("code", BROKEN)
def test_broken_rule(code: str) -> None:
    function = parse_function(f"fn @m.f(%0: i64, %1: f64, %2: bool) -> i64 {{ b0: {code} return %0 }}")
    with pytest.raises(MirError) as caught:
        verify(function, after="lowering")
    assert BROKEN[code] in str(caught.value)
    assert str(caught.value).startswith("m.f (after lowering), b")
    assert "fn @m.f(" in str(caught.value)


def test_a_variable_assigned_on_both_paths_is_fine() -> None:
    verify(
        parse_function("""
        fn @f(%0: bool) -> i64 {
        b0: branch %0, b1, b2
        b1: %1: i64 = const 1 jump b3
        b2: %1 = const 2 jump b3
        b3: return %1
        }""")
    )


def test_a_loop_does_not_assign_for_what_stands_before_it() -> None:
    function = parse_function("""
        fn @f(%0: bool) -> i64 {
        b0: jump b1
        b1: branch %0, b2, b3
        b2: %1: i64 = const 1 jump b1
        b3: return %1
        }""")
    with pytest.raises(MirError, match="%1 is not assigned"):
        verify(function)


def test_unfinished_block() -> None:
    function = mir.Function("f", ())
    function.new_block()
    with pytest.raises(MirError, match="the block is unfinished"):
        verify(function)


def test_foreign_local_and_block() -> None:
    function = mir.Function("f", ())
    block = function.new_block()
    block.instructions.append(mir.Const(mir.Local(3, mir.I64), 1))
    block.terminator = mir.Return(())
    with pytest.raises(MirError, match="%3 is not a local of it"):
        verify(function)
    block.instructions.clear()
    block.terminator = mir.Jump(mir.Block(1))
    with pytest.raises(MirError, match="b1 is not a block of it"):
        verify(function)


def test_numbering() -> None:
    function = mir.Function("f", ())
    function.new_block().index = 4
    with pytest.raises(MirError, match="block 0 has the index 4"):
        verify(function)
