"""Scalar operations of the tree-walking interpreter against a model in Python."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hir_builder import SPAN, Machine, binary, compare, const, function, get
from simple_jit.hir import nodes as hir
from simple_jit.hir import types as t
from simple_jit.mir.nodes import Site
from simple_jit.runtime.errors import SimpleError

INTEGERS = [type for type in t.SCALARS.values() if isinstance(type, t.IntType)]
BINARY: tuple[hir.BinaryOp, ...] = (
    "add", "sub", "mul", "div", "rem", "floordiv", "and", "or", "xor", "shl", "shr",
)  # fmt: skip
COMPARISONS: tuple[hir.CompareOp, ...] = ("eq", "ne", "lt", "le", "gt", "ge")


def wrap(value: int, type: t.IntType) -> int:
    value &= (1 << type.bits) - 1
    return value - (1 << type.bits) if value > type.max else value


def model(op: str, a: int, b: int, type: t.IntType) -> int | None:
    """The exact answer, wrapped; None for a division by zero."""
    if op in ("div", "rem", "floordiv"):
        if b == 0:
            return None
        toward_zero = math.trunc(Fraction(a, b))
        exact = {"div": toward_zero, "rem": a - b * toward_zero, "floordiv": a // b}[op]
    elif op in ("shl", "shr"):
        count = b % type.bits
        exact = a << count if op == "shl" else a >> count
    else:
        exact = {"add": a + b, "sub": a - b, "mul": a * b, "and": a & b, "or": a | b, "xor": a ^ b}[op]
    return wrap(exact, type)


def numbers(type: t.IntType) -> st.SearchStrategy[int]:
    edges = [type.min, type.min + 1, -1, 0, 1, 2, 7, type.max - 1, type.max]
    return st.one_of(
        st.sampled_from([edge for edge in edges if edge >= type.min]),
        st.integers(type.min, type.max),
    )


def outcome(m: Machine, f: hir.Function, *args: object) -> object:
    try:
        return m.run(f, *args)
    except SimpleError as error:
        return error.kind if error.site == Site("test.spl", 2, 1) else error.site


@pytest.mark.parametrize("type", INTEGERS, ids=str)
def test_integer_operations(type: t.IntType) -> None:
    """Operands are tried as locals and as constants, which take different paths."""
    with Machine() as m:
        count = 0

        @given(st.sampled_from(BINARY), numbers(type), numbers(type))
        @settings(max_examples=150, deadline=None)
        def check(op: hir.BinaryOp, a: int, b: int) -> None:
            nonlocal count
            b_type: t.Type = type
            if op in ("shl", "shr"):
                b_type, b = t.I64, wrap(b, t.I64)
            expected = model(op, a, b, type)
            wanted = "DivisionByZero" if expected is None else expected
            count += 1
            f = function([type, b_type], type, name=f"f{count}")
            f.body = binary(op, get(f.locals[0]), get(f.locals[1]))
            assert outcome(m, f, a, b) == wanted
            g = function([type], type, name=f"g{count}")
            g.body = binary(op, get(g.locals[0]), const(b, b_type))
            assert outcome(m, g, a) == wanted

        check()


@pytest.mark.parametrize("type", [type for type in INTEGERS if type.signed], ids=str)
@pytest.mark.parametrize("op", ["add", "sub", "mul"])
def test_checked_operations(type: t.IntType, op: hir.BinaryOp) -> None:
    with Machine() as m:
        f = function([type, type], type)
        f.body = binary(op, get(f.locals[0]), get(f.locals[1]), checked=True)

        @given(numbers(type), numbers(type))
        @settings(max_examples=60, deadline=None)
        def check(a: int, b: int) -> None:
            exact = {"add": a + b, "sub": a - b, "mul": a * b}[op]
            fits = type.min <= exact <= type.max
            assert outcome(m, f, a, b) == (exact if fits else "Overflow")

        check()


@pytest.mark.parametrize("type", INTEGERS, ids=str)
def test_unary_operations(type: t.IntType) -> None:
    with Machine() as m:
        f = function([type], type, name="neg")
        f.body = hir.Unary("neg", get(f.locals[0]), SPAN)
        g = function([type], type, name="not")
        g.body = hir.Unary("bitnot", get(g.locals[0]), SPAN)

        @given(numbers(type))
        @settings(max_examples=60, deadline=None)
        def check(a: int) -> None:
            assert m.run(f, a) == wrap(-a, type)
            assert m.run(g, a) == wrap(~a, type)

        check()


@pytest.mark.parametrize("source", INTEGERS, ids=str)
@pytest.mark.parametrize("target", INTEGERS, ids=str)
def test_integer_conversions(source: t.IntType, target: t.IntType) -> None:
    with Machine() as m:
        f = function([source], target)
        f.body = hir.Convert(get(f.locals[0]), target, SPAN)
        for a in (source.min, source.max, 0, 1, source.max // 3):
            assert m.run(f, a) == wrap(a, target)


@pytest.mark.parametrize("target", INTEGERS, ids=str)
def test_floats_saturate(target: t.IntType) -> None:
    with Machine() as m:
        f = function([t.F64], target)
        f.body = hir.Convert(get(f.locals[0]), target, SPAN)
        assert m.run(f, math.nan) == 0
        assert m.run(f, math.inf) == target.max
        assert m.run(f, -math.inf) == target.min
        assert m.run(f, 2.9) == 2
        assert m.run(f, -0.9) == 0
        assert m.run(f, float(target.max)) == target.max
        assert m.run(f, -2.9) == (-2 if target.signed else 0)


def f32(value: float) -> float:
    rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    return rounded


def test_integer_to_f32_rounds_once() -> None:
    with Machine() as m:
        f = function([t.I64], t.F32)
        f.body = hir.Convert(get(f.locals[0]), t.F32, SPAN)
        # 2**60 + 2**36 is half way between two floats; one more must round up, one less down.
        tie = (1 << 60) + (1 << 36)
        assert m.run(f, tie) == float(1 << 60)
        assert m.run(f, tie + 1) == float((1 << 60) + (1 << 37))
        assert m.run(f, tie - 1) == float(1 << 60)
        assert m.run(f, -tie - 1) == -float((1 << 60) + (1 << 37))


FLOATS = st.one_of(st.floats(), st.sampled_from([0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e308]))


def same(a: object, b: float) -> bool:
    assert isinstance(a, float)
    return struct.pack("d", a) == struct.pack("d", b) or (a != a and b != b)


def divided(a: float, b: float) -> float:
    if b:
        return a / b
    if a == 0 or a != a:
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


@given(FLOATS, FLOATS)
@settings(max_examples=100, deadline=None)
def test_float_operations(a: float, b: float) -> None:
    with Machine() as m:
        expected = {"add": a + b, "sub": a - b, "mul": a * b, "div": divided(a, b)}
        if not (math.isinf(a) or b == 0):
            expected["rem"] = math.fmod(a, b)
        for op, value in expected.items():
            f = function([t.F64, t.F64], t.F64, name=op)
            f.body = binary(op, get(f.locals[0]), get(f.locals[1]))  # type: ignore[arg-type]
            assert same(m.run(f, a, b), value)
            g = function([t.F64], t.F64, name=op + "_constant")
            g.body = binary(op, get(g.locals[0]), const(b, t.F64))  # type: ignore[arg-type]
            assert same(m.run(g, a), value)


@given(st.floats(width=32), st.floats(width=32))
@settings(max_examples=60, deadline=None)
def test_f32_operations_round(a: float, b: float) -> None:
    with Machine() as m:
        for op in ("add", "sub", "mul"):
            exact = {"add": a + b, "sub": a - b, "mul": a * b}[op]
            f = function([t.F32, t.F32], t.F32, name=op)
            f.body = binary(op, get(f.locals[0]), get(f.locals[1]))
            if abs(exact) < 1e38 or exact != exact:
                assert same(m.run(f, a, b), f32(exact))


@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [
        ("floor", -0.5, -1.0), ("floor", -0.0, -0.0), ("floor", 1e300, 1e300), ("floor", 2.5, 2.0),
        ("ceil", -0.5, -0.0), ("ceil", 0.5, 1.0), ("trunc", -1.5, -1.0), ("trunc", -0.5, -0.0),
        ("trunc", math.inf, math.inf), ("floor", math.nan, math.nan), ("sqrt", 9.0, 3.0),
        ("sqrt", -1.0, math.nan), ("sqrt", -0.0, -0.0), ("abs", -0.0, 0.0),
    ],
)  # fmt: skip
def test_float_functions(op: str, value: float, expected: float) -> None:
    with Machine() as m:
        f = function([t.F64], t.F64)
        f.body = hir.Intrinsic(op, [get(f.locals[0])], None, t.F64, SPAN)
        assert same(m.run(f, value), expected)


@pytest.mark.parametrize("type", INTEGERS, ids=str)
def test_bit_counts(type: t.IntType) -> None:
    with Machine() as m:
        functions = {}
        for op in ("popcount", "leading_zeros", "trailing_zeros"):
            f = functions[op] = function([type], t.I64, name=op)
            f.body = hir.Intrinsic(op, [get(f.locals[0])], None, t.I64, SPAN)
        for value in (0, 1, type.max, type.min, 12):
            bits = format(value & ((1 << type.bits) - 1), f"0{type.bits}b")
            assert m.run(functions["popcount"], value) == bits.count("1")
            assert m.run(functions["leading_zeros"], value) == len(bits) - len(bits.lstrip("0"))
            assert m.run(functions["trailing_zeros"], value) == len(bits) - len(bits.rstrip("0"))


@given(FLOATS, FLOATS)
@settings(max_examples=40, deadline=None)
def test_comparisons(a: float, b: float) -> None:
    with Machine() as m:
        answers = (a == b, a != b, a < b, a <= b, a > b, a >= b)
        for op, answer in zip(COMPARISONS, answers, strict=True):
            f = function([t.F64, t.F64], t.BOOL, name=op)
            f.body = compare(op, get(f.locals[0]), get(f.locals[1]))
            assert m.run(f, a, b) is answer
