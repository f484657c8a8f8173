"""Build every test program, run the executable, and compare with what `simple run` does.

    python test/stress/aot.py [--level N] [--every N] [PART OF A PATH]…

Output, errors and status must be the same. With `--every` the executables collect at every N-th
allocation. Programs that need the compiler when they run must be refused. Ends with status 1 where
one of that is not so.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "python"))

from harness import PROGRAMS, Expectation, Outcome, programs  # noqa: E402

LIMIT = 300
REFUSED = "error[E0420]"


def run(command: list[str], folder: Path, environ: dict[str, str] | None = None) -> Outcome:
    """Run a command to its end."""
    whole = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **(environ or {})}
    done = subprocess.run(command, cwd=folder, env=whole, capture_output=True, timeout=LIMIT, check=False)
    out, err = (part.decode("utf-8", "backslashreplace") for part in (done.stdout, done.stderr))
    return Outcome(done.returncode, out, err)


def problems_of(path: Path, level: int, every: int, temporary: str) -> list[str]:
    """Return how the executable of a program differs from the program."""
    simple = [sys.executable, "-m", "simple_jit"]
    wanted = Expectation(path)
    executable = str(Path(temporary, "program"))
    built = run([*simple, "build", f"-O{level}", path.name, "-o", executable], path.parent)
    expected = run([*simple, "run", path.name, *wanted.args], path.parent)
    if built.status != 0:
        if built.err.startswith(REFUSED) or (built.status, built.err) == (expected.status, expected.err):
            return []
        return [f"not built: {built}"]
    environ = {"SIMPLE_GC_STRESS": str(every)} if every else {}
    outcome = run([executable, *wanted.args], path.parent, environ)
    warnings = built.err
    outcome.err = warnings + outcome.err
    return [] if outcome == expected else [f"executable: {outcome}\nsimple run: {expected}"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--level", type=int, default=2, help="of optimisation")
    parser.add_argument("--every", type=int, default=0, help="collect at every N-th allocation")
    parser.add_argument("paths", nargs="*", help="only programs whose paths contain one of these")
    options = parser.parse_args()
    failed = count = 0
    for path in programs():
        name = str(path.relative_to(PROGRAMS))
        if options.paths and not any(part in name for part in options.paths):
            continue
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as temporary:
            try:
                problems = problems_of(path, options.level, options.every, temporary)
            except subprocess.TimeoutExpired:
                problems = [f"not done after {LIMIT} s"]
        count += 1
        failed += bool(problems)
        print(f"{'FAILED' if problems else 'ok':6} {time.monotonic() - started:6.1f} s  {name}", flush=True)
        for problem in problems:
            print("       " + problem.replace("\n", "\n       "))
    print(f"{count} programs, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
