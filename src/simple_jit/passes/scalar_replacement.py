"""Objects that never leave the function: their fields become locals, and they are not allocated.

    %7 = …                       what `lower.memory.allocate` makes: from ctx, or by `rt_heap_refill`
    %8: ref = copy %7            ->   %20: i64 = const 0
    store %3, [%8 + 8]                %20 = copy %3
    …                                 …
    %9: i64 = load [%8 + 8]           %9 = copy %20

So inlined closures and the variables that they share with their makers cost nothing. An object leaves when
it is stored, passed, returned, copied or compared; a store into an object that goes away itself is none.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.mir.nodes import REF
from simple_jit.mir.visit import DEFS, SUCCESSORS, TERMINATOR_USES, USES
from simple_jit.passes.dead_code import remove_unreachable_blocks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from simple_jit.mir.nodes import Block, Function, Instruction, Local
    from simple_jit.passes.environment import Environment

_REFILL: Final = "rt_heap_refill"


def replace_objects(function: Function, env: Environment) -> None:
    slow_paths = [block for block in function.blocks if _calls_refill(block)]
    if not slow_paths:
        return
    survey = _Survey(function)
    objects = [found for slow in slow_paths if (found := survey.object_of(slow)) is not None]
    changed = False
    while True:
        gone = [found for found in objects if survey.stays_inside(found)]
        if not gone:
            break
        for found in gone:
            survey.replace(found)
        objects = [found for found in objects if found not in gone]
        changed = True
    if changed:
        survey.rewrite()
        remove_unreachable_blocks(function)


def _calls_refill(block: Block) -> bool:
    return any(type(i) is mir.CallExtern and i.symbol == _REFILL for i in block.instructions)


class _Object:
    """An object and where it is allocated: `front` branches to the two ways that meet in `after`."""

    __slots__ = ("after", "front", "local")

    def __init__(self, local: Local, front: Block, after: Block) -> None:
        self.local = local
        self.front = front
        self.after = after


class _Survey:
    """Who assigns and reads which local, by instruction; and what takes the place of instructions."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.assigned: dict[Local, list[Instruction]] = {}
        self.read: dict[Local, list[Instruction | None]] = {}  # None: by a terminator
        self.arrivals: dict[Block, list[Block]] = {}
        self.instead: dict[Instruction, list[Instruction]] = {}
        for param in function.params:
            self.read[param] = [None]
        for block in function.blocks:
            for i in block.instructions:
                for local in DEFS[type(i)](i):
                    self.assigned.setdefault(local, []).append(i)
                for local in USES[type(i)](i):
                    self.read.setdefault(local, []).append(i)
            t = block.terminator
            for local in TERMINATOR_USES[type(t)](t):
                self.read.setdefault(local, []).append(None)
            for target in SUCCESSORS[type(t)](t):
                self.arrivals.setdefault(target, []).append(block)

    def object_of(self, slow: Block) -> _Object | None:
        """Return the object for which `slow` calls the allocator, where all is as lowering makes it."""
        (*others, call) = slow.instructions
        fronts = self.arrivals.get(slow, [])
        if others or type(call) is not mir.CallExtern or call.dst is None or len(fronts) != 1:
            return None
        front, exit = fronts[0], slow.terminator
        t = front.terminator
        if type(t) is not mir.Branch or t.orelse is not slow or type(exit) is not mir.Jump:
            return None
        fast, after = t.then, exit.target
        way = fast.terminator
        if self.arrivals[fast] != [front] or type(way) is not mir.Jump or way.target is not after:
            return None
        if sorted(map(id, self.arrivals[after])) != sorted((id(fast), id(slow))):
            return None
        makers = [i for i in self.assigned[call.dst] if i is not call]
        reads = self.read.get(call.dst, [])
        copy = reads[0] if len(reads) == 1 else None
        if len(makers) != 1 or not any(i is makers[0] for i in fast.instructions):
            return None
        if type(copy) is not mir.Copy or copy.dst.type is not REF:
            return None
        if len(self.assigned[copy.dst]) != 1 or not any(i is copy for i in after.instructions):
            return None
        return _Object(copy.dst, front, after)

    def stays_inside(self, found: _Object) -> bool:
        """Is the object only read and written, each field as one type?"""
        fields: dict[int, mir.MirType] = {}
        for i in self.read.get(found.local, []):
            if type(i) is mir.Store:
                if i.base is not found.local or i.src is found.local:
                    return False
                type_ = i.src.type
            elif type(i) is mir.Load:
                type_ = i.dst.type
            else:
                return False
            if i.index is not None or i.offset < 0 or fields.setdefault(i.offset, type_) is not type_:
                return False
        ends = sorted((offset, offset + field.size) for offset, field in fields.items())
        return all(ends[n - 1][1] <= ends[n][0] for n in range(1, len(ends)))

    def replace(self, found: _Object) -> None:
        """Let locals stand for the fields that are read; what is stored in others is not read any more."""
        accesses = self.read.pop(found.local, [])
        fields = {
            i.offset: self.function.new_local(i.dst.type) for i in accesses if type(i) is mir.Load
        }
        (copy,) = self.assigned[found.local]
        self.instead[copy] = [mir.Const(local, _zero(local.type)) for local in fields.values()]
        for i in accesses:
            if type(i) is mir.Load:
                self.instead[i] = [mir.Copy(i.dst, fields[i.offset])]
            elif type(i) is mir.Store:
                self.read[i.src].remove(i)
                if i.offset in fields:
                    kept = mir.Copy(fields[i.offset], i.src)
                    self.instead[i] = [kept]
                    self.read[i.src].append(kept)
                else:
                    self.instead[i] = []
        found.front.terminator = mir.Jump(found.after)

    def rewrite(self) -> None:
        """Put what was decided in place."""
        for block in self.function.blocks:
            if any(i in self.instead for i in block.instructions):
                block.instructions = [
                    new for i in block.instructions for new in self.instead.get(i, (i,))
                ]


def _zero(type: mir.MirType) -> int | float | bool:
    """Return what fresh memory holds, as a value of `type`."""
    return {"float": 0.0, "bool": False}.get(type.kind, 0)
