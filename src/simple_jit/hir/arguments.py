"""Matching the arguments of a call with parameters, and putting them in order.

Arguments are evaluated in the order in which they are written; where that is not the order of the
parameters, they go into temporaries first. A default is evaluated after them, by a small function
of its own where it is more than a literal, so that it may use the parameters before it.
"""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.base.diagnostics import suggest
from simple_jit.hir import nodes as hir
from simple_jit.hir.check_operators import adapts
from simple_jit.hir.context import Context, diverging, expression
from simple_jit.hir.convert import coerce
from simple_jit.hir.core_calls import held_values
from simple_jit.hir.instances import (
    Instance,
    get_instance,
    is_concrete,
    new_function,
    result_type,
    signature_of,
)
from simple_jit.hir.report import count, listed
from simple_jit.hir.symbols import ERROR, FunctionSymbol, HoleType, Param, Symbol, is_open, match, substitute
from simple_jit.hir.types import ANY, NEVER, UNIT, ArrayType, ClosureType, FnType, TraitType, Type, array_of
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.source import Span
    from simple_jit.hir.symbols import Env, Signature


class Slots:
    """Which argument goes to which parameter: one, several for a variadic one, or none."""

    __slots__ = ("given", "order")

    def __init__(self, size: int) -> None:
        self.given: list[list[ast.Arg]] = [[] for _ in range(size)]
        self.order: list[int] = []

    def give(self, index: int, arg: ast.Arg) -> None:
        self.given[index].append(arg)
        if index not in self.order:
            self.order.append(index)


def assign_slots(
    cx: Context, name: str, params: list[ast.Param], args: list[ast.Arg], span: Span, declared: Span | None
) -> Slots | None:
    """Give each argument to its parameter; None after reporting what does not fit."""
    slots = Slots(len(params))
    names = [param.name.name for param in params]
    position = 0
    for arg in args:
        if arg.name is not None:
            if arg.name.name not in names:
                _report_unknown_parameter(cx, name, names, arg.name)
                return None
            index = names.index(arg.name.name)
            if slots.given[index]:
                cx.error(rule.DUPLICATE_ARGUMENT.at(arg.span, f"`{arg.name.name}` is given twice"))
                return None
            slots.give(index, arg)
            continue
        if position >= len(params):
            _report_arity(cx, name, params, args, span, declared)
            return None
        if arg.spread and not params[position].variadic:
            cx.error(rule.BAD_SPREAD.at(arg.span, f"`{name}` takes no variable number of arguments here"))
            return None
        if arg is args[-1] and isinstance(arg.value, ast.Lambda) and _takes_block(params, position):
            if arg.span.end == span.end or not _is_function(params[position]):
                position = len(params) - 1  # a block, or a lambda where no function is wanted
        slots.give(position, arg)
        if not params[position].variadic:
            position += 1
    missing = [
        p for p, given in zip(params, slots.given) if not given and p.default is None and not p.variadic
    ]
    if missing:
        _report_arity(cx, name, params, args, span, declared, missing)
        return None
    return slots


def _takes_block(params: list[ast.Param], position: int) -> bool:
    """Are the parameters from `position` on optional, up to a last one that is a function?"""
    return _is_function(params[-1]) and all(
        param.default is not None and not param.variadic for param in params[position:-1]
    )


def _is_function(param: ast.Param) -> bool:
    type = param.type
    if isinstance(type, ast.OptionalType):
        type = type.inner
    return isinstance(type, ast.FunctionType)


def _report_unknown_parameter(cx: Context, name: str, names: list[str], ident: ast.Ident) -> None:
    diagnostic = rule.UNKNOWN_PARAMETER.at(ident.span, f"`{name}` has no parameter `{ident.name}`")
    near = suggest(ident.name, names)
    if near:
        diagnostic.hint(f"did you mean `{near}`?")
    elif names:
        diagnostic.note(f"its parameters are {listed(names)}")
    cx.error(diagnostic)


def _report_arity(
    cx: Context,
    name: str,
    params: list[ast.Param],
    args: list[ast.Arg],
    span: Span,
    declared: Span | None,
    missing: list[ast.Param] | None = None,
) -> None:
    needed = sum(1 for p in params if p.default is None and not p.variadic)
    most = len(params)
    wanted = count(most, "argument") if needed == most else f"{needed} to {most} arguments"
    if any(p.variadic for p in params):
        wanted = f"{count(needed, 'argument')} or more"
    if most == 0:
        wanted = "no arguments"
    given = "1 was" if len(args) == 1 else f"{len(args) or 'none'} were"
    diagnostic = rule.WRONG_ARITY.at(span, f"`{name}` takes {wanted}, but {given} given")
    if (missing and len(missing) < needed) or (missing and len(missing) == 1):
        diagnostic.note(f"missing: {listed([p.name.name for p in missing])}")
    cx.error(diagnostic.also(declared, "declared here") if declared else diagnostic)


# --- functions ---------------------------------------------------------------------


def call_function(
    cx: Context,
    symbol: FunctionSymbol,
    receiver: hir.Expr | None,
    args: list[ast.Arg],
    span: Span,
    env: Env,
    hint: Type | None = None,
) -> hir.Expr:
    """Call a function or method written in Simple; `env` has what is known of its type parameters."""
    slots = assign_slots(cx, symbol.name, symbol.decl.params, args, span, symbol.span)
    if slots is None:
        for arg in args:
            expression(cx, arg.value)
        return hir.Const(None, ERROR, span)
    signature = signature_of(symbol)
    if symbol.has_self and receiver is not None and signature.self_type is not None:
        match(signature.self_type, receiver.type, env)
    values = _check_arguments(cx, signature, slots, env, hint)
    _match_result(signature, hint, env)
    if any(value is not None and value.type is ERROR for value in values):
        return hir.Const(None, ERROR, span)
    fitted = _fit_arguments(cx, symbol, signature.params, values, env)
    if fitted is None:
        return hir.Const(None, ERROR, span)
    if any(var.bound_nodes for var in signature.generics):
        from simple_jit.hir.check_traits import check_bounds

        if not check_bounds(cx, symbol, env, span):
            return hir.Const(None, ERROR, span)
    missing = [var.name for var in signature.generics if var not in env]
    if missing:
        return cx.error(
            rule.CANNOT_INFER_TYPE.at(
                span, f"cannot tell what {listed(missing)} of `{symbol.name}` is here"
            ).also(symbol.span, "declared here")
        )
    return _emit(cx, symbol, receiver, slots, fitted, env, span)


def _match_result(signature: Signature, hint: Type | None, env: Env) -> None:
    """Let the type that the context would like tell type parameters that nothing else tells."""
    if signature.ret is not None and hint is not None and not isinstance(hint, HoleType):
        if any(var not in env for var in signature.generics):
            match(signature.ret, hint, env)


def _check_arguments(
    cx: Context, signature: Signature, slots: Slots, env: Env, hint: Type | None
) -> list[hir.Expr | None]:
    """Check what is given, literals and then lambdas last: they adapt to what the others have settled."""
    params = signature.params
    values: list[hir.Expr | None] = [None] * len(params)
    later = []
    lambdas = []
    for index in slots.order:
        node = slots.given[index][0].value
        type = params[index].type
        if type is not None and is_open(type) and isinstance(node, ast.Lambda):
            lambdas.append(index)
        elif type is not None and is_open(type) and _is_flexible(node):
            later.append(index)
        else:
            values[index] = _check_argument(cx, params[index], slots.given[index], env)
    for index in later:
        values[index] = _check_argument(cx, params[index], slots.given[index], env)
    if lambdas and hint is not ANY and not isinstance(hint, TraitType):
        _match_result(signature, hint, env)
    for index in lambdas:
        values[index] = _check_argument(cx, params[index], slots.given[index], env)
    return values


def _is_flexible(node: ast.Expr) -> bool:
    return adapts(node) or isinstance(node, (ast.NilLiteral, ast.ArrayLiteral))


def _check_argument(cx: Context, param: Param, given: list[ast.Arg], env: Env) -> hir.Expr:
    type = substitute(param.type, env) if param.type is not None else None
    if param.decl.variadic:
        return _check_variadic(cx, type, given, env)
    value = expression(cx, given[0].value, type)
    if param.type is not None and not isinstance(value.type, HoleType) and value.type is not NEVER:
        if isinstance(value.type, ClosureType) and isinstance(param.type, FnType) and value.type.is_open:
            _match_open(cx, param.type, value, env)
        else:
            match(param.type, value.type, env)
    return value


def _match_open(cx: Context, wanted: FnType, value: hir.Expr, env: Env) -> None:
    """A function that takes any types tells its result once those of its arguments are known."""
    from simple_jit.hir.closures import result_for

    params = [substitute(param, env) for param in wanted.params]
    if not any(map(is_open, params)):
        assert isinstance(value.type, ClosureType)
        ret = result_for(cx, value.type, params, value.span)
        if ret is not None and ret is not UNIT:
            match(wanted.ret, ret, env)


def _check_variadic(cx: Context, type: Type | None, given: list[ast.Arg], env: Env) -> hir.Expr:
    """Several arguments make an array; one array that is spread is passed as it is."""
    if len(given) == 1 and given[0].spread:
        value = expression(cx, given[0].value, type)
    else:
        span = given[0].span.join(given[-1].span)
        items: list[ast.Expr | ast.Spread] = [
            ast.Spread(arg.span, arg.value) if arg.spread else arg.value for arg in given
        ]
        value = expression(cx, ast.ArrayLiteral(span, items), type)
    if isinstance(type, ArrayType) and not isinstance(value.type, HoleType):
        match(type, value.type, env)
    return value


def _fit_arguments(
    cx: Context, symbol: FunctionSymbol, params: list[Param], values: list[hir.Expr | None], env: Env
) -> list[hir.Expr | None] | None:
    fitted: list[hir.Expr | None] = []
    for param, value in zip(params, values):
        if value is not None and param.type is not None:
            declared = param.decl.type.span if param.decl.type is not None else None
            if _is_specialised(cx, symbol, param.type, value, env):
                fitted.append(value)
                continue
            value = coerce(cx, value, substitute(param.type, env), declared)
            if value.type is ERROR:
                return None
        elif value is not None and isinstance(value.type, HoleType):
            cx.error(rule.CANNOT_INFER_TYPE.at(value.span, "cannot tell the type of this argument"))
            return None
        fitted.append(value)
    return fitted


def _is_specialised(cx: Context, symbol: FunctionSymbol, type: Type, value: hir.Expr, env: Env) -> bool:
    """Is the callee instantiated for this very closure? Generic ones and those of the library are."""
    if not isinstance(value.type, ClosureType) or not isinstance(type, FnType):
        return False
    if not symbol.module.is_library and is_concrete(symbol):
        return False
    from simple_jit.hir.closures import specialised

    return specialised(cx, value, substitute(type, env))


def _emit(
    cx: Context,
    symbol: FunctionSymbol,
    receiver: hir.Expr | None,
    slots: Slots,
    values: list[hir.Expr | None],
    env: Env,
    span: Span,
) -> hir.Expr:
    stmts: list[hir.Expr] = []
    params = signature_of(symbol).params
    needs_temporaries = slots.order != sorted(slots.order) or any(
        value is None and not _is_plain_default(param.decl) for param, value in zip(params, values)
    )
    if needs_temporaries:
        if receiver is not None:
            receiver = cx.keep(receiver, stmts)
        for index in slots.order:
            value = values[index]
            assert value is not None
            values[index] = cx.keep(value, stmts) if value.type is not NEVER else value
    args: list[hir.Expr] = [receiver] if receiver is not None else []
    for param, value in zip(params, values):
        if value is None:
            value = _default(cx, symbol, param, args, env, span)
            if value.type is ERROR:
                return value
            if needs_temporaries:
                value = cx.keep(value, stmts)
        args.append(value)
    left = diverging([*stmts, *args], span)
    if left is not None:
        return left
    types = [
        substitute(param.type, env)
        if param.type is not None and not isinstance(arg.type, ClosureType)
        else arg.type
        for param, arg in zip(params, args[1:] if receiver is not None else args)
    ]
    if receiver is not None:
        types.insert(0, receiver.type)
    instance = get_instance(symbol, env, types, span)
    args += held_values(cx, symbol, span)
    if any(arg.type is ERROR for arg in args):
        return hir.Const(None, ERROR, span)
    call = hir.Call(instance.function, args, result_type(instance), span)
    if call.type is ERROR or not stmts:
        return call if call.type is not ERROR else hir.Const(None, ERROR, span)
    return hir.Block(stmts, call, call.type, span)


# --- defaults ----------------------------------------------------------------------

_PLAIN = (ast.IntLiteral, ast.FloatLiteral, ast.BoolLiteral, ast.TextLiteral, ast.NilLiteral, ast.UnitLiteral)


def _is_plain_default(param: ast.Param) -> bool:
    default = param.default
    if isinstance(default, ast.Unary):
        default = default.operand
    return param.variadic or isinstance(default, _PLAIN)


def _default(
    cx: Context,
    symbol: FunctionSymbol,
    param: Param,
    before: list[hir.Expr],
    env: Env,
    span: Span,
) -> hir.Expr:
    """The value of a parameter that is not given; `before` are self and the parameters ahead of it."""
    wanted = substitute(param.type, env) if param.type is not None else None
    if param.decl.variadic:
        return hir.ArrayNew([], wanted or array_of(ERROR), span)
    default = param.decl.default
    assert default is not None
    if _is_plain_default(param.decl):
        value = expression(cx, default, wanted)
        value.span = span
        return coerce(cx, value, wanted) if wanted is not None else value
    instance = _default_instance(cx, symbol, param, default, before, env, wanted)
    type = result_type(instance)
    if type is ERROR:
        return hir.Const(None, ERROR, span)
    return hir.Call(instance.function, list(before), type, span)


def _default_instance(
    cx: Context,
    symbol: FunctionSymbol,
    param: Param,
    default: ast.Expr,
    before: list[hir.Expr],
    env: Env,
    wanted: Type | None,
) -> Instance:
    names = ["self"] if symbol.has_self else []
    names += [p.name.name for p in symbol.decl.params]
    return expression_instance(
        cx,
        symbol,
        f"{symbol.prefix}{symbol.name}.{param.name}",
        default,
        list(zip(names, [value.type for value in before])),
        {var.name: type for var, type in env.items()},
        wanted,
    )


def expression_instance(
    cx: Context,
    owner: Symbol,
    name: str,
    node: ast.Expr,
    params: list[tuple[str, Type]],
    types: dict[str, Type],
    wanted: Type | None,
) -> Instance:
    """Make a function that evaluates one expression in the module where it stands."""
    session = cx.session
    cache_key = (name, *[type for _, type in params], *types.values(), wanted)
    found = session.expressions.get((node, cache_key))
    if found is not None:
        return found

    def build(inner: Context) -> hir.Expr:
        for (param_name, _), local in zip(params, inner.instance.function.params):
            variable = inner.declare(param_name, local, node.span, kind="parameter")
            if param_name == "self":
                inner.self_variable = variable
        value = expression(inner, node, wanted)
        if wanted is not None:
            value = coerce(inner, value, wanted)
        inner.result = wanted or value.type
        return value

    function = new_function(session, owner.module, f"{name}=", owner.name, node.span)
    for index, (param_name, type) in enumerate(params):
        function.locals.append(hir.Local(index, param_name, type))
    function.param_count = len(params)
    function.annotations = frozenset(("inline",))
    instance = Instance(session, owner.module, function, build, wanted)
    instance.types = types
    session.expressions[node, cache_key] = instance
    if wanted is not None:
        function.ret = wanted
        session.queue.append(instance)
    return instance
