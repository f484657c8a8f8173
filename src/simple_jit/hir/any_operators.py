"""Operators, comparisons, text forms and hashes of `any`: by functions that choose by the type."""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir.check_any import is_nil, to_any, type_name
from simple_jit.hir.context import (
    Context,
    block,
    erroneous,
)
from simple_jit.hir.dispatch import attempt, branches, call_dispatcher, params_of, types_of
from simple_jit.hir.symbols import ERROR, HoleType
from simple_jit.hir.types import (
    ANY,
    BOOL,
    F64,
    I64,
    NEVER,
    TEXT,
    UNIT,
    ArrayType,
    FloatType,
    IntType,
    OptionalType,
    TupleType,
    Type,
    array_of,
    is_number,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from simple_jit.base.source import Span

    Make = Callable[[Context, hir.Expr], "hir.Expr | None"]


# --- operators ----------------------------------------------------------------------


def binary(cx: Context, op: str, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    """`left op right` where one of them is an `any`."""
    if not _is_builtin(left.type) and left.type is not ANY:
        called = _operator_method(cx, op, left, right, span)
        if called is not None:
            return called
    if op == "+" and right.type is ANY and left.type is TEXT:
        from simple_jit.hir.convert import coerce

        return _combine_as(cx, op, left, coerce(cx, right, TEXT), span)
    if erroneous(to_any(cx, left), to_any(cx, right)):
        return hir.Const(None, ERROR, span)

    def build(inner: Context) -> hir.Expr:
        inner.result = ANY
        a, b = params_of(inner)
        fail = _no_operation(inner, op, a, b)
        return branches(
            inner, a, types_of(inner.session, ANY), lambda v: _binary_with(inner, op, v, b, fail), fail, ANY
        )

    def slow(a: hir.Expr, b: hir.Expr) -> hir.Expr:
        return call_dispatcher(cx, f"any {op}", [to_any(cx, a), to_any(cx, b)], ANY, build, span)

    if op not in _GUARDED:
        return slow(left, right)
    return _guarded(cx, left, right, lambda a, b: to_any(cx, _combine_as(cx, op, a, b, span)), slow, span)


_GUARDED = ("+", "-", "*", "==", "<", "<=", ">", ">=")
"""The operators whose common case stands where they are used."""


def _guarded(
    cx: Context,
    left: hir.Expr,
    right: hir.Expr,
    fast: Callable[[hir.Expr, hir.Expr], hir.Expr],
    slow: Callable[[hir.Expr, hir.Expr], hir.Expr],
    span: Span,
) -> hir.Expr:
    """Where both sides are integers (or floats, beside a float) do without a call."""
    sides = [side.type for side in (left, right) if side.type is not ANY]
    wanted = sides[0] if sides else I64
    if len(sides) > 1 or wanted not in (I64, F64) or wanted not in cx.session.dynamic:
        return slow(left, right)
    stmts: list[hir.Expr] = []
    a, b = cx.keep(left, stmts), cx.keep(right, stmts)
    tests = [hir.AnyIs(side, wanted, span) for side in (a, b) if side.type is ANY]
    test: hir.Expr = tests[0] if len(tests) == 1 else hir.And(tests[0], tests[1], span)
    first, second = (hir.AnyGet(s, wanted, span) if s.type is ANY else s for s in (a, b))
    quick = fast(first, second)
    return block(stmts, hir.If(test, quick, slow(a, b), quick.type, span), span)


def _is_builtin(type: Type) -> bool:
    """Do operators on `type` need no method?"""
    return is_number(type) or type in (TEXT, BOOL) or isinstance(type, (ArrayType, TupleType))


def _operator_method(cx: Context, op: str, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr | None:
    from simple_jit.hir.check_operators import METHODS
    from simple_jit.hir.collections import is_collection
    from simple_jit.hir.core_calls import call_method

    if op == "+" and is_collection(left.type):
        return None  # `add` of a set is not what `+` means
    return call_method(cx, left, METHODS[op], [right], span)


def _combine_as(cx: Context, op: str, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    from simple_jit.hir.check_operators import combine

    return combine(cx, op, left, right, span)


def _binary_with(cx: Context, op: str, left: hir.Expr, right: hir.Expr, fail: hir.Expr) -> hir.Expr | None:
    """The operator with a left side of a definite type, for each type of the right side that goes with it."""
    type, span = left.type, left.span
    if type is UNIT:
        return None
    if _is_builtin(type):
        others = [t for t in types_of(cx.session, ANY) if _go_together(op, type, t)]
        if not others:
            return None
        return branches(cx, right, others, lambda v: _combined(cx, op, left, v, span), fail, ANY)
    called = _operator_method(cx, op, left, right, span)
    return to_any(cx, called) if called is not None else None


def _combined(cx: Context, op: str, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    if left.type is not right.type and isinstance(right.type, ArrayType):
        from simple_jit.hir.any_members import items_of_any

        right = items_of_any(cx, to_any(cx, right), span)
    return to_any(cx, _combine_as(cx, op, left, right, span))


def _go_together(op: str, left: Type, right: Type) -> bool:
    if is_number(left):
        return is_number(right)
    if op == "+" and left is array_of(ANY):
        return isinstance(right, ArrayType)
    if op == "*" and (left is TEXT or isinstance(left, ArrayType)):
        return right is I64
    return left is right


def _no_operation(cx: Context, op: str, left: hir.Expr, right: hir.Expr) -> hir.Expr:
    from simple_jit.hir.show import concat_texts

    span = left.span
    parts = [
        hir.TextConst(f"`{op}` does not apply to ", TEXT, span),
        type_name(cx, left, span),
        hir.TextConst(" and ", TEXT, span),
        type_name(cx, right, span),
    ]
    return hir.Block([hir.Throw("TypeError", concat_texts(cx, parts, span), span)], None, NEVER, span)


def unary(cx: Context, op: str, operand: hir.Expr, span: Span) -> hir.Expr:
    """`-x` and `~x` of an `any`."""
    from simple_jit.hir.check_operators import unary_value

    return each(
        cx, f"any {op}", operand, f"`{op}` does not apply to ", lambda c, v: unary_value(c, op, v, span), span
    )


def each(cx: Context, kind: str, value: hir.Expr, message: str, make: Make, span: Span) -> hir.Expr:
    """An operation on one value, giving an `any`; it fails for types that do not have it."""
    value = to_any(cx, value)

    def build(inner: Context) -> hir.Expr:
        inner.result = ANY
        (param,) = params_of(inner)

        def branch(narrowed: hir.Expr) -> hir.Expr | None:
            made = make(inner, narrowed) if narrowed.type is not UNIT else None
            return to_any(inner, made) if made is not None else None

        fail = has_none(inner, message, param)
        return branches(inner, param, types_of(inner.session, ANY), branch, fail, ANY)

    return call_dispatcher(cx, kind, [value], ANY, build, span)


def has_none(cx: Context, message: str, value: hir.Expr, after: str = "") -> hir.Expr:
    from simple_jit.hir.show import concat_texts

    span = value.span
    parts = [hir.TextConst(message, TEXT, span), type_name(cx, value, span), hir.TextConst(after, TEXT, span)]
    return hir.Block([hir.Throw("TypeError", concat_texts(cx, parts, span), span)], None, NEVER, span)


# --- comparison ---------------------------------------------------------------------


def equal_any(cx: Context, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    """`==` of values that carry their types; those of types that do not go together are not equal."""
    for value, other in ((left, right), (right, left)):
        if isinstance(value, hir.Nil) or (isinstance(value.type, HoleType) and value.type.is_nil):
            return _is_absent(cx, other, span)
    from simple_jit.hir.check_compare import compare_values

    if erroneous(to_any(cx, left), to_any(cx, right)):
        return hir.Const(None, ERROR, span)

    def build(inner: Context) -> hir.Expr:
        inner.result = BOOL
        a, b = params_of(inner)
        no = hir.Const(False, BOOL, a.span)
        return branches(inner, a, types_of(inner.session, ANY), lambda v: _equal_with(inner, v, b), no, BOOL)

    def slow(a: hir.Expr, b: hir.Expr) -> hir.Expr:
        return call_dispatcher(cx, "any ==", [to_any(cx, a), to_any(cx, b)], BOOL, build, span)

    return _guarded(cx, left, right, lambda a, b: compare_values(cx, "==", a, b, span), slow, span)


def _is_absent(cx: Context, value: hir.Expr, span: Span) -> hir.Expr:
    if isinstance(value.type, OptionalType):
        stmts: list[hir.Expr] = []
        kept = cx.keep(value, stmts)
        absent = hir.Unary("not", hir.IsSome(kept, span), span)
        some = hir.Unwrap(kept, value.type.inner, span, checked=False)
        return block(stmts, hir.Or(absent, is_nil(some, span), span), span)
    return is_nil(value, span)


def _equal_with(cx: Context, left: hir.Expr, right: hir.Expr) -> hir.Expr | None:
    from simple_jit.hir.check_compare import compare_values

    span = right.span
    if left.type is UNIT:
        return is_nil(right, span)
    no = hir.Const(False, BOOL, span)
    others = [left.type]
    if is_number(left.type):
        others += [t for t in types_of(cx.session, ANY) if is_number(t) and t is not left.type]
    return branches(cx, right, others, lambda v: compare_values(cx, "==", left, v, span), no, BOOL)


def order_any(cx: Context, op: str, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    """`<` and its kin; values of types that do not go together have no order, which is an error."""
    from simple_jit.hir.check_compare import compare_values

    if erroneous(to_any(cx, left), to_any(cx, right)):
        return hir.Const(None, ERROR, span)

    def build(inner: Context) -> hir.Expr:
        inner.result = BOOL
        a, b = params_of(inner)
        fail = _no_operation(inner, op, a, b)
        types = types_of(inner.session, ANY)
        return branches(inner, a, types, lambda v: _order_with(inner, op, v, b, fail), fail, BOOL)

    def slow(a: hir.Expr, b: hir.Expr) -> hir.Expr:
        return call_dispatcher(cx, f"any {op}", [to_any(cx, a), to_any(cx, b)], BOOL, build, span)

    return _guarded(cx, left, right, lambda a, b: compare_values(cx, op, a, b, span), slow, span)


def _order_with(cx: Context, op: str, left: hir.Expr, right: hir.Expr, fail: hir.Expr) -> hir.Expr | None:
    from simple_jit.hir.check_compare import compare_values

    if left.type is UNIT:
        return None
    others = [left.type]
    if is_number(left.type):
        others += [t for t in types_of(cx.session, ANY) if is_number(t) and t is not left.type]
    elif (
        attempt(
            cx,
            lambda v: compare_values(cx, op, left, v, right.span),
            hir.AnyGet(right, left.type, right.span),
        )
        is None
    ):
        return None
    return branches(cx, right, others, lambda v: compare_values(cx, op, left, v, right.span), fail, BOOL)


# --- text, hash ---------------------------------------------------------------------


def text_of_any(cx: Context, value: hir.Expr, span: Span, quoted: bool) -> hir.Expr:
    """The text form of the value in an `any`."""
    from simple_jit.hir.show import text_of

    def build(inner: Context) -> hir.Expr:
        inner.result = TEXT
        (param,) = params_of(inner)
        at = param.span

        def show(narrowed: hir.Expr) -> hir.Expr:
            if narrowed.type is UNIT:
                return hir.TextConst("nil", TEXT, at)
            return text_of(inner, narrowed, at, quoted=quoted)

        last = hir.TextConst("any", TEXT, at)
        return branches(inner, param, types_of(inner.session, param.type), show, last, TEXT)

    return call_dispatcher(cx, "quoted any" if quoted else "shown any", [value], TEXT, build, span)


def format_any(
    cx: Context, value: hir.Expr, spec: str, span: Span, format: Callable[[Context, hir.Expr], hir.Expr]
) -> hir.Expr:
    """`{value:spec}`: the specification must suit the type that the value has."""

    def build(inner: Context) -> hir.Expr:
        inner.result = TEXT
        (param,) = params_of(inner)
        fail = has_none(inner, f"`{spec}` is no format specification for ", param)
        types = [t for t in types_of(inner.session, param.type) if t is not UNIT]
        return branches(inner, param, types, lambda v: format(inner, v), fail, TEXT)

    return call_dispatcher(cx, f"format {spec}", [value], TEXT, build, span)


def hash_any(cx: Context, value: hir.Expr, span: Span) -> hir.Expr:
    """The hash of the value in an `any`; equal numbers of different types have one hash."""
    from simple_jit.hir.derive_keys import hash_of

    def build(inner: Context) -> hir.Expr:
        inner.result = I64
        (param,) = params_of(inner)
        zero = hir.Const(0, I64, param.span)

        def make(narrowed: hir.Expr) -> hir.Expr:
            if narrowed.type is UNIT:
                return zero
            if isinstance(narrowed.type, FloatType):
                return _hash_of_float(inner, narrowed)
            return hash_of(inner, narrowed, param.span)

        return branches(inner, param, types_of(inner.session, param.type), make, zero, I64)

    return call_dispatcher(cx, "hash any", [value], I64, build, span)


def _hash_of_float(cx: Context, value: hir.Expr) -> hir.Expr:
    """That of the integer that it is, if it is one."""
    from simple_jit.hir.derive_keys import hash_of

    span = value.span
    number = value if value.type is F64 else hir.Convert(value, F64, span)
    whole = hir.Convert(number, I64, span)
    is_whole = hir.Compare("eq", hir.Convert(whole, F64, span), number, span)
    return hir.If(is_whole, hash_of(cx, whole, span), hash_of(cx, number, span), I64, span)


def same_key_any(cx: Context, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    """Are the values in two `any` the same key?"""
    from simple_jit.hir.derive_keys import same_key

    def build(inner: Context) -> hir.Expr:
        inner.result = BOOL
        a, b = params_of(inner)
        no = hir.Const(False, BOOL, a.span)

        def compare(v: hir.Expr) -> hir.Expr | None:
            if v.type is UNIT or isinstance(v.type, IntType):
                return _equal_with(inner, v, b)
            otherwise = _equal_with(inner, v, b) if is_number(v.type) else None
            return branches(
                inner, b, [v.type], lambda w: same_key(inner, v, w, a.span), otherwise or no, BOOL
            )

        return branches(inner, a, types_of(inner.session, ANY), compare, no, BOOL)

    return call_dispatcher(cx, "same any", [left, right], BOOL, build, span)
