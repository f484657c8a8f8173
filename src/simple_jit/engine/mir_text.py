"""The MIR of a program as text that stands alone: what `LocalExecutionManager.compile` takes."""

from __future__ import annotations

from simple_jit.base.source import SourceFile
from simple_jit.engine.checking import check_source, concrete_functions
from simple_jit.engine.config import Config
from simple_jit.engine.engine import Engine
from simple_jit.engine.store import MirStore, callees
from simple_jit.mir.text import dump


def mir_of(source: str) -> str:
    """Return the MIR of the functions of a program whose parameters all have types, and of all they need.

    It is as lowering makes it, before any pass. Top-level statements are left out.

    Raises:
        CompileError: the program has errors.
    """
    engine = Engine(Config("always_interpret"))
    try:
        program = check_source(engine, SourceFile("<source>", source), calls_main=False)
        store = MirStore(program.functions)
        work = [function.symbol for function in concrete_functions(program)]
        texts: dict[str, str] = {}
        for symbol in work:
            function = store.lowered(symbol)
            if symbol not in texts and function is not None:
                texts[symbol] = dump(function)
                work.extend(sorted(callees(function)))
        return "\n".join(texts.values())
    finally:
        engine.close()
