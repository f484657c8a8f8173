"""The ways to report a run: `progress`, `doc`, `json`, `junit`."""

from __future__ import annotations

from simple_jit.testing.results import FAILED, PASSED, SKIPPED, Broken, Failure, Outcome, Totals, as_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Write: TypeAlias = Callable[[str], object]

NAMES = ("progress", "doc", "json", "junit")

_COLORS = {PASSED: "\x1b[32m", FAILED: "\x1b[31m", SKIPPED: "\x1b[33m"}
_LETTERS = {PASSED: ".", FAILED: "F", SKIPPED: "s"}
_MARKS = {PASSED: "✓", FAILED: "✗", SKIPPED: "-"}
_END = "\x1b[0m"


class Format:
    """Shows a run through `write`, a function that takes text."""

    def __init__(self, write: Write, color: bool = False) -> None:
        self.write = write
        self.color = color

    def add(self, result: Outcome | Broken) -> None:
        """Take the next result."""
        raise NotImplementedError

    def end(self, totals: Totals, seed: int | None) -> None:
        """The run is over."""
        raise NotImplementedError

    def colored(self, text: str, status: str) -> str:
        """Return `text` in the colour of a status."""
        return f"{_COLORS[status]}{text}{_END}" if self.color else text


class Progress(Format):
    """A character for each example; the failures at the end."""

    def __init__(self, write: Write, color: bool = False) -> None:
        super().__init__(write, color)
        self.problems: list[Outcome | Broken] = []
        self._column = 0

    def add(self, result: Outcome | Broken) -> None:
        status = FAILED if isinstance(result, Broken) else result.status
        if status == FAILED:
            self.problems.append(result)
        self.show(result, status)

    def show(self, result: Outcome | Broken, status: str) -> None:
        """Show one result as it comes."""
        if self._column == 80:
            self.write("\n")
            self._column = 0
        self._column += 1
        self.write(self.colored("E" if isinstance(result, Broken) else _LETTERS[status], status))

    def end(self, totals: Totals, seed: int | None) -> None:
        self.write("\n" if self._column else "")
        if self.problems:
            self.write("\nFailures:\n")
        for number, problem in enumerate(self.problems, 1):
            self.write(f"\n  {number}) {_title(problem)}\n{_indented(_explained(problem))}")
        failed = totals.failed or totals.broken
        status = FAILED if failed else SKIPPED if totals.skipped else PASSED
        shuffled = f", seed {seed}" if seed is not None else ""
        line = f"{totals} ({totals.seconds:.2f} s{shuffled})"
        self.write(f"\n{self.colored(line, status)}\n")


class Doc(Progress):
    """The examples as an outline that reads as a description; the failures at the end."""

    def __init__(self, write: Write, color: bool = False) -> None:
        super().__init__(write, color)
        self._file = ""
        self._groups: list[str] = []

    def show(self, result: Outcome | Broken, status: str) -> None:
        if result.file != self._file:
            self.write(f"{'' if not self._file else chr(10)}{result.file}\n")
            self._file = result.file
            self._groups = []
        if isinstance(result, Broken):
            self.write(f"  {self.colored('✗ could not run', FAILED)}\n")
            return
        *groups, name = result.path
        common = 0
        while common < min(len(groups), len(self._groups)) and groups[common] == self._groups[common]:
            common += 1
        for depth in range(common, len(groups)):
            self.write(f"{'  ' * (depth + 1)}{groups[depth]}\n")
        self._groups = groups
        why = f" ({result.reason or 'skipped'})" if status == SKIPPED else ""
        number = f" ({len(self.problems)})" if status == FAILED else ""
        line = self.colored(f"{_MARKS[status]} {name}{why}{number}", status)
        self.write(f"{'  ' * (len(groups) + 1)}{line}\n")


class Json(Format):
    """One JSON object at the end: `examples`, `broken` files, `summary`."""

    def __init__(self, write: Write, color: bool = False) -> None:
        super().__init__(write, color)
        self._results: list[Outcome | Broken] = []

    def add(self, result: Outcome | Broken) -> None:
        self._results.append(result)

    def end(self, totals: Totals, seed: int | None) -> None:
        import json

        summary = {name: getattr(totals, name) for name in ("passed", "failed", "skipped", "broken")}
        data = {
            "examples": [as_json(r) for r in self._results if isinstance(r, Outcome)],
            "broken": [as_json(r)["broken"] for r in self._results if isinstance(r, Broken)],
            "summary": {"examples": totals.examples, **summary, "seconds": totals.seconds, "seed": seed},
        }
        self.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")


class Junit(Json):
    """The XML that continuous integration reads: a `testsuite` a file, a `testcase` an example."""

    def end(self, totals: Totals, seed: int | None) -> None:
        files: dict[str, list[Outcome | Broken]] = {}
        for result in self._results:
            files.setdefault(result.file, []).append(result)
        lines = [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<testsuites tests="{totals.examples + totals.broken}" failures="{totals.failed}" '
            f'errors="{totals.broken}" skipped="{totals.skipped}" time="{totals.seconds:.3f}">',
        ]
        for file, results in files.items():
            lines += _suite(file, results)
        self.write("\n".join([*lines, "</testsuites>"]) + "\n")


_FORMATS: dict[str, type[Format]] = {"progress": Progress, "doc": Doc, "json": Json, "junit": Junit}


def open_format(name: str, write: Write, color: bool) -> Format:
    """Return the format called `name`."""
    return _FORMATS[name](write, color)


# --- failures ----------------------------------------------------------------------


def _title(problem: Outcome | Broken) -> str:
    return f"{problem.file} could not run" if isinstance(problem, Broken) else problem.name


def _explained(problem: Outcome | Broken) -> str:
    if isinstance(problem, Broken):
        return problem.shown
    failure = problem.failure
    assert isinstance(failure, Failure)
    where = f"in `{failure.phase}`:\n" if failure.phase != "example" else ""
    text = where + failure.shown
    if problem.output:
        text += "it wrote:\n" + "".join(f"  | {line}\n" for line in problem.output.splitlines())
    return text


def _indented(text: str) -> str:
    return "".join(f"     {line}".rstrip() + "\n" for line in text.splitlines())


# --- XML ---------------------------------------------------------------------------


def _suite(file: str, results: list[Outcome | Broken]) -> list[str]:
    outcomes = [r for r in results if isinstance(r, Outcome)]
    failed = sum(r.status == FAILED for r in outcomes)
    skipped = sum(r.status == SKIPPED for r in outcomes)
    seconds = sum(r.seconds for r in outcomes)
    lines = [
        f'  <testsuite name="{_escaped(file)}" tests="{len(results)}" failures="{failed}" '
        f'errors="{len(results) - len(outcomes)}" skipped="{skipped}" time="{seconds:.3f}">'
    ]
    for result in results:
        lines += _case(result)
    return [*lines, "  </testsuite>"]


def _case(result: Outcome | Broken) -> list[str]:
    if isinstance(result, Broken):
        error = f'<error message="{_escaped(result.message)}">{_escaped(result.shown)}</error>'
        return [f'    <testcase name="(file)" classname="{_escaped(result.file)}">{error}</testcase>']
    *groups, name = result.path
    opening = (
        f'    <testcase name="{_escaped(name)}" classname="{_escaped(" ".join(groups) or result.file)}" '
        f'file="{_escaped(result.file)}" time="{result.seconds:.6f}"'
    )
    inside = []
    if result.failure is not None:
        failure = result.failure
        inside.append(
            f'      <failure type="{_escaped(failure.kind)}" message="{_escaped(failure.message)}">'
            f"{_escaped(failure.shown)}</failure>"
        )
    if result.status == SKIPPED:
        inside.append(f'      <skipped message="{_escaped(result.reason)}"/>')
    if result.output:
        inside.append(f"      <system-out>{_escaped(result.output)}</system-out>")
    return [f"{opening}>", *inside, "    </testcase>"] if inside else [f"{opening}/>"]


def _escaped(text: str) -> str:
    """Return `text` for XML, which has no place for most control characters."""
    safe = "".join(c if c >= " " or c in "\n\t" else "\ufffd" for c in text)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("\n", "&#10;")):
        safe = safe.replace(character, entity)
    return safe
