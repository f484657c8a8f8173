"""Ctrl-C while native code runs: a signal handler, itself native, that sets the limit words.

Python's own C handler only notes the signal, and native code never looks at that note. So ours comes
first: it makes the next poll of every context that asked for it look, and then calls Python's.
"""

from __future__ import annotations

import ctypes

from simple_jit.mir import abi
from simple_jit.runtime import crossing_code
from simple_jit.runtime.code_arena import CodeArena

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from simple_jit.runtime.context import Context
    from simple_jit.tiers.contract import Backend

_SIGINT: Final = 2  # the module `signal` takes milliseconds to import
_DEFAULT, _IGNORE = 0, 1  # dispositions that are no handlers
_CELLS: Final = 1024
_ACTION_SIZE: Final = 256  # struct sigaction is smaller everywhere; its first field is the handler

_limits = (ctypes.c_uint64 * _CELLS)()
_arena: CodeArena | None = None  # never closed: the handler may run at any time
_handlers: dict[int, int] = {}  # the handler before -> ours that calls it


class InterruptError(Exception):
    """The handler cannot be installed; the message says why."""


def install_interrupt(backend: Backend, context: Context) -> None:
    """Let SIGINT reach native code that runs in `context`. Does nothing where SIGINT is ignored."""
    _add_limit(context.address + abi.LIMIT)
    action = (ctypes.c_char * _ACTION_SIZE)()
    sigaction = ctypes.CDLL(None, use_errno=True).sigaction
    if sigaction(_SIGINT, None, action) != 0:
        raise InterruptError("cannot read the handler of SIGINT")
    handler = ctypes.c_uint64.from_buffer(action)
    previous = handler.value
    if previous in _handlers.values() or previous in (_DEFAULT, _IGNORE):
        return
    handler.value = _handler(backend, context, previous)
    if sigaction(_SIGINT, action, None) != 0:
        raise InterruptError("cannot set the handler of SIGINT")


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


def _handler(backend: Backend, context: Context, previous: int) -> int:
    global _arena
    if previous not in _handlers:
        if _arena is None:
            _arena = CodeArena(1 << 22)
        function = crossing_code.interrupt_function(ctypes.addressof(_limits), _CELLS, previous)
        code = backend.compile((function,), context, level=1)
        _handlers[previous] = _arena.add(code) + code.entries[function.symbol]
    return _handlers[previous]
