"""The MIR of a program as text that stands alone: what `LocalExecutionManager.compile` takes."""

from __future__ import annotations

from simple_jit.base.source import SourceFile
from simple_jit.engine.checking import check_source, concrete_functions
from simple_jit.engine.config import Config
from simple_jit.engine.engine import Engine
from simple_jit.engine.store import MirStore, callees
from simple_jit.hir import nodes as hir
from simple_jit.mir import nodes as mir
from simple_jit.mir.layout import FIXED_DESCRIPTORS, descriptor_named
from simple_jit.mir.text import dump, dump_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def mir_of(source: str) -> str:
    """Return the MIR of the functions of a program whose parameters all have types, and of all they need.

    It is as lowering makes it, before any pass. Where there are top-level statements that do something, the
    function `<start>` runs them; `main` is not called by it.

    Raises:
        CompileError: the program has errors.
    """
    engine = Engine(Config("always_interpret"))
    try:
        return program_text(check_source(engine, SourceFile("<source>", source), calls_main=False))
    finally:
        engine.close()


def program_text(program: hir.Program) -> str:
    """Return the MIR of a checked program: its types, then its functions."""
    functions = _reached(program)
    types = {
        i.name: descriptor_named(i.name)
        for function in functions
        for block in function.blocks
        for i in block.instructions
        if isinstance(i, mir.ConstTypeId)
    }
    lines = [
        dump_type(name, about.kind, about.stride if about.kind == "array" else about.size, about.references)
        for name, about in types.items()
        if about not in FIXED_DESCRIPTORS
    ]
    return "\n".join(["".join(lines)] * bool(lines) + [dump(function) for function in functions])


def _reached(program: hir.Program) -> Iterable[mir.Function]:
    store = MirStore(program.functions)
    work = [function.symbol for function in concrete_functions(program)]
    if not isinstance(program.start.body, hir.Const):
        work.insert(0, program.start.symbol)
    found: dict[str, mir.Function] = {}
    for symbol in work:
        function = store.lowered(symbol)
        if symbol not in found and function is not None:
            found[symbol] = function
            work.extend(sorted(callees(function)))
    return found.values()
