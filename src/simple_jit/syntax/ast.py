r"""The syntax tree: what the parser makes and the type checker reads.

Only data. Nodes are plain classes with `__slots__` (a dataclass would cost start-up
time), are compared by identity and are never changed after parsing. Concrete nodes are
never subclassed; the unions at the end (`Expr`, `Stmt`, `Decl`, `Pattern`, `TypeExpr`)
are closed. What the grammar writes in several ways has one form here:

    val x = 1   /  let x = 1                 Binding
    if a: b elif c: d else: e                If with two branches and `otherwise`
    print x     /  print(x)                  Call
    Point { x: 1 }  /  Point(x: 1)           Call
    xs.each \x: …   /  xs.each: <block>       Call whose last argument is a Lambda
    xs.map(_1 * 2)                           Call of a Lambda with the parameter `_1`
    case P: / | P -> / P =>                  MatchArm
    use a.b / import a.b                     Use

`if`, `match` and `try` are expressions; as statements they stand in an `ExprStmt`. The
value of a `Block` is its last statement if that is an `ExprStmt`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal, TypeAlias

    from simple_jit.base.source import SourceFile, Span

    UnaryOp: TypeAlias = Literal["-", "+", "~", "not"]
    BinaryOp: TypeAlias = Literal["+", "-", "*", "/", "//", "%", "**", "&", "|", "^", "<<", ">>"]
    LogicalOp: TypeAlias = Literal["and", "or"]
    CompareOp: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">=", "in", "not in"]
    AssignOp: TypeAlias = BinaryOp | Literal["??"]
    SelfMode: TypeAlias = Literal["fn", "me", "static"]


class Node:
    """Base of all nodes: a span and reflection over the slots."""

    __slots__ = ("span",)
    span: Span

    def fields(self) -> Iterator[tuple[str, object]]:
        """Yield each field's name and value in declared order, the span left out."""
        for name in type(self).__slots__:
            yield name, getattr(self, name)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={_brief(value)}" for name, value in self.fields())
        return f"{type(self).__name__}({shown})"


def _brief(value: object) -> str:
    """Show a child in one word, so that `repr` of a large tree stays short."""
    if isinstance(value, Node):
        return f"<{type(value).__name__}>"
    if isinstance(value, list):
        return f"[{len(value)}]"
    return repr(value)


# --- Names and small parts ---------------------------------------------------------


class Ident(Node):
    """A name at a place where it is declared or selected: `x` in `val x`, `.x`, `x: 1`."""

    __slots__ = ("name",)

    def __init__(self, span: Span, name: str) -> None:
        self.span = span
        self.name = name


class Block(Node):
    """The body of a declaration, branch, loop or lambda, also when it is on one line.

    `doc` is the docstring's text with braces as written, or None.
    """

    __slots__ = ("doc", "statements")

    def __init__(self, span: Span, doc: str | None, statements: list[Stmt]) -> None:
        self.span = span
        self.doc = doc
        self.statements = statements


class Arg(Node):
    """An argument of a call: `v`, `name: v` / `name = v`, or `...v` (`spread`)."""

    __slots__ = ("name", "spread", "value")

    def __init__(self, span: Span, name: Ident | None, spread: bool, value: Expr) -> None:
        self.span = span
        self.name = name
        self.spread = spread
        self.value = value


class Param(Node):
    """A parameter. Without `type` it is generic; `self` is never listed."""

    __slots__ = ("name", "type", "default", "variadic", "mutable")

    def __init__(
        self,
        span: Span,
        name: Ident,
        type: TypeExpr | None,
        default: Expr | None,
        *,
        variadic: bool = False,
        mutable: bool = False,
    ) -> None:
        self.span = span
        self.name = name
        self.type = type
        self.default = default
        self.variadic = variadic
        self.mutable = mutable


class GenericParam(Node):
    """`T` or `T: Bound + Bound` in `<…>`."""

    __slots__ = ("name", "bounds")

    def __init__(self, span: Span, name: Ident, bounds: list[TypeExpr]) -> None:
        self.span = span
        self.name = name
        self.bounds = bounds


class WhereBound(Node):
    """`T: Bound + Bound` after `where`."""

    __slots__ = ("subject", "bounds")

    def __init__(self, span: Span, subject: TypeExpr, bounds: list[TypeExpr]) -> None:
        self.span = span
        self.subject = subject
        self.bounds = bounds


class Annotation(Node):
    """`@path` (`args` is None) or `@path(args)` before a declaration."""

    __slots__ = ("path", "args")

    def __init__(self, span: Span, path: list[Ident], args: list[Arg] | None) -> None:
        self.span = span
        self.path = path
        self.args = args


# --- Type expressions --------------------------------------------------------------


class NamedType(Node):
    """`i64`, `Dict<K, V>`, `module.Point`."""

    __slots__ = ("path", "args")

    def __init__(self, span: Span, path: list[Ident], args: list[TypeExpr]) -> None:
        self.span = span
        self.path = path
        self.args = args


class ArrayType(Node):
    """`[T]`, or `[T; N]` with the constant expression `length`."""

    __slots__ = ("element", "length")

    def __init__(self, span: Span, element: TypeExpr, length: Expr | None) -> None:
        self.span = span
        self.element = element
        self.length = length


class DictType(Node):
    """`{K: V}`."""

    __slots__ = ("key", "value")

    def __init__(self, span: Span, key: TypeExpr, value: TypeExpr) -> None:
        self.span = span
        self.key = key
        self.value = value


class SetType(Node):
    """`{T}`."""

    __slots__ = ("element",)

    def __init__(self, span: Span, element: TypeExpr) -> None:
        self.span = span
        self.element = element


class TupleType(Node):
    """`(A, B)`, `(A,)`; `()` is the unit type."""

    __slots__ = ("items",)

    def __init__(self, span: Span, items: list[TypeExpr]) -> None:
        self.span = span
        self.items = items


class OptionalType(Node):
    """`T?`."""

    __slots__ = ("inner",)

    def __init__(self, span: Span, inner: TypeExpr) -> None:
        self.span = span
        self.inner = inner


class FunctionType(Node):
    """`fn(A, B) -> R`; without an arrow `result` is None and means `()`."""

    __slots__ = ("params", "result")

    def __init__(self, span: Span, params: list[TypeExpr], result: TypeExpr | None) -> None:
        self.span = span
        self.params = params
        self.result = result


# --- Patterns ----------------------------------------------------------------------


class WildcardPattern(Node):
    """`_`."""

    __slots__ = ()

    def __init__(self, span: Span) -> None:
        self.span = span


class NamePattern(Node):
    """A lone name, `None` included. Whether it binds or compares is for the resolver."""

    __slots__ = ("name",)

    def __init__(self, span: Span, name: str) -> None:
        self.span = span
        self.name = name


class LiteralPattern(Node):
    """A number (a minus sign folded in), plain text, `true`, `false` or `nil`."""

    __slots__ = ("value",)

    def __init__(self, span: Span, value: LiteralExpr) -> None:
        self.span = span
        self.value = value


class RangePattern(Node):
    """`1..9` or `1..=9`; the ends are literals or (qualified) names of constants."""

    __slots__ = ("low", "high", "inclusive")

    def __init__(self, span: Span, low: Expr, high: Expr, inclusive: bool) -> None:
        self.span = span
        self.low = low
        self.high = high
        self.inclusive = inclusive


class TuplePattern(Node):
    """`(p, q)`, `(p,)`, `()`; at most one item is a `RestPattern`."""

    __slots__ = ("items",)

    def __init__(self, span: Span, items: list[Pattern]) -> None:
        self.span = span
        self.items = items


class ArrayPattern(Node):
    """`[p, q, ...rest]`; at most one item is a `RestPattern`."""

    __slots__ = ("items",)

    def __init__(self, span: Span, items: list[Pattern]) -> None:
        self.span = span
        self.items = items


class RestPattern(Node):
    """`...` or `...rest` inside an array or tuple pattern."""

    __slots__ = ("name",)

    def __init__(self, span: Span, name: Ident | None) -> None:
        self.span = span
        self.name = name


class PathPattern(Node):
    """`Enum.V` or `module.LIMIT` without a payload: two or more names."""

    __slots__ = ("path",)

    def __init__(self, span: Span, path: list[Ident]) -> None:
        self.span = span
        self.path = path


class CallPattern(Node):
    """`V(p)`, `Enum.V(p, q)`, `Some(p)`, `Point(x: px, y: 0)`."""

    __slots__ = ("path", "args")

    def __init__(self, span: Span, path: list[Ident], args: list[PatternArg]) -> None:
        self.span = span
        self.path = path
        self.args = args


class PatternArg(Node):
    """A payload or field inside a `CallPattern`; `...` is a `RestPattern`."""

    __slots__ = ("name", "pattern")

    def __init__(self, span: Span, name: Ident | None, pattern: Pattern) -> None:
        self.span = span
        self.name = name
        self.pattern = pattern


class StructPattern(Node):
    """`{x, y: p}` (empty `path`) or `Point {x, y: p}`.

    `{x}` holds the field `x` with the `NamePattern` x, which always binds.
    """

    __slots__ = ("path", "members")

    def __init__(self, span: Span, path: list[Ident], members: list[FieldPattern]) -> None:
        self.span = span
        self.path = path
        self.members = members


class FieldPattern(Node):
    """A field inside a `StructPattern`."""

    __slots__ = ("name", "pattern")

    def __init__(self, span: Span, name: Ident, pattern: Pattern) -> None:
        self.span = span
        self.name = name
        self.pattern = pattern


class OrPattern(Node):
    """`P | Q`, at least two."""

    __slots__ = ("options",)

    def __init__(self, span: Span, options: list[Pattern]) -> None:
        self.span = span
        self.options = options


class AtPattern(Node):
    """`name @ P`."""

    __slots__ = ("name", "pattern")

    def __init__(self, span: Span, name: Ident, pattern: Pattern) -> None:
        self.span = span
        self.name = name
        self.pattern = pattern


class TypedPattern(Node):
    """`P: T`, where P is a name or `_`."""

    __slots__ = ("pattern", "type")

    def __init__(self, span: Span, pattern: Pattern, type: TypeExpr) -> None:
        self.span = span
        self.pattern = pattern
        self.type = type


# --- Expressions: literals and names -----------------------------------------------


class IntLiteral(Node):
    """`42`, `0xFF`, `5u8`; `suffix` is the type's name. Only a pattern's is negative."""

    __slots__ = ("value", "suffix")

    def __init__(self, span: Span, value: int, suffix: str | None) -> None:
        self.span = span
        self.value = value
        self.suffix = suffix


class FloatLiteral(Node):
    """`3.14`, `1e-9`, `2.5f32`."""

    __slots__ = ("value", "suffix")

    def __init__(self, span: Span, value: float, suffix: str | None) -> None:
        self.span = span
        self.value = value
        self.suffix = suffix


class BoolLiteral(Node):
    __slots__ = ("value",)

    def __init__(self, span: Span, value: bool) -> None:
        self.span = span
        self.value = value


class NilLiteral(Node):
    __slots__ = ()

    def __init__(self, span: Span) -> None:
        self.span = span


class TextLiteral(Node):
    """Text without interpolation, escapes resolved."""

    __slots__ = ("value",)

    def __init__(self, span: Span, value: str) -> None:
        self.span = span
        self.value = value


class InterpolatedText(Node):
    """`"a {x} b"`: plain pieces and expressions in order; at least one expression."""

    __slots__ = ("parts",)

    def __init__(self, span: Span, parts: list[TextLiteral | Interpolation]) -> None:
        self.span = span
        self.parts = parts


class Interpolation(Node):
    """`{value}` or `{value:spec}` inside an `InterpolatedText`."""

    __slots__ = ("value", "spec")

    def __init__(self, span: Span, value: Expr, spec: str | None) -> None:
        self.span = span
        self.value = value
        self.spec = spec


class Name(Node):
    """A name used as a value; type names such as `i64` or `Point` too."""

    __slots__ = ("name",)

    def __init__(self, span: Span, name: str) -> None:
        self.span = span
        self.name = name


class SelfExpr(Node):
    """`self`."""

    __slots__ = ()

    def __init__(self, span: Span) -> None:
        self.span = span


# --- Expressions: collections ------------------------------------------------------


class UnitLiteral(Node):
    """`()`."""

    __slots__ = ()

    def __init__(self, span: Span) -> None:
        self.span = span


class TupleLiteral(Node):
    """`(a, b)`, `(a,)`, and a bare `a, b` where a statement allows it."""

    __slots__ = ("items",)

    def __init__(self, span: Span, items: list[Expr]) -> None:
        self.span = span
        self.items = items


class ArrayLiteral(Node):
    """`[a, ...b]`; also the type in `[T].with_len(n, v)`."""

    __slots__ = ("items",)

    def __init__(self, span: Span, items: list[Expr | Spread]) -> None:
        self.span = span
        self.items = items


class SetLiteral(Node):
    """`{a, ...b}`, never empty."""

    __slots__ = ("items",)

    def __init__(self, span: Span, items: list[Expr | Spread]) -> None:
        self.span = span
        self.items = items


class DictLiteral(Node):
    """`{k: v, **d}`; `{}` is the empty dict, or set where a set is expected."""

    __slots__ = ("entries",)

    def __init__(self, span: Span, entries: list[DictEntry | Spread]) -> None:
        self.span = span
        self.entries = entries


class DictEntry(Node):
    __slots__ = ("key", "value")

    def __init__(self, span: Span, key: Expr, value: Expr) -> None:
        self.span = span
        self.key = key
        self.value = value


class Spread(Node):
    """`...a`, `*a` or `**d` inside a collection literal."""

    __slots__ = ("value",)

    def __init__(self, span: Span, value: Expr) -> None:
        self.span = span
        self.value = value


class ArrayComprehension(Node):
    """`[e for x in xs if c]` or `[for x in xs if c: e]`; the first clause is a `for`."""

    __slots__ = ("element", "clauses")

    def __init__(self, span: Span, element: Expr, clauses: list[Clause]) -> None:
        self.span = span
        self.element = element
        self.clauses = clauses


class SetComprehension(Node):
    """`{e for x in xs}`."""

    __slots__ = ("element", "clauses")

    def __init__(self, span: Span, element: Expr, clauses: list[Clause]) -> None:
        self.span = span
        self.element = element
        self.clauses = clauses


class DictComprehension(Node):
    """`{k: v for x in xs}`."""

    __slots__ = ("key", "value", "clauses")

    def __init__(self, span: Span, key: Expr, value: Expr, clauses: list[Clause]) -> None:
        self.span = span
        self.key = key
        self.value = value
        self.clauses = clauses


class ForClause(Node):
    """`for x in xs` of a comprehension; several patterns for `for k, v in d`."""

    __slots__ = ("patterns", "iterable")

    def __init__(self, span: Span, patterns: list[Pattern], iterable: Expr) -> None:
        self.span = span
        self.patterns = patterns
        self.iterable = iterable


class IfClause(Node):
    """`if c` of a comprehension."""

    __slots__ = ("condition",)

    def __init__(self, span: Span, condition: Expr) -> None:
        self.span = span
        self.condition = condition


# --- Expressions: operators --------------------------------------------------------


class Unary(Node):
    __slots__ = ("op", "operand")

    def __init__(self, span: Span, op: UnaryOp, operand: Expr) -> None:
        self.span = span
        self.op = op
        self.operand = operand


class Binary(Node):
    """Arithmetic, bits and shifts; `xor` is `^`. `f >> g` composes functions.

    A chain `a + a + …` may be tens of thousands deep on the left: walk it in a loop.
    """

    __slots__ = ("op", "left", "right")

    def __init__(self, span: Span, op: BinaryOp, left: Expr, right: Expr) -> None:
        self.span = span
        self.op = op
        self.left = left
        self.right = right


class Logical(Node):
    """`a and b`, `a or b`; deep on the left like `Binary`."""

    __slots__ = ("op", "left", "right")

    def __init__(self, span: Span, op: LogicalOp, left: Expr, right: Expr) -> None:
        self.span = span
        self.op = op
        self.left = left
        self.right = right


class Compare(Node):
    """`first ops[0] operands[0] ops[1] operands[1] …`: each operand evaluated once."""

    __slots__ = ("first", "ops", "operands")

    def __init__(self, span: Span, first: Expr, ops: list[CompareOp], operands: list[Expr]) -> None:
        self.span = span
        self.first = first
        self.ops = ops
        self.operands = operands


class Coalesce(Node):
    """`a ?? b`."""

    __slots__ = ("left", "right")

    def __init__(self, span: Span, left: Expr, right: Expr) -> None:
        self.span = span
        self.left = left
        self.right = right


class Pipe(Node):
    """`x |> f`."""

    __slots__ = ("value", "function")

    def __init__(self, span: Span, value: Expr, function: Expr) -> None:
        self.span = span
        self.value = value
        self.function = function


class Range(Node):
    """`a..b`, `a..=b`."""

    __slots__ = ("start", "stop", "inclusive")

    def __init__(self, span: Span, start: Expr, stop: Expr, inclusive: bool) -> None:
        self.span = span
        self.start = start
        self.stop = stop
        self.inclusive = inclusive


class Cast(Node):
    """`value as T`."""

    __slots__ = ("value", "type")

    def __init__(self, span: Span, value: Expr, type: TypeExpr) -> None:
        self.span = span
        self.value = value
        self.type = type


class TypeTest(Node):
    """`value is T`, `value is not T`; `x is nil` is a `Compare` instead."""

    __slots__ = ("value", "type", "negated")

    def __init__(self, span: Span, value: Expr, type: TypeExpr, negated: bool) -> None:
        self.span = span
        self.value = value
        self.type = type
        self.negated = negated


class PatternTest(Node):
    """`val P = e` as a condition of `if`, `elif` or `while`.

    Stands alone or as an operand of the condition's top-level `and` (left-nested
    `Logical`), nowhere else; its names are visible in what follows and in the body.
    """

    __slots__ = ("pattern", "value", "mutable")

    def __init__(self, span: Span, pattern: Pattern, value: Expr, mutable: bool) -> None:
        self.span = span
        self.pattern = pattern
        self.value = value
        self.mutable = mutable


# --- Expressions: access and calls -------------------------------------------------


class Call(Node):
    """`callee(args)`, however written.

    If `callee` is a `Member` or `Index` with `nil_safe`, the whole call is nil-safe.
    """

    __slots__ = ("callee", "args")

    def __init__(self, span: Span, callee: Expr, args: list[Arg]) -> None:
        self.span = span
        self.callee = callee
        self.args = args


class TypeApply(Node):
    """`Set<T>` in `Set<T>()`, `first<i64>` in `first<i64>(xs)`."""

    __slots__ = ("value", "args")

    def __init__(self, span: Span, value: Expr, args: list[TypeExpr]) -> None:
        self.span = span
        self.value = value
        self.args = args


class Member(Node):
    """`value.name`, or `value?.name` when `nil_safe`."""

    __slots__ = ("value", "name", "nil_safe")

    def __init__(self, span: Span, value: Expr, name: Ident, nil_safe: bool) -> None:
        self.span = span
        self.value = value
        self.name = name
        self.nil_safe = nil_safe


class TupleElement(Node):
    """`value.0`, or `value?.0` when `nil_safe`."""

    __slots__ = ("value", "index", "nil_safe")

    def __init__(self, span: Span, value: Expr, index: int, nil_safe: bool) -> None:
        self.span = span
        self.value = value
        self.index = index
        self.nil_safe = nil_safe


class Index(Node):
    """`value[index]`, or `value?[index]` when `nil_safe`."""

    __slots__ = ("value", "index", "nil_safe")

    def __init__(self, span: Span, value: Expr, index: Expr, nil_safe: bool) -> None:
        self.span = span
        self.value = value
        self.index = index
        self.nil_safe = nil_safe


class Slice(Node):
    """`value[start:stop:step]`; each part may be missing."""

    __slots__ = ("value", "start", "stop", "step", "nil_safe")

    def __init__(
        self,
        span: Span,
        value: Expr,
        start: Expr | None,
        stop: Expr | None,
        step: Expr | None,
        nil_safe: bool,
    ) -> None:
        self.span = span
        self.value = value
        self.start = start
        self.stop = stop
        self.step = step
        self.nil_safe = nil_safe


class Unwrap(Node):
    """`x!`."""

    __slots__ = ("value",)

    def __init__(self, span: Span, value: Expr) -> None:
        self.span = span
        self.value = value


class Propagate(Node):
    """`e?`."""

    __slots__ = ("value",)

    def __init__(self, span: Span, value: Expr) -> None:
        self.span = span
        self.value = value


class HasValue(Node):
    """`x.?`."""

    __slots__ = ("value",)

    def __init__(self, span: Span, value: Expr) -> None:
        self.span = span
        self.value = value


# --- Expressions: functions and control flow ---------------------------------------


class Lambda(Node):
    r"""`\x: e`, `fn(x) -> T: e`, a trailing block, or a placeholder argument."""

    __slots__ = ("params", "result", "body")

    def __init__(self, span: Span, params: list[Param], result: TypeExpr | None, body: Block) -> None:
        self.span = span
        self.params = params
        self.result = result
        self.body = body


class If(Node):
    """`if … elif … else …`; at least one branch."""

    __slots__ = ("branches", "otherwise")

    def __init__(self, span: Span, branches: list[IfBranch], otherwise: Block | None) -> None:
        self.span = span
        self.branches = branches
        self.otherwise = otherwise


class IfBranch(Node):
    """One condition and its body; the condition may hold `PatternTest`s."""

    __slots__ = ("condition", "body")

    def __init__(self, span: Span, condition: Expr, body: Block) -> None:
        self.span = span
        self.condition = condition
        self.body = body


class Match(Node):
    __slots__ = ("subject", "arms")

    def __init__(self, span: Span, subject: Expr, arms: list[MatchArm]) -> None:
        self.span = span
        self.subject = subject
        self.arms = arms


class MatchArm(Node):
    __slots__ = ("pattern", "guard", "body")

    def __init__(self, span: Span, pattern: Pattern, guard: Expr | None, body: Block) -> None:
        self.span = span
        self.pattern = pattern
        self.guard = guard
        self.body = body


class Try(Node):
    """`try: … catch name: … finally: …`; `handler` and `finalizer` are not both None."""

    __slots__ = ("body", "name", "handler", "finalizer")

    def __init__(
        self,
        span: Span,
        body: Block,
        name: Ident | None,
        handler: Block | None,
        finalizer: Block | None,
    ) -> None:
        self.span = span
        self.body = body
        self.name = name
        self.handler = handler
        self.finalizer = finalizer


class ErrorExpr(Node):
    """Stands where an expression could not be parsed; its error has been reported."""

    __slots__ = ()

    def __init__(self, span: Span) -> None:
        self.span = span


# --- Statements --------------------------------------------------------------------


class ExprStmt(Node):
    """An expression as a statement; a bare name may be a call (`print`, `skip`)."""

    __slots__ = ("value",)

    def __init__(self, span: Span, value: Expr) -> None:
        self.span = span
        self.value = value


class Assign(Node):
    """`target = value`, or `target op= value` with `op`.

    The target is a `Name`, `Member`, `Index` or `TupleElement`, without `op` also a
    `TupleLiteral` of targets. `a, b = b, a` has a `TupleLiteral` on both sides.
    """

    __slots__ = ("target", "op", "value")

    def __init__(self, span: Span, target: Expr, op: AssignOp | None, value: Expr) -> None:
        self.span = span
        self.target = target
        self.op = op
        self.value = value


class Return(Node):
    __slots__ = ("value",)

    def __init__(self, span: Span, value: Expr | None) -> None:
        self.span = span
        self.value = value


class Break(Node):
    """`break`, `break 'outer`; the label's name is without the quote."""

    __slots__ = ("label",)

    def __init__(self, span: Span, label: Ident | None) -> None:
        self.span = span
        self.label = label


class Continue(Node):
    __slots__ = ("label",)

    def __init__(self, span: Span, label: Ident | None) -> None:
        self.span = span
        self.label = label


class Pass(Node):
    __slots__ = ()

    def __init__(self, span: Span) -> None:
        self.span = span


class Throw(Node):
    __slots__ = ("value",)

    def __init__(self, span: Span, value: Expr) -> None:
        self.span = span
        self.value = value


class While(Node):
    """`while c:`; the condition may hold `PatternTest`s."""

    __slots__ = ("label", "condition", "body")

    def __init__(self, span: Span, label: Ident | None, condition: Expr, body: Block) -> None:
        self.span = span
        self.label = label
        self.condition = condition
        self.body = body


class Loop(Node):
    __slots__ = ("label", "body")

    def __init__(self, span: Span, label: Ident | None, body: Block) -> None:
        self.span = span
        self.label = label
        self.body = body


class For(Node):
    """`for x in xs:`; `for k, v in d:` has two patterns, `for (a, b) in xs:` has one."""

    __slots__ = ("label", "patterns", "iterable", "body")

    def __init__(
        self,
        span: Span,
        label: Ident | None,
        patterns: list[Pattern],
        iterable: Expr,
        body: Block,
    ) -> None:
        self.span = span
        self.label = label
        self.patterns = patterns
        self.iterable = iterable
        self.body = body


class Defer(Node):
    """`defer stmt` or `defer:` with a block."""

    __slots__ = ("body",)

    def __init__(self, span: Span, body: Block) -> None:
        self.span = span
        self.body = body


class With(Node):
    """`with value as name:`; `name` may be missing."""

    __slots__ = ("value", "name", "body")

    def __init__(self, span: Span, value: Expr, name: Ident | None, body: Block) -> None:
        self.span = span
        self.value = value
        self.name = name
        self.body = body


# --- Declarations ------------------------------------------------------------------


class Binding(Node):
    """`val P: T = e`, `var …`, `let …`, `let mut …`; `keyword` is `val`, `var` or `let`."""

    __slots__ = ("keyword", "mutable", "pattern", "type", "value", "annotations", "public")

    def __init__(
        self,
        span: Span,
        keyword: str,
        mutable: bool,
        pattern: Pattern,
        type: TypeExpr | None,
        value: Expr,
        annotations: list[Annotation],
        public: bool,
    ) -> None:
        self.span = span
        self.keyword = keyword
        self.mutable = mutable
        self.pattern = pattern
        self.type = type
        self.value = value
        self.annotations = annotations
        self.public = public


class ConstDecl(Node):
    """`const NAME: T = e`."""

    __slots__ = ("name", "type", "value", "annotations", "public")

    def __init__(
        self,
        span: Span,
        name: Ident,
        type: TypeExpr | None,
        value: Expr,
        annotations: list[Annotation],
        public: bool,
    ) -> None:
        self.span = span
        self.name = name
        self.type = type
        self.value = value
        self.annotations = annotations
        self.public = public


class FunctionDecl(Node):
    """A function or method; `body` is None only for a trait's bare signature.

    `mode` is `fn`, `me` or `static`; outside a type it is always `fn`.
    """

    __slots__ = (
        "mode",
        "name",
        "generics",
        "params",
        "result",
        "where",
        "body",
        "annotations",
        "public",
    )

    def __init__(
        self,
        span: Span,
        mode: SelfMode,
        name: Ident,
        generics: list[GenericParam],
        params: list[Param],
        result: TypeExpr | None,
        where: list[WhereBound],
        body: Block | None,
        annotations: list[Annotation],
        public: bool,
    ) -> None:
        self.span = span
        self.mode = mode
        self.name = name
        self.generics = generics
        self.params = params
        self.result = result
        self.where = where
        self.body = body
        self.annotations = annotations
        self.public = public


class ExternFn(Node):
    """`extern fn name(params) -> result`, `extern "lib.so" fn …`."""

    __slots__ = ("library", "name", "params", "result", "annotations", "public")

    def __init__(
        self,
        span: Span,
        library: str | None,
        name: Ident,
        params: list[Param],
        result: TypeExpr | None,
        annotations: list[Annotation],
        public: bool,
    ) -> None:
        self.span = span
        self.library = library
        self.name = name
        self.params = params
        self.result = result
        self.annotations = annotations
        self.public = public


class FieldDecl(Node):
    """A field of a struct or class: `name: type = default`."""

    __slots__ = ("name", "type", "default", "annotations", "public")

    def __init__(
        self,
        span: Span,
        name: Ident,
        type: TypeExpr,
        default: Expr | None,
        annotations: list[Annotation],
        public: bool,
    ) -> None:
        self.span = span
        self.name = name
        self.type = type
        self.default = default
        self.annotations = annotations
        self.public = public


class RecordDecl(Node):
    """`struct Name<T>:` or `class Name<T>:`, told apart by `kind`."""

    __slots__ = (
        "kind",
        "name",
        "generics",
        "where",
        "doc",
        "members",
        "methods",
        "annotations",
        "public",
    )

    def __init__(
        self,
        span: Span,
        kind: Literal["struct", "class"],
        name: Ident,
        generics: list[GenericParam],
        where: list[WhereBound],
        doc: str | None,
        members: list[FieldDecl],
        methods: list[FunctionDecl],
        annotations: list[Annotation],
        public: bool,
    ) -> None:
        self.span = span
        self.kind = kind
        self.name = name
        self.generics = generics
        self.where = where
        self.doc = doc
        self.members = members
        self.methods = methods
        self.annotations = annotations
        self.public = public


class EnumDecl(Node):
    __slots__ = ("name", "generics", "where", "doc", "variants", "methods", "annotations", "public")

    def __init__(
        self,
        span: Span,
        name: Ident,
        generics: list[GenericParam],
        where: list[WhereBound],
        doc: str | None,
        variants: list[VariantDecl],
        methods: list[FunctionDecl],
        annotations: list[Annotation],
        public: bool,
    ) -> None:
        self.span = span
        self.name = name
        self.generics = generics
        self.where = where
        self.doc = doc
        self.variants = variants
        self.methods = methods
        self.annotations = annotations
        self.public = public


class VariantDecl(Node):
    """`A`, `B(i64, text)`, `C(name: type)` or `A = 1`."""

    __slots__ = ("name", "payload", "value")

    def __init__(self, span: Span, name: Ident, payload: list[PayloadDecl], value: Expr | None) -> None:
        self.span = span
        self.name = name
        self.payload = payload
        self.value = value


class PayloadDecl(Node):
    """One item of a variant's payload."""

    __slots__ = ("name", "type")

    def __init__(self, span: Span, name: Ident | None, type: TypeExpr) -> None:
        self.span = span
        self.name = name
        self.type = type


class ImplDecl(Node):
    """`impl<T> Target:` or `impl Trait for Target:`."""

    __slots__ = ("generics", "trait", "target", "where", "doc", "methods", "annotations")

    def __init__(
        self,
        span: Span,
        generics: list[GenericParam],
        trait: TypeExpr | None,
        target: TypeExpr,
        where: list[WhereBound],
        doc: str | None,
        methods: list[FunctionDecl],
        annotations: list[Annotation],
    ) -> None:
        self.span = span
        self.generics = generics
        self.trait = trait
        self.target = target
        self.where = where
        self.doc = doc
        self.methods = methods
        self.annotations = annotations


class TraitDecl(Node):
    """`trait Name<T>:` with signatures (`body` None) and default methods."""

    __slots__ = ("name", "generics", "where", "doc", "methods", "annotations", "public")

    def __init__(
        self,
        span: Span,
        name: Ident,
        generics: list[GenericParam],
        where: list[WhereBound],
        doc: str | None,
        methods: list[FunctionDecl],
        annotations: list[Annotation],
        public: bool,
    ) -> None:
        self.span = span
        self.name = name
        self.generics = generics
        self.where = where
        self.doc = doc
        self.methods = methods
        self.annotations = annotations
        self.public = public


class AliasDecl(Node):
    """`type Name<T> = target`."""

    __slots__ = ("name", "generics", "target", "annotations", "public")

    def __init__(
        self,
        span: Span,
        name: Ident,
        generics: list[GenericParam],
        target: TypeExpr,
        annotations: list[Annotation],
        public: bool,
    ) -> None:
        self.span = span
        self.name = name
        self.generics = generics
        self.target = target
        self.annotations = annotations
        self.public = public


class Use(Node):
    """`use a.b`, `use a.b as c`, `use a.b.*` (`star`), `use a.b.{x, y as z}` (`names`)."""

    __slots__ = ("path", "alias", "star", "names", "public")

    def __init__(
        self,
        span: Span,
        path: list[Ident],
        alias: Ident | None,
        star: bool,
        names: list[UseName] | None,
        public: bool,
    ) -> None:
        self.span = span
        self.path = path
        self.alias = alias
        self.star = star
        self.names = names
        self.public = public


class UseName(Node):
    """`x` or `x as y` inside the braces of a `Use`."""

    __slots__ = ("name", "alias")

    def __init__(self, span: Span, name: Ident, alias: Ident | None) -> None:
        self.span = span
        self.name = name
        self.alias = alias


class Export(Node):
    """`export x, y`."""

    __slots__ = ("names",)

    def __init__(self, span: Span, names: list[Ident]) -> None:
        self.span = span
        self.names = names


class Module(Node):
    """A whole file."""

    __slots__ = ("doc", "statements")

    def __init__(self, span: Span, doc: str | None, statements: list[Stmt]) -> None:
        self.span = span
        self.doc = doc
        self.statements = statements

    @property
    def file(self) -> SourceFile:
        return self.span.file


# --- The closed unions -------------------------------------------------------------

if TYPE_CHECKING:
    TypeExpr: TypeAlias = NamedType | ArrayType | DictType | SetType | TupleType | OptionalType | FunctionType

    LiteralExpr: TypeAlias = IntLiteral | FloatLiteral | BoolLiteral | NilLiteral | TextLiteral

    Pattern: TypeAlias = (
        WildcardPattern
        | NamePattern
        | LiteralPattern
        | RangePattern
        | TuplePattern
        | ArrayPattern
        | RestPattern
        | PathPattern
        | CallPattern
        | StructPattern
        | OrPattern
        | AtPattern
        | TypedPattern
    )

    Clause: TypeAlias = ForClause | IfClause

    Expr: TypeAlias = (
        IntLiteral
        | FloatLiteral
        | BoolLiteral
        | NilLiteral
        | TextLiteral
        | InterpolatedText
        | Name
        | SelfExpr
        | UnitLiteral
        | TupleLiteral
        | ArrayLiteral
        | SetLiteral
        | DictLiteral
        | ArrayComprehension
        | SetComprehension
        | DictComprehension
        | Unary
        | Binary
        | Logical
        | Compare
        | Coalesce
        | Pipe
        | Range
        | Cast
        | TypeTest
        | PatternTest
        | Call
        | TypeApply
        | Member
        | TupleElement
        | Index
        | Slice
        | Unwrap
        | Propagate
        | HasValue
        | Lambda
        | If
        | Match
        | Try
        | ErrorExpr
    )

    Decl: TypeAlias = (
        Binding
        | ConstDecl
        | FunctionDecl
        | ExternFn
        | RecordDecl
        | EnumDecl
        | ImplDecl
        | TraitDecl
        | AliasDecl
        | Use
        | Export
    )

    Stmt: TypeAlias = (
        ExprStmt
        | Assign
        | Return
        | Break
        | Continue
        | Pass
        | Throw
        | While
        | Loop
        | For
        | Defer
        | With
        | Decl
    )
