"""Standard output and standard error of a program.

Library code appends to a buffer in native memory that the context describes (`OUT_DATA`, `OUT_LEN`,
`OUT_CAPACITY`) and calls `rt_write` for what does not fit. What is buffered is written out when the
buffer is full, before input is read, before anything goes to standard error, and at the end; where
the output is a terminal, at the end of each line (the capacity is then 0, so that all comes here).
"""

from __future__ import annotations

import os

from simple_jit.mir import abi
from simple_jit.runtime.context import Context, release, reserve
from simple_jit.runtime.errors import SimpleError, SimpleExit
from simple_jit.runtime.memory import read_bytes, write_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    Sink = Callable[[bytes], None]

CAPACITY: Final = 1 << 16
BROKEN_PIPE_STATUS: Final = 1
"""How a program ends, without a message, whose output nobody reads any longer."""


class Output:
    """Where a program writes.

    A *sink* takes bytes: `fd_sink(1)`, the `append` of a list, a function that decodes and prints.
    """

    __slots__ = ("_address", "_broken", "_context", "_error_sink", "_line", "_sink")

    def __init__(
        self,
        context: Context,
        sink: Sink | None = None,
        error_sink: Sink | None = None,
        by_line: bool | None = None,
    ) -> None:
        """Set up the buffer in `context`.

        Args:
            context: the context of the program.
            sink: takes standard output; file descriptor 1 where it is None.
            error_sink: takes standard error; file descriptor 2 where it is None.
            by_line: write out each line at once; None: where standard output is a terminal.
        """
        self._context = context
        self._sink = sink or fd_sink(1)
        self._error_sink = error_sink or fd_sink(2)
        self._broken = False
        self._line = bytearray()
        self._address = 0
        if by_line is None:
            by_line = sink is None and _is_terminal(1)
        if not by_line:
            self._allocate()

    def _allocate(self) -> None:
        address = reserve(CAPACITY)
        if address is None:
            return
        self._address = address
        self._context.store(abi.OUT_DATA, address)
        self._context.store(abi.OUT_CAPACITY, CAPACITY)
        self._context.store(abi.OUT_LEN, 0)

    def close(self) -> None:
        """Release the buffer; what is in it and was not flushed is lost."""
        if self._address:
            self._context.store(abi.OUT_CAPACITY, 0)
            release(self._address, CAPACITY)
            self._address = 0

    def write_memory(self, address: int, size: int) -> None:
        """Write `size` bytes at `address`."""
        self.write(read_bytes(address, size))

    def write(self, data: bytes) -> None:
        """Write to standard output."""
        if not self._address:
            self._line += data
            if b"\n" in data:
                self.flush()
            return
        used = self._context.load(abi.OUT_LEN)
        if used + len(data) > CAPACITY:
            self.flush()
            used = 0
        if len(data) >= CAPACITY:
            self._send(data)
        else:
            write_bytes(self._address + used, data)
            self._context.store(abi.OUT_LEN, used + len(data))

    def write_text(self, text: str) -> None:
        """Write to standard output."""
        self.write(text.encode("utf-8", "surrogatepass"))

    def write_error(self, data: bytes) -> None:
        """Write to standard error, after what was written to standard output before."""
        self.flush()
        try:
            self._error_sink(data)
        except OSError:
            return

    def unwritten_cell(self) -> int:
        """Return the index in `I64` of a cell that is 0 only if `flush` has nothing to do."""
        # Without a buffer lines are collected elsewhere; what begins the context is then never 0.
        return (self._context.address + (abi.OUT_LEN if self._address else abi.STACK_LIMIT)) >> 3

    def flush(self) -> None:
        """Write out what is buffered.

        Raises:
            SimpleExit: nobody reads standard output any longer.
            SimpleError: `IoError`, it cannot be written.
        """
        if self._line:
            data = bytes(self._line)
            self._line.clear()
            self._send(data)
        if self._address:
            used = self._context.load(abi.OUT_LEN)
            if used:
                self._context.store(abi.OUT_LEN, 0)
                self._send(read_bytes(self._address, used))

    def finish(self, status: int) -> int:
        """Write out what is buffered at the end of a program, which was to end with `status`.

        Returns:
            The exit status: another one where the output cannot be written.
        """
        try:
            self.flush()
        except SimpleExit as ending:
            return ending.code
        except SimpleError as error:
            self.write_error(f"error: {error}\n".encode())
            return 1
        return status

    def _send(self, data: bytes) -> None:
        if self._broken:
            return
        try:
            self._sink(data)
        except BrokenPipeError:
            self._broken = True
            raise SimpleExit(BROKEN_PIPE_STATUS) from None
        except OSError as error:
            self._broken = True
            reason = error.strerror or error
            raise SimpleError("IoError", f"cannot write to standard output: {reason}") from None


def fd_sink(descriptor: int) -> Sink:
    """Return a sink that writes all of its data to a file descriptor."""

    def send(data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(descriptor, rest) :]
            except BlockingIOError:
                from select import select

                select([], [descriptor], [])

    return send


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False
