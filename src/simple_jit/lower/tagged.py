"""Enums with payload, function values, `any` and values of traits: what carries a tag or code with it."""

from __future__ import annotations

from simple_jit.base.source import Span
from simple_jit.hir import nodes as hir
from simple_jit.hir import types as types
from simple_jit.lower import memory
from simple_jit.lower.builder import FunctionBuilder, Value
from simple_jit.lower.expressions import LOWER, ZERO, lower_operand, lower_operands
from simple_jit.mir import abi
from simple_jit.mir import nodes as mir
from simple_jit.mir.abi import HEADER_SIZE
from simple_jit.mir.layout import box_layout, descriptor, enum_layout, flatten, variant_descriptor


# --- enums with payload -------------------------------------------------------------------------
def _enum_new(fn: FunctionBuilder, expr: hir.EnumNew) -> Value:
    type = expr.type
    assert isinstance(type, types.EnumType)
    parts = [part for value in lower_operands(fn, expr.values) for part in value]
    layout = enum_layout(type)
    tag = fn.const(mir.I64, expr.variant)
    if layout.boxed:
        about = variant_descriptor(type, expr.variant)
        box = memory.new_object(fn, about, layout.boxes[expr.variant], (tag, *parts), expr.span)
        return (box,)
    slots: list[mir.Local | None] = [None] * len(layout.slots)
    for place, part in zip(layout.places[expr.variant], parts, strict=True):
        slots[place] = part
    filled = [slot or fn.const(part, ZERO[part.kind]) for slot, part in zip(slots, layout.slots, strict=True)]
    return (tag, *filled)


def _enum_tag(fn: FunctionBuilder, expr: hir.EnumTag) -> Value:
    value = lower_operand(fn, expr.value)
    assert isinstance(expr.value.type, types.EnumType)
    if enum_layout(expr.value.type).boxed:
        return (fn.load(mir.I64, value[0], HEADER_SIZE),)
    return value[:1]


def _enum_get(fn: FunctionBuilder, expr: hir.EnumGet) -> Value:
    value = lower_operand(fn, expr.value)
    assert isinstance(expr.value.type, types.EnumType)
    layout = enum_layout(expr.value.type)
    first = layout.first[expr.variant][expr.field]
    if layout.boxed:
        return memory.load_value(fn, expr.type, layout.boxes[expr.variant], first + 1, value[0])
    places = layout.places[expr.variant][first : first + len(flatten(expr.type))]
    return tuple([value[place + 1] for place in places])


# --- function values ------------------------------------------------------------------------------
def _closure_new(fn: FunctionBuilder, expr: hir.ClosureNew) -> Value:
    captures = lower_operands(fn, expr.captures)
    code = fn.local(mir.I64)
    fn.emit(mir.ConstCode(code, expr.function.symbol))
    return (memory.new_struct(fn, expr.env, [(code,), *captures], expr.span),)


def _call_value(fn: FunctionBuilder, expr: hir.CallValue) -> Value:
    (closure,), *values = lower_operands(fn, (expr.callee, *expr.args))
    args = [part for value in values for part in value]
    fn.has_calls = True
    results = fn.fresh(expr.type)
    fn.emit(mir.CallPointer(results, _code_of(fn, closure), (*args, closure), False, fn.site_of(expr.span)))
    if expr.type is types.NEVER:
        fn.terminate(mir.Unreachable())
    return results


def _code_of(fn: FunctionBuilder, closure: mir.Local) -> mir.Local:
    """Return the address that the code-table slot of a closure holds now."""
    slot = fn.load(mir.I64, closure, HEADER_SIZE)
    return fn.load(mir.PTR, fn.context(), 0, slot)


def _protected(fn: FunctionBuilder, expr: hir.Protected) -> Value:
    """`ctx.ENTER(ctx, code, closure, keeps_way)`: 0 and the result in `ctx.RESULT`, or 1 after a throw."""
    (closure,) = lower_operand(fn, expr.closure)
    fn.has_calls = True
    ctx = fn.context()
    enter = fn.load(mir.PTR, ctx, abi.ENTER)
    status = fn.local(mir.I64)
    args = (ctx, _code_of(fn, closure), closure, fn.const(mir.I64, int(expr.keeps_way)))
    fn.emit(mir.CallPointer((status,), enter, args, True, fn.site_of(expr.span)))
    returned = fn.load(mir.I64, ctx, abi.RESULT)
    dst = fn.local(mir.I64)
    threw = fn.compare("ne", status, fn.const(mir.I64, 0))
    fn.emit(mir.Select(dst, threw, fn.const(mir.I64, -1), returned))
    return (dst,)


# --- values with their type ------------------------------------------------------------------------
def _any_new(fn: FunctionBuilder, expr: hir.AnyNew) -> Value:
    value = lower_operand(fn, expr.value)
    if types.is_dynamic(expr.value.type):
        return value
    return (_type_number(fn, expr.value.type), _to_word(fn, expr.value.type, value, expr.span))


def _type_number(fn: FunctionBuilder, type: types.Type) -> mir.Local:
    dst = fn.local(mir.I64)
    fn.emit(mir.ConstTypeId(dst, descriptor(type).name))
    return dst


def _to_word(fn: FunctionBuilder, type: types.Type, value: Value, span: Span) -> mir.Local:
    """Return `value` as the one word of an `any`; in a box where it has several components."""
    if not value:
        return fn.const(mir.I64, 0)
    if len(value) > 1 or isinstance(type, types.OptionalType):
        return fn.copy_as(memory.new_object(fn, descriptor(type), box_layout(type), value, span), mir.I64)
    (part,) = value
    if part.type.kind == "ptr":
        return fn.copy_as(part, mir.I64)
    if part.type.kind != "float":
        return fn.convert(part, mir.I64)
    bits = fn.local(mir.I64)
    fn.emit(mir.Bitcast(bits, fn.convert(part, mir.F64)))
    return bits


def _any_is(fn: FunctionBuilder, expr: hir.AnyIs) -> Value:
    value = lower_operand(fn, expr.value)
    return (fn.compare("eq", value[0], _type_number(fn, expr.wanted)),)


def _any_get(fn: FunctionBuilder, expr: hir.AnyGet) -> Value:
    _, word = lower_operand(fn, expr.value)
    parts = flatten(expr.type)
    if not parts:
        return ()
    if len(parts) > 1 or isinstance(expr.type, types.OptionalType):
        return memory.load_value(fn, expr.type, box_layout(expr.type), 0, fn.copy_as(word, mir.REF))
    (part,) = parts
    if part.kind == "ptr":
        return (fn.copy_as(word, part),)
    if part is mir.BOOL:
        return (fn.compare("ne", word, fn.const(mir.I64, 0)),)
    if part.kind != "float":
        return (fn.convert(word, part),)
    double = fn.local(mir.F64)
    fn.emit(mir.Bitcast(double, word))
    return (fn.convert(double, part),)


LOWER.update(
    {
        hir.EnumNew: _enum_new,
        hir.EnumTag: _enum_tag,
        hir.EnumGet: _enum_get,
        hir.ClosureNew: _closure_new,
        hir.CallValue: _call_value,
        hir.AnyNew: _any_new,
        hir.AnyIs: _any_is,
        hir.AnyGet: _any_get,
        hir.Protected: _protected,
    }
)
