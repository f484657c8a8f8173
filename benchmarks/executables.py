"""What `simple build` makes of the benchmark programs, beside C: time, size, start.

    python benchmarks/executables.py FOLDER [--runs N] [--level N] [--target-cpu CPU] [NAME]…

In FOLDER each program is a folder NAME with NAME.spl, NAME.c and NAME.json, which has its argument (`n`)
and what it prints then (`expect`). C is compiled with `cc -O2`. The two take turns; the least time of each
counts, start included. Ends with status 1 where an output is wrong.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STARTS = 40


def build(source: Path, output: Path, options: list[str]) -> float:
    """Build an executable; returns the seconds that took."""
    command = [sys.executable, "-m", "simple_jit", "build", str(source), "-o", str(output), *options]
    started = time.perf_counter()
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")})
    return time.perf_counter() - started


def seconds(command: list[str], expect: str) -> float:
    """Run a command and return how long it took.

    Raises:
        ValueError: it failed or printed something else than `expect`.
    """
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    took = time.perf_counter() - started
    if done.returncode or done.stdout != expect:
        raise ValueError(f"{command[0]}: status {done.returncode}, output {done.stdout[:200]!r}")
    return took


def start_seconds(folder: Path, options: list[str]) -> float:
    """Return the least time that a program takes which prints a line."""
    source = folder / "hello.spl"
    source.write_text('fn main(): print "hello"\n')
    build(source, folder / "hello", options)
    return min(seconds([str(folder / "hello")], "hello\n") for _ in range(STARTS))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--level", type=int, default=2, choices=range(4))
    parser.add_argument("--target-cpu", default="baseline", choices=["baseline", "native"])
    options = parser.parse_args()
    names = options.names or sorted(path.stem for path in options.folder.glob("*/*.json"))
    flags = [f"-O{options.level}", "--target-cpu", options.target_cpu]
    ratios, wrong = [], 0
    print(f"{'program':16} {'C':>8} {'Simple':>8} {'ratio':>6} {'bytes':>8} {'build':>6}")
    with tempfile.TemporaryDirectory() as temporary:
        for name in names:
            folder, output = options.folder / name, Path(temporary, name)
            about = json.loads((folder / f"{name}.json").read_text())
            in_c = Path(temporary, f"{name}-c")
            subprocess.run(["cc", "-std=c11", "-O2", folder / f"{name}.c", "-o", in_c, "-lm"], check=True)
            built = build(folder / f"{name}.spl", output, flags)
            times: dict[Path, list[float]] = {in_c: [], output: []}
            try:
                for _ in range(options.runs):
                    for path, found in times.items():
                        found.append(seconds([str(path), str(about["n"])], about["expect"]))
            except ValueError as error:
                print(error)
                wrong += 1
                continue
            c, simple = min(times[in_c]), min(times[output])
            ratios.append(simple / c)
            size = output.stat().st_size
            print(f"{name:16} {c:8.3f} {simple:8.3f} {simple / c:6.2f} {size:8} {built:6.1f}", flush=True)
        print(f"start: {start_seconds(Path(temporary), flags) * 1000:.1f} ms")
    if ratios:
        print(f"geometric mean of the ratios: {math.exp(sum(map(math.log, ratios)) / len(ratios)):.2f}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
