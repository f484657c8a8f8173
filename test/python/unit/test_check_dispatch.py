"""Functions that choose by type: they are valid HIR, and cover the types that the program uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from check_helper import check, errors, function
from simple_jit.hir import nodes as hir
from simple_jit.hir.walk import walk

PROGRAMS = Path(__file__).parents[2] / "programs"
SHAPES = """
trait Shape:
    fn area() -> i64
    fn twice() -> i64: self.area() * 2

struct Square:
    side: i64

struct Line:
    length: i64

impl Shape for Square:
    fn area() -> i64: self.side * self.side

impl Shape for Line:
    fn area() -> i64: 0
"""


def types_in(of: hir.Function) -> list[str]:
    """The types that a function tests for, in order."""
    return [str(node.wanted) for node in walk(of.ensure_body()) if isinstance(node, hir.AnyIs)]


@pytest.mark.parametrize(
    "name", ["traits/dynamic", "traits/generic", "traits/together", "any/values", "any/places"]
)
def test_dispatchers_are_valid(name: str) -> None:
    check((PROGRAMS / f"{name}.spl").read_text(encoding="utf-8"))


def test_only_types_that_become_values_of_the_trait_are_chosen_from() -> None:
    program = check(SHAPES + "fn main():\n    val s: Shape = Square(2)\n    print s.area(), Line(1).area()\n")
    assert types_in(function(program, "main.Shape.area(main.Shape)")) == ["Square"]


def test_types_that_a_dispatched_method_reaches_are_chosen_from_as_well() -> None:
    program = check(
        SHAPES
        + """
struct Two:
    a: Shape

impl Shape for Two:
    fn area() -> i64:
        val line: Shape = Line(1)
        self.a.area() + line.area()

fn main():
    val s: Shape = Two(Square(1))
    print s.area(), s.twice()
"""
    )
    assert set(types_in(function(program, "main.Shape.area(main.Shape)"))) == {"Square", "Two", "Line"}


def test_a_call_on_a_known_type_does_not_choose() -> None:
    program = check(SHAPES + "fn main(): print Square(2).twice()\n")
    assert not [name for name in program.functions if "Shape.area(main.Shape)" in name]


def test_narrowing_ends_where_the_variable_may_change() -> None:
    assert errors(
        "fn f(x: any) -> i64:\n    if x is text:\n        return x.size()\n    1\nfn main(): print f(1)\n"
    )
    check(
        "fn f(x: any) -> any:\n    var y = x\n    if y is text:\n        return y.size()\n    y = 2\n    y\nfn main(): print f(1)\n"
    )
