"""When functions and loops become native: what each mode means, in counts.

    auto               a function at its `threshold`-th call, or before its first where that is 0
    hybrid             a function that has been interpreted `threshold` times, when it is called again
    profile_guided     after each `profile_window` calls, the functions that were called for at least
                       `threshold_percent` of them
    always_interpret   nothing
    always_jit         everything, before the program starts; nobody asks here

A loop is native after `LOOP_FACTOR` times as many rounds as a function needs calls, in the middle of its run.
"""

from __future__ import annotations

from simple_jit.engine.config import LOOP_FACTOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from simple_jit.engine.config import Config
    from simple_jit.tiers.interpreter.instance import Instance


def call_threshold(config: Config) -> int | None:
    """Return the number of the call that is native; None: none is because of its number."""
    if config.mode in ("always_interpret", "profile_guided"):
        return None
    return config.threshold + 1 if config.mode == "hybrid" else config.threshold


def loop_threshold(config: Config) -> int | None:
    """Return the rounds after which a loop is native; None: never."""
    if config.mode == "always_interpret":
        return None
    if config.mode == "profile_guided":
        return hot_share(config) * LOOP_FACTOR
    return max(config.threshold, config.mode == "hybrid") * LOOP_FACTOR


def window(config: Config) -> int | None:
    """Return how many calls make a window of the profile; None where no profile is kept."""
    return config.profile_window if config.mode == "profile_guided" else None


def hot_share(config: Config) -> int:
    """Return how many of the calls of a window make a function hot."""
    return max(1, round(config.profile_window * config.threshold_percent / 100))


def hot_instances(instances: Iterable[Instance], config: Config) -> list[Instance]:
    """Return those that are still interpreted and were called often enough in the window that ends now.

    The most called come first. Counts for the next window start here.
    """
    shares: list[tuple[int, Instance]] = []
    for instance in instances:
        calls, instance.calls_before = instance.calls - instance.calls_before, instance.calls
        if calls >= hot_share(config):
            shares.append((calls, instance))
    shares.sort(key=lambda share: share[0], reverse=True)
    return [instance for _, instance in shares]
