r"""Text literals: where they end, what they hold, what their escapes mean.

    "a {x:>3}\n"    chunk `a `, hole `x` with the spec `>3`, chunk `\n`
    r"a {x}", 'a'   raw: one chunk, no escapes

A hole may hold text literals again, so its end is found by scanning, not by a pattern.
"""

from __future__ import annotations

from simple_jit.base import catalogue
from simple_jit.syntax.patterns import DOTALL, compile_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from re import Match
    from typing import TypeAlias

    from simple_jit.base.diagnostics import Rule

    Complain: TypeAlias = Callable[[Rule, int, int, str], None]

MAX_NESTING = 32
"""How deep text may nest in the holes of text."""

_STOP = compile_pattern(r'[{}\\"\n]')
_STOP_MULTILINE = compile_pattern(r'[{}\\]|"""')
_HOLE_STOP = compile_pattern(r"""[rf]?"|['()\[\]{}:\n]""")
_SPEC_END = compile_pattern(r'[{}"\n]')
_ESCAPE = compile_pattern(r"\\(?:x([0-9a-fA-F]{2})|u\{([0-9a-fA-F]{1,6})\}|(.?))|(\{\{|\}\})|([{}])", DOTALL)
_SIMPLE_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "0": "\0",
    "\\": "\\",
    '"': '"',
    "{": "{",
    "}": "}",
}


class Chunk:
    """Literal text `start..end`, escapes still in it."""

    __slots__ = ("start", "end")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end


class Hole:
    """An expression `start..end` and the text of its format spec, if it has one."""

    __slots__ = ("start", "end", "spec")

    def __init__(self, start: int, end: int, spec: str | None) -> None:
        self.start = start
        self.end = end
        self.spec = spec


class Shape:
    """Where a text literal ends and what it is made of.

    `problem` is a rule, a message and the offset where the literal went wrong; it then
    ends with its line, or for `\"\"\"` with the file.
    """

    __slots__ = ("start", "end", "raw", "multiline", "parts", "problem")

    def __init__(self, start: int, raw: bool, multiline: bool) -> None:
        self.start = start
        self.end = start
        self.raw = raw
        self.multiline = multiline
        self.parts: list[Chunk | Hole] = []
        self.problem: tuple[Rule, str, int] | None = None


def scan_text(text: str, start: int, limit: int, nesting: int = 0) -> Shape:
    """Find the parts and the end, at most `limit`, of the literal at `start`."""
    at = start + 1 if text[start] in "rf" else start
    multiline = text.startswith('"""', at)
    quote = '"""' if multiline else text[at]
    shape = Shape(start, text[start] in "r'", multiline)
    if shape.raw:
        _scan_raw(shape, text, at + len(quote), limit, quote)
    else:
        _scan_parts(shape, text, at + len(quote), limit, nesting)
    if shape.problem is not None:
        shape.parts = []
        shape.end = limit if multiline else _line_end(text, start, limit)
    return shape


def _line_end(text: str, at: int, limit: int) -> int:
    end = text.find("\n", at, limit)
    return limit if end < 0 else end


def _scan_raw(shape: Shape, text: str, at: int, limit: int, quote: str) -> None:
    last = limit if shape.multiline else _line_end(text, at, limit)
    end = text.find(quote, at, last)
    if end < 0:
        shape.problem = _unterminated(shape)
        return
    shape.parts.append(Chunk(at, end))
    shape.end = end + len(quote)


def _unterminated(shape: Shape) -> tuple[Rule, str, int]:
    message = 'this text has no closing `"""`' if shape.multiline else "this text is not closed"
    return catalogue.UNTERMINATED_TEXT, message, shape.start


def _scan_parts(shape: Shape, text: str, at: int, limit: int, nesting: int) -> None:
    """Split an interpolating literal whose contents begin at `at`."""
    pattern = _STOP_MULTILINE if shape.multiline else _STOP
    chunk = at
    while True:
        found = pattern.search(text, at, limit)
        stop = found[0] if found else "\n"
        if found is None or stop == "\n":
            shape.problem = _unterminated(shape)
            return
        at = found.start()
        if stop[0] == '"':
            shape.parts.append(Chunk(chunk, at))
            shape.end = found.end()
            return
        if text.startswith("\\u{", at):
            at += 3
        elif stop == "\\" or text.startswith(("{{", "}}"), at):
            at += 2
        elif stop == "}":
            at += 1
        else:
            hole = _scan_hole(shape, text, at + 1, limit, nesting)
            if hole is None:
                return
            shape.parts += (Chunk(chunk, at), hole)
            at = chunk = hole.end + (2 + len(hole.spec) if hole.spec is not None else 1)


def _scan_hole(shape: Shape, text: str, start: int, limit: int, nesting: int) -> Hole | None:
    """Find the `}` that closes the hole whose expression begins at `start`."""
    depth = 0
    at = start
    while True:
        found = _HOLE_STOP.search(text, at, limit)
        stop = found[0] if found else "\n"
        if found is None or (stop == "\n" and not shape.multiline):
            break
        at = found.end()
        if stop[-1] in "\"'":
            inner = _scan_nested(shape, text, start, found.start(), limit, nesting)
            if inner is None:
                return None
            at = inner.end
        elif stop in "([{":
            depth += 1
        elif stop == ":" and depth == 0:
            return _scan_spec(shape, text, start, at, limit)
        elif stop in ")]}":
            if depth == 0 and stop == "}":
                return Hole(start, at - 1, None)
            depth = max(depth - 1, 0)
    shape.problem = _unclosed_hole(start)
    return None


def _unclosed_hole(start: int) -> tuple[Rule, str, int]:
    message = "this `{` is not closed; write `{{` for a brace"
    return catalogue.UNTERMINATED_INTERPOLATION, message, start - 1


def _scan_nested(shape: Shape, text: str, start: int, at: int, limit: int, nesting: int) -> Shape | None:
    """Scan the text at `at` in the hole from `start`; if that fails, so does the whole."""
    if nesting >= MAX_NESTING:
        shape.problem = (catalogue.TOO_DEEP, "text is nested too deeply in text", at)
        return None
    inner = scan_text(text, at, limit, nesting + 1)
    if inner.problem is None:
        return inner
    too_deep = inner.problem[0] is catalogue.TOO_DEEP
    shape.problem = inner.problem if too_deep else _unclosed_hole(start)
    return None


def _scan_spec(shape: Shape, text: str, start: int, spec: int, limit: int) -> Hole | None:
    """Make the hole whose format spec begins at `spec`, after the colon."""
    found = _SPEC_END.search(text, spec, limit)
    if found is None or found[0] != "}":
        shape.problem = _unclosed_hole(start)
        return None
    return Hole(start, spec - 1, text[spec : found.start()])


def decode_chunks(text: str, shape: Shape, complain: Complain) -> list[str]:
    """Return what each chunk of the literal stands for, in order."""
    chunks = [part for part in shape.parts if isinstance(part, Chunk)]
    pieces = [text[chunk.start : chunk.end] for chunk in chunks]
    if not shape.raw:
        for chunk in chunks:
            _check_escapes(text, chunk, complain)
    if shape.multiline and pieces:
        pieces = _without_margin(pieces)
    return pieces if shape.raw else [_ESCAPE.sub(_resolve, piece) for piece in pieces]


def plain_source(text: str, shape: Shape) -> str:
    """Return the contents of a literal as they are written, the margin removed."""
    if not shape.parts:
        return ""
    first, last = shape.parts[0], shape.parts[-1]
    contents = text[first.start : last.end]
    return _without_margin([contents])[0] if shape.multiline else contents


def _resolve(escape: Match[str]) -> str:
    """Return the character that a well-formed escape stands for."""
    byte, point, simple, doubled, stray = escape.groups()
    if doubled or stray:
        return (doubled or stray)[0]
    if byte or point:
        value = int(byte or point, 16)
        return chr(value) if _is_character(value) else "\ufffd"
    return _SIMPLE_ESCAPES.get(simple, simple)


def _is_character(value: int) -> bool:
    return value <= 0x10FFFF and not 0xD800 <= value <= 0xDFFF


def _check_escapes(text: str, chunk: Chunk, complain: Complain) -> None:
    """Report the escapes and braces of a chunk that mean nothing."""
    for found in _ESCAPE.finditer(text, chunk.start, chunk.end):
        byte, point, simple, doubled, stray = found.groups()
        if stray:
            complain(
                catalogue.STRAY_BRACE,
                found.start(),
                found.end(),
                f"a lone `{stray}` in text; write `{stray * 2}` for a brace",
            )
        elif point and not _is_character(int(point, 16)):
            complain(catalogue.BAD_ESCAPE, *found.span(), f"there is no character `{found[0]}`")
        elif not (byte or point or doubled) and simple not in _SIMPLE_ESCAPES:
            complain(catalogue.BAD_ESCAPE, *found.span(), _bad_escape(simple))


def _bad_escape(simple: str) -> str:
    if simple == "x":
        return r"`\x` takes two hexadecimal digits"
    if simple == "u":
        return r"`\u` takes one to six hexadecimal digits in braces"
    if simple in ("", "\n"):
        return r"`\` at the end of a line in text; write `\\` for a backslash"
    return f"unknown escape `\\{simple}`; write `\\\\` for a backslash"


def _without_margin(pieces: list[str]) -> list[str]:
    """Remove the common indentation, an empty first line and a blank last one.

    A hole stands between two pieces, so only what follows a line end inside a piece is
    at the start of a line.
    """
    lines = [piece.split("\n") for piece in pieces]
    margin = _margin(lines)
    lines = [[first, *(line[margin:] for line in rest)] for first, *rest in lines]
    if len(lines[0]) > 1 and not lines[0][0].strip(" \t"):
        del lines[0][0]
    closing = lines[-1]
    if len(closing) > 1 and not closing[-1].strip(" \t"):
        del closing[-1]
    return ["\n".join(piece) for piece in lines]


def _margin(pieces: list[list[str]]) -> int:
    """Return the indentation that all lines share, the closing line's included.

    A blank line has no say, unless a hole or the closing quotes follow on it.
    """
    margin = None
    for piece in pieces:
        for number, line in enumerate(piece[1:], start=2):
            blanks = len(line) - len(line.lstrip(" \t"))
            if blanks < len(line) or number == len(piece):
                margin = blanks if margin is None else min(margin, blanks)
    return margin or 0
