"""The HIR of the functions in `*.spl`, beside them in `*.hir`."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import Golden
from simple_jit.base.diagnostics import Reporter
from simple_jit.base.source import SourceFile
from simple_jit.hir.check import check_program
from simple_jit.hir.dump import dump
from simple_jit.hir.verify import verify

PROGRAMS = sorted(Path(__file__).parent.glob("*.spl"))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_program_is_checked_to_this_hir(path: Path, golden: Golden) -> None:
    reporter = Reporter()
    source = SourceFile(path.name, path.read_text(encoding="utf-8"))
    program = check_program(source, reporter)
    assert program is not None, reporter.diagnostics
    functions = [f for f in program.functions.values() if f.module == "main"]
    for function in functions:
        verify(function)
    texts = [dump(f) for f in sorted(functions, key=lambda f: f.symbol)]
    golden.check(path.with_suffix(".hir"), "\n".join(texts))
