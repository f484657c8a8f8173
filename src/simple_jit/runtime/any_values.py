"""Values of `any` and of traits, which carry the number of their type, to and from Python."""

from __future__ import annotations

from simple_jit.hir import types as hir
from simple_jit.mir.layout import flatten
from simple_jit.runtime.memory import float_bits, float_from_bits
from simple_jit.runtime.values import StructRef, box_access, inflate, is_flat_enum, to_python, to_simple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from simple_jit.runtime.heap import Heap


def any_to_python(value: tuple[int, int], heap: Heap) -> Any:
    """Return the value in an `any` as Python sees it."""
    number, word = value
    type = heap.context.types.type(number)
    return to_python(_unpacked(word, type), type, heap)


def _unpacked(word: int, type: hir.Type) -> Any:
    """Return a value in the interpreter's form from its word."""
    if not flatten(type):
        return None
    if len(flatten(type)) > 1 or isinstance(type, hir.OptionalType):
        return box_access(type)[0](word)
    if isinstance(type, hir.FloatType):
        return float_from_bits(word)
    if type is hir.BOOL:
        return word != 0
    if is_flat_enum(type):
        return inflate((word,), type)
    return word & hir.U64.max if type is hir.U64 else word


def python_to_any(value: Any, heap: Heap) -> tuple[int, int]:
    """Return a Python value as an `any`: bool, int, float, str, None, a struct, or a list of such.

    Raises:
        TypeError: it is none of these.
    """
    type = _type_of(value)
    if type is hir.UNIT:
        return heap.context.types.of(type), 0
    simple = to_simple(value, type, heap)
    word = float_bits(simple) if type is hir.F64 else int(simple)
    return heap.context.types.of(type), word


def _type_of(value: Any) -> hir.Type:
    found = {bool: hir.BOOL, int: hir.I64, float: hir.F64, str: hir.TEXT}.get(value.__class__)
    if found is not None:
        return found
    if value is None:
        return hir.UNIT
    if isinstance(value, StructRef):
        return value._type
    if isinstance(value, (list, tuple)):
        return hir.array_of(hir.ANY)
    raise TypeError(f"expected any, not {value.__class__.__name__}: {value!r}")
