"""The two pieces of hand-written machine code: entering native code, and leaving it by an error.

`enter(ctx, function, a, b)` calls `function(ctx, a, b)`, keeps its result in `ctx.RESULT` and returns 0; or
returns 1 after a throw. `throw(ctx, kind, site, a, b)` keeps its arguments in `ctx.ERROR_*` and
goes on behind the innermost `enter`. Frames in between are abandoned: none of them may be Python's.
"""

from __future__ import annotations

import ctypes
import os

from simple_jit.mir import abi
from simple_jit.tiers.contract import BackendMissing, CompiledCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from simple_jit.runtime.code_arena import CodeArena


def _machine() -> Any:
    machine = os.uname().machine
    if machine in ("x86_64", "AMD64"):
        from simple_jit.runtime import stubs_x86_64

        return stubs_x86_64
    raise BackendMissing(f"native code is not supported on {machine} yet: there are no stubs for it")


def machine_stubs() -> CompiledCode:
    """Return the two stubs for this machine.

    Raises:
        BackendMissing: there are none for it.
    """
    stubs = _machine()
    start = -(-len(stubs.ENTER) // 16) * 16
    text = stubs.ENTER.ljust(start, b"\xcc") + stubs.THROW
    return CompiledCode(text, {"enter": 0, "throw": start})


def callee_thunk(callee: int, shared: int) -> CompiledCode:
    """Return a function that keeps `callee` in `ctx.CALLEE` and goes on in the one at address `shared`."""
    return CompiledCode(_machine().callee_thunk(callee, shared), {"thunk": 0})


def extern_thunk(context: int, callee: int, shared: int) -> CompiledCode:
    """Return the same as a C function, which does not get the context but knows it."""
    return CompiledCode(_machine().extern_thunk(context, callee, shared), {"thunk": 0})


def callback_thunk(cell: int, context: int, entry: int) -> CompiledCode:
    """Return a C function that notes `cell` in `ctx.CALLBACK` and goes on in the one at `entry`."""
    return CompiledCode(_machine().callback_thunk(cell, context, entry), {"thunk": 0})


def variadic_thunk(target: int) -> CompiledCode:
    """Return a function that goes on in the variadic C function at `target`, which may find floats."""
    return CompiledCode(_machine().variadic_thunk(target), {"thunk": 0})


def install_stubs(arena: CodeArena, context_address: int) -> None:
    """Put the stubs into `arena` and their addresses into the context."""
    code = machine_stubs()
    base = arena.add(code)
    for cell, name in ((abi.ENTER, "enter"), (abi.THROW, "throw")):
        ctypes.c_uint64.from_address(context_address + cell).value = base + code.entries[name]
