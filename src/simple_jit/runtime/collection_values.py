"""Dicts and sets as Python sees them: copies, in the order of the program.

They are read where they lie. To make one takes hashes and comparisons that are the program's own, so code of
the program does that (`Heap.make_collection`).
"""

from __future__ import annotations

from simple_jit.hir import types as hir
from simple_jit.runtime.values import (
    all_to_simple,
    array_values,
    field_access,
    to_python,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from simple_jit.runtime.heap import Heap


def collection_to_python(address: int, type: hir.StructType, heap: Heap) -> Any:
    """Return a dict or a set. Keys that Python cannot hash become tuples."""
    keys = [_hashable(to_python(key, type.args[0], heap)) for key in _entries(address, type, "_keys")]
    if len(type.args) == 1:
        return set(keys)
    values = [to_python(value, type.args[1], heap) for value in _entries(address, type, "_values")]
    return dict(zip(keys, values))


def _entries(address: int, type: hir.StructType, name: str) -> list[Any]:
    """Return what the array in a field has, without the places of removed keys."""
    found = array_values(_field(address, type, name), _field_type(type, name).elem)
    if not _field(address, type, "_holes"):
        return found
    dead = array_values(_field(address, type, "_dead"), hir.BOOL)
    return [value for value, is_dead in zip(found, dead) if not is_dead]


def _field(address: int, type: hir.StructType, name: str) -> Any:
    index = type.field_index(name)
    assert index is not None
    return field_access(type, index)[0](address)


def _field_type(type: hir.StructType, name: str) -> hir.ArrayType:
    index = type.field_index(name)
    assert index is not None
    found = type.fields[index].type
    assert isinstance(found, hir.ArrayType)
    return found


def _hashable(key: Any) -> Any:
    if isinstance(key, (list, tuple)):
        return tuple(map(_hashable, key))
    if isinstance(key, dict):
        return tuple((k, _hashable(v)) for k, v in key.items())
    return frozenset(key) if isinstance(key, set) else key


def python_to_collection(value: Any, type: hir.StructType, heap: Heap) -> int:
    """Return a new dict with the items of a mapping, or a new set with the elements of a set.

    Raises:
        TypeError: it is none, or a key or value does not fit.
    """
    is_dict = len(type.args) == 2
    if not isinstance(value, dict) if is_dict else not isinstance(value, (set, frozenset, list, tuple)):
        raise TypeError(f"expected {type}, not {value.__class__.__name__}: {value!r}")
    keys = _array(list(value), type.args[0], heap)
    values = _array(list(value.values()), type.args[1], heap) if is_dict else keys
    return heap.make_collection(type, keys, values)


def _array(items: list[Any], elem: hir.Type, heap: Heap) -> int:
    return heap.new_array(hir.array_of(elem), all_to_simple(items, [elem] * len(items), heap))
