"""Reading the text form of MIR: what `mir.text.dump` writes, and the same written by hand.

White space and line ends only separate; `#` starts a comment. Types are not checked here: that is
the verifier's work, and what functions ask of one another that of `mir.link`.
"""

from __future__ import annotations

import re

from simple_jit.mir import nodes as mir
from simple_jit.mir.nodes import Block, Function, Local, MirType, Site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Final, NoReturn, TypeAlias

    from simple_jit.mir.nodes import Place


class MirSyntaxError(Exception):
    """Text that is not MIR: `line` (from 1) and `reason`."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


Lines: TypeAlias = "dict[Function | mir.Instruction | mir.Terminator, int]"
"""The line on which each of these stands."""


class TypeShape:
    """A `type` line: what objects of the type called `name` look like (`layout.Descriptor`)."""

    __slots__ = ("kind", "line", "name", "references", "size")

    def __init__(self, name: str, kind: str, size: int, references: tuple[int, ...], line: int) -> None:
        self.name = name
        self.kind = kind
        self.size = size
        self.references = references
        self.line = line


class Unit:
    """What a text has: functions, types, and the line on which each function and instruction stands."""

    __slots__ = ("functions", "lines", "types")

    def __init__(self) -> None:
        self.functions: list[Function] = []
        self.types: list[TypeShape] = []
        self.lines: Lines = {}


def parse_unit(text: str) -> Unit:
    """Return what is in `text`, in order.

    Raises:
        MirSyntaxError: `text` is not MIR.
    """
    tokens, unit = _Tokens(text), Unit()
    while tokens.kind != "end":
        if tokens.kind == "word" and tokens.text == "type":
            unit.types.append(_type_shape(tokens))
        else:
            unit.functions.append(_FunctionParser(tokens, unit.lines).function_text())
    return unit


def _type_shape(tokens: _Tokens) -> TypeShape:
    line = tokens.line
    tokens.expect("type")
    name, kind, size = tokens.string("a name in quotes"), tokens.take("word", "a kind"), tokens.integer()
    references: list[int] = []
    tokens.expect("[")
    while not tokens.accept("]"):
        if references:
            tokens.expect(",")
        references.append(tokens.integer())
    return TypeShape(name, kind, size, tuple(references), line)


def parse_functions(text: str) -> list[Function]:
    """Return the functions in `text`, in order.

    Raises:
        MirSyntaxError: `text` is not MIR.
    """
    return parse_unit(text).functions


def parse_function(text: str) -> Function:
    """Return the one function in `text`."""
    functions = parse_functions(text)
    if len(functions) != 1:
        raise MirSyntaxError(1, f"one function expected, {len(functions)} found")
    return functions[0]


# --- Tokens ---------------------------------------------------------------------------------------

_TOKEN: Final = re.compile(
    r"""[ \t\r]*(?:
     (?P<local>%[0-9]+)
    |(?P<nan>nan:0x[0-9a-f]{16})
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<newline>(?:\#[^\n]*)?\n)
    |(?P<sign>->|[-+*(){}\[\]:,=!])
    |(?P<number>[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)
    |(?P<symbol>@(?:[A-Za-z0-9_.$]+|"(?:[^"\\\n]|\\.)*"))
    |(?P<string>"(?:[^"\\\n]|\\.)*")
    |(?P<end>(?:\#[^\n]*)?\Z)
    )""",
    re.VERBOSE,
)
_ESCAPE: Final = re.compile(r"\\(?:u\{([0-9a-f]{1,6})\}|(.))")
_ESCAPED: Final = {'"': '"', "\\": "\\", "n": "\n", "t": "\t", "r": "\r"}
_MOST_DIGITS: Final = 40
_MOST_LOCALS: Final = 1_000_000


def _scan(source: str) -> Iterator[tuple[str, str, int]]:
    """Yield the tokens of `source`: kind, text, line; the last is `end`, for ever."""
    position, line = 0, 1
    for match in _TOKEN.finditer(source):
        if match.start() != position:
            break
        position = match.end()
        kind: Any = match.lastgroup
        if kind == "newline":
            line += 1
        elif kind == "end":
            break
        else:
            yield kind, match[kind], line
    rest = source[position:].lstrip(" \t\r")
    if rest:
        raise MirSyntaxError(line, f"what is {rest[0]!r}?")
    while True:
        yield "end", "the end", line


class _Tokens:
    """The token at the cursor: `kind`, `text`, `line`."""

    def __init__(self, source: str) -> None:
        self._rest = _scan(source)
        self.advance()

    def advance(self) -> None:
        self.kind, self.text, self.line = next(self._rest)

    def fail(self, expected: str) -> NoReturn:
        raise MirSyntaxError(self.line, f"{expected} expected, found {self.text!r}")

    def take(self, kind: str, expected: str) -> str:
        if self.kind != kind:
            self.fail(expected)
        text = self.text
        self.advance()
        return text

    def accept(self, text: str) -> bool:
        if self.text != text or self.kind == "string":
            return False
        self.advance()
        return True

    def expect(self, text: str) -> None:
        if not self.accept(text):
            self.fail(repr(text))

    def unquote(self, literal: str, line: int) -> str:
        def replacement(match: re.Match[str]) -> str:
            if match[1]:
                if int(match[1], 16) > 0x10FFFF:
                    raise MirSyntaxError(line, f"no character {match[0]}")
                return chr(int(match[1], 16))
            if match[2] not in _ESCAPED:
                raise MirSyntaxError(line, f"unknown escape {match[0]}")
            return _ESCAPED[match[2]]

        return _ESCAPE.sub(replacement, literal[1:-1])

    def string(self, expected: str = "a text in quotes") -> str:
        line = self.line
        return self.unquote(self.take("string", expected), line)

    def word_or_string(self, expected: str) -> str:
        return self.string() if self.kind == "string" else self.take("word", expected)

    def symbol(self) -> str:
        line, text = self.line, self.take("symbol", "a symbol (@name)")[1:]
        return self.unquote(text, line) if text.startswith('"') else text

    def integer(self) -> int:
        sign = -1 if self.accept("-") else 1
        line, text = self.line, self.take("number", "an integer")
        if not text.isdecimal():
            raise MirSyntaxError(line, f"an integer expected, found {text!r}")
        return sign * _number(text, line)


def _number(digits: str, line: int) -> int:
    """Return a whole number; one that no instruction could hold is not even converted."""
    if len(digits) > _MOST_DIGITS:
        raise MirSyntaxError(line, f"the number {digits[:_MOST_DIGITS]}… is too large")
    return int(digits)


# --- Functions ------------------------------------------------------------------------------------

_UNKNOWN: Final = MirType("unknown", "int", 8)


class _FunctionParser:
    def __init__(self, tokens: _Tokens, lines: Lines) -> None:
        self.tokens = tokens
        self.lines = lines
        self.function = Function("", ())
        self.locals: dict[int, Local] = {}
        self.blocks: dict[int, Block] = {}
        self.first_use: dict[Local | Block, int] = {}

    def function_text(self) -> Function:
        tokens, function = self.tokens, self.function
        self.lines[function] = tokens.line
        tokens.expect("fn")
        function.symbol = tokens.symbol()
        self._params()
        if tokens.accept("->"):
            function.results = tuple(self._comma_list(self.type))
        self._attributes()
        tokens.expect("{")
        while tokens.accept("local"):
            self._declaration()
        while not tokens.accept("}"):
            self._block()
        self._finish()
        return function

    def _params(self) -> None:
        tokens = self.tokens
        tokens.expect("(")
        while not tokens.accept(")"):
            if self.locals:
                tokens.expect(",")
            line = tokens.line
            if self._declaration().index != len(self.locals) - 1:
                raise MirSyntaxError(line, "parameters are numbered %0, %1, …")
        self.function.param_count = len(self.locals)

    def _attributes(self) -> None:
        tokens, function = self.tokens, self.function
        if tokens.accept("file"):
            function.file = tokens.string()
            tokens.expect("line")
            function.line = tokens.integer()
        function.c_convention = tokens.accept("c_convention")
        function.checks_stack = not tokens.accept("no_stack_check")
        function.inline = tokens.accept("inline")
        function.rarely_called = tokens.accept("rarely_called")

    def _block(self) -> None:
        tokens, function = self.tokens, self.function
        line = tokens.line
        block = self.block()
        if block.index != len(function.blocks):
            raise MirSyntaxError(line, f"block b{len(function.blocks)} expected")
        function.blocks.append(block)
        tokens.expect(":")
        while True:
            line, word = tokens.line, tokens.text
            if tokens.kind == "local":
                block.instructions.append(self._assignment())
                self.lines[block.instructions[-1]] = line
                continue
            tokens.take("word", "an instruction")
            if word in _TERMINATORS:
                block.terminator = _TERMINATORS[word](self)
                self.lines[block.terminator] = line
                return
            if word not in _INSTRUCTIONS:
                raise MirSyntaxError(line, f"unknown instruction {word!r}")
            block.instructions.append(self._instruction(word, (), line))
            self.lines[block.instructions[-1]] = line

    def _assignment(self) -> mir.Instruction:
        tokens = self.tokens
        dsts = tuple(self._comma_list(self._assigned))
        tokens.expect("=")
        line = tokens.line
        return self._instruction(tokens.take("word", "an instruction"), dsts, line)

    def _instruction(self, word: str, dsts: tuple[Local, ...], line: int) -> mir.Instruction:
        found = _INSTRUCTIONS.get(word)
        if found is None:
            raise MirSyntaxError(line, f"unknown instruction {word!r}")
        low, high, parse = found
        if not low <= len(dsts) <= high:
            raise MirSyntaxError(line, f"{word!r} has {low} result{'s' * (low != 1)}")
        return parse(self, dsts)

    def _finish(self) -> None:
        """Check that what was named exists; a number that no local uses gets one, of type i64."""
        function = self.function
        for local in self.locals.values():
            if local.type is _UNKNOWN:
                raise MirSyntaxError(self.first_use[local], f"%{local.index} is never assigned")
        for block in self.blocks.values():
            if block.index >= len(function.blocks):
                raise MirSyntaxError(self.first_use[block], f"there is no block b{block.index}")
        count = max(self.locals, default=-1) + 1
        function.locals = [self.locals.get(n) or Local(n, mir.I64) for n in range(count)]

    # --- Operands ---------------------------------------------------------------------------------

    def type(self) -> MirType:
        line, name = self.tokens.line, self.tokens.take("word", "a type")
        if name not in mir.TYPES:
            raise MirSyntaxError(line, f"unknown type {name!r}")
        return mir.TYPES[name]

    def local(self) -> Local:
        line = self.tokens.line
        index = _number(self.tokens.take("local", "a local (%0)")[1:], line)
        if index > _MOST_LOCALS:
            raise MirSyntaxError(line, "the number of a local is too large")
        found = self.locals.get(index)
        if found is None:
            found = self.locals[index] = Local(index, _UNKNOWN)
            self.first_use[found] = line
        return found

    def _typed(self, local: Local, line: int) -> None:
        """Read `[name]: type` where it follows."""
        tokens = self.tokens
        name = ""
        if tokens.kind in ("word", "string"):
            name = tokens.word_or_string("a name")
        tokens.expect(":")
        type = self.type()
        if local.type not in (_UNKNOWN, type):
            raise MirSyntaxError(line, f"%{local.index} is {local.type}, not {type}")
        local.type = type
        local.name = name or local.name

    def _declaration(self) -> Local:
        line = self.tokens.line
        local = self.local()
        if local.type is not _UNKNOWN:
            raise MirSyntaxError(line, f"%{local.index} is declared twice")
        self._typed(local, line)
        return local

    def _assigned(self) -> Local:
        line = self.tokens.line
        local = self.local()
        if self.tokens.kind in ("word", "string") or self.tokens.text == ":":
            self._typed(local, line)
        elif local.type is _UNKNOWN:
            raise MirSyntaxError(line, f"the first assignment of %{local.index} states its type")
        return local

    def block(self) -> Block:
        tokens = self.tokens
        line, word = tokens.line, tokens.take("word", "a block (b0)")
        if not (word[0] == "b" and word[1:].isdecimal()):
            raise MirSyntaxError(line, f"a block (b0) expected, found {word!r}")
        index = _number(word[1:], line)
        found = self.blocks.get(index)
        if found is None:
            found = self.blocks[index] = Block(index)
            self.first_use[found] = line
        return found

    def _comma_list(self, item: Callable[[], Any]) -> list[Any]:
        items = [item()]
        while self.tokens.accept(","):
            items.append(item())
        return items

    def next_local(self) -> Local:
        self.tokens.expect(",")
        return self.local()

    def locals_list(self) -> tuple[Local, ...]:
        return tuple(self._comma_list(self.local)) if self.tokens.kind == "local" else ()

    def args(self) -> tuple[Local, ...]:
        self.tokens.expect("(")
        args = self.locals_list()
        self.tokens.expect(")")
        return args

    def place(self) -> Place:
        self.tokens.expect("!")
        return self.local() if self.tokens.kind == "local" else self._site()

    def site(self) -> Site:
        self.tokens.expect("!")
        return self._site()

    def optional_site(self) -> Site | None:
        return self.site() if self.tokens.text == "!" else None

    def _site(self) -> Site:
        tokens = self.tokens
        file, symbol = self.function.file, self.function.symbol
        if tokens.kind == "string":
            file = tokens.string()
            tokens.expect(":")
        line = tokens.integer()
        tokens.expect(":")
        column = tokens.integer()
        if tokens.accept("in"):
            symbol = tokens.symbol()
        return Site(file, line, column, symbol, self._site() if tokens.accept("from") else None)

    def address(self) -> tuple[Local, int, Local | None, int]:
        """Read `[base + index * scale + offset]`."""
        tokens = self.tokens
        tokens.expect("[")
        base = self.local()
        index, scale, offset = None, 1, 0
        while not tokens.accept("]"):
            negative = tokens.accept("-")
            if not negative:
                tokens.expect("+")
            if tokens.kind == "local" and not negative and index is None:
                index = self.local()
                scale = tokens.integer() if tokens.accept("*") else 1
            else:
                offset += -tokens.integer() if negative else tokens.integer()
        return base, offset, index, scale

    def constant(self, type: MirType) -> int | float | bool:
        tokens = self.tokens
        if type.kind == "bool":
            word = tokens.take("word", "true or false")
            if word not in ("true", "false"):
                raise MirSyntaxError(tokens.line, f"true or false expected, found {word!r}")
            return word == "true"
        return self._float() if type.kind == "float" else tokens.integer()

    def _float(self) -> float:
        tokens = self.tokens
        sign = -1.0 if tokens.accept("-") else 1.0
        if tokens.kind == "nan":
            import struct

            bits = int(tokens.take("nan", "")[4:], 16)
            value: float = struct.unpack("<d", struct.pack("<Q", bits))[0]
            return value
        if tokens.text in ("nan", "inf"):
            return sign * float(tokens.take("word", "a number"))
        return sign * float(tokens.take("number", "a number"))


# --- Instructions ---------------------------------------------------------------------------------
# By the word they start with: least and greatest number of results, and what reads the rest.

if TYPE_CHECKING:
    _Parse: TypeAlias = Callable[[_FunctionParser, Any], mir.Instruction]
_MANY: Final = 1 << 30


def _load(p: _FunctionParser, d: tuple[Local, ...]) -> mir.Instruction:
    return mir.Load(d[0], *p.address())


def _store(p: _FunctionParser, d: tuple[Local, ...]) -> mir.Instruction:
    src = p.local()
    p.tokens.expect(",")
    return mir.Store(src, *p.address())


def _select(p: _FunctionParser, d: tuple[Local, ...]) -> mir.Instruction:
    return mir.Select(d[0], p.local(), p.next_local(), p.next_local())


def _check(p: _FunctionParser, d: tuple[Local, ...]) -> mir.Instruction:
    cond = p.local()
    p.tokens.expect(",")
    kind = p.tokens.word_or_string("a kind of error")
    message = p.next_local() if p.tokens.text == "," else None
    return mir.Check(cond, kind, p.place(), message)


def _extern(p: _FunctionParser, d: tuple[Local, ...]) -> mir.Instruction:
    symbol, args = p.tokens.symbol(), p.args()
    raises = p.tokens.accept("raises")
    return mir.CallExtern(d[0] if d else None, symbol, args, raises, p.place())


def _unary(op: Any) -> tuple[int, int, _Parse]:
    return 1, 1, lambda p, d: mir.Unary(op, d[0], p.local())


def _binary(op: Any) -> tuple[int, int, _Parse]:
    return 1, 1, lambda p, d: mir.Binary(op, d[0], p.local(), p.next_local())


def _checked(op: Any) -> tuple[int, int, _Parse]:
    return 1, 1, lambda p, d: mir.Checked(op, d[0], p.local(), p.next_local(), p.place())


def _compare(op: Any) -> tuple[int, int, _Parse]:
    return 1, 1, lambda p, d: mir.Compare(op, d[0], p.local(), p.next_local())


def _index(wrap: bool) -> tuple[int, int, _Parse]:
    return 1, 1, lambda p, d: mir.Index(d[0], p.local(), p.next_local(), p.place(), wrap)


def _pointer(c: bool) -> tuple[int, int, _Parse]:
    return 0, _MANY, lambda p, d: mir.CallPointer(d, p.local(), p.args(), c, p.optional_site())


_INSTRUCTIONS: Final[dict[str, tuple[int, int, _Parse]]] = {
    "const": (1, 1, lambda p, d: mir.Const(d[0], p.constant(d[0].type))),
    "text": (1, 1, lambda p, d: mir.ConstText(d[0], p.tokens.string())),
    "site": (1, 1, lambda p, d: mir.ConstSite(d[0], p.site())),
    "type_id": (1, 1, lambda p, d: mir.ConstTypeId(d[0], p.tokens.string())),
    "code": (1, 1, lambda p, d: mir.ConstCode(d[0], p.tokens.string())),
    "copy": (1, 1, lambda p, d: mir.Copy(d[0], p.local())),
    "convert": (1, 1, lambda p, d: mir.Convert(d[0], p.local())),
    "bitcast": (1, 1, lambda p, d: mir.Bitcast(d[0], p.local())),
    "select": (1, 1, _select),
    "load": (1, 1, _load),
    "store": (0, 0, _store),
    "context": (1, 1, lambda p, d: mir.Context(d[0])),
    "index": _index(True),
    "index_no_wrap": _index(False),
    "check": (0, 0, _check),
    "call": (0, _MANY, lambda p, d: mir.Call(d, p.tokens.symbol(), p.args(), p.site())),
    "extern": (0, 1, _extern),
    "call_pointer": _pointer(False),
    "call_c_pointer": _pointer(True),
    "poll": (0, 0, lambda p, d: mir.Poll(p.place())),
    **{
        op: _unary(op)
        for op in [
            "neg",
            "not",
            "sqrt",
            "floor",
            "ceil",
            "trunc",
            "abs",
            "popcount",
            "leading_zeros",
            "trailing_zeros",
        ]
    },
    **{op: _binary(op) for op in ["add", "sub", "mul", "div", "rem", "and", "or", "xor", "shl", "shr"]},
    **{f"checked_{op}": _checked(op) for op in ("add", "sub", "mul")},
    **{op: _compare(op) for op in ("eq", "ne", "lt", "le", "gt", "ge")},
}


def _branch(p: _FunctionParser) -> mir.Terminator:
    cond = p.local()
    p.tokens.expect(",")
    then = p.block()
    p.tokens.expect(",")
    orelse = p.block()
    if not p.tokens.accept("cold"):
        return mir.Branch(cond, then, orelse)
    line, side = p.tokens.line, p.tokens.take("word", "then or orelse")
    if side == "then":
        return mir.Branch(cond, then, orelse, "then")
    if side == "orelse":
        return mir.Branch(cond, then, orelse, "orelse")
    raise MirSyntaxError(line, f"then or orelse expected, found {side!r}")


def _switch(p: _FunctionParser) -> mir.Terminator:
    tokens = p.tokens
    value = p.local()
    tokens.expect(",")
    tokens.expect("[")
    cases: list[tuple[int, Block]] = []
    while not tokens.accept("]"):
        if cases:
            tokens.expect(",")
        number = tokens.integer()
        tokens.expect(":")
        cases.append((number, p.block()))
    tokens.expect(",")
    return mir.Switch(value, tuple(cases), p.block())


def _return(p: _FunctionParser) -> mir.Terminator:
    return mir.Return(p.locals_list())


def _throw(p: _FunctionParser) -> mir.Terminator:
    kind = p.tokens.word_or_string("a kind of error")
    return mir.Throw(kind, p.next_local(), p.place())


_TERMINATORS: Final[dict[str, Callable[[_FunctionParser], mir.Terminator]]] = {
    "jump": lambda p: mir.Jump(p.block()),
    "branch": _branch,
    "switch": _switch,
    "return": _return,
    "throw": _throw,
    "unreachable": lambda p: mir.Unreachable(),
}
