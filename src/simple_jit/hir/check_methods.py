"""Calls of methods on values."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.arguments import call_function
from simple_jit.hir.check_access import is_hidden, length_of, report_unknown_member
from simple_jit.hir.collections import is_collection
from simple_jit.hir.context import Context, block, erroneous, expression
from simple_jit.hir.convert import coerce, definite
from simple_jit.hir.holes import array_argument, element_argument, settle, settle_element
from simple_jit.hir.report import a_type, code, count
from simple_jit.hir.show import text_of
from simple_jit.hir.symbols import ERROR, FunctionSymbol, HoleType
from simple_jit.hir.types import (
    ANY,
    NEVER,
    TEXT,
    ArrayType,
    EnumType,
    FixedArrayType,
    FnType,
    OptionalType,
    StructType,
    TraitType,
    TupleType,
    Type,
    growable,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.source import Span
    from simple_jit.hir.symbols import Env


def call_named_method(
    cx: Context,
    receiver: hir.Expr,
    name: ast.Ident,
    args: list[ast.Arg],
    span: Span,
    hint: Type | None,
) -> hir.Expr:
    """Call `receiver.name(args)`."""
    if receiver.type in (ERROR, NEVER):
        return receiver
    if isinstance(receiver.type, HoleType):
        return _settle_by_method(cx, receiver, receiver.type, name, args)
    if isinstance(receiver.type, FixedArrayType):
        receiver = _of_fixed_length(cx, receiver, receiver.type, name, span)
    if receiver.type is ANY:
        from simple_jit.hir.any_members import call_method_of_any

        return call_method_of_any(cx, receiver, name, args, span)
    found = _find(cx, receiver.type, name.name)
    if found is None and isinstance(receiver.type, OptionalType):
        if name.name != "to_text":
            receiver = definite(receiver)
            if receiver.type is ANY:
                return call_named_method(cx, receiver, name, args, span, hint)
            found = _find(cx, receiver.type, name.name)
    provided = _provided(cx, receiver, name.name, args, span, found)
    if provided is not None:
        return provided
    if found is None:
        called = _call_field(cx, receiver, name, args, span)
        if called is not None:
            return called
        _check_args(cx, args)
        return _report_no_method(cx, receiver, name)
    symbol, env = found
    if symbol.owner is not None and symbol.owner.impl is not None and not cx.is_library:
        from simple_jit.hir.check_traits import other_trait, report_ambiguous

        other = other_trait(cx.session, receiver.type, symbol, len(env))
        if other is not None:
            return report_ambiguous(cx, receiver, name, symbol, other)
    if not symbol.has_self:
        _check_args(cx, args)
        return cx.error(
            rule.STATIC_CALL.at(name.span, f"`{name.name}` is a `static fn`").hint(
                f"call it as `{receiver.type}.{name.name}(…)`"
            )
        )
    from simple_jit.hir.check_call import report_deprecated

    report_deprecated(cx, symbol, name.span)
    return call_function(cx, symbol, receiver, args, span, dict(env), hint)


_RESIZING = frozenset({"clear", "extend", "insert", "pop", "push", "remove"})
"""The methods that change the length of an array."""


def _of_fixed_length(
    cx: Context, receiver: hir.Expr, type: FixedArrayType, name: ast.Ident, span: Span
) -> hir.Expr:
    """Return the receiver of a method as the `[T]` that methods are for; some are not for this one."""
    if name.name in _RESIZING:
        cx.error(
            rule.ARRAY_LENGTH.at(name.span, f"`{name.name}` would change the length of {a_type(type)}").hint(
                f"an array that grows and shrinks has the type `{growable(type)}`"
            )
        )
    return hir.Block([], receiver, growable(type), receiver.span)


def _call_field(
    cx: Context, receiver: hir.Expr, name: ast.Ident, args: list[ast.Arg], span: Span
) -> hir.Expr | None:
    """Call the function that a field holds."""
    type = receiver.type
    index = type.field_index(name.name) if isinstance(type, StructType) else None
    if index is None:
        return None
    assert isinstance(type, StructType)
    field = type.fields[index].type
    inner = field.inner if isinstance(field, OptionalType) else field
    if not isinstance(inner, FnType):
        return None
    from simple_jit.hir.closures import call_value

    value = definite(hir.FieldGet(receiver, index, field, name.span))
    callee = ast.Name(name.span, name.name)
    return call_value(cx, value, ast.Call(span, callee, args))


def _find(cx: Context, type: Type, name: str) -> tuple[FunctionSymbol, Env] | None:
    """Find a method that may be called from here: those of the core library with `_` are its own."""
    if isinstance(type, StructType) and is_hidden(cx, type, name):
        return None
    return cx.session.find_method(type, name)


def _check_args(cx: Context, args: list[ast.Arg]) -> None:
    for arg in args:
        if not isinstance(arg.value, ast.Lambda):
            expression(cx, arg.value)


def _report_no_method(cx: Context, receiver: hir.Expr, name: ast.Ident) -> hir.Expr:
    type = receiver.type
    if isinstance(type, StructType) and type.field_index(name.name) is not None:
        return cx.error(
            rule.NOT_CALLABLE.at(name.span, f"`{name.name}` is a field of `{type}`, not a method")
        )
    return report_unknown_member(cx, receiver, name, called=True)


def call_without_parentheses(cx: Context, receiver: hir.Expr, name: ast.Ident, span: Span) -> hir.Expr | None:
    """`xs.len`: call a method that needs no argument; None where there is no method of that name."""
    if isinstance(receiver.type, HoleType):
        return _settle_by_method(cx, receiver, receiver.type, name, [])
    if isinstance(receiver.type, FixedArrayType):
        receiver = _of_fixed_length(cx, receiver, receiver.type, name, span)
    found = _find(cx, receiver.type, name.name)
    provided = _provided(cx, receiver, name.name, [], span, found)
    if provided is not None:
        return provided
    if found is None or not found[0].has_self:
        return None
    symbol, env = found
    needed = [p for p in symbol.decl.params if p.default is None and not p.variadic]
    if needed:
        names = ", ".join(p.name.name for p in needed)
        return cx.error(
            rule.METHOD_VALUE.at(span, f"the method `{name.name}` needs {count(len(needed), 'argument')}")
            .also(symbol.span, "declared here")
            .hint(f"call it, or write a lambda: `\\{names}: {code(span)}({names})`")
        )
    return call_function(cx, symbol, receiver, [], span, dict(env), None)


def _settle_by_method(
    cx: Context, receiver: hir.Expr, hole: HoleType, name: ast.Ident, args: list[ast.Arg]
) -> hir.Expr:
    """A method call on an array or optional whose type is open may tell it."""
    if hole.kind in ("dict", "set"):
        from simple_jit.hir.check_dicts import settle_by_method

        return settle_by_method(cx, receiver, hole, name, args)
    at = element_argument(name.name)
    whole = array_argument(name.name)
    if hole.is_array and at is not None and at < len(args):
        value = expression(cx, args[at].value)
        if value.type is ERROR:
            return value
        settle_element(cx, hole, value.type)
    if hole.is_array and whole is not None and whole < len(args):
        settle(cx, hole, expression(cx, args[whole].value).type)
    return cx.error(
        rule.CANNOT_INFER_TYPE.at(receiver.span, "the type of this is not known yet")
        .also(hole.binding.span, "it starts empty here")
        .hint("write the type of the variable: `var xs: [i64] = []`")
    )


# --- what every type has -----------------------------------------------------------


def _provided(
    cx: Context,
    receiver: hir.Expr,
    name: str,
    args: list[ast.Arg],
    span: Span,
    found: tuple[FunctionSymbol, Env] | None,
) -> hir.Expr | None:
    """Methods that the compiler provides: the length of arrays, text forms, copies of structs."""
    type = receiver.type
    if name == "len" and isinstance(type, ArrayType) and not args:
        return length_of(cx, receiver, span)
    if found is not None:
        return None
    if name == "to_text" and not args:
        if type is TEXT:
            return receiver
        if isinstance(type, (ArrayType, TupleType, StructType, EnumType, OptionalType, TraitType)):
            return text_of(cx, receiver, span, quoted=False)
    if isinstance(type, StructType):
        if name == "clone" and not args:
            return _copy(cx, receiver, type, [], span)
        if name == "copy" and not is_collection(type):
            return _copy(cx, receiver, type, args, span)
    elif name == "clone" and not args and not isinstance(type, (ArrayType, TraitType)):
        return receiver
    return None


def _copy(cx: Context, receiver: hir.Expr, type: StructType, args: list[ast.Arg], span: Span) -> hir.Expr:
    """`p.copy(x: 1)`: a new object with some fields changed."""
    stmts: list[hir.Expr] = []
    kept = cx.keep(receiver, stmts)
    changed: dict[int, hir.Expr] = {}
    for arg in args:
        if arg.name is None:
            return cx.error(rule.WRONG_ARITY.at(arg.span, "`copy` takes fields by name: `copy(x: 1)`"))
        index = type.field_index(arg.name.name)
        if index is None:
            return report_unknown_member(cx, kept, arg.name)
        wanted = type.fields[index].type
        changed[index] = cx.keep(coerce(cx, expression(cx, arg.value, wanted), wanted), stmts)
    values = [
        changed.get(index) or hir.FieldGet(kept, index, field.type, span)
        for index, field in enumerate(type.fields)
    ]
    if erroneous(*values):
        return hir.Const(None, ERROR, span)
    return block(stmts, hir.New(type, values, span), span)
