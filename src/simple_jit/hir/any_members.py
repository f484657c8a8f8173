"""Methods, fields and elements of an `any`: by functions that choose by the type, giving an `any` again."""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir.any_operators import each, has_none
from simple_jit.hir.check_any import to_any
from simple_jit.hir.context import (
    Context,
    diverging,
    expression,
)
from simple_jit.hir.dispatch import branches, call_dispatcher, params_of, types_of
from simple_jit.hir.symbols import ERROR
from simple_jit.hir.types import (
    ANY,
    BOOL,
    I64,
    UNIT,
    ArrayType,
    FnType,
    StructType,
    TupleType,
    array_of,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from simple_jit.base.source import Span
    from simple_jit.hir.check_assign import Place

    Make = Callable[[Context, hir.Expr], "hir.Expr | None"]


def call_method_of_any(
    cx: Context, receiver: hir.Expr, name: ast.Ident, args: list[ast.Arg], span: Span
) -> hir.Expr:
    """`x.name(args)` on an `any`: literal arguments adapt to each method, others are passed as `any`."""
    values: list[hir.Expr] = []
    shown: list[str] = []
    nodes: list[tuple[ast.Arg, int | None]] = []
    for arg in args:
        label = f"{arg.name.name}=" if arg.name else ""
        if isinstance(arg.value, _LITERALS) and not arg.spread:
            shown.append(label + arg.value.span.text)
            nodes.append((arg, None))
            continue
        value = expression(cx, arg.value)
        if not isinstance(value.type, FnType):
            value = to_any(cx, value)
        if value.type is ERROR:
            return value
        shown.append(label + "_")
        nodes.append((arg, len(values) + 1))
        values.append(value)
    left = diverging([receiver, *values], span)
    if left is not None:
        return left

    def build(inner: Context) -> hir.Expr:
        return _build_call(inner, name, nodes)

    kind = f"any.{name.name}({', '.join(shown)})"
    return call_dispatcher(cx, kind, [receiver, *values], ANY, build, span)


_LITERALS = (ast.IntLiteral, ast.FloatLiteral, ast.TextLiteral, ast.BoolLiteral)


def _build_call(cx: Context, name: ast.Ident, nodes: list[tuple[ast.Arg, int | None]]) -> hir.Expr:
    from simple_jit.hir.check_methods import call_named_method

    cx.result = ANY
    params = params_of(cx)
    span = params[0].span
    args = []
    for arg, number in nodes:
        node = arg.value
        if number is not None:
            local = cx.locals[number]
            cx.declare(local.name, local, span)
            node = ast.Name(span, local.name)
        args.append(ast.Arg(arg.span, arg.name, False, node))

    def call(narrowed: hir.Expr) -> hir.Expr | None:
        if narrowed.type is UNIT:
            return None
        return to_any(cx, call_named_method(cx, narrowed, name, args, span, None))

    fail = has_none(cx, f"there is no method `{name.name}` for these arguments on ", params[0])
    return branches(cx, params[0], types_of(cx.session, ANY), call, fail, ANY)


def member_of_any(cx: Context, object: hir.Expr, name: ast.Ident, span: Span) -> hir.Expr:
    """`x.name` on an `any`: a field, or a method that needs no argument."""
    from simple_jit.hir.check_access import member

    message = f"there is no field or method `{name.name}` in "

    def make(inner: Context, value: hir.Expr) -> hir.Expr:
        return member(inner, value, name, span)

    return each(cx, f"any.{name.name}", object, message, make, span)


def set_field_of_any(cx: Context, object: hir.Expr, name: str, value: hir.Expr, span: Span) -> hir.Expr:
    """`x.name = value` on an `any`."""
    from simple_jit.hir.convert import coerce

    def build(inner: Context) -> hir.Expr:
        inner.result = UNIT
        a, b = params_of(inner)

        def store(narrowed: hir.Expr) -> hir.Expr | None:
            type = narrowed.type
            index = type.field_index(name) if isinstance(type, StructType) else None
            if index is None:
                return None
            assert isinstance(type, StructType)
            return hir.FieldSet(narrowed, index, coerce(inner, b, type.fields[index].type), a.span)

        fail = has_none(inner, f"there is no field `{name}` in ", a)
        return branches(inner, a, types_of(inner.session, ANY), store, fail, UNIT)

    return call_dispatcher(cx, f"any.{name}=", [object, to_any(cx, value)], UNIT, build, span)


def element_of_any(cx: Context, object: hir.Expr, index: hir.Expr, span: Span) -> hir.Expr:
    """`x[index]` on an `any`."""
    from simple_jit.hir.check_access import element_at

    def build(inner: Context) -> hir.Expr:
        inner.result = ANY
        a, b = params_of(inner)

        def load(narrowed: hir.Expr) -> hir.Expr | None:
            if narrowed.type is UNIT or isinstance(narrowed.type, TupleType):
                return None
            return to_any(inner, element_at(inner, narrowed, b, a.span))

        fail = has_none(inner, "there are no elements in ", a)
        return branches(inner, a, types_of(inner.session, ANY), load, fail, ANY)

    return call_dispatcher(cx, "any[]", [object, to_any(cx, index)], ANY, build, span)


def set_element_of_any(
    cx: Context, object: hir.Expr, index: hir.Expr, value: hir.Expr, span: Span
) -> hir.Expr:
    """`x[index] = value` on an `any`."""
    from simple_jit.hir.collections import is_dict
    from simple_jit.hir.convert import coerce
    from simple_jit.hir.core_calls import call_method

    def build(inner: Context) -> hir.Expr:
        inner.result = UNIT
        a, b, c = params_of(inner)

        def store(narrowed: hir.Expr) -> hir.Expr | None:
            type = narrowed.type
            if isinstance(type, ArrayType):
                at, item = coerce(inner, b, I64), coerce(inner, c, type.elem)
                return hir.ArraySet(narrowed, at, item, a.span)
            name = "set" if is_dict(type) else "set_index"
            called = call_method(inner, narrowed, name, [b, c], a.span) if type is not UNIT else None
            return hir.Block([called], None, UNIT, a.span) if called is not None else None

        fail = has_none(inner, "elements cannot be assigned in ", a)
        return branches(inner, a, types_of(inner.session, ANY), store, fail, UNIT)

    args = [object, to_any(cx, index), to_any(cx, value)]
    return call_dispatcher(cx, "any[]=", args, UNIT, build, span)


def field_place(cx: Context, object: hir.Expr, name: ast.Ident, span: Span) -> Place:
    """The target `x.name` on an `any`."""
    from simple_jit.hir.check_assign import Place

    stmts: list[hir.Expr] = []
    kept = cx.keep(object, stmts)
    return Place(
        ANY,
        lambda: member_of_any(cx, kept, name, span),
        lambda value: set_field_of_any(cx, kept, name.name, value, span),
        stmts,
    )


def element_place(cx: Context, object: hir.Expr, index: ast.Expr, span: Span) -> Place | None:
    """The target `x[index]` on an `any`."""
    from simple_jit.hir.check_assign import Place

    stmts: list[hir.Expr] = []
    kept = cx.keep(object, stmts)
    at = to_any(cx, expression(cx, index))
    if at.type is ERROR:
        return None
    at = cx.keep(at, stmts)
    return Place(
        ANY,
        lambda: element_of_any(cx, kept, at, span),
        lambda value: set_element_of_any(cx, kept, at, value, span),
        stmts,
    )


def contains_any(cx: Context, item: hir.Expr, holder: hir.Expr, span: Span) -> hir.Expr:
    """`item in holder` where the holder is an `any`."""
    from simple_jit.hir.convert import coerce
    from simple_jit.hir.core_calls import call_method

    def build(inner: Context) -> hir.Expr:
        inner.result = BOOL
        a, b = params_of(inner)

        def look(narrowed: hir.Expr) -> hir.Expr | None:
            called = (
                call_method(inner, narrowed, "contains", [b], a.span) if narrowed.type is not UNIT else None
            )
            return coerce(inner, called, BOOL) if called is not None else None

        fail = has_none(inner, "`in` does not look into ", a)
        return branches(inner, a, types_of(inner.session, ANY), look, fail, BOOL)

    return call_dispatcher(cx, "in any", [holder, to_any(cx, item)], BOOL, build, span)


def items_of_any(cx: Context, value: hir.Expr, span: Span) -> hir.Expr:
    """The elements, characters or keys of the value in an `any`, as an array of `any`."""
    from simple_jit.hir.check_loops import for_loop
    from simple_jit.hir.core_calls import call_method

    type = array_of(ANY)

    def build(inner: Context) -> hir.Expr:
        inner.result = type
        (param,) = params_of(inner)
        at = param.span

        def collect(narrowed: hir.Expr) -> hir.Expr | None:
            if narrowed.type is UNIT:
                return None
            if narrowed.type is type:
                return narrowed
            result = inner.local("", type)
            source = inner.local("source", narrowed.type)
            inner.enter()
            inner.declare("source", source, at)
            item = ast.NamePattern(at, "item")

            def push(before: list[hir.Expr]) -> hir.Expr:
                read = expression(inner, ast.Name(at, "item"))
                pushed = call_method(inner, hir.LocalGet(result, at), "push", [to_any(inner, read)], at)
                assert pushed is not None
                return hir.Block([*before, pushed], None, UNIT, at)

            loop = for_loop(inner, [item], ast.Name(at, "source"), None, push, at)
            inner.leave()
            if loop.type is ERROR:
                return loop
            start = hir.LocalSet(result, hir.ArrayNew([], type, at), at)
            return hir.Block(
                [hir.LocalSet(source, narrowed, at), start, loop], hir.LocalGet(result, at), type, at
            )

        fail = has_none(inner, "", param, " cannot be iterated over")
        return branches(inner, param, types_of(inner.session, ANY), collect, fail, type)

    return call_dispatcher(cx, "items", [value], type, build, span)
