"""Enums with payload, function values, `any` and values of traits → the text of closures."""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir import types
from simple_jit.mir.abi import HEADER_SIZE
from simple_jit.mir.layout import enum_layout, flatten
from simple_jit.runtime.values import box_access, inflate, is_flat_enum, is_plain, variant_access
from simple_jit.tiers.interpreter.compiler import FunctionCompiler
from simple_jit.tiers.interpreter.expressions import EMIT, as_loaded, operand, operands, view_of

# --- Enums with payload ---------------------------------------------------------------------------


def _enum_new(c: FunctionCompiler, node: hir.EnumNew) -> str:
    assert isinstance(node.type, types.EnumType)
    parts = [str(node.variant), *operands(c, node.values)]
    if is_flat_enum(node.type):
        return f"({', '.join(parts)},)"
    make = c.shape.bind(c.interpreter.variant_maker(node.type, node.variant))
    return f"{make}({', '.join(parts)}, {c.place(node.span)})"


def _enum_tag(c: FunctionCompiler, node: hir.EnumTag) -> str:
    value = operand(c, node.value)
    return f"{value}[0]" if is_flat_enum(node.value.type) else f"I64[({value} + {HEADER_SIZE}) >> 3]"


def _enum_get(c: FunctionCompiler, node: hir.EnumGet) -> str:
    value = operand(c, node.value)
    type = node.value.type
    assert isinstance(type, types.EnumType)
    if is_flat_enum(type):
        return f"{value}[{node.field + 1}]"
    if not is_plain(node.type):
        return f"{c.shape.bind(variant_access(type, node.variant, node.field)[0])}({value})"
    layout = enum_layout(type)
    offset = layout.boxes[node.variant].offsets[layout.first[node.variant][node.field] + 1]
    view, shift = view_of(node.type)
    return as_loaded(node.type, f"{view}[({value} + {offset}) >> {shift}]")


# --- Function values ------------------------------------------------------------------------------


def _closure_new(c: FunctionCompiler, node: hir.ClosureNew) -> str:
    make = c.shape.bind(c.interpreter.constructor(node.env))
    code = c.shape.bind(c.interpreter.code_offset(node.function))
    captures = operands(c, node.captures)
    return f"{make}({', '.join([code, *captures, c.place(node.span)])})"


def _call_value(c: FunctionCompiler, node: hir.CallValue) -> str:
    first, closure = c.shape.named(operand(c, node.callee))
    code = c.bind_callee(c.interpreter.code, node.span)
    args = operands(c, node.args)
    target = f"{code}[I64[({first} + {HEADER_SIZE}) >> 3]]"
    return c.call(code, f"{target}.call({', '.join([*args, closure])})")


def _protected(c: FunctionCompiler, node: hir.Protected) -> str:
    protect = c.bind_callee(c.interpreter.protect, node.span)
    return c.call(protect, f"{protect}({operand(c, node.closure)})")


# --- Values with their type -----------------------------------------------------------------------


def _any_new(c: FunctionCompiler, node: hir.AnyNew) -> str:
    value = operand(c, node.value)
    type = node.value.type
    if types.is_dynamic(type):
        return value
    number = c.shape.bind(c.interpreter.context.types.of(type))
    if not flatten(type):
        return f"({value}, ({number}, 0))[1]"
    return f"({number}, {_to_word(c, type, value, node)})"


def _to_word(c: FunctionCompiler, type: types.Type, value: str, node: hir.Expr) -> str:
    if _is_boxed(type):
        return f"{c.shape.bind(c.interpreter.box_maker(type))}({value}, {c.place(node.span)})"
    if isinstance(type, types.FloatType):
        return f"float_bits({value})"
    if type is types.BOOL:
        return f"(1 if {value} else 0)"
    if is_flat_enum(type):
        return f"{value}[0]"
    return f"wrap64({value})" if type is types.U64 else value


def _is_boxed(type: types.Type) -> bool:
    """Is a value of `type` in a box, where it stands in an `any`?"""
    return len(flatten(type)) > 1 or isinstance(type, types.OptionalType)


def _any_is(c: FunctionCompiler, node: hir.AnyIs) -> str:
    return f"({operand(c, node.value)}[0] == {c.shape.bind(c.interpreter.context.types.of(node.wanted))})"


def _any_get(c: FunctionCompiler, node: hir.AnyGet) -> str:
    value, type = operand(c, node.value), node.type
    if not flatten(type):
        return f"({value}, None)[1]"
    word = f"{value}[1]"
    if _is_boxed(type):
        return f"{c.shape.bind(box_access(type)[0])}({word})"
    if isinstance(type, types.FloatType):
        return f"float_from_bits({word})"
    if is_flat_enum(type):  # one whose payloads are all unit
        return f"{c.shape.bind(inflate)}(({word},), {c.shape.bind(type)})"
    return f"({word} & {types.U64.max:#x})" if type is types.U64 else as_loaded(type, word)


EMIT.update(
    {
        hir.EnumNew: _enum_new,
        hir.EnumTag: _enum_tag,
        hir.EnumGet: _enum_get,
        hir.ClosureNew: _closure_new,
        hir.CallValue: _call_value,
        hir.Protected: _protected,
        hir.AnyNew: _any_new,
        hir.AnyIs: _any_is,
        hir.AnyGet: _any_get,
    }
)
