"""Heap objects in MIR: allocation, elements, fields, globals."""

from __future__ import annotations

from simple_jit.base.source import Span
from simple_jit.hir import types as hir
from simple_jit.lower.builder import FunctionBuilder, Value
from simple_jit.mir import abi
from simple_jit.mir import nodes as mir
from simple_jit.mir.layout import Descriptor, Layout, descriptor, element_layout, flatten, struct_layout


def allocate(fn: FunctionBuilder, size: mir.Local, type_id: mir.Local, span: Span) -> mir.Local:
    """Allocate `size` bytes (i64, a multiple of the alignment), write the header, return the object.

    if size <= ctx.heap_end - ctx.heap_next (unsigned): result = heap_next; heap_next += size
    else:                                               result = rt_heap_refill(size)
    """
    ctx = fn.context()
    result = fn.local(mir.I64)
    fast, slow, done = fn.new_block(), fn.new_block(), fn.new_block()
    start = fn.load(mir.I64, ctx, abi.HEAP_NEXT)
    end = fn.load(mir.I64, ctx, abi.HEAP_END)
    room = fn.binary("sub", end, start)
    fits = fn.compare("le", fn.convert(size, mir.U64), fn.convert(room, mir.U64))
    fn.terminate(mir.Branch(fits, fast, slow, cold="orelse"))

    fn.switch_to(fast)
    fn.emit(mir.Store(fn.binary("add", start, size), ctx, abi.HEAP_NEXT))
    fn.emit(mir.Copy(result, start))
    fn.jump(done)

    fn.switch_to(slow)
    fn.emit(mir.CallExtern(result, "rt_heap_refill", (size,), True, fn.place(span)))
    fn.jump(done)

    fn.switch_to(done)
    # As an object from the start: its fields are stored without touching other memory.
    made = fn.copy_as(result, mir.REF)
    fn.emit(mir.Store(type_id, made, 0))
    return made


def _allocate_constant(fn: FunctionBuilder, size: int, type_name: str, span: Span) -> mir.Local:
    rounded = -(-size // abi.ALIGNMENT) * abi.ALIGNMENT
    type_id = fn.local(mir.I64)
    fn.emit(mir.ConstTypeId(type_id, type_name))
    return allocate(fn, fn.const(mir.I64, rounded), type_id, span)


def allocate_bytes(fn: FunctionBuilder, size: mir.Local, type_id: mir.Local, span: Span) -> mir.Local:
    """Allocate a computed number of bytes, rounded up to the alignment."""
    up = fn.binary("add", size, fn.const(mir.I64, abi.ALIGNMENT - 1))
    rounded = fn.binary("and", up, fn.const(mir.I64, -abi.ALIGNMENT))
    return allocate(fn, rounded, type_id, span)


def store_value(
    fn: FunctionBuilder,
    value: Value,
    layout: Layout,
    first: int,
    base: mir.Local,
    index: mir.Local | None = None,
    scale: int = 1,
) -> None:
    """Store the components of `value` where `layout` has them from component `first` on."""
    for position, part in enumerate(value, first):
        fn.emit(mir.Store(part, base, layout.offsets[position], index, scale))


def load_value(
    fn: FunctionBuilder,
    type: hir.Type,
    layout: Layout,
    first: int,
    base: mir.Local,
    index: mir.Local | None = None,
    scale: int = 1,
) -> Value:
    """Load a value of `type` from where `layout` has its components from component `first` on."""
    return tuple(
        [
            fn.load(part, base, layout.offsets[position], index, scale)
            for position, part in enumerate(flatten(type), first)
        ]
    )


def new_struct(fn: FunctionBuilder, struct: hir.StructType, values: list[Value], span: Span) -> mir.Local:
    """Allocate an instance and store its fields."""
    layout, first = struct_layout(struct)
    about = descriptor(struct)
    address = _allocate_constant(fn, layout.size, about.name, span)
    for position, value in zip(first, values, strict=True):
        store_value(fn, value, layout, position, address)
    return address


def new_object(fn: FunctionBuilder, about: Descriptor, layout: Layout, value: Value, span: Span) -> mir.Local:
    """Allocate an object of one descriptor and store its components."""
    address = _allocate_constant(fn, max(layout.size, 2 * abi.HEADER_SIZE), about.name, span)
    store_value(fn, value, layout, 0, address)
    return address


def new_array(fn: FunctionBuilder, type: hir.ArrayType, values: list[Value], span: Span) -> mir.Local:
    """Allocate an array object, and a buffer that just fits `values`."""
    layout = element_layout(type.elem)
    count = fn.const(mir.I64, len(values))
    if values:
        size = len(values) * layout.size
        buffer = _allocate_constant(fn, abi.BUFFER_DATA + size, "buffer", span)
        fn.emit(mir.Store(fn.const(mir.I64, size), buffer, abi.BUFFER_BYTES))
        start = fn.copy_as(buffer, mir.PTR)
        data = fn.binary("add", start, fn.const(mir.I64, abi.BUFFER_DATA))
        for index, value in enumerate(values):
            for part, offset in zip(value, layout.offsets, strict=True):
                fn.emit(mir.Store(part, data, index * layout.size + offset))
    else:
        data = fn.const(mir.PTR, 0)
    array = _allocate_constant(fn, abi.ARRAY_SIZE, descriptor(type).name, span)
    fn.emit(mir.Store(count, array, abi.ARRAY_LEN))
    fn.emit(mir.Store(count, array, abi.ARRAY_CAPACITY))
    fn.emit(mir.Store(data, array, abi.ARRAY_DATA))
    return array


def checked_index(fn: FunctionBuilder, array: mir.Local, index: mir.Local, span: Span) -> mir.Local:
    """Return `index` counted from the start, after a check against the array's length."""
    length = fn.load(mir.I64, array, abi.ARRAY_LEN)
    dst = fn.local(mir.I64)
    fn.emit(mir.Index(dst, index, length, fn.place(span)))
    return dst


def load_element(fn: FunctionBuilder, elem: hir.Type, array: mir.Local, index: mir.Local) -> Value:
    """Load `array[index]`, unchecked."""
    layout = element_layout(elem)
    if not layout.types:
        return ()
    data = fn.load(mir.PTR, array, abi.ARRAY_DATA)
    return load_value(fn, elem, layout, 0, data, index, layout.size)


def store_element(
    fn: FunctionBuilder, elem: hir.Type, array: mir.Local, index: mir.Local, value: Value
) -> None:
    """Store `array[index] = value`, unchecked."""
    layout = element_layout(elem)
    if not layout.types:
        return
    data = fn.load(mir.PTR, array, abi.ARRAY_DATA)
    store_value(fn, value, layout, 0, data, index, layout.size)


def global_offset(slot: int, component: int) -> int:
    """Return where in the context a component of a module-level variable lies."""
    return abi.GLOBALS + 8 * (slot + component)
