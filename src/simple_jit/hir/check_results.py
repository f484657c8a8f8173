"""`Result`: `Ok` and `Err`, `e?`, and what `main` returns."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.check_enums import is_result, new_variant, variant_named
from simple_jit.hir.context import Context, block, expression
from simple_jit.hir.core_calls import call_core
from simple_jit.hir.derive import derived_call
from simple_jit.hir.report import a_type
from simple_jit.hir.resolve_types import enum_instance, enum_type, result_symbol
from simple_jit.hir.show import concat_texts, text_of
from simple_jit.hir.symbols import ERROR, HoleType
from simple_jit.hir.types import I64, NEVER, TEXT, EnumType, IntType, OptionalType, Type
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.source import Span

OK, ERR = 0, 1
"""The positions of the variants of `Result`."""


def bare_variant(cx: Context, name: str, node: ast.Call, hint: Type | None) -> hir.Expr | None:
    """`Circle(1.0)` where a `Shape` is expected; `Ok(x)` and `Err(e)` anywhere."""
    wanted = hint.inner if isinstance(hint, OptionalType) else hint
    if isinstance(wanted, EnumType):
        position = variant_named(wanted, name)
        if position is not None:
            args = _unit_for_nothing(node, position) if is_result(wanted) else node.args
            return new_variant(cx, wanted, position, args, node.span, hint)
    if name not in ("Ok", "Err"):
        return None
    result = enum_type(result_symbol(cx.session))
    position = OK if name == "Ok" else ERR
    return new_variant(cx, result, position, _unit_for_nothing(node, position), node.span, hint)


def _unit_for_nothing(node: ast.Call, position: int) -> list[ast.Arg]:
    """`Ok()` is `Ok(())`."""
    if node.args or position != OK:
        return node.args
    return [ast.Arg(node.span, None, False, ast.UnitLiteral(node.span))]


# --- e? ----------------------------------------------------------------------------


def check_propagate(cx: Context, node: ast.Propagate) -> hir.Expr:
    """`e?`: leave the function with the `Err`, or with nil, where `e` is that."""
    value = expression(cx, node.value)
    if value.type in (ERROR, NEVER):
        return value
    if isinstance(value.type, OptionalType) or is_result(value.type):
        return propagate(cx, value, node.span)
    return cx.error(
        rule.NOT_OPTIONAL.at(
            node.value.span, f"`?` needs an optional or a `Result`, but this is {a_type(value.type)}"
        )
    )


def propagate(cx: Context, value: hir.Expr, span: Span) -> hir.Expr:
    """The value in an optional or a `Result`; anything else leaves the function."""
    stmts: list[hir.Expr] = []
    kept = cx.keep(value, stmts)
    type = value.type
    if isinstance(type, OptionalType):
        nothing = _nil_result(cx, span)
        if nothing is None:
            return _report_place(cx, type, span)
        present = hir.Unwrap(kept, type.inner, span, checked=False)
        chosen = hir.If(hir.IsSome(kept, span), present, hir.Return(nothing, span), type.inner, span)
        return block(stmts, chosen, span)
    assert isinstance(type, EnumType)
    good, bad = type.args
    if bad is NEVER:
        return block(stmts, hir.EnumGet(kept, OK, 0, good, span), span)
    failure = _failure(cx, hir.EnumGet(kept, ERR, 0, bad, span), bad, span)
    if failure is None:
        return _report_place(cx, type, span)
    if failure.type is ERROR:
        return failure
    leave = hir.Return(failure, span)
    if good is NEVER:
        return block(stmts, leave, span)
    is_ok = hir.Compare("eq", hir.EnumTag(kept, I64, span), hir.Const(OK, I64, span), span)
    payload: hir.Expr = hir.EnumGet(kept, OK, 0, good, span)
    return block(stmts, hir.If(is_ok, payload, leave, good, span), span)


def _nil_result(cx: Context, span: Span) -> hir.Expr | None:
    """What a function that finds nil returns, None where it cannot."""
    if isinstance(cx.ret, OptionalType):
        return hir.Nil(cx.ret, span)
    if cx.ret is None and not cx.is_top_level:
        cx.propagated = span
        hole = HoleType(ast.NilLiteral(span), False)
        cx.returned.append(hole)
        return hir.Nil(hole, span)
    return None


def _failure(cx: Context, error: hir.Expr, type: Type, span: Span) -> hir.Expr | None:
    """What a function that finds an `Err` returns, None where it returns no `Result`."""
    ret = cx.ret.inner if isinstance(cx.ret, OptionalType) else cx.ret
    if isinstance(ret, EnumType) and is_result(ret):
        if ret.args[1] is not type:
            return cx.error(
                rule.BAD_PROPAGATION.at(
                    span, f"the error here is {a_type(type)}, but the function's is {a_type(ret.args[1])}"
                ).hint("convert it first: `.map_err(…)?`")
            )
        made = hir.EnumNew(ERR, [error], ret, span)
        return made if ret is cx.ret or cx.ret is None else hir.Some(made, cx.ret, span)
    if cx.ret is None and not cx.is_top_level:
        cx.propagated = span
        found = enum_instance(result_symbol(cx.session), (NEVER, type))
        cx.returned.append(found)
        return hir.EnumNew(ERR, [error], found, span)
    return None


def _report_place(cx: Context, type: Type, span: Span) -> hir.Expr:
    wanted = "an optional" if isinstance(type, OptionalType) else "a `Result`"
    diagnostic = rule.BAD_PROPAGATION.at(
        span, f"`?` leaves a function that returns {wanted}, and this one does not"
    )
    symbol = cx.symbol
    if cx.is_top_level:
        diagnostic.note("this is not in a function")
    elif symbol is not None and symbol.decl.result is not None:
        diagnostic.also(symbol.decl.result.span, "it returns this")
    elif symbol is not None:
        diagnostic.also(symbol.span, "it returns nothing")
    return cx.error(diagnostic)


# --- main --------------------------------------------------------------------------


def status_of(cx: Context, result: hir.Expr) -> hir.Expr:
    """The exit status of a `main` that returns a `Result`: an `Err` is printed, and gives 1."""
    return derived_call(cx, "status", [result], I64, _build_status, result.span)


def _build_status(cx: Context) -> hir.Expr:
    local = cx.instance.function.params[0]
    type, span = local.type, cx.instance.function.span
    assert isinstance(type, EnumType)
    result = hir.LocalGet(local, span)
    good, bad = type.args
    status: hir.Expr = hir.Const(0, I64, span)
    if isinstance(good, IntType):
        status = hir.EnumGet(result, OK, 0, good, span)
        status = status if good is I64 else hir.Convert(status, I64, span)
    if bad is NEVER:
        return status
    shown = text_of(cx, hir.EnumGet(result, ERR, 0, bad, span), span, quoted=False)
    message = concat_texts(cx, [hir.TextConst("error: ", TEXT, span), shown], span)
    printed = call_core(cx, "eprint_line", [message], span)
    failed = hir.Block([printed], hir.Const(1, I64, span), I64, span)
    if good is NEVER:
        return failed
    is_ok = hir.Compare("eq", hir.EnumTag(result, I64, span), hir.Const(OK, I64, span), span)
    return hir.If(is_ok, status, failed, I64, span)
