"""An instance as callers see it: a cell that holds the best way to call it."""

from __future__ import annotations

from simple_jit.hir import nodes as hir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Instance:
    """A function instance.

    Callers go through `call`: at first it compiles the body to closures, then it counts, later the
    engine stores native code there. `interpreted` is the closure, None before the first call. `calls`
    counts up to the threshold and no further. `calls_before` is what it was when the last window ended.
    """

    __slots__ = ("call", "calls", "calls_before", "function", "interpreted")

    def __init__(self, function: hir.Function) -> None:
        self.function = function
        self.calls = 0
        self.calls_before = 0
        self.interpreted: Callable[..., Any] | None = None
        self.call: Callable[..., Any] = _not_compiled

    def __repr__(self) -> str:
        return f"<Instance {self.function.symbol}>"


def _not_compiled(*args: Any) -> Any:
    raise AssertionError("the instance was not set up by an interpreter")
