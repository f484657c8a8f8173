"""Redundant bounds checks, and polls in loops that end by themselves.

    b1: %4 = lt %3 i, %2              (%2 is the array's length; i starts at 0 and grows by 1)
        branch %4, b2, b3
    b2: %5 = index %3, %2      ->     %5 = copy %3
        …

An index that is known not to be negative need not wrap; one known to be below the length as well need
not be checked (`ranges` tells). A counted loop without calls that may take long needs no poll: that is
the rule of lowering too, but some calls have been inlined since.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.mir.visit import Flow, replace_locals
from simple_jit.passes.ranges import Ranges

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.mir.nodes import Function, Instruction, Local
    from simple_jit.mir.visit import Loop
    from simple_jit.passes.environment import Environment

_SHORT_EXTERNS = frozenset(("memcmp", "memmove", "memset", "rt_heap_refill"))


def remove_bounds_checks(function: Function, env: Environment) -> None:
    kinds = {type(i) for block in function.blocks for i in block.instructions}
    if mir.Index not in kinds and mir.Poll not in kinds:
        return
    ranges = Ranges(function, Flow(function))
    if mir.Index in kinds:
        _relax_indices(function, ranges)
    if mir.Poll in kinds:
        for loop in ranges.loops:
            _remove_polls(loop, ranges, env)


def _relax_indices(function: Function, ranges: Ranges) -> None:
    same: dict[Local, Local] = {}
    for block in ranges.flow.order:
        for position, i in enumerate(block.instructions):
            if type(i) is not mir.Index or not ranges.not_negative(i.src, (block, position)):
                continue
            if any(base is i.length and k < 0 for base, k in ranges.bounds(i.src, (block, position))):
                block.instructions[position] = mir.Copy(i.dst, i.src)
                if i.dst in ranges.once and i.src in ranges.once:
                    same[i.dst] = same.get(i.src, i.src)
            elif i.wrap:
                block.instructions[position] = mir.Index(i.dst, i.src, i.length, i.place, wrap=False)
    if same:
        for block in function.blocks:
            block.instructions = [
                i for i in block.instructions if not (type(i) is mir.Copy and i.dst in same)
            ]
        replace_locals(function, same)


def _remove_polls(loop: Loop, ranges: Ranges, env: Environment) -> None:
    if not any(type(i) is mir.Poll for block in loop.blocks for i in block.instructions):
        return
    if any(_may_take_long(i, env) for block in loop.blocks for i in block.instructions):
        return
    if not _is_counted(loop, ranges):
        return
    for block in loop.blocks:
        if ranges.loops_around(block)[0] is loop:
            block.instructions = [i for i in block.instructions if type(i) is not mir.Poll]


def _may_take_long(i: Instruction, env: Environment) -> bool:
    if type(i) is mir.Call:
        callee = env.mir_of(i.callee)
        return callee is None or not callee.rarely_called
    return type(i) is mir.CallPointer or (type(i) is mir.CallExtern and i.symbol not in _SHORT_EXTERNS)


def _is_counted(loop: Loop, ranges: Ranges) -> bool:
    """Tell whether the loop leaves once a variable, stepped each time round, reaches a fixed end."""
    for latch in loop.latches:
        if not any(
            where[0] in loop.blocks and _counts(lhs, rhs, op, loop, ranges)
            for op, lhs, rhs, where in ranges.conditions(latch)
        ):
            return False
    return True


def _counts(variable: Local, end: Local, op: str, loop: Loop, ranges: Ranges) -> bool:
    if op not in ("lt", "le") or end not in ranges.once or variable in ranges.once:
        return False
    definition = ranges.definition(end)
    if definition is not None and definition[1][0] in loop.blocks:
        return False
    induction = ranges.induction(variable, loop.header)
    if induction is None or induction.loop is not loop or not ranges.counts_up(induction):
        return False
    return all(ranges.flow.dominates(induction.point[0], latch) for latch in loop.latches)
