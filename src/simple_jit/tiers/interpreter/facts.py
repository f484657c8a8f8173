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


class Facts:
    """Facts on one subtree.

    `size` is the number of nodes; `escapes` are the ways to leave it other than its end; `assigns`
    says that it assigns a local, `resizes` that it may change the length or the place of an array.
    """

    __slots__ = ("assigns", "escapes", "resizes", "size")

    def __init__(self, size: int, escapes: frozenset[Escape], assigns: bool, resizes: bool) -> None:
        self.size = size
        self.escapes = escapes
        self.assigns = assigns
        self.resizes = resizes


def children(node: hir.Expr) -> list[hir.Expr]:
    """Return the direct subexpressions, in order of evaluation."""
    found: list[hir.Expr] = []
    for slot in type(node).__slots__:
        child = getattr(node, slot)
        if isinstance(child, hir.Expr):
            found.append(child)
        elif isinstance(child, list):
            found.extend(child)
    return found


def collect(root: hir.Expr) -> dict[hir.Expr, Facts]:
    """Return the facts on `root` and every expression in it."""
    known: dict[hir.Expr, Facts] = {}
    work = [(root, False)]
    while work:
        node, ready = work.pop()
        parts = children(node)
        if ready or not parts:
            known[node] = _facts(node, [known[part] for part in parts])
        else:
            work.append((node, True))
            work.extend([(part, False) for part in parts])
    return known


def _facts(node: hir.Expr, parts: list[Facts]) -> Facts:
    size, escapes = 1, NO_ESCAPES
    assigns = isinstance(node, (hir.LocalSet, hir.ForRange))
    resizes = isinstance(node, (hir.Call, hir.CallExtern, hir.Intrinsic))
    for part in parts:
        size += part.size
        assigns = assigns or part.assigns
        resizes = resizes or part.resizes
        if part.escapes:
            escapes = escapes | part.escapes
    if isinstance(node, hir.Return):
        escapes = escapes | _RETURNS
    elif isinstance(node, hir.Break):
        escapes = escapes | {(node.target, "break")}
    elif isinstance(node, hir.Continue):
        escapes = escapes | {(node.target, "continue")}
    elif escapes and isinstance(node, (hir.Loop, hir.ForRange)):
        escapes = escapes - {(node.target, "break"), (node.target, "continue")}
    return Facts(size, escapes, assigns, resizes)


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
