"""`simple check`: report the errors and warnings of programs without running them."""

from __future__ import annotations

import sys

from simple_jit.cli.options import Command, UsageError, help_text, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND = Command(
    "check",
    "check FILE…",
    "Reports the errors and warnings of programs without running them; `-` is standard input.\n"
    "The exit status is 1 if there are errors.",
    (),
)


def check(words: Sequence[str]) -> int:
    values, files = parse(COMMAND, words, mixed=True)
    if "--help" in values:
        sys.stdout.write(help_text(COMMAND))
        return 0
    if not files:
        raise UsageError("`simple check` needs a file", "`-` reads the program from standard input")

    from simple_jit import driver
    from simple_jit.base.diagnostics import CompileError
    from simple_jit.cli.report import show_diagnostics
    from simple_jit.cli.sources import source_of

    found = []
    for file in files:
        try:
            found += driver.check(source_of(file))
        except CompileError as error:
            found += error.diagnostics
    show_diagnostics(found)
    return int(any(diagnostic.severity == "error" for diagnostic in found))
