"""Budgets of processor time: what stops a program inside of a process that goes on.

The process gets SIGPROF when a budget is used up. Python's handler for it may run anywhere, in the collector
for one, where an exception would do harm; so it raises only where a program stands between two of its steps:
at a poll of native code, or in a function that the interpreter made. Elsewhere it has itself called again.
"""

from __future__ import annotations

import time

from simple_jit.runtime.interrupt import forget_signal, reach_native_code
from simple_jit.runtime.python_api import polling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Any, Final

_AGAIN: Final = 0.002
"""Seconds of processor time until the next try to stop a program; systems count in steps of 1 to 10 ms."""


class TimeIsUp(BaseException):
    """The budget `limit` is used up. No handler of a program catches it."""

    def __init__(self, limit: TimeLimit) -> None:
        super().__init__("the time is up")
        self.limit = limit


class TimeLimitExceeded(RuntimeError):
    """A program took more processor time than it was given."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the time limit of {seconds:g} s was exceeded")


class TimeLimit:
    """For a `with`: what runs in it gets `seconds` of processor time, then `TimeLimitExceeded` is raised.

    Budgets nest: each stops what runs in its own `with`, whatever runs in that. None: no limit.

    Args:
        seconds: the budget.
        program_file: the name of the file of interpreted programs' code.

    Raises:
        RuntimeError: the thread is not the main one, which alone gets signals.
    """

    __slots__ = ("_deadline", "_program_file", "_seconds")

    def __init__(self, seconds: float | None, program_file: str) -> None:
        self._seconds = seconds
        self._program_file = program_file
        self._deadline = 0.0

    def __enter__(self) -> None:
        if self._seconds is None:
            return
        self._deadline = time.process_time() + self._seconds
        if not _active:
            _install()
        _active.append(self)
        _set_timer()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._seconds is None:
            return
        _active.remove(self)
        if _active:
            _set_timer()
        else:
            _uninstall()
        if isinstance(error, TimeIsUp) and error.limit is self:
            raise TimeLimitExceeded(self._seconds) from None

    def is_used_up(self) -> bool:
        """Is no time left?"""
        return time.process_time() >= self._deadline

    def may_stop(self, frame: FrameType | None) -> bool:
        """Does a program stand between two of its steps, with `frame` the innermost of Python's?"""
        return bool(polling.value) or (frame is not None and frame.f_code.co_filename == self._program_file)

    def left(self) -> float:
        """Return the seconds until the limit should be looked at."""
        return max(self._deadline - time.process_time(), _AGAIN)


_active: list[TimeLimit] = []
"""Those that count now, the outermost first."""
_before: list[Any] = []
"""The handler that SIGPROF had before the first of them."""


def _install() -> None:
    import signal

    try:
        _before.append(signal.signal(signal.SIGPROF, _expired))
    except ValueError:
        raise RuntimeError("a time limit needs the main thread, which gets the signals") from None
    reach_native_code(signal.SIGPROF)


def _uninstall() -> None:
    import signal

    signal.setitimer(signal.ITIMER_PROF, 0)
    forget_signal(signal.SIGPROF)
    signal.signal(signal.SIGPROF, _before.pop() or signal.SIG_DFL)


def _set_timer() -> None:
    import signal

    signal.setitimer(signal.ITIMER_PROF, min(limit.left() for limit in _active))


def _expired(number: int, frame: FrameType | None) -> None:
    for limit in _active:
        if limit.is_used_up() and limit.may_stop(frame):
            _set_timer()  # whatever holds the exception up will get another
            raise TimeIsUp(limit)
    if _active:
        _set_timer()
