"""Functions that choose by the type that a value of a trait, or an `any`, has when the program runs.

s.area() with s: Shape      fn Shape.area(self): if self is Circle: Circle.area(self as Circle)
                                                 elif self is Rect: …

The program is closed, so the types to choose from are those that it ever makes such values of
(`Session.dynamic`). They are known when everything else has been checked: the bodies are made then, and
made anew where making them has reached further types.
"""

from __future__ import annotations

from simple_jit.base.diagnostics import Reporter
from simple_jit.hir import nodes as hir
from simple_jit.hir.context import Context
from simple_jit.hir.symbols import ERROR, FunctionSymbol, Owner, TypeVar, is_open, type_key
from simple_jit.hir.types import ANY, BOOL, F64, I64, NEVER, TEXT, UNIT, TraitType, Type, array_of
from simple_jit.hir.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from simple_jit.base.source import Span
    from simple_jit.hir.instances import Instance
    from simple_jit.hir.session import Session
    from simple_jit.hir.symbols import Env

    Build = Callable[[Context], hir.Expr]

_INLINED = 2
"""Functions that choose among so few types are copied to where they are called."""


class Dispatcher:
    """A function that chooses by the type of its first parameter; `types` are those it was made for.

    `seen` is how many types there were when that was last looked at.
    """

    __slots__ = ("build", "instance", "seen", "types")

    def __init__(self, instance: Instance, build: Build) -> None:
        self.instance = instance
        self.build = build
        self.seen = -1
        self.types: list[Type] | None = None


def note(session: Session, type: Type) -> None:
    """Values of traits, or of `any`, may have this type."""
    if type is not ERROR and not is_open(type):
        session.dynamic.setdefault(type)


def note_basic(session: Session) -> None:
    """An `any` from outside may have one of these types."""
    from simple_jit.hir.collections import dict_of

    arrays = [array_of(elem) for elem in (ANY, I64, F64, BOOL, TEXT)]
    for type in (I64, F64, BOOL, TEXT, UNIT, *arrays, dict_of(session, TEXT, ANY)):
        note(session, type)


def types_of(session: Session, type: Type) -> list[Type]:
    """Return the types that a value of the trait `type`, or of `any`, may have; UNIT is that of nil."""
    if isinstance(type, TraitType):
        from simple_jit.hir.traits import implements

        return [t for t in session.dynamic if t is not UNIT and implements(session, t, type)]
    return list(session.dynamic)


# --- making them -------------------------------------------------------------------


def build_dispatchers(session: Session) -> None:
    """Make the bodies of all dispatchers, until none of them reaches a new type."""
    while True:
        stale = [d for d in session.dispatchers if d.seen != len(session.dynamic)]
        if not stale:
            return
        for dispatcher in stale:
            _build(session, dispatcher)
            session.drain()


def _build(session: Session, dispatcher: Dispatcher) -> None:
    instance = dispatcher.instance
    dispatcher.seen = len(session.dynamic)
    types = types_of(session, instance.function.params[0].type)
    if types == dispatcher.types:
        return
    dispatcher.types = types
    context = Context(instance, {}, instance.declared)
    context.locals = list(instance.function.params)
    session.active.append(instance)
    try:
        body = dispatcher.build(context)
    finally:
        session.active.pop()
    function = instance.function
    function.locals = context.locals
    function.body = body
    for diagnostic in context.reporter.diagnostics:
        session.reporter.report(diagnostic)


def dispatcher(
    cx: Context, kind: str, params: Sequence[Type], ret: Type, build: Build, key: object = None
) -> Instance:
    """Return the function of `kind` for these parameters; its errors are those of the call."""
    from simple_jit.hir.instances import Instance, new_function

    session = cx.session
    index = ("dispatch", kind, tuple(params), ret, key)
    found = session.chosen.get(index)
    if found is None:
        module = session.loader.main
        assert module is not None
        span = module.source.span(0, 0)
        shown = ", ".join(map(type_key, params))
        function = new_function(session, module, f"{kind}({shown})", kind, span)
        for number, type in enumerate(params):
            function.locals.append(hir.Local(number, f"a{number}", type))
        function.param_count = len(function.locals)
        function.ret = ret
        function.track_caller = True
        found = session.chosen[index] = Instance(session, module, function, build, ret)
        found.is_done = True
        session.dispatchers.append(Dispatcher(found, build))
    return found


def call_dispatcher(
    cx: Context,
    kind: str,
    args: list[hir.Expr],
    ret: Type,
    build: Build,
    span: Span,
    key: object = None,
) -> hir.Expr:
    """Call the function of `kind` for the types of the arguments."""
    instance = dispatcher(cx, kind, [arg.type for arg in args], ret, build, key)
    return hir.Call(instance.function, args, ret, span)


def params_of(cx: Context) -> list[hir.Expr]:
    """Return the parameters of the function being made, as values."""
    function = cx.instance.function
    return [hir.LocalGet(local, function.span) for local in function.params]


def branches(
    cx: Context,
    value: hir.Expr,
    types: Iterable[Type],
    make: Callable[[hir.Expr], hir.Expr | None],
    otherwise: hir.Expr,
    result: Type,
) -> hir.Expr:
    """`if value is A: make(value as A) elif …: … else: otherwise`, without the types that `make` refuses."""
    span = value.span
    chain = otherwise
    for type in reversed(list(types)):
        narrowed = hir.Const(None, UNIT, span) if type is UNIT else hir.AnyGet(value, type, span)
        made = attempt(cx, make, narrowed)
        if made is not None:
            chain = hir.If(hir.AnyIs(value, type, span), made, chain, result, span)
    return chain


def attempt(cx: Context, make: Callable[[hir.Expr], hir.Expr | None], value: hir.Expr) -> hir.Expr | None:
    """Return what `make` gives, None where it finds something wrong; that is not reported.

    The instances that it reaches are checked at once: one that takes any types may not take this one.
    """
    session = cx.session
    kept = cx.reporter, session.reporter, session.queue, session.attempted
    cx.reporter, session.reporter, session.queue, session.attempted = Reporter(), Reporter(), [], []
    locals_before = len(cx.locals)
    try:
        made = make(value)
        if made is not None and made.type is not ERROR and not cx.reporter.has_errors:
            session.drain()
            if not session.reporter.has_errors and not _is_broken(session, made):
                return made
        _note_broken(session)
        del cx.locals[locals_before:]
        return None
    finally:
        checked = session.attempted
        waiting = session.queue
        cx.reporter, session.reporter, session.queue, session.attempted = kept
        session.queue += waiting
        if session.attempted is not None:
            session.attempted += checked


def _is_broken(session: Session, made: hir.Expr) -> bool:
    """Does an expression, or an instance that it is the first to reach, use one that failed before?"""
    if not session.broken:
        return False
    bodies = [made, *[i.function.body for i in session.attempted or () if i.function.body is not None]]
    return any(_uses_broken(session, body) for body in bodies)


def _uses_broken(session: Session, body: hir.Expr) -> bool:
    return any(
        (isinstance(node, hir.Call) and node.callee in session.broken)
        or (isinstance(node, hir.ClosureNew) and node.function in session.broken)
        for node in walk(body)
    )


def _note_broken(session: Session) -> None:
    """Remember which of the instances that an attempt has reached are wrong, or use one that is."""
    checked = session.attempted or []
    session.broken.update(instance.function for instance in checked if instance.has_errors)
    found = True
    while found:
        found = False
        for instance in checked:
            body = instance.function.body
            if instance.function not in session.broken and body is not None and _uses_broken(session, body):
                session.broken.add(instance.function)
                found = True


# --- methods of traits -------------------------------------------------------------


def dispatch_method(instance: Instance, symbol: FunctionSymbol, env: Env, params: Sequence[Type]) -> None:
    """Make `instance` the function that calls a trait's method on a value of the trait."""
    function = instance.function
    session = instance.session
    trait = params[0]
    assert isinstance(trait, TraitType)
    if instance.declared is None:
        instance.declared = _default_result(symbol, env, params)
    instance.is_done = True
    function.ret = instance.declared
    function.track_caller = trait in params[1:]
    own = {var.name: type for var, type in env.items()}

    def build(cx: Context) -> hir.Expr:
        return _build_method(cx, symbol, trait, own)

    session.dispatchers.append(Dispatcher(instance, build))


def _default_result(symbol: FunctionSymbol, env: Env, params: Sequence[Type]) -> Type:
    """The result of a default method without a written one is that of its body on the trait itself."""
    from simple_jit.hir.instances import get_instance, result_type, signature_of

    owner = symbol.owner
    assert owner is not None
    plain = FunctionSymbol(
        symbol.decl, symbol.module, Owner(owner.label, owner.generics, owner.node, owner.scope)
    )
    own = dict(zip(signature_of(plain).generics, [env[v] for v in signature_of(symbol).generics if v in env]))
    return result_type(get_instance(plain, own, params, None))


def _build_method(cx: Context, symbol: FunctionSymbol, trait: TraitType, own: dict[str, Type]) -> hir.Expr:
    from simple_jit.hir.convert import coerce
    from simple_jit.hir.core_calls import call_symbol
    from simple_jit.hir.instances import signature_of
    from simple_jit.hir.traits import find_impl

    function = cx.instance.function
    function.is_written = False
    ret = function.ret
    cx.result = ret
    self, *args = params_of(cx)
    span = function.span
    chain: hir.Expr = unreachable("a value of another type", span)
    types = types_of(cx.session, trait)
    for type in reversed(types):
        found = find_impl(cx.session, type, trait)
        if found is None:
            continue
        impl, env = found
        method = impl.method(symbol.name)
        if method is None:
            inherent = cx.session.find_method(type, symbol.name)
            if inherent is None:
                continue
            method, env = inherent
        env = dict(env)
        env.update(_same_generics(signature_of(method).generics, own))
        called = call_symbol(cx, method, [hir.AnyGet(self, type, span), *args], span, env)
        if ret is UNIT:
            called = called if called.type in (UNIT, NEVER) else hir.Block([called], None, UNIT, span)
        else:
            called = coerce(cx, called, ret)
        if called.type is ERROR:
            continue
        chain = hir.If(hir.AnyIs(self, type, span), called, chain, ret, span)
    if len(types) <= _INLINED:
        function.annotations = frozenset(("inline",))
    if not types:
        return hir.Block([chain], None, NEVER, span)
    return chain


def _same_generics(generics: list[TypeVar], own: dict[str, Type]) -> Env:
    """Type parameters of the method itself are called alike in the trait and in its implementations."""
    return {var: own[var.name] for var in generics if var.name in own and own[var.name] is not ERROR}


def unreachable(message: str, span: Span) -> hir.Expr:
    """What stands where no type is left."""
    fail = hir.Throw("TypeError", hir.TextConst(message, TEXT, span), span)
    return hir.Block([fail], None, NEVER, span)


def trait_test(cx: Context, value: hir.Expr, trait: TraitType, span: Span) -> hir.Expr:
    """Does the type that `value` has implement a trait?"""

    def build(inner: Context) -> hir.Expr:
        inner.result = BOOL
        (param,) = params_of(inner)
        result: hir.Expr = hir.Const(False, BOOL, param.span)
        for type in reversed(types_of(inner.session, trait)):
            result = hir.Or(hir.AnyIs(param, type, param.span), result, param.span)
        return result

    return call_dispatcher(cx, f"is {trait}", [value], BOOL, build, span)
