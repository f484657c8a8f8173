"""NumPy arrays and arrays of programs that share their memory."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import pytest

from simple_jit import BackendKind, JitInterpreterBackend, LocalExecutionManager, create_backend

PROGRAM = """
fn double(xs: [f64]):
    for i in 0..xs.len(): xs[i] *= 2.0
fn total(xs: [i64]) -> i64: xs.sum()
fn same(xs: [f64]) -> [f64]: xs
fn grown(xs: [f64]) -> i64:
    xs.push(1.0)
    xs[0] = 99.0
    xs.len()
fn rows(xss: [[f64]]) -> f64:
    xss[1][0] = 7.0
    xss[0].sum() + xss[1].sum()
fn squares(n: i64) -> [i64]: [i * i for i in 0..n]
fn flags(xs: [bool]) -> i64: xs.count(\\x: x)
fn bytes_of(xs: [u8]) -> [u8]: xs
var kept: [f64] = []
fn keep(xs: [f64]):
    kept = xs
fn first_kept() -> f64: kept[0]
fn forget():
    kept = []
fn words() -> [text]: ["a"]
"""
KINDS = [kind for kind in BackendKind if kind is not BackendKind.COMPILER]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def backend(request: pytest.FixtureRequest) -> Iterator[JitInterpreterBackend]:
    with create_backend(request.param) as backend:
        backend.run(PROGRAM)
        yield backend


def test_what_a_program_stores_is_in_the_array(backend: JitInterpreterBackend) -> None:
    xs = numpy.array([1.0, 2.5])
    backend.call("double", [xs])
    assert xs.tolist() == [2.0, 5.0]
    assert backend.call("total", [numpy.arange(100)]) == 4950
    assert backend.call("flags", [numpy.array([True, False, True])]) == 2


def test_an_array_that_comes_back_is_the_same(backend: JitInterpreterBackend) -> None:
    xs = numpy.array([1.0, 2.5])
    assert backend.call("same", [xs]) is xs
    assert backend.call("same", [[1.0]]) == [1.0]


def test_a_longer_array_has_data_of_its_own(backend: JitInterpreterBackend) -> None:
    xs = numpy.array([1.0, 2.5])
    assert backend.call("grown", [xs]) == 3
    assert xs.tolist() == [1.0, 2.5]


def test_rows_are_shared(backend: JitInterpreterBackend) -> None:
    xss = numpy.array([[1.0, 2.0], [3.0, 4.0]])
    assert backend.call("rows", [xss]) == 14.0
    assert xss.tolist() == [[1.0, 2.0], [7.0, 4.0]]


def test_what_cannot_be_shared_is_copied_or_refused(backend: JitInterpreterBackend) -> None:
    xs = numpy.arange(10.0)
    backend.call("double", [xs[::2]])
    assert xs.tolist() == list(range(10))
    fixed = numpy.array([1.0])
    fixed.setflags(write=False)
    backend.call("double", [fixed])
    assert fixed.tolist() == [1.0]
    assert backend.call("total", [numpy.array([], dtype=numpy.int64)]) == 0
    with pytest.raises(TypeError, match=r"expected \[f64\], not an array of <i8"):
        backend.call("double", [numpy.arange(3)])
    with pytest.raises(TypeError, match="2 dimensions"):
        backend.call("double", [numpy.zeros((2, 2))])


def test_results_are_shared(backend: JitInterpreterBackend) -> None:
    shared = backend.call_array("squares", [5])
    view = numpy.asarray(shared)
    assert view.tolist() == [0, 1, 4, 9, 16]
    view[0] = 100
    assert backend.call("total", [shared]) == 130
    assert len(shared) == 5
    assert shared.tolist() == [100, 1, 4, 9, 16]
    assert backend.call("total", [backend.call_array("squares", [0])]) == 0
    with create_backend(BackendKind.TREE_WALK) as other:
        other.run(PROGRAM)
        assert other.call("total", [shared]) == 130
    assert numpy.asarray(backend.call_array("bytes_of", [[1, 255]])).dtype == numpy.uint8
    assert numpy.asarray(backend.call_array("squares", [0])).tolist() == []
    with pytest.raises(TypeError, match="not an array of numbers"):
        backend.call_array("words")


def test_memory_is_kept_as_long_as_needed(backend: JitInterpreterBackend) -> None:
    xs = numpy.array([42.0])
    owner = weakref.ref(xs)
    backend.call("keep", [xs])
    del xs
    collect = backend._engine.heap.collector.collect
    collect("test")
    gc.collect()
    assert owner() is not None
    assert backend.call("first_kept") == 42.0
    backend.call("forget")
    dropped(collect, owner)


def dropped(collect: Callable[[str], bool], owner: Callable[[], Any]) -> None:
    collect("test")
    gc.collect()
    assert owner() is None


def test_a_view_outlives_a_collection_and_the_engine() -> None:
    with create_backend(BackendKind.CRANELIFT_JIT) as backend:
        backend.run(PROGRAM)
        view = numpy.asarray(backend.call_array("squares", [1000]))
        for _ in range(3):
            backend.call("squares", [1000])
            backend._engine.heap.collector.collect("test")
        assert view[999] == 998001
    assert view[999] == 998001
    view[0] = 1


@pytest.mark.parametrize("name", ["cranelift", "llvm"])
def test_managers_share_arrays(name: str) -> None:
    with LocalExecutionManager(name) as manager:
        manager.compile_source(PROGRAM)
        xs = numpy.array([1.0, 2.5])
        manager.execute("double", [xs])
        assert xs.tolist() == [2.0, 5.0]
        assert numpy.asarray(manager.execute_array("squares", [3])).tolist() == [0, 1, 4]
        manager.compile("fn @first(%0: ref) -> f64 { b0: %1: ptr = load [%0 + 24] %2: f64 = load [%1] return %2 }")
        assert manager.execute("first", [xs]) == 2.0
        with pytest.raises(TypeError, match="does not return an array of numbers"):
            manager.execute_array("words")
        with pytest.raises(LookupError, match="no function"):
            manager.execute_array("nothing")
