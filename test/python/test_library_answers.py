"""Arithmetic and the library give the answers of Python, for many values, in every tier."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from harness import TIERS, run_simple

TEXTS = [
    "", " ", "a", "ab", "aba", "  a b  c ", "\ta\nb\r\n", "one\ntwo\r\nthree\n\n", "x\x0by\x0cz\x1c\x85", "é", "aéb",
    "漢字 テスト", "😀😀", "é😀a漢", "\xa0mixed\u2003\u3000", "a,b,,c", ",", "ÀÉÎ ß ŉ", "ΑΣ", "\u2028line\u2029",
    "1", "-1", "+1", " 42 ", "1_000", "1__0", "_1", "1_", "--1", "0x1", "1.5", "1e5", ".5", "5.", ".", "1e", "inf",
    "-Infinity", "NaN", "1_0.2_5", "٤٢", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
    "-9223372036854775809", "00000000000000000000001", "1e400", "\x001", "quote\"s \\ {x}", "\x7f\x01",
]  # fmt: skip
PARTS = ["", "a", "b", " ", ",", "aa", "é", "😀", "\n", "two", "ab"]


@pytest.fixture(params=[tier for tier in TIERS if not tier.startswith("mir")])
def answers(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], list[str]]:
    """Run a program in one tier and return the lines it prints."""

    def run(program: str) -> list[str]:
        (tmp_path / "program.spl").write_text(program, encoding="utf-8")
        outcome = run_simple([*TIERS[request.param], "program.spl"], folder=tmp_path, seconds=120)
        assert outcome.err == ""
        assert outcome.status == 0
        return outcome.out.split("\n")[:-1]

    return run


# --- Writing values as Simple does ----------------------------------------------------------------


def quote(text: str) -> str:
    short = {
        "\n": "\\n",
        "\t": "\\t",
        "\r": "\\r",
        "\0": "\\0",
        '"': '\\"',
        "\\": "\\\\",
        "{": "\\{",
        "}": "\\}",
    }
    return (
        '"'
        + "".join(short.get(c) or (f"\\x{ord(c):02x}" if ord(c) < 32 or c == "\x7f" else c) for c in text)
        + '"'
    )


def literal(value: Any) -> str:
    """The text form of a value inside of others; a literal of it, too."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return repr(value)


def compare(got: list[str], wanted: Iterable[Any]) -> None:
    expected = [literal(value) for value in wanted]
    wrong = [(i, g, w) for i, (g, w) in enumerate(zip(got, expected)) if g != w]
    assert not wrong, wrong[:5]
    assert len(got) == len(expected)


# --- Text -----------------------------------------------------------------------------------------


def to_i64(text: str) -> int | None:
    try:
        value = int(text)
    except ValueError:
        return None
    return value if -(1 << 63) <= value < 1 << 63 else None


def to_f64(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def index_of(text: str, part: str) -> int | None:
    at = text.find(part)
    return None if at < 0 else at


def test_methods_of_text(answers: Callable[[str], list[str]]) -> None:
    program = f"""
val texts = {literal(TEXTS)}
val parts = {literal(PARTS)}
for s in texts:
    print [s.trim(), s.trim_start(), s.trim_end(), s.upper(), s.lower(), s.reverse(), s + "|" + s, s * 2]
    print [s.len(), s.bytes().len()]
    print [s.split(), s.lines(), s.chars(), [s[i] for i in 0..s.len()]]
    print [s.to_i64()]
    print [s.to_f64()]
    print [s.ord() for once in 0..min(s.len(), 1)]
for s in texts:
    for p in parts:
        print [s.contains(p), s.starts_with(p), s.ends_with(p), p in s, s < p, s == p, s >= p]
        print [s.index_of(p)]
        print [s.count(p)]
        print [s.replace(p, "--"), s.replace(p, ""), s.pad_left(6, "é"), s.pad_right(4)]
        if p != "":
            print s.split(p)
"""
    wanted: list[Any] = []
    for s in TEXTS:
        wanted += [
            [s.strip(), s.lstrip(), s.rstrip(), s.upper(), s.lower(), s[::-1], s + "|" + s, s * 2],
            [len(s), len(s.encode())],
            [s.split(), s.splitlines(), list(s), list(s)],
            [to_i64(s)],
            [to_f64(s)],
            [ord(c) for c in s[:1]],
        ]
    for s in TEXTS:
        for p in PARTS:
            wanted += [
                [p in s, s.startswith(p), s.endswith(p), p in s, s < p, s == p, s >= p],
                [index_of(s, p)],
                [s.count(p)],
                [s.replace(p, "--"), s.replace(p, ""), s.rjust(6, "é"), s.ljust(4)],
            ]
            if p:
                wanted.append(s.split(p))
    compare(answers(program), wanted)


def test_slices(answers: Callable[[str], list[str]]) -> None:
    bounds = [None, -9, -5, -4, -1, 0, 1, 3, 4, 5, 9]
    steps = [None, 1, 2, 3, 9, -1, -2, -9]
    program = f"""
val bounds: [i64?] = {literal(bounds)}
val steps: [i64?] = {literal(steps)}
val numbers = [0, 1, 2, 3, 4]
for a in bounds:
    for b in bounds:
        for c in steps:
            print numbers.slice(a, b, c)
            print ["abcde".slice(a, b, c), "aé漢😀z".slice(a, b, c)]
"""
    wanted: list[Any] = []
    for a in bounds:
        for b in bounds:
            for c in steps:
                wanted += [[0, 1, 2, 3, 4][a:b:c], ["abcde"[a:b:c], "aé漢😀z"[a:b:c]]]
    compare(answers(program), wanted)


# --- Numbers --------------------------------------------------------------------------------------

WIDTHS = {"i8": 8, "i16": 16, "i32": 32, "i64": 64, "u8": -8, "u16": -16, "u32": -32, "u64": -64}


def wrap(value: int, bits: int) -> int:
    size = 1 << abs(bits)
    value %= size
    return value - size if bits > 0 and value >= size // 2 else value


def edges(bits: int) -> list[int]:
    size = 1 << abs(bits)
    values = [0, 1, 2, 3, 7, 10, 100, size // 2 - 1, size // 2 - 2]
    return values + (
        [-1, -2, -7, -size // 2, -size // 2 + 1] if bits > 0 else [size - 1, size - 2, size // 2]
    )


def integer_answers(a: int, b: int, bits: int) -> list[int]:
    count = b % abs(bits)
    quotient = 0 if b == 0 else abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
    division = [] if b == 0 else [quotient, a - quotient * b, a // b]
    exact = [a + b, a - b, a * b, a & b, a | b, a ^ b, ~a, a << count, a >> count, *division]
    return [wrap(value, bits) for value in exact]


def test_integers_of_every_width(answers: Callable[[str], list[str]]) -> None:
    runs = "".join(
        f"val {t}_edges: [{t}] = {literal(edges(bits))}\nall({t}_edges)\n" for t, bits in WIDTHS.items()
    )
    program = f"""
fn all(xs):
    for a in xs:
        for b in xs:
            val results = [a + b, a - b, a * b, a & b, a | b, a ^ b, ~a, a << b, a >> b]
            if b != 0:
                results.extend([a / b, a % b, a // b])
            print results
            print [a < b, a <= b, a == b, a != b]
{runs}"""
    wanted: list[Any] = []
    for bits in WIDTHS.values():
        for a in edges(bits):
            for b in edges(bits):
                wanted += [integer_answers(a, b, bits), [a < b, a <= b, a == b, a != b]]
    compare(answers(program), wanted)


def test_conversions_between_integers(answers: Callable[[str], list[str]]) -> None:
    values = sorted({v for bits in (8, 16, 32, 64) for v in edges(bits)})
    targets = ", ".join(f'"{{x as {t}}}"' for t in WIDTHS)
    program = f"for x in {literal(values)}:\n    print [{targets}]\n"
    compare(answers(program), [[str(wrap(x, bits)) for bits in WIDTHS.values()] for x in values])


def random_floats(count: int) -> list[float]:
    dice = random.Random(7)
    found = [
        0.0,
        -0.0,
        0.5,
        1.5,
        2.5,
        -0.5,
        -2.5,
        1e16,
        123456789.125,
        1e-7,
        5e-324,
        1.7976931348623157e308,
        1e22,
    ]
    while len(found) < count:
        (value,) = struct.unpack("d", dice.randbytes(8))
        if math.isfinite(value):
            found.append(value)
        found.append(dice.uniform(-1000, 1000))
    return found


def away(x: float) -> float:
    if abs(x) >= 2.0**52:
        return x
    whole = float(math.trunc(x))
    return math.copysign(whole if abs(x - whole) < 0.5 else whole + math.copysign(1.0, x), x)


def saturated(x: float, bits: int) -> int:
    size = 1 << abs(bits)
    low, high = (-size // 2, size // 2 - 1) if bits > 0 else (0, size - 1)
    return max(low, min(high, math.trunc(x)))


def test_floats(answers: Callable[[str], list[str]]) -> None:
    values = random_floats(200)
    targets = ", ".join(f'"{{x as {t}}}"' for t in WIDTHS)
    program = f"""
for x in {literal(values)}:
    print [x, -x, x + 1.5, x * 0.1, x / 3.0, x.floor(), x.ceil(), x.trunc(), x.round(), x.abs()]
    print [{targets}]
    print ["{{x:.3f}}", "{{x:e}}", "{{x:g}}", "{{x:+012.2f}}", "{{x:,.1f}}"]
    print [x.to_text().to_f64()]
"""
    wanted: list[Any] = []
    for x in values:
        floor, ceil = (float(math.floor(x)), float(math.ceil(x)))
        wanted += [
            [x, -x, x + 1.5, x * 0.1, x / 3.0, math.copysign(floor, x) if floor == 0 else floor,
             math.copysign(ceil, x) if ceil == 0 else ceil, math.copysign(math.trunc(x), x), away(x), abs(x)],
            [str(saturated(x, bits)) for bits in WIDTHS.values()],
            [f"{x:.3f}", f"{x:e}", f"{x:g}", f"{x:+012.2f}", f"{x:,.1f}"],
            [x],
        ]  # fmt: skip
    compare(answers(program), wanted)


# --- Arrays ---------------------------------------------------------------------------------------


def test_sorting(answers: Callable[[str], list[str]]) -> None:
    dice = random.Random(3)
    lists: list[list[int]] = [
        [dice.randrange(20) for _ in range(n)] for n in (0, 1, 2, 5, 15, 16, 17, 40, 70)
    ]
    lists += [list(range(60)), list(range(60, 0, -1)), [1, 0] * 30, [5] * 33]
    words = [["b", "", "é", "a", "ab", "漢", "B"] * 3]
    program = f"""
for xs in {literal(lists)}:
    val pairs = [(x % 5, i) for i, x in xs.enumerate()]
    print xs.sorted()
    print [[p.0, p.1] for p in pairs.sorted()]
    print xs.unique()
    print xs.sort().reverse()
for ws in {literal(words)}:
    print ws.sort()
"""
    wanted: list[Any] = []
    for xs in lists:
        wanted += [
            sorted(xs),
            [list(p) for p in sorted((x % 5, i) for i, x in enumerate(xs))],
            list(dict.fromkeys(xs)),
            sorted(xs, reverse=True),
        ]
    compare(answers(program), [*wanted, *map(sorted, words)])
