"""Compiled code on disk: that of the collector, which is the same in every process.

A file is used only if it was made by the same version of the compiler and the back end, for the same
processor, and if nobody but its owner could have written it. Whatever goes wrong, the code is compiled.
"""

from __future__ import annotations

import marshal
import os
import sys
from zlib import crc32

from simple_jit.tiers.contract import CompiledCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from simple_jit.tiers.contract import Backend

VARIABLE: Final = "SIMPLE_CACHE"
"""The environment variable that names another directory; `0` turns the cache off."""
_PACKAGE: Final = os.path.dirname(os.path.dirname(__file__))
_WRITABLE_BY_OTHERS: Final = 0o022
_CHECKSUM_BYTES: Final = 4


def cache_directory() -> str | None:
    """Return the directory of the cache, which need not exist yet; None where there is to be none."""
    chosen = os.environ.get(VARIABLE)
    if chosen is not None:
        return None if chosen in ("", "0") else chosen
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "simple-jit") if os.path.isabs(base) else None


class CachedUnit:
    """A compiled unit and the cells it calls through: the name of what each must hold."""

    __slots__ = ("cells", "code")

    def __init__(self, code: CompiledCode, cells: dict[str, int]) -> None:
        self.code = code
        self.cells = cells


class CodeCache:
    """Units of code by name, as one back end compiled them for this machine."""

    def __init__(self, backend: Backend) -> None:
        self._directory = cache_directory()
        self._backend = backend.name
        self._key = _key(backend) if self._directory else ""

    def load(self, name: str) -> CachedUnit | None:
        """Return a unit, or None where there is none that may be used."""
        if not self._key:
            return None
        try:
            with open(self._path(name), "rb") as file:
                about = os.fstat(file.fileno())
                if about.st_uid != os.geteuid() or about.st_mode & _WRITABLE_BY_OTHERS:
                    return None
                data = file.read()
        except OSError:
            return None
        content = data[_CHECKSUM_BYTES:]
        if data[:_CHECKSUM_BYTES] != _checksum(content):
            return None
        key, text, entries, cells = marshal.loads(content)
        return CachedUnit(CompiledCode(text, entries), cells) if key == self._key else None

    def save(self, name: str, unit: CachedUnit) -> None:
        """Keep a unit for later processes, if the directory can be written to."""
        if not self._key:
            return
        content = marshal.dumps((self._key, unit.code.text, unit.code.entries, unit.cells))
        path = self._path(name)
        scratch = f"{path}.{os.getpid()}"
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(_checksum(content) + content)
            os.replace(scratch, path)
        except OSError:
            pass  # the next process compiles it again

    def _path(self, name: str) -> str:
        assert self._directory is not None
        return os.path.join(self._directory, f"{name}-{self._backend}.bin")


def _checksum(content: bytes) -> bytes:
    return crc32(content).to_bytes(_CHECKSUM_BYTES, "little")


def _key(backend: Backend) -> str:
    """Return what code depends on; empty where that cannot be known."""
    processor = _processor()
    module = sys.modules.get({"cranelift": "cranelift", "llvm": "llvmlite"}[backend.name])
    if not processor or module is None:
        return ""
    try:
        return repr((_stamps(_PACKAGE), _stamps(os.path.dirname(str(module.__file__))), processor))
    except OSError:
        return ""


def _stamps(directory: str) -> int:
    """Return a checksum of the names, sizes and times of the files in a package."""
    found: list[tuple[object, ...]] = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    found.append((entry.name, _stamps(entry.path)))
            else:
                about = entry.stat()
                found.append((entry.name, about.st_size, about.st_mtime_ns))
    return crc32(repr(sorted(found, key=lambda stamp: str(stamp[0]))).encode())


def _processor() -> str:
    """Return what the system says of its first processor; empty where that is not known here."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            lines = file.read(8192).split("\n\n")[0].splitlines()
    except OSError:
        return ""
    wanted = ("vendor_id", "model name", "flags", "Features", "CPU part")
    return "\n".join(line for line in lines if line.startswith(wanted))
