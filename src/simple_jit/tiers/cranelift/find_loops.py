"""Which loops to turn around: those whose head decides whether to go on, and does little else.

A loop qualifies when its head ends in a branch of which one side stays in the loop and the other leaves
it, when all that jump back to it do so without a condition, and when what the head computes first is short
and does nothing but compute (polls apart).
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.mir.visit import PURE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_LONGEST_TEST: Final = 8
_MOST_LATCHES: Final = 3
_ALLOWED: Final = PURE | {mir.Poll}


class LoopTests:
    """The loops of a function to turn around.

    `rank` is a block's place in `order`, `heads` has the heads of those loops, and `latches` the head for
    each block that jumps back to one.
    """

    __slots__ = ("_before", "heads", "latches", "rank")

    def __init__(self, order: list[mir.Block], before: dict[mir.Block, list[mir.Block]]) -> None:
        self.rank = {block: index for index, block in enumerate(order)}
        self.heads: set[mir.Block] = set()
        self.latches: dict[mir.Block, mir.Block] = {}
        self._before = before
        rank = self.rank
        for head in order:
            if type(head.terminator) is mir.Branch and len(head.instructions) <= _LONGEST_TEST:
                latches = [block for block in before[head] if rank[block] >= rank[head]]
                if latches and self._qualifies(head, head.terminator, latches):
                    self.heads.add(head)
                    self.latches.update(dict.fromkeys(latches, head))

    def once(self, head: mir.Block) -> list[mir.Instruction]:
        """Return what to compute before the loop: it is polled only when it goes round."""
        return [instruction for instruction in head.instructions if type(instruction) is not mir.Poll]

    def _qualifies(self, head: mir.Block, test: mir.Branch, latches: list[mir.Block]) -> bool:
        return (
            len(latches) <= _MOST_LATCHES
            and all(type(latch.terminator) is mir.Jump for latch in latches)
            and all(type(instruction) in _ALLOWED for instruction in head.instructions)
            and len({test.then, test.orelse} & self._blocks(head, latches)) == 1
        )

    def _blocks(self, head: mir.Block, latches: list[mir.Block]) -> set[mir.Block]:
        """Return the blocks of the natural loop."""
        found = {head}
        work = latches[:]
        while work:
            block = work.pop()
            if block not in found:
                found.add(block)
                work += self._before[block]
        return found
