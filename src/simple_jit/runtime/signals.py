"""How a command ends when it is told to: by Ctrl-C with status 130, by SIGTERM with 143.

Either becomes an exception at the next poll or step of the interpreter, so that `finally` and `defer` run
and output is written. Code that does not come to one in `PATIENCE` seconds (a counted loop, one long copy,
C code) is not waited for: native handlers (`runtime.interrupt`) end the process.
"""

from __future__ import annotations

import os

from simple_jit.runtime.errors import SimpleExit

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from typing import Final
else:
    import _signal  # `signal` itself takes milliseconds to import

TERMINATED: Final = 128 + _signal.SIGTERM
PATIENCE: Final = 0.3


def prepare() -> None:
    """Take the signals that end a command, unless they are ignored. For the main thread of a command."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _interrupted)
    if _signal.getsignal(_signal.SIGTERM) == _signal.SIG_DFL:
        _signal.signal(_signal.SIGTERM, _terminated)


def end_soon(status: int) -> None:
    """Let what is left to do take little time: nobody may be reading the output any longer."""
    _signal.signal(_signal.SIGINT, _signal.SIG_IGN)
    _signal.signal(_signal.SIGTERM, _signal.SIG_IGN)
    _signal.signal(_signal.SIGALRM, lambda *_: os._exit(status))
    _signal.setitimer(_signal.ITIMER_REAL, PATIENCE)


def _interrupted(*_: object) -> None:
    _signal.setitimer(_signal.ITIMER_REAL, 0)  # the program has noticed
    raise KeyboardInterrupt


def _terminated(*_: object) -> None:
    _signal.setitimer(_signal.ITIMER_REAL, 0)
    raise SimpleExit(TERMINATED)
