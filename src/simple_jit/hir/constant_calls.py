"""Calls of library functions in constants: those on text and numbers that have no effect.

Each gives what the function in the library gives when it runs (`lib/core`).
"""

from __future__ import annotations

from simple_jit.base.float_text import shortest_f32
from simple_jit.hir import nodes as hir
from simple_jit.hir.types import F32, FloatType, IntType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_LONGEST = 1 << 20
"""How many characters a constant text may have."""


def folded_call(expr: hir.Call, args: list[Any]) -> object:
    """Return what the call of a library function gives for constant arguments; None: not known here."""
    name = expr.callee.name
    if name == "to_text" and len(args) == 1:
        return _shown(args[0], expr.args[0].type is F32)
    if name in ("abs", "min", "max") and isinstance(expr.type, (IntType, FloatType)):
        return _ORDER[name](*args) if not any(value != value for value in args) else None
    function = _FUNCTIONS.get(name)
    try:
        return function(*args) if function is not None else None
    except (TypeError, ValueError, IndexError):
        return None


def _shown(value: object, is_single: bool) -> str | None:
    """The text form of a number or truth value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return shortest_f32(value) if is_single else repr(value)
    return str(value) if isinstance(value, int) else None


def _least(a: Any, b: Any) -> Any:
    """The lesser of two, the first where they are equal."""
    return b if b < a else a


def _greatest(a: Any, b: Any) -> Any:
    return b if b > a else a


def _repeated(s: str, count: int) -> str | None:
    return s * count if len(s) * count <= _LONGEST else None


def _power(base: float, exponent: float) -> float | None:
    if isinstance(exponent, int) and 0 <= exponent < 64:
        return base**exponent
    return None


def _order(a: str, b: str) -> int:
    return (a > b) - (a < b)


_ORDER: dict[str, Callable[..., Any]] = {"abs": abs, "min": _least, "max": _greatest}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "concat": lambda a, b: a + b,
    "concat_all": "".join,
    "format_f64": format,
    "format_i64": format,
    "format_text": format,
    "format_u64": format,
    "fpow": _power,
    "ipow": _power,
    "len": len,
    "lower": str.lower,
    "text_cmp": _order,
    "text_contains": lambda s, part: part in s,
    "text_eq": lambda a, b: a == b,
    "text_index": lambda s, at: s[at],
    "text_repeat": _repeated,
    "upper": str.upper,
}
