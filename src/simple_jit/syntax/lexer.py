"""The lexer: source text to tokens.

One compiled pattern finds the next token; only text literals that interpolate are
scanned piece by piece (`text_literal.py`). Layout is added by `layout.py`:

    if a:            if  NAME  :  INDENT  NAME  NEWLINE  DEDENT  END
        b
"""

from __future__ import annotations

from simple_jit.base import catalogue
from simple_jit.base.source import Span
from simple_jit.syntax.layout import lay_out
from simple_jit.syntax.patterns import DOTALL, VERBOSE, compile_pattern
from simple_jit.syntax.text_literal import scan_text
from simple_jit.syntax.tokens import END, FLOAT, INT, KEYWORDS, LABEL, NAME, TEXT, Token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from re import Match

    from simple_jit.base.diagnostics import Reporter
    from simple_jit.base.source import SourceFile

_TOKEN = compile_pattern(
    r"""[ \t\r\f]*(?:
      (?![rf]")([^\W\d]\w*)                                             # 1 word
    | (\*\*=|//=|<<=|>>=|\?\?=|\.\.\.|\.\.=
      |->|=>|\|>|[=!<>+\-*/%&|^]=|\*\*|//|<<|>>|\.\.|\?\?|\?\.(?!\.)|\.\?
      |[-+*/%&|^~<>=()\[\]{},:;.?!@])                                   # 2 operator
    | ((?:\#[^\n]*)?\n(?:[ \t\r\f]*(?:\#[^\n]*)?\n)*)([ \t\r\f]*)      # 3, 4 line end
    | ("[^"\\\n{}]*"(?!"))                                              # 5 plain text
    | ([0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9][0-9_]*)?\w*)    # 6 number
    | ([rf]?"|')                                                        # 7 other text
    | (\\[ \t\r\f]*(?:\n|\Z))                                           # 8 continuation
    | (\\)                                                              # 9 lambda
    | (\#[^\n]*|\Z)                                                     # 10 comment, end
    | ([^\w \t\r\n\f"'\#\\\-+*/%&|^~<>=()\[\]{},:;.?!@]+|.)             # 11 unknown
    )""",
    VERBOSE | DOTALL,
)
_WORD, _OPERATOR, _LINE_END, _INDENT, _PLAIN, _NUMBER, _TEXT, _JOIN, _LAMBDA, _COMMENT = range(1, 11)

_DIGITS = compile_pattern(r"[0-9]+")
_LABEL_BEFORE_LOOP = compile_pattern(r"'[^\W\d]\w*(?=[ ]*:[ ]*(?:for|while|loop)\b)")
_LABEL_ALONE = compile_pattern(r"'[^\W\d]\w*(?!')")

_TAB_STOP = 4
_FLOAT_SIGNS = frozenset(".eEf")
_CURLY_QUOTES = frozenset("\u2018\u2019\u201c\u201d")


def tokenize(source: SourceFile, reporter: Reporter) -> list[Token]:
    """Return the tokens of a file, layout included; the last one is END."""
    tokens = _Lexer(source, reporter).run(0, len(source.text))
    return lay_out(tokens, source, reporter)


def tokenize_range(source: SourceFile, reporter: Reporter, start: int, end: int) -> list[Token]:
    """Return the tokens of an expression inside text, without layout, and END."""
    tokens = _Lexer(source, reporter).run(start, end)
    tokens[0].indent = -1
    return lay_out(tokens, source, reporter, in_brackets=True)


class _Lexer:
    """Makes the raw tokens of a stretch of a file."""

    def __init__(self, source: SourceFile, reporter: Reporter) -> None:
        self._source = source
        self._text = source.text
        self._reporter = reporter
        self._tokens: list[Token] = []
        self._tabs_reported = False

    def run(self, at: int, end: int) -> list[Token]:
        tokens = self._tokens
        text = self._text
        match = _TOKEN.match
        keyword = KEYWORDS.get
        indent, at = self._first_indent(at)
        while at < end:
            found = match(text, at, end)
            assert found is not None, "the last alternative takes any character"
            group = found.lastindex
            at = found.end()
            if group == _WORD:
                word = found[_WORD]
                tokens.append(Token(keyword(word, NAME), word, at - len(word), at, indent))
            elif group in (_OPERATOR, _LAMBDA):
                word = found[group]
                tokens.append(Token(word, word, at - len(word), at, indent))
            elif group == _INDENT:
                indent = self._indent(found.start(_INDENT), at)
                continue
            elif group == _PLAIN:
                word = found[_PLAIN]
                tokens.append(Token(TEXT, word, at - len(word), at, indent))
            elif group == _NUMBER:
                at = self._number(found.start(_NUMBER), found[_NUMBER], indent)
            elif group == _TEXT:
                at = self._quoted(found.start(_TEXT), end, indent)
            elif group != _COMMENT:
                self._other(found)
                continue
            indent = -1
        tokens.append(Token(END, "", end, end, 0))
        return tokens

    def _first_indent(self, at: int) -> tuple[int, int]:
        """Return the indentation of the first line and where its text begins."""
        start = at
        while self._text.startswith((" ", "\t"), at):
            at += 1
        return self._indent(start, at), at

    def _indent(self, start: int, end: int) -> int:
        """Return the column after the blanks `start..end`; a tab among them is an error."""
        if "\t" not in self._text[start:end]:
            return end - start
        if not self._tabs_reported:
            self._tabs_reported = True
            at = self._text.index("\t", start)
            self._reporter.report(
                catalogue.TAB_INDENTATION.at(self._span(at, at + 1), "a tab in the indentation")
                .hint("indent with spaces; four a level is usual")
                .note("further tabs in this file are not reported")
            )
        return len(self._text[start:end].expandtabs(_TAB_STOP))

    def _number(self, start: int, text: str, indent: int) -> int:
        """Add a number; after a `.` it is only digits, so that `t.0.1` has two elements."""
        if self._tokens and self._tokens[-1].kind in (".", "?."):
            digits = _DIGITS.match(text)
            assert digits is not None, "a number begins with a digit"
            text = digits[0]
        end = start + len(text)
        self._tokens.append(Token(_number_kind(text), text, start, end, indent))
        return end

    def _quoted(self, start: int, limit: int, indent: int) -> int:
        """Add a label or a text literal that the main pattern leaves to us."""
        label = self._label(start, indent) if self._text[start] == "'" else None
        if label is not None:
            self._tokens.append(Token(LABEL, label[1:], start, start + len(label), indent))
            return start + len(label)
        shape = scan_text(self._text, start, limit)
        if shape.problem is not None:
            rule, message, place = shape.problem
            self._reporter.report(rule.at(self._span(place, shape.end), message))
        self._tokens.append(Token(TEXT, self._text[start : shape.end], start, shape.end, indent))
        return shape.end

    def _label(self, start: int, indent: int) -> str | None:
        """Return the label at `start`, or None if raw text begins there."""
        previous = self._tokens[-1].kind if self._tokens else ";"
        if previous in ("break", "continue"):
            found = _LABEL_ALONE.match(self._text, start)
        elif indent >= 0 or previous == ";" or self._begins_body(previous, start):
            found = _LABEL_BEFORE_LOOP.match(self._text, start)
        else:
            found = None
        return found[0] if found else None

    def _begins_body(self, previous: str, start: int) -> bool:
        """Tell whether a quote after `:` begins a labelled loop rather than raw text."""
        if previous != ":":
            return False
        line_end = self._text.find("\n", start)
        return self._text.find("'", start + 1, line_end if line_end >= 0 else len(self._text)) < 0

    def _other(self, found: Match[str]) -> None:
        """Check a continuation, which leaves no token; report unknown characters."""
        start, end = found.start(found.lastindex or 0), found.end()
        if found.lastindex == _JOIN:
            if end >= len(self._text):
                self._reporter.report(
                    catalogue.BAD_CONTINUATION.at(self._span(start, end), "there is no line after this `\\`")
                )
            return
        characters = self._text[start:end]
        shown = characters if characters.isprintable() else ascii(characters)[1:-1]
        diagnostic = catalogue.UNKNOWN_CHARACTER.at(
            self._span(start, end), f"unknown character `{shown[:20]}`"
        )
        if _CURLY_QUOTES.intersection(characters):
            diagnostic.hint('text is written between straight quotes: `"`')
        self._reporter.report(diagnostic)

    def _span(self, start: int, end: int) -> Span:
        return Span(self._source, start, end)


def _number_kind(text: str) -> str:
    """Tell an integer from a float; whether it is well formed is checked by the parser."""
    if text[:2] in ("0x", "0X", "0b", "0B", "0o", "0O"):
        return INT
    return FLOAT if _FLOAT_SIGNS.intersection(text) else INT
