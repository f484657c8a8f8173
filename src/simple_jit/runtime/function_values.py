"""Function values of the program as Python sees them: objects that can be called."""

from __future__ import annotations

from simple_jit.hir import types as hir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from simple_jit.runtime.heap import Heap


class FunctionValue:
    """A function or closure of the program. As long as there is one, the closure stays."""

    __slots__ = ("_address", "_heap", "_program", "_type")

    def __init__(self, address: int, type: hir.FnType, heap: Heap) -> None:
        self._address = address
        self._type = type
        self._heap = heap
        self._program = heap.program
        heap.pin(address)

    def __del__(self) -> None:
        self._heap.unpin(self._address)

    def __call__(self, *args: Any) -> Any:
        """Call it with Python values.

        Raises:
            TypeError: the arguments do not fit.
            SimpleError: it failed.
        """
        from simple_jit.runtime.values import all_to_simple, to_python

        type, heap = self._type, self._heap
        if not heap.base:
            raise RuntimeError(f"the engine of this {type} was closed")
        self._check_program()
        if len(args) != len(type.params):
            raise TypeError(f"a {type} was called with {len(args)} arguments")
        values = all_to_simple(args, type.params, heap)
        return to_python(heap.call_value(self._address, values), type.ret, heap)

    def _check_program(self) -> None:
        if self._program is not self._heap.program:
            raise RuntimeError(f"the program of this {self._type} was replaced by another")

    def __repr__(self) -> str:
        return f"<{self._type} at {self._address:#x}>"


def function_to_simple(value: Any, type: hir.FnType, heap: Heap) -> int:
    """Return the address of a function value of `type` in `heap`.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, FunctionValue):
        raise TypeError(f"expected {type}, not {value.__class__.__name__}: a function of the program")
    if value._heap is not heap:
        raise TypeError(f"{value!r} is a function of another engine")
    if value._type is not type:
        raise TypeError(f"expected {type}, not {value._type}")
    value._check_program()
    return value._address
