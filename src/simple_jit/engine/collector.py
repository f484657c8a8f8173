"""The collector's code: `lib/core/gc.spl`, taken through the pipeline like a program."""

from __future__ import annotations

from simple_jit.base.diagnostics import Reporter
from simple_jit.base.source import SourceFile
from simple_jit.hir import nodes as hir
from simple_jit.runtime.code_arena import CodeMemoryError
from simple_jit.runtime.collector import FUNCTIONS
from simple_jit.tiers.contract import BackendError, BackendMissing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from simple_jit.engine.engine import Engine
    from simple_jit.mir import nodes as mir
    from simple_jit.runtime.collector import Functions

_SOURCE = """use core.gc.{collect, refill, walk_spans, free_ranges, note_types}

fn main():
    collect(0, 0, 0)
    refill(0, 0)
    walk_spans(0)
    free_ranges(0, 0, 0, 0, 0)
    note_types(0)
"""


def load_collector(engine: Engine, block: int) -> tuple[Functions, bool]:
    """Return the collector's functions; the second: are they native code, as where there is a back end?

    Native code then asks that of `lib/core/gc.spl` for memory, and Python where it has none. `block` is the
    address of the collector's cells.
    """
    import gc

    from simple_jit.hir.check import check_program

    enabled = gc.isenabled()
    gc.disable()
    try:
        return _load(engine, block, check_program(SourceFile("<collector>", _SOURCE), Reporter()))
    finally:
        if enabled:
            gc.enable()


def _load(engine: Engine, block: int, program: hir.Program | None) -> tuple[Functions, bool]:
    assert program is not None, "the collector does not pass the checker"
    found = {function.name: function for function in program.functions.values()}
    wanted = {name: found[name] for name in FUNCTIONS}
    try:
        functions = _compiled(engine, program, wanted)
        if not engine.heap.collector.stress:
            _install_refill(engine, wanted["refill"], block)
        return functions, True
    except (BackendError, BackendMissing, CodeMemoryError):
        return _interpreted(engine, wanted), False


def _compiled(engine: Engine, program: hir.Program, wanted: dict[str, hir.Function]) -> Functions:
    backend = engine.backend("auto")
    engine.native.install(_unit(program, wanted), backend, 2, kept=True)
    return {name: engine.native.entry(function) for name, function in wanted.items()}


def _install_refill(engine: Engine, refill: hir.Function, block: int) -> None:
    from simple_jit.runtime.crossing_code import refill_function

    context, name = engine.context, "rt_heap_refill"
    slot = context.code_offset(refill.symbol)
    function = refill_function(slot, block, engine.externs.address(name))
    context.store(context.import_offset(name), engine.native.add_c_function(function))


def _unit(program: hir.Program, wanted: dict[str, hir.Function]) -> list[mir.Function]:
    from simple_jit.engine.store import MirStore, callees
    from simple_jit.passes.environment import Environment
    from simple_jit.passes.pipeline import INLINE, run_passes

    store = MirStore(program.functions)
    environment = Environment(store.lowered)
    unit: dict[str, mir.Function] = {}
    work = [function.symbol for function in wanted.values()]
    while work:
        symbol = work.pop()
        if symbol not in unit:
            lowered = store.lowered(symbol)
            assert lowered is not None
            # The back end does the rest well enough, and the program waits meanwhile.
            unit[symbol] = _without_polls(run_passes(lowered, environment, (INLINE,)))
            work.extend(callees(unit[symbol]))
    return list(unit.values())


def _without_polls(function: mir.Function) -> mir.Function:
    """Nothing may stop a collection half-way."""
    from simple_jit.mir.nodes import Poll

    function.checks_stack = False
    for block in function.blocks:
        block.instructions = [i for i in block.instructions if not isinstance(i, Poll)]
    return function


def _interpreted(engine: Engine, wanted: dict[str, hir.Function]) -> Functions:
    from simple_jit.tiers.interpreter.hooks import Hooks
    from simple_jit.tiers.interpreter.machine import Interpreter

    interpreter = Interpreter(engine.context, engine.heap, Hooks())

    def caller(function: hir.Function) -> Callable[..., int]:
        instance = interpreter.instance(function)
        return lambda *args: instance.call(*args)

    return {name: caller(function) for name, function in wanted.items()}
