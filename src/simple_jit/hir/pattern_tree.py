"""Patterns with types, and the places in a value that they look at.

A checked pattern is made of four things: `Wild` matches anything, `Bind` gives what it matches a name,
`Alternatives` are tried in turn, and a `Con` matches values built by one constructor:

    kind        value                   matches                                  parts
    variant     position                a variant of an enum                     its payload
    some, nil                           an optional that is there, or is not     the value in it
    bool        True or False
    int         (low, high)             the integers from low to high
    float       (low, high, closed)     floats, `high` included where `closed`
    text        text
    span        (low, high, closed)     texts, in order
    tuple                               any tuple                                its items
    struct                              any struct                               its fields
    length      n                       an array of n elements                   they
    rest        (before, after)         an array of at least so many             the first and last ones
    type        type                    an `any` of this type                    the value in it
    present                         an `any` that is not nil                 the value itself
    view        key                     any `any`                                its view (`hir.any_patterns`)
"""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir.types import (
    ANY,
    BOOL,
    I64,
    UNIT,
    ArrayType,
    EnumType,
    OptionalType,
    StructType,
    TraitType,
    TupleType,
    Type,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from simple_jit.base.source import Span
    from simple_jit.hir.context import Context

    Env: TypeAlias = "dict[Place, hir.Expr]"


class Pattern:
    """A checked pattern."""

    __slots__ = ("span",)

    def __init__(self, span: Span) -> None:
        self.span = span


class Wild(Pattern):
    """Matches anything."""

    __slots__ = ()


class Bind(Pattern):
    """Sets a local to what `inner` matches."""

    __slots__ = ("inner", "local")

    def __init__(self, local: hir.Local, inner: Pattern, span: Span) -> None:
        super().__init__(span)
        self.local = local
        self.inner = inner


class Alternatives(Pattern):
    """Matches what one of several patterns does."""

    __slots__ = ("options",)

    def __init__(self, options: list[Pattern], span: Span) -> None:
        super().__init__(span)
        self.options = options


class Con(Pattern):
    """Matches what one constructor builds.

    `key` is the same for the same constructor. `rest` is a local, with how many parts stand before
    and after what it takes of a tuple or array.
    """

    __slots__ = ("key", "kind", "parts", "rest", "value")

    def __init__(
        self,
        kind: str,
        value: Any,
        parts: list[Pattern],
        span: Span,
        rest: tuple[hir.Local, int, int] | None = None,
    ) -> None:
        super().__init__(span)
        self.kind = kind
        self.value = value
        self.key = kind, value
        self.parts = parts
        self.rest = rest


def always_matches(kind: str) -> bool:
    """Does every value of the type match a constructor of this kind?"""
    return kind in ("tuple", "struct", "view")


def part_types(con: Con, type: Type) -> list[Type]:
    """Return the types of the parts of a constructor of `type`."""
    if con.kind == "variant":
        assert isinstance(type, EnumType)
        return [field.type for field in type.variants[con.value].fields]
    if con.kind == "some":
        assert isinstance(type, OptionalType)
        return [type.inner]
    if con.kind == "tuple":
        return list(type.items) if isinstance(type, TupleType) else []
    if con.kind == "struct":
        assert isinstance(type, StructType)
        return [field.type for field in type.fields]
    if con.kind in ("length", "rest"):
        assert isinstance(type, ArrayType)
        return [type.elem] * len(con.parts)
    if con.kind == "present":
        return [ANY]
    if con.kind == "view":
        from simple_jit.hir.any_patterns import view_type

        return [view_type()]
    return [con.value] if con.kind == "type" else []


# --- places ------------------------------------------------------------------------


class Place:
    """A part of the value that is matched; the same part is always the same `Place`."""

    __slots__ = ("_parts", "parent", "step", "temporary", "type")

    def __init__(self, type: Type, parent: Place | None, step: tuple[Any, ...]) -> None:
        self.type = type
        self.parent = parent
        self.step = step
        self.temporary: hir.Local | None = None
        self._parts: dict[tuple[Any, ...], Place] = {}

    def part(self, type: Type, *step: Any) -> Place:
        """Return the place of a part."""
        found = self._parts.get(step)
        if found is None:
            found = self._parts[step] = Place(type, self, step)
        return found

    def read(self, cx: Context, env: Env, span: Span) -> hir.Expr:
        """Return the expression of the value here; `env` has the places that are in temporaries."""
        found = env.get(self)
        if found is not None:
            return found
        assert self.parent is not None
        whole = self.parent.read(cx, env, span)
        kind, *step = self.step
        if kind == "variant":
            return hir.EnumGet(whole, step[0], step[1], self.type, span)
        if kind == "some":
            return hir.Unwrap(whole, self.type, span, checked=False)
        if kind == "tuple":
            return hir.TupleGet(whole, step[0], self.type, span)
        if kind == "struct":
            return hir.FieldGet(whole, step[0], self.type, span)
        if kind == "count":
            return hir.ArrayLen(whole, I64, span)
        if kind == "element":
            return hir.ArrayGet(whole, hir.Const(step[0], I64, span), self.type, span)
        if kind == "type":
            if self.type is UNIT:
                return hir.Const(None, UNIT, span)
            return (hir.AnyNew if is_any(self.type) else hir.AnyGet)(whole, self.type, span)
        if kind == "present":
            return whole
        if kind == "view":
            from simple_jit.hir.any_patterns import view

            return view(cx, whole, step[0], span)
        assert kind == "middle"
        return _middle(cx, whole, step[0], step[1], span)


def _middle(cx: Context, whole: hir.Expr, before: int, after: int, span: Span) -> hir.Expr:
    """The elements that `...rest` takes."""
    if isinstance(whole.type, TupleType):
        items = whole.type.items
        parts: list[hir.Expr] = [
            hir.TupleGet(whole, i, items[i], span) for i in range(before, len(items) - after)
        ]
        from simple_jit.hir.types import tuple_of

        if not parts:
            return hir.Const(None, UNIT, span)
        return hir.TupleNew(parts, tuple_of([part.type for part in parts]), span)
    from simple_jit.hir.check_access import slice_call

    stop = hir.Const(-after, I64, span) if after else None
    return slice_call(cx, whole, hir.Const(before, I64, span), stop, None, span)


def part_places(con: Con, place: Place) -> list[Place]:
    """Return the places that the parts of `con` look at."""
    types = part_types(con, place.type)
    if con.kind == "rest":
        before, after = con.value
        steps = [*range(before), *range(-after, 0)]
        return [place.part(type, "element", step) for type, step in zip(types, steps)]
    if con.kind == "length":
        return [place.part(type, "element", step) for step, type in enumerate(types)]
    if con.kind == "variant":
        return [place.part(type, "variant", con.value, index) for index, type in enumerate(types)]
    if con.kind == "view":
        return [place.part(types[0], "view", con.value)]
    if con.kind in ("some", "type"):
        return [place.part(type, con.kind, type) for type in types]
    return [place.part(type, con.kind, index) for index, type in enumerate(types)]


def is_any(type: Type) -> bool:
    """Is a value of `type` one with its own type?"""
    return type is ANY or isinstance(type, TraitType)


def constructors(type: Type) -> list[tuple[str, Any]] | None:
    """Return the keys of all constructors of `type`, None where they cannot be listed."""
    if type is BOOL:
        return [("bool", True), ("bool", False)]
    if isinstance(type, OptionalType):
        return [("nil", None), ("some", None)]
    if isinstance(type, EnumType):
        from simple_jit.hir.check_enums import is_impossible

        return [("variant", i) for i, v in enumerate(type.variants) if not is_impossible(v)]
    if isinstance(type, TupleType) or type is UNIT:
        return [("tuple", None)]
    return [("struct", None)] if isinstance(type, StructType) else None
