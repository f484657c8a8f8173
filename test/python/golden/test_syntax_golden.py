"""Tokens, trees and syntax errors of whole programs, beside the programs.

`tokens/x.spl` and `tokens/x.tokens`, `ast/x.spl` and `ast/x.ast`, `syntax_errors/x.spl`
and `syntax_errors/x.txt`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import Golden
from simple_jit.base.diagnostics import Reporter
from simple_jit.base.render import render
from simple_jit.base.source import SourceFile
from simple_jit.syntax.dump import dump_ast, dump_tokens
from simple_jit.syntax.lexer import tokenize
from simple_jit.syntax.parser import parse

HERE = Path(__file__).parent


def programs(folder: str) -> list[Path]:
    return sorted((HERE / folder).glob("*.spl"))


def source_of(program: Path) -> SourceFile:
    return SourceFile(program.name, program.read_text(encoding="utf-8"))


def name_of(program: Path) -> str:
    return program.stem


@pytest.mark.parametrize("program", programs("tokens"), ids=name_of)
def test_tokens(program: Path, golden: Golden) -> None:
    source, reporter = source_of(program), Reporter()
    tokens = tokenize(source, reporter)
    assert reporter.diagnostics == []
    golden.check(program.with_suffix(".tokens"), dump_tokens(tokens, source))


@pytest.mark.parametrize("program", programs("ast"), ids=name_of)
def test_tree(program: Path, golden: Golden) -> None:
    reporter = Reporter()
    module = parse(source_of(program), reporter)
    assert render(reporter.diagnostics, color=False) == ""
    golden.check(program.with_suffix(".ast"), dump_ast(module, spans=False))


@pytest.mark.parametrize("program", programs("syntax_errors"), ids=name_of)
def test_errors(program: Path, golden: Golden) -> None:
    reporter = Reporter()
    parse(source_of(program), reporter)
    assert reporter.has_errors
    golden.check(program.with_suffix(".txt"), render(reporter.diagnostics, color=False))
