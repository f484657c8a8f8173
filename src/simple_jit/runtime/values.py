"""Values of the language in their several forms.

    form            who uses it                      example: a (i64, text)?
    interpreted     the tree-walking interpreter     None or (1, 0x7f…)      (hir/nodes.py)
    components      MIR locals, memory, crossings    [True, 1, 0x7f…]        (mir/layout.py)
    Python          users of the library             None or (1, "one")

`flatten_value` and `inflate` go between the first two, `to_simple` and `to_python` between the first
and the last; `reader`, `writer` and `field_access` read and write values in memory.
"""

from __future__ import annotations

from simple_jit.hir import types as hir
from simple_jit.mir.abi import ARRAY_DATA, ARRAY_LEN
from simple_jit.mir.layout import (
    box_layout,
    element_layout,
    enum_layout,
    flatten,
    struct_layout,
)
from simple_jit.runtime.memory import I64, VIEWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, Final

    from simple_jit.runtime.heap import Heap

    Value = Any  # in the interpreter's form
    Reader = Callable[[int], Value]
    Writer = Callable[[int, Value], None]


def is_flagged(type: hir.Type) -> bool:
    """Is `type` an optional of a flag and a value, nil being None?"""
    return isinstance(type, hir.OptionalType) and not hir.is_nullable_reference(type)


def is_plain(type: hir.Type) -> bool:
    """Is a value of `type` one component, and that component its interpreted form?"""
    if len(flatten(type)) != 1 or isinstance(type, hir.TupleType):
        return False
    return not is_flagged(type) and not is_flat_enum(type)


def is_flat_enum(type: hir.Type) -> bool:
    """Is `type` an enum with payload that lies in components, a tuple in the interpreter?"""
    return isinstance(type, hir.EnumType) and hir.has_payload(type) and not enum_layout(type).boxed


def flatten_value(value: Value, type: hir.Type) -> list[Any]:
    """Return the components of a value; those of a nil are zeros."""
    if isinstance(type, hir.TupleType):
        return [c for v, t in zip(value, type.items, strict=True) for c in flatten_value(v, t)]
    if isinstance(type, hir.OptionalType) and is_flagged(type):
        if value is None:
            return [False, *_zeros(type.inner)]
        return [True, *flatten_value(unwrapped(value, type), type.inner)]
    if isinstance(type, hir.EnumType) and is_flat_enum(type):
        return _flatten_enum(value, type)
    if type is hir.ANY or isinstance(type, hir.TraitType):
        return list(value)
    return [] if type is hir.UNIT or type is hir.NEVER else [value]


def _flatten_enum(value: Value, type: hir.EnumType) -> list[Any]:
    layout, tag = enum_layout(type), value[0]
    slots = [_ZERO.get(slot.kind, 0) for slot in layout.slots]
    fields = type.variants[tag].fields
    parts = [part for v, f in zip(value[1:], fields, strict=True) for part in flatten_value(v, f.type)]
    for place, part in zip(layout.places[tag], parts, strict=True):
        slots[place] = part
    return [tag, *slots]


_ZERO: Final[dict[str, Any]] = {"float": 0.0, "bool": False}


def _zeros(type: hir.Type) -> list[Any]:
    return [_ZERO.get(component.kind, 0) for component in flatten(type)]


def unwrapped(value: Value, type: hir.OptionalType) -> Value:
    """Return the value in an optional that is not nil."""
    return None if type.inner is hir.UNIT else value


def inflate(components: Sequence[Any], type: hir.Type) -> Value:
    """Return the value that `components` (ints, floats, bools or 0 and 1) stand for."""
    return _inflate(iter(components), type)


def _inflate(components: Iterator[Any], type: hir.Type) -> Value:
    if isinstance(type, hir.TupleType):
        return tuple([_inflate(components, item) for item in type.items])
    if isinstance(type, hir.OptionalType) and is_flagged(type):
        some = next(components)
        value = _inflate(components, type.inner)
        if not some:
            return None
        return True if type.inner is hir.UNIT else value
    if type is hir.BOOL:
        return next(components) != 0
    if isinstance(type, hir.EnumType) and is_flat_enum(type):
        return _inflate_enum(components, type)
    if type is hir.ANY or isinstance(type, hir.TraitType):
        return next(components), next(components)
    return None if type is hir.UNIT or type is hir.NEVER else next(components)


def _inflate_enum(components: Iterator[Any], type: hir.EnumType) -> Value:
    layout = enum_layout(type)
    tag = next(components)
    slots = [next(components) for _ in layout.slots]
    parts = iter([slots[place] for place in layout.places[tag]])
    return tag, *[_inflate(parts, field.type) for field in type.variants[tag].fields]


def reader(type: hir.Type) -> Reader:
    """Return `read(address) -> value` for a value in an array."""
    return _access(type)[0]


def writer(type: hir.Type) -> Writer:
    """Return `write(address, value)` for a value in an array."""
    return _access(type)[1]


def field_access(type: hir.StructType, index: int) -> tuple[Reader, Writer]:
    """Return `read(object)` and `write(object, value)` for a field."""
    accesses: dict[int, tuple[Reader, Writer]] = type.facts.setdefault("fields", {})
    found = accesses.get(index)
    if found is None:
        field = type.fields[index].type
        layout, first = struct_layout(type)
        offsets = layout.offsets[first[index] :]
        found = accesses[index] = _make_access(field, offsets)
    return found


def variant_access(type: hir.EnumType, variant: int, field: int) -> tuple[Reader, Writer]:
    """Return `read(object)` and `write(object, value)` for a field of a variant of a boxed enum."""
    layout = enum_layout(type)
    offsets = layout.boxes[variant].offsets[layout.first[variant][field] + 1 :]
    return _make_access(type.variants[variant].fields[field].type, offsets)


def box_access(type: hir.Type) -> tuple[Reader, Writer]:
    """Return `read(object)` and `write(object, value)` for the box of a value in an `any`."""
    return _make_access(type, box_layout(type).offsets)


def _access(type: hir.Type) -> tuple[Reader, Writer]:
    found: tuple[Reader, Writer] | None = type.facts.get("access")
    if found is None:
        found = type.facts["access"] = _make_access(type, element_layout(type).offsets)
    return found


def cells_access(type: hir.Type) -> tuple[Reader, Writer]:
    """Return the access to a value each of whose components has an 8-byte cell of its own.

    So values lie in globals and in BUFFER.
    """
    found: tuple[Reader, Writer] | None = type.facts.get("cells")
    if found is None:
        cells = range(0, 8 * len(flatten(type)), 8)
        found = type.facts["cells"] = _make_access(type, cells)
    return found


def _make_access(type: hir.Type, offsets: Sequence[int]) -> tuple[Reader, Writer]:
    """Make the access to a value whose components lie at `offsets`."""
    cells = [
        (*VIEWS[component.name], offset) for component, offset in zip(flatten(type), offsets, strict=False)
    ]
    if is_plain(type):
        return _single_access(type, *cells[0])

    def read(address: int) -> Value:
        return inflate([view[(address + offset) >> shift] for view, shift, offset in cells], type)

    def write(address: int, value: Value) -> None:
        for (view, shift, offset), component in zip(cells, flatten_value(value, type), strict=True):
            view[(address + offset) >> shift] = component

    return read, write


def _single_access(type: hir.Type, view: Any, shift: int, offset: int) -> tuple[Reader, Writer]:
    def write(address: int, value: Value) -> None:
        view[(address + offset) >> shift] = value

    if type is hir.BOOL:
        return (lambda address: view[address + offset] != 0), write
    return (lambda address: view[(address + offset) >> shift]), write


class StructRef:
    """A struct or class instance seen from Python: fields are read and assigned as attributes.

    As long as there is one, the object stays.
    """

    __slots__ = ("_address", "_heap", "_type")
    _address: int
    _type: hir.StructType
    _heap: Heap

    def __init__(self, address: int, type: hir.StructType, heap: Heap) -> None:
        object.__setattr__(self, "_address", address)
        object.__setattr__(self, "_type", type)
        object.__setattr__(self, "_heap", heap)
        heap.pin(address)

    def __del__(self) -> None:
        self._heap.unpin(self._address)

    def __getattr__(self, name: str) -> Any:
        index = self._index(name)
        read, _ = field_access(self._type, index)
        return to_python(read(self._address), self._type.fields[index].type, self._heap)

    def __setattr__(self, name: str, value: Any) -> None:
        index = self._index(name)
        _, write = field_access(self._type, index)
        write(self._address, to_simple(value, self._type.fields[index].type, self._heap))

    def __dir__(self) -> list[str]:
        return [field.name for field in self._type.fields]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StructRef) and self._address == other._address

    def __hash__(self) -> int:
        return hash(self._address)

    def __repr__(self) -> str:
        return f"<{self._type} at {self._address:#x}>"

    def _index(self, name: str) -> int:
        if not self._heap.base:
            raise RuntimeError(f"the engine of this {self._type} was closed")
        index = self._type.field_index(name)
        if index is None:
            raise AttributeError(f"{self._type} has no field {name!r}")
        return index


def object_type(ref: StructRef) -> hir.StructType:
    """Return the type of an object."""
    return ref._type


def object_address(ref: StructRef, heap: Heap) -> int:
    """Return the address of an object of `heap`.

    Raises:
        TypeError: it lies in another heap.
    """
    if ref._heap is not heap:
        raise TypeError(f"{ref!r} is an object of another engine")
    return ref._address


def to_python(value: Value, type: hir.Type, heap: Heap) -> Any:
    """Return `value` as Python sees it: text as str, arrays as lists, structs as `StructRef`."""
    if type is hir.TEXT:
        return heap.read_text(value)
    if isinstance(type, hir.ArrayType):
        owner = heap.lent.owner(value)
        if owner is not None:
            return owner
        return [to_python(item, type.elem, heap) for item in array_values(value, type.elem)]
    if isinstance(type, hir.TupleType):
        pairs = zip(value, type.items, strict=True)
        return tuple([to_python(item, item_type, heap) for item, item_type in pairs])
    if isinstance(type, hir.OptionalType):
        if value is None or (value == 0 and not is_flagged(type)):
            return None
        return to_python(unwrapped(value, type), type.inner, heap)
    if isinstance(type, hir.StructType):
        if is_collection(type):
            from simple_jit.runtime.collection_values import collection_to_python

            return collection_to_python(value, type, heap)
        return StructRef(value, type, heap)
    if isinstance(type, hir.EnumType) and hir.has_payload(type):
        from simple_jit.runtime.enum_values import enum_to_python

        return enum_to_python(value, type, heap)
    if hir.is_dynamic(type):
        from simple_jit.runtime.any_values import any_to_python

        return any_to_python(value, heap)
    if isinstance(type, hir.FnType):
        from simple_jit.runtime.function_values import FunctionValue

        return FunctionValue(value, type, heap)
    return value


def array_values(array: int, elem: hir.Type) -> list[Value]:
    """Return the elements of an array."""
    length, data = I64[(array + ARRAY_LEN) >> 3], I64[(array + ARRAY_DATA) >> 3]
    types = flatten(elem)
    if is_plain(elem) and elem is not hir.BOOL:
        view, shift = VIEWS[types[0].name]
        items: list[Value] = view[data >> shift : (data >> shift) + length].tolist()
        return items
    read, stride = reader(elem), element_layout(elem).size
    return [read(data + i * stride) for i in range(length)]


def to_simple(value: Any, type: hir.Type, heap: Heap) -> Value:
    """Return a Python value as a value of `type`.

    Raises:
        TypeError: it is not one; the message says what was expected.
        OverflowError: an integer is out of the range of its type.
    """
    if isinstance(type, hir.IntType):
        return _to_integer(value, type)
    if isinstance(type, hir.FloatType):
        return _to_float(value, type)
    if type is hir.BOOL:
        return value if isinstance(value, bool) else _mismatch(value, type)
    if type is hir.TEXT:
        return heap.new_text(value) if isinstance(value, str) else _mismatch(value, type)
    if isinstance(type, hir.OptionalType):
        return _to_optional(value, type, heap)
    if isinstance(type, hir.ArrayType):
        return _to_array(value, type, heap)
    if isinstance(type, hir.TupleType):
        if not isinstance(value, (tuple, list)) or len(value) != len(type.items):
            _mismatch(value, type)
        return tuple(all_to_simple(value, type.items, heap))
    if isinstance(type, hir.StructType):
        return _to_struct(value, type, heap)
    if isinstance(type, hir.EnumType):
        return _to_enum(value, type, heap)
    if type is hir.ANY:
        from simple_jit.runtime.any_values import python_to_any

        return python_to_any(value, heap)
    if isinstance(type, hir.FnType):
        from simple_jit.runtime.function_values import function_to_simple

        return function_to_simple(value, type, heap)
    return None if value is None and type is hir.UNIT else _mismatch(value, type)


def all_to_simple(values: Iterable[Any], types: Iterable[hir.Type], heap: Heap) -> list[Value]:
    """Return Python values as values of `types`.

    Those that are made are referred to by name meanwhile: making a dict may collect.
    """
    made: list[Value] = []
    for value, type in zip(values, types):
        made.append(to_simple(value, type, heap))
    return made


def is_collection(type: hir.StructType) -> bool:
    """Is `type` a dict or a set?"""
    return type.scope is not None and type.scope.module.is_core and type.scope.name in ("Dict", "Set")


def _mismatch(value: object, type: hir.Type) -> Value:
    raise TypeError(f"expected {type}, not {value.__class__.__name__}: {value!r}")


def _to_integer(value: Any, type: hir.IntType) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        _mismatch(value, type)
    number: int = value.__index__()
    if not type.min <= number <= type.max:
        raise OverflowError(f"{number} is out of range for {type} ({type.min} to {type.max})")
    return number


def _to_float(value: Any, type: hir.FloatType) -> float:
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        _mismatch(value, type)
    if type.bits == 64:
        return float(value)
    from simple_jit.runtime.memory import round_f32

    return round_f32(float(value))


def _to_optional(value: Any, type: hir.OptionalType, heap: Heap) -> Value:
    if value is None:
        return None if is_flagged(type) else 0
    if type.inner is hir.UNIT:
        return True
    return to_simple(value, type.inner, heap)


def _to_array(value: Any, type: hir.ArrayType, heap: Heap) -> int:
    if hasattr(value, "__array_interface__"):
        from simple_jit.runtime.shared_arrays import shared_address

        found = shared_address(value, type, heap)
        if found is not None and not isinstance(type, hir.FixedArrayType):
            return found
        value = value.tolist() if type.elem in hir.SCALARS.values() else value
    if isinstance(value, (str, bytes, dict)) or not hasattr(value, "__iter__"):
        _mismatch(value, type)
    items = list(value)
    if isinstance(type, hir.FixedArrayType) and len(items) != type.length:
        raise TypeError(f"expected {type}, not {len(items)} items")
    return heap.new_array(type, all_to_simple(items, [type.elem] * len(items), heap))


def _to_struct(value: Any, type: hir.StructType, heap: Heap) -> int:
    """Accept an object of the type, or to make a new one of: a mapping of all field names, or an object of
    another engine or program that has the same fields."""
    if is_collection(type):
        from simple_jit.runtime.collection_values import python_to_collection

        return python_to_collection(value, type, heap)
    if isinstance(value, StructRef):
        if value._type is type and value._heap is heap:
            return value._address
        if value._type.name != type.name:
            _mismatch(value, type)
        value = fields_of(value)
    if not isinstance(value, dict):
        _mismatch(value, type)
    names = [field.name for field in type.fields]
    if set(value) != set(names):
        raise TypeError(f"{type} has the fields {', '.join(names)}, not {', '.join(map(str, value))}")
    given = [value[name] for name in names]
    return heap.new_struct(type, all_to_simple(given, [field.type for field in type.fields], heap))


def fields_of(ref: StructRef) -> dict[str, Any]:
    """Return the fields of an object by name, as Python sees them."""
    return {field.name: getattr(ref, field.name) for field in ref._type.fields}


def _to_enum(value: Any, type: hir.EnumType, heap: Heap) -> Value:
    """Accept the name or the number of a variant; with payload, an `EnumValue`."""
    if hir.has_payload(type):
        from simple_jit.runtime.enum_values import enum_to_simple

        return enum_to_simple(value, type, heap)
    for variant in type.variants:
        if value == variant.name or value == variant.value:
            return variant.value
    raise TypeError(f"{type} has no variant {value!r}")
