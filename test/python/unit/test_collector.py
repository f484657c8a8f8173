"""The collector: what it keeps, what it frees, and what happens at the end of memory.

Integers in the frames of tests are roots, so addresses that must not be one are kept as texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import run_simple
from simple_jit.base.diagnostics import Reporter
from simple_jit.base.source import SourceFile
from simple_jit.driver import check
from simple_jit.engine.config import Config
from simple_jit.engine.engine import Engine
from simple_jit.hir import types as t
from simple_jit.mir import abi
from simple_jit.mir.layout import BUFFER_DESCRIPTOR, FIXED_DESCRIPTORS, TEXT_DESCRIPTOR, descriptor, traced
from simple_jit.runtime.errors import SimpleError
from simple_jit.runtime.heap import Heap
from simple_jit.runtime.memory import I64, U8, fill_bytes, read_bytes, write_bytes
from simple_jit.runtime.values import StructRef
from simple_jit.tiers.contract import Backend, BackendError, BackendMissing

TEXTS = t.array_of(t.TEXT)
TABLE = t.array_of(TEXTS)
STRUCT_OF_TEXTS = t.StructType("Pair", "test.Pair", None, (), True, None)
STRUCT_OF_TEXTS.fields = [t.Field("left", t.TEXT, None), t.Field("right", t.TEXT, None)]
TIERS = {
    "interpreter": ["--mode", "always_interpret"],
    "cranelift": ["--mode", "always_jit", "--backend", "cranelift"],
    "llvm": ["--mode", "always_jit", "--backend", "llvm"],
    "auto": ["--mode", "auto"],
}


@pytest.fixture
def heap() -> Iterator[Heap]:
    engine = Engine(Config(mode="always_interpret"))
    yield engine.heap
    engine.close()


def live(heap: Heap) -> int:
    """Return the bytes that a collection finds; views leave addresses on the C stack, so others come there first."""
    scratch = heap.context.address + abi.BUFFER
    for _ in range(3):
        I64[scratch >> 3] = U8[scratch]
        write_bytes(scratch, read_bytes(scratch, 16))
    assert heap.collector.collect("test")
    return heap.collector.statistics.live


def new_table(heap: Heap) -> str:
    """Make an array of arrays of texts, and return its address as a text."""
    return str(heap.new_array(TABLE, [heap.new_array(TEXTS, [heap.new_text("a text")]) for _ in range(10)]))


STRAY = 3
"""Objects that an old word on the C stack may keep."""

TABLE_SIZE = 32 + 96 + 10 * (32 + 32 + 48)


def test_what_nothing_refers_to_is_freed(heap: Heap) -> None:
    before = live(heap)
    new_table(heap)
    assert live(heap) == before


def test_a_pinned_object_and_all_it_leads_to_stay(heap: Heap) -> None:
    before = live(heap)
    table = new_table(heap)
    heap.pin(int(table))
    assert live(heap) - before == TABLE_SIZE
    heap.pin(int(table))
    heap.unpin(int(table))
    assert live(heap) - before == TABLE_SIZE
    heap.unpin(int(table))
    assert live(heap) == before


@pytest.mark.parametrize("shift", [0, 1, 2, 3])
def test_addresses_in_python_frames_are_roots_shifted_or_not(heap: Heap, shift: int) -> None:
    before = live(heap)
    inside = int(new_table(heap)) >> shift
    assert live(heap) - before == TABLE_SIZE
    kept = [("x", [inside])]
    del inside
    assert live(heap) - before == TABLE_SIZE
    kept.clear()
    assert live(heap) == before


@pytest.mark.parametrize("offset", [0, 16, 40, 1008, 1015])
def test_an_interior_pointer_keeps_an_object(heap: Heap, offset: int) -> None:
    before = live(heap)
    inside = heap.allocate(1024, heap.context.types.of(TEXTS)) + 0
    # As a buffer of 1008 bytes, whose end is the beginning of what follows.
    I64[inside >> 3] = FIXED_DESCRIPTORS.index(BUFFER_DESCRIPTOR)
    I64[(inside + 8) >> 3] = 1008
    heap.new_text("behind it")
    inside += offset
    assert live(heap) - before == 1024


def test_the_address_behind_a_full_buffer_keeps_it(heap: Heap) -> None:
    before = live(heap)
    end = heap.new_buffer(1008) + 1008
    after = str(heap.new_text("behind it"))
    assert int(after) == end
    assert live(heap) - before == 1024 + 48


def test_a_buffer_without_its_array_is_searched(heap: Heap) -> None:
    before = live(heap)
    data = heap.new_buffer(64)
    I64[(data + 24) >> 3] = heap.new_text("a text")
    assert live(heap) - before == 80 + 48


def test_elements_behind_the_length_do_not_count(heap: Heap) -> None:
    before = live(heap)
    array = heap.new_array(TEXTS, [heap.new_text("a text") for _ in range(100)])
    I64[(array + abi.ARRAY_LEN) >> 3] = 10
    assert 0 <= live(heap) - before - (32 + 816 + 10 * 48) <= STRAY * 48


def test_a_chain_as_long_as_memory_needs_no_stack(heap: Heap) -> None:
    nested = t.array_of(TEXTS)
    before = live(heap)
    chain = 0
    for _ in range(20_000):
        link = heap.new_empty_array(nested, 1)
        I64[I64[(link + abi.ARRAY_DATA) >> 3] >> 3] = chain
        I64[(link + abi.ARRAY_LEN) >> 3] = 1 if chain else 0
        chain = link
    assert live(heap) - before >= 20_000 * 64


def new_pair(heap: Heap) -> StructRef:
    fields = [heap.new_text("left"), heap.new_text("right")]
    return StructRef(heap.new_struct(STRUCT_OF_TEXTS, fields), STRUCT_OF_TEXTS, heap)


def test_python_objects_keep_what_they_stand_for(heap: Heap) -> None:
    before = live(heap)
    pairs = [new_pair(heap) for _ in range(100)]
    for _ in range(2):
        assert live(heap) - before == 100 * 128
    assert pairs[0].left == "left"
    pairs.clear()
    assert live(heap) - before <= STRAY * 128


def test_text_constants_stay(heap: Heap) -> None:
    heap.text_constant("constant")
    before = live(heap)
    assert heap.read_text(heap.text_constant("constant")) == "constant"
    assert live(heap) == before


def test_freed_memory_is_used_again_and_zero(heap: Heap) -> None:
    live(heap)
    for _ in range(40):
        fill_bytes(heap.new_buffer(1 << 20), 0xFF, 1 << 20)
    top = int(heap.new_buffer(16))
    live(heap)
    data = heap.new_buffer(1 << 20)
    assert data < top
    assert not any(U8[data : data + (1 << 20)])


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def test_memory_goes_back_to_the_system_after_a_peak(heap: Heap) -> None:
    live(heap)
    before = resident()
    for _ in range(150):
        fill_bytes(heap.new_buffer(1 << 20), 1, 1 << 20)
    assert resident() - before > 140 << 20
    live(heap)
    assert resident() - before < 60 << 20


def new_large(heap: Heap) -> int:
    """Allocate a buffer object of 1 MB as a program does."""
    address = heap.allocate_or_collect(1 << 20, FIXED_DESCRIPTORS.index(BUFFER_DESCRIPTOR))
    I64[(address + 8) >> 3] = (1 << 20) - 16
    return address


def test_at_the_limit_there_is_an_error_and_the_heap_goes_on() -> None:
    engine = Engine(Config(mode="always_interpret", heap_max=8 << 20))
    heap = engine.heap
    kept = [new_large(heap) for _ in range(6)]
    assert len(set(kept)) == 6
    with pytest.raises(SimpleError, match="OutOfMemory: out of memory"):
        heap.refill(3 << 20)
    with pytest.raises(SimpleError, match="OutOfMemory: out of memory"):
        heap.refill(1 << 60)
    kept.clear()
    for _ in range(20):
        new_large(heap)
    engine.close()


def test_a_heap_that_makes_no_sense_is_not_collected(heap: Heap) -> None:
    assert heap.collector.collect("test")
    heap.allocate(32, 1 << 30)
    assert not heap.collector.collect("test")
    assert heap.read_text(heap.new_text("still there")) == "still there"
    assert heap.refill(1 << 20) % 16 == 0


def test_components_that_may_be_addresses() -> None:
    assert traced(t.TEXT) == traced(t.optional_of(t.TEXT)) == (True,)
    assert traced(t.ANY) == (False, True)
    assert traced(t.optional_of(t.I64)) == (False, False)
    assert traced(t.tuple_of((t.I64, t.TEXT, t.ANY))) == (False, True, False, True)
    assert descriptor(t.array_of(t.tuple_of((t.BOOL, t.TEXT)))).references == (8,)
    assert TEXT_DESCRIPTOR.references == ()


CYCLES = """
class Ring:
    next: Ring?
    label: text

fn churn(rounds: i64) -> i64:
    var total = 0
    for i in 0..rounds:
        val a = Ring(next: nil, label: "{i}")
        val b = Ring(next: a, label: "b")
        a.next = b
        total += b.next!.label.len()
    total

fn main():
    print churn(1_000_000)
"""


@pytest.mark.parametrize("tier", TIERS)
def test_cyclic_garbage_runs_in_constant_memory(tier: str) -> None:
    rounds = "100_000" if tier == "interpreter" else "1_000_000"
    code = CYCLES.replace("1_000_000", rounds)
    outcome = run_simple(["run", *TIERS[tier], "--heap-max", "8M", "-e", code])
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == ("488890\n" if tier == "interpreter" else "5888890\n")


@pytest.mark.parametrize("tier", TIERS)
def test_a_text_that_grows_runs_in_bounded_memory(tier: str) -> None:
    code = 'fn main():\n    var s = ""\n    for i in 0..20000:\n        s += "x"\n    print s.len()\n'
    outcome = run_simple(["run", *TIERS[tier], "--heap-max", "2M", "-e", code])
    assert (outcome.status, outcome.out, outcome.err) == (0, "20000\n", "")


@pytest.mark.parametrize("tier", TIERS)
def test_running_out_of_memory_is_an_error_at_its_place(tier: str) -> None:
    code = "fn main():\n    var xs: [[i64]] = []\n    while true:\n        xs.push([1] * 1000)\n"
    outcome = run_simple(["run", *TIERS[tier], "--heap-max", "4M", "-e", code])
    assert outcome.status == 1
    assert outcome.err.startswith("error: OutOfMemory: out of memory\n")
    assert ":4:" in outcome.err


CATCH = """
fn fill() -> i64:
    var xs: [[i64]] = []
    while xs.len() >= 0:
        xs.push([1] * 1000)
    0

fn main():
    for i in 0..3:
        try:
            fill()
        catch e:
            print e.kind
    var total = 0
    for i in 0..2000:
        total += ([1] * 1000).len()
    print total
"""


@pytest.mark.parametrize("tier", TIERS)
def test_running_out_of_memory_can_be_caught_and_leaves_the_heap_usable(tier: str) -> None:
    outcome = run_simple(["run", *TIERS[tier], "--heap-max", "4M", "-e", CATCH])
    assert (outcome.status, outcome.out) == (0, "OutOfMemory\n" * 3 + "2000000\n"), outcome


@pytest.mark.parametrize("tier", TIERS)
def test_deep_recursion_is_searched(tier: str) -> None:
    code = """
fn deep(n: i64, label: text) -> i64:
    val own = "{n}"
    if n == 0:
        return label.len()
    val below = deep(n - 1, own)
    below + own.len() - own.len() + label.len() - label.len()

fn main():
    for i in 0..20:
        print deep(2000, "start")
"""
    outcome = run_simple(
        ["run", *TIERS[tier], "-e", code], environ={"SIMPLE_GC_STRESS": "500"}
    )
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == "1\n" * 20


def test_the_log_has_a_line_for_each_collection() -> None:
    code = "use std.gc\nfn main():\n    gc.collect()\n    gc.collect()\n    print gc.collections()\n"
    outcome = run_simple(["run", "-e", code], environ={"SIMPLE_GC_LOG": "1"})
    assert outcome.out == "2\n"
    lines = outcome.err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("gc 1: asked for, ")
    assert all(line.endswith(" ms") and " bytes live, " in line and " freed, " in line for line in lines)


def test_a_bad_bound_is_refused() -> None:
    outcome = run_simple(["run", "--heap-max", "much", "-e", "print 1"])
    assert outcome.status == 2
    assert "--heap-max should be a size" in outcome.err


def test_without_a_back_end_the_interpreter_runs_the_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Backend:
        raise BackendMissing(name)

    engine = Engine(Config(mode="always_interpret"))
    monkeypatch.setattr(engine, "backend", missing)
    heap = engine.heap
    table = new_table(heap)
    heap.pin(int(table))
    assert live(heap) == TABLE_SIZE
    for _ in range(20):
        new_table(heap)
    assert live(heap) == TABLE_SIZE
    assert heap.read_array(heap.read_array(int(table), TABLE)[9], TEXTS)
    heap.unpin(int(table))
    assert live(heap) == 0
    engine.close()


GARBAGE = """
fn main():
    var kept = [[0]]
    for i in 0..100:
        kept[0] = [i] * 100_000
    print kept[0].len()
"""


@pytest.mark.parametrize("mode", ["always_jit", "always_interpret"])
def test_native_code_has_no_interpreted_collector(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    """One could not see what native frames refer to: without a native one memory is only handed out."""
    from simple_jit.engine import collector

    def refuse(*_: object) -> object:
        raise BackendError("as if the collector could not be compiled")

    monkeypatch.setattr(collector, "_native", refuse)
    engine = Engine(Config(mode=mode), sink=lambda data: None)
    program = check(SourceFile("t.spl", GARBAGE), engine, Reporter())
    assert program is not None
    assert engine.run(program, []) == 0
    assert (engine.heap.collector.statistics.collections > 0) == (mode == "always_interpret")
    engine.close()
