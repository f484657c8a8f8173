"""What the text of closures may call: arithmetic outside of the common case, and failing checks.

`NAMES` is the namespace of that text.
"""

from __future__ import annotations

import math

from simple_jit.base.source import Span
from simple_jit.hir.nodes import ErrorKind
from simple_jit.mir.nodes import Site
from simple_jit.runtime import memory
from simple_jit.runtime.errors import SimpleError
from simple_jit.tiers.interpreter.hooks import RETURN, Signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, NoReturn

_INFINITY: Final = math.inf
_NAN: Final = math.nan


class Leave(Exception):
    """Carries a signal out of an expression, to the statement that it is part of."""

    def __init__(self, signal: Signal) -> None:
        self.signal = signal


def site_of(span: Span) -> Site:
    """Return the place that errors at `span` are reported at."""
    return Site(span.file.path, *span.line_column())


def fail(kind: ErrorKind, message: str, span: Span | None) -> NoReturn:
    """Raise an error; `span` is None in functions that report at their caller's place."""
    raise SimpleError(kind, message, site_of(span) if span else None)


def nil_error(span: Span | None) -> NoReturn:
    fail("NilError", "unwrapped nil", span)


def overflow(span: Span | None) -> NoReturn:
    fail("Overflow", "integer overflow", span)


def element(index: int, array: int, span: Span | None) -> int:
    """Return the index of an element counted from the start.

    Args:
        index: exact, not wrapped to an i64 yet; not between 0 and the length as it is.
        array: its address shifted by 3.
        span: where to report an error.
    """
    length: int = memory.I64[array + 1]
    index = wrap64(index)
    if -length <= index < length:
        return index if index >= 0 else index + length
    fail("IndexError", f"index {index} is out of range for length {length}", span)


def wrap(value: int, bits: int) -> int:
    """Return the signed integer of `bits` bits that `value` wraps to."""
    half = 1 << (bits - 1)
    return ((value + half) & ((1 << bits) - 1)) - half


def wrap64(value: int) -> int:
    return ((value + 0x8000_0000_0000_0000) & 0xFFFF_FFFF_FFFF_FFFF) - 0x8000_0000_0000_0000


def div(a: int, b: int, span: Span | None) -> int:
    """Divide toward zero, in unbounded integers."""
    if b == 0:
        fail("DivisionByZero", "division by zero", span)
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) is (b < 0) else -quotient


def rem(a: int, b: int, span: Span | None) -> int:
    """Return what `div` leaves; its sign is that of `a`."""
    if b == 0:
        fail("DivisionByZero", "division by zero", span)
    remainder = abs(a) % abs(b)
    return -remainder if a < 0 else remainder


def floordiv(a: int, b: int, span: Span | None) -> int:
    if b == 0:
        fail("DivisionByZero", "division by zero", span)
    return a // b


def fdiv0(a: float, b: float) -> float:
    """Divide by a float zero."""
    if a == 0 or a != a:
        return _NAN
    return math.copysign(_INFINITY, math.copysign(1.0, a) * math.copysign(1.0, b))


def frem(a: float, b: float) -> float:
    """C's `fmod`."""
    try:
        return math.fmod(a, b)
    except ValueError:
        return _NAN


def ffloor(x: float) -> float:
    return math.copysign(float(math.floor(x)), x) if -1e16 < x < 1e16 else x


def fceil(x: float) -> float:
    return math.copysign(float(math.ceil(x)), x) if -1e16 < x < 1e16 else x


def ftrunc(x: float) -> float:
    return math.copysign(float(math.trunc(x)), x) if -1e16 < x < 1e16 else x


def fsqrt(x: float) -> float:
    return math.sqrt(x) if x >= 0.0 else _NAN


def saturate(x: float, least: int, greatest: int) -> int:
    """Truncate to an integer between two bounds; NaN gives 0."""
    if x != x:
        return 0
    if x >= greatest:
        return greatest
    return int(x) if x > least else least


def int_to_f32(value: int) -> float:
    """Return the f32 nearest to an integer, rounding once."""
    spare = value.bit_length() - 53
    if spare > 0:
        sticky = value & ((1 << spare) - 1)
        value = (value >> spare | (sticky != 0)) << spare
    return memory.round_f32(float(value))


def trailing_zeros(value: int, bits: int) -> int:
    return (value & -value).bit_length() - 1 if value else bits


NAMES: Final[dict[str, Any]] = {
    "I8": memory.I8,
    "I16": memory.I16,
    "I32": memory.I32,
    "I64": memory.I64,
    "U8": memory.U8,
    "U16": memory.U16,
    "U32": memory.U32,
    "U64": memory.U64,
    "F32": memory.F32,
    "F64": memory.F64,
    "r32": memory.round_f32,
    "copy_bytes": memory.copy_bytes,
    "fill_bytes": memory.fill_bytes,
    "compare_bytes": memory.compare_bytes,
    "float_bits": memory.float_bits,
    "float_from_bits": memory.float_from_bits,
    "sqrt": math.sqrt,
    "RETURN": RETURN,
    **{
        function.__name__: function
        for function in (
            Leave,
            SimpleError,
            div,
            element,
            fail,
            fceil,
            fdiv0,
            ffloor,
            floordiv,
            frem,
            fsqrt,
            ftrunc,
            int_to_f32,
            nil_error,
            overflow,
            rem,
            saturate,
            site_of,
            trailing_zeros,
            wrap,
            wrap64,
        )
    },
}
