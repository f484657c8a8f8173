"""Source to a checked program for one engine; what the program can be asked for from outside."""

from __future__ import annotations

from simple_jit.base.diagnostics import CompileError, Reporter
from simple_jit.base.source import SourceFile
from simple_jit.hir import nodes as hir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.engine.engine import Engine


def check_source(
    engine: Engine, source: SourceFile, *, calls_main: bool = True, first_global: int = 0
) -> hir.Program:
    """Parse and check a program against the foreign functions that `engine` knows.

    With `calls_main` false its start runs the top-level statements alone. `first_global` is the first cell
    that its module-level variables may take.

    Raises:
        CompileError: it has errors.
    """
    from simple_jit.hir.check import check_program
    from simple_jit.hir.session import Options

    reporter = Reporter()
    options = Options(
        overflow_checks=engine.config.overflow_checks,
        extern_lookup=engine.externs.lookup,
        extern_signature=engine.externs.signature,
        calls_main=calls_main,
        first_global=first_global,
    )
    program = check_program(source, reporter, options)
    if program is None:
        raise CompileError(reporter.diagnostics)
    return program


def check_statements(engine: Engine, source: str) -> tuple[hir.Program, hir.Function]:
    """Check statements that stand alone; returns the program, and the function whose result is the last.

    Raises:
        CompileError: they have errors.
    """
    lines = "".join(f"    {line}\n" for line in source.splitlines())
    program = check_source(engine, SourceFile("<eval>", f"fn evaluated():\n{lines}    \n"))
    function = program.find("evaluated")
    assert function is not None
    return program, function


def concrete_functions(program: hir.Program) -> list[hir.Function]:
    """Return the functions of a program's main module whose parameters all have types, in order."""
    found: list[hir.Function] = []
    for name in program.finder.names() if program.finder is not None else ():
        function = program.find(name)
        if function is not None:
            found.append(function)
    return found
