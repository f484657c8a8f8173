"""Decorators: functions used as annotations.

    @times(3)                        fn area@(…): …
    @logged               means
    fn area(…): …                    val area = times(3)(logged(area@))

Of a method, the decorators get and give a function that takes the receiver first:

    impl Shape:                      impl Shape:
        @logged                          fn area@(n): …
        fn area(n): …     means          fn area(n): Shape.area@(self, n)
                                     val Shape.area@ = logged(\\self, n: self.area@(n))
"""

from __future__ import annotations

from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final, TypeAlias

    from simple_jit.base.source import Span

    Holder: TypeAlias = ast.RecordDecl | ast.EnumDecl | ast.TraitDecl | ast.ImplDecl

IN_LIBRARY: Final = frozenset({"ends_soon", "rarely_called", "track_caller"})
"""The annotations that mean something in modules of the library only."""

KNOWN: Final = IN_LIBRARY | {"inline", "nojit", "jit", "export", "test", "deprecated", "skip"}
"""The annotations that the language knows itself."""

_RECEIVER = "self@"


def is_known(annotation: ast.Annotation) -> bool:
    """Is this an annotation of the language, not a decorator?"""
    return ".".join(ident.name for ident in annotation.path) in KNOWN


def decorators(decl: ast.FunctionDecl) -> list[ast.Annotation]:
    """Return the annotations of a function that are calls of functions."""
    return [annotation for annotation in decl.annotations if not is_known(annotation)]


def hidden_name(decl: ast.FunctionDecl) -> str:
    """Return the name of a function that has decorators, without them."""
    return f"{decl.name.name}@"


def decorated(decl: ast.FunctionDecl) -> ast.Binding:
    """Return the binding that a function with decorators stands for."""
    bare = ast.Name(decl.name.span, hidden_name(decl))
    return _binding(decl, decl.name.name, bare, decl.public)


def _binding(decl: ast.FunctionDecl, name: str, value: ast.Expr, public: bool) -> ast.Binding:
    """Bind `name` to `value` with the decorators applied, the last one first."""
    for annotation in reversed(decorators(decl)):
        callee: ast.Expr = ast.Name(annotation.path[0].span, annotation.path[0].name)
        for ident in annotation.path[1:]:
            callee = ast.Member(annotation.span, callee, ident, False)
        if annotation.args is not None:
            callee = ast.Call(annotation.span, callee, annotation.args)
        value = ast.Call(annotation.span, callee, [ast.Arg(decl.name.span, None, False, value)])
    pattern = ast.NamePattern(decl.name.span, name)
    return ast.Binding(decl.span, "val", False, pattern, None, value, [], public)


# --- methods -----------------------------------------------------------------------


def expand_methods(statements: list[ast.Stmt]) -> None:
    """Replace the methods with decorators in the statements of a module by what they mean."""
    for position in range(len(statements) - 1, -1, -1):
        holder = statements[position]
        if isinstance(holder, (ast.RecordDecl, ast.EnumDecl, ast.TraitDecl, ast.ImplDecl)):
            if any(decl.body is not None and decorators(decl) for decl in holder.methods):
                statements[position + 1 : position + 1] = _expand(holder)


def _expand(holder: Holder) -> list[ast.Stmt]:
    """Replace the methods with decorators of one declaration; return the statements that follow it."""
    methods: list[ast.FunctionDecl] = []
    hidden: list[ast.FunctionDecl] = []
    bindings: list[ast.Stmt] = []
    for decl in holder.methods:
        if decl.body is None or not decorators(decl):
            methods.append(decl)
            continue
        bare = _bare(holder, decl)
        binding = f"{_label(holder)}.{bare.name.name}"
        hidden.append(bare)
        methods.append(_caller(holder, decl, binding))
        bindings.append(_binding(decl, binding, _as_function(holder, decl, bare.name.name), False))
    if isinstance(holder, ast.ImplDecl) and holder.trait is not None:  # which holds the trait's methods alone
        holder.methods = methods
        own = ast.ImplDecl(
            holder.span, holder.generics, None, holder.target, holder.where, None, hidden, holder.annotations
        )
        return [own, *bindings]
    holder.methods = methods + hidden
    return bindings


def _label(holder: Holder) -> str:
    return holder.target.span.text if isinstance(holder, ast.ImplDecl) else holder.name.name


def _bare(holder: Holder, decl: ast.FunctionDecl) -> ast.FunctionDecl:
    """The method without its decorators, under a name of its own."""
    name = hidden_name(decl)
    if isinstance(holder, ast.ImplDecl) and holder.trait is not None:
        name += holder.trait.span.text
    ident = ast.Ident(decl.name.span, name)
    known = [annotation for annotation in decl.annotations if is_known(annotation)]
    return ast.FunctionDecl(
        decl.span,
        decl.mode,
        ident,
        decl.generics,
        decl.params,
        decl.result,
        decl.where,
        decl.body,
        known,
        False,
    )


def _caller(holder: Holder, decl: ast.FunctionDecl, binding: str) -> ast.FunctionDecl:
    """The method that is called: it calls the function that the decorators gave."""
    span = decl.name.span
    args: list[ast.Expr] = [ast.SelfExpr(span)] if decl.mode != "static" else []
    args += [ast.Name(span, param.name.name) for param in decl.params]
    call = ast.Call(span, ast.Name(span, binding), [ast.Arg(span, None, False, arg) for arg in args])
    body = ast.Block(span, None, [ast.ExprStmt(span, call)])
    is_signature = isinstance(holder, ast.TraitDecl) or (
        isinstance(holder, ast.ImplDecl) and holder.trait is not None
    )
    result = decl.result if is_signature or decl.result is None else None
    known = [annotation for annotation in decl.annotations if is_known(annotation)]
    return ast.FunctionDecl(
        decl.span,
        decl.mode,
        decl.name,
        decl.generics,
        decl.params,
        result,
        decl.where,
        body,
        known,
        decl.public,
    )


def _as_function(holder: Holder, decl: ast.FunctionDecl, name: str) -> ast.Expr:
    r"""`\self, n: self.area@(n)`; types that depend on those of the receiver are left to each call."""
    span = decl.name.span
    varying = {generic.name.name for generic in (*holder.generics, *decl.generics)} | {"Self"}
    params = [
        ast.Param(param.span, param.name, _closed(_written_type(param), varying), None)
        for param in decl.params
    ]
    args = [
        ast.Arg(param.span, None, param.variadic, ast.Name(param.span, param.name.name))
        for param in decl.params
    ]
    owner: ast.Expr = ast.Name(span, _RECEIVER)
    if decl.mode == "static":
        owner = _named(holder, span)
    else:
        params.insert(0, ast.Param(span, ast.Ident(span, _RECEIVER), _receiver(holder, varying), None))
    call = ast.Call(span, ast.Member(span, owner, ast.Ident(span, name), False), args)
    body = ast.Block(span, None, [ast.ExprStmt(span, call)])
    return ast.Lambda(span, params, _closed(decl.result, varying), body)


def _written_type(param: ast.Param) -> ast.TypeExpr | None:
    if param.variadic and param.type is not None:
        return ast.ArrayType(param.type.span, param.type, None)
    return param.type


def _closed(type: ast.TypeExpr | None, varying: set[str]) -> ast.TypeExpr | None:
    """Return a type that means the same outside of its declaration, else None."""
    if type is None or any(ident.name in varying for ident in _idents(type)):
        return None
    return type


def _idents(node: object) -> Iterator[ast.Ident]:
    if isinstance(node, ast.Ident):
        yield node
    elif isinstance(node, list):
        for item in node:
            yield from _idents(item)
    elif isinstance(node, ast.Node):
        for name in type(node).__slots__:
            yield from _idents(getattr(node, name))


def _receiver(holder: Holder, varying: set[str]) -> ast.TypeExpr | None:
    """The type of the receiver, where it is one."""
    if isinstance(holder, ast.ImplDecl):
        return _closed(holder.target, varying)
    if isinstance(holder, ast.TraitDecl) or holder.generics:
        return None
    return ast.NamedType(holder.name.span, [holder.name], [])


def _named(holder: Holder, span: Span) -> ast.Expr:
    """The type, as it is written before the name of a static function."""
    if not isinstance(holder, ast.ImplDecl):
        return ast.Name(span, holder.name.name)
    target = holder.target
    if not isinstance(target, ast.NamedType):
        return ast.Name(span, target.span.text)
    value: ast.Expr = ast.Name(span, target.path[0].name)
    for ident in target.path[1:]:
        value = ast.Member(span, value, ident, False)
    return value
