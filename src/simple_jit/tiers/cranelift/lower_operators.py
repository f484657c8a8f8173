"""Arithmetic: which instructions of Cranelift one operator of MIR becomes.

Integers of 8 and 16 bits are computed with in their own width where Cranelift can, else extended first.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.tiers.contract import BackendError
from simple_jit.tiers.cranelift.adapter import BITS, F32, F64, I32, I64, TYPE, FloatCC, IntCC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    Value = Any
    Builder = Any

_INTEGER_OPS: Final = {
    "add": "ins_iadd", "sub": "ins_isub", "mul": "ins_imul",
    "and": "ins_band", "or": "ins_bor", "xor": "ins_bxor", "shl": "ins_ishl",
}  # fmt: skip
_FLOAT_OPS: Final = {"add": "ins_fadd", "sub": "ins_fsub", "mul": "ins_fmul", "div": "ins_fdiv"}
_FLOAT_FUNCTIONS: Final = {
    "neg": "ins_fneg", "abs": "ins_fabs", "sqrt": "ins_sqrt",
    "floor": "ins_floor", "ceil": "ins_ceil", "trunc": "ins_trunc",
}  # fmt: skip
_SIGNED: Final = {
    "eq": IntCC.Equal, "ne": IntCC.NotEqual,
    "lt": IntCC.SignedLessThan, "le": IntCC.SignedLessThanOrEqual,
    "gt": IntCC.SignedGreaterThan, "ge": IntCC.SignedGreaterThanOrEqual,
}  # fmt: skip
_UNSIGNED: Final = {
    "eq": IntCC.Equal, "ne": IntCC.NotEqual,
    "lt": IntCC.UnsignedLessThan, "le": IntCC.UnsignedLessThanOrEqual,
    "gt": IntCC.UnsignedGreaterThan, "ge": IntCC.UnsignedGreaterThanOrEqual,
}  # fmt: skip
_ORDERED: Final = {
    "eq": FloatCC.Equal, "ne": FloatCC.NotEqual,
    "lt": FloatCC.LessThan, "le": FloatCC.LessThanOrEqual,
    "gt": FloatCC.GreaterThan, "ge": FloatCC.GreaterThanOrEqual,
}  # fmt: skip

SIMPLE_BINARY: Final[dict[tuple[str, mir.MirType], str]] = {}
"""The operators that are one instruction of Cranelift; see `binary` for the others."""

for _type in mir.TYPES.values():
    _table = _FLOAT_OPS if _type.kind == "float" else _INTEGER_OPS
    SIMPLE_BINARY.update({(_op, _type): _name for _op, _name in _table.items()})
    if _type.kind != "float":
        SIMPLE_BINARY["shr", _type] = "ins_sshr" if _type.signed else "ins_ushr"
        if not _type.signed:
            SIMPLE_BINARY["div", _type] = "ins_udiv"
            SIMPLE_BINARY["rem", _type] = "ins_urem"

CONDITION: Final[dict[tuple[str, mir.MirType], tuple[str, Any]]] = {}
"""The instruction and the condition of each comparison."""

for _type in mir.TYPES.values():
    if _type.kind == "float":
        CONDITION.update({(_op, _type): ("ins_fcmp", _cc) for _op, _cc in _ORDERED.items()})
    else:
        _table_of = _SIGNED if _type.signed else _UNSIGNED
        CONDITION.update({(_op, _type): ("ins_icmp", _cc) for _op, _cc in _table_of.items()})


def signed_division(fb: Builder, op: str, type: mir.MirType, lhs: Value, rhs: Value) -> Value:
    """Divide without the trap of least / -1: where the divisor is -1, divide by 1 and negate."""
    minus = fb.ins_icmp_imm(IntCC.Equal, rhs, -1)
    divisor = fb.ins_select(minus, fb.ins_iconst(TYPE[type], 1), rhs)
    if op == "rem":
        return fb.ins_srem(lhs, divisor)
    return fb.ins_select(minus, fb.ins_ineg(lhs), fb.ins_sdiv(lhs, divisor))


def unary(fb: Builder, op: str, type: mir.MirType, value: Value) -> Value:
    """Lower `op value`."""
    if type.kind == "float":
        name = _FLOAT_FUNCTIONS.get(op)
        if name is not None:
            return getattr(fb, name)(value)
    elif op == "not":
        return fb.ins_bxor_imm(value, 1) if type.kind == "bool" else fb.ins_bnot(value)
    elif type.kind == "int":
        if op == "neg":
            return fb.ins_ineg(value)
        if op == "abs":
            return fb.ins_iabs(value) if type.signed else value
        if op in ("popcount", "leading_zeros", "trailing_zeros"):
            return _count_bits(fb, op, type, value)
    raise BackendError(f"no operator `{op}` on {type}")


def _count_bits(fb: Builder, op: str, type: mir.MirType, value: Value) -> Value:
    narrow = type.size < 4
    wide = fb.ins_uextend(I32, value) if narrow else value
    if op == "popcount":
        count = fb.ins_popcnt(wide)
    elif op == "leading_zeros":
        count = fb.ins_clz(wide)
        if narrow:
            count = fb.ins_iadd_imm(count, 8 * type.size - 32)
    else:
        if narrow:
            wide = fb.ins_bor_imm(wide, 1 << 8 * type.size)
        count = fb.ins_ctz(wide)
    return fb.ins_ireduce(TYPE[type], count) if narrow else count


def checked(fb: Builder, op: str, type: mir.MirType, lhs: Value, rhs: Value) -> tuple[Value, Value]:
    """Return `lhs op rhs` and whether it overflowed."""
    if type.size == 8:
        result, overflow = getattr(fb, f"ins_s{op}_overflow")(lhs, rhs)
        return result, overflow
    wide = getattr(fb, _INTEGER_OPS[op])(fb.ins_sextend(I64, lhs), fb.ins_sextend(I64, rhs))
    result = fb.ins_ireduce(TYPE[type], wide)
    return result, fb.ins_icmp(IntCC.NotEqual, fb.ins_sextend(I64, result), wide)


def convert(fb: Builder, value: Value, src: mir.MirType, dst: mir.MirType) -> Value:
    """Lower `value as dst`."""
    if src.kind == "float":
        if dst.kind == "float":
            return _float_to_float(fb, value, src, dst)
        return _float_to_integer(fb, value, dst)
    if dst.kind == "float":
        if src.size < 4:
            value = extend(fb, value, src, I32)
        return (fb.ins_fcvt_from_sint if src.signed else fb.ins_fcvt_from_uint)(TYPE[dst], value)
    if dst.kind == "bool":
        return value if src.kind == "bool" else fb.ins_icmp_imm(IntCC.NotEqual, value, 0)
    if dst.size > src.size:
        return extend(fb, value, src, TYPE[dst])
    return fb.ins_ireduce(TYPE[dst], value) if dst.size < src.size else value


def extend(fb: Builder, value: Value, src: mir.MirType, wider: Any) -> Value:
    """Extend an integer by its signedness."""
    return (fb.ins_sextend if src.signed else fb.ins_uextend)(wider, value)


def _float_to_float(fb: Builder, value: Value, src: mir.MirType, dst: mir.MirType) -> Value:
    if src.size == dst.size:
        return value
    return fb.ins_fpromote(F64, value) if dst.size == 8 else fb.ins_fdemote(F32, value)


def _float_to_integer(fb: Builder, value: Value, dst: mir.MirType) -> Value:
    if dst.kind == "bool":
        raise BackendError("no conversion of a float to bool")
    saturate = fb.ins_fcvt_to_sint_sat if dst.signed else fb.ins_fcvt_to_uint_sat
    if dst.size >= 4:
        return saturate(TYPE[dst], value)
    wide = saturate(I32, value)
    bits = 8 * dst.size
    if dst.signed:
        wide = fb.ins_smin(wide, fb.ins_iconst(I32, (1 << bits - 1) - 1))
        wide = fb.ins_smax(wide, fb.ins_iconst(I32, (1 << 32) - (1 << bits - 1)))
    else:
        wide = fb.ins_umin(wide, fb.ins_iconst(I32, (1 << bits) - 1))
    return fb.ins_ireduce(TYPE[dst], wide)


def bitcast(fb: Builder, value: Value, src: mir.MirType, dst: mir.MirType) -> Value:
    """Lower a bit cast between types of one size."""
    if (src.kind == "float") == (dst.kind == "float"):
        return value
    return fb.ins_bitcast(TYPE[dst], BITS, value)
