"""Checks of trait declarations, of `impl Trait for X`, and of bounds where generics are called."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.base.diagnostics import suggest
from simple_jit.hir.core_index import BOUNDS
from simple_jit.hir.instances import owner_target, signature_of
from simple_jit.hir.report import a_type, count, listed
from simple_jit.hir.symbols import ERROR, FunctionSymbol, Owner, TraitSymbol, TypeVar, is_open, substitute
from simple_jit.hir.traits import KNOWN, Impl, bounds, implements, value_methods
from simple_jit.hir.types import UNIT, TraitType, Type
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.source import Span
    from simple_jit.hir import nodes as hir
    from simple_jit.hir.context import Context
    from simple_jit.hir.session import Session
    from simple_jit.hir.symbols import Env


def check_trait(symbol: TraitSymbol) -> None:
    """Check the signatures of a trait's methods; bodies are checked for each type that implements it."""
    seen: dict[str, ast.FunctionDecl] = {}
    for decl in symbol.decl.methods:
        first = seen.setdefault(decl.name.name, decl)
        if first is not decl:
            symbol.module.session.reporter.report(
                rule.DUPLICATE_NAME.at(
                    decl.name.span, f"the method `{decl.name.name}` is declared twice"
                ).also(first.name.span, "first declared here")
            )
    for method in value_methods(symbol).values():
        signature_of(method)


def check_impl(session: Session, decl: ast.ImplDecl) -> None:
    """Check that an `impl Trait for X` has the trait's methods, with its signatures."""
    impl = session.impl_of(decl)
    trait = impl.trait if impl is not None else None
    if impl is None or trait is None:
        return
    target = owner_target(impl.owner)
    if target is ERROR:
        return
    if isinstance(trait, str):
        _check_known(session, impl, trait, target)
        return
    _check_duplicate(session, impl, trait, target)
    _check_names(session, impl, trait)
    missing = []
    for wanted in {decl.name.name: decl for decl in reversed(trait.scope.decl.methods)}.values():
        found = impl.methods.get(wanted.name.name) or _inherent(session, target, wanted)
        if found is not None:
            _check_signature(impl, trait, wanted, found)
        elif wanted.body is None:
            missing.append(wanted)
        elif not is_open(target):
            from simple_jit.hir.whole import check_method

            default = impl.default(wanted.name.name)
            assert default is not None
            check_method(default)
    if missing:
        _report_missing(impl, trait, missing[::-1])


def _inherent(session: Session, target: Type, wanted: ast.FunctionDecl) -> FunctionSymbol | None:
    """Return a method that the type has by itself, where it may serve for the trait's."""
    found = session.find_method(target, wanted.name.name)
    if found is None or (found[0].owner is not None and found[0].owner.impl is not None):
        return None
    return found[0]


def _place(decl: ast.ImplDecl) -> Span:
    assert decl.trait is not None
    return decl.trait.span


def _report_missing(impl: Impl, trait: TraitType, missing: list[ast.FunctionDecl]) -> None:
    names = [decl.name.name for decl in missing]
    word = "method" if len(names) == 1 else "methods"
    diagnostic = rule.MISSING_METHOD.at(
        _place(impl.decl),
        f"the {word} {listed(names)} of `{trait}` {'is' if len(names) == 1 else 'are'} missing",
    )
    for decl in missing:
        diagnostic.also(decl.name.span, "asked for here")
    diagnostic.hint(f"write in this block: `{_shown(missing[0])}: …`")
    impl.module.session.reporter.report(diagnostic)


def _shown(decl: ast.FunctionDecl) -> str:
    """Return a declaration as one line without its body."""
    params = ", ".join(param.span.text for param in decl.params)
    result = f" -> {decl.result.span.text}" if decl.result is not None else ""
    mode = "static fn" if decl.mode == "static" else decl.mode
    return f"{mode} {decl.name.name}({params}){result}"


def _check_names(session: Session, impl: Impl, trait: TraitType) -> None:
    names = [decl.name.name for decl in trait.scope.decl.methods]
    for method in impl.methods.values():
        if method.name not in names:
            diagnostic = rule.WRONG_SIGNATURE.at(
                method.span, f"the trait `{trait}` has no method `{method.name}`"
            )
            near = suggest(method.name, names)
            diagnostic.also(trait.scope.span, "declared here")
            diagnostic.hint(
                f"did you mean `{near}`?" if near else "put it into a block `impl` of the type alone"
            )
            session.reporter.report(diagnostic)


def _check_duplicate(session: Session, impl: Impl, trait: TraitType, target: Type) -> None:
    for others in session.impls.values():
        for other in others:
            if other is impl:
                return
            if other.trait is trait and owner_target(other.owner) is target:
                session.reporter.report(
                    rule.DUPLICATE_IMPL.at(
                        _place(impl.decl), f"{a_type(target)} implements `{trait}` twice"
                    ).also(_place(other.decl), "first here")
                )
                return


def _check_known(session: Session, impl: Impl, name: str, target: Type) -> None:
    """A trait of the language asks for one method."""
    if name in BOUNDS:
        session.reporter.report(
            rule.NOT_A_TRAIT.at(
                _place(impl.decl), f"`{name}` is a kind of number, which no `impl` can add to"
            )
        )
        return
    method, arity = KNOWN[name]
    found = impl.methods.get(method)
    if found is None:
        inherent = session.find_method(target, method)
        found = inherent[0] if inherent is not None else None
    if found is None:
        session.reporter.report(
            rule.MISSING_METHOD.at(_place(impl.decl), f"the method `{method}` of `{name}` is missing")
        )
    elif len(found.decl.params) != arity:
        session.reporter.report(
            rule.WRONG_SIGNATURE.at(
                found.span,
                f"`{method}` of `{name}` takes {count(arity, 'argument') if arity else 'no arguments'}, "
                f"not {len(found.decl.params)}",
            )
        )


# --- signatures --------------------------------------------------------------------


def _check_signature(impl: Impl, trait: TraitType, wanted: ast.FunctionDecl, found: FunctionSymbol) -> None:
    problem = _difference(impl, trait, wanted, found)
    if problem is not None:
        message, span = problem
        impl.module.session.reporter.report(
            rule.WRONG_SIGNATURE.at(span, message)
            .also(wanted.name.span, "declared here")
            .hint(f"the trait says `{_shown(wanted)}`")
        )


def _difference(
    impl: Impl, trait: TraitType, wanted: ast.FunctionDecl, found: FunctionSymbol
) -> tuple[str, Span] | None:
    """Say what is wrong with a method that is to implement `wanted`."""
    name = found.name
    if wanted.mode != found.decl.mode and {wanted.mode, found.decl.mode} != {"me", "fn"}:
        kind = "a `static fn`" if wanted.mode == "static" else "a method"
        return f"`{name}` of `{trait}` is {kind}", found.span
    if wanted.mode == "fn" and found.decl.mode == "me":
        return f"`{name}` of `{trait}` does not change self, so it cannot be a `me` method", found.span
    owner = Owner(impl.owner.label, impl.owner.generics, impl.owner.node, impl.owner.scope)
    owner.impl = impl
    expected = FunctionSymbol(wanted, trait.scope.module, owner)
    theirs, ours = signature_of(expected), signature_of(found)
    if len(theirs.params) != len(ours.params):
        wants = count(len(theirs.params), "parameter") if theirs.params else "no parameters"
        return f"`{name}` of `{trait}` has {wants}, not {len(ours.params)}", found.span
    env = _paired(theirs.generics, ours.generics)
    for mine, other in zip(ours.params, theirs.params):
        if mine.type is not None and other.type is not None and substitute(other.type, env) is not mine.type:
            if ERROR in (mine.type, other.type):
                return None
            shown = substitute(other.type, env)
            return f"`{mine.name}` is {a_type(shown)} in `{trait}`, not {a_type(mine.type)}", mine.decl.span
    wanted_type = substitute(theirs.ret, env) if theirs.ret is not None else None
    if ours.ret is None or wanted_type is None or ERROR in (ours.ret, wanted_type):
        return None
    if ours.ret is not wanted_type and not _serves(impl, ours.ret, wanted_type):
        assert found.decl.result is not None
        returns = "nothing" if wanted_type is UNIT else a_type(wanted_type)
        return f"`{name}` of `{trait}` returns {returns}, not {a_type(ours.ret)}", found.decl.result.span
    return None


def _serves(impl: Impl, found: Type, wanted: Type) -> bool:
    """May a method return its own type where the trait says a trait that it implements?"""
    return isinstance(wanted, TraitType) and implements(impl.module.session, found, wanted)


def _paired(theirs: list[TypeVar], ours: list[TypeVar]) -> Env:
    """The type parameters of the two methods, in order; those of the `impl` are the same."""
    return {a: b for a, b in zip(reversed(theirs), reversed(ours)) if a is not b}


# --- calls -------------------------------------------------------------------------


def other_trait(session: Session, type: Type, symbol: FunctionSymbol, openness: int) -> FunctionSymbol | None:
    """Return a method of the same name that another trait gives `type`, none of them its own."""
    impl = symbol.owner.impl if symbol.owner is not None else None
    assert impl is not None
    for other in session.methods_named(type, symbol.name, openness):
        owner = other.owner
        if owner is None or owner.impl is None:
            return None
        if owner.impl.trait is not impl.trait:
            return other
    return None


def report_ambiguous(
    cx: Context, receiver: hir.Expr, name: ast.Ident, symbol: FunctionSymbol, other: FunctionSymbol
) -> hir.Expr:
    """Say that two traits have the method."""
    traits = [f"`{s.owner.impl.trait}`" for s in (symbol, other) if s.owner and s.owner.impl]
    return cx.error(
        rule.AMBIGUOUS_METHOD.at(
            name.span, f"{' and '.join(traits)} both give `{receiver.type}` a `{name.name}`"
        )
        .also(symbol.span, "one is here")
        .also(other.span, "the other here")
        .hint(f"say which one is meant: `val x: {traits[0].strip('`')} = …`, then `x.{name.name}(…)`")
    )


# --- bounds ------------------------------------------------------------------------


def check_bounds(cx: Context, symbol: FunctionSymbol, env: Env, span: Span) -> bool:
    """Do the type arguments of a call meet their bounds? Reports one that does not."""
    for var in signature_of(symbol).generics:
        type = env.get(var)
        if type is None or var.bound_scope is None or not var.bound_nodes or is_open(type):
            continue
        for trait in bounds(var, var.bound_scope):
            if not implements(cx.session, type, trait) and type is not ERROR:
                _report_bound(cx, symbol, var, type, trait, span)
                return False
    return True


def _report_bound(
    cx: Context, symbol: FunctionSymbol, var: TypeVar, type: Type, trait: TraitType | str, span: Span
) -> None:
    diagnostic = rule.NOT_IMPLEMENTED.at(
        span, f"{a_type(type)} is not {a_type(trait)}, as `{symbol.name}` asks"
    )
    diagnostic.also(var.bound_nodes[0].span, f"`{var.name}` is bounded here")
    if isinstance(trait, TraitType):
        diagnostic.hint(how_to_implement(trait, type))
    elif trait in KNOWN:
        diagnostic.hint(f"give `{type}` a method `{KNOWN[trait][0]}`")
    cx.error(diagnostic)


def how_to_implement(trait: TraitType, type: Type) -> str:
    """Say what makes `type` implement a trait."""
    return f"write `impl {trait} for {type}:` with {_wanted(trait)}"


def _wanted(trait: TraitType) -> str:
    names = list({decl.name.name: None for decl in trait.scope.decl.methods if decl.body is None})
    return f"its {'method' if len(names) == 1 else 'methods'} {listed(names)}" if names else "nothing in it"
