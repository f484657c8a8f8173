"""Runs the Simple program beside a benchmark, which prints the nanoseconds of a round, a row a line."""

from __future__ import annotations

import argparse
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent


def measurements(benchmark: str, description: str | None, rounds: int) -> Iterator[tuple[str, list[float]]]:
    """Read the command line and yield the rows of each back end that it asks for.

    `benchmark` is the file of the benchmark, `rounds` how many there are unless the command line says so.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--backend", choices=["cranelift", "llvm"], action="append")
    parser.add_argument("--rounds", type=int, default=rounds)
    options = parser.parse_args()
    for backend in options.backend or ["cranelift", "llvm"]:
        yield backend, _measure(pathlib.Path(benchmark).with_suffix(".spl"), backend, options.rounds)


def _measure(program: pathlib.Path, backend: str, rounds: int) -> list[float]:
    """Return the nanoseconds of each row, the best of several."""
    command = [sys.executable, "-m", "simple_jit", "run", "--mode", "always_jit", "--backend", backend]
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [*command, str(program), str(rounds)], env=environ, capture_output=True, text=True, check=True
    )
    return [float(line) for line in done.stdout.split()]
