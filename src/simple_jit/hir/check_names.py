"""Names as values, and what stands before a dot: modules and types."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.base.diagnostics import suggest
from simple_jit.hir import nodes as hir
from simple_jit.hir.callable_names import constructor_value, provided_value
from simple_jit.hir.check_literals import nil
from simple_jit.hir.collections import NAMES as COLLECTIONS
from simple_jit.hir.constants import constant_value, with_span
from simple_jit.hir.context import Context, Variable, checks
from simple_jit.hir.global_access import read_global
from simple_jit.hir.resolve_types import (
    BUILTIN_TYPES,
    alias_target,
    enum_type,
    resolve,
    result_symbol,
    type_of_symbol,
)
from simple_jit.hir.symbols import (
    ERROR,
    AliasSymbol,
    BrokenSymbol,
    ConstSymbol,
    EnumSymbol,
    ExternSymbol,
    FunctionSymbol,
    GlobalSymbol,
    HoleType,
    ImportSymbol,
    Module,
    ModuleSymbol,
    RecordSymbol,
    Symbol,
    TraitSymbol,
    TypeSymbol,
)
from simple_jit.hir.types import EnumType, OptionalType, StructType, Type, array_of, is_dynamic
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.source import Span

_FOREIGN_NAMES = {
    "null": "nil",
    "None": "nil",
    "True": "true",
    "False": "false",
    "this": "self",
    "println": "print",
    "printf": "print",
    "console": "print",
}


_FOREIGN_WORDS = {
    "lambda": r"a lambda is written `\x: …`",
    "switch": "a choice among values is written `match x:`",
    "elsif": "a further condition is written `elif c:`",
    "foreach": "a loop is written `for x in xs:`",
    "exit": "a program ends with the result of `main`, or by `exit` of `app.io.mod`",
    "new": "an object is made by `Name(field: value)`",
    "del": "an entry is taken out by `d.remove(key)`",
}


@checks(ast.Name)
def check_name(cx: Context, node: ast.Name, hint: Type | None) -> hir.Expr:
    found = cx.find(node.name)
    if isinstance(found, Variable):
        return read_variable(cx, found, node.span)
    if found is not None:
        return constructor_value(cx, found, node, hint) or symbol_value(cx, found, node.span)
    field = implicit_field(cx, node)
    if field is not None:
        object, type = field
        index = type.field_index(node.name)
        assert index is not None
        return hir.FieldGet(object, index, type.fields[index].type, node.span)
    return _outer_name(cx, node, hint)


def _outer_name(cx: Context, node: ast.Name, hint: Type | None) -> hir.Expr:
    outer = cx.symbol.outer if cx.symbol else None
    if outer is not None:
        if node.name in outer.symbols:
            symbol = outer.symbols[node.name]
            return constructor_value(cx, symbol, node, hint) or symbol_value(cx, symbol, node.span)
    found = cx.session.lookup(cx.module, node.name)
    if found is not None:
        return constructor_value(cx, found, node, hint) or symbol_value(cx, found, node.span)
    variant = _bare_variant(cx, node, hint)
    if variant is not None:
        return variant
    if node.name == "None":
        return nil(cx, node, hint)
    return provided_value(cx, node, hint) or report_unknown_name(cx, node)


def read_variable(cx: Context, variable: Variable, span: Span) -> hir.Expr:
    """Read a local; where a test has shown that it is not nil, the value in it."""
    local = variable.local
    value = hir.LocalGet(local, span)
    if isinstance(local.type, OptionalType) and cx.is_narrowed(variable):
        return hir.Unwrap(value, local.type.inner, span, checked=False)
    if is_dynamic(local.type):
        type = cx.narrowed_type(variable)
        if type is not None:
            from simple_jit.hir.check_any import narrowed_value

            return narrowed_value(value, type)
    if isinstance(local.type, HoleType):
        hinted = cx.hints.get(local.type.binding)
        if hinted is not None:
            local.type = value.type = hinted
    if cx.session.has_specs:
        from simple_jit.hir.check_spec import is_fresh, read_fresh

        if is_fresh(cx, local.type):
            return read_fresh(cx, value, span)
    return value


def _bare_variant(cx: Context, node: ast.Name, hint: Type | None) -> hir.Expr | None:
    """`Red` where a `Color` is expected."""
    if isinstance(hint, OptionalType):
        hint = hint.inner
    if not isinstance(hint, EnumType):
        return None
    from simple_jit.hir.check_enums import lone_variant

    return lone_variant(cx, hint, node.name, node.span, hint)


def implicit_field(cx: Context, node: ast.Name) -> tuple[hir.Expr, StructType] | None:
    """In a method a bare name may be a field of self."""
    variable = cx.self_variable
    if variable is None or not isinstance(variable.local.type, StructType):
        return None
    type = variable.local.type
    if type.field_index(node.name) is None:
        return None
    return hir.LocalGet(variable.local, node.span), type


def symbol_value(cx: Context, symbol: Symbol, span: Span) -> hir.Expr:
    """Return the value of a name that is not a local."""
    if isinstance(symbol, BrokenSymbol):
        return hir.Const(None, ERROR, span)
    if isinstance(symbol, GlobalSymbol):
        return read_global(cx, symbol, span)
    if isinstance(symbol, ConstSymbol):
        return with_span(constant_value(symbol), span)
    if isinstance(symbol, (FunctionSymbol, ExternSymbol)):
        from simple_jit.hir.closures import function_value

        return function_value(cx, symbol, span)
    what = {ModuleSymbol: "a module", TraitSymbol: "a trait"}.get(symbol.__class__, "a type")
    return cx.error(
        rule.NOT_A_VALUE.at(span, f"`{symbol.name}` is {what}, not a value").also(
            symbol.span, "declared here"
        )
    )


def report_unknown_name(cx: Context, node: ast.Name) -> hir.Expr:
    if node.name in BUILTIN_TYPES:
        return cx.error(rule.NOT_A_VALUE.at(node.span, f"`{node.name}` is a type, not a value"))
    diagnostic = rule.UNKNOWN_NAME.at(node.span, f"there is no `{node.name}` here")
    owner = cx.instance.self_type
    if owner is not None and cx.session.find_method(owner, node.name) is not None:
        receiver = "self" if cx.self_variable is not None else str(owner)
        return cx.error(diagnostic.hint(f"to call the method, write `{receiver}.{node.name}(…)`"))
    hidden = _hidden_by_export(cx, node.name)
    if hidden is not None:
        return cx.error(diagnostic.note(f"`{hidden.key}` has one, but does not export it"))
    if node.name in _FOREIGN_WORDS:
        return cx.error(diagnostic.hint(_FOREIGN_WORDS[node.name]))
    near = _FOREIGN_NAMES.get(node.name) or _enum_with(cx, node.name)
    near = near or suggest(node.name, _candidates(cx))
    return cx.error(diagnostic.hint(f"did you mean `{near}`?") if near else diagnostic)


def _hidden_by_export(cx: Context, name: str) -> Module | None:
    """Return the module of a `use m.*` that has a name which it does not export."""
    for star in cx.module.stars:
        target = cx.session.loader.star_module(star)
        if target is not None and not isinstance(target.find(name), (ImportSymbol, type(None))):
            return target
    return None


def _enum_with(cx: Context, name: str) -> str | None:
    """Return the full name of the variant `name` of an enum of this module."""
    for symbol in cx.module.names.values():
        if isinstance(symbol, EnumSymbol) and any(v.name.name == name for v in symbol.decl.variants):
            return f"{symbol.name}.{name}"
    return None


def _candidates(cx: Context) -> list[str]:
    from simple_jit.hir.core_index import PRELUDE

    names = cx.visible_names()
    outer = cx.symbol.outer if cx.symbol else None
    if outer is not None:
        names += outer.symbols
    variable = cx.self_variable
    if variable is not None and isinstance(variable.local.type, StructType):
        names += [field.name for field in variable.local.type.fields]
    return [*names, *PRELUDE, "print", "eprint", "len", "range", "typeof", "assert", "panic"]


@checks(ast.SelfExpr)
def check_self(cx: Context, node: ast.SelfExpr, hint: Type | None) -> hir.Expr:
    if cx.self_variable is not None:
        return read_variable(cx, cx.self_variable, node.span)
    symbol = cx.symbol
    diagnostic = rule.MISPLACED_SELF.at(node.span, "there is no `self` here")
    if symbol is not None and symbol.owner is not None:
        diagnostic.also(symbol.span, f"`{symbol.name}` is a `static fn`")
    return cx.error(diagnostic)


# --- before a dot ------------------------------------------------------------------


def lookup(cx: Context, name: str) -> Symbol | None:
    """Return what a name means where a module or type may stand; a variable hides it."""
    found = cx.find(name)
    if isinstance(found, Variable):
        return None
    if found is not None:
        return found
    outer = cx.symbol.outer if cx.symbol else None
    if outer is not None and name in outer.symbols:
        return outer.symbols[name]
    return cx.session.lookup(cx.module, name)


def module_of(cx: Context, node: ast.Expr) -> Module | None:
    """Return the module that an expression names."""
    if isinstance(node, ast.Name):
        symbol = lookup(cx, node.name)
        return symbol.target if isinstance(symbol, ModuleSymbol) else None
    if isinstance(node, ast.Member) and not node.nil_safe:
        inner = module_of(cx, node.value)
        if inner is not None and inner.find(node.name.name) is not None:
            symbol = cx.session.member(inner, node.name.name, node.name.span)
            return symbol.target if isinstance(symbol, ModuleSymbol) else None
    return None


def type_named(cx: Context, node: ast.Expr) -> Type | RecordSymbol | None:
    """Return the type that an expression names; a generic one without arguments as its symbol."""
    if isinstance(node, ast.Name):
        found = cx.types.types.get(node.name)
        if found is not None and cx.find(node.name) is None:
            return found
        symbol = lookup(cx, node.name)
        if symbol is None and cx.find(node.name) is None:
            if node.name == "Result":
                return enum_type(result_symbol(cx.session))
            return BUILTIN_TYPES.get(node.name)
        return _type_of(symbol)
    if isinstance(node, ast.Member) and not node.nil_safe:
        module = module_of(cx, node.value)
        if module is not None and module.find(node.name.name) is not None:
            return _type_of(cx.session.member(module, node.name.name, node.name.span))
        return None
    if isinstance(node, ast.TypeApply):
        return _applied(cx, node)
    if isinstance(node, ast.ArrayLiteral) and len(node.items) == 1:
        item = node.items[0]
        inner = None if isinstance(item, ast.Spread) else type_named(cx, item)
        return array_of(inner) if isinstance(inner, Type) else None
    return None


def _type_of(symbol: Symbol | None) -> Type | RecordSymbol | None:
    if isinstance(symbol, RecordSymbol):
        from simple_jit.hir.resolve_types import instantiate

        return symbol if symbol.generics else instantiate(symbol, ())
    if isinstance(symbol, EnumSymbol):
        return enum_type(symbol)  # of a generic one the arguments are still open
    if isinstance(symbol, AliasSymbol) and not symbol.generics:
        return alias_target(symbol)
    return symbol.type if isinstance(symbol, TypeSymbol) else None


def _applied(cx: Context, node: ast.TypeApply) -> Type | None:
    if isinstance(node.value, ast.Name):
        path = [ast.Ident(node.value.span, node.value.name)]
        named = ast.NamedType(node.span, path, node.args)
        builtin = node.value.name in ("List", "Option", "Result", *COLLECTIONS)
        if builtin and lookup(cx, node.value.name) is None:
            return resolve(named, cx.types)
        symbol = lookup(cx, node.value.name)
        if isinstance(symbol, (RecordSymbol, EnumSymbol, AliasSymbol)):
            return type_of_symbol(symbol, named, cx.types)
    return None
