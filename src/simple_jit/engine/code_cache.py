"""The collector's code on disk: it is the same in every process."""

from __future__ import annotations

import marshal
import os
import sys

from simple_jit.base.disk_cache import DiskCache, cache_directory, digest, processor, stamps
from simple_jit.tiers.contract import CompiledCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from simple_jit.tiers.contract import Backend

_PACKAGE: Final = os.path.dirname(os.path.dirname(__file__))
_MODULES: Final = {"cranelift": "cranelift", "llvm": "llvmlite"}


class CachedUnit:
    """A compiled unit and the cells it calls through: the name of what each must hold."""

    __slots__ = ("cells", "code")

    def __init__(self, code: CompiledCode, cells: dict[str, int]) -> None:
        self.code = code
        self.cells = cells


class CodeCache:
    """Units of code by name, as one back end and this version of the compiler make them for this machine."""

    def __init__(self, backend: Backend) -> None:
        directory = cache_directory()
        self._key = _key(backend) if directory is not None else ""
        self._files = DiskCache(directory if self._key else None)

    def load(self, name: str) -> CachedUnit | None:
        """Return a unit, or None where there is none."""
        content = self._files.load(self._file(name))
        if content is None:
            return None
        text, entries, cells = marshal.loads(content)
        return CachedUnit(CompiledCode(text, entries), cells)

    def save(self, name: str, unit: CachedUnit) -> None:
        """Keep a unit for later processes."""
        self._files.save(self._file(name), marshal.dumps((unit.code.text, unit.code.entries, unit.cells)))

    def _file(self, name: str) -> str:
        return f"{name}-{self._key}"


def _key(backend: Backend) -> str:
    """Return what stands for all that code depends on; empty where that cannot be known."""
    machine = processor()
    module = sys.modules.get(_MODULES[backend.name])
    if not machine or module is None:
        return ""
    try:
        return digest(stamps(_PACKAGE), stamps(os.path.dirname(str(module.__file__))), machine)
    except OSError:
        return ""
