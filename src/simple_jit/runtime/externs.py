"""Foreign functions: what the name in `extern fn name(…)` stands for.

A name is looked up among, in this order,

    1. the runtime's own functions, `rt_…` (`runtime_functions` has them)     Python
    2. functions registered from Python                                      Python
    3. C symbols of the process: libc, libm, whatever else is loaded          C

and `extern "libfoo.so" fn …` in that library alone. A Python function gets values in the
interpreter's form (a text or an array is the address of the object), from every tier. A C function
gets the bytes of a text and the elements of an array.

Each kind can be called from the interpreter (`function`: a Python callable that takes values) and
from native code (`address`, kept in the context's import table).
"""

from __future__ import annotations

from simple_jit.hir import nodes as hir_nodes
from simple_jit.hir import types as hir
from simple_jit.mir import abi
from simple_jit.mir.layout import flatten, traced
from simple_jit.runtime.context import Context
from simple_jit.runtime.heap import Heap
from simple_jit.runtime.memory import I64
from simple_jit.runtime.output import Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final

    from simple_jit.runtime.values import Value

    Signature = tuple[tuple[hir.Type, ...], hir.Type]


class UnresolvedExtern(Exception):
    """There is no such foreign function; the message says where it was looked for."""


class PythonFunction:
    """A foreign function written in Python; `call` takes and returns values."""

    __slots__ = ("address", "call", "name", "signature")

    def __init__(self, name: str, signature: Signature, call: Callable[..., Value]) -> None:
        self.name = name
        self.signature = signature
        self.call = call
        self.address = 0


class CFunction:
    """A symbol of a shared library."""

    __slots__ = ("address", "name")

    def __init__(self, name: str, address: int) -> None:
        self.name = name
        self.address = address


class ExternTable:
    """The foreign functions of one engine."""

    __slots__ = ("_c", "_context", "_heap", "_libraries", "_python", "output")

    def __init__(self, context: Context, heap: Heap, output: Output) -> None:
        self._context = context
        self._heap = heap
        self.output = output
        self._python: dict[str, PythonFunction] = {}
        self._c: dict[tuple[str | None, str], CFunction] = {}
        self._libraries: dict[str | None, list[Any]] = {}
        context.new_import_slot = self._fill_import

    # --- Adding functions -------------------------------------------------------------------------

    def define(
        self, name: str, params: Sequence[hir.Type], ret: hir.Type, call: Callable[..., Value]
    ) -> None:
        """Add a function that takes and returns values in the interpreter's form."""
        self._python[name] = PythonFunction(name, (tuple(params), ret), call)

    def register(
        self, name: str, params: Sequence[hir.Type], ret: hir.Type, function: Callable[..., Any]
    ) -> None:
        """Add a function that takes and returns what Python users expect (str, list, …)."""
        from simple_jit.runtime.values import to_python, to_simple

        types, heap = tuple(params), self._heap

        def call(*args: Value) -> Value:
            converted = [to_python(a, t, heap) for a, t in zip(args, types, strict=True)]
            return to_simple(function(*converted), ret, heap)

        self.define(name, types, ret, call)

    # --- Looking names up -------------------------------------------------------------------------

    def find(self, name: str, library: str | None = None) -> PythonFunction | CFunction:
        """Return what a name stands for.

        Raises:
            UnresolvedExtern: nothing.
        """
        if library is None:
            found = self._python.get(name) or self._runtime_function(name)
            if found is not None:
                return found
            if name.startswith("rt_"):
                raise UnresolvedExtern(f"the runtime has no function `{name}`")
        symbol = self._c_symbol(name, library)
        if symbol is None:
            raise UnresolvedExtern(
                f"no function `{name}` in the library {library}"
                if library is not None
                else f"no function `{name}`: looked among the runtime's functions, those registered "
                "from Python, and the C symbols of the process (libc, libm)"
            )
        return symbol

    def _runtime_function(self, name: str) -> PythonFunction | None:
        if not name.startswith("rt_"):
            return None
        from simple_jit.runtime.runtime_functions import runtime_functions

        table = runtime_functions(self._context, self._heap, self.output)
        for key, function in table.items():
            self._python.setdefault(key, PythonFunction(key, *function))
        return self._python.get(name)

    def raises(self, name: str, library: str | None = None) -> bool:
        """Can the function fail, as all Python functions can? C functions cannot.

        Raises:
            UnresolvedExtern: there is no such function.
        """
        return isinstance(self.find(name, library), PythonFunction)

    def lookup(self, name: str, library: str | None = None) -> bool | None:
        """Return what `raises` does, None where there is no such function."""
        try:
            return self.raises(name, library)
        except UnresolvedExtern:
            return None

    def signature(self, name: str, library: str | None = None) -> Signature | None:
        """Return the types that a declaration must have; None where any will do (C functions).

        Raises:
            UnresolvedExtern: there is no such function.
        """
        found = self.find(name, library)
        return found.signature if isinstance(found, PythonFunction) else None

    def _c_symbol(self, name: str, library: str | None) -> CFunction | None:
        found = self._c.get((library, name))
        if found is None:
            from ctypes import c_void_p, cast

            for handle in self._library_handles(library):
                try:
                    address = cast(handle[name], c_void_p).value
                except (AttributeError, ValueError):
                    continue
                if address:
                    found = self._c[library, name] = CFunction(name, address)
                    # Native code names a symbol alone: what was found last under it is meant.
                    self._c[None, name] = found
                    break
        return found

    def _library_handles(self, library: str | None) -> list[Any]:
        handles = self._libraries.get(library)
        if handles is None:
            handles = self._libraries[library] = _open_library(library)
        return handles

    # --- Calling ----------------------------------------------------------------------------------

    def function(self, extern: hir_nodes.Extern) -> Callable[..., Value]:
        """Return a Python callable that takes and returns values, for the interpreter.

        Raises:
            UnresolvedExtern: there is no such function.
        """
        found = self.find(extern.name, extern.library)
        if isinstance(found, PythonFunction):
            return self._collecting(found) if extern.ret is not hir.UNIT else _without_result(found.call)
        return self._c_callable(found.address, extern.params, extern.ret)

    def address(self, name: str, library: str | None = None) -> int:
        """Return the address that native code calls.

        Raises:
            UnresolvedExtern: there is no such function.
        """
        found = self.find(name, library)
        if not found.address:
            assert isinstance(found, PythonFunction)
            self._make_callback(found)
        return found.address

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

    def _c_callable(self, address: int, params: Sequence[hir.Type], ret: hir.Type) -> Callable[..., Value]:
        from ctypes import CFUNCTYPE

        function = CFUNCTYPE(_c_type(ret), *map(_c_type, params))(address)
        convert = [_c_argument(type) for type in params]
        call: Callable[..., Any] = function
        if any(convert):

            def call(*args: Value) -> Any:
                return function(*[c(a) if c else a for c, a in zip(convert, args, strict=True)])

        copy = _COPIES.get(ret)
        if copy is None:
            return call
        from_c = self.find(copy)
        assert isinstance(from_c, PythonFunction)
        return lambda *args: from_c.call(call(*args))


def _open_library(library: str | None) -> list[Any]:
    from ctypes import CDLL

    if library is not None:
        try:
            return [CDLL(library)]
        except OSError as error:
            raise UnresolvedExtern(f"cannot load the library {library}: {error}") from None
    handles = [CDLL(None)]
    for name in ("libm.so.6", "libm.dylib"):
        try:
            handles.append(CDLL(name))
        except OSError:
            continue
    return handles


_C_TYPES: Final[dict[hir.Type, str]] = {
    hir.I8: "c_int8", hir.I16: "c_int16", hir.I32: "c_int32", hir.I64: "c_int64",
    hir.U8: "c_uint8", hir.U16: "c_uint16", hir.U32: "c_uint32", hir.U64: "c_uint64",
    hir.F32: "c_float", hir.F64: "c_double", hir.BOOL: "c_bool",
}  # fmt: skip


_COPIES: Final = {
    hir.TEXT: "rt_text_from_c",
    hir.optional_of(hir.TEXT): "rt_optional_text_from_c",
}
"""What makes a text of the characters that a C function returns."""


def _without_result(call: Callable[..., Value]) -> Callable[..., None]:
    """For a declaration that leaves the result out."""

    def run(*args: Value) -> None:
        call(*args)

    return run


def _c_type(type: hir.Type) -> Any:
    """Return the ctypes type of a parameter or result; references are integers, None is void."""
    import ctypes

    if type is hir.UNIT or type is hir.NEVER:
        return None
    return getattr(ctypes, _C_TYPES.get(type, "c_int64"))


def _c_argument(type: hir.Type) -> Callable[[int], int] | None:
    """Return what turns a value into what C gets, None where it is the value itself."""
    if type is hir.TEXT:
        return lambda address: address + abi.TEXT_DATA
    if isinstance(type, hir.ArrayType):
        return lambda address: int(I64[(address + abi.ARRAY_DATA) >> 3])
    return None
