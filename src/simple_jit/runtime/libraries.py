"""Shared libraries: opening them, and what the dynamic linker knows of their symbols."""

from __future__ import annotations

import ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

_WITH_SYMBOL: Final = 1  # RTLD_DL_SYMENT
_VARIABLES: Final = (1, 5, 6)  # STT_OBJECT, STT_COMMON, STT_TLS
_INFO_OFFSET: Final = 4  # of `st_info` in an Elf64_Sym


class _Info(ctypes.Structure):
    _fields_ = [
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    ]


def is_data(address: int) -> bool:
    """Is the symbol at `address` a variable? False where that is not known."""
    dladdr1: Any = getattr(ctypes.CDLL(None), "dladdr1", None)  # glibc alone has it
    if dladdr1 is None:
        return False
    info, symbol = _Info(), ctypes.c_void_p()
    found = dladdr1(ctypes.c_void_p(address), ctypes.byref(info), ctypes.byref(symbol), _WITH_SYMBOL)
    if not found or not symbol.value or info.address != address:
        return False
    return ctypes.c_uint8.from_address(symbol.value + _INFO_OFFSET).value & 15 in _VARIABLES


def open_library(library: str | None) -> tuple[list[Any], str]:
    """Return a library, or (None) what the process has; or none and the reason why it does not load."""
    if library is not None:
        try:
            return [ctypes.CDLL(library)], ""
        except (OSError, ValueError) as error:
            return [], str(error)
    handles = [ctypes.CDLL(None)]
    for name in ("libm.so.6", "libm.dylib"):
        try:
            handles.append(ctypes.CDLL(name))
        except OSError:
            continue
    return handles, ""


def symbol_address(name: str, handles: list[Any]) -> int:
    """Return the address of the first symbol called `name`; 0 where there is none."""
    for handle in handles:
        try:
            address = ctypes.cast(handle[name], ctypes.c_void_p).value
        except (AttributeError, ValueError):
            continue
        if address:
            return address
    return 0
