r"""Layout: from indentation to NEWLINE, INDENT and DEDENT tokens.

The lexer marks the first token of each line with its column. `lay_out` adds the layout
tokens outside of brackets, and balances the brackets, so that the parser never meets an
unclosed one. Inside brackets lines do not count, until the parser finds that a `:` at a
line's end opens a body and calls `lay_out_block` there:

    xs.map(\x:             ... : INDENT val y = x * x NEWLINE y + 1 NEWLINE DEDENT )
        val y = x * x
        y + 1)
"""

from __future__ import annotations

from simple_jit.base import catalogue
from simple_jit.base.source import Span
from simple_jit.syntax.tokens import (
    ASSIGNMENT_OPERATORS,
    CLOSERS,
    CONTINUING,
    DEDENT,
    END,
    INDENT,
    NAME,
    NEWLINE,
    OPENERS,
    Token,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.diagnostics import Reporter
    from simple_jit.base.source import SourceFile

_DECLARING = frozenset({"struct", "class", "enum", "impl", "trait", "use", "extern", "const"})
_LEADING = frozenset({".", "?.", "|>"})


def lay_out(
    raw: list[Token], source: SourceFile, reporter: Reporter, *, in_brackets: bool = False
) -> list[Token]:
    """Add layout to the raw tokens of a file, or of an expression `in_brackets`."""
    layout = _Layout(source, reporter, in_brackets)
    tokens = layout.run(raw)
    opener = layout.unclosed
    if opener is None:
        return tokens
    # Try again with the bracket closed where its contents seem to end: else the rest of
    # the file would count as its contents.
    again = _Layout(source, reporter, in_brackets)
    return again.run(_close(raw, opener))


def lay_out_block(tokens: list[Token], at: int, source: SourceFile, reporter: Reporter) -> None:
    """Add layout to the body that begins at `tokens[at]`, inside brackets.

    The body goes on until a line that is indented less or the closing bracket.
    """
    first = tokens[at]
    levels = _Levels(first.indent, source, reporter)
    out = [Token(INDENT, "", first.start, first.start), first]
    depth = 1 if first.kind in CLOSERS else 0
    end = at + 1
    while depth > 0 or not _ends_region(tokens, end, first.indent):
        token = tokens[end]
        if depth == 0 and token.indent >= 0:
            levels.start_line(token, out)
        depth += (token.kind in CLOSERS) - (token.kind in OPENERS)
        out.append(token)
        end += 1
    levels.finish(out, tokens[end - 1].end)
    tokens[at:end] = out


def _ends_region(tokens: list[Token], at: int, indent: int) -> bool:
    token = tokens[at]
    if token.kind in OPENERS or token.kind == END:
        return True
    return 0 <= token.indent < indent


def _close(raw: list[Token], opener: Token) -> list[Token]:
    """Return the tokens with a closer for `opener` before the line that ends it.

    That is the first line after it that is indented no deeper than the opener's line.
    """
    at = raw.index(opener)
    line = at
    while line > 0 and raw[line].indent < 0:
        line -= 1
    end = at + 1
    while raw[end].kind != END and not 0 <= raw[end].indent <= raw[line].indent:
        end += 1
    place = raw[end - 1].end
    closer = Token(CLOSERS[opener.kind], "", place, place)
    return [*raw[:end], closer, *raw[end:]]


class _Levels:
    """The indentation levels that are open, and the layout tokens they give."""

    def __init__(self, indent: int, source: SourceFile, reporter: Reporter) -> None:
        self._columns = [indent]
        self._source = source
        self._reporter = reporter

    def start_line(self, token: Token, out: list[Token]) -> None:
        """Add to `out` the layout tokens before `token`, the first of its line."""
        column = token.indent
        current = self._columns[-1]
        if column > current:
            self._deeper(token, out)
        elif column < current:
            self._shallower(token, out)
        elif out and not _continues(token, out):
            end = out[-1].end
            out.append(Token(NEWLINE, "", end, end))

    def finish(self, out: list[Token], end: int) -> None:
        """Close all levels of a block inside brackets, the first included."""
        out.append(Token(NEWLINE, "", end, end))
        out += [Token(DEDENT, "", end, end) for _ in self._columns]

    def _deeper(self, token: Token, out: list[Token]) -> None:
        """Begin a block; whether one may begin here is for the parser to say."""
        if out and (_continues(token, out) or out[-1].kind in ASSIGNMENT_OPERATORS):
            return
        self._columns.append(token.indent)
        out.append(Token(INDENT, "", token.start, token.start))

    def _shallower(self, token: Token, out: list[Token]) -> None:
        end = out[-1].end
        out.append(Token(NEWLINE, "", end, end))
        columns = self._columns
        while len(columns) > 1 and token.indent < columns[-1]:
            if token.indent > columns[-2]:
                self._report_dedent(token)
                if columns[-1] - token.indent < token.indent - columns[-2]:
                    return
            columns.pop()
            out.append(Token(DEDENT, "", end, end))

    def _report_dedent(self, token: Token) -> None:
        outer, inner = self._columns[-2:]
        self._reporter.report(
            catalogue.BAD_DEDENT.at(
                Span(self._source, token.start, token.end),
                f"this line is indented by {token.indent}, but the blocks around it by {outer} and {inner}",
            )
        )


def _continues(token: Token, out: list[Token]) -> bool:
    """Tell whether the line of `token` goes on with the line that `out` ends with."""
    if token.kind in _LEADING:
        return True
    last = out[-1]
    if last.kind not in CONTINUING:
        return False
    before = out[-2] if len(out) > 1 else last
    if last.kind == "*":
        return before.kind != "."  # `use a.b.*`
    # `-> List<T>` ends a line, `a >` does not.
    return last.kind not in (">", ">>") or before.end < last.start


class _Layout:
    """One pass over raw tokens: balances the brackets, adds the layout outside of them.

    `unclosed` is the outermost bracket that the text does not close, after `run`.
    """

    def __init__(self, source: SourceFile, reporter: Reporter, in_brackets: bool) -> None:
        self._source = source
        self._reporter = reporter
        self._in_brackets = in_brackets
        self._open: list[Token] = []
        self._out: list[Token] = []
        self.unclosed: Token | None = None

    def run(self, raw: list[Token]) -> list[Token]:
        levels = _Levels(0, self._source, self._reporter)
        out, opened = self._out, self._open
        in_brackets = self._in_brackets
        for at, token in enumerate(raw):
            kind = token.kind
            if token.indent >= 0:
                if opened and (kind == END or _declares(raw, at)):
                    self._close_all()
                if not opened and not in_brackets:
                    levels.start_line(token, out)
            if kind in CLOSERS:
                opened.append(token)
            elif kind in OPENERS and not self._closes(token):
                continue
            out.append(token)
        return out

    def _close_all(self) -> None:
        """Close what is still open before a token that cannot be inside brackets."""
        self.unclosed = self._open[0]
        self._report_unclosed(self.unclosed)
        for opener in reversed(self._open):
            self._insert_closer(opener)
        self._open.clear()

    def _closes(self, closer: Token) -> bool:
        """Take a closing bracket off the stack; false if it is to be dropped."""
        opened = self._open
        wanted = OPENERS[closer.kind]
        if not opened:
            self._report_mismatch(closer, f"`{closer.kind}` closes nothing")
            return False
        if all(opener.kind != wanted for opener in opened[-4:]):
            opener = opened.pop()
            self._report_mismatch(closer, f"`{closer.kind}` cannot close `{opener.kind}`", opener)
            self._insert_closer(opener)
            return False
        while opened[-1].kind != wanted:
            self._report_unclosed(opened[-1])
            self._insert_closer(opened.pop())
        opened.pop()
        return True

    def _insert_closer(self, opener: Token) -> None:
        end = self._out[-1].end
        self._out.append(Token(CLOSERS[opener.kind], "", end, end))

    def _report_mismatch(self, closer: Token, message: str, opener: Token | None = None) -> None:
        diagnostic = catalogue.MISMATCHED_BRACKET.at(self._span(closer), message)
        if opener is not None:
            diagnostic.also(self._span(opener), "opened here")
        self._reporter.report(diagnostic)

    def _report_unclosed(self, opener: Token) -> None:
        self._reporter.report(
            catalogue.UNCLOSED_BRACKET.at(self._span(opener), f"this `{opener.kind}` is not closed")
        )

    def _span(self, token: Token) -> Span:
        return Span(self._source, token.start, token.end)


def _declares(raw: list[Token], at: int) -> bool:
    """Tell whether a line can only begin a declaration, so that brackets end before it."""
    token = raw[at]
    if token.kind == "fn":
        return token.indent == 0 and raw[at + 1].kind == NAME
    return token.indent == 0 and token.kind in _DECLARING
