"""The parser's place in the tokens, and what all its layers share.

The parser is one class in layers, a file each, from the leaves of the grammar up:

    Cursor → TypeParser → PatternParser → ExpressionParser → StatementParser → Parser

A layer that needs a higher one (a lambda has a body) calls a method declared here.
"""

from __future__ import annotations

from simple_jit.base import catalogue
from simple_jit.base.source import Span
from simple_jit.syntax.ast import Ident
from simple_jit.syntax.tokens import DEDENT, KEYWORDS, NAME, NEWLINE, Token, described

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from simple_jit.base.diagnostics import Diagnostic, Reporter, Rule
    from simple_jit.base.source import SourceFile
    from simple_jit.syntax.ast import Block, Expr, Pattern, TypeExpr

MAX_DEPTH = 256
"""How deep brackets, blocks, prefix operators, types and patterns may nest together."""

FRAMES_PER_LEVEL = 16
"""An upper bound of the Python calls that one level of nesting takes."""


_LAMBDA = r"a lambda is written `\x: …`"
_EXPECTED_HINTS = {
    ("after the arguments", "->"): _LAMBDA,
    ("after the arguments", "=>"): _LAMBDA,
    ("after the patterns", "="): "a loop over numbers is written `for i in 0..n:`",
    ("before the body", "="): "to compare, write `==`",
    ("before the body", "{"): "a block is indented after a `:`, not put in braces",
}
"""What a person means who writes this token in this place, as other languages have it."""


class ParseError(Exception):
    """Unwinds the parser to the statement that is being parsed, after an error was reported."""


class Cursor:
    """A place in the tokens, with the means to look, step and complain."""

    def __init__(self, file: SourceFile, reporter: Reporter, tokens: list[Token]) -> None:
        self.file = file
        self.reporter = reporter
        self.tokens = tokens
        self.at = 0
        self.token = tokens[0]
        self.end = self.token.start
        """Where the last token that was taken ends."""
        self.depth = 0
        self.in_brackets = False
        """True where a comma separates items, false where it makes a bare tuple."""

    # --- Stepping ---

    def advance(self) -> Token:
        """Take the current token."""
        token = self.token
        self.end = token.end
        self.at += 1
        self.token = self.tokens[self.at]
        return token

    def accept(self, kind: str) -> Token | None:
        """Take the current token if it is of this kind."""
        return self.advance() if self.token.kind == kind else None

    def expect(self, kind: str, where: str) -> Token:
        """Take a token of this kind; `where` ends the message: "after the pattern"."""
        if self.token.kind != kind:
            hint = _EXPECTED_HINTS.get((where, self.token.kind))
            message = f"expected `{kind}` {where}, found {self.found()}"
            self.fail(catalogue.EXPECTED_TOKEN, message, *([hint] if hint else []))
        return self.advance()

    def peek(self, ahead: int = 1) -> Token:
        """Return a token after the current one, END beyond the last."""
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def previous_kind(self) -> str:
        return self.tokens[self.at - 1].kind if self.at > 0 else NEWLINE

    def spaced(self) -> bool:
        """Tell whether white space stands before the current token."""
        return self.at > 0 and self.tokens[self.at - 1].end < self.token.start

    def ends_line(self, place: int) -> bool:
        """Tell whether nothing stands between a place in the file and the end of its line."""
        return self.file.text[place:].partition("\n")[0].strip() == ""

    def starts_new_statement(self) -> bool:
        """Tell whether the current token follows a block: then no operand goes on."""
        return self.token.indent >= 0 and self.previous_kind() == DEDENT

    # --- Names ---

    def name(self, what: str) -> Ident:
        """Take a name that declares or refers to `what`: "a function name"."""
        token = self.token
        if token.kind != NAME:
            self._fail_name(what)
        self.advance()
        return Ident(Span(self.file, token.start, token.end), token.text)

    def _fail_name(self, what: str) -> NoReturn:
        if self.token.kind in KEYWORDS:
            self.fail(catalogue.KEYWORD_AS_NAME, f"expected {what}, but {self.found()} is a keyword")
        self.fail(catalogue.EXPECTED_NAME, f"expected {what}, found {self.found()}")

    def any_name(self, what: str) -> Ident:
        """Take a name where keywords are names too: after a `.`, before a field's `:`."""
        token = self.token
        if token.kind in KEYWORDS:
            self.advance()
            return Ident(Span(self.file, token.start, token.end), token.text)
        return self.name(what)

    def is_label(self) -> bool:
        """Tell whether `name:` begins here, keywords included."""
        token = self.token
        return (token.kind == NAME or token.kind in KEYWORDS) and self.peek().kind == ":"

    # --- Spans, depth and errors ---

    def span_from(self, start: int) -> Span:
        """Return the span from `start` to the end of the last token taken."""
        return Span(self.file, start, max(self.end, start))

    def token_span(self) -> Span:
        return Span(self.file, self.token.start, self.token.end)

    def enter(self) -> None:
        """Go one level deeper; the caller takes it back with `depth -= 1`."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(catalogue.TOO_DEEP, f"nested too deeply: more than {MAX_DEPTH} levels")

    def found(self) -> str:
        return described(self.token)

    def fail(self, rule: Rule, message: str, *hints: str) -> NoReturn:
        """Report an error at the current token and give up on the statement."""
        self.complain(rule, self.token_span(), message, *hints)
        raise ParseError

    def complain(self, rule: Rule, span: Span, message: str, *hints: str) -> Diagnostic:
        """Report an error and go on."""
        diagnostic = rule.at(span, message)
        for hint in hints:
            diagnostic.hint(hint)
        self.reporter.report(diagnostic)
        return diagnostic

    # --- What the lower layers need of the higher ones ---

    def type(self) -> TypeExpr:
        raise NotImplementedError

    def pattern(self) -> Pattern:
        raise NotImplementedError

    def expression(self) -> Expr:
        raise NotImplementedError

    def body(self, *, single: bool = False) -> Block:
        raise NotImplementedError
