"""From an ELF object file to one position-independent piece of machine code.

Both back ends emit a relocatable object. Its code and read-only data are laid out one after the other,
and what they say of one another is filled in. Nothing else may be left open: code finds the rest
of the process through the context (see `mir.abi`).

    .text  [..... call ? .. lea ?(%rip) ...]      [..... call f .. lea k(%rip) ... | k: 3.14 ...]
    .rodata.cst8  [k: 3.14]                   ->    one blob, entries {f: 0}
"""

from __future__ import annotations

from struct import Struct

from simple_jit.tiers.contract import BackendError, CompiledCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Final, TypeAlias

    Patch: TypeAlias = Callable[[bytearray, int, int, int], None]
    """Fill in the reference at an offset of the blob: (blob, offset, target, addend)."""

_SECTION: Final = Struct("<IIQQQQIIQQ")  # name type flags address offset size link info align entry-size
_SYMBOL: Final = Struct("<IBBHQQ")  # name info other section value size
_RELOCATION: Final = Struct("<QQq")  # offset info addend
_INT32: Final = Struct("<i")
_INT64: Final = Struct("<q")
_UINT64: Final = Struct("<Q")

_PROGBITS, _SYMTAB, _RELA, _NOBITS = 1, 2, 4, 8
_ALLOC: Final = 2
_CODE: Final = 4
_EXCLUDE: Final = 0x80000000
_FLAGS_OFFSET: Final = 8
_FUNCTION: Final = 2
_LOCAL: Final = 0
_RELOCATABLE: Final = 1
_MAX_ALIGNMENT: Final = 64
_UNWIND: Final = b".eh_frame"
_STACK_MAPS: Final = b".llvm_stackmaps"


def link_object(data: bytes) -> CompiledCode:
    """Turn an object file into code that can be copied anywhere.

    Raises:
        BackendError: the object needs something that is not in it, or is of a kind not known here.
    """
    return link_objects((data,))


def link_objects(objects: Iterable[bytes], stack_maps: list[bytes] | None = None) -> CompiledCode:
    """Turn object files that may refer to each other into one piece of code.

    The stack maps of LLVM that are in them are added to `stack_maps`; they name functions by their offset.

    Raises:
        BackendError: as for `link_object`; what is in none of the objects is missing.
    """
    blob = bytearray()
    entries: dict[str, int] = {}
    linkers = [_Linker(data, _patches(data), blob, entries) for data in objects]
    for linker in linkers:
        linker.lay_out()
    for linker in linkers:
        linker.relocate()
        if stack_maps is not None:
            stack_maps += linker.stack_maps()
    return CompiledCode(bytes(blob), entries)


def read_stack_maps(data: bytes, symbol: str) -> tuple[int, list[bytes]]:
    """Return where `symbol` lies in the one section of code of an object, and the stack maps of LLVM.

    They name functions by their offset in that section.

    Raises:
        BackendError: the object is of a kind not known here, or has several such sections.
    """
    linker = _Linker(data, _patches(data), bytearray(), {})
    return linker.offset_in_code(symbol), linker.stack_maps()


def without_stack_maps(data: bytes) -> bytes:
    """Return an object whose stack maps linkers leave out."""
    linker = _Linker(data, _patches(data), bytearray(), {})
    return linker.marked_excluded(_STACK_MAPS)


def _patches(data: bytes) -> dict[int, Patch]:
    if data[:6] != b"\x7fELF\x02\x01":
        raise BackendError("not a 64-bit little-endian ELF object")
    kind, machine = int.from_bytes(data[16:18], "little"), int.from_bytes(data[18:20], "little")
    patches = _PATCHES.get(machine)
    if kind != _RELOCATABLE or patches is None:
        raise BackendError(f"not a relocatable object for a known machine ({machine})")
    return patches


class _Linker:
    """Adds one object to `blob`, and its functions to `entries`; then fills in its references."""

    __slots__ = ("blob", "data", "entries", "patches", "places", "sections", "strings", "symbols")

    def __init__(
        self, data: bytes, patches: dict[int, Patch], blob: bytearray, entries: dict[str, int]
    ) -> None:
        self.data = data
        self.patches = patches
        self.sections = self._read_sections()
        self.symbols, self.strings = self._read_symbols()
        self.blob = blob
        self.entries = entries
        self.places: dict[int, int] = {}  # section number -> where it lies in the blob

    def lay_out(self) -> None:
        """Copy the sections to the end of the blob."""
        self._copy_sections()
        for symbol in self.symbols:
            if symbol[1] & 15 == _FUNCTION and symbol[1] >> 4 != _LOCAL and symbol[3] in self.places:
                self.entries[self._symbol_name(symbol)] = self.places[symbol[3]] + symbol[4]

    def relocate(self) -> None:
        """Fill in the references, once all objects are laid out."""
        for section in self.sections:
            if section[1] == _RELA and section[7] in self.places:
                self._relocate(section)

    def stack_maps(self) -> list[bytes]:
        """Return the stack maps, with the offsets of functions in the blob filled in."""
        found = []
        for number, section in enumerate(self.sections):
            if self._section_name(section) == _STACK_MAPS:
                offset, size = section[4:6]
                copy = bytearray(self.data[offset : offset + size])
                for relocations in self.sections:
                    if relocations[1] == _RELA and relocations[7] == number:
                        for where, info, addend in self._relocations(relocations):
                            _UINT64.pack_into(copy, where, self._address(self.symbols[info >> 32]) + addend)
                found.append(bytes(copy))
        return found

    def offset_in_code(self, symbol: str) -> int:
        """Return where a symbol lies in the one section of code, which then is the blob."""
        code = [n for n, section in enumerate(self.sections) if section[2] & _CODE and section[5]]
        if len(code) != 1:
            raise BackendError("the object has several sections of code")
        self.places[code[0]] = 0
        return next(found[4] for found in self.symbols if self._symbol_name(found) == symbol)

    def marked_excluded(self, name: bytes) -> bytes:
        """Return the object with the sections of a name marked as to be left out."""
        copy = bytearray(self.data)
        start = int.from_bytes(self.data[0x28:0x30], "little")
        for number, section in enumerate(self.sections):
            if self._section_name(section) == name:
                _UINT64.pack_into(copy, start + number * _SECTION.size + _FLAGS_OFFSET, _EXCLUDE)
        return bytes(copy)

    def _read_sections(self) -> list[tuple[int, ...]]:
        start = int.from_bytes(self.data[0x28:0x30], "little")
        count = int.from_bytes(self.data[0x3C:0x3E], "little")
        return list(_SECTION.iter_unpack(self.data[start : start + count * _SECTION.size]))

    def _read_symbols(self) -> tuple[list[tuple[int, ...]], int]:
        for section in self.sections:
            if section[1] == _SYMTAB:
                _, _, _, _, offset, size, link, *_ = section
                table = list(_SYMBOL.iter_unpack(self.data[offset : offset + size]))
                return table, self.sections[link][4]
        return [], 0

    def _string(self, offset: int) -> bytes:
        return self.data[offset : self.data.index(0, offset)]

    def _symbol_name(self, symbol: tuple[int, ...]) -> str:
        return self._string(self.strings + symbol[0]).decode()

    def _section_name(self, section: tuple[int, ...]) -> bytes:
        names = self.sections[int.from_bytes(self.data[0x3E:0x40], "little")][4]
        return self._string(names + section[0])

    def _copy_sections(self) -> None:
        blob, data = self.blob, self.data
        for number, section in enumerate(self.sections):
            _, kind, flags, _, offset, size, _, _, align, _ = section
            if not flags & _ALLOC or not size or self._section_name(section) in (_UNWIND, _STACK_MAPS):
                continue
            if kind == _NOBITS:
                raise BackendError("the object has writable data")
            if kind != _PROGBITS:
                continue
            if align > _MAX_ALIGNMENT:
                raise BackendError(f"the object asks for an alignment of {align} bytes")
            if align > 1:
                blob += bytes(-len(blob) % align)
            self.places[number] = len(blob)
            blob += data[offset : offset + size]

    def _relocate(self, section: tuple[int, ...]) -> None:
        base = self.places[section[7]]
        for where, info, addend in self._relocations(section):
            symbol = self.symbols[info >> 32]
            patch = self.patches.get(info & 0xFFFFFFFF)
            if patch is None:
                kind = info & 0xFFFFFFFF
                raise BackendError(f"compiled code has a relocation of the unknown kind {kind}")
            patch(self.blob, base + where, self._address(symbol), addend)

    def _relocations(self, section: tuple[int, ...]) -> Iterator[tuple[int, int, int]]:
        offset, size = section[4:6]
        return _RELOCATION.iter_unpack(self.data[offset : offset + size])

    def _address(self, symbol: tuple[int, ...]) -> int:
        """Return where a symbol is in the blob."""
        place = self.places.get(symbol[3])
        if place is not None:
            return place + symbol[4]
        name = self._symbol_name(symbol)
        entry = self.entries.get(name)
        if entry is None:
            raise BackendError(f"compiled code refers to the unknown symbol `{name}`")
        return entry


# --- x86-64 ---------------------------------------------------------------------------------------


def _relative_32(blob: bytearray, offset: int, target: int, addend: int) -> None:
    _INT32.pack_into(blob, offset, target + addend - offset)


def _relative_64(blob: bytearray, offset: int, target: int, addend: int) -> None:
    _INT64.pack_into(blob, offset, target + addend - offset)


def _through_table(blob: bytearray, offset: int, target: int, addend: int) -> None:
    """Replace a reference through a table of addresses by a direct one: there is no table."""
    opcode, mode = blob[offset - 2], blob[offset - 1]
    if opcode == 0x8B:  # mov f@GOT(%rip), %reg -> lea f(%rip), %reg
        blob[offset - 2] = 0x8D
    elif (opcode, mode) == (0xFF, 0x15):  # call *f@GOT(%rip) -> addr32 call f
        blob[offset - 2 : offset] = b"\x67\xe8"
    elif (opcode, mode) == (0xFF, 0x25):  # jmp *f@GOT(%rip) -> jmp f; nop
        blob[offset - 2] = 0xE9
        blob[offset + 3] = 0x90
        offset -= 1
        _INT32.pack_into(blob, offset, target - (offset + 4))
        return
    else:
        raise BackendError("compiled code uses a table of addresses in an unknown way")
    _relative_32(blob, offset, target, addend)


_PATCHES: Final[dict[int, dict[int, Patch]]] = {
    62: {  # EM_X86_64
        2: _relative_32,  # PC32
        4: _relative_32,  # PLT32
        9: _through_table,  # GOTPCREL
        24: _relative_64,  # PC64
        41: _through_table,  # GOTPCRELX
        42: _through_table,  # REX_GOTPCRELX
    },
}
