"""Patterns on an `any` that take it apart: the parts of the value are looked at as an array of `any`.

A *view* of the value is that array, or nil where the value is not what the pattern is for:

    key                          pattern            the types that have one, and their parts
    items                        (p, q, ...r)       tuples and arrays: their items
    array                        [p, q, ...r]       arrays: their elements
    fields, names                {x, y: p}          structs with these fields
    record, symbol, names        Box(item: p)       instances of a generic struct: the fields
    variant, symbol, position    Ok(p)              enums of this declaration: the payload
"""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir.any_members import items_of_any
from simple_jit.hir.check_any import to_any, type_name
from simple_jit.hir.collections import is_collection
from simple_jit.hir.context import Context
from simple_jit.hir.dispatch import branches, call_dispatcher, params_of, types_of
from simple_jit.hir.report import listed
from simple_jit.hir.types import (
    ANY,
    I64,
    NEVER,
    TEXT,
    UNIT,
    ArrayType,
    EnumType,
    StructType,
    TupleType,
    array_of,
    has_payload,
    optional_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from simple_jit.base.source import Span
    from simple_jit.hir.types import Type


def view_type() -> Type:
    """Return the type of a view."""
    return optional_of(array_of(ANY))


def view(cx: Context, value: hir.Expr, key: tuple[Any, ...], span: Span) -> hir.Expr:
    """Return the view of an `any`."""
    type = view_type()

    def build(inner: Context) -> hir.Expr:
        inner.result = type
        (param,) = params_of(inner)

        def parts(narrowed: hir.Expr) -> hir.Expr | None:
            return None if narrowed.type is UNIT else _parts(inner, narrowed, key)

        return branches(inner, param, types_of(inner.session, ANY), parts, hir.Nil(type, param.span), type)

    return call_dispatcher(cx, f"view as {key[0]}", [value], type, build, span, key)


def _parts(cx: Context, value: hir.Expr, key: tuple[Any, ...]) -> hir.Expr | None:
    """The view of a value of a definite type."""
    kind, *rest = key
    type, span = value.type, value.span
    if isinstance(type, ArrayType) and kind in ("items", "array"):
        return hir.Some(items_of_any(cx, to_any(cx, value), span), view_type(), span)
    if isinstance(type, TupleType) and kind == "items":
        return _some(cx, [hir.TupleGet(value, i, t, span) for i, t in enumerate(type.items)], span)
    if isinstance(type, StructType) and kind in ("fields", "record") and not is_collection(type):
        if kind == "record" and type.scope is not rest[0]:
            return None
        indices = [type.field_index(name) for name in rest[-1]]
        known = [index for index in indices if index is not None]
        if len(known) < len(indices):
            return None
        return _some(cx, [hir.FieldGet(value, i, type.fields[i].type, span) for i in known], span)
    if isinstance(type, EnumType) and kind == "variant" and type.scope is rest[0]:
        return _payload(cx, value, type, rest[1])
    return None


def _some(cx: Context, items: list[hir.Expr], span: Span) -> hir.Expr:
    array = hir.ArrayNew([to_any(cx, item) for item in items], array_of(ANY), span)
    return hir.Some(array, view_type(), span)


def _payload(cx: Context, value: hir.Expr, type: EnumType, position: int) -> hir.Expr | None:
    """The payload, where the value is the variant."""
    fields, span = type.variants[position].fields, value.span
    if not has_payload(type) or any(field.type is NEVER for field in fields):
        return None
    items: list[hir.Expr] = [
        hir.EnumGet(value, position, index, field.type, span) for index, field in enumerate(fields)
    ]
    tag = hir.Compare("eq", hir.EnumTag(value, I64, span), hir.Const(position, I64, span), span)
    return hir.If(tag, _some(cx, items, span), hir.Nil(view_type(), span), view_type(), span)


def has_no_view(cx: Context, value: hir.Expr, key: tuple[Any, ...], span: Span) -> hir.Expr:
    """The error of a binding whose pattern is not for the value."""
    from simple_jit.hir.show import concat_texts

    wanted = {"items": "a tuple or an array", "array": "an array"}.get(key[0]) or f"fields {listed(key[-1])}"
    parts = [
        hir.TextConst(f"expected {wanted}, found `", TEXT, span),
        type_name(cx, value, span),
        hir.TextConst("`", TEXT, span),
    ]
    return hir.Block([hir.Throw("TypeError", concat_texts(cx, parts, span), span)], None, NEVER, span)
