"""Values that carry their type: `any` and values of traits.

Where one stands for a definite type, a check is put in, which fails with a `TypeError`. Operators, methods,
fields and elements of an `any` are calls of functions that choose by the type (`hir.dispatch`); they give
an `any` again. `nil` in an `any` has the type UNIT.
"""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir.context import (
    Context,
    TypeFact,
    Variable,
    block,
    checks,
    erroneous,
    expression,
)
from simple_jit.hir.dispatch import branches, call_dispatcher, note, params_of, trait_test, types_of
from simple_jit.hir.symbols import ERROR, HoleType
from simple_jit.hir.types import (
    ANY,
    BOOL,
    I64,
    NEVER,
    TEXT,
    UNIT,
    ClosureType,
    FixedArrayType,
    OptionalType,
    TraitType,
    Type,
    array_of,
    growable,
    is_dynamic,
    is_number,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from simple_jit.base.source import Span
    from simple_jit.hir.conditions import Condition

    Make = Callable[[Context, hir.Expr], "hir.Expr | None"]


def nil_any(cx: Context, span: Span) -> hir.Expr:
    """`nil` as an `any`."""
    note(cx.session, UNIT)
    return hir.AnyNew(hir.Const(None, UNIT, span), ANY, span)


def is_nil(value: hir.Expr, span: Span) -> hir.Expr:
    return hir.AnyIs(value, UNIT, span)


# --- conversions --------------------------------------------------------------------


def fit_dynamic(cx: Context, value: hir.Expr, to: Type) -> hir.Expr | None:
    """Return `value` as a `to`, where one of the two types is dynamic; None where that can never be."""
    found = value.type
    if found is to or found is NEVER:
        return value
    if isinstance(found, HoleType):
        return _fit_hole(cx, value, found, to)
    if isinstance(to, OptionalType):
        return _to_optional(cx, value, to)
    if isinstance(found, OptionalType):
        return _from_optional(cx, value, found, to)
    if to is ANY:
        return to_any(cx, value)
    if isinstance(to, TraitType):
        return _to_trait(cx, value, to)
    return _checked(cx, value, to)


def _fit_hole(cx: Context, value: hir.Expr, hole: HoleType, to: Type) -> hir.Expr | None:
    """`nil` is one, `[]` an array of `any`, `{}` a dict of them."""
    from simple_jit.hir.convert import fit

    if hole.is_nil:
        if isinstance(to, OptionalType):
            return hir.Nil(to, value.span)
        return nil_any(cx, value.span) if to is ANY and isinstance(value, hir.Nil) else None
    if to is not ANY:
        return None
    if hole.is_array:
        inner = fit(cx, value, array_of(ANY))
    else:
        from simple_jit.hir.collections import dict_of, set_of

        session = cx.session
        inner = fit(cx, value, dict_of(session, ANY, ANY) if hole.kind == "dict" else set_of(session, ANY))
    return to_any(cx, inner) if inner is not None else None


def _to_optional(cx: Context, value: hir.Expr, to: OptionalType) -> hir.Expr | None:
    span = value.span
    stmts: list[hir.Expr] = []
    if isinstance(value.type, OptionalType):
        kept = cx.keep(value, stmts)
        present = _some(cx, hir.Unwrap(kept, value.type.inner, span, checked=False), to)
        test: hir.Expr = hir.IsSome(kept, span)
    elif value.type is ANY and to.inner is not ANY:
        kept = cx.keep(value, stmts)
        present = _some(cx, kept, to)
        test = hir.Unary("not", is_nil(kept, span), span)
    else:
        return _some(cx, value, to)
    if present is None:
        return None
    return block(stmts, hir.If(test, present, hir.Nil(to, span), to, span), span)


def _some(cx: Context, value: hir.Expr, to: OptionalType) -> hir.Expr | None:
    from simple_jit.hir.convert import fit

    inner = fit(cx, value, to.inner)
    return hir.Some(inner, to, value.span) if inner is not None else None


def _from_optional(cx: Context, value: hir.Expr, found: OptionalType, to: Type) -> hir.Expr | None:
    from simple_jit.hir.convert import fit

    if to is not ANY:
        return fit(cx, hir.Unwrap(value, found.inner, value.span), to)
    stmts: list[hir.Expr] = []
    kept = cx.keep(value, stmts)
    inner = to_any(cx, hir.Unwrap(kept, found.inner, value.span, checked=False))
    chosen = hir.If(hir.IsSome(kept, value.span), inner, nil_any(cx, value.span), ANY, value.span)
    return block(stmts, chosen, value.span)


def to_any(cx: Context, value: hir.Expr) -> hir.Expr:
    """Return a value as an `any`; of an expression without value, `nil`."""
    span = value.span
    if value.type in (ANY, NEVER, ERROR):
        return value
    if isinstance(value.type, (OptionalType, HoleType)):
        fitted = fit_dynamic(cx, value, ANY)
        return fitted if fitted is not None else hir.Const(None, ERROR, span)
    if value.type is UNIT:
        return (
            nil_any(cx, span)
            if isinstance(value, hir.Const)
            else hir.Block([value], nil_any(cx, span), ANY, span)
        )
    value = _storable(cx, value)
    if value.type is ERROR:
        return value
    if not is_dynamic(value.type):
        note(cx.session, value.type)
    return hir.AnyNew(value, ANY, span)


def _storable(cx: Context, value: hir.Expr) -> hir.Expr:
    """A lambda is stored as a plain function value, an array of fixed length as any other."""
    if isinstance(value.type, FixedArrayType):
        return hir.Block([], value, growable(value.type), value.span)
    if isinstance(value.type, ClosureType):
        from simple_jit.hir.closures import stored_function

        return stored_function(cx, value)
    return value


def _to_trait(cx: Context, value: hir.Expr, to: TraitType) -> hir.Expr | None:
    from simple_jit.hir.traits import implements

    span = value.span
    if not is_dynamic(value.type):
        value = _storable(cx, value) if isinstance(value.type, FixedArrayType) else value
        if not implements(cx.session, value.type, to):
            return None
        note(cx.session, value.type)
        return hir.AnyNew(value, to, span)
    stmts: list[hir.Expr] = []
    kept = cx.keep(value, stmts)
    test = trait_test(cx, kept, to, span)
    fail = _fail(cx, kept, to, span)
    return block(stmts, hir.If(test, hir.AnyNew(kept, to, span), fail, to, span), span)


def _checked(cx: Context, value: hir.Expr, to: Type) -> hir.Expr | None:
    """A value that is found to be a `to` only when the program runs."""
    from simple_jit.hir.traits import implements

    if to is UNIT or isinstance(to, HoleType):
        return None
    if isinstance(to, FixedArrayType):
        from simple_jit.hir.convert import coerce

        found = _checked(cx, value, growable(to))
        return coerce(cx, found, to) if found is not None else None
    if isinstance(value.type, TraitType) and not implements(cx.session, to, value.type):
        return None

    def build(inner: Context) -> hir.Expr:
        inner.result = to
        (param,) = params_of(inner)
        span = param.span
        right = hir.AnyGet(param, to, span)
        return hir.If(hir.AnyIs(param, to, span), right, _fail(inner, param, to, span), to, span)

    return call_dispatcher(cx, f"as {to}", [value], to, build, value.span)


def _fail(cx: Context, value: hir.Expr, to: Type, span: Span) -> hir.Expr:
    """The error of a value that is not a `to`."""
    from simple_jit.hir.show import concat_texts

    found = type_name(cx, value, span)
    parts = [
        hir.TextConst(f"expected `{to}`, found `", TEXT, span),
        found,
        hir.TextConst("`", TEXT, span),
    ]
    fail = hir.Throw("TypeError", concat_texts(cx, parts, span), span)
    return hir.Block([fail], None, NEVER, span)


def type_name(cx: Context, value: hir.Expr, span: Span) -> hir.Expr:
    """The name of the type that a value has, a text."""

    def build(inner: Context) -> hir.Expr:
        inner.result = TEXT
        (param,) = params_of(inner)
        last = hir.TextConst("any", TEXT, param.span)
        chain: hir.Expr = last
        for type in reversed(types_of(inner.session, param.type)):
            name = hir.TextConst("nil" if type is UNIT else str(type), TEXT, param.span)
            chain = hir.If(hir.AnyIs(param, type, param.span), name, chain, TEXT, param.span)
        return chain

    return call_dispatcher(cx, "typeof", [value], TEXT, build, span)


# --- is, as -------------------------------------------------------------------------


@checks(ast.TypeTest)
def check_type_test(cx: Context, node: ast.TypeTest, hint: Type | None) -> hir.Expr:
    """`value is T`."""
    wanted = cx.resolve(node.type)
    value = expression(cx, node.value)
    if erroneous(value) or wanted is ERROR:
        return hir.Const(None, ERROR, node.span)
    test = type_test(cx, value, wanted, node.span)
    return hir.Unary("not", test, node.span) if node.negated else test


def type_test(cx: Context, value: hir.Expr, wanted: Type, span: Span) -> hir.Expr:
    """Is `value` of the type `wanted`? Known at once where its static type is definite."""
    if value.type is NEVER:
        return value
    if isinstance(value, (hir.Unwrap, hir.AnyGet)) and getattr(value, "checked", False) is False:
        value = value.value if is_dynamic(value.value.type) else value
    found = value.type
    if isinstance(found, HoleType):
        return block([value], hir.Const(isinstance(wanted, OptionalType), BOOL, span), span)
    if is_dynamic(found):
        return _dynamic_test(cx, value, wanted, span)
    if isinstance(found, OptionalType):
        return _optional_test(cx, value, found, wanted, span)
    return _static_test(cx, value, wanted, span)


def _static_test(cx: Context, value: hir.Expr, wanted: Type, span: Span) -> hir.Expr:
    from simple_jit.hir.traits import implements

    inner = wanted.inner if isinstance(wanted, OptionalType) else wanted
    answer = inner in (ANY, value.type) or (
        isinstance(inner, TraitType) and implements(cx.session, value.type, inner)
    )
    return block([value], hir.Const(answer, BOOL, span), span)


def _optional_test(cx: Context, value: hir.Expr, found: OptionalType, wanted: Type, span: Span) -> hir.Expr:
    if wanted is found or wanted is ANY:
        return block([value], hir.Const(True, BOOL, span), span)
    stmts: list[hir.Expr] = []
    kept = cx.keep(value, stmts)
    some = hir.Unwrap(kept, found.inner, span, checked=False)
    test = type_test(cx, some, wanted, span)
    if isinstance(wanted, OptionalType):
        return block(stmts, hir.Or(hir.Unary("not", hir.IsSome(kept, span), span), test, span), span)
    return block(stmts, hir.And(hir.IsSome(kept, span), test, span), span)


def _dynamic_test(cx: Context, value: hir.Expr, wanted: Type, span: Span) -> hir.Expr:
    if wanted in (ANY, value.type):
        return block([value], hir.Const(True, BOOL, span), span)
    if isinstance(wanted, TraitType):
        return trait_test(cx, value, wanted, span)
    if isinstance(wanted, OptionalType):
        stmts: list[hir.Expr] = []
        kept = cx.keep(value, stmts)
        test = _dynamic_test(cx, kept, wanted.inner, span)
        return block(stmts, hir.Or(is_nil(kept, span), test, span), span)
    if isinstance(wanted, FixedArrayType):
        return _length_test(cx, value, wanted, span)
    return hir.AnyIs(value, wanted, span)


def _length_test(cx: Context, value: hir.Expr, wanted: FixedArrayType, span: Span) -> hir.Expr:
    """`x is [i64; 3]`: an array of three elements."""
    stmts: list[hir.Expr] = []
    kept = cx.keep(value, stmts)
    length = hir.ArrayLen(hir.AnyGet(kept, growable(wanted), span), I64, span)
    has_length = hir.Compare("eq", length, hir.Const(wanted.length, I64, span), span)
    return block(stmts, hir.And(hir.AnyIs(kept, growable(wanted), span), has_length, span), span)


def type_condition(cx: Context, node: ast.TypeTest) -> Condition:
    """A condition `x is T`: where it holds, `x` is a `T`."""
    from simple_jit.hir.conditions import Condition

    checked = check_type_test(cx, node, None)
    known = _known(cx, node)
    if node.negated:
        return Condition(checked, known_false=known)
    return Condition(checked, known_true=known)


def _known(cx: Context, node: ast.TypeTest) -> frozenset[Variable | TypeFact]:
    if not isinstance(node.value, ast.Name):
        return frozenset()
    variable = cx.find(node.value.name)
    if not isinstance(variable, Variable) or not variable.is_fixed:
        return frozenset()
    wanted = cx.resolve(node.type)
    found = variable.local.type
    if isinstance(found, OptionalType) and wanted is found.inner:
        return frozenset((variable,))
    if not is_dynamic(found) or wanted in (ERROR, found) or isinstance(wanted, OptionalType):
        return frozenset()
    return frozenset((variable.fact(wanted),))


def narrowed_value(value: hir.Expr, type: Type) -> hir.Expr:
    """Return a value of which a test has shown that it is a `type`."""
    if is_dynamic(type):
        return hir.AnyNew(value, type, value.span)
    return hir.AnyGet(value, type, value.span)


def cast_dynamic(cx: Context, value: hir.Expr, to: Type, span: Span) -> hir.Expr:
    """`value as to`: a check, and for numbers a conversion."""
    from simple_jit.hir.check_operators import cast
    from simple_jit.hir.convert import coerce

    if not is_dynamic(value.type) or not (is_number(to) or to is BOOL):
        return coerce(cx, value, to)

    def build(inner: Context) -> hir.Expr:
        inner.result = to
        (param,) = params_of(inner)

        def convert(narrowed: hir.Expr) -> hir.Expr | None:
            if narrowed.type is not to and not is_number(narrowed.type) and narrowed.type is not BOOL:
                return None
            return cast(inner, narrowed, to, param.span)

        types = types_of(inner.session, ANY)
        return branches(inner, param, types, convert, _fail(inner, param, to, param.span), to)

    return call_dispatcher(cx, f"convert to {to}", [value], to, build, span)


# --- nil ----------------------------------------------------------------------------


def unwrap_any(cx: Context, value: hir.Expr, span: Span) -> hir.Expr:
    """`x!` of an `any`."""
    stmts: list[hir.Expr] = []
    kept = cx.keep(value, stmts)
    fail = hir.Throw("NilError", hir.TextConst("unwrapped nil", TEXT, span), span)
    stmts.append(hir.If(is_nil(kept, span), hir.Block([fail], None, NEVER, span), None, UNIT, span))
    return hir.Block(stmts, kept, ANY, span)


def nil_safe_any(cx: Context, value: hir.Expr, span: Span, use: Callable[[hir.Expr], hir.Expr]) -> hir.Expr:
    """`x?.f` of an `any`: nil where `x` is nil."""
    stmts: list[hir.Expr] = []
    kept = cx.keep(value, stmts)
    result = to_any(cx, use(kept))
    if result.type is ERROR:
        return result
    return block(stmts, hir.If(is_nil(kept, span), nil_any(cx, span), result, ANY, span), span)


def coalesce_any(cx: Context, left: hir.Expr, right: ast.Expr, span: Span) -> hir.Expr:
    """`x ?? d` of an `any`."""
    stmts: list[hir.Expr] = []
    kept = cx.keep(left, stmts)
    other = to_any(cx, expression(cx, right, ANY))
    if other.type is ERROR:
        return other
    return block(stmts, hir.If(is_nil(kept, span), other, kept, ANY, span), span)
