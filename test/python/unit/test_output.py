"""Buffered standard output."""

from __future__ import annotations

import os

import pytest

from simple_jit.mir import abi
from simple_jit.runtime.context import Context
from simple_jit.runtime.errors import SimpleError, SimpleExit
from simple_jit.runtime.memory import write_bytes
from simple_jit.runtime.output import CAPACITY, Output


class Target:
    """Takes what is written, piece by piece."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def __call__(self, data: bytes) -> None:
        self.pieces.append(data)

    @property
    def data(self) -> bytes:
        return b"".join(self.pieces)


def append_natively(context: Context, data: bytes) -> None:
    """Do what `core.io.write` does."""
    used = context.load(abi.OUT_LEN)
    assert used + len(data) <= context.load(abi.OUT_CAPACITY)
    write_bytes(context.load(abi.OUT_DATA) + used, data)
    context.store(abi.OUT_LEN, used + len(data))


def test_output_is_held_back_until_flushed() -> None:
    target = Target()
    output = Output(Context(), target)
    output.write(b"one ")
    output.write_text("zwei é\n")
    assert target.pieces == []
    output.flush()
    output.flush()
    assert target.pieces == ["one zwei é\n".encode()]


def test_what_native_code_and_python_write_keeps_its_order() -> None:
    context, target = Context(), Target()
    output = Output(context, target)
    append_natively(context, b"a")
    output.write(b"b")
    append_natively(context, b"c")
    output.flush()
    assert target.data == b"abc"


@pytest.mark.parametrize("size", [1, CAPACITY - 1, CAPACITY, CAPACITY + 1, 3 * CAPACITY])
def test_pieces_of_any_size_arrive_in_order(size: int) -> None:
    target = Target()
    output = Output(Context(), target)
    wanted = b""
    for letter in b"xyz":
        piece = bytes([letter]) * size
        output.write(piece)
        wanted += piece
    output.flush()
    assert target.data == wanted


def test_by_line_each_line_is_written_at_once() -> None:
    context, target = Context(), Target()
    output = Output(context, target, by_line=True)
    assert context.load(abi.OUT_CAPACITY) == 0
    output.write(b"a")
    assert target.pieces == []
    output.write(b"b\n")
    assert target.pieces == [b"ab\n"]
    output.write(b"rest")
    output.flush()
    assert target.data == b"ab\nrest"


def test_standard_error_comes_after_what_was_printed() -> None:
    both = Target()
    output = Output(Context(), both, both)
    output.write(b"out")
    output.write_error(b"err")
    assert both.pieces == [b"out", b"err"]


def test_a_reader_that_has_gone_ends_the_program_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)

    def send(data: bytes) -> None:
        os.write(writing, data)

    output = Output(Context(), send)
    output.write(b"x")
    with pytest.raises(SimpleExit):
        output.flush()
    output.write(b"more")
    output.flush()
    os.close(writing)


def test_output_that_cannot_be_written_is_an_io_error() -> None:
    def send(data: bytes) -> None:
        raise OSError(28, "No space left on device")

    output = Output(Context(), send)
    output.write(b"x")
    with pytest.raises(SimpleError, match="IoError: cannot write to standard output: No space"):
        output.flush()


def test_at_the_end_output_that_cannot_be_written_changes_the_status() -> None:
    def send(data: bytes) -> None:
        raise OSError(28, "No space left on device")

    errors = Target()
    output = Output(Context(), send, errors)
    output.write(b"x")
    assert output.finish(0) == 1
    assert errors.data == b"error: IoError: cannot write to standard output: No space left on device\n"
    assert output.finish(3) == 3
