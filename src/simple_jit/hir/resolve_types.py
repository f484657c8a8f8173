"""Type expressions to types; struct, enum and alias declarations to the types they declare."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.base.diagnostics import suggest
from simple_jit.hir.collections import NAMES, PARAMETERS, collection_symbol, shown_name
from simple_jit.hir.symbols import (
    ERROR,
    AliasSymbol,
    BrokenSymbol,
    EnumSymbol,
    ImportSymbol,
    Module,
    ModuleSymbol,
    RecordSymbol,
    Symbol,
    TraitSymbol,
    TypeSymbol,
    TypeVar,
    substitute,
    type_key,
)
from simple_jit.hir.types import (
    ALIASES,
    ANY,
    NEVER,
    SCALARS,
    TEXT,
    UNIT,
    EnumType,
    Field,
    StructType,
    Type,
    array_of,
    fixed_array_of,
    function_of,
    generalised,
    optional_of,
    tuple_of,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from simple_jit.base.diagnostics import Diagnostic
    from simple_jit.hir.session import Session

BUILTIN_TYPES: dict[str, Type] = {**SCALARS, **ALIASES, "text": TEXT, "never": NEVER, "any": ANY}
_TYPE_SYMBOLS = (RecordSymbol, EnumSymbol, TraitSymbol, AliasSymbol, TypeSymbol, ImportSymbol)
_INSTANCE_DEPTH = 40
"""How deep type arguments may nest: more is a type that contains an ever larger one of itself."""


class TypeScope:
    """Where a type expression stands: its module, the type parameters, the types of blocks around it."""

    __slots__ = ("blocks", "module", "types")

    def __init__(
        self,
        module: Module,
        types: dict[str, Type] | None = None,
        blocks: Callable[[str], Symbol | None] | None = None,
    ) -> None:
        self.module = module
        self.types = types or {}
        self.blocks = blocks

    def lookup(self, name: str) -> Symbol | None:
        found = self.blocks(name) if self.blocks else None
        return found or self.module.session.lookup(self.module, name)


def resolve(node: ast.TypeExpr, scope: TypeScope) -> Type:
    """Return the type that a type expression means, ERROR after reporting that there is none."""
    if isinstance(node, ast.NamedType):
        return _resolve_named(node, scope)
    if isinstance(node, ast.OptionalType):
        return _wrap(optional_of, resolve(node.inner, scope))
    if isinstance(node, ast.ArrayType):
        return _resolve_array(node, scope)
    if isinstance(node, ast.TupleType):
        items = [resolve(item, scope) for item in node.items]
        if ERROR in items:
            return ERROR
        return tuple_of(items) if items else UNIT
    if isinstance(node, ast.FunctionType):
        return _resolve_function(node, scope)
    if isinstance(node, ast.DictType):
        return _collection("Dict", [node.key, node.value], scope)
    return _collection("Set", [node.element], scope)


def _collection(name: str, nodes: list[ast.TypeExpr], scope: TypeScope) -> Type:
    args = [resolve(node, scope) for node in nodes]
    if ERROR in args:
        return ERROR
    return instantiate(collection_symbol(scope.module.session, name), tuple(args))


def _wrap(make: Callable[[Type], Type], inner: Type) -> Type:
    return ERROR if inner is ERROR else make(inner)


def _report(scope: TypeScope, diagnostic: Diagnostic) -> Type:
    scope.module.session.reporter.report(diagnostic)
    return ERROR


def _resolve_array(node: ast.ArrayType, scope: TypeScope) -> Type:
    element = resolve(node.element, scope)
    if node.length is None or element is ERROR:
        return _wrap(array_of, element)
    length = scope.module.session.constant_integer(node.length, scope.module, "a length", scope.blocks)
    if length is None:
        return ERROR
    if length < 0:
        return _report(
            scope, rule.ARRAY_LENGTH.at(node.length.span, "an array has no negative length")
        )
    return fixed_array_of(element, length)


def _resolve_function(node: ast.FunctionType, scope: TypeScope) -> Type:
    params = [resolve(param, scope) for param in node.params]
    result = resolve(node.result, scope) if node.result else UNIT
    if ERROR in params or result is ERROR:
        return ERROR
    return function_of(params, result)


def _resolve_named(node: ast.NamedType, scope: TypeScope) -> Type:
    name = node.path[0].name
    if len(node.path) == 1:
        found = scope.types.get(name) or BUILTIN_TYPES.get(name)
        if found is not None:
            if node.args:
                return _report(
                    scope, rule.WRONG_TYPE_ARITY.at(node.span, f"`{name}` takes no type arguments")
                )
            return found
    symbol = scope.lookup(name)
    for ident in node.path[1:]:
        if not isinstance(symbol, ModuleSymbol):
            break
        symbol = scope.module.session.member(symbol.target, ident.name, ident.span)
        if symbol is None:
            return ERROR
    if symbol is None:
        return _resolve_builtin_generic(node, scope)
    return type_of_symbol(symbol, node, scope)


def _resolve_builtin_generic(node: ast.NamedType, scope: TypeScope) -> Type:
    """`List<T>` and `Option<T>`; a name that means nothing is reported here."""
    name = node.path[0].name
    make = {"List": array_of, "Option": optional_of}.get(name)
    if make is not None and len(node.path) == 1:
        if len(node.args) != 1:
            return _report(scope, rule.WRONG_TYPE_ARITY.at(node.span, f"`{name}` takes 1 type argument"))
        return _wrap(make, resolve(node.args[0], scope))
    if name in NAMES and len(node.path) == 1:
        wanted = PARAMETERS[NAMES[name]]
        if len(node.args) != wanted:
            plural = "argument" if wanted == 1 else "arguments"
            return _report(
                scope, rule.WRONG_TYPE_ARITY.at(node.span, f"`{name}` takes {wanted} type {plural}")
            )
        return _collection(NAMES[name], node.args, scope)
    if name == "Result" and len(node.path) == 1:
        return type_of_symbol(result_symbol(scope.module.session), node, scope)
    from simple_jit.hir.traits import KNOWN

    if name in KNOWN:
        return _report(
            scope,
            rule.BOUND_AS_TYPE.at(node.span, f"`{name}` is a bound, not the type of a value").hint(
                f"for values of several types write `any`; for one type each call, `<T: {name}>` and `T`"
            ),
        )
    return _unknown_type(node, scope)


def _unknown_type(node: ast.NamedType, scope: TypeScope) -> Type:
    name = node.path[0].name
    diagnostic = rule.UNKNOWN_TYPE.at(node.path[0].span, f"there is no type `{name}`")
    names = [n for n, s in scope.module.names.items() if is_type(s)]
    near = suggest(name, [*names, *scope.types, *BUILTIN_TYPES, *NAMES, "List", "Option", "Result"])
    return _report(scope, diagnostic.hint(f"did you mean `{near}`?") if near else diagnostic)


def result_symbol(session: Session) -> EnumSymbol:
    """Return the core library's enum `Result`."""
    symbol = session.loader.core("core.result").find("Result")
    assert isinstance(symbol, EnumSymbol)
    return symbol


def is_type(symbol: Symbol | None) -> bool:
    """May `symbol` stand where a type is wanted?"""
    return isinstance(symbol, _TYPE_SYMBOLS)


def type_of_symbol(symbol: Symbol, node: ast.NamedType, scope: TypeScope) -> Type:
    """Apply the type arguments of `node` to what its name stands for."""
    args = [resolve(arg, scope) for arg in node.args]
    if ERROR in args or isinstance(symbol, BrokenSymbol):
        return ERROR
    if isinstance(symbol, (RecordSymbol, EnumSymbol, AliasSymbol, TraitSymbol)):
        wanted = len(symbol.generics)
        if len(args) != wanted:
            return _report(scope, _wrong_type_arity(symbol, node, wanted))
        if isinstance(symbol, RecordSymbol):
            return instantiate(symbol, tuple(args))
        if isinstance(symbol, EnumSymbol):
            return enum_instance(symbol, tuple(args))
        if isinstance(symbol, TraitSymbol):
            from simple_jit.hir.traits import trait_instance

            return trait_instance(symbol, tuple(args))
        return substitute(alias_target(symbol), dict(zip(symbol.generics, args)))
    if args:
        return _report(scope, rule.WRONG_TYPE_ARITY.at(node.span, f"`{symbol.name}` takes no type arguments"))
    if isinstance(symbol, TypeSymbol):
        return symbol.type
    return _report(
        scope,
        rule.NOT_A_TYPE.at(node.span, f"`{symbol.name}` is not a type").also(symbol.span, "declared here"),
    )


def _wrong_type_arity(symbol: Symbol, node: ast.NamedType, wanted: int) -> Diagnostic:
    plural = "argument" if wanted == 1 else "arguments"
    return rule.WRONG_TYPE_ARITY.at(
        node.span, f"`{symbol.name}` takes {wanted} type {plural}, but {len(node.args)} were given"
    ).also(symbol.span, "declared here")


def alias_target(symbol: AliasSymbol) -> Type:
    """Return what an alias stands for, its parameters as type variables."""
    if symbol.target is None:
        if symbol.resolving:
            symbol.module.session.reporter.report(
                rule.CYCLIC_ALIAS.at(symbol.span, f"the type `{symbol.name}` stands for itself")
            )
            return ERROR
        symbol.resolving = True
        scope = TypeScope(symbol.module, {var.name: var for var in symbol.generics})
        symbol.target = resolve(symbol.decl.target, scope)
        symbol.resolving = False
    return symbol.target


def instantiate(symbol: RecordSymbol, args: tuple[Type, ...]) -> StructType:
    """Return the struct or class `symbol` with its type arguments."""
    args = tuple(map(generalised, args))
    found = symbol.instances.get(args)
    if found is None:
        keys = f"<{', '.join(map(type_key, args))}>" if args else ""
        key = f"{symbol.module.key}.{symbol.name}{keys}"
        is_class = symbol.decl.kind == "class"
        found = StructType(shown_name(symbol, args), key, symbol.decl, args, is_class, symbol)
        symbol.instances[args] = found
        if len(symbol.instances) > 1 and _depth(args) > _INSTANCE_DEPTH:
            symbol.module.session.reporter.report(
                rule.ENDLESS_TYPE.at(symbol.span, f"`{symbol.name}` contains ever larger instances of itself")
            )
            return found
        _resolve_fields(found, symbol)
    return found


def _depth(args: tuple[Type, ...]) -> int:
    """How deep do type arguments nest? Counted in their brackets."""
    return max(type_key(arg).count("<") + type_key(arg).count("[") for arg in args) if args else 0


def _resolve_fields(type: StructType, symbol: RecordSymbol) -> None:
    types: dict[str, Type] = {var.name: arg for var, arg in zip(symbol.generics, type.args)}
    types["Self"] = type
    scope = TypeScope(symbol.module, types)
    seen: dict[str, ast.FieldDecl] = {}
    for decl in symbol.decl.members:
        first = seen.setdefault(decl.name.name, decl)
        if first is not decl:
            symbol.module.session.reporter.report(
                rule.DUPLICATE_NAME.at(
                    decl.name.span, f"the field `{decl.name.name}` is declared twice"
                ).also(first.name.span, "first declared here")
            )
            continue
        type.fields.append(Field(decl.name.name, resolve(decl.type, scope), decl.default))


def enum_type(symbol: EnumSymbol) -> EnumType:
    """Return the type that an enum declares, its parameters as type variables."""
    return enum_instance(symbol, tuple(symbol.generics))


def enum_instance(symbol: EnumSymbol, args: tuple[Type, ...]) -> EnumType:
    """Return the enum `symbol` with its type arguments."""
    args = tuple(map(generalised, args))
    found = symbol.instances.get(args)
    if found is None:
        shown = f"<{', '.join(map(str, args))}>" if args else ""
        keys = f"<{', '.join(map(type_key, args))}>" if args else ""
        key = f"{symbol.module.key}.{symbol.name}{keys}"
        found = symbol.instances[args] = EnumType(symbol.name + shown, key, symbol.decl, args, symbol)
        if len(symbol.instances) > 1 and _depth(args) > _INSTANCE_DEPTH:
            symbol.module.session.reporter.report(
                rule.ENDLESS_TYPE.at(symbol.span, f"`{symbol.name}` contains ever larger instances of itself")
            )
            return found
        from simple_jit.hir.check_enums import declare_variants

        declare_variants(found, symbol)
    return found


def set_bounds(var: TypeVar, node: ast.GenericParam, where: list[ast.WhereBound], scope: TypeScope) -> None:
    """Give a type parameter its bounds, those after `where` included."""
    bounds = list(node.bounds)
    for clause in where:
        subject = clause.subject
        if isinstance(subject, ast.NamedType) and subject.path[0].name == var.name:
            bounds += clause.bounds
    var.bound_nodes = bounds
    var.bound_scope = scope
    var.bounds = tuple(b.path[-1].name for b in bounds if isinstance(b, ast.NamedType))
