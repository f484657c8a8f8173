"""What execution managers cost: creating, compiling, calling, memory.

    PYTHONPATH=src python benchmarks/execution_manager.py

Time of the processor, the best of many, since other processes only make it slower; the first of each kind,
which also loads modules, stands apart. Limits: 1 ms to create a manager, 10 ms to compile a simple function
and 100 ms one of 1,000 instructions (both on Cranelift), 1 µs a call with conversions, 10 MB a manager beyond
its heap.
"""

import sys
import time
from collections.abc import Callable

from simple_jit import LocalExecutionManager

SIMPLE = "fn @add(%0: i64, %1: i64) -> i64 {\nb0:\n  %2: i64 = add %0, %1\n  return %2\n}\n"
SOURCE = "fn add(a: i64, b: i64) -> i64: a + b"
OPERATIONS = ("add", "sub", "mul", "and", "or", "xor")


def large(instructions: int) -> str:
    """Return a function of so many instructions, one in ten of them a comparison and a branch."""
    lines = ["fn @large(%0: i64, %1: i64) -> i64 {", "b0:", "  %2: i64 = copy %0"]
    local, block = 3, 0
    while local < instructions:
        if local % 10 == 0:
            lines.append(f"  %{local}: bool = lt %{local - 1}, %1")
            lines.append(f"  branch %{local}, b{block + 1}, b{block + 2}")
            lines += [f"b{block + 1}:", "  %2 = add %2, %1", f"  jump b{block + 2}", f"b{block + 2}:"]
            lines.append(f"  %{local + 1}: i64 = add %2, %0")
            block += 2
            local += 2
        else:
            operation = OPERATIONS[local % len(OPERATIONS)]
            lines.append(f"  %{local}: i64 = {operation} %{local - 1}, %{0 if local % 3 else 2}")
            local += 1
    return "\n".join([*lines, f"  return %{local - 1}", "}", ""])


def timed(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def best(work: Callable[[], object], times: int) -> float:
    return min(timed(work) for _ in range(times))


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


def create(backend: str) -> None:
    LocalExecutionManager(backend).cleanup()


def row(what: str, value: float, unit: str) -> None:
    print(f"  {what:<52}{value:>10.3f} {unit}")


def measure(backend: str) -> None:
    print(backend)
    row("first manager and function, modules and all", timed(lambda: first(backend)) * 1e3, "ms")
    row("create a manager (and clean it up)", best(lambda: create(backend), 100) * 1e3, "ms")
    with LocalExecutionManager(backend) as manager:
        row("compile its first function", timed(lambda: manager.compile(SIMPLE)) * 1e3, "ms")
        row("compile a simple function, MIR", best(lambda: manager.compile(SIMPLE), 30) * 1e3, "ms")
        row("compile a simple function, source", best(lambda: manager.compile_source(SOURCE), 10) * 1e3, "ms")
        text = large(1000)
        row("compile a function of 1,000 instructions", best(lambda: manager.compile(text), 5) * 1e3, "ms")
        calls(manager)
    memory(backend)


def first(backend: str) -> None:
    with LocalExecutionManager(backend) as manager:
        manager.compile(SIMPLE)


def calls(manager: LocalExecutionManager) -> None:
    manager.compile_source(SOURCE)
    manager.compile_source("fn scaled(x: f64, k: f64) -> f64: x * k\nfn long(s: text) -> i64: s.len()")
    for name, args in (("add", (20, 22)), ("scaled", (1.5, 2.0)), ("long", ("four",))):

        def many(name: str = name, args: tuple[object, ...] = args) -> None:
            execute = manager.execute
            for _ in range(1000):
                execute(name, args)

        row(f"execute {name}{args}", best(many, 100) * 1e3, "µs")


def memory(backend: str) -> None:
    count = 20
    before = resident()
    managers = [LocalExecutionManager(backend) for _ in range(count)]
    for manager in managers:
        manager.compile(SIMPLE)
        manager.compile_source("fn twice(s: text) -> text: s + s")
        manager.execute("twice", ["text"])
    row(f"memory a manager, of {count} in use", (resident() - before) / count / 1e6, "MB")
    for manager in managers:
        manager.cleanup()


if __name__ == "__main__":
    for name in sys.argv[1:] or ("cranelift", "llvm"):
        measure(name)
