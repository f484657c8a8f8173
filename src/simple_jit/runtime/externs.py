"""Foreign functions: what the name in `extern fn name(…)` stands for.

A name is looked up among, in this order,

    1. the runtime's own functions, `rt_…` (`runtime_functions` has them)     Python
    2. functions registered from Python                                      Python
    3. C symbols of the process: libc, libm, whatever else is loaded          C

and `extern "libfoo.so" fn …` in that library alone. A Python function gets values in the
interpreter's form (a text or an array is the address of the object), from every tier. A C function
gets the bytes of a text, the elements of an array, and a pointer that it can call for a function value.

Each kind can be called from the interpreter (`function`: a Python callable that takes values) and
from native code (`address`, kept in the context's import table). MIR names a function by one word, its
symbol: `name`, `name@library`, `name@python`; `name...` for a variadic C function that may get floats.
"""

from __future__ import annotations

from simple_jit.hir import nodes as hir_nodes
from simple_jit.hir import types as hir
from simple_jit.hir.externs import MissingExtern
from simple_jit.mir import abi, foreign
from simple_jit.mir.layout import flatten, traced
from simple_jit.runtime.c_calls import c_function, characters, errno_after_call, errno_copy
from simple_jit.runtime.callbacks import Callbacks
from simple_jit.runtime.context import Context
from simple_jit.runtime.errors import take_callback_error
from simple_jit.runtime.heap import Heap
from simple_jit.runtime.memory import I64
from simple_jit.runtime.output import Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from simple_jit.runtime.values import Value

    Signature = tuple[tuple[hir.Type, ...], hir.Type]


class UnresolvedExtern(Exception):
    """There is no such foreign function; `reason` has the words for it."""

    def __init__(self, reason: MissingExtern) -> None:
        super().__init__(f"{reason.message} ({reason.note})" if reason.note else reason.message)
        self.reason = reason


class PythonFunction:
    """A foreign function written in Python; `call` takes and returns values."""

    __slots__ = ("address", "call", "name", "signature")

    def __init__(self, name: str, signature: Signature, call: Callable[..., Value], address: int = 0) -> None:
        self.name = name
        self.signature = signature
        self.call = call
        self.address = address


class CFunction:
    """A symbol of a shared library."""

    __slots__ = ("address", "name")

    def __init__(self, name: str, address: int) -> None:
        self.name = name
        self.address = address


class ExternTable:
    """The foreign functions of one engine. `make_variadic` is set once there is native code."""

    __slots__ = (
        "_c",
        "_context",
        "_heap",
        "_libraries",
        "_python",
        "_runtime",
        "_targets",
        "_variadic",
        "callbacks",
        "make_variadic",
        "output",
    )

    def __init__(self, context: Context, heap: Heap, output: Output) -> None:
        self._context = context
        self._heap = heap
        self.output = output
        self._runtime: dict[str, PythonFunction] = {}
        self._python: dict[str, PythonFunction] = {}
        self._c: dict[tuple[str | None, str], CFunction] = {}
        self._libraries: dict[str | None, list[Any]] = {}
        self._targets: dict[str, list[Callable[..., Any]]] = {}
        self._variadic: dict[int, int] = {}
        self.make_variadic: Callable[[int], int] | None = None
        self.callbacks = Callbacks(context, heap, self._copy_function)
        context.new_import_slot = self._fill_import

    # --- Adding functions -------------------------------------------------------------------------

    def define(
        self, name: str, params: Sequence[hir.Type], ret: hir.Type, call: Callable[..., Value]
    ) -> None:
        """Add a function that takes and returns values in the interpreter's form.

        One whose name begins with `rt_` belongs to the runtime.
        """
        table = self._runtime if name.startswith("rt_") else self._python
        table[name] = PythonFunction(name, (tuple(params), ret), call)

    def keep_target(self, name: str, target: list[Callable[..., Any]]) -> None:
        """Note the list whose one item is the function of Python behind a name that is defined."""
        self._targets[name] = target

    def registered(self, name: str) -> tuple[Signature, list[Callable[..., Any]]] | None:
        """Return the types and the list of `keep_target`; None where there is none of that name."""
        target = self._targets.get(name)
        return (self._python[name].signature, target) if target is not None else None

    # --- Looking names up -------------------------------------------------------------------------

    def find(
        self, name: str, library: str | None = None, from_library: bool = False
    ) -> PythonFunction | CFunction:
        """Return what a name stands for, to the standard library (`from_library`) none that users registered.

        Raises:
            UnresolvedExtern: nothing.
        """
        if library is None:
            found = self._runtime_function(name) or (None if from_library else self._python.get(name))
            if found is not None:
                return found
        return self._c_symbol(name, library)

    def find_symbol(self, symbol: str) -> PythonFunction | CFunction:
        """Return what a symbol of MIR stands for.

        Raises:
            UnresolvedExtern: nothing.
        """
        name, _, library = symbol.partition("@")
        if library == "python":
            return self._python[name]
        return self.find(name.removesuffix("..."), library or None, from_library=True)

    def _runtime_function(self, name: str) -> PythonFunction | None:
        if not name.startswith("rt_"):
            return None
        if name not in self._runtime:
            if name.startswith(foreign.PREFIX):
                return self._callback_function(name)
            self._add_runtime_functions()
        found = self._runtime.get(name)
        if found is None:
            raise UnresolvedExtern(
                MissingExtern(f"the runtime has no function `{name}`", hint=_meant(name, self._runtime))
            )
        return found

    def _add_runtime_functions(self) -> None:
        from simple_jit.runtime import python_api
        from simple_jit.runtime.runtime_functions import runtime_functions

        if "rt_error_take" in self._runtime:
            return
        table = runtime_functions(self._context, self._heap, self.output)
        for key, function in table.items():
            self._runtime.setdefault(key, PythonFunction(key, *function))
        # Native code calls these as the C functions that they are; the interpreter has no use for them.
        for key, params, ret, address in (
            ("rt_python_leave", (), hir.I64, python_api.function("PyEval_SaveThread")),
            ("rt_python_enter", (hir.I64,), hir.UNIT, python_api.function("PyEval_RestoreThread")),
            ("rt_errno_address", (), hir.I64, python_api.errno_function()),
        ):
            self._runtime[key] = PythonFunction(key, (params, ret), errno_copy, address)

    def _callback_function(self, name: str) -> PythonFunction:
        """Return the function that gives C a pointer for a function value of one signature."""
        signature, pointer = foreign.parse_symbol(name), self.callbacks.pointer

        def call(closure: int) -> int:
            return pointer(closure, signature)

        found = self._runtime[name] = PythonFunction(name, ((hir.I64,), hir.I64), call)
        return found

    def _copy_function(self, name: str) -> Callable[[int], int]:
        found = self._runtime_function(name)
        assert found is not None
        return found.call

    def lookup(
        self, name: str, library: str | None = None, from_library: bool = False
    ) -> bool | MissingExtern:
        """Is a function one of Python? Or why there is none."""
        try:
            return isinstance(self.find(name, library, from_library), PythonFunction)
        except UnresolvedExtern as missing:
            return missing.reason

    def signature(self, name: str, library: str | None = None) -> Signature | None:
        """Return the types that a declaration must have; None where any will do (C functions).

        Raises:
            UnresolvedExtern: there is no such function.
        """
        found = self.find(name, library)
        return found.signature if isinstance(found, PythonFunction) else None

    def _c_symbol(self, name: str, library: str | None) -> CFunction:
        found = self._c.get((library, name))
        if found is None:
            from simple_jit.runtime.libraries import is_data, symbol_address

            address = symbol_address(name, self._library_handles(library))
            if not address:
                raise UnresolvedExtern(self._missing(name, library))
            if is_data(address) or name == "errno":  # which lies elsewhere in each thread
                raise UnresolvedExtern(
                    MissingExtern(f"`{name}` is a variable of C, not a function", hint=_variable_hint(name))
                )
            found = self._c[library, name] = CFunction(name, address)
        return found

    def _missing(self, name: str, library: str | None) -> MissingExtern:
        message = f"there is no foreign function `{name}`"
        if library is not None:
            return MissingExtern(message, f"looked in: `{library}`", "`nm -D` lists the names in a library")
        note = "looked in: runtime functions, functions registered from Python, the process (libc, libm)"
        hint = _meant(name, self._python) or f'name the library that has it: `extern "libname.so" fn {name}…`'
        return MissingExtern(message, note, hint)

    def _library_handles(self, library: str | None) -> list[Any]:
        handles = self._libraries.get(library)
        if handles is None:
            from simple_jit.runtime.libraries import open_library

            handles, reason = open_library(library)
            if reason:
                hint = "`./name.so` is a file beside the program; the system looks for other names"
                raise UnresolvedExtern(MissingExtern(f"cannot load the library `{library}`", reason, hint))
            self._libraries[library] = handles
        return handles

    # --- Calling ----------------------------------------------------------------------------------

    def function(self, extern: hir_nodes.Extern) -> Callable[..., Value]:
        """Return a Python callable that takes and returns values, for the interpreter.

        Raises:
            UnresolvedExtern: there is no such function.
        """
        found = self.find_symbol(extern.symbol)
        if isinstance(found, PythonFunction):
            return self._collecting(found) if extern.ret is not hir.UNIT else _without_result(found.call)
        return self._c_callable(found.address, extern)

    def address(self, symbol: str) -> int:
        """Return the address that native code calls.

        Raises:
            UnresolvedExtern: there is no such function.
        """
        found = self.find_symbol(symbol)
        if not found.address:
            assert isinstance(found, PythonFunction)
            self._make_callback(found)
        return self._variadic_address(found.address) if "..." in symbol else found.address

    def _variadic_address(self, address: int) -> int:
        if self.make_variadic is None:
            return address
        found = self._variadic.get(address)
        if found is None:
            found = self._variadic[address] = self.make_variadic(address)
        return found

    def _fill_import(self, symbol: str, offset: int) -> None:
        self._context.store(offset, self.address(symbol))

    def _make_callback(self, function: PythonFunction) -> None:
        """Give a Python function an address: C code that converts, calls, and reports what it raises."""
        params, ret = function.signature
        parts = tuple([part for type in params for part in flatten(type)])
        function.address = self._context.make_extern(self._collecting(function), parts, flatten(ret))

    def _collecting(self, function: PythonFunction) -> Callable[..., Value]:
        """Return what lets the collector run before a function that makes objects, which itself cannot."""
        call, poll = function.call, self._heap.collector.collect_if_due
        if not any(traced(function.signature[1])):
            return call

        def run(*args: Value) -> Value:
            poll()
            return call(*args)

        return run

    # --- Calling C from Python --------------------------------------------------------------------

    def _c_callable(self, address: int, extern: hir_nodes.Extern) -> Callable[..., Value]:
        """Return what converts values for C, calls, and raises what a function that C called was left by."""
        keeps_errno = "errno" in extern.traits
        function = c_function(address, [_word(t) for t in extern.params], _word(extern.ret), keeps_errno)
        convert = [self._c_argument(type) for type in extern.params]
        name = foreign.COPIES.get(extern.ret)
        copy = self._copy_function(name) if name is not None else None
        context, read_text = self._context, self._heap.read_text
        failed = (context.address + abi.FAILED) >> 3

        def call(*args: Value) -> Value:
            # This frame refers to what C was given, so the collector does not take it away meanwhile.
            given = [c(a) if c else a for c, a in zip(convert, args, strict=True)]
            result = function(*given)
            if keeps_errno:
                context.store(abi.ERRNO, errno_after_call())
            if I64[failed]:
                raise take_callback_error(context, read_text)
            return result if copy is None else copy(result)

        return call

    def call_c(self, symbol: str, params: Sequence[str], ret: str, args: Sequence[Any]) -> Any:
        """Call a C function by its symbol, with machine values; for the MIR interpreter."""
        found = self.find_symbol(symbol)
        result = c_function(found.address, params, ret, keeps_errno=True)(*args)
        I64[errno_copy() >> 3] = errno_after_call()
        if self._context.load(abi.FAILED):
            raise take_callback_error(self._context, self._heap.read_text)
        return result

    def _c_argument(self, type: hir.Type) -> Callable[[int], int] | None:
        """Return what turns a value into what C gets, None where it is the value itself."""
        if type is hir.TEXT:
            return characters
        if isinstance(type, hir.ArrayType):
            return lambda address: int(I64[(address + abi.ARRAY_DATA) >> 3])
        if isinstance(type, hir.OptionalType):
            convert = self._c_argument(type.inner)
            assert convert is not None
            return lambda address: convert(address) if address else 0
        if isinstance(type, hir.FnType):
            signature, pointer = foreign.signature_of(type), self.callbacks.pointer
            return lambda closure: pointer(closure, signature)
        return None


def _meant(name: str, known: dict[str, PythonFunction]) -> str:
    from simple_jit.base.diagnostics import suggest

    similar = suggest(name, known)
    return f"did you mean `{similar}`?" if similar else ""


def _variable_hint(name: str) -> str:
    if name == "errno":
        return "declare the functions that set it `@errno`, and read it with `std.ffi.errno()`"
    return "write a function in C that returns it or its address"


def _without_result(call: Callable[..., Value]) -> Callable[..., None]:
    """For a declaration that leaves the result out."""

    def run(*args: Value) -> None:
        call(*args)

    return run


def _word(type: hir.Type) -> str:
    """Return the machine type that C passes for a value of `type`; `unit` for nothing."""
    if type is hir.UNIT or type is hir.NEVER:
        return "unit"
    parts = flatten(type)
    return parts[0].name if len(parts) == 1 else "ptr"

