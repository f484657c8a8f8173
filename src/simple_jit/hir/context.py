"""The state of checking one body: its locals, names in scope, loops around, result, and findings.

`expression` and `statement` dispatch on the syntax node; the modules `check_…` enter their
functions in the two tables.
"""

from __future__ import annotations

from simple_jit.base.diagnostics import Reporter
from simple_jit.hir import nodes as hir
from simple_jit.hir.resolve_types import TypeScope, resolve
from simple_jit.hir.symbols import ERROR, Symbol
from simple_jit.hir.types import NEVER, UNIT, Type
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeAlias

    from simple_jit.base.diagnostics import Diagnostic
    from simple_jit.base.source import Span
    from simple_jit.hir.instances import Instance
    from simple_jit.hir.symbols import FunctionSymbol, GlobalSymbol, HoleType

    ExprChecker: TypeAlias = Callable[["Context", Any, "Type | None"], hir.Expr]
    Fact: TypeAlias = "Variable | TypeFact"
    StmtChecker: TypeAlias = Callable[["Context", Any], hir.Expr]

EXPRESSIONS: dict[type, ExprChecker] = {}
STATEMENTS: dict[type, StmtChecker] = {}


def checks(*nodes: type) -> Callable[[ExprChecker], ExprChecker]:
    """Enter the function that checks expressions of these node classes."""

    def enter(function: ExprChecker) -> ExprChecker:
        for node in nodes:
            EXPRESSIONS[node] = function
        return function

    return enter


def checks_statement(*nodes: type) -> Callable[[StmtChecker], StmtChecker]:
    """Enter the function that checks statements of these node classes."""

    def enter(function: StmtChecker) -> StmtChecker:
        for node in nodes:
            STATEMENTS[node] = function
        return function

    return enter


def expression(cx: Context, node: ast.Expr, hint: Type | None = None) -> hir.Expr:
    """Check an expression. `hint` is the type that the context would like; nothing enforces it."""
    return EXPRESSIONS[type(node)](cx, node, hint)


def statement(cx: Context, node: ast.Stmt) -> hir.Expr:
    """Check a statement."""
    return STATEMENTS[type(node)](cx, node)


class Recheck(Exception):
    """The body must be checked again: later use has settled the type of a binding (`Context.hints`).

    `hints` are those of the body that has the binding: what it captures may be settled by a closure.
    """

    def __init__(self, hints: dict[ast.Node, Type]) -> None:
        super().__init__()
        self.hints = hints


class Variable:
    """A local name. `is_fixed`: never assigned after its declaration, so that tests narrow it.

    `root` is the variable itself or, in a closure, the one of the function around it that it stands for.
    """

    __slots__ = ("facts", "is_fixed", "kind", "local", "mutable", "root", "span")

    def __init__(self, local: hir.Local, kind: str, mutable: bool, is_fixed: bool, span: Span) -> None:
        self.local = local
        self.kind = kind
        self.mutable = mutable
        self.is_fixed = is_fixed
        self.span = span
        self.root: Variable = self
        self.facts: dict[Type, TypeFact] = {}

    def fact(self, type: Type) -> TypeFact:
        """Return the statement that this variable, an `any`, is a `type`."""
        found = self.facts.get(type)
        if found is None:
            found = self.facts[type] = TypeFact(self, type)
        return found


class TypeFact:
    """What a test has shown: the variable, of a type whose values carry their own, is a `type`."""

    __slots__ = ("type", "variable")

    def __init__(self, variable: Variable, type: Type) -> None:
        self.variable = variable
        self.type = type


class Scope:
    """The names of one block, and the variables that a test around it has shown not to be nil."""

    __slots__ = ("functions", "names", "narrowed", "parent")

    def __init__(self, parent: Scope | None) -> None:
        self.parent = parent
        self.names: dict[str, Variable | Symbol] = {}
        self.narrowed: set[Fact] = set()

    def chain(self) -> Iterator[Scope]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent


class LoopFrame:
    """A loop around the place being checked."""

    __slots__ = ("has_break", "label", "target")

    def __init__(self, target: hir.LoopTarget, label: str | None) -> None:
        self.target = target
        self.label = label
        self.has_break = False


class Context:
    """The check of one body, one attempt at it.

    `captured` has the variables of functions around this one that its body may use. `cells` has for locals
    that a closure shares the local that holds their cell, `assignments` what assigns a local after its
    declaration, `entry` what comes before the body (`hir.cells`). `has_guards`: there are guarded parts in it
    (`hir.protect`).
    """

    def __init__(self, instance: Instance, hints: dict[ast.Node, Type], ret: Type | None) -> None:
        self.instance = instance
        self.session = instance.session
        self.module = instance.module
        self.hints = hints
        self.ret = ret
        self.reporter = Reporter()
        self.locals: list[hir.Local] = list(instance.function.params)
        self.scope = Scope(None)
        self.loops: list[LoopFrame] = []
        self.assigned: frozenset[str] = frozenset()
        self.returned: list[Type] = []
        self.propagated: Span | None = None
        self.result: Type = ret or UNIT
        self.joined: Type | None = None
        self.is_top_level = False
        self.bound: set[GlobalSymbol] | None = None  # what the module's statements have set so far
        self.self_variable: Variable | None = None
        self.written: Span | None = None  # where the result is declared
        self.captured: dict[Variable, Variable] = {}
        self.cells: dict[hir.Local, hir.Local] = {}
        self.assignments: set[hir.Expr] = set()
        self.entry: list[hir.Expr] = []
        self.has_guards = False
        self.has_open_tuples = False  # of an empty literal whose type is open
        self.holes: list[HoleType] = []  # the empty literals whose type is open
        self._loop_count = 0
        self.types = TypeScope(instance.module, instance.types, self._block_symbol)

    def hole(self, hole: HoleType) -> HoleType:
        """Note an empty literal whose type is open."""
        self.holes.append(hole)
        return hole

    # --- findings --------------------------------------------------------------

    def error(self, diagnostic: Diagnostic) -> hir.Expr:
        """Report, and return an expression that stands for what could not be checked."""
        self.reporter.report(diagnostic)
        assert diagnostic.span is not None
        return hir.Const(None, ERROR, diagnostic.span)

    # --- locals ----------------------------------------------------------------

    def local(self, name: str, type: Type) -> hir.Local:
        """Add a local; a temporary's name is empty."""
        local = hir.Local(len(self.locals), name, type)
        self.locals.append(local)
        return local

    def declare(
        self, name: str, local: hir.Local, span: Span, *, kind: str = "val", mutable: bool = False
    ) -> Variable:
        """Make `name` mean a local from here to the end of the block."""
        is_fixed = not (mutable and name in self.assigned)
        variable = Variable(local, kind, mutable, is_fixed, span)
        self.scope.names[name] = variable
        return variable

    def keep(self, value: hir.Expr, into: list[hir.Expr]) -> hir.Expr:
        """Store a value in a temporary, so that reading it again has no effect."""
        if is_stable(value):
            return value
        local = self.local("", value.type)
        into.append(hir.LocalSet(local, value, value.span))
        return hir.LocalGet(local, value.span)

    def find(self, name: str) -> Variable | Symbol | None:
        """Return what `name` means in the blocks around."""
        scope: Scope | None = self.scope
        while scope is not None:
            found = scope.names.get(name)
            if found is not None:
                return found
            scope = scope.parent
        return None

    def reach(self, root: Variable) -> Variable | None:
        """Return what stands here for a variable of this function or of one around it."""
        index = root.local.index
        if index < len(self.locals) and self.locals[index] is root.local:
            return root
        return self.captured.get(root)

    def is_narrowed(self, variable: Variable) -> bool:
        return any(variable in scope.narrowed for scope in self.scope.chain())

    def narrowed_type(self, variable: Variable) -> Type | None:
        """Return what tests have shown the type of a variable to be."""
        for scope in self.scope.chain():
            for fact in scope.narrowed:
                if isinstance(fact, TypeFact) and fact.variable is variable:
                    return fact.type
        return None

    def visible_names(self) -> list[str]:
        """Return all names in scope, for suggestions."""
        names = [name for scope in self.scope.chain() for name in scope.names]
        return names + self.session.names_of(self.module)

    def _block_symbol(self, name: str) -> Symbol | None:
        found = self.find(name)
        if isinstance(found, Symbol):
            return found
        outer = self.instance.symbol.outer if self.instance.symbol else None
        return outer.symbols.get(name) if outer and found is None else None

    # --- blocks and loops ------------------------------------------------------

    def enter(self, narrowed: set[Fact] | frozenset[Fact] = frozenset()) -> Scope:
        """Begin a block; `leave` ends it."""
        self.scope = Scope(self.scope)
        self.scope.narrowed |= narrowed
        return self.scope

    def leave(self) -> None:
        assert self.scope.parent is not None
        self.scope = self.scope.parent

    def loop(self, label: ast.Ident | None) -> LoopFrame:
        """Begin a loop; the caller pops it from `loops`."""
        frame = LoopFrame(hir.LoopTarget(self._loop_count), label.name if label else None)
        self._loop_count += 1
        self.loops.append(frame)
        return frame

    # --- types -----------------------------------------------------------------

    def resolve(self, node: ast.TypeExpr) -> Type:
        return resolve(node, self.types)

    @property
    def symbol(self) -> FunctionSymbol | None:
        return self.instance.symbol

    @property
    def is_library(self) -> bool:
        return self.module.is_library


def is_stable(value: hir.Expr) -> bool:
    """Does evaluating `value` again give the same, at no cost? Temporaries and literals do."""
    if isinstance(value, hir.LocalGet):
        return value.local.name == ""
    if isinstance(value, hir.Unwrap):
        return not value.checked and is_stable(value.value)
    return isinstance(value, (hir.Const, hir.Nil, hir.TextConst))


def block(stmts: list[hir.Expr], result: hir.Expr, span: Span) -> hir.Expr:
    """Return `result`, after `stmts` where there are any."""
    if not stmts:
        return result
    return hir.Block(stmts, result, result.type, span)


def diverging(parts: list[hir.Expr], span: Span) -> hir.Expr | None:
    """Where one of `parts`, evaluated in order, never comes to an end: they, up to that one."""
    for index, part in enumerate(parts):
        if part.type is NEVER:
            return part if index == 0 else hir.Block(parts[: index + 1], None, NEVER, span)
    return None


def erroneous(*parts: hir.Expr) -> bool:
    """Has one of these been reported on already?"""
    return any(part.type is ERROR for part in parts)
