"""What the compiler makes of a program is the same in each process: caches and bug reports rely on it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness import ROOT

PROGRAMS = ["test/programs/bench/sort.spl", "test/programs/whole/words.spl"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_ir_does_not_depend_on_the_process(program: str) -> None:
    """Addresses and hashes of texts differ between processes, and with them the order of sets."""
    pytest.importorskip("llvmlite")
    words = [sys.executable, "-m", "simple_jit", "dump", str(Path(ROOT, program)), "--stage", "llvm"]
    texts = set()
    for seed in ("1", "2", "3"):
        environ = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONHASHSEED": seed}
        done = subprocess.run(words, env=environ, capture_output=True, text=True, check=True)
        texts.add(done.stdout)
    assert len(texts) == 1
    assert "define" in texts.pop()
