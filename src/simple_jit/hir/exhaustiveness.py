"""Are all values matched, and can each arm be reached? By Maranget's algorithm of usefulness.

A row of patterns is *useful* after other rows if it matches some row of values that none of them
matches. An arm that is not useful after those above it is never reached; if a row of wildcards is useful
after all arms, what it alone matches is missing.

    match (a, b):                   rows               specialised to (true, …)    (false, …)
        case (true, false): …       true  false        false                       -
        case (_, true): …           _     true         true                        true
                                                       complete                    missing: (false, false)

(Luc Maranget, Warnings for pattern matching, 2007.)
"""

from __future__ import annotations

from simple_jit.hir.pattern_tree import (
    Alternatives,
    Bind,
    Con,
    Pattern,
    Wild,
    constructors,
    part_types,
)
from simple_jit.hir.types import (
    UNIT,
    ArrayType,
    EnumType,
    FixedArrayType,
    IntType,
    OptionalType,
    StructType,
    TupleType,
    Type,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Row: TypeAlias = "list[Pattern]"

_MOST_WITNESSES = 8
_OVERLAPPING = ("int", "length", "rest")
"""The kinds of constructors that may match a part of what others match."""


def is_useful(rows: list[Row], row: Row, types: list[Type]) -> bool:
    """Does `row` match what none of `rows` does?"""
    if not types:
        return not rows
    first = _plain(row[0])
    if isinstance(first, Alternatives):
        return any(is_useful(rows, [option, *row[1:]], types) for option in first.options)
    rows = _opened(rows)
    heads = _heads([*rows, [first]])
    if not heads:
        return is_useful([r[1:] for r in rows], row[1:], types[1:])
    whole = isinstance(first, Con) and first.kind not in _OVERLAPPING
    for con in [first] if whole else _split(types[0], heads):
        assert isinstance(con, Con)
        parts = _specialised(row, con, first)
        if parts is not None and is_useful(
            _all_specialised(rows, con), parts, [*part_types(con, types[0]), *types[1:]]
        ):
            return True
    if isinstance(first, Wild) and not _is_complete(types[0], heads):
        others = [r[1:] for r in rows if isinstance(_plain(r[0]), Wild)]
        return is_useful(others, row[1:], types[1:])
    return False


def missing(rows: list[Row], types: list[Type]) -> list[list[str]]:
    """Return what none of `rows` matches, as the texts of patterns; some of it where that is much."""
    if not types:
        return [] if rows else [[]]
    rows = _opened(rows)
    heads = _heads(rows)
    if not heads:
        return [["_", *rest] for rest in missing([r[1:] for r in rows], types[1:])]
    found: list[list[str]] = []
    for con in _split(types[0], heads):
        inner = part_types(con, types[0])
        for texts in missing(_all_specialised(rows, con), [*inner, *types[1:]]):
            shown = _shown(con, types[0], texts[: len(inner)])
            found.append([shown, *texts[len(inner) :]])
        if len(found) >= _MOST_WITNESSES:
            return found
    if not _is_complete(types[0], heads):
        others = [r[1:] for r in rows if isinstance(_plain(r[0]), Wild)]
        found += [["_", *rest] for rest in missing(others, types[1:])]
    return found


# --- rows --------------------------------------------------------------------------


def _plain(pattern: Pattern) -> Pattern:
    """Return a pattern without the names it gives."""
    while isinstance(pattern, Bind):
        pattern = pattern.inner
    return pattern


def _opened(rows: list[Row]) -> list[Row]:
    """Return the rows with a row for each alternative in their first column."""
    result: list[Row] = []
    for row in rows:
        first = _plain(row[0])
        if isinstance(first, Alternatives):
            result += _opened([[option, *row[1:]] for option in first.options])
        else:
            result.append(row)
    return result


def _heads(rows: list[Row]) -> list[Con]:
    firsts = [_plain(row[0]) for row in rows]
    return [first for first in firsts if isinstance(first, Con)]


def _all_specialised(rows: list[Row], con: Con) -> list[Row]:
    parts = [_specialised(row, con, _plain(row[0])) for row in rows]
    return [part for part in parts if part is not None]


def _specialised(row: Row, con: Con, first: Pattern) -> Row | None:
    """Return what `row` asks of the parts of a value built by `con`, None where it does not match."""
    if isinstance(first, Wild):
        return [*(Wild(first.span) for _ in con.parts), *row[1:]]
    assert isinstance(first, Con)
    if not _covers(first, con):
        return None
    parts = first.parts
    if con.kind == "length" and first.kind == "rest":
        before, after = first.value
        between = [Wild(first.span) for _ in range(con.value - before - after)]
        parts = [*parts[:before], *between, *parts[before:]]
    return [*parts, *row[1:]]


def _covers(first: Con, con: Con) -> bool:
    """Does `first` match whatever `con`, one of those that `_split` makes, builds?"""
    if con.kind == "int":
        return bool(first.value[0] <= con.value[0] and con.value[1] <= first.value[1])
    if con.kind == "length" and first.kind == "rest":
        return bool(sum(first.value) <= con.value)
    return first.key == con.key


# --- constructors ------------------------------------------------------------------


def _split(type: Type, heads: list[Con]) -> list[Con]:
    """Return constructors that do not overlap, such that each head is one of them or several."""
    kind = heads[0].kind
    if isinstance(type, ArrayType):
        return _split_lengths(type, heads)
    if kind == "int":
        assert isinstance(type, IntType)
        return _split_integers(type, heads)
    every = constructors(type)
    if every is None:
        return list({head.key: head for head in heads}.values())
    return [_constructor(key, type, heads[0]) for key in every]


def _constructor(key: tuple[str, Any], type: Type, like: Con) -> Con:
    con = Con(key[0], key[1], [], like.span)
    con.parts = [Wild(like.span) for _ in part_types(con, type)]
    return con


def _split_lengths(type: ArrayType, heads: list[Con]) -> list[Con]:
    """Lengths up to where all longer arrays are alike."""
    if isinstance(type, FixedArrayType):
        return [Con("length", type.length, [Wild(heads[0].span) for _ in range(type.length)], heads[0].span)]
    longest = max(head.value + 1 if head.kind == "length" else sum(head.value) for head in heads)
    span = heads[0].span
    return [Con("length", n, [Wild(span) for _ in range(n)], span) for n in range(longest + 1)]


def _split_integers(type: IntType, heads: list[Con]) -> list[Con]:
    """The intervals between all ends."""
    starts = {type.min}
    for head in heads:
        starts.add(head.value[0])
        if head.value[1] < type.max:
            starts.add(head.value[1] + 1)
    ordered = sorted(starts)
    ends = [start - 1 for start in ordered[1:]] + [type.max]
    return [Con("int", pair, [], heads[0].span) for pair in zip(ordered, ends)]


def _is_complete(type: Type, heads: list[Con]) -> bool:
    """Does `_split` list everything that a value of `type` can be?"""
    if heads[0].kind in ("present", "type"):
        return {("present", None), ("type", UNIT)} <= {head.key for head in heads}
    return isinstance(type, ArrayType) or heads[0].kind == "int" or constructors(type) is not None


# --- texts -------------------------------------------------------------------------


def _shown(con: Con, type: Type, parts: list[str]) -> str:
    """Return a missing value as a pattern."""
    if con.kind == "variant":
        assert isinstance(type, EnumType)
        from simple_jit.hir.check_enums import shown_variant

        name = shown_variant(type, type.variants[con.value])
        return f"{name}({', '.join(parts)})" if parts else name
    if con.kind == "tuple":
        assert isinstance(type, TupleType) or not parts
        return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"
    if con.kind == "struct":
        assert isinstance(type, StructType)
        if all(part == "_" for part in parts):
            return "_"
        pairs = [f"{field.name}: {part}" for field, part in zip(type.fields, parts) if part != "_"]
        return f"{type.scope.name}({', '.join(pairs)})"
    if con.kind == "length":
        return f"[{', '.join(parts)}]"
    if con.kind == "int":
        low, high = con.value
        assert isinstance(type, IntType)
        if low == high:
            return str(low)
        return "_" if low == type.min or high == type.max else f"{low}..={high}"
    if isinstance(type, OptionalType):
        return f"Some({parts[0]})" if con.kind == "some" else "nil"
    return str(con.value).lower() if con.kind == "bool" else "_"
