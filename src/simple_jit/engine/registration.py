"""Python functions that programs may declare `extern fn`: their types, and what their exceptions become."""

from __future__ import annotations

from simple_jit.base.diagnostics import CompileError
from simple_jit.base.source import SourceFile
from simple_jit.hir import types as hir
from simple_jit.runtime.errors import SimpleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from simple_jit.engine.engine import Engine
    from simple_jit.runtime.externs import Signature
    from simple_jit.runtime.values import Value

_KINDS: Final[dict[type[Exception], str]] = {
    IndexError: "IndexError", KeyError: "KeyError", ZeroDivisionError: "DivisionByZero",
    TypeError: "TypeError", AssertionError: "AssertionError", OverflowError: "Overflow",
    UnicodeError: "ConversionError", OSError: "IoError",
}  # fmt: skip
"""The kinds that exceptions become, those of their subclasses too; all others are a `Panic`."""


def register(engine: Engine, name: str, function: Callable[..., Any], signature: str | None) -> None:
    """Let programs of `engine` declare `function`; under a name that is taken, in place of what was there.

    `signature` is its type as Simple writes it; None: what its annotations say.

    Raises:
        TypeError: it is no function, or the annotations do not say what it takes and gives.
        ValueError: the name is no name or taken, or the signature is none that can pass.
    """
    if not callable(function):
        raise TypeError(f"expected a function, not {function!r}")
    if not name.isidentifier() or not name.isascii():
        raise ValueError(f"{name!r} is no name for a function: give one with `name=`")
    if name.startswith("rt_"):
        raise ValueError(f"{name!r}: names that begin with `rt_` are the runtime's")
    types = _annotated(function) if signature is None else _parsed(engine, signature)
    for type in (*types[0], types[1]):
        if not _passes(type):
            raise ValueError(f"a {type} does not pass between {name!r} and a program")
    known = engine.externs.registered(name)
    if known is None:
        target = [function]
        engine.externs.define(name, *types, _caller(engine, name, types, target))
        engine.externs.keep_target(name, target)
    elif known[0] != types:
        raise ValueError(f"{name!r} is registered as {hir.function_of(*known[0])} already")
    else:
        known[1][0] = function


def _passes(type: hir.Type) -> bool:
    """Can a value of `type` pass as one machine word, and does every program know the type?"""
    if isinstance(type, hir.OptionalType):
        return hir.is_nullable_reference(type) and _passes(type.inner)
    if isinstance(type, hir.ArrayType):
        return _is_common(type.elem)
    if isinstance(type, hir.FnType):
        return all(map(_is_common, type.params)) and (type.ret is hir.UNIT or _is_common(type.ret))
    return hir.is_number(type) or type in (hir.BOOL, hir.TEXT, hir.UNIT)


def _is_common(type: hir.Type) -> bool:
    if isinstance(type, hir.OptionalType):
        return _is_common(type.inner)
    if isinstance(type, hir.TupleType):
        return all(map(_is_common, type.items))
    return type is hir.ANY or (type is not hir.UNIT and _passes(type))


# --- Signatures -------------------------------------------------------------------------------------


def _parsed(engine: Engine, signature: str) -> Signature:
    """Return the types that `fn(A, B) -> R` names."""
    from simple_jit.engine.checking import check_source

    try:
        program = check_source(engine, SourceFile("<signature>", f"fn probe(f: {signature}): pass\n"))
    except CompileError as error:
        messages = "; ".join(d.message for d in error.diagnostics)
        raise ValueError(f"{signature!r} is no type of a function: {messages}") from None
    probe = program.find("probe")
    found = probe.params[0].type if probe is not None else None
    if not isinstance(found, hir.FnType):
        raise ValueError(f"{signature!r} is no type of a function such as `fn(i64, text) -> f64`")
    return found.params, found.ret


def _annotated(function: Callable[..., Any]) -> Signature:
    """Return the types that the annotations of a Python function mean."""
    from inspect import Parameter
    from inspect import signature as inspect_signature
    from typing import get_type_hints

    name = getattr(function, "__name__", repr(function))
    try:
        parameters = inspect_signature(function).parameters.values()
        hints = get_type_hints(function)
    except (TypeError, ValueError, NameError) as error:
        raise TypeError(f"`{name}` does not say what it takes ({error}): give a signature") from None
    params = []
    for parameter in parameters:
        if parameter.kind not in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD):
            raise TypeError(f"`{name}` takes any number of arguments, or some by name: give a signature")
        if parameter.name not in hints:
            raise TypeError(f"`{parameter.name}` of `{name}` has no annotation: give a signature")
        params.append(_meant(hints[parameter.name], f"`{parameter.name}` of `{name}`"))
    if "return" not in hints:
        raise TypeError(f"`{name}` has no annotation of its result: give a signature")
    return tuple(params), _meant(hints["return"], f"the result of `{name}`")


_SIMPLE: Final[dict[object, hir.Type]] = {
    int: hir.I64, float: hir.F64, bool: hir.BOOL, str: hir.TEXT, type(None): hir.UNIT,
}  # fmt: skip


def _meant(hint: Any, what: str) -> hir.Type:
    """Return the type that an annotation means."""
    from types import UnionType
    from typing import Union, get_args, get_origin

    args = get_args(hint)
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if get_origin(hint) is list and len(args) == 1:
        return hir.array_of(_meant(args[0], what))
    if get_origin(hint) in (Union, UnionType) and len(args) == 2 and type(None) in args:
        inner = args[0] if args[1] is type(None) else args[1]
        return hir.optional_of(_meant(inner, what))
    raise TypeError(f"the annotation of {what} means no type of Simple: give a signature")


# --- Calls ------------------------------------------------------------------------------------------


def _caller(
    engine: Engine, name: str, types: Signature, target: list[Callable[..., Any]]
) -> Callable[..., Value]:
    """Return what calls the function in `target` with values in the interpreter's form."""
    from simple_jit.runtime.values import to_python, to_simple

    (params, ret), heap = types, engine.heap

    def call(*args: Value) -> Value:
        given = [to_python(arg, type, heap) for arg, type in zip(args, params, strict=True)]
        try:
            result = target[0](*given)
        except (RecursionError, MemoryError, SimpleError):
            raise
        except Exception as error:
            raise as_simple_error(error) from error
        try:
            return to_simple(result, ret, heap)
        except (TypeError, OverflowError) as error:
            raise SimpleError("TypeError", f"what `{name}` of Python returned: {error}") from error

    return call


def as_simple_error(error: Exception) -> SimpleError:
    """Return the error of the program that an exception of Python becomes."""
    message, own = _message(error), type(error).__name__
    for kind, name in _KINDS.items():
        if isinstance(error, kind):
            return SimpleError(name, message or own)  # type: ignore[arg-type]
    return SimpleError("Panic", f"{own}: {message}" if message else own)


def _message(error: Exception) -> str:
    try:
        # What a KeyError says is the key as Python writes it.
        return str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    except Exception:
        return ""
