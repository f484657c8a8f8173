"""Literals: numbers, text with its holes, `true`, `false`, `nil`."""

from __future__ import annotations

from simple_jit.base import catalogue
from simple_jit.base.source import Span
from simple_jit.syntax import ast
from simple_jit.syntax.cursor import ParseError
from simple_jit.syntax.lexer import tokenize_range
from simple_jit.syntax.parse_type import TypeParser
from simple_jit.syntax.patterns import compile_pattern
from simple_jit.syntax.text_literal import Hole, decode_chunks, plain_source, scan_text
from simple_jit.syntax.tokens import END, FLOAT, INT, TEXT, Token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.diagnostics import Rule
    from simple_jit.syntax.ast import Expr, LiteralExpr

_INT = compile_pattern(
    r"(?:0[xX]([0-9a-fA-F_]+)|0[bB]([01_]+)|0[oO]([0-7_]+)|([0-9][0-9_]*))([iu](?:8|16|32|64))?"
)
_FLOAT = compile_pattern(r"([0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9][0-9_]*)?)(f32|f64)?")
_BASES = (16, 2, 8, 10)

MAX_DIGITS = 400
"""More digits than this are out of range without being looked at."""


class LiteralParser(TypeParser):
    """Parses literals; the expressions in text by a parser over their own tokens."""

    def literal(self) -> LiteralExpr | ast.InterpolatedText:
        kind = self.token.kind
        if kind == INT:
            return self._int()
        if kind == FLOAT:
            return self._float()
        if kind == TEXT:
            return self.text_literal()
        span = self.token_span()
        self.advance()
        return ast.NilLiteral(span) if kind == "nil" else ast.BoolLiteral(span, kind == "true")

    def _int(self) -> ast.IntLiteral:
        token = self.advance()
        span = Span(self.file, token.start, token.end)
        found = _INT.fullmatch(token.text)
        if found is None:
            self._bad_number(token, span)
            return ast.IntLiteral(span, 0, None)
        *digits, suffix = found.groups()
        for base, text in zip(_BASES, digits, strict=True):
            if text is not None:
                return ast.IntLiteral(span, self._int_value(text, base, span), suffix)
        raise AssertionError("one of the bases matches")

    def _int_value(self, digits: str, base: int, span: Span) -> int:
        plain = digits.replace("_", "")
        if not plain:
            self.complain(catalogue.BAD_NUMBER, span, "a number without digits")
            return 0
        if len(plain) > MAX_DIGITS:
            self.complain(catalogue.NUMBER_OUT_OF_RANGE, span, "no type holds so large a number")
            return 0
        return int(plain, base)

    def _float(self) -> ast.FloatLiteral:
        token = self.advance()
        span = Span(self.file, token.start, token.end)
        found = _FLOAT.fullmatch(token.text)
        if found is None:
            self._bad_number(token, span)
            return ast.FloatLiteral(span, 0.0, None)
        return ast.FloatLiteral(span, float(found[1].replace("_", "")), found[2])

    def _bad_number(self, token: Token, span: Span) -> None:
        shown = token.text if len(token.text) <= 30 else f"{token.text[:27]}..."
        self.complain(catalogue.BAD_NUMBER, span, f"`{shown}` is not a number").note(
            "the suffixes are `i8` to `i64`, `u8` to `u64`, `f32` and `f64`"
        )

    # --- Text ---

    def text_literal(self) -> ast.TextLiteral | ast.InterpolatedText:
        token = self.advance()
        text = self.file.text
        span = Span(self.file, token.start, token.end)
        plain = text[token.start + 1 : token.end - 1]
        if token.text[0] == '"' and not _needs_scan(plain):
            return ast.TextLiteral(span, plain)
        shape = scan_text(text, token.start, token.end)
        pieces = iter(decode_chunks(text, shape, self._complain_at))
        parts: list[ast.TextLiteral | ast.Interpolation] = []
        for part in shape.parts:
            if isinstance(part, Hole):
                parts.append(self._interpolation(part))
            elif piece := next(pieces):
                parts.append(ast.TextLiteral(Span(self.file, part.start, part.end), piece))
        if any(isinstance(part, ast.Interpolation) for part in parts):
            return ast.InterpolatedText(span, parts)
        only = parts[0] if parts else None
        return ast.TextLiteral(span, only.value if isinstance(only, ast.TextLiteral) else "")

    def _complain_at(self, rule: Rule, start: int, end: int, message: str) -> None:
        self.complain(rule, Span(self.file, start, end), message)

    def _interpolation(self, hole: Hole) -> ast.Interpolation:
        span = Span(self.file, hole.start - 1, hole.end + 1 + len(hole.spec or ""))
        value: Expr = ast.ErrorExpr(span)
        outer = self.tokens, self.at, self.token, self.end, self.in_brackets
        self.tokens = tokenize_range(self.file, self.reporter, hole.start, hole.end)
        self.at, self.token, self.end, self.in_brackets = 0, self.tokens[0], hole.start, True
        depth = self.depth
        try:
            value = self._hole_value(span)
        except ParseError:
            self.depth = depth
        self.tokens, self.at, self.token, self.end, self.in_brackets = outer
        return ast.Interpolation(span, value, hole.spec)

    def _hole_value(self, span: Span) -> Expr:
        if self.token.kind == END:
            self.complain(catalogue.EMPTY_INTERPOLATION, span, "there is nothing between the braces")
            return ast.ErrorExpr(span)
        value = self.expression()
        if self.token.kind != END:
            self.fail(
                catalogue.EXPECTED_TOKEN,
                f"expected `}}` after the expression, found {self.found()}",
            )
        return value

    def docstring(self) -> str:
        """Take a text literal as a docstring: as it is written, braces and all."""
        token = self.advance()
        shape = scan_text(self.file.text, token.start, token.end)
        return plain_source(self.file.text, shape)


_needs_scan = compile_pattern(r'[\\{}"]').search
