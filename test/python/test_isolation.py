"""Engines beside and inside of one another: what one does wrong, the others do not notice."""

from __future__ import annotations

import signal
import threading

import pytest

from simple_jit import (
    BackendKind,
    JitInterpreterBackend,
    JitInterpreterConfig,
    JitMode,
    LocalExecutionManager,
    SimpleError,
    TimeLimitExceeded,
)

PROGRAM = """
var calls = 0
fn fine(n: i64) -> i64:
    calls += 1
    n + calls
fn endless(n: i64) -> i64:
    var sum = n
    loop: sum += step(sum)
    sum
fn step(n: i64) -> i64: n % 3
fn stubborn() -> i64:
    try:
        loop: pass
    catch e: print "caught {e.message}"
    finally: calls += 100
    0
fn greedy() -> i64:
    var all: [text] = []
    loop: all.push("number {all.len()}")
    all.len()
fn deep(n: i64) -> i64: deep(n + 1) + 1
fn failing(n: i64) -> i64: [1, 2, 3][n]
"""
MODES = [JitMode.AUTO, JitMode.ALWAYS_INTERPRET, JitMode.ALWAYS_JIT]
MEGABYTE = 1 << 20


def limited(mode: JitMode, seconds: float = 0.1, backend: str = "cranelift") -> JitInterpreterBackend:
    config = JitInterpreterConfig(mode, backend, heap_limit=16 * MEGABYTE, time_limit=seconds)
    return JitInterpreterBackend(config)


@pytest.mark.parametrize(("mode", "backend"), [*[(mode, "cranelift") for mode in MODES], (MODES[2], "llvm")])
def test_an_engine_goes_on_after_everything(mode: JitMode, backend: str) -> None:
    with limited(mode, backend=backend) as engine:
        engine.run(PROGRAM)
        for round in range(2):
            with pytest.raises(TimeLimitExceeded, match=r"0\.1 s was exceeded"):
                engine.call("endless", [1])
            with pytest.raises(SimpleError, match="IndexError"):
                engine.call("failing", [3])
            with pytest.raises(TimeLimitExceeded):
                engine.call("stubborn")
            # Its `finally` ran; its `catch` did not.
            assert engine.call("fine", [0]) == 101 * (round + 1)
    assert signal.getsignal(signal.SIGPROF) == signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


@pytest.mark.parametrize("mode", MODES)
def test_a_full_heap_is_that_of_one_engine(mode: JitMode) -> None:
    config = JitInterpreterConfig(mode, "cranelift", heap_limit=4 * MEGABYTE)
    with JitInterpreterBackend(config) as full, JitInterpreterBackend() as other:
        for engine in (full, other):
            engine.run(PROGRAM)
        for _ in range(2):
            with pytest.raises(SimpleError, match="OutOfMemory"):
                full.call("greedy")
        with pytest.raises(SimpleError, match="StackOverflow"):
            other.call("deep", [0])
        assert full.call("fine", [1]) == 2
        assert other.call("fine", [1]) == 2


def test_managers_have_limits_too() -> None:
    with LocalExecutionManager("cranelift", time_limit=0.1, heap_limit=4 * MEGABYTE) as manager:
        manager.compile_source(PROGRAM)
        with pytest.raises(TimeLimitExceeded):
            manager.execute("endless", [1])
        with pytest.raises(SimpleError, match="OutOfMemory"):
            manager.execute("greedy")
        assert manager.execute("fine", [1]) == 2
        with pytest.raises(TimeLimitExceeded):
            manager.compile_source("loop: pass")
        assert "0.1 s" in manager.last_error()


INNER = r"""
use compiler.backend.{JitInterpreterBackend, JitInterpreterConfig, JitMode}

fn inner(seconds: f64, source: text) -> text:
    val engine = JitInterpreterBackend.new(JitInterpreterConfig(backend: "cranelift", time_limit: seconds))
    match engine.run(source):
        case Ok(status): "ended with {status}"
        case Err(message): message

fn recursive(n: i64) -> text:
    if n > 0: recursive(n - 1) else: inner(1.0, "fn f(n: i64) -> i64: f(n + 1) + 1\nf(0)")
"""


@pytest.mark.parametrize("mode", MODES)
def test_limits_nest(mode: JitMode) -> None:
    """The inner limit stops the inner program; the outer one both."""
    with limited(mode, 0.3) as engine:
        engine.run(INNER)
        assert engine.call("inner", [0.05, "loop: pass"]) == "the time limit of 0.05 s was exceeded"
        with pytest.raises(TimeLimitExceeded, match=r"0\.3 s"):
            engine.call("inner", [5.0, "loop: pass"])
        assert engine.call("inner", [0.2, "val x = 1"]) == "ended with 0"


@pytest.mark.parametrize("mode", MODES)
def test_deep_in_one_program_another_may_overflow(mode: JitMode) -> None:
    with JitInterpreterBackend(JitInterpreterConfig(mode, "cranelift")) as engine:
        engine.run(INNER)
        assert engine.call("recursive", [1000]).startswith("StackOverflow: stack overflow")


def test_an_inner_program_that_ends_itself_ends_alone() -> None:
    with JitInterpreterBackend(kind=BackendKind.INTERPRETER) as engine:
        engine.run(INNER)
        source = "use app.io.mod.{exit}\nexit(3)"
        assert engine.call("inner", [1.0, source]) == "the program ended with the status 3"


def test_a_limit_needs_the_main_thread() -> None:
    caught: list[BaseException] = []

    def work() -> None:
        with limited(JitMode.AUTO) as engine:
            try:
                engine.run("val x = 1")
            except RuntimeError as error:
                caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert "needs the main thread" in str(caught[0])


def test_limits_have_a_range() -> None:
    for bad in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="number of seconds"):
            JitInterpreterConfig(time_limit=bad)
    with pytest.raises(ValueError, match="at least"):
        LocalExecutionManager(heap_limit=1)
