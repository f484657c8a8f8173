"""What the engine decided, with the reason, the time it took, and where the code stands.

[jit] compiled main.fib(i64) with cranelift in 1.3 ms: 10 calls (fib.spl:3)
[jit] interpreting main.setup: marked @nojit (fib.spl:9)
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    Action: TypeAlias = Literal["compiled", "interpreting"]


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
    """The decisions of one engine, oldest first; printed to stderr as they come where `verbose`."""

    def __init__(self, verbose: bool) -> None:
        self.verbose = verbose
        self.decisions: list[Decision] = []

    def add(self, decision: Decision) -> None:
        self.decisions.append(decision)
        if self.verbose:
            print(decision, file=sys.stderr)

    def summary(self) -> str:
        """Return the totals, one line a tier, for `--stats`."""
        lines = []
        for tier in sorted({d.tier for d in self.decisions if d.tier}):
            chosen = [d for d in self.decisions if d.tier == tier]
            seconds = sum(d.seconds for d in chosen)
            lines.append(f"{tier}: {len(chosen)} compiled in {seconds * 1e3:.1f} ms")
        left = len({d.subject for d in self.decisions if d.action == "interpreting"})
        lines.append(f"interpreted because they cannot be compiled: {left}")
        return "\n".join(lines)
