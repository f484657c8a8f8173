"""`match` as a statement and as an expression, and patterns as conditions."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.bodies import check_block, discard
from simple_jit.hir.check_patterns import Names, check_pattern
from simple_jit.hir.conditions import Condition, check_condition, common_type
from simple_jit.hir.context import Context, block, expression, is_stable
from simple_jit.hir.convert import coerce
from simple_jit.hir.decision import Emitter, Tree, build, leaves, rows_of, without_failures
from simple_jit.hir.exhaustiveness import is_useful, missing
from simple_jit.hir.pattern_tree import Alternatives, Pattern, Place
from simple_jit.hir.report import a_type, listed
from simple_jit.hir.symbols import ERROR, HoleType
from simple_jit.hir.types import ANY, BOOL, I64, NEVER, UNIT, EnumType, OptionalType, Type, optional_of
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.source import Span

_MOST_SHOWN = 5
"""How many missing cases a message names."""


class Arm:
    """A checked arm; `guard` is its condition, None where it always holds."""

    __slots__ = ("body", "guard", "names", "pattern")

    def __init__(self, pattern: Pattern, names: Names, guard: Condition | None, body: hir.Expr) -> None:
        self.pattern = pattern
        self.names = names
        self.guard = guard
        self.body = body


def check_arms(cx: Context, node: ast.Match, hint: Type | None, *, wants_value: bool) -> hir.Expr:
    """Check a `match`; where it `wants_value`, its arms have one type."""
    errors = _count_errors(cx)
    subject = expression(cx, node.subject)
    if any(_asks_for_nil(arm.pattern) for arm in node.arms):
        subject = _widened(subject)
    if isinstance(subject.type, HoleType):
        subject = cx.error(rule.CANNOT_INFER_TYPE.at(subject.span, "the type of this is not known yet"))
    arms = [_check_arm(cx, arm, subject.type, hint, wants_value) for arm in node.arms]
    if subject.type in (ERROR, NEVER):
        return subject
    type = common_type(cx, [arm.body for arm in arms], hint, wants_value, "arm")
    if _count_errors(cx) == errors:
        _check_coverage(cx, node, subject.type, arms)
    if type is ERROR or _count_errors(cx) != errors:
        return hir.Const(None, ERROR, node.span)
    for arm in arms:
        arm.body = discard(arm.body) if type in (UNIT, NEVER) else coerce(cx, arm.body, type)
    return _emit(cx, node, subject, arms, type)


def _widened(value: hir.Expr) -> hir.Expr:
    """Return the optional that a test has narrowed: a pattern may ask for nil all the same."""
    return value.value if isinstance(value, hir.Unwrap) and not value.checked else value


def _asks_for_nil(node: ast.Pattern) -> bool:
    """Is a pattern `nil`, `None` or `Some(p)`?"""
    if isinstance(node, ast.OrPattern):
        return any(map(_asks_for_nil, node.options))
    if isinstance(node, ast.AtPattern):
        return _asks_for_nil(node.pattern)
    if isinstance(node, ast.LiteralPattern):
        return isinstance(node.value, ast.NilLiteral)
    if isinstance(node, ast.CallPattern):
        return len(node.path) == 1 and node.path[0].name == "Some"
    return isinstance(node, ast.NamePattern) and node.name == "None"


def _count_errors(cx: Context) -> int:
    return sum(diagnostic.severity == "error" for diagnostic in cx.reporter.diagnostics)


def _check_arm(cx: Context, node: ast.MatchArm, type: Type, hint: Type | None, wants_value: bool) -> Arm:
    cx.enter()
    names = Names()
    pattern = check_pattern(cx, node.pattern, type, names)
    names.declare(cx, "val", mutable=False)
    guard = check_condition(cx, node.guard) if node.guard is not None else None
    if guard is not None:
        cx.scope.narrowed |= guard.known_true
    before = guard.bindings if guard is not None else []
    body = check_block(cx, node.body, hint, wants_value=wants_value, before=before)
    cx.leave()
    return Arm(pattern, names, guard, body)


# --- coverage ----------------------------------------------------------------------


def _check_coverage(cx: Context, node: ast.Match, type: Type, arms: list[Arm]) -> None:
    """Report the cases that no arm covers, and warn of arms that none is left for."""
    rows: list[list[Pattern]] = []
    for arm in arms:
        if not is_useful(rows, [arm.pattern], [type]):
            _warn_unreachable(cx, arm.pattern, "this arm is never reached: those above it cover its cases")
        elif isinstance(arm.pattern, Alternatives):
            _check_alternatives(cx, rows, arm.pattern, type)
        if arm.guard is None:
            rows.append([arm.pattern])
    left = missing(rows, [type])
    if left:
        _report_missing(cx, node, type, list(dict.fromkeys(texts[0] for texts in left)))


def _check_alternatives(cx: Context, rows: list[list[Pattern]], pattern: Alternatives, type: Type) -> None:
    rows = list(rows)
    for option in pattern.options:
        if not is_useful(rows, [option], [type]):
            _warn_unreachable(cx, option, "this alternative is never reached: earlier ones cover its cases")
        rows.append([option])


def _warn_unreachable(cx: Context, pattern: Pattern, message: str) -> None:
    if not cx.is_library:
        cx.reporter.report(rule.UNREACHABLE_ARM.at(pattern.span, message))


def _report_missing(cx: Context, node: ast.Match, type: Type, cases: list[str]) -> None:
    place = node.subject.span
    if "_" in cases and not isinstance(type, (EnumType, OptionalType)):
        diagnostic = rule.NOT_EXHAUSTIVE.at(place, f"this `match` does not cover every `{type}`")
        cx.error(diagnostic.hint("end with an arm for all the others: `case _: …`"))
        return
    shown = listed(cases[:_MOST_SHOWN])
    if len(cases) > _MOST_SHOWN:
        shown += " and more"
    diagnostic = rule.NOT_EXHAUSTIVE.at(place, f"this `match` does not cover {shown}")
    if any(arm.guard is not None for arm in node.arms):
        diagnostic.note("an arm with a guard may be passed over, so it covers nothing for certain")
    cx.error(diagnostic.hint("add an arm for each, or `case _: …` for all the others"))


# --- HIR ---------------------------------------------------------------------------


def _emit(cx: Context, node: ast.Match, subject: hir.Expr, arms: list[Arm], type: Type) -> hir.Expr:
    """Put the arms into the leaves of the decision tree; one with several leaves is chosen by number."""
    stmts: list[hir.Expr] = []
    kept = cx.keep(subject, stmts)
    root = Place(subject.type, None, ())
    rows = [row for number, arm in enumerate(arms) for row in rows_of(number, arm.pattern, root)]
    guarded = {number for number, arm in enumerate(arms) if arm.guard is not None}
    tree = without_failures(build(rows, guarded))
    counts = leaves(tree, {})
    if all(count == 1 or _is_small(arms[number].body) for number, count in counts.items()):
        bodies = [arm.body for arm in arms]
        result = _emit_tree(cx, tree, root, kept, arms, bodies, type, node.span)
    else:
        bound = [local for arm in arms for local, _ in arm.names.found.values()]
        stmts += [hir.LocalSet(local, _nothing(local.type, node.span), node.span) for local in bound]
        result = _emit_by_number(cx, tree, root, kept, arms, counts, type, node.span)
    if type in (UNIT, NEVER):
        return hir.Block([*stmts, result], None, result.type, node.span) if stmts else result
    return block(stmts, result, node.span)


def _nothing(type: Type, span: Span) -> hir.Expr:
    """A value for a name until its arm is chosen: on the way there every local has one."""
    if type is UNIT:
        return hir.Const(None, UNIT, span)
    nil = hir.Nil(optional_of(type), span)
    return nil if nil.type is type else hir.Unwrap(nil, type, span, checked=False)


def _is_small(body: hir.Expr) -> bool:
    """May a body stand in several places?"""
    return is_stable(body) or isinstance(body, hir.LocalGet)


def _emit_tree(
    cx: Context,
    tree: Tree,
    root: Place,
    subject: hir.Expr,
    arms: list[Arm],
    bodies: list[hir.Expr],
    type: Type,
    span: Span,
) -> hir.Expr:
    def leaf(number: int, otherwise: hir.Expr | None) -> hir.Expr:
        guard, body = arms[number].guard, bodies[number]
        if guard is None:
            return body
        assert otherwise is not None
        whole = type if type in (body.type, otherwise.type) else body.type
        return hir.If(guard.expr, body, otherwise, whole, span)

    return Emitter(cx, type, leaf, span).emit(tree, {root: subject})


def _emit_by_number(
    cx: Context,
    tree: Tree,
    root: Place,
    subject: hir.Expr,
    arms: list[Arm],
    counts: dict[int, int],
    type: Type,
    span: Span,
) -> hir.Expr:
    numbers: list[hir.Expr] = [hir.Const(number, I64, span) for number in range(len(arms))]
    chosen = _emit_tree(cx, tree, root, subject, arms, numbers, I64, span)
    reached = [number for number in range(len(arms)) if number in counts]
    branches = [arms[number].body for number in reached]
    result = type if any(branch.type is type for branch in branches) else branches[0].type
    last = branches.pop()
    cases = [[number] for number in reached[:-1]]
    return hir.Switch(chosen, cases, branches, last, result, span)


# --- conditions --------------------------------------------------------------------


def check_pattern_test(cx: Context, node: ast.PatternTest) -> Condition:
    """`val P = e` as a condition; a bare name means `Some(name)`."""
    value = _widened(expression(cx, node.value))
    pattern = node.pattern
    if isinstance(pattern, ast.NamePattern) and pattern.name != "None":
        if not isinstance(value.type, OptionalType) and value.type not in (ANY, ERROR, NEVER):
            value = cx.error(
                rule.NOT_OPTIONAL.at(
                    node.value.span, f"`val` tests an optional here, but this is {a_type(value.type)}"
                )
            )
        some = ast.Ident(pattern.span, "Some")
        pattern = ast.CallPattern(pattern.span, [some], [ast.PatternArg(pattern.span, None, pattern)])
    names = Names()
    errors = _count_errors(cx)
    checked = check_pattern(cx, pattern, value.type, names)
    names.declare(cx, "var" if node.mutable else "val", mutable=node.mutable)
    if value.type in (ERROR, NEVER) or _count_errors(cx) != errors:
        return Condition(value if value.type is NEVER else hir.Const(None, ERROR, node.span))
    return _as_condition(cx, checked, value, node.span)


def _as_condition(cx: Context, pattern: Pattern, value: hir.Expr, span: Span) -> Condition:
    before: list[hir.Expr] = []
    kept = cx.keep(value, before)
    root = Place(value.type, None, ())
    rows = rows_of(0, pattern, root)
    tree = build(rows, set())

    def leaf(number: int, otherwise: hir.Expr | None) -> hir.Expr:
        return hir.Const(True, BOOL, span)

    emitter = Emitter(cx, BOOL, leaf, span)
    if leaves(tree, {}) == {0: 1}:
        emitter.bindings = []
    test = emitter.emit(tree, {root: kept})
    return Condition(block(before, _without_true(test), span), bindings=emitter.bindings)


def _without_true(test: hir.Expr) -> hir.Expr:
    """`x and true` is `x`."""
    if isinstance(test, hir.And):
        right = _without_true(test.rhs)
        if isinstance(right, hir.Const) and right.value is True:
            return test.lhs
        return hir.And(test.lhs, right, test.span)
    return test
