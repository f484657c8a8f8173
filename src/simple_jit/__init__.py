"""Simple JIT: the Simple language with an interpreter and two native tiers.

`simple_jit.backend` and `simple_jit.execution` describe what is offered here; they are imported when the
first name is used.
"""

__version__ = "0.1.0"

__all__ = [
    "BackendKind",
    "BackendMissing",
    "CleanedUp",
    "CompileError",
    "EngineClosed",
    "InvalidMir",
    "JitInterpreterBackend",
    "JitInterpreterConfig",
    "JitMode",
    "LocalExecutionManager",
    "SimpleError",
    "TimeLimitExceeded",
    "create_backend",
    "get_jit_backend",
    "mir_of",
    "set_jit_backend",
]

_HOMES = {
    "BackendMissing": "simple_jit.tiers.contract",
    "CleanedUp": "simple_jit.execution",
    "CompileError": "simple_jit.base.diagnostics",
    "EngineClosed": "simple_jit.engine.hosted",
    "InvalidMir": "simple_jit.execution",
    "LocalExecutionManager": "simple_jit.execution",
    "SimpleError": "simple_jit.runtime.errors",
    "TimeLimitExceeded": "simple_jit.runtime.time_limit",
    "get_jit_backend": "simple_jit.execution",
    "mir_of": "simple_jit.execution",
    "set_jit_backend": "simple_jit.execution",
}

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.backend import (
        BackendKind,
        JitInterpreterBackend,
        JitInterpreterConfig,
        JitMode,
        create_backend,
    )
    from simple_jit.base.diagnostics import CompileError
    from simple_jit.engine.hosted import EngineClosed
    from simple_jit.execution import (
        CleanedUp,
        InvalidMir,
        LocalExecutionManager,
        get_jit_backend,
        mir_of,
        set_jit_backend,
    )
    from simple_jit.runtime.errors import SimpleError
    from simple_jit.runtime.time_limit import TimeLimitExceeded
    from simple_jit.tiers.contract import BackendMissing


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "simple_jit.backend")), name)
