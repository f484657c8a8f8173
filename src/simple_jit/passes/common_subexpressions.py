"""Common subexpressions: do not compute, load or check again what is known.

    %3 = load [%1 + 8]                %3 = load [%1 + 8]
    %4 = index %2, %3                 %4 = index %2, %3
    store %9, [%8 + %4 * 8]     ->    store %9, [%8 + %4 * 8]
    %5 = load [%1 + 8]
    %6 = index %2, %5                 (%5 is %3, %6 is %4 from here on)

Value numbering over the dominator tree. A local that one place assigns stands for its value; what a
variable or a class of memory holds at some point gets a number, a new one at each assignment or store,
and where paths meet with different numbers. A repeated computation whose operands have the same
numbers, dominated by the first one, is the first one's result.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.mir.visit import (
    DEFS,
    RENAME,
    RENAME_TERMINATOR,
    TERMINATOR_USES,
    USES,
    Flow,
    assigned_once,
    clobbers_memory,
    natural_loops,
)
from simple_jit.passes.aliases import ANYTHING, Effects, cell_class, context_locals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, TypeAlias

    from simple_jit.mir.nodes import Block, Function, Instruction, Local
    from simple_jit.passes.environment import Environment

    Number: TypeAlias = Local | int
    Key: TypeAlias = tuple[Any, ...]

_NO_LOCALS: Final[dict[Local, Local]] = {}


def share_computations(function: Function, env: Environment) -> None:
    _Sharing(function).run()


class _Sharing:
    def __init__(self, function: Function) -> None:
        self.function = function
        self.once = assigned_once(function)
        self.contexts = context_locals(function, self.once)
        self.flow = Flow(function)
        self.same: dict[Local, Local] = {}  # a local to the one that holds its value already
        self.found: dict[Key, tuple[Local, Block]] = {}  # what was computed, and where
        self.variables: dict[Local, int] = {}  # numbers at the current point
        self.memory: dict[int, int] = {}
        self.leaving: dict[Block, tuple[dict[Local, int], dict[int, int]]] = {}
        self.last_number = 0
        self.block = function.blocks[0]

    def run(self) -> None:
        loops = {loop.header: loop for loop in natural_loops(self.flow)}
        for block in self.flow.order:
            self.block = block
            self._enter(block)
            if block in loops:
                self._forget(Effects(loops[block], self.contexts))
            elif any(p not in self.leaving for p in self.flow.preds[block]):
                self.variables, self.memory = {}, {}  # a circle with two ways in
            self._block(block)
            self.leaving[block] = self.variables, self.memory

    def _enter(self, block: Block) -> None:
        """Set the numbers to those on which all known predecessors agree."""
        states = [self.leaving[p] for p in self.flow.preds[block] if p in self.leaving]
        if not states:
            self.variables, self.memory = {}, {}
            return
        variables, memory = states[0]
        self.variables, self.memory = dict(variables), dict(memory)
        for variables, memory in states[1:]:
            self.variables = dict(self.variables.items() & variables.items())
            self.memory = dict(self.memory.items() & memory.items())
        if len(self.flow.preds[block]) == 1:
            self._learn(self.flow.preds[block][0], block)

    def _learn(self, before: Block, block: Block) -> None:
        """In the `then` block of a branch its condition holds."""
        t = before.terminator
        if type(t) is mir.Branch and t.then is block and t.orelse is not block and t.cond in self.once:
            self.found["check", t.cond] = t.cond, block

    def _forget(self, effects: Effects) -> None:
        for local in effects.assigned:
            self.variables.pop(local, None)
        if effects.anything:
            self.memory = {}
        for cells in effects.cells:
            self.memory.pop(cells, None)

    # --- numbers ----------------------------------------------------------------------------------

    def fresh(self) -> int:
        self.last_number += 1
        return self.last_number

    def number(self, local: Local) -> Number:
        if local in self.once:
            return local
        found = self.variables.get(local)
        if found is None:
            found = self.variables[local] = self.fresh()
        return found

    def memory_number(self, cells: int) -> int:
        if cells == ANYTHING:
            return self.fresh()
        found = self.memory.get(cells)
        if found is None:
            found = self.memory[cells] = self.fresh()
        return found

    # --- a block ----------------------------------------------------------------------------------

    def _block(self, block: Block) -> None:
        same, once, found, flow = self.same, self.once, self.found, self.flow
        kept: list[Instruction] = []
        for i in block.instructions:
            kind = type(i)
            if same:
                for local in USES[kind](i):
                    if local in same:
                        i = RENAME[kind](i, same, _NO_LOCALS)
                        break
            key_of = _KEYS.get(kind)
            if key_of is None:
                kept.append(i)
                self._effect(i)
                continue
            key = key_of(self, i)
            before = found.get(key)
            dst = i.dst if kind is not mir.Check else None  # type: ignore[union-attr]
            if before is not None and (before[1] is block or flow.dominates(before[1], block)):
                if dst is None:
                    continue
                if dst in once:
                    same[dst] = before[0]
                    continue
                kept.append(mir.Copy(dst, before[0]))
                self.variables[dst] = self.fresh()
                continue
            kept.append(i)
            if dst is None:
                found[key] = i.cond, block  # type: ignore[union-attr]
            elif dst in once:
                found[key] = dst, block
            else:
                self.variables[dst] = self.fresh()
        block.instructions = kept
        t = block.terminator
        if same and any(local in same for local in TERMINATOR_USES[type(t)](t)):
            block.terminator = RENAME_TERMINATOR[type(t)](t, same)

    def _effect(self, i: Instruction) -> None:
        for dst in DEFS[type(i)](i):
            if dst not in self.once:
                self.variables[dst] = self.fresh()
        if type(i) is mir.Store:
            self._store(i)
        elif clobbers_memory(i):
            self.memory = {}

    def _store(self, i: mir.Store) -> None:
        """Number what the store changes anew; a load there would give what was stored."""
        cells = cell_class(i, self.contexts)
        if cells == ANYTHING:
            self.memory = {}
            return
        self.memory[cells] = self.fresh()
        if i.src in self.once:
            self.found[self._address(i, i.src)] = i.src, self.block

    def _address(self, i: mir.Load | mir.Store, value: Local) -> Key:
        return (
            value.type,
            self.number(i.base),
            None if i.index is None else self.number(i.index),
            i.scale,
            i.offset,
            self.memory_number(cell_class(i, self.contexts)),
        )


# --- Keys: two computations with one key have one value -------------------------------------------


def _const(s: _Sharing, i: mir.Const) -> Key:
    return i.dst.type, repr(i.value) if i.dst.type.kind == "float" else i.value


_COMMUTATIVE: Final = frozenset(("add", "mul", "and", "or", "xor", "eq", "ne"))


def _two(s: _Sharing, i: mir.Binary | mir.Compare) -> Key:
    lhs, rhs = i.lhs, i.rhs
    if i.op in _COMMUTATIVE and lhs.index > rhs.index and lhs.type is rhs.type:
        lhs, rhs = rhs, lhs
    return i.op, s.number(lhs), s.number(rhs)


_KEYS: Final[dict[type, Callable[[_Sharing, Any], Key]]] = {
    mir.Const: _const,
    mir.ConstText: lambda s, i: ("text", i.value),
    mir.ConstSite: lambda s, i: ("site", i.site),
    mir.ConstTypeId: lambda s, i: ("type_id", i.name),
    mir.ConstCode: lambda s, i: ("code", i.symbol),
    mir.Copy: lambda s, i: ("copy", i.dst.type, s.number(i.src)),
    mir.Unary: lambda s, i: (i.op, s.number(i.src)),
    mir.Binary: _two,
    mir.Compare: _two,
    mir.Convert: lambda s, i: ("convert", i.dst.type, s.number(i.src)),
    mir.Bitcast: lambda s, i: ("bitcast", i.dst.type, s.number(i.src)),
    mir.Select: lambda s, i: ("select", s.number(i.cond), s.number(i.lhs), s.number(i.rhs)),
    mir.Load: lambda s, i: s._address(i, i.dst),
    mir.Context: lambda s, i: ("context",),
    mir.Index: lambda s, i: ("index", s.number(i.src), s.number(i.length), i.wrap),
    mir.Check: lambda s, i: ("check", s.number(i.cond)),
}
