"""Conditions: what a test says about the variables in it, and patterns in `if val P = e`."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.bodies import check_block, discard
from simple_jit.hir.context import Context, Variable, block, checks, expression
from simple_jit.hir.convert import coerce, join, takes_all, value_span
from simple_jit.hir.report import a_type, code
from simple_jit.hir.symbols import ERROR, is_open
from simple_jit.hir.types import BOOL, NEVER, TEXT, UNIT, ArrayType, OptionalType, Type, is_number
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.source import Span
    from simple_jit.hir.context import Fact

_NOTHING: frozenset[Fact] = frozenset()


class Condition:
    """A checked condition.

    `known_true` are the variables that are not nil where it holds, `known_false` those where it does not.
    `bindings` set the names of a pattern; they run first thing where it holds.
    """

    __slots__ = ("bindings", "expr", "known_false", "known_true")

    def __init__(
        self,
        expr: hir.Expr,
        known_true: frozenset[Fact] = _NOTHING,
        known_false: frozenset[Fact] = _NOTHING,
        bindings: list[hir.Expr] | None = None,
    ) -> None:
        self.expr = expr
        self.known_true = known_true
        self.known_false = known_false
        self.bindings = bindings or []


def check_condition(cx: Context, node: ast.Expr) -> Condition:
    """Check a condition. Names bound in it go into the current scope."""
    if isinstance(node, ast.Logical):
        return _logical(cx, node)
    if isinstance(node, ast.Unary) and node.op == "not":
        inner = check_condition(cx, node.operand)
        negated = hir.Unary("not", inner.expr, node.span)
        return Condition(negated, inner.known_false, inner.known_true)
    if isinstance(node, ast.TypeTest):
        from simple_jit.hir.check_any import type_condition

        return type_condition(cx, node)
    if isinstance(node, ast.PatternTest):
        from simple_jit.hir.check_match import check_pattern_test

        return check_pattern_test(cx, node)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and node.ops[0] in ("==", "!="):
        return _nil_test(cx, node)
    if isinstance(node, ast.HasValue):
        return Condition(_bool(cx, node), _variables(cx, node.value))
    return Condition(_bool(cx, node))


def _bool(cx: Context, node: ast.Expr) -> hir.Expr:
    value = expression(cx, node, BOOL)
    wanted = _meant(value)
    if wanted is None:
        return coerce(cx, value, BOOL, what="a condition")
    diagnostic = rule.WRONG_TYPE.at(value_span(value), f"a condition is a `bool`, not `{value.type}`")
    return cx.error(diagnostic.hint(f"compare it: `{wanted}`"))


def _meant(value: hir.Expr) -> str | None:
    """Return the comparison that a person means who writes a value of another type as a condition."""
    shown = code(value_span(value), "x")
    if is_number(value.type):
        return f"{shown} != 0"
    if value.type is TEXT or isinstance(value.type, ArrayType):
        return f"not {shown}.is_empty()"
    if isinstance(value.type, OptionalType) and value.type.inner is not BOOL:
        return f"{shown} != nil"
    return None


def _nil_test(cx: Context, node: ast.Compare) -> Condition:
    """`x == nil` and `x != nil`, either way round, settle what `x` is."""
    other = node.operands[0]
    if isinstance(other, ast.NilLiteral) or _is_none(cx, other):
        known = _variables(cx, node.first)
    elif isinstance(node.first, ast.NilLiteral):
        known = _variables(cx, other)
    else:
        known = _NOTHING
    checked = _bool(cx, node)
    if node.ops[0] == "!=":
        return Condition(checked, known_true=known)
    return Condition(checked, known_false=known)


def _is_none(cx: Context, node: ast.Expr) -> bool:
    return isinstance(node, ast.Name) and node.name == "None" and cx.find("None") is None


def _variables(cx: Context, node: ast.Expr) -> frozenset[Fact]:
    """Return the variable that a test of `node` says something about."""
    if isinstance(node, ast.Name):
        variable = cx.find(node.name)
        if isinstance(variable, Variable) and variable.is_fixed:
            if isinstance(variable.local.type, OptionalType):
                return frozenset((variable,))
    return _NOTHING


_CHAIN = 64
"""After how many operators a chain goes on from a temporary, so that no tree gets too deep."""


def _logical(cx: Context, node: ast.Logical) -> Condition:
    """`a and b`, `a or b`: the right side knows what the left side has settled."""
    chain: list[ast.Logical] = []
    current: ast.Expr = node
    while isinstance(current, ast.Logical) and current.op == node.op:
        chain.append(current)
        current = current.left
    left = check_condition(cx, current)
    depth = cx.scope.narrowed.copy()
    stmts: list[hir.Expr] = []
    for number, item in enumerate(reversed(chain)):
        if number % _CHAIN == _CHAIN - 1 and not left.bindings and left.expr.type is BOOL:
            left.expr = cx.keep(left.expr, stmts)
        cx.scope.narrowed |= left.known_true if node.op == "and" else left.known_false
        left = _combine(left, check_condition(cx, item.right), item)
    cx.scope.narrowed = depth
    left.expr = block(stmts, left.expr, node.span)
    return left


def _combine(left: Condition, right: Condition, node: ast.Logical) -> Condition:
    after = block(left.bindings, right.expr, node.span)
    if node.op == "and":
        both = left.known_true | right.known_true
        return Condition(
            hir.And(left.expr, after, node.span), both, left.known_false & right.known_false, right.bindings
        )
    both = left.known_false | right.known_false
    return Condition(hir.Or(left.expr, after, node.span), left.known_true & right.known_true, both)


# --- expressions -------------------------------------------------------------------


@checks(ast.Logical)
def check_logical(cx: Context, node: ast.Logical, hint: Type | None) -> hir.Expr:
    cx.enter()
    condition = check_condition(cx, node)
    cx.leave()
    return condition.expr


@checks(ast.PatternTest)
def check_test(cx: Context, node: ast.PatternTest, hint: Type | None) -> hir.Expr:
    cx.enter()
    condition = check_condition(cx, node)
    cx.leave()
    return condition.expr


@checks(ast.Match)
def check_match(cx: Context, node: ast.Match, hint: Type | None) -> hir.Expr:
    """`match` as an expression; what checks it is only loaded for programs that have one."""
    from simple_jit.hir.check_match import check_arms

    return check_arms(cx, node, hint, wants_value=True)


@checks(ast.If)
def check_if(cx: Context, node: ast.If, hint: Type | None) -> hir.Expr:
    """`if` as an expression: its branches have one type."""
    return check_branches(cx, node, hint, wants_value=node.otherwise is not None)[0]


def check_branches(
    cx: Context, node: ast.If, hint: Type | None, *, wants_value: bool
) -> tuple[hir.Expr, frozenset[Fact]]:
    """Check an `if`; also return the variables that are not nil after it."""
    conditions: list[Condition] = []
    bodies: list[hir.Expr] = []
    known: frozenset[Fact] = _NOTHING
    for branch in node.branches:
        cx.enter(known)
        condition = check_condition(cx, branch.condition)
        cx.scope.narrowed |= condition.known_true
        bodies.append(check_block(cx, branch.body, hint, wants_value=wants_value, before=condition.bindings))
        cx.leave()
        conditions.append(condition)
        known |= condition.known_false
    otherwise = None
    if node.otherwise is not None:
        cx.enter(known)
        otherwise = check_block(cx, node.otherwise, hint, wants_value=wants_value)
        cx.leave()
    after = _known_after(conditions, bodies, otherwise, known)
    return _assemble(cx, node, conditions, bodies, otherwise, wants_value, hint), after


def _known_after(
    conditions: list[Condition],
    bodies: list[hir.Expr],
    otherwise: hir.Expr | None,
    known: frozenset[Fact],
) -> frozenset[Fact]:
    """Where every branch but the last leaves, the last one's facts hold from there on."""
    if all(body.type is NEVER for body in bodies):
        return known
    if otherwise is not None and otherwise.type is NEVER and len(bodies) == 1:
        return conditions[0].known_true
    return _NOTHING


def _assemble(
    cx: Context,
    node: ast.If,
    conditions: list[Condition],
    bodies: list[hir.Expr],
    otherwise: hir.Expr | None,
    wants_value: bool,
    hint: Type | None,
) -> hir.Expr:
    every = [*bodies, otherwise] if otherwise is not None else bodies
    type = common_type(cx, every, hint, wants_value, "branch") if otherwise is not None else UNIT
    if type is UNIT:
        every = [discard(body) for body in every]
    elif type not in (NEVER, ERROR):
        every = [coerce(cx, body, type) for body in every]
    result = every[-1] if otherwise is not None else None
    for condition, body, branch in zip(
        reversed(conditions), reversed(every[: len(bodies)]), reversed(node.branches)
    ):
        type_here = UNIT if result is None else type
        result = hir.If(condition.expr, body, result, type_here, _if_span(node, branch))
    assert result is not None
    return result


def _if_span(node: ast.If, branch: ast.IfBranch) -> Span:
    return node.span if branch is node.branches[0] else branch.span


def common_type(cx: Context, bodies: list[hir.Expr], hint: Type | None, wants_value: bool, what: str) -> Type:
    """Return the type of an expression from its branches; reports where they do not go together.

    `what` is the word for one of them.
    """
    types = [body.type for body in bodies]
    if all(type is NEVER for type in types):
        return NEVER
    if not wants_value or UNIT in types:
        return UNIT
    common: Type = NEVER
    for body in bodies:
        joined = join(common, body.type)
        if joined is None and hint is not None and takes_all(cx, hint, types):
            return hint
        if joined is None:
            _report_difference(cx, bodies, body, common, hint, what)
            return ERROR
        common = joined
    return common


def _report_difference(
    cx: Context, bodies: list[hir.Expr], body: hir.Expr, common: Type, hint: Type | None, what: str
) -> None:
    """Blame the branch that is not what is asked for, where that is known, else the later one."""
    if hint is not None and not is_open(hint) and join(hint, body.type) is hint:
        wrong = next(b for b in bodies if join(hint, b.type) is not hint)
        message = f"this {what} is {a_type(wrong.type)}, but {a_type(hint)} is wanted"
        cx.error(
            rule.BRANCH_TYPES.at(value_span(wrong), message).also(value_span(body), f"this is {a_type(hint)}")
        )
        return
    first = next(b for b in bodies if b.type is not NEVER and join(b.type, common) is common)
    message = f"this {what} is {a_type(body.type)}, an earlier one {a_type(common)}"
    cx.error(rule.BRANCH_TYPES.at(value_span(body), message).also(value_span(first), a_type(common)))
