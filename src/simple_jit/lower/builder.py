"""Building one MIR function: the current block, fresh locals, and where locals of the HIR live."""

from __future__ import annotations

from simple_jit.base.source import Span
from simple_jit.hir import nodes as hir
from simple_jit.hir.types import Type
from simple_jit.mir import nodes as mir
from simple_jit.mir.layout import flatten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

Value = tuple[mir.Local, ...]
"""The components of one value of the language, as `mir.layout.flatten` orders them."""


class LoopExits:
    """Where `break` and `continue` of one loop go."""

    __slots__ = ("break_to", "continue_to")

    def __init__(self, break_to: mir.Block, continue_to: mir.Block) -> None:
        self.break_to = break_to
        self.continue_to = continue_to


class FunctionBuilder:
    """Collects the blocks of `function` while the HIR of `source` is walked.

    `leave` ends the function with a value; a loop region does that in its own way. After a terminator
    the current block is a scrap one that nothing jumps to; `finish` drops it and whatever else cannot
    be reached.
    """

    def __init__(self, source: hir.Function, function: mir.Function) -> None:
        self.source = source
        self.function = function
        self.block = function.new_block()
        self.entry = self.block
        self.locals: dict[hir.Local, Value] = {}
        self.loops: dict[hir.LoopTarget, LoopExits] = {}
        self.site: mir.Local | None = None
        self.has_calls = False
        self.leave: Callable[[Value], None] = self._return
        self._context: mir.Local | None = None
        self._prologue: list[mir.Instruction] = []

    # --- blocks ---------------------------------------------------------------------------------
    def new_block(self) -> mir.Block:
        return self.function.new_block()

    def switch_to(self, block: mir.Block) -> None:
        """Go on emitting at the end of `block`."""
        self.block = block

    def terminate(self, terminator: mir.Terminator) -> None:
        """End the current block; what follows in the source cannot be reached from it."""
        self.block.terminator = terminator
        self.block = mir.Block(-1)

    def jump(self, target: mir.Block) -> None:
        self.terminate(mir.Jump(target))

    def _return(self, value: Value) -> None:
        self.terminate(mir.Return(value))

    # --- values ---------------------------------------------------------------------------------
    def emit(self, instruction: mir.Instruction) -> None:
        self.block.instructions.append(instruction)

    def local(self, type: mir.MirType, name: str = "") -> mir.Local:
        return self.function.new_local(type, name)

    def fresh(self, type: Type, name: str = "") -> Value:
        """Return new locals for the components of a value of `type`."""
        return tuple([self.function.new_local(part, name) for part in flatten(type)])

    def const(self, type: mir.MirType, value: int | float | bool) -> mir.Local:
        dst = self.local(type)
        self.emit(mir.Const(dst, value))
        return dst

    def binary(self, op: mir.BinaryOp, lhs: mir.Local, rhs: mir.Local) -> mir.Local:
        dst = self.local(lhs.type)
        self.emit(mir.Binary(op, dst, lhs, rhs))
        return dst

    def compare(self, op: mir.CompareOp, lhs: mir.Local, rhs: mir.Local) -> mir.Local:
        dst = self.local(mir.BOOL)
        self.emit(mir.Compare(op, dst, lhs, rhs))
        return dst

    def convert(self, value: mir.Local, type: mir.MirType) -> mir.Local:
        """Return `value` as `type`; itself where that is its type already."""
        if value.type is type:
            return value
        dst = self.local(type)
        self.emit(mir.Convert(dst, value))
        return dst

    def copy_as(self, value: mir.Local, type: mir.MirType) -> mir.Local:
        """Return the same bits under another of the types i64, ref and ptr."""
        dst = self.local(type)
        self.emit(mir.Copy(dst, value))
        return dst

    def load(
        self, type: mir.MirType, base: mir.Local, offset: int, index: mir.Local | None = None, scale: int = 1
    ) -> mir.Local:
        dst = self.local(type)
        self.emit(mir.Load(dst, base, offset, index, scale))
        return dst

    def assign(self, target: Value, value: Value) -> None:
        """Copy the components of `value` into those of `target`."""
        for dst, src in zip(target, value, strict=True):
            self.emit(mir.Copy(dst, src))

    def context(self) -> mir.Local:
        """Return the local that holds the address of the context, set at the function's entry."""
        if self._context is None:
            self._context = self.local(mir.PTR, "ctx")
            self._prologue.append(mir.Context(self._context))
        return self._context

    def variable(self, local: hir.Local) -> Value:
        """Return the locals in which the HIR's `local` lives."""
        found = self.locals.get(local)
        if found is None:
            found = self.locals[local] = self.fresh(local.type, local.name)
        return found

    # --- places ---------------------------------------------------------------------------------
    def site_of(self, span: Span) -> mir.Site:
        line, column = span.line_column()
        return mir.Site(span.file.path, line, column, self.source.symbol)

    def place(self, span: Span) -> mir.Place:
        """Where an error at `span` is reported: there, or at the caller's place."""
        return self.site if self.site is not None else self.site_of(span)

    def check(self, cond: mir.Local, kind: str, span: Span) -> None:
        self.emit(mir.Check(cond, kind, self.place(span)))

    # --- the end --------------------------------------------------------------------------------
    def finish(self) -> mir.Function:
        """Put the prologue in place, drop unreachable blocks, and number the rest."""
        function = self.function
        self.entry.instructions[:0] = self._prologue
        reached: list[mir.Block] = []
        seen = {self.entry}
        work = [self.entry]
        while work:
            block = work.pop()
            reached.append(block)
            for target in reversed(targets(block.terminator)):
                if target not in seen:
                    seen.add(target)
                    work.append(target)
        function.blocks = [block for block in function.blocks if block in seen]
        for index, block in enumerate(function.blocks):
            block.index = index
        return function


def targets(terminator: mir.Terminator) -> tuple[mir.Block, ...]:
    """Return the blocks a terminator may go to."""
    if isinstance(terminator, mir.Jump):
        return (terminator.target,)
    if isinstance(terminator, mir.Branch):
        return (terminator.then, terminator.orelse)
    if isinstance(terminator, mir.Switch):
        return (*(block for _, block in terminator.cases), terminator.default)
    return ()
