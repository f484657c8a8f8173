"""When to collect, and from where: the policy and the roots of the collector.

What marks and what finds gaps is `lib/core/gc.spl`. It works on a block of cells and on tables that are
made here, outside of the heap. The engine compiles it when the first 32 MB are used up; a program that
allocates less never meets it.

Roots are found

    exactly           constants, handles (`Heap.pin`), globals, cells of the context (not BUFFER: what is in
                      it lies elsewhere too, and stays there when it is no longer needed)
    in Python frames  every integer, in lists and tuples too, that is an address in the heap as it is or
                      shifted left by up to three bits (the interpreter indexes views by shifted addresses)
    conservatively    the native stack from the innermost landing place on, where the registers lie too

The interpreter keeps no reference on Python's value stack while something is called that may collect
(`tiers/interpreter/temporaries.py`). Allocation by Python code, `Heap.allocate`, never collects.

SIMPLE_GC_STRESS=n collects at every n-th allocation (less often where that takes more than a
millisecond) and overwrites what is free; SIMPLE_GC_LOG=1 writes
a line on each collection to standard error.
"""

from __future__ import annotations

import os
import sys

from simple_jit.mir import abi
from simple_jit.runtime.context import Context, release, reserve
from simple_jit.runtime.errors import SimpleError
from simple_jit.runtime.faults import wanted_faults
from simple_jit.runtime.memory import I64, fill_bytes, read_bytes, store_words
from simple_jit.runtime.type_table import TYPES, TypeTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType
    from typing import Any, Final

    from simple_jit.runtime.heap import Heap

    Functions = dict[str, Callable[..., int]]

FIRST_BUDGET: Final = 32 << 20
"""Bytes a program allocates before the first collection; later as many as there were reached, if more."""
LARGE: Final = 32 << 10
CHUNK: Final = 256 << 10
RESERVE: Final = 64 << 10
"""Bytes kept back until there is no other memory: the error itself takes some where it is caught."""
RETIRED_TYPES: Final = 256
"""So many types of programs that are gone are worth a look at the whole heap after a collection."""
MANY_RETIRED_TYPES: Final = 4096
"""So many are worth a collection."""
LEAST_RETURNED: Final = 64 << 10
"""Gaps of that size may be given back to the system."""
_SPANS: Final = 16 << 20
_RANGES: Final = 1 << 12
_POISON: Final = 0xDB
_PYTHON_FRAMES: Final = 2_000
"""Python frames that the collector itself may need on top of the program's."""

# The cells of the block, as `lib/core/gc.spl` has them.
(
    _BASE, _TOP, _LIMIT, _STARTS, _MARKS, _STACK, _STACK_TOP, _STACK_END, _OVERFLOW, _TYPE_TABLE,
    _TYPE_COUNT, _SPAN_TABLE, _SPANS_TOP, _SPANS_END, _SPAN, _SWEPT, _SWEPT_LARGE, _OLD_TOP, _ALLOCATED,
    _BUDGET, _LIVE, _LARGEST, _LARGE, _CHUNK,
) = range(24)  # fmt: skip
_BLOCK: Final = 1 << 12
FUNCTIONS: Final = {"collect": 3, "refill": 2, "walk_spans": 1, "free_ranges": 5, "note_types": 1}
"""What the rest calls of `lib/core/gc.spl`, with the number of parameters, all integers like the result."""


class Statistics:
    """What the collections of one heap did so far."""

    __slots__ = ("collections", "freed", "live", "longest", "seconds")

    def __init__(self) -> None:
        self.collections = 0
        self.live = 0
        self.freed = 0
        self.seconds = 0.0
        self.longest = 0.0


class Collector:
    """The collector of one heap.

    `load`, given the address of the block of cells, returns the functions of `lib/core/gc.spl` by name, and
    whether they run as native code. A lack of memory for tables, or a heap that makes no sense, turns the
    collector off: then memory is handed out while there is some.
    """

    def __init__(
        self, heap: Heap, context: Context, load: Callable[[int], tuple[Functions, bool] | None] | None
    ) -> None:
        self._heap = heap
        self._context = context
        self._load = load
        self._functions: Functions | None = None
        self._native = False
        self._off = False
        self._busy = False
        self._full = False
        self._reserved: list[tuple[int, int]] = []
        self._block = 0
        self._types = TypeTable(context.types)
        self._ranges = 0
        self._stack_tops: dict[int, int] = {}
        self._log = os.environ.get("SIMPLE_GC_LOG", "") not in ("", "0")
        self.stress = _stress()
        self._until_stress = self.stress
        self.usable = (heap.limit - min(RESERVE, heap.limit >> 3)) // 16 * 16
        self.faults = wanted_faults()
        self.is_asked_always = bool(self.stress or self.faults)
        self.statistics = Statistics()
        self.after_collection: list[Callable[[Callable[[int], bool]], None]] = []
        """Called with what tells of an address whether the object at it was reached."""

    # --- Allocation -------------------------------------------------------------------------------

    def refill(self, size: int) -> int:
        """Return zeroed memory for an object; may collect first.

        Raises:
            SimpleError: `OutOfMemory`.
        """
        size = self._rounded(size)
        self._may_fail()
        if self._busy or not self._is_ready():
            return self._extend(size)
        cause = self._due(size)
        if cause:
            self.collect(cause)
        found = self._take(size)
        if not found and not cause:
            self.collect("no room")
            found = self._take(size)
        return found or self._fail()

    def grow(self, size: int) -> int:
        """Return zeroed memory for an object without a collection.

        Raises:
            SimpleError: `OutOfMemory`.
        """
        size = self._rounded(size)
        self._may_fail()
        if self._functions is None or self._off:
            return self._extend(size)
        budget = self._get(_BUDGET)
        self._set(_BUDGET, 1 << 62)
        try:
            found = self._take(size)
        finally:
            self._set(_BUDGET, budget)
        return found or self._fail()

    def _may_fail(self) -> None:
        if self.faults is not None and not self._busy and self.faults.strikes():
            raise SimpleError("OutOfMemory", "out of memory (on purpose)")

    def _due(self, size: int) -> str:
        if self.stress:
            self._until_stress -= 1
            if self._until_stress <= 0:
                return "stress"
        if self._full:
            return "no room"
        return "budget" if self._get(_ALLOCATED) + size > self._get(_BUDGET) else ""

    def _is_tight(self) -> bool:
        """Is there so little room that what cannot collect may find none, and something to collect?"""
        limit, allocated = self._heap.limit, self._get(_ALLOCATED)
        if limit - self._get(_LIVE) - allocated > limit >> 3:
            return False
        return allocated > self._get(_BUDGET) >> 2

    def _rounded(self, size: int) -> int:
        if size < 0 or size > self._heap.limit:
            self._fail()
        return max((size + 15) & -16, 16)

    def _keep_reserve(self, live: int) -> None:
        """Keep memory back for what catches an error, once more than that is free."""
        usable = self.usable
        if live <= 2 * usable - self._heap.limit:
            self._set(_LIMIT, self._heap.base + usable)

    def _fail(self) -> int:
        self._full = True
        if self._functions is not None:
            self._set(_LIMIT, self._heap.base + self._heap.limit)
        message = "out of memory"
        if self._heap.is_reduced:
            message += f": the system grants a heap of {self._heap.limit >> 20} MB (see `ulimit -v`)"
        raise SimpleError("OutOfMemory", message)

    def _extend(self, size: int) -> int:
        """Take memory behind the first span, before there is a collector."""
        heap = self._heap
        start = self._context.load(abi.HEAP_NEXT)
        if self._functions is not None:  # the collector was turned off: the span is not the last one
            end = self._context.load(abi.HEAP_END)
            if start + size > end:
                start = self._get(_TOP)
            self._set(_TOP, max(self._get(_TOP), start + size))
        after = start + size
        limit = heap.base + heap.limit
        if after > limit:
            self._fail()
        room = after if self.is_asked_always else min(after + CHUNK, limit)
        end = max(self._context.load(abi.HEAP_END), room)
        if self._functions is not None:
            self._set(_TOP, max(self._get(_TOP), end))
        self._context.store(abi.HEAP_NEXT, after)
        self._context.store(abi.HEAP_END, end)
        return start

    def _take(self, size: int) -> int:
        """Return memory from a gap or behind the top; 0 where there is none."""
        assert self._functions is not None
        if self._off:
            return self._extend(size)
        self._add_types()
        refill = self._functions["refill"]
        found = refill(self._block, size)
        if not found and self._get(_SPANS_TOP) >= self._get(_SPANS_END):
            if not self._functions["walk_spans"](self._block):
                self._turn_off("an object that nobody knows")
                return self._extend(size)
            found = refill(self._block, size)
        return found

    # --- Collecting -------------------------------------------------------------------------------

    def collect(self, cause: str) -> bool:
        """Find out what is still needed; False where there is no collector."""
        if self._busy or not self._is_ready():
            return False
        assert self._functions is not None
        self._busy = True
        self._full = False
        limit = sys.getrecursionlimit()
        try:
            from time import perf_counter

            sys.setrecursionlimit(limit + _PYTHON_FRAMES)
            started = perf_counter()
            self._add_types()
            used = self._get(_LIVE) + self._get(_ALLOCATED)
            count = self._find_roots()
            live = self._functions["collect"](self._block, self._ranges, count)
            if live < 0:
                self._turn_off("an object that nobody knows")
                return False
            self._set_budget(live)
            self._keep_reserve(live)
            for tell in self.after_collection:
                tell(self._is_object)
            self._release_types()
            if self.stress:
                self._poison()
                # A deep stack would take for ever to search at each allocation.
                milliseconds = int((perf_counter() - started) * 1000)
                self._until_stress = self.stress * (1 + milliseconds * milliseconds)
            else:
                self._give_back(live)
            self._note(cause, used, live, perf_counter() - started)
        except MemoryError:
            self._turn_off("no memory for roots")
            return False
        finally:
            self._busy = False
            sys.setrecursionlimit(limit)
        return True

    def collect_if_due(self) -> None:
        """Collect before something that allocates without collecting, where it is time."""
        if self._functions is not None:
            cause = self._due(0) or ("no room" if self._is_tight() else "")
        else:
            first = min(FIRST_BUDGET, self._heap.limit - (self._heap.limit >> 3))
            cause = "budget" if self.used() >= first or self.stress else ""
        if cause:
            self.collect(cause)

    def _is_object(self, address: int) -> bool:
        """Is there an object at `address`, as far as the last collection knows?"""
        offset = address - self._heap.base
        word: int = I64[(self._get(_STARTS) >> 3) + (offset >> 10)]
        return word >> (offset >> 4 & 63) & 1 != 0

    def collect_types(self) -> None:
        """Collect where many types are waiting for that since their programs are gone."""
        if self._context.types.retired >= MANY_RETIRED_TYPES:
            self.collect("types")

    def _set_budget(self, live: int) -> None:
        self._set(_BUDGET, max(min(FIRST_BUDGET, self._heap.limit // 4), live))

    def _note(self, cause: str, used: int, live: int, seconds: float) -> None:
        about = self.statistics
        freed = max(used - live, 0)
        about.collections += 1
        about.live = live
        about.freed += freed
        about.seconds += seconds
        about.longest = max(about.longest, seconds)
        if self._log:
            sys.stderr.write(
                f"gc {about.collections}: {cause}, {live} bytes live, {freed} freed, "
                f"{seconds * 1000:.2f} ms\n"
            )

    def _turn_off(self, why: str) -> None:
        self._off = True
        if self._block:
            self._set(_BUDGET, 0)  # so that native code asks Python
        if self._log:
            sys.stderr.write(f"gc: turned off ({why})\n")

    # --- Roots ------------------------------------------------------------------------------------

    def _find_roots(self) -> int:
        """Write the ranges of words to look at; returns how many."""
        context, heap = self._context, self._heap
        ranges = [
            (context.address + abi.ERROR_A, context.address + abi.ERROR_B),
            (context.address + abi.ARGS, context.address + abi.ARGS + 8),
            (context.address + abi.SAVED_ERROR + 16, context.address + abi.SAVED_ERROR + 32),
            (context.address + abi.RETURNS, context.address + abi.RETURNS + 8 * abi.RETURNS_COUNT),
            _used_cells(context.address + abi.GLOBALS, abi.GLOBALS_COUNT),
        ]
        words = self._words([*heap.pinned(), *self._frame_words()])
        ranges.append(words)
        if self._native:
            ranges.append((0, self._stack_top()))
        at = self._ranges >> 3
        for start, end in ranges:
            I64[at], I64[at + 1] = start, end
            at += 2
        return len(ranges)

    def _words(self, words: list[int]) -> tuple[int, int]:
        """Put words where they can be read; the room grows with them."""
        size = 8 * len(words)
        if size > self._room[1]:
            if self._room[1]:
                release(*self._room)
                self._room = (0, 0)
            size = max(2 * size, 1 << 16)
            address = reserve(size)
            if address is None:
                raise MemoryError
            self._room = address, size
        start = self._room[0]
        store_words(start, words)
        return start, start + 8 * len(words)

    _room: tuple[int, int] = (0, 0)

    def _frame_words(self) -> list[int]:
        """Return what may be an address in the Python frames of this thread."""
        low, high = self._heap.base, self._get(_TOP)
        found: set[int] = set()
        frame: FrameType | None = sys._getframe(1)
        seen: set[int] = set()
        while frame is not None:
            _note_addresses(frame.f_locals.values(), low, high, found, seen)
            frame = frame.f_back
        return list(found)

    def _stack_top(self) -> int:
        """Return where the stack of this thread begins, its highest address."""
        from _thread import get_ident

        from simple_jit.runtime.stack import stack_top

        thread = get_ident()
        found = self._stack_tops.get(thread)
        if found is None:
            found = self._stack_tops[thread] = stack_top()
        return found

    # --- Free memory ------------------------------------------------------------------------------

    def _free_ranges(self, keep: int, least: int) -> list[tuple[int, int]]:
        assert self._functions is not None
        room = 1 << 12
        result = reserve(16 * room)
        if result is None:
            return []
        count = self._functions["free_ranges"](self._block, keep, least, result, room)
        at = result >> 3
        pairs = [(I64[at + 2 * i], I64[at + 2 * i + 1]) for i in range(count)]
        release(result, 16 * room)
        return pairs

    def _give_back(self, live: int) -> None:
        """Give back memory that will not be needed before the next collection."""
        keep = self._get(_BUDGET)
        if self._get(_TOP) - self._heap.base - live < keep + (keep >> 1):
            return
        for start, size in self._free_ranges(keep, LEAST_RETURNED):
            first, last = -(-start // 4096) * 4096, (start + size) // 4096 * 4096
            if last > first:
                self._heap.give_back(first, last - first)

    def _poison(self) -> None:
        for start, size in self._free_ranges(0, 16):
            fill_bytes(start, _POISON, size)

    def used(self) -> int:
        """Return the bytes that objects take, those not needed any longer included."""
        if self._functions is None:
            return self._context.load(abi.HEAP_NEXT) - self._heap.base
        room = self._context.load(abi.HEAP_END) - self._context.load(abi.HEAP_NEXT)
        return self._get(_LIVE) + self._get(_ALLOCATED) - room

    # --- Setting up -------------------------------------------------------------------------------

    def _get(self, cell: int) -> int:
        value: int = I64[(self._block >> 3) + cell]
        return value

    def _set(self, cell: int, value: int) -> None:
        I64[(self._block >> 3) + cell] = value

    def _is_ready(self) -> bool:
        """Make the collector, unless that was done or tried before."""
        if self._functions is not None or self._off:
            return not self._off
        if self._load is None:
            self._off = True
            return False
        self._busy = True
        try:
            self._reserve_tables()
            loaded = self._load(self._block)
            if loaded is None:
                self._turn_off("its code cannot be made")
                return False
        except MemoryError:
            self._turn_off("no memory for its tables")
            return False
        finally:
            self._busy = False
        self._start()
        self._functions, self._native = loaded
        return True

    def _new_table(self, size: int) -> int:
        address = reserve(size)
        if address is None:
            raise MemoryError
        self._reserved.append((address, size))
        return address

    def _reserve_tables(self) -> None:
        limit = self._heap.limit
        self._block = self._new_table(_BLOCK)
        bitmap = (limit >> 7) + 4096
        stack = (limit >> 3) + 4096
        cells = {_STARTS: bitmap, _MARKS: bitmap, _STACK: stack, _SPAN_TABLE: _SPANS, _TYPE_TABLE: TYPES}
        for cell, size in cells.items():
            self._set(cell, self._new_table(size))
        self._types.start(self._get(_TYPE_TABLE))
        self._set(_STACK_END, self._get(_STACK) + stack)
        self._set(_SPANS_END, self._get(_SPAN_TABLE) + _SPANS - 4096)
        self._ranges = self._new_table(_RANGES)

    def _start(self) -> None:
        """Begin with all that was allocated so far as one span."""
        base = self._heap.base
        self._set(_BASE, base)
        self._set(_TOP, self._context.load(abi.HEAP_END))
        self._keep_reserve(0)
        self._set(_SPANS_TOP, self._get(_SPAN_TABLE))
        self._set(_SPAN, base)
        for cell in (_SWEPT, _SWEPT_LARGE, _OLD_TOP):
            self._set(cell, base)
        self._set(_ALLOCATED, self._context.load(abi.HEAP_NEXT) - base)
        self._set(_LARGE, LARGE)
        self._set(_CHUNK, 16 if self.is_asked_always else CHUNK)
        self._set_budget(0)

    def _add_types(self) -> None:
        """Describe the types that came up since the last call."""
        if self._context.types.unread:
            self._set(_TYPE_COUNT, self._types.update())

    def _release_types(self) -> None:
        """Let the numbers of types of programs that are gone be used again, now and then."""
        assert self._functions is not None
        types = self._context.types
        if types.retired < RETIRED_TYPES:
            return
        self._functions["note_types"](self._block)
        types.release(self._types.take_noted())

    def close(self) -> None:
        """Give back the tables."""
        for address, size in self._reserved:
            release(address, size)
        self._reserved.clear()
        if self._room[1]:
            release(*self._room)
            self._room = (0, 0)


def _stress() -> int:
    setting = os.environ.get("SIMPLE_GC_STRESS", "").strip()
    return int(setting) if setting.isascii() and setting.isdigit() else 0


def _used_cells(start: int, count: int) -> tuple[int, int]:
    """Return where a table of cells starts, and where those end that are not 0."""
    used = len(read_bytes(start, 8 * count).rstrip(b"\0"))
    return start, start + (used + 7 & -8)


def _note_addresses(
    values: Iterable[object], low: int, high: int, found: set[int], seen: set[int]
) -> None:
    """Add to `found` the integers among `values`, and in lists and tuples, that may be addresses."""
    for value in values:
        kind = type(value)
        if kind is int:
            number: Any = value
            if low >> 3 <= number <= high:
                while number < low:
                    number <<= 1
                if number <= high:
                    found.add(number)
        elif kind is list or kind is tuple or kind is dict:
            if id(value) not in seen:
                seen.add(id(value))
                parts: Any = value.values() if kind is dict else value  # type: ignore[attr-defined]
                _note_addresses(parts, low, high, found, seen)
