"""Which functions `--fn NAME` means.

`area` means the instances `main.area(i64)`, `main.area(f64)` and the methods `main.Circle.area()`;
`Circle.area` and `main.Circle.area` only the last.
"""

from __future__ import annotations

from simple_jit.cli.options import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def select(symbols: Iterable[str], wanted: str) -> list[str]:
    """Return the symbols that `wanted` names.

    Raises:
        UsageError: there is none.
    """
    known = list(symbols)
    found = [symbol for symbol in known if symbol == wanted or _names(symbol, wanted)]
    if found:
        return found
    from simple_jit.base.diagnostics import suggest

    near = suggest(wanted, [_bare(symbol).rpartition(".")[2] for symbol in known])
    hints = [f"did you mean `{near}`?"] if near else []
    raise UsageError(f"there is no function `{wanted}`", *hints)


def _names(symbol: str, wanted: str) -> bool:
    return f".{_bare(symbol)}".endswith(f".{wanted}")


def _bare(symbol: str) -> str:
    """Return a symbol without its types: `main.first` of `main.first<i64>([i64])`."""
    return symbol.partition("(")[0].partition("<")[0]
