"""Execution managers: native code on request, of MIR text and of source, called by name.

    with LocalExecutionManager.cranelift() as manager:
        manager.compile("fn @twice(%0: i64) -> i64 { b0: %1: i64 = add %0, %0 return %1 }")
        manager.execute("twice", [21])      # 42

A manager has an engine of its own. What is compiled stays until it is replaced by something of the same
name; functions that call it by its symbol then call the new one, as long as it has the same types.
"""

from __future__ import annotations

from simple_jit.base.diagnostics import CompileError, Reporter
from simple_jit.base.source import SourceFile
from simple_jit.engine.backends import chosen_backend, open_backend
from simple_jit.engine.callers import array_caller, machine_caller, typed_caller
from simple_jit.engine.checking import check_source, concrete_functions
from simple_jit.engine.config import BACKENDS, Config
from simple_jit.engine.engine import Engine
from simple_jit.engine.native import signature
from simple_jit.hir import types
from simple_jit.hir.globals import first_free_cell
from simple_jit.mir.layout import described
from simple_jit.mir.link import InvalidMir, move_globals, read_unit
from simple_jit.runtime.errors import SimpleError
from simple_jit.runtime.externs import PythonFunction, UnresolvedExtern
from simple_jit.runtime.machine_values import type_of
from simple_jit.tiers.contract import BackendError, BackendMissing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final

    from simple_jit.engine.callers import Caller
    from simple_jit.mir import nodes as mir
    from simple_jit.mir.link import Signature
    from simple_jit.mir.parse import Unit
    from simple_jit.runtime.output import Sink
    from simple_jit.runtime.shared_arrays import SharedArray

DEFAULT_LEVEL: Final = 2
FAILURES: Final = (
    BackendError, BackendMissing, CompileError, InvalidMir, SimpleError,
    ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError,
)  # fmt: skip
"""What the operations of a manager fail with."""


class CleanedUp(RuntimeError):
    """A manager was used after its `cleanup`."""

    def __init__(self) -> None:
        super().__init__("the execution manager was cleaned up")


class LocalExecutionManager:
    """Compiles MIR text and Simple source in this process, and calls what it compiled.

    Args:
        backend: `cranelift`, `llvm`, or `auto` for the first of the two that is installed.
        sink: takes the bytes that functions print; standard output where it is None.
        error_sink: the same for standard error.
        heap_limit: bytes that the objects of its functions may take; None: what `SIMPLE_HEAP_MAX` says.
        time_limit: seconds of processor time that `execute` may take, and top-level statements; None: no
            limit. Only in the main thread.

    Raises:
        ValueError: there is no back end of this name, or a limit is out of its range.
        BackendMissing: the back end is not installed.
    """

    def __init__(
        self,
        backend: str = "auto",
        *,
        sink: Sink | None = None,
        error_sink: Sink | None = None,
        heap_limit: int | None = None,
        time_limit: float | None = None,
    ) -> None:
        if backend not in BACKENDS:
            raise ValueError(f"unknown back end {backend!r}: it is one of {', '.join(BACKENDS)}")
        opened = open_backend(backend)
        self._backend = opened.name
        config = Config(
            "always_jit", opened.name, level=DEFAULT_LEVEL, heap_max=heap_limit, time_limit=time_limit
        )
        config.check()
        self._is_limited = time_limit is not None
        self._engine: Engine | None = Engine(config, sink, error_sink)
        self._first_global = 0
        self._slots: dict[str, tuple[int, Signature]] = {}
        self._callers: dict[str, Caller] = {}
        self._array_callers: dict[str, Caller] = {}
        self._returns: dict[str, types.Type | None] = {}
        self._listed: dict[str, str] = {}
        self._failure: BaseException | None = None

    @classmethod
    def cranelift(cls) -> LocalExecutionManager:
        """Return a manager that compiles with Cranelift.

        Raises:
            BackendMissing: it is not installed.
        """
        return cls("cranelift")

    @classmethod
    def llvm(cls) -> LocalExecutionManager:
        """Return a manager that compiles with LLVM.

        Raises:
            BackendMissing: it is not installed.
        """
        return cls("llvm")

    @classmethod
    def auto_select(cls) -> LocalExecutionManager:
        """Return a manager that compiles with what `set_jit_backend` set: at first Cranelift, else LLVM.

        Raises:
            BackendMissing: neither is installed.
        """
        return cls(chosen_backend())

    def __enter__(self) -> LocalExecutionManager:
        return self

    def __exit__(self, *_: object) -> None:
        self.cleanup()

    def __repr__(self) -> str:
        return f"<LocalExecutionManager {self._backend}{'' if self._engine else ', cleaned up'}>"

    # --- compiling --------------------------------------------------------------------------------

    def compile(self, mir: str) -> None:
        """Compile MIR text (docs/mir.md) as one unit; its functions may call those that are there already.

        Raises:
            InvalidMir: it is no MIR, breaks a rule, or names what does not exist; has line and reason.
            BackendError: the back end cannot compile it.
            CleanedUp: `cleanup` was called.
        """
        try:
            self._compile(mir)
        except FAILURES as error:
            raise self._noted(error) from None

    def compile_source(self, source: str, path: str = "<source>") -> None:
        """Compile the functions of Simple source whose parameters all have types, and all that they need.

        Its top-level statements run, `main` does not. Functions that are there already stay, but for those
        of the same names.

        Raises:
            CompileError: it has errors.
            SimpleError: a top-level statement failed.
            BackendError: the back end cannot compile it.
            CleanedUp: `cleanup` was called.
        """
        try:
            self._compile_source(SourceFile(path, source))
        except FAILURES as error:
            raise self._noted(error) from None

    def compile_file(self, path: str) -> None:
        """The same with source in a file.

        Raises:
            CompileError: the file cannot be read, or has errors.
            SimpleError: a top-level statement failed.
            BackendError: the back end cannot compile it.
            CleanedUp: `cleanup` was called.
        """
        from simple_jit.syntax.load import load_source

        reporter = Reporter()
        source = load_source(path, reporter)
        if source is None:
            raise self._noted(CompileError(reporter.diagnostics))
        try:
            self._compile_source(source)
        except FAILURES as error:
            raise self._noted(error) from None

    def set_opt_level(self, level: int) -> None:
        """Choose how much what is compiled from now on is optimised: 0 (not at all) to 3; at first 2.

        Raises:
            ValueError: there is no such level.
            CleanedUp: `cleanup` was called.
        """
        if level not in range(4):
            raise self._noted(ValueError(f"the optimisation level is 0, 1, 2 or 3, not {level}"))
        self._open().config.level = level

    # --- running ----------------------------------------------------------------------------------

    def execute(self, name: str, args: Sequence[Any] = ()) -> Any:
        """Call a function.

        Args:
            name: `fib`, `main.fib`, or the symbol in MIR: `main.fib(i64)`.
            args: Python values; docs/embedding.md says which stand for which types.

        Returns:
            The result as such a value, None where there is none. Several results of a function that was
            written in MIR are a tuple.

        Raises:
            LookupError: there is no such function.
            TypeError: the arguments do not fit its parameters.
            OverflowError: a number is out of the range of its parameter.
            SimpleError: the function failed.
            TimeLimitExceeded: it took longer than `time_limit`.
            CleanedUp: `cleanup` was called.
        """
        caller = self._callers.get(name)
        try:
            if caller is None:
                caller = self._missing(name)
            if self._is_limited:
                with self._open().time_limit():
                    return caller(args)
            return caller(args)
        except FAILURES as error:
            raise self._noted(error) from None

    def execute_array(self, name: str, args: Sequence[Any] = ()) -> SharedArray:
        """Call a function of source that returns an array of numbers, and share that instead of copying it.

        Raises:
            TypeError: the arguments do not fit, or the function returns something else.
            LookupError, OverflowError, SimpleError, TimeLimitExceeded, CleanedUp: as for `execute`.
        """
        caller = self._array_callers.get(name)
        try:
            if caller is None:
                self._callers.get(name) or self._missing(name)
                raise TypeError(f"{name!r} does not return an array of numbers")
            with self._open().time_limit():
                shared: SharedArray = caller(args)
                return shared
        except FAILURES as error:
            raise self._noted(error) from None

    def execute_typed(self, name: str, args: Sequence[Any]) -> tuple[Any, types.Type]:
        """The same as `execute`; returns the type of the result too."""
        result = self.execute(name, args)
        declared = self._returns.get(name)
        if declared is not None:
            return result, declared
        return result, type_of(result) or types.ANY

    def has_function(self, name: str) -> bool:
        """Can `execute` call a function of this name? Not after `cleanup`."""
        return name in self._callers

    def list_functions(self) -> list[str]:
        """Return the names of the functions, in the order in which they came first."""
        return list(self._listed)

    def backend_name(self) -> str:
        """Return `cranelift` or `llvm`."""
        return self._backend

    def last_error(self) -> str:
        """Return the message of the last operation that failed, an empty text where none did."""
        return str(self._failure) if self._failure is not None else ""

    def last_failure(self) -> BaseException | None:
        """Return what `last_error` is the message of."""
        return self._failure

    def cleanup(self) -> None:
        """Give back code and heap. Objects that calls returned must not be used any more.

        A second call does nothing; all other operations then fail.
        """
        engine, self._engine = self._engine, None
        if engine is not None:
            self._callers.clear()
            self._array_callers.clear()
            self._returns.clear()
            self._listed.clear()
            self._slots.clear()
            engine.close()

    # --- inside -----------------------------------------------------------------------------------

    def _open(self) -> Engine:
        if self._engine is None:
            raise self._noted(CleanedUp())
        return self._engine

    def _noted(self, error: BaseException) -> BaseException:
        self._failure = error
        return error

    def _missing(self, name: str) -> Caller:
        self._open()
        raise LookupError(f"there is no function {name!r}")

    def _compile(self, text: str) -> None:
        engine = self._open()
        unit = read_unit(text, _Linkage(engine, self._slots))
        functions = unit.functions
        if not functions:
            return
        self._first_global = move_globals(functions, self._first_global)
        link = _Link(engine, dict(self._slots), unit)
        engine.compile_unit(functions, link)
        self._slots = link.slots
        for function in functions:
            offset, types = link.slots[function.symbol]
            caller = machine_caller(engine, function.symbol, offset, types)
            self._add(function.symbol, function.symbol, caller, None, None)

    def _compile_source(self, source: SourceFile) -> None:
        engine = self._open()
        program = check_source(engine, source, calls_main=False, first_global=self._first_global)
        engine.load_beside(program)
        self._first_global = first_free_cell(program.globals)
        functions = concrete_functions(program)
        engine.compile_all([program.start, *functions])
        try:
            with engine.time_limit():
                engine.run(program, ())
        finally:
            engine.output.flush()
        for function in functions:
            params, results = signature(function)
            self._slots[function.symbol] = engine.context.code_offset(function.symbol), (params, results)
            caller, shared = typed_caller(engine, function), array_caller(engine, function)
            self._add(function.symbol, function.name, caller, function.ret, shared)

    def _add(
        self, symbol: str, listed: str, caller: Caller, ret: types.Type | None, shared: Caller | None
    ) -> None:
        """Let `execute` find a function under its symbol, and under the short forms of that."""
        path = symbol.partition("(")[0]
        for name in (symbol, path, path.rpartition(".")[2]):
            if name:
                self._callers[name] = caller
                self._returns[name] = ret
                if shared is not None:
                    self._array_callers[name] = shared
                else:
                    self._array_callers.pop(name, None)
        self._listed.setdefault(listed, symbol)


class _Linkage:
    """What MIR text may refer to."""

    def __init__(self, engine: Engine, slots: dict[str, tuple[int, Signature]]) -> None:
        self._engine = engine
        self._slots = slots

    def signature(self, symbol: str) -> Signature | None:
        found = self._slots.get(symbol)
        return found[1] if found is not None else None

    def extern(self, symbol: str) -> tuple[Signature | None, bool] | None:
        from simple_jit.mir.layout import flatten

        try:
            found = self._engine.externs.find(symbol)
        except UnresolvedExtern:
            return None
        if not isinstance(found, PythonFunction):
            return None, False
        params, ret = found.signature
        return (tuple([part for type in params for part in flatten(type)]), flatten(ret)), True

    def has_type(self, name: str) -> bool:
        from simple_jit.mir.layout import type_named

        numbers, type = self._engine.context.types, type_named(name)
        try:
            if type is None:
                numbers.named(name)
            else:
                numbers.of(type)
        except LookupError:
            return False
        return True


class _Link:
    """The `tiers.contract.Link` of MIR text: its functions have slots apart from those of programs.

    A function takes the slot of the one that it replaces where that has the same types.
    """

    def __init__(self, engine: Engine, slots: dict[str, tuple[int, Signature]], unit: Unit) -> None:
        self._context = engine.context
        self._types = {shape.name: described(shape) for shape in unit.types}
        self.slots = slots
        for function in unit.functions:
            types = tuple([param.type for param in function.params]), function.results
            found = slots.get(function.symbol)
            if found is None or found[1] != types:
                slots[function.symbol] = self._context.new_code_offset(), types

    @property
    def context_address(self) -> int:
        return self._context.address

    def code_offset(self, symbol: str) -> int:
        return self.slots[symbol][0]

    def import_offset(self, symbol: str) -> int:
        return self._context.import_offset(symbol)

    def text_offset(self, value: str) -> int:
        return self._context.text_offset(value)

    def site_number(self, site: mir.Site) -> int:
        return self._context.site_number(site)

    def type_id(self, name: str) -> int:
        own = self._types.get(name)
        return self._context.types.number(own) if own is not None else self._context.type_id(name)
