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
    """Up to how many nodes an expression or a statement may have to be part of its parent's closure.

    A larger one gets a closure of its own. Small closures come in few shapes, which costs least where
    code runs once; large ones run faster.
    """

    __slots__ = ("expression", "statement")

    def __init__(self, expression: int, statement: int) -> None:
        self.expression = expression
        self.statement = statement


COLD: Final = Limits(4, 8)
HOT: Final = Limits(24, 60)


class FunctionCompiler:
    """Compiles the body of one function. Loops are taken to be hot."""

    __slots__ = (
        "facts",
        "function",
        "interpreter",
        "limits",
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

    def place(self, span: Span) -> str:
        """Return the text of where to report an error; None where that is the caller's place."""
        return "None" if self.function.track_caller else self.shape.bind(span)

    def signal(self, escape: Escape) -> Signal:
        """Return the signal of a way to leave."""
        found = self.signals.get(escape)
        if found is None:
            found = self.signals[escape] = Signal(escape[1], escape[0])
        return found
