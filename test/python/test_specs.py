"""The specs in Simple pass in every tier, and none of them is left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import ROOT, run_simple

TIERS = {
    "interpreter": ["test", "--mode", "always_interpret"],
    "cranelift": ["test", "--mode", "always_jit", "--backend", "cranelift"],
    "llvm": ["test", "--mode", "always_jit", "--backend", "llvm"],
    "auto": ["test", "--threshold", "1", "--backend", "cranelift"],
    "mir": ["mir", "test"],
    "mir-passes": ["mir", "--passes", "test"],
}
SPECS = sorted(path for folder in ("test", "examples") for path in (ROOT / folder).rglob("*_spec.spl"))


def spec_id(path: Path) -> str:
    return str(path.relative_to(ROOT))


def runs() -> list[tuple[Path, str]]:
    """Every spec in every tier; but those of the engine say nothing about the MIR interpreter."""
    return [(p, t) for p in SPECS for t in TIERS if not (t.startswith("mir") and "compiler" in p.parts)]


@pytest.mark.parametrize(("path", "tier"), runs(), ids=lambda part: part if isinstance(part, str) else spec_id(part))
def test_spec_passes(path: Path, tier: str) -> None:
    name = str(path.relative_to(ROOT))
    outcome = run_simple([*TIERS[tier], "--format", "json", name], seconds=240)
    assert outcome.status == 0, outcome
    summary = json.loads(outcome.out)["summary"]
    assert summary["passed"] > 0
    assert summary["failed"] == summary["broken"] == 0


def test_there_are_specs_of_the_engine() -> None:
    names = {spec_id(path) for path in SPECS}
    assert {f"test/compiler/{name}_spec.spl" for name in ("backend/jit_interpreter", "jit_integration")} <= names
