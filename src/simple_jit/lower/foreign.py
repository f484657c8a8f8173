"""Calls of foreign functions → MIR.

A function of Python gets values as they are. One of C gets the bytes of a text, the elements of an
array, and for a function value a pointer that it can call:

    %3: ptr = add %text, 32
    %4: ptr = extern @rt_callback_i64_i64_to_i32(%closure) raises
    %5: i32 = extern @f(%3, %4) raises
"""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir import types as types
from simple_jit.lower.builder import FunctionBuilder, Value
from simple_jit.mir import abi
from simple_jit.mir import nodes as mir
from simple_jit.mir.foreign import COPIES, NUL_IN_TEXT, signature_of
from simple_jit.mir.visit import PURE_EXTERNS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def call_python(fn: FunctionBuilder, expr: hir.CallExtern, values: Sequence[Value]) -> Value:
    """Lower a call of a function of Python whose arguments are lowered."""
    result = fn.fresh(expr.extern.ret)
    args = [part for value in values for part in value]
    dst = result[0] if result else None
    fn.emit(mir.CallExtern(dst, expr.extern.symbol, tuple(args), True, fn.place(expr.span)))
    return result


def call_c(fn: FunctionBuilder, expr: hir.CallExtern, values: Sequence[Value]) -> Value:
    """Lower a call of a C function whose arguments are lowered."""
    extern, place = expr.extern, fn.place(expr.span)
    args: list[mir.Local] = []
    for operand, value in zip(expr.args, values, strict=True):
        args.extend(_argument(fn, operand, value, place))
    result = fn.fresh(extern.ret)
    copy = COPIES.get(extern.ret)
    dst = fn.local(mir.PTR) if copy is not None else result[0] if result else None
    # Any C function may call back one of ours, which may fail.
    raises = extern.symbol not in PURE_EXTERNS
    _around(fn, extern, mir.CallExtern(dst, extern.symbol, tuple(args), raises, place))
    for operand, value in zip(expr.args, values, strict=True):
        if isinstance(_without_nil(operand.type), types.FnType):
            # The function value has to stay as long as C may call it.
            fn.emit(mir.Store(value[0], fn.context(), abi.KEPT))
    if copy is not None:
        assert dst is not None
        fn.emit(mir.CallExtern(result[0], copy, (dst,), True, place))
    return result


def _argument(fn: FunctionBuilder, operand: hir.Expr, value: Value, place: mir.Place) -> Value:
    """Return what C gets for a value."""
    type = operand.type
    if isinstance(type, types.OptionalType):
        return (_nullable(fn, operand, value[0], place),)
    return value if not types.is_reference(type) else (_pointer(fn, operand, type, value[0], place),)


def _pointer(
    fn: FunctionBuilder, operand: hir.Expr, type: types.Type, reference: mir.Local, place: mir.Place
) -> mir.Local:
    """Return the address that C gets for a text, an array or a function value."""
    if type is types.TEXT:
        return _characters(fn, operand, reference, place)
    if isinstance(type, types.ArrayType):
        return fn.load(mir.PTR, reference, abi.ARRAY_DATA)
    assert isinstance(type, types.FnType)
    pointer = fn.local(mir.PTR)
    fn.emit(mir.CallExtern(pointer, signature_of(type).symbol, (reference,), True, place))
    return pointer


def _without_nil(type: types.Type) -> types.Type:
    return type.inner if isinstance(type, types.OptionalType) else type


def _characters(fn: FunctionBuilder, operand: hir.Expr, text: mir.Local, place: mir.Place) -> mir.Local:
    characters = fn.binary("add", fn.copy_as(text, mir.PTR), fn.const(mir.I64, abi.TEXT_DATA))
    if not (isinstance(operand, hir.TextConst) and "\0" not in operand.value):
        length, message = fn.local(mir.I64), fn.local(mir.REF)
        fn.emit(mir.CallExtern(length, "strlen", (characters,), False, place))
        is_whole = fn.compare("eq", length, fn.load(mir.I64, text, abi.TEXT_BYTES))
        fn.emit(mir.ConstText(message, NUL_IN_TEXT))
        fn.emit(mir.Check(is_whole, "ConversionError", place, message))
    return characters


def _nullable(fn: FunctionBuilder, operand: hir.Expr, reference: mir.Local, place: mir.Place) -> mir.Local:
    """Return NULL for nil, else what C gets for the reference."""
    assert isinstance(operand.type, types.OptionalType)
    pointer = fn.local(mir.PTR)
    fn.emit(mir.Const(pointer, 0))
    some, after = fn.new_block(), fn.new_block()
    is_some = fn.compare("ne", reference, fn.const(mir.REF, 0))
    fn.terminate(mir.Branch(is_some, some, after))
    fn.switch_to(some)
    found = _pointer(fn, operand, operand.type.inner, reference, place)
    fn.emit(mir.Copy(pointer, found))
    fn.jump(after)
    fn.switch_to(after)
    return pointer


def _around(fn: FunctionBuilder, extern: hir.Extern, call: mir.CallExtern) -> None:
    """Emit the call of a C function, and what its annotations ask for before and after it."""
    thread = errno = None
    if "blocking" in extern.traits:
        thread = fn.local(mir.PTR)
        fn.emit(mir.CallExtern(thread, "rt_python_leave", (), False, call.place))
    if "errno" in extern.traits:
        errno = fn.local(mir.PTR)
        fn.emit(mir.CallExtern(errno, "rt_errno_address", (), False, call.place))
        fn.emit(mir.Store(fn.const(mir.I32, 0), errno, 0))
    if thread is None and errno is None:
        fn.emit(call)
        return
    # What a callback recorded is thrown when all is as it was: by a call that does nothing else.
    fn.emit(mir.CallExtern(call.dst, call.symbol, call.args, False, call.place))
    if errno is not None:
        number = fn.convert(fn.load(mir.I32, errno, 0), mir.I64)
        fn.emit(mir.Store(number, fn.context(), abi.ERRNO))
    if thread is not None:
        fn.emit(mir.CallExtern(None, "rt_python_enter", (thread,), False, call.place))
    if call.raises:
        fn.emit(mir.CallExtern(fn.local(mir.PTR), "rt_errno_address", (), True, call.place))
    if thread is not None:
        fn.emit(mir.Poll(call.place))  # a signal may have ended the waiting
