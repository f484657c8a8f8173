"""Bindings whose type later use settles: `var xs = []` then `xs.push(1)`.

The binding starts with a `HoleType`. The first use that tells the type records it as a hint and has the
body checked again, this time with the hint as the type of the initializer.
"""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.collections import dict_of, is_dict, is_set, set_of
from simple_jit.hir.context import Context, Recheck
from simple_jit.hir.symbols import ERROR, HoleType
from simple_jit.hir.types import ANY, NEVER, UNIT, TupleType, Type, array_of, optional_of
from simple_jit.hir.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.diagnostics import Diagnostic
    from simple_jit.base.source import Span

_ELEMENT_ARGUMENT = {"push": 0, "insert": 1, "contains": 0, "index_of": 0, "fill": 0}
"""Which argument of an array's method has the type of the elements."""

_EXAMPLES = {"array": "[i64]", "nil": "i64?", "dict": "{text: i64}", "set": "{i64}"}

_ARRAY_ARGUMENT = {"extend": 0, "concat": 0}


class EmptyCollection(hir.Expr):
    """`{}` or `Set()` of a type that is not known yet; no finished body contains it."""

    __slots__ = ()


class ValueHole(HoleType):
    """The type of the values of a dict that is a hole itself, but for the type of its keys.

    `is_array`: it is read, and a method of arrays may tell it: `groups[k].push(x)`.
    """

    __slots__ = ("dict", "key")

    def __init__(self, dict: HoleType, key: Type, *, is_array: bool = False) -> None:
        super().__init__(dict.binding, is_array)
        self.dict = dict
        self.key = key


def settle(cx: Context, hole: HoleType, type: Type) -> None:
    """Give the binding of `hole` its type, where `type` is one that it can have."""
    if isinstance(hole, ValueHole):
        settle_collection(cx, hole.dict, [hole.key, type])
    elif hole.kind == "dict":
        if is_dict(type) or is_set(type):
            _recheck(cx, hole, type)
    elif hole.kind == "set":
        if is_set(type):
            _recheck(cx, hole, type)
    elif hole.is_array:
        from simple_jit.hir.types import ArrayType

        if isinstance(type, ArrayType) and not isinstance(type.elem, HoleType):
            _recheck(cx, hole, type)
    elif type not in (ERROR, NEVER, UNIT, ANY) and not isinstance(type, HoleType):
        _recheck(cx, hole, optional_of(type))


def settle_element(cx: Context, hole: HoleType, type: Type) -> None:
    """An element of the array with a hole has this type."""
    if type not in (ERROR, NEVER, UNIT) and not isinstance(type, HoleType):
        if isinstance(hole, ValueHole):
            settle_collection(cx, hole.dict, [hole.key, array_of(type)])
        else:
            _recheck(cx, hole, array_of(type))


def settle_collection(cx: Context, hole: HoleType, types: list[Type]) -> None:
    """The keys and values of the dict, or the elements of the set, with a hole have these types."""
    if all(type not in (ERROR, NEVER, UNIT) and not isinstance(type, HoleType) for type in types):
        make = dict_of(cx.session, *types) if hole.kind == "dict" else set_of(cx.session, *types)
        _recheck(cx, hole, make)


def _recheck(cx: Context, hole: HoleType, type: Type) -> None:
    hints = cx.hints if hole.owner is None else hole.owner
    if hole.binding in hints:
        return
    hints[hole.binding] = type
    raise Recheck(hints)


def default_type(cx: Context, hole: HoleType) -> Type:
    """Return the type of an empty literal that nothing settles."""
    if hole.is_array:
        return array_of(ANY)
    if hole.kind == "dict":
        return dict_of(cx.session, ANY, ANY)
    return set_of(cx.session, ANY) if hole.kind == "set" else ANY


def settle_rest(cx: Context, body: hir.Expr) -> bool:
    """Settle the empty literals of a body whose types nothing has told; were there any?

    Those are of variables, of tuples, and of other places where an error points at them: `f([])`, with a
    generic `f`.
    """
    open: list[HoleType] = [
        local.type
        for local in cx.locals
        if isinstance(local.type, HoleType) and local.type.owner in (None, cx.hints)
    ]
    if cx.has_open_tuples:
        open += [hole for node in walk(body) for hole in _holes_in(node.type)]
    if not open:
        findings = cx.reporter.diagnostics
        spans = [span for d in findings for span in (d.span, *[label.span for label in d.labels])]
        open = [hole for hole in cx.holes if any(span and _holds(span, hole.binding.span) for span in spans)]
    found = False
    for hole in open:
        whole = hole.dict if isinstance(hole, ValueHole) else hole
        if whole.binding not in cx.hints:
            cx.hints[whole.binding] = default_type(cx, whole)
            found = True
    return found


def _holes_in(type: Type) -> list[HoleType]:
    """Return the open types among the items of a tuple."""
    if not isinstance(type, TupleType):
        return []
    items = [hole for item in type.items for hole in _holes_in(item)]
    return items + [item for item in type.items if isinstance(item, HoleType) and item.owner is None]


def _holds(span: Span, inner: Span) -> bool:
    return span.file is inner.file and span.start <= inner.start and inner.end <= span.end


def element_argument(method: str) -> int | None:
    """Return the number of the argument of an array's method that is an element."""
    return _ELEMENT_ARGUMENT.get(method)


def array_argument(method: str) -> int | None:
    """Return the number of the argument of an array's method that is an array of the same type."""
    return _ARRAY_ARGUMENT.get(method)


def unsettled(hole: HoleType, name: str) -> Diagnostic:
    """Say that nothing tells the type of an empty literal."""
    shown = hole.shown
    return rule.CANNOT_INFER_TYPE.at(hole.binding.span, f"cannot tell the type that `{shown}` has here").hint(
        f"write the type of the variable: `{name}: {_EXAMPLES[hole.kind]} = {shown}`"
    )
