"""Random matches: the arm that a naive matcher picks, and the cases that it finds missing or unreachable."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness import run_simple
from simple_jit.base.diagnostics import Reporter
from simple_jit.base.source import SourceFile
from simple_jit.hir.check import check_program

PRELUDE = """\
enum Color:
    Red
    Green

enum Shape:
    Dot
    One(bool)
    Two(c: Color, on: bool?)

"""

# A value is a bool, None, or (constructor, parts…); a pattern too, with "_", ("|", P, Q) and ("@", P) besides.
VALUES: dict[str, list[Any]] = {"bool": [True, False], "Color": [("Red",), ("Green",)]}
VALUES["bool?"] = [None, *[("Some", v) for v in VALUES["bool"]]]
VALUES["Shape"] = [
    ("Dot",),
    *[("One", v) for v in VALUES["bool"]],
    *[("Two", c, o) for c in VALUES["Color"] for o in VALUES["bool?"]],
]
VALUES["(bool, Shape)"] = [("tuple", a, b) for a in VALUES["bool"] for b in VALUES["Shape"]]
VALUES["(Shape, bool?)"] = [("tuple", a, b) for a in VALUES["Shape"] for b in VALUES["bool?"]]
PARTS: dict[str, list[tuple[str, list[str]]]] = {
    "Color": [("Red", []), ("Green", [])],
    "Shape": [("Dot", []), ("One", ["bool"]), ("Two", ["Color", "bool?"])],
    "bool?": [("Some", ["bool"])],
    "(bool, Shape)": [("tuple", ["bool", "Shape"])],
    "(Shape, bool?)": [("tuple", ["Shape", "bool?"])],
}


def patterns(type: str, depth: int = 2) -> st.SearchStrategy[Any]:
    options: list[st.SearchStrategy[Any]] = [st.just("_")]
    if type == "bool":
        options += [st.just(True), st.just(False)]
    if type == "bool?":
        options.append(st.just(None))
    for name, parts in PARTS.get(type, []):
        options.append(st.tuples(st.just(name), *[patterns(part) for part in parts]))
    if depth:
        inner = st.deferred(lambda: patterns(type, depth - 1))
        options.append(st.tuples(st.just("|"), inner, inner))
        options.append(st.tuples(st.just("@"), inner))
    return st.one_of(options)


def matches(pattern: Any, value: Any) -> bool:
    if pattern == "_":
        return True
    if isinstance(pattern, tuple) and pattern[0] == "|":
        return any(matches(option, value) for option in pattern[1:])
    if isinstance(pattern, tuple) and pattern[0] == "@":
        return matches(pattern[1], value)
    if not isinstance(pattern, tuple) or not isinstance(value, tuple):
        return bool(pattern is value)
    return pattern[0] == value[0] and all(map(matches, pattern[1:], value[1:]))


def written(node: Any, names: Any, qualified: bool) -> str:
    """Return a pattern or value in the language; `names` makes names for `@`."""
    if not isinstance(node, tuple):
        return {"_": "_", None: "nil", True: "true", False: "false"}[node]
    head, *parts = node
    texts = [written(part, names, qualified) for part in parts]
    if head == "|":
        return f"({texts[0]} | {texts[1]})"
    if head == "@":
        return texts[0] if names is None else f"(n{next(names)} @ {texts[0]})"
    if head == "tuple":
        return f"({', '.join(texts)})"
    if qualified and head != "Some":
        head = f"{'Color' if head in ('Red', 'Green') else 'Shape'}.{head}"
    return f"{head}({', '.join(texts)})" if texts else head


def has_alternatives(pattern: Any) -> bool:
    return isinstance(pattern, tuple) and (pattern[0] == "|" or any(map(has_alternatives, pattern)))


Arm = tuple[Any, bool]  # the pattern, and whether it has a guard


def source_of(type: str, arms: list[Arm]) -> str:
    counter = itertools.count()
    lines = [f"fn pick(v: {type}, flag: bool) -> i64:", "    match v:"]
    for number, (pattern, guarded) in enumerate(arms):
        names = None if has_alternatives(pattern) else counter
        guard = " if flag" if guarded else ""
        lines.append(f"        case {written(pattern, names, False)}{guard}: {number}")
    calls = [f"pick({written(v, None, True)}, {flag})" for v in VALUES[type] for flag in ("true", "false")]
    return PRELUDE + "\n".join(lines) + f"\n\nfn main():\n    print [{', '.join(calls)}]\n"


def chosen(arms: list[Arm], value: Any, flag: bool) -> int | None:
    for number, (pattern, guarded) in enumerate(arms):
        if matches(pattern, value) and (flag or not guarded):
            return number
    return None


@st.composite
def matches_of_some_type(draw: st.DrawFn) -> tuple[str, list[Arm]]:
    type = draw(st.sampled_from(sorted(VALUES)))
    arms = draw(
        st.lists(st.tuples(patterns(type), st.sampled_from([False, False, True])), min_size=1, max_size=6)
    )
    if draw(st.booleans()):
        arms.append(("_", False))
    return type, arms


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(matches_of_some_type())
def test_a_match_picks_the_first_arm_that_fits(tmp_path: Path, drawn: tuple[str, list[Arm]]) -> None:
    type, arms = drawn
    text = source_of(type, arms)
    wanted = [chosen(arms, value, flag) for value in VALUES[type] for flag in (True, False)]
    reporter = Reporter()
    check_program(SourceFile("m.spl", text), reporter)
    errors = [d for d in reporter.diagnostics if d.severity == "error"]
    assert [d.code for d in errors] == (["E0341"] if None in wanted else []), text
    if None in wanted:
        return
    unreachable = {
        d.span.text for d in reporter.diagnostics if d.code == "W0010" and d.span and "arm" in d.message
    }
    assert bool(unreachable) == any(not needed(arms, number, type) for number in range(len(arms))), text
    (tmp_path / "m.spl").write_text(text, encoding="utf-8")
    for tier in ("always_interpret", "always_jit"):
        outcome = run_simple(["run", "--mode", tier, "--backend", "cranelift", "m.spl"], folder=tmp_path)
        assert outcome.out == f"{wanted}\n", text


def needed(arms: list[Arm], number: int, type: str) -> bool:
    """Is there a value that the arm is the first to match, guards of earlier ones failing?"""
    earlier = [pattern for pattern, guarded in arms[:number] if not guarded]
    return any(
        matches(arms[number][0], value) and not any(matches(pattern, value) for pattern in earlier)
        for value in VALUES[type]
    )
