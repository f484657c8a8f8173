"""MIR as an interchange format: written by hand, taken from programs, damaged, and the same everywhere."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import mir_mutations
from simple_jit import InvalidMir, LocalExecutionManager, SimpleError, mir_of
from simple_jit.mir.parse import parse_unit
from simple_jit.mir.text import dump, dump_type
from simple_jit.runtime.context import Context
from simple_jit.runtime.errors import SimpleError as Failed
from simple_jit.runtime.heap import Heap
from simple_jit.tiers.mir_interpreter import MirInterpreter

GCD = """
fn @gcd(%0 a: i64, %1 b: i64) -> i64 {     # the greatest common divisor
b0:
  %2: i64 = const 0
  jump b1
b1:
  %3: bool = eq %1, %2
  branch %3, b3, b2
b2:
  %4: i64 = rem %0, %1
  %0 = copy %1
  %1 = copy %4
  jump b1
b3:
  return %0
}
"""
PARTS = """
fn @half(%0: f64) -> f64, bool {
b0:
  %1: f64 = const 0.5
  %2: f64 = mul %0, %1
  %3: f64 = floor %2
  %4: bool = eq %2, %3
  return %2, %4
}

fn @both(%0: f64) -> f64 {
b0:
  %1: f64, %2: bool = call @half(%0) !1:1
  %3: f64 = neg %1
  %4: f64 = select %2, %1, %3
  return %4
}
"""
SWITCH = """
fn @name(%0: i64) -> i32 file "hand.mir" line 1 {
b0:
  switch %0, [-1: b1, 7: b2], b3
b1:
  %1: i32 = const -100
  return %1
b2:
  %1 = const 700
  return %1
b3:
  %2: i64 = const 10
  %3: bool = lt %0, %2
  check %3, DivisionByZero !12:3
  %4: i64 = const 3
  %5: i64 = index %0, %4 !13:4
  %1 = convert %5
  return %1
}
"""
CASES = [
    (GCD, "gcd", [(1071, 462), (5, 0), (-12, 18), (2**62, 6)]),
    (PARTS, "both", [(3.0,), (4.0,), (-0.0,), (float("inf"),)]),
    (PARTS, "half", [(3.0,), (float("nan"),)]),
    (SWITCH, "name", [(-1,), (7,), (0,), (-3,), (3,), (-4,), (10,)]),
]


@pytest.fixture(params=["cranelift", "llvm"])
def manager(request: pytest.FixtureRequest) -> Iterator[LocalExecutionManager]:
    with LocalExecutionManager(request.param) as manager:
        yield manager


def outcome(run: Callable[..., object], *args: object) -> str:
    """Return what a call did: NaN has one text, and errors their place."""
    try:
        return repr(run(*args))
    except (SimpleError, Failed) as error:
        return str(error)


@pytest.mark.parametrize(("text", "name", "calls"), CASES)
def test_hand_written_mir_does_the_same_everywhere(
    manager: LocalExecutionManager, text: str, name: str, calls: list[tuple[float, ...]]
) -> None:
    functions = {function.symbol: function for function in parse_unit(text).functions}
    context = Context()
    Heap(context, 1 << 20)
    interpreter = MirInterpreter(context, functions.get, lambda symbol, args: None)

    def interpret(args: tuple[float, ...]) -> object:
        results = interpreter.call(name, args)
        return results[0] if len(results) == 1 else results

    for level in (0, 2):
        manager.set_opt_level(level)
        manager.compile(text)
        for args in calls:
            assert outcome(manager.execute, name, args) == outcome(interpret, args)


def test_errors_have_the_place_that_the_text_gives(manager: LocalExecutionManager) -> None:
    manager.compile(SWITCH)
    assert outcome(manager.execute, "name", [11]) == "DivisionByZero: division by zero (hand.mir:12:3)"
    assert outcome(manager.execute, "name", [4]) == (
        "IndexError: index 4 is out of range for length 3 (hand.mir:13:4)"
    )


PROGRAM = """
struct Point:
    x: i64
    names: [text]
enum Tree:
    Leaf
    Node(Tree, i64, Tree)
var total = 5
fn make(x: i64) -> Point: Point(x: x, names: ["a", "b{x}"])
fn name(p: Point, i: i64) -> text: p.names[i]
fn insert(t: Tree, n: i64) -> Tree:
    match t:
        case Leaf: Tree.Node(Tree.Leaf, n, Tree.Leaf)
        case Node(l, m, r): if n < m: Tree.Node(insert(l, n), m, r) else: Tree.Node(l, m, insert(r, n))
fn sum(t: Tree) -> i64:
    match t:
        case Leaf: 0
        case Node(l, n, r): sum(l) + n + sum(r)
fn trees(n: i64) -> i64:
    var t = Tree.Leaf
    for i in 0..n: t = insert(t, i * 7 % 13)
    sum(t)
fn count(word: text) -> i64:
    val seen: {text: i64} = {}
    for c in word: seen[c] = seen.get_or(c, 0) + 1
    seen["l"]
fn add(n: i64) -> i64:
    total += n
    total
"""
ELSEWHERE = """
import sys
from simple_jit import LocalExecutionManager
with LocalExecutionManager(sys.argv[1]) as manager:
    manager.compile(sys.stdin.read())
    point = manager.execute("make", [7])
    print(manager.execute("name", [point, 1]), manager.execute("trees", [10]), manager.execute("count", ["hello"]))
    manager.execute("<start>", [[]])
    print(manager.execute("add", [1]), manager.execute("add", [1]))
"""


def test_the_mir_of_a_program_stands_alone() -> None:
    """In another process, which knows none of its types."""
    text = mir_of(PROGRAM)
    for back_end in ("cranelift", "llvm"):
        command = [sys.executable, "-c", ELSEWHERE, back_end]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False)
        assert (done.stdout, done.stderr) == ("b7 55 2\n6 7\n", "")


def test_units_have_variables_of_their_own(manager: LocalExecutionManager) -> None:
    counter = mir_of("var n = 0\nfn step() -> i64:\n    n += 1\n    n")
    manager.compile(counter)
    assert [manager.execute("step"), manager.execute("step")] == [1, 2]
    manager.compile_source("var m = 50\nfn other() -> i64:\n    m += 1\n    m")
    manager.compile(counter.replace("main.step", "main.again"))
    assert [manager.execute(name) for name in ("other", "again", "step", "other")] == [51, 1, 3, 52]


def test_a_program_comes_back_as_it_was() -> None:
    text = mir_of(PROGRAM)
    unit = parse_unit(text)
    types = "".join(dump_type(t.name, t.kind, t.size, t.references) for t in unit.types)
    assert "\n".join([types, *map(dump, unit.functions)]) == text


def test_functions_with_type_parameters_are_left_out() -> None:
    text = mir_of("fn same<T>(x: T) -> T: x\nfn any_of(x): x\nfn two() -> i64: same(2)")
    assert {function.symbol for function in parse_unit(text).functions} == {"main.two()", "main.same(i64)"}


BAD_TYPES = {
    'type "A" class 16 []': "the type A is no class: there are struct, value, array",
    'type "A" struct 0 []': "the type A has a size of 0: it is 8 to 1048576",
    'type "A" struct 24 [0]': "the type A has a reference where there cannot be one",
    'type "A" struct 24 [24]': "the type A has a reference where there cannot be one",
    'type "A" array 12 [0]': "the type A has a reference where there cannot be one",
    'type "A" struct 32 [16, 8]': "the type A has references out of order",
    'type "A" struct 16 []\ntype "A" struct 16 []': "the type A is described twice",
    'type "A" struct x []': "an integer expected, found 'x'",
}


@pytest.mark.parametrize("text", BAD_TYPES)
def test_types_that_cannot_be_are_refused(text: str) -> None:
    with LocalExecutionManager.cranelift() as manager, pytest.raises(InvalidMir) as caught:
        manager.compile(f"\n{text}\nfn @f() {{\nb0:\n  return\n}}\n")
    assert (caught.value.line, caught.value.reason) == (text.count("\n") + 2, BAD_TYPES[text])


@pytest.mark.parametrize("number", range(len(mir_mutations.PROGRAMS) + 1))
def test_damaged_mir_is_refused_or_compiles(number: int) -> None:
    text = mir_mutations.texts()[number]
    with LocalExecutionManager.cranelift() as one, LocalExecutionManager.llvm() as other:
        accepted = sum(mir_mutations.compiles([one, other], mir_mutations.mutant(text, seed)) for seed in range(40))
    assert 0 < accepted < 40


def test_the_reader_takes_any_text() -> None:
    samples = [Path(__file__).read_text(encoding="utf-8"), "", "\x00", "é", "type", 'type "', "fn", "fn @", "%", "1" * 9999]
    with LocalExecutionManager.cranelift() as manager:
        accepted = [sample for sample in samples if mir_mutations.compiles([manager], sample)]
    assert accepted == [""]
