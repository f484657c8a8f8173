"""The heap, the context, values in their several forms, and errors."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hir_builder import STRUCT, Machine
from simple_jit.hir import types as t
from simple_jit.mir import abi
from simple_jit.mir.layout import FIXED_DESCRIPTORS, TEXT_DESCRIPTOR, flatten
from simple_jit.mir.nodes import Site
from simple_jit.runtime import memory, values
from simple_jit.runtime.context import Context, ContextFull
from simple_jit.runtime.errors import (
    SimpleError,
    SimpleExit,
    message_for,
    render_error,
    take_error,
)
from simple_jit.runtime.heap import HeapSettingError, heap_limit

INTEGERS = [type for type in t.SCALARS.values() if isinstance(type, t.IntType)]


def test_objects_are_aligned_zeroed_and_have_a_header() -> None:
    with Machine() as m:
        first = m.heap.allocate(40, 7)
        second = m.heap.allocate(1, 8)
        assert first % 16 == second % 16 == 0
        assert second - first == 48
        assert memory.I64[first >> 3] == 7
        assert memory.read_bytes(first + 8, 32) == bytes(32)
        assert m.context.load(abi.HEAP_NEXT) == second + 16
        assert m.heap.used == 64


def test_the_heap_ends_at_its_limit() -> None:
    with Machine(limit=1 << 16) as m:
        m.heap.allocate((1 << 16) - 16, 0)
        m.heap.allocate(16, 0)
        with pytest.raises(SimpleError, match="OutOfMemory: out of memory"):
            m.heap.allocate(16, 0)
        with pytest.raises(SimpleError):
            m.heap.allocate(-16, 0)


@pytest.mark.parametrize(
    ("setting", "size"),
    [("512M", 512 << 20), ("2g", 2 << 30), ("4096", 4096), ("1GiB", 1 << 30), ("8KB", 8192)],
)
def test_the_limit_can_be_set(setting: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMPLE_HEAP_MAX", setting)
    assert heap_limit() == size


@pytest.mark.parametrize("setting", ["much", "-1", "0", "1.5G", "G"])
def test_a_bad_limit_is_refused(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMPLE_HEAP_MAX", setting)
    with pytest.raises(HeapSettingError, match="512M"):
        heap_limit()


@given(st.text())
@settings(max_examples=50, deadline=None)
def test_text_comes_back(value: str) -> None:
    with Machine() as m:
        address = m.heap.new_text(value)
        assert m.heap.read_text(address) == value
        data = value.encode("utf-8", "surrogatepass")
        assert memory.I64[address >> 3] == FIXED_DESCRIPTORS.index(TEXT_DESCRIPTOR)
        assert memory.I64[(address + abi.TEXT_BYTES) >> 3] == len(data)
        assert memory.I64[(address + abi.TEXT_CHARS) >> 3] == len(value)
        assert memory.read_bytes(address + abi.TEXT_DATA, len(data) + 1) == data + b"\0"


def test_text_constants_are_one_object() -> None:
    with Machine() as m:
        assert m.heap.text_constant("a") == m.heap.text_constant("a") != m.heap.new_text("a")
        slot = m.context.text_offset("a")
        assert m.context.load(slot) == m.heap.text_constant("a")
        assert m.context.text_offset("a") == slot


EXAMPLES = [
    (t.array_of(t.I64), [1, -2, 1 << 62]),
    (t.array_of(t.BOOL), [True, False]),
    (t.array_of(t.F32), [1.5, -0.25]),
    (t.array_of(t.array_of(t.U8)), [[1, 255], []]),
    (t.array_of(t.optional_of(t.TEXT)), ["x", None]),
    (t.array_of(t.tuple_of([t.I8, t.TEXT, t.optional_of(t.F64)])), [(1, "a", None), (-2, "", 2.5)]),
    (t.array_of(t.optional_of(t.tuple_of([t.BOOL, t.I16]))), [None, (True, -3)]),
    (t.optional_of(t.I64), None),
    (t.optional_of(t.array_of(t.I64)), None),
    (t.UNIT, None),
    (t.array_of(t.UNIT), [None, None]),
]


@pytest.mark.parametrize(("type", "value"), EXAMPLES, ids=[str(type) for type, _ in EXAMPLES])
def test_python_values_come_back(type: t.Type, value: object) -> None:
    with Machine() as m:
        assert values.to_python(values.to_simple(value, type, m.heap), type, m.heap) == value


@pytest.mark.parametrize("type", INTEGERS, ids=str)
def test_integers_out_of_range_are_refused(type: t.IntType) -> None:
    with Machine() as m:
        for value in (type.min - 1, type.max + 1):
            with pytest.raises(OverflowError, match=f"out of range for {type}"):
                values.to_simple(value, type, m.heap)
        for value in (type.min, type.max):
            assert values.to_simple(value, type, m.heap) == value


@pytest.mark.parametrize(
    ("type", "value", "message"),
    [
        (t.I64, "1", "expected i64, not str: '1'"),
        (t.I64, True, "expected i64, not bool: True"),
        (t.F64, "1", "expected f64"),
        (t.TEXT, 1, "expected text"),
        (t.BOOL, 1, "expected bool"),
        (t.array_of(t.I64), "ab", r"expected \[i64\]"),
        (t.tuple_of([t.I64, t.I64]), (1,), r"expected \(i64, i64\)"),
        (STRUCT, {"flag": True}, "Thing has the fields flag, small"),
    ],
)
def test_other_values_are_refused(type: t.Type, value: object, message: str) -> None:
    with Machine() as m, pytest.raises(TypeError, match=message):
        values.to_simple(value, type, m.heap)


def test_a_struct_is_a_proxy() -> None:
    with Machine() as m:
        fields = {"flag": True, "small": -3, "maybe": None, "next": None, "pair": (0.5, "t")}
        address = values.to_simple(fields, STRUCT, m.heap)
        proxy = values.to_python(address, STRUCT, m.heap)
        assert {name: getattr(proxy, name) for name in dir(proxy)} == fields
        proxy.maybe = 5
        proxy.next = proxy
        assert proxy.next.next.maybe == 5
        assert proxy.next == proxy
        assert values.to_simple(proxy, STRUCT, m.heap) == address
        with pytest.raises(AttributeError, match="no field 'other'"):
            _ = proxy.other


@pytest.mark.parametrize(("type", "value"), EXAMPLES, ids=[str(type) for type, _ in EXAMPLES])
def test_components_come_back(type: t.Type, value: object) -> None:
    with Machine() as m:
        simple = values.to_simple(value, type, m.heap)
        parts = values.flatten_value(simple, type)
        assert len(parts) == len(flatten(type))
        assert values.inflate(parts, type) == simple


def test_slots_are_handed_out_once() -> None:
    context = Context()
    filled: list[tuple[str, int]] = []
    context.new_code_slot = lambda symbol, offset: filled.append((symbol, offset))
    assert context.code_offset("a") == context.code_offset("a") == abi.CODE
    assert context.code_offset("b") == abi.CODE + 8
    assert filled == [("a", abi.CODE), ("b", abi.CODE + 8)]
    context.store(abi.CODE + 8, 1)
    context.forget_program()
    assert context.load(abi.CODE + 8) == 0
    assert {context.code_offset("c"), context.code_offset("a")} == {abi.CODE, abi.CODE + 8}
    context.close()


def test_a_full_table_is_an_error() -> None:
    context = Context()
    for number in range(abi.IMPORTS_COUNT):
        context.import_offset(f"f{number}")
    with pytest.raises(ContextFull, match="too many extern functions: there is room for 4096"):
        context.import_offset("one more")
    context.close()


def test_sites_are_numbered() -> None:
    context = Context()
    number = context.site_number(Site("a.spl", 1, 2))
    assert number == context.site_number(Site("a.spl", 1, 2)) != 0
    assert context.site(number) == Site("a.spl", 1, 2)
    assert context.site(0) is None
    context.close()


def test_messages() -> None:
    def read(address: int) -> str:
        return f"text at {address}"

    assert message_for("IndexError", 10, 3, read) == "index 10 is out of range for length 3"
    assert message_for("IndexError", 10, abi.MESSAGE, read) == "text at 10"
    assert message_for("NilError", 0, 0, read) == "unwrapped nil"
    assert message_for("Panic", 7, abi.MESSAGE, read) == "text at 7"


def test_an_error_of_native_code_becomes_an_exception() -> None:
    with Machine() as m:
        context = m.context
        context.store(abi.ERROR_KIND, abi.ERROR_NUMBER["IndexError"])
        context.store(abi.ERROR_SITE, context.site_number(Site("a.spl", 4, 11)))
        context.store(abi.ERROR_A, -4)
        context.store(abi.ERROR_B, 3)
        error = take_error(context, m.heap.read_text)
        assert str(error) == "IndexError: index -4 is out of range for length 3 (a.spl:4:11)"


def test_a_recorded_error_comes_back_with_its_place() -> None:
    with Machine() as m:
        for error in (SimpleError("IoError", "no such file"), SimpleExit(3), KeyboardInterrupt()):
            m.context.pending = error
            m.context.store(abi.FAILED, 1)
            m.context.store(abi.ERROR_KIND, abi.ERROR_NUMBER["Recorded"])
            m.context.store(abi.ERROR_SITE, m.context.site_number(Site("a.spl", 1, 1)))
            assert take_error(m.context, m.heap.read_text) is error
            assert m.context.load(abi.FAILED) == 0
            assert m.context.pending is None
        first = SimpleError("IoError", "x")
        m.context.pending = first
        assert take_error(m.context, m.heap.read_text) is first
        assert first.site == Site("a.spl", 1, 1)


def test_rendering() -> None:
    error = SimpleError("IndexError", "index 10 is out of range for length 3", Site("p.spl", 4, 11))
    assert render_error(error, lambda file, line: "    print xs[10]") == (
        "error: IndexError: index 10 is out of range for length 3\n"
        "  --> p.spl:4:11\n"
        "   |\n"
        " 4 |     print xs[10]\n"
        "   |           ^\n"
    )
    assert "\x1b" in render_error(error, lambda file, line: "    print xs[10]", color=True)
    assert render_error(error, lambda file, line: None).endswith("--> p.spl:4:11\n")
    assert render_error(SimpleError("Panic", "m"), lambda file, line: None) == "error: Panic: m\n"
    long = SimpleError("Panic", "m", Site("p.spl", 12, 201))
    shown = render_error(long, lambda file, line: "\t" + "a" * 199 + "€" + "b" * 500).splitlines()
    assert len(shown[3]) < 140
    assert shown[3][shown[4].index("^")] == "€"


@given(st.floats(), st.binary(min_size=1, max_size=40), st.integers(0, 8))
@settings(max_examples=50, deadline=None)
def test_memory(number: float, data: bytes, shift: int) -> None:
    again = memory.float_from_bits(memory.float_bits(number))
    assert again == number or number != number
    with Machine() as m:
        at = m.heap.new_buffer(64)
        memory.write_bytes(at, data)
        memory.copy_bytes(at + shift, at, len(data))
        assert memory.read_bytes(at + shift, len(data)) == data
        assert memory.compare_bytes(at + shift, at + shift, len(data)) == 0
        memory.fill_bytes(at, 0x1FF, 3)
        assert memory.read_bytes(at, 3) == b"\xff" * 3
        memory.write_bytes(at, b"ab")
        memory.write_bytes(at + 8, b"ac")
        assert memory.compare_bytes(at, at + 8, 2) == -1
        assert memory.compare_bytes(at + 8, at, 2) == 1
