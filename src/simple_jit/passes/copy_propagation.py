"""Copy propagation: read the source of a copy, and assign a variable directly.

    %1 = copy %0                          (gone, once nothing reads %1)
    %2 = add %1, %1    ->    %3 x = add %0, %0
    %3 x = copy %2

Locals may be assigned many times. A local that one place assigns is like a value in SSA form (see
`visit.assigned_once`); a copy of one such local in another can be replaced everywhere. A copy in a
variable holds until the variable is assigned again, which is followed within blocks, and on into
blocks that have one predecessor. Copies between i64, ref and ptr stay: types tell aliases apart.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.mir.visit import (
    DEFS,
    PURE,
    RENAME,
    RENAME_TERMINATOR,
    TERMINATOR_USES,
    USES,
    assigned_once,
    predecessors,
    reverse_postorder,
)
from simple_jit.passes.dead_code import counts_of_uses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.mir.nodes import Block, Function, Instruction, Local
    from simple_jit.passes.environment import Environment

_NOTHING: dict[Local, Local] = {}
_DIRECT = (PURE - {mir.Copy}) | {mir.Checked, mir.Index}


def propagate_copies(function: Function, env: Environment) -> None:
    once = assigned_once(function)
    _read_sources(function, once)
    _assign_directly(function, once)


def _read_sources(function: Function, once: set[Local]) -> None:
    order = reverse_postorder(function)
    preds = predecessors(order)
    values: dict[Local, Local] = {}  # of locals assigned once, everywhere
    leaving: dict[Block, dict[Local, Local]] = {}  # of variables, at the end of a block
    for block in order:
        before = preds[block]
        entering = leaving.get(before[0], _NOTHING) if len(before) == 1 else _NOTHING
        variables = dict(entering)
        source = {**values, **variables} if variables else values
        kept: list[Instruction] = []
        for i in block.instructions:
            kind = type(i)
            if source:
                for local in USES[kind](i):
                    if local in source:
                        i = RENAME[kind](i, source, _NOTHING)
                        break
            if kind is mir.Copy:
                assert type(i) is mir.Copy
                dst, src = i.dst, i.src
                if dst is src:
                    continue
                if dst.type is src.type and src in once:
                    if dst in once:
                        values[dst] = src
                        if source is not values:
                            source[dst] = src
                        continue
                    if source is values:
                        source = dict(values)
                    variables[dst] = source[dst] = src
                    kept.append(i)
                    continue
            kept.append(i)
            if variables:
                for dst in DEFS[kind](i):
                    if dst in variables:
                        del variables[dst], source[dst]
        block.instructions = kept
        leaving[block] = variables
        t = block.terminator
        if source and any(local in source for local in TERMINATOR_USES[type(t)](t)):
            block.terminator = RENAME_TERMINATOR[type(t)](t, source)


def _assign_directly(function: Function, once: set[Local]) -> None:
    """Make `t = …; x = copy t` into `x = …` where nothing else reads t, or x in between."""
    counts: dict[Local, int] | None = None
    for block in function.blocks:
        made: dict[Local, int] = {}  # a local to the place in `kept` of what assigned it
        touched: dict[Local, int] = {}  # a local to the last place in `kept` that reads or assigns it
        kept: list[Instruction] = []
        for i in block.instructions:
            kind = type(i)
            if kind is mir.Copy:
                assert type(i) is mir.Copy
                dst, src = i.dst, i.src
                place = made.get(src, -1)
                if place >= 0 and dst not in once and dst.type is src.type:
                    if counts is None:
                        counts = counts_of_uses(function)
                    if counts.get(src) == 1 and touched.get(dst, -1) <= place:
                        kept[place] = RENAME[type(kept[place])](kept[place], _NOTHING, {src: dst})
                        touched[dst] = place
                        continue
            elif kind in _DIRECT and i.dst in once:  # type: ignore[union-attr, operator]
                made[i.dst] = len(kept)  # type: ignore[union-attr]
            for local in USES[kind](i):
                touched[local] = len(kept)
            for local in DEFS[kind](i):
                touched[local] = len(kept)
            kept.append(i)
        if len(kept) != len(block.instructions):
            block.instructions = kept
