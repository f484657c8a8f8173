"""Which names a lambda or a function inside a function takes from around it, by its syntax alone.

The answer may have a name too many (one that the body declares itself before it uses it), never one
too few: capturing a variable that is not used costs a word.
"""

from __future__ import annotations

from simple_jit.syntax import ast


def free_names(node: ast.Node | list[ast.Stmt]) -> dict[str, None]:
    """Return the names of values used in `node`, in order, but for parameters; `self` is one of them."""
    found: dict[str, None] = {}
    _collect(node, found)
    return found


def _collect(node: object, found: dict[str, None]) -> None:
    pending = [node]
    while pending:
        item = pending.pop()
        if isinstance(item, ast.Name):
            found.setdefault(item.name)
        elif isinstance(item, ast.SelfExpr):
            found.setdefault("self")
        elif isinstance(item, (ast.Lambda, ast.FunctionDecl)):
            _collect_function(item, found)
        elif isinstance(item, list):
            pending.extend(reversed(item))
        elif isinstance(item, ast.Node) and not isinstance(item, _WITHOUT_NAMES):
            pending.extend([getattr(item, name) for name in reversed(type(item).__slots__)])


def _collect_function(node: ast.Lambda | ast.FunctionDecl, found: dict[str, None]) -> None:
    inner: dict[str, None] = {}
    _collect([param.default for param in node.params], inner)
    _collect(node.body, inner)
    params = {param.name.name for param in node.params}
    for name in inner:
        if name not in params:
            found.setdefault(name)


_WITHOUT_NAMES = (
    ast.Ident,
    ast.IntLiteral,
    ast.FloatLiteral,
    ast.TextLiteral,
    ast.NamedType,
    ast.OptionalType,
    ast.ArrayType,
    ast.TupleType,
    ast.FunctionType,
)
