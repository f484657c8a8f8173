"""The runtime's own functions, `rt_…`: what library code cannot do, or Python does best.

They take and return values in the interpreter's form: a text or an array is the address of the
object, `text?` the same with 0 for nil. A failure is a `SimpleError`; an `OSError` that a function
lets through becomes an `IoError`.
"""

from __future__ import annotations

import os

from simple_jit.base.float_text import shortest_f32
from simple_jit.hir import types as hir
from simple_jit.mir import abi
from simple_jit.runtime.context import Context
from simple_jit.runtime.errors import SimpleError, SimpleExit, take_error
from simple_jit.runtime.heap import Heap
from simple_jit.runtime.memory import F64, I64
from simple_jit.runtime.output import Output
from simple_jit.runtime.stretches import WayTable, add_stretch, last_stretch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Table = dict[str, tuple[tuple[tuple[hir.Type, ...], hir.Type], Callable[..., Any]]]

_TEXTS = hir.array_of(hir.TEXT)
_MAYBE_TEXT = hir.optional_of(hir.TEXT)


def runtime_functions(context: Context, heap: Heap, output: Output) -> Table:
    """Return every runtime function by name: its signature and a callable."""
    table: Table = {}
    for family in (_memory, _output, _numbers, _texts, _files, _system, _errors):
        family(table, context, heap, output)
    return table


def _memory(table: Table, context: Context, heap: Heap, output: Output) -> None:
    def text_from_c(address: int) -> int:
        if not address:
            raise SimpleError("NilError", "a C function returned no text (NULL)")
        return optional_text_from_c(address)

    def optional_text_from_c(address: int) -> int:
        from ctypes import string_at

        return heap.new_text(string_at(address).decode("utf-8", "replace")) if address else 0

    statistics = heap.collector.statistics
    table["rt_gc_collect"] = ((), hir.BOOL), lambda: heap.collector.collect("asked for")
    table["rt_gc_collections"] = ((), hir.I64), lambda: statistics.collections
    table["rt_gc_live_bytes"] = ((), hir.I64), lambda: statistics.live
    table["rt_gc_used_bytes"] = ((), hir.I64), lambda: heap.used
    table["rt_gc_freed_bytes"] = ((), hir.I64), lambda: statistics.freed
    table["rt_gc_seconds"] = ((), hir.F64), lambda: statistics.seconds
    table["rt_gc_longest_pause"] = ((), hir.F64), lambda: statistics.longest
    table["rt_heap_refill"] = ((hir.I64,), hir.I64), heap.refill
    table["rt_text_from_c"] = ((hir.I64,), hir.TEXT), text_from_c
    table["rt_optional_text_from_c"] = ((hir.I64,), _MAYBE_TEXT), optional_text_from_c


def _output(table: Table, context: Context, heap: Heap, output: Output) -> None:
    def write_error(text: int) -> None:
        output.write_error(heap.read_text_bytes(text))

    def read_line(prompt: int) -> int:
        output.write(heap.read_text_bytes(prompt))
        output.flush()
        line = _read_stdin_line()
        return heap.new_text(line) if line is not None else 0

    table["rt_write"] = ((hir.I64, hir.I64), hir.UNIT), output.write_memory
    table["rt_flush"] = ((), hir.UNIT), output.flush
    table["rt_write_error"] = ((hir.TEXT,), hir.UNIT), write_error
    table["rt_read_line"] = ((hir.TEXT,), _MAYBE_TEXT), read_line


def _read_stdin_line() -> str | None:
    import sys

    if sys.stdin is None:
        return None
    try:
        line: Any = sys.stdin.buffer.readline()
    except AttributeError:  # replaced by an object that has text alone
        line = sys.stdin.readline().encode("utf-8", "replace")
    except OSError as error:
        raise _io_error("cannot read standard input", error) from None
    if not line:
        return None
    text: str = line.decode("utf-8", "replace")
    return text.removesuffix("\n").removesuffix("\r")


def _numbers(table: Table, context: Context, heap: Heap, output: Output) -> None:
    def formatter(kind: str) -> Callable[[Any, int], int]:
        def apply(value: Any, spec: int) -> int:
            try:
                return heap.new_text(format(value, heap.read_text(spec)))
            except (ValueError, OverflowError) as error:
                raise SimpleError("ConversionError", f"cannot format {kind}: {error}") from None

        return apply

    def format_text(value: int, spec: int) -> int:
        return format_str(heap.read_text(value), spec)

    def text_to_f64(text: int, result: int) -> bool:
        try:
            value = float(heap.read_text(text))
        except ValueError:
            return False
        F64[I64[(result + abi.ARRAY_DATA) >> 3] >> 3] = value
        return True

    def normal_digits(text: int) -> int:
        try:
            return heap.new_text(str(int(heap.read_text(text))))
        except ValueError:
            return 0

    format_str = formatter("a text")
    for name, type in (("i64", hir.I64), ("u64", hir.U64)):
        table[f"rt_format_{name}"] = ((type, hir.TEXT), hir.TEXT), formatter("an integer")
    table["rt_format_f64"] = ((hir.F64, hir.TEXT), hir.TEXT), formatter("a float")
    table["rt_format_text"] = ((hir.TEXT, hir.TEXT), hir.TEXT), format_text
    table["rt_f64_to_text"] = ((hir.F64,), hir.TEXT), lambda x: heap.new_text(repr(x))
    table["rt_f32_to_text"] = ((hir.F32,), hir.TEXT), lambda x: heap.new_text(shortest_f32(x))
    table["rt_text_to_f64"] = ((hir.TEXT, hir.array_of(hir.F64)), hir.BOOL), text_to_f64
    table["rt_text_normal_digits"] = ((hir.TEXT,), _MAYBE_TEXT), normal_digits


def _texts(table: Table, context: Context, heap: Heap, output: Output) -> None:
    def upper(text: int) -> int:
        return heap.new_text(heap.read_text(text).upper())

    def lower(text: int) -> int:
        return heap.new_text(heap.read_text(text).lower())

    table["rt_text_upper"] = ((hir.TEXT,), hir.TEXT), upper
    table["rt_text_lower"] = ((hir.TEXT,), hir.TEXT), lower


def _io_error(what: str, error: OSError) -> SimpleError:
    return SimpleError("IoError", f"{what}: {error.strerror or error}")


def _files(table: Table, context: Context, heap: Heap, output: Output) -> None:
    def read_text(path: int) -> int:
        name = heap.read_text(path)
        try:
            with open(name, "rb") as file:
                return heap.new_text(file.read().decode("utf-8"))
        except OSError as error:
            raise _io_error(f"cannot read {name}", error) from None
        except UnicodeDecodeError:
            raise SimpleError("IoError", f"cannot read {name}: it is not UTF-8 text") from None

    def writer(mode: str) -> Callable[[int, int], bool]:
        def write_text(path: int, content: int) -> bool:
            name = heap.read_text(path)
            try:
                with open(name, mode) as file:
                    file.write(heap.read_text_bytes(content))
            except OSError as error:
                raise _io_error(f"cannot write {name}", error) from None
            return True

        return write_text

    def exists(path: int) -> bool:
        return os.path.exists(heap.read_text(path))

    def delete(path: int) -> bool:
        name = heap.read_text(path)
        try:
            os.remove(name)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _io_error(f"cannot delete {name}", error) from None
        return True

    def dir_list(path: int) -> int:
        name = heap.read_text(path)
        try:
            names = sorted(os.listdir(name))
        except OSError as error:
            raise _io_error(f"cannot list {name}", error) from None
        return heap.new_array(_TEXTS, [heap.new_text(n) for n in names])

    table["rt_file_read_text"] = ((hir.TEXT,), hir.TEXT), read_text
    table["rt_file_write_text"] = ((hir.TEXT, hir.TEXT), hir.BOOL), writer("wb")
    table["rt_file_append_text"] = ((hir.TEXT, hir.TEXT), hir.BOOL), writer("ab")
    table["rt_file_exists"] = ((hir.TEXT,), hir.BOOL), exists
    table["rt_file_delete"] = ((hir.TEXT,), hir.BOOL), delete
    table["rt_dir_list"] = ((hir.TEXT,), _TEXTS), dir_list


def _system(table: Table, context: Context, heap: Heap, output: Output) -> None:
    def env_get(name: int) -> int:
        value = os.environ.get(heap.read_text(name))
        return heap.new_text(value) if value is not None else 0

    def env_set(name: int, value: int) -> None:
        key = heap.read_text(name)
        try:
            os.environ[key] = heap.read_text(value)
        except (OSError, ValueError) as error:
            raise SimpleError("IoError", f"cannot set {key}: {error}") from None

    def process_run(command: int, args: int) -> int:
        words = [heap.read_text(a) for a in (command, *heap.read_array(args, _TEXTS))]
        output.flush()
        results = _run_process(words)
        return heap.new_array(_TEXTS, [heap.new_text(r) for r in results])

    def args() -> int:
        return context.load(abi.ARGS) or heap.new_array(_TEXTS, [])

    def leave(status: int) -> None:
        raise SimpleExit(status & 255)

    def time_now() -> float:
        from time import time

        return time()

    def mono_ns() -> int:
        from time import monotonic_ns

        return monotonic_ns()

    def sleep(seconds: float) -> None:
        from time import sleep as pause

        output.flush()
        pause(max(seconds, 0.0))

    table["rt_env_get"] = ((hir.TEXT,), _MAYBE_TEXT), env_get
    table["rt_env_set"] = ((hir.TEXT, hir.TEXT), hir.UNIT), env_set
    table["rt_process_run"] = ((hir.TEXT, _TEXTS), _TEXTS), process_run
    table["rt_args"] = ((), _TEXTS), args
    table["rt_exit"] = ((hir.I64,), hir.UNIT), leave
    table["rt_time_now"] = ((), hir.F64), time_now
    table["rt_time_mono_ns"] = ((), hir.I64), mono_ns
    table["rt_sleep"] = ((hir.F64,), hir.UNIT), sleep


def _errors(table: Table, context: Context, heap: Heap, output: Output) -> None:
    """What `lib/core/error.spl` makes of an error that left a protected call."""
    ending: list[BaseException] = []
    taken: list[SimpleError] = []
    ways = WayTable(context)

    def forget() -> None:
        # Errors hold frames, and those the program that is gone.
        for errors in (ending, taken):
            errors.clear()
        ways.forget()

    context.on_forget.append(forget)

    def take() -> int:
        stretch = last_stretch(context)
        error = context.explain(take_error(context, heap.read_text))
        context.settle(error)
        add_stretch(error, stretch)
        ending.clear()
        taken.clear()
        if not isinstance(error, SimpleError):
            ending.append(error)
            return heap.new_array(_TEXTS, [])
        taken.append(error)
        context.store(abi.ERROR_SITE, context.site_number(error.site) if error.site else 0)
        return heap.new_array(_TEXTS, [heap.new_text(error.kind), heap.new_text(error.message)])

    def keep() -> int:
        is_taken = not context.load(abi.ERROR_KIND) or context.load(abi.ERROR_B) != abi.MESSAGE
        if is_taken:
            return ways.keep(taken.pop())
        error = Exception()
        add_stretch(error, last_stretch(context))
        return ways.keep(error)

    def end() -> None:
        raise ending[0]

    def throw(kind: int, message: int, site: int, way: int) -> None:
        error = SimpleError(heap.read_text(kind), heap.read_text(message), context.site(site))  # type: ignore[arg-type]
        error.trail = ways.trail(way)
        raise error

    def site_file(number: int) -> int:
        site = context.site(number)
        return heap.new_text(site.file if site else "")

    def site_line(number: int) -> int:
        site = context.site(number)
        return site.line if site else 0

    table["rt_error_take"] = ((), _TEXTS), take
    table["rt_error_keep"] = ((), hir.I64), keep
    table["rt_error_end"] = ((), hir.UNIT), end
    table["rt_error_throw"] = ((hir.TEXT, hir.TEXT, hir.I64, hir.I64), hir.UNIT), throw
    table["rt_site_file"] = ((hir.I64,), hir.TEXT), site_file
    table["rt_site_line"] = ((hir.I64,), hir.I64), site_line


def _run_process(words: list[str]) -> tuple[str, str, str]:
    """Run a program to its end; returns its output, its errors and its status in base ten."""
    from subprocess import run

    try:
        done = run(words, capture_output=True, check=False)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SimpleError("IoError", f"cannot run {words[0]}: {reason}") from None
    return (
        done.stdout.decode("utf-8", "replace"),
        done.stderr.decode("utf-8", "replace"),
        str(done.returncode),
    )
