"""How long it takes to compile one function with Cranelift, stage by stage.

    python benchmarks/compile_time.py [FILE.spl …]

Compiles each function of the programs, the library functions that they use included; without a file,
functions made at random, of 100 to 300 MIR instructions. Prints medians over the functions; the time of a
function is the best of a few runs.
"""

from __future__ import annotations

import pathlib
import statistics
import sys
import time
from collections.abc import Callable, Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "test/python")]

from simple_jit.mir import nodes as mir  # noqa: E402
from simple_jit.tiers.contract import Link  # noqa: E402
from simple_jit.tiers.cranelift.compiler import PHASES, compile_timed  # noqa: E402

RUNS = 5
SMALLEST, LARGEST = 100, 300

Lower = Callable[[], mir.Function]
Passes = Callable[[mir.Function], mir.Function]


def size(function: mir.Function) -> int:
    return sum(len(block.instructions) + 1 for block in function.blocks)


def random_functions() -> Iterator[tuple[Lower, Passes, Link]]:
    from mir_generator import generate
    from simple_jit.runtime.context import Context

    context = Context()
    for seed in range(60):
        for function in generate(seed, statements=30).functions:
            if SMALLEST <= size(function) <= LARGEST:
                yield (lambda function=function: function), (lambda function: function), context


def program_functions(path: str) -> Iterator[tuple[Lower, Passes, Link]]:
    from simple_jit import driver
    from simple_jit.base.diagnostics import Reporter
    from simple_jit.base.source import SourceFile
    from simple_jit.engine.config import Config
    from simple_jit.engine.engine import Engine
    from simple_jit.lower import lower_function
    from simple_jit.passes.environment import Environment
    from simple_jit.passes.pipeline import QUICK, run_passes

    engine = Engine(Config())
    reporter = Reporter()
    program = driver.check(SourceFile(path, pathlib.Path(path).read_text()), engine, reporter)
    driver.show_diagnostics(reporter.diagnostics)
    if program is None:
        return
    engine.load(program)
    engine.native  # noqa: B018  (makes the stubs)
    environment = Environment(engine.store.lowered)
    for source in program.functions.values():
        yield (
            (lambda source=source: lower_function(source)),
            (lambda function: run_passes(function, environment, QUICK)),
            engine.context,
        )


def best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    from simple_jit.mir.verify import verify

    programs = sys.argv[1:]
    rows: list[tuple[float, ...]] = []
    sizes = []
    functions = [f for path in programs for f in program_functions(path)] if programs else random_functions()
    for lower, passes, link in functions:
        function = lower()
        optimised = passes(function)
        sizes.append(size(optimised))
        phases = [compile_timed(optimised, link) for _ in range(RUNS)]
        rows.append(
            (
                best(lower),
                best(lambda function=function, passes=passes: passes(function)),
                best(lambda function=optimised: verify(function)),
                *[min(column) for column in zip(*phases, strict=True)],
            )
        )
    print(f"{len(rows)} functions, median size {statistics.median(sizes):.0f} MIR instructions")
    names = ("lowering to MIR", "passes", "verifying", *PHASES)
    for name, column in zip(names, zip(*rows, strict=True), strict=True):
        print(f"  {name:24}{statistics.median(column) * 1e6:8.0f} µs")
    backend = [sum(row[3:]) for row in rows]
    whole = [sum(row) for row in rows]
    print(f"the back end in all       {statistics.median(backend) * 1e6:8.0f} µs")
    print(f"source tree to code       {statistics.median(whole) * 1e6:8.0f} µs")


if __name__ == "__main__":
    main()
