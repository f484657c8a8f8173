"""What the compiler of closures wants to know of each subtree before it compiles it."""

from __future__ import annotations

from simple_jit.hir import nodes as hir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from simple_jit.tiers.interpreter.hooks import Escape

NO_ESCAPES: Final[frozenset[Escape]] = frozenset()
_RETURNS: Final[frozenset[Escape]] = frozenset({(None, "return")})

SIMPLE: Final = (hir.Const, hir.TextConst, hir.LocalGet)
"""Expressions that cannot fail and read nothing but a local."""


def is_quiet(node: hir.Expr) -> bool:
    """Can `node` be evaluated later than its turn, since it cannot fail and reads nothing but locals?"""
    if isinstance(node, (hir.Binary, hir.Compare)):
        fails = isinstance(node, hir.Binary) and (node.checked or node.op in ("div", "rem", "floordiv"))
        return not fails and is_quiet(node.lhs) and is_quiet(node.rhs)
    return isinstance(node, SIMPLE)


class Facts:
    """Facts on one subtree.

    `size` is the number of nodes; `escapes` are the ways to leave it other than its end; `assigns`
    says that it assigns a local, `resizes` that it may change the length or the place of an array,
    `collects` that the collector may run meanwhile.
    """

    __slots__ = ("assigns", "collects", "escapes", "resizes", "size")

    def __init__(
        self, size: int, escapes: frozenset[Escape], assigns: bool, resizes: bool, collects: bool
    ) -> None:
        self.size = size
        self.collects = collects
        self.escapes = escapes
        self.assigns = assigns
        self.resizes = resizes


_PARTS: Final[dict[type[hir.Expr], tuple[tuple[str, ...], str | None]]] = {
    hir.Const: ((), None),
    hir.Nil: ((), None),
    hir.TextConst: ((), None),
    hir.LocalGet: ((), None),
    hir.LocalSet: (("value",), None),
    hir.GlobalGet: ((), None),
    hir.GlobalSet: (("value",), None),
    hir.Unary: (("operand",), None),
    hir.Binary: (("lhs", "rhs"), None),
    hir.Compare: (("lhs", "rhs"), None),
    hir.And: (("lhs", "rhs"), None),
    hir.Or: (("lhs", "rhs"), None),
    hir.Block: (("result",), "stmts"),
    hir.If: (("cond", "then", "orelse"), None),
    hir.Loop: (("cond", "body", "step"), None),
    hir.ForRange: (("start", "stop", "step", "body"), None),
    hir.Break: ((), None),
    hir.Continue: ((), None),
    hir.Return: (("value",), None),
    hir.Call: ((), "args"),
    hir.CallExtern: ((), "args"),
    hir.Intrinsic: ((), "args"),
    hir.TupleNew: ((), "items"),
    hir.TupleGet: (("value",), None),
    hir.Some: (("value",), None),
    hir.IsSome: (("value",), None),
    hir.Unwrap: (("value",), None),
    hir.New: ((), "values"),
    hir.FieldGet: (("object",), None),
    hir.FieldSet: (("object", "value"), None),
    hir.ArrayNew: ((), "items"),
    hir.ArrayLen: (("array",), None),
    hir.ArrayGet: (("array", "index"), None),
    hir.ArraySet: (("array", "index", "value"), None),
    hir.Convert: (("value",), None),
    hir.Throw: (("message",), None),
    hir.EnumNew: ((), "values"),
    hir.EnumTag: (("value",), None),
    hir.EnumGet: (("value",), None),
    hir.Switch: (("value", "default"), "branches"),
    hir.ClosureNew: ((), "captures"),
    hir.CallValue: (("callee",), "args"),
    hir.AnyNew: (("value",), None),
    hir.AnyIs: (("value",), None),
    hir.AnyGet: (("value",), None),
    hir.Protected: (("closure",), None),
}
"""For each node the fields that hold an expression or None, and the one that holds a list of them."""


def children(node: hir.Expr) -> list[hir.Expr]:
    """Return the direct subexpressions."""
    single, several = _PARTS[type(node)]
    found = [child for name in single if (child := getattr(node, name)) is not None]
    return found + getattr(node, several) if several else found


def collect(root: hir.Expr) -> dict[hir.Expr, Facts]:
    """Return the facts on `root` and every expression in it."""
    order = [root]
    for node in order:
        order += children(node)
    known: dict[hir.Expr, Facts] = {}
    for node in reversed(order):
        known[node] = _facts(node, known)
    return known


_LEAF: Final = Facts(1, NO_ESCAPES, assigns=False, resizes=False, collects=False)
_ASSIGNS: Final = (hir.LocalSet, hir.ForRange)
_RESIZES: Final = (hir.Call, hir.CallExtern, hir.CallValue, hir.Protected, hir.Intrinsic)
_QUIET: Final = (
    hir.Const, hir.Nil, hir.TextConst, hir.LocalGet, hir.LocalSet, hir.GlobalGet, hir.GlobalSet, hir.Unary,
    hir.Binary, hir.Compare, hir.And, hir.Or, hir.Block, hir.If, hir.Break, hir.Continue, hir.Return,
    hir.TupleNew, hir.TupleGet, hir.Some, hir.IsSome, hir.Unwrap, hir.FieldGet, hir.FieldSet, hir.ArrayLen,
    hir.ArrayGet, hir.ArraySet, hir.Convert, hir.Throw, hir.EnumTag, hir.EnumGet, hir.Switch, hir.AnyIs,
    hir.AnyGet,
)  # fmt: skip
"""Nodes that do not let the collector run by themselves: all but calls, what allocates, and hot loops."""


def _facts(node: hir.Expr, known: dict[hir.Expr, Facts]) -> Facts:
    if isinstance(node, SIMPLE):
        return _LEAF
    size, escapes = 1, _own_escapes(node)
    assigns, resizes = isinstance(node, _ASSIGNS), isinstance(node, _RESIZES)
    collects = not isinstance(node, _QUIET) and not (isinstance(node, hir.Intrinsic) and node.op != "alloc")
    for child in children(node):
        part = known[child]
        collects = collects or part.collects
        size += part.size
        assigns = assigns or part.assigns
        resizes = resizes or part.resizes
        if part.escapes:
            escapes = escapes | part.escapes
    if escapes and isinstance(node, (hir.Loop, hir.ForRange)):
        escapes = escapes - {(node.target, "break"), (node.target, "continue")}
    return Facts(size, escapes, assigns, resizes, collects)


def _own_escapes(node: hir.Expr) -> frozenset[Escape]:
    if isinstance(node, hir.Return):
        return _RETURNS
    if isinstance(node, hir.Break):
        return frozenset({(node.target, "break")})
    if isinstance(node, hir.Continue):
        return frozenset({(node.target, "continue")})
    return NO_ESCAPES


def fixed_arrays(loop: hir.Loop | hir.ForRange, known: dict[hir.Expr, Facts]) -> list[hir.Local]:
    """Return the arrays that a loop indexes and that stay the same objects, of one length, meanwhile."""
    if known[loop].resizes:
        return []
    indexed: dict[hir.Local, None] = {}
    assigned: set[hir.Local] = set()
    work: list[hir.Expr] = [loop]
    while work:
        node = work.pop()
        work.extend(children(node))
        if isinstance(node, (hir.ArrayGet, hir.ArraySet)) and isinstance(node.array, hir.LocalGet):
            indexed[node.array.local] = None
        elif isinstance(node, hir.LocalSet):
            assigned.add(node.local)
    return [local for local in indexed if local not in assigned]
