"""Functions that are made for a type rather than written: equality and order of compound values.

(1, "a") == (1, "b")     fn equal((i64, text), (i64, text)): a.0 == b.0 and text_eq(a.1, b.1)
"""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.context import Context
from simple_jit.hir.instances import Instance, new_function
from simple_jit.hir.symbols import type_key
from simple_jit.hir.types import BOOL, EnumType, OptionalType, StructType, TupleType, Type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from simple_jit.base.source import Span


def derived_call(
    cx: Context,
    kind: str,
    args: list[hir.Expr],
    ret: Type,
    build: Callable[[Context], hir.Expr],
    span: Span,
) -> hir.Expr:
    """Call the function of `kind` that is made for the type of the arguments."""
    instance = _instance(cx, kind, args[0].type, len(args), ret, build)
    return hir.Call(instance.function, args, ret, span)


def _instance(
    cx: Context, kind: str, type: Type, arity: int, ret: Type, build: Callable[[Context], hir.Expr]
) -> Instance:
    session = cx.session
    found = session.derived.get((kind, type))
    if found is not None:
        return found
    module = session.loader.main
    assert module is not None
    span = module.source.span(0, 0)
    scope = getattr(type, "scope", None)
    if scope is not None:
        module, span = scope.module, scope.span
    function = new_function(session, module, f"{kind}({type_key(type)})", kind, span)
    function.is_written = False
    for name in ("a", "b")[:arity]:
        function.locals.append(hir.Local(len(function.locals), name, type))
    function.param_count = arity
    function.ret = ret

    def body(inner: Context) -> hir.Expr:
        inner.result = ret
        return build(inner)

    instance = session.derived[kind, type] = Instance(session, module, function, body, ret)
    session.queue.append(instance)
    return instance


def _params(cx: Context) -> tuple[Type, hir.Expr, hir.Expr, Span]:
    a, b = cx.instance.function.params
    span = cx.instance.function.span
    return a.type, hir.LocalGet(a, span), hir.LocalGet(b, span), span


# --- equality ----------------------------------------------------------------------


def derived_equal(cx: Context, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    """`==` of structs, tuples, enums and optionals: that of their parts."""
    return derived_call(cx, "equal", [left, right], BOOL, _build_equal, span)


def _build_equal(cx: Context) -> hir.Expr:
    from simple_jit.hir.check_compare import equal

    type, a, b, span = _params(cx)
    if isinstance(type, OptionalType):
        some_a = hir.Unwrap(a, type.inner, span, checked=False)
        some_b = hir.Unwrap(b, type.inner, span, checked=False)
        both = hir.And(hir.IsSome(b, span), equal(cx, some_a, some_b, span), span)
        neither = hir.Unary("not", hir.IsSome(b, span), span)
        return hir.If(hir.IsSome(a, span), both, neither, BOOL, span)
    if isinstance(type, EnumType):
        from simple_jit.hir.check_enums import same_variant

        return same_variant(cx, a, b, type, span)
    result: hir.Expr | None = None
    for first, second in _parts(type, a, b, span):
        test = equal(cx, first, second, span)
        result = test if result is None else hir.And(result, test, span)
    return result or hir.Const(True, BOOL, span)


def _parts(type: Type, a: hir.Expr, b: hir.Expr, span: Span) -> list[tuple[hir.Expr, hir.Expr]]:
    if isinstance(type, TupleType):
        return [(hir.TupleGet(a, i, t, span), hir.TupleGet(b, i, t, span)) for i, t in enumerate(type.items)]
    assert isinstance(type, StructType)
    return [
        (hir.FieldGet(a, i, f.type, span), hir.FieldGet(b, i, f.type, span))
        for i, f in enumerate(type.fields)
    ]


# --- order -------------------------------------------------------------------------


def derived_order(cx: Context, op: str, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    """`<` and its kin of tuples: the first items that differ decide."""

    def build(inner: Context) -> hir.Expr:
        return _build_order(inner, op, span)

    return derived_call(cx, f"order {op}", [left, right], BOOL, build, span)


def _build_order(cx: Context, op: str, at: Span) -> hir.Expr:
    from simple_jit.hir.check_compare import equal, order

    type, a, b, span = _params(cx)
    result: hir.Expr = hir.Const(op in ("<=", ">="), BOOL, span)
    for first, second in reversed(_parts(type, a, b, span)):
        ordered = order(cx, op, first, second, span)
        if ordered is None:
            return cx.error(
                rule.BAD_COMPARISON.at(at, f"`{op}` does not order values of type `{first.type}`")
            )
        result = hir.If(equal(cx, first, second, span), result, ordered, BOOL, span)
    return result
