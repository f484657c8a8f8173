"""What goes into an executable: the functions that the program reaches, optimised, and the collector's."""

from __future__ import annotations

from simple_jit.engine.collector import collector_functions
from simple_jit.engine.store import MirStore, callees
from simple_jit.hir import nodes as hir
from simple_jit.mir import abi
from simple_jit.mir import nodes as mir
from simple_jit.mir.verify import verify
from simple_jit.passes.environment import Environment
from simple_jit.passes.pipeline import FULL, run_passes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

START = "simple_main"
"""What C calls the function that runs a program."""


class Reached:
    """The functions of an executable, by symbol, and the symbols of those that C calls, by C's names."""

    def __init__(self, functions: dict[str, mir.Function], entries: dict[str, str]) -> None:
        self.functions = functions
        self.entries = entries

    def foreign_functions(self) -> set[str]:
        """Return the names of the foreign functions that are called."""
        return {i.symbol for i in self._instructions() if type(i) is mir.CallExtern}

    def global_cells(self) -> int:
        """Return how many cells the module-level variables take."""
        last = abi.GLOBALS - 8
        for i in self._instructions():
            if isinstance(i, (mir.Load, mir.Store)) and i.offset < abi.CODE:
                last = max(last, i.offset)
        return (last - abi.GLOBALS) // 8 + 1

    def _instructions(self) -> Iterable[mir.Instruction]:
        for function in self.functions.values():
            for block in function.blocks:
                yield from block.instructions


def reach(program: hir.Program, exported: Sequence[hir.Function]) -> Reached:
    """Return all that the start of `program`, the functions `exported` and the collector get to."""
    store = MirStore(program.functions)
    environment = Environment(store.lowered)
    entries = {START: program.start.symbol}
    for number, function in enumerate(exported):
        entries[f"simple_export_{number}"] = function.symbol
    functions: dict[str, mir.Function] = {}
    work = list(entries.values())
    while work:
        symbol = work.pop()
        if symbol not in functions:
            lowered = store.lowered(symbol)
            assert lowered is not None
            functions[symbol] = run_passes(lowered, environment, FULL)
            work.extend(callees(functions[symbol]))
    collector, names = collector_functions()
    for name, symbol in names.items():
        entries[f"simple_gc_{name}"] = symbol
    for part in collector:
        functions.setdefault(part.symbol, part)
    for part in functions.values():
        verify(part)
    return Reached(functions, entries)
