"""Division by a constant without a division: shifts, or a multiplication by a reciprocal.

    x / 8       (x + ((x >> 63) >>> 61)) >> 3
    x / 10      t = high(x * 0x6666666666666667) >> 2;  t + (t >>> 63)

Source: Warren, Hacker's Delight, chapter 10. Signed 64 bits; narrower integers are extended to that.
Unsigned 64-bit division is by shifts only, or left to the processor.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.tiers.cranelift.adapter import I64, TYPE
from simple_jit.tiers.cranelift.lower_operators import extend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LEAST = -(1 << 63)


def by_constant(fb: Any, op: str, type: mir.MirType, lhs: Any, divisor: int) -> Any | None:
    """Return `lhs op divisor` (div or rem), or None where an ordinary division is as good."""
    if divisor in (0, _LEAST):
        return None
    if type is mir.U64:
        return _unsigned(fb, op, lhs, divisor)
    wide = lhs if type.size == 8 else extend(fb, lhs, type, I64)
    quotient = _quotient(fb, wide, divisor)
    result = quotient if op == "div" else _remainder(fb, wide, quotient, divisor)
    return result if type.size == 8 else fb.ins_ireduce(TYPE[type], result)


def _unsigned(fb: Any, op: str, lhs: Any, divisor: int) -> Any | None:
    if divisor & (divisor - 1):
        return None
    if op == "rem":
        return fb.ins_band(lhs, fb.ins_iconst(I64, _signed(divisor - 1)))
    return fb.ins_ushr_imm(lhs, divisor.bit_length() - 1)


def _signed(bits: int) -> int:
    return bits - (1 << 64) if bits >> 63 else bits


def _remainder(fb: Any, lhs: Any, quotient: Any, divisor: int) -> Any:
    return fb.ins_isub(lhs, fb.ins_imul_imm(quotient, divisor))


def _quotient(fb: Any, lhs: Any, divisor: int) -> Any:
    size = abs(divisor)
    if size == 1:
        quotient = lhs
    elif size & (size - 1) == 0:
        shift = size.bit_length() - 1
        bias = fb.ins_ushr_imm(fb.ins_sshr_imm(lhs, 63), 64 - shift)
        quotient = fb.ins_sshr_imm(fb.ins_iadd(lhs, bias), shift)
    else:
        quotient = _by_reciprocal(fb, lhs, size)
    return fb.ins_ineg(quotient) if divisor < 0 else quotient


def _by_reciprocal(fb: Any, lhs: Any, divisor: int) -> Any:
    magic, shift = reciprocal(divisor)
    high = fb.ins_smulhi(lhs, fb.ins_iconst(I64, _signed(magic)))
    if magic >> 63:
        high = fb.ins_iadd(high, lhs)
    if shift:
        high = fb.ins_sshr_imm(high, shift)
    return fb.ins_isub(high, fb.ins_sshr_imm(lhs, 63))


def reciprocal(divisor: int) -> tuple[int, int]:
    """Return (m, s) such that x / divisor is (x * m) >> (64 + s), plus 1 where x is negative.

    `divisor` is at least 3, below 2**63, and no power of two; m has up to 64 bits.
    """
    # The greatest number below 2**63 that leaves a remainder of divisor - 1: the hardest to get right.
    critical = (1 << 63) - 1 - (1 << 63) % divisor
    shift = 0
    while True:
        power = 1 << 64 + shift
        error = divisor - power % divisor
        if power > critical * error:
            return (power + error) // divisor, shift
        shift += 1
