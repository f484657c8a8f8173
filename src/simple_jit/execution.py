"""Execution managers for Python, and which back end is used where none is named.

    from simple_jit import LocalExecutionManager

    with LocalExecutionManager.auto_select() as manager:
        manager.compile_source("fn area(w: f64, h: f64) -> f64: w * h")
        manager.execute("area", [2.0, 3.5])     # 7.0

Errors are Python exceptions: `InvalidMir` has line and reason, `CompileError` the diagnostics, `SimpleError`
what the function threw.
"""

from __future__ import annotations

from simple_jit.engine.backends import choose_backend, chosen_backend
from simple_jit.engine.execution import CleanedUp, LocalExecutionManager
from simple_jit.engine.mir_text import mir_of
from simple_jit.mir.link import InvalidMir

__all__ = [
    "CleanedUp",
    "InvalidMir",
    "LocalExecutionManager",
    "get_jit_backend",
    "mir_of",
    "set_jit_backend",
]


def set_jit_backend(name: str) -> bool:
    """Have the back end `auto` of engines made from now on mean `cranelift` or `llvm`, or again `auto`.

    Returns:
        False for a back end that is unknown or not installed; nothing changes then.
    """
    return choose_backend(name)


def get_jit_backend() -> str:
    """Return the name that was set last; `auto` at first."""
    return chosen_backend()
