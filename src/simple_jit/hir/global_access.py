"""Reading and writing module-level variables, which a function may do before they are set.

    fn f(): print s
    f()                 error: `s` is used before it is set
    val s = "x"

So where something that runs before a binding may call functions (for a number: functions that name it), the
cell of a `T` is one of `T?`, nil until it is set. An optional is nil until then, and no error.
"""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.captures import free_names
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
    if symbol.module.is_library or type in (UNIT, NEVER) or isinstance(type, OptionalType):
        return type
    if symbol.module in symbol.module.session.cyclic:
        return optional_of(type)
    may_be_read = _is_read_before if _is_scalar(type) else _calls_before
    return optional_of(type) if may_be_read(symbol) else type


def _is_scalar(type: Type) -> bool:
    """Is `type` made of numbers? Such a global is often used in loops, so its cell is looked at closely."""
    if isinstance(type, TupleType):
        return all(map(_is_scalar, type.items))
    return is_number(type) or type is BOOL


def _before(symbol: GlobalSymbol) -> list[ast.Stmt]:
    """Return the statements of the module up to the binding, that one included."""
    found: list[ast.Stmt] = []
    for statement in symbol.module.tree.statements:
        if not isinstance(statement, _DECLARATIONS):
            found.append(statement)
        if statement is symbol.binding:
            break
    return found


def _is_read_before(symbol: GlobalSymbol) -> bool:
    """May a function that names the global run before it is set? Methods are taken to do so."""
    pending: list[ast.FunctionDecl] = []
    functions: dict[str, ast.FunctionDecl] = {}
    for statement in symbol.module.tree.statements:
        if isinstance(statement, ast.FunctionDecl):
            functions[statement.name.name] = statement
        elif isinstance(statement, _WITH_METHODS):
            pending += [method for method in statement.methods if method.body is not None]
    before = _before(symbol)
    if not _may_call(before):
        return False
    names = set(free_names(before))
    while True:
        pending += [functions.pop(name) for name in names if name in functions]
        if not pending:
            return False
        names = set(free_names(pending.pop()))
        if symbol.name in names:
            return True


def _calls_before(symbol: GlobalSymbol) -> bool:
    """Does a statement of the module that runs before the binding, or its own value, call anything?"""
    return _may_call(_before(symbol))


def _may_call(statements: list[ast.Stmt]) -> bool:
    pending: list[object] = list(statements)
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
_WITH_METHODS = (ast.RecordDecl, ast.EnumDecl, ast.ImplDecl, ast.TraitDecl)
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
