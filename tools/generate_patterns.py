"""Make src/simple_jit/syntax/pattern_table.py: run this once with each Python that is supported.

    for version in 3.11 3.12 3.13; do python$version tools/generate_patterns.py; done

What other versions put there is kept as far as the patterns are still in use.
"""

import _sre
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src" / "simple_jit" / "syntax" / "pattern_table.py"
USERS = ("lexer", "literals", "text_literal", "parse_expr")

HEAD = '''"""Compiled patterns; made by tools/generate_patterns.py, do not edit."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

TABLE: Final[dict[tuple[int, int, str], tuple[int, int, tuple[int, ...]]]] = {
'''


def patterns_in_use():
    """Return the text and flags of each pattern that the front end asks for."""
    from simple_jit.syntax import patterns

    asked = []
    real = patterns.compile_pattern

    def recorder(text, flags=0):
        asked.append((flags, text))
        return real(text, flags)

    patterns.compile_pattern = recorder
    for name in USERS:
        import_module(f"simple_jit.syntax.{name}")
    return asked


def compiled(text, flags):
    """Return flags, number of groups and code, as `re.compile` computes them."""
    from re import _compiler, _parser

    parsed = _parser.parse(text, flags)
    assert not parsed.state.groupdict, "named groups are not supported"
    code = _compiler._code(parsed, flags)
    return flags | parsed.state.flags, parsed.state.groups - 1, tuple(map(int, code))


def main():
    sys.path.insert(0, str(ROOT / "src"))
    if not TARGET.exists():
        TARGET.write_text(HEAD + "}\n", encoding="utf-8")
    in_use = patterns_in_use()
    table = dict(import_module("simple_jit.syntax.pattern_table").TABLE)
    for flags, text in in_use:
        table[_sre.MAGIC, flags, text] = compiled(text, flags)
    lines = [
        f"    {key!r}: {value!r},  # noqa: E501\n"
        for key, value in sorted(table.items())
        if (key[1], key[2]) in in_use
    ]
    TARGET.write_text(HEAD + "".join(lines) + "}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
