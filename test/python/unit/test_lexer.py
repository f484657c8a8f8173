"""Tokens, text literals and layout."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simple_jit.base.diagnostics import Reporter
from simple_jit.base.source import SourceFile
from simple_jit.syntax import ast
from simple_jit.syntax.lexer import tokenize
from simple_jit.syntax.parser import parse
from simple_jit.syntax.tokens import END, INDENT, LAYOUT, NEWLINE, Token


def lex(text: str) -> tuple[list[Token], list[str]]:
    """Return the tokens of `text` and the codes of its errors."""
    reporter = Reporter()
    tokens = tokenize(SourceFile("test.spl", text), reporter)
    return tokens, [diagnostic.code for diagnostic in reporter.diagnostics]


def words(text: str) -> str:
    """Return the tokens in a line, layout by name, the last NEWLINE and END left out."""
    tokens, errors = lex(text)
    assert errors == []
    shown = [token.kind if token.kind in LAYOUT else token.text for token in tokens]
    assert shown.pop() == END
    return " ".join(shown).removesuffix(NEWLINE).rstrip()


def text_value(literal: str) -> str:
    """Return what a literal without holes stands for."""
    reporter = Reporter()
    module = parse(SourceFile("test.spl", f"x = {literal}"), reporter)
    assert reporter.diagnostics == []
    statement = module.statements[0]
    assert isinstance(statement, ast.Assign)
    assert isinstance(statement.value, ast.TextLiteral)
    return statement.value.value


# --- Tokens ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b?.c.?", "a . b ?. c .?"),
        ("t.0.1", "t . 0 . 1"),
        ("1..2", "1 .. 2"),
        ("1.5..=2", "1.5 ..= 2"),
        ("a??=b", "a ??= b"),
        ("a **= b // c", "a **= b // c"),
        ("f(...xs)", "f ( ... xs )"),
        ("x!= y", "x != y"),
        ("|A|B->c", "| A | B -> c"),
        ("1_000 0xFFu8 0b1i8 1e-9f32", "1_000 0xFFu8 0b1i8 1e-9f32"),
        ("5.abs", "5 . abs"),
        ("größe_2", "größe_2"),
        (r"\x: x", "\\ x : x"),
    ],
)
def test_tokens_of_an_expression(text: str, expected: str) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [("1", "INT"), ("0xEF", "INT"), ("1.0", "FLOAT"), ("1e9", "FLOAT"), ("1f32", "FLOAT")],
)
def test_kind_of_a_number(text: str, kind: str) -> None:
    assert lex(text)[0][0].kind == kind


def test_keywords_are_their_own_kind_and_other_words_names() -> None:
    tokens, _ = lex("match case from")
    assert [token.kind for token in tokens[:3]] == ["match", "NAME", "NAME"]


def test_an_empty_file_has_only_its_end() -> None:
    for text in ("", "\n\n", "# comment", "  # comment\n", "   "):
        assert [token.kind for token in lex(text)[0]] == [END]


# --- Text ---


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ('""', ""),
        ('"a"', "a"),
        (r'"\n\t\r\0\\\""', '\n\t\r\0\\"'),
        (r'"\{\}{{}}"', "{}{}"),
        (r'"\x41\u{e9}\u{1F600}"', "Aé😀"),
        ("'a \\n {x}'", "a \\n {x}"),
        (r'r"a \n {x}"', "a \\n {x}"),
        ('f"a"', "a"),
        ('"""a"""', "a"),
        ('"""\n    a\n      b\n\n    c\n    """', "a\n  b\n\nc"),
        ('"""\n    a\n  """', "  a"),
        ('"""a\n    b"""', "a\nb"),
        ('"""\n    a\\n\n    """', "a\n"),
        ('r"""\n  \\n{x}\n  """', "\\n{x}"),
        ('"""say "hi" to"""', 'say "hi" to'),
    ],
)
def test_value_of_text(literal: str, expected: str) -> None:
    assert text_value(literal) == expected


@pytest.mark.parametrize(
    "literal",
    ['"{x}"', '"{d["k"]}"', '"{f("a", "{b}")}"', '"{x:>3}"', '"{ {"a": 1} }"', "\"{'}'}\""],
)
def test_text_ends_after_its_holes(literal: str) -> None:
    assert words(f"{literal} end") == f"{literal} end"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('"abc', "E0007"),
        ("'abc", "E0007"),
        ('"""abc\n', "E0007"),
        ('"abc\n"', "E0007"),
        ('"a {b"', "E0012"),
        ('"' + '{"' * 40, "E0108"),
        ("$", "E0003"),
        ("a \\", "E0016"),
        (")", "E0014"),
        ("(]", "E0014"),
        ("(", "E0015"),
    ],
)
def test_errors(text: str, code: str) -> None:
    assert code in lex(text)[1]


def test_nested_failures_are_not_scanned_again_and_again() -> None:
    assert lex('"{a" ' * 20_000)[1] == ["E0012"]


# --- Labels ---


@pytest.mark.parametrize(
    "text",
    ["'outer: for x in 'abc':", "'a : while b:", "if c: 'outer: loop:", "x; 'outer: loop:"],
)
def test_labels_before_loops(text: str) -> None:
    assert any(token.kind == "LABEL" for token in lex(text)[0])


@pytest.mark.parametrize("text", ["'a: b'", "print 'a: for b'", "if c: 'a: for b'", "x = 'a'"])
def test_raw_text_that_looks_like_a_label(text: str) -> None:
    assert not any(token.kind == "LABEL" for token in lex(text)[0])


# --- Layout ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb", "a NEWLINE b"),
        ("a\n\n# c\nb", "a NEWLINE b"),
        ("a:\n  b\nc", "a : INDENT b NEWLINE DEDENT c"),
        ("a:\n  b:\n    c", "a : INDENT b : INDENT c NEWLINE DEDENT DEDENT"),
        ("a +\n  b", "a + b"),
        ("a,\nb", "a , b"),
        ("a \\\n  b", "a b"),
        ("a\n  .b\n  ?.c\n|> d", "a . b ?. c |> d"),
        ("a\n  # why\n  .b", "a . b"),
        ("use a.b.*\nc", "use a . b . * NEWLINE c"),
        ("a: List<T>\nb", "a : List < T > NEWLINE b"),
        ("a >\nb", "a > b"),
        ("a:\n  b,\nc", "a : INDENT b , NEWLINE DEDENT c"),
        ("a =\n  b", "a = b"),
        ("a =\nb", "a = NEWLINE b"),
        ("(a\nb\n)", "( a b )"),
        ("a..\n  b", "a .. b"),
        ("a?\nb!\nc", "a ? NEWLINE b ! NEWLINE c"),
    ],
)
def test_layout(text: str, expected: str) -> None:
    assert words(text) == expected


def test_a_tab_in_the_indentation_is_reported_once() -> None:
    assert lex("a:\n\tb\n\tc\n")[1] == ["E0004"]


def test_a_dedent_goes_to_the_nearest_level() -> None:
    tokens, errors = lex("a:\n    b\n   c\nd")
    assert errors == ["E0005"]
    assert [token.kind for token in tokens].count(INDENT) == 1


def test_an_unclosed_bracket_ends_before_the_next_declaration() -> None:
    tokens, errors = lex("x = [1,\nfn f(): 1\n")
    assert errors == ["E0015"]
    assert NEWLINE in [token.kind for token in tokens[:7]]


# --- Properties ---

source_text = st.text(alphabet=st.sampled_from("abf_1. \n:\"'{}()[]\\#,=+-*/<>|?!;@\té$"), max_size=80)


@given(source_text)
def test_tokens_are_in_order_and_hold_their_text(text: str) -> None:
    tokens, _ = lex(text)
    assert tokens[-1].kind == END
    end = 0
    for token in tokens:
        assert end <= token.start <= token.end <= len(text)
        end = token.end
        if token.kind not in LAYOUT and token.end > token.start and token.kind != "LABEL":
            assert text[token.start : token.end] == token.text


@given(source_text)
def test_layout_and_brackets_balance(text: str) -> None:
    depth = 0
    opened: list[str] = []
    for token in lex(text)[0]:
        depth += {"INDENT": 1, "DEDENT": -1}.get(token.kind, 0)
        assert depth >= 0
        if token.kind in "([{":
            opened.append(token.kind)
        elif token.kind in ")]}":
            assert opened.pop() + token.kind in ("()", "[]", "{}")
    assert depth == 0
    assert opened == []
