"""Which memory an access may touch: the aliasing rules of MIR (docs/mir.md states them for lowering).

An access belongs to one *cell class*, a number; accesses of different classes never touch the same
bytes while both bases are in use:

* A field: base `ref`, no index. What lies at a place of an object has one type as long as it lives, so
  fields at different words are different classes, and so are floats, references and others at one.
* A cell of the context: base assigned by `context`, no index; one class a word.
* Data (array elements, bytes): base `ptr`. Floats, references and everything else are three classes.

So a store of an element never changes the length or the data address of an array. An access that is
none of these may touch anything. Calls may change everything; `poll` changes nothing.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.mir.visit import DEFS, clobbers_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from simple_jit.mir.nodes import Function, Local, MirType
    from simple_jit.mir.visit import Loop

ANYTHING: Final = -1
_FLOATS: Final = -2
_REFERENCES: Final = -3
_OTHER_DATA: Final = -4
_CONTEXT: Final = 1 << 32
_FIELD_GROUPS: Final = 4  # of one word: it, less a class of data, is above 0


def context_locals(function: Function, once: set[Local]) -> set[Local]:
    """Return the locals that always hold the address of the context."""
    return {
        i.dst
        for block in function.blocks
        for i in block.instructions
        if type(i) is mir.Context and i.dst in once
    }


def cell_class(access: mir.Load | mir.Store, contexts: set[Local]) -> int:
    """Return the class of the memory that `access` touches."""
    base = access.base
    value = access.dst.type if type(access) is mir.Load else access.src.type  # type: ignore[union-attr]
    if base.type is mir.REF:
        if access.index is not None or access.offset < 0:
            return ANYTHING
        return (access.offset >> 3) * _FIELD_GROUPS - _data_class(value)
    if base in contexts:
        return _CONTEXT + (access.offset >> 3) if access.index is None else ANYTHING
    return _data_class(value)


def _data_class(type: MirType) -> int:
    """Return the class of data of `type`, between -4 and -2."""
    if type.kind == "float":
        return _FLOATS
    return _REFERENCES if type is mir.REF else _OTHER_DATA


class Effects:
    """What a loop may change: locals, and memory (`anything`, or the classes in `cells`)."""

    __slots__ = ("anything", "assigned", "calls", "cells")

    def __init__(self, loop: Loop, contexts: set[Local]) -> None:
        self.assigned: set[Local] = set()
        self.cells: set[int] = set()
        self.anything = False
        self.calls = False
        for block in loop.blocks:
            for i in block.instructions:
                kind = type(i)
                self.assigned.update(DEFS[kind](i))
                if kind is mir.Store:
                    self._store(cell_class(i, contexts))  # type: ignore[arg-type]
                elif clobbers_memory(i):
                    self.anything = self.calls = True

    def _store(self, cells: int) -> None:
        self.cells.add(cells)
        if cells == ANYTHING:
            self.anything = True

    def may_change(self, cells: int) -> bool:
        """Tell whether the loop may change memory of class `cells`."""
        return self.anything or cells == ANYTHING or cells in self.cells
