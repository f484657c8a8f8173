"""Decorators: functions used as annotations.

    @times(3)                        fn area@(…): …
    @logged               means
    fn area(…): …                    val area = times(3)(logged(area@))
"""

from __future__ import annotations

from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

KNOWN: Final = frozenset({"inline", "nojit", "jit", "export", "test", "deprecated", "skip", "track_caller"})
"""The annotations that the language knows itself."""


def decorators(decl: ast.FunctionDecl) -> list[ast.Annotation]:
    """Return the annotations of a function that are calls of functions."""
    return [a for a in decl.annotations if ".".join(ident.name for ident in a.path) not in KNOWN]


def hidden_name(decl: ast.FunctionDecl) -> str:
    """Return the name of a function that has decorators, without them."""
    return f"{decl.name.name}@"


def decorated(decl: ast.FunctionDecl) -> ast.Binding:
    """Return the binding that a function with decorators stands for; the last decorator is applied first."""
    value: ast.Expr = ast.Name(decl.name.span, hidden_name(decl))
    for annotation in reversed(decorators(decl)):
        callee: ast.Expr = ast.Name(annotation.path[0].span, annotation.path[0].name)
        for ident in annotation.path[1:]:
            callee = ast.Member(annotation.span, callee, ident, False)
        if annotation.args is not None:
            callee = ast.Call(annotation.span, callee, annotation.args)
        value = ast.Call(annotation.span, callee, [ast.Arg(decl.name.span, None, False, value)])
    pattern = ast.NamePattern(decl.name.span, decl.name.name)
    return ast.Binding(decl.span, "val", False, pattern, None, value, [], decl.public)
