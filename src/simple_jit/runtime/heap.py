"""The heap: one reserved region, in which all objects of a program lie at fixed addresses.

Allocation moves `HEAP_NEXT` up to `HEAP_END`, in native code and here alike; what lies between them is
zero. Objects are aligned to 16 bytes. Where the two meet, `refill` gets more memory from the collector
(`runtime/collector.py`), which may first look for what is no longer needed.
"""

from __future__ import annotations

import os

from simple_jit.hir import types as hir
from simple_jit.mir import abi
from simple_jit.mir.layout import (
    BUFFER_DESCRIPTOR,
    FIXED_DESCRIPTORS,
    TEXT_DESCRIPTOR,
    element_layout,
    struct_layout,
)
from simple_jit.runtime.collector import FIRST_BUDGET, Collector
from simple_jit.runtime.context import Context, discard, release, reserve
from simple_jit.runtime.memory import I64, read_bytes, write_bytes
from simple_jit.runtime.shared_arrays import Lent
from simple_jit.runtime.values import array_values, field_access, writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Final

    from simple_jit.runtime.collector import Functions
    from simple_jit.runtime.values import Value

DEFAULT_RESERVE: Final = 64 << 30
SMALLEST_RESERVE: Final = 16 << 20
_BUFFER: Final = FIXED_DESCRIPTORS.index(BUFFER_DESCRIPTOR)
_TEXT: Final = FIXED_DESCRIPTORS.index(TEXT_DESCRIPTOR)
_UNITS: Final = {"K": 10, "M": 20, "G": 30, "T": 40}


class HeapSettingError(ValueError):
    """The bound of the heap is not a size; the message says what it should be."""


def heap_limit() -> int | None:
    """Return what `SIMPLE_HEAP_MAX` allows, None where it is not set."""
    setting = os.environ.get("SIMPLE_HEAP_MAX", "").strip()
    return parse_size("SIMPLE_HEAP_MAX", setting) if setting else None


def parse_size(name: str, setting: str) -> int:
    """Return the bytes that `setting` (`512M`, `2G`, a number) stands for; `name` is what it is the value of.

    Raises:
        HeapSettingError: it is no size.
    """
    digits = setting.upper().removesuffix("B").removesuffix("I")
    shift = _UNITS.get(digits[-1:], 0)
    number = digits[:-1] if shift else digits
    if not number.isascii() or not number.isdigit() or int(number) == 0:
        raise HeapSettingError(f"{name} should be a size such as 512M or 2G: {setting!r}")
    return int(number) << shift


class Heap:
    """The heap of one context.

    `base` and `reserved` say where the region lies, `limit` how much of it may be used, `is_reduced` that the
    system refused more. Words in the lists `held` keep the objects that they may be addresses of;
    `lent` has the memory of others that arrays refer to. `is_in_use` tells whether a program runs,
    `call_value` calls its function values, `program` is the one that is loaded.
    `make_collection(type, keys, values)` has the program make a dict or a set of arrays, `text_dict()` is
    its type `{text: any}`.
    """

    __slots__ = (
        "_context",
        "_end",
        "_left",
        "_next",
        "_pins",
        "_shared",
        "_texts",
        "base",
        "call_value",
        "collector",
        "held",
        "is_in_use",
        "is_reduced",
        "lent",
        "limit",
        "make_collection",
        "program",
        "reserved",
        "text_dict",
    )

    def __init__(
        self,
        context: Context,
        size: int = DEFAULT_RESERVE,
        limit: int | None = None,
        load: Callable[[int], tuple[Functions, bool] | None] | None = None,
    ) -> None:
        """Reserve a region, a smaller one where the system refuses `size`.

        Args:
            context: where the bounds of the region are kept.
            size: bytes to reserve.
            limit: bytes the program may use; what `SIMPLE_HEAP_MAX` says where it is None.
            load: returns the functions of the collector, and whether they are native code.
        """
        if limit is None:
            limit = heap_limit()
        if limit is not None:
            size = -(-limit // 4096) * 4096
        self.base, self.reserved = _reserve(size)
        self.is_reduced = self.reserved < size
        self.limit = min(limit or self.reserved, self.reserved)
        self._next = (context.address + abi.HEAP_NEXT) >> 3
        self._end = (context.address + abi.HEAP_END) >> 3
        self._context = context
        self._texts: dict[str, int] = {}
        I64[self._next] = self.base
        self._pins: dict[int, int] = {}
        self.held: list[list[int]] = []
        self.call_value: Callable[[int, list[Value]], Value] = _no_function
        self.is_in_use: Callable[[], bool] = _never
        self.lent = Lent(self)
        self._shared = 0
        self._left = 0
        self.program: object = None
        self.make_collection = _no_program
        self.text_dict = _no_types
        self.collector = Collector(self, context, load)
        self.collector.after_collection.append(self.lent.forget_dead)
        room = 0 if self.collector.is_asked_always else min(self.collector.usable, FIRST_BUDGET)
        I64[self._end] = self.base + room
        context.make_text = self.text_constant

    def close(self) -> None:
        """Unmap the region, or have that done when nobody shares a part of it any longer."""
        if self.base:
            self.collector.close()
            if self._shared:
                self._left = self.base
            else:
                release(self.base, self.reserved)
            self.base = 0

    @property
    def used(self) -> int:
        """Bytes that objects take: those found by the last collection, and all allocated since."""
        return self.collector.used()

    def allocate(self, size: int, type_id: int) -> int:
        """Return the address of a zeroed object of `size` bytes, header written; never collects.

        Raises:
            SimpleError: `OutOfMemory`.
        """
        address: int = I64[self._next]
        after = address + ((size + 15) & -16)
        if size < 0 or after > I64[self._end]:
            address = self.collector.grow(size)
        else:
            I64[self._next] = after
        I64[address >> 3] = type_id
        return address

    def refill(self, size: int) -> int:
        """Return the address of `size` zeroed bytes; collects where it is time (`rt_heap_refill`).

        Raises:
            SimpleError: `OutOfMemory`.
        """
        return self.collector.refill(size)

    def allocate_or_collect(self, size: int, type_id: int) -> int:
        """The same as `allocate` for the program itself: may collect."""
        address: int = I64[self._next]
        after = address + ((size + 15) & -16)
        if size < 0 or after > I64[self._end]:
            address = self.collector.refill(size)
        else:
            I64[self._next] = after
        I64[address >> 3] = type_id
        return address

    def share(self, array: int, data: int) -> None:
        """Keep an array and its data where they are; as often as this is called `unshare` must be."""
        self.pin(array)
        self.pin(data)
        self._shared += 1

    def unshare(self, array: int, data: int) -> None:
        """Take back one `share`; what was closed meanwhile is given back with the last."""
        self.unpin(array)
        self.unpin(data)
        self._shared -= 1
        if self._left and not self._shared:
            release(self._left, self.reserved)
            self._left = 0

    def pin(self, address: int) -> None:
        """Keep an object; as often as this is called `unpin` must be."""
        self._pins[address] = self._pins.get(address, 0) + 1

    def unpin(self, address: int) -> None:
        """Take back one `pin`."""
        count = self._pins.get(address, 0) - 1
        if count > 0:
            self._pins[address] = count
        else:
            self._pins.pop(address, None)

    def pinned(self) -> list[int]:
        """Return what Python holds: text constants, pinned objects, and words that may be addresses."""
        return [*self._texts.values(), *self._pins, *[word for words in self.held for word in words]]

    def give_back(self, address: int, size: int) -> None:
        """Give free pages back to the system."""
        discard(self.base, address, size)

    def new_text(self, value: str) -> int:
        """Return a new text object."""
        data = value.encode("utf-8", "surrogatepass")
        address = self.allocate(abi.TEXT_DATA + len(data) + 1, _TEXT)
        at = address >> 3
        I64[at + (abi.TEXT_BYTES >> 3)] = len(data)
        I64[at + (abi.TEXT_CHARS >> 3)] = len(value)
        write_bytes(address + abi.TEXT_DATA, data)
        return address

    def text_constant(self, value: str) -> int:
        """Return the one object for a text constant; it is never collected."""
        found = self._texts.get(value)
        if found is None:
            found = self._texts[value] = self.new_text(value)
        return found

    def forget_constants(self) -> None:
        """Let go of the objects for text constants: no code that has their addresses will run any more."""
        self._texts.clear()

    def read_text(self, address: int) -> str:
        """Return the value of a text object."""
        return self.read_text_bytes(address).decode("utf-8", "surrogatepass")

    def read_text_bytes(self, address: int) -> bytes:
        """Return the UTF-8 of a text object."""
        return read_bytes(address + abi.TEXT_DATA, I64[(address + abi.TEXT_BYTES) >> 3])

    def new_buffer(self, size: int) -> int:
        """Return the address of `size` zeroed bytes of data (those of a buffer object)."""
        address = self.allocate(abi.BUFFER_DATA + size, _BUFFER)
        I64[(address + abi.BUFFER_BYTES) >> 3] = size
        return address + abi.BUFFER_DATA

    def new_array(self, type: hir.ArrayType, values: Sequence[Value]) -> int:
        """Return a new array of `values`, which are in the interpreter's form."""
        array = self.new_empty_array(type, len(values))
        I64[(array + abi.ARRAY_LEN) >> 3] = len(values)
        data = I64[(array + abi.ARRAY_DATA) >> 3]
        write, stride = writer(type.elem), element_layout(type.elem).size
        for value in values:
            write(data, value)
            data += stride
        return array

    def new_empty_array(self, type: hir.ArrayType, capacity: int) -> int:
        """Return a new array of length 0 with room for `capacity` zeroed elements."""
        array = self.allocate(abi.ARRAY_SIZE, self._context.types.of(type))
        if capacity:
            data = self.new_buffer(capacity * element_layout(type.elem).size)
            I64[(array + abi.ARRAY_CAPACITY) >> 3] = capacity
            I64[(array + abi.ARRAY_DATA) >> 3] = data
        return array

    def array_len(self, array: int) -> int:
        """Return the length of an array."""
        length: int = I64[(array + abi.ARRAY_LEN) >> 3]
        return length

    def read_array(self, array: int, type: hir.ArrayType) -> list[Value]:
        """Return the elements of an array, in the interpreter's form."""
        return array_values(array, type.elem)

    def new_struct(self, type: hir.StructType, values: Sequence[Value]) -> int:
        """Return a new struct or class instance; `values` in field order."""
        layout, _ = struct_layout(type)
        address = self.allocate(layout.size, self._context.types.of(type))
        for index, value in enumerate(values):
            field_access(type, index)[1](address, value)
        return address

    @property
    def context(self) -> Context:
        return self._context


def _never() -> bool:
    return False


def _no_function(closure: int, values: list[Value]) -> Value:
    raise AssertionError("there is no program that could have functions")


def _no_program(type: hir.StructType, keys: int, values: int) -> int:
    raise AssertionError("there is no program that could make a collection")


def _no_types() -> hir.StructType:
    raise AssertionError("there is no program that could have types")


def _reserve(size: int) -> tuple[int, int]:
    """Reserve `size` bytes; where the system refuses, half of what it grants, since a heap is not all."""
    wanted = size
    while size:
        base = reserve(size)
        if base is not None:
            if size == wanted:
                return base, size
            release(base, size)
            wanted = size = size // 2
            continue
        if size <= SMALLEST_RESERVE:
            break
        size //= 2
    raise MemoryError("cannot reserve memory for the heap (see `ulimit -v`)")
