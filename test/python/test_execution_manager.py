"""Execution managers from Python: MIR text and source in, calls with values of every type, every failure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from simple_jit import (
    BackendMissing,
    CleanedUp,
    CompileError,
    InvalidMir,
    LocalExecutionManager,
    SimpleError,
    get_jit_backend,
    mir_of,
    set_jit_backend,
)

TWICE = "fn @twice(%0: i64) -> i64 {\nb0:\n  %1: i64 = add %0, %0\n  return %1\n}\n"
SOURCE = """
struct Point:
    x: i64
    y: f64
enum Shape:
    Circle(f64)
    Empty
var total = 100
fn add(n: i64) -> i64:
    total += n
    total
fn moved(p: Point, by: i64) -> Point: Point(x: p.x + by, y: p.y)
fn counts(words: [text]) -> {text: i64}:
    val found: {text: i64} = {}
    for word in words: found[word] = found.get_or(word, 0) + 1
    found
fn unique(xs: [i64]) -> {i64}: {x for x in xs}
fn nested(x: [({text: [f64]}, Shape?)]) -> [({text: [f64]}, Shape?)]: x
fn element(xs: [i64], i: i64) -> i64: xs[i]
fn small(x: i8, y: u64, z: f32, b: bool) -> (u64, f32, bool, i8): (y, z, b, x)
fn greet(name: text, again: text?) -> text: "hello {name}{again ?? ""}"
fn forever(n: i64) -> i64: forever(n + 1) + 1
fn generic(x): x
fn main(): print "not called"
"""


@pytest.fixture(params=["cranelift", "llvm"])
def manager(request: pytest.FixtureRequest) -> Iterator[LocalExecutionManager]:
    with LocalExecutionManager(request.param) as manager:
        yield manager


def test_hand_written_mir_runs(manager: LocalExecutionManager) -> None:
    manager.compile(TWICE)
    assert manager.execute("twice", [21]) == 42
    assert manager.has_function("twice")
    assert not manager.has_function("thrice")
    assert manager.list_functions() == ["twice"]
    assert manager.last_error() == ""


def test_units_call_each_other_and_what_is_replaced(manager: LocalExecutionManager) -> None:
    manager.compile(TWICE)
    manager.compile("fn @four(%0: i64) -> i64 { b0: %1: i64 = call @twice(%0) !1:1 %2: i64 = call @twice(%1) !1:1 return %2 }")
    assert manager.execute("four", [3]) == 12
    manager.compile("fn @twice(%0: i64) -> i64 { b0: %1: i64 = mul %0, %0 return %1 }")
    assert manager.execute("four", [3]) == 81
    # Of other types: those that call the old one go on to do so.
    manager.compile("fn @twice(%0: f64) -> f64 { b0: %1: f64 = add %0, %0 return %1 }")
    assert manager.execute("four", [3]) == 81
    assert manager.execute("twice", [1.25]) == 2.5
    assert manager.list_functions() == ["twice", "four"]


def test_values_of_every_type_pass(manager: LocalExecutionManager) -> None:
    manager.compile_source(SOURCE)
    call = manager.execute
    assert call("add", [1]) == 101
    point = call("moved", [{"x": 1, "y": 2.5}, 3])
    assert (point.x, point.y) == (4, 2.5)
    assert call("moved", [point, 1]).x == 5
    assert call("counts", [["b", "a", "b"]]) == {"b": 2, "a": 1}
    assert call("unique", [[3, 3, 4]]) == {3, 4}
    given = [({"a": [1.5], "b": []}, None), ({}, "Empty")]
    first, second = call("nested", [given])
    assert first == given[0]
    assert (second[0], second[1].variant) == ({}, "Empty")
    assert call("small", [-128, 2**64 - 1, 0.5, True]) == (2**64 - 1, 0.5, True, -128)
    assert call("greet", ["Zoë", None]) == "hello Zoë"
    assert call("greet", ["Zoë", "!"]) == "hello Zoë!"


def test_machine_types_pass_by_what_objects_say_of_themselves(manager: LocalExecutionManager) -> None:
    manager.compile("fn @same(%0: ref, %1: u64, %2: bool) -> ref, u64, bool { b0: return %0, %1, %2 }")
    manager.compile("fn @first(%0: ref) -> f64 { b0: %1: ptr = load [%0 + 24] %2: f64 = load [%1] return %2 }")
    for value in ("text", [1, 2], [1.5], ["a", "b"], [[True]], None, []):
        assert manager.execute("same", [value, 2**64 - 1, False]) == (value, 2**64 - 1, False)
    assert manager.execute("first", [[2.5, 3.5]]) == 2.5
    manager.compile_source("struct P:\n    x: i64\nfn p(x: i64) -> P: P(x)")
    assert manager.execute("same", [manager.execute("p", [7]), 0, True])[0].x == 7
    with pytest.raises(TypeError, match="expected an object"):
        manager.execute("first", [object()])
    with pytest.raises(TypeError, match="expected bool"):
        manager.execute("same", [None, 1, 1])


def test_source_is_added_and_replaced(manager: LocalExecutionManager) -> None:
    manager.compile_source("var n = 1\nfn f() -> i64:\n    n += 1\n    n\nfn g() -> text: \"old\"")
    manager.compile_source("var m = 10\nfn g() -> i64:\n    m += 1\n    m")
    assert [manager.execute("f"), manager.execute("g"), manager.execute("f")] == [2, 11, 3]
    assert manager.list_functions() == ["f", "g"]
    manager.compile('fn @h() -> i64 { b0: %0: i64 = call @"main.f()"() !1:1 return %0 }')
    assert manager.execute("h") == 4


def test_top_level_statements_run_and_main_does_not() -> None:
    printed: list[bytes] = []
    with LocalExecutionManager.cranelift() as manager:
        assert manager.backend_name() == "cranelift"
    with LocalExecutionManager("llvm", sink=printed.append) as manager:
        manager.compile_source('print "loading"\nfn main(): print "main"')
        assert b"".join(printed) == b"loading\n"
        assert manager.execute("main") is None
        assert b"".join(printed) == b"loading\nmain\n"


def test_files_are_compiled(manager: LocalExecutionManager, tmp_path: Path) -> None:
    path = tmp_path / "one.spl"
    path.write_text("fn one() -> i64: 1\n")
    manager.compile_file(str(path))
    assert manager.execute("one") == 1
    with pytest.raises(CompileError, match="no_such_file"):
        manager.compile_file(str(tmp_path / "no_such_file.spl"))
    assert "no_such_file" in manager.last_error()


def test_the_mir_of_a_program_is_compiled_elsewhere(manager: LocalExecutionManager) -> None:
    manager.compile(mir_of("fn fib(n: i64) -> i64: if n < 2: n else: fib(n - 1) + fib(n - 2)\nfn hi(s: text) -> text: \"hi {s}\""))
    for name in ("fib", "main.fib", "main.fib(i64)"):
        assert manager.execute(name, [15]) == 610
    assert manager.execute("hi", ["you"]) == "hi you"
    with pytest.raises(CompileError, match="E0201"):
        mir_of("print missing")


@pytest.mark.parametrize("level", range(4))
def test_all_levels_give_the_same(manager: LocalExecutionManager, level: int) -> None:
    manager.set_opt_level(level)
    manager.compile_source("fn total(n: i64) -> i64:\n    var sum = 0\n    for i in 0..n: sum += i * i\n    sum")
    assert manager.execute("total", [1000]) == 332833500
    manager.compile(TWICE)
    assert manager.execute("twice", [-4]) == -8


def test_errors_of_functions_leave_the_manager_usable(manager: LocalExecutionManager) -> None:
    manager.compile_source(SOURCE)
    for _ in range(3):
        with pytest.raises(SimpleError) as caught:
            manager.execute("element", [[1, 2], 2])
        assert (caught.value.kind, caught.value.site and caught.value.site.line) == ("IndexError", 19)
        with pytest.raises(SimpleError, match="StackOverflow"):
            manager.execute("forever", [0])
    assert "StackOverflow" in manager.last_error()
    assert manager.execute("element", [[1, 2], -1]) == 2


def test_mistakes_of_the_caller(manager: LocalExecutionManager) -> None:
    manager.compile_source(SOURCE)
    with pytest.raises(LookupError, match="no function 'nope'"):
        manager.execute("nope")
    with pytest.raises(LookupError, match="generic"):
        manager.execute("generic", [1])
    with pytest.raises(TypeError, match="takes 1 argument, but 2 were given"):
        manager.execute("add", [1, 2])
    with pytest.raises(TypeError, match="expected i64, not str"):
        manager.execute("add", ["x"])
    with pytest.raises(TypeError, match="expected i64, not bool"):
        manager.execute("add", [True])
    with pytest.raises(OverflowError, match="out of range for i64"):
        manager.execute("add", [2**63])
    with pytest.raises(OverflowError, match="out of range for i8"):
        manager.execute("small", [128, 0, 0.0, True])
    with pytest.raises(TypeError, match="has the fields x, y, not z"):
        manager.execute("moved", [{"z": 1}, 1])
    with pytest.raises(CompileError, match="E0201"):
        manager.compile_source("print missing")
    with pytest.raises(SimpleError, match="DivisionByZero"):
        manager.compile_source("val zero = [0]\nprint 1 / zero[0]")
    with pytest.raises(ValueError, match="0, 1, 2 or 3, not 4"):
        manager.set_opt_level(4)
    assert manager.last_error() == "the optimisation level is 0, 1, 2 or 3, not 4"
    assert manager.execute("add", [1]) == 101


def test_use_after_cleanup(manager: LocalExecutionManager) -> None:
    manager.compile_source(SOURCE)
    point = manager.execute("moved", [{"x": 1, "y": 2.5}, 3])
    manager.cleanup()
    manager.cleanup()
    uses = (
        lambda: manager.execute("add", [1]),
        lambda: manager.compile(TWICE),
        lambda: manager.compile_source(SOURCE),
        lambda: manager.compile_file(__file__),
        lambda: manager.set_opt_level(1),
    )
    for use in uses:
        with pytest.raises(CleanedUp, match="was cleaned up"):
            use()
    assert not manager.has_function("add")
    assert manager.list_functions() == []
    assert manager.last_error() == "the execution manager was cleaned up"
    with pytest.raises(RuntimeError, match="was closed"):
        _ = point.x


def test_objects_of_one_manager_are_copied_into_another() -> None:
    source = "struct Point:\n    x: i64\nfn make(x: i64) -> Point: Point(x)\nfn read(p: Point) -> i64: p.x"
    with LocalExecutionManager.cranelift() as one, LocalExecutionManager.llvm() as other:
        for manager in (one, other):
            manager.compile_source(source)
        assert other.execute("read", [one.execute("make", [5])]) == 5
        other.compile("fn @same(%0: ref) -> ref { b0: return %0 }")
        with pytest.raises(TypeError, match="of another engine"):
            other.execute("same", [one.execute("make", [5])])


def test_back_ends_are_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert get_jit_backend() == "auto"
    try:
        assert LocalExecutionManager.auto_select().backend_name() == "cranelift"
        assert set_jit_backend("llvm")
        assert get_jit_backend() == "llvm"
        assert LocalExecutionManager.auto_select().backend_name() == "llvm"
        assert not set_jit_backend("gcc")
        assert get_jit_backend() == "llvm"
    finally:
        assert set_jit_backend("auto")
    with pytest.raises(ValueError, match="unknown back end 'gcc'"):
        LocalExecutionManager("gcc")
    import sys

    monkeypatch.setitem(sys.modules, "llvmlite", None)
    with pytest.raises(BackendMissing, match="llvmlite"):
        LocalExecutionManager.llvm()
    assert not set_jit_backend("llvm")


INVALID = {
    "fn @f() {\nb0:\n  frobnicate\n}": (3, "unknown instruction 'frobnicate'"),
    "fn @f() -> i64 {\nb0:\n  %0: bool = const true\n\n  return %0\n}": (5, "returns (bool,), not (i64,)"),
    "fn @f() {\nb0:\n  return\n}\n\nfn @f() {\nb0:\n  return\n}": (6, "there are two functions @f"),
    "fn @f() c_convention {\nb0:\n  return\n}": (1, "`c_convention` is for functions that the engine itself makes"),
    "fn @f() {\nb0:\n  call @g() !1:1\n  return\n}": (3, "there is no function @g"),
    "fn @f(%0: f64) {\nb0:\n  call @f() !1:1\n  return\n}": (3, "@f takes (f64), not ()"),
    "fn @f() {\nb0:\n  %0: i64 = call @f() !1:1\n  return\n}": (3, "@f returns (), not (i64)"),
    'fn @f() {\nb0:\n  %0: i64 = code "g"\n  return\n}': (3, "there is no function @g"),
    'fn @f() {\nb0:\n  %0: i64 = type_id "[Nothing]"\n  return\n}': (3, "there is no type [Nothing]"),
    "fn @f() {\nb0:\n  extern @no_such_c() !1:1\n  return\n}": (3, "there is no foreign function @no_such_c"),
    "fn @f() {\nb0:\n  extern @rt_flush() !1:1\n  return\n}": (3, "@rt_flush can fail: write `raises`"),
    "fn @f(%0: f32) {\nb0:\n  extern @rt_exit(%0) raises !1:1\n  return\n}": (3, "@rt_exit takes (i64), not (f32)"),
    "fn @f(%0: bool) {\nb0:\n  check %0, KeyError !1:1\n  return\n}": (3, "an error of kind KeyError needs a message"),
    "fn @f(%0: ref) {\nb0:\n  throw Recorded, %0 !1:1\n}": (3, "no program fails with an error of kind Recorded"),
    "fn @f(%0: ptr) {\nb0:\n  store %0, [%0 + 9999999999]\n  return\n}": (3, "the offset is too large"),
    "fn @f(%0: i64) {\nb0:\n  switch %0, [9223372036854775808: b1], b1\nb1:\n  return\n}": (3, "a case is out of the range of i64"),
    'fn @f() {\nb0:\n  %0: ref = text "\\u{d800}"\n  return\n}': (3, "a text has no surrogates"),
    'fn @"\\n"() {\nb0:\n  return\n}': (1, "a symbol is made of visible characters"),
    "fn @f() {\nb0:\n  jump b" + "1" * 5000 + "\n}": (3, "the number " + "1" * 40 + "… is too large"),
    f"fn @f({', '.join(f'%{n}: i64' for n in range(256))}) {{\nb0:\n  return\n}}": (1, "a function has at most 255 parameters"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), INVALID.items(), ids=[reason for _, reason in INVALID.values()])
def test_malformed_mir_is_refused_with_line_and_reason(text: str, wanted: tuple[int, str]) -> None:
    with LocalExecutionManager.cranelift() as manager:
        with pytest.raises(InvalidMir) as caught:
            manager.compile(text)
        assert (caught.value.line, caught.value.reason) == wanted
        assert manager.last_error() == f"line {wanted[0]}: {wanted[1]}"
        assert manager.list_functions() == []


def test_a_refused_unit_changes_nothing(manager: LocalExecutionManager) -> None:
    manager.compile(TWICE)
    with pytest.raises(InvalidMir):
        manager.compile("fn @twice(%0: i64) -> i64 { b0: return %0 }\nfn @bad() { b0: jump b0 }")
    assert manager.execute("twice", [2]) == 4


MISSING = """
use compiler.backend.{create_backend, BackendKind, JitInterpreterBackend, JitInterpreterConfig}
use compiler.execution.mod.{LocalExecutionManager, get_jit_backend, set_jit_backend}

fn message_of(action: fn() -> text) -> text:
    try: action()
    catch e: "{e.kind}: {e.message}"

fn managed() -> text: message_of(\\: LocalExecutionManager.llvm().backend_name())
fn hosted() -> text: message_of(\\: JitInterpreterBackend.new(JitInterpreterConfig(backend: "llvm")).name())
fn created() -> text: message_of(\\: create_backend(BackendKind.LlvmJit).name())
fn chosen() -> (bool, text): (set_jit_backend("llvm"), get_jit_backend())
fn unknown() -> text: message_of(\\: JitInterpreterBackend.new(JitInterpreterConfig(backend: "gcc")).name())
"""


def test_missing_back_ends_seen_from_simple(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from simple_jit import BackendKind, create_backend

    monkeypatch.setitem(sys.modules, "llvmlite", None)
    with create_backend(BackendKind.TREE_WALK) as engine:
        engine.run(MISSING)
        for name in ("managed", "hosted", "created"):
            assert engine.call(name) == "Panic: the back end `llvm` is not installed"
        assert engine.call("chosen") == (False, "auto")
        assert engine.call("unknown").startswith("Panic: there is no back end `gcc`: it is one of auto, ")
