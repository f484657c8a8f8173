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


def is_ring_operation(node: hir.Expr) -> bool:
    """Is `node` an operation whose wrapped result depends on its operands modulo the width alone?

    Then an operand that is such an operation too need not be wrapped before.
    """
    return (
        isinstance(node, hir.Binary)
        and node.op in ("add", "sub", "mul")
        and not node.checked
        and isinstance(node.type, types.IntType)
    )


def unwrapped(node: hir.Binary, a: str, b: str) -> str:
    """Return the text of a ring operation, exact."""
    return f"({a} {_SIGNS[node.op]} {b})"


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
    first, t = shape.named(a)
    otherwise = f"overflow({place})" if node.checked else t
    return f"(-{t} if {first} != {type.min} else {otherwise})"


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
        count = str(int(node.rhs.value or 0) & (type.bits - 1))
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
        first, t = shape.named(a)
        return f"({t} {sign} {b} if {first} >= 0 else -(-{t} {sign} {b}))"
    (first, t), (second, u) = shape.named(a), shape.named(b)
    both = first if second == u else f"({first}, {second})[0]"
    slow = f"{node.op if type.signed else 'floordiv'}({t}, {u}, {place})"
    if not type.signed:
        slow = f"{'rem' if node.op == 'rem' else 'floordiv'}({t}, {u}, {place})"
    elif node.op != "rem":
        slow = f"wrap({slow}, {type.bits})"
    return f"({t} {sign} {u} if {both} >= 0 < {u} else {slow})"


def _float_binary(shape: Shape, node: hir.Binary, a: str, b: str) -> str:
    if node.op in ("add", "sub", "mul"):
        return f"({a} {_SIGNS[node.op]} {b})"
    if node.op == "rem":
        return f"frem({a}, {b})"
    if isinstance(node.rhs, hir.Const) and node.rhs.value:
        quotient = f"({a} / {b})"
    else:
        (first, t), (second, u) = shape.named(a), shape.named(b)
        both = second if first == t else f"({first}, {second})[1]"
        quotient = f"({t} / {u} if {both} else fdiv0({t}, {u}))"
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
