"""`extern fn`: foreign functions, whether there is such a function, and what may be passed to it.

A function of C takes numbers, bools, texts, arrays of numbers, and functions that it calls back; it gives
numbers, bools and texts. One of Python has a type of its own, which the declaration repeats.

Annotations tell what a declaration of C's cannot:

    @errno       keep `errno` of each call, for `std.ffi.errno()`
    @blocking    the call may wait: other threads of Python go on meanwhile
    @variadic    in C it ends in `...`: floats are passed in another way
"""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.dispatch import note_basic
from simple_jit.hir.report import a_type, listed
from simple_jit.hir.resolve_types import TypeScope, resolve
from simple_jit.hir.symbols import ERROR, ExternSymbol
from simple_jit.hir.types import (
    ANY,
    BOOL,
    F32,
    TEXT,
    UNIT,
    ArrayType,
    EnumType,
    FnType,
    OptionalType,
    StructType,
    Type,
    array_of,
    function_of,
    is_number,
    is_plain_enum,
    optional_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from simple_jit.base.diagnostics import Diagnostic
    from simple_jit.syntax import ast

TRAITS: Final = frozenset({"errno", "blocking", "variadic"})
"""Annotations of foreign functions; `@deprecated` is for all."""

VARIADIC: Final = frozenset(
    (
        "dprintf", "err", "errx", "execl", "execle", "execlp", "fcntl", "fprintf", "fscanf", "ioctl",
        "mremap", "open", "openat", "prctl", "printf", "ptrace", "scanf", "semctl", "snprintf", "sprintf",
        "sscanf", "syscall", "syslog", "warn", "warnx",
    )
)  # fmt: skip
"""Functions of libc that are known to end in `...`."""

_OPTIONAL_TEXT = optional_of(TEXT)


class MissingExtern:
    """Why a foreign function cannot be had, and what may help."""

    __slots__ = ("hint", "message", "note")

    def __init__(self, message: str, note: str = "", hint: str = "") -> None:
        self.message = message
        self.note = note
        self.hint = hint


def resolve_extern(symbol: ExternSymbol) -> hir.Extern | None:
    """Resolve the types of an `extern fn` and look the function up; done once."""
    if not symbol.is_resolved:
        symbol.is_resolved = True
        symbol.extern = _make(symbol)
    return symbol.extern


def _make(symbol: ExternSymbol) -> hir.Extern | None:
    traits = _traits(symbol)
    types = _types(symbol)
    if types is None or traits is None:
        return None
    *params, ret = types
    library = _library(symbol)
    python = _is_python(symbol, library)
    if python is None:
        return None
    if library is None and symbol.name in VARIADIC:
        traits |= {"variadic"}
    if ret is array_of(ANY):
        note_basic(symbol.module.session)
    extern = hir.Extern(symbol.name, tuple(params), ret, library, python, symbol.span, traits)
    return extern if (_fits_python if python else _fits_c)(symbol, extern) else None


def _traits(symbol: ExternSymbol) -> frozenset[str] | None:
    """Return the annotations that say how to call; None after one that does not belong here."""
    found = set()
    for annotation in symbol.decl.annotations:
        name = ".".join(ident.name for ident in annotation.path)
        if name not in TRAITS and name != "deprecated":
            _report(symbol, annotation, f"`@{name}` says nothing of a foreign function").hint(
                f"there are {listed(['@' + known for known in sorted(TRAITS)])}"
            )
            return None
        found.add(name)
    return frozenset(found & TRAITS)


def _types(symbol: ExternSymbol) -> list[Type] | None:
    """Return the types of the parameters and of the result; None after an error."""
    decl, scope = symbol.decl, TypeScope(symbol.module)
    types: list[Type] = []
    for param in decl.params:
        name = param.name.name
        if param.variadic:
            _report(symbol, param, "a foreign function takes a fixed number of arguments").hint(
                f"declare `{symbol.name}` with the parameters that it is called with here"
            )
            return None
        if param.type is None:
            _report(symbol, param, f"the parameter `{name}` of a foreign function has a type").hint(
                f"write what C takes, such as `{name}: i64`"
            )
            return None
        types.append(resolve(param.type, scope))
    types.append(resolve(decl.result, scope) if decl.result is not None else UNIT)
    return None if ERROR in types else types


def _library(symbol: ExternSymbol) -> str | None:
    """Return the library's name as the system is to look for it: `./x.so` lies beside the source file."""
    library = symbol.decl.library
    if library is None or not library.startswith(("./", "../")):
        return library
    from os import path

    return path.abspath(path.join(path.dirname(symbol.span.file.path), library))


def _is_python(symbol: ExternSymbol, library: str | None) -> bool | None:
    """Is the function one of Python? None where there is none, after saying so."""
    options = symbol.module.session.options
    if options.extern_lookup is None:
        return symbol.name.startswith("rt_")
    found = options.extern_lookup(symbol.name, library, symbol.module.is_library)
    if not isinstance(found, MissingExtern):
        return found
    diagnostic = rule.UNKNOWN_EXTERN.at(symbol.span, found.message)
    if found.note:
        diagnostic.note(found.note)
    if found.hint:
        diagnostic.hint(found.hint)
    symbol.module.session.reporter.report(diagnostic)
    return None


def _report(symbol: ExternSymbol, node: ast.Node, message: str) -> Diagnostic:
    diagnostic = rule.EXTERN_TYPE.at(node.span, message)
    symbol.module.session.reporter.report(diagnostic)
    return diagnostic


# --- Functions of Python ----------------------------------------------------------------------------


def _fits_python(symbol: ExternSymbol, extern: hir.Extern) -> bool:
    """Is a Python function declared with its own types? The result may be left out."""
    session = symbol.module.session
    lookup = session.options.extern_signature
    signature = lookup(extern.name, extern.library) if lookup is not None else None
    if signature is None:
        return True
    params, ret = signature
    if extern.params == params and extern.ret in (ret, UNIT):
        return True
    declared, actual = function_of(extern.params, extern.ret), function_of(params, ret)
    session.reporter.report(
        rule.EXTERN_TYPE.at(symbol.span, f"`{symbol.name}` is `{actual}`, not `{declared}`")
    )
    return False


# --- Functions of C ---------------------------------------------------------------------------------


def _fits_c(symbol: ExternSymbol, extern: hir.Extern) -> bool:
    """Can C take and give values of the types of a declaration?"""
    decl = symbol.decl
    for type, param in zip(extern.params, decl.params):
        assert param.type is not None
        function = type.inner if isinstance(type, OptionalType) else type
        if isinstance(function, FnType):
            if not _fits_callback(symbol, function, param.type):
                return False
        elif not is_c_parameter(type):
            diagnostic = _report(symbol, param.type, f"{a_type(type)} cannot be passed to foreign code")
            return _with_hint(diagnostic, _parameter_hint(type))
        elif type is F32 and "variadic" in extern.traits:
            return _with_hint(
                _report(symbol, param.type, "a variadic function of C takes no `f32`"), "C passes it as `f64`"
            )
    if is_c_result(extern.ret):
        return True
    assert decl.result is not None
    message = f"{a_type(extern.ret)} cannot come from foreign code"
    hint = "take the pointer as an `i64`, and read with `std.ffi` what it points at"
    if isinstance(extern.ret, OptionalType) and _is_scalar(extern.ret.inner):
        hint = "C has no nil among numbers"
    return _with_hint(_report(symbol, decl.result, message), hint)


def _with_hint(diagnostic: Diagnostic, hint: str) -> bool:
    diagnostic.hint(hint)
    return False


def _fits_callback(symbol: ExternSymbol, type: FnType, node: ast.Node) -> bool:
    """Can C call a function of `type`?"""
    for param in type.params:
        if not is_callback_parameter(param):
            message = f"C cannot call a `{type}`: it has no {param} to pass"
            return _with_hint(_report(symbol, node, message), "take a pointer as an `i64`")
    if is_callback_result(type.ret):
        return True
    message = f"C cannot call a `{type}`: it does not take a {type.ret} as the result"
    return _with_hint(_report(symbol, node, message), "return a number, a bool, or a pointer as an `i64`")


def is_callback_parameter(type: Type) -> bool:
    """Does C pass values of `type` to the functions that it calls?"""
    return _is_scalar(type) or type in (TEXT, _OPTIONAL_TEXT)


def is_callback_result(type: Type) -> bool:
    """Does C take values of `type` from the functions that it calls?"""
    return type is UNIT or _is_scalar(type)


def _is_scalar(type: Type) -> bool:
    return is_number(type) or type is BOOL or is_plain_enum(type)


def is_c_parameter(type: Type) -> bool:
    """May a value of `type`, other than a function, be passed to C? A `text?`, `[T]?` is NULL for nil."""
    if isinstance(type, OptionalType):
        return type.inner is TEXT or (isinstance(type.inner, ArrayType) and is_c_parameter(type.inner))
    if isinstance(type, ArrayType):
        return is_number(type.elem) or type.elem is BOOL
    return _is_scalar(type) or type is TEXT


def is_c_result(type: Type) -> bool:
    """May a value of `type` come from C? A `text?` is nil for NULL."""
    return type is UNIT or type in (TEXT, _OPTIONAL_TEXT) or _is_scalar(type)


def _parameter_hint(type: Type) -> str:
    if isinstance(type, ArrayType):
        return "an array of numbers or bools can; pointers go into an `[i64]` (see `std.ffi`)"
    if isinstance(type, StructType):
        return "C knows other structs: fill memory with `std.ffi`, and pass its address as an `i64`"
    if isinstance(type, EnumType):
        return "an enum without payloads can"
    return "numbers, bools, texts, arrays of numbers and functions can"
