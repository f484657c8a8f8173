"""What C gets, in the words of C: the signatures of functions that it calls back.

The pointer that C gets for a function value is what `rt_callback_i64_i64_to_i32` returns for it.
"""

from __future__ import annotations

from simple_jit.hir import types as hir
from simple_jit.mir import nodes as mir
from simple_jit.mir.layout import flatten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

PREFIX: Final = "rt_callback_"
_SEPARATOR: Final = "_to_"
_OPTIONAL_TEXT = hir.optional_of(hir.TEXT)
NUL_IN_TEXT: Final = "a text with a NUL character cannot be passed to C, where it would end there"
COPIES: Final = {hir.TEXT: "rt_text_from_c", _OPTIONAL_TEXT: "rt_optional_text_from_c"}
"""What makes a text of the characters that come from C."""


class CallbackSignature:
    """What C passes and takes: names of machine types, `text`, `maybe` (a text or NULL), `unit` (nothing)."""

    __slots__ = ("params", "ret")

    def __init__(self, params: tuple[str, ...], ret: str) -> None:
        self.params = params
        self.ret = ret

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CallbackSignature) and (self.params, self.ret) == (other.params, other.ret)

    def __hash__(self) -> int:
        return hash((self.params, self.ret))

    @property
    def symbol(self) -> str:
        """The name of the runtime function that returns pointers to functions of this signature."""
        return PREFIX + "_".join(self.params) + _SEPARATOR + self.ret


def signature_of(type: hir.FnType) -> CallbackSignature:
    """Return the signature of function values of `type`."""
    return CallbackSignature(tuple([_word(param) for param in type.params]), _word(type.ret))


def parse_symbol(symbol: str) -> CallbackSignature:
    """Return the signature that `CallbackSignature.symbol` was made from."""
    params, _, ret = symbol.removeprefix(PREFIX).rpartition(_SEPARATOR)
    return CallbackSignature(tuple(params.split("_")) if params else (), ret)


def copy_function(word: str) -> str | None:
    """Return the runtime function that makes a value of what C passes; None: it is the value."""
    return {"text": COPIES[hir.TEXT], "maybe": COPIES[_OPTIONAL_TEXT]}.get(word)


def _word(type: hir.Type) -> str:
    if type is hir.UNIT:
        return "unit"
    if type is hir.TEXT:
        return "text"
    return "maybe" if type is _OPTIONAL_TEXT else flatten(type)[0].name


def machine_type(word: str) -> mir.MirType:
    """Return the machine type that C passes for a word of a signature other than `unit`."""
    return mir.TYPES.get(word, mir.PTR)
