"""The engine: one context and heap, the interpreter, native code, and who runs what."""

from __future__ import annotations

import time
from _thread import RLock

from simple_jit.base.background import Background
from simple_jit.engine import policy
from simple_jit.engine.config import Config
from simple_jit.engine.log import Decision, Log
from simple_jit.engine.regions import region_handler
from simple_jit.engine.store import MirStore, addressed, callees
from simple_jit.engine.tracebacks import Tracebacks
from simple_jit.hir import nodes as hir
from simple_jit.hir import types as types
from simple_jit.mir import abi
from simple_jit.runtime.context import Context
from simple_jit.runtime.errors import SimpleError
from simple_jit.runtime.externs import ExternTable
from simple_jit.runtime.heap import Heap
from simple_jit.runtime.memory import I64
from simple_jit.runtime.output import Output
from simple_jit.tiers.contract import Backend, BackendError, BackendMissing, Link
from simple_jit.tiers.interpreter.hooks import Frame, Handler, Hooks, LoopSite, Window
from simple_jit.tiers.interpreter.instance import Instance
from simple_jit.tiers.interpreter.machine import Interpreter
from simple_jit.tiers.interpreter.shapes import FILE_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Final

    from simple_jit.engine.native import NativeCode
    from simple_jit.mir import nodes as mir
    from simple_jit.runtime.collector import Functions
    from simple_jit.runtime.output import Sink
    from simple_jit.runtime.time_limit import TimeLimit

    Aside = tuple[hir.Program | None, list[int], list[tuple[str, int]]]


MOST_NESTED: Final = 200
"""How often Python that a program calls may call the program again: Python does not look at its C stack."""


class Engine(Hooks):
    """Runs programs. `config` may be changed while one runs.

    It serves one thread at a time: those that share it take turns by `lock`. With `is_command` the process is
    there for it alone, and ends when a signal says so.

    Args:
        config: modes, back end, thresholds.
        sink: takes the bytes of standard output; file descriptor 1 where it is None.
        error_sink: the same for standard error.
    """

    def __init__(self, config: Config, sink: Sink | None = None, error_sink: Sink | None = None) -> None:
        self.config = config
        self.log = Log(config.verbose)
        self.context = Context()
        self.heap = Heap(self.context, limit=config.heap_max, load=self._load_collector)
        self.output = Output(self.context, sink, error_sink)
        self.externs = ExternTable(self.context, self.heap, self.output)
        self.interpreter = Interpreter(self.context, self.heap, self)
        self.externs.callbacks.call_value = self.call_value
        self.store = MirStore({})
        self._functions: Mapping[str, hir.Function] = {}
        self.program: hir.Program | None = None
        self._running = 0
        self.lock = RLock()
        self.is_command = False
        self._backends: dict[str, Backend] = {}
        self._native: NativeCode | None = None
        self._regions = 0
        self._compiled: dict[str, hir.Function] = {}
        self._makers: dict[types.Type, Callable[..., int]] = {}
        self.heap.call_value = self._call_from_outside
        self.heap.is_in_use = lambda: self._running > 0
        self.heap.make_collection = self._make_collection
        self.heap.text_dict = self._text_dict
        tracebacks = Tracebacks(
            self.context, lambda: self.interpreter, lambda: self._functions, self._call_at
        )
        self.context.frames_of, self.context.settle = tracebacks.frames, tracebacks.settle
        self._define_externs()

    def close(self) -> None:
        """Give back the memory. Nothing made by this engine may be used afterwards.

        Raises:
            RuntimeError: a program is running.
        """
        if self._running:
            raise RuntimeError("an engine cannot be closed while it runs a program")
        self.output.flush()
        if self._native is not None:
            self._native.close()
        self.output.close()
        self.externs.callbacks.close()
        self.heap.close()
        self.context.close()

    # --- running ----------------------------------------------------------------------------------
    def prefetch(self) -> Background:
        """Have the back end load what it needs, in a thread of its own, while the front end works.

        A missing back end is reported by the first compilation. The process must not end before
        this does.
        """
        return Background(lambda: self._usable_backend().prefetch(self.config.level))

    def load(self, program: hir.Program) -> None:
        """Make the instances of a checked program known; the program before is forgotten.

        Its code, and its entries in the tables of the context, make room for the next one's.

        Raises:
            RuntimeError: a program is running.
        """
        if self._functions is program.functions:
            return
        if self._running:
            raise RuntimeError("an engine cannot load a program while it runs another")
        self.externs.callbacks.forget_program()
        self.context.forget_program()
        self.heap.forget_constants()
        self.heap.collector.collect_types()
        if self._native is not None:
            self._native.forget_program()
        self._take(program)

    def load_beside(self, program: hir.Program) -> None:
        """The same, but code of the programs before stays callable from outside, their variables too."""
        self.context.begin_program()
        if self._native is not None:
            self._native.begin_program()
        self._take(program)

    def _take(self, program: hir.Program) -> None:
        self.interpreter = Interpreter(self.context, self.heap, self)
        self._makers.clear()
        self._compiled.clear()
        self._functions = program.functions
        self.program = self.heap.program = program
        self.store = MirStore(program.functions)

    def set_aside(self) -> Aside:
        """Keep the module-level variables of the loaded program, for `bring_back`, while others run.

        Function values in them hold places in the code table, so those are kept too.
        """
        cells = self.context.globals_in_use()
        self.heap.held.append(cells)
        return self.program, cells, self.context.code_slots()

    def bring_back(self, program: hir.Program, aside: Aside) -> None:
        """Load `program` again, with its module-level variables as they were."""
        before, cells, slots = aside
        self.heap.held = [other for other in self.heap.held if other is not cells]
        self.load(program)
        if program is before:
            self.context.restore_code_slots(slots)
        self.context.set_globals(cells)

    def run(self, program: hir.Program, args: Sequence[str]) -> int:
        """Run a checked program and return its exit status.

        Raises:
            SimpleError: the program failed.
            SimpleExit: it asked to end.
            BackendError: AlwaysJit, and something cannot be compiled.
            BackendMissing: AlwaysJit, and the back end is not installed.
        """
        self.load(program)
        texts = [self.heap.new_text(arg) for arg in args]
        arguments = self.heap.new_array(types.array_of(types.TEXT), texts)
        self.context.store(abi.ARGS, arguments)
        status = self.callable(program.start)(arguments)
        assert isinstance(status, int)
        return status

    def callable(self, function: hir.Function) -> Callable[..., Any]:
        """Return what runs an instance, in the mode the engine is in.

        It takes and returns values in the interpreter's form.
        """
        if self.config.mode == "always_jit":
            if not self.has_code(function.symbol):
                self.compile_all([function])
            return self._guarded(self.native.entry(function))
        self.apply_config()
        run, instance = self.interpreter.run, self.interpreter.instance(function)
        return self._guarded(lambda *args: run(instance, *args))

    def _guarded(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return `call` that tells the engine when it runs, and native code whose stack it runs on."""

        def run(*args: Any) -> Any:
            if self._running >= MOST_NESTED:
                raise SimpleError("StackOverflow", "stack overflow")
            self._running += 1
            try:
                self.context.use_this_thread()
                if self._native is not None:
                    self._native.use_this_thread()
                return call(*args)
            finally:
                self._running -= 1

        return run

    def time_limit(self) -> TimeLimit:
        """Return what bounds the time of a call from outside, for a `with`."""
        from simple_jit.runtime.time_limit import TimeLimit

        return TimeLimit(self.config.time_limit, FILE_NAME)

    def compiled_functions(self) -> list[hir.Function]:
        """Return the functions of the program that are native code; with AlwaysJit also inlined ones."""
        if self.config.mode == "always_jit":
            work = list(self._compiled)
            for symbol in work:
                lowered = self.store.lowered(symbol)
                for callee in sorted(callees(lowered)) if lowered is not None else ():
                    if callee not in self._compiled:
                        self._compiled[callee] = self._functions[callee]
                        work.append(callee)
        return list(self._compiled.values())

    @property
    def runs_native_code(self) -> bool:
        """May native code be running, or run later with what is in the heap now?"""
        return self._native is not None

    def has_code(self, symbol: str) -> bool:
        """Is there native code for an instance?"""
        return self._native is not None and self._native.has_code(symbol)

    def apply_config(self) -> None:
        """Let the interpreter go by the mode and the thresholds of `config` from now on."""
        self.call_threshold = policy.call_threshold(self.config)
        self.loop_threshold = policy.loop_threshold(self.config)
        size = policy.window(self.config)
        if size is None:
            self.window = None
        elif self.window is None:
            self.window = Window(size)

    def table_sizes(self) -> dict[str, int]:
        """Return how much there is in each table that programs fill, by name."""
        sizes = self.context.table_sizes()
        sizes["kept objects"] = len(self.heap.pinned())
        sizes["instances"] = len(self.interpreter.instances)
        if self._native is not None:
            sizes["code bytes"] = self._native.code_bytes
        return sizes

    # --- what the interpreter asks ----------------------------------------------------------------
    def hot_function(self, instance: Instance) -> None:
        function = instance.function
        started = time.perf_counter()
        try:
            backend = self._usable_backend()
            self._refuse_marked(function)
            symbols = self._with_library(function.symbol)
            self.native.install([self._optimised(s, backend) for s in symbols], backend, self.config.level)
            instance.call = self.native.entry(function)
            self._compiled[function.symbol] = function
        except (BackendError, BackendMissing) as error:
            self._note_interpreted(function, str(error))
            return
        self._note_compiled(function, function.symbol, backend, f"{instance.calls} calls", started)

    def window_full(self, window: Window) -> None:
        window.left = self.config.profile_window
        for instance in policy.hot_instances(self.interpreter.instances.values(), self.config):
            self.interpreter.heat(instance)

    def hot_loop(self, site: LoopSite, frame: Frame) -> Handler | None:
        from simple_jit.lower import lower_region

        started = time.perf_counter()
        function = site.function
        self._regions += 1
        symbol = f"{function.symbol}#loop{self._regions}"
        try:
            backend = self._usable_backend()
            self._refuse_marked(function)
            region = lower_region(function, site.loop, symbol)
            if region is None:
                raise BackendError("the loop has too many variables")
            unit = [self._passes(region.function, backend)]
            unit += [self._optimised(s, backend) for s in self._library_callees(region.function)]
            self.native.install(unit, backend, self.config.level)
            enter = self.native.region_entry(symbol)
        except (BackendError, BackendMissing) as error:
            self._note_interpreted(function, f"a loop: {error}")
            return None
        line = site.loop.span.line_column()[0]
        self._note_compiled(function, f"loop in {function.symbol}", backend, "hot loop", started, line)
        return region_handler(region, site, self.context.address, enter)

    def extern(self, extern: hir.Extern) -> Callable[..., Any]:
        return self.externs.function(extern)

    def call_value(self, closure: int, args: list[Any]) -> Any:
        """Call a function value in the interpreter, as C does."""
        return self.interpreter.code[I64[(closure + abi.HEADER_SIZE) >> 3]].call(*args, closure)

    def _call_from_outside(self, closure: int, args: list[Any]) -> Any:
        """Call a function value as Python does."""
        with self.lock:
            instance = self.interpreter.code[I64[(closure + abi.HEADER_SIZE) >> 3]]
            try:
                return self._guarded(self.interpreter.run)(instance, *args, closure)
            finally:
                self.output.flush()

    def function(self, symbol: str) -> hir.Function:
        return self._functions[symbol]

    # --- compiling --------------------------------------------------------------------------------
    @property
    def native(self) -> NativeCode:
        """The native code, set up at the first compilation.

        Crossings do not get faster by optimisation, so the back end that compiles fastest makes them.
        """
        if self._native is None:
            from simple_jit.engine.native import NativeCode

            fastest = self.backend("auto")
            instance, is_command = self._find_instance, self.is_command
            self._native = NativeCode(self.context, self.heap, fastest, instance, is_command)
            self.externs.callbacks.make_native = self._native.callback_thunk
            self.externs.make_variadic = self._native.variadic_thunk
        return self._native

    def _call_at(self, address: int) -> tuple[int, tuple[int, ...]] | None:
        return self._native.call_at(address) if self._native is not None else None

    def _find_instance(self, symbol: str) -> tuple[hir.Function, Instance]:
        function = self._functions[symbol]
        return function, self.interpreter.instance(function)

    def backend(self, name: str) -> Backend:
        """Return a back end by name (`auto`: Cranelift, else LLVM).

        Raises:
            BackendMissing: its package is not installed.
        """
        found = self._backends.get(name)
        if found is None:
            from simple_jit.engine.backends import open_backend

            found = self._backends[name] = open_backend(name)
        return found

    def _usable_backend(self) -> Backend:
        return self.backend(self.config.backend)

    def compile_all(self, functions: Sequence[hir.Function]) -> None:
        """Compile functions of the loaded program and all that they reach, as one unit.

        Raises:
            BackendError: something cannot be compiled.
            BackendMissing: the back end is not installed.
        """
        started = time.perf_counter()
        backend = self._usable_backend()
        symbols = [function.symbol for function in functions]
        unit = self._reachable(symbols, backend)
        entered = set(symbols).union(*map(addressed, unit))
        self.native.install(unit, backend, self.config.level, sorted(entered))
        self._compiled.update((part.symbol, self._functions[part.symbol]) for part in unit)
        subject = f"{', '.join(symbols)} and {len(unit) - len(symbols)} that are reached"
        self._note_compiled(functions[0], subject, backend, "always_jit", started)

    def compile_unit(self, functions: Sequence[mir.Function], link: Link) -> None:
        """Compile functions that belong to no program; `link` knows their slots. At level 0 no pass runs.

        Raises:
            BackendError: something cannot be compiled.
            BackendMissing: the back end is not installed.
        """
        backend = self._usable_backend()
        unit = list(functions)
        if self.config.level:
            from simple_jit.passes.environment import Environment
            from simple_jit.passes.pipeline import FULL, QUICK, run_passes

            own = {function.symbol: function for function in functions}
            passes = FULL if backend.name == "llvm" else QUICK
            unit = [run_passes(function, Environment(own.get), passes) for function in functions]
        self.native.install(unit, backend, self.config.level, link=link)

    def _reachable(self, starts: Sequence[str], backend: Backend) -> list[mir.Function]:
        """Return `starts` and all that they can get to, optimised; what was inlined everywhere is left out.

        Raises:
            BackendError: a function among them is marked @nojit.
        """
        unit: dict[str, mir.Function] = {}
        work = list(starts)
        while work:
            symbol = work.pop()
            if symbol not in unit:
                self._refuse_marked(self._functions[symbol])
                unit[symbol] = self._optimised(symbol, backend)
                work.extend(callees(unit[symbol]))
        return list(unit.values())

    def _refuse_marked(self, function: hir.Function) -> None:
        if "nojit" in function.annotations:
            raise BackendError(f"`{function.name}` is marked @nojit")

    def _optimised(self, symbol: str, backend: Backend) -> mir.Function:
        function = self.store.lowered(symbol)
        assert function is not None
        return self._passes(function, backend)

    def _passes(self, function: mir.Function, backend: Backend) -> mir.Function:
        from simple_jit.passes.environment import Environment
        from simple_jit.passes.pipeline import FULL, QUICK, run_passes

        if backend.name == "llvm":
            # What is inlined costs LLVM time again: it pays where it runs often.
            return run_passes(function, Environment(self._inlinable, small=12, in_loops=24), FULL)
        return run_passes(function, Environment(self._inlinable), QUICK)

    def _inlinable(self, symbol: str) -> mir.Function | None:
        """Return the MIR that may be copied into callers: not that of functions marked @nojit."""
        function = self._functions.get(symbol)
        if function is None or "nojit" in function.annotations:
            return None
        return self.store.lowered(symbol)

    def _with_library(self, symbol: str) -> list[str]:
        """Return `symbol` and the functions of the core library that it needs and that are not native yet."""
        function = self.store.lowered(symbol)
        assert function is not None
        return [symbol, *self._library_callees(function)]

    def _library_callees(self, function: mir.Function) -> list[str]:
        found: dict[str, None] = {}
        work = list(callees(function))
        while work:
            symbol = work.pop()
            if symbol in found or not symbol.startswith("core.") or self.native.has_code(symbol):
                continue
            found[symbol] = None
            lowered = self.store.lowered(symbol)
            if lowered is not None:
                work.extend(callees(lowered))
        return list(found)

    def _load_collector(self, block: int) -> tuple[Functions, bool] | None:
        from simple_jit.engine.collector import load_collector

        return load_collector(self, block)

    def _make_collection(self, type: types.StructType, keys: int, values: int) -> int:
        """Have the program make a dict or a set, of its type, of arrays."""
        return self.collection_maker(type)(*(keys, values)[: len(type.args)])

    def _text_dict(self) -> types.StructType:
        assert self.program is not None
        assert self.program.finder is not None
        return self.program.finder.text_dict()

    def collection_maker(self, type: types.StructType) -> Callable[..., int]:
        """Return the function of the program that makes dicts or sets of a type of arrays."""
        found = self._makers.get(type)
        if found is None:
            from simple_jit.hir.collections import maker_of

            found = self._makers[type] = self.callable(maker_of(type))
        return found

    # --- the log ----------------------------------------------------------------------------------
    def _note_compiled(
        self,
        function: hir.Function,
        subject: str,
        backend: Backend,
        reason: str,
        started: float,
        line: int = 0,
    ) -> None:
        seconds = time.perf_counter() - started
        place = f"{function.source.path}:{line or function.span.line_column()[0]}"
        self.log.add(Decision("compiled", subject, backend.name, reason, seconds, place))

    def _note_interpreted(self, function: hir.Function, reason: str) -> None:
        place = f"{function.source.path}:{function.span.line_column()[0]}"
        self.log.add(Decision("interpreting", function.symbol, "", reason, 0.0, place))

    # --- what a program can ask of the engine that runs it ----------------------------------------
    def _define_externs(self) -> None:
        from simple_jit.engine.control import define_control_functions

        define_control_functions(self)
