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
    diverging,
    erroneous,
    expression,
)
from simple_jit.hir.dispatch import attempt, branches, call_dispatcher, note, params_of, trait_test, types_of
from simple_jit.hir.symbols import ERROR, HoleType
from simple_jit.hir.types import (
    ANY,
    BOOL,
    I64,
    NEVER,
    TEXT,
    UNIT,
    ArrayType,
    ClosureType,
    OptionalType,
    StructType,
    TraitType,
    TupleType,
    Type,
    array_of,
    is_dynamic,
    is_number,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from simple_jit.base.source import Span
    from simple_jit.hir.check_assign import Place
    from simple_jit.hir.conditions import Condition

    Make = Callable[[Context, hir.Expr], "hir.Expr | None"]


def involves(type: Type) -> bool:
    """Is `type` one whose values carry their type, or an optional of it?"""
    return is_dynamic(type.inner if isinstance(type, OptionalType) else type)


def nil_any(cx: Context, span: Span) -> hir.Expr:
    """`nil` as an `any`."""
    note(cx.session, UNIT)
    return hir.AnyNew(hir.Const(None, UNIT, span), ANY, span)


def is_nil(value: hir.Expr, span: Span) -> hir.Expr:
    return hir.AnyIs(value, UNIT, span)


# --- conversions -------------------------------------------------------------------


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
    """A lambda is stored as a plain function value."""
    if isinstance(value.type, ClosureType):
        from simple_jit.hir.closures import stored_function

        return stored_function(cx, value)
    return value


def _to_trait(cx: Context, value: hir.Expr, to: TraitType) -> hir.Expr | None:
    from simple_jit.hir.traits import implements

    span = value.span
    if not is_dynamic(value.type):
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
        for type in reversed(types_of(inner.session, ANY)):
            name = hir.TextConst("nil" if type is UNIT else str(type), TEXT, param.span)
            chain = hir.If(hir.AnyIs(param, type, param.span), name, chain, TEXT, param.span)
        return chain

    return call_dispatcher(cx, "typeof", [value], TEXT, build, span)


# --- is, as ------------------------------------------------------------------------


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
    return hir.AnyIs(value, wanted, span)


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


# --- operators ---------------------------------------------------------------------


def binary(cx: Context, op: str, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    """`left op right` where one of them is an `any`."""
    if not _is_builtin(left.type) and left.type is not ANY:
        called = _operator_method(cx, op, left, right, span)
        if called is not None:
            return called
    if op == "+" and right.type is ANY and left.type is TEXT:
        from simple_jit.hir.convert import coerce

        return _combine_as(cx, op, left, coerce(cx, right, TEXT), span)
    args = [to_any(cx, left), to_any(cx, right)]
    if erroneous(*args):
        return hir.Const(None, ERROR, span)

    def build(inner: Context) -> hir.Expr:
        inner.result = ANY
        a, b = params_of(inner)
        fail = _no_operation(inner, op, a, b)
        return branches(
            inner, a, types_of(inner.session, ANY), lambda v: _binary_with(inner, op, v, b, fail), fail, ANY
        )

    return call_dispatcher(cx, f"any {op}", args, ANY, build, span)


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
        return branches(
            cx, right, others, lambda v: to_any(cx, _combine_as(cx, op, left, v, span)), fail, ANY
        )
    called = _operator_method(cx, op, left, right, span)
    return to_any(cx, called) if called is not None else None


def _go_together(op: str, left: Type, right: Type) -> bool:
    if is_number(left):
        return is_number(right)
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

    return _each(
        cx, f"any {op}", operand, f"`{op}` does not apply to ", lambda c, v: unary_value(c, op, v, span), span
    )


def _each(cx: Context, kind: str, value: hir.Expr, message: str, make: Make, span: Span) -> hir.Expr:
    """An operation on one value, giving an `any`; it fails for types that do not have it."""
    value = to_any(cx, value)

    def build(inner: Context) -> hir.Expr:
        inner.result = ANY
        (param,) = params_of(inner)

        def branch(narrowed: hir.Expr) -> hir.Expr | None:
            made = make(inner, narrowed) if narrowed.type is not UNIT else None
            return to_any(inner, made) if made is not None else None

        fail = _has_none(inner, message, param)
        return branches(inner, param, types_of(inner.session, ANY), branch, fail, ANY)

    return call_dispatcher(cx, kind, [value], ANY, build, span)


def _has_none(cx: Context, message: str, value: hir.Expr, after: str = "") -> hir.Expr:
    from simple_jit.hir.show import concat_texts

    span = value.span
    parts = [hir.TextConst(message, TEXT, span), type_name(cx, value, span), hir.TextConst(after, TEXT, span)]
    return hir.Block([hir.Throw("TypeError", concat_texts(cx, parts, span), span)], None, NEVER, span)


# --- comparison --------------------------------------------------------------------


def equal_any(cx: Context, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    """`==` of values that carry their types; those of types that do not go together are not equal."""
    for value, other in ((left, right), (right, left)):
        if isinstance(value, hir.Nil) or (isinstance(value.type, HoleType) and value.type.is_nil):
            return _is_absent(cx, other, span)
    args = [to_any(cx, left), to_any(cx, right)]
    if erroneous(*args):
        return hir.Const(None, ERROR, span)

    def build(inner: Context) -> hir.Expr:
        inner.result = BOOL
        a, b = params_of(inner)
        no = hir.Const(False, BOOL, a.span)
        return branches(inner, a, types_of(inner.session, ANY), lambda v: _equal_with(inner, v, b), no, BOOL)

    return call_dispatcher(cx, "any ==", args, BOOL, build, span)


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
    args = [to_any(cx, left), to_any(cx, right)]
    if erroneous(*args):
        return hir.Const(None, ERROR, span)

    def build(inner: Context) -> hir.Expr:
        inner.result = BOOL
        a, b = params_of(inner)
        fail = _no_operation(inner, op, a, b)
        types = types_of(inner.session, ANY)
        return branches(inner, a, types, lambda v: _order_with(inner, op, v, b, fail), fail, BOOL)

    return call_dispatcher(cx, f"any {op}", args, BOOL, build, span)


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


# --- text, hash --------------------------------------------------------------------


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
        return branches(inner, param, types_of(inner.session, ANY), show, last, TEXT)

    return call_dispatcher(cx, "quoted any" if quoted else "shown any", [value], TEXT, build, span)


def format_any(
    cx: Context, value: hir.Expr, spec: str, span: Span, format: Callable[[Context, hir.Expr], hir.Expr]
) -> hir.Expr:
    """`{value:spec}`: the specification must suit the type that the value has."""

    def build(inner: Context) -> hir.Expr:
        inner.result = TEXT
        (param,) = params_of(inner)
        fail = _has_none(inner, f"`{spec}` is no format specification for ", param)
        types = [t for t in types_of(inner.session, ANY) if t is not UNIT]
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
            return zero if narrowed.type is UNIT else hash_of(inner, narrowed, param.span)

        return branches(inner, param, types_of(inner.session, ANY), make, zero, I64)

    return call_dispatcher(cx, "hash any", [value], I64, build, span)


# --- members -----------------------------------------------------------------------


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
        value = to_any(cx, expression(cx, arg.value))
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

    fail = _has_none(cx, f"there is no method `{name.name}` for these arguments on ", params[0])
    return branches(cx, params[0], types_of(cx.session, ANY), call, fail, ANY)


def member_of_any(cx: Context, object: hir.Expr, name: ast.Ident, span: Span) -> hir.Expr:
    """`x.name` on an `any`: a field, or a method that needs no argument."""
    from simple_jit.hir.check_access import member

    message = f"there is no field or method `{name.name}` in "

    def make(inner: Context, value: hir.Expr) -> hir.Expr:
        return member(inner, value, name, span)

    return _each(cx, f"any.{name.name}", object, message, make, span)


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

        fail = _has_none(inner, f"there is no field `{name}` in ", a)
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

        fail = _has_none(inner, "there are no elements in ", a)
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

        fail = _has_none(inner, "elements cannot be assigned in ", a)
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

        fail = _has_none(inner, "`in` does not look into ", a)
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

        fail = _has_none(inner, "", param, " cannot be iterated over")
        return branches(inner, param, types_of(inner.session, ANY), collect, fail, type)

    return call_dispatcher(cx, "items", [value], type, build, span)


# --- nil ---------------------------------------------------------------------------


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
