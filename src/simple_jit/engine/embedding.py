"""Engines inside of a program: the `rt_` functions under `lib/compiler`.

A program knows an engine or a manager by its number. Each has its own heap; values pass as `engine.transfer`
says. What can fail returns an array: the value alone, or nil and the message.
"""

from __future__ import annotations

from simple_jit.base.diagnostics import CompileError
from simple_jit.base.source import SourceFile
from simple_jit.engine.backends import is_available
from simple_jit.engine.config import BACKENDS, MODES, Config
from simple_jit.hir import types as types
from simple_jit.runtime.errors import SimpleError, SimpleExit
from simple_jit.tiers.contract import BackendMissing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from simple_jit.engine.engine import Engine
    from simple_jit.engine.execution import LocalExecutionManager
    from simple_jit.engine.hosted import HostedEngine

_ANYS = types.array_of(types.ANY)
_TEXTS = types.array_of(types.TEXT)
_NUMBERS = types.array_of(types.I64)


def define_embedding(engine: Engine) -> None:
    """Add what `JitInterpreterBackend`, `LocalExecutionManager` and `mir_of` are made of."""
    _define_engines(engine)
    _define_managers(engine)

    def mir_of(source: int) -> int:
        from simple_jit.engine.mir_text import mir_of

        return _answer(engine, lambda: (mir_of(engine.heap.read_text(source)), types.TEXT))

    engine.externs.define("rt_mir_of", (types.TEXT,), _ANYS, mir_of)


def _define_engines(engine: Engine) -> None:
    engines: list[HostedEngine] = []
    read = engine.heap.read_text

    def create(
        mode: int,
        backend: int,
        threshold: int,
        verbose: bool,
        window: int,
        percent: float,
        level: int,
        heap: int,
        seconds: float,
    ) -> int:
        from simple_jit.engine.hosted import HostedEngine

        config = Config(
            MODES[mode],
            _usable(read(backend), always=MODES[mode] != "always_interpret"),
            threshold,
            bool(verbose),
            level=level,
            profile_window=window,
            threshold_percent=percent,
            heap_max=heap or None,
            time_limit=seconds or None,
        )
        try:
            config.check()
        except ValueError as error:
            raise SimpleError("Panic", str(error)) from None
        engines.append(HostedEngine(config, engine.output.write, engine.output.write_error))
        return len(engines) - 1

    def run(number: int, source: int) -> int:
        text = SourceFile("<source>", read(source))
        return _answer(engine, lambda: (engines[number].run(text), types.I64))

    def run_file(number: int, path: int) -> int:
        return _answer(engine, lambda: (engines[number].run_file(read(path)), types.I64))

    def evaluate(number: int, source: int) -> int:
        return _answer(engine, lambda: engines[number].eval_typed(read(source)))

    def call(number: int, name: int, args: int) -> int:
        values = _arguments(engine, args)
        return _answer(engine, lambda: engines[number].call_typed(read(name), values))

    def opened(number: int) -> HostedEngine:
        if engines[number].is_closed:
            raise SimpleError("Panic", "the engine was closed")
        return engines[number]

    def stats(number: int) -> int:
        found = opened(number)
        return _answer(engine, lambda: (found.statistics(), types.ANY))

    i64, text, flag = types.I64, types.TEXT, types.BOOL
    define = engine.externs.define
    numbers = (i64, types.F64, i64, i64, types.F64)
    define("rt_jit_create", (i64, text, i64, flag, *numbers), i64, create)
    define("rt_jit_run", (i64, text), _ANYS, run)
    define("rt_jit_run_file", (i64, text), _ANYS, run_file)
    define("rt_jit_eval", (i64, text), _ANYS, evaluate)
    define("rt_jit_call", (i64, text, _ANYS), _ANYS, call)
    define("rt_jit_close", (i64,), types.UNIT, lambda n: engines[n].close())
    define("rt_jit_stats", (i64,), _ANYS, stats)
    define("rt_jit_calls", (i64, text), i64, lambda n, name: opened(n).calls(read(name)))
    define("rt_jit_is_compiled", (i64, text), flag, lambda n, name: opened(n).is_compiled(read(name)))


def _define_managers(engine: Engine) -> None:
    managers: list[LocalExecutionManager] = []
    heap, read = engine.heap, engine.heap.read_text

    def create(backend: int) -> int:
        from simple_jit.engine.execution import LocalExecutionManager

        name, output = _usable(read(backend)), engine.output
        try:
            managers.append(LocalExecutionManager(name, sink=output.write, error_sink=output.write_error))
        except BackendMissing as error:
            raise SimpleError("Panic", str(error)) from None
        return len(managers) - 1

    def manager(number: int) -> LocalExecutionManager:
        if not 0 <= number < len(managers):
            raise SimpleError("Panic", f"there is no execution manager {number}")
        return managers[number]

    def attempt(work: Callable[[], object]) -> int:
        """Return what goes wrong, an empty text where nothing does."""
        return heap.new_text(_failure(work) or "")

    def execute(number: int, name: int, args: int) -> int:
        found, numbers = manager(number), heap.read_array(args, _NUMBERS)
        result: list[int] = []
        failure = _failure(lambda: result.append(_integer(found.execute(read(name), numbers), read(name))))
        if failure:
            raise SimpleError("Panic", failure)
        return result[0]

    def call(number: int, name: int, args: int) -> int:
        found, values = manager(number), _arguments(engine, args)
        return _answer(engine, lambda: found.execute_typed(read(name), values))

    def functions(number: int) -> int:
        return heap.new_array(_TEXTS, [heap.new_text(name) for name in manager(number).list_functions()])

    def set_level(number: int, level: int) -> int:
        found = manager(number)
        return attempt(lambda: found.set_opt_level(level))

    def compiler(method: str) -> Callable[[int, int], int]:
        def compile(number: int, argument: int) -> int:
            work = getattr(manager(number), method)
            return attempt(lambda: work(read(argument)))

        return compile

    i64, text, unit = types.I64, types.TEXT, types.UNIT
    prefix, define = "rt_exec_manager_", engine.externs.define
    define(f"{prefix}create", (text,), i64, create)
    define(f"{prefix}compile", (i64, text), text, compiler("compile"))
    define(f"{prefix}compile_source", (i64, text), text, compiler("compile_source"))
    define(f"{prefix}compile_file", (i64, text), text, compiler("compile_file"))
    define(f"{prefix}execute", (i64, text, _NUMBERS), i64, execute)
    define(f"{prefix}call", (i64, text, _ANYS), _ANYS, call)
    define(f"{prefix}has_function", (i64, text), types.BOOL, lambda n, s: manager(n).has_function(read(s)))
    define(f"{prefix}list_functions", (i64,), _TEXTS, functions)
    define(f"{prefix}backend_name", (i64,), text, lambda n: heap.new_text(manager(n).backend_name()))
    define(f"{prefix}set_opt_level", (i64, i64), text, set_level)
    define(f"{prefix}last_error", (i64,), text, lambda n: heap.new_text(_last_error(manager(n))))
    define(f"{prefix}cleanup", (i64,), unit, lambda n: manager(n).cleanup())


# --- What they have in common -----------------------------------------------------------------------


def _usable(backend: str, always: bool = True) -> str:
    """Return the name of a back end; one that is not `always` needed may be missing.

    Raises:
        SimpleError: there is none of this name, or it is not installed.
    """
    if backend not in BACKENDS:
        raise SimpleError("Panic", f"there is no back end `{backend}`: it is one of {', '.join(BACKENDS)}")
    if always and backend != "auto" and not is_available(backend):
        raise SimpleError("Panic", f"the back end `{backend}` is not installed")
    return backend


def _arguments(engine: Engine, args: int) -> list[Any]:
    from simple_jit.engine.transfer import export_any

    return [export_any(value, engine) for value in engine.heap.read_array(args, _ANYS)]


def _answer(engine: Engine, work: Callable[[], tuple[Any, types.Type]]) -> int:
    """Return an array of the value that `work` gives, of its type, or of nil and what went wrong."""
    from simple_jit.engine.transfer import import_any

    parts: list[Any] = []
    failure = _failure(lambda: parts.append(import_any(*work(), engine)))
    if failure:
        parts += [import_any(None, types.UNIT, engine), import_any(failure, types.TEXT, engine)]
    return engine.heap.new_array(_ANYS, parts)


def _failure(work: Callable[[], object]) -> str | None:
    """Do `work` and return what went wrong; None: nothing, or the program inside asked to end."""
    from simple_jit.engine.execution import FAILURES

    try:
        work()
    except FAILURES as error:
        return _message(error)
    except SimpleExit as ending:
        return f"the program ended with the status {ending.code}"
    return None


def _message(error: BaseException) -> str:
    if isinstance(error, CompileError):
        return "\n".join(d.message for d in error.diagnostics if d.severity == "error")
    return str(error)


def _last_error(manager: LocalExecutionManager) -> str:
    error = manager.last_failure()
    return _message(error) if error is not None else ""


def _integer(value: Any, name: str) -> int:
    """Return a result as an i64: a bool as 0 or 1, nothing as 0."""
    if value is None:
        return 0
    if not isinstance(value, int):
        raise TypeError(f"`{name}` does not return an integer: use `call`")
    if not types.I64.min <= value <= types.I64.max:
        raise OverflowError(f"{value} is out of the range of i64")
    return int(value)
