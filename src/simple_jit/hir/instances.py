"""Instances: a function together with the types of its arguments.

An instance with a declared result is checked later (the library's only when it first runs); one
without is checked at its first call, since the call needs the type. Recursion then starts from "never
returns" and is checked again until the result no longer changes:

    fn fib(n): if n <= 1: n else: fib(n - 1) + fib(n - 2)

    round 1: fib(i64) -> never; the branches are i64 and never, so the result is i64
    round 2: fib(i64) -> i64;   the branches are i64 and i64: settled
"""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.base.diagnostics import Diagnostic, Reporter
from simple_jit.hir import nodes as hir
from simple_jit.hir.context import Context, Recheck
from simple_jit.hir.decorators import IN_LIBRARY, decorators
from simple_jit.hir.holes import settle_rest, unsettled
from simple_jit.hir.report import listed
from simple_jit.hir.resolve_types import TypeScope, enum_instance, instantiate, resolve, set_bounds
from simple_jit.hir.symbols import (
    ERROR,
    EnumSymbol,
    FunctionSymbol,
    HoleType,
    Module,
    Owner,
    Param,
    RecordSymbol,
    Signature,
    TraitSymbol,
    TypeVar,
    is_open,
    substitute,
    type_key,
)
from simple_jit.hir.traits import trait_instance
from simple_jit.hir.types import (
    ANY,
    NEVER,
    UNIT,
    ArrayType,
    ClosureType,
    EnumType,
    FnType,
    OptionalType,
    StructType,
    TraitType,
    TupleType,
    Type,
    array_of,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simple_jit.base.source import Span
    from simple_jit.hir.session import Session
    from simple_jit.hir.symbols import Env

_ROUNDS = 8
"""How often a body is checked at most before its result counts as impossible to infer."""

_MOST_NESTED = 200
"""How many brackets the types of an instance may have in all."""


class Instance:
    """One instance and how far its check has come.

    `declared` is the result type as written; `guess` what the rounds so far have inferred.
    `lowlink` is the outermost active instance whose guess the check relied on (Tarjan's word). `lambdas`
    keeps the code of the lambdas in the body from one check of it to the next. `is_provisional`: it captures
    a variable whose type is not settled yet, so nothing that is found counts. `hints` are the types of empty
    literals, as far as they are settled.
    """

    __slots__ = (
        "build",
        "called_at",
        "caller",
        "declared",
        "function",
        "guess",
        "has_errors",
        "hints",
        "is_active",
        "is_done",
        "is_provisional",
        "lambdas",
        "lowlink",
        "module",
        "self_type",
        "session",
        "symbol",
        "types",
        "used_guess",
    )

    def __init__(
        self,
        session: Session,
        module: Module,
        function: hir.Function,
        build: Callable[[Context], hir.Expr],
        declared: Type | None,
    ) -> None:
        self.session = session
        self.module = module
        self.function = function
        self.build = build
        self.declared = declared
        self.guess: Type | None = None
        self.has_errors = False
        self.hints: dict[ast.Node, Type] = {}
        self.symbol: FunctionSymbol | None = None
        self.types: dict[str, Type] = {}
        self.self_type: Type | None = None
        self.called_at: Span | None = None
        self.caller: Instance | None = session.active[-1] if session.active else None
        self.is_active = False
        self.is_done = False
        self.is_provisional = False
        self.lambdas: dict[object, object] = {}
        self.used_guess = False
        self.lowlink = 0
        function.check = lambda: session.demand(self)


# --- signatures --------------------------------------------------------------------


def owner_target(owner: Owner) -> Type:
    """Return the type that an owner's methods are for, its parameters as type variables."""
    if owner.target is None:
        node = owner.node
        if isinstance(node, RecordSymbol):
            owner.target = instantiate(node, tuple(owner.generics))
        elif isinstance(node, EnumSymbol):
            owner.target = enum_instance(node, tuple(owner.generics))
        elif isinstance(node, TraitSymbol):
            owner.target = trait_instance(node, tuple(owner.generics))
        else:
            types: dict[str, Type] = {var.name: var for var in owner.generics}
            blocks = owner.impl.blocks if owner.impl is not None else None
            owner.target = resolve(node, TypeScope(owner.scope, types, blocks))
    return owner.target


def signature_of(symbol: FunctionSymbol) -> Signature:
    """Return a function's parameters and result; found once."""
    if symbol.signature is None:
        symbol.signature = _make_signature(symbol)
    return symbol.signature


def _make_signature(symbol: FunctionSymbol) -> Signature:
    decl = symbol.decl
    types: dict[str, Type] = dict(symbol.outer.types) if symbol.outer else {}
    generics: list[TypeVar] = []
    self_type = None
    if symbol.owner is not None:
        generics += symbol.owner.generics
        self_type = types["Self"] = owner_target(symbol.owner)
        if symbol.owner.impl is not None:
            types.update(symbol.owner.impl.types())
    generics += [TypeVar(node.name.name) for node in decl.generics]
    types.update({var.name: var for var in generics})
    scope = TypeScope(symbol.module, types, symbol.outer.symbols.get if symbol.outer else None)
    for var, node in zip(generics[len(generics) - len(decl.generics) :], decl.generics):
        set_bounds(var, node, decl.where, scope)
    params = [_param(node, scope) for node in decl.params]
    ret = resolve(decl.result, scope) if decl.result is not None else None
    if decl.body is None and ret is None:
        ret = UNIT
    _report_duplicate_params(symbol)
    _report_decorators(symbol)
    return Signature(generics, params, ret, self_type if symbol.has_self else None)


def _param(node: ast.Param, scope: TypeScope) -> Param:
    type = resolve(node.type, scope) if node.type is not None else None
    if node.variadic and type is not None and type is not ERROR:
        type = array_of(type)
    return Param(node, type)


def _report_duplicate_params(symbol: FunctionSymbol) -> None:
    seen: dict[str, ast.Param] = {}
    for param in symbol.decl.params:
        first = seen.setdefault(param.name.name, param)
        if first is not param:
            symbol.module.session.reporter.report(
                rule.DUPLICATE_NAME.at(
                    param.name.span, f"the parameter `{param.name.name}` is declared twice"
                ).also(first.name.span, "first declared here")
            )


def _report_decorators(symbol: FunctionSymbol) -> None:
    """A method of a type in a block has no decorators; `expand_methods` has replaced the others."""
    for annotation in decorators(symbol.decl) if symbol.owner is not None else ():
        symbol.module.session.reporter.report(
            rule.LOCAL_DECORATOR.at(
                annotation.span, "a method of a type that is declared in a block has no decorators"
            ).hint("declare the type at the top level of the module")
        )


# --- making instances --------------------------------------------------------------


def get_instance(
    symbol: FunctionSymbol, env: Env, params: Sequence[Type], called_at: Span | None
) -> Instance:
    """Return the instance of a function for parameter types (self's first) and type arguments."""
    signature = signature_of(symbol)
    if symbol.is_dispatched:
        symbol.captured = []
    if symbol.captured is None and symbol.home is not None:
        from simple_jit.hir.closures import captured_by

        captured_by(symbol)
    chosen = tuple(env.get(var, ERROR) for var in signature.generics)
    key = (*chosen, *params)
    found = symbol.instances.get(key)
    if found is None:
        found = symbol.instances[key] = _make_instance(symbol, signature, env, params, called_at)
        _schedule(found, [*chosen, *params])
    assert isinstance(found, Instance)
    return found


def _make_instance(
    symbol: FunctionSymbol,
    signature: Signature,
    env: Env,
    params: Sequence[Type],
    called_at: Span | None,
) -> Instance:
    session = symbol.module.session
    hidden = [env.get(var, ERROR) for var in _undetermined(signature)]
    extra = f"<{', '.join(map(type_key, hidden))}>" if hidden else ""
    name = f"{symbol.prefix}{symbol.name}{extra}({', '.join(map(type_key, params))})"
    function = new_function(session, symbol.module, name, symbol.decl.name.name, symbol.decl.span)
    function.span = symbol.span
    in_library = symbol.module.is_library
    function.annotations = symbol.annotations if in_library else symbol.annotations - IN_LIBRARY
    function.track_caller = "track_caller" in function.annotations
    names = ["self"] if symbol.has_self else []
    names += [param.name for param in signature.params]
    for name, type in zip(names, params):
        function.locals.append(hir.Local(len(function.locals), name, type))
    for capture in symbol.captured or ():
        stored = capture.stored_type(session)
        function.locals.append(hir.Local(len(function.locals), capture.variable.local.name, stored))
    function.param_count = len(function.locals)
    from simple_jit.hir.bodies import build_function

    declared = substitute(signature.ret, env) if signature.ret is not None else None
    instance = Instance(session, symbol.module, function, build_function, declared)
    if symbol.is_dispatched:
        from simple_jit.hir.dispatch import dispatch_method

        dispatch_method(instance, symbol, env, params)
    instance.symbol = symbol
    instance.called_at = called_at
    instance.is_provisional = any(isinstance(c.type, HoleType) for c in symbol.captured or ())
    instance.types = dict(symbol.outer.types) if symbol.outer else {}
    instance.types.update({var.name: type for var, type in env.items()})
    if symbol.owner is not None:
        instance.self_type = instance.types["Self"] = substitute(owner_target(symbol.owner), env)
        if symbol.owner.impl is not None:
            trait_types = symbol.owner.impl.types()
            instance.types.update({name: substitute(type, env) for name, type in trait_types.items()})
    return instance


def _undetermined(signature: Signature) -> list[TypeVar]:
    """Return the type parameters that the parameter types alone do not tell."""
    shown = [param.type for param in signature.params] + [signature.self_type]
    return [
        var
        for var in signature.generics
        if not any(type is not None and _mentions(type, var) for type in shown)
    ]


def _mentions(type: Type, var: TypeVar) -> bool:
    return substitute(type, {var: UNIT}) is not type


def new_function(session: Session, module: Module, symbol: str, name: str, span: Span) -> hir.Function:
    """Make an empty function and enter it under its symbol, which is made unique."""
    full = base = f"{module.key}.{symbol}"
    number = 2
    while full in session.functions:
        full, number = f"{base}#{number}", number + 1
    function = hir.Function(full, name, module.key, module.source, span)
    session.functions[full] = function
    return function


def _schedule(instance: Instance, types: list[Type]) -> None:
    """Decide when a new instance is checked."""
    symbol = instance.symbol
    assert symbol is not None
    if _is_endless(instance.function.symbol):
        diagnostic = rule.ENDLESS_TYPE.at(
            instance.called_at or symbol.span, f"`{symbol.name}` is called with ever larger types"
        ).also(symbol.span, "declared here")
        if any(isinstance(type, ClosureType) for type in types):
            diagnostic.hint("write the type of the parameter that is given a function: `f: fn(i64) -> i64`")
        instance.session.reporter.report(diagnostic)
        types = [ERROR]
    if ERROR in types:
        instance.is_done = True
        instance.function.ret = instance.declared or ERROR
        return
    if instance.declared is None and _is_statement_body(symbol.decl):
        instance.declared = UNIT
    if instance.declared is None:
        return  # its first call checks it
    instance.function.ret = instance.declared
    if symbol.is_dispatched:
        return
    if instance.is_provisional:
        check_instance(instance)  # at once: it may settle the type of what it captures
        return
    session = instance.session
    is_doubtful = session.attempted is not None or not symbol.module.is_library
    if is_doubtful or any(map(_is_users, types)) or _holds_any(instance.declared):
        session.queue.append(instance)


def _is_endless(symbol: str) -> bool:
    """Do the types of an instance nest so deeply that it must come from endless recursion?"""
    return symbol.count("[") + symbol.count("<") + symbol.count("(") + symbol.count("?") > _MOST_NESTED


def _holds_any(type: Type) -> bool:
    """May a function with this result make values of `any` whose types the program must know early?"""
    if isinstance(type, OptionalType):
        return _holds_any(type.inner)
    if isinstance(type, ArrayType):
        return _holds_any(type.elem)
    if isinstance(type, (StructType, EnumType)):
        return any(map(_holds_any, type.args))
    return type is ANY or isinstance(type, TraitType)


def _is_users(type: Type, *, is_part: bool = False) -> bool:
    """May the library fail to accept `type`: does it contain one of the program's types, or a collection?"""
    if isinstance(type, StructType) and type.scope.module.is_core:
        return is_part or any(_is_users(arg, is_part=True) for arg in type.args)
    if type is ANY or isinstance(type, (StructType, EnumType, OptionalType, FnType, TraitType)):
        return True
    if isinstance(type, ArrayType):
        return _is_users(type.elem, is_part=True)
    return isinstance(type, TupleType) and any(_is_users(item, is_part=True) for item in type.items)


def _is_statement_body(decl: ast.FunctionDecl) -> bool:
    """Is it plain from the last statement alone that the function gives nothing?"""
    assert decl.body is not None
    statements = decl.body.statements
    if not statements:
        return True
    kinds = (ast.Assign, ast.For, ast.While, ast.Pass, ast.Binding)
    return isinstance(statements[-1], kinds) and not _returns_value(decl.body)


def _returns_value(node: object) -> bool:
    """Is there a `return` with a value in a function's body, functions inside it left out?"""
    if isinstance(node, ast.Return):
        return node.value is not None
    if isinstance(node, list):
        return any(map(_returns_value, node))
    if isinstance(node, ast.Node) and not isinstance(node, (ast.FunctionDecl, ast.Lambda)):
        return any(_returns_value(value) for _, value in node.fields())
    return False


# --- checking them -----------------------------------------------------------------


def result_type(instance: Instance) -> Type:
    """Return the type of a call, inferring it where it is not declared."""
    if instance.declared is not None:
        return instance.declared
    if not instance.is_done and not instance.is_active:
        check_instance(instance)
    if instance.is_active:
        instance.used_guess = True
        active = instance.session.active
        active[-1].lowlink = min(active[-1].lowlink, active.index(instance))
        return instance.guess or NEVER
    return instance.function.ret


def check_instance(instance: Instance) -> None:
    """Check the body of an instance, unless that has happened or is under way."""
    if instance.is_done or instance.is_active:
        return
    active = instance.session.active
    depth = instance.lowlink = len(active)
    instance.is_active = True
    active.append(instance)
    try:
        context, body = _check_rounds(instance)
    finally:
        active.pop()
        instance.is_active = False
    if instance.lowlink < depth:
        # The result stands on the guess of an instance further out: check again once that is settled.
        active[-1].lowlink = min(active[-1].lowlink, instance.lowlink)
        instance.function.ret = instance.guess = context.result
        instance.session.queue.append(instance)
        return
    instance.is_done = True
    instance.has_errors = context.reporter.has_errors
    if instance.session.attempted is not None:
        instance.session.attempted.append(instance)
    function = instance.function
    if context.has_guards and not context.reporter.has_errors and not instance.is_provisional:
        from simple_jit.hir.protect import move_out

        body = move_out(context, body)
    function.locals = context.locals
    function.ret = context.result
    function.body = body
    if instance.is_provisional:
        instance.session.functions.pop(function.symbol, None)
    else:
        instance.session.functions.setdefault(function.symbol, function)  # a recheck may have taken it out
        _pass_on(context.reporter, instance)


def _check_rounds(instance: Instance) -> tuple[Context, hir.Expr]:
    hints = instance.hints
    wanted: Type | None = None
    doubted: tuple[Context, hir.Expr] | None = None
    for _ in range(_ROUNDS):
        instance.used_guess = False
        while True:
            context = Context(instance, hints, instance.declared or wanted)
            try:
                body = instance.build(context)
                if context.cells or context.entry:
                    from simple_jit.hir.cells import finish

                    body = finish(context, body)
                break
            except Recheck as recheck:
                if recheck.hints is not hints:  # it is a variable of a function around this one
                    instance.session.functions.pop(instance.function.symbol, None)
                    raise
        if doubted is not None and context.reporter.has_errors:
            return doubted
        if doubted is None and not instance.is_provisional:
            is_sure = context.has_open_tuples or any(
                isinstance(local.type, HoleType) for local in context.locals
            )
            if (is_sure or context.reporter.has_errors) and settle_rest(context, body):
                doubted = None if is_sure else (context, body)
                continue
        _report_holes(context)
        if instance.declared is not None:
            return context, body
        if context.joined is not None and context.joined is not wanted:
            wanted = context.joined
            continue
        if not instance.used_guess or context.result is (instance.guess or NEVER):
            return context, body
        instance.guess = context.result
        if wanted is not None:
            wanted = None
    context.reporter.report(
        rule.CANNOT_INFER_RESULT.at(
            instance.function.span,
            f"cannot infer what `{instance.function.name}` returns",
        ).hint("write its type after `->`")
    )
    context.result = ERROR
    return context, body


def _report_holes(context: Context) -> None:
    """Report the empty literals whose type nothing has settled."""
    for local in context.locals:
        if isinstance(local.type, HoleType) and local.type.owner in (None, context.hints):
            context.reporter.report(unsettled(local.type, local.name or "x"))
            local.type = ERROR


def _pass_on(reporter: Reporter, instance: Instance) -> None:
    """Hand on what was found in an instance, saying which call asked for it."""
    symbol = instance.symbol
    generic = symbol is None or _is_generic(symbol)  # without a symbol it is derived from a type
    for diagnostic in reporter.diagnostics:
        if generic and diagnostic.severity == "error":
            diagnostic = _at_call(diagnostic, instance)
        instance.session.reporter.report(diagnostic)


def _at_call(diagnostic: Diagnostic, instance: Instance) -> Diagnostic:
    """Point at the call as well; alone, where the library does not accept what it was given."""
    user: Instance | None = instance
    while user is not None and user.caller is not None and (user.module.is_library or user.symbol is None):
        if not user.caller.module.is_library:
            break
        user = user.caller
    if user is None or user.called_at is None:
        return diagnostic
    types = [str(local.type) for local in user.function.params]
    name = user.function.name
    if not user.module.is_library:
        return diagnostic.also(user.called_at, f"for `{name}({', '.join(types)})`, called here")
    moved = rule.LIBRARY_TYPE.at(user.called_at, f"`{name}` cannot be used with {listed(types)}")
    if diagnostic.rule is not rule.WRONG_TYPE:  # which would be about what the library does inside
        moved.note(diagnostic.message)
    if diagnostic.rule is rule.BAD_COMPARISON:
        moved.hints = diagnostic.hints
    return moved


def _is_generic(symbol: FunctionSymbol) -> bool:
    signature = signature_of(symbol)
    return bool(signature.generics) or any(param.type is None for param in signature.params)


def is_concrete(symbol: FunctionSymbol) -> bool:
    """Has the function one instance only, that of its declared types?"""
    signature = signature_of(symbol)
    types = [param.type for param in signature.params]
    return not signature.generics and all(type is not None and not is_open(type) for type in types)
