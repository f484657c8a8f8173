"""The types of Simple, as HIR nodes carry them.

Every type is *interned*: two equal types are the same object, so `is` compares them and they hash by
identity. Build compound types with the `array_of`, `optional_of`, `tuple_of` … functions, never by
calling their classes.
"""

from __future__ import annotations

# Not `weakref` itself, which takes long to import.
from _weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final, TypeVar

    from simple_jit.syntax import ast


class Type:
    """A type. `str(type)` is how it is written in source.

    `facts` is where later stages keep what they work out about the type: its layout, for one. So that lives
    as long as the type does, which is as long as a program that it occurs in.
    """

    __slots__ = ("__weakref__", "facts", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.facts: dict[str, Any] = {}

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<{self.name}>"


class IntType(Type):
    """A two's-complement integer of 8, 16, 32 or 64 bits."""

    __slots__ = ("bits", "max", "min", "signed")

    def __init__(self, name: str, bits: int, signed: bool) -> None:
        super().__init__(name)
        self.bits = bits
        self.signed = signed
        self.min = -(1 << (bits - 1)) if signed else 0
        self.max = (1 << (bits - 1)) - 1 if signed else (1 << bits) - 1


class FloatType(Type):
    """An IEEE 754 float of 32 or 64 bits."""

    __slots__ = ("bits",)

    def __init__(self, name: str, bits: int) -> None:
        super().__init__(name)
        self.bits = bits


class ArrayType(Type):
    """`[T]`, a growable array by reference."""

    __slots__ = ("elem",)

    def __init__(self, elem: Type) -> None:
        super().__init__(f"[{elem}]")
        self.elem = elem


class FixedArrayType(ArrayType):
    """`[T; N]`: an array that has `length` elements; at run time the same as a `[T]`."""

    __slots__ = ("length",)

    def __init__(self, elem: Type, length: int) -> None:
        super().__init__(elem)
        self.name = f"[{elem}; {length}]"
        self.length = length


class OptionalType(Type):
    """`T?`; `inner` is never itself an optional."""

    __slots__ = ("inner",)

    def __init__(self, inner: Type) -> None:
        super().__init__(f"({inner})?" if isinstance(inner, FnType) else f"{inner}?")
        self.inner = inner


class TupleType(Type):
    """`(A, B, …)` with at least one item."""

    __slots__ = ("items",)

    def __init__(self, items: tuple[Type, ...]) -> None:
        inner = ", ".join(map(str, items))
        super().__init__(f"({inner},)" if len(items) == 1 else f"({inner})")
        self.items = items


class FnType(Type):
    """`fn(A, B) -> R`."""

    __slots__ = ("params", "ret")

    def __init__(self, params: tuple[Type, ...], ret: Type) -> None:
        super().__init__(f"fn({', '.join(map(str, params))}) -> {ret}")
        self.params = params
        self.ret = ret


class ClosureType(FnType):
    """The type of one lambda expression or named function: calls of its values are direct.

    A value is an object of type `env` (its code, then what it captures). `code` makes instances
    (`hir.closures.Code`). Where not all types of parameters are known, `is_open`, each call makes an
    instance for its arguments, and `params` and `ret` mean nothing. Converts to a plain `FnType`.
    """

    __slots__ = ("code", "env", "is_open")

    def __init__(self, plain: FnType | None, env: StructType, code: Any) -> None:
        super().__init__(plain.params if plain else (), plain.ret if plain else NEVER)
        self.is_open = plain is None
        if plain is None:
            self.name = code.shown
        self.env = env
        self.code = code


class TraitType(Type):
    """A trait as a type: any value whose type implements it."""

    __slots__ = ("args", "decl", "key", "scope")

    def __init__(self, name: str, key: str, decl: Any, args: tuple[Type, ...], scope: Any) -> None:
        super().__init__(name)
        self.key = key
        self.decl = decl
        self.args = args
        self.scope = scope


class Field:
    """A field of a struct or class instance type."""

    __slots__ = ("default", "name", "type")

    def __init__(self, name: str, type: Type, default: ast.Expr | None) -> None:
        self.name = name
        self.type = type
        self.default = default


class StructType(Type):
    """A struct or class with its type arguments applied.

    `key` is unique in the program and stable between runs (`main.Box<i64>`). `fields` is filled after
    construction, since a field may name the type itself.
    """

    __slots__ = ("args", "decl", "fields", "is_class", "key", "scope")

    def __init__(
        self, name: str, key: str, decl: Any, args: tuple[Type, ...], is_class: bool, scope: Any
    ) -> None:
        super().__init__(name)
        self.key = key
        self.decl = decl
        self.args = args
        self.is_class = is_class
        self.scope = scope
        self.fields: list[Field] = []

    def field_index(self, name: str) -> int | None:
        """Return the position of the field `name`, or None."""
        for index, field in enumerate(self.fields):
            if field.name == name:
                return index
        return None


class Variant:
    """A variant of an enum; without payload when `fields` is empty."""

    __slots__ = ("fields", "name", "value")

    def __init__(self, name: str, value: int, fields: list[Field]) -> None:
        self.name = name
        self.value = value
        self.fields = fields


class EnumType(Type):
    """An enum. One whose variants carry no payload is represented by the variant's value, an i64."""

    __slots__ = ("args", "decl", "key", "scope", "variants")

    def __init__(self, name: str, key: str, decl: Any, args: tuple[Type, ...], scope: Any) -> None:
        super().__init__(name)
        self.key = key
        self.decl = decl
        self.args = args
        self.scope = scope
        self.variants: list[Variant] = []


def has_payload(type: EnumType) -> bool:
    """Does a variant of `type` carry anything?"""
    return any(variant.fields for variant in type.variants)


def is_plain_enum(type: Type) -> bool:
    """Is `type` an enum that is represented by the value of its variant?"""
    return isinstance(type, EnumType) and not has_payload(type)


I8: Final = IntType("i8", 8, True)
I16: Final = IntType("i16", 16, True)
I32: Final = IntType("i32", 32, True)
I64: Final = IntType("i64", 64, True)
U8: Final = IntType("u8", 8, False)
U16: Final = IntType("u16", 16, False)
U32: Final = IntType("u32", 32, False)
U64: Final = IntType("u64", 64, False)
F32: Final = FloatType("f32", 32)
F64: Final = FloatType("f64", 64)
BOOL: Final = Type("bool")
TEXT: Final = Type("text")
UNIT: Final = Type("()")
NEVER: Final = Type("never")
ANY: Final = Type("any")

SCALARS: Final[dict[str, Type]] = {t.name: t for t in (I8, I16, I32, I64, U8, U16, U32, U64, F32, F64, BOOL)}
ALIASES: Final[dict[str, Type]] = {"int": I64, "float": F64, "str": TEXT, "String": TEXT}


if TYPE_CHECKING:
    T = TypeVar("T", bound=Type)
    Key = int | tuple[int, ...]


class _Table:
    """Interned types by the identities of their parts, which they keep alive; it keeps none of them.

    What is gone is thrown out when the table has grown to twice its size. (A callback of the reference
    could do so at once, but Ctrl-C would be lost in it.)
    """

    __slots__ = ("_full", "entries")

    def __init__(self) -> None:
        self.entries: dict[Key, ref[Any]] = {}
        self._full = 64

    def find(self, key: Key, make: Callable[[], T]) -> T:
        """Return the type of a key, made where there is none."""
        entry = self.entries.get(key)
        found: T | None = entry() if entry is not None else None
        if found is None:
            if len(self.entries) >= self._full:
                self._clean()
            found = make()
            self.entries[key] = ref(found)
        return found

    def _clean(self) -> None:
        for key, entry in list(self.entries.items()):
            if entry() is None:
                del self.entries[key]
        self._full = 2 * len(self.entries) + 64


_arrays: Final = _Table()
_fixed_arrays: Final = _Table()
_optionals: Final = _Table()
_tuples: Final = _Table()
_functions: Final = _Table()


def generalised(type: Type) -> Type:
    """Return the type that elements and type arguments have: not that of one closure alone."""
    return plain_function(type) if isinstance(type, ClosureType) and not type.is_open else type


def array_of(elem: Type) -> ArrayType:
    """Return `[elem]`."""
    elem = generalised(elem)
    return _arrays.find(id(elem), lambda: ArrayType(elem))


def fixed_array_of(elem: Type, length: int) -> FixedArrayType:
    """Return `[elem; length]`."""
    elem = generalised(elem)
    return _fixed_arrays.find((id(elem), length), lambda: FixedArrayType(elem, length))


def growable(type: Type) -> Type:
    """Return `[T]` for `[T; N]`, any other type as it is."""
    return array_of(type.elem) if isinstance(type, FixedArrayType) else type


def optional_of(inner: Type) -> OptionalType:
    """Return `inner?`; an optional stays as it is (`T??` is `T?`)."""
    if isinstance(inner, OptionalType):
        return inner
    inner = generalised(inner)
    return _optionals.find(id(inner), lambda: OptionalType(inner))


def tuple_of(items: Sequence[Type]) -> TupleType:
    """Return `(items…)`; `items` must not be empty (that is `UNIT`)."""
    parts = tuple(items)
    return _tuples.find(tuple(map(id, parts)), lambda: TupleType(parts))


def function_of(params: Sequence[Type], ret: Type) -> FnType:
    """Return `fn(params…) -> ret`."""
    parts = tuple(params)
    return _functions.find((id(ret), *map(id, parts)), lambda: FnType(parts, ret))


def plain_function(type: FnType) -> FnType:
    """Return the type of all functions that take and give the same as those of `type`."""
    return function_of(type.params, type.ret) if isinstance(type, ClosureType) else type


def is_dynamic(type: Type) -> bool:
    """Does a value of `type` carry its own type: is it `any`, or a trait's?"""
    return type is ANY or isinstance(type, TraitType)


def involves_dynamic(type: Type) -> bool:
    """Is `type` one whose values carry their own type, or an optional of it?"""
    return is_dynamic(type.inner if isinstance(type, OptionalType) else type)


def is_reference(type: Type) -> bool:
    """Is a value of `type` one address of a heap object (never null)?"""
    return type is TEXT or isinstance(type, (ArrayType, StructType, FnType))


def is_nullable_reference(type: Type) -> bool:
    """Is `type` an optional whose nil is the null address?"""
    return isinstance(type, OptionalType) and is_reference(type.inner)


def is_number(type: Type) -> bool:
    """Is `type` an integer or float type?"""
    return isinstance(type, (IntType, FloatType))
