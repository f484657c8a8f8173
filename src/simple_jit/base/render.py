"""Diagnostics as text, in the manner of rustc.

    error[E0201]: there is no `cuont` here
      --> shop.spl:3:11
       |
     3 |     print cuont
       |           ^^^^^
       = help: did you mean `count`?

Tabs are shown as four spaces, wide characters count two columns, control characters
are shown as `·`, and of a long line only the part around the marked span is shown.
"""

from __future__ import annotations

from simple_jit.base.diagnostics import Diagnostic
from simple_jit.base.source import SourceFile, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LINE_WIDTH = 120
"""How many columns of a source line are shown at most."""

CLIP_CONTEXT = 40
"""How many characters before a marked span are kept when a line is clipped."""

_TAB = "    "
_RESET = "\x1b[0m"
_STYLES = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "frame": "\x1b[1;34m", "bold": "\x1b[1m"}


def render(diagnostics: Iterable[Diagnostic], color: bool) -> str:
    """Show the diagnostics in order, an empty line between two; ends with a newline."""
    shown = [_Renderer(color).diagnostic(diagnostic) for diagnostic in diagnostics]
    return "\n".join(shown)


class _Mark:
    """A stretch of one source line to underline, and the text beside it."""

    __slots__ = ("end", "primary", "start", "text")

    def __init__(self, start: int, end: int, text: str, primary: bool) -> None:
        self.start = start
        self.end = end
        self.text = text
        self.primary = primary


class _Renderer:
    """Renders one diagnostic; `gutter` is the width of its largest line number."""

    def __init__(self, color: bool) -> None:
        self._color = color
        self._gutter = 1

    def diagnostic(self, diagnostic: Diagnostic) -> str:
        spans = [label.span for label in diagnostic.labels]
        if diagnostic.span:
            spans.append(diagnostic.span)
        self._gutter = max((len(str(span.line)) for span in spans), default=1)
        lines = [self._headline(diagnostic)]
        for file, marks in _marks_by_file(diagnostic):
            lines += self._snippet(file, marks)
        lines += [self._remark("note", note) for note in diagnostic.notes]
        lines += [self._remark("help", hint) for hint in diagnostic.hints]
        return "\n".join(lines) + "\n"

    def _headline(self, diagnostic: Diagnostic) -> str:
        severity = self._paint(f"{diagnostic.severity}[{diagnostic.code}]", diagnostic.severity)
        return severity + self._paint(f": {diagnostic.message}", "bold")

    def _remark(self, kind: str, text: str) -> str:
        indent = " " * (self._gutter + 2)
        body = text.replace("\n", f"\n{indent}        ")
        return f"{indent}{self._paint('=', 'frame')} {self._paint(f'{kind}:', 'bold')} {body}"

    def _snippet(self, file: SourceFile, marks: dict[int, list[_Mark]]) -> list[str]:
        first = next(iter(marks))
        column = marks[first][0].start + 1
        arrow = self._paint("-->", "frame")
        lines = [f"{' ' * self._gutter} {arrow} {file.path}:{first}:{column}", self._margin()]
        previous = None
        for line in sorted(marks):
            if previous is not None and line > previous + 1:
                lines.append(self._paint("...", "frame"))
            lines += self._marked_line(line, file.line_text(line), marks[line])
            previous = line
        return lines

    def _marked_line(self, number: int, text: str, marks: Sequence[_Mark]) -> list[str]:
        """Show one source line with a row of underlining for each of its marks."""
        window = _Window(text, marks[0])
        lines = [f"{self._margin(number)} {window.shown}".rstrip()]
        for mark in marks:
            start, width = window.columns(mark)
            sign = "^" if mark.primary else "-"
            underline = f"{sign * width} {mark.text}".rstrip()
            style = "error" if mark.primary else "frame"
            lines.append(f"{self._margin()} {' ' * start}{self._paint(underline, style)}")
        return lines

    def _margin(self, number: int | None = None) -> str:
        shown = "" if number is None else str(number)
        return self._paint(f" {shown:>{self._gutter}} |", "frame")

    def _paint(self, text: str, style: str) -> str:
        return f"{_STYLES[style]}{text}{_RESET}" if self._color else text


class _Window:
    """The part of a source line that is shown, and where its characters land."""

    def __init__(self, text: str, focus: _Mark) -> None:
        start, end = _clip(text, focus)
        self._start = start
        self._cells = [_cell(char) for char in text[start:end]]
        self._prefix = "..." if start > 0 else ""
        suffix = "..." if end < len(text) else ""
        self.shown = f"{self._prefix}{''.join(self._cells)}{suffix}"

    def columns(self, mark: _Mark) -> tuple[int, int]:
        """Return where the underlining of `mark` starts, and its width."""
        start = min(max(mark.start - self._start, 0), len(self._cells))
        end = min(max(mark.end - self._start, start), len(self._cells))
        before = sum(_width(cell) for cell in self._cells[:start])
        width = sum(_width(cell) for cell in self._cells[start:end])
        return len(self._prefix) + before, max(width, 1)


def _clip(text: str, focus: _Mark) -> tuple[int, int]:
    """Choose the part of a line to show: all of it, or the part around `focus`."""
    if len(text) <= LINE_WIDTH:
        return 0, len(text)
    start = max(min(focus.start - CLIP_CONTEXT, len(text) - LINE_WIDTH), 0)
    return start, min(start + LINE_WIDTH, len(text))


def _cell(char: str) -> str:
    """Return what stands for `char` on a terminal."""
    if char == "\t":
        return _TAB
    return char if char.isprintable() else "·"


def _width(cell: str) -> int:
    """Return how many terminal columns a cell takes."""
    if cell.isascii():
        return len(cell)
    from unicodedata import combining, east_asian_width

    if combining(cell):
        return 0
    return 2 if east_asian_width(cell) in "WF" else 1


def _marks_by_file(
    diagnostic: Diagnostic,
) -> list[tuple[SourceFile, dict[int, list[_Mark]]]]:
    """Group the marks by file and line, the primary one first."""
    grouped: dict[SourceFile, dict[int, list[_Mark]]] = {}
    if diagnostic.span:
        _add_mark(grouped, diagnostic.span, "", primary=True)
    for label in diagnostic.labels:
        _add_mark(grouped, label.span, label.text, primary=False)
    return list(grouped.items())


def _add_mark(
    grouped: dict[SourceFile, dict[int, list[_Mark]]], span: Span, text: str, *, primary: bool
) -> None:
    """Add the mark of one span; of a span over several lines only the first is marked."""
    line, column = span.line_column()
    start = column - 1
    end = min(start + span.end - span.start, len(span.file.line_text(line)))
    grouped.setdefault(span.file, {}).setdefault(line, []).append(_Mark(start, end, text, primary))
