"""What a load or store may touch, told to LLVM as type-based alias metadata.

The places of memory that MIR reaches fall into classes that never overlap:

    context          through the address that a `Context` instruction gives
    field            a cell of a heap object: a constant offset from a `ref`
    element          of an array's buffer: through a `ptr` loaded from `ARRAY_DATA` of a `ref`

Fields of different offsets never overlap, since a `ref` is always the start of an object; neither do
fields or elements of different machine classes, since a cell keeps its type. So a store to an element does
not make LLVM load the array's length again, and one to `body.vx` leaves `body.x` in its register.
Every other access (through an address that was computed) may touch anything.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.mir.abi import ARRAY_DATA
from simple_jit.mir.nodes import PTR, REF, Function, MirType
from simple_jit.mir.visit import defs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

CONTEXT: Final = "context"
FIELD: Final = "field"
ELEMENT: Final = "element"
RAW: Final = "raw"


def machine_class(type: MirType) -> str:
    """Return a name that types share if one memory cell may be accessed as any of them."""
    return f"f{type.size}" if type.kind == "float" else f"i{type.size}"


def base_classes(function: Function) -> dict[mir.Local, str]:
    """Return, for the locals that addresses are counted from, what lies behind them.

    Locals that are not in the result are `RAW`. A local that is copied from others has a class only
    where all of them have that class.
    """
    classes: dict[mir.Local, str] = {local: FIELD for local in function.params if local.type is REF}
    raw = {local for local in function.params if local.type is PTR}
    copies: list[tuple[mir.Local, mir.Local]] = []
    for block in function.blocks:
        for instruction in block.instructions:
            _note(instruction, classes, raw, copies)
    _spread(classes, raw, copies)
    for local in raw:
        classes.pop(local, None)
    return classes


def _note(
    i: mir.Instruction,
    classes: dict[mir.Local, str],
    raw: set[mir.Local],
    copies: list[tuple[mir.Local, mir.Local]],
) -> None:
    for dst in defs(i):
        if dst.type.kind != "ptr":
            continue
        if type(i) is mir.Copy and i.src.type is dst.type:
            copies.append((dst, i.src))
            continue
        if type(i) is mir.Select:
            copies += ((dst, i.lhs), (dst, i.rhs))
            continue
        found = _class_of_result(i, dst)
        if found == RAW or classes.setdefault(dst, found) != found:
            raw.add(dst)


def _class_of_result(i: mir.Instruction, dst: mir.Local) -> str:
    """Return the class of an address that an instruction other than a copy gives."""
    if dst.type is REF:
        return RAW if type(i) is mir.Binary else FIELD
    if type(i) is mir.Context:
        return CONTEXT
    if type(i) is mir.Const and i.value == 0:
        return ELEMENT  # nothing is read through it
    if type(i) is mir.Load and i.base.type is REF and i.index is None and i.offset == ARRAY_DATA:
        return ELEMENT
    return RAW


def _spread(
    classes: dict[mir.Local, str], raw: set[mir.Local], copies: list[tuple[mir.Local, mir.Local]]
) -> None:
    """Carry classes along copies until nothing changes; where two meet, the result is raw."""
    changed = True
    while changed:
        changed = False
        for dst, src in copies:
            if dst in raw:
                continue
            if src in raw:
                raw.add(dst)
                changed = True
            elif src in classes and dst not in classes:
                classes[dst] = classes[src]
                changed = True
            elif src in classes and classes[src] != classes[dst]:
                raw.add(dst)
                changed = True


def cell(base_class: str, type: MirType, offset: int, indexed: bool) -> str:
    """Return the name of the cells that an access may touch; empty where it may touch any."""
    if base_class == FIELD and not indexed:
        return f"field {offset} {machine_class(type)}"
    if base_class == ELEMENT:
        return f"element {machine_class(type)}"
    return CONTEXT if base_class == CONTEXT and not indexed else ""
