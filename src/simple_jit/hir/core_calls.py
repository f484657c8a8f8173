"""Calls that the checker itself makes: of core library functions and of methods found by type."""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir.convert import coerce
from simple_jit.hir.instances import get_instance, result_type, signature_of
from simple_jit.hir.symbols import ERROR, match, substitute
from simple_jit.hir.types import Type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.source import Span
    from simple_jit.hir.context import Context
    from simple_jit.hir.symbols import Env, FunctionSymbol


class MissingLibraryError(Exception):
    """The core library lacks a function that the checker counts on: the installation is damaged."""


def held_values(cx: Context, symbol: FunctionSymbol, span: Span) -> list[hir.Expr]:
    """Return what a function in a block takes besides its arguments: the variables that it captures."""
    if symbol.home is None:
        return []
    from simple_jit.hir.closures import captured_by, captured_value

    return [captured_value(cx, capture, span) for capture in captured_by(symbol)]


def call_symbol(
    cx: Context,
    symbol: FunctionSymbol,
    args: list[hir.Expr],
    span: Span,
    env: Env | None = None,
    held: list[hir.Expr] | None = None,
) -> hir.Expr:
    """Call a function with checked arguments, self's first, one for each parameter.

    `held` are the variables that it captures, where they are not those of this place.
    """
    signature = signature_of(symbol)
    env = dict(env or {})
    wanted: list[Type | None] = [param.type for param in signature.params]
    if symbol.has_self:
        wanted.insert(0, signature.self_type)
    for arg, type in zip(args, wanted):
        if type is not None:
            match(type, arg.type, env)
    fitted = [
        coerce(cx, arg, substitute(type, env)) if type is not None else arg for arg, type in zip(args, wanted)
    ]
    if any(arg.type is ERROR for arg in fitted):
        return hir.Const(None, ERROR, span)
    types = [substitute(type, env) if type is not None else arg.type for arg, type in zip(fitted, wanted)]
    instance = get_instance(symbol, env, types, span)
    fitted += held_values(cx, symbol, span) if held is None else held
    return hir.Call(instance.function, fitted, result_type(instance), span)


def call_core(cx: Context, name: str, args: list[hir.Expr], span: Span) -> hir.Expr:
    """Call a function of the core library by name."""
    symbol = cx.session.loader.core_function(name)
    if symbol is None:
        raise MissingLibraryError(f"there is no `{name}` in the core library")
    return call_symbol(cx, symbol, args, span)


def call_method(
    cx: Context, receiver: hir.Expr, name: str, args: list[hir.Expr], span: Span
) -> hir.Expr | None:
    """Call a method of the receiver's type; None where none of that name takes these arguments."""
    found = cx.session.find_method(receiver.type, name)
    if found is None:
        return None
    symbol, env = found
    if not symbol.has_self or len(symbol.decl.params) != len(args):
        return None
    return call_symbol(cx, symbol, [receiver, *args], span, env)
