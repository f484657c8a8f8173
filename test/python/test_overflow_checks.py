"""`--overflow-checks`: signed overflow is an error in every tier, at the place of the operation."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import TIERS, run_simple

OVERFLOWS = [
    "a + b", "b + a", "-c - b - b", "a * d", "c * e", "-c", "d ** 63", "i8(100) + small", "small - i8(-100)",
]  # fmt: skip
FITTING = [
    "a - b",
    "a + e",
    "c - e",
    "d ** 62",
    "u8(255) + 1u8",
    "1 << 63",
    "a.checked_add(b)",
    "c.abs()",
    "e * a",
]


def run(tier: str, folder: Path, expression: str) -> tuple[int, str, str]:
    (folder / "program.spl").write_text(
        "fn main():\n"
        "    var a = i64.MAX; var b = 1; var c = i64.MIN; var d = 2; var e = -1\n"
        "    var small: i8 = 100\n"
        f"    val result = {expression}\n"
        "    print result\n"
    )
    words = [*TIERS[tier], "--overflow-checks", "program.spl"]
    outcome = run_simple(words, folder=folder)
    return outcome.status, outcome.out, outcome.err


@pytest.mark.parametrize("tier", [tier for tier in TIERS if not tier.startswith("mir")])
@pytest.mark.parametrize("expression", OVERFLOWS)
def test_overflow_is_an_error(tier: str, expression: str, tmp_path: Path) -> None:
    status, out, err = run(tier, tmp_path, expression)
    assert err.startswith("error: Overflow: integer overflow\n"), (out, err)
    assert "program.spl:4:" in err
    assert (status, out) == (1, "")


@pytest.mark.parametrize("tier", [tier for tier in TIERS if not tier.startswith("mir")])
def test_what_fits_and_what_is_unsigned_is_none(tier: str, tmp_path: Path) -> None:
    status, _, err = run(tier, tmp_path, f"({', '.join(FITTING)})")
    assert (status, err) == (0, "")
