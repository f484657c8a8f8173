"""Runs command lines of `simple`, each in a process of its own, without paying for start-up.

A server process imports the compiler and both back ends once and forks for each request. Requests
and answers are JSON, one a line. `run_simple` in `harness.py` is the way to use it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from importlib import import_module

PRELOADED = ("simple_jit.cli.main", "simple_jit.cli.run", "cranelift", "llvmlite.binding")


def serve() -> None:
    for name in PRELOADED:
        try:
            import_module(name)
        except ImportError:
            pass  # tests of what is missing say so themselves
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            run(request)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def run(request: dict[str, object]) -> None:
    """Become the process that was asked for; does not return."""
    signal.alarm(int(str(request["seconds"])))
    for descriptor, path in enumerate((request["stdin"], request["stdout"], request["stderr"])):
        flags = os.O_RDONLY if descriptor == 0 else os.O_WRONLY
        os.dup2(os.open(str(path), flags), descriptor)
    sys.stdin = open(0, closefd=False, encoding="utf-8")
    sys.stdout = open(1, "w", closefd=False, encoding="utf-8")
    sys.stderr = open(2, "w", closefd=False, encoding="utf-8")
    os.chdir(str(request["folder"]))
    os.environ.update(request["environ"])  # type: ignore[arg-type]
    words = [str(word) for word in request["words"]]  # type: ignore[attr-defined]
    if words[0:1] == ["mir"]:
        import mir_tier

        status = mir_tier.run(words[1:])
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.argv = ["simple", *words]
    from simple_jit.cli.main import entry

    entry()


if __name__ == "__main__":
    serve()
