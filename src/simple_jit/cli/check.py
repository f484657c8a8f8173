"""`simple check`: report the errors and warnings of programs without running them."""

from __future__ import annotations

import sys

from simple_jit.cli.options import Command, Option, UsageError, help_text, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND = Command(
    "check",
    "check FILE…",
    "Reports the errors and warnings of programs without running them; `-` is standard input.\n"
    "The exit status is 1 if there are errors.",
    (Option("--eval", "CODE", "check this text", short="-e"),),
)


def check(words: Sequence[str]) -> int:
    values, files = parse(COMMAND, words, mixed=True)
    if "--help" in values:
        sys.stdout.write(help_text(COMMAND))
        return 0
    code = values.get("--eval")
    if not files and code is None:
        raise UsageError("`simple check` needs a file", "`-` reads the program from standard input")

    from os import environ

    from simple_jit import driver
    from simple_jit.base.diagnostics import CompileError, Reporter
    from simple_jit.base.terminal import show_diagnostics
    from simple_jit.cli.settings import read_settings
    from simple_jit.cli.sources import eval_source, read_source
    from simple_jit.engine.engine import Engine

    config = read_settings({}, environ)
    found = []
    for file in [*files, *([None] if code is not None else [])]:
        reporter = Reporter()
        engine = Engine(config)
        try:
            source = read_source(file, reporter) if file is not None else eval_source(code or "", reporter)
            driver.check(source, engine, reporter)
            found += reporter.diagnostics
        except CompileError as error:
            found += error.diagnostics
        finally:
            engine.close()
    show_diagnostics(found)
    return int(any(diagnostic.severity == "error" for diagnostic in found))
