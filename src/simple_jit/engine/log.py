"""What the engine decided, with the reason, the time it took, and where the code stands.

[jit] compiled main.fib(i64) with cranelift in 1.3 ms: 10 calls (fib.spl:3)
[jit] interpreting main.setup: marked @nojit (fib.spl:9)
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from typing import Final, Literal, TypeAlias

    Action: TypeAlias = Literal["compiled", "interpreting"]

else:
    from _collections import deque  # `collections` itself is slow to import

KEPT: Final = 1000
"""Decisions that are remembered: an engine may run programs for days."""


class Decision:
    """One entry. `seconds` is the time spent on it; `tier` is empty where nothing was compiled."""

    __slots__ = ("action", "place", "reason", "seconds", "subject", "tier")

    def __init__(
        self, action: Action, subject: str, tier: str, reason: str, seconds: float, place: str
    ) -> None:
        self.action = action
        self.subject = subject
        self.tier = tier
        self.reason = reason
        self.seconds = seconds
        self.place = place

    def __str__(self) -> str:
        how = f" with {self.tier} in {self.seconds * 1e3:.1f} ms" if self.tier else ""
        return f"[jit] {self.action} {self.subject}{how}: {self.reason} ({self.place})"


class Log:
    """The decisions of one engine; printed to stderr as they come where `verbose`.

    `decisions` has the last `KEPT`, oldest first. `compiled` counts, by tier, and `seconds` adds up, all.
    """

    def __init__(self, verbose: bool) -> None:
        self.verbose = verbose
        self.decisions: deque[Decision] = deque(maxlen=KEPT)
        self.compiled: dict[str, int] = {}
        self.seconds: dict[str, float] = {}

    def add(self, decision: Decision) -> None:
        self.decisions.append(decision)
        tier = decision.tier
        if tier:
            self.compiled[tier] = self.compiled.get(tier, 0) + 1
            self.seconds[tier] = self.seconds.get(tier, 0.0) + decision.seconds
        if self.verbose:
            print(decision, file=sys.stderr)

    def summary(self) -> str:
        """Return the totals, one line a tier, for `--stats`."""
        lines = [
            f"{tier}: {count} compiled in {self.seconds[tier] * 1e3:.1f} ms"
            for tier, count in sorted(self.compiled.items())
        ]
        left = len({d.subject for d in self.decisions if d.action == "interpreting"})
        lines.append(f"interpreted because they cannot be compiled: {left}")
        return "\n".join(lines)
