"""Failures on purpose: `SIMPLE_FAULTS=N` or `N:SEED` lets one in N allocations and polls fail, at random.

A failing allocation is out of memory, a failing poll a `Panic`; the program may catch either. While it is
on, every allocation asks the collector for memory, every poll of native code calls `poll`, and so does
every call of a function in the interpreter.
"""

from __future__ import annotations

import os

from simple_jit.mir import abi
from simple_jit.runtime.errors import SimpleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from simple_jit.runtime.context import Context


GRACE: Final = 30
"""So many go well after a failure, so that it can be caught."""


class Faults:
    """The failures of one engine: the same ones for the same seed and the same program.

    `count` is how many there were; while `is_resting` there are none.
    """

    __slots__ = ("_every", "_left", "_random", "count", "is_resting")

    def __init__(self, every: int, seed: int) -> None:
        from random import Random

        self._random = Random(seed)
        self._every = every
        self._left = self._next()
        self.count = 0
        self.is_resting = False

    def _next(self) -> int:
        return self._random.randint(GRACE, GRACE + 2 * self._every)

    def strikes(self) -> bool:
        """Is this one to fail?"""
        self._left -= 1
        if self._left > 0 or self.is_resting:
            return False
        self._left = self._next()
        self.count += 1
        return True

    def poll(self) -> None:
        """Fail, or do not.

        Raises:
            SimpleError: `Panic`.
        """
        if self.strikes():
            raise SimpleError("Panic", "failed on purpose")

    def watch_native_code(self, context: Context) -> None:
        """Let all polls of native code come here."""

        def poll() -> None:
            context.store(abi.LIMIT, abi.ATTENTION)
            self.poll()

        context.store(abi.POLL, context.make_extern(poll, (), ()))
        context.store(abi.LIMIT, abi.ATTENTION)

    def watched(self, call: Callable[..., object]) -> Callable[..., object]:
        """Return `call` that polls first."""

        def run(*args: object) -> object:
            self.poll()
            return call(*args)

        return run


def wanted_faults() -> Faults | None:
    """Return what `SIMPLE_FAULTS` asks for, None where it is not set."""
    every, _, seed = os.environ.get("SIMPLE_FAULTS", "").partition(":")
    if not every.isascii() or not every.isdigit() or int(every) == 0:
        return None
    return Faults(int(every), int(seed) if seed.isascii() and seed.isdigit() else 0)
