"""Comparisons, `in`, and chains of them: `0 <= x < n` evaluates `x` once."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.check_operators import adapts, check_operand_pair, operand_hint, unify_numbers
from simple_jit.hir.collections import is_collection
from simple_jit.hir.context import Context, block, checks, diverging, erroneous, expression
from simple_jit.hir.convert import coerce, definite, join
from simple_jit.hir.core_calls import call_core, call_method
from simple_jit.hir.derive import derived_equal, derived_order
from simple_jit.hir.report import a_type
from simple_jit.hir.symbols import ERROR, HoleType
from simple_jit.hir.types import (
    ANY,
    BOOL,
    F64,
    I64,
    TEXT,
    UNIT,
    ArrayType,
    EnumType,
    FloatType,
    FnType,
    IntType,
    OptionalType,
    StructType,
    TraitType,
    TupleType,
    Type,
    involves_dynamic,
    is_number,
    is_plain_enum,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.source import Span

OPERATIONS: dict[str, hir.CompareOp] = {
    "==": "eq",
    "!=": "ne",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
}


@checks(ast.Compare)
def check_compare(cx: Context, node: ast.Compare, hint: Type | None) -> hir.Expr:
    if len(node.ops) == 1:
        return _single(cx, node.ops[0], node.first, node.operands[0], node.span)
    stmts: list[hir.Expr] = []
    if adapts(node.first):
        probe_left, left = node.first, None
    else:
        probe_left, left = None, cx.keep(expression(cx, node.first), stmts)
    tests: list[hir.Expr] = []
    before: list[list[hir.Expr]] = []
    for op, operand in zip(node.ops, node.operands):
        kept: list[hir.Expr] = []
        if op in ("in", "not in"):
            tests.append(cx.error(rule.BAD_OPERAND.at(node.span, f"`{op}` cannot be chained")))
            break
        right = expression(cx, operand, operand_hint(left.type) if left is not None else None)
        right = cx.keep(right, kept)
        if left is None:
            assert probe_left is not None
            left = expression(cx, probe_left, operand_hint(right.type))
        tests.append(compare_values(cx, op, left, right, node.span))
        before.append(kept)
        left = right
    if erroneous(*tests):
        return hir.Const(None, ERROR, node.span)
    result = block(before[-1], tests[-1], node.span)
    for kept, test in zip(reversed(before[:-1]), reversed(tests[:-1])):
        result = block(kept, hir.And(test, result, node.span), node.span)
    return block(stmts, result, node.span)


def _single(cx: Context, op: str, left: ast.Expr, right: ast.Expr, span: Span) -> hir.Expr:
    if op in ("in", "not in"):
        found = _contains(cx, left, right, span)
        return hir.Unary("not", found, span) if op == "not in" and found.type is BOOL else found
    first, second = check_operand_pair(cx, left, right, None)
    return compare_values(cx, op, first, second, span)


def compare_values(cx: Context, op: str, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    """Compare two checked operands."""
    if erroneous(left, right):
        return hir.Const(None, ERROR, span)
    left_out = diverging([left, right], span)
    if left_out is not None:
        return left_out
    if involves_dynamic(left.type) or involves_dynamic(right.type):
        return _compare_any(cx, op, left, right, span)
    if op in ("==", "!=") and left.type is UNIT and right.type is UNIT:
        return hir.Block([left, right], hir.Const(op == "==", BOOL, span), BOOL, span)
    if op in ("==", "!="):
        equal = _equality(cx, left, right, span)
        if equal is None:
            return cx.error(_unrelated(op, left, right, span))
        return _negate(equal, span) if op == "!=" else equal
    return _order(cx, op, left, right, span)


def _compare_any(cx: Context, op: str, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    """Compare where a side carries its type; a trait's `eq` and `cmp` come first."""
    from simple_jit.hir.any_operators import equal_any, order_any

    if isinstance(left.type, TraitType):
        name = "eq" if op in ("==", "!=") else "cmp"
        called = call_method(cx, left, name, [right], span) if not isinstance(right, hir.Nil) else None
        if called is not None and name == "cmp":
            return hir.Compare(OPERATIONS[op], coerce(cx, called, I64), hir.Const(0, I64, span), span)
        if called is not None:
            called = coerce(cx, called, BOOL)
            return _negate(called, span) if op == "!=" else called
    if op in ("==", "!="):
        equal = equal_any(cx, left, right, span)
        return _negate(equal, span) if op == "!=" else equal
    return order_any(cx, op, left, right, span)


def _negate(value: hir.Expr, span: Span) -> hir.Expr:
    if isinstance(value, hir.Compare) and value.op in ("eq", "ne"):
        return hir.Compare("ne" if value.op == "eq" else "eq", value.lhs, value.rhs, span)
    if isinstance(value, hir.Unary) and value.op == "not":
        return value.operand
    return value if value.type is ERROR else hir.Unary("not", value, span)


def _unrelated(op: str, left: hir.Expr, right: hir.Expr, span: Span):  # type: ignore[no-untyped-def]
    return (
        rule.BAD_COMPARISON.at(span, f"`{op}` does not compare {a_type(left.type)} with {a_type(right.type)}")
        .also(left.span, a_type(left.type))
        .also(right.span, a_type(right.type))
    )


# --- equality ----------------------------------------------------------------------


def _equality(cx: Context, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr | None:
    for value, other in ((left, right), (right, left)):
        if isinstance(value, hir.Nil):
            if isinstance(other.type, OptionalType):
                return hir.Unary("not", hir.IsSome(other, span), span)
            if isinstance(other.type, HoleType):
                return hir.Const(other.type.is_nil, BOOL, span)
            if other.type is not UNIT:
                return block([other], hir.Const(False, BOOL, span), span)
    if is_number(left.type) and is_number(right.type) and left.type is not right.type:
        return _compare_numbers(cx, "==", left, right, span)
    if isinstance(left.type, StructType):
        called = call_method(cx, left, "eq", [right], span)
        if called is not None:
            return coerce(cx, called, BOOL, what="the result of `eq`")
    common = join(left.type, right.type)
    if common is None or isinstance(common, HoleType) or common is UNIT:
        return None
    return equal(cx, coerce(cx, left, common), coerce(cx, right, common), span)


def equal(cx: Context, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    """Compare two values of one type by `==`."""
    if erroneous(left, right):
        return hir.Const(None, ERROR, span)
    type = left.type
    if is_number(type) or type is BOOL or is_plain_enum(type):
        return hir.Compare("eq", left, right, span)
    if involves_dynamic(type):
        return _compare_any(cx, "==", left, right, span)
    if type is UNIT:
        return block([left, right], hir.Const(True, BOOL, span), span)
    if isinstance(type, FnType):
        return cx.error(rule.BAD_COMPARISON.at(span, "functions are not compared"))
    if type is TEXT:
        return call_core(cx, "text_eq", [left, right], span)
    if isinstance(type, ArrayType):
        return call_core(cx, "array_eq", [left, right], span)
    if isinstance(type, StructType):
        called = call_method(cx, left, "eq", [right], span)
        if called is not None:
            return coerce(cx, called, BOOL, what="the result of `eq`")
        if type.is_class:
            return hir.Compare("eq", left, right, span)
    if isinstance(type, EnumType):
        called = call_method(cx, left, "eq", [right], span)
        if called is not None:
            return coerce(cx, called, BOOL, what="the result of `eq`")
    return derived_equal(cx, left, right, span)


# --- order -------------------------------------------------------------------------


def _order(cx: Context, op: str, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    if isinstance(left, hir.Nil) or isinstance(right, hir.Nil):
        return cx.error(rule.BAD_COMPARISON.at(span, f"`{op}` does not order nil"))
    left, right = definite(left), definite(right)
    if is_number(left.type) and is_number(right.type):
        return _compare_numbers(cx, op, left, right, span)
    common = join(left.type, right.type)
    if common is None or isinstance(common, HoleType):
        return cx.error(_unrelated(op, left, right, span))
    ordered = order(cx, op, coerce(cx, left, common), coerce(cx, right, common), span)
    return ordered if ordered is not None else cx.error(_unordered(op, common, span))


def _unordered(op: str, type: Type, span: Span):  # type: ignore[no-untyped-def]
    diagnostic = rule.BAD_COMPARISON.at(span, f"`{op}` does not order values of type `{type}`")
    if isinstance(type, (StructType, EnumType)):
        diagnostic.hint(f"give `{type}` a method `fn cmp(other: {type}) -> i64`")
    return diagnostic


def order(cx: Context, op: str, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr | None:
    """Compare two values of one type by `<`, `<=`, `>` or `>=`; None where they have no order."""
    type = left.type
    if is_number(type) or type is BOOL:
        return hir.Compare(OPERATIONS[op], left, right, span)
    if involves_dynamic(type):
        return _compare_any(cx, op, left, right, span)
    zero = hir.Const(0, I64, span)
    if type is TEXT:
        return hir.Compare(OPERATIONS[op], call_core(cx, "text_cmp", [left, right], span), zero, span)
    if isinstance(type, ArrayType):
        return hir.Compare(OPERATIONS[op], call_core(cx, "array_cmp", [left, right], span), zero, span)
    if isinstance(type, TupleType):
        return derived_order(cx, op, left, right, span)
    called = call_method(cx, left, "cmp", [right], span)
    if called is None:
        return None
    return hir.Compare(OPERATIONS[op], coerce(cx, called, I64, what="the result of `cmp`"), zero, span)


def _compare_numbers(cx: Context, op: str, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    """Integers compare with floats by value."""
    if left.type is right.type:
        return hir.Compare(OPERATIONS[op], left, right, span)
    if isinstance(left.type, IntType) and isinstance(right.type, FloatType):
        return _compare_mixed(cx, op, left, right, span)
    if isinstance(left.type, FloatType) and isinstance(right.type, IntType):
        stmts: list[hir.Expr] = []
        left = cx.keep(left, stmts)
        return block(stmts, _compare_mixed(cx, _MIRRORED[op], right, left, span), span)
    pair = unify_numbers(cx, left, right, op, span)
    return hir.Compare(OPERATIONS[op], *pair, span) if pair else hir.Const(None, ERROR, span)


_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_EXACT = 1 << 53
"""Below this every integer is a float of its own."""


def _compare_mixed(cx: Context, op: str, integer: hir.Expr, real: hir.Expr, span: Span) -> hir.Expr:
    """Compare an integer with a float exactly, also where the integer has no float of its own."""
    assert isinstance(integer.type, IntType)
    real = _as_f64(real)
    if integer.type.bits < 64 or any(_is_small(value) for value in (integer, real)):
        return hir.Compare(OPERATIONS[op], _as_f64(integer), real, span)
    stmts: list[hir.Expr] = []
    whole, number = cx.keep(integer, stmts), cx.keep(real, stmts)
    rounded = cx.keep(_as_f64(whole), stmts)
    top = hir.Const(float(integer.type.max), F64, span)
    is_beyond = hir.Compare("ge", number, top, span)
    as_integer = hir.Convert(number, integer.type, span)
    exact: hir.Expr = hir.Compare(OPERATIONS["==" if op == "!=" else op], whole, as_integer, span)
    if op in ("<", "<="):
        exact = hir.Or(is_beyond, exact, span)
    else:
        exact = hir.And(hir.Unary("not", is_beyond, span), exact, span)
    tied = hir.And(hir.Compare("eq", rounded, number, span), exact, span)
    if op == "==":
        return block(stmts, tied, span)
    if op == "!=":
        return block(stmts, hir.Unary("not", tied, span), span)
    strict = hir.Compare("lt" if op in ("<", "<=") else "gt", rounded, number, span)
    return block(stmts, hir.Or(strict, tied, span), span)


def _is_small(value: hir.Expr) -> bool:
    return isinstance(value, hir.Const) and value.value is not None and abs(value.value) < _EXACT


def _as_f64(value: hir.Expr) -> hir.Expr:
    if value.type is F64:
        return value
    if isinstance(value, hir.Const) and value.value is not None and _is_small(value):
        return hir.Const(float(value.value), F64, value.span)
    return hir.Convert(value, F64, value.span)


# --- in ----------------------------------------------------------------------------


def _contains(cx: Context, item: ast.Expr, container: ast.Expr, span: Span) -> hir.Expr:
    if isinstance(container, ast.Range):
        return _in_range(cx, item, container, span)
    stmts: list[hir.Expr] = []
    if adapts(item):
        holder = definite(expression(cx, container))
        value = expression(cx, item, _item_hint(holder.type))
    else:
        value = expression(cx, item)
        hint_type = None if isinstance(value.type, HoleType) else value.type
        holder = definite(expression(cx, container, None if hint_type is None else _holder_hint(hint_type)))
    if erroneous(value, holder):
        return hir.Const(None, ERROR, span)
    if isinstance(holder.type, HoleType) and holder.type.kind in ("dict", "set"):
        from simple_jit.hir.check_dicts import contains_in_hole

        return contains_in_hole(cx, holder.type, value.type, span)
    if holder.type is ANY:
        from simple_jit.hir.any_members import contains_any

        return contains_any(cx, value, holder, span)
    if isinstance(holder.type, (StructType, TraitType)):
        value = cx.keep(value, stmts)
        called = call_method(cx, holder, "contains", [value], span)
        if called is not None:
            return block(stmts, called, span)
    if isinstance(holder.type, TupleType):
        return _in_tuple(cx, value, holder, span)
    if holder.type is not TEXT and not isinstance(holder.type, ArrayType):
        return cx.error(rule.BAD_OPERAND.at(span, f"`in` does not look into {a_type(holder.type)}"))
    wanted = TEXT if holder.type is TEXT else holder.type.elem  # type: ignore[attr-defined]
    value = cx.keep(coerce(cx, value, wanted), stmts)
    name = "text_contains" if holder.type is TEXT else "array_contains"
    return block(stmts, call_core(cx, name, [holder, value], span), span)


def _in_tuple(cx: Context, value: hir.Expr, holder: hir.Expr, span: Span) -> hir.Expr:
    """`x in (a, b)`: is it equal to an item?"""
    stmts: list[hir.Expr] = []
    kept, whole = cx.keep(value, stmts), cx.keep(holder, stmts)
    assert isinstance(holder.type, TupleType)
    result: hir.Expr | None = None
    for index, type in enumerate(holder.type.items):
        same = compare_values(cx, "==", kept, hir.TupleGet(whole, index, type, span), span)
        if same.type is ERROR:
            return same
        result = same if result is None else hir.Or(result, same, span)
    assert result is not None
    return block(stmts, result, span)


def _item_hint(holder: Type) -> Type | None:
    if isinstance(holder, ArrayType):
        return holder.elem
    return holder.args[0] if isinstance(holder, StructType) and is_collection(holder) else None


def _holder_hint(type: Type) -> Type | None:
    from simple_jit.hir.types import array_of

    return None if type is TEXT else array_of(type)


def _in_range(cx: Context, item: ast.Expr, container: ast.Range, span: Span) -> hir.Expr:
    ops: list[ast.CompareOp] = ["<=", "<=" if container.inclusive else "<"]
    if adapts(item) and adapts(container.start):
        stop = expression(cx, container.stop)
        hint = operand_hint(stop.type)
    else:
        hint = None
    stmts: list[hir.Expr] = []
    value, start = check_operand_pair(cx, item, container.start, hint)
    value, start = cx.keep(definite(value), stmts), cx.keep(start, stmts)
    stop = cx.keep(expression(cx, container.stop, operand_hint(value.type)), stmts)
    low = compare_values(cx, ops[0], start, value, span)
    high = compare_values(cx, ops[1], value, stop, span)
    if erroneous(low, high):
        return hir.Const(None, ERROR, span)
    return block(stmts, hir.And(low, high, span), span)
