"""What names stand for, before any instance is made: modules, functions, types, variables.

A module's names are collected from its syntax tree when the module is loaded (`hir.modules`); what a
symbol means in detail (a signature, a field's type, a constant's value) is found on first use.
"""

from __future__ import annotations

from simple_jit.hir.types import (
    UNIT,
    ArrayType,
    ClosureType,
    EnumType,
    FixedArrayType,
    FnType,
    OptionalType,
    StructType,
    TraitType,
    TupleType,
    Type,
    array_of,
    fixed_array_of,
    function_of,
    optional_of,
    plain_function,
    tuple_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from simple_jit.base.source import SourceFile, Span
    from simple_jit.hir import nodes as hir
    from simple_jit.hir.closures import Capture, Home
    from simple_jit.hir.core_index import Piece
    from simple_jit.hir.resolve_types import TypeScope
    from simple_jit.hir.session import Session
    from simple_jit.hir.traits import Impl
    from simple_jit.syntax import ast


class TypeVar(Type):
    """A type parameter in a signature; instances have none."""

    __slots__ = ("bound_nodes", "bound_scope", "bounds")

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.bounds: tuple[str, ...] = ()
        self.bound_nodes: list[ast.TypeExpr] = []
        self.bound_scope: TypeScope | None = None


class ErrorType(Type):
    """The type of what could not be checked; nothing more is said about it."""

    __slots__ = ()


ERROR = ErrorType("<error>")


_HOLES = {"array": ("[_]", "[]"), "nil": ("nil", "nil"), "dict": ("{_: _}", "{}"), "set": ("{_}", "Set()")}


class HoleType(Type):
    """The type of `[]`, `nil`, `{}` or `Set()` in a binding whose type later use settles (`hir.holes`).

    `kind` is `array`, `nil`, `dict` or `set`. `owner` are the hints of the body that has the binding, where
    that is not the one that uses it: the variable is captured.
    """

    __slots__ = ("binding", "kind", "owner")

    def __init__(self, binding: ast.Node, is_array: bool, kind: str = "") -> None:
        self.kind = kind or ("array" if is_array else "nil")
        super().__init__(_HOLES[self.kind][0])
        self.binding = binding
        self.owner: dict[ast.Node, Type] | None = None

    @property
    def is_array(self) -> bool:
        return self.kind == "array"

    @property
    def is_nil(self) -> bool:
        return self.kind == "nil"

    @property
    def shown(self) -> str:
        """The text form of the value."""
        return _HOLES[self.kind][1]


class Module:
    """One source file. `key` is its dotted name, `main` for the program itself.

    `pending` are the functions of a core module that have not been parsed yet.
    """

    __slots__ = (
        "exports",
        "is_core",
        "is_library",
        "key",
        "names",
        "path",
        "pending",
        "session",
        "source",
        "stars",
        "tree",
    )

    def __init__(self, key: str, path: str, source: SourceFile, tree: ast.Module, session: Session) -> None:
        self.key = key
        self.session = session
        self.path = path
        self.source = source
        self.tree = tree
        self.names: dict[str, Symbol] = {}
        self.stars: list[ImportSymbol] = []
        self.exports: set[str] | None = None
        self.pending: dict[str, Piece] = {}
        self.is_library = False
        self.is_core = False

    def find(self, name: str) -> Symbol | None:
        """Return what `name` is declared as here; a function of the core library is parsed now."""
        found = self.names.get(name)
        if found is None and name in self.pending:
            self.session.loader.parse_piece(self, self.pending[name])
            found = self.names.get(name)
        return found


class Symbol:
    """A declared name."""

    __slots__ = ("module", "name", "span")

    def __init__(self, name: str, module: Module, span: Span) -> None:
        self.name = name
        self.module = module
        self.span = span


class ImportSymbol(Symbol):
    """A name that `use` brings in: `target` of the module at `path`, or that module itself (None).

    `use a.b` may mean either; the loader tries the module `a.b` first, then `b` of `a`. `use_span` is the
    path in the `use`.
    """

    __slots__ = ("either", "path", "public", "resolved", "target", "use_span")

    def __init__(
        self,
        name: str,
        module: Module,
        span: Span,
        path: tuple[str, ...],
        target: str | None,
        either: bool,
    ) -> None:
        super().__init__(name, module, span)
        self.path = path
        self.target = target
        self.either = either
        self.public = False
        self.resolved: Symbol | None = None
        self.use_span = span


class ModuleSymbol(Symbol):
    """A module as a name: `b` after `use a.b`."""

    __slots__ = ("target",)

    def __init__(self, name: str, module: Module, span: Span, target: Module) -> None:
        super().__init__(name, module, span)
        self.target = target


class BrokenSymbol(Symbol):
    """What an import stands for that could not be resolved, which has been reported."""

    __slots__ = ()


class TypeSymbol(Symbol):
    """A name bound to a type: a type parameter, or the type it stands for in an instance."""

    __slots__ = ("type",)

    def __init__(self, name: str, module: Module, span: Span, type: Type) -> None:
        super().__init__(name, module, span)
        self.type = type


class AliasSymbol(Symbol):
    """`type Name<T> = target`."""

    __slots__ = ("decl", "generics", "resolving", "target")

    def __init__(self, decl: ast.AliasDecl, module: Module) -> None:
        super().__init__(decl.name.name, module, decl.name.span)
        self.decl = decl
        self.generics: list[TypeVar] = [TypeVar(g.name.name) for g in decl.generics]
        self.target: Type | None = None
        self.resolving = False


class RecordSymbol(Symbol):
    """A struct or class; `instances` by type arguments."""

    __slots__ = ("decl", "generics", "instances", "methods")

    def __init__(self, decl: ast.RecordDecl, module: Module) -> None:
        super().__init__(decl.name.name, module, decl.name.span)
        self.decl = decl
        self.generics: list[TypeVar] = [TypeVar(g.name.name) for g in decl.generics]
        self.instances: dict[tuple[Type, ...], StructType] = {}
        self.methods: dict[str, FunctionSymbol] = {}


class EnumSymbol(Symbol):
    """An enum; `instances` by type arguments."""

    __slots__ = ("decl", "generics", "instances", "methods")

    def __init__(self, decl: ast.EnumDecl, module: Module) -> None:
        super().__init__(decl.name.name, module, decl.name.span)
        self.decl = decl
        self.generics: list[TypeVar] = [TypeVar(g.name.name) for g in decl.generics]
        self.instances: dict[tuple[Type, ...], EnumType] = {}
        self.methods: dict[str, FunctionSymbol] = {}


class TraitSymbol(Symbol):
    """A trait; `instances` by type arguments. `methods` are those of its values (`hir.traits`)."""

    __slots__ = ("decl", "generics", "instances", "methods")

    def __init__(self, decl: ast.TraitDecl, module: Module) -> None:
        super().__init__(decl.name.name, module, decl.name.span)
        self.decl = decl
        self.generics: list[TypeVar] = [TypeVar(g.name.name) for g in decl.generics]
        self.instances: dict[tuple[Type, ...], TraitType] = {}
        self.methods: dict[str, FunctionSymbol] | None = None


class Owner:
    """What a method belongs to: its target type, with the type parameters of the `impl` or declaration.

    A target is resolved on first use; `label` names the type in symbols and messages. `impl` is set where
    the methods are those of an `impl Trait for …`, the trait's default methods among them.
    """

    __slots__ = ("generics", "impl", "label", "node", "scope", "target")

    def __init__(
        self,
        label: str,
        generics: list[TypeVar],
        node: ast.TypeExpr | RecordSymbol | EnumSymbol | TraitSymbol,
        scope: Module,
    ) -> None:
        self.impl: Impl | None = None
        self.label = label
        self.generics = generics
        self.node = node
        self.scope = scope
        self.target: Type | None = None


class Param:
    """A parameter of a signature; `type` is None where the argument's type is taken."""

    __slots__ = ("decl", "name", "type")

    def __init__(self, decl: ast.Param, type: Type | None) -> None:
        self.decl = decl
        self.name = decl.name.name
        self.type = type


class Signature:
    """A function's parameters and result, with type variables. `ret` None: inferred."""

    __slots__ = ("generics", "params", "ret", "self_type")

    def __init__(
        self,
        generics: list[TypeVar],
        params: list[Param],
        ret: Type | None,
        self_type: Type | None,
    ) -> None:
        self.generics = generics
        self.params = params
        self.ret = ret
        self.self_type = self_type


class FunctionSymbol(Symbol):
    """A function or method. `outer` holds the declarations around a function inside a block.

    `captured` are the variables around it that it uses, found when it is first used: its instances take
    them as further parameters. `home` says where to find them (`hir.closures.Home`).
    `is_dispatched`: a method of a trait's values, which calls that of the type that a value has.
    """

    __slots__ = (
        "annotations",
        "captured",
        "decl",
        "home",
        "instances",
        "is_dispatched",
        "mode",
        "outer",
        "owner",
        "prefix",
        "signature",
    )

    def __init__(
        self, decl: ast.FunctionDecl, module: Module, owner: Owner | None = None, outer: Outer | None = None
    ) -> None:
        super().__init__(decl.name.name, module, decl.name.span)
        self.decl = decl
        self.owner = owner
        self.mode = decl.mode if owner else "fn"
        self.outer = outer
        self.prefix = f"{owner.label}." if owner else ""
        self.signature: Signature | None = None
        self.instances: dict[tuple[Type, ...], object] = {}
        self.is_dispatched = False
        self.captured: list[Capture] | None = None
        self.home: Home | None = None
        self.annotations = frozenset(".".join(p.name for p in a.path) for a in decl.annotations)

    @property
    def has_self(self) -> bool:
        return self.owner is not None and self.mode != "static"


class Outer:
    """What a function declared in a block sees of the functions around it."""

    __slots__ = ("symbols", "types")

    def __init__(self, symbols: dict[str, Symbol], types: dict[str, Type]) -> None:
        self.symbols = symbols
        self.types = types


class ExternSymbol(Symbol):
    """`extern fn`; `extern` is made when first asked for, and None where it has errors."""

    __slots__ = ("decl", "extern", "is_resolved")

    def __init__(self, decl: ast.ExternFn, module: Module) -> None:
        super().__init__(decl.name.name, module, decl.name.span)
        self.decl = decl
        self.extern: hir.Extern | None = None
        self.is_resolved = False


class ConstSymbol(Symbol):
    """`const`; `value` is a literal expression without effects, made on first use."""

    __slots__ = ("decl", "evaluating", "value")

    def __init__(self, decl: ast.ConstDecl, module: Module) -> None:
        super().__init__(decl.name.name, module, decl.name.span)
        self.decl = decl
        self.value: hir.Expr | None = None
        self.evaluating = False


class GlobalSymbol(Symbol):
    """A name bound by a module-level `val` or `var`; `cell` is made once its type is known.

    `type` is that of the variable. Where a function may run before the variable is set, and reading
    zeros would not be safe, the cell is one of `type?`, and nil until then.
    """

    __slots__ = ("binding", "cell", "finding", "mutable", "type")

    def __init__(self, name: str, module: Module, span: Span, binding: ast.Binding) -> None:
        super().__init__(name, module, span)
        self.binding = binding
        self.mutable = binding.mutable
        self.cell: hir.Global | None = None
        self.type: Type | None = None
        self.finding = False


if TYPE_CHECKING:
    Env: TypeAlias = dict[TypeVar, Type]


def substitute(type: Type, env: Env) -> Type:
    """Replace the type variables that `env` binds."""
    if isinstance(type, TypeVar):
        return env.get(type, type)
    if isinstance(type, FixedArrayType):
        return fixed_array_of(substitute(type.elem, env), type.length)
    if isinstance(type, ArrayType):
        return array_of(substitute(type.elem, env))
    if isinstance(type, OptionalType):
        return optional_of(substitute(type.inner, env))
    if isinstance(type, TupleType):
        return tuple_of([substitute(item, env) for item in type.items])
    if isinstance(type, FnType) and not isinstance(type, ClosureType):
        return function_of([substitute(p, env) for p in type.params], substitute(type.ret, env))
    if isinstance(type, StructType) and type.args:
        from simple_jit.hir.resolve_types import instantiate

        return instantiate(type.scope, tuple(substitute(arg, env) for arg in type.args))
    if isinstance(type, EnumType) and type.args:
        from simple_jit.hir.resolve_types import enum_instance

        return enum_instance(type.scope, tuple(substitute(arg, env) for arg in type.args))
    if isinstance(type, TraitType) and type.args:
        from simple_jit.hir.traits import trait_instance

        return trait_instance(type.scope, tuple(substitute(arg, env) for arg in type.args))
    return type


def is_open(type: Type) -> bool:
    """Does `type` contain a type variable?"""
    if isinstance(type, TypeVar):
        return True
    if isinstance(type, ArrayType):
        return is_open(type.elem)
    if isinstance(type, OptionalType):
        return is_open(type.inner)
    if isinstance(type, TupleType):
        return any(map(is_open, type.items))
    if isinstance(type, FnType) and not isinstance(type, ClosureType):
        return is_open(type.ret) or any(map(is_open, type.params))
    if isinstance(type, (StructType, EnumType, TraitType)):
        return any(map(is_open, type.args))
    return False


def match(pattern: Type, actual: Type, env: Env) -> bool:
    """Bind the type variables of `pattern` so that it becomes `actual`; False where it cannot.

    A pattern `T?` also matches what is not optional. A variable that is bound already stays as it is.
    """
    if isinstance(pattern, TypeVar):
        if isinstance(actual, ClosureType) and not actual.is_open:
            actual = plain_function(actual)
        bound = env.setdefault(pattern, actual)
        return bound is actual
    if isinstance(pattern, OptionalType):
        inner = actual.inner if isinstance(actual, OptionalType) else actual
        return match(pattern.inner, inner, env)
    if isinstance(pattern, ArrayType):
        return isinstance(actual, ArrayType) and match(pattern.elem, actual.elem, env)
    if isinstance(pattern, TupleType):
        return (
            isinstance(actual, TupleType)
            and len(pattern.items) == len(actual.items)
            and all(match(p, a, env) for p, a in zip(pattern.items, actual.items))
        )
    if isinstance(pattern, FnType):
        return _match_function(pattern, actual, env)
    if isinstance(pattern, TraitType) and pattern.args:
        from simple_jit.hir.traits import match_trait

        return match_trait(pattern, actual, env)
    if isinstance(pattern, (StructType, EnumType)) and pattern.args:
        return (
            isinstance(actual, (StructType, EnumType))
            and pattern.scope is actual.scope
            and all(match(p, a, env) for p, a in zip(pattern.args, actual.args))
        )
    return pattern is actual


def _match_function(pattern: FnType, actual: Type, env: Env) -> bool:
    if not isinstance(actual, FnType) or (isinstance(actual, ClosureType) and actual.is_open):
        return False
    return (
        len(pattern.params) == len(actual.params)
        and all(match(p, a, env) for p, a in zip(pattern.params, actual.params))
        and (pattern.ret is UNIT or match(pattern.ret, actual.ret, env))
    )


def type_key(type: Type) -> str:
    """Return a name for `type` that no other type of the program has; it goes into symbols."""
    if isinstance(type, FixedArrayType):
        return f"[{type_key(type.elem)};{type.length}]"
    if isinstance(type, ArrayType):
        return f"[{type_key(type.elem)}]"
    if isinstance(type, OptionalType):
        return f"{type_key(type.inner)}?"
    if isinstance(type, TupleType):
        return f"({', '.join(map(type_key, type.items))})"
    if isinstance(type, (StructType, EnumType, TraitType)):
        return type.key
    if isinstance(type, ClosureType):
        return str(type.code.key)
    if isinstance(type, FnType):
        return f"fn({', '.join(map(type_key, type.params))}) -> {type_key(type.ret)}"
    return type.name
