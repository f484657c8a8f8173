"""Whose methods a declaration or an `impl` block holds."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir.collections import NAMES, collection_symbol
from simple_jit.hir.core_index import BOUNDS
from simple_jit.hir.resolve_types import BUILTIN_TYPES, TypeScope, result_symbol, set_bounds
from simple_jit.hir.symbols import (
    AliasSymbol,
    BrokenSymbol,
    EnumSymbol,
    ImportSymbol,
    Module,
    Owner,
    RecordSymbol,
    Symbol,
    TypeVar,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.hir.session import Head


def owner_and_heads(
    statement: ast.RecordDecl | ast.EnumDecl | ast.ImplDecl, module: Module, names: dict[str, Symbol]
) -> tuple[Owner, list[Head]]:
    """Return the owner of a declaration's methods, and under which heads they are kept."""
    if isinstance(statement, ast.ImplDecl):
        return _impl(statement, module, names)
    symbol = names.get(statement.name.name)
    if isinstance(symbol, (RecordSymbol, EnumSymbol)):
        scope = TypeScope(module, {var.name: var for var in symbol.generics})
        for var, generic in zip(symbol.generics, statement.generics):
            set_bounds(var, generic, statement.where, scope)
        return Owner(symbol.name, symbol.generics, symbol, module), [symbol]
    return Owner(statement.name.name, [], ast.TupleType(statement.span, []), module), []  # declared twice


def _impl(statement: ast.ImplDecl, module: Module, names: dict[str, Symbol]) -> tuple[Owner, list[Head]]:
    generics = [TypeVar(generic.name.name) for generic in statement.generics]
    blocks = None if names is module.names else names.get
    scope = TypeScope(module, {var.name: var for var in generics}, blocks)
    for var, generic in zip(generics, statement.generics):
        set_bounds(var, generic, statement.where, scope)
    owner = Owner(statement.target.span.text, generics, statement.target, module)
    return owner, _heads(statement.target, generics, module, names)


def _heads(
    target: ast.TypeExpr, generics: list[TypeVar], module: Module, names: dict[str, Symbol]
) -> list[Head]:
    if isinstance(target, ast.ArrayType):
        return ["array"]
    if isinstance(target, ast.OptionalType):
        return ["optional"]
    if isinstance(target, ast.TupleType):
        return ["tuple"]
    if isinstance(target, ast.DictType):
        return [collection_symbol(module.session, "Dict")]
    if isinstance(target, ast.SetType):
        return [collection_symbol(module.session, "Set")]
    if not isinstance(target, ast.NamedType):
        module.session.reporter.report(
            rule.UNKNOWN_TYPE.at(target.span, f"`{target.span.text}` has no methods of its own")
        )
        return []
    name = target.path[-1].name
    for var in generics:
        if var.name == name:
            chosen = [head for bound in var.bounds if bound in BOUNDS for head in BOUNDS[bound]]
            return list(chosen) or ["*"]
    if names.get(name) is not None:
        return _symbol_heads(target, module, names)
    if name in BUILTIN_TYPES:
        return [BUILTIN_TYPES[name].name]
    if name in ("List", "Option"):
        return ["array" if name == "List" else "optional"]
    return _symbol_heads(target, module, names)


def _symbol_heads(target: ast.NamedType, module: Module, names: dict[str, Symbol]) -> list[Head]:
    symbol: Symbol | None = names.get(target.path[0].name)
    if symbol is None:
        symbol = module.session.lookup(module, target.path[0].name)
    if symbol is None and target.path[0].name in NAMES and not module.is_core:
        symbol = collection_symbol(module.session, NAMES[target.path[0].name])
    if symbol is None and target.path[0].name == "Result" and not module.is_core:
        symbol = result_symbol(module.session)
    if isinstance(symbol, ImportSymbol):
        symbol = module.session.loader.resolve(symbol)
    if isinstance(symbol, AliasSymbol):
        return _heads(symbol.decl.target, symbol.generics, symbol.module, symbol.module.names)
    if isinstance(symbol, (RecordSymbol, EnumSymbol)):
        return [symbol]
    if isinstance(symbol, BrokenSymbol):
        return []
    module.session.reporter.report(
        rule.UNKNOWN_TYPE.at(target.span, f"there is no type `{target.span.text}` to implement")
    )
    return []
