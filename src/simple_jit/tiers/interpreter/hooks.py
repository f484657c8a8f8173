"""How the interpreter and the engine above it meet.

The interpreter counts calls of instances and rounds of loops; where a count reaches its threshold it
asks its `Hooks`. A threshold of None means never, and then nothing is counted.

Loops. `hot_loop(site, frame)` may return a *handler*: a callable that runs the loop from its next
round to its end. `handler(frame, state)` finds the locals in `frame` (a list; `frame[local.index]`)
and leaves them there. `state` is None for a `Loop`, which goes on by testing its condition; for a
`ForRange` it is `(next, stop, step)`: the next value of the variable, and the two bounds as the loop
evaluated them. There is at least one round left. The handler returns how the loop was left:

    None                            its end, or a break of the loop itself
    RETURN                          a return; the value is in `frame[-1]`
    site.signals[target, "break"]   a break or continue of a loop around it

The same signals are what statement closures return; None from them is normal completion.
"""

from __future__ import annotations

from simple_jit.hir import nodes as hir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, TypeAlias

    from simple_jit.tiers.interpreter.instance import Instance

Frame: TypeAlias = "list[Any]"
State: TypeAlias = "tuple[int, int, int]"
Handler: TypeAlias = "Callable[[Frame, State | None], Signal | None]"
Escape: TypeAlias = "tuple[hir.LoopTarget | None, str]"
"""The key of a signal: a loop and `break` or `continue`, or None and `return`."""


class Signal:
    """A way to leave a statement other than its end."""

    __slots__ = ("kind", "target")

    def __init__(self, kind: str, target: hir.LoopTarget | None) -> None:
        self.kind = kind
        self.target = target

    def __repr__(self) -> str:
        return f"<{self.kind} {self.target.index}>" if self.target else f"<{self.kind}>"


RETURN: Final = Signal("return", None)

NEVER_HOT: Final = (1 << 63) - 1


class Window:
    """A stretch of the calls of a program: how many are `left` of it."""

    __slots__ = ("left",)

    def __init__(self, size: int) -> None:
        self.left = size


class Hooks:
    """What the interpreter asks of the engine; by default nothing is ever hot.

    With a `window`, functions are hot by their share of its calls, else by their number.
    """

    call_threshold: int | None = None
    loop_threshold: int | None = None
    window: Window | None = None

    def hot_function(self, instance: Instance) -> None:
        """An instance has been called `call_threshold` times; may replace `instance.call`."""

    def window_full(self, window: Window) -> None:
        """No calls are left of the window: it starts anew, and what was called most may be compiled."""

    def hot_loop(self, site: LoopSite, frame: Frame) -> Handler | None:
        """A loop has run `loop_threshold` rounds; None: go on interpreting it for good."""
        return None

    def extern(self, extern: hir.Extern) -> Callable[..., Any]:
        """Return what runs an extern function: it takes and returns values in the interpreter's form."""
        raise NotImplementedError(extern.name)

    def function(self, symbol: str) -> hir.Function:
        """Return the instance called `symbol`, of which native code made a function value."""
        raise NotImplementedError(symbol)


class LoopSite:
    """A loop of an instance, with the count of rounds left until it is hot.

    `handler` runs it natively, once there is one. `signals` has an entry for each way in which the loop
    can leave a loop around it.
    """

    __slots__ = ("_hooks", "function", "handler", "left", "loop", "signals")

    def __init__(
        self,
        hooks: Hooks,
        threshold: int,
        function: hir.Function,
        loop: hir.Loop | hir.ForRange,
        signals: dict[Escape, Signal],
    ) -> None:
        self._hooks = hooks
        self.function = function
        self.loop = loop
        self.left = threshold
        self.signals = signals
        self.handler: Handler | None = None

    def heat(self, frame: Frame) -> Handler | None:
        """Return the handler that should take over; asked when no rounds are left."""
        if self.handler is None:
            self.handler = self._hooks.hot_loop(self, frame)
        self.left = NEVER_HOT if self.handler is None else 0
        return self.handler

    def take(self, rounds: range) -> range:
        """Return those of the rounds that are still to be interpreted, and count them.

        What it returns is `rounds` itself where that is all of them.
        """
        left = self.left
        if left == NEVER_HOT:
            return rounds
        part = rounds[:left]
        self.left = left - len(part)
        return part if self.left == 0 else rounds
