"""Values of `any` and of traits, which carry the number of their type, to and from Python."""

from __future__ import annotations

from simple_jit.hir import types as hir
from simple_jit.mir.layout import box_layout, flatten
from simple_jit.runtime.memory import float_bits, float_from_bits
from simple_jit.runtime.values import (
    StructRef,
    box_access,
    flatten_value,
    inflate,
    is_flat_enum,
    object_type,
    to_python,
    to_simple,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

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
    """Return a Python value as an `any`: bool, int, float, str, None, an object, or a list or dict of such.

    A list of one kind of scalars is an array of those, as a literal would be.

    Raises:
        TypeError: it is none of these.
    """
    type = _type_of(value, heap)
    return packed(to_simple(value, type, heap), type, heap)


_SCALARS: Final[dict[type, hir.Type]] = {bool: hir.BOOL, int: hir.I64, float: hir.F64, str: hir.TEXT}


def packed(value: Any, type: hir.Type, heap: Heap) -> tuple[int, int]:
    """Return a value in the interpreter's form as an `any`: the number of its type, and a word."""
    number, parts = heap.context.types.of(type), flatten_value(value, type)
    if len(parts) > 1 or isinstance(type, hir.OptionalType):
        box = heap.allocate(box_layout(type).size, number)
        box_access(type)[1](box, value)
        return number, box
    if not parts:
        return number, 0
    word = float_bits(parts[0]) if isinstance(type, hir.FloatType) else int(parts[0])
    return number, word - (1 << 64) if word > hir.I64.max else word


def _type_of(value: Any, heap: Heap) -> hir.Type:
    found = _SCALARS.get(value.__class__)
    if found is not None:
        return found
    if value is None:
        return hir.UNIT
    if isinstance(value, StructRef):
        return object_type(value)
    if isinstance(value, (list, tuple)):
        classes = {item.__class__ for item in value}
        elem = _SCALARS.get(classes.pop()) if len(classes) == 1 else None
        return hir.array_of(elem or hir.ANY)
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return heap.text_dict()
    raise TypeError(f"expected any, not {value.__class__.__name__}: {value!r}")
