"""Inlining: the body of a small function in place of a call of it.

    %1 = call @main.twice(%0) !9:5  ->  %5 = copy %0
                                        %6 = checked_add %5, %5 !2:3 in @main.twice from 9:5
                                        %1 = copy %6

Calls in what was inlined are looked at as well, but no function is inlined into itself: that is a
pass of its own, a few levels deep, for back ends that do not do it. A function in which no call is left,
but of functions that are rarely called, needs no stack check: those have their own.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.mir.nodes import Block
from simple_jit.mir.visit import (
    DEFS,
    RENAME,
    RENAME_TERMINATOR,
    RETARGET,
    TERMINATOR_USES,
    USES,
    Flow,
    copy_function,
    natural_loops,
    successors,
)
from simple_jit.passes.dead_code import number_blocks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeVar

    from simple_jit.mir.nodes import Function, Local
    from simple_jit.passes.environment import Environment

    _T = TypeVar("_T")

_DEEPEST = 6  # inlined bodies within one another
_LARGEST_CALLING_VALUES = 48
_MOST_UNROLLED = 180  # instructions of a recursive function with itself inlined
_MOST_LEVELS = 3
_PLACE: Final[dict[type, str]] = {
    **dict.fromkeys((mir.Call, mir.CallPointer, mir.ConstSite), "site"),
    **dict.fromkeys((mir.Checked, mir.Check, mir.Index, mir.CallExtern, mir.Poll, mir.Throw), "place"),
}
"""What has a place in source, and the name of the attribute."""


def inline_calls(function: Function, env: Environment) -> None:
    if not any(type(i) is mir.Call for block in function.blocks for i in block.instructions):
        return
    inliner = _Inliner(function, env)
    inliner.run()
    if inliner.inlined:
        number_blocks(function)
    if not function.rarely_called and not _leads_back(function, env):
        function.checks_stack = False


def _leads_back(function: Function, env: Environment) -> bool:
    """May a call in `function` come to `function` again, without a stack check on the way?"""
    for block in function.blocks:
        for i in block.instructions:
            if type(i) is mir.CallPointer or (type(i) is mir.CallExtern and i.raises):
                return True
            if type(i) is mir.Call:
                callee = env.mir_of(i.callee)
                if callee is None or not callee.rarely_called:
                    return True
    return False


def inline_recursion(function: Function, env: Environment) -> None:
    """Put a function in place of calls of itself, so that one frame does the work of several."""
    levels = _levels(function)
    if levels:
        inliner = _Inliner(function, env)
        inliner.candidates = {function.symbol: copy_function(function)}
        inliner.levels = levels
        inliner.room = _MOST_UNROLLED
        inliner.run()
        number_blocks(function)


def _levels(function: Function) -> int:
    """Return how many levels deep a function is inlined into itself."""
    calls = sum(
        [
            type(i) is mir.Call and i.callee == function.symbol
            for block in function.blocks
            for i in block.instructions
        ]
    )
    if not calls:
        return 0
    size = size_of(function)
    levels, total, bodies = 0, size, calls
    while total + bodies * size <= _MOST_UNROLLED and levels < _MOST_LEVELS:
        levels += 1
        total += bodies * size
        bodies *= calls
    return levels


def size_of(function: Function) -> int:
    """Return the number of instructions and terminators."""
    return sum([len(block.instructions) + 1 for block in function.blocks])


def _blocks_in_loops(function: Function) -> set[Block]:
    # Lowering numbers a loop's header before what jumps back to it.
    if not any(after.index <= block.index for block in function.blocks for after in successors(block)):
        return set()
    return {block for loop in natural_loops(Flow(function)) for block in loop.blocks}


class _Places:
    """Says of places in code that is inlined for a call at `site` that it was."""

    __slots__ = ("_known", "_site")

    def __init__(self, site: mir.Site) -> None:
        self._site = site
        self._known: dict[int, mir.Site] = {}  # by identity, which lasts as long as what is copied

    def moved(self, copy: _T) -> _T:
        """Change the place in a fresh copy of an instruction or terminator, and return the copy."""
        name = _PLACE.get(type(copy))
        if name is not None:
            place = getattr(copy, name)
            if type(place) is mir.Site:
                found = self._known.get(id(place))
                if found is None:
                    found = self._known[id(place)] = place.within(self._site)
                setattr(copy, name, found)
        return copy


class _Inliner:
    def __init__(self, function: Function, env: Environment) -> None:
        self.function = function
        self.env = env
        self.room = env.growth
        self.blocks: list[Block] = []
        self.candidates: dict[str, Function | None] = {}
        self.inlined = 0
        self.levels = 0  # how often a function may be inlined into itself
        self._largest = env.small

    def run(self) -> None:
        symbols = (self.function.symbol,)
        in_loops = _blocks_in_loops(self.function)
        for block in self.function.blocks:
            self._largest = self.env.in_loops if block in in_loops else self.env.small
            self._block(block, symbols)
        self.function.blocks = self.blocks

    def _block(self, block: Block, symbols: tuple[str, ...]) -> None:
        """Add `block` to the function, with inlined bodies in it; `symbols` are the functions around."""
        self.blocks.append(block)
        instructions = block.instructions
        if not any(type(i) is mir.Call for i in instructions):
            return
        block.instructions = []
        last = block.terminator
        for i in instructions:
            callee = self._callee(i, symbols) if type(i) is mir.Call else None
            if callee is None:
                block.instructions.append(i)
            else:
                assert type(i) is mir.Call
                block = self._inline(block, i, callee, symbols)
        block.terminator = last

    def _callee(self, call: mir.Call, symbols: tuple[str, ...]) -> Function | None:
        """Return the function to inline for `call`, if it is to be."""
        symbol = call.callee
        if symbols.count(symbol) > self.levels or len(symbols) > _DEEPEST:
            return None
        if symbol not in self.candidates and not self.levels:
            self.candidates[symbol] = self._candidate(symbol)
        found = self.candidates.get(symbol)
        if found is None:
            return None
        size = size_of(found)
        if size > self.room:
            return None
        return found if size <= self._largest or self.levels or self._is_worth_more(found, size) else None

    def _is_worth_more(self, found: Function, size: int) -> bool:
        """Is a function that is not small to be inlined all the same?

        One that calls a function value is: where that is known, its code is inlined in turn.
        """
        if found.inline:
            return size <= self.env.marked
        return size <= _LARGEST_CALLING_VALUES and any(
            type(i) is mir.CallPointer for block in found.blocks for i in block.instructions
        )

    def _candidate(self, symbol: str) -> Function | None:
        found = self.env.mir_of(symbol)
        if found is None or found.c_convention or found.rarely_called:
            return None
        return found

    def _inline(self, block: Block, call: mir.Call, callee: Function, symbols: tuple[str, ...]) -> Block:
        """Put a copy of `callee` at the end of `block`; return the block where the caller goes on."""
        self.inlined += 1
        self.room -= size_of(callee)
        locals = self._fresh_locals(callee)
        for param, arg in zip(callee.params, call.args, strict=True):
            block.instructions.append(mir.Copy(locals[param], arg))
        within = (*symbols, callee.symbol)
        if len(callee.blocks) == 1 and type(callee.blocks[0].terminator) is mir.Return:
            return self._splice(block, call, callee.blocks[0], locals, within)
        after = Block(0)
        copies = {old: Block(0) for old in callee.blocks}
        places = _Places(call.site)
        for old, new in copies.items():
            new.instructions = [places.moved(RENAME[type(i)](i, locals, locals)) for i in old.instructions]
            t = places.moved(RENAME_TERMINATOR[type(old.terminator)](old.terminator, locals))
            if type(t) is mir.Return:
                self._assign(new, call.dsts, t.values)
                t = mir.Jump(after)
            new.terminator = RETARGET[type(t)](t, copies)
        block.terminator = mir.Jump(copies[callee.blocks[0]])
        for new in copies.values():
            self._block(new, within)
        self.blocks.append(after)
        return after

    def _splice(
        self,
        block: Block,
        call: mir.Call,
        body: Block,
        locals: dict[Local, Local],
        symbols: tuple[str, ...],
    ) -> Block:
        places = _Places(call.site)
        for i in body.instructions:
            renamed = places.moved(RENAME[type(i)](i, locals, locals))
            inner = self._callee(renamed, symbols) if type(renamed) is mir.Call else None
            if inner is None:
                block.instructions.append(renamed)
            else:
                assert type(renamed) is mir.Call
                block = self._inline(block, renamed, inner, symbols)
        t = body.terminator
        assert type(t) is mir.Return
        self._assign(block, call.dsts, tuple([locals[value] for value in t.values]))
        return block

    def _assign(self, block: Block, dsts: tuple[Local, ...], values: tuple[Local, ...]) -> None:
        """Assign results; dsts are locals of the caller, values of the callee, so none is both."""
        for dst, value in zip(dsts, values, strict=True):
            block.instructions.append(mir.Copy(dst, value))

    def _fresh_locals(self, callee: Function) -> dict[Local, Local]:
        """Give the caller a local for each that occurs in `callee`."""
        used: dict[Local, None] = dict.fromkeys(callee.params)
        for block in callee.blocks:
            for i in block.instructions:
                used.update(dict.fromkeys(USES[type(i)](i) + DEFS[type(i)](i)))
            used.update(dict.fromkeys(TERMINATOR_USES[type(block.terminator)](block.terminator)))
        new_local = self.function.new_local
        return {local: new_local(local.type, local.name) for local in used}
