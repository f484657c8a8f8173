"""MIR: a function as basic blocks over typed, mutable locals. Data only.

Aggregates of the language are already flattened: a local holds one machine value. A local may be
assigned many times; it must be assigned before each use on every path. Reading memory never traps:
what can fail is an explicit check before it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Literal, TypeAlias, Union

Kind: TypeAlias = "Literal['int', 'float', 'bool', 'ptr']"


class MirType:
    """A machine value. `ref` is the address of a heap object (or null), `ptr` any other address."""

    __slots__ = ("kind", "name", "signed", "size")

    def __init__(self, name: str, kind: Kind, size: int, signed: bool = False) -> None:
        self.name = name
        self.kind = kind
        self.size = size
        self.signed = signed

    def __repr__(self) -> str:
        return self.name


I8: Final = MirType("i8", "int", 1, True)
I16: Final = MirType("i16", "int", 2, True)
I32: Final = MirType("i32", "int", 4, True)
I64: Final = MirType("i64", "int", 8, True)
U8: Final = MirType("u8", "int", 1)
U16: Final = MirType("u16", "int", 2)
U32: Final = MirType("u32", "int", 4)
U64: Final = MirType("u64", "int", 8)
F32: Final = MirType("f32", "float", 4)
F64: Final = MirType("f64", "float", 8)
BOOL: Final = MirType("bool", "bool", 1)
REF: Final = MirType("ref", "ptr", 8)
PTR: Final = MirType("ptr", "ptr", 8)
TYPES: Final[dict[str, MirType]] = {
    t.name: t for t in (I8, I16, I32, I64, U8, U16, U32, U64, F32, F64, BOOL, REF, PTR)
}


class Site:
    """A place in source, for error messages and tracebacks: file, 1-based line and column.

    `symbol` is the instance that it is in. What was inlined keeps its own place, and `caller` is the
    place of the call that it was inlined for, which may be in inlined code itself.
    """

    __slots__ = ("caller", "column", "file", "line", "symbol")

    def __init__(
        self, file: str, line: int, column: int, symbol: str = "", caller: Site | None = None
    ) -> None:
        self.file = file
        self.line = line
        self.column = column
        self.symbol = symbol
        self.caller = caller

    @property
    def key(self) -> tuple[object, ...]:
        """What makes it the same as another."""
        return self.file, self.line, self.column, self.symbol, self.caller

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Site) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def within(self, call: Site) -> Site:
        """Return the same place, inlined for a call at `call`."""
        caller = call if self.caller is None else self.caller.within(call)
        return Site(self.file, self.line, self.column, self.symbol, caller)


class Local:
    """`%index`, of one type. `name` is a hint for readers."""

    __slots__ = ("index", "name", "type")

    def __init__(self, index: int, type: MirType, name: str = "") -> None:
        self.index = index
        self.type = type
        self.name = name


# Where an error is reported: a fixed place, or (in a function that reports at its caller's) an i64
# local that holds a site number, which came in as the last parameter.
Place: TypeAlias = "Union[Site, Local]"

UnaryOp: TypeAlias = """
Literal[
    'neg',
    'not',
    'sqrt',
    'floor',
    'ceil',
    'trunc',
    'abs',
    'popcount',
    'leading_zeros',
    'trailing_zeros',
]
"""
BinaryOp: TypeAlias = "Literal['add', 'sub', 'mul', 'div', 'rem', 'and', 'or', 'xor', 'shl', 'shr']"
CheckedOp: TypeAlias = "Literal['add', 'sub', 'mul']"
CompareOp: TypeAlias = "Literal['eq', 'ne', 'lt', 'le', 'gt', 'ge']"


class Const:
    """`dst = value` (int, float or bool as the type of dst asks; ref and ptr: an address, mostly 0)."""

    __slots__ = ("dst", "value")

    def __init__(self, dst: Local, value: int | float | bool) -> None:
        self.dst = dst
        self.value = value


class ConstText:
    """`dst = the text object with this value`; one object for each different value."""

    __slots__ = ("dst", "value")

    def __init__(self, dst: Local, value: str) -> None:
        self.dst = dst
        self.value = value


class ConstSite:
    """`dst = the number of a site` (i64), to pass to a function that reports at its caller's place."""

    __slots__ = ("dst", "site")

    def __init__(self, dst: Local, site: Site) -> None:
        self.dst = dst
        self.site = site


class ConstTypeId:
    """`dst = the number of the type descriptor called name` (i64)."""

    __slots__ = ("dst", "name")

    def __init__(self, dst: Local, name: str) -> None:
        self.dst = dst
        self.name = name


class ConstCode:
    """`dst = the offset in the context of the code-table slot of an instance` (i64), for `CallPointer`."""

    __slots__ = ("dst", "symbol")

    def __init__(self, dst: Local, symbol: str) -> None:
        self.dst = dst
        self.symbol = symbol


class Copy:
    """`dst = src`, of one type, or between i64, ref and ptr."""

    __slots__ = ("dst", "src")

    def __init__(self, dst: Local, src: Local) -> None:
        self.dst = dst
        self.src = src


class Unary:
    """`neg` of a number (wraps), `not` of a bool or integer (bitwise), float functions, bit counts.

    dst has the type of src. Bit counts are in the width of the type; of 0, zeros count the width.
    """

    __slots__ = ("dst", "op", "src")

    def __init__(self, op: UnaryOp, dst: Local, src: Local) -> None:
        self.op = op
        self.dst = dst
        self.src = src


class Binary:
    """`dst = lhs op rhs`, all of one type (shift: the count is an i64 and is masked to the width).

    Integers wrap; their signedness decides div, rem and shr. `div` and `rem` of integers need a
    divisor other than 0 (a Check stands before them); least / -1 is itself, remainder 0. Float `rem`
    is fmod. `and or xor` also on bool; `add` and `sub` also on ptr and ref with an i64 rhs.
    """

    __slots__ = ("dst", "lhs", "op", "rhs")

    def __init__(self, op: BinaryOp, dst: Local, lhs: Local, rhs: Local) -> None:
        self.op = op
        self.dst = dst
        self.lhs = lhs
        self.rhs = rhs


class Checked:
    """`dst = lhs op rhs` of signed integers; an `Overflow` error where the exact result does not fit."""

    __slots__ = ("dst", "lhs", "op", "place", "rhs")

    def __init__(self, op: CheckedOp, dst: Local, lhs: Local, rhs: Local, place: Place) -> None:
        self.op = op
        self.dst = dst
        self.lhs = lhs
        self.rhs = rhs
        self.place = place


class Compare:
    """`dst: bool = lhs op rhs`; both of one type; ordered comparison of floats (NaN: only `ne` is true)."""

    __slots__ = ("dst", "lhs", "op", "rhs")

    def __init__(self, op: CompareOp, dst: Local, lhs: Local, rhs: Local) -> None:
        self.op = op
        self.dst = dst
        self.lhs = lhs
        self.rhs = rhs


class Convert:
    """`dst = src as type of dst`: integers wrap or extend by the signedness of src, floats to integers
    truncate and saturate (NaN: 0), bool gives 0 or 1."""

    __slots__ = ("dst", "src")

    def __init__(self, dst: Local, src: Local) -> None:
        self.dst = dst
        self.src = src


class Bitcast:
    """`dst = the bits of src`, between a float and an integer of one size."""

    __slots__ = ("dst", "src")

    def __init__(self, dst: Local, src: Local) -> None:
        self.dst = dst
        self.src = src


class Select:
    """`dst = cond ? lhs : rhs`, both evaluated."""

    __slots__ = ("cond", "dst", "lhs", "rhs")

    def __init__(self, dst: Local, cond: Local, lhs: Local, rhs: Local) -> None:
        self.dst = dst
        self.cond = cond
        self.lhs = lhs
        self.rhs = rhs


class Load:
    """`dst = *(base + index * scale + offset)`, as wide as the type of dst; bool is one byte, 0 or 1."""

    __slots__ = ("base", "dst", "index", "offset", "scale")

    def __init__(
        self, dst: Local, base: Local, offset: int, index: Local | None = None, scale: int = 1
    ) -> None:
        self.dst = dst
        self.base = base
        self.offset = offset
        self.index = index
        self.scale = scale


class Store:
    """`*(base + index * scale + offset) = src`."""

    __slots__ = ("base", "index", "offset", "scale", "src")

    def __init__(
        self, src: Local, base: Local, offset: int, index: Local | None = None, scale: int = 1
    ) -> None:
        self.src = src
        self.base = base
        self.offset = offset
        self.index = index
        self.scale = scale


class Context:
    """`dst: ptr = the address of the context` (mir.abi has the offsets into it)."""

    __slots__ = ("dst",)

    def __init__(self, dst: Local) -> None:
        self.dst = dst


class Index:
    """`dst = src < 0 ? src + length : src`, an `IndexError` unless 0 <= dst < length. All i64.

    With `wrap` false src is known not to be negative, or a negative one is out of range.
    """

    __slots__ = ("dst", "length", "place", "src", "wrap")

    def __init__(
        self, dst: Local, src: Local, length: Local, place: Place, wrap: bool = True
    ) -> None:
        self.dst = dst
        self.src = src
        self.length = length
        self.place = place
        self.wrap = wrap


class Check:
    """Go on where `cond` is true; else fail with an error of `kind` whose message is fixed by the kind
    (NilError, DivisionByZero …) or is the text in `message`."""

    __slots__ = ("cond", "kind", "message", "place")

    def __init__(self, cond: Local, kind: str, place: Place, message: Local | None = None) -> None:
        self.cond = cond
        self.kind = kind
        self.place = place
        self.message = message


class Call:
    """`dsts = callee(args)`: call an instance by symbol, through the code table."""

    __slots__ = ("args", "callee", "dsts", "site")

    def __init__(
        self, dsts: tuple[Local, ...], callee: str, args: tuple[Local, ...], site: Site
    ) -> None:
        self.dsts = dsts
        self.callee = callee
        self.args = args
        self.site = site


class CallExtern:
    """`dst = symbol(args)` by the C convention, address from the import table.

    `raises`: the callee sets `ctx.failed` where it fails; the error it recorded is thrown again.
    """

    __slots__ = ("args", "dst", "place", "raises", "symbol")

    def __init__(
        self, dst: Local | None, symbol: str, args: tuple[Local, ...], raises: bool, place: Place
    ) -> None:
        self.dst = dst
        self.symbol = symbol
        self.args = args
        self.raises = raises
        self.place = place


class CallPointer:
    """`dsts = target(args)`; the context goes first unless `c` asks for the C convention.

    Code that no source stands for calls from no `site`.
    """

    __slots__ = ("args", "c", "dsts", "site", "target")

    def __init__(
        self,
        dsts: tuple[Local, ...],
        target: Local,
        args: tuple[Local, ...],
        c: bool,
        site: Site | None = None,
    ) -> None:
        self.dsts = dsts
        self.target = target
        self.args = args
        self.c = c
        self.site = site


class Poll:
    """A safepoint: where another thread or a signal asked for attention, see to it."""

    __slots__ = ("place",)

    def __init__(self, place: Place) -> None:
        self.place = place


Instruction: TypeAlias = """
Union[
    Const,
    ConstText,
    ConstSite,
    ConstTypeId,
    ConstCode,
    Copy,
    Unary,
    Binary,
    Checked,
    Compare,
    Convert,
    Bitcast,
    Select,
    Load,
    Store,
    Context,
    Index,
    Check,
    Call,
    CallExtern,
    CallPointer,
    Poll,
]
"""


class Jump:
    __slots__ = ("target",)

    def __init__(self, target: Block) -> None:
        self.target = target


class Branch:
    """To `then` where `cond` is true, else to `orelse`. `cold` names the side that is rarely taken."""

    __slots__ = ("cold", "cond", "orelse", "then")

    def __init__(
        self, cond: Local, then: Block, orelse: Block, cold: Literal["then", "orelse"] | None = None
    ) -> None:
        self.cond = cond
        self.then = then
        self.orelse = orelse
        self.cold = cold


class Switch:
    """To the block of the case whose number `value` (an i64) equals, else to `default`."""

    __slots__ = ("cases", "default", "value")

    def __init__(self, value: Local, cases: tuple[tuple[int, Block], ...], default: Block) -> None:
        self.value = value
        self.cases = cases
        self.default = default


class Return:
    __slots__ = ("values",)

    def __init__(self, values: tuple[Local, ...]) -> None:
        self.values = values


class Throw:
    """Fail with an error of `kind` and the text `message`."""

    __slots__ = ("kind", "message", "place")

    def __init__(self, kind: str, message: Local, place: Place) -> None:
        self.kind = kind
        self.message = message
        self.place = place


class Unreachable:
    """Control cannot come here."""

    __slots__ = ()


Terminator: TypeAlias = "Union[Jump, Branch, Switch, Return, Throw, Unreachable]"


class Block:
    """A basic block: instructions, then one terminator."""

    __slots__ = ("index", "instructions", "terminator")

    def __init__(self, index: int) -> None:
        self.index = index
        self.instructions: list[Instruction] = []
        self.terminator: Terminator = UNFINISHED


UNFINISHED: Final = Unreachable()
"""The terminator of a block under construction; the verifier refuses it."""


class Function:
    """A function. The first `param_count` locals are its parameters; `blocks[0]` is the entry.

    `c_convention`: called by C code, without the context as first argument. `checks_stack`: its entry
    compares the stack pointer with `ctx.stack_limit`. `inline`: small enough, or asked, to be copied
    into callers. `rarely_called`: not to be copied into callers, whose code around the call is seldom
    run. `file` is where it was written.
    """

    __slots__ = (
        "blocks",
        "c_convention",
        "checks_stack",
        "file",
        "inline",
        "line",
        "locals",
        "param_count",
        "rarely_called",
        "results",
        "symbol",
    )

    def __init__(
        self, symbol: str, results: tuple[MirType, ...], file: str = "", line: int = 0
    ) -> None:
        self.symbol = symbol
        self.results = results
        self.file = file
        self.line = line
        self.locals: list[Local] = []
        self.param_count = 0
        self.blocks: list[Block] = []
        self.c_convention = False
        self.checks_stack = True
        self.inline = False
        self.rarely_called = False

    @property
    def params(self) -> list[Local]:
        return self.locals[: self.param_count]

    def new_local(self, type: MirType, name: str = "") -> Local:
        """Add a local."""
        local = Local(len(self.locals), type, name)
        self.locals.append(local)
        return local

    def new_block(self) -> Block:
        """Add a block at the end."""
        block = Block(len(self.blocks))
        self.blocks.append(block)
        return block
