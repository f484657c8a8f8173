"""Loops → MIR.

A range of step 1 or -1 that excludes its end is the plain counted loop, which the passes know how to
free of bounds checks. One that includes its end goes on while the variable has not come to it. Any other
range counts its iterations down beside the variable, since the variable itself might pass the end of its
type:

    left = (stop - start) / step        (in u64; how many times to go round again)
    do: body; while left-- != 0: var += step
"""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.lower.builder import FunctionBuilder, LoopExits, Value
from simple_jit.mir import nodes as mir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Lower: TypeAlias = Callable[[FunctionBuilder, hir.Expr], Value]
    LowerCondition: TypeAlias = Callable[[FunctionBuilder, hir.Expr, mir.Block, mir.Block], None]


def lower_loop(fn: FunctionBuilder, loop: hir.Loop, lower: Lower, lower_condition: LowerCondition) -> None:
    """`header: poll; if cond: body; step; goto header`; library loops that end soon need no poll."""
    header, body, done = fn.new_block(), fn.new_block(), fn.new_block()
    step = fn.new_block() if loop.step is not None else header
    fn.jump(header)
    fn.switch_to(header)
    if "ends_soon" not in fn.source.annotations:
        fn.emit(mir.Poll(fn.place(loop.span)))
    if loop.cond is None:
        fn.jump(body)
    else:
        lower_condition(fn, loop.cond, body, done)
    fn.loops[loop.target] = LoopExits(done, step)
    fn.switch_to(body)
    lower(fn, loop.body)
    fn.jump(step)
    if loop.step is not None:
        fn.switch_to(step)
        lower(fn, loop.step)
        fn.jump(header)
    fn.switch_to(done)


def lower_for_range(
    fn: FunctionBuilder, loop: hir.ForRange, start: mir.Local, stop: mir.Local, step: mir.Local, lower: Lower
) -> None:
    """Lower a counted loop whose bounds are already evaluated."""
    constant = loop.step.value if isinstance(loop.step, hir.Const) else None
    bound = fn.local(stop.type)
    fn.emit(mir.Copy(bound, stop))
    if constant in (1, -1):
        by_one = _up_to if loop.inclusive else _plain
        by_one(fn, loop, start, bound, step, "lt" if constant == 1 else "gt", lower)
    else:
        _counted(fn, loop, start, bound, step, lower)


def _plain(
    fn: FunctionBuilder,
    loop: hir.ForRange,
    start: mir.Local,
    stop: mir.Local,
    step: mir.Local,
    before: mir.CompareOp,
    lower: Lower,
) -> None:
    header, body, latch, done = fn.new_block(), fn.new_block(), fn.new_block(), fn.new_block()
    position = fn.local(start.type, loop.var.name)
    fn.emit(mir.Copy(position, start))
    fn.jump(header)
    fn.switch_to(header)
    fn.terminate(mir.Branch(fn.compare(before, position, stop), body, done))
    fn.switch_to(body)
    _body(fn, loop, position, latch, done, lower)
    fn.switch_to(latch)
    fn.emit(mir.Binary("add", position, position, step))
    fn.jump(header)
    fn.switch_to(done)


def _up_to(
    fn: FunctionBuilder,
    loop: hir.ForRange,
    start: mir.Local,
    stop: mir.Local,
    step: mir.Local,
    before: mir.CompareOp,
    lower: Lower,
) -> None:
    first, body, latch, again, done = (fn.new_block() for _ in range(5))
    position = fn.local(start.type, loop.var.name)
    beyond = fn.compare(before, stop, start)
    fn.terminate(mir.Branch(beyond, done, first))
    fn.switch_to(first)
    fn.emit(mir.Copy(position, start))
    fn.jump(body)
    fn.switch_to(body)
    _body(fn, loop, position, latch, done, lower)
    fn.switch_to(latch)
    fn.terminate(mir.Branch(fn.compare(before, position, stop), again, done))
    fn.switch_to(again)
    fn.emit(mir.Binary("add", position, position, step))
    fn.jump(body)
    fn.switch_to(done)


def _counted(
    fn: FunctionBuilder, loop: hir.ForRange, start: mir.Local, stop: mir.Local, step: mir.Local, lower: Lower
) -> None:
    first, body, latch, again, done = (fn.new_block() for _ in range(5))
    position = fn.local(start.type, loop.var.name)
    left = fn.local(mir.U64, "left")
    fn.emit(mir.Copy(position, start))
    runs = _runs(fn, loop, start, stop, step)
    fn.terminate(mir.Branch(runs, first, done))

    fn.switch_to(first)
    fn.emit(mir.Copy(left, _times_again(fn, loop, start, stop, step)))
    fn.jump(body)
    fn.switch_to(body)
    _body(fn, loop, position, latch, done, lower)

    fn.switch_to(latch)
    more = fn.compare("ne", left, fn.const(mir.U64, 0))
    fn.terminate(mir.Branch(more, again, done))
    fn.switch_to(again)
    fn.emit(mir.Binary("sub", left, left, fn.const(mir.U64, 1)))
    fn.emit(mir.Binary("add", position, position, step))
    fn.jump(body)
    fn.switch_to(done)


def _body(
    fn: FunctionBuilder,
    loop: hir.ForRange,
    position: mir.Local,
    latch: mir.Block,
    done: mir.Block,
    lower: Lower,
) -> None:
    """The body, with a poll in front of it if it turns out to call something."""
    fn.loops[loop.target] = LoopExits(done, latch)
    calls_before, fn.has_calls = fn.has_calls, False
    head = fn.block
    (variable,) = fn.variable(loop.var)
    fn.emit(mir.Copy(variable, position))
    lower(fn, loop.body)
    if fn.has_calls:
        head.instructions.insert(0, mir.Poll(fn.place(loop.span)))
    fn.has_calls = fn.has_calls or calls_before
    fn.jump(latch)


def _widened(fn: FunctionBuilder, value: mir.Local) -> mir.Local:
    """Return `value` extended to 64 bits, as u64: differences of two are exact."""
    wide = fn.convert(value, mir.I64 if value.type.signed else mir.U64)
    return fn.convert(wide, mir.U64)


def _runs(
    fn: FunctionBuilder, loop: hir.ForRange, start: mir.Local, stop: mir.Local, step: mir.Local
) -> mir.Local:
    """Is there a first iteration?"""
    up = fn.compare("le" if loop.inclusive else "lt", start, stop)
    if not step.type.signed:
        return up
    down = fn.compare("ge" if loop.inclusive else "gt", start, stop)
    dst = fn.local(mir.BOOL)
    fn.emit(mir.Select(dst, _is_up(fn, step), up, down))
    return dst


def _is_up(fn: FunctionBuilder, step: mir.Local) -> mir.Local:
    return fn.compare("gt", step, fn.const(step.type, 0))


def _times_again(
    fn: FunctionBuilder, loop: hir.ForRange, start: mir.Local, stop: mir.Local, step: mir.Local
) -> mir.Local:
    """How many iterations follow the first, given that there is one."""
    first, last, stride = _widened(fn, start), _widened(fn, stop), _widened(fn, step)
    distance = fn.binary("sub", last, first)
    if step.type.signed:
        upwards = _is_up(fn, step)
        back = fn.binary("sub", first, last)
        negated = fn.local(mir.U64)
        fn.emit(mir.Unary("neg", negated, stride))
        forth_distance, forth_stride = distance, stride
        distance, stride = fn.local(mir.U64), fn.local(mir.U64)
        fn.emit(mir.Select(distance, upwards, forth_distance, back))
        fn.emit(mir.Select(stride, upwards, forth_stride, negated))
    if not loop.inclusive:
        distance = fn.binary("sub", distance, fn.const(mir.U64, 1))
    return fn.binary("div", distance, stride)
