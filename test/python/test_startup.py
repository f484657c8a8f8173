"""Starting is cheap: what costs milliseconds to import stays out of a short run."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from harness import ROOT

HEAVY = {
    "argparse", "collections", "contextlib", "dataclasses", "datetime", "decimal", "difflib", "enum",
    "functools", "inspect", "json", "logging", "pathlib", "platform", "random", "shutil", "subprocess",
    "tempfile", "threading", "traceback", "typing", "numpy", "llvmlite",
}  # fmt: skip

SCRIPT = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from simple_jit.cli.main import main
status = main(sys.argv[1:])
sys.stdout.flush()
sys.stderr.write("|".join(sys.modules))
sys.exit(status)
"""


def modules_of(*words: str) -> set[str]:
    """Return the modules imported by one command line, in a Python without `site`."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SIMPLE_")}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", SCRIPT, ROOT / "src", *words],
        env=environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stderr.split("|"))


def test_the_command_itself_is_light() -> None:
    assert not modules_of("--version") & (HEAVY | {"re", "ctypes"})


@pytest.mark.parametrize("mode", ["always_interpret", "auto"])
def test_hello_world_imports_nothing_heavy(mode: str) -> None:
    loaded = modules_of("run", "--mode", mode, "-e", 'print "hello"')
    assert not loaded & HEAVY
    assert "cranelift" not in loaded
