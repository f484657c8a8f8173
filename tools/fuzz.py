"""Compares the tiers on random programs, for as long as you like.

    python tools/fuzz.py [--seeds N] [--start N] [--time SECONDS] [--keep FOLDER] [--all] [--rejected]

Each program runs in every way of `test/python/differential.py`; the slow ones (LLVM) take turns unless
`--all` is given. A program with a disagreement is made smaller and kept in FOLDER. `--rejected` shows
programs with compile errors: the generator means to write none.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "test" / "python"))

from differential import QUICK, REFERENCE, WAYS, disagreement, is_rejected, run_ways, shrink
from program_generator import generate


def ways_for(seed: int, every: bool) -> tuple[str, ...]:
    slow = [way for way in WAYS if way not in QUICK]
    return tuple(WAYS) if every else (*QUICK, slow[seed % len(slow)])


def main() -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--time", type=float, default=float("inf"))
    parser.add_argument("--keep", type=Path, default=Path("fuzz_finds"))
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--rejected", action="store_true")
    options = parser.parse_args()
    end = time.monotonic() + options.time
    counts = {"run": 0, "rejected": 0, "found": 0}
    for seed in range(options.start, options.start + options.seeds):
        if time.monotonic() > end:
            break
        overflow = seed % 4 == 3
        source = generate(seed, overflow)
        counts["run"] += 1
        if counts["run"] % 50 == 0:
            print(counts, flush=True)
        found = disagreement(source, overflow, ways_for(seed, options.all))
        if found is None:
            outcome = run_ways(source, [REFERENCE], overflow)[REFERENCE] if options.rejected else None
            if outcome is not None and is_rejected(outcome):
                counts["rejected"] += 1
                print(f"seed {seed} is rejected: {outcome.err[:300]}", flush=True)
            continue
        counts["found"] += 1
        options.keep.mkdir(parents=True, exist_ok=True)
        name = options.keep / f"seed_{seed}{'_overflow' if overflow else ''}"
        name.with_suffix(".full").write_text(source, encoding="utf-8")
        print(f"seed {seed}: {found.way} disagrees", flush=True)
        small = shrink(source, found, overflow)
        again = disagreement(small, overflow, (found.way,)) or found
        name.with_suffix(".spl").write_text(small, encoding="utf-8")
        name.with_suffix(".txt").write_text(str(again), encoding="utf-8")
        print(f"{small}{again}\n", flush=True)
    print(counts)
    return int(counts["found"] > 0)


if __name__ == "__main__":
    sys.exit(main())
