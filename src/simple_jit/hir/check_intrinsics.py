"""Calls of intrinsics, which library modules alone may write."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.context import Context, diverging, erroneous, expression
from simple_jit.hir.convert import coerce
from simple_jit.hir.intrinsics import TABLE
from simple_jit.hir.show import text_of
from simple_jit.hir.symbols import ERROR, HoleType
from simple_jit.hir.types import TEXT, UNIT, ArrayType, Type
from simple_jit.syntax import ast

_OF_ARGUMENT = frozenset({"sqrt", "floor", "ceil", "trunc", "abs"})
"""Intrinsics whose result has the type of their argument."""


def call_intrinsic(
    cx: Context, node: ast.Call, name: str, type_args: list[ast.TypeExpr] | None
) -> hir.Expr:
    """`__name<T>(args)`."""
    if name == "throw":
        return _throw(cx, node)
    if name == "show":
        return text_of(cx, expression(cx, node.args[0].value), node.span, quoted=True)
    if name == "hash" or name == "same_key":
        return _on_keys(cx, node, name)
    signature = TABLE.get(name)
    if signature is None:
        return cx.error(rule.UNKNOWN_NAME.at(node.callee.span, f"there is no intrinsic `__{name}`"))
    if len(node.args) != len(signature.params):
        return cx.error(
            rule.WRONG_ARITY.at(node.span, f"`__{name}` takes {len(signature.params)}, not {len(node.args)}")
        )
    type_arg = cx.resolve(type_args[0]) if type_args else None
    if type_arg is ERROR:
        return hir.Const(None, ERROR, node.span)
    args = _arguments(cx, node, name, signature.params)
    if erroneous(*args):
        return hir.Const(None, ERROR, node.span)
    left = diverging(args, node.span)
    if left is not None:
        return left
    ret = signature.ret or _result(name, args, type_arg)
    return hir.Intrinsic(name, args, type_arg, ret, node.span)


def _arguments(
    cx: Context, node: ast.Call, name: str, params: tuple[Type | None, ...]
) -> list[hir.Expr]:
    args: list[hir.Expr] = []
    for arg, wanted in zip(node.args, params):
        hint = wanted
        if name == "array_store" and len(args) == 2 and isinstance(args[0].type, ArrayType):
            hint = wanted = args[0].type.elem
        value = expression(cx, arg.value, hint)
        if isinstance(value.type, HoleType):
            value = cx.error(rule.CANNOT_INFER_TYPE.at(arg.span, "the type of this is not known"))
        args.append(coerce(cx, value, wanted) if wanted is not None else value)
    return args


def _result(name: str, args: list[hir.Expr], type_arg: Type | None) -> Type:
    if name == "array_load":
        array = args[0].type
        assert isinstance(array, ArrayType)
        return array.elem
    if name in _OF_ARGUMENT:
        return args[0].type
    return type_arg or UNIT


def _on_keys(cx: Context, node: ast.Call, name: str) -> hir.Expr:
    """`__hash(x)` and `__same_key(a, b)`, of any type"""
    from simple_jit.hir.derive_keys import hash_of, same_key

    first, *others = [expression(cx, arg.value) for arg in node.args]
    return same_key(cx, first, others[0], node.span) if others else hash_of(cx, first, node.span)


def _throw(cx: Context, node: ast.Call) -> hir.Expr:
    """`__throw("IndexError", message)`"""
    kind = node.args[0].value
    message = coerce(cx, expression(cx, node.args[1].value, TEXT), TEXT)
    assert isinstance(kind, ast.TextLiteral)
    return hir.Throw(kind.value, message, node.span)  # type: ignore[arg-type]
