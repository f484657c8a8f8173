"""Simple JIT: the Simple language with an interpreter and two native tiers.

`simple_jit.backend` describes what is offered here; it is imported when the first name is used.
"""

__version__ = "0.1.0"

__all__ = [
    "BackendKind",
    "BackendMissing",
    "CompileError",
    "JitInterpreterBackend",
    "JitInterpreterConfig",
    "JitMode",
    "SimpleError",
    "create_backend",
]

_HOMES = {
    "BackendMissing": "simple_jit.tiers.contract",
    "CompileError": "simple_jit.base.diagnostics",
    "SimpleError": "simple_jit.runtime.errors",
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
    from simple_jit.runtime.errors import SimpleError
    from simple_jit.tiers.contract import BackendMissing


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "simple_jit.backend")), name)
