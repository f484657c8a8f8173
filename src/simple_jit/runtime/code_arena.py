"""Memory for machine code: one file in memory, mapped twice, once to write to and once to run from.

The whole range is reserved at the start and filled piece by piece; pages that were never written cost
nothing. A unit can be freed, and its place is used again.
"""

from __future__ import annotations

import ctypes
import os
import sys
from bisect import bisect_left, insort

from simple_jit.tiers.contract import BackendError, CallMap, CompiledCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_RESERVE: Final = 1 << 30
_LEAST_RESERVE: Final = 1 << 22
_ALIGNMENT: Final = 64
_READ, _WRITE, _EXECUTE = 1, 2, 4
_SHARED, _FIXED = 0x01, 0x10
_FAILED: Final = ctypes.c_void_p(-1).value

_libc = ctypes.CDLL(None, use_errno=True)
_mmap = _libc.mmap
_mmap.restype = ctypes.c_void_p
_mmap.argtypes = (
    ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int64,
)  # fmt: skip
_munmap = _libc.munmap
_munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)


class CodeMemoryError(BackendError):
    """No memory for machine code."""


class CodeArena:
    """Where compiled code lives. Not for use by two threads at a time.

    A forked child would share the memory with its parent; it gets a copy, at the same addresses.
    """

    __slots__ = ("_calls", "_end", "_free", "_reserved", "_run", "_sizes", "_write")

    def __init__(self, reserve: int = _RESERVE) -> None:
        self._end = 0
        self._free: list[tuple[int, int]] = []  # (offset, size), in order, never adjacent
        self._sizes: dict[int, int] = {}  # offset -> size of the units in use
        self._calls: dict[int, CallMap | None] = {}  # offset -> the calls in the unit there
        self._write, self._run, self._reserved = _map_some(reserve)
        _live[id(self)] = self

    @property
    def used(self) -> int:
        """Bytes in units that are not freed."""
        return sum(self._sizes.values())

    def add(self, code: CompiledCode) -> int:
        """Copy `code` in and return the address from which it runs."""
        text = code.text
        size = max(-(-len(text) // _ALIGNMENT), 1) * _ALIGNMENT
        offset = self._take(size)
        self._sizes[offset] = size
        self._calls[offset] = code.calls
        ctypes.memmove(self._write + offset, text, len(text))
        # x86-64 keeps its instruction cache coherent. A port to aarch64 has to clean the data cache
        # and invalidate the instruction cache for this range here (`__clear_cache`).
        return self._run + offset

    def call_at(self, address: int) -> tuple[int, tuple[int, ...]] | None:
        """Look up the call that returns to `address` (`contract.CallMap.call`); None where none is known."""
        if not 0 < address - self._run <= self._end:
            return None
        offsets = sorted(self._calls)
        # A call that does not return may be the last of a unit: then the next begins there.
        number = bisect_left(offsets, address - self._run) - 1
        calls = self._calls[offsets[number]] if number >= 0 else None
        return calls.call(address - self._run - offsets[number]) if calls is not None else None

    def free(self, address: int) -> None:
        """Give back the unit that `add` returned `address` for. Nothing may run or call it any more."""
        offset = address - self._run
        size = self._sizes.pop(offset)
        del self._calls[offset]
        insort(self._free, (offset, size))
        self._merge_around(self._free.index((offset, size)))

    def close(self) -> None:
        """Give everything back. Nothing in it may run any more."""
        for address in (self._write, self._run):
            _munmap(address, self._reserved)
        _live.pop(id(self), None)
        self._reserved = self._end = 0
        self._free.clear()
        self._sizes.clear()
        self._calls.clear()

    def _take(self, size: int) -> int:
        for index, (offset, room) in enumerate(self._free):
            if room >= size:
                if room == size:
                    del self._free[index]
                else:
                    self._free[index] = (offset + size, room - size)
                return offset
        if self._end + size > self._reserved:
            raise CodeMemoryError(f"the {self._reserved >> 20} MiB for machine code are full")
        offset = self._end
        self._end += size
        return offset

    def _merge_around(self, index: int) -> None:
        free = self._free
        for left in (index, index - 1):
            if left >= 0 and left + 1 < len(free) and sum(free[left]) == free[left + 1][0]:
                free[left : left + 2] = [(free[left][0], free[left][1] + free[left + 1][1])]

    def copy_in_child(self) -> None:
        """Give a forked child memory of its own, with the same contents at the same addresses."""
        contents = ctypes.string_at(self._run, self._end)
        file = _memory_file(self._reserved)
        try:
            _map(file, self._reserved, _READ | _WRITE, self._write)
            ctypes.memmove(self._write, contents, len(contents))
            _map(file, self._reserved, _READ | _EXECUTE, self._run)
        finally:
            os.close(file)


def _map_some(reserve: int) -> tuple[int, int, int]:
    """Map as much as can be had, at most `reserve` bytes: to write to, to run from, how much."""
    while True:
        file = _memory_file(reserve)
        write = 0
        try:
            write = _map(file, reserve, _READ | _WRITE)
            return write, _map(file, reserve, _READ | _EXECUTE), reserve
        except CodeMemoryError:
            if write:
                _munmap(write, reserve)
            reserve //= 4  # others need some of what is left
            if reserve < _LEAST_RESERVE:
                raise
        finally:
            os.close(file)


def _memory_file(size: int) -> int:
    if sys.platform == "linux":
        file = os.memfd_create("simple-jit-code", os.MFD_CLOEXEC)
    else:
        # macOS maps such a file to run from only where the process may (no hardened runtime).
        import tempfile

        file, path = tempfile.mkstemp(prefix="simple-jit-code")
        os.unlink(path)
    os.ftruncate(file, size)
    return file


def _map(file: int, size: int, access: int, address: int | None = None) -> int:
    flags = _SHARED if address is None else _SHARED | _FIXED
    result = _mmap(address, size, access, flags, file, 0)
    if result is None or result == _FAILED:
        reason = os.strerror(ctypes.get_errno())
        raise CodeMemoryError(f"cannot map {size >> 20} MiB for machine code: {reason}")
    return int(result)


_live: dict[int, CodeArena] = {}
"""The arenas that are not closed."""


def _copy_in_child() -> None:
    for arena in _live.values():
        arena.copy_in_child()


os.register_at_fork(after_in_child=_copy_in_child)
