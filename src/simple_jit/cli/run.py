"""`simple run`: run a program from a file, from standard input or from the command line."""

from __future__ import annotations

import sys

from simple_jit.cli.options import Command, Option, UsageError, help_text, parse
from simple_jit.cli.settings import OPTIONS, read_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND = Command(
    "run",
    "run [OPTION…] FILE [ARGUMENT…]\n       simple run [OPTION…] -e CODE [ARGUMENT…]",
    "Runs a program; `-` reads it from standard input. The exit status is what `main` returns, or 1\n"
    "after an error. Environment variables that set the same: see `simple doctor --help`.",
    (Option("--eval", "CODE", "run this text", short="-e"), *OPTIONS),
)


def run(words: Sequence[str]) -> int:
    from os import environ

    values, rest = parse(COMMAND, words)
    if "--help" in values:
        sys.stdout.write(help_text(COMMAND))
        return 0
    config = read_settings(values, environ)
    code = values.get("--eval")
    if code is None and not rest:
        raise UsageError("`simple run` needs a file", "`-` reads the program from standard input")

    from simple_jit import driver
    from simple_jit.base.diagnostics import Reporter
    from simple_jit.cli.sources import eval_source, read_source

    reporter = Reporter()
    source = eval_source(code, reporter) if code is not None else read_source(rest.pop(0), reporter)
    return driver.run(source, rest, config)
