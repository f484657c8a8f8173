"""Calls of C functions from Python, through ctypes: for the interpreters."""

from __future__ import annotations

from simple_jit.mir import abi
from simple_jit.mir.foreign import NUL_IN_TEXT
from simple_jit.runtime.callbacks import ctypes_type
from simple_jit.runtime.errors import SimpleError
from simple_jit.runtime.memory import BYTES, I64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


def c_function(address: int, params: Sequence[str], ret: str, keeps_errno: bool) -> Callable[..., Any]:
    """Return a Python function that calls the C function at `address`; machine types, `unit` for void.

    The GIL is not held meanwhile: a thread of C's own may wait for it, to call a function of the program.
    With `keeps_errno`, `errno` is 0 before the call, and `errno_after_call` returns what it is after it.
    """
    import _ctypes
    import ctypes

    flags = _ctypes.FUNCFLAG_CDECL
    if keeps_errno:
        flags |= _ctypes.FUNCFLAG_USE_ERRNO
    members = {
        "_argtypes_": tuple(map(ctypes_type, params)),
        "_restype_": ctypes_type(ret),
        "_flags_": flags,
    }
    function: Callable[..., Any] = type("CFunctionType", (_ctypes.CFuncPtr,), members)(address)
    if not keeps_errno:
        return function

    def call(*args: Any) -> Any:
        ctypes.set_errno(0)
        return function(*args)

    return call


def errno_after_call() -> int:
    """Return what `errno` was after the last call of this thread that keeps it."""
    from ctypes import get_errno

    return get_errno()


_errno_cell: list[Any] = []


def errno_copy(*_: int) -> int:
    """Return the address of a copy of `errno` for code that is interpreted."""
    from ctypes import addressof, c_int64

    if not _errno_cell:
        _errno_cell.append(c_int64())
    return addressof(_errno_cell[0])


def characters(text: int) -> int:
    """Return the address of the bytes of a text.

    Raises:
        SimpleError: C would find an end inside of it.
    """
    start = text + abi.TEXT_DATA
    if 0 in BYTES[start : start + I64[(text + abi.TEXT_BYTES) >> 3]]:
        raise SimpleError("ConversionError", NUL_IN_TEXT)
    return start
