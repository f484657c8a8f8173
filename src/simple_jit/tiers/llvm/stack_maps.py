"""Reads LLVM's stack maps: how large frames are, and which sites calls have.

Each call carries the number of its site as an operand bundle `deopt`, to which LLVM's inliner adds those of
the calls that it inlines for. What comes out at the end is a record in the section `.llvm_stackmaps`
(https://llvm.org/docs/StackMaps.html#stack-map-format, version 3), with no code of its own:

    call @pick(…) ["deopt"(i64 55)]        record: return address, constants 55, 77
      inlined: call @$throw(…) ["deopt"(i64 77)]
"""

from __future__ import annotations

from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Final

    Call = tuple[int, tuple[int, ...]]

_COUNTS: Final = Struct("<III")
_FUNCTION: Final = Struct("<QQQ")  # address, bytes of stack, records
_RECORD: Final = Struct("<QIHH")  # id, offset of the return address, flags, locations
_LOCATION: Final = Struct("<BBHHHi")  # kind, reserved, size, register, reserved, offset or constant
_HEADER: Final = 4
_CONSTANT, _CONSTANT_INDEX = 4, 5
_UNKNOWN: Final = (1 << 64) - 1  # the size of a frame that is not always the same
_FIRST_SITE: Final = 3  # before it: calling convention, flags, and how many operands follow


class StackMaps:
    """The calls in the code of one unit; read when they are first asked for."""

    def __init__(self, sections: Sequence[bytes]) -> None:
        self._sections = sections
        self._calls: dict[int, Call] | None = None

    def call(self, offset: int) -> Call | None:
        if self._calls is None:
            self._calls = {place: call for section in self._sections for place, call in read_calls(section)}
        return self._calls.get(offset)


def read_calls(section: bytes) -> Iterator[tuple[int, Call]]:
    """Yield the offset that each call returns to, and what is known of it."""
    functions, constants, _ = _COUNTS.unpack_from(section, _HEADER)
    at = _HEADER + _COUNTS.size
    pool = at + _FUNCTION.size * functions
    record = pool + 8 * constants
    for _ in range(functions):
        address, size, count = _FUNCTION.unpack_from(section, at)
        at += _FUNCTION.size
        for _ in range(count):
            _, offset, _, locations = _RECORD.unpack_from(section, record)
            record += _RECORD.size
            sites = []
            for number in range(locations):
                kind, *_, value = _LOCATION.unpack_from(section, record)
                record += _LOCATION.size
                if number >= _FIRST_SITE:
                    if kind == _CONSTANT_INDEX:
                        value = int.from_bytes(section[pool + 8 * value : pool + 8 * value + 8], "little")
                    sites.append(value)
            record += -record % 8
            live_outs = int.from_bytes(section[record + 2 : record + 4], "little")
            record += 4 + 4 * live_outs
            record += -record % 8
            if size < _UNKNOWN:
                yield address + offset, (size, tuple(reversed(sites)))
