"""Dead code: blocks that cannot be reached, jumps to jumps, results that nobody reads.

    b0: jump b1                      b0: %1 = add %0, %0
    b1: %1 = add %0, %0       ->         return %1
        %2 = mul %0, %1
        jump b2
    b2: return %1

An instruction stays if it has an effect or if something that stays reads what it assigns.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.mir.visit import PURE, SUCCESSORS, TERMINATOR_USES, USES, retarget

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.mir.nodes import Block, Function, Instruction, Local
    from simple_jit.passes.environment import Environment


def remove_dead_code(function: Function, env: Environment) -> None:
    _thread_jumps(function)
    remove_unreachable_blocks(function)
    _merge_chains(function)
    _remove_dead_instructions(function)


def _thread_jumps(function: Function) -> None:
    """Let jumps to a block that only jumps on go where it leads."""
    onward: dict[Block, Block] = {}
    for block in function.blocks[1:]:
        t = block.terminator
        if not block.instructions and type(t) is mir.Jump and t.target is not block:
            onward[block] = t.target
    if onward:
        for start in onward:
            onward[start] = _last(onward, start)
    for block in function.blocks:
        t = block.terminator
        if onward and any(target in onward for target in SUCCESSORS[type(t)](t)):
            t = block.terminator = retarget(t, onward)
        if type(t) is mir.Branch and t.then is t.orelse:
            block.terminator = mir.Jump(t.then)


def _last(onward: dict[Block, Block], start: Block) -> Block:
    """Follow `onward` from `start`; a circle of empty blocks ends where it closes."""
    seen = {start}
    block = onward[start]
    while block in onward and block not in seen:
        seen.add(block)
        block = onward[block]
    return block


def remove_unreachable_blocks(function: Function) -> None:
    """Drop the blocks that no path from the entry comes to, and number the rest."""
    reached = {function.blocks[0]}
    work = [function.blocks[0]]
    while work:
        t = work.pop().terminator
        for target in SUCCESSORS[type(t)](t):
            if target not in reached:
                reached.add(target)
                work.append(target)
    if len(reached) != len(function.blocks):
        function.blocks = [block for block in function.blocks if block in reached]
    number_blocks(function)


def number_blocks(function: Function) -> None:
    """Let the index of each block be its place."""
    for index, block in enumerate(function.blocks):
        block.index = index


def _merge_chains(function: Function) -> None:
    """Append a block to the one that jumps to it, if nothing else comes to it."""
    arrivals: dict[Block, int] = {}
    for block in function.blocks:
        t = block.terminator
        for target in SUCCESSORS[type(t)](t):
            arrivals[target] = arrivals.get(target, 0) + 1
    merged: set[Block] = set()
    for block in function.blocks:
        if block in merged:
            continue
        t = block.terminator
        while type(t) is mir.Jump and arrivals[t.target] == 1 and t.target is not block:
            block.instructions.extend(t.target.instructions)
            merged.add(t.target)
            t = block.terminator = t.target.terminator
    if merged:
        function.blocks = [block for block in function.blocks if block not in merged]
        number_blocks(function)


def _remove_dead_instructions(function: Function) -> None:
    makers: dict[Local, list[Instruction]] = {}
    work: list[Local] = []
    for block in function.blocks:
        for i in block.instructions:
            kind = type(i)
            if kind in PURE:
                makers.setdefault(i.dst, []).append(i)  # type: ignore[union-attr, arg-type]
            else:
                work += USES[kind](i)
        work += TERMINATOR_USES[type(block.terminator)](block.terminator)
    live: set[Local] = set()
    while work:
        local = work.pop()
        if local not in live:
            live.add(local)
            for maker in makers.get(local, ()):
                work += USES[type(maker)](maker)
    for block in function.blocks:
        instructions = block.instructions
        kept = [i for i in instructions if type(i) not in PURE or i.dst in live]  # type: ignore[union-attr, operator]
        if len(kept) != len(instructions):
            block.instructions = kept


def counts_of_uses(function: Function) -> dict[Local, int]:
    """Return how many times each local is read."""
    counts: dict[Local, int] = {}
    for block in function.blocks:
        for i in block.instructions:
            for local in USES[type(i)](i):
                counts[local] = counts.get(local, 0) + 1
        for local in TERMINATOR_USES[type(block.terminator)](block.terminator):
            counts[local] = counts.get(local, 0) + 1
    return counts
