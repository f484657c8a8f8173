"""Patterns → decision trees: what a match looks at, in which order, and never twice.

    match shape:                          switch tag(shape)
        case Circle(0.0): a                 Circle: if shape.0 == 0.0: a  else: c
        case Rect(w, h): b                  Rect:   w, h = shape.0, shape.1; b
        case _: c                           else:   c

A *row* is an arm with the tests that are still to be made for it. The tree is built by picking a test
of the first row and sorting the rows by its outcome (Luc Maranget, Compiling pattern matching to good
decision trees, 2008; the rows without columns are Jules Jacobs's).
"""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir.context import Context, is_stable
from simple_jit.hir.core_calls import call_core
from simple_jit.hir.pattern_tree import (
    Alternatives,
    Bind,
    Con,
    Pattern,
    Place,
    Wild,
    always_matches,
    constructors,
    is_any,
    part_places,
)
from simple_jit.hir.types import BOOL, I64, NEVER, TEXT, UNIT, EnumType, IntType, Type, has_payload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from simple_jit.base.source import Span
    from simple_jit.hir.pattern_tree import Env

    Tests: TypeAlias = "list[tuple[Place, Con]]"
    Bindings: TypeAlias = "list[tuple[hir.Local, Place, Span]]"

_NO_VALUE = (UNIT, NEVER)
"""The types of statements."""


class Row:
    """An arm: the tests that are left, and what its names stand for."""

    __slots__ = ("arm", "bindings", "tests")

    def __init__(self, arm: int, tests: Tests, bindings: Bindings) -> None:
        self.arm = arm
        self.tests = tests
        self.bindings = bindings

    def test_of(self, place: Place) -> Con | None:
        for where, con in self.tests:
            if where is place:
                return con
        return None

    def without(self, place: Place) -> Row:
        return Row(self.arm, [test for test in self.tests if test[0] is not place], self.bindings)

    @property
    def key(self) -> tuple[Any, ...]:
        """Rows with the same key do the same."""
        tests = tuple([(id(place), id(con)) for place, con in self.tests])
        return self.arm, tests, tuple([(id(local), id(place)) for local, place, _ in self.bindings])


class Tree:
    """A decision tree."""

    __slots__ = ()


class Fail(Tree):
    """Nothing matches."""

    __slots__ = ()


class Leaf(Tree):
    """An arm is found; `otherwise` goes on where its guard does not hold."""

    __slots__ = ("otherwise", "row")

    def __init__(self, row: Row, otherwise: Tree | None) -> None:
        self.row = row
        self.otherwise = otherwise


class Choice(Tree):
    """A test of the value at `place` for any of `cons`."""

    __slots__ = ("cons", "no", "place", "yes")

    def __init__(self, place: Place, cons: list[Con], yes: Tree, no: Tree) -> None:
        self.place = place
        self.cons = cons
        self.yes = yes
        self.no = no


class Branches(Tree):
    """A switch on the value at `place`; without a default one of the cases holds."""

    __slots__ = ("cases", "default", "place")

    def __init__(self, place: Place, cases: list[tuple[list[int], Tree]], default: Tree | None) -> None:
        self.place = place
        self.cases = cases
        self.default = default


# --- building ----------------------------------------------------------------------


def rows_of(arm: int, pattern: Pattern, place: Place) -> list[Row]:
    """Return the rows of an arm: one for each way through its alternatives."""
    return [Row(arm, tests, bindings) for tests, bindings in _expand(pattern, place)]


def _expand(pattern: Pattern, place: Place) -> list[tuple[Tests, Bindings]]:
    if isinstance(pattern, Wild):
        return [([], [])]
    if isinstance(pattern, Bind):
        found = _expand(pattern.inner, place)
        return [(tests, [(pattern.local, place, pattern.span), *names]) for tests, names in found]
    if isinstance(pattern, Alternatives):
        return [way for option in pattern.options for way in _expand(option, place)]
    assert isinstance(pattern, Con)
    if always_matches(pattern.kind):
        return _expand_parts(pattern, place)
    return [([(place, pattern)], [])]


def _expand_parts(con: Con, place: Place) -> list[tuple[Tests, Bindings]]:
    ways: list[tuple[Tests, Bindings]] = [([], [])]
    for part, where in zip(con.parts, part_places(con, place)):
        more = _expand(part, where)
        ways = [(tests + t, names + n) for tests, names in ways for t, n in more]
    if con.rest is not None:
        local, before, after = con.rest
        middle = place.part(local.type, "middle", before, after)
        ways = [(tests, [*names, (local, middle, con.span)]) for tests, names in ways]
    return ways


def build(rows: list[Row], guarded: set[int]) -> Tree:
    """Build the tree for rows in order; `guarded` are the arms that have a guard."""
    if not rows:
        return Fail()
    first = rows[0]
    if not first.tests:
        return Leaf(first, build(rows[1:], guarded) if first.arm in guarded else None)
    place = _best_place(rows)
    cons = [con for con in (row.test_of(place) for row in rows) if con is not None]
    if all(_is_number(con) for con in cons):
        return _switch(place, cons, rows, guarded)
    return _choice(place, rows, guarded)


def _best_place(rows: list[Row]) -> Place:
    """Return the place of the first row's tests that most rows test."""
    candidates = [place for place, _ in rows[0].tests]
    return max(candidates, key=lambda place: sum(row.test_of(place) is not None for row in rows))


def _is_number(con: Con) -> bool:
    """Is a constructor one number of a switch?"""
    return con.kind == "variant" or (con.kind == "int" and con.value[0] == con.value[1])


def _number(con: Con, type: Type) -> int:
    if con.kind == "int":
        value: int = con.value[0]
        return value - (1 << 64) if value >= 1 << 63 else value
    assert isinstance(type, EnumType)
    position: int = con.value
    return position if has_payload(type) else type.variants[position].value


def _switch(place: Place, cons: list[Con], rows: list[Row], guarded: set[int]) -> Tree:
    groups: dict[tuple[Any, ...], tuple[list[int], list[Row]]] = {}
    every = constructors(place.type)
    seen = {con.key: con for con in cons if every is None or con.key in every}
    others = [row for row in rows if row.test_of(place) is None]
    for con in seen.values():
        matching = _narrowed(place, con, rows)
        key = tuple([row.key for row in matching])
        groups.setdefault(key, ([], matching))[0].append(_number(con, place.type))
    complete = every is not None and all(key in seen for key in every)
    if not complete:
        default_key = tuple([row.key for row in others])
        groups.pop(default_key, None)
    cases = [(numbers, build(matching, guarded)) for numbers, matching in groups.values()]
    default = None if complete else build(others, guarded)
    if not cases:
        assert default is not None
        return default
    if default is None and len(cases) == 1:
        return cases[0][1]
    return Branches(place, cases, default)


def _choice(place: Place, rows: list[Row], guarded: set[int]) -> Tree:
    """A test for the first row's constructor, and for its alternatives that leave the same to do."""
    first = rows[0].test_of(place)
    assert first is not None
    matching = _narrowed(place, first, rows)
    tested = [first]
    if first.kind in ("int", "float", "text", "span"):
        key = [row.key for row in matching]
        for con in [row.test_of(place) for row in rows if row.arm == rows[0].arm]:
            if con is None or any(con.key == other.key for other in tested):
                continue
            if [row.key for row in _narrowed(place, con, rows)] == key:
                tested.append(con)
    if first.kind in _OPPOSITES:
        opposite = Con(*_OPPOSITES[first.kind](first), [], first.span)
        rest = _narrowed(place, opposite, rows)
    else:
        rest = [row for row in rows if not any(_implies(row.test_of(place), con) for con in tested)]
    return Choice(place, tested, build(matching, guarded), build(rest, guarded))


_OPPOSITES: dict[str, Callable[[Con], tuple[str, Any]]] = {
    "bool": lambda con: ("bool", not con.value),
    "some": lambda con: ("nil", None),
    "nil": lambda con: ("some", None),
}
"""What a value is that does not match one of two constructors."""


def _narrowed(place: Place, con: Con, rows: list[Row]) -> list[Row]:
    """Return what is left of the rows where the value at `place` matches `con`."""
    result: list[Row] = []
    for row in rows:
        own = row.test_of(place)
        if own is None:
            result.append(row)
        elif _implies(con, own):
            rest = row.without(place)
            for tests, names in _expand_parts(own, place):
                result.append(Row(row.arm, rest.tests + tests, rest.bindings + names))
        elif _overlaps(con, own):
            result.append(row)
    return result


def _implies(con: Con | None, other: Con) -> bool:
    """Does everything that matches `con` match `other`, its parts aside?"""
    if con is None:
        return False
    if con.kind in ("int", "length", "rest"):
        if con.kind == "int":
            return bool(other.value[0] <= con.value[0] and con.value[1] <= other.value[1])
        if other.kind == "rest":
            return bool(_length(con) >= sum(other.value))
        return con.key == other.key
    return con.key == other.key


def _length(con: Con) -> int:
    return con.value if con.kind == "length" else sum(con.value)


def _overlaps(con: Con, other: Con) -> bool:
    """May a value match both, its parts aside?"""
    if con.kind == "int":
        return bool(con.value[0] <= other.value[1] and other.value[0] <= con.value[1])
    if con.kind in ("length", "rest"):
        if con.kind == "length" and other.kind == "length":
            return bool(con.value == other.value)
        shorter = con if con.kind == "length" else other
        longer = other if shorter is con else con
        return shorter.kind == "rest" or bool(shorter.value >= sum(longer.value))
    if con.kind == "type":
        return is_any(con.value) or is_any(other.value)
    if con.kind in ("text", "float", "span"):
        return con.kind == "span" or other.kind == "span" or con.kind == "float"
    return False


def without_failures(tree: Tree) -> Tree:
    """Return the tree of a match that is exhaustive: what would fail cannot happen, and is not tested."""
    if isinstance(tree, Leaf) and tree.otherwise is not None:
        return Leaf(tree.row, without_failures(tree.otherwise))
    if isinstance(tree, Choice):
        yes, no = without_failures(tree.yes), without_failures(tree.no)
        if isinstance(yes, Fail) or isinstance(no, Fail):
            return no if isinstance(yes, Fail) else yes
        return Choice(tree.place, tree.cons, yes, no)
    if isinstance(tree, Branches):
        cases = [(numbers, without_failures(case)) for numbers, case in tree.cases]
        cases = [case for case in cases if not isinstance(case[1], Fail)]
        default = without_failures(tree.default) if tree.default is not None else None
        if isinstance(default, Fail):
            default = None
        if not cases:
            return default or Fail()
        return cases[0][1] if default is None and len(cases) == 1 else Branches(tree.place, cases, default)
    return tree


def leaves(tree: Tree, counts: dict[int, int]) -> dict[int, int]:
    """Count the leaves of each arm."""
    if isinstance(tree, Leaf):
        counts[tree.row.arm] = counts.get(tree.row.arm, 0) + 1
        if tree.otherwise is not None:
            leaves(tree.otherwise, counts)
    elif isinstance(tree, Choice):
        leaves(tree.yes, counts)
        leaves(tree.no, counts)
    elif isinstance(tree, Branches):
        for _, case in tree.cases:
            leaves(case, counts)
        if tree.default is not None:
            leaves(tree.default, counts)
    return counts


# --- HIR ---------------------------------------------------------------------------


class Emitter:
    """Makes HIR from a tree. `leaf` gives an arm's expression, from what follows a failing guard.

    A condition, which may fail, is of type bool. Where `bindings` is a list, what sets the names of
    the only leaf goes there.
    """

    def __init__(
        self,
        cx: Context,
        type: Type,
        leaf: Callable[[int, hir.Expr | None], hir.Expr],
        span: Span,
    ) -> None:
        self._cx = cx
        self._type = type
        self._leaf = leaf
        self._span = span
        self.bindings: list[hir.Expr] | None = None

    def emit(self, tree: Tree, env: Env) -> hir.Expr:
        """Return the expression of a tree; `env` has the places that are in temporaries."""
        if isinstance(tree, Fail):
            assert self._type is BOOL, "only a condition may fail to match"
            return hir.Const(False, BOOL, self._span)
        if isinstance(tree, Leaf):
            return self._emit_leaf(tree, env)
        assert isinstance(tree, (Choice, Branches))
        stmts: list[hir.Expr] = []
        env = self._keep(tree.place, env, stmts)
        if isinstance(tree, Choice):
            test = self._test_any(tree.place, tree.cons, env, stmts)
            yes, no = self.emit(tree.yes, env), self.emit(tree.no, env)
            return self._block(stmts, self._if(test, yes, no))
        return self._block(stmts, self._emit_branches(tree, env))

    def _emit_leaf(self, tree: Leaf, env: Env) -> hir.Expr:
        sets: list[hir.Expr] = [
            hir.LocalSet(local, place.read(self._cx, env, span), span)
            for local, place, span in tree.row.bindings
        ]
        otherwise = self.emit(tree.otherwise, env) if tree.otherwise is not None else None
        if self.bindings is not None:
            self.bindings += sets
            sets = []
        return self._block(sets, self._leaf(tree.row.arm, otherwise))

    def _block(self, stmts: list[hir.Expr], result: hir.Expr) -> hir.Expr:
        if not stmts:
            return result
        if result.type is self._type and self._type not in _NO_VALUE:
            return hir.Block(stmts, result, result.type, self._span)
        return hir.Block([*stmts, result], None, result.type, self._span)

    def _keep(self, place: Place, env: Env, stmts: list[hir.Expr]) -> Env:
        """See to it that the value at `place` is found once and stays what it was."""
        value = place.read(self._cx, env, self._span)
        if is_stable(value):
            return env if place in env else {**env, place: value}
        if place.temporary is None:
            place.temporary = self._cx.local("", place.type)
        stmts.append(hir.LocalSet(place.temporary, value, self._span))
        return {**env, place: hir.LocalGet(place.temporary, self._span)}

    def _if(self, test: hir.Expr, yes: hir.Expr, no: hir.Expr) -> hir.Expr:
        if self._type is BOOL and isinstance(no, hir.Const) and no.value is False:
            return hir.And(test, yes, self._span)
        type = self._type if self._type in (yes.type, no.type) else yes.type
        return hir.If(test, yes, no, type, self._span)

    def _emit_branches(self, tree: Branches, env: Env) -> hir.Expr:
        span = self._span
        value, type = env[tree.place], tree.place.type
        if isinstance(type, EnumType) and has_payload(type):
            value = hir.EnumTag(value, I64, span)
        elif type is not I64:
            value = hir.Convert(value, I64, span)
        cases = [(numbers, self.emit(case, env)) for numbers, case in tree.cases]
        default = self.emit(tree.default, env) if tree.default is not None else None
        small = [case for case in cases if len(case[0]) == 1]
        if len(cases) + (default is not None) == 2 and small:
            first = small[0]
            other = default if default is not None else next(c for c in cases if c is not first)[1]
            test = hir.Compare("eq", value, hir.Const(first[0][0], I64, span), span)
            return self._if(test, first[1], other)
        branches = [branch for _, branch in cases]
        every = branches if default is None else [*branches, default]
        result = self._type if any(b.type is self._type for b in every) else every[0].type
        return hir.Switch(value, [numbers for numbers, _ in cases], branches, default, result, span)

    # --- tests -------------------------------------------------------------------

    def _test_any(self, place: Place, cons: list[Con], env: Env, stmts: list[hir.Expr]) -> hir.Expr:
        result: hir.Expr | None = None
        for con in cons:
            test = self._test(place, con, env, stmts)
            result = test if result is None else hir.Or(result, test, self._span)
        assert result is not None
        return result

    def _test(self, place: Place, con: Con, env: Env, stmts: list[hir.Expr]) -> hir.Expr:
        span, value = self._span, env[place]
        if con.kind == "bool":
            return value if con.value else hir.Unary("not", value, span)
        if con.kind in ("some", "nil"):
            is_some = hir.IsSome(value, span)
            return is_some if con.kind == "some" else hir.Unary("not", is_some, span)
        if con.kind == "text":
            return call_core(self._cx, "text_eq", [value, hir.TextConst(con.value, TEXT, span)], span)
        if con.kind == "span":
            return self._within_texts(value, con)
        if con.kind in ("length", "rest"):
            length = hir.ArrayLen(value, I64, span)
            wanted = hir.Const(_length(con), I64, span)
            return hir.Compare("eq" if con.kind == "length" else "ge", length, wanted, span)
        if con.kind == "type":
            from simple_jit.hir.check_any import type_test

            return type_test(self._cx, value, con.value, span)
        if con.kind == "present":
            from simple_jit.hir.check_any import is_nil

            return hir.Unary("not", is_nil(value, span), span)
        if con.kind == "variant":
            number = hir.Const(_number(con, place.type), I64, span)
            return hir.Compare("eq", hir.EnumTag(value, I64, span), number, span)
        low, high, *closed = con.value
        return self._within(value, low, high, not closed or closed[0])

    def _within(self, value: hir.Expr, low: Any, high: Any, closed: bool) -> hir.Expr:
        span, type = self._span, value.type
        if low == high:
            return hir.Compare("eq", value, hir.Const(low, type, span), span)
        above = hir.Compare("ge", value, hir.Const(low, type, span), span)
        below = hir.Compare("le" if closed else "lt", value, hir.Const(high, type, span), span)
        if isinstance(type, IntType) and low == type.min:
            return below
        if isinstance(type, IntType) and high == type.max:
            return above
        return hir.And(above, below, span)

    def _within_texts(self, value: hir.Expr, con: Con) -> hir.Expr:
        span = self._span
        low, high, closed = con.value
        zero = hir.Const(0, I64, span)
        first = call_core(self._cx, "text_cmp", [value, hir.TextConst(low, TEXT, span)], span)
        last = call_core(self._cx, "text_cmp", [value, hir.TextConst(high, TEXT, span)], span)
        above = hir.Compare("ge", first, zero, span)
        return hir.And(above, hir.Compare("le" if closed else "lt", last, zero, span), span)
