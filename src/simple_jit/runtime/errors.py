"""Errors of a running program: one exception, one place that words the messages, one rendering.

    error: IndexError: index 10 is out of range for length 3
      --> prog.spl:4:7
       |
     4 |     xs[10]
       |       ^
       = in pick, called from
           table  prog.spl:8   pick(xs) + 1
           main   prog.spl:11  print table()

The interpreter raises `SimpleError` itself. Native code leaves numbers in the context (kind, site and
two operands) and unwinds; `take_error` turns them into the same exception. What Python code raised that
native code called is kept in `PYTHON_ERROR`; what a protected call of the interpreter was left by, in
`Context.pending`.
"""

from __future__ import annotations

from simple_jit.hir.nodes import ErrorKind
from simple_jit.mir import abi
from simple_jit.mir.nodes import Site
from simple_jit.runtime.context import Context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from simple_jit.runtime.stretches import Stretch

_RECORDED = abi.ERROR_NUMBER["Recorded"]
_FIXED = {
    "NilError": "unwrapped nil",
    "DivisionByZero": "division by zero",
    "Overflow": "integer overflow",
    "StackOverflow": "stack overflow",
    "OutOfMemory": "out of memory",
}


class Frame:
    """A call that was under way: the function that made it, and where."""

    __slots__ = ("column", "file", "function", "line")

    def __init__(self, function: str, file: str, line: int, column: int) -> None:
        self.function = function
        self.file = file
        self.line = line
        self.column = column

    def __repr__(self) -> str:
        return f"<{self.function} at {self.file}:{self.line}:{self.column}>"


class SimpleError(Exception):
    """An error of the program. `site` is None until the place to report is known.

    `trail` has what it came through before it was thrown again: the sites of calls, and native parts as
    they are (`stretches`). `find_frames` is set when the error leaves a tier.
    """

    def __init__(self, kind: ErrorKind, message: str, site: Site | None = None) -> None:
        super().__init__(kind, message)
        self.kind = kind
        self.message = message
        self.site = site
        self.trail: list[Site | Stretch | None] = []
        self.find_frames: Callable[[BaseException], list[Frame | None]] | None = None

    @property
    def frames(self) -> list[Frame | None]:
        """The calls that were under way, the one that failed first; None where some are left out.

        As long as the engine is not closed.
        """
        return self.find_frames(self) if self.find_frames is not None else []

    def __str__(self) -> str:
        text = f"{self.kind}: {self.message}"
        site = self.site
        return f"{text} ({site.file}:{site.line}:{site.column})" if site else text


class SimpleExit(BaseException):
    """The program asked to end with the status `code`; no handler of the program catches it."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def message_for(kind: str, a: int, b: int, read_text: Callable[[int], str]) -> str:
    """Return the message of an error whose operands are `a` and `b`.

    With `b` = `abi.MESSAGE`, `a` is the address of the message. Else an `IndexError` has an index and a
    length, and the other kinds have one fixed message each.
    """
    if b == abi.MESSAGE:
        return read_text(a)
    if kind == "IndexError":
        return f"index {a} is out of range for length {b}"
    return _FIXED[kind]


def take_error(context: Context, read_text: Callable[[int], str]) -> BaseException:
    """Return the error that native code left by, and clear the record."""
    context.store(abi.FAILED, 0)
    number = context.load(abi.ERROR_KIND)
    site = context.site(context.load(abi.ERROR_SITE))
    if number == _RECORDED:
        return _take_pending(context, site, read_text)
    _python_error(context)  # one that was not taken, since a signal came in
    kind = abi.ERROR_KINDS[number]
    a, b = context.load(abi.ERROR_A), context.load(abi.ERROR_B)
    return SimpleError(kind, message_for(kind, a, b, read_text), site)  # type: ignore[arg-type]


def take_callback_error(context: Context, read_text: Callable[[int], str]) -> BaseException:
    """Return the error that a function which C called was left by; C has returned."""
    context.store(abi.ERROR_KIND, _RECORDED)
    context.store(abi.ERROR_SITE, 0)
    return take_error(context, read_text)


def _take_pending(context: Context, site: Site | None, read_text: Callable[[int], str]) -> BaseException:
    error, context.pending = context.pending, None
    if error is None:
        error = _python_error(context) or _callback_error(context, read_text)
    assert error is not None, "native code reported an error that nobody recorded"
    if isinstance(error, SimpleError) and error.site is None:
        error.site = site
    if context.waiting:
        from simple_jit.runtime.stretches import add_waiting

        add_waiting(context, error)
    return error


_BAD_CALLBACKS = {
    abi.FOREIGN_THREAD: "C called a function of the program from a thread of its own",
    abi.DEAD_CALLBACK: "C called a function value that the program keeps no longer",
}


def _callback_error(context: Context, read_text: Callable[[int], str]) -> BaseException | None:
    """Return the error that a function which C called was left by, or why it was not called."""
    why, kind = context.load(abi.BAD_CALLBACK), context.load(abi.SAVED_ERROR)
    if why:
        context.store(abi.BAD_CALLBACK, 0)
        return SimpleError("Panic", _BAD_CALLBACKS[why])
    if not kind:
        return None
    _, number, a, b = [context.load(abi.SAVED_ERROR + 8 * place) for place in range(4)]
    context.store(abi.SAVED_ERROR, 0)
    name = abi.ERROR_KINDS[kind]
    return SimpleError(name, message_for(name, a, b, read_text), context.site(number))  # type: ignore[arg-type]


def _python_error(context: Context) -> BaseException | None:
    """Return the exception that Python called from native code left by."""
    if not context.load(abi.PYTHON_ERROR):
        return None
    import ctypes

    cell: Any = ctypes.py_object.from_address(context.address + abi.PYTHON_ERROR)
    found: BaseException = cell.value
    context.store(abi.PYTHON_ERROR, 0)
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(found))
    return found


_SHOWN = 8
"""Calls that are shown at either end of a long traceback."""
_REPEATED = 3
"""Calls in a row at the same line that are all shown."""

_PLAIN = {"error": "", "frame": "", "bold": "", "end": ""}
_COLOR = {"error": "\x1b[1;31m", "frame": "\x1b[1;34m", "bold": "\x1b[1m", "end": "\x1b[0m"}


def render_error(error: SimpleError, line_of: Callable[[str, int], str | None], color: bool = False) -> str:
    """Show an uncaught error; ends with a newline.

    Args:
        error: what ended the program.
        line_of: returns the text of a line of a file, None where it is not known.
        color: whether to use the escape codes of a terminal.
    """
    style = _COLOR if color else _PLAIN
    end = style["end"]
    headline = f"{style['error']}error{end}{style['bold']}: {error.kind}: {error.message}{end}\n"
    frames = error.frames
    place: Site | Frame | None = error.site
    if error.kind == "StackOverflow" and frames:
        place = frames[0]  # the same in all tiers
    return headline + _render_way(place, frames, line_of, style)


def render_interrupt(
    frames: list[Frame | None], line_of: Callable[[str, int], str | None], color: bool = False
) -> str:
    """Show where a program was when it was interrupted; the arguments are those of `render_error`."""
    style = _COLOR if color else _PLAIN
    innermost = next(iter(frames), None)
    headline = f"{style['error']}interrupted{style['end']}\n"
    return headline + _render_way(innermost, frames, line_of, style)


def _render_way(
    place: Site | Frame | None,
    frames: list[Frame | None],
    line_of: Callable[[str, int], str | None],
    style: dict[str, str],
) -> str:
    """Show a place and the calls that led to it, `frames`, of which the first is that of the place."""
    if place is None:
        return ""
    gutter = " " * len(str(place.line))
    margin = f"{style['frame']} {gutter} |{style['end']}"
    text = f"{gutter} {style['frame']}-->{style['end']} {place.file}:{place.line}:{place.column}\n"
    line = line_of(place.file, place.line)
    if line is not None:
        shown, before = clip_line(line, place.column - 1)
        text += (
            f"{margin}\n"
            f"{style['frame']} {place.line} |{style['end']} {shown}\n"
            f"{margin} {' ' * before}{style['error']}^{style['end']}\n"
        )
    if len(frames) < 2 or frames[0] is None:
        return text
    function = f"in {frames[0].function}, called from"
    text += f"{style['frame']} {gutter} ={style['end']} {function}\n"
    return text + "".join([f"   {gutter}   {row}\n" for row in _rows(frames[1:], line_of)])


def _rows(frames: list[Frame | None], line_of: Callable[[str, int], str | None]) -> list[str]:
    """Show calls, one a line; of many those at the ends, of a call that repeats itself the first."""
    frames = _without_repetition(frames)
    if len(frames) > 2 * _SHOWN + 1:
        frames = [*frames[:_SHOWN], None, *frames[-_SHOWN:]]
    known = [frame for frame in frames if frame is not None]
    places = {frame: f"{frame.file}:{frame.line}" for frame in known}
    function_width = min(max([text_width(frame.function) for frame in known], default=0), 40)
    place_width = min(max([text_width(place) for place in places.values()], default=0), 60)
    rows = []
    for frame in frames:
        if frame is None:
            rows.append("…")
            continue
        line = line_of(frame.file, frame.line) or ""
        shown = clip_line(line.strip(), 0)[0]
        function = frame.function + " " * (function_width - text_width(frame.function))
        place = places[frame] + " " * (place_width - text_width(places[frame]))
        rows.append(f"{function}  {place}  {shown}".rstrip())
    return rows


def _without_repetition(frames: list[Frame | None]) -> list[Frame | None]:
    """Put a gap in place of all but the first of many calls at the same line."""
    runs: list[list[Frame | None]] = []
    for frame in frames:
        last = runs[-1][0] if runs else None
        if (
            frame is None
            or last is None
            or (frame.file, frame.line, frame.function)
            != (
                last.file,
                last.line,
                last.function,
            )
        ):
            runs.append([frame])
        else:
            runs[-1].append(frame)
    kept: list[Frame | None] = []
    for run in runs:
        is_long = len(run) > _REPEATED
        for frame in [run[0], None] if is_long else run:
            if frame is not None or not kept or kept[-1] is not None:
                kept.append(frame)
    return kept


def clip_line(line: str, column: int) -> tuple[str, int]:
    """Return the part of `line` to show, and how many columns lie before the marked character."""
    start = 0 if len(line) <= 120 else max(min(column - 40, len(line) - 120), 0)
    before = "".join(map(_cell, line[start:column]))
    shown = before + "".join(map(_cell, line[column : start + 120]))
    dots = "..." if start else ""
    return dots + shown.rstrip(), len(dots) + text_width(before)


def _cell(character: str) -> str:
    if character == "\t":
        return "    "
    return character if character.isprintable() else "·"


def text_width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)
