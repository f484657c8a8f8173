"""Runs command lines of `simple`, each in a process of its own, without paying for start-up.

A server process imports the compiler and both back ends once and forks for each request. Requests
and answers are JSON, one a line. `run_simple` in `harness.py` is the way to use it.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simple_jit.base.source import SourceFile

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
    if words[0:1] == ["ways"]:
        status = run_ways(json.loads(words[1]), words[2], int(words[3]))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.argv = ["simple", *words]
    from simple_jit.cli.main import entry

    entry()


def run_ways(ways: dict[str, dict[str, Any]], path: str, seconds: int) -> int:
    """Check a program once, and run it with the settings of each way in a process of its own.

    Leaves what each way wrote, and its status, in files of the working folder: `WAY.out`, `.err`, `.status`.
    Each has `seconds` of processor time.
    Settings are those of `Config`; besides, of tests alone, `loop_threshold`, and `mir` (`plain` or
    `passes`): in the MIR interpreter.
    """
    from simple_jit import driver
    from simple_jit.base.diagnostics import Reporter
    from simple_jit.engine.config import Config
    from simple_jit.engine.engine import Engine
    from simple_jit.syntax.load import load_source

    source = load_source(path, Reporter())
    assert source is not None
    reporter = Reporter()
    overflow_checks = next(iter(ways.values()))["overflow_checks"]
    program = driver.check(source, Engine(Config(overflow_checks=overflow_checks)), reporter)
    names = list(ways) if program is not None else list(ways)[:1]

    def checked(source: object, engine: object, own: Reporter) -> object:
        own.diagnostics.extend(reporter.diagnostics)
        return program

    driver.check = checked  # type: ignore[assignment]
    for name in names:
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            for descriptor, kind in ((1, "out"), (2, "err")):
                os.dup2(os.open(f"{name}.{kind}", os.O_WRONLY | os.O_CREAT), descriptor)
            status = run_with(ways[name], source)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        _, status = os.waitpid(child, 0)
        with open(f"{name}.status", "w") as file:
            file.write(f"{os.waitstatus_to_exitcode(status)}")
    return 0


def run_with(settings: dict[str, Any], source: SourceFile) -> int:
    import mir_tier
    from simple_jit import driver
    from simple_jit.engine.config import Config

    rounds = settings.pop("loop_threshold", None)
    if rounds is not None:
        Config.loop_threshold = rounds  # type: ignore[assignment, method-assign]
    tier = settings.pop("mir", None)
    try:
        if tier is not None:
            return mir_tier.run_source(source, [], tier == "passes", settings["overflow_checks"])
        return driver.run(source, [], Config(**settings))
    except Exception:
        import traceback

        traceback.print_exc()
        return 70


if __name__ == "__main__":
    serve()
