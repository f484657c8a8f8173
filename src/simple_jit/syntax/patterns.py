"""Regular expressions that are compiled ahead of time.

The module `re` and compiling the patterns of the lexer take longer than reading a small program. So
their compiled form is kept in `pattern_table.py` (made by tools/generate_patterns.py), by the version
of the pattern engine. A pattern that is not in the table is compiled by `re`.
"""

from __future__ import annotations

import _sre  # type: ignore[import-not-found]

from simple_jit.syntax.pattern_table import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from re import Pattern
    from typing import Final

DOTALL: Final = 16
VERBOSE: Final = 64


def compile_pattern(text: str, flags: int = 0) -> Pattern[str]:
    """Return what `re.compile(text, flags)` does."""
    known = TABLE.get((_sre.MAGIC, flags, text))
    if known is None:
        import re

        return re.compile(text, flags)
    all_flags, groups, code = known
    pattern: Pattern[str] = _sre.compile(text, all_flags, list(code), groups, {}, (None,) * (groups + 1))
    return pattern
