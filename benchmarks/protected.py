"""What a `try` costs: the loop alone, with `try`, with `defer`, and where each round throws and catches.

python benchmarks/protected.py [--backend cranelift|llvm] [--rounds N]
"""

from __future__ import annotations

from rounds import measurements

ROWS = ("nothing", "try", "defer", "try, throw and catch")


def main() -> None:
    for backend, times in measurements(__file__, __doc__, 300_000):
        print(backend)
        for row, nanoseconds in zip(ROWS, times, strict=True):
            print(f"  {row:<24}{nanoseconds:8.2f} ns")


if __name__ == "__main__":
    main()
