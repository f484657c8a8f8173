"""The collector's code: `lib/core/gc.spl`, taken through the pipeline like a program."""

from __future__ import annotations

from simple_jit.base.diagnostics import Reporter
from simple_jit.base.source import SourceFile
from simple_jit.engine.code_cache import CachedUnit, CodeCache
from simple_jit.hir import nodes as hir
from simple_jit.mir import abi
from simple_jit.mir.nodes import I64
from simple_jit.mir.verify import verify
from simple_jit.runtime.collector import FUNCTIONS
from simple_jit.tiers.contract import BackendError, BackendMissing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from simple_jit.engine.engine import Engine
    from simple_jit.mir import nodes as mir
    from simple_jit.mir.nodes import Site
    from simple_jit.runtime.collector import Functions
    from simple_jit.tiers.contract import Backend

_SOURCE = """use core.gc.{collect, refill, walk_spans, free_ranges, note_types}

fn main():
    collect(0, 0, 0)
    refill(0, 0)
    walk_spans(0)
    free_ranges(0, 0, 0, 0, 0)
    note_types(0)
"""


_UNIT = "collector"


def load_collector(engine: Engine, block: int) -> tuple[Functions, bool] | None:
    """Return the collector's functions; the second: are they native code, as where there is a back end?

    Native code then asks that of `lib/core/gc.spl` for memory, and Python where it has none. `block` is the
    address of the collector's cells. None where a collector cannot be had: beside native code, whose frames
    an interpreted one does not see.
    """
    runs_native_code = engine.runs_native_code
    try:
        functions, refill = _native(engine)
        if not engine.heap.collector.is_asked_always:
            _install_refill(engine, refill, block)
        return functions, True
    except (BackendError, BackendMissing):
        if runs_native_code:
            return None
        _, wanted = _checked()
        return _interpreted(engine, wanted), False


def _checked() -> tuple[hir.Program, dict[str, hir.Function]]:
    """Return the program of the collector, and those of its functions that are called from outside."""
    import gc

    from simple_jit.hir.check import check_program

    enabled = gc.isenabled()
    gc.disable()
    try:
        program = check_program(SourceFile("<collector>", _SOURCE), Reporter())
    finally:
        if enabled:
            gc.enable()
    assert program is not None, "the collector does not pass the checker"
    found = {function.name: function for function in program.functions.values()}
    return program, {name: found[name] for name in FUNCTIONS}


def collector_functions() -> tuple[list[mir.Function], dict[str, str]]:
    """Return the MIR of the collector, and the symbols of the functions that others call, by name."""
    program, wanted = _checked()
    return _unit(program, wanted), {name: function.symbol for name, function in wanted.items()}


def _native(engine: Engine) -> tuple[Functions, int]:
    """Return the functions as native code, from the cache if they are there, and the slot of `refill`."""
    backend = engine.backend("auto")
    native, context = engine.native, engine.context
    cache = CodeCache(backend)
    unit = cache.load(_UNIT)
    if unit is None:
        unit = _compiled(backend)
        cache.save(_UNIT, unit)
    base = native.add_unit(unit.code)
    for name, cell in unit.cells.items():
        entry = unit.code.entries.get(name)
        context.store(cell, engine.externs.address(name) if entry is None else base + entry)
    slots = {name: unit.cells[name] for name in FUNCTIONS}
    functions = {
        name: native.entry_at(slot, (I64,) * FUNCTIONS[name], (I64,)) for name, slot in slots.items()
    }
    return functions, slots["refill"]


def _compiled(backend: Backend) -> CachedUnit:
    program, wanted = _checked()
    functions = _unit(program, wanted)
    for function in functions:
        verify(function)
    link = _Link()
    code = backend.compile(functions, link, 2)
    # What is called from outside is found by its plain name.
    for name, source in wanted.items():
        code.entries[name] = code.entries[source.symbol]
        link.code_offset(name)
    return CachedUnit(code, link.cells)


class _Link:
    """Gives the collector's code cells of its own: it is independent of the program it runs with."""

    context_address = 0

    def __init__(self) -> None:
        self.cells: dict[str, int] = {}

    def code_offset(self, symbol: str) -> int:
        found = self.cells.get(symbol)
        if found is None:
            assert len(self.cells) < abi.COLLECTOR_COUNT
            found = self.cells[symbol] = abi.COLLECTOR + 8 * len(self.cells)
        return found

    import_offset = code_offset

    def text_offset(self, value: str) -> int:
        raise BackendError("the collector has no texts")

    def site_number(self, site: Site) -> int:
        return 0  # it has no errors, and is in no traceback

    def type_id(self, name: str) -> int:
        raise BackendError("the collector makes no objects")


def _install_refill(engine: Engine, slot: int, block: int) -> None:
    from simple_jit.runtime.crossing_code import refill_function

    context, name = engine.context, "rt_heap_refill"
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
