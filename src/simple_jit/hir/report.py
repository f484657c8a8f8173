"""Wording that several parts of the checker share."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from simple_jit.base.source import Span


def a_type(type: object) -> str:
    """``an `i64` ``, ``a `text` ``: a type with its article."""
    name = str(type)
    return f"{'an' if name[0] in 'aeioAEIO' else 'a'} `{name}`"


def code(span: Span, otherwise: str = "…") -> str:
    """Return what stands at `span`, for a hint; `otherwise` where that is no short whole expression."""
    text = span.text
    is_whole = all(text.count(opening) == text.count(closing) for opening, closing in ("()", "[]", "{}"))
    return text if is_whole and "\n" not in text and len(text) <= 40 else otherwise


def count(number: int, noun: str) -> str:
    """`1 argument`, `2 arguments`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(names: Sequence[str]) -> str:
    """`a`, `b` and `c`, each in backticks."""
    quoted = [f"`{name}`" for name in names]
    if len(quoted) < 2:
        return "".join(quoted)
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"
