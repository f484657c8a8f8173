"""Ctrl-C while native code runs: a signal handler, itself native, that sets the limit words.

Python's own C handler only notes the signal, and native code never looks at that note. So ours comes
first: it makes the next poll of every context that asked for it look, and then calls Python's. In a
command it also starts a clock: where no poll comes in time, the process ends (`runtime.signals`).
"""

from __future__ import annotations

import ctypes
import sys

from simple_jit.mir import abi
from simple_jit.runtime import crossing_code
from simple_jit.runtime.code_arena import CodeArena
from simple_jit.runtime.crossing_code import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from simple_jit.mir import nodes as mir
    from simple_jit.runtime.context import Context
    from simple_jit.tiers.contract import Backend

_SIGINT, _SIGALRM, _SIGTERM = 2, 14, 15  # the module `signal` takes milliseconds to import
_FLAGS: Final = 136  # where `struct sigaction` has its flags: behind the handler and a mask of 1024 bits
_NODEFER: Final = 0x40000000
_DEFAULT, _IGNORE = 0, 1  # dispositions that are no handlers
_CELLS: Final = 1024
_ACTION_SIZE: Final = 256  # struct sigaction is smaller everywhere; its first field is the handler

_limits = (ctypes.c_uint64 * _CELLS)()
_timer = (ctypes.c_int64 * 5)()  # a `struct itimerval`, and the exit status
_arena: CodeArena | None = None  # never closed: the handler may run at any time
_handlers: dict[tuple[int, bool], int] = {}  # the handler before, is there a watch -> ours that calls it
_compiler: tuple[Backend, Context] | None = None  # what last compiled a handler
_reaching: set[int] = set()  # other signals that are to reach native code


class InterruptError(Exception):
    """The handler cannot be installed; the message says why."""


def install_interrupt(backend: Backend, context: Context, is_command: bool = False) -> None:
    """Let SIGINT reach native code that runs in `context`. Does nothing where SIGINT is ignored.

    With `is_command` SIGTERM too, and the process ends where no poll comes in time.
    """
    global _compiler
    _add_limit(context.address + abi.LIMIT)
    _compiler = backend, context
    for signal in _reaching:
        _reach(signal)
    is_command = is_command and sys.platform == "linux"
    watch = _watch() if is_command else None
    for signal in (_SIGINT, _SIGTERM) if is_command else (_SIGINT,):
        action = _action_of(signal)
        handler = ctypes.c_uint64.from_buffer(action)
        previous = handler.value
        if previous in _handlers.values() or previous in (_DEFAULT, _IGNORE):
            continue
        handler.value = _handler(backend, context, previous, watch)
        _set_action(signal, action)
    if watch is not None:
        action = _action_of(_SIGALRM)
        code = crossing_code.expiry_function(watch)
        ctypes.c_uint64.from_buffer(action).value = _compiled(backend, context, code)
        ctypes.c_uint32.from_buffer(action, _FLAGS).value |= _NODEFER
        _set_action(_SIGALRM, action)


def reach_native_code(signal: int) -> None:
    """Let a signal reach native code, now or when there is some, until `forget_signal`.

    Python's handler for it was just set.
    """
    _reaching.add(signal)
    _reach(signal)


def forget_signal(signal: int) -> None:
    """Leave a signal to Python alone: its handler is about to change."""
    _reaching.discard(signal)


def _reach(signal: int) -> None:
    if _compiler is None:
        return
    action = _action_of(signal)
    handler = ctypes.c_uint64.from_buffer(action)
    if handler.value not in _handlers.values():
        handler.value = _handler(*_compiler, handler.value, None)
        _set_action(signal, action)


def _action_of(signal: int) -> ctypes.Array[ctypes.c_char]:
    action = (ctypes.c_char * _ACTION_SIZE)()
    if ctypes.CDLL(None, use_errno=True).sigaction(signal, None, action) != 0:
        raise InterruptError(f"cannot read the handler of signal {signal}")
    return action


def _set_action(signal: int, action: ctypes.Array[ctypes.c_char]) -> None:
    if ctypes.CDLL(None, use_errno=True).sigaction(signal, action, None) != 0:
        raise InterruptError(f"cannot set the handler of signal {signal}")


def remove_interrupt(context: Context) -> None:
    """Forget `context`, which is about to go."""
    limit = context.address + abi.LIMIT
    for index in range(_CELLS):
        if _limits[index] == limit:
            _limits[index] = 0


def _add_limit(limit: int) -> None:
    if limit in _limits:
        return
    for index in range(_CELLS):
        if not _limits[index]:
            _limits[index] = limit
            return
    raise InterruptError(f"more than {_CELLS} contexts wait for SIGINT")


def _handler(backend: Backend, context: Context, previous: int, watch: Watch | None) -> int:
    key = previous, watch is not None
    if key not in _handlers:
        cells = ctypes.addressof(_limits)
        function = crossing_code.interrupt_function(cells, _CELLS, previous, watch)
        _handlers[key] = _compiled(backend, context, function)
    return _handlers[key]


def _compiled(backend: Backend, context: Context, function: mir.Function) -> int:
    global _arena
    if _arena is None:
        _arena = CodeArena(1 << 22)
    code = backend.compile((function,), context, level=1)
    return _arena.add(code) + code.entries[function.symbol]


def _watch() -> Watch:
    from simple_jit.runtime.signals import PATIENCE

    _timer[3] = int(PATIENCE * 1e6)  # microseconds; before it seconds, and the interval
    libc = ctypes.CDLL(None)
    names = ("setitimer", "write", "_exit")
    timer = ctypes.addressof(_timer)
    return Watch(timer, timer + 32, *[ctypes.cast(libc[name], ctypes.c_void_p).value or 0 for name in names])
