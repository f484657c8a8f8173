"""Runs one program in every way there is, finds ways that disagree, and makes such a program smaller.

    found = disagreement(source)            # None, or what differs
    small = shrink(source, found)           # still differs in the same way
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from harness import Outcome, run_simple

SECONDS = 30
"""A run that takes more processor time hangs."""

WAYS: dict[str, dict[str, object]] = {
    "interpreter": {"mode": "always_interpret"},
    "auto": {"mode": "auto", "threshold": 1, "backend": "cranelift"},
    "regions": {"mode": "auto", "threshold": 1000, "loop_threshold": 1, "backend": "cranelift"},
    "mixed": {"mode": "auto", "threshold": 3, "loop_threshold": 3, "backend": "cranelift"},
    "cranelift": {"mode": "always_jit", "backend": "cranelift"},
    "mir": {"mir": "plain"},
    "mir-passes": {"mir": "passes"},
    "llvm": {"mode": "always_jit", "backend": "llvm", "level": 2},
    "llvm-O0": {"mode": "always_jit", "backend": "llvm", "level": 0},
    "llvm-regions": {"mode": "auto", "threshold": 2, "loop_threshold": 2, "backend": "llvm"},
}
"""Ways of running a program; the first is the reference."""
REFERENCE = "interpreter"
QUICK = ("auto", "regions", "mixed", "cranelift", "mir-passes")
"""Ways that cost little."""


class Disagreement:
    """Two ways of running a program that differ; `way` is `interpreter` where that one itself breaks."""

    def __init__(self, way: str, reference: Outcome, outcome: Outcome) -> None:
        self.way = way
        self.reference = reference
        self.outcome = outcome

    def __str__(self) -> str:
        return f"[{self.way}]\n{self.outcome}\n[{REFERENCE}]\n{self.reference}"

    def is_like(self, other: Disagreement) -> bool:
        return (self.way, _symptom(self.outcome), _symptom(self.reference)) == (
            other.way, _symptom(other.outcome), _symptom(other.reference),
        )  # fmt: skip


def _symptom(outcome: Outcome) -> tuple[int, str]:
    """Return the status and the kind of error: what a smaller program must keep."""
    first = re.match(r"error(\[\w+\])?: (\w+( error of the \w+: \w+)?)", outcome.err)
    return outcome.status, first[0] if first else outcome.err[:30]


def is_broken(outcome: Outcome) -> bool:
    """Whether no program may end like this."""
    return outcome.status not in (0, 1) or "internal error" in outcome.err or "Traceback" in outcome.err


def is_rejected(outcome: Outcome) -> bool:
    """Whether the program has compile errors."""
    return re.match(r"error\[", outcome.err) is not None


def run_ways(source: str, ways: Sequence[str], overflow_checks: bool = False) -> dict[str, Outcome]:
    """Run a program in these ways; where it has compile errors, or the first way hangs, in the first alone."""
    settings = {way: {**WAYS[way], "overflow_checks": overflow_checks} for way in ways}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "case.spl").write_text(source, encoding="utf-8")
        words = ["ways", json.dumps(settings), "case.spl", str(SECONDS)]
        whole = run_simple(words, folder, seconds=600)
        if whole.status != 0:
            return {ways[0]: whole}
        return {way: _outcome(folder, way) for way in ways if (folder / f"{way}.status").exists()}


def _outcome(folder: Path, way: str) -> Outcome:
    out, err = (
        (folder / f"{way}.{kind}").read_bytes().decode("utf-8", "backslashreplace") for kind in ("out", "err")
    )
    return Outcome(int((folder / f"{way}.status").read_text()), out, err)


def disagreement(
    source: str, overflow_checks: bool = False, ways: Sequence[str] = tuple(WAYS)
) -> Disagreement | None:
    """Return the first way in which `source` runs otherwise than in the interpreter, if there is one."""
    outcomes = run_ways(source, [REFERENCE, *(way for way in ways if way != REFERENCE)], overflow_checks)
    reference = outcomes[REFERENCE]
    if is_broken(reference):
        return Disagreement(REFERENCE, reference, reference)
    for way, outcome in outcomes.items():
        if outcome != reference:
            return Disagreement(way, reference, outcome)
    return None


# --- making a program smaller -------------------------------------------------------------------------
def shrink(source: str, found: Disagreement, overflow_checks: bool = False, seconds: float = 120) -> str:
    """Return a small program with the same disagreement: statements and parts of expressions left out."""
    end = time.monotonic() + seconds

    def still(text: str) -> bool:
        if time.monotonic() > end:
            return False
        again = disagreement(text, overflow_checks, (found.way,))
        return again is not None and again.is_like(found)

    before = ""
    while before != source and time.monotonic() < end:
        before = source
        source = _fewer_lines(source, still)
        source = _smaller_expressions(source, still)
    return source


def _fewer_lines(source: str, still: Callable[[str], bool]) -> str:
    lines = source.splitlines()
    size = max(len(lines) // 2, 1)
    while size:
        at = len(lines)
        while at > 0:
            at = max(at - size, 0)
            for candidate in _without(lines, at, size):
                if still("\n".join(candidate) + "\n"):
                    lines = candidate
                    break
        size //= 2
    return "\n".join(lines) + "\n"


def _without(lines: list[str], at: int, size: int) -> Iterator[list[str]]:
    """Leave out `size` lines, the blocks they open included; or only the heads of the blocks."""
    end = at + size
    if at >= len(lines):
        return
    while end < len(lines) and _depth(lines[end]) > _depth(lines[at]):
        end += 1
    yield lines[:at] + lines[end:]
    if size == 1 and end - at > 1:
        yield lines[:at] + [line[4:] for line in lines[at + 1 : end]] + lines[end:]


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _smaller_expressions(source: str, still: Callable[[str], bool]) -> str:
    """Put something simpler where a bracketed part of a line is."""
    at = 0
    while at < len(source):
        if source[at] in "([":
            end = _closing(source, at)
            for simple in _simpler(source[at:end]):
                candidate = source[:at] + simple + source[end:]
                if still(candidate):
                    source = candidate
                    at -= 1
                    break
        at += 1
    return source


def _simpler(part: str) -> Iterator[str]:
    inner = part[1:-1]
    if len(part) <= 3:
        return
    yield from (text for text in ("(1)", "(true)", '("a")', "[:]", "()") if text != part)
    yield inner if part[0] == "(" else "[]"
    starts = [at for at, char in enumerate(inner) if char in "(["]
    yield from (inner[at : _closing(inner, at)] for at in starts[:4])
    for operator in (" ?? ", " + ", " - ", " * ", ", ", " == ", " and ", " or ", " else: ", ": "):
        left, found, right = inner.partition(operator)
        if found:
            yield f"{part[0]}{left}{part[-1]}"
            yield f"{part[0]}{right}{part[-1]}"


def _closing(text: str, start: int) -> int:
    """Return the place after the bracket that closes the one at `start`."""
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        if depth == 0:
            return at + 1
    return len(text)
