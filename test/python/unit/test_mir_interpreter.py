"""The MIR interpreter: what instructions mean at the edges."""

from __future__ import annotations

import math
from typing import Any

import pytest

from simple_jit.mir.nodes import Function
from simple_jit.mir.parse import parse_functions
from simple_jit.mir.verify import verify
from simple_jit.runtime.context import Context
from simple_jit.runtime.errors import SimpleError
from simple_jit.tiers.mir_interpreter import MirInterpreter, StepLimitReached


def machine(text: str, **options: Any) -> MirInterpreter:
    functions: dict[str, Function] = {f.symbol: f for f in parse_functions(text)}
    for function in functions.values():
        verify(function)
    options.setdefault("call_extern", lambda symbol, args: None)
    return MirInterpreter(Context(), functions.get, **options)


def evaluate(type: str, code: str, *args: Any, result: str = "") -> Any:
    """Run `%9 = code` on parameters %0, %1 … of one type."""
    params = ", ".join(f"%{n}: {type}" for n in range(len(args)))
    result = result or type
    text = f"fn @f({params}) -> {result} {{ b0: %9: {result} = {code} return %9 }}"
    return machine(text).call("f", args)[0]


LEAST = -(1 << 63)


@pytest.mark.parametrize(
    ("type", "code", "args", "expected"),
    [
        ("i64", "add %0, %1", (LEAST, -1), (1 << 63) - 1),
        ("u8", "mul %0, %1", (200, 2), 144),
        ("i8", "sub %0, %1", (-128, 1), 127),
        ("i64", "div %0, %1", (-7, 2), -3),
        ("i64", "rem %0, %1", (-7, 2), -1),
        ("i64", "div %0, %1", (LEAST, -1), LEAST),
        ("i64", "rem %0, %1", (LEAST, -1), 0),
        ("i64", "shl %0, %1", (1, 67), 8),
        ("i64", "shr %0, %1", (-8, 1), -4),
        ("i32", "not %0", (5,), -6),
        ("u16", "neg %0", (1,), 65535),
        ("i8", "leading_zeros %0", (1,), 7),
        ("i8", "popcount %0", (-1,), 8),
        ("u32", "trailing_zeros %0", (0,), 32),
        ("f64", "div %0, %1", (1.0, 0.0), math.inf),
        ("f64", "div %0, %1", (1.0, -0.0), -math.inf),
        ("f64", "rem %0, %1", (-7.5, 2.0), -1.5),
        ("f64", "floor %0", (-0.5,), -1.0),
        ("f64", "trunc %0", (1e300,), 1e300),
        ("f32", "add %0, %1", (16777216.0, 1.0), 16777216.0),
        ("f32", "mul %0, %1", (3e38, 10.0), math.inf),
        ("bool", "xor %0, %1", (True, True), False),
    ],
)
def test_arithmetic(type: str, code: str, args: tuple[Any, ...], expected: Any) -> None:
    assert evaluate(type, code, *args) == expected


def test_signs_of_zero_and_nan() -> None:
    assert math.copysign(1, evaluate("f64", "trunc %0", -0.5)) == -1
    assert math.copysign(1, evaluate("f64", "neg %0", 0.0)) == -1
    assert math.isnan(evaluate("f64", "sqrt %0", -1.0))
    assert math.isnan(evaluate("f64", "div %0, %1", 0.0, 0.0))
    assert not evaluate("f64", "eq %0, %1", math.nan, math.nan, result="bool")
    assert evaluate("f64", "ne %0, %1", math.nan, math.nan, result="bool")


@pytest.mark.parametrize(
    ("source", "target", "value", "expected"),
    [
        ("f64", "i64", 1e30, (1 << 63) - 1),
        ("f64", "i64", math.nan, 0),
        ("f64", "u8", -3.5, 0),
        ("f64", "i32", -2.9, -2),
        ("f64", "u64", math.inf, (1 << 64) - 1),
        ("i64", "u8", -1, 255),
        ("u8", "i8", 200, -56),
        ("i32", "u64", -1, (1 << 64) - 1),
        ("u64", "f64", (1 << 64) - 1, 18446744073709551616.0),
        ("i64", "f32", (1 << 60) + (1 << 36) + 1, float((1 << 60) + (1 << 37))),
        ("bool", "i64", True, 1),
    ],
)
def test_conversions(source: str, target: str, value: Any, expected: Any) -> None:
    assert evaluate(source, "convert %0", value, result=target) == expected


def test_bits() -> None:
    assert evaluate("f64", "bitcast %0", 1.0, result="i64") == 0x3FF0000000000000
    assert evaluate("u32", "bitcast %0", 0x3F800000, result="f32") == 1.0


@pytest.mark.parametrize(("index", "expected"), [(0, 0), (2, 2), (-1, 2), (-3, 0)])
def test_index(index: int, expected: int) -> None:
    assert evaluate("i64", "index %0, %1 !1:1", index, 3) == expected


@pytest.mark.parametrize(
    ("code", "args", "message"),
    [
        ("index %0, %1 !4:11", (3, 3), "IndexError: index 3 is out of range for length 3 (m.spl:4:11)"),
        ("index %0, %1 !4:11", (-4, 3), "IndexError: index -4 is out of range for length 3 (m.spl:4:11)"),
        (
            "index_no_wrap %0, %1 !4:1",
            (-1, 3),
            "IndexError: index -1 is out of range for length 3 (m.spl:4:1)",
        ),
        ("checked_mul %0, %1 !2:1", (1 << 62, 2), "Overflow: integer overflow (m.spl:2:1)"),
        (
            "copy %0 %3: bool = eq %0, %1 check %3, NilError !5:1",
            (1, 2),
            "NilError: unwrapped nil (m.spl:5:1)",
        ),
    ],
)
def test_errors(code: str, args: tuple[int, int], message: str) -> None:
    text = f'fn @f(%0: i64, %1: i64) -> i64 file "m.spl" line 1 {{ b0: %9: i64 = {code} return %9 }}'
    with pytest.raises(SimpleError) as caught:
        machine(text).call("f", args)
    assert str(caught.value) == message


def test_the_site_of_the_caller() -> None:
    text = """
    fn @at(%0: i64, %1: i64, %2 site: i64) -> i64 file "lib.spl" line 1 {
    b0: %3: i64 = index %0, %1 !%2 return %3 }
    fn @f(%0: i64) -> i64 file "main.spl" line 1 {
    b0: %1: i64 = const 3 %2: i64 = site !7:9 %3: i64 = call @at(%0, %1, %2) !7:9 return %3 }"""
    with pytest.raises(SimpleError, match="main"):
        machine(text).call("f", [5])


def test_extern_errors_get_the_place_of_the_call() -> None:
    def failing(symbol: str, args: tuple[Any, ...]) -> Any:
        raise SimpleError("IoError", f"{symbol}{args}")

    text = 'fn @f(%0: i64) file "m.spl" line 1 { b0: extern @rt_open(%0) raises !3:4 return }'
    with pytest.raises(SimpleError) as caught:
        machine(text, call_extern=failing).call("f", [1])
    assert str(caught.value) == "IoError: rt_open(1,) (m.spl:3:4)"


def test_limits() -> None:
    forever = "fn @f() { b0: jump b1 b1: jump b1 }"
    with pytest.raises(StepLimitReached):
        machine(forever, step_limit=1000).call("f", [])
    recursive = 'fn @f() file "m.spl" line 3 { b0: call @f() !4:1 return }'
    with pytest.raises(SimpleError) as caught:
        machine(recursive).call("f", [])
    assert str(caught.value) == "StackOverflow: stack overflow (m.spl:3:1)"
    with pytest.raises(LookupError, match="no MIR function g"):
        machine("fn @f() { b0: call @g() !1:1 return }").call("f", [])
