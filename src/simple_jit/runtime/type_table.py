"""What the collector's code is told of types: a table with 32 bytes for each number, and lists of references.

    size (0 or less: what to take from that in an object's second word) | kind, and whether an object of it
    was found | stride | address of the list: how many offsets, and the offsets
"""

from __future__ import annotations

from simple_jit.mir import abi
from simple_jit.mir.layout import Descriptor
from simple_jit.runtime.memory import I64, store_words
from simple_jit.runtime.type_numbers import TypeNumbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

TYPES: Final = 4 << 20
"""Bytes for the table, from below, and the lists, from above."""
_KINDS: Final = {"free": 0, "struct": 1, "value": 1, "array": 2, "buffer": 3, "text": 0}
_NOTED: Final = 256
"""Added to the kind: `note_types` found an object."""


class TypeTable:
    """The table for the numbers of one context. Lists that are alike are kept once."""

    __slots__ = ("_address", "_lists", "_lists_start", "_numbers")

    def __init__(self, numbers: TypeNumbers) -> None:
        self._numbers = numbers
        self._address = 0
        self._lists_start = 0
        self._lists: dict[tuple[int, ...], int] = {}

    def start(self, address: int) -> None:
        """Use the `TYPES` bytes at `address`."""
        self._address = address
        self._lists_start = address + TYPES

    def update(self) -> int:
        """Describe the types that were numbered since the last call; returns how many numbers there are.

        Raises:
            MemoryError: there is no room.
        """
        numbers = self._numbers
        while numbers.unread:
            number = numbers.unread[-1]
            entry = self._address + 32 * number
            if entry + 32 > self._lists_start:
                raise MemoryError
            about = numbers.descriptor(number)
            at = entry >> 3
            I64[at], I64[at + 1], I64[at + 2] = type_record(about)
            I64[at + 3] = self._list(about.references)
            numbers.unread.pop()
        return numbers.count

    def _list(self, references: tuple[int, ...]) -> int:
        found = self._lists.get(references)
        if found is None:
            start = self._lists_start - 8 * (1 + len(references))
            if start < self._address + 32 * self._numbers.count:
                raise MemoryError
            store_words(start, [len(references), *references])
            found = self._lists[references] = self._lists_start = start
        return found

    def take_noted(self) -> list[int]:
        """Return the numbers of which `note_types` found objects, and forget that."""
        noted = []
        for number in range(self._numbers.count):
            at = (self._address + 32 * number >> 3) + 1
            if I64[at] & _NOTED:
                I64[at] ^= _NOTED
                noted.append(number)
        return noted


def type_record(about: Descriptor) -> tuple[int, int, int]:
    """Return the first three words of the entry of a type: size, kind and stride."""
    return _size(about), _KINDS[about.kind], about.stride


def _size(about: Descriptor) -> int:
    """Return the size of objects of a type; 0 or less: what is to be taken from that in the second word."""
    if about.kind == "text":
        return -(abi.TEXT_DATA + 1)
    if about.kind == "buffer":
        return -abi.BUFFER_DATA
    return max((about.size + 15) & -16, 16)
