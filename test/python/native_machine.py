"""Running MIR functions natively in tests, each by the back end one likes, over a real context."""

from __future__ import annotations

import ctypes
import struct

from simple_jit.mir import abi
from simple_jit.mir import nodes as mir
from simple_jit.runtime.code_arena import CodeArena
from simple_jit.runtime.context import Context
from simple_jit.runtime.heap import Heap
from simple_jit.runtime.stubs import install_stubs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from simple_jit.tiers.contract import Backend

SITE = mir.Site("test.spl", 3, 7)
FORMATS = {
    "i8": "b", "i16": "h", "i32": "i", "i64": "q", "u8": "B", "u16": "H", "u32": "I", "u64": "Q",
    "f32": "f", "f64": "d", "bool": "?", "ref": "Q", "ptr": "Q",
}  # fmt: skip
_MOST_STACK = 4 << 20
_STACK_MARGIN = 256 << 10


class Thrown(Exception):
    """An error that left native code: kind, site, and its two details."""

    def __init__(self, kind: str, site: mir.Site | None, a: int, b: int) -> None:
        super().__init__(kind, site, a, b)
        self.kind, self.site, self.a, self.b = kind, site, a, b


class NativeMachine:
    """A context with heap, code arena and stubs, for one thread.

    Externs are those in `externs`, else functions of libc and libm.
    """

    def __init__(self) -> None:
        self.context = Context()
        self.context.new_import_slot = self._bind_import
        self.heap = Heap(self.context, 1 << 30)
        self.context.make_text = self.heap.text_constant
        self.arena = CodeArena(1 << 26)
        install_stubs(self.arena, self.context.address)
        self.externs: dict[str, Any] = {}
        self._stack_limit = stack_limit()
        self._libraries = (ctypes.CDLL(None), ctypes.CDLL("libm.so.6"))
        self.context.store(abi.STACK_LIMIT, 0)
        self.context.store(abi.LIMIT, 0)

    def _bind_import(self, symbol: str, offset: int) -> None:
        target = self.externs.get(symbol)
        if target is None:
            target = next(getattr(lib, symbol) for lib in self._libraries if hasattr(lib, symbol))
        self.context.store(offset, ctypes.cast(target, ctypes.c_void_p).value or 0)

    def add(
        self, backend: Backend, functions: Sequence[mir.Function], level: int = 2, wrap: bool = True
    ) -> None:
        """Compile a unit into the code table; with `wrap`, what `call` needs for its functions as well."""
        unit = [*functions, *[_wrapper(function) for function in functions]] if wrap else list(functions)
        code = backend.compile(unit, self.context, level)
        base = self.arena.add(code)
        for symbol, offset in code.entries.items():
            self.context.store(self.context.code_offset(symbol), base + offset)

    def add_wrappers(self, backend: Backend, functions: Sequence[mir.Function], level: int = 2) -> None:
        """Compile, as a unit of their own, what `call` needs for functions."""
        self.add(backend, [_wrapper(function) for function in functions], level, wrap=False)

    def call(self, function: mir.Function, *args: Any) -> tuple[Any, ...]:
        """Call a compiled function.

        Raises:
            Thrown: it failed.
        """
        cells = self.context.address + abi.BUFFER
        for position, (param, arg) in enumerate(zip(function.params, args, strict=True)):
            data = struct.pack("<" + FORMATS[param.type.name], arg)
            ctypes.memmove(cells + 8 * position, data, len(data))
        self._enter(self.context.load(self.context.code_offset(_wrapper_symbol(function))))
        results = []
        for position, type in enumerate(function.results):
            data = ctypes.string_at(cells + 8 * position, type.size)
            results.append(struct.unpack("<" + FORMATS[type.name], data)[0])
        return tuple(results)

    def run(self, backend: Backend, function: mir.Function, *args: Any, level: int = 2) -> tuple[Any, ...]:
        """Compile a function and call it."""
        self.add(backend, [function], level)
        return self.call(function, *args)

    def _enter(self, address: int) -> None:
        load, store = self.context.load, self.context.store
        enter = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_uint64] * 4)(load(abi.ENTER))
        limit = self._stack_limit
        store(abi.STACK_LIMIT, limit)
        if load(abi.LIMIT) != -1:
            store(abi.LIMIT, limit)
        if enter(self.context.address, address, 0, 0):
            site = self.context.site(load(abi.ERROR_SITE))
            raise Thrown(abi.ERROR_KINDS[load(abi.ERROR_KIND)], site, load(abi.ERROR_A), load(abi.ERROR_B))


def stack_limit() -> int:
    """Return how far down native code may use this thread's stack."""
    libc = ctypes.CDLL(None)
    attributes = ctypes.create_string_buffer(64)
    low, size = ctypes.c_void_p(), ctypes.c_size_t()
    libc.pthread_self.restype = ctypes.c_ulong
    libc.pthread_getattr_np(ctypes.c_ulong(libc.pthread_self()), attributes)
    libc.pthread_attr_getstack(attributes, ctypes.byref(low), ctypes.byref(size))
    libc.pthread_attr_destroy(attributes)
    top = (low.value or 0) + size.value
    return top - min(size.value, _MOST_STACK) + _STACK_MARGIN


def _wrapper_symbol(function: mir.Function) -> str:
    return f"call {function.symbol}"


def _wrapper(function: mir.Function) -> mir.Function:
    """A function that takes its arguments from the BUFFER and leaves its results there."""
    wrapper = mir.Function(_wrapper_symbol(function), (), "test.spl", 1)
    block = wrapper.new_block()
    ctx = wrapper.new_local(mir.PTR)
    block.instructions.append(mir.Context(ctx))
    args = []
    for position, param in enumerate(function.params):
        arg = wrapper.new_local(param.type)
        block.instructions.append(mir.Load(arg, ctx, abi.BUFFER + 8 * position))
        args.append(arg)
    results = tuple([wrapper.new_local(type) for type in function.results])
    block.instructions.append(mir.Call(results, function.symbol, tuple(args), SITE))
    for position, result in enumerate(results):
        block.instructions.append(mir.Store(result, ctx, abi.BUFFER + 8 * position))
    block.terminator = mir.Return(())
    return wrapper
