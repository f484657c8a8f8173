"""Random interrupts, failing allocations and polls: a sample of `test/stress/faults.py`."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from harness import TIERS, run_simple

STRESS = Path(__file__).resolve().parents[1] / "stress"


def load_stress() -> ModuleType:
    specification = importlib.util.spec_from_file_location("faults", STRESS / "faults.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("tier", ["interpreter", "cranelift", "llvm"])
@pytest.mark.parametrize("every", ["1500:2"])
def test_containers_stay_whole(tier: str, every: str) -> None:
    environ = {"SIMPLE_FAULTS": every}
    outcome = run_simple([*TIERS[tier], "containers.spl"], folder=STRESS / "faults", environ=environ)
    assert "inconsistent" not in outcome.err
    assert outcome.status == 0 or (outcome.status == 1 and "on purpose" in outcome.err), outcome


@pytest.mark.parametrize("kind", ["tree-walk", "cranelift"])
def test_an_engine_survives_failures(kind: str) -> None:
    load_stress().fail(kind, 8, 3)


def test_an_engine_survives_interrupts() -> None:
    load_stress().interrupt("interpreter", 10)
