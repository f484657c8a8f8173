"""Collecting the names that a module declares, and the methods of its `impl` blocks."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.base.diagnostics import Reporter, suggest
from simple_jit.hir.decorators import decorated, decorators, hidden_name
from simple_jit.hir.symbols import (
    AliasSymbol,
    ConstSymbol,
    EnumSymbol,
    ExternSymbol,
    FunctionSymbol,
    GlobalSymbol,
    ImportSymbol,
    Module,
    RecordSymbol,
    Symbol,
    TraitSymbol,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def declare_module(module: Module, reporter: Reporter) -> None:
    """Fill `module.names`, `stars` and `exports` from its syntax tree."""
    exported = declare_statements(module, module.tree.statements, reporter)
    for statement in module.tree.statements:
        if isinstance(statement, ast.Export):
            exported |= _exported(module, statement, reporter)
    if exported:
        module.exports = exported


def declare_statements(module: Module, statements: list[ast.Stmt], reporter: Reporter) -> set[str]:
    """Enter what statements declare into the names of their module; return those marked `pub`."""
    exported: set[str] = set()
    for statement in statements:
        for symbol in declared(statement, module):
            declare(module.names, symbol, reporter)
            if getattr(statement, "public", False):
                exported.add(symbol.name)
        if isinstance(statement, ast.Use):
            _declare_use(module, statement, reporter)
    return exported


def declare(names: dict[str, Symbol], symbol: Symbol, reporter: Reporter) -> None:
    """Add a symbol to the names of a module or block; each name is declared once."""
    earlier = names.setdefault(symbol.name, symbol)
    if earlier is not symbol:
        reporter.report(
            rule.DUPLICATE_NAME.at(symbol.span, f"`{symbol.name}` is declared twice").also(
                earlier.span, "first declared here"
            )
        )


def declared(statement: ast.Stmt, module: Module) -> Iterator[Symbol]:
    """Yield the symbols that a statement declares, imports left out."""
    if isinstance(statement, ast.FunctionDecl):
        symbol = FunctionSymbol(statement, module)
        if decorators(statement):
            symbol.name = hidden_name(statement)
            name = statement.name
            yield GlobalSymbol(name.name, module, name.span, decorated(statement))
        yield symbol
    elif isinstance(statement, ast.RecordDecl):
        yield RecordSymbol(statement, module)
    elif isinstance(statement, ast.EnumDecl):
        yield EnumSymbol(statement, module)
    elif isinstance(statement, ast.AliasDecl):
        yield AliasSymbol(statement, module)
    elif isinstance(statement, ast.ConstDecl):
        yield ConstSymbol(statement, module)
    elif isinstance(statement, ast.ExternFn):
        yield ExternSymbol(statement, module)
    elif isinstance(statement, ast.TraitDecl):
        yield TraitSymbol(statement, module)
    elif isinstance(statement, ast.Binding):
        for ident in bound_names(statement.pattern):
            yield GlobalSymbol(ident.name, module, ident.span, statement)


def bound_names(pattern: ast.Pattern) -> Iterator[ast.Ident | ast.NamePattern]:
    """Yield the names that the pattern of a binding declares."""
    if isinstance(pattern, ast.NamePattern):
        yield pattern
    elif isinstance(pattern, (ast.TuplePattern, ast.ArrayPattern)):
        for item in pattern.items:
            yield from bound_names(item)
    elif isinstance(pattern, ast.RestPattern):
        if pattern.name is not None:
            yield pattern.name
    elif isinstance(pattern, ast.StructPattern):
        for member in pattern.members:
            yield from bound_names(member.pattern)
    elif isinstance(pattern, ast.CallPattern):
        for arg in pattern.args:
            yield from bound_names(arg.pattern)
    elif isinstance(pattern, ast.AtPattern):
        yield pattern.name
        yield from bound_names(pattern.pattern)
    elif isinstance(pattern, ast.TypedPattern):
        yield from bound_names(pattern.pattern)


def imports_of(module: Module, use: ast.Use) -> Iterator[ImportSymbol]:
    """Yield the names of a `use` that is not a star."""
    path = tuple(ident.name for ident in use.path)
    span = use.path[0].span.join(use.path[-1].span)
    if use.names is not None:
        for item in use.names:
            ident = item.alias or item.name
            symbol = ImportSymbol(ident.name, module, item.span, path, item.name.name, False)
            symbol.use_span = span
            yield symbol
        return
    ident = use.alias or use.path[-1]
    yield ImportSymbol(ident.name, module, span, path[:-1], path[-1], True)


def _declare_use(module: Module, use: ast.Use, reporter: Reporter) -> None:
    if use.star:
        path = tuple(ident.name for ident in use.path)
        span = use.path[0].span.join(use.path[-1].span)
        star = ImportSymbol("*", module, span, path, None, False)
        star.public = use.public
        module.stars.append(star)
        return
    for symbol in imports_of(module, use):
        symbol.public = use.public
        earlier = module.names.get(symbol.name)
        if isinstance(earlier, ImportSymbol) and _same_import(earlier, symbol):
            continue
        declare(module.names, symbol, reporter)


def _same_import(a: ImportSymbol, b: ImportSymbol) -> bool:
    return a.path == b.path and a.target == b.target


def _exported(module: Module, export: ast.Export, reporter: Reporter) -> set[str]:
    for ident in export.names:
        if ident.name not in module.names and not module.is_library:  # parsed when needed
            diagnostic = rule.UNKNOWN_NAME.at(
                ident.span, f"there is no `{ident.name}` in this module to export"
            )
            near = suggest(ident.name, module.names)
            reporter.report(diagnostic.hint(f"did you mean `{near}`?") if near else diagnostic)
    return {ident.name for ident in export.names}
