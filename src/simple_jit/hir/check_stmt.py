"""Statements other than loops and assignments."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.bodies import discard
from simple_jit.hir.conditions import check_branches, check_condition
from simple_jit.hir.context import Context, checks_statement, expression
from simple_jit.hir.convert import coerce
from simple_jit.hir.declare import bound_names
from simple_jit.hir.decorators import decorated, decorators
from simple_jit.hir.globals import bind_global
from simple_jit.hir.patterns import bind_pattern
from simple_jit.hir.report import a_type
from simple_jit.hir.symbols import ERROR, FunctionSymbol, GlobalSymbol
from simple_jit.hir.types import NEVER, TEXT, UNIT, ClosureType, FnType, Type, plain_function
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.source import Span


# --- expressions as statements -----------------------------------------------------


@checks_statement(ast.ExprStmt)
def check_expr_statement(cx: Context, node: ast.ExprStmt) -> hir.Expr:
    value = node.value
    if isinstance(value, ast.If):
        checked, known = check_branches(cx, value, None, wants_value=False)
        cx.scope.narrowed |= known
        return checked
    if isinstance(value, ast.Match):
        from simple_jit.hir.check_match import check_arms

        return check_arms(cx, value, None, wants_value=False)
    if isinstance(value, ast.Try):
        from simple_jit.hir.check_errors import guarded_try

        return guarded_try(cx, value, None, wants_value=False)
    if is_call_of(value, "assert") and cx.find("assert") is None:
        return check_assert(cx, value)
    if is_call_of(value, "expect"):
        from simple_jit.hir.check_spec import check_expect, is_expect

        if is_expect(cx, value):
            return check_expect(cx, value)
    if isinstance(value, ast.Name) and is_function_name(cx, value.name):
        return discard(expression(cx, ast.Call(value.span, value, [])))
    return discard(check_value_statement(cx, node, None))


def check_value_statement(cx: Context, node: ast.ExprStmt, hint: Type | None) -> hir.Expr:
    """Check a statement for its value; the bare name of a function may be a call of it."""
    value = node.value
    if isinstance(value, ast.Name) and is_function_name(cx, value.name):
        if not _is_function_value(cx, value.name, hint):
            value = ast.Call(value.span, value, [])
    if is_call_of(value, "assert") and cx.find("assert") is None:
        return check_assert(cx, value)
    if is_call_of(value, "expect"):
        from simple_jit.hir.check_spec import check_expect, is_expect

        if is_expect(cx, value):
            return check_expect(cx, value)
    return expression(cx, value, hint)


def _is_function_value(cx: Context, name: str, hint: Type | None) -> bool:
    """Is a function's name at the end of a block the block's value?

    It is where a function is expected, where the function needs arguments, and where it is one of a block.
    """
    found = cx.find(name)
    symbol = found or cx.session.lookup(cx.module, name)
    if not isinstance(symbol, FunctionSymbol):
        return False
    needs = any(param.default is None and not param.variadic for param in symbol.decl.params)
    return found is not None or needs or isinstance(hint, FnType)


def is_function_name(cx: Context, name: str) -> bool:
    """Does a bare `name` as a statement mean a call?"""
    found = cx.find(name)
    if found is not None:
        return isinstance(found, FunctionSymbol)
    symbol = cx.session.lookup(cx.module, name)
    return isinstance(symbol, FunctionSymbol) or (symbol is None and name in ("print", "eprint"))


def is_call_of(node: ast.Expr, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.callee, ast.Name) and node.callee.name == name


def check_assert(cx: Context, node: ast.Expr) -> hir.Expr:
    """`assert condition, message`: from here on the condition holds."""
    assert isinstance(node, ast.Call)
    if not 1 <= len(node.args) <= 2:
        return cx.error(
            rule.WRONG_ARITY.at(
                node.span,
                f"`assert` takes a condition and a message, but {len(node.args)} arguments were given",
            )
        )
    condition = check_condition(cx, node.args[0].value)
    if len(node.args) == 2:
        message = coerce(cx, expression(cx, node.args[1].value, TEXT), TEXT, what="the message")
    else:
        message = hir.TextConst(f"assertion failed: {node.args[0].value.span.text}", TEXT, node.span)
    cx.scope.narrowed |= condition.known_true
    fail = hir.Throw("AssertionError", message, node.span)
    negated = hir.Unary("not", condition.expr, node.span)
    check = hir.If(negated, hir.Block([fail], None, NEVER, node.span), None, UNIT, node.span)
    if condition.bindings:
        return hir.Block([check, *condition.bindings], None, UNIT, node.span)
    return check


# --- bindings ----------------------------------------------------------------------


@checks_statement(ast.Binding)
def check_binding(cx: Context, node: ast.Binding) -> hir.Expr:
    declared = cx.resolve(node.type) if node.type is not None else None
    value = expression(cx, node.value, declared)
    if declared is not None:
        assert node.type is not None
        value = coerce(cx, value, declared, node.type.span)
        if value.type is NEVER:
            value = hir.Block([value], None, NEVER, value.span)
    if value.type is ERROR:
        _declare_erroneous(cx, node, declared or ERROR)
        return value
    if value.type is UNIT and declared is None:
        diagnostic = rule.NO_VALUE.at(node.value.span, "this gives no value to bind")
        if isinstance(node.value, ast.If) and node.value.otherwise is None:
            diagnostic.hint("an `if` without `else` has no value")
        cx.error(diagnostic)
    if cx.is_top_level and cx.scope.parent is None:
        return bind_global(cx, node, value)
    if isinstance(node.pattern, ast.NamePattern):
        return _bind_name(cx, node.pattern, value, node.mutable, declared)
    out: list[hir.Expr] = []
    bind_pattern(cx, node.pattern, cx.keep(value, out), node.mutable, out)
    return hir.Block(out, None, UNIT, node.span)


def _bind_name(
    cx: Context, pattern: ast.NamePattern, value: hir.Expr, mutable: bool, declared: Type | None
) -> hir.Expr:
    if mutable and pattern.name in cx.assigned and isinstance(value.type, ClosureType):
        if not value.type.is_open:
            value = coerce(cx, value, plain_function(value.type))
    local = cx.local(pattern.name, declared if declared is not None else value.type)
    kind = "var" if mutable else "val"
    cx.declare(pattern.name, local, pattern.span, kind=kind, mutable=mutable)
    if value.type is NEVER:
        return value
    return hir.LocalSet(
        local, value, pattern.span.join(value.span) if _same_file(pattern.span, value.span) else value.span
    )


def _same_file(a: Span, b: Span) -> bool:
    return a.file is b.file


def _declare_erroneous(cx: Context, node: ast.Binding, type: Type) -> None:
    """Declare the names all the same, so that their uses are not reported as well."""
    for ident in bound_names(node.pattern):
        if cx.find(ident.name) is None or not cx.is_top_level:
            simple = isinstance(node.pattern, ast.NamePattern)
            local = cx.local(ident.name, type if simple else ERROR)
            cx.declare(ident.name, local, ident.span, mutable=node.mutable)


# --- leaving -----------------------------------------------------------------------


@checks_statement(ast.Return)
def check_return(cx: Context, node: ast.Return) -> hir.Expr:
    if cx.is_top_level:
        return cx.error(rule.MISPLACED_RETURN.at(node.span, "`return` outside of a function"))
    if node.value is None:
        return _bare_return(cx, node)
    value = expression(cx, node.value, cx.ret)
    if cx.ret is None:
        cx.returned.append(value.type)
        return value if value.type is NEVER else hir.Return(value, node.span)
    written = cx.written
    if cx.ret is UNIT and value.type is not UNIT:
        if value.type is NEVER:
            return value
        if value.type is ERROR:
            return hir.Return(None, node.span)
        name = cx.instance.function.name
        diagnostic = rule.WRONG_TYPE.at(
            node.value.span, f"`{name}` returns nothing, but this is {a_type(value.type)}"
        )
        cx.error(diagnostic.hint(f"write `-> {value.type}` after its parameters"))
        return hir.Return(None, node.span)
    value = coerce(cx, value, cx.ret, written)
    if value.type is NEVER:
        return value
    return hir.Return(value, node.span)


def _bare_return(cx: Context, node: ast.Return) -> hir.Expr:
    if cx.ret is None:
        cx.returned.append(UNIT)
    elif cx.ret is not UNIT:
        diagnostic = rule.MISSING_RESULT.at(
            node.span, f"`return` without a value in a function that returns {a_type(cx.ret)}"
        )
        written = cx.written
        cx.error(diagnostic.also(written, "declared here") if written else diagnostic)
    return hir.Return(None, node.span)


@checks_statement(ast.Break)
def check_break(cx: Context, node: ast.Break) -> hir.Expr:
    return _leave_loop(cx, node, "break")


@checks_statement(ast.Continue)
def check_continue(cx: Context, node: ast.Continue) -> hir.Expr:
    return _leave_loop(cx, node, "continue")


def _leave_loop(cx: Context, node: ast.Break | ast.Continue, word: str) -> hir.Expr:
    if not cx.loops:
        return cx.error(rule.MISPLACED_BREAK.at(node.span, f"`{word}` outside of a loop"))
    frame = cx.loops[-1]
    if node.label is not None:
        named = [f for f in cx.loops if f.label == node.label.name]
        if not named:
            return cx.error(
                rule.UNKNOWN_LABEL.at(
                    node.label.span, f"no loop around this is labelled `'{node.label.name}`"
                )
            )
        frame = named[-1]
    if isinstance(node, ast.Continue):
        return hir.Continue(frame.target, node.span)
    frame.has_break = True
    return hir.Break(frame.target, node.span)


@checks_statement(ast.Pass)
def check_pass(cx: Context, node: ast.Pass) -> hir.Expr:
    return hir.Const(None, UNIT, node.span)


# --- declarations ------------------------------------------------------------------


@checks_statement(
    ast.FunctionDecl,
    ast.RecordDecl,
    ast.EnumDecl,
    ast.ImplDecl,
    ast.TraitDecl,
    ast.AliasDecl,
    ast.ConstDecl,
    ast.ExternFn,
)
def check_declaration(cx: Context, node: ast.Stmt) -> hir.Expr:
    """Declarations run nothing; `bodies.declare_in_block` has entered those of a block."""
    is_local = not cx.is_top_level or cx.scope.parent is not None
    if is_local:
        from simple_jit.hir.whole import check_local_declaration

        check_local_declaration(cx, node)
    if isinstance(node, ast.FunctionDecl) and decorators(node):
        symbol = None if is_local else cx.module.names.get(node.name.name)
        return check_binding(cx, symbol.binding if isinstance(symbol, GlobalSymbol) else decorated(node))
    return hir.Const(None, UNIT, node.span)


@checks_statement(ast.Use, ast.Export)
def check_use(cx: Context, node: ast.Stmt) -> hir.Expr:
    if not cx.is_top_level:
        return cx.error(
            rule.MISPLACED_USE.at(node.span, "`use` and `export` stand at the top level of a module")
        )
    return hir.Const(None, UNIT, node.span)
