"""Source files and the spans that point into them.

Every token, node and diagnostic carries a `Span`; a `SourceFile` turns its offsets
into lines and columns. Both count Unicode code points, so a tab is one column.
"""

from __future__ import annotations

from bisect import bisect_right


class SourceFile:
    r"""The text of one file, with `path` as diagnostics should show it.

    Lines end with `\n` alone: `load_source` normalises the other line ends.
    """

    __slots__ = ("_line_starts", "path", "text")

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self._line_starts: list[int] | None = None

    def __repr__(self) -> str:
        return f"SourceFile({self.path!r}, {len(self.text)} characters)"

    def line_starts(self) -> list[int]:
        """Return the offset of each line's first character; built on first use."""
        starts = self._line_starts
        if starts is None:
            starts = [0]
            at = self.text.find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = self.text.find("\n", at + 1)
            self._line_starts = starts
        return starts

    @property
    def line_count(self) -> int:
        return len(self.line_starts())

    def line_column(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and column of `offset`.

        Raises:
            ValueError: `offset` is outside the file, so it was made for another one.
        """
        if not 0 <= offset <= len(self.text):
            raise ValueError(f"offset {offset} is outside {self!r}")
        starts = self.line_starts()
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def line_text(self, line: int) -> str:
        """Return line number `line` (1-based) without its line end."""
        starts = self.line_starts()
        start = starts[line - 1]
        end = starts[line] - 1 if line < len(starts) else len(self.text)
        return self.text[start:end]

    def span(self, start: int, end: int) -> Span:
        return Span(self, start, end)


class Span:
    """The half-open stretch `start..end` of a file. Immutable by convention."""

    __slots__ = ("end", "file", "start")

    def __init__(self, file: SourceFile, start: int, end: int) -> None:
        self.file = file
        self.start = start
        self.end = end

    def __repr__(self) -> str:
        line, column = self.line_column()
        return f"{self.file.path}:{line}:{column}+{self.end - self.start}"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Span)
            and self.start == other.start
            and self.end == other.end
            and self.file is other.file
        )

    def __hash__(self) -> int:
        return hash((self.start, self.end))

    @property
    def line(self) -> int:
        """The 1-based line of the first character."""
        return self.file.line_column(self.start)[0]

    @property
    def text(self) -> str:
        return self.file.text[self.start : self.end]

    def line_column(self) -> tuple[int, int]:
        """Return the 1-based line and column of the first character."""
        return self.file.line_column(self.start)

    def join(self, other: Span) -> Span:
        """Return the smallest span that covers both; they must be of one file."""
        return Span(self.file, min(self.start, other.start), max(self.end, other.end))
