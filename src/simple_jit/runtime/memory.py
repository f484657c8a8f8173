"""The memory of the process as typed views: `I64[address >> 3]`, `U8[address]`, `F64[address >> 3]`.

Every view spans the whole address space, so heap objects, the context block and foreign buffers are
read and written alike, in about 40 ns. Nothing is checked: an address that is not mapped kills the
process. This module alone knows the trick.
"""

from __future__ import annotations

# Not `ctypes` itself, which takes as long to import as a short program to run.
from _ctypes import _SimpleCData, addressof

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final

ADDRESS_BITS: Final = 47
"""User addresses on x86-64 and AArch64 Linux lie below `1 << 47`."""


class _Char(_SimpleCData):  # type: ignore[type-arg]
    _type_ = "c"


BYTES: Final[memoryview] = memoryview((_Char * (1 << ADDRESS_BITS)).from_address(0)).cast("B")
U8: Final[memoryview] = BYTES
I8: Final[Any] = BYTES.cast("b")
I16: Final[Any] = BYTES.cast("h")
U16: Final[Any] = BYTES.cast("H")
I32: Final[Any] = BYTES.cast("i")
U32: Final[Any] = BYTES.cast("I")
I64: Final[Any] = BYTES.cast("q")
U64: Final[Any] = BYTES.cast("Q")
F32: Final[Any] = BYTES.cast("f")
F64: Final[Any] = BYTES.cast("d")

VIEWS: Final[dict[str, tuple[Any, int]]] = {
    "i8": (I8, 0),
    "i16": (I16, 1),
    "i32": (I32, 2),
    "i64": (I64, 3),
    "u8": (U8, 0),
    "u16": (U16, 1),
    "u32": (U32, 2),
    "u64": (U64, 3),
    "f32": (F32, 2),
    "f64": (F64, 3),
    "bool": (U8, 0),
    "ref": (I64, 3),
    "ptr": (I64, 3),
}
"""For each machine type its view and by how much an address is shifted to index it."""


def unaligned_reader(name: str) -> Callable[[int], Any]:
    """Return what reads a machine type at any address; the views have aligned items only."""
    view = VIEWS[name][0]
    size, format = view.itemsize, view.format
    return lambda address: BYTES[address : address + size].cast(format)[0]


def unaligned_writer(name: str) -> Callable[[int, Any], None]:
    """Return what stores a machine type at any address."""
    view = VIEWS[name][0]
    size, format = view.itemsize, view.format

    def write(address: int, value: Any) -> None:
        BYTES[address : address + size].cast(format)[0] = value

    return write


_single: Final[Any] = memoryview(bytearray(4)).cast("f")
_double: Final[Any] = memoryview(bytearray(8)).cast("d")
_double_bits: Final[Any] = _double.cast("B").cast("q")


def round_f32(value: float) -> float:
    """Return the f32 nearest to `value`; what is too large becomes infinite."""
    _single[0] = value
    rounded: float = _single[0]
    return rounded


def float_bits(value: float) -> int:
    """Return the bits of an f64 as an i64."""
    _double[0] = value
    bits: int = _double_bits[0]
    return bits


def float_from_bits(bits: int) -> float:
    """Return the f64 whose bits are the i64 `bits`."""
    _double_bits[0] = bits
    value: float = _double[0]
    return value


def address_of(buffer: Any) -> int:
    """Return the address of what a writable buffer holds."""
    return addressof(_Char.from_buffer(buffer))


def read_bytes(address: int, size: int) -> bytes:
    """Return a copy of `size` bytes at `address`."""
    return BYTES[address : address + size].tobytes()


def write_bytes(address: int, data: bytes) -> None:
    """Store `data` at `address`."""
    BYTES[address : address + len(data)] = data


def store_words(address: int, words: Sequence[int]) -> None:
    """Store i64s one behind the other."""
    from array import array

    I64[address >> 3 : (address >> 3) + len(words)] = memoryview(array("q", words))


def copy_bytes(to: int, source: int, size: int) -> None:
    """Copy `size` bytes; the two stretches may overlap."""
    BYTES[to : to + size] = BYTES[source : source + size]


def fill_bytes(to: int, byte: int, size: int) -> None:
    """Store `size` times the low 8 bits of `byte`."""
    BYTES[to : to + size] = bytes((byte & 255,)) * size


def compare_bytes(left: int, right: int, size: int) -> int:
    """Compare two stretches like `memcmp`: -1, 0 or 1."""
    a = read_bytes(left, size)
    b = read_bytes(right, size)
    return (a > b) - (a < b)
