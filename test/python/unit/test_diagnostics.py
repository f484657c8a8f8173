"""Spans, diagnostics, their rendering, and loading of sources."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simple_jit.base import catalogue
from simple_jit.base.diagnostics import (
    MAX_DIAGNOSTICS,
    CompileError,
    Diagnostic,
    Reporter,
    Rule,
    suggest,
)
from simple_jit.base.render import LINE_WIDTH, render
from simple_jit.base.source import SourceFile, Span
from simple_jit.syntax.load import load_source, source_from_bytes

RULE = Rule("E9999", "A rule for tests.")
WARNING = Rule("W9999", "A warning for tests.", "warning")


def at(source: SourceFile, text: str, message: str = "wrong") -> Diagnostic:
    """Make a diagnostic at the first place where `text` stands."""
    start = source.text.index(text)
    return RULE.at(source.span(start, start + len(text)), message)


def shown(*diagnostics: Diagnostic) -> str:
    return render(diagnostics, color=False)


# --- Source files and spans ---


def test_lines_and_columns_count_code_points_from_one() -> None:
    source = SourceFile("a.spl", "aé\n\tb\n")
    assert [source.line_column(offset) for offset in range(7)] == [
        (1, 1),
        (1, 2),
        (1, 3),
        (2, 1),
        (2, 2),
        (2, 3),
        (3, 1),
    ]
    assert [source.line_text(line) for line in (1, 2, 3)] == ["aé", "\tb", ""]


def test_an_offset_of_another_file_is_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        SourceFile("a.spl", "a").line_column(2)


def test_spans_join_and_compare_by_place() -> None:
    source = SourceFile("a.spl", "abc def")
    joined = source.span(4, 7).join(source.span(0, 3))
    assert joined == source.span(0, 7)
    assert hash(joined) == hash(source.span(0, 7))
    assert joined.text == "abc def"
    assert source.span(0, 1) != SourceFile("a.spl", "abc def").span(0, 1)


# --- Reporter ---


def test_the_same_finding_is_kept_once() -> None:
    source, reporter = SourceFile("a.spl", "ab"), Reporter()
    reporter.report(at(source, "a"))
    reporter.report(at(source, "a", "wrong again"))
    reporter.report(at(source, "b"))
    assert len(reporter.diagnostics) == 2


def test_warnings_are_not_errors() -> None:
    source, reporter = SourceFile("a.spl", "ab"), Reporter()
    reporter.report(WARNING.at(source.span(0, 1), "odd"))
    assert not reporter.has_errors
    reporter.raise_errors()
    reporter.report(at(source, "b"))
    with pytest.raises(CompileError, match="E9999") as caught:
        reporter.raise_errors()
    assert len(caught.value.diagnostics) == 2


def test_only_so_many_findings_are_kept() -> None:
    source, reporter = SourceFile("a.spl", "a" * 500), Reporter()
    for offset in range(500):
        reporter.report(RULE.at(source.span(offset, offset + 1), "wrong"))
    assert (len(reporter.diagnostics), reporter.count) == (MAX_DIAGNOSTICS, 500)


@pytest.mark.parametrize(
    ("name", "candidates", "expected"),
    [
        ("cuont", ["count", "print"], "count"),
        ("Count", ["count", "county"], "count"),
        ("xyz", ["count"], None),
        ("count", ["count"], None),
    ],
)
def test_near_misses(name: str, candidates: list[str], expected: str | None) -> None:
    assert suggest(name, candidates) == expected


def test_codes_of_the_catalogue_are_unique_and_in_order() -> None:
    codes = [rule.code for rule in vars(catalogue).values() if isinstance(rule, Rule)]
    assert codes == sorted(set(codes))
    assert all(re.fullmatch(r"[EW]\d{4}", code) for code in codes)


# --- Rendering ---


def test_a_diagnostic_with_everything() -> None:
    source = SourceFile("shop.spl", "val count = 1\nx\ny\n    print cuont\n")
    diagnostic = (
        at(source, "cuont", "there is no `cuont` here")
        .also(source.span(4, 9), "a similar name")
        .note("names are looked up\nfrom the inside out")
        .hint("did you mean `count`?")
    )
    assert shown(diagnostic) == (
        "error[E9999]: there is no `cuont` here\n"
        "  --> shop.spl:4:11\n"
        "   |\n"
        " 1 | val count = 1\n"
        "   |     ----- a similar name\n"
        "...\n"
        " 4 |     print cuont\n"
        "   |           ^^^^^\n"
        "   = note: names are looked up\n"
        "           from the inside out\n"
        "   = help: did you mean `count`?\n"
    )


def test_a_label_in_another_file_has_its_own_snippet() -> None:
    source, other = SourceFile("a.spl", "ab"), SourceFile("b.spl", "\n" * 9 + "cd")
    text = shown(at(source, "b").also(other.span(9, 11), "declared here"))
    assert "  --> a.spl:1:2\n" in text
    assert "  --> b.spl:10:1\n" in text


def test_no_source_no_snippet() -> None:
    assert shown(RULE.at(None, "no such file")) == "error[E9999]: no such file\n"


def test_marks_stand_under_tabs_wide_and_control_characters() -> None:
    source = SourceFile("a.spl", "\t日本\x07 x")
    line, mark = shown(at(source, "x")).splitlines()[-2:]
    assert line == " 1 |     日本· x"
    assert mark == "   |" + " " * 11 + "^"


def test_a_long_line_is_clipped_around_the_mark() -> None:
    source = SourceFile("a.spl", "a" * 500_000 + "bad" + "c" * 500_000)
    line, mark = shown(at(source, "bad")).splitlines()[-2:]
    assert len(line) < LINE_WIDTH + 20
    assert line[mark.index("^") : mark.rindex("^") + 1] == "bad"


def test_a_span_over_lines_is_marked_to_the_end_of_its_first() -> None:
    source = SourceFile("a.spl", "ab(\n1\n)")
    assert shown(RULE.at(source.span(0, 7), "wrong")).endswith(" 1 | ab(\n   | ^^^\n")


def test_the_end_of_the_file_can_be_marked() -> None:
    source = SourceFile("a.spl", "a\n")
    assert shown(RULE.at(source.span(2, 2), "wrong")).endswith(" 2 |\n   | ^\n")


def test_colour_adds_only_escapes() -> None:
    source = SourceFile("a.spl", "a b")
    diagnostic = at(source, "b").also(source.span(0, 1), "here").note("n")
    coloured = render([diagnostic], color=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == shown(diagnostic)


# --- Loading ---


def load(data: bytes) -> tuple[SourceFile | None, Reporter]:
    reporter = Reporter()
    return source_from_bytes("a.spl", data, reporter), reporter


def test_line_ends_and_byte_order_mark_are_normalised() -> None:
    source, _ = load(b"\xef\xbb\xbfa\r\nb\rc\n")
    assert source is not None
    assert source.text == "a\nb\nc\n"


def test_invalid_utf8_is_reported_with_its_place() -> None:
    source, reporter = load(b"ok\n a \xff b\n")
    assert source is None
    (diagnostic,) = reporter.diagnostics
    assert diagnostic.code == catalogue.NOT_UTF8.code
    assert isinstance(diagnostic.span, Span)
    assert diagnostic.span.line_column() == (2, 4)
    assert "0xff" in diagnostic.message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    reporter = Reporter()
    assert load_source(str(tmp_path / "none.spl"), reporter) is None
    assert load_source(str(tmp_path), reporter) is None
    messages = [diagnostic.message for diagnostic in reporter.diagnostics]
    assert "there is no file" in messages[0]
    assert "is a directory" in messages[1]


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.spl"
    path.write_text("print 1\n", encoding="utf-8")
    source = load_source(str(path), Reporter())
    assert source is not None
    assert source.text == "print 1\n"
