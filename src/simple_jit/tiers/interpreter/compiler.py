"""The state of compiling one function to closures, which `expressions` and `statements` share."""

from __future__ import annotations

from simple_jit.base.source import Span
from simple_jit.hir import nodes as hir
from simple_jit.tiers.interpreter.facts import Facts, collect
from simple_jit.tiers.interpreter.hooks import RETURN, Signal
from simple_jit.tiers.interpreter.shapes import Shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from simple_jit.tiers.interpreter.hooks import Escape
    from simple_jit.tiers.interpreter.machine import Interpreter


class Limits:
    """Up to how many nodes an expression or a statement may have to be part of its parent's closure."""

    __slots__ = ("expression", "statement")

    def __init__(self, expression: int, statement: int) -> None:
        self.expression = expression
        self.statement = statement


FLAT: Final = Limits(1 << 30, 1 << 30)
"""One closure for a whole function: cheapest to make and fastest to run (measured), if it can be."""

FLAT_LIMIT: Final = 2000
"""Up to how many nodes a function may have to be compiled as one closure."""

SEPARATE: Final = Limits(24, 60)
"""For functions that need several closures."""


_MARK: Final = "  # "


class Places:
    """Where in the source the code of a flat function is.

    `calls` by the free variable that each begins with; `statements` by the numbers in comments at the ends
    of `lines`, the text of the body.
    """

    __slots__ = ("calls", "lines", "statements")

    def __init__(self) -> None:
        self.calls: dict[str, Span] = {}
        self.statements: list[Span] = []
        self.lines: list[str] = []

    def statement(self, line: int) -> Span | None:
        """Return the place of the statement that the line with an index is of; None before the first."""
        for text in reversed(self.lines[: line + 1]):
            _, mark, number = text.rpartition(_MARK)
            if mark:
                return self.statements[int(number)]
        return None


def span_name(name: str) -> str:
    """Return the free variable that has the place of the call which begins with `name`."""
    return f"b{int(name[1:]) + 1}"


class NotFlat(Exception):
    """Something in a function needs a closure of its own."""


class FunctionCompiler:
    """Compiles the body of one function.

    A *flat* function is one closure, in which Python's own locals hold those of the function; otherwise
    there is a frame, a list, which the closures share.

    `places` is what tracebacks need to know of a flat function.
    """

    __slots__ = (
        "facts",
        "flat",
        "function",
        "interpreter",
        "limits",
        "places",
        "shape",
        "signals",
    )

    def __init__(
        self, interpreter: Interpreter, function: hir.Function, body: hir.Expr, limits: Limits
    ) -> None:
        self.interpreter = interpreter
        self.function = function
        self.facts: dict[hir.Expr, Facts] = collect(body)
        self.signals: dict[Escape, Signal] = {(None, "return"): RETURN}
        self.shape = Shape(tail=True)
        self.limits = limits
        self.places = Places()
        self.flat = limits is FLAT

    def place(self, span: Span) -> str:
        """Return the text of where to report an error; None where that is the caller's place."""
        return "None" if self.function.track_caller else self.shape.bind(span)

    def bind_callee(self, callee: object, span: Span) -> str:
        """Make what a call begins with a free variable, of which tracebacks know the place."""
        name = self.shape.bind(callee)
        if self.flat:
            self.places.calls[name] = span
        else:
            # Functions with the same text share their code. The next free variable tells the place.
            self.shape.bind(span)
        return name

    def call(self, name: str, text: str) -> str:
        """Return the text of a call that begins with `name`, which `bind_callee` gave."""
        # The code never gets to the place, but what is named is a free variable.
        return text if self.flat else f"({text} if 1 else {span_name(name)})"

    def marked(self, lines: list[str], span: Span) -> list[str]:
        """Note at the first line of a statement in a flat function where it is in the source."""
        if self.flat and lines:
            lines[0] += f"{_MARK}{len(self.places.statements)}"
            self.places.statements.append(span)
        return lines

    def local(self, local: hir.Local) -> str:
        """Return the text of a local."""
        return f"x{local.index}" if self.flat else f"f[{self.shape.bind(local.index)}]"

    def number(self, value: float) -> str:
        """Return the text of a constant: a literal in a flat function, else a free variable."""
        if not self.flat or value - value != 0:  # what is infinite or NaN has no literal
            return self.shape.bind(value)
        return f"({value!r})" if repr(value)[0] == "-" else repr(value)

    def begin_closure(self) -> Shape:
        """Start a closure inside of the one under construction, which is returned."""
        if self.flat:
            raise NotFlat
        outer, self.shape = self.shape, Shape()
        return outer

    def signal(self, escape: Escape) -> Signal:
        """Return the signal of a way to leave."""
        found = self.signals.get(escape)
        if found is None:
            found = self.signals[escape] = Signal(escape[1], escape[0])
        return found
