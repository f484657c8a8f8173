"""What the checking of one program shares: modules, methods by type, instances, globals, diagnostics."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.base.diagnostics import CompileError, Reporter
from simple_jit.hir.core_index import BOUNDS
from simple_jit.hir.modules import LIBRARY, Loader
from simple_jit.hir.symbols import (
    BrokenSymbol,
    FunctionSymbol,
    ImportSymbol,
    Module,
    Symbol,
    TraitSymbol,
    match,
)
from simple_jit.hir.types import (
    ArrayType,
    EnumType,
    OptionalType,
    StructType,
    TraitType,
    TupleType,
    Type,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from simple_jit.base.source import Span
    from simple_jit.hir import nodes as hir
    from simple_jit.hir.dispatch import Dispatcher
    from simple_jit.hir.externs import MissingExtern
    from simple_jit.hir.instances import Instance
    from simple_jit.hir.symbols import Env, TypeVar
    from simple_jit.hir.traits import Impl

    Head: TypeAlias = str | Symbol
    ExternLookup: TypeAlias = Callable[[str, str | None, bool], bool | MissingExtern]
    ExternSignature: TypeAlias = Callable[[str, str | None], tuple[tuple[Type, ...], Type] | None]


class Options:
    """How a program is to be checked.

    `extern_lookup(name, library, from_library)` says whether a foreign function is one of Python, or why
    there is none; what the standard library declares (`from_library`) is not looked for among functions that
    users registered. Without it every name is taken to exist. `extern_signature` tells the types of a Python
    function.
    `library` is the folder of the standard library. `testing`: `@test` functions become examples, and
    `main` is not called, nor is it where `calls_main` is false. `first_global` is the first free cell for
    module-level variables, of which the context has `most_globals`.
    """

    __slots__ = (
        "calls_main",
        "extern_lookup",
        "extern_signature",
        "first_global",
        "library",
        "most_globals",
        "overflow_checks",
        "search_path",
        "testing",
    )

    def __init__(
        self,
        *,
        overflow_checks: bool = False,
        search_path: list[str] | None = None,
        extern_lookup: ExternLookup | None = None,
        extern_signature: ExternSignature | None = None,
        library: str = LIBRARY,
        testing: bool = False,
        calls_main: bool = True,
        first_global: int = 0,
        most_globals: int = 1 << 16,
    ) -> None:
        self.overflow_checks = overflow_checks
        self.search_path = search_path or []
        self.extern_lookup = extern_lookup
        self.extern_signature = extern_signature
        self.library = library
        self.testing = testing
        self.calls_main = calls_main
        self.first_global = first_global
        self.most_globals = most_globals


class Session:
    """The state of one check; lives on in the program, which checks library instances on demand."""

    def __init__(self, reporter: Reporter, options: Options) -> None:
        self.reporter = reporter
        self.options = options
        self.functions: dict[str, hir.Function] = {}
        self.globals: list[hir.Global] = []
        self.queue: list[Instance] = []
        self.active: list[Instance] = []
        self.derived: dict[tuple[str, Type], Instance] = {}
        self.expressions: dict[tuple[ast.Expr, tuple[object, ...]], Instance] = {}
        self.inits: dict[Module, Instance] = {}
        self.cells: dict[Type, StructType] = {}
        self.codes: dict[Symbol, object] = {}
        self.wrappers: dict[tuple[ast.Expr, int], ast.Lambda] = {}
        self.cyclic: set[Module] = set()
        self.has_specs = False
        self.impls: dict[Head, list[Impl]] = {}
        self._impls: dict[ast.Node, Impl] = {}
        self.dynamic: dict[Type, None] = {}
        self.dispatchers: list[Dispatcher] = []
        self.attempted: list[Instance] | None = None  # the instances checked in `dispatch.attempt`
        self.broken: set[hir.Function] = set()  # those of them that no accepted attempt may use
        self.chosen: dict[tuple[object, ...], Instance] = {}
        self._declared: dict[ast.Node, list[FunctionSymbol]] = {}
        self._methods: dict[Head, dict[str, list[FunctionSymbol]]] = {}
        self.loader = Loader(self, options.search_path, options.library, self._loaded)

    # --- names -----------------------------------------------------------------

    def lookup(self, module: Module, name: str) -> Symbol | None:
        """Return what `name` means at the top level of `module`, imports resolved."""
        found = module.find(name)
        if isinstance(found, ImportSymbol):
            return self.loader.resolve(found) or BrokenSymbol(name, module, found.span)
        if found is not None:
            return found
        return self._starred(module, name) if module.stars else None

    def _starred(self, module: Module, name: str) -> Symbol | None:
        """Return what `name` means among the names that `use m.*` brings in."""
        from simple_jit.hir.modules import is_visible

        found: dict[Symbol, Module] = {}
        for star in module.stars:
            target = self.loader.star_module(star)
            symbol = target.find(name) if target is not None else None
            if target is None or symbol is None or not is_visible(target, name, symbol):
                continue
            meant = self.loader.resolve(symbol) if isinstance(symbol, ImportSymbol) else symbol
            if meant is not None and found and meant not in found:
                first = next(iter(found.values()))
                message = f"`{name}` comes from `{first.key}` and from `{target.key}`"
                self.reporter.report(
                    rule.AMBIGUOUS_IMPORT.at(star.span, message).hint(
                        f"import the one that is meant by its name: `use {first.key}.{{{name}}}`"
                    )
                )
            elif meant is not None:
                found[meant] = target
        return next(iter(found), None)

    def member(self, module: Module, name: str, span: Span) -> Symbol | None:
        """Return `name` of another module; reports where there is none."""
        return self.loader.member(module, name, span)

    def names_of(self, module: Module) -> list[str]:
        """Return every name that is visible at the top level, for suggestions."""
        names = list(module.names)
        for star in module.stars:
            target = self.loader.star_module(star)
            names += [*target.names, *target.pending] if target else ()
        return names

    # --- methods ---------------------------------------------------------------

    def _loaded(self, module: Module, statements: list[ast.Stmt]) -> None:
        """Enter the methods in statements that were just parsed."""
        for statement in statements:
            if isinstance(statement, (ast.RecordDecl, ast.EnumDecl, ast.ImplDecl)):
                self.add_methods(statement, module, module.names)

    def add_methods(
        self,
        statement: ast.RecordDecl | ast.EnumDecl | ast.ImplDecl,
        module: Module,
        names: dict[str, Symbol],
    ) -> None:
        """Enter the methods of a declaration or `impl`; `names` are those around it."""
        from simple_jit.hir.owners import owner_and_heads

        owner, heads = owner_and_heads(statement, module, names)
        impl = None
        if isinstance(statement, ast.ImplDecl) and statement.trait is not None:
            from simple_jit.hir.traits import Impl

            impl = owner.impl = self._impls[statement] = Impl(statement, module, owner, names)
            for head in heads:
                self.impls.setdefault(head, []).append(impl)
        for decl in statement.methods:
            if decl.body is None:
                continue
            symbol = FunctionSymbol(decl, module, owner)
            self._declared.setdefault(statement, []).append(symbol)
            if impl is not None:
                impl.methods[symbol.name] = symbol
            for head in heads:
                self._methods.setdefault(head, {}).setdefault(symbol.name, []).append(symbol)

    def impl_of(self, statement: ast.ImplDecl) -> Impl | None:
        """Return what an `impl Trait for …` was entered as."""
        return self._impls.get(statement)

    def methods_of(self, statement: ast.Node) -> list[FunctionSymbol]:
        """Return the methods that a declaration or `impl` holds."""
        return self._declared.get(statement, [])

    def find_method(self, type: Type, name: str) -> tuple[FunctionSymbol, Env] | None:
        """Return the method `name` of `type`, with what its owner's type parameters stand for."""
        from simple_jit.hir.instances import owner_target

        best: tuple[FunctionSymbol, Env] | None = None
        for symbol in self._candidates(type, name):
            env: Env = {}
            assert symbol.owner is not None
            if match(owner_target(symbol.owner), type, env) and all(
                meets(self, t, v) for v, t in env.items()
            ):
                if best is None or len(env) < len(best[1]):
                    best = symbol, env
        return best

    def methods_named(self, type: Type, name: str, openness: int) -> list[FunctionSymbol]:
        """Return the methods `name` of `type` whose owners have so many type parameters."""
        from simple_jit.hir.instances import owner_target

        found = []
        for symbol in self._candidates(type, name):
            env: Env = {}
            assert symbol.owner is not None
            if match(owner_target(symbol.owner), type, env) and len(env) == openness:
                if all(meets(self, t, v) for v, t in env.items()):
                    found.append(symbol)
        return found

    def _candidates(self, type: Type, name: str) -> list[FunctionSymbol]:
        head = head_of(type)
        found: list[FunctionSymbol] = []
        for key in (head, "*"):
            named = _core_name(key)
            if named is not None:
                for piece in self.loader.index.methods.get(named, {}).get(name, ()):
                    if not piece.is_parsed:
                        self.loader.parse_piece(self.loader.core(piece.module), piece)
            found += self._methods.get(key, {}).get(name, ())
        if isinstance(head, TraitSymbol):
            from simple_jit.hir.traits import value_methods

            method = value_methods(head).get(name)
            return [method] if method is not None else []
        for key in (head, "*"):
            for impl in self.impls.get(key, ()):
                default = impl.default(name)
                if default is not None:
                    found.append(default)
        return found

    def method_names(self, type: Type) -> list[str]:
        """Return the names of all methods of `type`, for suggestions."""
        head = head_of(type)
        names = list(self._methods.get(head, ()))
        if isinstance(head, TraitSymbol):
            names += [decl.name.name for decl in head.decl.methods]
        named = _core_name(head)
        if named is not None:
            names += [name for name in self.loader.index.methods.get(named, ()) if name[0] != "_"]
        return names

    # --- constants -------------------------------------------------------------

    def constant_integer(
        self,
        node: ast.Expr,
        module: Module,
        what: str,
        blocks: Callable[[str], Symbol | None] | None = None,
    ) -> int | None:
        """Evaluate the value of an enum's variant or the length of an array; None after reporting."""
        from simple_jit.hir.constants import evaluate_integer

        return evaluate_integer(self, node, module, what, blocks)

    # --- instances -------------------------------------------------------------

    def drain(self) -> None:
        """Check the instances that wait, and those that they reach."""
        from simple_jit.hir.instances import check_instance

        while self.queue:
            check_instance(self.queue.pop())

    def settle(self) -> None:
        """The same, and make the functions that choose by the type of a value (`hir.dispatch`)."""
        self.drain()
        if self.dispatchers:
            from simple_jit.hir.dispatch import build_dispatchers

            build_dispatchers(self)

    def demand(self, instance: Instance) -> None:
        """Check one instance when it first runs; it is the library's, so errors are not expected."""
        from simple_jit.hir.instances import check_instance

        self.reporter = self.loader.reporter = Reporter()
        check_instance(instance)
        self.settle()
        if self.reporter.has_errors:
            raise CompileError(self.reporter.diagnostics)


def head_of(type: Type) -> Head:
    """Return under what the methods of `type` are kept."""
    if isinstance(type, ArrayType):
        return "array"
    if isinstance(type, OptionalType):
        return "optional"
    if isinstance(type, TupleType):
        return "tuple"
    if isinstance(type, (StructType, EnumType, TraitType)):
        assert isinstance(type.scope, Symbol)
        return type.scope
    return type.name


def _core_name(head: Head) -> str | None:
    """Return under what the index of the core library has the methods of `head`."""
    if isinstance(head, str):
        return head
    return head.name if head.module.is_core else None


def meets(session: Session, type: Type, var: TypeVar) -> bool:
    """Does `type` meet the bounds of a type parameter?"""
    if not all(type.name in BOUNDS[bound] for bound in var.bounds if bound in BOUNDS):
        return False
    if var.bound_scope is None or not any(bound not in BOUNDS for bound in var.bounds):
        return True
    from simple_jit.hir.traits import bounds, implements

    return all(implements(session, type, bound) for bound in bounds(var, var.bound_scope))
