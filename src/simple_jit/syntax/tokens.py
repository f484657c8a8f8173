"""Tokens: what the lexer makes and the parser reads.

The kind of a keyword or an operator is its own text (`if`, `+=`); the other kinds are
the names in capitals below. Layout is in the stream as NEWLINE, INDENT and DEDENT.
"""

from __future__ import annotations

NAME = "NAME"
INT = "INT"
FLOAT = "FLOAT"
TEXT = "TEXT"
LABEL = "LABEL"
NEWLINE = "NEWLINE"
INDENT = "INDENT"
DEDENT = "DEDENT"
END = "END"

LAYOUT = frozenset({NEWLINE, INDENT, DEDENT, END})


class Token:
    """A piece of the source, `start..end`, whose kind is as described above.

    `indent` is the column of a token that is the first on its line, else -1. Layout
    tokens are empty and stand at the end of the token before them.
    """

    __slots__ = ("kind", "text", "start", "end", "indent")

    def __init__(self, kind: str, text: str, start: int, end: int, indent: int = -1) -> None:
        self.kind = kind
        self.text = text
        self.start = start
        self.end = end
        self.indent = indent

    def __repr__(self) -> str:
        return f"Token({self.kind} {self.text!r} {self.start}..{self.end})"


def described(token: Token) -> str:
    """Name a token in a message: `` `+` ``, "the end of the line"."""
    return _LAYOUT_NAMES.get(token.kind) or f"`{_shortened(token.text)}`"


def _shortened(text: str) -> str:
    first = text.split("\n", 1)[0]
    return first if len(first) <= 30 and first == text else f"{first[:27]}..."


_LAYOUT_NAMES = {
    NEWLINE: "the end of the line",
    INDENT: "an indented block",
    DEDENT: "the end of the block",
    END: "the end of the file",
}

_KEYWORDS = """
    fn val var let const struct class enum impl trait extern use import export pub static me
    type if elif else for in while loop match break continue pass and or not is as xor true
    false nil self defer with try catch finally throw where mut return
"""

KEYWORDS = {word: word for word in _KEYWORDS.split()}
"""Keywords by their text. `case` is left out: it is a name except before an arm."""

CLOSERS = {"(": ")", "[": "]", "{": "}"}
OPENERS = {")": "(", "]": "[", "}": "{"}

ASSIGNMENT_OPERATORS = frozenset(
    {"=", "+=", "-=", "*=", "/=", "//=", "%=", "**=", "&=", "|=", "^=", "<<=", ">>=", "??="}
)

_BINARY_OPERATORS = """
    , . ?. + - * / // % ** & | ^ << >> < > == != <= >= ?? |> .. ..=
    and or not in is as xor
"""

CONTINUING = frozenset(_BINARY_OPERATORS.split())
"""A line that ends with one of these goes on in the next line.

After an assignment operator it does so only if the next line is indented deeper: else a
missing value would swallow the next statement.
"""
