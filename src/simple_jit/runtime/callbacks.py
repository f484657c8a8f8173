"""Function values that C calls: for each one that is passed to C, a pointer of the signature that C wants.

    pointer → thunk → cell: the address of the function value, 0 when that is gone

A pointer is good as long as its function value: what has no captured variables stays for good, what has some
as long as the program refers to it. After each collection the cells of those that are gone become 0, and
calling such a pointer is an error of the program. A cell is used again much later, by a function value of the
same signature.

Where there is native code the thunks are machine code (`callback_code`), else closures of ctypes that call
the interpreter. Both keep errors from passing through frames of C.
"""

from __future__ import annotations

from _thread import get_ident

from simple_jit.mir import abi
from simple_jit.mir.foreign import CallbackSignature, copy_function
from simple_jit.runtime.code_arena import CodeMemoryError
from simple_jit.runtime.context import Context, release, reserve
from simple_jit.runtime.errors import SimpleError
from simple_jit.runtime.heap import Heap
from simple_jit.runtime.memory import I64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    MakeThunk = Callable[[int, CallbackSignature], int]

MOST: Final = 1 << 20
"""How many function values may have pointers at a time."""
_MANY: Final = 1 << 12
"""So many pointers more than after the last collection are worth a look at which are needed."""
_RESTING: Final = 1 << 10
"""So many cells of a signature lie unused, so that a stale pointer is noticed."""
_TYPE: Final = 0xFFFFFFFF
_NO_CAPTURES: Final = abi.HEADER_SIZE + 8
_DEEPEST: Final = 200
"""How deep callbacks may nest without native code, which looks at the stack itself: 20 KB each, at most."""


class Callbacks:
    """The callbacks of one engine.

    `call_value(closure, args)` calls a function value in the interpreter. `make_native` makes the thunk for
    a cell, once there is native code.
    """

    def __init__(self, context: Context, heap: Heap, copy: Callable[[str], Callable[[int], Any]]) -> None:
        """Prepare for the function values of a heap; `copy(name)` is a runtime function that copies texts."""
        self._context = context
        self._heap = heap
        self._copy = copy
        self._cells = 0
        self._used = 0
        self._live: dict[int, dict[tuple[CallbackSignature, bool], tuple[int, int]]] = {}
        self._resting: dict[tuple[CallbackSignature, bool], list[tuple[int, int]]] = {}
        self._keep: list[object] = []
        self._due = _MANY
        self._depth = 0
        self.call_value: Callable[[int, list[Any]], Any] = _no_interpreter
        self.make_native: MakeThunk | None = None

    def close(self) -> None:
        """Forget all function values. C must not call any of them afterwards."""
        if self._cells:
            release(self._cells, 8 * MOST)
            self._cells = 0
        self._live.clear()
        self._resting.clear()
        self._keep.clear()

    def pointer(self, closure: int, signature: CallbackSignature) -> int:
        """Return what C may call for the function value at `closure`.

        Raises:
            SimpleError: `OutOfMemory`, where too many have pointers already.
        """
        captures = self._context.types.descriptor(I64[closure >> 3] & _TYPE).size > _NO_CAPTURES
        # All values of a function without captured variables are alike.
        key = closure if captures else I64[(closure + abi.HEADER_SIZE) >> 3]
        kind = signature, self.make_native is not None
        found = self._live.setdefault(key, {}).get(kind)
        if found is not None:
            return found[1]
        if not captures:
            self._heap.pin(closure)
        cell, thunk = self._take_cell(*kind)
        I64[cell >> 3] = closure
        self._live.setdefault(key, {})[kind] = cell, thunk
        return thunk

    def _take_cell(self, signature: CallbackSignature, native: bool) -> tuple[int, int]:
        """Return a cell that is free and the thunk that goes with it."""
        if len(self._live) > self._due or self._used == MOST:
            self._heap.collector.collect("callbacks")
            self._due = 2 * len(self._live) + _MANY
        resting = self._resting.setdefault((signature, native), [])
        if len(resting) > _RESTING or (resting and self._used == MOST):
            return resting.pop(0)
        if self._used == MOST:
            raise SimpleError("OutOfMemory", f"out of memory: C has pointers to {MOST} function values")
        cell = self._new_cell()
        if self.make_native is None:
            return cell, self._interpreted_thunk(cell, signature)
        try:
            return cell, self.make_native(cell, signature)
        except CodeMemoryError as error:
            raise SimpleError("OutOfMemory", f"out of memory: {error}") from None

    def _new_cell(self) -> int:
        if not self._cells:
            self._cells = reserve(8 * MOST) or 0
            if not self._cells:
                raise SimpleError("OutOfMemory", "out of memory")
            self._heap.collector.after_collection.append(self._drop_dead)
        self._used += 1
        return self._cells + 8 * (self._used - 1)

    def forget_program(self) -> None:
        """Take all function values for gone: those of another program have their places in the code table."""
        self._drop_dead(lambda address: False, forget=True)

    def _drop_dead(self, is_alive: Callable[[int], bool], forget: bool = False) -> None:
        """Empty the cells of function values that a collection did not reach; `forget`: and of functions."""
        for key, pointers in list(self._live.items()):
            is_function = key < self._heap.base
            if (is_function and not forget) or (not is_function and is_alive(key)):
                continue
            for kind, (cell, thunk) in pointers.items():
                if is_function:
                    self._heap.unpin(I64[cell >> 3])
                I64[cell >> 3] = 0
                self._resting.setdefault(kind, []).append((cell, thunk))
            del self._live[key]

    # --- Without native code ------------------------------------------------------------------------

    def _interpreted_thunk(self, cell: int, signature: CallbackSignature) -> int:
        from ctypes import CFUNCTYPE, c_void_p, cast

        copies = [self._copy(name) if (name := copy_function(word)) else None for word in signature.params]
        context = self._context
        nothing = None if signature.ret == "unit" else 0

        def call(*args: Any) -> Any:
            if get_ident() != context.load(abi.OWNER):
                return self._refuse(abi.FOREIGN_THREAD, nothing)
            if context.load(abi.FAILED):
                return nothing
            closure = I64[cell >> 3]
            if not closure:
                return self._refuse(abi.DEAD_CALLBACK, nothing)
            self._depth += 1
            try:
                if self._depth > _DEEPEST:
                    raise SimpleError("StackOverflow", "stack overflow")
                return self.call_value(closure, [c(a) if c else a for c, a in zip(copies, args)])
            except BaseException as error:
                context.pending = error
                context.store(abi.FAILED, 1)
                return nothing
            finally:
                self._depth -= 1

        prototype: Any = CFUNCTYPE(ctypes_type(signature.ret), *map(ctypes_type, signature.params))
        thunk = prototype(call)
        self._keep.append(thunk)
        return cast(thunk, c_void_p).value or 0

    def _refuse(self, why: int, result: Any) -> Any:
        self._context.store(abi.BAD_CALLBACK, why)
        self._context.store(abi.FAILED, 1)
        return result


_CTYPES: Final = {
    "i8": "c_int8", "i16": "c_int16", "i32": "c_int32", "i64": "c_int64",
    "u8": "c_uint8", "u16": "c_uint16", "u32": "c_uint32", "u64": "c_uint64",
    "f32": "c_float", "f64": "c_double", "bool": "c_bool",
}  # fmt: skip


def ctypes_type(name: str) -> Any:
    """Return the ctypes type of a machine type; addresses are integers, `unit` is None."""
    import ctypes

    return None if name == "unit" else getattr(ctypes, _CTYPES.get(name, "c_int64"))


def _no_interpreter(closure: int, args: list[Any]) -> Any:
    raise AssertionError("there is no interpreter for callbacks")
