"""The table of compiled patterns is what `re` would make of them."""

from __future__ import annotations

import _sre
import re
import subprocess
import sys
from re import _compiler, _parser  # type: ignore[attr-defined]

import pytest

from harness import ROOT
from simple_jit.syntax.pattern_table import TABLE
from simple_jit.syntax.patterns import compile_pattern

OWN = [key for key in TABLE if key[0] == _sre.MAGIC]


@pytest.mark.skipif(not OWN, reason="no table for this Python: `re` compiles the patterns")
def test_the_table_is_up_to_date() -> None:
    script = "import sys, simple_jit.syntax.parser; sys.exit('re' in sys.modules)"
    path = f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r}); "
    done = subprocess.run([sys.executable, "-I", "-S", "-c", path + script], check=False)
    assert done.returncode == 0, "run tools/generate_patterns.py"


@pytest.mark.parametrize("key", OWN, ids=lambda key: key[2][:20])
def test_a_pattern_of_the_table_is_what_re_compiles(key: tuple[int, int, str]) -> None:
    _, flags, text = key
    parsed = _parser.parse(text, flags)
    assert TABLE[key] == (
        flags | parsed.state.flags,
        parsed.state.groups - 1,
        tuple(_compiler._code(parsed, flags)),
    )
    assert compile_pattern(text, flags) == re.compile(text, flags)
