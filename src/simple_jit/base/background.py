"""One piece of work in a thread of its own."""

from __future__ import annotations

from _thread import allocate_lock, start_new_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Background:
    """Starts `work` at once. `threading` would do the same, but takes milliseconds to import."""

    __slots__ = ("_done", "_error", "_result", "_work")

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._result: Any = None
        self._error: BaseException | None = None
        self._done = allocate_lock()
        self._done.acquire()
        try:
            start_new_thread(self._run, ())
        except RuntimeError:  # the system grants no more threads
            self._run()

    def _run(self) -> None:
        try:
            self._result = self._work()
        except BaseException as error:  # it is for the thread that asks for the result
            self._error = error
        finally:
            self._done.release()

    def wait(self) -> None:
        """Return when the work is done; an interrupt that comes meanwhile is raised then."""
        interrupt: KeyboardInterrupt | None = None
        while True:
            try:
                with self._done:
                    break
            except KeyboardInterrupt as error:
                interrupt = error
        if interrupt is not None:
            raise interrupt

    def result(self) -> Any:
        """Wait, and return what the work returned, or raise what it raised."""
        self.wait()
        if self._error is not None:
            raise self._error
        return self._result
