"""Input that no one means to give: always a diagnostic and status 1 or 2, never a traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness import Outcome, run_simple

DEEP = 10_000
COMMANDS = (["run"], ["check"], ["run", "--mode", "always_jit"])


def refused(outcome: Outcome, *parts: str) -> None:
    """Assert that there is a diagnostic, and nothing of Python."""
    assert outcome.status in (1, 2), outcome
    assert outcome.err.startswith("error"), outcome
    assert "Traceback" not in outcome.err
    assert "internal error" not in outcome.err
    for part in parts:
        assert part in outcome.err, outcome


@pytest.fixture(params=COMMANDS, ids=lambda words: " ".join(words[::2]))
def command(request: pytest.FixtureRequest) -> list[str]:
    words = request.param
    assert isinstance(words, list)
    return words


@pytest.mark.parametrize("source", ["", "\n\n", "# only\n# comments", "#!/usr/bin/env simple\n", "\ufeff"])
def test_nothing_to_run_is_fine(source: str, command: list[str], tmp_path: Path) -> None:
    file = tmp_path / "nothing.spl"
    file.write_text(source, encoding="utf-8")
    outcome = run_simple([*command, str(file)])
    assert (outcome.status, outcome.out, outcome.err) == (0, "", "")


SOURCES = {
    "unterminated text": ('print "abc\nprint 1\n', ":1:7"),
    "unterminated text at the end": ('print "abc', ":1:7"),
    "unterminated long text": ('print """abc\n\n', ":1:7"),
    "unterminated interpolation": ('print "a{1 + "\n', ":1:"),
    "tab in indentation": ("fn main():\n\tprint 1\n", "tab"),
    "tab after spaces": ("fn main():\n    if true:\n    \tprint 1\n", "tab"),
    "unknown character": ("print 1 $ 2\n", ":1:9"),
    "control character": ("print 1 \x01\n", ":1:9"),
    "NUL": ("print 1\0\n", ":1:8"),
    "closing bracket": ("print 1)\n", ":1:8"),
    "open bracket": ("print (1\n", ":1:7"),
    "brackets that cross": ("print ([1)]\n", ":1:"),
    "deep parentheses": ("print " + "(" * DEEP + "1" + ")" * DEEP + "\n", ":1:"),
    "deep open parentheses": ("print " + "(" * DEEP + "\n", ":1:"),
    "deep arrays": ("print " + "[" * DEEP + "]" * DEEP + "\n", ":1:"),
    "deep unary": ("print " + "-" * DEEP + "1\n", ":1:"),
    "deep not": ("print " + "not " * DEEP + "true\n", ":1:"),
    "deep types": ("fn f(x: " + "[" * DEEP + "i64" + "]" * DEEP + "): pass\n", ":1:"),
    "deep blocks": ("".join(" " * depth + "if true:\n" for depth in range(1000)) + " " * 1000 + "1\n", ":"),
    "deep interpolation": ("print " + '"{' * 500 + "1" + '}"' * 500 + "\n", ":1:"),
    "deep powers": ("print " + "2 ** " * DEEP + "2\n", ":1:"),
    "keyword alone": ("fn\n", ":1:"),
    "unknown name": ("print cuont\n", "`cuont`"),
    "wrong type": ('val n: i64 = "x"\n', ":1:"),
    "literal out of range": ("print 99999999999999999999999\n", ":1:7"),
    "missing module": ("use no.such.module.{thing}\n", "no.such.module"),
    "module of itself": ("use nothing_here\nprint 1\n", "nothing_here"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_bad_source_has_a_diagnostic(name: str, command: list[str], tmp_path: Path) -> None:
    source, part = SOURCES[name]
    file = tmp_path / "bad.spl"
    file.write_text(source, encoding="utf-8")
    refused(run_simple([*command, str(file)]), part)


LONG = {
    "expression": "print 0" + " + 1" * 2000 + "\n",
    "text": 'print "' + "x" * 1_000_000 + '".len()\n',
    "array": "print [" + "1, " * 100_000 + "1].len()\n",
    "comment": "#" + "x" * 1_000_000 + "\nprint 1\n",
    "methods": "print 1" + ".abs()" * 1000 + "\n",
    "elif": "if clock() < 0.0: 0\n" + "elif clock() < 0.0: 0\n" * 500 + "else: print 7\n",
}
WANTED = {"expression": "2000", "text": "1000000", "array": "100001", "comment": "1", "methods": "1", "elif": "7"}


@pytest.mark.parametrize("mode", ["auto", "always_jit"])
@pytest.mark.parametrize("name", LONG)
def test_a_long_line_is_only_long(name: str, mode: str, tmp_path: Path) -> None:
    file = tmp_path / "long.spl"
    file.write_text(LONG[name], encoding="utf-8")
    outcome = run_simple(["run", "--mode", mode, str(file)])
    assert (outcome.status, outcome.out, outcome.err) == (0, f"{WANTED[name]}\n", "")


def test_an_error_in_a_megabyte_line_is_shown_short(command: list[str], tmp_path: Path) -> None:
    file = tmp_path / "long.spl"
    file.write_text("print 1; " * 110_000 + "print cuont\n", encoding="utf-8")
    outcome = run_simple([*command, str(file)])
    refused(outcome, "`cuont`")
    assert len(outcome.err) < 2000


def test_a_million_operators_in_one_line(command: list[str], tmp_path: Path) -> None:
    file = tmp_path / "long.spl"
    file.write_text("print 1" + " + 1" * 250_000 + "\n", encoding="utf-8")
    outcome = run_simple([*command, str(file)])
    if outcome.status != 0:
        refused(outcome)


def test_invalid_utf8(command: list[str], tmp_path: Path) -> None:
    file = tmp_path / "latin1.spl"
    file.write_bytes(b'print 1\nprint "caf\xe9"\n')
    refused(run_simple([*command, str(file)]), "UTF-8", ":2:")


def test_bytes_of_another_kind_of_file(command: list[str], tmp_path: Path) -> None:
    file = tmp_path / "binary.spl"
    file.write_bytes(bytes(range(256)) * 64)
    refused(run_simple([*command, str(file)]))


def test_a_folder(command: list[str], tmp_path: Path) -> None:
    refused(run_simple([*command, str(tmp_path)]), str(tmp_path), "directory")


def test_a_missing_file(command: list[str], tmp_path: Path) -> None:
    refused(run_simple([*command, str(tmp_path / "none.spl")]), "none.spl")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(command: list[str], tmp_path: Path) -> None:
    file = tmp_path / "secret.spl"
    file.write_text("print 1\n")
    file.chmod(0)
    refused(run_simple([*command, str(file)]), "secret.spl")


@pytest.mark.parametrize("source", ["", 'print "abc\n', "(" * DEEP])
def test_standard_input_and_code_are_treated_alike(source: str) -> None:
    for outcome in (run_simple(["run", "-"], stdin=source), run_simple(["run", "-e", source])):
        if source:
            refused(outcome)
        else:
            assert (outcome.status, outcome.err) == (0, "")


def test_invalid_utf8_from_standard_input() -> None:
    refused(run_simple(["run", "-"], stdin=b"print \xff\n"), "UTF-8")


def test_several_errors_show_in_one_run() -> None:
    outcome = run_simple(["check", "-"], stdin="fn f(:\n    1\nprint cuont\nval = 3\n")
    refused(outcome)
    assert outcome.err.count("error[") >= 2


@pytest.mark.parametrize("change", ["s + s", '"{s}{s}"', "s * 2", "[s, s].join()"])
@pytest.mark.parametrize("mode", ["always_interpret", "always_jit"])
def test_text_that_finds_no_memory_is_reported_where_it_is_made(change: str, mode: str, tmp_path: Path) -> None:
    file = tmp_path / "grows.spl"
    file.write_text(f'fn main():\n    var s = "x" * 1000000\n    loop:\n        s = {change}\n')
    outcome = run_simple(["run", "--mode", mode, str(file)], environ={"SIMPLE_HEAP_MAX": "8m"})
    refused(outcome, "OutOfMemory", "grows.spl:4:13")
