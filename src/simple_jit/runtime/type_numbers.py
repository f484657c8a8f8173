"""The numbers of types in one context: what headers of its objects, and values of `any`, hold.

A number is given when a type is first met. When another program is loaded, the numbers of the one before
are *retired*: objects of theirs may still lie in the heap. The collector says now and then which
numbers it found in headers; retired ones that it did not find are given out again.
"""

from __future__ import annotations

from simple_jit.mir.layout import FIXED_DESCRIPTORS, Descriptor, descriptor, descriptor_named, type_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from simple_jit.hir import types as hir


class TypeNumbers:
    """The descriptors of a context by number, and the reverse.

    `count` is above all numbers in use. `unread` has the numbers that the collector does not know of yet.
    """

    __slots__ = ("_descriptors", "_free", "_numbers", "_retired", "unread")

    def __init__(self) -> None:
        self._descriptors: list[Descriptor | None] = []
        self._numbers: dict[Descriptor, int] = {}
        self._free: list[int] = []
        self._retired: set[int] = set()
        self.unread: list[int] = []
        for about in FIXED_DESCRIPTORS:
            self.number(about)

    @property
    def count(self) -> int:
        return len(self._descriptors)

    @property
    def retired(self) -> int:
        """How many numbers no loaded program has asked for."""
        return len(self._retired)

    def number(self, about: Descriptor) -> int:
        """Return the number of a descriptor."""
        found = self._numbers.get(about)
        if found is None:
            found = self._numbers[about] = self._new_number(about)
            self.unread.append(found)
        self._retired.discard(found)
        return found

    def _new_number(self, about: Descriptor) -> int:
        if self._free:
            number = self._free.pop()
            self._descriptors[number] = about
        else:
            number = len(self._descriptors)
            self._descriptors.append(about)
        return number

    def of(self, type: hir.Type) -> int:
        """Return the number of a type."""
        return self.number(descriptor(type))

    def named(self, name: str) -> int:
        """Return the number of the type whose descriptor is called `name`."""
        return self.number(descriptor_named(name))

    def type(self, number: int) -> hir.Type:
        """Return a type that has the number."""
        return self.descriptor(number).type

    def known(self, number: int) -> hir.Type | None:
        """The same; None where there is none."""
        about = self._descriptors[number] if number < self.count else None
        if about is None:
            return None
        try:
            return about.type
        except LookupError:
            return type_named(about.name)

    def descriptor(self, number: int) -> Descriptor:
        """Return the descriptor that has the number."""
        about = self._descriptors[number]
        assert about is not None, "the number of a type that is gone"
        return about

    def retire(self) -> None:
        """Take all numbers for unused that are not asked for again."""
        fixed = len(FIXED_DESCRIPTORS)
        self._retired.update([number for number in self._numbers.values() if number >= fixed])

    def release(self, found: Iterable[int]) -> None:
        """Free the retired numbers that are not among `found`, those in headers of objects."""
        for number in self._retired.difference(found):
            about = self.descriptor(number)
            del self._numbers[about]
            self._descriptors[number] = None
            self._free.append(number)
            self._retired.discard(number)
