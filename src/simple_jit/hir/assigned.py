"""Which names a body assigns: a local that is never assigned is narrowed by tests."""

from __future__ import annotations

from simple_jit.syntax import ast


def assigned_names(node: object) -> frozenset[str]:
    """Return the names that stand as targets of assignments anywhere inside `node`."""
    found: set[str] = set()
    _collect(node, found)
    return frozenset(found)


def _collect(node: object, found: set[str]) -> None:
    pending = [node]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, ast.Assign):
            _targets(item.target, found)
            pending.append(item.value)
        elif isinstance(item, _WITHOUT_STATEMENTS):
            continue
        elif isinstance(item, ast.Node):
            pending.extend(getattr(item, name) for name in type(item).__slots__)


def _targets(target: ast.Expr, found: set[str]) -> None:
    if isinstance(target, ast.Name):
        found.add(target.name)
    elif isinstance(target, (ast.TupleLiteral, ast.ArrayLiteral)):
        for item in target.items:
            if not isinstance(item, ast.Spread):
                _targets(item, found)


_WITHOUT_STATEMENTS = (
    ast.Ident,
    ast.Name,
    ast.IntLiteral,
    ast.FloatLiteral,
    ast.TextLiteral,
    ast.NamedType,
    ast.OptionalType,
    ast.ArrayType,
    ast.TupleType,
)
"""What cannot hold an assignment."""
