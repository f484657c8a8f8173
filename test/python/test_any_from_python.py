"""Values of `any` and of traits go between Python and Simple with their types."""

from __future__ import annotations

import pytest

from simple_jit import BackendKind, SimpleError, create_backend

PROGRAM = """
struct Point:
    x: i64

trait Named:
    fn name() -> text

impl Named for Point:
    fn name() -> text: "point {self.x}"

fn same(x: any) -> any: x
fn mixed() -> [any]: [1, "a", 2.5, nil, true, (1, "b"), 18446744073709551615u64, 7i32, 0.5f32]
fn plus(a: any, b: any) -> any: a + b
fn show(x: any) -> text: "{x}"
fn named() -> Named: Point(4)
"""
KINDS = [kind for kind in BackendKind if kind is not BackendKind.COMPILER]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_values_keep_their_types(kind: BackendKind) -> None:
    with create_backend(kind) as backend:
        backend.run(PROGRAM)
        for value in (1, -2, "x", 2.5, True, None, [1, "a", [None]]):
            assert backend.call("same", [value]) == value
            assert type(backend.call("same", [value])) is type(value)
        assert backend.call("mixed", []) == [1, "a", 2.5, None, True, (1, "b"), 2**64 - 1, 7, 0.5]
        assert backend.call("plus", [1, 2.5]) == 3.5
        assert backend.call("plus", ["a", "b"]) == "ab"
        assert backend.call("show", [[1, None]]) == "[1, nil]"
        assert backend.call("named", []).x == 4
        with pytest.raises(SimpleError, match=r"`\+` does not apply to i64 and text"):
            backend.call("plus", [1, "b"])
        with pytest.raises(TypeError, match="expected any"):
            backend.call("same", [object()])
