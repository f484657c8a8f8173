"""Object files on disk: the same IR is compiled once, not once in every process.

IR says all that LLVM is told, so that it and the version of LLVM, of its use here, and the processor decide
what comes out.
"""

from __future__ import annotations

import marshal
import os

from simple_jit.base.disk_cache import DiskCache, cache_directory, digest, processor, stamps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from simple_jit.tiers.llvm.hotness import Part


class ObjectCache:
    """The object files of units. Without `enabled` it is empty and stays so."""

    __slots__ = ("_compiler", "_files")

    def __init__(self, *, enabled: bool) -> None:
        directory = cache_directory() if enabled else None
        self._compiler = _compiler() if directory is not None else ""
        self._files = DiskCache(directory if self._compiler else None)

    def key(self, parts: Sequence[Part], texts: Sequence[str]) -> str:
        """Return the name of the objects of a unit, given its IR."""
        if not self._files:
            return ""
        ways = [f"{part.level} {part.whole}" for part in parts]
        return f"llvm-{digest(self._compiler, *ways, *texts)}"

    def load(self, key: str) -> list[bytes] | None:
        content = self._files.load(key)
        return None if content is None else marshal.loads(content)

    def save(self, key: str, objects: list[bytes]) -> None:
        self._files.save(key, marshal.dumps(objects))


def _compiler() -> str:
    """Return what tells this compiler from others; empty where that cannot be known."""
    import llvmlite

    machine = processor()
    try:
        library = stamps(os.path.join(os.path.dirname(llvmlite.__file__), "binding"))
        return digest(stamps(os.path.dirname(__file__)), library, machine) if machine else ""
    except OSError:
        return ""
