"""The MIR of a program's instances: lowered when first asked for, then kept."""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.mir import nodes as mir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class MirStore:
    """Lowers instances on demand.

    What `lowered` returns is shared and must not be changed: passes work on copies.
    """

    def __init__(self, functions: Mapping[str, hir.Function]) -> None:
        self._functions = functions
        self._lowered: dict[str, mir.Function] = {}

    def lowered(self, symbol: str) -> mir.Function | None:
        """Return the instance's MIR as it was lowered; None where there is no such instance."""
        found = self._lowered.get(symbol)
        if found is None:
            source = self._functions.get(symbol)
            if source is None:
                return None
            from simple_jit.lower import lower_function

            found = self._lowered[symbol] = lower_function(source)
        return found


def callees(function: mir.Function) -> list[str]:
    """Return the symbols of the instances that `function` calls or makes function values of, in order."""
    found: dict[str, None] = {}
    for block in function.blocks:
        for instruction in block.instructions:
            if isinstance(instruction, mir.Call):
                found[instruction.callee] = None
            elif isinstance(instruction, mir.ConstCode):
                found[instruction.symbol] = None
    return list(found)


def addressed(function: mir.Function) -> set[str]:
    """Return the symbols of the instances that function values made in `function` run."""
    return {
        instruction.symbol
        for block in function.blocks
        for instruction in block.instructions
        if isinstance(instruction, mir.ConstCode)
    }
