"""Inlining a function into itself, several levels deep.

    fib: check the stack;           fib:    check the stack; fib.1(n - 1) + fib.1(n - 2)
         fib(n - 1) + fib(n - 2) -> fib.1:                   fib.2(n - 1) + fib.2(n - 2)
                                    fib.2:                   fib(n - 1) + fib(n - 2)

LLVM puts the copies where they are called, so that one call, with one check and one frame, does the work
of many. LLVM's own inliner leaves recursive calls alone. Where the function loops as well, a call is a
small part of its work, and copies do not pay.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.mir.visit import reverse_postorder, successors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

QUICKLY: Final = 250, 3
"""Instructions and copies at most where the program waits for its code."""
AT_LEISURE: Final = 1000, 5
"""The same for executables. More copies no longer pay."""


def copies(function: mir.Function, limits: tuple[int, int] = QUICKLY) -> int:
    """Return how many levels of calls of itself to inline into a function."""
    most_instructions, most_copies = limits
    size = calls = 0
    passed: set[mir.Block] = set()
    for block in reverse_postorder(function):
        passed.add(block)
        if not passed.isdisjoint(successors(block)):
            return 0
        size += len(block.instructions) + 1
        for i in block.instructions:
            if type(i) is mir.Call and i.callee == function.symbol:
                calls += 1
    if not calls:
        return 0
    levels, bodies, total = 0, calls, size * (1 + calls)
    while total <= most_instructions and levels < most_copies:
        levels += 1
        bodies *= calls
        total += bodies * size
    return levels
