"""Signals to programs wherever they are: a sample of `test/stress/interrupts.py`."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "stress" / "interrupts.py"
SAMPLE = [
    "counted loop/cranelift",
    "counted loop/auto",
    "collection/llvm",
    "collecting/cranelift",
    "fill/interpreted",
    "deep recursion/interpreted",
    "try/auto",
    "input/cranelift",
    "SIGTERM/interpreted",
    "SIGTERM/llvm",
    "twice/auto",
    "nobody reads/interpreted",
    "nobody reads/cranelift",
    "simple test",
    "starting",
]


@pytest.mark.parametrize("name", SAMPLE)
def test_a_signal_ends_it(name: str, tmp_path: Path) -> None:
    specification = importlib.util.spec_from_file_location("interrupts", SCRIPT)
    assert specification is not None
    assert specification.loader is not None
    stress = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(stress)
    stress.LIMIT = 10  # the machine may be busy: how long it took, the stress test says
    (case,) = [case for case in stress.cases(tmp_path) if case.name == name]
    assert case.run() == ""
