"""Lambdas, `x |> f`, `f >> g`, and the names of functions as values."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.closures import Capture, LambdaCode, captured_value, gather
from simple_jit.hir.context import Context, Variable, block, checks, expression
from simple_jit.hir.instances import result_type
from simple_jit.hir.report import count
from simple_jit.hir.symbols import ERROR, FunctionSymbol, HoleType, is_open
from simple_jit.hir.types import NEVER, UNIT, ArrayType, ClosureType, FnType, OptionalType, Type, function_of
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.source import Span


@checks(ast.Lambda)
def check_lambda(cx: Context, node: ast.Lambda, hint: Type | None) -> hir.Expr:
    return lambda_value(cx, node, hint)


def lambda_value(cx: Context, node: ast.Lambda, hint: Type | None, shown: str = "") -> hir.Expr:
    r"""`\x: e`. Types of parameters that are not written are taken from the expected type.

    Without one they stay open, and each call makes an instance for its arguments. `shown` is the name
    of a function that the lambda stands for.
    """
    wanted = _wanted(hint)
    if wanted is not None and len(wanted.params) != len(node.params):
        takes = count(len(node.params), "parameter") if node.params else "no parameters"
        return cx.error(
            rule.WRONG_ARITY.at(
                node.params[0].span.join(node.params[-1].span) if node.params else _head(node),
                f"this function takes {takes}, but `{wanted}` is expected",
            )
        )
    params = _parameter_types(cx, node, wanted)
    if ERROR in params:
        return hir.Const(None, ERROR, node.span)
    captures = gather(cx, node)
    code = _code(cx, node, params, captures, shown)
    values = [captured_value(cx, capture, node.span) for capture in captures]
    known = [type for type in params if type is not None]
    if len(known) < len(params):
        return code.make(cx, None, values, node.span)
    plain = _typed(cx, code, node, known, wanted)
    return code.make(cx, plain, values, node.span) if plain is not None else hir.Const(None, ERROR, node.span)


def _wanted(hint: Type | None) -> FnType | None:
    if isinstance(hint, OptionalType):
        hint = hint.inner
    if not isinstance(hint, FnType) or (isinstance(hint, ClosureType) and hint.is_open):
        return None
    return hint


def _head(node: ast.Lambda) -> Span:
    """The start of a lambda, within one line."""
    span = node.span
    end = span.file.text.find("\n", span.start)
    return span if end < 0 or end >= span.end else span.file.span(span.start, end)


def _parameter_types(cx: Context, node: ast.Lambda, wanted: FnType | None) -> list[Type | None]:
    types: list[Type | None] = []
    for index, param in enumerate(node.params):
        if param.type is not None:
            types.append(cx.resolve(param.type))
            continue
        type = wanted.params[index] if wanted is not None else None
        if type is None or is_open(type) or isinstance(type, HoleType):
            types.append(None)
        else:
            types.append(type)
    return types


def _code(
    cx: Context, node: ast.Lambda, params: list[Type | None], captures: list[Capture], shown: str
) -> LambdaCode:
    """Return the code of a lambda: the same each time the body around it is checked, if it can be."""
    key = (node, *params, *[capture.signature for capture in captures])
    found = cx.instance.lambdas.get(key)
    if found is None:
        found = LambdaCode(cx, node, params, captures, shown)
        if not any(isinstance(symbol, FunctionSymbol) for symbol in found.symbols.values()):
            cx.instance.lambdas[key] = found
    assert isinstance(found, LambdaCode)
    return found


def _typed(
    cx: Context, code: LambdaCode, node: ast.Lambda, params: list[Type], wanted: FnType | None
) -> FnType | None:
    """Check the body; return the type as a plain function, None after an error."""
    ret: Type | None = None
    if node.result is not None:
        ret = cx.resolve(node.result)
    elif wanted is not None and not is_open(wanted.ret) and not isinstance(wanted.ret, HoleType):
        ret = wanted.ret if wanted.ret is not NEVER else None
    instance = code.instance(params, ret)
    result = result_type(instance)
    if result is ERROR:
        return None
    return function_of(params, result)


# --- ranges as values -----------------------------------------------------------------


@checks(ast.Range)
def check_range(cx: Context, node: ast.Range, hint: Type | None) -> hir.Expr:
    """A range that no loop takes is a `Range` of the core library; where an array is wanted, that."""
    return range_value(cx, node, hint)


def range_value(cx: Context, node: ast.Range | ast.Call, hint: Type | None) -> hir.Expr:
    """`a..b`, `a..=b`, `(a..b).step_by(k)` and `range(…)` as values."""
    if isinstance(hint, ArrayType):
        return _range_array(cx, node, hint)
    from simple_jit.hir.check_loops import counted_parts
    from simple_jit.hir.core_calls import call_core

    parts = counted_parts(cx, node)
    return parts if isinstance(parts, hir.Expr) else call_core(cx, "new_range", parts, node.span)


def _range_array(cx: Context, node: ast.Range | ast.Call, hint: Type | None) -> hir.Expr:
    name = "i$"
    clause = ast.ForClause(node.span, [ast.NamePattern(node.span, name)], node)
    element = ast.Name(node.span, name)
    return expression(cx, ast.ArrayComprehension(node.span, element, [clause]), hint)


# --- pipes and composition ------------------------------------------------------------


@checks(ast.Pipe)
def check_pipe(cx: Context, node: ast.Pipe, hint: Type | None) -> hir.Expr:
    """`x |> f` is `f(x)`; `x` is evaluated first."""
    value = expression(cx, node.value)
    if value.type in (ERROR, NEVER):
        return value
    if value.type is UNIT:
        return cx.error(rule.NO_VALUE.at(node.value.span, "this gives no value to pass on"))
    stmts: list[hir.Expr] = []
    cx.enter()
    name = _temporary(cx, value, node.value.span, stmts)
    call = ast.Call(node.span, node.function, [ast.Arg(node.value.span, None, False, name)])
    result = expression(cx, call, hint)
    cx.leave()
    return result if result.type is ERROR else block(stmts, result, node.span)


def compose(cx: Context, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    r"""`f >> g` is `\x: g(f(x))`."""
    first = left.type
    assert isinstance(first, FnType)
    arity = first.code.arity if isinstance(first, ClosureType) else len(first.params)
    stmts: list[hir.Expr] = []
    cx.enter()
    f, g = _temporary(cx, left, span, stmts), _temporary(cx, right, span, stmts)
    idents = [ast.Ident(span, f"x{n}") for n in range(arity)]
    inner = ast.Call(span, f, [ast.Arg(span, None, False, ast.Name(span, ident.name)) for ident in idents])
    outer = ast.Call(span, g, [ast.Arg(span, None, False, inner)])
    body = ast.Block(span, None, [ast.ExprStmt(span, outer)])
    node = ast.Lambda(span, [ast.Param(span, ident, None, None) for ident in idents], None, body)
    hint = None
    if not (isinstance(first, ClosureType) and first.is_open):
        hint = function_of(first.params, NEVER)
    result = _compose_typed(cx, node, hint)
    cx.leave()
    return result if result.type is ERROR else block(stmts, result, span)


def _compose_typed(cx: Context, node: ast.Lambda, wanted: FnType | None) -> hir.Expr:
    params = _parameter_types(cx, node, wanted)
    captures = gather(cx, node)
    code = LambdaCode(cx, node, params, captures)
    values = [captured_value(cx, capture, node.span) for capture in captures]
    if wanted is None:
        return code.make(cx, None, values, node.span)
    plain = _typed(cx, code, node, list(wanted.params), None)
    return code.make(cx, plain, values, node.span) if plain is not None else hir.Const(None, ERROR, node.span)


def _temporary(cx: Context, value: hir.Expr, span: Span, stmts: list[hir.Expr]) -> ast.Name:
    """Keep a value under a name that no program can write."""
    name = f"{len(cx.locals)}$"
    local = cx.local("", value.type)
    cx.scope.names[name] = Variable(local, "val", False, True, span)
    stmts.append(hir.LocalSet(local, value, value.span))
    return ast.Name(span, name)
