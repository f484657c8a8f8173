"""Interrupt programs, and let allocations and polls fail, at random: the engine must stay as good as new.

    python test/stress/faults.py [--kind KIND]… [--interrupts N] [--failures N] [--seed N]

After each interrupt or failure another program runs in the same engine and must print what it should; at
the end there must be no more objects, code, stack or handlers than before. `faults/containers.spl` checks
its own containers after each failure. Ends with status 1 where something is wrong.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "test" / "python")]

from simple_jit.backend import BackendKind, JitInterpreterBackend, create_backend  # noqa: E402
from simple_jit.mir import abi  # noqa: E402
from simple_jit.runtime.context import Context  # noqa: E402
from simple_jit.runtime.errors import SimpleError  # noqa: E402

KINDS = [kind.value for kind in BackendKind if kind is not BackendKind.COMPILER]
PROGRAMS = [
    ROOT / "test" / "stress" / "faults" / "containers.spl",
    *[ROOT / "test" / "programs" / name for name in ("whole/words.spl", "whole/graph.spl", "text/building.spl")],
]
CHECK = """
class Node:
    next: Node?
    name: text
fn main():
    val names = [for i in 0..30: "n{i * 7 % 30}"]
    names.sort()
    var counts = {"": 0}
    var head: Node? = nil
    for name in names:
        counts[name] = counts.get_or(name, 0) + name.len()
        head = Node(next: head, name: name)
    val caught = try: names[99] catch e: e.message
    print "{names[0]} {names[29]} {counts.values().sum()} {head!.name} {counts.len()} {caught}"
"""
CHECKED = "n0 n9 80 n9 31 index 99 is out of range for length 30\n"
LOOPS = """
fn sum(xs: [i64]) -> i64:
    var n = 0
    for x in xs:
        n += x
    n
fn deep(n: i64) -> i64: if n == 0: 0 else: deep(n - 1) + 1
fn main():
    var total = 0
    loop:
        val xs = [i * 7919 % 1009 for i in 0..500]
        xs.sort()
        total += sum(xs) + deep(200)
        try:
            defer total += 1
            val s = "a,b,c".split(",").join("-")
            if total % 2 == 0: panic(s)
        catch e:
            total += e.message.len()
        finally:
            total += 1
"""


class Wrong(Exception):
    """The engine is no longer what it was."""


class Subject:
    """An engine under test, and what it printed."""

    def __init__(self, kind: str) -> None:
        self.printed: list[bytes] = []
        made = create_backend(BackendKind(kind))
        made.close()
        self.backend = JitInterpreterBackend(made.config, made.kind(), self.printed.append)
        self.context: Context = self.backend._engine.context
        self.heap = self.backend._engine.heap

    def check(self) -> None:
        """Run a program that must go well."""
        faults = self.heap.collector.faults
        if faults is not None:
            faults.is_resting = True
        self.printed.clear()
        self.backend.run(CHECK)
        text = b"".join(self.printed).decode()
        if text != CHECKED:
            raise Wrong(f"printed {text!r}")
        for cell in (abi.HANDLER, abi.FAILED, abi.PYTHON_ERROR):
            if self.context.load(cell):
                raise Wrong(f"cell {cell} of the context is {self.context.load(cell):#x}")
        if self.context.pending is not None:
            raise Wrong(f"{self.context.pending!r} was never taken")
        if faults is not None:
            faults.is_resting = False

    def sizes(self) -> dict[str, int]:
        """Return how much there is of everything, after a program that went well."""
        self.check()
        self.heap.collector.collect("test")
        gc.collect()
        sizes = self.backend._engine.table_sizes()
        sizes["objects of Python"] = len(gc.get_objects())
        sizes["live bytes"] = self.heap.collector.statistics.live
        sizes["recursion limit"] = sys.getrecursionlimit()
        return sizes


ALLOWANCE = {"type numbers": 300, "objects of Python": 80_000, "live bytes": 20_000, "code bytes": 20_000, "imports": 40}
"""By how much things differ from one moment to another: the last error keeps frames, and with them two programs."""


def compare(before: dict[str, int], after: dict[str, int]) -> None:
    for name, size in after.items():
        if size > before.get(name, 0) + ALLOWANCE.get(name, 0):
            raise Wrong(f"{name}: {before.get(name, 0)} before, {size} after")


def fail(kind: str, count: int, seed: int) -> None:
    """Let `count` allocations and polls fail."""
    os.environ["SIMPLE_FAULTS"] = f"700:{seed}"
    subject = Subject(kind)
    del os.environ["SIMPLE_FAULTS"]
    faults = subject.heap.collector.faults
    assert faults is not None
    texts = [path.read_text() for path in PROGRAMS]
    before: dict[str, int] = {}
    runs = caught = 0
    while faults.count < count:
        try:
            subject.backend.run(texts[runs % len(texts)])
        except SimpleError as error:
            caught += 1
            if "on purpose" not in error.message:
                raise Wrong(f"program {runs % len(texts)}: {error}") from error
        subject.check()
        runs += 1
        if runs == 2 * len(texts):
            before = subject.sizes()
    if before:
        compare(before, subject.sizes())
    print(f"{kind}: {faults.count} failures in {runs} runs, {caught} of which they ended: ok", flush=True)


class Alarm:
    """A process that sends SIGINT to this one when asked."""

    def __init__(self) -> None:
        reader, self._writer = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._writer)
            parent = os.getppid()
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            while delay := os.read(reader, 8):
                time.sleep(int(delay) / 1e6)
                try:
                    os.kill(parent, signal.SIGINT)
                except ProcessLookupError:
                    break
            os._exit(0)
        os.close(reader)

    def start(self, seconds: float) -> None:
        os.write(self._writer, b"%08d" % int(seconds * 1e6))

    def close(self) -> None:
        os.close(self._writer)
        os.waitpid(self._pid, 0)


def interrupt(kind: str, count: int) -> None:
    """Interrupt programs `count` times, the compiler at work on them included."""
    subject = Subject(kind)
    alarm = Alarm()
    texts = [LOOPS, CHECK * 1, *[path.read_text() for path in PROGRAMS]]
    before: dict[str, int] = {}
    for number in range(count):
        if number == 2 * len(texts):
            before = subject.sizes()
        longest = 0.3 if number % 2 else 0.06
        # One that has ended before the signal comes waits for it.
        try:
            alarm.start(random.uniform(0, longest))
            subject.backend.run(texts[0] if number % 2 else texts[number // 2 % len(texts)])
            time.sleep(10)
            raise Wrong(f"interrupt {number} was lost")
        except KeyboardInterrupt:
            pass
        subject.check()
    if before:
        compare(before, subject.sizes())
    alarm.close()
    print(f"{kind}: {count} interrupts: ok", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kind", action="append", choices=KINDS)
    parser.add_argument("--interrupts", type=int, default=1000)
    parser.add_argument("--failures", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random.seed(options.seed)
    wrong = 0
    for kind in options.kind or KINDS:
        try:
            fail(kind, options.failures, options.seed)
            interrupt(kind, options.interrupts)
        except Wrong as error:
            wrong += 1
            print(f"{kind}: WRONG: {error}", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
