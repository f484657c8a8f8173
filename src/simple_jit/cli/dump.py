"""`simple dump`: show what a stage of the compiler makes of a program."""

from __future__ import annotations

import sys

from simple_jit.cli.options import Command, Option, UsageError, help_text, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

STAGES = ("tokens", "ast", "hir", "mir", "clif", "llvm", "asm")
BACKENDS = ("cranelift", "llvm")

COMMAND = Command(
    "dump",
    "dump FILE --stage STAGE [OPTION…]",
    "Shows what a stage of the compiler makes of a program; nothing is run. Of the library only what\n"
    "`--fn` names is shown.",
    (
        Option("--stage", "STAGE", ", ".join(STAGES), choices=STAGES),
        Option("--fn", "NAME", "only this function"),
        Option("--after", "PASS", "with `--stage mir`: as it is after this pass (`none`: as lowered)"),
        Option("--backend", "NAME", "with `--stage asm`: cranelift (default) or llvm", choices=BACKENDS),
        Option("--eval", "CODE", "dump this text", short="-e"),
    ),
)


def dump(words: Sequence[str]) -> int:
    values, files = parse(COMMAND, words, mixed=True)
    if "--help" in values:
        sys.stdout.write(help_text(COMMAND))
        return 0
    stage = values.get("--stage")
    if stage is None:
        raise UsageError("`simple dump` needs `--stage`", f"one of {', '.join(STAGES)}")
    code = values.get("--eval")
    if len(files) + (code is not None) != 1:
        raise UsageError("`simple dump` needs one file", "`-` reads the program from standard input")

    from simple_jit.cli.sources import source_of

    source = source_of("<eval>", code) if code is not None else source_of(files[0])
    raise NotImplementedError(source)
