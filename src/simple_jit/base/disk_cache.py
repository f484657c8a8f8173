"""Files that save work: what was made from the same input by the same version is used again.

A file is used only if nobody but its owner could have written it and its checksum is right. Whatever goes
wrong, the work is done anew: a cache never makes a program fail.
"""

from __future__ import annotations

import os
from _blake2 import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

VARIABLE: Final = "SIMPLE_CACHE"
"""The environment variable that names another directory; `0` turns the cache off."""
MOST_BYTES: Final = 128 << 20
"""Beyond this, what was not used for longest is deleted."""
_KEPT_BYTES: Final = MOST_BYTES // 2
_WRITABLE_BY_OTHERS: Final = 0o022
_DIGEST_BYTES: Final = 16
_SUFFIX: Final = ".bin"


def cache_directory() -> str | None:
    """Return the directory of the cache, which need not exist yet; None where there is to be none."""
    chosen = os.environ.get(VARIABLE)
    if chosen is not None:
        return None if chosen in ("", "0") else chosen
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "simple-jit") if os.path.isabs(base) else None


def digest(*parts: str) -> str:
    """Return what stands for texts in the name of a file: two lists of texts never have the same."""
    state = blake2b(digest_size=_DIGEST_BYTES)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        state.update(len(data).to_bytes(8, "little") + data)
    return state.hexdigest()


class DiskCache:
    """The files of one directory; None stands for no cache, which loads and saves nothing."""

    __slots__ = ("_directory",)

    def __init__(self, directory: str | None) -> None:
        self._directory = directory

    def __bool__(self) -> bool:
        return self._directory is not None

    def load(self, name: str) -> bytes | None:
        """Return what was saved under a name, or None."""
        if self._directory is None:
            return None
        path = self._path(name)
        try:
            with open(path, "rb") as file:
                about = os.fstat(file.fileno())
                if about.st_uid != os.geteuid() or about.st_mode & _WRITABLE_BY_OTHERS:
                    return None
                data = file.read()
            os.utime(path)
        except OSError:
            return None
        content = data[_DIGEST_BYTES:]
        return content if data[:_DIGEST_BYTES] == _checksum(content) else None

    def save(self, name: str, content: bytes) -> None:
        """Keep something under a name, if the directory can be written to."""
        if self._directory is None:
            return
        path = self._path(name)
        scratch = f"{path}.{os.getpid()}"
        try:
            os.makedirs(self._directory, mode=0o700, exist_ok=True)
            self._make_room()
            with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(_checksum(content) + content)
            os.replace(scratch, path)
        except OSError:
            pass

    def _path(self, name: str) -> str:
        assert self._directory is not None
        return os.path.join(self._directory, name + _SUFFIX)

    def _make_room(self) -> None:
        """Delete what was not used for longest, where there is too much."""
        with os.scandir(self._directory) as entries:
            files = [(entry.stat(), entry.path) for entry in entries]
        total = sum([about.st_size for about, _ in files])
        if total > MOST_BYTES:
            for about, path in sorted(files, key=lambda file: file[0].st_mtime):
                total -= about.st_size
                os.unlink(path)
                if total <= _KEPT_BYTES:
                    return


def _checksum(content: bytes) -> bytes:
    return blake2b(content, digest_size=_DIGEST_BYTES).digest()


def stamps(directory: str) -> str:
    """Return the names, sizes and times of the files of a package, and of those in it.

    Raises:
        OSError: it is no directory, or cannot be read.
    """
    found: list[tuple[str, object]] = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if not entry.is_dir():
                about = entry.stat()
                found.append((entry.name, (about.st_size, about.st_mtime_ns)))
            elif entry.name != "__pycache__":
                found.append((entry.name, stamps(entry.path)))
    return repr(sorted(found, key=lambda stamp: stamp[0]))


def processor() -> str:
    """Return what the system says of its first processor; empty where that is not known here."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            lines = file.read(8192).split("\n\n")[0].splitlines()
    except OSError:
        return ""
    wanted = ("vendor_id", "model name", "flags", "Features", "CPU part")
    return "\n".join(line for line in lines if line.startswith(wanted))
