"""The intrinsics of library modules → MIR: one small function each."""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir import types as types
from simple_jit.lower import memory
from simple_jit.lower.builder import FunctionBuilder, Value
from simple_jit.mir import abi
from simple_jit.mir import nodes as mir
from simple_jit.mir.layout import descriptor, element_layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Lowering: TypeAlias = Callable[[FunctionBuilder, hir.Intrinsic, list[Value]], Value]


def _elem(expr: hir.Intrinsic) -> types.Type:
    array = expr.args[0].type
    assert isinstance(array, types.ArrayType)
    return array.elem


def _load(fn: FunctionBuilder, expr: hir.Intrinsic, args: list[Value]) -> Value:
    base = fn.copy_as(args[0][0], mir.PTR)
    return memory.load_value(fn, expr.type, element_layout(expr.type), 0, base)


def _store(fn: FunctionBuilder, expr: hir.Intrinsic, args: list[Value]) -> Value:
    base = fn.copy_as(args[0][0], mir.PTR)
    memory.store_value(fn, args[1], element_layout(expr.args[1].type), 0, base)
    return ()


def _stride(fn: FunctionBuilder, expr: hir.Intrinsic, args: list[Value]) -> Value:
    assert expr.type_arg is not None
    return (fn.const(mir.I64, element_layout(expr.type_arg).size),)


def _type_id(fn: FunctionBuilder, expr: hir.Intrinsic, args: list[Value]) -> Value:
    assert expr.type_arg is not None
    dst = fn.local(mir.I64)
    fn.emit(mir.ConstTypeId(dst, descriptor(expr.type_arg).name))
    return (dst,)


def _address(fn: FunctionBuilder, expr: hir.Intrinsic, args: list[Value]) -> Value:
    return (fn.copy_as(args[0][0], mir.I64),)


def _reference(fn: FunctionBuilder, expr: hir.Intrinsic, args: list[Value]) -> Value:
    return (fn.copy_as(args[0][0], mir.REF),)


def _alloc(fn: FunctionBuilder, expr: hir.Intrinsic, args: list[Value]) -> Value:
    address = memory.allocate_bytes(fn, args[0][0], args[1][0], expr.span)
    return (fn.copy_as(address, mir.I64),)


def _c_call(symbol: str, returns: bool) -> Lowering:
    """A call of a C function with (address, x, bytes)."""

    def lowering(fn: FunctionBuilder, expr: hir.Intrinsic, args: list[Value]) -> Value:
        passed = tuple([value[0] for value in args])
        if not returns:
            ignored = fn.local(mir.PTR)
            fn.emit(mir.CallExtern(ignored, symbol, passed, False, fn.place(expr.span)))
            return ()
        result = fn.local(mir.I32)
        fn.emit(mir.CallExtern(result, symbol, passed, False, fn.place(expr.span)))
        return (fn.convert(result, mir.I64),)

    return lowering


def _header_word(offset: int) -> Lowering:
    def lowering(fn: FunctionBuilder, expr: hir.Intrinsic, args: list[Value]) -> Value:
        return (fn.load(mir.I64, args[0][0], offset),)

    return lowering


def _array_set_len(fn: FunctionBuilder, expr: hir.Intrinsic, args: list[Value]) -> Value:
    fn.emit(mir.Store(args[1][0], args[0][0], abi.ARRAY_LEN))
    return ()


def _array_set_data(fn: FunctionBuilder, expr: hir.Intrinsic, args: list[Value]) -> Value:
    (array,), (data,), (capacity,) = args
    fn.emit(mir.Store(fn.copy_as(data, mir.PTR), array, abi.ARRAY_DATA))
    fn.emit(mir.Store(capacity, array, abi.ARRAY_CAPACITY))
    return ()


def _array_load(fn: FunctionBuilder, expr: hir.Intrinsic, args: list[Value]) -> Value:
    return memory.load_element(fn, _elem(expr), args[0][0], args[1][0])


def _array_store(fn: FunctionBuilder, expr: hir.Intrinsic, args: list[Value]) -> Value:
    memory.store_element(fn, _elem(expr), args[0][0], args[1][0], args[2])
    return ()


def _offset(expr: hir.Intrinsic) -> int:
    offset = expr.args[0]
    assert isinstance(offset, hir.Const)
    assert isinstance(offset.value, int)
    return offset.value


def _ctx_load(fn: FunctionBuilder, expr: hir.Intrinsic, args: list[Value]) -> Value:
    return (fn.load(mir.I64, fn.context(), _offset(expr)),)


def _ctx_store(fn: FunctionBuilder, expr: hir.Intrinsic, args: list[Value]) -> Value:
    fn.emit(mir.Store(args[1][0], fn.context(), _offset(expr)))
    return ()


def _float_function(op: mir.UnaryOp) -> Lowering:
    def lowering(fn: FunctionBuilder, expr: hir.Intrinsic, args: list[Value]) -> Value:
        dst = fn.local(args[0][0].type)
        fn.emit(mir.Unary(op, dst, args[0][0]))
        return (dst,)

    return lowering


def _bit_count(op: mir.UnaryOp) -> Lowering:
    def lowering(fn: FunctionBuilder, expr: hir.Intrinsic, args: list[Value]) -> Value:
        dst = fn.local(args[0][0].type)
        fn.emit(mir.Unary(op, dst, args[0][0]))
        return (fn.convert(dst, mir.I64),)

    return lowering


def _bitcast(to: mir.MirType) -> Lowering:
    def lowering(fn: FunctionBuilder, expr: hir.Intrinsic, args: list[Value]) -> Value:
        dst = fn.local(to)
        fn.emit(mir.Bitcast(dst, args[0][0]))
        return (dst,)

    return lowering


INTRINSICS: dict[str, Lowering] = {
    "load": _load,
    "store": _store,
    "stride": _stride,
    "type_id": _type_id,
    "address": _address,
    "reference": _reference,
    "alloc": _alloc,
    "mem_copy": _c_call("memmove", False),
    "mem_fill": _c_call("memset", False),
    "mem_compare": _c_call("memcmp", True),
    "array_capacity": _header_word(abi.ARRAY_CAPACITY),
    "array_data": _header_word(abi.ARRAY_DATA),
    "array_set_len": _array_set_len,
    "array_set_data": _array_set_data,
    "array_load": _array_load,
    "array_store": _array_store,
    "ctx_load": _ctx_load,
    "ctx_store": _ctx_store,
    "sqrt": _float_function("sqrt"),
    "floor": _float_function("floor"),
    "ceil": _float_function("ceil"),
    "trunc": _float_function("trunc"),
    "abs": _float_function("abs"),
    "popcount": _bit_count("popcount"),
    "leading_zeros": _bit_count("leading_zeros"),
    "trailing_zeros": _bit_count("trailing_zeros"),
    "bits": _bitcast(mir.I64),
    "from_bits": _bitcast(mir.F64),
}
