"""The native parts of the way that an error took: which calls were under way where it began.

A throw abandons the stack between itself and the innermost landing place. Where that is an entry from
Python, or protected code that wants to know, the stub copies the stack to `ctx.STACK` first: whole,
or both ends of a long one. A *stretch* is such a copy. Nothing is looked up in it before somebody asks for
a traceback (`walk`); so a throw costs no more for it than the copy.

    landing place -> inner(…)             [.. frame of g | return to f | frame of f | return to inner ..]
                       f(…)                   `call_at(address)`: the size of the frame, and the site
                         g(…): throw

An error that crosses several stretches of native code has them one after the other among the Python
frames of its own traceback; a stretch knows the innermost of those that are outside of it.
"""

from __future__ import annotations

from struct import Struct

from simple_jit.mir import abi
from simple_jit.runtime.errors import SimpleError
from simple_jit.runtime.memory import BYTES
from simple_jit.tiers.contract import EXPLICIT_SITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Final

    from simple_jit.mir.nodes import Site
    from simple_jit.runtime.context import Context

    CallAt = Callable[[int], tuple[int, tuple[int, ...]] | None]

_MOST: Final = 64
"""Stretches that are kept of one error, half of them those where it began."""
_WORD: Final = Struct("<Q")
_NAME: Final = "_simple_stretches"
_UNCERTAIN: Final = 3
"""Calls to leave out where a walk starts in the middle of a stack: old values may lead to the first."""


class Stretch:
    """A piece of stack that was abandoned.

    `stack` is its innermost part and `outer_stack`, where not all of it was copied, the outermost. `site` is
    the number of the place that the error says it is at. `inside` is the traceback that the error had then.
    """

    __slots__ = ("inside", "outer_stack", "site", "stack")

    def __init__(
        self, stack: bytes, outer_stack: bytes, site: int, inside: TracebackType | None = None
    ) -> None:
        self.stack = stack
        self.outer_stack = outer_stack
        self.site = site
        self.inside = inside


def last_stretch(context: Context) -> Stretch | None:
    """Return what the last throw abandoned, if it was copied; it is returned once."""
    pointer, landing = context.load(abi.STACK), context.load(abi.STACK + 8)
    if not pointer:
        return None
    context.store(abi.STACK, 0)
    size = landing - pointer
    inner = min(size, abi.STACK_END)
    start = context.address + abi.STACK + 16
    outer = min(size - inner, abi.STACK_END)
    copied = bytes(BYTES[start : start + inner + outer])
    if inner + outer == size:
        return Stretch(copied, b"", context.load(abi.ERROR_SITE))
    return Stretch(copied[:inner], copied[inner:], context.load(abi.ERROR_SITE))


def note_stretch(context: Context, error: BaseException) -> None:
    """Let `error`, which has just left native code, know what it came through there."""
    if isinstance(error, SimpleError):
        error.find_frames = context.frames_of
    add_stretch(error, last_stretch(context))


def add_stretch(error: BaseException, stretch: Stretch | None) -> None:
    """Add what `error` came through last."""
    if stretch is None:
        return
    stretch.inside = error.__traceback__
    known: list[Stretch] = error.__dict__.setdefault(_NAME, [])
    if len(known) >= _MOST:
        del known[_MOST // 2]
    known.append(stretch)


def hold_stretch(context: Context) -> None:
    """Keep what was just abandoned until C, which called that, has returned and the error is taken."""
    stretch = last_stretch(context)
    if stretch is not None:
        context.waiting.append(stretch)


def add_waiting(context: Context, error: BaseException) -> None:
    """Add what was kept to the error that C has returned with."""
    for stretch in context.waiting:
        add_stretch(error, stretch)
    context.waiting.clear()


def stretches_of(error: BaseException) -> list[Stretch]:
    """Return the native parts of the way of `error`, innermost first."""
    found: list[Stretch] = error.__dict__.get(_NAME, [])
    return found


def forget_stretches(error: BaseException) -> None:
    """Drop them: what they tell is known."""
    error.__dict__.pop(_NAME, None)


class WayTable:
    """The ways of errors that were caught last: where they came through, should they be thrown again.

    A program may keep errors for good, but seldom throws one again of those before the last few.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._count = 0
        self._errors: dict[int, BaseException] = {}

    def keep(self, error: BaseException) -> int:
        """Keep where `error` came through and return its number."""
        self._count += 1
        self._errors[self._count] = error
        self._errors.pop(self._count - _MOST, None)
        return self._count

    def forget(self) -> None:
        """Forget all."""
        self._errors.clear()

    def trail(self, number: int) -> list[Site | Stretch | None]:
        """Return what an error came through, innermost first; nothing where that is no longer known."""
        error = self._errors.get(number)
        return self._context.settle(error) if error is not None else []


def walk(stretch: Stretch, call_at: CallAt, site: Callable[[int], Site | None]) -> list[Site | None]:
    """Return the sites of the calls that were under way, innermost first; None where some are missing."""

    def sites(numbers: Sequence[int]) -> list[Site | None]:
        found = [site(stretch.site if number == EXPLICIT_SITE else number) for number in numbers]
        return [each for each in found if each is not None]

    numbers, _ = _walk_from(_words(stretch.stack), 0, call_at)
    if not stretch.outer_stack:
        return sites(numbers)
    return [*sites(numbers), None, *sites(_outermost(_words(stretch.outer_stack), call_at))]


def _words(stack: bytes) -> list[int]:
    return [word for (word,) in _WORD.iter_unpack(stack)]


def _walk_from(words: list[int], at: int, call_at: CallAt) -> tuple[list[int], bool]:
    """Walk outwards from the return address at `words[at]`: the numbers of sites, and whether to the end."""
    found: list[int] = []
    while at < len(words):
        call = call_at(words[at])
        if call is None:
            return found, at == len(words) - 1  # what returns to the stub at the landing place
        size, numbers = call
        found += numbers
        at += 1 + size // 8
    return found, False


def _outermost(words: list[int], call_at: CallAt) -> list[int]:
    """Walk from as far inside as there is a way to the end.

    Any word may look like a return address. The frames that it stands for lead to the end only if they are
    frames, but perhaps for the first few.
    """
    for start in range(len(words)):
        if call_at(words[start]) is not None:
            found, is_whole = _walk_from(words, start, call_at)
            if is_whole:
                return found[_UNCERTAIN:]
    return []
