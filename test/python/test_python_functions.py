"""Python functions that programs call, functions of programs that Python calls, and arrays that both see."""

from __future__ import annotations

import array
import gc
import math
import os
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from simple_jit import BackendKind, CompileError, JitInterpreterBackend, SimpleError, create_backend

KINDS = [BackendKind.TREE_WALK, BackendKind.CRANELIFT_JIT, BackendKind.LLVM_JIT]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def backend(request: pytest.FixtureRequest) -> Iterator[JitInterpreterBackend]:
    with create_backend(request.param) as backend:
        yield backend


@pytest.fixture
def interpreter() -> Iterator[JitInterpreterBackend]:
    with create_backend(BackendKind.TREE_WALK) as backend:
        yield backend


# --- Functions of Python ----------------------------------------------------------------------------


def test_python_functions_take_and_give_values(backend: JitInterpreterBackend) -> None:
    @backend.register
    def shout(s: str, times: int) -> str:
        return s.upper() * times

    @backend.register
    def lengths(words: list[str], scale: float) -> list[float]:
        return [len(word) * scale for word in words]

    @backend.register
    def maybe(s: str | None) -> str | None:
        return None if s is None else s + "!"

    seen: list[bool] = []
    backend.register(seen.append, name="note", signature="fn(bool)")
    backend.register(math.hypot, signature="fn(f64, f64) -> f64")
    backend.run(
        """
extern fn shout(s: text, times: i64) -> text
extern fn lengths(words: [text], scale: f64) -> [f64]
extern fn maybe(s: text?) -> text?
extern fn note(b: bool)
extern fn hypot(x: f64, y: f64) -> f64

fn all() -> [text]:
    note(true)
    [shout("é", 2), "{lengths(["a", "bc"], 1.5)}", maybe(nil) ?? "nil", maybe("x") ?? "nil", "{hypot(3.0, 4.0)}"]
"""
    )
    assert backend.call("all") == ["ÉÉ", "[1.5, 3.0]", "nil", "x!", "5.0"]
    assert seen == [True]


def test_exceptions_become_errors_of_the_program(backend: JitInterpreterBackend) -> None:
    errors: dict[str, Exception] = {
        "key": KeyError("k"), "value": ValueError("bad"), "file": FileNotFoundError(2, "No such file"),
        "index": IndexError("far"), "zero": ZeroDivisionError("by zero"), "bare": RuntimeError(),
    }  # fmt: skip

    @backend.register
    def fail(name: str) -> int:
        raise errors[name]

    backend.register(lambda x: "text", name="lies", signature="fn(i64) -> i64")
    backend.register(lambda x: 1 << 40, name="overflows", signature="fn(i64) -> i32")
    backend.run(
        """
extern fn fail(name: text) -> i64
extern fn lies(x: i64) -> i64
extern fn overflows(x: i64) -> i32
fn fails(name: text) -> i64:
    fail(name)
fn caught(run: text) -> text:
    try:
        if run == "lies": "{lies(1)}" elif run == "overflows": "{overflows(1)}" else: "{fail(run)}"
    catch e:
        "{e.kind}: {e.message}"
"""
    )
    assert backend.call("caught", ["key"]) == "KeyError: k"
    assert backend.call("caught", ["value"]) == "Panic: ValueError: bad"
    assert backend.call("caught", ["file"]) == "IoError: [Errno 2] No such file"
    assert backend.call("caught", ["index"]) == "IndexError: far"
    assert backend.call("caught", ["zero"]) == "DivisionByZero: by zero"
    assert backend.call("caught", ["bare"]) == "Panic: RuntimeError"
    assert "`lies` of Python returned: expected i64, not str: 'text'" in backend.call("caught", ["lies"])
    assert "out of range for i32" in backend.call("caught", ["overflows"])
    with pytest.raises(SimpleError) as failure:
        backend.call("fails", ["file"])
    assert failure.value.__cause__ is errors["file"]
    assert failure.value.site is not None
    assert failure.value.site.line == 6


def test_what_ends_python_passes_through_the_program(backend: JitInterpreterBackend) -> None:
    def leave() -> int:
        raise SystemExit(3)

    backend.register(leave, signature="fn() -> i64")
    backend.run(
        "extern fn leave() -> i64\nfn go() -> i64:\n    try:\n        leave()\n    catch e:\n        0\n"
    )
    with pytest.raises(SystemExit):
        backend.call("go")


def test_functions_of_the_program_pass_to_python_and_back(backend: JitInterpreterBackend) -> None:
    kept: list[Any] = []

    def apply(f: Any, x: int) -> int:
        kept.append(f)
        return int(f(x)) + 1

    backend.register(apply, signature="fn(fn(i64) -> i64, i64) -> i64")
    backend.run(
        """
extern fn apply(f: fn(i64) -> i64, x: i64) -> i64
fn scaled(k: i64) -> i64: apply(\\x: x * k, 4)
fn run(f: fn(i64) -> i64, x: i64) -> i64: f(x)
fn item(i: i64) -> i64:
    val xs = [7]
    apply(\\x: xs[x], i)
"""
    )
    assert backend.call("scaled", [10]) == 41
    assert kept[0](5) == 50
    assert backend.call("run", [kept[0], 6]) == 60
    assert backend.eval("1 + 1") == 2
    assert kept[0](7) == 70
    with pytest.raises(SimpleError, match="index 3 is out of range"):
        backend.call("item", [3])
    with pytest.raises(TypeError, match="was called with 2 arguments"):
        kept[0](1, 2)
    with pytest.raises(TypeError, match="expected fn"):
        backend.call("run", [abs, 1])
    backend.run("fn other(): pass")
    with pytest.raises(RuntimeError, match="was replaced by another"):
        kept[0](1)


def test_python_functions_call_the_engine_again(backend: JitInterpreterBackend) -> None:
    def again(n: int) -> int:
        return n if n == 0 else int(backend.call("down", [n - 1])) + 1

    backend.register(again, signature="fn(i64) -> i64")
    backend.register(lambda: backend.run("fn main(): pass"), name="other", signature="fn() -> i64")
    backend.register(lambda: backend.eval("1"), name="value", signature="fn() -> i64")
    backend.run(
        """
extern fn again(n: i64) -> i64
extern fn other() -> i64
fn down(n: i64) -> i64: again(n)
extern fn value() -> i64
fn replaces() -> i64: other()
fn evaluates() -> i64: value()
"""
    )
    assert backend.call("down", [20]) == 20
    with pytest.raises(SimpleError, match="cannot load a program while it runs another"):
        backend.call("replaces")
    with pytest.raises(SimpleError, match="cannot load a program while it runs another"):
        backend.call("evaluates")
    assert backend.call("down", [2]) == 2


def test_a_program_cannot_close_the_engine_that_runs_it(backend: JitInterpreterBackend) -> None:
    backend.register(backend.close, name="close", signature="fn()")
    backend.run("extern fn close()\nfn go(): close()\nfn one() -> i64: 1")
    with pytest.raises(SimpleError, match="cannot be closed while it runs a program"):
        backend.call("go")
    assert backend.call("one") == 1


def test_endless_calls_to_and_fro_are_an_overflow(backend: JitInterpreterBackend) -> None:
    backend.register(lambda n: backend.call("down", [n]), name="again", signature="fn(i64) -> i64")
    backend.run("extern fn again(n: i64) -> i64\nfn down(n: i64) -> i64: again(n + 1)")
    with pytest.raises(SimpleError, match="StackOverflow"):
        backend.call("down", [0])


def test_another_function_takes_the_place_of_one(backend: JitInterpreterBackend) -> None:
    backend.register(lambda n: n + 1, name="step", signature="fn(i64) -> i64")
    backend.run("extern fn step(n: i64) -> i64\nfn go(n: i64) -> i64: step(n)")
    assert backend.call("go", [1]) == 2
    backend.register(lambda n: n + 10, name="step", signature="fn(i64) -> i64")
    assert backend.call("go", [1]) == 11
    with pytest.raises(ValueError, match="is registered as fn"):
        backend.register(lambda n: n, name="step", signature="fn(f64) -> i64")


def test_the_library_does_not_see_functions_of_users(interpreter: JitInterpreterBackend) -> None:
    interpreter.register(lambda x: 42.0, name="cos", signature="fn(f64) -> f64")
    interpreter.run(
        "use std.math\nextern fn cos(x: f64) -> f64\nfn both() -> [f64]: [cos(0.0), math.cos(0.0)]"
    )
    assert interpreter.call("both") == [42.0, 1.0]


def test_a_declaration_must_have_the_type_of_the_function(interpreter: JitInterpreterBackend) -> None:
    interpreter.register(lambda x: x, name="same", signature="fn(i64) -> i64")
    with pytest.raises(CompileError, match="is `fn"):
        interpreter.run("extern fn same(x: f64) -> i64\nprint same(1.0)")
    with pytest.raises(CompileError, match="did you mean `same`"):
        interpreter.run("extern fn sane(x: i64) -> i64\nprint sane(1)")


@pytest.mark.parametrize(
    ("function", "options", "error", "message"),
    [
        (3, {}, TypeError, "expected a function"),
        (lambda x: x, {}, ValueError, "no name for a function"),
        (abs, {"name": "rt_abs"}, ValueError, "the runtime's"),
        (abs, {"name": "a b"}, ValueError, "no name"),
        (abs, {"signature": "fn(i64"}, ValueError, "no type of a function"),
        (abs, {"signature": "i64"}, ValueError, "no type of a function"),
        (abs, {"signature": "fn(i64?) -> i64"}, ValueError, r"i64\? does not pass"),
        (abs, {"signature": "fn({text: i64}) -> i64"}, ValueError, "does not pass"),
        (abs, {"signature": "fn(Missing) -> i64"}, ValueError, "Missing"),
        (print, {}, TypeError, "give a signature"),
        (lambda x: x, {"name": "f"}, TypeError, "no annotation: give a signature"),
        (dict, {"name": "f"}, TypeError, "give a signature"),
    ],
)
def test_what_cannot_be_registered_is_refused(
    interpreter: JitInterpreterBackend, function: Any, options: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        interpreter.register(function, **options)


# --- Arrays that both see ---------------------------------------------------------------------------

ARRAYS = """
var kept: [f64] = []
fn scale(xs: [f64], k: f64):
    for i in 0..xs.len(): xs[i] *= k
fn keep(xs: [f64]): kept = xs
fn drop(): kept = []
fn look(xs: [f64]) -> f64: xs[0]
fn total() -> f64: kept.sum()
fn push(xs: [f64]) -> [f64]: xs.push(7.0)
fn same(xs: [f64], ys: [f64]) -> f64:
    xs[0] = 5.0
    ys[0]
fn ints(xs: [i64]) -> i64: xs.sum()
fn bytes(xs: [u8]) -> i64: xs.map(\\b: b.to_i64()).sum()
fn bools(xs: [bool]) -> i64: xs.count(\\b: b)
fn matrix(xs: [[f64]]):
    for row in xs: row[0] = 9.0
fn three(xs: [f64; 3]) -> f64: xs[2]
"""


def test_arrays_are_shared_without_a_copy(backend: JitInterpreterBackend) -> None:
    backend.run(ARRAYS)
    xs = np.arange(4.0)
    backend.call("scale", [xs, 2.0])
    assert xs.tolist() == [0.0, 2.0, 4.0, 6.0]
    assert list(backend.call("push", [xs])) == [0.0, 2.0, 4.0, 6.0, 7.0]
    assert xs.tolist() == [0.0, 2.0, 4.0, 6.0]
    assert backend.call("same", [xs, xs]) == 5.0
    grid = np.zeros((2, 3))
    backend.call("matrix", [grid])
    assert grid.tolist() == [[9.0, 0.0, 0.0]] * 2
    assert backend.call("ints", [np.arange(5)]) == 10
    assert backend.call("ints", [array.array("q", [1, 2])]) == 3
    assert backend.call("ints", [range(5)]) == 10
    assert backend.call("bytes", [bytearray(b"\x01\x02")]) == 3
    assert backend.call("bools", [np.array([True, False, True])]) == 2
    assert backend.call("three", [np.ones(3)]) == 1.0
    backend.call("scale", [np.array([]), 2.0])


def test_shared_memory_stays_while_the_program_keeps_it(backend: JitInterpreterBackend) -> None:
    backend.run(ARRAYS)
    xs = np.ones(1000)
    gone = weakref.ref(xs)
    backend.call("keep", [xs])
    xs[0] = 100.0
    del xs
    for _ in range(20):
        backend.call("look", [np.ones(1_000_000)])
    gc.collect()
    assert backend.call("total") == 1099.0
    assert gone() is not None
    backend.call("drop")
    for _ in range(20):
        backend.call("look", [np.ones(1_000_000)])
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.arange(3), "not an array of <i8"),
        (np.ones(3, "f4"), "not an array of <f4"),
        (np.ones(3, ">f8"), "not an array of >f8"),
        (np.ones((2, 2)), "of 2 dimensions"),
        (b"12345678", "not bytes"),
    ],
    ids=["integers", "single", "big-endian", "matrix", "bytes"],
)
def test_arrays_of_another_kind_are_refused(
    interpreter: JitInterpreterBackend, value: Any, message: str
) -> None:
    interpreter.run(ARRAYS)
    with pytest.raises(TypeError, match=message):
        interpreter.call("scale", [value, 2.0])


def test_arrays_that_cannot_be_shared_are_copied(interpreter: JitInterpreterBackend) -> None:
    interpreter.run(ARRAYS)
    fixed = np.ones(3)
    fixed.flags.writeable = False
    askew = np.frombuffer(bytearray(25), "u1")[1:].view("f8")
    for value in (fixed, np.ones(6)[::2], askew):
        before = value.tolist()
        interpreter.call("scale", [value, 2.0])
        assert value.tolist() == before


# --- Threads, and what becomes of function values -----------------------------------------------------


def test_threads_take_turns(backend: JitInterpreterBackend) -> None:
    backend.register(lambda n: n + 1, name="step", signature="fn(i64) -> i64")
    backend.run(
        "extern fn step(n: i64) -> i64\n"
        "fn deep(n: i64) -> i64: if n == 0: 0 else: 1 + deep(n - 1)\n"
        "fn slow(n: i64) -> i64:\n    var s = 0\n    for i in 0..n: s = step(s)\n    s + deep(100)"
    )
    results: list[int] = []
    threads = [
        threading.Thread(target=lambda: results.append(backend.call("slow", [2000]))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [2100] * 4


def test_other_threads_go_on_while_a_call_waits(backend: JitInterpreterBackend) -> None:
    """`read` waits for what another thread of Python writes."""
    reading, writing = os.pipe()
    backend.run(
        "@blocking extern fn read(file: i32, to: [u8], size: i64) -> i64\n"
        "fn wait(file: i32) -> i64: read(file, [0u8] * 8, 8)"
    )
    writer = threading.Thread(target=lambda: os.write(writing, b"abc"))
    waiter = threading.Timer(0.05, writer.start)
    waiter.start()
    assert backend.call("wait", [reading]) == 3
    waiter.join()
    writer.join()
    os.close(reading)
    os.close(writing)


def test_function_values_outlive_an_evaluation(backend: JitInterpreterBackend) -> None:
    backend.run(
        "val fs: [fn(i64) -> i64] = [\\x: x * 2, \\x: x + 100]\n"
        "fn go(n: i64) -> [i64]: fs.map(\\f: f(n))"
    )
    assert backend.call("go", [4]) == [8, 104]
    assert backend.eval("[1, 2].map(\\x: \"{x}\").join(\",\")") == "1,2"
    assert backend.call("go", [4]) == [8, 104]
