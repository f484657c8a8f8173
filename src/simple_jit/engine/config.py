"""How an engine is to run programs."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

MODES: Final = ("auto", "always_jit", "always_interpret", "hybrid", "profile_guided")
"""In the order of `JitMode` in lib/compiler/backend.spl."""
BACKENDS: Final = ("auto", "cranelift", "llvm")
DEFAULT_THRESHOLD: Final = 10
LOOP_FACTOR: Final = 50
"""A loop counts as hot after so many back-edges for each call of `threshold`: iterations are cheaper
than calls, and compiling costs as much as a few thousand of them."""


class Config:
    """The choices of one engine. `mode`, `backend` and `threshold` may change while a program runs.

    `threshold` is the number of calls after which an instance is compiled; 0: before its first. `level`
    is LLVM's optimisation level, 0 to 3. `heap_max` bounds the heap, in bytes (None:
    `SIMPLE_HEAP_MAX`, if set).
    """

    __slots__ = ("backend", "heap_max", "level", "mode", "overflow_checks", "stats", "threshold", "verbose")

    def __init__(
        self,
        mode: str = "auto",
        backend: str = "auto",
        threshold: int = DEFAULT_THRESHOLD,
        verbose: bool = False,
        stats: bool = False,
        overflow_checks: bool = False,
        level: int = 2,
        heap_max: int | None = None,
    ) -> None:
        self.mode = mode
        self.backend = backend
        self.threshold = threshold
        self.verbose = verbose
        self.stats = stats
        self.overflow_checks = overflow_checks
        self.level = level
        self.heap_max = heap_max

    @property
    def loop_threshold(self) -> int:
        """Back-edges after which a loop is compiled."""
        return self.threshold * LOOP_FACTOR
