"""Literals, tuples, arrays and comprehensions."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.bodies import discard
from simple_jit.hir.collections import is_range
from simple_jit.hir.conditions import check_condition
from simple_jit.hir.context import EXPRESSIONS, Context, block, checks, diverging, erroneous, expression
from simple_jit.hir.convert import coerce, join, join_numbers
from simple_jit.hir.core_calls import call_core, call_method
from simple_jit.hir.holes import EmptyCollection
from simple_jit.hir.report import a_type
from simple_jit.hir.symbols import ERROR, HoleType, is_open
from simple_jit.hir.types import (
    ANY,
    BOOL,
    F32,
    F64,
    I64,
    NEVER,
    SCALARS,
    TEXT,
    UNIT,
    ArrayType,
    FloatType,
    IntType,
    OptionalType,
    StructType,
    TupleType,
    Type,
    array_of,
    is_number,
    tuple_of,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from simple_jit.base.source import Span


def wanted_number(hint: Type | None) -> Type | None:
    """Return the number type that a literal adapts to, if the context asks for one."""
    if isinstance(hint, OptionalType):
        hint = hint.inner
    return hint if hint is not None and is_number(hint) else None


@checks(ast.IntLiteral)
def check_int(cx: Context, node: ast.IntLiteral, hint: Type | None) -> hir.Expr:
    return integer(cx, node, node.value, node.span, hint)


def integer(cx: Context, node: ast.IntLiteral, value: int, span: Span, hint: Type | None) -> hir.Expr:
    """An integer literal, its sign included, in the type of its suffix or the one asked for."""
    type = SCALARS[node.suffix] if node.suffix else wanted_number(hint) or I64
    if isinstance(type, FloatType):
        return _float(cx, value, type, span)
    assert isinstance(type, IntType)
    if not type.min <= value <= type.max:
        return cx.error(
            rule.LITERAL_RANGE.at(
                span, f"{value} is out of range for `{type}`, which holds {type.min} to {type.max}"
            )
        )
    return hir.Const(value, type, span)


def _float(cx: Context, value: float, type: FloatType, span: Span) -> hir.Expr:
    try:
        number = float(value)
        if type is F32:
            from struct import pack, unpack

            number = unpack("f", pack("f", number))[0]
    except OverflowError:
        return cx.error(rule.LITERAL_RANGE.at(span, f"this is out of range for `{type}`"))
    return hir.Const(number, type, span)


@checks(ast.FloatLiteral)
def check_float(cx: Context, node: ast.FloatLiteral, hint: Type | None) -> hir.Expr:
    wanted = wanted_number(hint)
    type = SCALARS[node.suffix] if node.suffix else wanted if isinstance(wanted, FloatType) else F64
    assert isinstance(type, FloatType)
    return _float(cx, node.value, type, node.span)


@checks(ast.BoolLiteral)
def check_bool(cx: Context, node: ast.BoolLiteral, hint: Type | None) -> hir.Expr:
    return hir.Const(node.value, BOOL, node.span)


@checks(ast.TextLiteral)
def check_text(cx: Context, node: ast.TextLiteral, hint: Type | None) -> hir.Expr:
    return hir.TextConst(node.value, TEXT, node.span)


@checks(ast.UnitLiteral)
def check_unit(cx: Context, node: ast.UnitLiteral, hint: Type | None) -> hir.Expr:
    return hir.Const(None, UNIT, node.span)


@checks(ast.ErrorExpr)
def check_error(cx: Context, node: ast.ErrorExpr, hint: Type | None) -> hir.Expr:
    return hir.Const(None, ERROR, node.span)


@checks(ast.NilLiteral)
def check_nil(cx: Context, node: ast.NilLiteral, hint: Type | None) -> hir.Expr:
    return nil(cx, node, hint)


def nil(cx: Context, node: ast.Expr, hint: Type | None) -> hir.Expr:
    """`nil` of the optional type asked for, else of one that later use settles."""
    type = hint if isinstance(hint, OptionalType) else cx.hints.get(node)
    if type is ANY:
        from simple_jit.hir.check_any import nil_any

        return nil_any(cx, node.span)
    if type is None or is_open(type):
        type = cx.hole(HoleType(node, is_array=False))
    return hir.Nil(type, node.span)


@checks(ast.InterpolatedText)
def check_interpolation(cx: Context, node: ast.InterpolatedText, hint: Type | None) -> hir.Expr:
    from simple_jit.hir.show import interpolate

    return interpolate(cx, node)


@checks(ast.TupleLiteral)
def check_tuple(cx: Context, node: ast.TupleLiteral, hint: Type | None) -> hir.Expr:
    hints: list[Type | None] = [None] * len(node.items)
    if isinstance(hint, OptionalType):
        hint = hint.inner
    if isinstance(hint, TupleType) and len(hint.items) == len(node.items):
        hints = list(hint.items)
    items = [expression(cx, item, h) for item, h in zip(node.items, hints)]
    for index, wanted in enumerate(hints):
        if wanted is not None and not is_open(wanted):
            items[index] = coerce(cx, items[index], wanted)
    if erroneous(*items):
        return hir.Const(None, ERROR, node.span)
    left = diverging(items, node.span)
    if left is not None:
        return left
    for item in items:
        if item.type is UNIT:
            return cx.error(rule.NO_VALUE.at(item.span, "this gives no value to put into a tuple"))
    cx.has_open_tuples |= any(isinstance(item.type, HoleType) for item in items)
    return hir.TupleNew(items, tuple_of([item.type for item in items]), node.span)


# --- arrays ------------------------------------------------------------------------


@checks(ast.ArrayLiteral)
def check_array(cx: Context, node: ast.ArrayLiteral, hint: Type | None) -> hir.Expr:
    if isinstance(hint, OptionalType):
        hint = hint.inner
    elem = hint.elem if isinstance(hint, ArrayType) and not is_open(hint) else None
    if not node.items:
        return _empty_array(cx, node, elem)
    if any(isinstance(item, ast.Spread) for item in node.items):
        return _spread_array(cx, node, elem)
    items = [expression(cx, item, elem) for item in node.items if not isinstance(item, ast.Spread)]
    return array_from(cx, list(node.items), items, elem, node.span)


def _empty_array(cx: Context, node: ast.ArrayLiteral, elem: Type | None) -> hir.Expr:
    type: Type | None = array_of(elem) if elem is not None else cx.hints.get(node)
    return hir.ArrayNew([], type or cx.hole(HoleType(node, is_array=True)), node.span)


def array_from(
    cx: Context,
    nodes: list[ast.Expr | ast.Spread],
    items: list[hir.Expr],
    elem: Type | None,
    span: Span,
) -> hir.Expr:
    """Make an array of checked items, whose common type is the element's unless that is given."""
    fitted = same_type(cx, nodes, items, elem)
    if fitted is None:
        return hir.Const(None, ERROR, span)
    items, elem = fitted
    return diverging(items, span) or hir.ArrayNew(items, array_of(elem), span)


def same_type(
    cx: Context, nodes: list[ast.Expr | ast.Spread], items: list[hir.Expr], elem: Type | None
) -> tuple[list[hir.Expr], Type] | None:
    """Fit checked items to one type, `elem` or else what they have in common; None: reported already."""
    if elem is None:
        if erroneous(*items):
            return None
        elem = _element_type(cx, items)
        if elem is None:
            return None
        items = [
            _adapt(cx, node, item, elem) if item.type is not elem else item
            for node, item in zip(nodes, items)
        ]
    items = [coerce(cx, item, elem) for item in items]
    return None if erroneous(*items) else (items, elem)


def _adapt(cx: Context, node: ast.Expr | ast.Spread, item: hir.Expr, elem: Type) -> hir.Expr:
    """Integer literals among floats are floats: `[1, 2.5]`; `[]` beside `[1]` is one of its type."""
    if isinstance(item.type, (IntType, HoleType)) and isinstance(
        item, (hir.Const, hir.ArrayNew, hir.Nil, EmptyCollection)
    ):
        assert not isinstance(node, ast.Spread)
        return expression(cx, node, elem)
    return item


def _element_type(cx: Context, items: list[hir.Expr]) -> Type | None:
    common: Type = NEVER
    for item in items:
        joined = join(common, item.type)
        if joined is None:
            numbers = join_numbers([i.type for i in items])
            if numbers is not None and all(isinstance(i, hir.Const) or i.type is numbers for i in items):
                return numbers
            return ANY
        common = joined
    if common in (NEVER, UNIT):
        cx.error(rule.NO_VALUE.at(items[0].span, "this gives no value to put into an array"))
        return None
    if isinstance(common, HoleType):
        cx.error(rule.CANNOT_INFER_TYPE.at(items[0].span, "cannot tell the type of the elements"))
        return None
    return common


def _spread_array(cx: Context, node: ast.ArrayLiteral, elem: Type | None) -> hir.Expr:
    """`[0, ...a]`: pieces are joined from left to right."""
    array_type = array_of(elem) if elem is not None else None
    if array_type is None:
        array_type = _spread_type(cx, node)
        if array_type is None:
            return hir.Const(None, ERROR, node.span)
    result: hir.Expr | None = None
    run: list[ast.Expr | ast.Spread] = []
    for item in node.items:
        if isinstance(item, ast.Spread):
            if run:
                result = _append(cx, result, check_array(cx, ast.ArrayLiteral(node.span, run), array_type))
                run = []
            piece = expression(cx, item.value, array_type)
            if piece.type is ANY:
                from simple_jit.hir.any_members import items_of_any

                piece = items_of_any(cx, piece, piece.span)
            piece = coerce(cx, piece, array_type)
            if result is None:
                result = hir.ArrayNew([], array_type, node.span)
            result = _append(cx, result, piece)
        else:
            run.append(item)
    if run:
        result = _append(cx, result, check_array(cx, ast.ArrayLiteral(node.span, run), array_type))
    assert result is not None
    return result


def _spread_type(cx: Context, node: ast.ArrayLiteral) -> ArrayType | None:
    """Return the type of the first array that is spread; probing reports nothing twice."""
    for item in node.items:
        if isinstance(item, ast.Spread):
            found = expression(cx, item.value).type
            if isinstance(found, ArrayType):
                return found
            if isinstance(found, StructType) and is_range(found):
                return array_of(found.args[0])
            if found is ANY:
                return array_of(ANY)
            if found is not ERROR:
                cx.error(
                    rule.WRONG_TYPE.at(item.value.span, f"only an array is spread here, not {a_type(found)}")
                )
            return None
    return None


def _append(cx: Context, result: hir.Expr | None, piece: hir.Expr) -> hir.Expr:
    if result is None or erroneous(piece):
        return piece
    if erroneous(result):
        return result
    return call_core(cx, "array_concat", [result, piece], piece.span)


@checks(ast.TypeTest)
def check_type_test(cx: Context, node: ast.TypeTest, hint: Type | None) -> hir.Expr:
    """`x is T`: the first of them loads `hir.check_any`, which then stands here."""
    from simple_jit.hir import check_any

    assert EXPRESSIONS[ast.TypeTest] is not check_type_test, check_any
    return expression(cx, node, hint)


@checks(ast.DictLiteral, ast.DictComprehension, ast.SetLiteral, ast.SetComprehension)
def check_collection(cx: Context, node: ast.Expr, hint: Type | None) -> hir.Expr:
    """Dicts and sets: the first of them loads `hir.check_dicts`, which then stands here."""
    from simple_jit.hir import check_dicts

    assert EXPRESSIONS[type(node)] is not check_collection, check_dicts
    return expression(cx, node, hint)


@checks(ast.Lambda, ast.Pipe, ast.Range)
def check_function_expression(cx: Context, node: ast.Expr, hint: Type | None) -> hir.Expr:
    """Lambdas and their kin: the first of them loads `hir.check_lambda`, which then stands here."""
    from simple_jit.hir import check_lambda

    assert EXPRESSIONS[type(node)] is not check_function_expression, check_lambda
    return expression(cx, node, hint)


# --- comprehensions ----------------------------------------------------------------


@checks(ast.ArrayComprehension)
def check_comprehension(cx: Context, node: ast.ArrayComprehension, hint: Type | None) -> hir.Expr:
    """`[e for x in xs if c]` pushes each `e` to an array that starts empty."""
    if isinstance(hint, OptionalType):
        hint = hint.inner
    elem_hint = hint.elem if isinstance(hint, ArrayType) and not is_open(hint) else None
    found: list[Type] = []
    result = cx.local("", elem_hint or ERROR)

    def push() -> hir.Expr:
        return _push_element(cx, node, elem_hint, result, found)

    cx.enter()
    loops = clauses(cx, node.clauses, 0, node.span, push)
    cx.leave()
    elem = found[0] if found else ERROR
    if elem is ERROR or erroneous(loops):
        result.type = ERROR
        return hir.Const(None, ERROR, node.span)
    type = array_of(elem)
    start = hir.LocalSet(result, hir.ArrayNew([], type, node.span), node.span)
    return hir.Block([start, loops], hir.LocalGet(result, node.span), type, node.span)


def clauses(
    cx: Context, nodes: list[ast.Clause], index: int, span: Span, collect: Callable[[], hir.Expr]
) -> hir.Expr:
    """Check the clauses of a comprehension from `index` on; innermost stands what `collect` makes."""
    from simple_jit.hir.check_loops import for_loop

    if index == len(nodes):
        return collect()
    clause = nodes[index]
    if isinstance(clause, ast.IfClause):
        cx.enter()
        condition = check_condition(cx, clause.condition)
        cx.scope.narrowed |= condition.known_true
        inner = clauses(cx, nodes, index + 1, span, collect)
        cx.leave()
        body = block(condition.bindings, discard(inner), clause.span)
        return hir.If(condition.expr, body, None, UNIT, clause.span)

    def body_of(before: list[hir.Expr]) -> hir.Expr:
        inner = clauses(cx, nodes, index + 1, span, collect)
        return hir.Block([*before, discard(inner)], None, UNIT, span)

    return for_loop(cx, clause.patterns, clause.iterable, None, body_of, span)


def _push_element(
    cx: Context,
    node: ast.ArrayComprehension,
    elem_hint: Type | None,
    result: hir.Local,
    found: list[Type],
) -> hir.Expr:
    value = expression(cx, node.element, elem_hint)
    if elem_hint is not None:
        value = coerce(cx, value, elem_hint)
    if value.type is UNIT or isinstance(value.type, HoleType):
        value = cx.error(rule.NO_VALUE.at(node.element.span, "this gives no value to collect"))
    found.append(elem_hint or value.type)
    if value.type in (ERROR, NEVER):
        return value
    result.type = array_of(found[0])
    pushed = call_method(cx, hir.LocalGet(result, node.span), "push", [value], node.element.span)
    assert pushed is not None
    return pushed
