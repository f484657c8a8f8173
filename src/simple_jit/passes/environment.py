"""What passes may ask about the rest of the program."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from simple_jit.mir.nodes import Function


class Environment:
    """What the function being worked on is part of, and how much it may grow.

    `mir_of` gives the MIR of an instance (None where there is none, or it must not be inlined); it is
    not changed. Sizes count instructions and terminators: functions of up to `small` are inlined
    wherever they are called, those of up to `in_loops` where that is in a loop, those marked `inline`
    of up to `marked`, until a function has grown by `growth`.
    """

    __slots__ = ("growth", "in_loops", "marked", "mir_of", "small")

    def __init__(
        self,
        mir_of: Callable[[str], Function | None] = lambda symbol: None,
        small: int = 24,
        in_loops: int = 24,
        marked: int = 100,
        growth: int = 300,
    ) -> None:
        self.mir_of = mir_of
        self.small = small
        self.in_loops = in_loops
        self.marked = marked
        self.growth = growth
