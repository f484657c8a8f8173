"""Opening back ends by name."""

from __future__ import annotations

from simple_jit.engine.config import BACKENDS
from simple_jit.tiers.contract import Backend, BackendMissing

_chosen = ["auto"]


def chosen_backend() -> str:
    """Return the name that `choose_backend` was last given; `auto` at first."""
    return _chosen[0]


def choose_backend(name: str) -> bool:
    """Have what is left to choose by itself use a back end; False where it is unknown or not installed."""
    if name not in BACKENDS or not is_available(name):
        return False
    _chosen[0] = name
    return True


def open_backend(name: str) -> Backend:
    """Return the back end called `name`: `cranelift`, `llvm`, or `auto` for the first of these there is.

    Raises:
        BackendMissing: the package behind it is not installed.
    """
    if name == "cranelift":
        from simple_jit.tiers.cranelift.backend import CraneliftBackend

        return CraneliftBackend()
    if name == "llvm":
        from simple_jit.tiers.llvm.backend import LLVMBackend

        try:
            import llvmlite  # noqa: F401  (the heavy part, llvmlite.binding, waits for the first compilation)
        except ImportError as error:
            raise BackendMissing(
                f"the LLVM back end needs the package `llvmlite`: pip install llvmlite ({error})"
            ) from error
        return LLVMBackend()
    assert name == "auto"
    try:
        return open_backend("cranelift")
    except BackendMissing:
        return open_backend("llvm")


def is_available(name: str) -> bool:
    """Can the back end called `name` be used here?"""
    try:
        open_backend(name)
    except BackendMissing:
        return False
    return True
