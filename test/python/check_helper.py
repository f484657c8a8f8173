"""What the tests of the checker share."""

from __future__ import annotations

from simple_jit.base.diagnostics import Reporter
from simple_jit.base.source import SourceFile
from simple_jit.hir import nodes as hir
from simple_jit.hir.check import check_program
from simple_jit.hir.session import Options
from simple_jit.hir.verify import verify


def check(text: str, options: Options | None = None) -> hir.Program:
    """Check a program that must be right, and verify all that it reaches."""
    reporter = Reporter()
    program = check_program(SourceFile("test.spl", text), reporter, options)
    assert program is not None, reporter.diagnostics
    verify_all(program)
    return program


def verify_all(program: hir.Program) -> None:
    """Check and verify every instance, those of the library included."""
    done: set[str] = set()
    while len(done) < len(program.functions):
        for function in list(program.functions.values()):
            if function.symbol not in done:
                done.add(function.symbol)
                function.ensure_body()
                verify(function)


def errors(text: str, options: Options | None = None) -> list[str]:
    """Return the codes and messages that a program is refused with."""
    reporter = Reporter()
    assert check_program(SourceFile("test.spl", text), reporter, options) is None
    return [f"{d.code} {d.message}" for d in reporter.diagnostics if d.severity == "error"]


def local_types(program: hir.Program, symbol: str) -> dict[str, str]:
    """Return the types of the named locals of an instance."""
    return {local.name: str(local.type) for local in program.functions[symbol].locals if local.name}


def function(program: hir.Program, symbol: str) -> hir.Function:
    return program.functions[symbol]
