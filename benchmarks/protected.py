"""What a `try` costs: the loop alone, with `try`, with `defer`, and where each round throws and catches.

python benchmarks/protected.py [--backend cranelift|llvm] [--rounds N]
"""

from __future__ import annotations

import argparse
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROWS = ("nothing", "try", "defer", "try, throw and catch")


def measure(backend: str, rounds: int) -> list[float]:
    """Return the nanoseconds of each row, the best of several."""
    command = [sys.executable, "-m", "simple_jit", "run", "--mode", "always_jit", "--backend", backend]
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    program = pathlib.Path(__file__).with_suffix(".spl")
    done = subprocess.run(
        [*command, str(program), str(rounds)], env=environ, capture_output=True, text=True, check=True
    )
    return [float(line) for line in done.stdout.split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=["cranelift", "llvm"], action="append")
    parser.add_argument("--rounds", type=int, default=300_000)
    options = parser.parse_args()
    for backend in options.backend or ["cranelift", "llvm"]:
        times = measure(backend, options.rounds)
        print(backend)
        for row, nanoseconds in zip(ROWS, times, strict=True):
            print(f"  {row:<24}{nanoseconds:8.2f} ns")


if __name__ == "__main__":
    main()
