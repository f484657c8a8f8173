"""Which calls of the program the frames in a Python traceback stand for.

A flat function is one frame; others have a frame for each closure. The instruction that a frame is at tells
which free variable its call began with, and that tells the place (see `FunctionCompiler.bind_callee`).
"""

from __future__ import annotations

from simple_jit.base.source import Span
from simple_jit.tiers.interpreter.compiler import span_name
from simple_jit.tiers.interpreter.operations import site_of
from simple_jit.tiers.interpreter.shapes import FILE_NAME, FIRST_LINE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType, TracebackType

    from simple_jit.mir.nodes import Site
    from simple_jit.tiers.interpreter.machine import Interpreter


class Activation:
    """A function that was running: its symbol, and the site of the call it was in, if that is known."""

    __slots__ = ("site", "symbol", "traceback")

    def __init__(self, symbol: str, traceback: TracebackType) -> None:
        self.symbol = symbol
        self.traceback = traceback
        self.site: Site | None = None


def activations(interpreter: Interpreter, entries: Iterable[TracebackType]) -> list[Activation]:
    """Return the functions that `entries` of a traceback stand for, outermost first like those.

    The `traceback` of each is the entry for its call, or that of the function itself.
    """
    found: list[Activation] = []
    for entry in entries:
        code = entry.tb_frame.f_code
        if code.co_filename == FILE_NAME:
            found.append(Activation(code.co_name, entry))
        elif code.co_filename != "<string>":  # what `eval` and `exec` were given
            continue
        if found:
            span = _place(interpreter, entry, found[-1].symbol)
            if span is not None:
                site = site_of(span)
                site.symbol = found[-1].symbol
                found[-1].site, found[-1].traceback = site, entry
    return found


def statement_site(interpreter: Interpreter, activation: Activation) -> Site | None:
    """Return the place of the statement that a function was at; None where that is not known."""
    places = interpreter.places.get(activation.symbol)
    if places is None:
        return None
    span = places.statement(activation.traceback.tb_lineno - FIRST_LINE)
    return site_of(span) if span is not None else None


def _place(interpreter: Interpreter, entry: TracebackType, symbol: str) -> Span | None:
    """Return the place of the call that a frame is in."""
    frame = entry.tb_frame
    name = _callee(frame.f_code, entry.tb_lasti)
    if name is None:
        return None
    if frame.f_code.co_filename == FILE_NAME:
        places = interpreter.places.get(symbol)
        if places is not None and name in places.calls:
            return places.calls[name]
    span = frame.f_locals.get(span_name(name))
    return span if isinstance(span, Span) else None


_callees: dict[tuple[CodeType, int], str | None] = {}
"""Looked up before; emptied when it is large."""


def _callee(code: CodeType, instruction: int) -> str | None:
    """Return the free variable that the call at an offset in `code` begins with."""
    key = code, instruction
    if key not in _callees:
        if len(_callees) > 1000:
            _callees.clear()
        _callees[key] = _find_callee(code, instruction)
    return _callees[key]


def _find_callee(code: CodeType, instruction: int) -> str | None:
    from dis import get_instructions
    from itertools import islice

    line, _, column, _ = next(islice(code.co_positions(), instruction // 2, None), (None,) * 4)
    if column is None:
        return None
    for each in get_instructions(code):
        start = each.positions
        if each.opname == "LOAD_DEREF" and start is not None:
            if (start.lineno, start.col_offset) == (line, column):
                name: str = each.argval
                return name
    return None
