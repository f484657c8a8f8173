"""Tracebacks: the calls of the program that an error came through, in whatever tier they were.

What there is to go by differs. Native code leaves copies of its stack (`runtime.stretches`), the
tree-walking interpreter frames in Python's own traceback. Put together they are the sites of calls, from
the innermost out, each with those that it was inlined for. What nobody has written (the start function,
functions of the core library, which stand for what the language does itself) is left out.
"""

from __future__ import annotations

from simple_jit.mir.nodes import Site
from simple_jit.runtime.errors import Frame, SimpleError
from simple_jit.runtime.stretches import Stretch, forget_stretches, stretches_of, walk
from simple_jit.tiers.interpreter.frames import activations, statement_site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType
    from typing import Final

    from simple_jit.hir import nodes as hir
    from simple_jit.runtime.context import Context
    from simple_jit.runtime.stretches import CallAt
    from simple_jit.tiers.interpreter.frames import Activation
    from simple_jit.tiers.interpreter.machine import Interpreter

    Sites = list[Site | None]  # innermost first; None where some are missing
    Trail = list[Site | Stretch | None]  # the same, native parts as they are

_END: Final = 600
"""Entries of a long Python traceback that are looked at, at each end."""
_EXAMPLES: Final = "std.spec"
"""The module that runs examples: each of them is where it starts."""
_RECURRING: Final = 50
"""Innermost calls among which, where the stack has overflowed, are all that recur."""
GUARDED: Final = ".try"
"""What the symbol of a function goes on with in those of its guarded parts (`hir.protect`)."""


class Tracebacks:
    """Finds out where errors of one engine came through. `call_at` looks up a return address."""

    def __init__(
        self,
        context: Context,
        interpreter: Callable[[], Interpreter],
        functions: Callable[[], Mapping[str, hir.Function]],
        call_at: CallAt,
    ) -> None:
        self._context = context
        self._interpreter = interpreter
        self._functions = functions
        self._call_at = call_at

    def settle(self, error: BaseException) -> Trail:
        """Return where `error` came through so far; it keeps no frames of Python alive any more.

        Nothing is looked up in native parts yet: most errors are caught for good.
        """
        trail = self._trail(error)
        forget_stretches(error)
        error.__traceback__ = None
        error.__dict__["trail"] = trail
        return trail

    def frames(self, error: BaseException) -> list[Frame | None]:
        """Return the calls that `error` has left, innermost first; None where some are left out.

        Where the stack has overflowed, it depends on the tier how often and in which function. There the
        first is the declaration of the function that recurs first, then comes a gap, then the way to it.
        """
        written = list(self._written(self._sites(self._trail(error))))
        if isinstance(error, SimpleError) and error.kind == "StackOverflow":
            written = self._first_round(written)
        return [None if site is None else self._frame(site) for site in written]

    def _first_round(self, written: Sites) -> Sites:
        inner = {site.symbol for site in written[:_RECURRING] if site is not None}
        seen: set[tuple[str, int]] = set()
        kept: Sites = []
        recurring: Site | None = None
        for site in reversed(written):
            if site is None or (site.symbol, site.line) in seen:
                break
            seen.add((site.symbol, site.line))
            kept.append(site)
            if recurring is None and site.symbol in inner:
                recurring = self._declaration(site.symbol)
        return [recurring or written[0], None, *reversed(kept)] if kept else written

    # --- which calls there were -------------------------------------------------------------------
    def _sites(self, trail: Trail) -> Iterator[Site | None]:
        for part in trail:
            if isinstance(part, Stretch):
                yield from walk(part, self._call_at, self._context.site)
            else:
                yield part

    def _trail(self, error: BaseException) -> Trail:
        known: Trail = error.__dict__.get("trail", [])
        entries, index = _entries(error.__traceback__)
        found: list[tuple[float, Trail]] = []
        for stretch in stretches_of(error):
            if stretch.inside is None or id(stretch.inside) in index:
                place = len(entries) if stretch.inside is None else index[id(stretch.inside)] - 0.5
                found.append((place, [stretch]))
        running = activations(self._interpreter(), [entry for entry in entries if entry is not None])
        for activation in running:
            if activation.site is not None:
                found.append((index[id(activation.traceback)], [activation.site]))
        if running and not known:
            place = index[id(running[-1].traceback)]
            if running[-1].site is None and all(place > other for other, _ in found):
                found.append((place, self._innermost(error, running[-1])))
        if running:
            found += [(place, [None]) for place, entry in enumerate(entries) if entry is None]
        found.sort(key=lambda part: -part[0])
        return known + [part for _, parts in found for part in parts]

    def _innermost(self, error: BaseException, activation: Activation) -> Trail:
        """Return the site of an error that arose in an interpreted function itself."""
        site = error.site if isinstance(error, SimpleError) else None
        if site is None and isinstance(error, KeyboardInterrupt):
            site = statement_site(self._interpreter(), activation)
        if site is not None:
            return [Site(site.file, site.line, site.column, activation.symbol)]
        return [self._declaration(activation.symbol)]

    def _declaration(self, symbol: str) -> Site:
        function = self._functions()[_instance(symbol)]
        return Site(function.source.path, function.span.line, 1, function.symbol)

    # --- which of them to show ----------------------------------------------------------------------
    def _written(self, sites: Iterable[Site | None]) -> Iterator[Site | None]:
        """Leave out what is not written in the program."""
        inner = ""
        is_gap = False
        for site in sites:
            if site is None:
                is_gap = True
            while site is not None:
                if self._is_written(site.symbol):
                    # A guarded part is called by its function, or a part around it, of the same call.
                    whole, is_part, _ = inner.partition(GUARDED)
                    if not is_part or whole != site.symbol.partition(GUARDED)[0]:
                        if is_gap:
                            yield None
                        is_gap = False
                        yield site
                    inner = site.symbol
                site = site.caller

    def _is_written(self, symbol: str) -> bool:
        function = self._functions().get(_instance(symbol))
        return function is not None and is_written(function)

    def _frame(self, site: Site) -> Frame:
        function = self._functions()[_instance(site.symbol)]
        return Frame(shown_name(function), site.file, site.line, site.column)


def is_written(function: hir.Function) -> bool:
    """Is it of the program, or of a library module that it imports?"""
    if function.track_caller or not function.is_written:
        return False
    return not function.module.startswith("core.") and function.module != _EXAMPLES


def _instance(symbol: str) -> str:
    """Return the symbol of the instance that a function is of: a loop may have been compiled alone."""
    return symbol.partition("#loop")[0]


def _entries(
    traceback: TracebackType | None,
) -> tuple[list[TracebackType | None], dict[int, int]]:
    """Return the entries of a traceback, outermost first, and their places by identity.

    None stands for those that are left out in the middle of a long one.
    """
    entries: list[TracebackType | None] = []
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    if len(entries) > 2 * _END:
        entries[_END:-_END] = [None]
    return entries, {id(entry): place for place, entry in enumerate(entries)}


def shown_name(function: hir.Function) -> str:
    """Return what a person calls a function: `Stack.push` of `main.Stack<i64>.push(i64)`."""
    if function.name == "<module>":
        return "top level"
    path, depth = "", 0
    for char in function.symbol[len(function.module) + 1 :]:
        if char == "(":
            break
        depth += (char == "<") - (char == ">")
        if not depth and char != ">":
            path += char
    *_, owner, name = ["", *path.split(".")]
    is_method = owner[:1].isupper() and name == function.name
    return f"{owner}.{name}" if is_method else function.name
