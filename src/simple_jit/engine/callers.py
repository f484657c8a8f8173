"""Functions of native code as Python calls them: a sequence of Python values in, a Python value out."""

from __future__ import annotations

from _thread import get_ident

from simple_jit.hir import nodes as hir
from simple_jit.hir import types as types
from simple_jit.runtime.machine_values import from_machine, to_machine
from simple_jit.runtime.memory import I64
from simple_jit.runtime.shared_arrays import SharedArray, is_shareable
from simple_jit.runtime.values import to_python, to_simple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    from simple_jit.engine.engine import Engine
    from simple_jit.mir.link import Signature

    Caller: TypeAlias = Callable[[Sequence[Any]], Any]
    Converter: TypeAlias = Callable[[Any], Any]

_CLASSES = {"i64": int, "f64": float}
"""Machine types that native code takes out of a Python number as they are."""
_RESULTS = frozenset(("i64", "i32", "i16", "i8", "u64", "u32", "u16", "u8", "f64", "f32", "bool"))


def array_caller(engine: Engine, function: hir.Function) -> Caller | None:
    """Return what calls an instance and gives a `SharedArray`; None where it returns no such array."""
    heap, ret = engine.heap, function.ret
    if not isinstance(ret, types.ArrayType) or not is_shareable(ret):
        return None

    def gives(value: Any) -> Any:
        return SharedArray(value, ret, heap)

    return typed_caller(engine, function, gives)


def typed_caller(engine: Engine, function: hir.Function, gives: Converter | None = None) -> Caller:
    """Return what calls a compiled instance with Python values of its parameters' types.

    `gives` converts the result, where that is not to be done as usual.
    """
    heap = engine.heap
    params, ret = [param.type for param in function.params], function.ret
    takes: list[Converter] = [lambda value, type=type: to_simple(value, type, heap) for type in params]  # type: ignore[misc]
    names = [type.name for type in params]
    if gives is None and not (ret is types.UNIT or ret.name in _RESULTS):

        def gives(value: Any) -> Any:
            return to_python(value, ret, heap)

    return _caller(engine, function.name, names, takes, engine.native.entry(function), gives)


def machine_caller(engine: Engine, name: str, offset: int, signature: Signature) -> Caller:
    """Return what calls the code in a slot, of which the machine types alone are known."""
    heap = engine.heap
    params, results = signature
    takes: list[Converter] = [lambda value, type=type: to_machine(value, type, heap) for type in params]  # type: ignore[misc]
    gives: Converter | None = None
    if len(results) == 1 and results[0].kind == "ptr":

        def gives(value: Any) -> Any:
            return from_machine(value, results[0], heap)

    elif any(type.kind == "ptr" for type in results):

        def gives(value: Any) -> Any:
            return tuple([from_machine(part, type, heap) for part, type in zip(value, results)])

    call = engine.native.entry_at(offset, params, results)
    return _caller(engine, name, [type.name for type in params], takes, call, gives)


def _caller(
    engine: Engine,
    name: str,
    names: list[str],
    takes: list[Converter],
    call: Callable[..., Any],
    gives: Converter | None,
) -> Caller:
    """Return what converts with `takes`, calls, and converts with `gives` (None: not at all)."""
    flush, count, lock = engine.output.flush, len(takes), engine.lock
    use_thread = engine.native.use_this_thread

    def convert_and_call(args: Sequence[Any]) -> Any:
        if len(args) != count:
            raise TypeError(f"`{name}` takes {_arguments(count)}, but {len(args)} were given")
        with lock:
            use_thread()
            values: list[Any] = []
            for take, arg in zip(takes, args):  # what is made has a name: making a dict may collect
                values.append(take(arg))
            try:
                result = call(*values)
            finally:
                flush()
            return result if gives is None else gives(result)

    classes = tuple([_CLASSES.get(type_name) for type_name in names])
    if gives is not None or None in classes:
        return convert_and_call
    native, unwritten = engine.native, engine.output.unwritten_cell()

    def call_at_once(args: Sequence[Any]) -> Any:
        """The same where all arguments are numbers that need no conversion: half a microsecond, if that."""
        if tuple(map(type, args)) != classes:
            return convert_and_call(args)
        with lock:
            if get_ident() != native.thread:
                native.use_this_thread()
            try:
                result = call(*args)
            except OverflowError:  # an integer beyond 64 bits: say which parameter it does not fit
                return convert_and_call(args)
            except BaseException:
                flush()
                raise
            if I64[unwritten]:
                flush()
            return result

    return call_at_once


def _arguments(count: int) -> str:
    return "1 argument" if count == 1 else f"{count} arguments"
