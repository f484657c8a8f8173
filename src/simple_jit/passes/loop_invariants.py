"""Loop invariants: compute and load in front of a loop what is the same each time round.

    b0: jump b1                              b0: %5 = load [%0 + 8]
    b1: branch %2, b2, b3          ->            jump b1
    b2: %5 = load [%0 + 8]                   b1: branch %2, b2, b3
        …                                    b2: …

What is moved runs even where the loop's body does not: so it must not fail. Arithmetic does not
(division by integers, which may, stays). A load must not read through null: it is moved as it is
when the loop always runs it first, when its object is used before the loop, or when nothing ever asks
whether the object is null; else it reads the context in place of null. A load of data (an element), or
through a ref that was an integer (of an `any`, say), stays: only the check before it makes the address good.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.mir.nodes import Block, Function, Local
from simple_jit.mir.visit import (
    PURE,
    RENAME,
    USES,
    Flow,
    assigned_once,
    can_speculate,
    natural_loops,
    retarget,
)
from simple_jit.passes.aliases import Effects, cell_class, context_locals
from simple_jit.passes.dead_code import number_blocks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.mir.nodes import Instruction
    from simple_jit.mir.visit import Loop
    from simple_jit.passes.environment import Environment


def hoist_invariants(function: Function, env: Environment) -> None:
    flow = Flow(function)
    loops = natural_loops(flow)
    if not loops:
        return
    if make_preheaders(function, loops):
        flow = Flow(function)
        loops = natural_loops(flow)
    hoisting = _Hoisting(function, flow)
    for loop in loops:
        hoisting.run(loop)


def make_preheaders(function: Function, loops: list[Loop]) -> bool:
    """Give each loop one block in front that only jumps to it; tell whether any had to be made."""
    made = False
    for loop in loops:
        if len(loop.entries) == 1 and type(loop.entries[0].terminator) is mir.Jump:
            continue
        made = True
        block = Block(0)
        block.terminator = mir.Jump(loop.header)
        for entry in loop.entries:
            entry.terminator = retarget(entry.terminator, {loop.header: block})
        function.blocks.insert(function.blocks.index(loop.header), block)
    if made:
        number_blocks(function)
    return made


class _Hoisting:
    def __init__(self, function: Function, flow: Flow) -> None:
        self.function = function
        self.flow = flow
        self.once = assigned_once(function)
        self.contexts = context_locals(function, self.once)
        self.users: dict[Local, list[Block]] = {}  # of a ref: the blocks that access its object
        self.tested: set[Local] = set()  # refs that are compared
        self.given: set[Local] = set(function.params)  # parameters, and results of calls
        self.guarded: dict[tuple[Block, Local], Local] = {}
        self.wild: set[Local] = set()  # refs that may have been an integer, which is no address
        self.passed_on: list[tuple[Local, Local]] = []  # refs and what they are copied from
        for block in flow.order:
            for i in block.instructions:
                self._survey(block, i)
        self._spread()

    def _survey(self, block: Block, i: Instruction) -> None:
        kind = type(i)
        if kind is mir.Load or kind is mir.Store:
            base = i.base  # type: ignore[union-attr]
            if base.type is mir.REF and base in self.once:
                self.users.setdefault(base, []).append(block)
        elif kind is mir.Compare:
            if i.lhs.type is mir.REF:  # type: ignore[union-attr]
                self.tested.update(USES[kind](i))
        elif kind is mir.Call:
            self.given.update(i.dsts)  # type: ignore[union-attr]
        elif type(i) is mir.Copy and i.dst.type is mir.REF:
            if i.src.type is mir.I64:
                self.wild.add(i.dst)
            self.passed_on.append((i.dst, i.src))
        elif type(i) is mir.Select and i.dst.type is mir.REF:
            self.passed_on += [(i.dst, i.lhs), (i.dst, i.rhs)]

    def _spread(self) -> None:
        """Let what is copied from a wild ref be wild."""
        before = -1
        while len(self.wild) != before:
            before = len(self.wild)
            self.wild.update([dst for dst, src in self.passed_on if src in self.wild])

    def run(self, loop: Loop) -> None:
        effects = Effects(loop, self.contexts)
        changing = effects.assigned
        front = loop.entries[0]
        once = self.once
        for block in loop.blocks:
            kept: list[Instruction] = []
            first = block is loop.header
            for i in block.instructions:
                kind = type(i)
                if kind not in PURE:
                    first = first and kind is mir.Poll
                elif i.dst in once and changing.isdisjoint(USES[kind](i)):  # type: ignore[union-attr, operator]
                    moved = self._movable(i, effects, front, first)
                    if moved is not None:
                        front.instructions.append(moved)
                        changing.discard(i.dst)  # type: ignore[union-attr]
                        continue
                kept.append(i)
            block.instructions = kept

    def _movable(self, i: Instruction, effects: Effects, front: Block, first: bool) -> Instruction | None:
        """Return what to put in front of the loop for `i`, if it can be moved there."""
        if type(i) is not mir.Load:
            return i if can_speculate(i) else None
        if effects.may_change(cell_class(i, self.contexts)):
            return None
        if first or i.base in self.contexts:
            return i
        if i.base.type is not mir.REF:
            return None
        if self._is_valid(i.base, front):
            return i
        if i.base in self.wild:
            return None
        return RENAME[mir.Load](i, {i.base: self._guard(i.base, front)}, {})

    def _is_valid(self, base: Local, front: Block) -> bool:
        if base in self.given and base in self.once and base not in self.tested and base not in self.wild:
            return True
        dominates = self.flow.dominates
        return any(dominates(block, front) for block in self.users.get(base, ()))

    def _guard(self, base: Local, front: Block) -> Local:
        """Return a local with `base`, or the address of the context where it is null."""
        found = self.guarded.get((front, base))
        if found is not None:
            return found
        new = self.function.new_local
        context, other, null = new(mir.PTR), new(mir.REF), new(mir.REF)
        there, safe = new(mir.BOOL), new(mir.REF)
        front.instructions += [
            mir.Context(context),
            mir.Copy(other, context),
            mir.Const(null, 0),
            mir.Compare("ne", there, base, null),
            mir.Select(safe, there, base, other),
        ]
        self.once |= {context, other, null, there, safe}
        self.contexts.add(context)
        self.given.add(safe)
        self.guarded[front, base] = safe
        return safe
