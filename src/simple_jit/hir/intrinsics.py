"""The operations that only library modules may use: memory, the context, raw scalars.

In source an intrinsic is a call of a name with two leading underscores: `__load<u8>(address)`,
`__array_len(xs)`. `TABLE` gives, for each, how many arguments it takes, whether it takes a type
argument, and its meaning. Addresses and sizes are i64, in bytes. None of them checks anything.
"""

from __future__ import annotations

from simple_jit.hir.types import F64, I64, UNIT, Type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class Signature:
    """Fixed parameter types are given; None stands for any type, ret None for a computed one."""

    __slots__ = ("params", "ret", "takes_type")

    def __init__(self, params: tuple[Type | None, ...], ret: Type | None, takes_type: bool = False) -> None:
        self.params = params
        self.ret = ret
        self.takes_type = takes_type


TABLE: Final[dict[str, Signature]] = {
    # memory: T is any type with a layout (scalars, references, optionals, tuples)
    "load": Signature((I64,), None, True),  # __load<T>(address) -> T
    "store": Signature((I64, None), UNIT),  # __store(address, value)
    "stride": Signature((), I64, True),  # __stride<T>(): bytes between array elements
    "type_id": Signature((), I64, True),  # __type_id<T>(): the descriptor of a heap type
    "address": Signature((None,), I64),  # __address(reference)
    "reference": Signature((I64,), None, True),  # __reference<T>(address) -> T
    "alloc": Signature((I64, I64), I64),  # __alloc(bytes, type id): zeroed, header written
    "mem_copy": Signature(
        (I64, I64, I64), UNIT
    ),  # __mem_copy(to, from, bytes), may overlap (memmove)
    "mem_fill": Signature((I64, I64, I64), UNIT),  # __mem_fill(to, byte, bytes)
    "mem_compare": Signature((I64, I64, I64), I64),  # like memcmp: the sign only is defined
    # arrays; the object is [header, length, capacity, data address]
    "array_capacity": Signature((None,), I64),
    "array_data": Signature((None,), I64),
    "array_set_len": Signature((None, I64), UNIT),
    "array_set_data": Signature((None, I64, I64), UNIT),  # (array, data address, capacity)
    "array_load": Signature((None, I64), None),  # unchecked element, 0 <= index < capacity
    "array_store": Signature((None, I64, None), UNIT),
    # the context block (mir.abi has the offsets)
    "ctx_load": Signature((I64,), I64),  # the offset must be a literal
    "ctx_store": Signature((I64, I64), UNIT),
    # scalars
    "sqrt": Signature((None,), None),  # of a float, the type of the argument
    "floor": Signature((None,), None),
    "ceil": Signature((None,), None),
    "trunc": Signature((None,), None),
    "abs": Signature((None,), None),  # of a float
    "popcount": Signature((None,), I64),  # of an integer
    "leading_zeros": Signature((None,), I64),  # of an integer, in the width of its type
    "trailing_zeros": Signature((None,), I64),
    "bits": Signature((F64,), I64),
    "from_bits": Signature((I64,), F64),
}
