"""Hot loops: the native code of a region, and how an interpreted frame enters and leaves it."""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir import types as types
from simple_jit.mir import abi
from simple_jit.mir.layout import flatten
from simple_jit.runtime.memory import I64
from simple_jit.runtime.values import cells_access
from simple_jit.tiers.interpreter.hooks import RETURN, Frame, Handler, LoopSite, Signal, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from simple_jit.lower import Region


def region_handler(
    region: Region, site: LoopSite, context_address: int, enter: Callable[[], object]
) -> Handler:
    """Return what runs the rest of a loop natively.

    Args:
        region: the compiled loop.
        site: the loop as the interpreter knows it.
        context_address: where the BUFFER is found.
        enter: calls the region's code; raises what the program throws in it.
    """
    first = context_address + abi.BUFFER + 8
    exit_cell = (context_address + abi.BUFFER) >> 3
    signals: list[Signal | None] = [_signal(site, kind, target) for kind, target in region.exits]
    state_writers = []
    if isinstance(site.loop, hir.ForRange):
        write = cells_access(site.loop.var.type)[1]
        state_writers = [(write, first + 8 * n) for n in range(3)]
    inputs = []
    address = first + 8 * len(state_writers)
    for local in region.inputs:
        inputs.append((local.index, cells_access(local.type)[1], address, _may_be_none(local.type)))
        address += 8 * len(flatten(local.type))
    outputs = []
    address = first
    for local in region.outputs:
        outputs.append((local.index, cells_access(local.type)[0], address))
        address += 8 * len(flatten(local.type))
    read_result = cells_access(region.ret)[0] if flatten(region.ret) else None

    def handler(frame: Frame, state: State | None) -> Signal | None:
        if state is not None:
            for (write, at), value in zip(state_writers, state, strict=True):
                write(at, value)
        for index, write, at, may_be_none in inputs:
            value = frame[index]
            # A local that has no value yet is assigned in the loop before it is used.
            if value is not None or may_be_none:
                write(at, value)
        enter()
        signal: Signal | None = signals[I64[exit_cell]]
        if signal is RETURN:
            frame[-1] = read_result(first) if read_result is not None else None
        else:
            for index, read, at in outputs:
                frame[index] = read(at)
        return signal

    return handler


def _may_be_none(type: types.Type) -> bool:
    return isinstance(type, types.OptionalType) and not types.is_nullable_reference(type)


def _signal(site: LoopSite, kind: str, target: object) -> Signal | None:
    if kind == "end":
        return None
    return RETURN if kind == "return" else site.signals[target, kind]  # type: ignore[index]
