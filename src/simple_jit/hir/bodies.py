"""Bodies: functions, modules' top-level statements, and blocks."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.assigned import assigned_names
from simple_jit.hir.context import Context, statement
from simple_jit.hir.convert import coerce, join
from simple_jit.hir.declare import declare, declared
from simple_jit.hir.holes import default_type
from simple_jit.hir.report import a_type
from simple_jit.hir.symbols import ERROR, FunctionSymbol, GlobalSymbol, HoleType, Outer, Symbol
from simple_jit.hir.types import NEVER, UNIT, Type
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.diagnostics import Diagnostic
    from simple_jit.base.source import Span


class Subject:
    """What a body belongs to, for messages: `shown` is its name, or says what it is."""

    __slots__ = ("body", "result", "shown", "span")

    def __init__(self, shown: str, span: Span, result: ast.TypeExpr | None, body: ast.Block) -> None:
        self.shown = shown
        self.span = span
        self.result = result
        self.body = body


def build_function(cx: Context) -> hir.Expr:
    """Check the body of a function instance."""
    symbol = cx.symbol
    assert symbol is not None
    decl = symbol.decl
    assert decl.body is not None
    cx.assigned = assigned_names(decl)
    _declare_params(cx, symbol)
    return _check_body(cx, Subject(f"`{decl.name.name}`", symbol.span, decl.result, decl.body))


def fit_body(cx: Context, body: ast.Block, result: ast.TypeExpr | None) -> hir.Expr:
    """Check the body of a lambda."""
    return _check_body(cx, Subject("this function", _first_line(body.span), result, body))


def _check_body(cx: Context, subject: Subject) -> hir.Expr:
    cx.written = subject.result.span if subject.result is not None else None
    ret = cx.ret
    wants_value = ret is not UNIT
    body = check_block(cx, subject.body, ret, wants_value=wants_value)
    if ret is None:
        return _settle_result(cx, subject, body)
    cx.result = ret
    if ret is UNIT or body.type in (NEVER, ERROR):
        return body
    if body.type is UNIT:
        return cx.error(_missing_result(subject, ret))
    return coerce(cx, body, ret, cx.written)


def _declare_params(cx: Context, symbol: FunctionSymbol) -> None:
    params = cx.instance.function.params
    if symbol.captured:
        from simple_jit.hir.closures import declare_captures

        held = params[-len(symbol.captured) :]
        params = params[: -len(held)]
        values = [hir.LocalGet(local, symbol.span) for local in held]
        declare_captures(cx, symbol.captured, values, cx.scope)
        cx.enter()
    if symbol.has_self:
        cx.self_variable = cx.declare("self", params[0], symbol.span, kind="self")
        params = params[1:]
    for param, local in zip(symbol.decl.params, params):
        cx.declare(local.name, local, param.name.span, kind="parameter", mutable=param.mutable)


def _missing_result(subject: Subject, ret: Type) -> Diagnostic:
    where = subject.result.span if subject.result else subject.span
    diagnostic = rule.MISSING_RESULT.at(
        where, f"{subject.shown} returns {a_type(ret)}, but its body ends without one"
    )
    statements = subject.body.statements
    if statements:
        last = statements[-1]
        diagnostic.also(_last_line(last), "the last statement has no value")
        if isinstance(last, ast.ExprStmt) and isinstance(last.value, ast.If):
            if last.value.otherwise is None:
                diagnostic.hint("an `if` without `else` has no value")
            else:
                diagnostic.hint("every branch must end with a value")
        elif isinstance(last, ast.ExprStmt) and isinstance(last.value, ast.Match):
            diagnostic.hint("every arm must end with a value")
    return diagnostic


def _last_line(node: ast.Stmt) -> Span:
    """A span within one line to point at."""
    return _first_line(node.span)


def _first_line(span: Span) -> Span:
    end = span.file.text.find("\n", span.start)
    return span.file.span(span.start, span.end if end < 0 else min(span.end, end))


def _settle_result(cx: Context, subject: Subject, body: hir.Expr) -> hir.Expr:
    """Infer the result of a function from its last expression and its `return`s."""
    if UNIT in cx.returned:
        if any(type not in (UNIT, NEVER, ERROR) for type in cx.returned):
            cx.error(rule.WRONG_TYPE.at(subject.span, f"{subject.shown} returns a value in some places only"))
        cx.result = UNIT
        return discard(body)
    types = [*cx.returned, body.type]
    common: Type | None = NEVER
    for type in types:
        common = join(common, type) if common is not None else None
    if ERROR in types:
        cx.result = ERROR
    elif common is None:
        cx.result = ERROR
        if types[-1] is UNIT and cx.propagated is not None:
            cx.error(
                rule.BAD_PROPAGATION.at(
                    cx.propagated, f"`?` leaves {subject.shown} with what it finds, but it returns nothing"
                ).also(subject.span, "declared here")
            )
        else:
            cx.error(_differing_results(subject, types))
    else:
        if isinstance(common, HoleType):
            common = default_type(cx, common)
        cx.result = common
        if any(type not in (common, NEVER) for type in types):
            cx.joined = common
    return body


def _differing_results(subject: Subject, types: list[Type]) -> Diagnostic:
    if types[-1] is UNIT:
        wanted = next(type for type in types if type is not NEVER)
        return _missing_result(subject, wanted)
    shown = list(dict.fromkeys(f"`{type}`" for type in types if type is not NEVER))
    return rule.WRONG_TYPE.at(subject.span, f"{subject.shown} returns different types: {' and '.join(shown)}")


def discard(body: hir.Expr) -> hir.Expr:
    """Return `body` as a statement."""
    if body.type in (UNIT, NEVER):
        return body
    return hir.Block([body], None, UNIT, body.span)


# --- blocks ------------------------------------------------------------------------


def check_block(
    cx: Context,
    node: ast.Block,
    hint: Type | None = None,
    *,
    wants_value: bool,
    before: list[hir.Expr] | None = None,
) -> hir.Expr:
    """Check a block in a scope of its own; its value is that of its last statement.

    `before` are statements to put at its start.
    """
    cx.enter()
    try:
        return check_statements(cx, node.statements, node.span, hint, wants_value, before or [])
    finally:
        cx.leave()


def check_statements(
    cx: Context,
    statements: list[ast.Stmt],
    span: Span,
    hint: Type | None,
    wants_value: bool,
    out: list[hir.Expr],
) -> hir.Expr:
    """Check statements in the current scope, after those of `out`."""
    declare_in_block(cx, statements)
    value = _check_each(cx, statements, span, hint, wants_value, out)
    if not cx.is_top_level or cx.scope.parent is not None:
        for node in statements:
            if isinstance(node, ast.FunctionDecl):
                from simple_jit.hir.whole import check_local_function

                check_local_function(cx, node)
    return value


def _check_each(
    cx: Context,
    statements: list[ast.Stmt],
    span: Span,
    hint: Type | None,
    wants_value: bool,
    out: list[hir.Expr],
) -> hir.Expr:
    ended: ast.Stmt | None = None
    warned = False
    dropped: list[hir.Expr] = []
    for index, node in enumerate(statements):
        if ended is not None and not warned and not isinstance(node, ast.FunctionDecl):
            warned = True
            cx.reporter.report(
                rule.UNREACHABLE_CODE.at(_last_line(node), "this is never reached").also(
                    _last_line(ended), "what stands here always leaves"
                )
            )
        if isinstance(node, ast.Defer) and ended is None:
            return _defer(cx, node, statements[index + 1 :], span, hint, wants_value, out)
        target = out if ended is None else dropped
        if wants_value and index == len(statements) - 1 and isinstance(node, ast.ExprStmt):
            from simple_jit.hir.check_stmt import check_value_statement

            value = check_value_statement(cx, node, hint)
            if ended is None and value.type is not UNIT:
                return hir.Block(out, value, value.type, span) if out else value
        else:
            value = statement(cx, node)
        target.append(value)
        if value.type is NEVER and ended is None:
            ended = node
    type = UNIT if ended is None else NEVER
    if len(out) == 1 and out[0].type is type:
        return out[0]
    return hir.Block(out, None, type, span)


def _defer(
    cx: Context,
    node: ast.Defer,
    rest: list[ast.Stmt],
    span: Span,
    hint: Type | None,
    wants_value: bool,
    out: list[hir.Expr],
) -> hir.Expr:
    """Check a `defer` and the statements that follow it in the block."""
    from simple_jit.hir.check_errors import check_deferring

    value = check_deferring(cx, node, rest, lambda: _check_each(cx, rest, span, hint, wants_value, []))
    if value.type in (UNIT, NEVER):
        return hir.Block([*out, value], None, value.type, span)
    return hir.Block(out, value, value.type, span) if out else value


def declare_in_block(cx: Context, statements: list[ast.Stmt]) -> None:
    """Enter the functions and types that a block declares: they may be used before their declaration."""
    local = [
        node
        for node in statements
        if isinstance(
            node,
            (
                ast.FunctionDecl,
                ast.RecordDecl,
                ast.EnumDecl,
                ast.TraitDecl,
                ast.AliasDecl,
                ast.ConstDecl,
                ast.ImplDecl,
            ),
        )
    ]
    if not local or (cx.is_top_level and cx.scope.parent is None):
        return
    names: dict[str, Symbol] = {}
    for node in local:
        for symbol in declared(node, cx.module):
            if isinstance(symbol, GlobalSymbol):
                continue  # a function with decorators: its name is bound where its declaration stands
            declare(names, symbol, cx.reporter)
            cx.scope.names[symbol.name] = symbol
    from simple_jit.hir.closures import Home

    outer = _outer(cx)
    for symbol in names.values():
        if isinstance(symbol, FunctionSymbol):
            symbol.outer = outer
            symbol.home = Home(cx)
            symbol.prefix = f"{cx.instance.function.name}."
    for node in local:
        if isinstance(node, (ast.RecordDecl, ast.EnumDecl, ast.ImplDecl)):
            cx.session.add_methods(node, cx.module, names)


def _outer(cx: Context) -> Outer:
    """Return the declarations that functions declared here see."""
    inherited = cx.symbol.outer if cx.symbol else None
    symbols = dict(inherited.symbols) if inherited else {}
    for scope in reversed(list(cx.scope.chain())):
        for name, meaning in scope.names.items():
            if isinstance(meaning, Symbol):
                symbols[name] = meaning
            else:
                symbols.pop(name, None)
    if cx.symbol is not None and cx.symbol.outer is not None:
        symbols.setdefault(cx.symbol.name, cx.symbol)
    return Outer(symbols, cx.instance.types)
