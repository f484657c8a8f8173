"""HIR expressions → MIR. `lower` returns the components of the value."""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir import types as types
from simple_jit.lower import memory
from simple_jit.lower.builder import FunctionBuilder, Value
from simple_jit.lower.foreign import call_c, call_python
from simple_jit.lower.intrinsics import INTRINSICS
from simple_jit.lower.loops import lower_for_range, lower_loop
from simple_jit.mir import abi
from simple_jit.mir import nodes as mir
from simple_jit.mir.layout import flatten, struct_layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


class _Diverged(Exception):
    """An operand never yields a value, so the operation around it is never reached."""


def lower(fn: FunctionBuilder, expr: hir.Expr) -> Value:
    """Lower `expr` and return the locals that hold its value (fresh ones where it never has one)."""
    try:
        return LOWER[type(expr)](fn, expr)
    except _Diverged:
        return fn.fresh(expr.type)


def lower_operand(fn: FunctionBuilder, operand: hir.Expr) -> Value:
    """Lower an operand of the expression under way, which ends here if the operand diverges."""
    value = lower(fn, operand)
    if operand.type is types.NEVER:
        raise _Diverged
    return value


def lower_operands(fn: FunctionBuilder, operands: Sequence[hir.Expr]) -> list[Value]:
    """Lower operands from left to right.

    A variable read early must keep its value where a later operand assigns it: then it is copied.
    """
    values = []
    for position, operand in enumerate(operands):
        value = lower_operand(fn, operand)
        if isinstance(operand, hir.LocalGet) and any(map(may_assign, operands[position + 1 :])):
            kept = fn.fresh(operand.type)
            fn.assign(kept, value)
            value = kept
        values.append(value)
    return values


_PLAIN = (hir.Const, hir.LocalGet, hir.TextConst, hir.Nil, hir.GlobalGet)


def may_assign(expr: hir.Expr) -> bool:
    """May evaluating `expr` assign a local? (False only where that is sure.)"""
    if isinstance(expr, _PLAIN):
        return False
    if isinstance(expr, (hir.Binary, hir.Compare)):
        return may_assign(expr.lhs) or may_assign(expr.rhs)
    if isinstance(expr, (hir.Unary,)):
        return may_assign(expr.operand)
    if isinstance(expr, (hir.Call, hir.CallExtern, hir.Intrinsic)):
        return any(map(may_assign, expr.args))
    if isinstance(expr, hir.FieldGet):
        return may_assign(expr.object)
    if isinstance(expr, hir.ArrayGet):
        return may_assign(expr.array) or may_assign(expr.index)
    if isinstance(expr, (hir.Convert, hir.Unwrap, hir.Some, hir.TupleGet)):
        return may_assign(expr.value)
    if isinstance(expr, hir.ArrayLen):
        return may_assign(expr.array)
    return True


def lower_condition(fn: FunctionBuilder, expr: hir.Expr, then: mir.Block, orelse: mir.Block) -> None:
    """Branch on `expr`, with `and`, `or` and `not` as control flow."""
    if isinstance(expr, hir.And):
        middle = fn.new_block()
        lower_condition(fn, expr.lhs, middle, orelse)
        fn.switch_to(middle)
        lower_condition(fn, expr.rhs, then, orelse)
    elif isinstance(expr, hir.Or):
        middle = fn.new_block()
        lower_condition(fn, expr.lhs, then, middle)
        fn.switch_to(middle)
        lower_condition(fn, expr.rhs, then, orelse)
    elif isinstance(expr, hir.Unary) and expr.op == "not":
        lower_condition(fn, expr.operand, orelse, then)
    elif isinstance(expr, hir.Const):
        fn.jump(then if expr.value else orelse)
    elif expr.type is types.BOOL and isinstance(expr, (hir.Block, hir.If, hir.Switch)):
        _lower_branching(fn, expr, then, orelse)
    else:
        value = lower(fn, expr)
        if expr.type is not types.NEVER:
            fn.terminate(mir.Branch(value[0], then, orelse))


def _lower_branching(
    fn: FunctionBuilder, expr: hir.Block | hir.If | hir.Switch, then: mir.Block, orelse: mir.Block
) -> None:
    """The same for the results of a condition that branches itself, as the tests of patterns do."""
    if isinstance(expr, hir.Block):
        assert expr.result is not None
        for stmt in expr.stmts:
            lower(fn, stmt)
        lower_condition(fn, expr.result, then, orelse)
        return
    if isinstance(expr, hir.If):
        assert expr.orelse is not None
        branches = [expr.then, expr.orelse]
        blocks = [fn.new_block(), fn.new_block()]
        lower_condition(fn, expr.cond, *blocks)
    else:
        (value,) = lower_operand(fn, expr.value)
        branches = [*expr.branches, *([expr.default] if expr.default is not None else [])]
        blocks = [fn.new_block() for _ in branches]
        cases = [(n, block) for numbers, block in zip(expr.numbers, blocks, strict=False) for n in numbers]
        fn.terminate(mir.Switch(value, tuple(cases), blocks[-1]))
    for block, branch in zip(blocks, branches, strict=True):
        fn.switch_to(block)
        lower_condition(fn, branch, then, orelse)


# --- constants and variables ---------------------------------------------------------------------
def _const(fn: FunctionBuilder, expr: hir.Const) -> Value:
    if expr.value is None:
        return ()
    return (fn.const(flatten(expr.type)[0], expr.value),)


def zeros(fn: FunctionBuilder, type: types.Type) -> Value:
    """Return components that are all zero bits: nil of an optional."""
    return tuple([fn.const(part, ZERO[part.kind]) for part in flatten(type)])


ZERO: dict[str, int | float | bool] = {"int": 0, "float": 0.0, "bool": False, "ptr": 0}


def _nil(fn: FunctionBuilder, expr: hir.Nil) -> Value:
    return zeros(fn, expr.type)


def _text_const(fn: FunctionBuilder, expr: hir.TextConst) -> Value:
    dst = fn.local(mir.REF)
    fn.emit(mir.ConstText(dst, expr.value))
    return (dst,)


def _local_get(fn: FunctionBuilder, expr: hir.LocalGet) -> Value:
    return fn.variable(expr.local)


def _local_set(fn: FunctionBuilder, expr: hir.LocalSet) -> Value:
    fn.assign(fn.variable(expr.local), lower_operand(fn, expr.value))
    return ()


def _global_get(fn: FunctionBuilder, expr: hir.GlobalGet) -> Value:
    ctx = fn.context()
    return tuple(
        [
            fn.load(part, ctx, memory.global_offset(expr.cell.slot, n))
            for n, part in enumerate(flatten(expr.type))
        ]
    )


def _global_set(fn: FunctionBuilder, expr: hir.GlobalSet) -> Value:
    value = lower_operand(fn, expr.value)
    for n, part in enumerate(value):
        fn.emit(mir.Store(part, fn.context(), memory.global_offset(expr.cell.slot, n)))
    return ()


# --- operators -----------------------------------------------------------------------------------
def _unary(fn: FunctionBuilder, expr: hir.Unary) -> Value:
    (operand,) = lower_operand(fn, expr.operand)
    dst = fn.local(operand.type)
    if expr.op == "neg" and expr.checked:
        fn.emit(mir.Checked("sub", dst, fn.const(operand.type, 0), operand, fn.place(expr.span)))
    else:
        fn.emit(mir.Unary("neg" if expr.op == "neg" else "not", dst, operand))
    return (dst,)


def _binary(fn: FunctionBuilder, expr: hir.Binary) -> Value:
    (lhs,), (rhs,) = lower_operands(fn, (expr.lhs, expr.rhs))
    op = expr.op
    if op in ("div", "rem", "floordiv") and lhs.type.kind == "int":
        return (_integer_division(fn, expr, lhs, rhs),)
    if op == "floordiv":
        dst = fn.local(lhs.type)
        fn.emit(mir.Unary("floor", dst, fn.binary("div", lhs, rhs)))
        return (dst,)
    if expr.checked and lhs.type.signed and op in ("add", "sub", "mul"):
        dst = fn.local(lhs.type)
        fn.emit(mir.Checked(op, dst, lhs, rhs, fn.place(expr.span)))
        return (dst,)
    return (fn.binary(op, lhs, rhs),)


def _integer_division(fn: FunctionBuilder, expr: hir.Binary, lhs: mir.Local, rhs: mir.Local) -> mir.Local:
    if not (isinstance(expr.rhs, hir.Const) and expr.rhs.value):
        fn.check(fn.compare("ne", rhs, fn.const(rhs.type, 0)), "DivisionByZero", expr.span)
    if expr.op != "floordiv":
        return fn.binary(expr.op, lhs, rhs)
    quotient = fn.binary("div", lhs, rhs)
    if not lhs.type.signed:
        return quotient
    zero = fn.const(lhs.type, 0)
    remainder = fn.binary("rem", lhs, rhs)
    inexact = fn.compare("ne", remainder, zero)
    opposite = fn.compare("lt", fn.binary("xor", remainder, rhs), zero)
    below = fn.binary("sub", quotient, fn.const(lhs.type, 1))
    dst = fn.local(lhs.type)
    fn.emit(mir.Select(dst, fn.binary("and", inexact, opposite), below, quotient))
    return dst


def _compare(fn: FunctionBuilder, expr: hir.Compare) -> Value:
    (lhs,), (rhs,) = lower_operands(fn, (expr.lhs, expr.rhs))
    return (fn.compare(expr.op, lhs, rhs),)


def _logical(fn: FunctionBuilder, expr: hir.And | hir.Or) -> Value:
    then, orelse, done = fn.new_block(), fn.new_block(), fn.new_block()
    dst = fn.local(mir.BOOL)
    lower_condition(fn, expr, then, orelse)
    for block, value in ((then, True), (orelse, False)):
        fn.switch_to(block)
        fn.emit(mir.Const(dst, value))
        fn.jump(done)
    fn.switch_to(done)
    return (dst,)


def _convert(fn: FunctionBuilder, expr: hir.Convert) -> Value:
    (value,) = lower_operand(fn, expr.value)
    return (fn.convert(value, flatten(expr.type)[0]),)


# --- control flow --------------------------------------------------------------------------------
def _block(fn: FunctionBuilder, expr: hir.Block) -> Value:
    for stmt in expr.stmts:
        lower(fn, stmt)
    if expr.result is not None:
        return lower(fn, expr.result)
    return fn.fresh(expr.type)


def _if(fn: FunctionBuilder, expr: hir.If) -> Value:
    then, done = fn.new_block(), fn.new_block()
    orelse = fn.new_block() if expr.orelse is not None else done
    result = fn.fresh(expr.type)
    lower_condition(fn, expr.cond, then, orelse)
    for block, branch in ((then, expr.then), (orelse, expr.orelse)):
        if branch is None:
            continue
        fn.switch_to(block)
        value = lower(fn, branch)
        if branch.type is not types.NEVER:
            if result:
                fn.assign(result, value)
            fn.jump(done)
    fn.switch_to(done)
    if expr.type is types.NEVER:
        fn.terminate(mir.Unreachable())
    return result


def _break(fn: FunctionBuilder, expr: hir.Break) -> Value:
    fn.jump(fn.loops[expr.target].break_to)
    return ()


def _continue(fn: FunctionBuilder, expr: hir.Continue) -> Value:
    fn.jump(fn.loops[expr.target].continue_to)
    return ()


def _return(fn: FunctionBuilder, expr: hir.Return) -> Value:
    fn.leave(lower_operand(fn, expr.value) if expr.value is not None else ())
    return ()


def _throw(fn: FunctionBuilder, expr: hir.Throw) -> Value:
    (message,) = lower(fn, expr.message)
    fn.terminate(mir.Throw(expr.kind, message, fn.place(expr.span)))
    return ()


# --- calls ---------------------------------------------------------------------------------------
def _call(fn: FunctionBuilder, expr: hir.Call) -> Value:
    args = [part for value in lower_operands(fn, expr.args) for part in value]
    fn.has_calls = True
    if expr.callee.track_caller:
        args.append(_caller_site(fn, expr))
    results = fn.fresh(expr.callee.ret)
    fn.emit(mir.Call(results, expr.callee.symbol, tuple(args), fn.site_of(expr.span)))
    if expr.callee.ret is types.NEVER:
        fn.terminate(mir.Unreachable())
    return results


def _caller_site(fn: FunctionBuilder, expr: hir.Call) -> mir.Local:
    """What a function that reports at its caller's place is told: this call's place, or our own caller's."""
    if fn.site is not None:
        return fn.site
    dst = fn.local(mir.I64)
    fn.emit(mir.ConstSite(dst, fn.site_of(expr.span)))
    return dst


def _call_extern(fn: FunctionBuilder, expr: hir.CallExtern) -> Value:
    values = lower_operands(fn, expr.args)
    fn.has_calls = True
    return (call_python if expr.extern.python else call_c)(fn, expr, values)


def _intrinsic(fn: FunctionBuilder, expr: hir.Intrinsic) -> Value:
    return INTRINSICS[expr.op](fn, expr, lower_operands(fn, expr.args))


# --- aggregates ----------------------------------------------------------------------------------
def _tuple_new(fn: FunctionBuilder, expr: hir.TupleNew) -> Value:
    return tuple([part for value in lower_operands(fn, expr.items) for part in value])


def _tuple_get(fn: FunctionBuilder, expr: hir.TupleGet) -> Value:
    value = lower_operand(fn, expr.value)
    assert isinstance(expr.value.type, types.TupleType)
    first = sum(len(flatten(item)) for item in expr.value.type.items[: expr.index])
    return value[first : first + len(flatten(expr.type))]


def _some(fn: FunctionBuilder, expr: hir.Some) -> Value:
    value = lower_operand(fn, expr.value)
    if types.is_nullable_reference(expr.type):
        return value
    return (fn.const(mir.BOOL, True), *value)


def _is_some(fn: FunctionBuilder, expr: hir.IsSome) -> Value:
    return (_presence(fn, expr.value.type, lower_operand(fn, expr.value)),)


def _presence(fn: FunctionBuilder, type: types.Type, value: Value) -> mir.Local:
    if types.is_nullable_reference(type):
        return fn.compare("ne", value[0], fn.const(mir.REF, 0))
    return value[0]


def _unwrap(fn: FunctionBuilder, expr: hir.Unwrap) -> Value:
    value = lower_operand(fn, expr.value)
    if expr.checked:
        fn.check(_presence(fn, expr.value.type, value), "NilError", expr.span)
    return value if types.is_nullable_reference(expr.value.type) else value[1:]


def _new(fn: FunctionBuilder, expr: hir.New) -> Value:
    values = lower_operands(fn, expr.values)
    return (memory.new_struct(fn, expr.struct, values, expr.span),)


def _field_get(fn: FunctionBuilder, expr: hir.FieldGet) -> Value:
    (base,) = lower_operand(fn, expr.object)
    assert isinstance(expr.object.type, types.StructType)
    layout, first = struct_layout(expr.object.type)
    return memory.load_value(fn, expr.type, layout, first[expr.index], base)


def _field_set(fn: FunctionBuilder, expr: hir.FieldSet) -> Value:
    (base,), value = lower_operands(fn, (expr.object, expr.value))
    assert isinstance(expr.object.type, types.StructType)
    layout, first = struct_layout(expr.object.type)
    memory.store_value(fn, value, layout, first[expr.index], base)
    return ()


def _array_new(fn: FunctionBuilder, expr: hir.ArrayNew) -> Value:
    assert isinstance(expr.type, types.ArrayType)
    return (memory.new_array(fn, expr.type, lower_operands(fn, expr.items), expr.span),)


def _array_len(fn: FunctionBuilder, expr: hir.ArrayLen) -> Value:
    (array,) = lower_operand(fn, expr.array)
    return (fn.load(mir.I64, array, abi.ARRAY_LEN),)


def _array_get(fn: FunctionBuilder, expr: hir.ArrayGet) -> Value:
    (array,), (index,) = lower_operands(fn, (expr.array, expr.index))
    position = memory.checked_index(fn, array, index, expr.span)
    return memory.load_element(fn, expr.type, array, position)


def _array_set(fn: FunctionBuilder, expr: hir.ArraySet) -> Value:
    (array,), (index,), value = lower_operands(fn, (expr.array, expr.index, expr.value))
    position = memory.checked_index(fn, array, index, expr.span)
    memory.store_element(fn, expr.value.type, array, position, value)
    return ()


def _switch(fn: FunctionBuilder, expr: hir.Switch) -> Value:
    (value,) = lower_operand(fn, expr.value)
    done, fallback = fn.new_block(), fn.new_block()
    result = fn.fresh(expr.type)
    blocks = [fn.new_block() for _ in expr.branches]
    cases = [(n, block) for numbers, block in zip(expr.numbers, blocks, strict=True) for n in numbers]
    fn.terminate(mir.Switch(value, tuple(cases), fallback))
    for block, branch in (*zip(blocks, expr.branches, strict=True), (fallback, expr.default)):
        fn.switch_to(block)
        if branch is None:
            fn.terminate(mir.Unreachable())
            continue
        part = lower(fn, branch)
        if branch.type is not types.NEVER:
            if result:
                fn.assign(result, part)
            fn.jump(done)
    fn.switch_to(done)
    if expr.type is types.NEVER:
        fn.terminate(mir.Unreachable())
    return result


def _for_range(fn: FunctionBuilder, expr: hir.ForRange) -> Value:
    (start,), (stop,), (step,) = lower_operands(fn, (expr.start, expr.stop, expr.step))
    lower_for_range(fn, expr, start, stop, step, lower)
    return ()


def _loop(fn: FunctionBuilder, expr: hir.Loop) -> Value:
    lower_loop(fn, expr, lower, lower_condition)
    return ()


LOWER: dict[type, Callable[[FunctionBuilder, Any], Value]] = {
    hir.Const: _const,
    hir.Nil: _nil,
    hir.TextConst: _text_const,
    hir.LocalGet: _local_get,
    hir.LocalSet: _local_set,
    hir.GlobalGet: _global_get,
    hir.GlobalSet: _global_set,
    hir.Unary: _unary,
    hir.Binary: _binary,
    hir.Compare: _compare,
    hir.And: _logical,
    hir.Or: _logical,
    hir.Convert: _convert,
    hir.Block: _block,
    hir.If: _if,
    hir.Loop: _loop,
    hir.ForRange: _for_range,
    hir.Break: _break,
    hir.Continue: _continue,
    hir.Return: _return,
    hir.Throw: _throw,
    hir.Call: _call,
    hir.CallExtern: _call_extern,
    hir.Intrinsic: _intrinsic,
    hir.TupleNew: _tuple_new,
    hir.TupleGet: _tuple_get,
    hir.Some: _some,
    hir.IsSome: _is_some,
    hir.Unwrap: _unwrap,
    hir.New: _new,
    hir.FieldGet: _field_get,
    hir.FieldSet: _field_set,
    hir.ArrayNew: _array_new,
    hir.ArrayLen: _array_len,
    hir.ArrayGet: _array_get,
    hir.ArraySet: _array_set,
    hir.Switch: _switch,
}
