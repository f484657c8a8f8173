"""Walking a typed tree."""

from __future__ import annotations

from simple_jit.hir import nodes as hir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def walk(expr: hir.Expr) -> Iterator[hir.Expr]:
    """Yield `expr` and every expression in it, outer ones first."""
    work = [expr]
    while work:
        node = work.pop()
        yield node
        for slot in type(node).__slots__:
            child = getattr(node, slot)
            if isinstance(child, hir.Expr):
                work.append(child)
            elif isinstance(child, list):
                work.extend([part for part in child if isinstance(part, hir.Expr)])
