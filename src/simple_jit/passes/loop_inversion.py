"""Loop inversion: test at the end of a loop, so that each time round takes one branch, not two.

    b1: %4 = lt %3, %2               b1: %4 = lt %3, %2
        branch %4, b2, b3                branch %4, b2, b3
    b2: …                     ->     b2: …
        jump b1                          %4 = lt %3, %2
                                         branch %4, b2, b3

The header's instructions are repeated where the loop jumps back to it. Its locals then have two
assignments, so this comes last.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.mir.visit import Flow, natural_loops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from simple_jit.mir.nodes import Function
    from simple_jit.mir.visit import Loop
    from simple_jit.passes.environment import Environment

_MOST_REPEATED: Final = 12  # instructions, all latches together


def invert_loops(function: Function, env: Environment) -> None:
    for loop in natural_loops(Flow(function)):
        _invert(loop)


def _invert(loop: Loop) -> None:
    header = loop.header
    test = header.terminator
    if type(test) is not mir.Branch or (test.then in loop.blocks) == (test.orelse in loop.blocks):
        return
    if len(header.instructions) * len(loop.latches) > _MOST_REPEATED:
        return
    if any(type(latch.terminator) is not mir.Jump for latch in loop.latches):
        return
    for latch in loop.latches:
        latch.instructions = latch.instructions + header.instructions
        latch.terminator = mir.Branch(test.cond, test.then, test.orelse, test.cold)
