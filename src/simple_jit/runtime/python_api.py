"""Addresses of CPython's C functions and objects, for generated code that calls them with the GIL held."""

from __future__ import annotations

import ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

METH_FASTCALL: Final = 0x80
BYTES_DATA: Final = bytes.__basicsize__ - 1
"""Where the contents of a bytes object lie."""

_addresses: dict[str, int] = {}

polling = ctypes.c_int64()
"""Not 0 while native code waits at a poll for Python to handle signals."""


def function(name: str) -> int:
    """Return the address of a C function of CPython."""
    found = _addresses.get(name)
    if found is None:
        address = ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value
        assert address is not None
        found = _addresses[name] = address
    return found


def errno_function() -> int:
    """Return the address of the C function that returns the address of `errno`."""
    import sys

    return process_function("__error" if sys.platform == "darwin" else "__errno_location")


def process_function(name: str) -> int:
    """Return the address of a C function of the process."""
    address = ctypes.cast(getattr(ctypes.CDLL(None), name), ctypes.c_void_p).value
    assert address is not None
    return address


def address_of_polling() -> int:
    """Return where `polling` lies."""
    return ctypes.addressof(polling)


class _MethodDef(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("method", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


class BuiltinMaker:
    """Makes builtin functions over one C function `PyObject *f(self, args, count)`.

    It must outlive the functions that it makes.
    """

    __slots__ = ("_definition", "_new")

    def __init__(self, name: str, address: int) -> None:
        self._definition = _MethodDef(name.encode(), address, METH_FASTCALL, None)
        new: Any = ctypes.pythonapi.PyCFunction_NewEx
        self._new = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)(
            ctypes.cast(new, ctypes.c_void_p).value or 0
        )

    def make(self, receiver: object) -> Any:
        """Return a builtin function with `self` being `receiver`."""
        return self._new(ctypes.addressof(self._definition), receiver, None)
