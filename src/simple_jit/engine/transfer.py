"""Values from one engine into another, each of which has a heap of its own: all is copied.

A value arrives with the type that it had, where the program that gets it has that type: scalars, texts,
arrays, dicts …, and structs and enums of the same name that look the same. Otherwise as what is most like it:

    i32, u8, f32 …          i64, f64            array, tuple, set       [any]
    struct, class           {text: any}         dict                    {text: any}, if its keys are texts
    variant A, B(1, 2)      "A", {"B": [1, 2]}
"""

from __future__ import annotations

from simple_jit.hir import types as hir
from simple_jit.runtime.any_values import any_to_python, packed, python_to_any
from simple_jit.runtime.enum_values import EnumValue
from simple_jit.runtime.values import StructRef, fields_of, to_simple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from simple_jit.engine.engine import Engine


def import_any(value: Any, type: hir.Type, engine: Engine) -> tuple[int, int]:
    """Return a Python value, which another engine gave for one of its `type`, as an `any` of `engine`.

    Raises:
        TypeError: it is a function, or something else that belongs to its engine.
    """
    if isinstance(type, hir.OptionalType):
        type = hir.UNIT if value is None else type.inner
    if isinstance(type, hir.FnType):
        raise TypeError("a function cannot pass from one engine to another")
    known = _counterpart(type, engine) if type is not hir.ANY else None
    if known is not None:
        return packed(to_simple(value, known, engine.heap), known, engine.heap)
    return python_to_any(_general(value), engine.heap)


def export_any(value: tuple[int, int], engine: Engine) -> Any:
    """Return an `any` of `engine` as the Python value that another engine can take."""
    return any_to_python(value, engine.heap)


def _counterpart(type: hir.Type, engine: Engine) -> hir.Type | None:
    """Return the type of the program of `engine` that is the same, where it has values of it in `any`."""
    program = engine.program
    if program is None or program.finder is None:
        return None
    dynamic = program.finder.dynamic_types()
    if type in dynamic:
        return type
    return next((each for each in dynamic if same_type(each, type)), None)


def same_type(a: hir.Type, b: hir.Type) -> bool:
    """Do types of two programs have the same name and the same parts, all the way down?"""
    return _same(a, b, [])


def _same(a: hir.Type, b: hir.Type, under_way: list[tuple[hir.Type, hir.Type]]) -> bool:
    if a is b or (a, b) in under_way:
        return True
    if a.__class__ is not b.__class__ or a.name != b.name:
        return False
    under_way.append((a, b))
    pairs = list(zip(_parts(a), _parts(b)))
    return len(_parts(a)) == len(_parts(b)) and all(
        name == other and _same(part, counterpart, under_way) for (name, part), (other, counterpart) in pairs
    )


def _parts(type: hir.Type) -> list[tuple[str, hir.Type]]:
    """Return what a type is made of, with names."""
    if isinstance(type, hir.ArrayType):
        return [("", type.elem)]
    if isinstance(type, hir.OptionalType):
        return [("", type.inner)]
    if isinstance(type, hir.TupleType):
        return [("", item) for item in type.items]
    if isinstance(type, hir.StructType):
        return [(field.name, field.type) for field in type.fields]
    if isinstance(type, hir.EnumType):
        return [
            (f"{variant.name}.{field.name}", field.type)
            for variant in type.variants
            for field in variant.fields or [hir.Field("", hir.UNIT, None)]
        ]
    return [(type.name, hir.UNIT)]


def _general(value: Any) -> Any:
    """Return a Python value as one of those that every program knows."""
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_general(item) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("a dict whose keys are no texts cannot pass where its type is not known")
        return {key: _general(item) for key, item in value.items()}
    if isinstance(value, EnumValue):
        return {value.variant: [_general(part) for part in value.values]} if value.values else value.variant
    if isinstance(value, StructRef):
        return {name: _general(part) for name, part in fields_of(value).items()}
    return value
