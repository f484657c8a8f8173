"""Compile-time evaluation: `const`, and the values of enum variants.

A constant's expression is checked like any other and then folded; the result is a literal that takes the
place of each use. Arithmetic follows the rules of run time, so that it wraps the same.
"""

from __future__ import annotations

import math

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.context import Context, expression
from simple_jit.hir.convert import coerce
from simple_jit.hir.symbols import ERROR, ConstSymbol, Module, Symbol
from simple_jit.hir.types import BOOL, F32, F64, I64, TEXT, EnumType, FloatType, IntType, TupleType, Type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from simple_jit.base.source import Span
    from simple_jit.hir.session import Session
    from simple_jit.syntax import ast

Value = object


class NotConstantError(Exception):
    """What stands at `span` is only known when the program runs."""

    def __init__(self, span: Span) -> None:
        super().__init__(span)
        self.span = span


def constant_value(symbol: ConstSymbol) -> hir.Expr:
    """Return the literal that a constant stands for; found once."""
    if symbol.value is None:
        session = symbol.module.session
        if symbol.evaluating:
            session.reporter.report(
                rule.CYCLIC_CONSTANT.at(symbol.span, f"the value of `{symbol.name}` depends on itself")
            )
            return hir.Const(None, ERROR, symbol.span)
        symbol.evaluating = True
        try:
            symbol.value = _evaluate(symbol)
        finally:
            symbol.evaluating = False
    return symbol.value


def _evaluate(symbol: ConstSymbol) -> hir.Expr:
    decl = symbol.decl
    cx = _context(symbol.module)
    wanted = cx.resolve(decl.type) if decl.type is not None else None
    value = expression(cx, decl.value, wanted)
    if wanted is not None and decl.type is not None:
        value = coerce(cx, value, wanted, decl.type.span)
    if value.type is not ERROR and not _is_constant_type(value.type):
        value = cx.error(
            rule.NOT_CONSTANT.at(decl.value.span, "a constant is a number, bool, text or tuple of them")
        )
    if value.type is not ERROR:
        value = _folded(cx, value, f"the value of `{symbol.name}`")
    for diagnostic in cx.reporter.diagnostics:
        symbol.module.session.reporter.report(diagnostic)
    return value


def _is_constant_type(type: Type) -> bool:
    if isinstance(type, TupleType):
        return all(map(_is_constant_type, type.items))
    return isinstance(type, (IntType, FloatType, EnumType)) or type in (BOOL, TEXT)


def _context(module: Module) -> Context:
    from simple_jit.hir.whole import init_instance

    cx = Context(init_instance(module), {}, None)
    cx.is_top_level = True
    return cx


def _folded(cx: Context, value: hir.Expr, what: str) -> hir.Expr:
    try:
        return literal(fold(value), value.type, value.span)
    except NotConstantError as error:
        diagnostic = rule.NOT_CONSTANT.at(error.span, f"{what} is not known at compile time")
        return cx.error(diagnostic.hint("what is computed when the program runs is a `val`"))
    except ZeroDivisionError:
        return cx.error(rule.NOT_CONSTANT.at(value.span, "this divides by zero"))


def evaluate_integer(
    session: Session,
    node: ast.Expr,
    module: Module,
    what: str,
    blocks: Callable[[str], Symbol | None] | None = None,
) -> int | None:
    """Evaluate what must be an integer, the value of a variant for one; None after reporting that it is none.

    `blocks` finds the declarations of the blocks around it.
    """
    from simple_jit.hir.captures import free_names

    cx = _context(module)
    for name in free_names(node) if blocks is not None else ():
        symbol = blocks(name) if blocks is not None else None
        if symbol is not None:
            cx.scope.names[name] = symbol
    value = coerce(cx, expression(cx, node, I64), I64, what=what)
    if value.type is not ERROR:
        value = _folded(cx, value, what)
    for diagnostic in cx.reporter.diagnostics:
        session.reporter.report(diagnostic)
    return value.value if isinstance(value, hir.Const) and isinstance(value.value, int) else None


def literal(value: Value, type: Type, span: Span) -> hir.Expr:
    """Return the literal expression for a value."""
    if type is TEXT:
        assert isinstance(value, str)
        return hir.TextConst(value, TEXT, span)
    if isinstance(type, TupleType):
        assert isinstance(value, tuple)
        return hir.TupleNew([literal(v, t, span) for v, t in zip(value, type.items)], type, span)
    if not isinstance(type, (IntType, FloatType, EnumType)) and type is not BOOL:
        raise NotConstantError(span)
    assert isinstance(value, (int, float))
    return hir.Const(value, type, span)


def with_span(value: hir.Expr, span: Span) -> hir.Expr:
    """Return a copy of a literal for a use of it at `span`."""
    if isinstance(value, hir.Const):
        return hir.Const(value.value, value.type, span)
    if isinstance(value, hir.TextConst):
        return hir.TextConst(value.value, TEXT, span)
    assert isinstance(value, hir.TupleNew)
    return hir.TupleNew([with_span(item, span) for item in value.items], value.type, span)


# --- folding -----------------------------------------------------------------------


def fold(expr: hir.Expr) -> Value:
    """Evaluate an expression of constants."""
    if isinstance(expr, hir.Const):
        return expr.value
    if isinstance(expr, hir.TextConst):
        return expr.value
    if isinstance(expr, (hir.TupleNew, hir.ArrayNew)):
        return tuple(map(fold, expr.items))
    if isinstance(expr, hir.TupleGet):
        whole = fold(expr.value)
        assert isinstance(whole, tuple)
        return whole[expr.index]
    if isinstance(expr, hir.Binary):
        return _binary(expr)
    if isinstance(expr, hir.Unary):
        return _unary(expr)
    if isinstance(expr, hir.Compare):
        return _compare(expr.op, fold(expr.lhs), fold(expr.rhs))
    if isinstance(expr, hir.And):
        return fold(expr.lhs) and fold(expr.rhs)
    if isinstance(expr, hir.Or):
        return fold(expr.lhs) or fold(expr.rhs)
    if isinstance(expr, hir.If) and expr.orelse is not None:
        return fold(expr.then if fold(expr.cond) else expr.orelse)
    if isinstance(expr, hir.Block) and not expr.stmts and expr.result is not None:
        return fold(expr.result)
    if isinstance(expr, hir.Convert):
        return convert(fold(expr.value), expr.type)
    if isinstance(expr, hir.Call):
        return _library_call(expr)
    raise NotConstantError(expr.span)


def _library_call(expr: hir.Call) -> Value:
    """A call of a library function, of those that mean something at compile time."""
    if expr.callee.module.startswith("core."):
        from simple_jit.hir.constant_calls import folded_call

        value = folded_call(expr, [fold(arg) for arg in expr.args])
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return wrap(value, expr.type)
        if value is not None:
            return value
    raise NotConstantError(expr.span)


def wrap(value: int | float, type: Type) -> int | float:
    """Bring the exact result of an operation into the range of its type."""
    if isinstance(type, IntType):
        assert isinstance(value, int)
        value &= (1 << type.bits) - 1
        return value - (1 << type.bits) if value > type.max else value
    return convert(float(value), F32) if type is F32 else float(value)


def _unary(expr: hir.Unary) -> Value:
    value = fold(expr.operand)
    if expr.op == "not":
        return not value
    assert isinstance(value, (int, float))
    if expr.op == "neg":
        return wrap(-value, expr.type)
    assert isinstance(value, int)
    return wrap(~value, expr.type)


def _binary(expr: hir.Binary) -> Value:
    a, b = fold(expr.lhs), fold(expr.rhs)
    assert isinstance(a, (int, float))
    assert isinstance(b, (int, float))
    if isinstance(expr.type, FloatType):
        return wrap(_float_operation(expr, a, b), expr.type)
    assert isinstance(a, int)
    assert isinstance(b, int)
    assert isinstance(expr.type, IntType)
    return wrap(_integer_operation(expr.op, a, b, expr.type), expr.type)


def _float_operation(expr: hir.Binary, a: float, b: float) -> float:
    if expr.op == "add":
        return a + b
    if expr.op == "sub":
        return a - b
    if expr.op == "mul":
        return a * b
    if b == 0.0:
        raise NotConstantError(expr.span)
    if expr.op == "div":
        return a / b
    return math.fmod(a, b) if expr.op == "rem" else float(math.floor(a / b))


def _integer_operation(op: hir.BinaryOp, a: int, b: int, type: IntType) -> int:
    if op in ("div", "rem"):
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return quotient if op == "div" else a - quotient * b
    count = b & (type.bits - 1)
    return {
        "add": lambda: a + b,
        "sub": lambda: a - b,
        "mul": lambda: a * b,
        "floordiv": lambda: a // b,
        "and": lambda: a & b,
        "or": lambda: a | b,
        "xor": lambda: a ^ b,
        "shl": lambda: a << count,
        "shr": lambda: a >> count,
    }[op]()


def _compare(op: hir.CompareOp, a: Value, b: Value) -> bool:
    if op == "eq":
        return a == b
    if op == "ne":
        return a != b
    assert isinstance(a, (int, float))
    assert isinstance(b, (int, float))
    return {"lt": a < b, "le": a <= b, "gt": a > b, "ge": a >= b}[op]


def convert(value: Value, type: Type) -> int | float:
    """`value as type`"""
    assert isinstance(value, (int, float))
    if type is F32:
        from struct import pack, unpack

        try:
            number = unpack("f", pack("f", value))[0]
        except OverflowError:
            number = math.inf if value > 0 else -math.inf
        return float(number)
    if type is F64:
        return float(value)
    assert isinstance(type, IntType)
    if isinstance(value, float):
        if math.isnan(value):
            return 0
        return (
            int(min(max(value, type.min), type.max))
            if math.isinf(value)
            else min(max(int(value), type.min), type.max)
        )
    return wrap(int(value), type)
