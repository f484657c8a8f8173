"""Hashes, and equality of keys, for every type: what the library writes `__hash(x)`, `__same_key(a, b)`.

Scalars, text and arrays have functions in `core.hash`; for tuples, optionals, structs and enums a
function is made out of those of their parts. Keys are the same where `==` says so, but for floats: NaN is
the same key as NaN, also inside of a key.
"""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.check_compare import equal
from simple_jit.hir.check_enums import is_impossible
from simple_jit.hir.context import Context, erroneous
from simple_jit.hir.convert import coerce
from simple_jit.hir.core_calls import call_core, call_method
from simple_jit.hir.derive import derived_call
from simple_jit.hir.report import a_type
from simple_jit.hir.symbols import ERROR
from simple_jit.hir.types import (
    ANY,
    BOOL,
    F64,
    I64,
    NEVER,
    TEXT,
    UNIT,
    ArrayType,
    EnumType,
    FloatType,
    FnType,
    IntType,
    OptionalType,
    StructType,
    TraitType,
    TupleType,
    Type,
    is_dynamic,
    is_plain_enum,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.source import Span

# --- hashes ------------------------------------------------------------------------


def hash_of(cx: Context, value: hir.Expr, span: Span) -> hir.Expr:
    """Return the hash of a value."""
    type = value.type
    if type in (ERROR, NEVER):
        return value
    if isinstance(type, IntType) or type is BOOL or is_plain_enum(type):
        return call_core(cx, "hash_i64", [_as(value, I64)], span)
    if isinstance(type, FloatType):
        return call_core(cx, "hash_f64", [_as(value, F64)], span)
    if type is TEXT:
        return call_core(cx, "hash_text", [value], span)
    if type is UNIT:
        return hir.Block([value], hir.Const(0, I64, span), I64, span)
    if isinstance(type, ArrayType):
        return call_core(cx, "hash_array", [value], span)
    if isinstance(type, StructType):
        special = _hash_of_object(cx, value, type, span)
        if special is not None:
            return special
    if type is ANY or isinstance(type, TraitType):
        from simple_jit.hir.any_operators import hash_any

        return hash_any(cx, value, span)
    if isinstance(type, FnType):
        return cx.error(rule.BAD_COMPARISON.at(span, f"{a_type(type)} cannot be the key of a dict or a set"))
    return derived_call(cx, "hash", [value], I64, _build_hash, span)


def _as(value: hir.Expr, type: Type) -> hir.Expr:
    return value if value.type is type else hir.Convert(value, type, value.span)


def _hash_of_object(cx: Context, value: hir.Expr, type: StructType, span: Span) -> hir.Expr | None:
    """By a method `hash`; by identity where `==` goes by it; None where the fields tell."""
    called = call_method(cx, value, "hash", [], span)
    if called is not None:
        return coerce(cx, called, I64, what="the result of `hash`")
    if cx.session.find_method(type, "eq") is not None:
        # Whatever `eq` takes for equal must have one hash.
        return hir.Block([value], hir.Const(0, I64, span), I64, span)
    if type.is_class:
        address = hir.Intrinsic("address", [value], None, I64, span)
        return call_core(cx, "hash_i64", [address], span)
    return None


def _build_hash(cx: Context) -> hir.Expr:
    local = cx.instance.function.params[0]
    type, span = local.type, cx.instance.function.span
    value = hir.LocalGet(local, span)
    if isinstance(type, OptionalType):
        some = hir.Unwrap(value, type.inner, span, checked=False)
        nil = hir.Const(0, I64, span)
        return hir.If(hir.IsSome(value, span), hash_of(cx, some, span), nil, I64, span)
    if isinstance(type, EnumType):
        return _hash_of_variant(cx, value, type, span)
    if isinstance(type, TupleType):
        parts: list[hir.Expr] = [hir.TupleGet(value, i, t, span) for i, t in enumerate(type.items)]
    else:
        assert isinstance(type, StructType)
        parts = [hir.FieldGet(value, i, field.type, span) for i, field in enumerate(type.fields)]
    return _combined(cx, hir.Const(len(parts), I64, span), parts, span)


def _combined(cx: Context, start: hir.Expr, parts: list[hir.Expr], span: Span) -> hir.Expr:
    result = start
    for part in parts:
        result = call_core(cx, "hash_pair", [result, hash_of(cx, part, span)], span)
        if erroneous(result):
            return result
    return result


def _hash_of_variant(cx: Context, value: hir.Expr, type: EnumType, span: Span) -> hir.Expr:
    numbers: list[list[int]] = []
    branches: list[hir.Expr] = []
    for position, variant in enumerate(type.variants):
        if is_impossible(variant):
            continue
        parts: list[hir.Expr] = [
            hir.EnumGet(value, position, i, field.type, span) for i, field in enumerate(variant.fields)
        ]
        numbers.append([position])
        branches.append(_combined(cx, hir.Const(position + 1, I64, span), parts, span))
    if len(branches) == 1:
        return branches[0]
    return hir.Switch(hir.EnumTag(value, I64, span), numbers, branches, None, I64, span)


# --- equality ----------------------------------------------------------------------


def same_key(cx: Context, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    """Are two values of one type the same key?"""
    if erroneous(left, right):
        return hir.Const(None, ERROR, span)
    type = left.type
    if isinstance(type, FloatType):
        return call_core(cx, "same_f64", [_as(left, F64), _as(right, F64)], span)
    if type is TEXT:
        return call_core(cx, "same_text", [left, right], span)
    if is_dynamic(type):
        from simple_jit.hir.any_operators import same_key_any

        return same_key_any(cx, left, right, span)
    if not _has_float(cx, type, set()):
        return equal(cx, left, right, span)
    if isinstance(type, ArrayType):
        return call_core(cx, "same_array", [left, right], span)
    return derived_call(cx, "same key", [left, right], BOOL, _build_same, span)


def _has_float(cx: Context, type: Type, seen: set[Type]) -> bool:
    """Does `==` of `type` compare floats, as far as that is not a method's affair?"""
    if type in seen:
        return False
    seen.add(type)
    if isinstance(type, StructType):
        if type.is_class or cx.session.find_method(type, "eq") is not None:
            return False
        parts = [field.type for field in type.fields]
    elif isinstance(type, EnumType):
        parts = [field.type for variant in type.variants for field in variant.fields]
    elif isinstance(type, TupleType):
        parts = list(type.items)
    elif isinstance(type, ArrayType):
        parts = [type.elem]
    elif isinstance(type, OptionalType):
        parts = [type.inner]
    elif is_dynamic(type):
        return True
    else:
        return isinstance(type, FloatType)
    return any(_has_float(cx, part, seen) for part in parts)


def _build_same(cx: Context) -> hir.Expr:
    first, second = cx.instance.function.params
    type, span = first.type, cx.instance.function.span
    a, b = hir.LocalGet(first, span), hir.LocalGet(second, span)
    if isinstance(type, OptionalType):
        some_a = hir.Unwrap(a, type.inner, span, checked=False)
        some_b = hir.Unwrap(b, type.inner, span, checked=False)
        both = hir.And(hir.IsSome(b, span), same_key(cx, some_a, some_b, span), span)
        return hir.If(hir.IsSome(a, span), both, hir.Unary("not", hir.IsSome(b, span), span), BOOL, span)
    if isinstance(type, EnumType):
        return _same_variants(cx, a, b, type, span)
    return _all_same(cx, _pairs(type, a, b, span), span)


def _pairs(type: Type, a: hir.Expr, b: hir.Expr, span: Span) -> list[tuple[hir.Expr, hir.Expr]]:
    if isinstance(type, TupleType):
        return [(hir.TupleGet(a, i, t, span), hir.TupleGet(b, i, t, span)) for i, t in enumerate(type.items)]
    assert isinstance(type, StructType)
    return [
        (hir.FieldGet(a, i, f.type, span), hir.FieldGet(b, i, f.type, span))
        for i, f in enumerate(type.fields)
    ]


def _all_same(cx: Context, pairs: list[tuple[hir.Expr, hir.Expr]], span: Span) -> hir.Expr:
    result: hir.Expr | None = None
    for a, b in pairs:
        test = same_key(cx, a, b, span)
        result = test if result is None else hir.And(result, test, span)
    return result or hir.Const(True, BOOL, span)


def _same_variants(cx: Context, a: hir.Expr, b: hir.Expr, type: EnumType, span: Span) -> hir.Expr:
    tag_a, tag_b = hir.EnumTag(a, I64, span), hir.EnumTag(b, I64, span)
    numbers: list[list[int]] = []
    branches: list[hir.Expr] = []
    for position, variant in enumerate(type.variants):
        if is_impossible(variant):
            continue
        pairs: list[tuple[hir.Expr, hir.Expr]] = [
            (hir.EnumGet(a, position, i, f.type, span), hir.EnumGet(b, position, i, f.type, span))
            for i, f in enumerate(variant.fields)
        ]
        numbers.append([position])
        branches.append(_all_same(cx, pairs, span))
    if len(branches) == 1:
        return branches[0]
    by_payload = hir.Switch(tag_a, numbers, branches, None, BOOL, span)
    return hir.And(hir.Compare("eq", tag_a, tag_b, span), by_payload, span)
