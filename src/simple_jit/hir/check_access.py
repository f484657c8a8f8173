"""Fields, elements, slices, and what nil does to them: `.`, `?.`, `[]`, `?[]`, `!`, `.?`, `?`."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.base.diagnostics import suggest
from simple_jit.hir import nodes as hir
from simple_jit.hir.callable_names import constructor_value, static_value
from simple_jit.hir.check_enums import is_result
from simple_jit.hir.check_names import module_of, symbol_value, type_named
from simple_jit.hir.collections import is_collection, is_dict, is_range
from simple_jit.hir.context import Context, block, checks, diverging, erroneous, expression
from simple_jit.hir.convert import coerce, definite
from simple_jit.hir.core_calls import call_core, call_method
from simple_jit.hir.report import a_type, count
from simple_jit.hir.symbols import ERROR, HoleType
from simple_jit.hir.types import (
    ANY,
    I64,
    NEVER,
    TEXT,
    UNIT,
    ArrayType,
    EnumType,
    FixedArrayType,
    OptionalType,
    StructType,
    TraitType,
    TupleType,
    Type,
    optional_of,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from simple_jit.base.source import Span


@checks(ast.Member)
def check_member(cx: Context, node: ast.Member, hint: Type | None) -> hir.Expr:
    module = module_of(cx, node.value)
    if module is not None:
        symbol = cx.session.member(module, node.name.name, node.name.span)
        if symbol is None:
            return hir.Const(None, ERROR, node.span)
        return constructor_value(cx, symbol, node, hint) or symbol_value(cx, symbol, node.span)
    static = type_named(cx, node.value)
    if static is not None:
        from simple_jit.hir.check_static import static_member

        return static_value(cx, static, node, hint) or static_member(cx, static, node, hint)
    object = expression(cx, node.value)
    if node.nil_safe:
        return nil_safe(cx, object, node.span, lambda value: member(cx, value, node.name, node.span))
    return member(cx, object, node.name, node.span)


def member(cx: Context, object: hir.Expr, name: ast.Ident, span: Span) -> hir.Expr:
    """A field, or the call of a method that needs no argument."""
    if object.type in (ERROR, NEVER):
        return object
    from simple_jit.hir.check_methods import call_without_parentheses

    if isinstance(object.type, OptionalType):
        called = call_without_parentheses(cx, object, name, span)
        if called is not None:
            return called
    object = definite(object)
    if object.type is ANY:
        from simple_jit.hir.any_members import member_of_any

        return member_of_any(cx, object, name, span)
    if isinstance(object.type, StructType):
        index = object.type.field_index(name.name)
        if index is not None and not is_hidden(cx, object.type, name.name):
            return hir.FieldGet(object, index, object.type.fields[index].type, span)
    called = call_without_parentheses(cx, object, name, span)
    if called is None and is_range(object.type):
        items = call_method(cx, object, "to_array", [], object.span)
        called = call_without_parentheses(cx, items, name, span) if items is not None else None
    return called if called is not None else report_unknown_member(cx, object, name)


def is_hidden(cx: Context, type: StructType, field: str) -> bool:
    """Is a field of a class of the core library for the library alone?"""
    return field[0] == "_" and type.scope.module.is_core and not cx.is_library


def report_unknown_member(
    cx: Context, object: hir.Expr, name: ast.Ident, *, called: bool = False
) -> hir.Expr:
    type = object.type
    if type is ERROR:
        return object
    if isinstance(type, HoleType):
        return cx.error(rule.CANNOT_INFER_TYPE.at(object.span, "the type of this is not known yet"))
    fields = []
    if isinstance(type, StructType):
        fields = [field.name for field in type.fields if not is_hidden(cx, type, field.name)]
    what = "method" if called or not fields else "field or method"
    diagnostic = rule.UNKNOWN_MEMBER.at(name.span, f"{a_type(type)} has no {what} `{name.name}`")
    near = suggest(name.name, fields + cx.session.method_names(type))
    if isinstance(type, TraitType) and not near:
        subject = object.span.text if object.span.text.isidentifier() else "x"
        diagnostic.note("a value of a trait has the methods of the trait alone")
        diagnostic.hint(f"`if {subject} is T:` makes it a `T` in that branch")
    elif near:
        diagnostic.hint(f"did you mean `{near}`?")
    elif fields:
        shown = ", ".join(f"`{field}`" for field in fields)
        diagnostic.note(f"its fields are {shown}")
    elif isinstance(type, EnumType) and not called:
        diagnostic.hint("a payload is taken out by `match` or `if val`")
    return cx.error(diagnostic)


def nil_safe(cx: Context, object: hir.Expr, span: Span, use: Callable[[hir.Expr], hir.Expr]) -> hir.Expr:
    """`x?.f`: nil where `x` is nil, else `x.f`, which is then optional; of a `Result`, `(x?).f`."""
    if object.type in (ERROR, NEVER):
        return object
    if is_result(object.type):
        from simple_jit.hir.check_results import propagate

        value = propagate(cx, object, object.span)
        return value if value.type in (ERROR, NEVER) else use(value)
    if object.type is ANY:
        from simple_jit.hir.check_any import nil_safe_any

        return nil_safe_any(cx, object, span, use)
    if not isinstance(object.type, OptionalType):
        return cx.error(
            rule.NOT_OPTIONAL.at(object.span, f"this is {a_type(object.type)}, which is never nil: write `.`")
        )
    stmts: list[hir.Expr] = []
    kept = cx.keep(object, stmts)
    result = use(hir.Unwrap(kept, object.type.inner, object.span, checked=False))
    is_some = hir.IsSome(kept, object.span)
    if result.type is ERROR:
        return result
    if result.type in (UNIT, NEVER):
        return block(stmts, hir.If(is_some, result, None, UNIT, span), span)
    type = optional_of(result.type)
    some = result if result.type is type else hir.Some(result, type, span)
    return block(stmts, hir.If(is_some, some, hir.Nil(type, span), type, span), span)


@checks(ast.TupleElement)
def check_tuple_element(cx: Context, node: ast.TupleElement, hint: Type | None) -> hir.Expr:
    object = expression(cx, node.value)
    if node.nil_safe:
        return nil_safe(cx, object, node.span, lambda v: tuple_element(cx, v, node.index, node.span))
    return tuple_element(cx, definite(object), node.index, node.span)


def tuple_element(cx: Context, value: hir.Expr, index: int, span: Span) -> hir.Expr:
    if value.type in (ERROR, NEVER):
        return value
    if value.type is ANY:
        from simple_jit.hir.any_members import tuple_item_of_any

        return tuple_item_of_any(cx, value, index, span)
    if not isinstance(value.type, TupleType):
        return cx.error(rule.UNKNOWN_MEMBER.at(span, f"{a_type(value.type)} is not a tuple"))
    items = value.type.items
    at = index + len(items) if index < 0 else index
    if not 0 <= at < len(items):
        return cx.error(
            rule.TUPLE_INDEX.at(
                span, f"there is no item {index} in {a_type(value.type)} of {count(len(items), 'item')}"
            )
        )
    return hir.TupleGet(value, at, items[at], span)


# --- elements ----------------------------------------------------------------------


@checks(ast.Index)
def check_index(cx: Context, node: ast.Index, hint: Type | None) -> hir.Expr:
    object = expression(cx, node.value)
    if node.nil_safe:
        return nil_safe(cx, object, node.span, lambda value: element(cx, value, node))
    return element(cx, definite(object), node)


def element(cx: Context, object: hir.Expr, node: ast.Index) -> hir.Expr:
    """`object[index]`."""
    if object.type in (ERROR, NEVER):
        return object
    if isinstance(object.type, HoleType) and object.type.kind == "dict":
        from simple_jit.hir.check_dicts import element_of_hole

        return element_of_hole(cx, object.type, node)
    if isinstance(object.type, HoleType):
        return cx.error(rule.CANNOT_INFER_TYPE.at(object.span, "the element type of this is not known yet"))
    if isinstance(object.type, TupleType):
        return _constant_element(cx, object, node)
    if isinstance(object.type, StructType) and is_dict(object.type):
        from simple_jit.hir.check_dicts import dict_element

        return dict_element(cx, object, object.type, node.index, node.span)
    if object.type is ANY:
        from simple_jit.hir.any_members import element_of_any

        index = expression(cx, node.index)
        return index if index.type is ERROR else element_of_any(cx, object, index, node.span)
    if object.type is not TEXT and not isinstance(object.type, ArrayType):
        index = expression(cx, node.index)
        called = call_method(cx, object, "index", [index], node.span) if index.type is not ERROR else index
        if called is not None:
            return called
        return cx.error(rule.NOT_INDEXABLE.at(node.value.span, f"{a_type(object.type)} has no elements"))
    index = expression(cx, node.index, I64)
    index = _as_index(cx, index)
    if erroneous(index):
        return index
    left = diverging([object, index], node.span)
    if left is not None:
        return left
    if isinstance(object.type, ArrayType):
        check_within(cx, object.type, index)
        return hir.ArrayGet(object, index, object.type.elem, node.span)
    return call_core(cx, "text_index", [object, index], node.span)


def check_within(cx: Context, type: ArrayType, index: hir.Expr) -> None:
    """Report a constant index that is beyond an array of fixed length."""
    if not isinstance(type, FixedArrayType) or not isinstance(index, hir.Const):
        return
    if isinstance(index.value, int) and not -type.length <= index.value < type.length:
        message = f"index {index.value} is out of range for {a_type(type)}"
        cx.error(rule.ARRAY_LENGTH.at(index.span, message))


def element_at(cx: Context, object: hir.Expr, index: hir.Expr, span: Span) -> hir.Expr:
    """`object[index]` with an index that has been checked."""
    type = object.type
    if isinstance(type, ArrayType):
        return hir.ArrayGet(object, _as_index(cx, index), type.elem, span)
    if type is TEXT:
        return call_core(cx, "text_index", [object, _as_index(cx, index)], span)
    if is_dict(type):
        from simple_jit.hir.check_dicts import element_of_dict

        return element_of_dict(cx, object, index, span)
    called = call_method(cx, object, "index", [index], span)
    return called if called is not None else hir.Const(None, ERROR, span)


def _as_index(cx: Context, index: hir.Expr) -> hir.Expr:
    return coerce(cx, index, I64, what="an index")


def _constant_element(cx: Context, object: hir.Expr, node: ast.Index) -> hir.Expr:
    index = expression(cx, node.index, I64)
    if isinstance(index, hir.Const) and index.type is I64 and isinstance(index.value, int):
        return tuple_element(cx, object, index.value, node.span)
    if index.type is ERROR:
        return index
    return cx.error(rule.TUPLE_INDEX.at(node.index.span, "the index into a tuple is a constant"))


@checks(ast.Slice)
def check_slice(cx: Context, node: ast.Slice, hint: Type | None) -> hir.Expr:
    object = expression(cx, node.value, hint)
    if node.nil_safe:
        return nil_safe(cx, object, node.span, lambda value: _slice(cx, value, node))
    return _slice(cx, definite(object), node)


def _slice(cx: Context, object: hir.Expr, node: ast.Slice) -> hir.Expr:
    if object.type in (ERROR, NEVER):
        return object
    parts = [
        coerce(cx, expression(cx, part, I64), I64, what="a bound of a slice") if part is not None else None
        for part in (node.start, node.stop, node.step)
    ]
    if any(part is not None and part.type is ERROR for part in parts):
        return hir.Const(None, ERROR, node.span)
    step = parts[2]
    if isinstance(step, hir.Const) and step.value == 0:
        return cx.error(rule.ZERO_STEP.at(step.span, "the step of a slice is not 0"))
    if object.type is ANY:
        from simple_jit.hir.any_members import slice_of_any

        return slice_of_any(cx, object, parts, node.span)
    if object.type is not TEXT and not isinstance(object.type, ArrayType):
        return cx.error(rule.NOT_INDEXABLE.at(node.value.span, f"{a_type(object.type)} cannot be sliced"))
    return slice_call(cx, object, parts[0], parts[1], step, node.span)


def slice_call(
    cx: Context,
    object: hir.Expr,
    start: hir.Expr | None,
    stop: hir.Expr | None,
    step: hir.Expr | None,
    span: Span,
) -> hir.Expr:
    """A slice of text or of an array, by the core library; a missing bound is nil."""
    type = optional_of(I64)
    bounds: list[hir.Expr] = [
        hir.Nil(type, span) if part is None else hir.Some(part, type, part.span)
        for part in (start, stop, step)
    ]
    name = "text_slice" if object.type is TEXT else "array_slice"
    return call_core(cx, name, [object, *bounds], span)


# --- optionals ---------------------------------------------------------------------


@checks(ast.Unwrap)
def check_unwrap(cx: Context, node: ast.Unwrap, hint: Type | None) -> hir.Expr:
    value = expression(cx, node.value)
    if value.type in (ERROR, NEVER):
        return value
    if isinstance(value, hir.Unwrap) and not value.checked:
        return value  # narrowed already
    if value.type is ANY:
        from simple_jit.hir.check_any import unwrap_any

        return unwrap_any(cx, value, node.span)
    if not isinstance(value.type, OptionalType):
        return cx.error(
            rule.NOT_OPTIONAL.at(node.value.span, f"`!` needs an optional, but this is {a_type(value.type)}")
        )
    return hir.Unwrap(value, value.type.inner, node.span)


@checks(ast.HasValue)
def check_has_value(cx: Context, node: ast.HasValue, hint: Type | None) -> hir.Expr:
    """`x.?`: not nil and, for text and arrays, not empty."""
    value = expression(cx, node.value)
    if value.type in (ERROR, NEVER):
        return value
    if isinstance(value, hir.Unwrap) and not value.checked:
        value = value.value
    if value.type is ANY:
        return hir.Unary("not", hir.AnyIs(value, UNIT, node.span), node.span)
    if not isinstance(value.type, OptionalType):
        if _has_length(value.type):
            return _not_empty(cx, value, node.span)
        return cx.error(
            rule.NOT_OPTIONAL.at(node.value.span, f"`.?` needs an optional, but this is {a_type(value.type)}")
        )
    inner = value.type.inner
    if not _has_length(inner):
        return hir.IsSome(value, node.span)
    stmts: list[hir.Expr] = []
    kept = cx.keep(value, stmts)
    filled = _not_empty(cx, hir.Unwrap(kept, inner, node.span, checked=False), node.span)
    return block(stmts, hir.And(hir.IsSome(kept, node.span), filled, node.span), node.span)


def _has_length(type: Type) -> bool:
    """Does `.?` ask whether a value of `type` is empty?"""
    return type is TEXT or isinstance(type, ArrayType) or is_collection(type)


def _not_empty(cx: Context, value: hir.Expr, span: Span) -> hir.Expr:
    length = length_of(cx, value, span)
    assert length is not None
    return hir.Compare("ne", length, hir.Const(0, I64, span), span)


def length_of(cx: Context, value: hir.Expr, span: Span) -> hir.Expr | None:
    """The length of an array, or by a method `len`."""
    if isinstance(value.type, ArrayType):
        return hir.ArrayLen(value, I64, span)
    if value.type is ANY:
        from simple_jit.hir.any_members import call_method_of_any

        length = call_method_of_any(cx, value, ast.Ident(span, "len"), [], span)
        return coerce(cx, length, I64)
    return call_method(cx, value, "len", [], span)


@checks(ast.Propagate)
def check_propagate(cx: Context, node: ast.Propagate, hint: Type | None) -> hir.Expr:
    """`e?`; what checks it is only loaded for programs that have one."""
    from simple_jit.hir import check_results

    return check_results.check_propagate(cx, node)
