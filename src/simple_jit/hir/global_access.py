"""Reading and writing module-level variables, which a function may do before they are set.

    fn f(): print s
    f()                 error: `s` is used before it is set
    val s = "x"

Cells start as zeros. For a number that is harmless; a reference must not be read as one. So where something
that runs before a binding may call functions, the cell of a `T` is one of `T?`, nil until it is set.
"""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.symbols import ERROR, GlobalSymbol
from simple_jit.hir.types import (
    BOOL,
    NEVER,
    TEXT,
    UNIT,
    OptionalType,
    TupleType,
    Type,
    is_number,
    optional_of,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.source import Span
    from simple_jit.hir.context import Context


def stored_type(symbol: GlobalSymbol, type: Type) -> Type:
    """Return the type of the cell of a global of type `type`."""
    if symbol.module.is_library or _may_be_zero(type):
        return type
    if symbol.module in symbol.module.session.cyclic or _calls_before(symbol):
        return optional_of(type)
    return type


def _may_be_zero(type: Type) -> bool:
    """Is what zeros mean a value of `type`?"""
    if isinstance(type, TupleType):
        return all(map(_may_be_zero, type.items))
    return is_number(type) or type in (BOOL, UNIT, NEVER) or isinstance(type, OptionalType)


def _calls_before(symbol: GlobalSymbol) -> bool:
    """Does a statement of the module that runs before the binding, or its own value, call anything?"""
    pending: list[object] = []
    for statement in symbol.module.tree.statements:
        if not isinstance(statement, _DECLARATIONS):
            pending.append(statement)
        if statement is symbol.binding:
            break
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending += item
        elif isinstance(item, _MAY_CALL):
            return True
        elif isinstance(item, ast.Node):
            pending += [getattr(item, name) for name in type(item).__slots__]
    return False


_DECLARATIONS = (ast.FunctionDecl, ast.RecordDecl, ast.EnumDecl, ast.ImplDecl, ast.TraitDecl, ast.Use)
_MAY_CALL = (ast.Call, ast.Member, ast.Binary, ast.InterpolatedText, ast.ExprStmt, ast.Index)
"""What may run a function: operators and interpolation do so by methods."""


def read_global(cx: Context, symbol: GlobalSymbol, span: Span) -> hir.Expr:
    """Read a global. Before it is set that is an error: here where it shows, else when it runs."""
    from simple_jit.hir.globals import global_cell

    in_order = cx.bound is not None and symbol.module is cx.module
    if in_order and symbol not in cx.bound:  # type: ignore[operator]
        return cx.error(
            rule.USED_BEFORE.at(span, f"`{symbol.name}` is used before it is set").also(
                symbol.span, "set here"
            )
        )
    cell = global_cell(cx, symbol)
    if cell is None:
        return hir.Const(None, ERROR, span)
    value = hir.GlobalGet(cell, span)
    if symbol.type is None or cell.type is symbol.type:
        return value
    known = hir.Unwrap(value, symbol.type, span, checked=False)
    if in_order:
        return known
    message = hir.TextConst(f"`{symbol.name}` is used before it is set", TEXT, span)
    fail = hir.Block([hir.Throw("NilError", message, span)], None, NEVER, span)
    return hir.If(hir.IsSome(value, span), known, fail, symbol.type, span)


def write_global(symbol: GlobalSymbol, value: hir.Expr, span: Span) -> hir.Expr:
    """Assign a global whose cell has been made."""
    cell = symbol.cell
    assert cell is not None
    if cell.type is not value.type:
        value = hir.Some(value, cell.type, value.span)
    return hir.GlobalSet(cell, value, span)
