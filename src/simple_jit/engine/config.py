"""How an engine is to run programs."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

MODES: Final = ("auto", "always_jit", "always_interpret", "hybrid", "profile_guided")
"""In the order of `JitMode` in lib/compiler/backend.spl."""
BACKENDS: Final = ("auto", "cranelift", "llvm")
DEFAULT_THRESHOLD: Final = 10
DEFAULT_WINDOW: Final = 1000
DEFAULT_PERCENT: Final = 5.0
LEAST_HEAP: Final = 1 << 20
"""Bytes; with less not even the texts of a program find room."""
LOOP_FACTOR: Final = 50
"""A loop counts as hot after so many back-edges for each call of `threshold`: iterations are cheaper
than calls, and compiling costs as much as a few thousand of them."""


class Config:
    """The choices of one engine. `mode`, `backend` and `threshold` may change while a program runs.

    `threshold` is the number of calls after which an instance is compiled; 0: before its first. `level`
    is LLVM's optimisation level, 0 to 3. `profile_window` (calls) and `threshold_percent` are those of the
    mode `profile_guided` (`engine.policy` has what the modes mean). `heap_max` bounds the heap, in bytes
    (None: `SIMPLE_HEAP_MAX`, if set); `time_limit` what a call from outside may take, in seconds of the
    processor (None: no limit).
    """

    __slots__ = (
        "backend",
        "heap_max",
        "level",
        "mode",
        "overflow_checks",
        "profile_window",
        "stats",
        "threshold",
        "threshold_percent",
        "time_limit",
        "verbose",
    )

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
        profile_window: int = DEFAULT_WINDOW,
        threshold_percent: float = DEFAULT_PERCENT,
        time_limit: float | None = None,
    ) -> None:
        self.mode = mode
        self.backend = backend
        self.threshold = threshold
        self.verbose = verbose
        self.stats = stats
        self.overflow_checks = overflow_checks
        self.level = level
        self.heap_max = heap_max

        self.profile_window = profile_window
        self.threshold_percent = threshold_percent
        self.time_limit = time_limit

    def check(self) -> None:
        """Refuse what has no meaning.

        Raises:
            ValueError: a value is out of its range; the message says what the range is.
        """
        if self.backend not in BACKENDS:
            raise ValueError(f"unknown back end {self.backend!r}: it is one of {', '.join(BACKENDS)}")
        if self.threshold < 0:
            raise ValueError(f"the threshold is a count, not {self.threshold}")
        if self.level not in range(4):
            raise ValueError(f"the optimisation level is 0, 1, 2 or 3, not {self.level}")
        if self.profile_window < 1:
            raise ValueError(f"the window of the profile is a number of calls, not {self.profile_window}")
        if not 0 < self.threshold_percent <= 100:
            raise ValueError(f"the percentage of calls is above 0, at most 100, not {self.threshold_percent}")
        if self.time_limit is not None and not self.time_limit > 0:
            raise ValueError(f"the time limit is a number of seconds, not {self.time_limit}")
        if self.heap_max is not None and self.heap_max < LEAST_HEAP:
            raise ValueError(f"a heap has at least {LEAST_HEAP} bytes, not {self.heap_max}")
