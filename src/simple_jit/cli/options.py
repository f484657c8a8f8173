"""Command-line options: a table per command, and one small parser for all of them.

    OPTIONS = (Option("--threshold", "N", "compile after N calls"), …)
    values, rest = parse("run", OPTIONS, ["--threshold", "5", "prog.spl", "arg"])

Parsing stops at the first word that is not an option, so that a program gets its own options;
`--name value`, `--name=value` and `--` are understood. (`argparse` would add a third to the start-up
time.)
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class UsageError(Exception):
    """The command line is wrong; ends the process with status 2."""

    def __init__(self, message: str, *hints: str) -> None:
        super().__init__(message)
        self.message = message
        self.hints = hints


class Option:
    """One option. `value` is what stands for its value in the help, or None where it takes none.

    `choices` are the values allowed; empty: any.
    """

    __slots__ = ("choices", "help", "name", "short", "value")

    def __init__(
        self, name: str, value: str | None, help: str, short: str = "", choices: tuple[str, ...] = ()
    ) -> None:
        self.name = name
        self.value = value
        self.help = help
        self.short = short
        self.choices = choices


class Command:
    """What the parser and the help need to know of a command."""

    __slots__ = ("name", "options", "summary", "usage")

    def __init__(self, name: str, usage: str, summary: str, options: Sequence[Option]) -> None:
        self.name = name
        self.usage = usage
        self.summary = summary
        self.options = options


def parse(
    command: Command, words: Sequence[str], mixed: bool = False
) -> tuple[dict[str, str], list[str]]:
    """Split `words` into options, by name, and the rest. An option without a value maps to "".

    With `mixed` options may also follow other words.

    Raises:
        UsageError: an option is unknown, lacks its value or has a wrong one.
    """
    values: dict[str, str] = {}
    rest: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        if word == "--":
            return values, rest + list(words[at + 1 :])
        if word == "-" or not word.startswith("-"):
            if not mixed:
                return values, rest + list(words[at:])
            rest.append(word)
            at += 1
            continue
        name, equals, value = word.partition("=")
        option = _find(command, name)
        if option.value is None:
            if equals:
                raise UsageError(f"option `{name}` takes no value")
            value = ""
        elif not equals:
            at += 1
            if at == len(words):
                raise UsageError(f"option `{name}` needs a value", f"write `{name} {option.value}`")
            value = words[at]
        if option.choices and value not in option.choices:
            raise _bad_choice(option, value)
        values[option.name] = value
        at += 1
    return values, rest


def to_count(name: str, value: str) -> int:
    """Return a value that must be a whole number, 0 or more."""
    if not (value.isascii() and value.isdigit()) or len(value) > 9:
        raise UsageError(f"`{name}` needs a whole number, not `{value}`")
    return int(value)


def help_text(command: Command) -> str:
    """Return what `simple COMMAND --help` prints."""
    lines = [f"usage: simple {command.usage}", "", command.summary, "", "options:"]
    rows = [(_shown(option), option.help) for option in (*command.options, HELP)]
    width = max(len(left) for left, _ in rows)
    lines += [f"  {left:<{width}}  {right}" for left, right in rows]
    return "\n".join(lines) + "\n"


HELP = Option("--help", None, "show this text", short="-h")


def _shown(option: Option) -> str:
    names = f"{option.short}, {option.name}" if option.short else f"    {option.name}"
    return f"{names} {option.value}" if option.value else names


def _find(command: Command, name: str) -> Option:
    for option in (*command.options, HELP):
        if name in (option.name, option.short):
            return option
    from simple_jit.base.diagnostics import suggest

    near = suggest(name, [option.name for option in command.options])
    hints = [f"did you mean `{near}`?"] if near else []
    raise UsageError(
        f"unknown option `{name}`", *hints, f"`simple {command.name} --help` lists the options"
    )


def _bad_choice(option: Option, value: str) -> UsageError:
    from simple_jit.base.diagnostics import suggest

    near = suggest(value, option.choices)
    hints = [f"did you mean `{near}`?"] if near else []
    return UsageError(
        f"`{option.name}` cannot be `{value}`", *hints, f"it is one of {', '.join(option.choices)}"
    )
