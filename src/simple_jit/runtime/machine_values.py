"""Values between Python and functions of which only the machine types are known: those of MIR text.

    i64, u8, f64, bool …     int, float, bool, checked for their range
    ref                      text as str, arrays as lists, other objects as `StructRef`, nil as None
    ptr                      an address, an int

What a `ref` refers to says its object itself, by the number of its type.
"""

from __future__ import annotations

from simple_jit.hir import types as hir
from simple_jit.runtime.memory import I64
from simple_jit.runtime.shared_arrays import array_type_of
from simple_jit.runtime.values import StructRef, object_address, object_type, to_python, to_simple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from simple_jit.mir.nodes import MirType
    from simple_jit.runtime.heap import Heap

_ADDRESS_MASK = (1 << 64) - 1


def to_machine(value: Any, type: MirType, heap: Heap) -> Any:
    """Return a Python value as a component of `type`.

    Raises:
        TypeError: it is none; the message says what was expected.
        OverflowError: an integer is out of the range of its type.
    """
    if type.kind != "ptr":
        return to_simple(value, hir.SCALARS[type.name], heap)
    if value is None:
        return 0
    if isinstance(value, int) and not isinstance(value, bool):
        return to_simple(value, hir.U64 if value >= 0 else hir.I64, heap)
    if type.name == "ref":
        return _to_object(value, heap)
    raise TypeError(f"expected an address, not {value.__class__.__name__}: {value!r}")


def _to_object(value: Any, heap: Heap) -> int:
    if isinstance(value, StructRef):
        return object_address(value, heap)
    type = type_of(value)
    if type is hir.TEXT or isinstance(type, hir.ArrayType):
        address: int = to_simple(value, type, heap)
        return address
    raise TypeError(f"expected an object, not {value.__class__.__name__}: {value!r}")


def type_of(value: Any) -> hir.Type | None:
    """Return the type that a Python value has where nothing else says it; None where it has none.

    A list has the type of its first element; an empty one is of integers.
    """
    if value is None:
        return hir.UNIT
    found = {bool: hir.BOOL, int: hir.I64, float: hir.F64, str: hir.TEXT}.get(value.__class__)
    if found is not None:
        return hir.U64 if found is hir.I64 and value > hir.I64.max else found
    if isinstance(value, StructRef):
        return object_type(value)
    if hasattr(value, "__array_interface__"):
        return array_type_of(value)
    if isinstance(value, list):
        elem = type_of(value[0]) if value else hir.I64
        return hir.array_of(elem) if elem is not None else None
    return None


def from_machine(value: Any, type: MirType, heap: Heap) -> Any:
    """Return a component as Python sees it."""
    if type.kind != "ptr":
        return value
    address: int = value & _ADDRESS_MASK
    return _from_object(address, heap) if type.name == "ref" else address


def _from_object(address: int, heap: Heap) -> Any:
    if not address:
        return None
    if not heap.base <= address < heap.base + heap.reserved or address & 7:
        return address
    known = heap.context.types.known(I64[address >> 3] & 0xFFFF_FFFF)
    if known is hir.TEXT or isinstance(known, (hir.ArrayType, hir.StructType)):
        return to_python(address, known, heap)
    return address
