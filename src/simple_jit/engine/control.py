"""What a program can ask of the engine that runs it: the functions under `lib/compiler`."""

from __future__ import annotations

from simple_jit.engine.backends import is_available
from simple_jit.engine.config import BACKENDS, DEFAULT_THRESHOLD
from simple_jit.engine.embedding import define_embedding
from simple_jit.hir import types as types
from simple_jit.runtime.errors import SimpleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.engine.engine import Engine


# The values of `BackendKind` in lib/compiler/backend.spl: mode, back end (None: as it is), threshold.
_KINDS: dict[int, tuple[str, str | None, int]] = {
    0: ("auto", None, DEFAULT_THRESHOLD),  # Interpreter
    1: ("auto", "cranelift", 0),  # CraneliftJit
    2: ("auto", "llvm", 0),  # LlvmJit
    3: ("always_interpret", None, DEFAULT_THRESHOLD),  # TreeWalk
    4: ("always_jit", "llvm", 0),  # Compiler
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
    define_embedding(engine)
