"""Dicts and sets do what Python's do, operation by operation, for every kind of key and in every tier."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from harness import TIERS, run_simple

DRIVER = """
struct Point:
    x: i64
    y: f64

fn drive<K>(keys: [K], ops: [i64]):
    val d: {K: i64} = {}
    val s: {K} = Set()
    for op in ops:
        val key = keys[op / 10 % keys.len()]
        val code = op % 10
        if op % 307 == 0:
            d.clear()
            s.clear()
        if code < 3:
            d[key] = op
            s.add(key)
        elif code < 5:
            d.remove(key)
            s.remove(key)
        elif code == 5:
            print d.pop(key), s.contains(key)
        elif code == 6:
            print d.get(key), d.get_or(key, -1), key in s
        elif code == 7:
            if key in d: d[key] += 1
            print d.len(), s.len()
        elif code == 8:
            var n = 0
            for k, v in d: n = (n * 31 + v) % 1000003
            for k in s: n += 1
            print n
        else:
            print d.keys(), s
    print d, d == d.clone(), d.merge(d).len(), s == Set(s)

fn main():
"""

POINTS = [f"Point(x: {x}, y: {y})" for x in range(3) for y in ("0.0", "2.5")]
KEYS: dict[str, list[str]] = {
    "i64": [str(n * n * n - 40) for n in range(60)],
    "u8": [f"{n}u8" for n in range(0, 256, 9)],
    "high bits": [f"({n} << 52)" for n in range(40)],
    "text": [f'"{"k" * (n % 20)}{n // 3}"' for n in range(60)],
    "f64": ["0.0", "-0.0", "f64.NAN", "-f64.NAN", "1.5", "-1.5", "f64.INF", "1e300"],
    "bool": ["true", "false"],
    "tuple": [f'({a}, "{b}")' for a in range(5) for b in "xyz"],
    "struct": POINTS,
    "optional": ["Some(1)", "nil", "Some(0)", "Some(7)"],
    "array": [f"[{', '.join('12'[:n])}]" for n in (1, 2)] + ["[2, 1]", "[3]"],
}
SAME = {"-0.0": "0.0", "-f64.NAN": "f64.NAN"}
SHOWN = {"f64.NAN": "nan", "f64.INF": "inf", "1e300": "1e+300", "Some(1)": "1", "Some(0)": "0", "Some(7)": "7"}


def shown(key: str) -> str:
    """The text form of a key, from its source."""
    if key.endswith("u8"):
        return key[:-2]
    if "<<" in key:
        count = int(key[1:].split()[0]) << 52
        return str((count + (1 << 63)) % (1 << 64) - (1 << 63))
    return SHOWN.get(key, key)


def listed(items: list[str], brackets: str) -> str:
    return brackets[0] + ", ".join(items) + brackets[1]


def text_of_set(keys: dict[str, None]) -> str:
    return listed([shown(key) for key in keys], "{}") if keys else "Set()"


def model(keys: list[str], ops: list[int]) -> list[str]:
    """What the driver prints, by Python's dicts; a dict without values is the set."""
    d: dict[str, int] = {}
    s: dict[str, None] = {}
    lines = []
    for op in ops:
        key = keys[op // 10 % len(keys)]
        key, code = SAME.get(key, key), op % 10
        if op % 307 == 0:
            d.clear()
            s.clear()
        if code < 3:
            d[key] = op
            s.setdefault(key)
        elif code < 5:
            d.pop(key, None)
            s.pop(key, None)
        elif code == 5:
            lines.append(f"{d.pop(key, 'nil')} {str(key in s).lower()}")
        elif code == 6:
            lines.append(f"{d.get(key, 'nil')} {d.get(key, -1)} {str(key in s).lower()}")
        elif code == 7:
            if key in d:
                d[key] += 1
            lines.append(f"{len(d)} {len(s)}")
        elif code == 8:
            n = 0
            for value in d.values():
                n = (n * 31 + value) % 1000003
            lines.append(str(n + len(s)))
        else:
            lines.append(f"{listed([shown(k) for k in d], '[]')} {text_of_set(s)}")
    whole = listed([f"{shown(k)}: {v}" for k, v in d.items()], "{}")
    return [*lines, f"{whole} true {len(d)} true"]


def first_forms(lines: list[str]) -> list[str]:
    """A key shows as it was when it was added: take the signs of zeros and NaN for equal."""
    return [line.replace("-0.0", "0.0").replace("-nan", "nan") for line in lines]


@pytest.mark.parametrize("tier", ["interpreter", "cranelift", "llvm", "mir-passes"])
def test_dicts_and_sets_do_what_pythons_do(tier: str, tmp_path: Path) -> None:
    rng = random.Random(7)
    program, wanted = DRIVER, []
    for keys in KEYS.values():
        ops = [rng.randrange(10**6) for _ in range(300)]
        program += f"    drive([{', '.join(keys)}], {ops})\n"
        wanted += model(keys, ops)
    (tmp_path / "program.spl").write_text(program, encoding="utf-8")
    outcome = run_simple([*TIERS[tier], "program.spl"], folder=tmp_path, seconds=120)
    assert outcome.err == ""
    assert first_forms(outcome.out.split("\n")[:-1]) == first_forms(wanted)


@pytest.mark.parametrize("seed", range(4))
def test_a_dict_stays_right_while_it_grows_and_shrinks(seed: int, tmp_path: Path) -> None:
    """Phases of mostly adding and mostly removing, among few keys or many: the index and holes change size."""
    rng = random.Random(seed)
    keys = [str(rng.randrange(-(2**63), 2**63)) for _ in range(rng.choice([6, 50, 700]))]
    ops: list[int] = []
    for _ in range(12):
        codes = rng.choice([(0, 1, 2, 6), (3, 4, 5, 6), (0, 3, 7, 8)])
        ops += [rng.randrange(10**5) * 10 + rng.choice(codes) for _ in range(200)]
    program = f"{DRIVER}    drive([{', '.join(keys)}], {ops})\n"
    (tmp_path / "program.spl").write_text(program, encoding="utf-8")
    outcome = run_simple([*TIERS["cranelift"], "program.spl"], folder=tmp_path, seconds=120)
    assert outcome.err == ""
    assert outcome.out.split("\n")[:-1] == model(keys, ops)
