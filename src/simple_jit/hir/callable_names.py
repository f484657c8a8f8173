r"""What is called by its name without being a function of a module, as a value: it becomes a lambda.

    val f = len             \x: len(x)              what the compiler provides
    xs.map(text)            \x: text(x)             conversions, types, variants: where a function is wanted
    xs.map(Shape.Circle)    \x: Shape.Circle(x)
"""

from __future__ import annotations

from simple_jit.hir.context import Context
from simple_jit.hir.core_index import PRELUDE
from simple_jit.hir.symbols import AliasSymbol, RecordSymbol, Symbol
from simple_jit.hir.types import SCALARS, EnumType, FnType, OptionalType, Type
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.hir import nodes as hir

_PROVIDED = {
    "assert": 1,
    "eprint": 1,
    "len": 1,
    "max": 2,
    "min": 2,
    "panic": 1,
    "print": 1,
    "range": 1,
    "typeof": 1,
}
"""What the compiler provides, and how many arguments it takes where nothing tells."""

_VARYING = frozenset({"assert", "eprint", "input", "max", "min", "print", "range"})
"""Those that take as many arguments as the place passes."""

_CONVERSIONS = frozenset((*SCALARS, "int", "float", "text", "str", "String"))


def wanted_function(hint: Type | None) -> FnType | None:
    """Return the type of function that a place asks for."""
    if isinstance(hint, OptionalType):
        hint = hint.inner
    return hint if isinstance(hint, FnType) else None


def provided_value(cx: Context, node: ast.Name, hint: Type | None) -> hir.Expr | None:
    """A builtin function or conversion as a value; None where there is none of this name."""
    name = node.name
    wanted = wanted_function(hint)
    if name in _VARYING and wanted is not None:
        return _wrap(cx, node, len(wanted.params), hint)
    if name in _PROVIDED:
        return _wrap(cx, node, _PROVIDED[name], hint)
    if name in ("Some", "Ok", "Err") or (name in _CONVERSIONS and wanted is not None):
        return _wrap(cx, node, 1, hint)
    symbol = cx.session.loader.core_function(name) if name in PRELUDE else None
    if symbol is not None:
        return _wrap(cx, node, len(symbol.decl.params), hint)
    if wanted is not None and isinstance(wanted.ret, EnumType) and wanted.params:
        if any(variant.name == name for variant in wanted.ret.variants):
            return _wrap(cx, node, len(wanted.params), hint)
    return None


def constructor_value(
    cx: Context, symbol: Symbol | None, node: ast.Name | ast.Member, hint: Type | None
) -> hir.Expr | None:
    """A type as the function that makes its values, where a function is wanted."""
    wanted = wanted_function(hint)
    if wanted is None or not isinstance(symbol, (RecordSymbol, AliasSymbol)):
        return None
    return _wrap(cx, node, len(wanted.params), hint)


def static_value(cx: Context, static: object, node: ast.Member, hint: Type | None) -> hir.Expr | None:
    """`Shape.Circle` and `Point.new` where a function is wanted."""
    wanted = wanted_function(hint)
    if wanted is None or not isinstance(static, (Type, RecordSymbol)):
        return None
    if isinstance(static, EnumType) and any(v.name == node.name.name for v in static.variants):
        return _wrap(cx, node, len(wanted.params), hint)
    from simple_jit.hir.resolve_types import instantiate

    type = instantiate(static, tuple(static.generics)) if isinstance(static, RecordSymbol) else static
    found = cx.session.find_method(type, node.name.name)
    if found is None or found[0].has_self or not found[0].decl.params:
        return None
    return _wrap(cx, node, len(wanted.params), hint)


def _wrap(cx: Context, node: ast.Name | ast.Member, arity: int, hint: Type | None) -> hir.Expr:
    r"""`\x, y: name(x, y)`, whose value prints as `<fn name>`."""
    from simple_jit.hir.check_lambda import lambda_value

    wrapper = cx.session.wrappers.get((node, arity))
    if wrapper is None:
        wrapper = cx.session.wrappers[node, arity] = _lambda(node, arity)
    return lambda_value(cx, wrapper, hint, node.span.text)


def _lambda(node: ast.Name | ast.Member, arity: int) -> ast.Lambda:
    span = node.span
    params = [ast.Param(span, ast.Ident(span, f"{n}$"), None, None) for n in range(arity)]
    args = [ast.Arg(span, None, False, ast.Name(span, param.name.name)) for param in params]
    body = ast.Block(span, None, [ast.ExprStmt(span, ast.Call(span, node, args))])
    return ast.Lambda(span, params, None, body)
