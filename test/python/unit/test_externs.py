"""Foreign functions: which one a name stands for, and calls from the interpreter and from C."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import pytest

from simple_jit.base.source import SourceFile
from simple_jit.hir import types as hir
from simple_jit.hir.externs import MissingExtern
from simple_jit.hir.nodes import Extern
from simple_jit.mir import abi
from simple_jit.runtime.code_arena import CodeArena
from simple_jit.runtime.context import Context
from simple_jit.runtime.crossing import Crossing
from simple_jit.runtime.errors import SimpleError, SimpleExit, take_error
from simple_jit.runtime.externs import ExternTable, UnresolvedExtern
from simple_jit.runtime.heap import Heap
from simple_jit.runtime.memory import I64
from simple_jit.runtime.output import Output
from simple_jit.tiers.cranelift.backend import CraneliftBackend

TEXTS = hir.array_of(hir.TEXT)
MAYBE_TEXT = hir.optional_of(hir.TEXT)


class World:
    """A context with all that belongs to it."""

    def __init__(self) -> None:
        self.context = Context()
        self.heap = Heap(self.context, size=16 << 20)
        self.written: list[bytes] = []
        self.output = Output(self.context, self.written.append, self.written.append)
        self.table = ExternTable(self.context, self.heap, self.output)

    def close(self) -> None:
        self.output.close()
        self.heap.close()
        self.context.close()

    def call(self, name: str, params: tuple[hir.Type, ...], ret: hir.Type, *args: Any) -> Any:
        """Call as the interpreter does, with str for text in and out."""
        span = SourceFile("test.spl", "").span(0, 0)
        extern = Extern(name, params, ret, None, self.table.lookup(name) is True, span)
        values = [self.heap.new_text(a) if isinstance(a, str) else a for a in args]
        result = self.table.function(extern)(*values)
        if ret is hir.TEXT or (ret is MAYBE_TEXT and result):
            return self.heap.read_text(result)
        return result

    def texts(self, *items: str) -> int:
        return self.heap.new_array(TEXTS, [self.heap.new_text(item) for item in items])

    def read_texts(self, array: int) -> list[str]:
        return [self.heap.read_text(item) for item in self.heap.read_array(array, TEXTS)]


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def test_c_functions_take_and_return_numbers(world: World) -> None:
    assert world.call("labs", (hir.I64,), hir.I64, -(1 << 40)) == 1 << 40
    assert world.call("abs", (hir.I32,), hir.I32, -5) == 5
    assert world.call("cos", (hir.F64,), hir.F64, 0.0) == 1.0
    assert world.call("sqrtf", (hir.F32,), hir.F32, 2.25) == 1.5


def test_text_goes_to_c_as_bytes_and_comes_back_as_a_copy(world: World) -> None:
    assert world.call("strlen", (hir.TEXT,), hir.U64, "héllo") == 6
    assert world.call("strchr", (hir.TEXT, hir.I32), hir.TEXT, "a/b", ord("/")) == "/b"


def test_null_is_nil_or_an_error(world: World) -> None:
    assert world.call("strchr", (hir.TEXT, hir.I32), MAYBE_TEXT, "ab", ord("/")) == 0
    with pytest.raises(SimpleError, match="NilError: a C function returned no text"):
        world.call("strchr", (hir.TEXT, hir.I32), hir.TEXT, "ab", ord("/"))


def test_arrays_pass_their_elements_to_c(world: World) -> None:
    bytes_type = hir.array_of(hir.U8)
    array = world.heap.new_array(bytes_type, [1, 2, 3])
    other = world.heap.new_array(bytes_type, [1, 2, 4])
    params = (bytes_type, bytes_type, hir.U64)
    assert world.call("memcmp", params, hir.I32, array, other, 2) == 0
    assert world.call("memcmp", params, hir.I32, array, other, 3) < 0


def test_the_runtime_comes_before_python_and_python_before_c(world: World) -> None:
    world.table.define("labs", (hir.I64,), hir.I64, lambda x: x + 1)
    assert world.call("labs", (hir.I64,), hir.I64, -5) == -4
    assert world.table.lookup("labs") is True
    assert world.table.lookup("labs", from_library=True) is False
    assert world.table.lookup("cos") is False
    assert world.table.signature("rt_env_get") == ((hir.TEXT,), MAYBE_TEXT)
    assert world.table.signature("cos") is None


@pytest.mark.parametrize("name", ["rt_no_such_thing", "surely_no_such_function"])
def test_an_unknown_name_says_where_it_was_looked_for(world: World, name: str) -> None:
    assert isinstance(world.table.lookup(name), MissingExtern)
    with pytest.raises(UnresolvedExtern, match=name):
        world.table.find(name)


def test_a_named_library_is_opened(world: World) -> None:
    assert world.table.lookup("cbrt", "libm.so.6") is False
    assert isinstance(world.table.lookup("no_such_function", "libm.so.6"), MissingExtern)
    with pytest.raises(UnresolvedExtern, match=r"cannot load the library `libnothing_here\.so`"):
        world.table.find("f", "libnothing_here.so")


def test_native_code_gets_an_address_in_its_import_slot(world: World) -> None:
    offset = world.context.import_offset("labs")
    function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(world.context.load(offset))
    assert function(-7) == 7


def test_native_code_calls_python_and_learns_of_failures(world: World) -> None:
    def half(x: int) -> int:
        if x % 2:
            raise SimpleError("Panic", "odd")
        return x // 2

    world.table.define("half", (hir.I64,), hir.I64, half)
    arena = CodeArena(1 << 22)
    Crossing(CraneliftBackend(), world.context, arena, world.heap.read_text)
    function = ctypes.PYFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(world.table.address("half@python"))
    assert function(8) == 4
    assert world.context.load(abi.FAILED) == 0
    assert function(7) == 0
    assert world.context.load(abi.FAILED) == 1
    error = take_error(world.context, world.heap.read_text)
    assert isinstance(error, SimpleError)
    assert error.message == "odd"
    assert world.context.load(abi.FAILED) == 0


def test_files(world: World, tmp_path: Any) -> None:
    path = str(tmp_path / "é.txt")
    both = (hir.TEXT, hir.TEXT)
    assert world.call("rt_file_exists", (hir.TEXT,), hir.BOOL, path) is False
    world.call("rt_file_write_text", both, hir.BOOL, path, "a\n")
    world.call("rt_file_append_text", both, hir.BOOL, path, "é\0")
    assert world.call("rt_file_read_text", (hir.TEXT,), hir.TEXT, path) == "a\né\0"
    assert world.read_texts(world.call("rt_dir_list", (hir.TEXT,), TEXTS, str(tmp_path))) == ["é.txt"]
    assert world.call("rt_file_delete", (hir.TEXT,), hir.BOOL, path) is True
    assert world.call("rt_file_delete", (hir.TEXT,), hir.BOOL, path) is False
    with pytest.raises(SimpleError, match=r"IoError: cannot read .*: No such file"):
        world.call("rt_file_read_text", (hir.TEXT,), hir.TEXT, path)


def test_a_file_that_is_not_text_is_an_io_error(world: World, tmp_path: Any) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(SimpleError, match="it is not UTF-8 text"):
        world.call("rt_file_read_text", (hir.TEXT,), hir.TEXT, str(tmp_path / "bytes"))


def test_processes_and_the_environment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIMPLE_TEST_X", raising=False)
    assert world.call("rt_env_get", (hir.TEXT,), MAYBE_TEXT, "SIMPLE_TEST_X") == 0
    monkeypatch.setenv("SIMPLE_TEST_X", "1")
    assert world.call("rt_env_get", (hir.TEXT,), MAYBE_TEXT, "SIMPLE_TEST_X") == "1"
    params = (hir.TEXT, TEXTS)
    args = world.texts("-c", "echo $SIMPLE_TEST_X; echo e >&2; exit 4")
    done = world.call("rt_process_run", params, TEXTS, "sh", args)
    assert world.read_texts(done) == ["1\n", "e\n", "4"]
    with pytest.raises(SimpleError, match="IoError: cannot run no-such-program"):
        world.call("rt_process_run", params, TEXTS, "no-such-program", world.texts())


def test_exit_carries_the_status(world: World) -> None:
    with pytest.raises(SimpleExit) as caught:
        world.call("rt_exit", (hir.I64,), hir.UNIT, 259)
    assert caught.value.code == 3


@pytest.mark.parametrize("value", [0.1, 1e16, 5e-324, -0.0, float("inf"), float("nan"), 1e22, 123456.0])
def test_floats_print_like_repr(world: World, value: float) -> None:
    assert world.call("rt_f64_to_text", (hir.F64,), hir.TEXT, value) == repr(value)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(0.1, "0.1"), (1 / 3, "0.33333334"), (16777216.0, "16777216.0"), (3.4028235e38, "3.4028235e+38")],
)
def test_f32_prints_its_own_shortest_form(world: World, value: float, wanted: str) -> None:
    rounded = ctypes.c_float(value).value
    assert world.call("rt_f32_to_text", (hir.F32,), hir.TEXT, rounded) == wanted


def test_text_is_read_as_python_reads_floats(world: World) -> None:
    result = world.heap.new_array(hir.array_of(hir.F64), [0.0])
    params = (hir.TEXT, hir.array_of(hir.F64))
    assert world.call("rt_text_to_f64", params, hir.BOOL, " 1_0.5e1 ", result) is True
    assert world.heap.read_array(result, hir.array_of(hir.F64)) == [105.0]
    assert world.call("rt_text_to_f64", params, hir.BOOL, "0x1p3", result) is False


def test_writing_goes_to_the_output(world: World) -> None:
    text = world.heap.new_text("héllo")
    size = I64[(text + abi.TEXT_BYTES) >> 3]
    world.call("rt_write", (hir.I64, hir.I64), hir.UNIT, text + abi.TEXT_DATA, size)
    world.call("rt_write_error", (hir.TEXT,), hir.UNIT, "!")
    assert b"".join(world.written) == "héllo!".encode()
