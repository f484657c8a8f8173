"""Enums with payload, as Python passes and receives them."""

from __future__ import annotations

import pytest

from simple_jit.backend import BackendKind, create_backend
from simple_jit.runtime.enum_values import EnumValue

SOURCE = """\
enum Shape:
    Circle(f64)
    Rect(w: f64, h: f64)
    Empty

enum Tree:
    Leaf
    Node(Tree, i64, Tree)

fn make(n: i64) -> Shape:
    match n:
        case 0: Circle(1.5)
        case 1: Rect(w: 2.0, h: 3.0)
        case _: Empty

fn area(s: Shape) -> f64:
    match s:
        case Circle(r): 3.0 * r * r
        case Rect(w, h): w * h
        case Empty: 0.0

fn half(n: i64) -> Result<i64, text>:
    if n % 2 == 0: Ok(n / 2) else: Err("odd {n}")

fn total(t: Tree) -> i64:
    match t:
        case Leaf: 0
        case Node(l, n, r): total(l) + n + total(r)

fn grow(n: i64) -> Tree:
    if n == 0: Leaf else: Node(grow(n - 1), n, Leaf)

fn all(xs: [Shape?]) -> [Shape?]: xs
"""

KINDS = [BackendKind.TREE_WALK, BackendKind.CRANELIFT_JIT]
TREE = EnumValue("Node", EnumValue("Leaf"), 2, EnumValue("Node", EnumValue("Leaf"), 3, EnumValue("Leaf")))


@pytest.mark.parametrize("kind", KINDS)
def test_values_go_to_python_and_back(kind: BackendKind) -> None:
    engine = create_backend(kind)
    engine.run(SOURCE)
    assert engine.call("make", [0]) == EnumValue("Circle", 1.5)
    rect = engine.call("make", [1])
    assert (rect.variant, rect.values, rect.w, rect.h) == ("Rect", (2.0, 3.0), 2.0, 3.0)
    assert repr(engine.call("make", [2])) == "Empty"
    assert engine.call("area", [rect]) == 6.0
    assert engine.call("area", ["Empty"]) == 0.0
    assert engine.call("half", [4]) == EnumValue("Ok", 2)
    assert engine.call("half", [3]) == EnumValue("Err", "odd 3")
    assert engine.call("total", [TREE]) == 5
    assert engine.call("grow", [1]) == EnumValue("Node", EnumValue("Leaf"), 1, EnumValue("Leaf"))
    assert engine.call("all", [[rect, None, "Empty"]]) == [rect, None, EnumValue("Empty")]


def test_what_is_no_value_of_the_enum_is_refused() -> None:
    engine = create_backend(BackendKind.TREE_WALK)
    engine.run(SOURCE)
    for wrong in (
        3,
        "Circle",
        EnumValue("Circle", 1.0, 2.0),
        EnumValue("Square", 1.0),
        EnumValue("Circle", "x"),
    ):
        with pytest.raises(TypeError):
            engine.call("area", [wrong])
    with pytest.raises(AttributeError):
        _ = engine.call("make", [1]).depth
