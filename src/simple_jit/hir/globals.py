"""Module-level variables: their types and their cells in the context."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.base.diagnostics import Reporter
from simple_jit.hir import nodes as hir
from simple_jit.hir.context import Context, Recheck, Variable, expression
from simple_jit.hir.global_access import stored_type, write_global
from simple_jit.hir.holes import default_type
from simple_jit.hir.resolve_types import TypeScope, resolve
from simple_jit.hir.symbols import ERROR, GlobalSymbol, HoleType
from simple_jit.hir.types import (
    ANY,
    NEVER,
    UNIT,
    EnumType,
    OptionalType,
    TraitType,
    TupleType,
    Type,
    has_payload,
    is_reference,
)
from simple_jit.syntax import ast

_ENUM_CELLS = 7
"""What a flat enum takes at most: its position and the components that its variants share."""


def components(type: Type) -> int:
    """Return how many 8-byte cells a value of `type` takes at most (as `mir.layout` flattens it)."""
    if type in (UNIT, NEVER):
        return 0
    if isinstance(type, OptionalType):
        return 1 if is_reference(type.inner) else 1 + components(type.inner)
    if isinstance(type, TupleType):
        return sum(map(components, type.items))
    if isinstance(type, EnumType) and has_payload(type):
        return _ENUM_CELLS
    return 2 if type is ANY or isinstance(type, TraitType) else 1


def global_cell(cx: Context, symbol: GlobalSymbol) -> hir.Global | None:
    """Return the cell of a global, None where its type is not known (which has been reported)."""
    if symbol.cell is None:
        type = _find_type(cx, symbol)
        if type is ERROR:
            return None
        make_cell(symbol, type)
    return symbol.cell


def first_free_cell(globals: list[hir.Global]) -> int:
    """Return the cell behind those of `globals`."""
    return max([cell.slot + components(cell.type) for cell in globals], default=0)


def make_cell(symbol: GlobalSymbol, type: Type) -> hir.Global:
    """Give a global its cells, after those of the others."""
    if symbol.cell is None or symbol.type is not type:
        session = symbol.module.session
        last = session.globals[-1] if session.globals else None
        slot = last.slot + components(last.type) if last else session.options.first_global
        if slot <= session.options.most_globals < slot + components(type):  # said once: the rest is beyond
            _report_too_many(symbol)
        symbol.type = type
        symbol.cell = hir.Global(f"{symbol.module.key}.{symbol.name}", stored_type(symbol, type), slot)
        session.globals.append(symbol.cell)
    return symbol.cell


def _report_too_many(symbol: GlobalSymbol) -> None:
    session = symbol.module.session
    session.reporter.report(
        rule.TOO_MANY_GLOBALS.at(
            symbol.span, f"there is no room for `{symbol.name}` beside all other module-level variables"
        )
        .note(f"they have {session.options.most_globals:,} cells of 8 bytes")
        .hint("put them into an array, a dict or a class")
    )


def _find_type(cx: Context, symbol: GlobalSymbol) -> Type:
    """Infer the type of a global that is used before its module's statements have been checked."""
    binding = symbol.binding
    if binding.type is not None and isinstance(binding.pattern, ast.NamePattern):
        return resolve(binding.type, TypeScope(symbol.module))
    if symbol.finding:
        cx.session.reporter.report(
            rule.CYCLIC_CONSTANT.at(symbol.span, f"the type of `{symbol.name}` depends on itself")
        )
        return ERROR
    symbol.finding = True
    try:
        return _probe(cx, symbol)
    finally:
        symbol.finding = False


def _probe(cx: Context, symbol: GlobalSymbol) -> Type:
    from simple_jit.hir.patterns import bind_pattern
    from simple_jit.hir.whole import init_instance

    init = init_instance(symbol.module)
    probe = Context(init, init.hints, None)
    probe.reporter = Reporter()
    probe.is_top_level = True
    try:
        value = expression(probe, symbol.binding.value)
    except Recheck:
        value = hir.Const(None, ERROR, symbol.span)
    bind_pattern(probe, symbol.binding.pattern, value, False, [])
    found = probe.find(symbol.name)
    type = found.local.type if isinstance(found, Variable) else ERROR
    return _settled(cx, symbol, type) if isinstance(type, HoleType) else type


def _settled(cx: Context, symbol: GlobalSymbol, hole: HoleType) -> Type:
    """Settle the type of a variable that starts empty, where a function uses it before a statement tells."""
    from simple_jit.hir.whole import init_instance

    init = init_instance(symbol.module)
    known = init.hints.get(hole.binding)
    if known is None:
        known = init.hints[hole.binding] = default_type(cx, hole)
        if init.is_active:
            raise Recheck(init.hints)
    return known


def bind_global(cx: Context, node: ast.Binding, value: hir.Expr) -> hir.Expr:
    """Set the globals that a module-level binding declares."""
    if isinstance(node.pattern, ast.NamePattern):
        return _set(cx, node.pattern, value, node.mutable)
    from simple_jit.hir.patterns import bind_pattern

    out: list[hir.Expr] = []
    kept = cx.keep(value, out)
    cx.enter()
    bind_pattern(cx, node.pattern, kept, node.mutable, out)
    names = dict(cx.scope.names)
    cx.leave()
    for name, variable in names.items():
        assert isinstance(variable, Variable)
        if variable.local.type is not ERROR:
            get = hir.LocalGet(variable.local, variable.span)
            out.append(_set(cx, ast.NamePattern(variable.span, name), get, node.mutable))
    return hir.Block(out, None, UNIT, node.span)


def _set(cx: Context, pattern: ast.NamePattern, value: hir.Expr, mutable: bool) -> hir.Expr:
    if value.type is NEVER:
        return value
    symbol = cx.module.names.get(pattern.name)
    if isinstance(value.type, HoleType) or not isinstance(symbol, GlobalSymbol):
        # Until its type is settled the variable is a local of this attempt.
        local = cx.local(pattern.name, value.type)
        cx.declare(pattern.name, local, pattern.span, mutable=mutable)
        return hir.LocalSet(local, value, pattern.span)
    if cx.bound is not None:
        cx.bound.add(symbol)
    make_cell(symbol, value.type)
    return write_global(symbol, value, pattern.span)
