"""Calls between Python and native code, in both directions, without a frame of ctypes in between.

    crossing.entry(slot, params, results)         a Python function that calls the instance in a slot
    crossing.stub(callee, params, results)        an address to put into a slot: it calls `callee`
    crossing.extern(callee, params, results)      the same for the import table

Arguments and results are components (`mir.layout`): numbers, bools, and addresses as numbers; several
results are a tuple, none is None. An error leaves either way as the Python exception that it is.
Code is generated once for each signature, whichever the back end.
"""

from __future__ import annotations

from simple_jit.mir import abi
from simple_jit.runtime import callback_code, crossing_code, python_api
from simple_jit.runtime.errors import SimpleError, take_error
from simple_jit.runtime.python_api import BuiltinMaker
from simple_jit.runtime.stretches import hold_stretch, note_stretch
from simple_jit.runtime.stubs import (
    callback_thunk,
    callee_thunk,
    extern_thunk,
    install_stubs,
    variadic_thunk,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, NoReturn

    from simple_jit.mir import nodes as mir
    from simple_jit.mir.foreign import CallbackSignature
    from simple_jit.runtime.code_arena import CodeArena
    from simple_jit.runtime.context import Context
    from simple_jit.tiers.contract import Backend

    Types = tuple[mir.MirType, ...]
    Key = tuple[Types, Types]

SIGNATURES: Final = 512
"""Crossings of so many signatures are kept for the next program."""


class Crossing:
    """The crossings of one context. Python functions it made, and it, must not outlive the arena."""

    def __init__(
        self, backend: Backend, context: Context, arena: CodeArena, read_text: Callable[[int], str]
    ) -> None:
        """Prepare the context: the enter and throw stubs, and the function that polls call.

        Args:
            backend: compiles the crossings.
            context: whose code table has the slots.
            arena: where the code goes.
            read_text: returns the text at an address, for messages.
        """
        self._backend = backend
        self._context = context
        self._arena = arena
        self._wrappers: dict[Key, tuple[BuiltinMaker, int, int]] = {}
        self._stubs: dict[Key, int] = {}
        self._kept: set[Key] = set()
        self._externs: dict[Key, int] = {}
        self._extern_callees: list[Callable[..., Any]] = []
        self._thunks: dict[int, Callable[..., Any]] = {}
        self._callbacks: dict[CallbackSignature, int] = {}
        self._raise_error, self._wrong_count = _raisers(context, read_text)
        self._note = lambda error: note_stretch(context, error)
        self._hold = lambda: hold_stretch(context)
        install_stubs(arena, context.address)
        _, (poll,) = self._compile(crossing_code.poll_function())
        context.store(abi.POLL, poll)
        context.make_extern = self.extern

    def entry(self, slot: int, params: Types, results: Types, kept: bool = False) -> Callable[..., Any]:
        """Return a builtin function that calls the instance in the code-table slot at offset `slot`.

        Whatever code the slot holds at the time of the call is called. Once code for the signature is there,
        this takes a microsecond. The function may be used until `forget_stubs`, for ever where it is `kept`.
        """
        if kept:
            self._kept.add((params, results))
        found = self._wrappers.get((params, results))
        if found is None:
            functions = crossing_code.wrapper_functions(
                params, results, self._raise_error, self._note, self._wrong_count
            )
            base, (wrapper, inner) = self._compile(*functions)
            found = self._wrappers[params, results] = BuiltinMaker("native", wrapper), inner, base
        maker, inner, _ = found
        function: Callable[..., Any] = maker.make(slot.to_bytes(8, "little") + inner.to_bytes(8, "little"))
        return function

    def region_entry(self, slot: int) -> Callable[[], None]:
        """Return a function that calls a loop region, which finds its values in the BUFFER."""
        return self.entry(slot, (), ())

    def stub(
        self, callee: Callable[..., Any], params: Types, results: Types, reports_at_caller: bool = False
    ) -> int:
        """Return the address of a function that calls `callee` in Python, to be put into a slot.

        With `reports_at_caller` the last parameter is the number of the site to report errors at; `callee`
        does not get it.
        """
        if reports_at_caller:
            callee = _reporting(callee, self._context)
        shared = self._stubs.get((params, results))
        if shared is None:
            _, (shared,) = self._compile(crossing_code.stub_function(params, results))
            self._stubs[params, results] = shared
        address = self._arena.add(callee_thunk(id(callee), shared))
        self._thunks[address] = callee
        return address

    def extern(self, callee: Callable[..., Any], params: Types, results: Types) -> int:
        """Return the address of a C function that calls `callee` in Python, for the import table.

        An exception that leaves it is kept for `take_error`, and `FAILED` is set.
        """
        shared = self._externs.get((params, results))
        if shared is None:
            _, (shared,) = self._compile(crossing_code.extern_function(params, results))
            self._externs[params, results] = shared
        self._extern_callees.append(callee)
        return self._arena.add(extern_thunk(self._context.address, id(callee), shared))

    def add_c_function(self, function: mir.Function) -> int:
        """Compile a function that C code calls and return its address."""
        return self._compile(function)[1][0]

    def callback_thunk(self, cell: int, signature: CallbackSignature) -> int:
        """Return what C may call for the function value whose address is in a cell (`runtime.callbacks`)."""
        entry = self._callbacks.get(signature)
        if entry is None:
            _, (body,) = self._compile(callback_code.body_function(signature))
            _, (inner,) = self._compile(callback_code.inner_function(signature, body))
            thread = python_api.process_function("pthread_self")
            _, (entry,) = self._compile(callback_code.entry_function(signature, inner, thread, self._hold))
            self._callbacks[signature] = entry
        return self._arena.add(callback_thunk(cell, self._context.address, entry))

    def variadic_thunk(self, target: int) -> int:
        """Return what calls the C function at `target` and tells it that there may be floats in its `...`."""
        return self._arena.add(variadic_thunk(target))

    def forget_stubs(self) -> None:
        """Give back all stubs, and the code for signatures where it has become much.

        Nothing may call them any more, nor functions of `entry` that are not kept.
        """
        while self._thunks:  # taken out first: Ctrl-C may come in between, and nothing is freed twice
            self._arena.free(self._thunks.popitem()[0])
        if len(self._wrappers) + len(self._stubs) > SIGNATURES:
            for key in self._wrappers.keys() - self._kept:
                self._arena.free(self._wrappers.pop(key)[2])
            while self._stubs:
                self._arena.free(self._stubs.popitem()[1])

    def _compile(self, *functions: mir.Function) -> tuple[int, list[int]]:
        """Return where the code for some functions lies, and where each begins."""
        code = self._backend.compile(functions, self._context, level=1)
        base = self._arena.add(code)
        return base, [base + code.entries[function.symbol] for function in functions]


def _raisers(
    context: Context, read_text: Callable[[int], str]
) -> tuple[Callable[[], NoReturn], Callable[[], NoReturn]]:
    def raise_error() -> NoReturn:
        error = take_error(context, read_text)
        note_stretch(context, error)
        raise error

    def wrong_count() -> NoReturn:
        raise TypeError("a compiled function was called with a wrong number of arguments")

    return raise_error, wrong_count


def _reporting(callee: Callable[..., Any], context: Context) -> Callable[..., Any]:
    """Let errors of `callee` that have no place yet be reported where its caller is."""

    def call(*args: Any) -> Any:
        try:
            return callee(*args[:-1])
        except SimpleError as error:
            if error.site is None:
                error.site = context.site(args[-1])
            raise

    return call
