"""How often the loops of a function go round, as far as can be seen from it alone.

    %1 = const 0; %2 = const 1; %3 = const 5000
    b1: %4 = lt %1, %3            the loop at b1 is counted: %1 moves by a constant towards %3,
        branch %4, b2, b3         and goes round 5000 times
    b2: …; %1 = add %1, %2; jump b1

What is found serves estimates only: nothing becomes wrong if a loop goes round more often.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.mir.visit import DEFS, Flow, natural_loops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from simple_jit.mir.nodes import Block, Function, Instruction, Local
    from simple_jit.mir.visit import Loop

MANY: Final = 1_000_000
"""How often a loop is taken to go round of which nothing is known."""


class Trips:
    """The loops of `function`; `unknown` is how often those go round that are not counted by constants."""

    def __init__(self, function: Function, unknown: int = MANY) -> None:
        self.loops: Sequence[Loop] = natural_loops(Flow(function))
        self._unknown = unknown
        self._definitions: dict[Local, list[tuple[Instruction, Block]]] = {}
        for block in function.blocks if self.loops else ():
            for i in block.instructions:
                for local in DEFS[type(i)](i):
                    self._definitions.setdefault(local, []).append((i, block))
        self._trips = {loop.header: self._trips_of(loop) for loop in self.loops}

    def times(self, block: Block) -> int:
        """Return how often `block` runs each time the function does, branches apart."""
        times = 1
        for loop in self.loops:
            if block in loop.blocks:
                times *= self._trips[loop.header]
        return times

    def busiest(self) -> int:
        """Return how often the block runs that runs most often."""
        return max([self.times(loop.header) for loop in self.loops], default=1)

    def is_counted(self, loop: Loop) -> bool:
        """Does a variable that moves by a constant each time round decide where the loop is left?"""
        return any(self._count(loop, block) is not None for block, _ in loop.exits)

    def _trips_of(self, loop: Loop) -> int:
        counts = [self._count(loop, block) for block, _ in loop.exits]
        return min([count for count in counts if count], default=self._unknown)

    def _count(self, loop: Loop, block: Block) -> int | None:
        """Return how often the loop goes round until `block` leaves it (0: not known).

        None where no counter decides that.
        """
        compare = _condition(block)
        if compare is None:
            return None
        for variable, end in ((compare.lhs, compare.rhs), (compare.rhs, compare.lhs)):
            step = self._step(loop, variable)
            if step and not any(inside in loop.blocks for _, inside in self._definitions.get(end, ())):
                start, stop = self._constant(variable, loop), self._constant(end, loop)
                return abs(stop - start) // abs(step) + 1 if start is not None and stop is not None else 0
        return None

    def _step(self, loop: Loop, variable: Local) -> int:
        """Return the constant that the loop adds to `variable`, its one change; 0 where that is not so."""
        inside = [i for i, block in self._definitions.get(variable, ()) if block in loop.blocks]
        if len(inside) != 1:
            return 0
        i = inside[0]
        if type(i) is not mir.Binary or i.lhs is not variable or i.op not in ("add", "sub"):
            return 0
        return self._constant(i.rhs, loop) or 0

    def _constant(self, local: Local, loop: Loop) -> int | None:
        """Return the constant that `local` is in front of the loop."""
        outside = [i for i, block in self._definitions.get(local, ()) if block not in loop.blocks]
        outside = outside or [i for i, _ in self._definitions.get(local, ())]
        found = outside[0] if len(outside) == 1 else None
        if type(found) is mir.Copy:
            return self._constant(found.src, loop)
        if type(found) is mir.Const and local.type.kind == "int":
            return int(found.value)
        return None


def _condition(block: Block) -> mir.Compare | None:
    """Return the comparison that decides where `block` goes on."""
    t = block.terminator
    if type(t) is mir.Branch:
        for i in reversed(block.instructions):
            if type(i) is mir.Compare and i.dst is t.cond:
                return i
    return None
