"""What a program can ask of the engine that runs it: the functions under `lib/compiler`."""

from __future__ import annotations

from simple_jit.engine.backends import is_available
from simple_jit.engine.config import BACKENDS, DEFAULT_THRESHOLD
from simple_jit.hir import types as types
from simple_jit.runtime.errors import SimpleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.engine.embedded import EmbeddedEngine
    from simple_jit.engine.engine import Engine


# The values of `BackendKind` in lib/compiler/backend.spl: mode, back end (None: as it is), threshold.
_KINDS: dict[int, tuple[str, str | None, int]] = {
    0: ("auto", None, DEFAULT_THRESHOLD),  # Interpreter
    1: ("auto", "cranelift", 0),  # CraneliftJit
    2: ("auto", "llvm", 0),  # LlvmJit
    3: ("always_interpret", None, DEFAULT_THRESHOLD),  # TreeWalk
}


def define_control_functions(engine: Engine) -> None:
    """Add the `rt_` functions that configure `engine`."""

    def set_backend(name: int) -> bool:
        wanted = engine.heap.read_text(name)
        if wanted not in BACKENDS or not is_available(wanted):
            return False
        engine.config.backend = wanted
        return True

    def get_backend() -> int:
        return engine.heap.new_text(engine.config.backend)

    def create_backend(kind: int) -> int:
        if kind not in _KINDS:
            raise SimpleError("Panic", "this kind of back end is not supported yet")
        mode, backend, threshold = _KINDS[kind]
        if backend is not None:
            if not is_available(backend):
                raise SimpleError("Panic", f"the back end `{backend}` is not installed")
            engine.config.backend = backend
        engine.config.mode, engine.config.threshold = mode, threshold
        engine.apply_config()
        return kind

    def function_name(code: int) -> int:
        for symbol, offset in engine.context.code_slots():
            if offset == code:
                return engine.heap.new_text(engine.function(symbol).name)
        raise SimpleError("Panic", "not a function value")

    define = engine.externs.define
    define("rt_function_name", (types.I64,), types.TEXT, function_name)
    define("rt_set_jit_backend", (types.TEXT,), types.BOOL, set_backend)
    define("rt_get_jit_backend", (), types.TEXT, get_backend)
    define("rt_create_backend", (types.I64,), types.I64, create_backend)
    _define_embedding(engine)


def _define_embedding(engine: Engine) -> None:
    """Add what `JitInterpreterBackend` runs source with (`engine.embedded`)."""
    engines: list[EmbeddedEngine] = []
    read, new_text = engine.heap.read_text, engine.heap.new_text

    def create(mode: int, backend: int, threshold: int, verbose: bool, level: int) -> int:
        from simple_jit.engine.embedded import EmbeddedEngine

        engines.append(EmbeddedEngine(engine, mode, read(backend), threshold, bool(verbose), level))
        return len(engines) - 1

    def add_text(number: int, value: int) -> None:
        engines[number].args.append(read(value))

    def add_nil(number: int) -> None:
        engines[number].args.append(None)

    def add_bool(number: int, value: bool) -> None:
        engines[number].args.append(bool(value))

    i64, text, flag = types.I64, types.TEXT, types.BOOL
    define = engine.externs.define
    define("rt_jit_create", (i64, text, i64, flag, i64), i64, create)
    define("rt_jit_run", (i64, text), i64, lambda n, source: engines[n].run(read(source)))
    define("rt_jit_run_file", (i64, text), i64, lambda n, path: engines[n].run_file(read(path)))
    define("rt_jit_eval", (i64, text), i64, lambda n, source: engines[n].eval(read(source)))
    define("rt_jit_call", (i64, text), i64, lambda n, name: engines[n].call(read(name)))
    define("rt_jit_add_i64", (i64, i64), types.UNIT, lambda n, value: engines[n].args.append(value))
    define("rt_jit_add_f64", (i64, types.F64), types.UNIT, lambda n, value: engines[n].args.append(value))
    define("rt_jit_add_bool", (i64, flag), types.UNIT, add_bool)
    define("rt_jit_add_text", (i64, text), types.UNIT, add_text)
    define("rt_jit_add_nil", (i64,), types.UNIT, add_nil)
    define("rt_jit_i64", (i64,), i64, lambda n: engines[n].value)
    define("rt_jit_f64", (i64,), types.F64, lambda n: engines[n].value)
    define("rt_jit_bool", (i64,), flag, lambda n: engines[n].value)
    define("rt_jit_text", (i64,), text, lambda n: new_text(engines[n].value))
    define("rt_jit_statistic", (i64, text), i64, lambda n, name: engines[n].statistic(read(name)))
    define("rt_jit_calls", (i64, text), i64, lambda n, name: engines[n].calls(read(name)))
    define("rt_jit_is_compiled", (i64, text), flag, lambda n, name: engines[n].is_compiled(read(name)))
