"""Checking whole modules: what a program must not get wrong even where it never goes."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.assigned import assigned_names
from simple_jit.hir.bodies import check_statements
from simple_jit.hir.constants import constant_value
from simple_jit.hir.context import Context
from simple_jit.hir.decorators import hidden_name
from simple_jit.hir.externs import resolve_extern
from simple_jit.hir.instances import (
    Instance,
    get_instance,
    is_concrete,
    new_function,
    owner_target,
    result_type,
    signature_of,
)
from simple_jit.hir.resolve_types import alias_target, enum_type, instantiate
from simple_jit.hir.symbols import (
    AliasSymbol,
    ConstSymbol,
    EnumSymbol,
    ExternSymbol,
    FunctionSymbol,
    ImportSymbol,
    Module,
    RecordSymbol,
    Symbol,
    TraitSymbol,
    is_open,
)
from simple_jit.hir.types import UNIT, Type
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.hir.session import Session


def init_instance(module: Module) -> Instance:
    """Return the function of a module's top-level statements."""
    session = module.session
    found = session.inits.get(module)
    if found is None:
        span = module.tree.span
        function = new_function(session, module, "<module>", "<module>", span)
        found = session.inits[module] = Instance(session, module, function, _build_module, UNIT)
        function.ret = UNIT
    return found


def _build_module(cx: Context) -> hir.Expr:
    cx.is_top_level = True
    cx.bound = set()
    cx.result = UNIT
    cx.assigned = assigned_names(cx.module.tree.statements)
    return check_statements(cx, cx.module.tree.statements, cx.module.tree.span, None, False, [])


def check_module(session: Session, module: Module) -> None:
    """Check all that a module declares, generic functions and types left to their uses."""
    for symbol in list(module.names.values()):
        check_symbol(symbol)
    for star in module.stars:
        session.loader.star_module(star)
    for statement in module.tree.statements:
        if isinstance(statement, (ast.RecordDecl, ast.EnumDecl, ast.ImplDecl)):
            for method in session.methods_of(statement):
                check_method(method)
        if isinstance(statement, ast.ImplDecl) and statement.trait is not None:
            _check_impl(session, statement)


def _check_impl(session: Session, node: ast.ImplDecl) -> None:
    from simple_jit.hir.check_traits import check_impl

    check_impl(session, node)


def check_symbol(symbol: Symbol) -> None:
    """Check one declaration."""
    if isinstance(symbol, ImportSymbol):
        symbol.module.session.loader.resolve(symbol)
    elif isinstance(symbol, FunctionSymbol):
        check_function(symbol)
    elif isinstance(symbol, ConstSymbol):
        constant_value(symbol)
    elif isinstance(symbol, EnumSymbol):
        enum_type(symbol)
    elif isinstance(symbol, TraitSymbol):
        from simple_jit.hir.check_traits import check_trait

        check_trait(symbol)
    elif isinstance(symbol, AliasSymbol):
        alias_target(symbol)
    elif isinstance(symbol, ExternSymbol):
        resolve_extern(symbol)
    elif isinstance(symbol, RecordSymbol):
        _check_record(symbol)


def check_function(symbol: FunctionSymbol) -> None:
    """Check a function that has one instance only."""
    if is_concrete(symbol):
        types = [param.type for param in signature_of(symbol).params]
        _reach(symbol, [type for type in types if type is not None])


def check_method(symbol: FunctionSymbol) -> None:
    """Check a method of a type without parameters that has one instance only."""
    assert symbol.owner is not None
    target = owner_target(symbol.owner)
    if is_open(target) or not is_concrete(symbol):
        return
    types: list[Type] = [target] if symbol.has_self else []
    types += [param.type for param in signature_of(symbol).params if param.type is not None]
    _reach(symbol, types)


def _reach(symbol: FunctionSymbol, types: list[Type]) -> None:
    instance = get_instance(symbol, {}, types, None)
    result_type(instance)


def _check_record(symbol: RecordSymbol) -> None:
    """Check the fields, and the defaults of a type without parameters."""
    type = instantiate(symbol, tuple(symbol.generics))
    if symbol.generics:
        return
    from simple_jit.hir.check_static import field_default

    cx = Context(init_instance(symbol.module), {}, None)
    for field in type.fields:
        if field.default is not None:
            field_default(cx, symbol, type, field, field.default.span)
    for diagnostic in cx.reporter.diagnostics:
        symbol.module.session.reporter.report(diagnostic)


def check_local_function(cx: Context, node: ast.FunctionDecl) -> None:
    """Check a function of a block, at the end of the block: it may use what comes after it there."""
    symbol = cx.scope.names.get(node.name.name)
    if isinstance(symbol, FunctionSymbol) and symbol.decl is node:
        check_function(symbol)


def check_local_declaration(cx: Context, node: ast.Stmt) -> None:
    """Check what a block declares."""
    if isinstance(node, ast.FunctionDecl):
        for name in (node.name.name, hidden_name(node)):
            symbol = cx.scope.names.get(name)
            if isinstance(symbol, FunctionSymbol) and symbol.home is not None:
                symbol.home.reach(node)
    if isinstance(node, (ast.RecordDecl, ast.EnumDecl, ast.TraitDecl, ast.AliasDecl, ast.ConstDecl)):
        symbol = cx.scope.names.get(node.name.name)
        if isinstance(symbol, Symbol):
            check_symbol(symbol)
    if isinstance(node, ast.ExternFn):
        cx.error(rule.MISPLACED_USE.at(node.span, "`extern fn` stands at the top level of a module"))
    if isinstance(node, (ast.RecordDecl, ast.EnumDecl, ast.ImplDecl)):
        for method in cx.session.methods_of(node):
            check_method(method)
    if isinstance(node, ast.ImplDecl) and node.trait is not None:
        _check_impl(cx.session, node)
