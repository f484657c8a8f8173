"""Broken programs and what is said about them: `errors/*.spl` with the text beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import Golden
from simple_jit.base.diagnostics import Reporter
from simple_jit.base.render import render
from simple_jit.base.source import SourceFile
from simple_jit.hir.check import check_program
from simple_jit.hir.externs import MissingExtern
from simple_jit.hir.session import Options

FOLDER = Path(__file__).parents[1] / "errors"
HELPERS = {"names_only.spl"}


def extern_lookup(name: str, library: str | None, from_library: bool) -> bool | MissingExtern:
    if name == "rt_no_such_function":
        return MissingExtern(f"there is no foreign function `{name}`", "looked in: the test", "none")
    return name.startswith("rt_")


@pytest.mark.parametrize(
    "path", [p for p in sorted(FOLDER.glob("*.spl")) if p.name not in HELPERS], ids=lambda p: p.stem
)
def test_diagnostics_are_as_recorded(path: Path, golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    reporter = Reporter()
    source = SourceFile(path.name, path.read_text(encoding="utf-8"))
    program = check_program(source, reporter, Options(extern_lookup=extern_lookup))
    assert (program is None) == reporter.has_errors
    golden.check(path.with_suffix(".txt"), render(reporter.diagnostics, color=False))
