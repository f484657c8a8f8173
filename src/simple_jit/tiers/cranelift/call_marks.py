"""Which call is where in Cranelift's code, which tells nothing of that itself.

Before each call the lowering puts a store of the number of the call's site, to a cell of the context that
nobody reads. Stores and calls stay in order, so a store tells where the next call in the code stands. Once
the code is made, the stores become no-ops that still have the number in them:

    mov dword ptr [rdi + CALL_MARK], 55    ->    nop word ptr cs:[rax + rax + 55]
    call rax                                     call rax

Frames have one size throughout a function, which its first instructions tell.
"""

from __future__ import annotations

from bisect import bisect_left

from simple_jit.mir import abi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_CELL: Final = abi.CALL_MARK.to_bytes(4, "little")
_STORE: Final = 0xC7
_PLAIN_BASES: Final = frozenset((0x80, 0x81, 0x82, 0x83, 0x85, 0x86, 0x87))  # of ModRM: any but r12
_INDEXED_BASE: Final = b"\xc7\x84\x24"  # r12 takes a byte more
_REX_B: Final = 0x41
_NOP_10, _NOP_8, _NOP_3, _NOP_2 = (
    b"\x66\x2e\x0f\x1f\x84\x00",
    b"\x0f\x1f\x84\x00",
    b"\x0f\x1f\x00",
    b"\x66\x90",
)
_ENTER: Final = b"\x55\x48\x89\xe5"  # push rbp; mov rbp, rsp
_SMALL_FRAME, _LARGE_FRAME = b"\x48\x83\xec", b"\x48\x81\xec"  # sub rsp, imm8 / imm32


class CallMarks:
    """The calls in a unit's code; `marks` has the places of the no-ops, in order, and their numbers."""

    def __init__(self, text: bytes, entries: dict[str, int], marks: list[tuple[int, int]]) -> None:
        self._text = text
        self._starts = sorted(entries.values())
        self._places = [place for place, _ in marks]
        self._numbers = [number for _, number in marks]

    def call(self, offset: int) -> tuple[int, tuple[int, ...]] | None:
        # What begins where the call returns to comes after it.
        number = bisect_left(self._starts, offset) - 1
        if number < 0:
            return None
        start = self._starts[number]
        size = _frame_size(self._text, start)
        if size is None:
            return None
        mark = bisect_left(self._places, offset) - 1
        if mark < 0 or self._places[mark] < start:
            return size, ()
        return size, (self._numbers[mark],)


def _frame_size(text: bytes, start: int) -> int | None:
    """Return how far below the return address a function keeps the stack pointer."""
    if not text.startswith(_ENTER, start):
        return None
    at = start + len(_ENTER)
    if text.startswith(_SMALL_FRAME, at):
        return 8 + text[at + 3]
    if text.startswith(_LARGE_FRAME, at):
        return 8 + int.from_bytes(text[at + 3 : at + 7], "little")
    return 8


def take_marks(text: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    """Return code whose marks are no-ops, and where they are with their numbers."""
    code = bytearray(text)
    marks = []
    at = text.find(_CELL)
    while at >= 0:
        end = at + 8
        start = at - 2
        if text[start] == _STORE and text[at - 1] in _PLAIN_BASES:
            found = True
        else:
            start = at - 3
            found = text[start:at] == _INDEXED_BASE
        if found:
            number = text[at + 4 : end]
            code[start:end] = _no_op(number, end - start, after_rex=text[start - 1] == _REX_B)
            marks.append((start, int.from_bytes(number, "little")))
        at = text.find(_CELL, end if found else at + 1)
    return bytes(code), marks


def _no_op(number: bytes, size: int, *, after_rex: bool) -> bytes:
    """Return no-ops of `size` bytes, 10 or 11; a prefix `REX` in front of them belongs to the first."""
    if size == 10 and not after_rex:
        return _NOP_10 + number
    return _NOP_8 + number + (_NOP_2 if size == 10 else _NOP_3)
