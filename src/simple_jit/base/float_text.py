"""The shortest text of a 32-bit float; `repr` gives that of a 64-bit one."""

from __future__ import annotations


def shortest_f32(x: float) -> str:
    """Return the shortest text that reads back as the f32 `x`, in the form that `repr` gives an f64."""
    from struct import pack, unpack

    if x != x or x in (float("inf"), float("-inf")):
        return repr(x)
    bits = pack("f", x)
    for digits in range(1, 10):
        short = float(f"{x:.{digits}g}")
        try:
            if unpack("f", pack("f", short)) == unpack("f", bits):
                return repr(short)
        except OverflowError:  # rounded up beyond the largest f32
            continue
    return repr(x)
