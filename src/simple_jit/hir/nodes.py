"""The typed tree of one function instance.

Data only. Every expression has a concrete `type` and a `span`; statements are expressions of type
`UNIT`. Names, overloads, defaults, named arguments, generics, operators on non-scalars, interpolation
and printing are gone: the checker has turned them into locals, calls and the nodes below.

Values, as the tree-walking interpreter holds them:

    integers, enums without payload   int, in the range of the type
    f32, f64                          float (f32: already rounded)
    bool                              bool
    text, array, struct, class        int, the address of the heap object
    T? of one of those four           int, 0 is nil
    T? of anything else               None or the value
    enum with payload, flat           tuple: the variant's position, then its fields
    enum with payload, boxed          int, the address of the heap object
    function value                    int, the address of the closure
    any, value of a trait             tuple: the number of the type's descriptor, the word (mir/layout.py)
    tuple                             tuple
    unit                              None
"""

from __future__ import annotations

from simple_jit.base.source import SourceFile, Span
from simple_jit.hir.types import BOOL, NEVER, UNIT, FloatType, StructType, Type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Literal, Protocol, TypeAlias

    class Finder(Protocol):
        """What finds functions of a checked program by name."""

        def find(self, name: str, types: Sequence[Type] | None = None) -> Function | None:
            """Return an instance, None where there is no such function."""

        def names(self) -> list[str]:
            """Return the names of the functions that the main module declares, in order."""

        def dynamic_types(self) -> Iterable[Type]:
            """Return the types of which the program has values in `any` or of traits."""

        def text_dict(self) -> StructType:
            """Return `{text: any}`."""


UnaryOp: TypeAlias = "Literal['neg', 'not', 'bitnot']"
BinaryOp: TypeAlias = """
Literal['add', 'sub', 'mul', 'div', 'rem', 'floordiv', 'and', 'or', 'xor', 'shl', 'shr']
"""
CompareOp: TypeAlias = "Literal['eq', 'ne', 'lt', 'le', 'gt', 'ge']"
ErrorKind: TypeAlias = """
Literal[
    'IndexError',
    'KeyError',
    'NilError',
    'DivisionByZero',
    'TypeError',
    'ConversionError',
    'AssertionError',
    'ChangedDuringIteration',
    'IoError',
    'Panic',
    'Thrown',
    'StackOverflow',
    'OutOfMemory',
    'Overflow',
]
"""


class Local:
    """A local variable or parameter; `index` is its position in `Function.locals`."""

    __slots__ = ("index", "name", "type")

    def __init__(self, index: int, name: str, type: Type) -> None:
        self.index = index
        self.name = name
        self.type = type


class Global:
    """A module-level variable. `slot` is the first of its 8-byte cells in the context, one a component."""

    __slots__ = ("name", "slot", "type")

    def __init__(self, name: str, type: Type, slot: int) -> None:
        self.name = name
        self.type = type
        self.slot = slot


class Extern:
    """A function that is not written in Simple: an `rt_` one, one of Python, or a C symbol.

    `python`: Python is behind it, which takes and gives values as they are. `traits` are the annotations of a
    C function: `errno`, `blocking`, `variadic`.
    """

    __slots__ = ("library", "name", "params", "python", "ret", "span", "traits")

    def __init__(
        self,
        name: str,
        params: tuple[Type, ...],
        ret: Type,
        library: str | None,
        python: bool,
        span: Span,
        traits: frozenset[str] = frozenset(),
    ) -> None:
        self.name = name
        self.params = params
        self.ret = ret
        self.library = library
        self.python = python
        self.span = span
        self.traits = traits

    @property
    def symbol(self) -> str:
        """What MIR calls it: `name`, `name@library`, `name@python`; `name...` where floats go to `...`."""
        if self.python and not self.name.startswith("rt_"):
            return f"{self.name}@python"
        floats = any(isinstance(type, FloatType) for type in self.params)
        name = f"{self.name}..." if floats and "variadic" in self.traits else self.name
        return name if self.library is None else f"{name}@{self.library}"


class Function:
    """A function instance: a function with the types of its arguments.

    `symbol` is unique in the program and stable between runs (`main.fib(i64)`), `name` is what a person
    calls it (`fib`). The first `param_count` locals are the parameters. `body` is None until the
    instance has been checked; `ensure_body()` checks it on demand (errors raise CompileError).

    `track_caller`: a failing check in the body is reported at the place of the call, not in the body
    (functions of the core library; after Rust's attribute of that name). `is_written`: somebody has written
    it; the calls of those that the checker makes itself are left out of tracebacks.
    """

    __slots__ = (
        "annotations",
        "body",
        "check",
        "is_written",
        "locals",
        "module",
        "name",
        "param_count",
        "ret",
        "source",
        "span",
        "symbol",
        "track_caller",
    )

    def __init__(self, symbol: str, name: str, module: str, source: SourceFile, span: Span) -> None:
        self.symbol = symbol
        self.name = name
        self.module = module
        self.source = source
        self.span = span
        self.locals: list[Local] = []
        self.param_count = 0
        self.ret: Type = UNIT
        self.body: Expr | None = None
        self.annotations: frozenset[str] = frozenset()
        self.track_caller = False
        self.is_written = True
        self.check: Callable[[], None] | None = None

    @property
    def params(self) -> list[Local]:
        return self.locals[: self.param_count]

    def ensure_body(self) -> Expr:
        """Return the body, checking the instance first where that has not happened yet."""
        if self.body is None:
            assert self.check is not None
            self.check()
        assert self.body is not None
        return self.body


class Program:
    """What the front end hands on: the instances to run, in order, and what they may reach.

    `start` runs the top-level statements of all modules in import order and then `main`, and returns
    the exit status (an i64): `main(args: [text])` gets its arguments from the function's one
    parameter, always `[text]`. `functions` grows as library instances first run; `finder` makes
    instances for calls from outside.
    """

    __slots__ = ("finder", "functions", "globals", "start")

    def __init__(
        self,
        start: Function,
        functions: dict[str, Function],
        globals: list[Global],
        finder: Finder | None = None,
    ) -> None:
        self.start = start
        self.functions = functions
        self.globals = globals
        self.finder = finder

    def find(self, name: str, types: Sequence[Type] | None = None) -> Function | None:
        """Return the instance of `fib` or `module.fib` for argument types (see `hir.check.Finder`)."""
        return self.finder.find(name, types) if self.finder is not None else None


class Expr:
    """A typed expression."""

    __slots__ = ("span", "type")

    def __init__(self, type: Type, span: Span) -> None:
        self.type = type
        self.span = span


class Const(Expr):
    """An integer, float or bool; None is unit; of an enum type without payload: the variant's value."""

    __slots__ = ("value",)

    def __init__(self, value: int | float | bool | None, type: Type, span: Span) -> None:
        super().__init__(type, span)
        self.value = value


class Nil(Expr):
    """`nil` of the optional type `type`."""

    __slots__ = ()


class TextConst(Expr):
    """A text literal. Lone surrogates cannot occur."""

    __slots__ = ("value",)

    def __init__(self, value: str, type: Type, span: Span) -> None:
        super().__init__(type, span)
        self.value = value


class LocalGet(Expr):
    __slots__ = ("local",)

    def __init__(self, local: Local, span: Span) -> None:
        super().__init__(local.type, span)
        self.local = local


class LocalSet(Expr):
    """Assign or initialise a local."""

    __slots__ = ("local", "value")

    def __init__(self, local: Local, value: Expr, span: Span) -> None:
        super().__init__(UNIT, span)
        self.local = local
        self.value = value


class GlobalGet(Expr):
    __slots__ = ("cell",)

    def __init__(self, cell: Global, span: Span) -> None:
        super().__init__(cell.type, span)
        self.cell = cell


class GlobalSet(Expr):
    __slots__ = ("cell", "value")

    def __init__(self, cell: Global, value: Expr, span: Span) -> None:
        super().__init__(UNIT, span)
        self.cell = cell
        self.value = value


class Unary(Expr):
    """`neg` of a number, `bitnot` of an integer, `not` of a bool. `checked`: overflow is an error."""

    __slots__ = ("checked", "op", "operand")

    def __init__(self, op: UnaryOp, operand: Expr, span: Span, checked: bool = False) -> None:
        super().__init__(operand.type, span)
        self.op = op
        self.operand = operand
        self.checked = checked


class Binary(Expr):
    """Arithmetic on two scalars of one type (a shift's count is an i64).

    Integers wrap; with `checked`, overflow of add, sub and mul is an `Overflow` error. `div`, `rem` and
    `floordiv` of integers fail with `DivisionByZero`; the least integer by -1 gives itself, remainder
    0. Float `rem` is `fmod`, float `floordiv` is `floor(a / b)`. Shifts mask the count.
    """

    __slots__ = ("checked", "lhs", "op", "rhs")

    def __init__(self, op: BinaryOp, lhs: Expr, rhs: Expr, span: Span, checked: bool = False) -> None:
        super().__init__(lhs.type, span)
        self.op = op
        self.lhs = lhs
        self.rhs = rhs
        self.checked = checked


class Compare(Expr):
    """Comparison of two scalars of one type; `eq` and `ne` also of two references, by identity."""

    __slots__ = ("lhs", "op", "rhs")

    def __init__(self, op: CompareOp, lhs: Expr, rhs: Expr, span: Span) -> None:
        super().__init__(BOOL, span)
        self.op = op
        self.lhs = lhs
        self.rhs = rhs


class And(Expr):
    """`lhs and rhs`, evaluating `rhs` only where `lhs` is true."""

    __slots__ = ("lhs", "rhs")

    def __init__(self, lhs: Expr, rhs: Expr, span: Span) -> None:
        super().__init__(BOOL, span)
        self.lhs = lhs
        self.rhs = rhs


class Or(Expr):
    """`lhs or rhs`, evaluating `rhs` only where `lhs` is false."""

    __slots__ = ("lhs", "rhs")

    def __init__(self, lhs: Expr, rhs: Expr, span: Span) -> None:
        super().__init__(BOOL, span)
        self.lhs = lhs
        self.rhs = rhs


class Block(Expr):
    """Statements in order, then `result` (unit where it is None, unless the type is NEVER)."""

    __slots__ = ("result", "stmts")

    def __init__(self, stmts: list[Expr], result: Expr | None, type: Type, span: Span) -> None:
        super().__init__(type, span)
        self.stmts = stmts
        self.result = result


class If(Expr):
    """A branch whose type is not NEVER has the type of the `If`; without `orelse` that is UNIT."""

    __slots__ = ("cond", "orelse", "then")

    def __init__(self, cond: Expr, then: Expr, orelse: Expr | None, type: Type, span: Span) -> None:
        super().__init__(type, span)
        self.cond = cond
        self.then = then
        self.orelse = orelse


class LoopTarget:
    """What `break` and `continue` name. `index` is unique in the function."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index


class Loop(Expr):
    """`while cond: body; step` (no `cond`: forever). `continue` goes to `step`.

    Its type is UNIT, or NEVER where nothing breaks out of a loop without `cond`.
    """

    __slots__ = ("body", "cond", "step", "target")

    def __init__(
        self,
        target: LoopTarget,
        cond: Expr | None,
        body: Expr,
        step: Expr | None,
        type: Type,
        span: Span,
    ) -> None:
        super().__init__(type, span)
        self.target = target
        self.cond = cond
        self.body = body
        self.step = step


class ForRange(Expr):
    """A counted loop: `var` takes start, start + step, … before (`inclusive`: up to) stop.

    All three have the type of `var`, an integer, and are evaluated once, in order. `step` is a Const
    other than 0, or an expression that the checker has made sure cannot be 0; a negative one counts
    down. The count never wraps: a range that ends at the greatest value ends. The body does not
    assign `var`.
    """

    __slots__ = ("body", "inclusive", "start", "step", "stop", "target", "var")

    def __init__(
        self,
        target: LoopTarget,
        var: Local,
        start: Expr,
        stop: Expr,
        step: Expr,
        inclusive: bool,
        body: Expr,
        span: Span,
    ) -> None:
        super().__init__(UNIT, span)
        self.target = target
        self.var = var
        self.start = start
        self.stop = stop
        self.step = step
        self.inclusive = inclusive
        self.body = body


class Break(Expr):
    __slots__ = ("target",)

    def __init__(self, target: LoopTarget, span: Span) -> None:
        super().__init__(NEVER, span)
        self.target = target


class Continue(Expr):
    __slots__ = ("target",)

    def __init__(self, target: LoopTarget, span: Span) -> None:
        super().__init__(NEVER, span)
        self.target = target


class Return(Expr):
    """Leave the function with `value` (None: unit)."""

    __slots__ = ("value",)

    def __init__(self, value: Expr | None, span: Span) -> None:
        super().__init__(NEVER, span)
        self.value = value


class Call(Expr):
    """Call an instance; arguments are in the order of its parameters and are evaluated in that order."""

    __slots__ = ("args", "callee")

    def __init__(self, callee: Function, args: list[Expr], type: Type, span: Span) -> None:
        super().__init__(type, span)
        self.callee = callee
        self.args = args


class CallExtern(Expr):
    """Call a foreign function.

    Text arguments pass the address of their NUL-terminated bytes, arrays that of their data.
    """

    __slots__ = ("args", "extern")

    def __init__(self, extern: Extern, args: list[Expr], span: Span) -> None:
        super().__init__(extern.ret, span)
        self.extern = extern
        self.args = args


class Intrinsic(Expr):
    """An operation of the table in `hir.intrinsics`; `type_arg` where that operation takes a type."""

    __slots__ = ("args", "op", "type_arg")

    def __init__(self, op: str, args: list[Expr], type_arg: Type | None, type: Type, span: Span) -> None:
        super().__init__(type, span)
        self.op = op
        self.args = args
        self.type_arg = type_arg


class TupleNew(Expr):
    __slots__ = ("items",)

    def __init__(self, items: list[Expr], type: Type, span: Span) -> None:
        super().__init__(type, span)
        self.items = items


class TupleGet(Expr):
    __slots__ = ("index", "value")

    def __init__(self, value: Expr, index: int, type: Type, span: Span) -> None:
        super().__init__(type, span)
        self.value = value
        self.index = index


class Some(Expr):
    """A value seen as an optional."""

    __slots__ = ("value",)

    def __init__(self, value: Expr, type: Type, span: Span) -> None:
        super().__init__(type, span)
        self.value = value


class IsSome(Expr):
    """Is an optional other than nil?"""

    __slots__ = ("value",)

    def __init__(self, value: Expr, span: Span) -> None:
        super().__init__(BOOL, span)
        self.value = value


class Unwrap(Expr):
    """The value in an optional; nil is a `NilError`, unless `checked` is false (already tested)."""

    __slots__ = ("checked", "value")

    def __init__(self, value: Expr, type: Type, span: Span, checked: bool = True) -> None:
        super().__init__(type, span)
        self.value = value
        self.checked = checked


class New(Expr):
    """Allocate a struct or class; `values` in field order, evaluated in that order, then stored."""

    __slots__ = ("struct", "values")

    def __init__(self, struct: StructType, values: list[Expr], span: Span) -> None:
        super().__init__(struct, span)
        self.struct = struct
        self.values = values


class FieldGet(Expr):
    __slots__ = ("index", "object")

    def __init__(self, object: Expr, index: int, type: Type, span: Span) -> None:
        super().__init__(type, span)
        self.object = object
        self.index = index


class FieldSet(Expr):
    """Evaluate `object`, then `value`, then store."""

    __slots__ = ("index", "object", "value")

    def __init__(self, object: Expr, index: int, value: Expr, span: Span) -> None:
        super().__init__(UNIT, span)
        self.object = object
        self.index = index
        self.value = value


class ArrayNew(Expr):
    """An array literal: capacity and length are the number of `items`."""

    __slots__ = ("items",)

    def __init__(self, items: list[Expr], type: Type, span: Span) -> None:
        super().__init__(type, span)
        self.items = items


class ArrayLen(Expr):
    """The length of an array, an i64."""

    __slots__ = ("array",)

    def __init__(self, array: Expr, type: Type, span: Span) -> None:
        super().__init__(type, span)
        self.array = array


class ArrayGet(Expr):
    """`array[index]`; a negative (i64) index counts from the end, out of range is an `IndexError`."""

    __slots__ = ("array", "index")

    def __init__(self, array: Expr, index: Expr, type: Type, span: Span) -> None:
        super().__init__(type, span)
        self.array = array
        self.index = index


class ArraySet(Expr):
    """`array[index] = value`: evaluate all three in order, then check the index, then store."""

    __slots__ = ("array", "index", "value")

    def __init__(self, array: Expr, index: Expr, value: Expr, span: Span) -> None:
        super().__init__(UNIT, span)
        self.array = array
        self.index = index
        self.value = value


class Convert(Expr):
    """A number (or bool, or enum value) as another numeric type.

    Integers wrap, floats to integers truncate and saturate with NaN giving 0, bool gives 0 or 1.
    """

    __slots__ = ("value",)

    def __init__(self, value: Expr, type: Type, span: Span) -> None:
        super().__init__(type, span)
        self.value = value


class Throw(Expr):
    """Fail with an error of `kind`; `message` is a text."""

    __slots__ = ("kind", "message")

    def __init__(self, kind: ErrorKind, message: Expr, span: Span) -> None:
        super().__init__(NEVER, span)
        self.kind = kind
        self.message = message


class EnumNew(Expr):
    """A value of an enum with payload: the variant's position, and its fields in order."""

    __slots__ = ("values", "variant")

    def __init__(self, variant: int, values: list[Expr], type: Type, span: Span) -> None:
        super().__init__(type, span)
        self.variant = variant
        self.values = values


class EnumTag(Expr):
    """The position, an i64, of the variant of an enum with payload."""

    __slots__ = ("value",)

    def __init__(self, value: Expr, type: Type, span: Span) -> None:
        super().__init__(type, span)
        self.value = value


class EnumGet(Expr):
    """A field of a variant, which the value is known to be."""

    __slots__ = ("field", "value", "variant")

    def __init__(self, value: Expr, variant: int, field: int, type: Type, span: Span) -> None:
        super().__init__(type, span)
        self.value = value
        self.variant = variant
        self.field = field


class Switch(Expr):
    """The branch whose numbers contain `value` (an i64), else `default`; typed like an `If`.

    `numbers[i]` belongs to `branches[i]`; no number stands twice. Without a default one of them matches.
    """

    __slots__ = ("branches", "default", "numbers", "value")

    def __init__(
        self,
        value: Expr,
        numbers: list[list[int]],
        branches: list[Expr],
        default: Expr | None,
        type: Type,
        span: Span,
    ) -> None:
        super().__init__(type, span)
        self.value = value
        self.numbers = numbers
        self.branches = branches
        self.default = default


class ClosureNew(Expr):
    """A function value. Its object is an instance of `env`, whose first field, an i64, says which code
    it runs; the others are `captures`, in order. The last parameter of `function` is the object itself.
    """

    __slots__ = ("captures", "env", "function")

    def __init__(
        self, function: Function, env: StructType, captures: list[Expr], type: Type, span: Span
    ) -> None:
        super().__init__(type, span)
        self.function = function
        self.env = env
        self.captures = captures


class CallValue(Expr):
    """Call a function value."""

    __slots__ = ("args", "callee")

    def __init__(self, callee: Expr, args: list[Expr], type: Type, span: Span) -> None:
        super().__init__(type, span)
        self.callee = callee
        self.args = args


class AnyNew(Expr):
    """A value with its type: of type `any` or of a trait. The value is not an optional.

    One that is of `any` or of a trait already keeps the type that it has.
    """

    __slots__ = ("value",)

    def __init__(self, value: Expr, type: Type, span: Span) -> None:
        super().__init__(type, span)
        self.value = value


class AnyIs(Expr):
    """Is an `any` (or a value of a trait) of the type `wanted`? UNIT stands for nil."""

    __slots__ = ("value", "wanted")

    def __init__(self, value: Expr, wanted: Type, span: Span) -> None:
        super().__init__(BOOL, span)
        self.value = value
        self.wanted = wanted


class AnyGet(Expr):
    """The value in an `any` (or a value of a trait) that is known to have the type of this node."""

    __slots__ = ("value",)

    def __init__(self, value: Expr, type: Type, span: Span) -> None:
        super().__init__(type, span)
        self.value = value


class Protected(Expr):
    """Call `closure`, a function value without parameters that returns an i64 of 0 or more.

    The result, an i64, is that; or -1 where an error left the call. The error is then the one that
    `rt_error_take` takes; with `keeps_way`, `rt_error_keep` can tell where it came through.
    """

    __slots__ = ("closure", "keeps_way")

    def __init__(self, closure: Expr, type: Type, span: Span, *, keeps_way: bool = False) -> None:
        super().__init__(type, span)
        self.closure = closure
        self.keeps_way = keeps_way
