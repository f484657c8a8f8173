"""What LLVM costs before and during the first compilation, part by part.

    python benchmarks/llvm_startup.py

Each figure is the best of several fresh processes, in milliseconds. The program compiled has ten
functions, each with two loops over arrays, checks, and calls.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import time

LEVELS = (0, 1, 2, 3)
RUNS = 5
FUNCTION = """
fn @work{n}(%0 xs: ref, %1 n: i64) -> i64 file "bench.spl" line {n} {{
b0:
  %2: i64 = const 0
  %3: i64 = const 1
  %4: i64 = copy %2
  %5: i64 = copy %2
  jump b1
b1:
  poll !1:1
  %6: bool = lt %4, %1
  branch %6, b2, b3
b2:
  %7: i64 = load [%0 + 8]
  %8: i64 = index %4, %7 !2:1
  %9: ptr = load [%0 + 24]
  %10: i64 = load [%9 + %8 * 8]
  %11: i64 = mul %10, %4
  %5 = add %5, %11
  store %5, [%9 + %8 * 8]
  %4 = add %4, %3
  jump b1
b3:
  %12: i64 = copy %2
  jump b4
b4:
  %13: bool = lt %12, %1
  branch %13, b5, b6
b5:
  %14: i64 = call @work{next}(%0, %12) !3:1
  %5 = add %5, %14
  %12 = add %12, %3
  poll !4:1
  jump b4
b6:
  return %5
}}
"""


class FixedLink:
    """A link that is good for compiling only."""

    context_address = 0

    def code_offset(self, symbol: str) -> int:
        return 0x200000

    def import_offset(self, symbol: str) -> int:
        return 0x4000

    def text_offset(self, value: str) -> int:
        return 0x10000

    def site_number(self, site: object) -> int:
        return 1

    def type_id(self, name: str) -> int:
        return 1


def measure() -> None:
    """Measure in this process, and print the milliseconds of each part."""
    from simple_jit.mir.parse import parse_functions

    text = "".join(FUNCTION.format(n=n, next=(n + 1) % 10) for n in range(10))
    functions = parse_functions(text)
    marks = [("", time.perf_counter())]

    def mark(name: str) -> None:
        marks.append((name, time.perf_counter()))

    from simple_jit.tiers.llvm import backend as llvm
    from simple_jit.tiers.llvm import instructions, library
    from simple_jit.tiers.llvm.hotness import Part

    assert instructions.INSTRUCTIONS
    mark("import the back end")
    found = library.open_library()
    mark("load LLVM")
    machine = library.Machine(found, 2)
    mark("describe the machine")
    for level in LEVELS:
        machine = library.Machine(found, level)
        marks.append(("", time.perf_counter()))
        part = Part(functions, level)
        ir = machine.heading + llvm.unit_text(part, [part], FixedLink())
        mark(f"level {level}: write IR")
        with library.Module(found, ir) as module:
            mark(f"level {level}: parse")
            module.optimise(machine)
            mark(f"level {level}: passes")
            data = module.emit(machine, as_object=True)
            mark(f"level {level}: code")
            llvm.link_objects([data])
            mark(f"level {level}: link")
    for (_, before), (name, after) in itertools.pairwise(marks):
        if name:
            print(f"{name}\t{1e3 * (after - before):.3f}")


def main() -> None:
    """Repeat the measurement in fresh processes and print the best of each part."""
    best: dict[str, float] = {}
    for _ in range(RUNS):
        output = subprocess.run(
            [sys.executable, __file__, "once"], check=True, capture_output=True, text=True
        )
        for line in output.stdout.splitlines():
            name, value = line.split("\t")
            best[name] = min(best.get(name, 1e9), float(value))
    for name, value in best.items():
        print(f"{value:8.2f} ms  {name}")
    start = sum(value for name, value in best.items() if not name.startswith("level"))
    print(f"{start:8.2f} ms  before the first compilation, in all")
    for level in LEVELS:
        whole = sum(value for name, value in best.items() if name.startswith(f"level {level}"))
        print(f"{whole:8.2f} ms  level {level}, in all (levels before it have warmed LLVM up)")


if __name__ == "__main__":
    measure() if sys.argv[1:] == ["once"] else main()
