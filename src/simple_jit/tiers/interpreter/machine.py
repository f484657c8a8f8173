"""The tree-walking interpreter: makes instances, compiles their bodies to closures, runs them.

Simple recursion is Python recursion. Python-to-Python calls take no C stack, so the depth is bounded by
the recursion limit alone, which `run` raises; where a program exceeds it the `RecursionError` becomes
a `StackOverflow` error.
"""

from __future__ import annotations

import sys

from simple_jit.hir import nodes as hir
from simple_jit.hir import types
from simple_jit.mir import abi
from simple_jit.mir.nodes import Site
from simple_jit.runtime.context import Context
from simple_jit.runtime.errors import SimpleError
from simple_jit.runtime.heap import Heap
from simple_jit.runtime.memory import I64
from simple_jit.tiers.interpreter import allocation
from simple_jit.tiers.interpreter import tagged as _tagged  # noqa: F401  (adds to the nodes that have text)
from simple_jit.tiers.interpreter.compiler import (
    FLAT,
    FLAT_LIMIT,
    SEPARATE,
    FunctionCompiler,
    Limits,
    NotFlat,
    Places,
)
from simple_jit.tiers.interpreter.hooks import Hooks, Window
from simple_jit.tiers.interpreter.instance import Instance
from simple_jit.tiers.interpreter.shapes import FILE_NAME, Shape
from simple_jit.tiers.interpreter.statements import activation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from simple_jit.tiers.interpreter.shapes import Closure

_RECORDED: Final = abi.ERROR_NUMBER["Recorded"]
PYTHON_FRAMES: Final = 400_000
"""How deep Python calls may nest while a program runs; a call of a function takes two or three.

At this depth CPython 3.11 to 3.13 hold 120 MB of frames (measured), and unwinding takes 0.3 s.
"""


class ExternCell:
    """An extern function as callers see it; resolved at its first call."""

    __slots__ = ("_extern", "_hooks", "call")

    def __init__(self, extern: hir.Extern, hooks: Hooks) -> None:
        self._extern = extern
        self._hooks = hooks
        self.call: Callable[..., Any] = self._resolve

    def _resolve(self, *args: Any) -> Any:
        self.call = self._hooks.extern(self._extern)
        return self.call(*args)


class CodeTable(dict[int, Instance]):
    """Instances by the offset of their slot in the code table: what function values hold."""

    def __init__(self, interpreter: Interpreter) -> None:
        super().__init__()
        self._interpreter = interpreter

    def __missing__(self, offset: int) -> Instance:
        symbols = {at: symbol for symbol, at in self._interpreter.context.code_slots()}
        symbol = symbols[offset]
        found = self._interpreter.instances.get(symbol)
        if found is None:
            found = self._interpreter.instance(self._interpreter.hooks.function(symbol))
        self[offset] = found
        return found


class Interpreter:
    """Runs the instances of one engine. `hooks` is asked where something is hot."""

    def __init__(self, context: Context, heap: Heap, hooks: Hooks) -> None:
        self.context: Context = context
        self.heap = heap
        self.hooks = hooks
        self.instances: dict[str, Instance] = {}
        self.allocate = allocation.allocator(heap)
        self.code = CodeTable(self)
        self.places: dict[str, Places] = {}  # in flat functions, by symbol
        self._externs: dict[hir.Extern, ExternCell] = {}
        self._makers: dict[tuple[object, ...], Closure] = {}
        context.explain = self.as_simple_error
        self._error_kind = (context.address + abi.ERROR_KIND) >> 3
        self._error_site = (context.address + abi.ERROR_SITE) >> 3
        self._stack_copy = (context.address + abi.STACK) >> 3

    def instance(self, function: hir.Function) -> Instance:
        """Return the cell of an instance; its body is compiled at the first call."""
        found = self.instances.get(function.symbol)
        if found is None:
            found = self.instances[function.symbol] = Instance(function)
            found.call = self._first_call(found)
        return found

    def run(self, instance: Instance, *args: Any) -> Any:
        """Call an instance from outside of any program.

        Raises:
            SimpleError: an error of the program; too deep a recursion and a lack of memory are errors
                of the program too.
        """
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, PYTHON_FRAMES))
        try:
            return instance.call(*args)
        except SimpleError as raised:
            raised.find_frames = self.context.frames_of
            raise
        except (RecursionError, MemoryError) as raised:
            error = self.as_simple_error(raised)
        finally:
            sys.setrecursionlimit(limit)
        raise error

    def as_simple_error(self, error: BaseException) -> BaseException:
        """Return `error`, or the error of the program that it stands for.

        Whatever calls into the interpreter, native code above all, must send what is raised through
        here.
        """
        if isinstance(error, RecursionError):
            function = self._innermost(error)
            # As in native code: MIR knows the line of a function alone.
            site = Site(function.source.path, function.span.line, 1) if function else None
            meant = SimpleError("StackOverflow", "stack overflow", site)
        elif isinstance(error, MemoryError):
            meant = SimpleError("OutOfMemory", "out of memory")
        else:
            return error
        meant.trail = self.context.settle(error)
        meant.find_frames = self.context.frames_of
        return meant

    def _innermost(self, error: BaseException) -> hir.Function | None:
        """Return the function that was running when `error` was raised."""
        traceback, found = error.__traceback__, None
        while traceback is not None:
            code = traceback.tb_frame.f_code
            if code.co_filename == FILE_NAME:
                found = code.co_name
            traceback = traceback.tb_next
        instance = self.instances.get(found) if found else None
        return instance.function if instance else None

    def compile(self, function: hir.Function, limits: Limits = FLAT) -> Callable[..., Any]:
        """Return a function of the arguments that runs the body of an instance."""
        body = function.ensure_body()
        compiler = FunctionCompiler(self, function, body, limits)
        if limits is FLAT and compiler.facts[body].size > FLAT_LIMIT:
            return self.compile(function, SEPARATE)
        try:
            run = activation(compiler, body)
            self.places[function.symbol] = compiler.places
            return run
        except (NotFlat, SyntaxError, RecursionError, MemoryError):
            # It needs several closures, or nests deeper than Python's own compiler likes.
            if limits is not FLAT:
                raise
            return self.compile(function, SEPARATE)

    def prepare(self, instance: Instance) -> Callable[..., Any]:
        """Compile an instance that has not run yet; return what its callers should call."""
        instance.interpreted = self.compile(instance.function)
        faults = self.heap.collector.faults
        # As in native code: these have no poll at their entry.
        if faults is not None and not {"inline", "ends_soon"} & instance.function.annotations:
            instance.interpreted = faults.watched(instance.interpreted)
        if self.hooks.window is not None:
            return self._sampling(instance, self.hooks.window)
        if self.hooks.call_threshold is None:
            return instance.interpreted
        return self._counting(instance, self.hooks.call_threshold)

    def _first_call(self, instance: Instance) -> Callable[..., Any]:
        def first(*args: Any) -> Any:
            if instance.call is first:
                instance.call = self.prepare(instance)
            return instance.call(*args)

        return first

    def _counting(self, instance: Instance, threshold: int) -> Closure:
        """Return a function that counts calls and runs the closure."""
        arity = instance.function.param_count
        args = ", ".join([f"a{i}" for i in range(arity)])
        shape = Shape()
        cell, limit = shape.bind(instance), shape.bind(threshold)
        hot, run = shape.bind(self.heat), shape.bind(instance.interpreted)
        return shape.function(
            arity,
            [
                f"{cell}.calls += 1",
                f"if {cell}.calls >= {limit}: return {hot}({cell})({args})",
                f"return {run}({args})",
            ],
        )

    def _sampling(self, instance: Instance, window: Window) -> Closure:
        """Return a function that counts calls as part of a window and runs the closure."""
        arity = instance.function.param_count
        args = ", ".join([f"a{i}" for i in range(arity)])
        shape = Shape()
        cell, left = shape.bind(instance), shape.bind(window)
        full, run = shape.bind(self._end_window), shape.bind(instance.interpreted)
        return shape.function(
            arity,
            [
                f"{cell}.calls += 1",
                f"{left}.left -= 1",
                f"if {left}.left <= 0: return {full}({cell}, {left})({args})",
                f"return {run}({args})",
            ],
        )

    def _end_window(self, instance: Instance, window: Window) -> Callable[..., Any]:
        """Have the window looked at; returns what runs the call that was its last."""
        before = instance.call
        self.hooks.window_full(window)
        return instance.call if instance.call is not before else instance.interpreted or before

    def heat(self, instance: Instance) -> Callable[..., Any]:
        """Ask for native code; without it, the closure runs on uncounted."""
        before = instance.call
        self.hooks.hot_function(instance)
        if instance.call is before and instance.interpreted is not None:
            instance.call = instance.interpreted
        return instance.call

    def extern(self, extern: hir.Extern) -> ExternCell:
        """Return the cell of an extern function."""
        found = self._externs.get(extern)
        if found is None:
            found = self._externs[extern] = ExternCell(extern, self.hooks)
        return found

    def code_offset(self, function: hir.Function) -> int:
        """Return what a function value that runs `function` holds."""
        offset = self.context.code_offset(function.symbol)
        self.code[offset] = self.instance(function)
        return offset

    def protect(self, closure: int) -> int:
        """Call a function value without parameters; -1 where an error left it, which is kept."""
        try:
            result: int = self.code[I64[(closure + abi.HEADER_SIZE) >> 3]].call(closure)
            return result
        except BaseException as raised:
            # No call of Python from here on: at its entry a signal could take the place of the error, and
            # what waits for the error, a `finally` or `defer`, would not run.
            self.context.pending = raised
        I64[self._error_kind] = _RECORDED
        I64[self._error_site] = 0  # what is there belongs to an earlier error
        I64[self._stack_copy] = 0  # no native code was left
        return -1

    def constructor(self, struct: types.StructType) -> Closure:
        """Return the function that allocates instances of `struct`."""
        return self._maker((struct,), lambda: allocation.constructor(self.heap, struct))

    def variant_maker(self, type: types.EnumType, variant: int) -> Closure:
        """Return the function that allocates a variant of a boxed enum."""
        make = allocation.variant_maker
        return self._maker((type, variant), lambda: make(self.heap, type, variant))

    def box_maker(self, type: types.Type) -> Closure:
        """Return the function that boxes values of `type` for an `any`."""
        return self._maker((type, "box"), lambda: allocation.box_maker(self.heap, type))

    def array_maker(self, type: types.ArrayType) -> Closure:
        """Return the function that makes arrays of `type` from their values."""
        return self._maker((type,), lambda: allocation.array_maker(self.heap, type))

    def _maker(self, key: tuple[object, ...], make: Callable[[], Closure]) -> Closure:
        found = self._makers.get(key)
        if found is None:
            found = self._makers[key] = make()
        return found

    def global_address(self, cell: hir.Global) -> int:
        """Return the address of a module-level variable."""
        return self.context.address + abi.GLOBALS + 8 * cell.slot
