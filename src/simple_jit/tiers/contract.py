"""What a native back end gives and gets."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Final, Protocol

    from simple_jit.mir.nodes import Function, Site
else:
    Protocol = object


EXPLICIT_SITE: Final = (1 << 32) - 1
"""The number of the site of a call of `throw` itself: the error says which it is."""


class BackendError(Exception):
    """Native code that cannot be made; the message says of what, and why."""


class BackendMissing(Exception):
    """A back end whose package is not installed; the message names it and says how to get it."""


class Link(Protocol):
    """Where code finds what it does not contain: offsets, in bytes, into the context block."""

    @property
    def context_address(self) -> int:
        """The address of the context, for `c_convention` functions alone (those are never kept)."""

    def code_offset(self, symbol: str) -> int:
        """The code-table slot of an instance; a new one holds a stub that interprets."""

    def import_offset(self, symbol: str) -> int:
        """The import slot of an extern function."""

    def text_offset(self, value: str) -> int:
        """The slot of a text constant."""

    def site_number(self, site: Site) -> int:
        """The number under which a site is reported."""

    def type_id(self, name: str) -> int:
        """The number of a type descriptor."""


class CallMap(Protocol):
    """Knows the calls in a piece of machine code: how to walk past their frames, and where they stand."""

    def call(self, offset: int) -> tuple[int, tuple[int, ...]] | None:
        """Look up the call that returns to `offset`; None where none is known.

        Returns:
            How far above the stack pointer, once the call has returned, the function's own return address
            lies; and the numbers of the sites of the calls that are under way, one within the other by
            inlining, innermost first.
        """


class CompiledCode:
    """Position-independent machine code: copy `text` anywhere 64-byte aligned and executable.

    `entries` gives the offset of each function in it; tracebacks need the `calls`.
    """

    __slots__ = ("calls", "entries", "text")

    def __init__(self, text: bytes, entries: dict[str, int], calls: CallMap | None = None) -> None:
        self.text = text
        self.entries = entries
        self.calls = calls


class Backend(Protocol):
    """A compiler from MIR to machine code."""

    @property
    def name(self) -> str:
        """`cranelift` or `llvm`."""

    def prefetch(self, level: int = 2) -> None:
        """Load what the first compilation needs; meant for a thread beside the front end.

        Raises:
            BackendMissing: the package behind the back end is not installed.
        """

    def compile(
        self,
        functions: Sequence[Function],
        link: Link,
        level: int = 2,
        exported: Collection[str] | None = None,
    ) -> CompiledCode:
        """Compile functions as one unit; calls between them may be direct. `level` is 0 to 3.

        `exported` are the symbols of those that are entered from outside of the unit: all, unless it is
        given. The others need not have an entry.

        Raises:
            BackendError: something in them is not supported.
        """

    def dump(self, functions: Sequence[Function], link: Link, stage: str, level: int = 2) -> str:
        """Return the text of a stage: the back end's own IR (`clif`, `llvm`) or `asm`."""
