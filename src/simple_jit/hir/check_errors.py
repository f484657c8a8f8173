"""`try`, `throw`, `defer` and `with`."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.bodies import check_block, discard
from simple_jit.hir.context import Context, checks, checks_statement, erroneous, expression
from simple_jit.hir.convert import coerce, definite, join, value_span
from simple_jit.hir.core_calls import call_core, call_method
from simple_jit.hir.dispatch import note
from simple_jit.hir.protect import Guarded, never_ending
from simple_jit.hir.report import a_type
from simple_jit.hir.show import text_of
from simple_jit.hir.symbols import ERROR, HoleType
from simple_jit.hir.types import ANY, NEVER, UNIT, StructType, Type
from simple_jit.hir.walk import walk
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from simple_jit.base.source import Span

# --- try ---------------------------------------------------------------------------


@checks(ast.Try)
def check_try(cx: Context, node: ast.Try, hint: Type | None) -> hir.Expr:
    """`try` as an expression: its value is that of the body or of the handler."""
    return guarded_try(cx, node, hint, wants_value=True)


def guarded_try(cx: Context, node: ast.Try, hint: Type | None, *, wants_value: bool) -> hir.Expr:
    body = check_block(cx, node.body, hint, wants_value=wants_value)
    if node.handler is not None:
        body = _caught(cx, node, body, hint, wants_value)
    if node.finalizer is None or body.type is ERROR:
        return body
    return _finally(cx, body, _finalizer(cx, node.finalizer, "finally"), node.span)


def _caught(cx: Context, node: ast.Try, body: hir.Expr, hint: Type | None, wants_value: bool) -> hir.Expr:
    assert node.handler is not None
    cx.enter()
    error = cx.local(node.name.name if node.name is not None else "", error_type(cx, node.span))
    if node.name is not None:
        cx.declare(node.name.name, error, node.name.span)
    handler = check_block(cx, node.handler, hint, wants_value=wants_value)
    cx.leave()
    type = _common_type(cx, body, handler, wants_value)
    if type is UNIT:
        body, handler = discard(body), discard(handler)
    elif type not in (NEVER, ERROR):
        body, handler = coerce(cx, body, type), coerce(cx, handler, type)
    if type is ERROR:
        return hir.Const(None, ERROR, node.span)
    return _guard(cx, Guarded(body, error, handler, None, type, node.span))


def _guard(cx: Context, node: Guarded) -> Guarded:
    cx.has_guards = True
    return node


def _common_type(cx: Context, body: hir.Expr, handler: hir.Expr, wants_value: bool) -> Type:
    types = (body.type, handler.type)
    if ERROR in types:
        return ERROR
    if body.type is NEVER and handler.type is NEVER:
        return NEVER
    if not wants_value or UNIT in types:
        return UNIT
    common = join(body.type, handler.type)
    if common is None:
        cx.error(
            rule.BRANCH_TYPES.at(
                value_span(handler), f"the `catch` is {a_type(handler.type)}, its `try` {a_type(body.type)}"
            ).also(value_span(body), a_type(body.type))
        )
        return ERROR
    return common


def error_type(cx: Context, span: Span) -> Type:
    """Return the core library's class of caught errors; a `value` in one may be nil."""
    note(cx.session, UNIT)
    return call_core(cx, "caught_error", [], span).type


# --- finally, defer ----------------------------------------------------------------


def _finally(cx: Context, body: hir.Expr, finalizer: hir.Expr, span: Span) -> hir.Expr:
    """`body`, and then `finalizer` however it is left."""
    if finalizer.type is ERROR:
        return finalizer
    return _guard(cx, Guarded(body, None, None, finalizer, body.type, span))


def _finalizer(cx: Context, node: ast.Block, word: str) -> hir.Expr:
    """Check what runs in any case: it must not end in a `return` or leave a loop around it."""
    body = discard(check_block(cx, node, wants_value=False))
    loops = {n.target for n in walk(body) if isinstance(n, (hir.Loop, hir.ForRange))}
    for leave in walk(body):
        if isinstance(leave, hir.Return):
            return cx.error(rule.LEAVES_FINALLY.at(leave.span, f"`return` inside of a `{word}`"))
        if isinstance(leave, (hir.Break, hir.Continue)) and leave.target not in loops:
            kind = "break" if isinstance(leave, hir.Break) else "continue"
            return cx.error(
                rule.LEAVES_FINALLY.at(leave.span, f"`{kind}` inside of a `{word}` leaves a loop around it")
            )
    return body


def check_deferring(
    cx: Context, node: ast.Defer, rest: list[ast.Stmt], check_rest: Callable[[], hir.Expr]
) -> hir.Expr:
    """Check `defer` and the statements `rest` of its block, after which it runs."""
    finalizer = _finalizer(cx, node.body, "defer")
    if not rest:
        return finalizer
    body = check_rest()
    return _finally(cx, body, finalizer, node.span) if body.type is not ERROR else body


@checks_statement(ast.Defer)
def check_unreachable_defer(cx: Context, node: ast.Defer) -> hir.Expr:
    """Others are checked with the statements that follow them (`bodies`)."""
    return _finalizer(cx, node.body, "defer")


# --- with --------------------------------------------------------------------------

_ENTER = ("__enter__", "enter")
_EXIT = ("__exit__", "exit", "close")


@checks_statement(ast.With)
def check_with(cx: Context, node: ast.With) -> hir.Expr:
    """`with value as name:` ends with the value's `exit`, however the block is left."""
    value = definite(expression(cx, node.value))
    if value.type in (ERROR, NEVER):
        return value
    stmts: list[hir.Expr] = []
    kept = cx.keep(value, stmts)
    leave = _first_method(cx, kept, _EXIT, node.value.span)
    if leave is None:
        return cx.error(
            rule.NOT_A_RESOURCE.at(
                node.value.span, f"{a_type(value.type)} has no method `exit` or `close` without parameters"
            )
        )
    if leave.type is ERROR:
        return leave
    entered = _first_method(cx, kept, _ENTER, node.value.span)
    if entered is None:
        entered = kept
    elif entered.type is UNIT:
        stmts.append(entered)
        entered = kept
    cx.enter()
    try:
        if node.name is not None:
            local = cx.local(node.name.name, entered.type)
            cx.declare(node.name.name, local, node.name.span)
            stmts.append(hir.LocalSet(local, entered, node.name.span))
        elif entered is not kept:
            stmts.append(discard(entered))
        body = check_block(cx, node.body, wants_value=False)
    finally:
        cx.leave()
    if body.type is ERROR:
        return body
    whole = _finally(cx, discard(body), discard(leave), node.span)
    return hir.Block([*stmts, whole], None, whole.type, node.span)


def _first_method(cx: Context, value: hir.Expr, names: tuple[str, ...], span: Span) -> hir.Expr | None:
    for name in names:
        called = call_method(cx, value, name, [], span)
        if called is not None:
            return called
    return None


# --- throw -------------------------------------------------------------------------


@checks_statement(ast.Throw)
def check_throw(cx: Context, node: ast.Throw) -> hir.Expr:
    """`throw e`: an error that was caught goes on as it is, any other value becomes one."""
    value = expression(cx, node.value)
    if value.type in (ERROR, NEVER):
        return value
    if value.type is UNIT or isinstance(value.type, HoleType):
        return cx.error(rule.NO_VALUE.at(node.value.span, "this gives no value to throw"))
    if is_error(value.type):
        return never_ending(call_core(cx, "throw_again", [value], node.span))
    stmts: list[hir.Expr] = []
    kept = cx.keep(value, stmts)
    message = text_of(cx, kept, node.span, quoted=False)
    value = coerce(cx, kept, ANY)
    if erroneous(message, value):
        return hir.Const(None, ERROR, node.span)
    thrown = call_core(cx, "throw_value", [value, message], node.span)
    return hir.Block([*stmts, never_ending(thrown)], None, NEVER, node.span)


def is_error(type: Type) -> bool:
    """Is `type` the class of caught errors?"""
    return isinstance(type, StructType) and type.scope.module.is_core and type.name == "Error"
