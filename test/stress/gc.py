"""Run the test programs with a collection at every n-th allocation, in every tier.

    python test/stress/gc.py [--every N] [--tier NAME]… [PART OF A PATH]…

What is free is overwritten after each collection, so a reference that the collector does not see shows.
Programs that allocate millions of objects (`bench/`, by default) take a larger N. Ends with status 1 where
a program does not do what its comments say.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "python"))

from harness import PROGRAMS, TIERS, Expectation, Outcome, programs  # noqa: E402

RUN_TIERS = [tier for tier, words in TIERS.items() if words[0] == "run"]
LIMIT = 300


def run(path: Path, tier: str, every: int) -> list[str]:
    """Return how a program differs from what it promises."""
    wanted = Expectation(path)
    environ = dict(os.environ, SIMPLE_GC_STRESS=str(every), PYTHONPATH=str(ROOT / "src"))
    command = [sys.executable, "-m", "simple_jit", *TIERS[tier], path.name, *wanted.args]
    try:
        done = subprocess.run(command, cwd=path.parent, env=environ, capture_output=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return [f"not done after {LIMIT} s"]
    out, err = (part.decode("utf-8", "backslashreplace") for part in (done.stdout, done.stderr))
    return wanted.problems(Outcome(done.returncode, out, err))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--every", type=int, default=0, help="collect at every N-th allocation (default: 1, bench/ 1000)")
    parser.add_argument("--tier", action="append", choices=RUN_TIERS)
    parser.add_argument("paths", nargs="*", help="run only programs whose paths contain one of these")
    options = parser.parse_args()
    failed = count = 0
    for path in programs():
        name = str(path.relative_to(PROGRAMS))
        if options.paths and not any(part in name for part in options.paths):
            continue
        every = options.every or (1000 if name.startswith("bench") else 1)
        for tier in options.tier or RUN_TIERS:
            started = time.monotonic()
            problems = run(path, tier, every)
            count += 1
            failed += bool(problems)
            mark = "FAILED" if problems else "ok"
            print(f"{mark:6} {tier:12} {time.monotonic() - started:6.1f} s  {name}", flush=True)
            for problem in problems:
                print("    " + problem.replace("\n", "\n    "))
    print(f"{count} runs, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
