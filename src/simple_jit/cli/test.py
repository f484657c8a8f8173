"""`simple test`: run the examples of spec files, and functions marked `@test`."""

from __future__ import annotations

import sys

from simple_jit.cli.options import Command, Option, UsageError, help_text, parse, to_count
from simple_jit.cli.settings import OPTIONS, read_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from simple_jit.testing.results import Totals

FORMATS = ("progress", "doc", "json", "junit")
COULD_NOT_RUN = 2

COMMAND = Command(
    "test",
    "test [OPTION…] [PATH…]",
    "Runs the examples in files, and in what folders have: files named `*_spec.spl`, and those with\n"
    "functions marked `@test`; without a path, in the current folder. The exit status is 0 if all passed,\n"
    "1 if some failed, 2 if something could not run, or there is nothing to run.",
    (
        Option("--match", "TEXT", "only examples whose full name contains this, in any case", short="-m"),
        Option("--tag", "TAGS", "only examples with one of these tags (`slow,net`); `~slow`: without it"),
        Option("--fail-fast", None, "stop at the first failure", short="-x"),
        Option("--format", "NAME", f"how to report: {', '.join(FORMATS)}", short="-f", choices=FORMATS),
        Option("--seed", "N", "run in an order that this number shuffles"),
        Option("--jobs", "N", "run so many files at the same time", short="-j"),
        *OPTIONS,
    ),
)


def test(words: Sequence[str]) -> int:
    from os import environ

    values, paths = parse(COMMAND, _split_jobs(words), mixed=True)
    if "--help" in values:
        sys.stdout.write(help_text(COMMAND))
        return 0
    config = read_settings(values, environ)
    seed = to_count("--seed", values["--seed"]) if "--seed" in values else None
    jobs = to_count("--jobs", values["--jobs"]) if "--jobs" in values else 1
    tags = [tag.strip() for tag in values.get("--tag", "").split(",") if tag.strip()]

    from simple_jit.testing.discovery import NothingThere, find_files
    from simple_jit.testing.formats import open_format
    from simple_jit.testing.pool import Plan, run_files
    from simple_jit.testing.suite import Selection

    try:
        files = find_files(paths or ["."])
    except NothingThere as missing:
        raise UsageError(f"there is no file or folder `{missing}`") from None
    if not files:
        raise UsageError("there is nothing to test here", "examples stand in files named `*_spec.spl`")

    import time

    write = sys.stdout.write
    color = sys.stdout.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    format = open_format(values.get("--format", FORMATS[0]), write, color)
    plan = Plan(config, Selection(values.get("--match", ""), tags, seed), jobs, "--fail-fast" in values)

    def report(result: object) -> None:
        format.add(result)  # type: ignore[arg-type]
        sys.stdout.flush()

    started = time.perf_counter()
    totals = run_files(files, plan, report)
    totals.seconds = time.perf_counter() - started
    format.end(totals, seed)
    return _status(totals)


def _split_jobs(words: Sequence[str]) -> list[str]:
    """`-j4` is `-j 4`."""
    split: list[str] = []
    for word in words:
        joined = word.startswith("-j") and word[2:].isdigit()
        split += ["-j", word[2:]] if joined else [word]
    return split


def _status(totals: Totals) -> int:
    if totals.broken:
        return COULD_NOT_RUN
    if totals.failed:
        return 1
    if totals.examples == 0:
        hint = "`--match` and `--tag` choose among those there are"
        sys.stderr.write(f"error: no example was run\n  = help: {hint}\n")
        return COULD_NOT_RUN
    return 0
