"""What the arithmetic of MIR means, on Python values: for the MIR interpreter and constant folding.

Integers are Python ints in the range of their type, addresses unsigned ints, floats Python floats
(those of type f32 rounded to it), bools Python bools.
"""

from __future__ import annotations

import math
import operator
import struct

from simple_jit.mir import nodes as mir
from simple_jit.mir.nodes import MirType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, TypeAlias

    Operation: TypeAlias = Callable[[Any, Any], Any]

_f32: Final = memoryview(bytearray(4)).cast("f")


def round_f32(value: float) -> float:
    """Return the f32 nearest to `value`; what is too large becomes infinite."""
    _f32[0] = value
    rounded: float = _f32[0]
    return rounded


def wrap(type: MirType) -> Callable[[int], int]:
    """Return what takes any integer to the one in the range of `type` with the same low bits."""
    mask = (1 << 8 * type.size) - 1
    if not type.signed:
        return lambda x: x & mask
    half = (mask + 1) >> 1
    return lambda x: ((x + half) & mask) - half


def _divide(a: int, b: int) -> int:
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def _remainder(a: int, b: int) -> int:
    rest = abs(a) % abs(b)
    return -rest if a < 0 else rest


def _float_divide(a: float, b: float) -> float:
    if b:
        return a / b
    if a == 0 or a != a:
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def _float_remainder(a: float, b: float) -> float:
    if b == 0 or math.isinf(a) or a != a or b != b:
        return math.nan
    return math.fmod(a, b)


INT_BINARY: Final[dict[str, Operation]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": _divide,
    "rem": _remainder,
    "and": operator.and_,
    "or": operator.or_,
    "xor": operator.xor,
}
_FLOAT_BINARY: Final[dict[str, Operation]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": _float_divide,
    "rem": _float_remainder,
}
COMPARE: Final[dict[str, Operation]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


def _rounded(operation: Callable[..., float]) -> Callable[..., float]:
    return lambda *operands: round_f32(operation(*operands))


def binary_operation(op: mir.BinaryOp, type: MirType) -> Operation:
    """Return the meaning of `Binary` with operands of `type`."""
    if type.kind == "float":
        operation = _FLOAT_BINARY[op]
        return _rounded(operation) if type is mir.F32 else operation
    if type.kind == "bool":
        return INT_BINARY[op]
    fit = wrap(type)
    if op in ("shl", "shr"):
        bits = 8 * type.size - 1
        if op == "shl":
            return lambda a, b: fit(a << (b & bits))
        return lambda a, b: a >> (b & bits)
    exact = INT_BINARY[op]
    return lambda a, b: fit(exact(a, b))


def _whole(rounding: Callable[[float], int]) -> Callable[[float], float]:
    """Return `rounding` from float to float: infinities, NaN and the sign of zero stay."""
    return lambda x: math.copysign(float(rounding(x)), x) if abs(x) < 1e300 else x


def _square_root(x: float) -> float:
    return math.sqrt(x) if x >= 0 else x if x == 0 else math.nan


_FLOAT_UNARY: Final[dict[str, Callable[[float], float]]] = {
    "neg": operator.neg,
    "sqrt": _square_root,
    "floor": _whole(math.floor),
    "ceil": _whole(math.ceil),
    "trunc": _whole(math.trunc),
    "abs": math.fabs,
}


def unary_operation(op: mir.UnaryOp, type: MirType) -> Callable[[Any], Any]:
    """Return the meaning of `Unary` with an operand of `type`."""
    if type.kind == "bool":
        return operator.not_
    if type.kind == "float":
        operation = _FLOAT_UNARY[op]
        return _rounded(operation) if type is mir.F32 else operation
    bits = 8 * type.size
    mask = (1 << bits) - 1
    fit = wrap(type)
    meanings: dict[str, Callable[[int], int]] = {
        "neg": lambda x: fit(-x),
        "not": lambda x: fit(~x),
        "popcount": lambda x: (x & mask).bit_count(),
        "leading_zeros": lambda x: bits - (x & mask).bit_length(),
        "trailing_zeros": lambda x: ((x & -x).bit_length() - 1) if x else bits,
    }
    return meanings[op]


def _int_to_f32(value: int) -> float:
    """Round once: of a wide integer keep 53 bits, the last one standing for all that are cut."""
    extra = abs(value).bit_length() - 53
    if extra > 0:
        size = abs(value)
        kept = (size >> extra) | (size & ((1 << extra) - 1) != 0)
        value = (kept << extra) if value > 0 else -(kept << extra)
    return round_f32(float(value))


def _float_to_int(type: MirType) -> Callable[[float], int]:
    bits = 8 * type.size
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if type.signed else (0, (1 << bits) - 1)

    def convert(x: float) -> int:
        if x != x:
            return 0
        if math.isinf(x):
            return high if x > 0 else low
        return max(low, min(high, int(x)))

    return convert


def conversion(source: MirType, target: MirType) -> Callable[[Any], Any]:
    """Return the meaning of `Convert` between two types."""
    if target.kind == "float":
        if target is mir.F32:
            return round_f32 if source.kind == "float" else _int_to_f32
        return float
    if source.kind == "float":
        return _float_to_int(target)
    fit = wrap(target)
    return lambda x: fit(int(x))


FORMATS: Final = {
    "i32": "i", "u32": "I", "i64": "q", "u64": "Q", "f32": "f", "f64": "d",
    "i16": "h", "u16": "H", "ref": "Q", "ptr": "Q",
}  # fmt: skip


def bitcast(source: MirType, target: MirType) -> Callable[[Any], Any]:
    """Return the meaning of `Bitcast` between two types."""
    pack = struct.Struct(FORMATS[source.name]).pack
    unpack = struct.Struct(FORMATS[target.name]).unpack
    return lambda x: unpack(pack(x))[0]
