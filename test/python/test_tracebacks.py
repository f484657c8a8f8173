"""The calls that led to an error, as every tier shows them.

Each program of golden/tracebacks ends with an error; beside it is what it writes to standard error. With
BLESS=1 that is written anew, from what the interpreter shows.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness import ROOT, TIERS, run_simple

PROGRAMS = sorted(Path(__file__).with_name("golden").glob("tracebacks/*.spl"))
SPIN = """
fn spin(n: i64) -> i64:
    var k = n
    while k > 0:
        if k == 10: eprint "go"
        k += 1
    k
print spin(1)
"""
NATIVE = ["--threshold", "1", "--backend", "llvm"]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
@pytest.mark.parametrize("tier", [*TIERS, "auto with llvm"])
def test_traceback(program: Path, tier: str) -> None:
    words = TIERS.get(tier, ["run", *NATIVE])
    outcome = run_simple([*words, program.name], folder=program.parent)
    expected = program.with_suffix(".txt")
    if os.environ.get("BLESS") and tier == "interpreter":
        expected.write_text(outcome.err, encoding="utf-8")
    assert outcome.err == expected.read_text(encoding="utf-8")
    assert outcome.status == 1


def test_functions_of_other_modules_are_shown_with_their_file(tmp_path: Path) -> None:
    (tmp_path / "shapes.spl").write_text("fn corner(xs: [i64]) -> i64: xs[4]\n")
    (tmp_path / "main.spl").write_text("use shapes.{corner}\nfn main(): print corner([1])\n")
    for words in TIERS.values():
        outcome = run_simple([*words, "main.spl"], folder=tmp_path)
        assert "--> shapes.spl:1:" in outcome.err
        assert outcome.err.endswith("       main  main.spl:2  fn main(): print corner([1])\n")


def test_what_the_library_does_itself_is_not_shown() -> None:
    code = "fn worst(xs: [i64]): xs.insert(9, 1)\nfn main(): worst([1])"
    for tier, words in TIERS.items():
        if words[0] == "run":
            outcome = run_simple([*words, "-e", code])
            assert "--> <eval>:1:22" in outcome.err, tier
            assert outcome.err.endswith("= in worst, called from\n       main  <eval>:2  fn main(): worst([1])\n")


@pytest.mark.parametrize("words", [["--mode", "always_interpret"], NATIVE, TIERS["cranelift"][1:]], ids=" ".join)
def test_ctrl_c_shows_where_the_program_was(words: list[str]) -> None:
    code = SPIN
    process = subprocess.Popen(
        [sys.executable, "-m", "simple_jit", "run", *words, "-e", code],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "go\n"
    process.send_signal(signal.SIGINT)
    _, shown = process.communicate(timeout=60)
    assert process.returncode == 130
    assert shown.startswith("interrupted\n  --> <eval>:")
    assert shown.endswith("= in spin, called from\n       top level  <eval>:8  print spin(1)\n")
