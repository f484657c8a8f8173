"""Destructuring: patterns of bindings and loops, which match every value they are given."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.context import Context, is_stable
from simple_jit.hir.convert import definite
from simple_jit.hir.report import count
from simple_jit.hir.symbols import ERROR
from simple_jit.hir.types import I64, NEVER, TEXT, UNIT, OptionalType
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.hir.pattern_tree import Con, Env, Pattern, Place


def bind_pattern(
    cx: Context,
    pattern: ast.Pattern,
    value: hir.Expr,
    mutable: bool,
    out: list[hir.Expr],
    kind: str = "",
) -> None:
    """Take a value apart; `value` may be evaluated several times. Its names go into the scope."""
    kind = kind or ("var" if mutable else "val")
    if isinstance(pattern, ast.WildcardPattern):
        return
    if isinstance(pattern, ast.NamePattern):
        local = cx.local(pattern.name, value.type)
        cx.declare(pattern.name, local, pattern.span, kind=kind, mutable=mutable)
        if value.type is not ERROR:
            out.append(hir.LocalSet(local, value, pattern.span))
        return
    from simple_jit.hir.check_patterns import Names, check_pattern, is_of_optionals
    from simple_jit.hir.pattern_tree import Place

    if isinstance(value.type, OptionalType) and not is_of_optionals(cx, pattern, value.type):
        value = cx.keep(definite(value), out)
    names = Names(only_binds=True)
    checked = check_pattern(cx, pattern, value.type, names)
    names.declare(cx, kind, mutable)
    if value.type in (ERROR, NEVER):
        return
    root = Place(value.type, None, ())
    _take_apart(cx, checked, root, {root: value}, out)


def _take_apart(cx: Context, pattern: Pattern, place: Place, env: Env, out: list[hir.Expr]) -> None:
    """Set the names of a pattern to the parts of the value at `place`."""
    from simple_jit.hir.pattern_tree import (
        Bind,
        Con,
        Wild,
        always_matches,
        constructors,
        is_any,
        part_places,
    )

    if isinstance(pattern, Wild):
        return
    if isinstance(pattern, Bind):
        value = place.read(cx, env, pattern.span)
        out.append(hir.LocalSet(pattern.local, value, pattern.span))
        _take_apart(cx, pattern.inner, place, env, out)
        return
    if not isinstance(pattern, Con):
        _report_refutable(cx, pattern)
        return
    value = place.read(cx, env, pattern.span)
    if not is_stable(value) and place not in env:
        env = {**env, place: cx.keep(value, out)}
    if pattern.kind in ("view", "type") and is_any(place.type):
        _take_from_any(cx, pattern, place, env, out)
        return
    if pattern.kind in ("length", "rest"):
        out.append(_length_check(cx, pattern, place.read(cx, env, pattern.span)))
    elif not always_matches(pattern.kind) and constructors(place.type) != [pattern.key]:
        _report_refutable(cx, pattern)
        return
    places = part_places(pattern, place)
    before = len(pattern.parts) if pattern.rest is None else pattern.rest[1]
    for index, (part, where) in enumerate(zip(pattern.parts, places)):
        if index == before:
            _take_rest(cx, pattern, place, env, out)
        _take_apart(cx, part, where, env, out)
    if len(pattern.parts) <= before:
        _take_rest(cx, pattern, place, env, out)


def _take_from_any(cx: Context, pattern: Con, place: Place, env: Env, out: list[hir.Expr]) -> None:
    """The same where the value must be found to be what the pattern is for."""
    from simple_jit.hir.convert import coerce
    from simple_jit.hir.pattern_tree import Con, part_places

    (part,), (where,) = pattern.parts, part_places(pattern, place)
    value = place.read(cx, env, pattern.span)
    if pattern.kind == "type":
        checked = cx.keep(coerce(cx, value, pattern.value), out)
        _take_apart(cx, part, where, {**env, where: checked}, out)
        return
    if pattern.value[0] not in ("items", "array", "fields", "record"):
        _report_refutable(cx, pattern)
        return
    from simple_jit.hir.any_patterns import has_no_view

    whole = cx.keep(where.read(cx, env, pattern.span), out)
    absent = hir.Unary("not", hir.IsSome(whole, pattern.span), pattern.span)
    fail = has_no_view(cx, value, pattern.value, pattern.span)
    out.append(hir.If(absent, fail, None, UNIT, pattern.span))
    assert isinstance(part, Con), "a view is an optional"
    (parts,), (inside,) = part.parts, part_places(part, where)
    _take_apart(cx, parts, inside, {**env, where: whole}, out)


def _take_rest(cx: Context, pattern: Con, place: Place, env: Env, out: list[hir.Expr]) -> None:
    if pattern.rest is None:
        return
    local, before, after = pattern.rest
    middle = place.part(local.type, "middle", before, after)
    out.append(hir.LocalSet(local, middle.read(cx, env, pattern.span), pattern.span))


def _report_refutable(cx: Context, pattern: Pattern) -> None:
    cx.error(
        rule.REFUTABLE_PATTERN.at(pattern.span, "this pattern does not match every value").hint(
            "test it: `if val … = …:`, or `match`"
        )
    )


def _length_check(cx: Context, pattern: Con, value: hir.Expr) -> hir.Expr:
    """An array of another length is an error when it runs."""
    from simple_jit.hir.show import concat_texts, text_of

    span = pattern.span
    at_least = pattern.kind == "rest"
    wanted = sum(pattern.value) if at_least else pattern.value
    length = hir.ArrayLen(value, I64, span)
    differs = hir.Compare("lt" if at_least else "ne", length, hir.Const(wanted, I64, span), span)
    more = " or more" if at_least else ""
    expected = f"expected {count(wanted, 'element')}{more}, found "
    message = concat_texts(
        cx, [hir.TextConst(expected, TEXT, span), text_of(cx, length, span, quoted=False)], span
    )
    fail = hir.Throw("IndexError", message, span)
    return hir.If(differs, hir.Block([fail], None, NEVER, span), None, UNIT, span)
