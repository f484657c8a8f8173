"""Finding what to test: spec files below folders, and files with `@test` functions."""

from __future__ import annotations

import os

SUFFIX = "_spec.spl"


class NothingThere(Exception):
    """A path that was named does not exist."""


def find_files(paths: list[str]) -> list[str]:
    """Return the files to test: those named, and what folders have below them, sorted.

    In folders, files count whose name ends with `_spec.spl`, and those with a line `@test`.

    Raises:
        NothingThere: a path does not exist.
    """
    found: dict[str, None] = {}
    for path in paths:
        if os.path.isdir(path):
            for file in _below(path):
                found.setdefault(os.path.normpath(file))
        elif os.path.exists(path):
            found.setdefault(os.path.normpath(path))
        else:
            raise NothingThere(path)
    return list(found)


def _below(folder: str) -> list[str]:
    files = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        for name in sorted(names):
            path = os.path.join(parent, name)
            if name.endswith(SUFFIX) or (name.endswith(".spl") and _has_test_functions(path)):
                files.append(path)
    return files


def _has_test_functions(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return any(line.split()[:1] == [b"@test"] for line in file if b"@test" in line)
    except OSError:
        return False
