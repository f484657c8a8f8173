"""The entry of the `simple` command: finds the subcommand and answers for how the process ends.

    status 0    all went well (or what the program's `main` returned)
           1    the program has errors, or ended with one
           2    the command line is wrong
           70   a defect of the compiler
           130  interrupted from the keyboard
"""

from __future__ import annotations

import sys

from simple_jit.cli.options import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

COMMANDS = {
    "run": "run a program",
    "build": "make an executable that needs no Python",
    "test": "run the examples of spec files",
    "check": "report the errors of programs without running them",
    "dump": "show what a stage of the compiler makes of a program",
    "doctor": "report Python, the back ends found and the settings in force",
    "help": "explain a command",
}

INTERNAL_ERROR = 70
INTERRUPTED = 130
BROKEN_PIPE = 1


def entry() -> NoReturn:
    """Run the command of this process and end it."""
    import gc
    import os

    try:
        # Trees and closures live as long as the process: looking for garbage among them is in vain.
        gc.set_threshold(100_000, 50, 100)
        status = _finish(main(sys.argv[1:]))
    except KeyboardInterrupt:
        status = INTERRUPTED
    # Tearing down the interpreter would take longer than many a program.
    os._exit(status & 0xFF)


def _finish(status: int) -> int:
    """Write what is still buffered; returns the exit status."""
    try:
        import atexit

        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except BrokenPipeError:
        return BROKEN_PIPE
    return status


def main(words: Sequence[str]) -> int:
    """Run one command line and return the exit status; shows errors, raises none."""
    try:
        return _dispatch(words)
    except UsageError as error:
        _show(error.message, error.hints)
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return BROKEN_PIPE
    except SystemExit as request:
        return request.code if isinstance(request.code, int) else 1
    except BaseException as error:
        return _refuse(error)


def _dispatch(words: Sequence[str]) -> int:
    if not words:
        sys.stderr.write(_overview())
        return 2
    first = words[0]
    if first in ("--version", "-V"):
        from simple_jit import __version__

        print(f"simple {__version__}")
        return 0
    if first in ("--help", "-h"):
        sys.stdout.write(_overview())
        return 0
    if first in COMMANDS:
        return _command(first, words[1:])
    if first.startswith("-") or _looks_like_file(first):
        return _command("run", words)
    from simple_jit.base.diagnostics import suggest

    near = suggest(first, COMMANDS)
    hints = [f"did you mean `{near}`?"] if near else [f"there is no file `{first}` either"]
    raise UsageError(f"unknown command `{first}`", *hints, "`simple --help` lists the commands")


def _command(name: str, words: Sequence[str]) -> int:
    # Each command is imported when it is asked for: start-up counts.
    if name == "run":
        from simple_jit.cli.run import run

        return run(words)
    if name == "build":
        from simple_jit.cli.build import build

        return build(words)
    if name == "test":
        from simple_jit.cli.test import test

        return test(words)
    if name == "check":
        from simple_jit.cli.check import check

        return check(words)
    if name == "dump":
        from simple_jit.cli.dump import dump

        return dump(words)
    if name == "doctor":
        from simple_jit.cli.doctor import doctor

        return doctor(words)
    if not words:
        return _dispatch(["--help"])
    return _dispatch([words[0], "--help"])


def _looks_like_file(word: str) -> bool:
    if word.endswith(".spl") or "/" in word:
        return True
    from os.path import exists

    return exists(word)


def _overview() -> str:
    rows = "".join(f"  {name:<8} {what}\n" for name, what in COMMANDS.items())
    return (
        "usage: simple run FILE [ARGUMENT…]     (or: simple FILE [ARGUMENT…])\n"
        "       simple COMMAND [OPTION…]\n"
        f"\ncommands:\n{rows}"
        "\noptions:\n"
        "  --version  show the version\n"
        "  --help     show this text; `simple COMMAND --help` explains a command\n"
    )


def _show(message: str, hints: Sequence[str]) -> None:
    lines = [f"error: {message}", *(f"  = help: {hint}" for hint in hints)]
    sys.stderr.write("\n".join(lines) + "\n")


def _refuse(error: BaseException) -> int:
    """Answer for an exception that came through: errors of the program, else a defect of ours."""
    from simple_jit.base.diagnostics import CompileError

    if isinstance(error, CompileError):
        from simple_jit.base.terminal import show_diagnostics

        show_diagnostics(error.diagnostics)
        return 1
    cause = " ".join(f"{type(error).__name__}: {error}".split())
    _show(
        f"internal error of the compiler: {cause[:300]}",
        ["this is a defect of Simple JIT: please report it with the program"],
    )
    from os import environ

    if environ.get("SIMPLE_DEBUG", "0") not in ("", "0"):
        import traceback

        traceback.print_exception(error)
    else:
        sys.stderr.write("  = help: `SIMPLE_DEBUG=1` shows where it happened\n")
    return INTERNAL_ERROR


def _drop_output() -> None:
    """Send what is still buffered nowhere, so that flushing it does not fail again."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
