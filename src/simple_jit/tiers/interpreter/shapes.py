"""Text → closures.

Constants, instances and functions of the interpreter are free variables of the text, `b0`, `b1` …; in a
flat function the locals are `x0`, `x1` …, in other closures cells of the frame `f`:

    def make(b0):                          lambda b0, b1: lambda f: f[b0] + b1
     def run(x0):
      return b0.call(x0 + 1)

So a closure does exactly what its nodes need, with no dispatch inside. Closures over a frame that look
alike are made by the same maker, which is compiled once in a process.
"""

from __future__ import annotations

from types import CodeType, FunctionType

from simple_jit.hir.nodes import Local, LoopTarget
from simple_jit.tiers.interpreter.operations import NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, TypeAlias

Closure: TypeAlias = "Callable[..., Any]"

FILE_NAME: Final = "<simple>"
"""The file name of code objects of function activations, in Python tracebacks."""

MAKERS: Final = 2048
"""Makers that are remembered: a process may run any number of programs."""

_makers: dict[str, Closure] = {}


def _remember(text: str, maker: Closure) -> None:
    if len(_makers) == MAKERS:
        _makers.clear()
    _makers[text] = maker


def _continue() -> list[str]:
    return ["continue"]


FIRST_LINE: Final = 3
"""The number that the first line of a function's body has in its code."""


class Shape:
    """A closure under construction: the values its free variables take, and its temporaries.

    In a `tail` shape, which returns the function's result, `return` in the text leaves the function; in
    the others a statement returns a signal. `loop` is the innermost loop in the text, `on_continue` gives
    the lines that continue it. `fixed` has the names of the length and of the data (its index in the view of
    the elements) of arrays that cannot change where the text is.
    """

    __slots__ = ("binds", "fixed", "loop", "on_continue", "tail", "temps")

    def __init__(self, tail: bool = False) -> None:
        self.binds: list[Any] = []
        self.fixed: dict[Local, tuple[str, str]] = {}
        self.temps = 0
        self.tail = tail
        self.loop: LoopTarget | None = None
        self.on_continue: Callable[[], list[str]] = _continue

    def bind(self, value: object) -> str:
        """Make `value` a free variable and return its name."""
        self.binds.append(value)
        return f"b{len(self.binds) - 1}"

    def temp(self) -> str:
        """Return the name of a fresh temporary."""
        self.temps += 1
        return f"t{self.temps}"

    def named(self, text: str) -> tuple[str, str]:
        """Return text to evaluate first, and a name for the value afterwards."""
        if text.isidentifier() or text[0].isdigit():
            return text, text
        name = self.temp()
        return f"({name} := {text})", name

    def expression(self, text: str) -> Closure:
        """Finish as `lambda f: text`."""
        maker = _makers.get(text)
        if maker is None:
            maker = eval(f"lambda {self._names()}: lambda f: {text}", NAMES)
            _remember(text, maker)
        closure: Closure = maker(*self.binds)
        return closure

    def statements(self, lines: list[str]) -> Closure:
        """Finish as a function of the frame with these lines as its body."""
        return self._define("f", lines, shared=True)

    def function(self, arity: int, lines: list[str]) -> Closure:
        """Finish as a function of `arity` values `a0`, `a1` …"""
        return self._define(", ".join([f"a{i}" for i in range(arity)]), lines, shared=True)

    def flat_function(self, arity: int, lines: list[str]) -> Closure:
        """Finish as a function whose parameters are its locals `x0`, `x1` …"""
        return self._define(", ".join([f"x{i}" for i in range(arity)]), lines, shared=False)

    def _define(self, params: str, lines: list[str], shared: bool) -> Closure:
        body = "\n  ".join(lines)
        text = f" def run({params}):\n  {body}\n return run"
        maker = _makers.get(text)
        if maker is None:
            scope: dict[str, Closure] = {}
            exec(f"def make({self._names()}):\n{text}", NAMES, scope)
            maker = scope["make"]
            if shared:
                _remember(text, maker)
        closure: Closure = maker(*self.binds)
        return closure

    def _names(self) -> str:
        return ", ".join([f"b{i}" for i in range(len(self.binds))])


def renamed(closure: Closure, name: str) -> Closure:
    """Return `closure` with code of its own, so that a traceback can tell what was running."""
    assert isinstance(closure, FunctionType)
    code: CodeType = closure.__code__.replace(co_name=name, co_filename=FILE_NAME)
    return FunctionType(code, closure.__globals__, name, None, closure.__closure__)
