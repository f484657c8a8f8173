"""Simple as a library in Python: engines, calls, values in and out, and everything that can go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import simple_jit
from simple_jit import (
    BackendKind,
    BackendMissing,
    CompileError,
    EngineClosed,
    JitInterpreterBackend,
    JitInterpreterConfig,
    JitMode,
    SimpleError,
    create_backend,
)

PROGRAM = """
struct Point:
    x: i64
    y: f64

fn area(w: f64, h: f64) -> f64: w * h
fn shown(xs: [i64]) -> [text]: ["<{x}>" for x in xs]
fn point(x: i64) -> Point: Point(x: x, y: 2.5)
fn positive(n: i64) -> i64?:
    if n > 0: n else: nil
fn swapped(pair: (i64, f64?)) -> (f64?, i64): (pair.1, pair.0)
fn element(xs: [i64], i: i64) -> i64: xs[i]
fn greet(name: text) -> text: "Grüezi, {name}"
fn nothing(): pass
fn main() -> i64: 7
"""
KINDS = list(BackendKind)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def backend(request: pytest.FixtureRequest) -> Iterator[JitInterpreterBackend]:
    with create_backend(request.param) as backend:
        yield backend


def test_values_of_all_types_pass_in_and_out(backend: JitInterpreterBackend) -> None:
    assert backend.run(PROGRAM) == 7
    assert backend.call("area", [2, 3.5]) == 7.0
    assert backend.call("shown", [[1, 2]]) == ["<1>", "<2>"]
    point = backend.call("point", [4])
    assert (point.x, point.y) == (4, 2.5)
    assert [backend.call("positive", [n]) for n in (0, 3)] == [None, 3]
    assert backend.call("swapped", [(1, None)]) == (None, 1)
    assert backend.call("swapped", [(1, 0.5)]) == (0.5, 1)
    assert backend.call("greet", ["Zoë"]) == "Grüezi, Zoë"
    assert backend.call("nothing") is None


def test_errors_of_the_program_leave_the_engine_usable(backend: JitInterpreterBackend) -> None:
    backend.run(PROGRAM)
    for _ in range(30):
        with pytest.raises(SimpleError) as caught:
            backend.call("element", [[1, 2, 3], 3])
        assert caught.value.kind == "IndexError"
        assert caught.value.message == "index 3 is out of range for length 3"
        assert caught.value.site is not None
        assert caught.value.site.line == 12
    assert backend.call("element", [[1, 2, 3], -1]) == 3


def test_each_program_has_instances_of_its_own(backend: JitInterpreterBackend) -> None:
    for number in range(15):
        backend.run(f"fn f(n: i64) -> i64: n + {number}\nfor i in 0..20: f(i)")
        assert backend.call("f", [1]) == number + 1


def test_eval_gives_the_last_value(backend: JitInterpreterBackend) -> None:
    assert backend.eval("val x = 3\nx * 2 + 1") == 7
    assert backend.eval('"a" + "b"') == "ab"


def test_what_is_printed_goes_to_the_sink() -> None:
    printed: list[bytes] = []
    with JitInterpreterBackend(sink=printed.append) as backend:
        backend.run('print "héllo", 1')
    assert b"".join(printed).decode() == "héllo 1\n"


def test_mistakes_of_the_caller_are_python_errors(backend: JitInterpreterBackend) -> None:
    with pytest.raises(LookupError, match="no program"):
        backend.call("area", [1, 2])
    backend.run(PROGRAM)
    with pytest.raises(LookupError, match="nope"):
        backend.call("nope")
    with pytest.raises(TypeError, match="takes 2 arguments"):
        backend.call("area", [1])
    with pytest.raises(TypeError, match="expected f64"):
        backend.call("area", ["x", 1])
    with pytest.raises(CompileError) as caught:
        backend.run("print missing")
    assert caught.value.diagnostics[0].code == "E0201"
    with pytest.raises(CompileError):
        backend.run_file("no such file.spl")


def test_hot_functions_are_compiled_and_counted() -> None:
    source = "fn f(n: i64) -> i64: n * 2\nvar s = 0\nfor i in 0..40: s += f(i)\nprint s"
    with JitInterpreterBackend(JitInterpreterConfig(jit_threshold=3), sink=lambda _: None) as backend:
        backend.run(source)
        assert backend.stats()["compiled"] >= 1
        assert backend.stats()["compile_seconds"] > 0
    with create_backend(BackendKind.TREE_WALK) as backend:
        backend.run("fn f(n: i64) -> i64: n * 2\nvar s = 0\nfor i in 0..40: s += f(i)")
        assert backend.stats()["compiled"] == 0


HOT = """
fn hot(n: i64) -> i64: n * 2
fn warm(n: i64) -> i64: n + 1
fn cold(n: i64) -> i64: n - 1
"""


def test_hybrid_compiles_what_has_been_interpreted_often_enough() -> None:
    with JitInterpreterBackend(JitInterpreterConfig(JitMode.HYBRID, jit_threshold=2)) as backend:
        backend.run(HOT)
        for name, times in (("hot", 3), ("warm", 2), ("cold", 1)):
            for n in range(times):
                backend.call(name, [n])
        stats = backend.stats()
        assert stats["compiled_functions"] == ["hot"]
        assert stats["interpreted_functions"] == ["warm", "cold"]
        assert (stats["compiled"], stats["calls"] >= 6) == (1, True)


def test_the_profile_compiles_what_has_its_share_of_the_calls() -> None:
    config = JitInterpreterConfig(JitMode.PROFILE_GUIDED, profile_window=20, jit_threshold_percent=40.0)
    with JitInterpreterBackend(config) as backend:
        backend.run(HOT)
        for n in range(7):  # with the call of the module's statements: 1 + 7 + 7 = 15 calls
            backend.call("hot", [n])
            backend.call("warm", [n])
        assert backend.stats()["compiled_functions"] == []
        for n in range(5):
            assert backend.call("hot", [n]) == 2 * n
        assert backend.stats()["compiled_functions"] == ["hot"]
        for n in range(19):  # a window of its own: 19 calls are not 20
            backend.call("cold", [n])
        assert backend.stats()["compiled_functions"] == ["hot"]
        assert backend.call("cold", [5]) == 4
        assert backend.stats()["compiled_functions"] == ["hot", "cold"]
        assert backend.stats()["interpreted_functions"] == ["warm"]


@pytest.mark.parametrize("mode", [JitMode.HYBRID, JitMode.PROFILE_GUIDED])
def test_hot_loops_are_entered_in_these_modes_too(mode: JitMode) -> None:
    with JitInterpreterBackend(JitInterpreterConfig(mode, jit_threshold=1, profile_window=20)) as backend:
        backend.run("fn total(n: i64) -> i64:\n    var sum = 0\n    for i in 0..n: sum += i\n    sum")
        assert backend.call("total", [10_000]) == 49995000
        assert backend.stats()["compiled"] == 1
        assert backend.stats()["compiled_functions"] == []


def test_kinds_and_names() -> None:
    names = {kind: create_backend(kind).name() for kind in KINDS}
    assert list(names.values()) == ["interpreter", "cranelift", "llvm", "tree-walk", "compiler"]


def test_the_compiler_compiles_all_before_anything_runs() -> None:
    with create_backend(BackendKind.COMPILER) as backend:
        backend.run("fn one() -> i64: 1\nfn two() -> i64: one() + 1\nfn main(): print two()")
        assert backend.stats()["interpreted"] == 0
        assert {"main", "two"} <= set(backend.stats()["compiled_functions"])
        assert backend.call("two") == 2


def test_configurations() -> None:
    assert JitInterpreterConfig.default().mode is JitMode.AUTO
    assert JitInterpreterConfig.default().jit_threshold == 10
    assert JitInterpreterConfig.always_jit().mode is JitMode.ALWAYS_JIT
    assert JitInterpreterConfig.interpret_only().mode is JitMode.ALWAYS_INTERPRET
    for bad in (
        {"backend": "gcc"},
        {"jit_threshold": -1},
        {"opt_level": 4},
        {"profile_window": 0},
        {"jit_threshold_percent": 0.0},
        {"jit_threshold_percent": 101.0},
        {"heap_limit": 100},
    ):
        with pytest.raises(ValueError, match=r"not|unknown"):
            JitInterpreterConfig(**bad)  # type: ignore[arg-type]


def test_use_after_close(backend: JitInterpreterBackend) -> None:
    backend.run(PROGRAM)
    point = backend.call("point", [4])
    backend.close()
    backend.close()
    uses = (
        lambda: backend.run(PROGRAM),
        lambda: backend.run_file(__file__),
        lambda: backend.call("nothing"),
        lambda: backend.call_array("nothing"),
        lambda: backend.eval("1"),
        backend.stats,
        lambda: backend.register(len, signature="fn(text) -> i64"),
    )
    for use in uses:
        with pytest.raises(EngineClosed, match="the engine was closed"):
            use()
    with pytest.raises(RuntimeError, match="was closed"):
        _ = point.x


def test_a_missing_back_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "llvmlite", None)
    with pytest.raises(BackendMissing, match="llvmlite"):
        JitInterpreterBackend(JitInterpreterConfig(backend="llvm"))


def test_auto_is_what_was_set_for_the_process() -> None:
    source = "fn f(n: i64) -> i64: n * 2\nf(1)"
    try:
        assert simple_jit.set_jit_backend("llvm")
        with JitInterpreterBackend(JitInterpreterConfig(jit_threshold=0)) as backend:
            assert backend.name() == "interpreter"
            backend.run(source)
            assert "with llvm" in backend.stats()["decisions"][0]
        with JitInterpreterBackend(JitInterpreterConfig(backend="cranelift", jit_threshold=0)) as backend:
            backend.run(source)
            assert "with cranelift" in backend.stats()["decisions"][0]
    finally:
        assert simple_jit.set_jit_backend("auto")


def test_unknown_names_of_the_package() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = simple_jit.nonsense


PAGE = (Path(__file__).parents[2] / "docs" / "embedding.md").read_text(encoding="utf-8")
EXAMPLES = [part.split("```")[0] for part in PAGE.split("```python\n")[1:]]


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_examples_of_the_documentation(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    code = EXAMPLES[number]
    prints = [line for line in code.splitlines() if line.lstrip().startswith("print(")]
    with create_backend(BackendKind.INTERPRETER) as backend:
        exec(compile(code, "docs/embedding.md", "exec"), {"backend": backend})
    assert capsys.readouterr().out.splitlines() == [line.rsplit("# ", 1)[1] for line in prints]
