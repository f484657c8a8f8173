"""Functions that make heap objects, one for each type."""

from __future__ import annotations

from simple_jit.base.source import Span
from simple_jit.hir import types
from simple_jit.mir import abi
from simple_jit.mir.layout import (
    Descriptor,
    box_layout,
    descriptor,
    enum_layout,
    flatten,
    struct_layout,
    variant_descriptor,
)
from simple_jit.runtime.errors import SimpleError
from simple_jit.runtime.heap import Heap
from simple_jit.runtime.values import box_access, field_access, is_plain, variant_access, writer
from simple_jit.tiers.interpreter.expressions import view_of
from simple_jit.tiers.interpreter.operations import site_of
from simple_jit.tiers.interpreter.shapes import Shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from simple_jit.runtime.values import Writer
    from simple_jit.tiers.interpreter.shapes import Closure

Field: TypeAlias = "tuple[types.Type, int, Writer]"


def allocator(heap: Heap) -> Callable[[int, int, Span | None], int]:
    """Return `allocate(size, type id, span)`; the span is where running out of memory is reported."""
    allocate = heap.allocate_or_collect

    def allocate_at(size: int, type_id: int, span: Span | None) -> int:
        try:
            return allocate(size, type_id)
        except SimpleError as error:
            error.site = site_of(span) if span else None
            raise

    return allocate_at


def array_maker(heap: Heap, type: types.ArrayType) -> Closure:
    """Return `make(values, span)`."""

    poll = heap.collector.collect_if_due

    def make(values: list[Any], span: Span | None) -> int:
        try:
            poll()
            return heap.new_array(type, values)
        except SimpleError as error:
            error.site = site_of(span) if span else None
            raise

    return make


def constructor(heap: Heap, struct: types.StructType) -> Closure:
    """Return `make(field values…, span)`."""
    layout, first = struct_layout(struct)
    fields = [
        (field.type, layout.offsets[first[n]] if flatten(field.type) else 0, field_access(struct, n)[1])
        for n, field in enumerate(struct.fields)
    ]
    return _object_maker(heap, descriptor(struct), layout.size, fields)


def variant_maker(heap: Heap, type: types.EnumType, variant: int) -> Closure:
    """Return `make(position, field values…, span)` for a variant of a boxed enum."""
    layout = enum_layout(type)
    box = layout.boxes[variant]
    fields: list[Field] = [(types.I64, abi.HEADER_SIZE, writer(types.I64))]
    for n, field in enumerate(type.variants[variant].fields):
        offset = box.offsets[layout.first[variant][n] + 1] if flatten(field.type) else 0
        fields.append((field.type, offset, variant_access(type, variant, n)[1]))
    return _object_maker(heap, variant_descriptor(type, variant), box.size, fields)


def box_maker(heap: Heap, type: types.Type) -> Closure:
    """Return `make(value, span)` for the box of a value in an `any`."""
    layout = box_layout(type)
    offset = layout.offsets[0] if layout.offsets else 0
    return _object_maker(heap, descriptor(type), layout.size, [(type, offset, box_access(type)[1])])


def _object_maker(heap: Heap, about: Descriptor, size: int, fields: list[Field]) -> Closure:
    """Return `make(values…, span)`: allocation in the common case, and one store a field.

    A field has a type, where its first component lies, and `write(object, value)`.
    """
    shape = Shape()
    size = (size + 15) & -16
    bump, end = heap.context.address + abi.HEAP_NEXT, heap.context.address + abi.HEAP_END
    bump_cell, end_cell = shape.bind(bump >> 3), shape.bind(end >> 3)
    slow, type_id = shape.bind(allocator(heap)), shape.bind(heap.context.types.number(about))
    lines = [
        f"p = I64[{bump_cell}]",
        f"if p & 15 or p + {size} > I64[{end_cell}]: p = {slow}({size}, {type_id}, a{len(fields)})",
        "else:",
        f" I64[{bump_cell}] = p + {size}",
        f" I64[p >> 3] = {type_id}",
    ]
    for index, (type, offset, write) in enumerate(fields):
        if is_plain(type):
            view, shift = view_of(type)
            lines.append(f"{view}[(p + {offset}) >> {shift}] = a{index}")
        else:
            lines.append(f"{shape.bind(write)}(p, a{index})")
    return shape.function(len(fields) + 1, [*lines, "return p"])
