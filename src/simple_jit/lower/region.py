"""One hot loop of an instance → a MIR function that runs it from its next iteration on.

The loop's locals come in through the context's BUFFER, one cell a component, and go back the same way:

    BUFFER[0]                how the loop was left: an index into `Region.exits`
    BUFFER[1 …]              in: `inputs`, flattened; out: `outputs`, flattened
                             (for a return: the value, flattened)

A ForRange gets its next value, its stop and its step in front of the inputs.
"""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir import types as types
from simple_jit.hir.walk import walk
from simple_jit.lower.builder import FunctionBuilder, LoopExits, Value
from simple_jit.lower.expressions import lower
from simple_jit.lower.loops import lower_for_range
from simple_jit.lower.nesting import nests_deeply
from simple_jit.mir import abi
from simple_jit.mir import nodes as mir
from simple_jit.mir.layout import flatten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

Exit: TypeAlias = "tuple[Literal['end', 'return', 'break', 'continue'], hir.LoopTarget | None]"


class Region:
    """A compiled loop's interface; `function` takes and returns nothing but through the BUFFER."""

    __slots__ = ("exits", "function", "inputs", "outputs", "ret")

    def __init__(
        self,
        function: mir.Function,
        inputs: list[hir.Local],
        outputs: list[hir.Local],
        exits: list[Exit],
        ret: types.Type,
    ) -> None:
        self.function = function
        self.inputs = inputs
        self.outputs = outputs
        self.exits = exits
        self.ret = ret


@nests_deeply
def lower_region(source: hir.Function, loop: hir.Loop | hir.ForRange, symbol: str) -> Region | None:
    """Lower `loop` of `source`; None where its locals do not fit the BUFFER."""
    used, assigned, exits = _survey(loop)
    inputs = [local for local in source.locals if local in used]
    outputs = [local for local in inputs if local in assigned]
    if sum(len(flatten(local.type)) for local in inputs) + 4 > abi.BUFFER_COUNT:
        return None
    line = loop.span.line_column()[0]
    fn = FunctionBuilder(source, mir.Function(symbol, (), source.source.path, line))
    region = Region(fn.function, inputs, outputs, exits, source.ret)
    cells = _Cells(fn)
    if source.track_caller:
        fn.site = fn.const(mir.I64, 0)
    fn.leave = lambda value: _leave(fn, exits.index(("return", None)), value)
    for index, (kind, target) in enumerate(exits):
        if target is not None:
            _outer_exit(fn, region, index, kind, target)
    if isinstance(loop, hir.ForRange):
        (start,), (stop,), (step,) = (cells.load(loop.var.type) for _ in range(3))
        _load_inputs(fn, cells, inputs)
        lower_for_range(fn, loop, start, stop, step, lower)
    else:
        _load_inputs(fn, cells, inputs)
        lower(fn, loop)
    _leave(fn, 0, _outputs(fn, outputs))
    fn.finish()
    return region


class _Cells:
    """Reads the BUFFER cell by cell."""

    def __init__(self, fn: FunctionBuilder) -> None:
        self._fn = fn
        self._offset = abi.BUFFER + 8

    def load(self, type: types.Type) -> Value:
        parts = []
        for part in flatten(type):
            parts.append(self._fn.load(part, self._fn.context(), self._offset))
            self._offset += 8
        return tuple(parts)


def _load_inputs(fn: FunctionBuilder, cells: _Cells, inputs: list[hir.Local]) -> None:
    for local in inputs:
        fn.assign(fn.variable(local), cells.load(local.type))


def _outputs(fn: FunctionBuilder, outputs: list[hir.Local]) -> Value:
    return tuple([part for local in outputs for part in fn.variable(local)])


def _leave(fn: FunctionBuilder, exit: int, value: Value) -> None:
    ctx = fn.context()
    fn.emit(mir.Store(fn.const(mir.I64, exit), ctx, abi.BUFFER))
    for position, part in enumerate(value, 1):
        fn.emit(mir.Store(part, ctx, abi.BUFFER + 8 * position))
    fn.terminate(mir.Return(()))


def _outer_exit(fn: FunctionBuilder, region: Region, index: int, kind: str, target: hir.LoopTarget) -> None:
    """A block that leaves the region to break or continue a loop around it."""
    here, block = fn.block, fn.new_block()
    fn.switch_to(block)
    _leave(fn, index, _outputs(fn, region.outputs))
    fn.switch_to(here)
    exits = fn.loops.setdefault(target, LoopExits(block, block))
    if kind == "break":
        exits.break_to = block
    else:
        exits.continue_to = block


def _survey(loop: hir.Expr) -> tuple[set[hir.Local], set[hir.Local], list[Exit]]:
    """Return the locals that a loop uses, those it assigns, and the ways out of it."""
    used: set[hir.Local] = set()
    assigned: set[hir.Local] = set()
    exits: list[Exit] = [("end", None)]
    inside: set[hir.LoopTarget] = set()
    for node in walk(loop):
        if isinstance(node, hir.LocalGet):
            used.add(node.local)
        elif isinstance(node, hir.LocalSet):
            used.add(node.local)
            assigned.add(node.local)
        elif isinstance(node, hir.ForRange):
            used.add(node.var)
            assigned.add(node.var)
            inside.add(node.target)
        elif isinstance(node, hir.Loop):
            inside.add(node.target)
        elif isinstance(node, hir.Return):
            _add_exit(exits, ("return", None))
        elif isinstance(node, hir.Break) and node.target not in inside:
            _add_exit(exits, ("break", node.target))
        elif isinstance(node, hir.Continue) and node.target not in inside:
            _add_exit(exits, ("continue", node.target))
    return used, assigned, exits


def _add_exit(exits: list[Exit], exit: Exit) -> None:
    if exit not in exits:
        exits.append(exit)
