"""How values of the language lie in MIR locals and in memory.

A type flattens into *components*, one machine value each:

    i64, f64, bool …   itself                text, array, struct, class   ref
    ()                 nothing               T? of one of those           ref, null is nil
    (A, B)             those of A, then B    other T?                     bool (is there one), then T
    enum, no payload   i64                   function value               ref
    any, trait         i64 (a descriptor's number), i64 (the bits or address of the value)

An enum with payload is *flat*, an i64 (the variant's position) and components that the variants share,
or, where it contains itself or needs too many of them, *boxed*: a ref to an object that starts with
the position.

In memory (fields, array elements) the components lie like the members of a C struct.
"""

from __future__ import annotations

from _weakref import ref

from simple_jit.hir import types as hir
from simple_jit.mir import nodes as mir
from simple_jit.mir.abi import ARRAY_SIZE, HEADER_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from simple_jit.mir.parse import TypeShape

_SCALARS: Final[dict[hir.Type, tuple[mir.MirType, ...]]] = {
    **{type: (mir.TYPES[name],) for name, type in hir.SCALARS.items()},
    hir.TEXT: (mir.REF,),
    hir.UNIT: (),
    hir.NEVER: (),
}
for _type, _parts in _SCALARS.items():
    _type.facts["components"] = _parts


def flatten(type: hir.Type) -> tuple[mir.MirType, ...]:
    """Return the machine types of the components of `type`."""
    found: tuple[mir.MirType, ...] | None = type.facts.get("components")
    if found is None:
        found = type.facts["components"] = _flatten(type)
    return found


def _flatten(type: hir.Type) -> tuple[mir.MirType, ...]:
    if hir.is_reference(type) or hir.is_nullable_reference(type):
        return (mir.REF,)
    if isinstance(type, hir.EnumType):
        return enum_components(type)
    if type is hir.ANY or isinstance(type, hir.TraitType):
        return (mir.I64, mir.I64)
    if isinstance(type, hir.OptionalType):
        return (mir.BOOL, *flatten(type.inner))
    if isinstance(type, hir.TupleType):
        return tuple(part for item in type.items for part in flatten(item))
    raise AssertionError(f"no layout for {type}")


class Layout:
    """Where the components of one value, or of the fields of an object, lie.

    `offsets` in bytes, one a component, from the start of the value; `size` is a multiple of `align`.
    """

    __slots__ = ("align", "offsets", "size", "types")

    def __init__(self, types: Sequence[mir.MirType], start: int = 0) -> None:
        self.types = tuple(types)
        self.align = 1
        position = start
        offsets = []
        for type in self.types:
            position = -(-position // type.size) * type.size
            offsets.append(position)
            position += type.size
            self.align = max(self.align, type.size)
        self.offsets = tuple(offsets)
        self.size = -(-position // self.align) * self.align


def element_layout(type: hir.Type) -> Layout:
    """Return the layout of an array element; its `size` is the stride (1 where nothing is stored)."""
    found: Layout | None = type.facts.get("element")
    if found is None:
        found = type.facts["element"] = Layout(flatten(type))
        found.size = max(found.size, 1)
    return found


def struct_layout(type: hir.StructType) -> tuple[Layout, tuple[int, ...]]:
    """Return the layout of an instance, header included, and each field's first component in it."""
    found: tuple[Layout, tuple[int, ...]] | None = type.facts.get("instance")
    if found is None:
        parts: list[mir.MirType] = []
        first = []
        for field in type.fields:
            first.append(len(parts))
            parts.extend(flatten(field.type))
        layout = Layout(parts, HEADER_SIZE)
        layout.size = max(layout.size, 2 * HEADER_SIZE)
        found = type.facts["instance"] = layout, tuple(first)
    return found


MAX_FLAT: Final = 6
"""Components that a flat enum may have beside its position."""


class EnumLayout:
    """How the variants of an enum with payload share components, or lie in boxes.

    Flat: `slots` are the shared components, `places[v]` the slots of the components of variant v. Boxed:
    `boxes[v]` is the layout of its object, whose first component is the position. `first[v][f]` is
    the first component of field f among those of the variant's payload.
    """

    __slots__ = ("boxed", "boxes", "first", "places", "slots")

    def __init__(self, type: hir.EnumType, boxed: bool) -> None:
        self.boxed = boxed
        self.slots: list[mir.MirType] = []
        self.places: list[list[int]] = []
        self.boxes: list[Layout] = []
        self.first: list[list[int]] = []
        for variant in type.variants:
            parts: list[mir.MirType] = []
            first = []
            for field in variant.fields:
                first.append(len(parts))
                parts.extend(flatten(field.type))
            self.first.append(first)
            self.places.append(self._share(parts))
            if boxed:
                self.boxes.append(Layout((mir.I64, *parts), HEADER_SIZE))

    def _share(self, parts: list[mir.MirType]) -> list[int]:
        """Give each part a slot of its type that no other part of the variant has."""
        taken: list[int] = []
        for part in parts:
            free = [n for n, slot in enumerate(self.slots) if slot is part and n not in taken]
            if not free:
                free = [len(self.slots)]
                self.slots.append(part)
            taken.append(free[0])
        return taken


_under_way: list[hir.EnumType] = []


def enum_layout(type: hir.EnumType) -> EnumLayout:
    """Return the layout of an enum with payload."""
    flatten(type)
    layout: EnumLayout = type.facts["enum"]
    return layout


def enum_components(type: hir.EnumType) -> tuple[mir.MirType, ...]:
    """Return the components of an enum; one that is being laid out contains itself, so it is boxed."""
    if not hir.has_payload(type):
        return (mir.I64,)
    if type in _under_way:
        type.facts["recursive"] = True
        return (mir.REF,)
    _under_way.append(type)
    try:
        layout = EnumLayout(type, boxed=False)
    finally:
        _under_way.pop()
    if "recursive" in type.facts or len(layout.slots) > MAX_FLAT:
        type.facts["components"] = (mir.REF,)
        layout = EnumLayout(type, boxed=True)
    type.facts["enum"] = layout
    return (mir.REF,) if layout.boxed else (mir.I64, *layout.slots)


class Descriptor:
    """What the heap knows of a type: its name, and where references lie.

    `references` are offsets into the object (struct) or into one element (array, with `stride`), of what
    is the address of an object or nil, or (the payload of an `any`) may be one. Each context numbers the
    descriptors that it meets (`runtime.type_numbers`). A descriptor lives as long as a type that it was
    made for, or a context that has a number for it.
    """

    __slots__ = ("__weakref__", "_types", "kind", "name", "references", "size", "stride")

    def __init__(self, name: str, kind: str, size: int, stride: int, references: tuple[int, ...]) -> None:
        self.name = name
        self.kind = kind
        self.size = size
        self.stride = stride
        self.references = references
        self._types: list[ref[hir.Type]] = []

    def add_type(self, type: hir.Type) -> None:
        """Note that objects of `type` look like this."""
        self._types = [known for known in self._types if known() is not None]
        self._types.append(ref(type))

    @property
    def type(self) -> hir.Type:
        """The type that it was last made for, of those that still exist."""
        for known in reversed(self._types):
            type = known()
            if type is not None:
                return type
        raise LookupError(f"no program has the type {self.name} any longer")


_by_name: dict[str, ref[Descriptor]] = {}
_cleaned: Final = [0]
"""How many descriptors there were when those that are gone were last thrown out."""


def _add(name: str, kind: str, size: int, stride: int, references: tuple[int, ...]) -> Descriptor:
    """Return the descriptor called `name`; another program's type of that name may look different."""
    shape = kind, size, stride, references
    while True:
        entry = _by_name.get(name)
        found = entry() if entry is not None else None
        if found is None:
            break
        if (found.kind, found.size, found.stride, found.references) == shape:
            return found
        name += "'"
    if len(_by_name) >= 2 * _cleaned[0] + 64:
        for other, entry in list(_by_name.items()):
            if entry() is None:
                del _by_name[other]
        _cleaned[0] = len(_by_name)
    found = Descriptor(name, *shape)
    _by_name[name] = ref(found)
    return found


FREE_DESCRIPTOR: Final = _add("free", "free", 16, 0, ())
"""Memory that is no object."""
BUFFER_DESCRIPTOR: Final = _add("buffer", "buffer", 0, 1, ())
TEXT_DESCRIPTOR: Final = _add("text", "text", 0, 1, ())
FIXED_DESCRIPTORS: Final = (FREE_DESCRIPTOR, BUFFER_DESCRIPTOR, TEXT_DESCRIPTOR)
"""Those that have the same number everywhere: their place in this list."""


def traced(type: hir.Type) -> tuple[bool, ...]:
    """Return for each component of `type` whether it may hold the address of an object."""
    if hir.is_nullable_reference(type):
        return (True,)
    if type is hir.ANY or isinstance(type, hir.TraitType):
        return (False, True)
    if isinstance(type, hir.OptionalType):
        return (False, *traced(type.inner))
    if isinstance(type, hir.TupleType):
        return tuple(part for item in type.items for part in traced(item))
    if isinstance(type, hir.EnumType) and hir.has_payload(type):
        layout = enum_layout(type)
        return (True,) if layout.boxed else (False, *_traced_slots(type, layout))
    return tuple(part is mir.REF for part in flatten(type))


def _traced_slots(type: hir.EnumType, layout: EnumLayout) -> list[bool]:
    """Return for each slot whether any variant keeps an address in it."""
    found = [False] * len(layout.slots)
    for variant, places in zip(type.variants, layout.places, strict=True):
        parts = [part for field in variant.fields for part in traced(field.type)]
        for place, part in zip(places, parts, strict=True):
            found[place] = found[place] or part
    return found


def _references(layout: Layout, types: Sequence[hir.Type]) -> tuple[int, ...]:
    """Return where components that may be addresses lie; `types` are those of the values in `layout`."""
    flags = [flag for type in types for flag in traced(type)]
    return tuple(offset for offset, flag in zip(layout.offsets, flags, strict=True) if flag)


def descriptor(type: hir.Type) -> Descriptor:
    """Return the descriptor of a type: what its objects look like, or their boxes in an `any`."""
    found: Descriptor | None = type.facts.get("descriptor")
    if found is None:
        found = type.facts["descriptor"] = _describe(type)
        found.add_type(type)
    return found


def described(shape: TypeShape) -> Descriptor:
    """Return the descriptor of a type that MIR text describes."""
    size, stride = (ARRAY_SIZE, shape.size) if shape.kind == "array" else (shape.size, 0)
    return _add(shape.name, shape.kind, size, stride, shape.references)


def type_named(name: str) -> hir.Type | None:
    """Return the text or array type of the language that has the key `name`; None for all other types."""
    elem, depth = name, 0
    while elem.startswith("[") and elem.endswith("]"):
        elem, depth = elem[1:-1], depth + 1
    type = hir.TEXT if elem == hir.TEXT.name else hir.SCALARS.get(elem) if depth else None
    for _ in range(depth if type is not None else 0):
        assert type is not None
        type = hir.array_of(type)
    return type


def _describe(type: hir.Type) -> Descriptor:
    if type is hir.TEXT:
        return TEXT_DESCRIPTOR
    if isinstance(type, hir.ArrayType):
        layout = element_layout(type.elem)
        return _add(type_key(type), "array", ARRAY_SIZE, layout.size, _references(layout, [type.elem]))
    if isinstance(type, hir.StructType):
        layout, _ = struct_layout(type)
        fields = [field.type for field in type.fields]
        return _add(type_key(type), "struct", layout.size, 0, _references(layout, fields))
    layout = box_layout(type)
    return _add(type_key(type), "value", layout.size, 0, _references(layout, [type]))


def variant_descriptor(type: hir.EnumType, variant: int) -> Descriptor:
    """Return the descriptor of the objects of a variant of a boxed enum."""
    boxes: dict[int, Descriptor] = type.facts.setdefault("boxes", {})
    found = boxes.get(variant)
    if found is None:
        layout = enum_layout(type).boxes[variant]
        types = [hir.I64, *[field.type for field in type.variants[variant].fields]]
        name = f"{type_key(type)}.{type.variants[variant].name}"
        found = boxes[variant] = _add(name, "struct", layout.size, 0, _references(layout, types))
    return found


def box_layout(type: hir.Type) -> Layout:
    """Return the layout of the object that holds a value in an `any` where one word does not."""
    return Layout(flatten(type), HEADER_SIZE)


def descriptor_named(name: str) -> Descriptor:
    """Return the descriptor that was made under `name`.

    Raises:
        LookupError: there is none, or no longer.
    """
    entry = _by_name.get(name)
    found = entry() if entry is not None else None
    if found is None:
        raise LookupError(f"there is no type {name}")
    return found


def type_key(type: hir.Type) -> str:
    """Return a name for `type` that no other type of the program has."""
    if isinstance(type, hir.ArrayType):
        return f"[{type_key(type.elem)}]"
    if isinstance(type, hir.OptionalType):
        return f"{type_key(type.inner)}?"
    if isinstance(type, hir.TupleType):
        return f"({','.join(map(type_key, type.items))})"
    if isinstance(type, hir.FnType):
        return f"fn({','.join(map(type_key, type.params))})->{type_key(type.ret)}"
    if isinstance(type, (hir.StructType, hir.EnumType, hir.TraitType)):
        return type.key
    return type.name
