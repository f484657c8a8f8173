"""Values of enums with payload as Python sees them."""

from __future__ import annotations

from simple_jit.hir import types as hir
from simple_jit.mir.abi import HEADER_SIZE
from simple_jit.mir.layout import enum_layout, variant_descriptor
from simple_jit.runtime.memory import I64
from simple_jit.runtime.values import all_to_simple, is_flat_enum, to_python, variant_access

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from simple_jit.runtime.heap import Heap


class EnumValue:
    """A value of an enum: the name of its variant and the values it carries.

    Named ones are attributes too. Two are equal where variant and values are.
    """

    __match_args__ = ("variant", "values")
    __slots__ = ("names", "values", "variant")

    def __init__(self, variant: str, *values: Any, names: tuple[str, ...] = ()) -> None:
        self.variant = variant
        self.values = values
        self.names = names

    def __getattr__(self, name: str) -> Any:
        if name in EnumValue.__slots__ or name not in self.names:
            raise AttributeError(f"{self.variant} carries no {name!r}")
        return self.values[self.names.index(name)]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EnumValue):
            return NotImplemented
        return self.variant == other.variant and self.values == other.values

    def __hash__(self) -> int:
        return hash((self.variant, self.values))

    def __repr__(self) -> str:
        return f"{self.variant}({', '.join(map(repr, self.values))})" if self.values else self.variant


def enum_to_python(value: Any, type: hir.EnumType, heap: Heap) -> EnumValue:
    """Return a value in the interpreter's form as an `EnumValue`."""
    flat = is_flat_enum(type)
    tag = value[0] if flat else I64[(value + HEADER_SIZE) >> 3]
    variant = type.variants[tag]
    parts = []
    for index, field in enumerate(variant.fields):
        part = value[index + 1] if flat else variant_access(type, tag, index)[0](value)
        parts.append(to_python(part, field.type, heap))
    return EnumValue(variant.name, *parts, names=tuple(field.name for field in variant.fields))


def enum_to_simple(value: Any, type: hir.EnumType, heap: Heap) -> Any:
    """Accept an `EnumValue`, or the name of a variant without payload.

    Raises:
        TypeError: there is no such variant, or it does not carry these values.
    """
    given = EnumValue(value) if isinstance(value, str) else value
    if not isinstance(given, EnumValue):
        raise TypeError(f"expected {type}, not {value.__class__.__name__}: {value!r}")
    for tag, variant in enumerate(type.variants):
        if variant.name == given.variant and len(variant.fields) == len(given.values):
            parts = all_to_simple(given.values, [field.type for field in variant.fields], heap)
            return (tag, *parts) if is_flat_enum(type) else _boxed(type, tag, parts, heap)
    raise TypeError(f"{type} has no variant {given!r}")


def _boxed(type: hir.EnumType, tag: int, parts: list[Any], heap: Heap) -> int:
    size = enum_layout(type).boxes[tag].size
    address = heap.allocate(size, heap.context.types.number(variant_descriptor(type, tag)))
    I64[(address + HEADER_SIZE) >> 3] = tag
    for index, part in enumerate(parts):
        variant_access(type, tag, index)[1](address, part)
    return address
