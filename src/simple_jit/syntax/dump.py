"""Stable text forms of tokens and trees, for dumps and golden tests.

    tokens           tree
    1:1 NAME print   ExprStmt 1:1-1:8
    1:7 INT 1          value: Call 1:1-1:8
    1:8 NEWLINE          callee: Name 1:1-1:6 name='print'
    1:8 END              args:
                           - Arg 1:7-1:8
                               value: IntLiteral 1:7-1:8 value=1

Fields that are empty, None or False are left out.
"""

from __future__ import annotations

from simple_jit.syntax.ast import BoolLiteral, Ident, Node
from simple_jit.syntax.tokens import LAYOUT, NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from simple_jit.base.source import SourceFile, Span
    from simple_jit.syntax.ast import Module
    from simple_jit.syntax.tokens import Token


def dump_tokens(tokens: Iterable[Token], source: SourceFile) -> str:
    """Return a line for each token: its place, its kind, and its text if that says more."""
    lines = []
    for token in tokens:
        line, column = source.line_column(token.start)
        named = token.kind not in LAYOUT and (token.kind != token.text or token.kind == NAME)
        text = f" {_on_one_line(token.text)}" if named else ""
        lines.append(f"{line}:{column} {token.kind}{text}\n")
    return "".join(lines)


def _on_one_line(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n") if "\n" in text else text


def dump_ast(module: Module, *, spans: bool = True) -> str:
    """Return the tree with a node a line, its plain fields beside it, its children below."""
    lines: list[str] = []
    # A stack instead of recursion: trees are deep where operators are chained.
    work: list[tuple[str, str, object]] = [("", "", module)]
    while work:
        margin, label, value = work.pop()
        if isinstance(value, Node):
            lines.append(f"{margin}{label}{_headline(value, spans)}")
            inner = margin + (" " * 4 if label == "- " else "  ")
            children = [(inner, f"{name}: ", child) for name, child in _children(value)]
        else:
            assert isinstance(value, list)
            lines.append(f"{margin}{label[:-1]}")
            children = [(f"{margin}  ", "- ", child) for child in value]
        work += reversed(children)
    return "\n".join(lines) + "\n"


def _headline(node: Node, spans: bool) -> str:
    place = f" {_place(node.span)}" if spans else ""
    shown = [(name, _plain(value)) for name, value in _shown_fields(node)]
    plain = [f" {name}={text}" for name, text in shown if text is not None]
    return f"{type(node).__name__}{place}{''.join(plain)}"


def _children(node: Node) -> list[tuple[str, object]]:
    return [(name, value) for name, value in _shown_fields(node) if _plain(value) is None]


def _shown_fields(node: Node) -> list[tuple[str, object]]:
    if isinstance(node, BoolLiteral):
        return [("value", node.value)]
    return [
        (name, value)
        for name, value in node.fields()
        if value is not None and value is not False and value != []
    ]


def _plain(value: object) -> str | None:
    """Return the text of a field that is shown beside its node: names and scalars."""
    if isinstance(value, Ident):
        return repr(value.name)
    if isinstance(value, list):
        names = [item.name if isinstance(item, Ident) else item for item in value]
        return repr(names) if all(isinstance(name, str) for name in names) else None
    return None if isinstance(value, Node) else repr(value)


def _place(span: Span) -> str:
    line, column = span.line_column()
    end_line, end_column = span.file.line_column(span.end)
    return f"{line}:{column}-{end_line}:{end_column}"
