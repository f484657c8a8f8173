"""What spec files have beyond the library `std.spec`: a few words that calls alone cannot give.

    let name = e          in a group: made anew for each example
    expect a == b         shows both sides where it fails
    it "…", skip:         the same as `skip: true`, as in `tag: "slow"` for `tag: ["slow"]`
    @test fn works():     an example without a group, when tests are run

The first, third and fourth are calls of `std.spec`, put into the tree when a file is read.
"""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.check_operators import adapts
from simple_jit.hir.conditions import check_condition
from simple_jit.hir.context import Context, block, checks, expression
from simple_jit.hir.core_calls import call_method
from simple_jit.hir.declare import bound_names
from simple_jit.hir.show import concat_texts, text_of
from simple_jit.hir.symbols import ERROR, FunctionSymbol, HoleType, RecordSymbol
from simple_jit.hir.types import NEVER, TEXT, UNIT, StructType, Type
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from simple_jit.base.source import Span

SUFFIX = "_spec.spl"
_LIBRARY = "std.spec"
_GROUPS = ("describe", "context")
_FRESH = "$_fresh"
_EXAMPLE = "$it"
_BEFORE_EACH = "$before_each"
_OPEN = (ast.ArrayLiteral, ast.DictLiteral, ast.SetLiteral, ast.TupleLiteral)
"""Literals whose type depends on what is expected."""


# --- the tree of a file ------------------------------------------------------------


def prepare(tree: ast.Module, testing: bool) -> None:
    """Put what the words of a spec file mean into its tree; `testing`: the `@test` functions too."""
    for call in _calls(tree):
        if isinstance(call.callee, ast.Member):
            _type_expected(call, call.callee)
            continue
        assert isinstance(call.callee, ast.Name)
        if call.callee.name in _GROUPS or call.callee.name == "it":
            _rewrite_options(call)
        last = call.args[-1].value if call.args else None
        if call.callee.name in _GROUPS and isinstance(last, ast.Lambda):
            body = last.body
            body.statements = [new for old in body.statements for new in _fresh_bindings(old)]
    if testing:
        tree.statements += [
            _example(statement) for statement in tree.statements if is_test(statement)
        ]
    tree.statements[:0] = _imports(tree.file.span(0, 0))


def is_test(statement: ast.Stmt) -> bool:
    """Is this a function marked `@test`?"""
    return isinstance(statement, ast.FunctionDecl) and _is_marked(statement, "test")


def _is_marked(function: ast.FunctionDecl, name: str) -> bool:
    return any(a.path[0].name == name for a in function.annotations)


def _calls(node: ast.Node) -> Iterator[ast.Call]:
    """Yield the calls of names and of members in a tree."""
    work: list[object] = [node]
    while work:
        item = work.pop()
        if isinstance(item, list):
            work += item
        elif isinstance(item, ast.Node):
            if isinstance(item, ast.Call) and isinstance(item.callee, (ast.Name, ast.Member)):
                yield item
            work += [getattr(item, slot) for slot in type(item).__slots__]


def _rewrite_options(call: ast.Call) -> None:
    for arg in call.args[1:]:
        if arg.name is None and isinstance(arg.value, ast.Name) and arg.value.name == "skip":
            arg.name = ast.Ident(arg.span, "skip")
            arg.value = ast.BoolLiteral(arg.span, True)
        elif arg.name is not None and arg.name.name == "tag" and isinstance(arg.value, ast.TextLiteral):
            arg.value = ast.ArrayLiteral(arg.span, [arg.value])


def _type_expected(call: ast.Call, callee: ast.Member) -> None:
    """Let `[]`, `Ok(1)` and whatever takes its type from where it stands take that of the tested value."""
    name = callee.name
    tested = callee.value
    if name.name not in ("to_equal", "not_to_equal") or len(call.args) != 1:
        return
    if not (isinstance(tested, ast.Call) and _is_named(tested.callee, ("expect",))):
        return
    other = call.args[0].value
    if isinstance(other, ast.NilLiteral):
        call.args = []
        name.name = name.name.replace("equal", "be_nil")
    elif isinstance(other, _OPEN) or _is_capital(other.callee if isinstance(other, ast.Call) else other):
        name.name = f"_{name.name}"


def _is_named(node: ast.Expr, names: tuple[str, ...]) -> bool:
    return isinstance(node, ast.Name) and node.name in names


def _is_capital(node: ast.Expr) -> bool:
    return isinstance(node, ast.Name) and node.name[0].isupper()


def _fresh_bindings(statement: ast.Stmt) -> list[ast.Stmt]:
    """Return what stands for a statement of a group: a `let` becomes something that is made when used.

    One that takes a value apart becomes one for the whole, and one for each name.
    """
    if not isinstance(statement, ast.Binding) or statement.keyword != "let":
        return [statement]
    span, pattern = statement.span, statement.pattern
    value = ast.ExprStmt(statement.value.span, statement.value)
    if statement.mutable:
        return _renewed(statement, value) if isinstance(pattern, ast.NamePattern) else [statement]
    if isinstance(pattern, ast.NamePattern):
        return [_fresh(pattern.name, statement.type, [value], span)]
    whole = f"${span.start}"
    bindings = [_fresh(whole, statement.type, [value], span)]
    for ident in bound_names(pattern):
        taken = ast.Binding(span, "val", False, pattern, None, ast.Name(span, whole), [], False)
        part = ast.ExprStmt(ident.span, ast.Name(ident.span, ident.name))
        bindings.append(_fresh(ident.name, None, [taken, part], span))
    return bindings


def _renewed(binding: ast.Binding, value: ast.Stmt) -> list[ast.Stmt]:
    """Return what stands for `let mut name = e`: a variable that is set anew before each example."""
    span, pattern = binding.span, binding.pattern
    assert isinstance(pattern, ast.NamePattern)
    make = f"${span.start}"
    made = ast.Call(span, ast.Name(span, make), [])
    body = ast.Block(span, None, [ast.Assign(span, ast.Name(span, pattern.name), None, made)])
    hook = ast.Arg(span, None, False, ast.Lambda(span, [], None, body))
    function = ast.Lambda(span, [], binding.type, ast.Block(span, None, [value]))
    again = ast.Call(span, ast.Name(span, make), [])
    return [
        ast.Binding(span, "val", False, ast.NamePattern(span, make), None, function, [], False),
        ast.Binding(span, "var", True, pattern, binding.type, again, [], False),
        ast.ExprStmt(span, ast.Call(span, ast.Name(span, _BEFORE_EACH), [hook])),
    ]


def _fresh(name: str, type: ast.TypeExpr | None, body: list[ast.Stmt], span: Span) -> ast.Stmt:
    make = ast.Lambda(span, [], type, ast.Block(span, None, body))
    call = ast.Call(span, ast.Name(span, _FRESH), [ast.Arg(span, None, False, make)])
    return ast.Binding(span, "val", False, ast.NamePattern(span, name), None, call, [], False)


def _example(function: ast.Stmt) -> ast.Stmt:
    """Return the example that a `@test` function is: `it "name": name()`."""
    assert isinstance(function, ast.FunctionDecl)
    span = function.name.span
    call = ast.Call(span, ast.Name(span, function.name.name), [])
    body = ast.Lambda(span, [], None, ast.Block(span, None, [ast.ExprStmt(span, call)]))
    args = [
        ast.Arg(span, None, False, ast.TextLiteral(span, function.name.name)),
        ast.Arg(span, ast.Ident(span, "block"), False, body),
    ]
    if _is_marked(function, "skip"):
        args.append(ast.Arg(span, ast.Ident(span, "skip"), False, ast.BoolLiteral(span, True)))
    return ast.ExprStmt(span, ast.Call(span, ast.Name(span, _EXAMPLE), args))


def _imports(span: Span) -> list[ast.Stmt]:
    path = [ast.Ident(span, part) for part in _LIBRARY.split(".")]
    names = [
        ast.UseName(span, ast.Ident(span, alias[1:]), ast.Ident(span, alias))
        for alias in (_FRESH, _EXAMPLE, _BEFORE_EACH)
    ]
    return [
        ast.Use(span, path, None, True, None, False),
        ast.Use(span, path, None, False, names, False),
    ]


# --- what `let` made ---------------------------------------------------------------


def is_fresh(cx: Context, type: Type) -> bool:
    """Is a variable of this type one that `let` made, so that reading it is a call?"""
    return (
        isinstance(type, StructType)
        and isinstance(type.scope, RecordSymbol)
        and type.scope.name == "Fresh"
        and type.scope.module.key == _LIBRARY
        and not cx.is_library
    )


def read_fresh(cx: Context, value: hir.Expr, span: Span) -> hir.Expr:
    """Return what a variable that `let` made has in the example that is running."""
    got = call_method(cx, value, "get", [], span)
    assert got is not None
    return got


# --- expect ------------------------------------------------------------------------


class Probe(ast.Node):
    """One side of a comparison, kept for the message; `kept` is where, once it is checked."""

    __slots__ = ("inner", "kept")

    def __init__(self, inner: ast.Expr) -> None:
        self.span = inner.span
        self.inner = inner
        self.kept: hir.Expr | None = None


@checks(Probe)
def check_probe(cx: Context, node: Probe, hint: Type | None) -> hir.Expr:
    value = expression(cx, node.inner, hint)
    if isinstance(value.type, HoleType) or value.type in (ERROR, NEVER, UNIT):
        return value
    stmts: list[hir.Expr] = []
    node.kept = cx.keep(value, stmts)
    return block(stmts, node.kept, value.span)


def is_expect(cx: Context, node: ast.Expr) -> bool:
    """Is this `expect e` of the library?"""
    if not (isinstance(node, ast.Call) and isinstance(node.callee, ast.Name)):
        return False
    symbol = cx.find("expect") or cx.session.lookup(cx.module, "expect")
    return isinstance(symbol, FunctionSymbol) and symbol.module.key == _LIBRARY


def check_expect(cx: Context, node: ast.Expr) -> hir.Expr:
    """`expect e`: an error where `e` is false; of a comparison it shows both sides."""
    assert isinstance(node, ast.Call)
    if len(node.args) != 1 or node.args[0].name or node.args[0].spread:
        return cx.error(rule.WRONG_ARITY.at(node.span, "`expect` takes a condition, or a value to test"))
    tested = node.args[0].value
    sides = _sides(tested)
    condition = check_condition(cx, _with_sides(tested, sides))
    if condition.expr.type in (ERROR, NEVER):
        return condition.expr
    message: list[hir.Expr] = [hir.TextConst(f"expected {_source(tested)}", TEXT, tested.span)]
    for label, side in zip(("\n   left: ", "\n  right: "), sides):
        message += [hir.TextConst(label, TEXT, side.span), _shown(cx, side)]
    text = concat_texts(cx, message, node.span)
    cx.scope.narrowed |= condition.known_true
    fail = hir.Block([hir.Throw("AssertionError", text, node.span)], None, NEVER, node.span)
    check = hir.If(hir.Unary("not", condition.expr, node.span), fail, None, UNIT, node.span)
    return hir.Block([check, *condition.bindings], None, UNIT, node.span) if condition.bindings else check


def _sides(node: ast.Expr) -> list[ast.Node]:
    """Return both sides of a comparison: those that have an effect or cost as probes."""
    if not isinstance(node, ast.Compare) or len(node.ops) != 1:
        return []
    pair = [node.first, node.operands[0]]
    if any(isinstance(side, ast.NilLiteral) for side in pair):
        return [side if isinstance(side, (ast.Name, ast.NilLiteral)) else Probe(side) for side in pair]
    if all(map(adapts, pair)):
        return [Probe(side) for side in pair]
    return [side if adapts(side) or isinstance(side, ast.Range) else Probe(side) for side in pair]


def _with_sides(node: ast.Expr, sides: list[ast.Node]) -> ast.Expr:
    if not sides:
        return node
    assert isinstance(node, ast.Compare)
    return ast.Compare(node.span, sides[0], node.ops, [sides[1]])  # type: ignore[arg-type, list-item]


def _shown(cx: Context, side: ast.Node) -> hir.Expr:
    """Return the text form of a side, in the branch where the expectation failed."""
    if isinstance(side, Probe) and side.kept is not None:
        return text_of(cx, side.kept, side.span, quoted=True)
    if isinstance(side, ast.Name):
        return text_of(cx, expression(cx, side), side.span, quoted=True)
    return hir.TextConst(_source(side), TEXT, side.span)


def _source(node: ast.Node) -> str:
    return " ".join(node.span.text.split())
