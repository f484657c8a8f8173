"""Patterns: destructuring bindings, and tests in `if val P = e`."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.conditions import Condition
from simple_jit.hir.context import Context, expression
from simple_jit.hir.report import a_type, count, unsupported
from simple_jit.hir.symbols import ERROR
from simple_jit.hir.types import (
    BOOL,
    I64,
    NEVER,
    TEXT,
    UNIT,
    ArrayType,
    OptionalType,
    StructType,
    TupleType,
    Type,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.source import Span


def bind_pattern(
    cx: Context,
    pattern: ast.Pattern,
    value: hir.Expr,
    mutable: bool,
    out: list[hir.Expr],
    kind: str = "",
) -> None:
    """Take a value apart; `value` may be evaluated several times. Its names go into the scope."""
    kind = kind or ("var" if mutable else "val")
    if isinstance(pattern, ast.WildcardPattern):
        return
    if isinstance(pattern, ast.NamePattern):
        local = cx.local(pattern.name, value.type)
        cx.declare(pattern.name, local, pattern.span, kind=kind, mutable=mutable)
        if value.type is not ERROR:
            out.append(hir.LocalSet(local, value, pattern.span))
    elif value.type is ERROR:
        _bind_erroneous(cx, pattern)
    elif isinstance(pattern, ast.TuplePattern):
        _bind_tuple(cx, pattern, value, mutable, out, kind)
    elif isinstance(pattern, ast.ArrayPattern):
        _bind_array(cx, pattern, value, mutable, out, kind)
    elif isinstance(pattern, ast.StructPattern):
        _bind_struct(cx, pattern, value, mutable, out, kind)
    else:
        cx.error(unsupported(rule.PATTERN_UNSUPPORTED, pattern.span))
        _bind_erroneous(cx, pattern)


def _bind_erroneous(cx: Context, pattern: ast.Pattern) -> None:
    from simple_jit.hir.declare import bound_names

    for ident in bound_names(pattern):
        cx.declare(ident.name, cx.local(ident.name, ERROR), ident.span)


def _report_shape(cx: Context, pattern: ast.Pattern, type: Type) -> None:
    cx.error(rule.PATTERN_TYPE.at(pattern.span, f"this pattern does not match {a_type(type)}"))
    _bind_erroneous(cx, pattern)


def _bind_tuple(
    cx: Context,
    pattern: ast.TuplePattern,
    value: hir.Expr,
    mutable: bool,
    out: list[hir.Expr],
    kind: str,
) -> None:
    if not isinstance(value.type, TupleType):
        if isinstance(value.type, ArrayType):
            as_array = ast.ArrayPattern(pattern.span, pattern.items)
            _bind_array(cx, as_array, value, mutable, out, kind)
            return
        _report_shape(cx, pattern, value.type)
        return
    types = value.type.items
    if any(isinstance(item, ast.RestPattern) for item in pattern.items):
        cx.error(unsupported(rule.PATTERN_UNSUPPORTED, pattern.span))
        _bind_erroneous(cx, pattern)
        return
    if len(types) != len(pattern.items):
        cx.error(
            rule.PATTERN_TYPE.at(
                pattern.span,
                f"a pattern of {count(len(pattern.items), 'item')} does not match {a_type(value.type)}",
            )
        )
        _bind_erroneous(cx, pattern)
        return
    for index, (item, type) in enumerate(zip(pattern.items, types)):
        part = hir.TupleGet(value, index, type, item.span)
        bind_pattern(cx, item, _part(cx, item, part, out), mutable, out, kind)


def _part(cx: Context, pattern: ast.Pattern, part: hir.Expr, out: list[hir.Expr]) -> hir.Expr:
    """Return a part in a form that may be read several times, where its pattern will do so."""
    if isinstance(pattern, (ast.NamePattern, ast.WildcardPattern)):
        return part
    return cx.keep(part, out)


def _bind_array(
    cx: Context,
    pattern: ast.ArrayPattern,
    value: hir.Expr,
    mutable: bool,
    out: list[hir.Expr],
    kind: str,
) -> None:
    """`[a, ...rest, z]`: an array of another length is an error when it runs."""
    if not isinstance(value.type, ArrayType):
        _report_shape(cx, pattern, value.type)
        return
    elem = value.type.elem
    items = pattern.items
    rest = next((i for i, item in enumerate(items) if isinstance(item, ast.RestPattern)), None)
    out.append(_length_check(cx, pattern, value, len(items) - (rest is not None), rest is not None))
    for index, item in enumerate(items):
        if isinstance(item, ast.RestPattern):
            _bind_rest(cx, item, value, index, len(items) - index - 1, mutable, out, kind)
            continue
        position = index if rest is None or index < rest else index - len(items)
        part = hir.ArrayGet(value, hir.Const(position, I64, item.span), elem, item.span)
        bind_pattern(cx, item, _part(cx, item, part, out), mutable, out, kind)


def _length_check(
    cx: Context, pattern: ast.ArrayPattern, value: hir.Expr, wanted: int, at_least: bool
) -> hir.Expr:
    from simple_jit.hir.show import concat_texts, text_of

    span = pattern.span
    length = hir.ArrayLen(value, I64, span)
    differs = hir.Compare("lt" if at_least else "ne", length, hir.Const(wanted, I64, span), span)
    more = " or more" if at_least else ""
    expected = f"expected {count(wanted, 'element')}{more}, found "
    message = concat_texts(
        cx, [hir.TextConst(expected, TEXT, span), text_of(cx, length, span, quoted=False)], span
    )
    fail = hir.Throw("IndexError", message, span)
    return hir.If(differs, hir.Block([fail], None, NEVER, span), None, UNIT, span)


def _bind_rest(
    cx: Context,
    item: ast.RestPattern,
    value: hir.Expr,
    before: int,
    after: int,
    mutable: bool,
    out: list[hir.Expr],
    kind: str,
) -> None:
    if item.name is None:
        return
    from simple_jit.hir.check_access import slice_call

    start = hir.Const(before, I64, item.span)
    stop = hir.Const(-after, I64, item.span) if after else None
    part = slice_call(cx, value, start, stop, None, item.span)
    local = cx.local(item.name.name, part.type)
    cx.declare(item.name.name, local, item.name.span, kind=kind, mutable=mutable)
    out.append(hir.LocalSet(local, part, item.span))


def _bind_struct(
    cx: Context,
    pattern: ast.StructPattern,
    value: hir.Expr,
    mutable: bool,
    out: list[hir.Expr],
    kind: str,
) -> None:
    type = value.type
    if not isinstance(type, StructType):
        _report_shape(cx, pattern, type)
        return
    if pattern.path and pattern.path[-1].name != type.scope.name:
        _report_shape(cx, pattern, type)
        return
    for member in pattern.members:
        index = type.field_index(member.name.name)
        if index is None:
            from simple_jit.hir.check_access import report_unknown_member

            report_unknown_member(cx, value, member.name)
            _bind_erroneous(cx, member.pattern)
            continue
        part = hir.FieldGet(value, index, type.fields[index].type, member.span)
        bind_pattern(cx, member.pattern, _part(cx, member.pattern, part, out), mutable, out, kind)
