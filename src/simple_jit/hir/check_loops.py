"""Loops, and the loops inside comprehensions.

for i in a..b           ForRange
for x in array          a counter that is compared with the length each time round
for c in text           a loop over the array of its characters
for x in iterable       `iter` if there is one, then `next` until it gives nil
"""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.bodies import check_block, discard
from simple_jit.hir.check_operators import check_operand_pair
from simple_jit.hir.collections import is_collection
from simple_jit.hir.conditions import check_condition
from simple_jit.hir.context import Context, checks_statement, expression
from simple_jit.hir.convert import coerce, definite
from simple_jit.hir.core_calls import call_method
from simple_jit.hir.patterns import bind_pattern
from simple_jit.hir.report import a_type, code
from simple_jit.hir.symbols import ERROR, HoleType
from simple_jit.hir.types import ANY, BOOL, I64, NEVER, TEXT, UNIT, ArrayType, IntType, OptionalType, Type
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from simple_jit.base.source import Span

    MakeBody = Callable[[hir.Expr | None], hir.Expr]


@checks_statement(ast.While)
def check_while(cx: Context, node: ast.While) -> hir.Expr:
    cx.enter()
    condition = check_condition(cx, node.condition)
    cx.scope.narrowed |= condition.known_true
    frame = cx.loop(node.label)
    body = check_block(cx, node.body, wants_value=False, before=condition.bindings)
    cx.loops.pop()
    cx.leave()
    if isinstance(condition.expr, hir.Const) and condition.expr.value is True:
        return hir.Loop(frame.target, None, body, None, UNIT if frame.has_break else NEVER, node.span)
    return hir.Loop(frame.target, condition.expr, body, None, UNIT, node.span)


@checks_statement(ast.Loop)
def check_loop(cx: Context, node: ast.Loop) -> hir.Expr:
    frame = cx.loop(node.label)
    body = check_block(cx, node.body, wants_value=False)
    cx.loops.pop()
    return hir.Loop(frame.target, None, body, None, UNIT if frame.has_break else NEVER, node.span)


@checks_statement(ast.For)
def check_for(cx: Context, node: ast.For) -> hir.Expr:
    def body(before: list[hir.Expr]) -> hir.Expr:
        return check_block(cx, node.body, wants_value=False, before=before)

    return for_loop(cx, node.patterns, node.iterable, node.label, body, node.span)


def for_loop(
    cx: Context,
    patterns: list[ast.Pattern],
    iterable: ast.Expr,
    label: ast.Ident | None,
    make_body: Callable[[list[hir.Expr]], hir.Expr],
    span: Span,
) -> hir.Expr:
    """Check a `for`; `make_body` checks its body, given the statements that set the loop's names."""
    pattern = (
        patterns[0]
        if len(patterns) == 1
        else ast.TuplePattern(patterns[0].span.join(patterns[-1].span), patterns)
    )
    counted = _counted(iterable, cx)
    if counted is not None:
        return _range_loop(cx, pattern, counted, label, make_body, span)
    source = definite(expression(cx, iterable))
    if source.type is ANY:
        from simple_jit.hir.any_members import items_of_any

        pairs = "several" if len(patterns) > 1 else ""
        if isinstance(pattern, ast.TuplePattern) and len(pattern.items) == 2:
            pairs = pairs or "pattern"
        source = items_of_any(cx, source, iterable.span, pairs=pairs)
    if source.type is TEXT:
        chars = call_method(cx, source, "chars", [], iterable.span)
        assert chars is not None
        source = chars
    if isinstance(source.type, ArrayType):
        return _array_loop(cx, pattern, source, label, make_body, span)
    if source.type is ERROR:
        _check_anyway(cx, pattern, label, make_body)
        return source
    if isinstance(source.type, HoleType):
        _check_anyway(cx, pattern, label, make_body)
        return cx.error(rule.CANNOT_INFER_TYPE.at(iterable.span, "the element type of this is not known yet"))
    if is_collection(source.type):
        from simple_jit.hir.check_dicts import collection_loop

        several = len(patterns) > 1
        return collection_loop(cx, pattern, source, label, make_body, span, several=several)
    return _iterator_loop(cx, pattern, source, label, make_body, span)


def _check_anyway(
    cx: Context,
    pattern: ast.Pattern,
    label: ast.Ident | None,
    make_body: Callable[[list[hir.Expr]], hir.Expr],
) -> None:
    """Check the body for what else is wrong in it, where the iterable is not known."""
    cx.enter()
    bind_pattern(cx, pattern, hir.Const(None, ERROR, pattern.span), False, [], kind="loop")
    cx.loop(label)
    make_body([])
    cx.loops.pop()
    cx.leave()


# --- ranges ------------------------------------------------------------------------


class Counted:
    """The parts of a counted loop as written; a missing start is 0, a missing step 1."""

    __slots__ = ("inclusive", "span", "start", "step", "stop")

    def __init__(
        self, start: ast.Expr | None, stop: ast.Expr, step: ast.Expr | None, inclusive: bool, span: Span
    ) -> None:
        self.start = start
        self.stop = stop
        self.step = step
        self.inclusive = inclusive
        self.span = span


def _counted(node: ast.Expr, cx: Context) -> Counted | None:
    """Recognise `a..b`, `a..=b`, `(a..b).step_by(k)` and `range(…)`."""
    if isinstance(node, ast.Range):
        return Counted(node.start, node.stop, None, node.inclusive, node.span)
    if not isinstance(node, ast.Call) or any(arg.name or arg.spread for arg in node.args):
        return None
    args = [arg.value for arg in node.args]
    callee = node.callee
    if isinstance(callee, ast.Member) and callee.name.name == "step_by" and len(args) == 1:
        inner = _counted(callee.value, cx)
        if inner is not None and inner.step is None:
            inner.step = args[0]
            return inner
    if isinstance(callee, ast.Name) and callee.name == "range" and 1 <= len(args) <= 3:
        if cx.find("range") is None and cx.session.lookup(cx.module, "range") is None:
            start = args[0] if len(args) > 1 else None
            stop = args[0] if len(args) == 1 else args[1]
            return Counted(start, stop, args[2] if len(args) == 3 else None, False, node.span)
    return None


def _range_loop(
    cx: Context,
    pattern: ast.Pattern,
    counted: Counted,
    label: ast.Ident | None,
    make_body: Callable[[list[hir.Expr]], hir.Expr],
    span: Span,
) -> hir.Expr:
    start_node = counted.start or ast.IntLiteral(counted.span, 0, None)
    start, stop = check_operand_pair(cx, start_node, counted.stop, None)
    start, stop = definite(start), definite(stop)
    type = _range_type(cx, start, stop, counted)
    if type is None:
        _check_anyway(cx, pattern, label, make_body)
        return hir.Const(None, ERROR, span)
    before: list[hir.Expr] = []
    step = _range_step(cx, counted, type, before)
    if before:
        start, stop = _keep_before(cx, [start, stop], before)
    cx.enter()
    frame = cx.loop(label)
    var, sets = _loop_variable(cx, pattern, type)
    body = discard(make_body(sets))
    cx.loops.pop()
    cx.leave()
    loop = hir.ForRange(frame.target, var, start, stop, step, counted.inclusive, body, span)
    return hir.Block([*before, loop], None, UNIT, span) if before else loop


def counted_parts(cx: Context, node: ast.Expr) -> list[hir.Expr] | hir.Expr:
    """Return start, stop, step and whether the stop is included, or an error that has been reported."""
    counted = _counted(node, cx)
    assert counted is not None
    start, stop = check_operand_pair(
        cx, counted.start or ast.IntLiteral(counted.span, 0, None), counted.stop, None
    )
    start, stop = definite(start), definite(stop)
    type = _range_type(cx, start, stop, counted)
    if type is None:
        return hir.Const(None, ERROR, node.span)
    if counted.step is None:
        step: hir.Expr = hir.Const(1, type, counted.span)
    else:
        step = coerce(cx, expression(cx, counted.step, type), type, what="the step")
    if step.type is ERROR:
        return step
    return [start, stop, step, hir.Const(counted.inclusive, BOOL, counted.span)]


def _keep_before(cx: Context, parts: list[hir.Expr], before: list[hir.Expr]) -> list[hir.Expr]:
    """Evaluate the bounds ahead of the statements in `before`."""
    first: list[hir.Expr] = []
    kept = [cx.keep(part, first) for part in parts]
    before[:0] = first
    return kept


def _range_type(cx: Context, start: hir.Expr, stop: hir.Expr, counted: Counted) -> IntType | None:
    if ERROR in (start.type, stop.type):
        return None
    if isinstance(start.type, IntType) and start.type is stop.type:
        return start.type
    for end in (start, stop):
        if not isinstance(end.type, IntType):
            cx.error(
                rule.WRONG_TYPE.at(end.span, f"a range goes over integers, but this is {a_type(end.type)}")
            )
            return None
    cx.error(
        rule.MIXED_WIDTHS.at(
            counted.span, f"the ends of this range are of different types, `{start.type}` and `{stop.type}`"
        ).hint(f"convert one of them: `{start.type}({code(stop.span)})`")
    )
    return None


def _range_step(cx: Context, counted: Counted, type: IntType, before: list[hir.Expr]) -> hir.Expr:
    """Return the step, which is not 0: a constant is looked at here, another one when it runs."""
    if counted.step is None:
        return hir.Const(1, type, counted.span)
    step = coerce(cx, expression(cx, counted.step, type), type, what="the step")
    if isinstance(step, hir.Const):
        if step.value == 0 and step.type is not ERROR:
            cx.error(rule.ZERO_STEP.at(counted.step.span, "the step of a range is not 0"))
        return step
    if step.type is ERROR:
        return step
    kept = cx.keep(step, before)
    zero = hir.Compare("eq", kept, hir.Const(0, type, step.span), step.span)
    fail = hir.Throw("Panic", hir.TextConst("the step of a range is 0", TEXT, step.span), step.span)
    before.append(hir.If(zero, hir.Block([fail], None, NEVER, step.span), None, UNIT, step.span))
    return kept


def _loop_variable(cx: Context, pattern: ast.Pattern, type: Type) -> tuple[hir.Local, list[hir.Expr]]:
    """Return the local that the loop sets, and what else the names of a pattern need."""
    if isinstance(pattern, ast.NamePattern):
        var = cx.local(pattern.name, type)
        cx.declare(pattern.name, var, pattern.span, kind="loop")
        return var, []
    var = cx.local("", type)
    sets: list[hir.Expr] = []
    bind_pattern(cx, pattern, hir.LocalGet(var, pattern.span), False, sets, kind="loop")
    return var, sets


# --- arrays and iterators ----------------------------------------------------------


def _array_loop(
    cx: Context,
    pattern: ast.Pattern,
    source: hir.Expr,
    label: ast.Ident | None,
    make_body: Callable[[list[hir.Expr]], hir.Expr],
    span: Span,
) -> hir.Expr:
    """Visit the indices that exist when the loop gets there, also where the body grows the array."""
    assert isinstance(source.type, ArrayType)
    at = source.span
    stmts: list[hir.Expr] = []
    array = cx.keep(source, stmts)
    counter = cx.local("", I64)
    stmts.append(hir.LocalSet(counter, hir.Const(0, I64, at), at))
    cx.enter()
    frame = cx.loop(label)
    var, sets = _loop_variable(cx, pattern, source.type.elem)
    get = hir.Intrinsic("array_load", [array, hir.LocalGet(counter, at)], None, source.type.elem, at)
    body = discard(make_body([hir.LocalSet(var, get, pattern.span), *sets]))
    cx.loops.pop()
    cx.leave()
    cond = hir.Compare("lt", hir.LocalGet(counter, at), hir.ArrayLen(array, I64, at), at)
    more = hir.Binary("add", hir.LocalGet(counter, at), hir.Const(1, I64, at), at)
    step = hir.LocalSet(counter, more, at)
    stmts.append(hir.Loop(frame.target, cond, body, step, UNIT, span))
    return hir.Block(stmts, None, UNIT, span)


def _iterator_loop(
    cx: Context,
    pattern: ast.Pattern,
    source: hir.Expr,
    label: ast.Ident | None,
    make_body: Callable[[list[hir.Expr]], hir.Expr],
    span: Span,
) -> hir.Expr:
    at = source.span
    stmts: list[hir.Expr] = []
    iterator = call_method(cx, source, "iter", [], at) or source
    iterator = cx.keep(iterator, stmts)
    item = call_method(cx, iterator, "next", [], at)
    if item is None or not isinstance(item.type, OptionalType):
        _check_anyway(cx, pattern, label, make_body)
        diagnostic = rule.NOT_ITERABLE.at(at, f"{a_type(source.type)} cannot be iterated over")
        if isinstance(source.type, IntType):
            diagnostic.hint(f"to count up to it, write `0..{code(at)}`")
        return cx.error(diagnostic)
    cx.enter()
    frame = cx.loop(label)
    current = cx.local("", item.type)
    var, sets = _loop_variable(cx, pattern, item.type.inner)
    get = hir.Unwrap(hir.LocalGet(current, at), item.type.inner, at, checked=False)
    body = discard(make_body([hir.LocalSet(var, get, at), *sets]))
    cx.loops.pop()
    cx.leave()
    fetch = hir.LocalSet(current, item, at)
    cond = hir.Block([fetch], hir.IsSome(hir.LocalGet(current, at), at), BOOL, at)
    stmts.append(hir.Loop(frame.target, cond, body, None, UNIT, span))
    return hir.Block(stmts, None, UNIT, span)
