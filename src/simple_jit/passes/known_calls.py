"""Calls of function values that are known: direct calls, which are inlined in turn.

    %3: i64 = code "main.twice(i64)"
    %4: ptr = load [%0 + %3 * 1]              (%0 is the context: the code table)
    %5: i64 = call_pointer %4(%1, %2) !4:9  ->  %5: i64 = call @"main.twice(i64)"(%1, %2) !4:9

A value is known where the function that takes it was inlined: what it was made of has then come through
the closure object to the call. What is inlined here is cleaned up as in front of this pass.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.mir.abi import HEADER_SIZE
from simple_jit.mir.visit import DEFS, assigned_once
from simple_jit.passes.common_subexpressions import share_computations
from simple_jit.passes.copy_propagation import propagate_copies
from simple_jit.passes.inline import inline_calls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.mir.nodes import Function, Instruction, Local
    from simple_jit.passes.environment import Environment


def call_known_values(function: Function, env: Environment) -> None:
    if not any(type(i) is mir.CallPointer for block in function.blocks for i in block.instructions):
        return
    values = _Values(function)
    changed = False
    for block in function.blocks:
        for position, i in enumerate(block.instructions):
            if type(i) is mir.CallPointer and i.site is not None and not i.c:
                symbol = values.symbol(i.target)
                if symbol is not None:
                    block.instructions[position] = mir.Call(i.dsts, symbol, i.args, i.site)
                    changed = True
    if changed:
        inline_calls(function, env)
        propagate_copies(function, env)
        share_computations(function, env)


class _Values:
    """What makes each local that one instruction alone assigns, and what closures hold as their code."""

    def __init__(self, function: Function) -> None:
        once = assigned_once(function)
        self._makers: dict[Local, Instruction] = {}
        self._codes: dict[Local, list[Local]] = {}
        for block in function.blocks:
            for i in block.instructions:
                for local in DEFS[type(i)](i):
                    if local in once:
                        self._makers[local] = i
                if type(i) is mir.Store and i.offset == HEADER_SIZE and i.index is None:
                    self._codes.setdefault(i.base, []).append(i.src)

    def symbol(self, target: Local) -> str | None:
        """Return the instance whose slot of the code table `target` was loaded from."""
        load = self._makers.get(target)
        if type(load) is not mir.Load or load.index is None or load.offset or load.scale != 1:
            return None
        if type(self._makers.get(load.base)) is not mir.Context:
            return None
        code = self._makers.get(load.index)
        if type(code) is mir.Load and code.offset == HEADER_SIZE and code.base in self._makers:
            # The code of a closure stays what it is when it is made.
            stored = self._codes.get(code.base, [])
            code = self._makers.get(stored[0]) if len(stored) == 1 else None
        return code.symbol if type(code) is mir.ConstCode else None
