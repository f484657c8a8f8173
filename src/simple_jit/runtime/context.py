"""The context block: the one thing that all compiled code of an engine is given.

`mir.abi` lays it out. The Python side owns it: it hands out slots of the code table, imports, text
constants and globals, and numbers the places in source that errors are reported at. A `Context` is
the `tiers.contract.Link` that back ends ask.
"""

from __future__ import annotations

from _thread import get_ident
from mmap import mmap

from simple_jit.mir import abi
from simple_jit.mir.nodes import Site
from simple_jit.runtime.memory import I64, U64, address_of, fill_bytes, store_words
from simple_jit.runtime.type_numbers import TypeNumbers
from simple_jit.tiers.contract import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from simple_jit.mir.nodes import MirType

    Types = tuple[MirType, ...]

_PROT_READ_WRITE = 3
_MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x4022
_reserved: dict[int, mmap] = {}


def reserve(size: int) -> int | None:
    """Reserve `size` bytes of zeroed memory, committed page by page on first use.

    Returns:
        The address, or None where the system refuses (an address-space limit).
    """
    try:
        region = mmap(-1, size, _MAP_PRIVATE_ANONYMOUS_NORESERVE, _PROT_READ_WRITE)
    except (OSError, OverflowError):
        return None
    address = address_of(region)
    _reserved[address] = region
    return address


def release(address: int, size: int) -> None:
    """Give back what `reserve` gave."""
    _reserved.pop(address).close()


def discard(region: int, address: int, size: int) -> None:
    """Give pages of what `reserve` gave back to the system; they are zero when they are next used."""
    from mmap import MADV_DONTNEED

    _reserved[region].madvise(MADV_DONTNEED, address - region, size)


class ContextFull(BackendError):
    """A table of the context has no free slot left; the message names it and its size."""


class SlotTable:
    """One table of 8-byte cells in the context; a key gets a free cell, once.

    `offsets` tells where it is.
    """

    __slots__ = ("_capacity", "_free", "_offset", "_released", "_what", "offsets")

    def __init__(self, what: str, offset: int, capacity: int) -> None:
        self._what = what
        self._offset = offset
        self._capacity = capacity
        self._free = 0
        self._released: list[int] = []
        self.offsets: dict[str, int] = {}

    def add(self, key: str) -> int:
        """Give `key` a cell of its own and return its offset in the context."""
        if self._released:
            offset = self._released.pop()
        elif self._free < self._capacity:
            offset = self._offset + 8 * self._free
            self._free += 1
        else:
            raise ContextFull(f"too many {self._what}: there is room for {self._capacity}")
        self.offsets[key] = offset
        return offset

    def take(self, key: str, offset: int) -> None:
        """Give `key` a certain cell that is free."""
        if self.offsets.get(key) != offset:
            self._released.remove(offset)
            self.offsets[key] = offset

    def forget(self) -> list[int]:
        """Take the cells from all keys, and return them: others will get them."""
        gone = list(self.offsets.values())
        self.offsets.clear()
        self._released += gone
        return gone


class Context:
    """A context block and the tables of what is in it.

    `new_code_slot` and `new_import_slot` are called with (symbol, offset) to fill a slot that was
    just made; `make_text` returns the address of a text constant (the heap sets it), `make_extern` that of
    a C function that calls one in Python (the crossing sets it). `pending` is the
    Python exception under way while `FAILED` or an error of kind `Recorded` stands for it; `explain` returns
    the error of the program that a Python exception means. `frames_of` and `settle` are those of the
    engine's `Tracebacks`; `waiting` has the native parts of the way of an error that C is to return with.
    """

    __slots__ = (
        "_code",
        "_imports",
        "_site_numbers",
        "_sites",
        "_texts",
        "_thread",
        "address",
        "explain",
        "frames_of",
        "make_extern",
        "make_text",
        "new_code_slot",
        "new_import_slot",
        "on_forget",
        "pending",
        "settle",
        "waiting",
        "types",
    )

    def __init__(self) -> None:
        address = reserve(abi.CONTEXT_SIZE)
        if address is None:
            raise MemoryError("cannot reserve memory for the context")
        self.address = address
        self._thread = 0
        self.use_this_thread()
        self.pending: BaseException | None = None
        self.on_forget: list[Callable[[], None]] = []
        self.explain: Callable[[BaseException], BaseException] = _as_it_is
        self.waiting: list[Any] = []
        self.frames_of: Callable[[BaseException], list[Any]] = _no_calls
        self.settle: Callable[[BaseException], list[Any]] = _no_calls
        self.new_code_slot: Callable[[str, int], None] = _leave_empty
        self.new_import_slot: Callable[[str, int], None] = _leave_empty
        self.make_text: Callable[[str], int] = _no_heap
        self.make_extern: Callable[[Callable[..., Any], Types, Types], int] = _no_native_code
        self._code = SlotTable("function instances", abi.CODE, abi.CODE_COUNT)
        self._imports = SlotTable("extern functions", abi.IMPORTS, abi.IMPORTS_COUNT)
        self._texts = SlotTable("text constants", abi.TEXTS, abi.TEXTS_COUNT)
        self.types = TypeNumbers()
        self._sites: list[Site | None] = [None]
        self._site_numbers: dict[tuple[object, ...], int] = {}

    def close(self) -> None:
        """Unmap the block. Nothing may use the context, or code made for it, afterwards."""
        if self.address:
            release(self.address, abi.CONTEXT_SIZE)
            self.address = 0

    def use_this_thread(self) -> None:
        """Note that the calling thread runs the program from now on."""
        thread = get_ident()
        if thread != self._thread:
            self._thread = thread
            self.store(abi.OWNER, thread)

    @property
    def context_address(self) -> int:
        return self.address

    def load(self, offset: int) -> int:
        """Return the i64 at `offset`."""
        value: int = I64[(self.address + offset) >> 3]
        return value

    def store(self, offset: int, value: int) -> None:
        """Store a signed or unsigned 64-bit value at `offset`."""
        U64[(self.address + offset) >> 3] = value & 0xFFFF_FFFF_FFFF_FFFF

    def code_offset(self, symbol: str) -> int:
        found = self._code.offsets.get(symbol)
        if found is None:
            found = self._code.add(symbol)
            self.new_code_slot(symbol, found)
        return found

    def new_code_offset(self) -> int:
        """Return the offset of a slot of the code table that stands for no instance, for ever."""
        offset = self._code.add("")
        del self._code.offsets[""]
        return offset

    def code_slots(self) -> list[tuple[str, int]]:
        """Return the instances that have a slot in the code table, with its offset."""
        return list(self._code.offsets.items())

    def forget_program(self) -> None:
        """Empty the tables for another program. Code that uses them must not run any more."""
        self._tell_forgotten()
        for table in (self._code, self._texts):
            for offset in table.forget():
                self.store(offset, 0)
        fill_bytes(self.address + abi.GLOBALS, 0, 8 * abi.GLOBALS_COUNT)
        self.store(abi.ERROR_SITE, 0)
        self._sites = [None]
        self._site_numbers.clear()
        self.types.retire()

    def _tell_forgotten(self) -> None:
        for forget in self.on_forget:
            forget()

    def begin_program(self) -> None:
        """Give the instances of another program cells of their own; those in use stay as they are."""
        self._tell_forgotten()
        self._code.offsets.clear()

    def restore_code_slots(self, slots: list[tuple[str, int]]) -> None:
        """Give instances the slots that they had; those of the programs since were forgotten."""
        for symbol, offset in slots:
            self._code.take(symbol, offset)
        for symbol, offset in slots:
            self.new_code_slot(symbol, offset)

    def globals_in_use(self) -> list[int]:
        """Return the cells of module-level variables, up to the last that is not 0."""
        start = (self.address + abi.GLOBALS) >> 3
        cells: list[int] = I64[start : start + abi.GLOBALS_COUNT].tolist()
        while cells and not cells[-1]:
            cells.pop()
        return cells

    def set_globals(self, cells: list[int]) -> None:
        """Store what `globals_in_use` returned."""
        store_words(self.address + abi.GLOBALS, cells)

    def table_sizes(self) -> dict[str, int]:
        """Return how many entries each table has, by name."""
        return {
            "code slots": len(self._code.offsets),
            "imports": len(self._imports.offsets),
            "text constants": len(self._texts.offsets),
            "sites": len(self._sites),
            "type numbers": self.types.count,
        }

    def import_offset(self, symbol: str) -> int:
        found = self._imports.offsets.get(symbol)
        if found is None:
            found = self._imports.add(symbol)
            self.new_import_slot(symbol, found)
        return found

    def text_offset(self, value: str) -> int:
        found = self._texts.offsets.get(value)
        if found is None:
            address = self.make_text(value)
            found = self._texts.add(value)
            self.store(found, address)
        return found

    def site_number(self, site: Site) -> int:
        caller = 0 if site.caller is None else self.site_number(site.caller)
        key = site.file, site.line, site.column, site.symbol, caller
        found = self._site_numbers.get(key)
        if found is None:
            found = self._site_numbers[key] = len(self._sites)
            self._sites.append(site)
        return found

    def site(self, number: int) -> Site | None:
        """Return the site of a number; 0 stands for no site."""
        return self._sites[number] if 0 < number < len(self._sites) else None

    def type_id(self, name: str) -> int:
        return self.types.named(name)


def _leave_empty(symbol: str, offset: int) -> None:
    """Leave a new slot 0: there are no stubs yet."""


def _as_it_is(error: BaseException) -> BaseException:
    return error


def _no_native_code(callee: Callable[..., Any], params: Types, results: Types) -> int:
    raise AssertionError("the context has no native code yet")


def _no_calls(error: BaseException) -> list[Any]:
    return []


def _no_heap(value: str) -> int:
    raise AssertionError("the context has no heap yet")
