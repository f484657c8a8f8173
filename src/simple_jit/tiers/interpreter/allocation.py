"""Functions that make heap objects, one for each type."""

from __future__ import annotations

from simple_jit.base.source import Span
from simple_jit.hir import types
from simple_jit.mir import abi
from simple_jit.mir.layout import descriptor, flatten, struct_layout
from simple_jit.runtime.errors import SimpleError
from simple_jit.runtime.heap import Heap
from simple_jit.runtime.values import field_access, is_plain
from simple_jit.tiers.interpreter.expressions import VIEW_NAMES
from simple_jit.tiers.interpreter.operations import site_of
from simple_jit.tiers.interpreter.shapes import Shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from simple_jit.tiers.interpreter.shapes import Closure


def allocator(heap: Heap) -> Callable[[int, int, Span | None], int]:
    """Return `allocate(size, type id, span)`; the span is where running out of memory is reported."""
    allocate = heap.allocate

    def allocate_at(size: int, type_id: int, span: Span | None) -> int:
        try:
            return allocate(size, type_id)
        except SimpleError as error:
            error.site = site_of(span) if span else None
            raise

    return allocate_at


def array_maker(heap: Heap, type: types.ArrayType) -> Closure:
    """Return `make(values, span)`."""

    def make(values: list[Any], span: Span | None) -> int:
        try:
            return heap.new_array(type, values)
        except SimpleError as error:
            error.site = site_of(span) if span else None
            raise

    return make


def constructor(heap: Heap, struct: types.StructType) -> Closure:
    """Return `make(field values…, span)`: allocation in the common case, and one store a field."""
    layout, first = struct_layout(struct)
    shape = Shape()
    number = descriptor(struct).number
    size = (layout.size + 15) & -16
    bump, end = heap.context.address + abi.HEAP_NEXT, heap.context.address + abi.HEAP_END
    bump_cell, end_cell = shape.bind(bump >> 3), shape.bind(end >> 3)
    slow, type_id = shape.bind(allocator(heap)), shape.bind(number)
    count = len(struct.fields)
    lines = [
        f"p = I64[{bump_cell}]",
        f"if p & 15 or p + {size} > I64[{end_cell}]: p = {slow}({size}, {type_id}, a{count})",
        "else:",
        f" I64[{bump_cell}] = p + {size}",
        f" I64[p >> 3] = {type_id}",
    ]
    for index, field in enumerate(struct.fields):
        if is_plain(field.type):
            view, shift = VIEW_NAMES[flatten(field.type)[0].name]
            lines.append(f"{view}[(p + {layout.offsets[first[index]]}) >> {shift}] = a{index}")
        else:
            write = shape.bind(field_access(struct, index)[1])
            lines.append(f"{write}(p, a{index})")
    return shape.function(count + 1, [*lines, "return p"])
