"""Which functions of a unit are worth LLVM's time.

LLVM takes some 100 microseconds for each line of IR, most of them in passes that pay only where code runs
often. A whole program, entered at its start function, has many functions that run a few times: they read
the arguments, or put the result into words. So it is estimated how often each runs: as often as the
blocks that call it, loops that are not counted by constants taken to go round a million times. What runs
less than a hundred thousand times is compiled at level 0.

And LLVM's whole pipeline takes twice the time of its central part: only where a loop may become vector
code, or all is to be done (level 3), does a function go through all of it.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.passes.inline import size_of
from simple_jit.tiers.llvm.trips import Trips

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from typing import Final

    from simple_jit.mir.nodes import Function
    from simple_jit.mir.visit import Loop

_USUAL: Final = 2
_ALL_PASSES: Final = 3
_STOPS: Final = frozenset(
    (mir.Call, mir.CallExtern, mir.CallPointer, mir.Check, mir.Checked, mir.Index, mir.Poll)
)
_FASTER_AT_0: Final = 20
_WORTH_DIVIDING: Final = 100
_START: Final = ".<start>"
_OFTEN: Final = 100_000
# A call of a function that is rarely called counts as so much of one. What it does is little, spread over
# all that its caller does: its loops do not count.
_RARELY: Final = 0.05
# Library modules whose loops go over the characters of a text.
_OVER_TEXT: Final = ("core.float_text.", "core.format.", "core.integer_text.", "core.io.", "core.text")
_LENGTH_OF_TEXT: Final = 64


class Part:
    """Functions of a unit that make one LLVM module, compiled at `level`, by the `whole` pipeline or not."""

    def __init__(self, functions: Sequence[Function], level: int, whole: bool) -> None:
        self.functions = functions
        self.level = level
        self.whole = whole

    def cost(self) -> int:
        """Return about how long it takes, in what one instruction takes at level 2."""
        size = sum([size_of(function) for function in self.functions])
        return size * (1 + self.whole) if self.level else size // _FASTER_AT_0

    def callees(self) -> Iterator[str]:
        """Yield what the functions call."""
        for function in self.functions:
            for block in function.blocks:
                for i in block.instructions:
                    if type(i) is mir.Call:
                        yield i.callee


def divide(
    functions: Sequence[Function], exported: Collection[str] | None, level: int, shares: int = 1
) -> list[Part]:
    """Divide a unit into parts for different passes, the one that takes longest first.

    If it is known where it is entered, at `exported`, what is never called is left out. `shares` is how
    many parts can be compiled at a time: 1 or 2.
    """
    rare: list[Function] = []
    usual = list(functions)
    if exported is not None:
        hotness = _Hotness(functions, exported)
        rarely = hotness.rarely if level else set()
        usual = [f for f in functions if f.symbol in hotness.reached and f.symbol not in rarely]
        rare = [f for f in functions if f.symbol in rarely]
    thorough = [f for f in usual if level == _ALL_PASSES or (level == _USUAL and _may_be_vectorised(f))]
    plain = [f for f in usual if f not in thorough]
    parts = [Part(thorough, level, True), Part(plain, level, False), Part(rare, 0, False)]
    if shares > 1 and not (thorough and plain):
        index = 0 if thorough else 1
        parts[index : index + 1] = _halves(parts[index])
    parts = [part for part in parts if part.functions]
    parts.sort(key=Part.cost, reverse=True)
    return parts


def _halves(part: Part) -> list[Part]:
    """Divide a part into two that take about the same time, where that is worth it.

    Not level 3, which is for what takes its time, and where LLVM is to inline all that it likes.
    """
    if part.level == _ALL_PASSES or part.cost() < _WORTH_DIVIDING:
        return [part]
    halves: tuple[list[Function], list[Function]] = ([], [])
    sizes = [0, 0]
    for function in sorted(part.functions, key=size_of, reverse=True):
        index = int(sizes[0] > sizes[1])
        halves[index].append(function)
        sizes[index] += size_of(function)
    return [Part(half, part.level, part.whole) for half in halves]


def _may_be_vectorised(function: Function) -> bool:
    """Is there an inner loop that counts over arrays, with nothing in it that leaves it early?"""
    trips = Trips(function)
    if function.rarely_called:
        return False
    inner: list[Loop] = []
    for loop in trips.loops:
        if not any(other.blocks <= loop.blocks for other in inner):
            inner.append(loop)
    return any(len(loop.exits) == 1 and trips.is_counted(loop) and _is_plain(loop) for loop in inner)


def _is_plain(loop: Loop) -> bool:
    """Does a loop work on arrays, not on what is in their elements, and do nothing but compute otherwise?"""
    instructions = [i for block in loop.blocks for i in block.instructions]
    if any(type(i) in _STOPS for i in instructions):
        return False
    accesses = [i for i in instructions if isinstance(i, (mir.Load, mir.Store))]
    loaded = {i.dst for i in accesses if isinstance(i, mir.Load)}
    return any(i.index is not None for i in accesses) and not any(i.base in loaded for i in accesses)


class _Hotness:
    """What a unit that is entered at `exported` calls: what it `reached`, and what it runs `rarely`."""

    def __init__(self, functions: Sequence[Function], exported: Collection[str]) -> None:
        self._functions = {function.symbol: function for function in functions}
        self._callees = {function.symbol: self._called(function) for function in functions}
        roots = [symbol for symbol in exported if symbol in self._functions]
        self.reached = self._closure(roots)
        again = self._called_again(roots)
        # What is entered from outside, or calls itself, may run any number of times.
        self._endless = self._closure([*again, *[root for root in roots if not root.endswith(_START)]])
        self._trips = {symbol: self._trips_of(symbol) for symbol in self.reached - self._endless}
        self._times = dict.fromkeys(self._trips, 0.0)
        for symbol in self._callers_first(roots):
            self._count_calls(symbol)
        self.rarely = {
            symbol for symbol, times in self._times.items() if times * self._trips[symbol].busiest() < _OFTEN
        }

    def _called(self, function: Function) -> dict[str, None]:
        """Return the functions of the unit that `function` calls."""
        return {
            i.callee: None
            for block in function.blocks
            for i in block.instructions
            if type(i) is mir.Call and i.callee in self._functions
        }

    def _closure(self, symbols: Iterable[str]) -> set[str]:
        """Return `symbols` and all that they call."""
        seen: set[str] = set()
        work = list(symbols)
        while work:
            symbol = work.pop()
            if symbol not in seen:
                seen.add(symbol)
                work += self._callees[symbol]
        return seen

    def _called_again(self, roots: Iterable[str]) -> set[str]:
        """Return, of each cycle of calls that `roots` come to, a function in it."""
        found: set[str] = set()
        done: set[str] = set()
        active: dict[str, None] = {}
        work = [(root, True) for root in roots]
        while work:
            symbol, entering = work.pop()
            if not entering:
                del active[symbol]
                done.add(symbol)
            elif symbol in active:
                found.add(symbol)
            elif symbol not in done:
                active[symbol] = None
                work.append((symbol, False))
                work += [(callee, True) for callee in self._callees[symbol]]
        return found

    def _callers_first(self, roots: Iterable[str]) -> list[str]:
        """Return the functions that do not run endlessly, each behind those that call it."""
        order: list[str] = []
        seen = set(self._endless)
        work = [(root, True) for root in roots]
        while work:
            symbol, entering = work.pop()
            if not entering:
                order.append(symbol)
            elif symbol not in seen:
                seen.add(symbol)
                self._times[symbol] = 0.0
                work.append((symbol, False))
                work += [(callee, True) for callee in self._callees[symbol]]
        for root in roots:
            if root not in self._endless:
                self._times[root] = 1.0
        return order[::-1]

    def _count_calls(self, symbol: str) -> None:
        """Add what a function calls to how often that runs; `symbol`'s own number is complete."""
        times, trips = self._times[symbol], self._trips[symbol]
        for block in self._functions[symbol].blocks:
            for i in block.instructions:
                if type(i) is mir.Call and i.callee in self._times:
                    share = _RARELY if self._functions[i.callee].rarely_called else 1
                    self._times[i.callee] += share * times * trips.times(block)

    def _trips_of(self, symbol: str) -> Trips:
        function = self._functions[symbol]
        if function.rarely_called:
            return Trips(function, unknown=1)
        return Trips(function, _LENGTH_OF_TEXT) if symbol.startswith(_OVER_TEXT) else Trips(function)
