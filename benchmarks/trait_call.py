"""What a call of a trait's method costs: as a direct call and a compare, where one type implements it.

python benchmarks/trait_call.py [--backend cranelift|llvm] [--rounds N]
"""

from __future__ import annotations

from rounds import measurements

ROWS = (
    "direct call",
    "direct call and a compare",
    "call of a trait's method, one type",
    "call of a trait's method, three types in turn",
)


def main() -> None:
    for backend, times in measurements(__file__, __doc__, 3000):
        print(backend)
        for row, nanoseconds in zip(ROWS, times, strict=True):
            print(f"  {row:<48}{nanoseconds:6.2f} ns  {nanoseconds / times[1]:5.2f}")


if __name__ == "__main__":
    main()
