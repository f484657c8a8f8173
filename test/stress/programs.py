"""Run many small programs, no two alike, in one process through the library: it must not grow.

    python test/stress/programs.py [--count N] [--kind KIND]… [--fresh]

Prints, eight times a run, the resident memory and the sizes of all tables; `--fresh` makes a new engine for
each program. Ends with status 1 where the memory grew by more than 5 % after a quarter of the programs, or
a table by more than what the collector leaves for later.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "test" / "python")]

from leaks import backends, resident_kilobytes, run_program, table_sizes  # noqa: E402
from simple_jit.backend import BackendKind  # noqa: E402

KINDS = [kind.value for kind in BackendKind if kind is not BackendKind.COMPILER]
WAITING = 5000
"""Entries of programs that are gone which may wait for a collection."""


def measure(kind: str, count: int, fresh: bool) -> bool:
    """Run `count` programs; returns whether nothing grew."""
    started = time.monotonic()
    memory: list[int] = []
    sizes: list[dict[str, int]] = []
    every = max(count // 8, 1)
    for number, backend in zip(range(count), backends(BackendKind(kind), fresh)):
        run_program(backend, number)
        if number % every == every - 1:
            sizes.append(table_sizes(backend))
            memory.append(resident_kilobytes())
            print(f"{kind}: {number + 1} programs, {time.monotonic() - started:.0f} s, {memory[-1]} KB, {sizes[-1]}")
            sys.stdout.flush()
    grown = [name for name in sizes[1] if sizes[-1][name] > sizes[1][name] + allowance(name)]
    if memory[-1] > memory[1] * 1.05:
        grown.append(f"memory, {memory[1]} to {memory[-1]} KB")
    print(f"{kind}: {'grew: ' + ', '.join(grown) if grown else 'ok'}")
    return not grown


def allowance(name: str) -> int:
    return 8 * WAITING if name == "objects of Python" else 1 << 20 if name == "code bytes" else WAITING


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--kind", action="append", choices=KINDS)
    parser.add_argument("--fresh", action="store_true", help="a new engine for each program")
    options = parser.parse_args()
    # So that the collector has its turn every few hundred programs.
    os.environ.setdefault("SIMPLE_HEAP_MAX", "8M")
    results = [measure(kind, options.count, options.fresh) for kind in options.kind or KINDS]
    return int(not all(results))


if __name__ == "__main__":
    sys.exit(main())
