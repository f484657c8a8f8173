"""Arrays of numbers whose memory Python and the program share, by NumPy's array interface.

    in    a NumPy array of one dimension, contiguous, writable, of the element's type: the program's array
          has the address of its data; what either side stores the other sees. Once the program makes it
          longer it has data of its own.
    out   `SharedArray`: `numpy.asarray` of it is a view of the program's array.

NumPy itself is not needed: anything with `__array_interface__` will do.
"""

from __future__ import annotations

from simple_jit.hir import types as hir
from simple_jit.mir import abi
from simple_jit.mir.layout import element_layout, flatten
from simple_jit.runtime.memory import I64, VIEWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from simple_jit.runtime.heap import Heap

_KINDS: Final[dict[hir.Type, str]] = {
    hir.I8: "i1", hir.I16: "i2", hir.I32: "i4", hir.I64: "i8",
    hir.U8: "u1", hir.U16: "u2", hir.U32: "u4", hir.U64: "u8",
    hir.F32: "f4", hir.F64: "f8", hir.BOOL: "b1",
}  # fmt: skip


def is_shareable(type: hir.Type) -> bool:
    """Is `type` an array of numbers or bools?"""
    return isinstance(type, hir.ArrayType) and type.elem in _KINDS


def array_type_of(value: Any) -> hir.ArrayType | None:
    """Return the type of a program's array that could share the memory of `value`."""
    about = getattr(value, "__array_interface__", None)
    if about is None:
        return None
    return next((hir.array_of(elem) for elem in _KINDS if _typestr(elem) == about["typestr"]), None)


_MANY_BYTES: Final = 64 << 20
_MANY: Final = 4096
"""So much lent since the last collection, which knows nothing of that memory, is worth another one."""


class Lent:
    """Memory of others that arrays of one heap refer to: kept as long as the arrays live.

    And as long as a program runs: the collector does not see that native code may have the address of the
    elements alone.
    """

    __slots__ = ("_by_array", "_bytes", "_count", "_heap", "_unused")

    def __init__(self, heap: Heap) -> None:
        self._heap = heap
        self._by_array: dict[int, tuple[Any, int, int]] = {}
        self._unused: list[Any] = []
        self._bytes = 0
        self._count = 0

    def make_room(self, size: int) -> None:
        """Let go of what is not needed any longer, before `size` bytes more are lent; may collect."""
        self._bytes += size
        self._count += 1
        if self._bytes > _MANY_BYTES or self._count > _MANY:
            self._bytes = self._count = 0
            self._heap.collector.collect("lent memory")
        self._let_go()

    def _let_go(self) -> None:
        if not self._heap.is_in_use():
            self._unused.clear()

    def add(self, array: int, owner: Any, data: int, length: int) -> None:
        """Keep `owner`, whose memory `array` refers to."""
        self._by_array[array] = owner, data, length

    def owner(self, array: int) -> Any:
        """Return whose memory an array still is, as a whole; None where it is its own."""
        found = self._by_array.get(array)
        if found is None:
            return None
        owner, data, length = found
        same = I64[(array + abi.ARRAY_DATA) >> 3] == data and I64[(array + abi.ARRAY_LEN) >> 3] == length
        return owner if same else None

    def forget_dead(self, is_object: Callable[[int], bool]) -> None:
        """Let go of what the arrays that a collection did not find referred to."""
        for array in [array for array in self._by_array if not is_object(array)]:
            self._unused.append(self._by_array.pop(array)[0])
        self._let_go()


class SharedArray:
    """An array of numbers of a program, by reference. `numpy.asarray` makes a view of its memory.

    The view shows the elements that the array had when this was made; if the program makes the array
    longer, it may move its elements away from there.
    """

    __slots__ = ("_address", "_data", "_elem", "_heap", "_length")

    def __init__(self, address: int, type: hir.ArrayType, heap: Heap) -> None:
        self._address = address
        self._elem = type.elem
        self._heap = heap
        self._data: int = I64[(address + abi.ARRAY_DATA) >> 3]
        self._length: int = I64[(address + abi.ARRAY_LEN) >> 3]
        heap.share(address, self._data)

    def __del__(self) -> None:
        self._heap.unshare(self._address, self._data)

    def __len__(self) -> int:
        return self._length

    def tolist(self) -> list[Any]:
        """Return a copy of the elements."""
        view, shift = VIEWS[flatten(self._elem)[0].name]
        items: list[Any] = view[self._data >> shift : (self._data >> shift) + self._length].tolist()
        return [item != 0 for item in items] if self._elem is hir.BOOL else items

    def __repr__(self) -> str:
        return f"<SharedArray of {self._length} {self._elem}>"

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return {
            "version": 3,
            "shape": (self._length,),
            "typestr": _typestr(self._elem),
            "data": (self._data or self._address, False),
        }


def shared_address(value: Any, type: hir.ArrayType, heap: Heap) -> int | None:
    """Return the address of an array of `heap` that shares its memory with `value`; None where it cannot.

    Raises:
        TypeError: `value` is an array of another element type.
    """
    if isinstance(value, SharedArray) and value._heap is heap and value._elem is type.elem:
        return value._address
    about = getattr(value, "__array_interface__", None)
    if about is None or type.elem not in _KINDS:
        return None
    if len(about["shape"]) != 1:
        raise TypeError(f"expected {type}, not an array of {len(about['shape'])} dimensions")
    if about["typestr"] != _typestr(type.elem):
        raise TypeError(f"expected {type}, not an array of {about['typestr']}")
    data, is_read_only = about["data"]
    length, size = about["shape"][0], element_layout(type.elem).size
    if is_read_only or about.get("strides") is not None or data % size or not length:
        return None
    heap.lent.make_room(length * size)
    array = heap.new_empty_array(type, 0)
    for offset, word in ((abi.ARRAY_LEN, length), (abi.ARRAY_CAPACITY, length), (abi.ARRAY_DATA, data)):
        I64[(array + offset) >> 3] = word
    heap.lent.add(array, value, data, length)
    return array


def _typestr(elem: hir.Type) -> str:
    kind = _KINDS[elem]
    return ("|" if kind.endswith("1") else "<") + kind
