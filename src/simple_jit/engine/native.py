"""Native code of one engine: back ends, the arena, and what stands in the code table."""

from __future__ import annotations

from _thread import get_ident

from simple_jit.hir import nodes as hir
from simple_jit.hir import types as types
from simple_jit.mir import nodes as mir
from simple_jit.mir.layout import flatten
from simple_jit.mir.verify import verify
from simple_jit.runtime.code_arena import CodeArena
from simple_jit.runtime.context import Context
from simple_jit.runtime.crossing import Crossing
from simple_jit.runtime.heap import Heap
from simple_jit.runtime.interrupt import install_interrupt, remove_interrupt
from simple_jit.runtime.stack import set_stack_limit
from simple_jit.runtime.values import flatten_value, inflate
from simple_jit.tiers.contract import Backend, CompiledCode, Link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from simple_jit.mir.foreign import CallbackSignature

Types = tuple[mir.MirType, ...]


class NativeCode:
    """Compiles units, puts them in place, and makes them callable from Python.

    `instance` gives an instance's HIR and its cell in the interpreter: the slots of instances that have
    no native code yet hold a stub that calls that. With `is_command` signals end the process in time.
    """

    def __init__(
        self,
        context: Context,
        heap: Heap,
        backend: Backend,
        instance: Callable[[str], tuple[hir.Function, Any]],
        is_command: bool = False,
    ) -> None:
        self._context = context
        self._instance = instance
        self._arena = CodeArena()
        self._crossing = Crossing(backend, context, self._arena, heap.read_text)
        self._empty: list[tuple[str, int]] = []
        self._installed: set[str] = set()
        self._units: list[int] = []
        self._compiling = False
        self._empty += context.code_slots()
        context.new_code_slot = self._new_slot
        self._fill_slots()
        self.thread = 0
        self._faults = heap.collector.faults
        self.use_this_thread()
        install_interrupt(backend, context, is_command)

    def close(self) -> None:
        """Forget the code. Nothing may run it, or what `entry` and `region_entry` gave, afterwards."""
        remove_interrupt(self._context)
        self._arena.close()

    def install(
        self,
        functions: Sequence[mir.Function],
        backend: Backend,
        level: int,
        exported: Sequence[str] | None = None,
        link: Link | None = None,
    ) -> None:
        """Compile `functions` as one unit and put those that have an entry into the code table.

        `exported` are those that need one: all, unless it is given. `link` says where in the context things
        lie, where that is not what the context says.

        Raises:
            BackendError: something in them is not supported.
        """
        for function in functions:
            verify(function)
        self._compiling = True
        try:
            code = backend.compile(functions, link or self._context, level, exported)
            base = self._arena.add(code)
            self._units.append(base)
            for symbol, entry in code.entries.items():
                self._context.store((link or self._context).code_offset(symbol), base + entry)
                if link is None:
                    self._installed.add(symbol)
        finally:
            self._compiling = False
        self._fill_slots()

    def use_this_thread(self) -> None:
        """Prepare to run code in the calling thread, which has a stack of its own."""
        thread = get_ident()
        if thread != self.thread:
            set_stack_limit(self._context)
            self.thread = thread
            if self._faults is not None:
                self._faults.watch_native_code(self._context)

    def add_unit(self, code: CompiledCode) -> int:
        """Put code into place that has no slots in the code table, for ever; returns its address."""
        return self._arena.add(code)

    def entry_at(self, slot: int, params: Types, results: Types) -> Callable[..., Any]:
        """Return what calls, whatever program is loaded, the function whose address is in a cell."""
        return self._crossing.entry(slot, params, results, kept=True)

    def add_c_function(self, function: mir.Function) -> int:
        """Compile a function that C code calls and return its address."""
        return self._crossing.add_c_function(function)

    def callback_thunk(self, cell: int, signature: CallbackSignature) -> int:
        """Return what C may call for the function value whose address is in a cell."""
        return self._crossing.callback_thunk(cell, signature)

    def variadic_thunk(self, target: int) -> int:
        """Return what native code calls for the variadic C function at `target`."""
        return self._crossing.variadic_thunk(target)

    def call_at(self, address: int) -> tuple[int, tuple[int, ...]] | None:
        """Look up the call that returns to `address` (see `contract.CallMap`)."""
        return self._arena.call_at(address)

    def has_code(self, symbol: str) -> bool:
        """Is there native code for the instance?"""
        return symbol in self._installed

    def begin_program(self) -> None:
        """Take the instances of another program for new ones; the code of those before stays."""
        self._installed.clear()
        self._empty.clear()

    def forget_program(self) -> None:
        """Free the code of all instances. Nothing may run it any more."""
        self._installed.clear()
        self._empty.clear()
        while self._units:
            self._arena.free(self._units.pop())
        self._crossing.forget_stubs()

    @property
    def code_bytes(self) -> int:
        """Bytes of machine code in use."""
        return self._arena.used

    def _new_slot(self, symbol: str, offset: int) -> None:
        """Fill a slot that was just made; those that a compilation makes, when that is over."""
        self._empty.append((symbol, offset))
        if not self._compiling:
            self._fill_slots()

    def _fill_slots(self) -> None:
        """Give every slot that is still empty a stub that enters the interpreter."""
        while self._empty:
            symbol, slot = self._empty.pop()
            if not self._context.load(slot):
                source, instance = self._instance(symbol)
                params, results = signature(source)
                callee = _from_components(source, instance)
                stub = self._crossing.stub(callee, params, results, source.track_caller)
                self._context.store(slot, stub)

    def entry(self, source: hir.Function) -> Callable[..., Any]:
        """Return what calls the native code of an instance with values in the interpreter's form."""
        params, results = signature(source)
        call = self._crossing.entry(self._context.code_offset(source.symbol), params, results)
        if not all(_is_plain(t) for t in (*_types(source), source.ret)):
            return _to_components(source, call)
        if source.track_caller:
            return lambda *args: call(*args, 0)
        return call

    def region_entry(self, symbol: str) -> Callable[[], None]:
        """Return what calls the native code of a loop region."""
        return self._crossing.region_entry(self._context.code_offset(symbol))


def signature(source: hir.Function) -> tuple[Types, Types]:
    """Return the components of an instance's parameters and results, as native code passes them."""
    params = [part for type in _types(source) for part in flatten(type)]
    if source.track_caller:
        params.append(mir.I64)
    return tuple(params), flatten(source.ret)


def _types(source: hir.Function) -> list[types.Type]:
    return [param.type for param in source.params]


def _is_plain(type: types.Type) -> bool:
    """Is a value of `type`, in the interpreter's form, its one component?"""
    if type is types.UNIT or type is types.NEVER:
        return False
    return not isinstance(type, types.TupleType) and len(flatten(type)) == 1


def _to_components(source: hir.Function, call: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `call`, which takes and gives components, to take and give values."""
    params, ret = _types(source), source.ret
    no_site = (0,) if source.track_caller else ()
    count = len(flatten(ret))

    def wrapped(*args: Any) -> Any:
        parts: list[Any] = []
        for value, type in zip(args, params, strict=True):
            parts += flatten_value(value, type)
        result = call(*parts, *no_site)
        if count == 0:
            return None
        return inflate((result,) if count == 1 else result, ret)

    return wrapped


def _from_components(source: hir.Function, instance: Any) -> Callable[..., Any]:
    """Return what takes and gives components and calls the interpreter with values."""
    params, ret = _types(source), source.ret
    if all(_is_plain(type) for type in params) and (_is_plain(ret) or not flatten(ret)):
        return lambda *args: instance.call(*args)
    widths = [len(flatten(type)) for type in params]
    count = len(flatten(ret))

    def called(*parts: Any) -> Any:
        values, at = [], 0
        for type, width in zip(params, widths, strict=True):
            values.append(inflate(parts[at : at + width], type) if width else None)
            at += width
        result = instance.call(*values)
        if count == 0:
            return None
        flat = flatten_value(result, ret)
        return flat[0] if count == 1 else tuple(flat)

    return called
