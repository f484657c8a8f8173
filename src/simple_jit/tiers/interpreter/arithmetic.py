"""The text of scalar operations: arithmetic, comparison, conversion.

Each function takes the text of its operands, which stands in parentheses where it needs them, and
returns text of the same kind. Operands are evaluated once, from left to right.
"""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir import types
from simple_jit.tiers.interpreter.shapes import Shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_SIGNS: Final = {"add": "+", "sub": "-", "mul": "*", "and": "&", "or": "|", "xor": "^"}
_COMPARISONS: Final = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def comparison(op: hir.CompareOp, a: str, b: str) -> str:
    """Return the text of a comparison."""
    return f"({a} {_COMPARISONS[op]} {b})"


def wrapped(shape: Shape, value: str, type: types.IntType) -> str:
    """Return text that wraps a signed or unsigned integer to the width of `type`."""
    if not type.signed:
        return f"({value} & {type.max:#x})"
    t = shape.temp()
    again = f"wrap64({t})" if type.bits == 64 else f"wrap({t}, {type.bits})"
    return f"({t} if ({t} := {value}) >> {type.bits - 1} in (0, -1) else {again})"


def unary(shape: Shape, node: hir.Unary, a: str, place: str) -> str:
    """Return the text of a unary operation; `place` is the text of the span of errors."""
    type = node.type
    if node.op == "not" or type is types.BOOL:
        return f"(not {a})"
    if isinstance(type, types.FloatType):
        return f"(-{a})"
    assert isinstance(type, types.IntType)
    if node.op == "bitnot":
        return f"(~{a})" if type.signed else f"({a} ^ {type.max:#x})"
    if not type.signed:
        return f"(-{a} & {type.max:#x})"
    t = shape.temp()
    if node.checked:
        return f"(-{t} if ({t} := {a}) != {type.min} else overflow({place}))"
    return f"(-{t} if ({t} := {a}) != {type.min} else {t})"


def binary(shape: Shape, node: hir.Binary, a: str, b: str, place: str) -> str:
    """Return the text of a binary operation."""
    type = node.type
    if isinstance(type, types.FloatType):
        text = _float_binary(shape, node, a, b)
        return text if type.bits == 64 else f"r32{text}" if text[0] == "(" else f"r32({text})"
    if type is types.BOOL:
        return f"({a} {_SIGNS[node.op]} {b})"
    assert isinstance(type, types.IntType)
    if node.op in ("and", "or", "xor"):
        return f"({a} {_SIGNS[node.op]} {b})"
    if node.op in ("add", "sub", "mul"):
        value = f"{a} {_SIGNS[node.op]} {b}"
        if not node.checked or not type.signed:
            return wrapped(shape, value, type)
        t = shape.temp()
        return f"({t} if {type.min} <= ({t} := {value}) <= {type.max} else overflow({place}))"
    if node.op in ("shl", "shr"):
        return _shift(shape, node, type, a, b)
    return _division(shape, node, type, a, b, place)


def _shift(shape: Shape, node: hir.Binary, type: types.IntType, a: str, b: str) -> str:
    count = f"({b} & {type.bits - 1})"
    if isinstance(node.rhs, hir.Const):
        count = shape.bind(int(node.rhs.value or 0) & (type.bits - 1))
    if node.op == "shr":
        return f"({a} >> {count})"
    return wrapped(shape, f"({a} << {count})", type)


def _division(shape: Shape, node: hir.Binary, type: types.IntType, a: str, b: str, place: str) -> str:
    """Truncate toward zero (`div`, `rem`) or down (`floordiv`); Python's own operators round down."""
    sign = "%" if node.op == "rem" else "//"
    constant = node.rhs.value if isinstance(node.rhs, hir.Const) else None
    if constant is not None and constant > 0:
        if node.op == "floordiv" or not type.signed:
            return f"({a} {sign} {b})"
        t = shape.temp()
        return f"({t} {sign} {b} if ({t} := {a}) >= 0 else -(-{t} {sign} {b}))"
    t, u = shape.temp(), shape.temp()
    both = f"({t} := {a}, {u} := {b})"
    slow = f"{node.op if type.signed else 'floordiv'}({t}, {u}, {place})"
    if not type.signed:
        slow = f"{'rem' if node.op == 'rem' else 'floordiv'}({t}, {u}, {place})"
    elif node.op != "rem":
        slow = f"wrap({slow}, {type.bits})"
    return f"({t} {sign} {u} if {both}[0] >= 0 < {u} else {slow})"


def _float_binary(shape: Shape, node: hir.Binary, a: str, b: str) -> str:
    if node.op in ("add", "sub", "mul"):
        return f"({a} {_SIGNS[node.op]} {b})"
    if node.op == "rem":
        return f"frem({a}, {b})"
    if isinstance(node.rhs, hir.Const) and node.rhs.value:
        quotient = f"({a} / {b})"
    else:
        t, u = shape.temp(), shape.temp()
        both = f"({t} := {a}, {u} := {b})"
        quotient = f"({t} / {u} if {both}[1] else fdiv0({t}, {u}))"
    if node.op == "floordiv":
        rounded = quotient if node.type is types.F64 else f"r32{quotient}"
        return f"ffloor({rounded})"
    return quotient


def conversion(shape: Shape, value: str, source: types.Type, target: types.Type) -> str:
    """Return the text of `value as target`."""
    if isinstance(source, types.EnumType):
        source = types.I64
    if isinstance(target, types.EnumType):
        target = types.I64
    if source is target:
        return value
    if isinstance(target, types.IntType):
        return _to_integer(shape, value, source, target)
    if target is types.BOOL:
        return f"({value} != 0)"
    assert isinstance(target, types.FloatType)
    if source is types.BOOL:
        return f"(1.0 if {value} else 0.0)"
    if isinstance(source, types.IntType):
        return f"({value} + 0.0)" if target is types.F64 else f"int_to_f32({value})"
    return f"r32({value})" if target is types.F32 else value


def _to_integer(shape: Shape, value: str, source: types.Type, target: types.IntType) -> str:
    if source is types.BOOL:
        return f"(1 if {value} else 0)"
    if isinstance(source, types.FloatType):
        return f"saturate({value}, {target.min}, {target.max})"
    assert isinstance(source, types.IntType)
    if target.min <= source.min and source.max <= target.max:
        return value
    return wrapped(shape, value, target)
