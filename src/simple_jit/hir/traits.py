"""Traits and what implements them.

An `impl Trait for X` enters its methods among those of `X`; the trait's default methods that it does
not write are made for `X` when they are first used. The traits of the table `KNOWN` are part of the
language: a type implements one of them by having its methods, with or without an `impl`.
"""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.base.diagnostics import suggest
from simple_jit.hir.core_index import BOUNDS
from simple_jit.hir.symbols import (
    ERROR,
    BrokenSymbol,
    FunctionSymbol,
    Module,
    ModuleSymbol,
    Owner,
    Symbol,
    TraitSymbol,
    TypeVar,
    is_open,
    match,
    substitute,
    type_key,
)
from simple_jit.hir.types import (
    ANY,
    BOOL,
    TEXT,
    ArrayType,
    EnumType,
    OptionalType,
    StructType,
    TraitType,
    TupleType,
    Type,
    is_number,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from simple_jit.hir.resolve_types import TypeScope
    from simple_jit.hir.session import Session
    from simple_jit.hir.symbols import Env

KNOWN: Final[dict[str, tuple[str, int]]] = {
    "Comparable": ("cmp", 1),
    "Display": ("to_text", 0),
    "Iterable": ("iter", 0),
    "Iterator": ("next", 0),
    "Equal": ("eq", 1),
    "Hash": ("hash", 0),
    "Add": ("add", 1),
    "Sub": ("sub", 1),
    "Mul": ("mul", 1),
    "Div": ("div", 1),
    "FloorDiv": ("floordiv", 1),
    "Rem": ("rem", 1),
    "Pow": ("pow", 1),
    "Neg": ("neg", 0),
    "Index": ("index", 1),
}
"""The traits of the language, each with its method and how many arguments that takes."""

_ARITHMETIC = ("Add", "Sub", "Mul", "Div", "FloorDiv", "Rem", "Pow", "Neg")


class Impl:
    """An `impl Trait for X` block. What its trait is, is found on first use.

    `defaults` are the trait's default methods as methods of `X`, made when they are wanted.
    """

    __slots__ = ("_trait", "decl", "defaults", "is_resolved", "methods", "module", "names", "owner")

    def __init__(self, decl: ast.ImplDecl, module: Module, owner: Owner, names: dict[str, Symbol]) -> None:
        self.decl = decl
        self.module = module
        self.owner = owner
        self.names = names
        self.methods: dict[str, FunctionSymbol] = {}
        self.defaults: dict[str, FunctionSymbol] = {}
        self._trait: TraitType | str | None = None
        self.is_resolved = False

    @property
    def blocks(self) -> Callable[[str], Symbol | None] | None:
        """What looks up the names of the block that the `impl` stands in, None at the top level."""
        return None if self.names is self.module.names else self.names.get

    @property
    def trait(self) -> TraitType | str | None:
        """The trait, its arguments in terms of the block's type parameters; a name of `KNOWN`; or None."""
        if not self.is_resolved:
            self.is_resolved = True
            from simple_jit.hir.resolve_types import TypeScope

            assert self.decl.trait is not None
            types: dict[str, Type] = {var.name: var for var in self.owner.generics}
            scope = TypeScope(self.module, types, self.blocks)
            self._trait = trait_named(self.decl.trait, scope)
        return self._trait

    def types(self) -> dict[str, Type]:
        """Return what the trait's type parameters stand for in this block."""
        trait = self.trait
        if not isinstance(trait, TraitType):
            return {}
        return {var.name: arg for var, arg in zip(trait.scope.generics, trait.args)}

    def default(self, name: str) -> FunctionSymbol | None:
        """Return a default method of the trait that the block does not write itself."""
        trait = self.trait
        if not isinstance(trait, TraitType) or name in self.methods:
            return None
        found = self.defaults.get(name)
        if found is None:
            decl = method_decl(trait.scope, name)
            if decl is None or decl.body is None:
                return None
            owner = Owner(self.owner.label, self.owner.generics, self.owner.node, self.owner.scope)
            owner.impl = self
            owner.target = self.owner.target
            found = self.defaults[name] = FunctionSymbol(decl, trait.scope.module, owner)
        return found

    def method(self, name: str) -> FunctionSymbol | None:
        """Return the method that implements one of the trait's; None where the type itself has it."""
        return self.methods.get(name) or self.default(name)


def method_decl(symbol: TraitSymbol, name: str) -> ast.FunctionDecl | None:
    """Return the declaration of a method in a trait."""
    return next((decl for decl in symbol.decl.methods if decl.name.name == name), None)


def trait_instance(symbol: TraitSymbol, args: tuple[Type, ...]) -> TraitType:
    """Return the trait `symbol` with its type arguments, as a type."""
    found = symbol.instances.get(args)
    if found is None:
        shown = f"<{', '.join(map(str, args))}>" if args else ""
        keys = f"<{', '.join(map(type_key, args))}>" if args else ""
        key = f"{symbol.module.key}.{symbol.name}{keys}"
        found = symbol.instances[args] = TraitType(symbol.name + shown, key, symbol.decl, args, symbol)
    return found


def value_methods(symbol: TraitSymbol) -> dict[str, FunctionSymbol]:
    """Return the methods of a trait's values: each calls that of the type that the value has."""
    if symbol.methods is None:
        symbol.methods = {}
        for decl in symbol.decl.methods:
            if decl.mode == "static":
                continue
            method = FunctionSymbol(
                decl, symbol.module, Owner(symbol.name, symbol.generics, symbol, symbol.module)
            )
            method.is_dispatched = True
            symbol.methods.setdefault(method.name, method)
    return symbol.methods


# --- the names of traits -----------------------------------------------------------


def trait_named(node: ast.TypeExpr, scope: TypeScope) -> TraitType | str | None:
    """Return the trait that a bound or an `impl` names; None after reporting that there is none."""
    from simple_jit.hir.resolve_types import resolve

    reporter = scope.module.session.reporter
    if not isinstance(node, ast.NamedType):
        reporter.report(rule.NOT_A_TRAIT.at(node.span, f"`{node.span.text}` is not a trait"))
        return None
    symbol = _find(node, scope)
    name = node.path[-1].name
    if symbol is None and (name in KNOWN or name in BOUNDS):
        return name
    if isinstance(symbol, BrokenSymbol):
        return None
    if not isinstance(symbol, TraitSymbol):
        _report_no_trait(node, symbol, scope)
        return None
    args = [resolve(arg, scope) for arg in node.args]
    if ERROR in args:
        return None
    if len(args) != len(symbol.generics):
        plural = "argument" if len(symbol.generics) == 1 else "arguments"
        reporter.report(
            rule.WRONG_TYPE_ARITY.at(
                node.span,
                f"`{symbol.name}` takes {len(symbol.generics)} type {plural}, but {len(args)} were given",
            ).also(symbol.span, "declared here")
        )
        return None
    return trait_instance(symbol, tuple(args))


def _find(node: ast.NamedType, scope: TypeScope) -> Symbol | None:
    symbol = scope.lookup(node.path[0].name)
    for ident in node.path[1:]:
        if not isinstance(symbol, ModuleSymbol):
            break
        symbol = scope.module.session.member(symbol.target, ident.name, ident.span)
    return symbol


def _report_no_trait(node: ast.NamedType, symbol: Symbol | None, scope: TypeScope) -> None:
    name = node.path[-1].name
    if symbol is not None:
        diagnostic = rule.NOT_A_TRAIT.at(node.span, f"`{name}` is not a trait").also(
            symbol.span, "declared here"
        )
    else:
        diagnostic = rule.NOT_A_TRAIT.at(node.span, f"there is no trait `{name}`")
        declared = [n for n, s in scope.module.names.items() if isinstance(s, TraitSymbol)]
        near = suggest(name, [*declared, *KNOWN, *BOUNDS])
        if near:
            diagnostic.hint(f"did you mean `{near}`?")
    scope.module.session.reporter.report(diagnostic)


# --- who implements what -----------------------------------------------------------


def find_impl(session: Session, type: Type, trait: TraitType) -> tuple[Impl, Env] | None:
    """Return the block that implements `trait` for `type`, with what its type parameters stand for."""
    for impl, env, found in impls_of(session, type, trait.scope):
        if found is trait:
            return impl, env
    return None


def impls_of(session: Session, type: Type, symbol: TraitSymbol) -> list[tuple[Impl, Env, TraitType]]:
    """Return the blocks that implement a trait for `type`, and with which arguments each."""
    from simple_jit.hir.instances import owner_target
    from simple_jit.hir.session import head_of, meets

    found = []
    for head in (head_of(type), "*"):
        for impl in session.impls.get(head, ()):
            trait = impl.trait
            if not isinstance(trait, TraitType) or trait.scope is not symbol:
                continue
            env: Env = {}
            if match(owner_target(impl.owner), type, env) and all(
                meets(session, t, v) for v, t in env.items()
            ):
                applied = substitute(trait, env)
                assert isinstance(applied, TraitType)
                found.append((impl, env, applied))
    return found


def implements(session: Session, type: Type, trait: TraitType | str) -> bool:
    """Does `type` implement a trait, or meet a bound of the language?"""
    if isinstance(trait, str):
        return _implements_known(session, type, trait)
    return type is trait or (not isinstance(type, TraitType) and find_impl(session, type, trait) is not None)


def _implements_known(session: Session, type: Type, name: str) -> bool:
    if name in BOUNDS:
        return type.name in BOUNDS[name]
    if name in ("Display", "Equal", "Hash") or type is ANY:
        return True
    if is_number(type) and (name in _ARITHMETIC or name == "Comparable"):
        return True
    if name == "Comparable" and _is_comparable(session, type):
        return True
    if name == "Add" and (type is TEXT or isinstance(type, ArrayType)):
        return True
    if name in ("Iterable", "Index") and (type is TEXT or isinstance(type, ArrayType) or _is_dict(type)):
        return True
    if session.find_method(type, KNOWN[name][0]) is not None:
        return True
    return name == "Iterable" and session.find_method(type, "next") is not None


def _is_dict(type: Type) -> bool:
    from simple_jit.hir.collections import is_collection

    return is_collection(type)


def _is_comparable(session: Session, type: Type) -> bool:
    if isinstance(type, TupleType):
        return all(_is_comparable(session, item) for item in type.items)
    if isinstance(type, ArrayType):
        return _is_comparable(session, type.elem)
    if is_number(type) or type is BOOL or type is TEXT:
        return True
    return session.find_method(type, "cmp") is not None


def match_trait(pattern: TraitType, actual: Type, env: Env) -> bool:
    """Bind the type variables of `Container<T>` so that it becomes the trait that `actual` implements."""
    if isinstance(actual, TraitType):
        return actual.scope is pattern.scope and all(
            match(p, a, env) for p, a in zip(pattern.args, actual.args)
        )
    if not isinstance(actual, (StructType, EnumType, ArrayType, TupleType, OptionalType)) and is_open(actual):
        return False
    for _, _, trait in impls_of(pattern.scope.module.session, actual, pattern.scope):
        attempt = dict(env)
        if all(match(p, a, attempt) for p, a in zip(pattern.args, trait.args)):
            env.update(attempt)
            return True
    return False


def bounds(var: TypeVar, scope: TypeScope) -> list[TraitType | str]:
    """Return the bounds of a type parameter; those that do not exist are reported."""
    found = [trait_named(node, scope) for node in var.bound_nodes]
    return [trait for trait in found if trait is not None]
