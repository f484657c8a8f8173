"""The C compiler that makes the runtime and links: the system's, else that of the package `ziglang`."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

HINT = "install gcc or clang, or `pip install 'simple-jit[aot]'`; `CC` names another compiler"


class ToolchainError(Exception):
    """There is no C compiler, or it failed; the message says which, `details` what it wrote."""

    def __init__(self, message: str, details: str = "", hints: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.hints = hints


def find_compiler() -> list[str]:
    """Return the words of a command that compiles C and links: `$CC`, `cc`, or zig's.

    Raises:
        ToolchainError: there is none.
    """
    import shlex
    import shutil

    named = os.environ.get("CC", "").strip()
    if named:
        words = shlex.split(named)
        if words and shutil.which(words[0]) is None:
            raise ToolchainError(f"there is no C compiler `{words[0]}`, which `CC` names", hints=[HINT])
        return words
    for name in ("cc", "gcc", "clang"):
        if shutil.which(name) is not None:
            return [name]
    if _has_zig():
        return [sys.executable, "-m", "ziglang", "cc"]
    raise ToolchainError("there is no C compiler to link with", hints=[HINT])


def _has_zig() -> bool:
    from importlib.util import find_spec

    return find_spec("ziglang") is not None


def run_compiler(words: Sequence[str]) -> None:
    """Run the C compiler.

    Raises:
        ToolchainError: it cannot be started, or fails.
    """
    from subprocess import PIPE, STDOUT, run

    try:
        done = run(words, stdout=PIPE, stderr=STDOUT, check=False)
    except OSError as error:
        raise ToolchainError(f"cannot run `{words[0]}`: {error.strerror}", hints=[HINT]) from None
    if done.returncode != 0:
        output = done.stdout.decode("utf-8", "replace").strip()
        raise ToolchainError(f"`{words[0]}` failed", output)
