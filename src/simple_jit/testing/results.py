"""What is told about a run: one outcome an example, as processes send it and formats show it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


class Failure:
    """Why an example failed. `shown` is the error as an uncaught one is shown, source line included.

    `phase` is `example`, or the hook that failed.
    """

    __slots__ = ("column", "file", "kind", "line", "message", "phase", "shown")

    def __init__(
        self, kind: str, message: str, phase: str, file: str, line: int, column: int, shown: str
    ) -> None:
        self.kind = kind
        self.message = message
        self.phase = phase
        self.file = file
        self.line = line
        self.column = column
        self.shown = shown


class Outcome:
    """What came of one example. `output` is what it wrote, `reason` why it was skipped."""

    __slots__ = ("failure", "file", "output", "path", "reason", "seconds", "status", "tags")

    def __init__(
        self,
        file: str,
        path: list[str],
        status: str,
        seconds: float = 0.0,
        failure: Failure | None = None,
        output: str = "",
        reason: str = "",
        tags: list[str] | None = None,
    ) -> None:
        self.file = file
        self.path = path
        self.status = status
        self.seconds = seconds
        self.failure = failure
        self.output = output
        self.reason = reason
        self.tags = tags or []

    @property
    def name(self) -> str:
        """The full name: the groups and the example, with spaces between them."""
        return " ".join(self.path)


class Broken:
    """A file that could not run: it has errors, or its statements outside of examples failed."""

    __slots__ = ("file", "message", "shown")

    def __init__(self, file: str, message: str, shown: str) -> None:
        self.file = file
        self.message = message
        self.shown = shown


class Totals:
    """The counts of a run."""

    __slots__ = ("broken", "failed", "passed", "seconds", "skipped")

    def __init__(self) -> None:
        self.passed = self.failed = self.skipped = self.broken = 0
        self.seconds = 0.0

    def add(self, result: Outcome | Broken) -> None:
        """Count one more."""
        if isinstance(result, Broken):
            self.broken += 1
        elif result.status == PASSED:
            self.passed += 1
        elif result.status == FAILED:
            self.failed += 1
        else:
            self.skipped += 1

    @property
    def examples(self) -> int:
        """How many examples there were."""
        return self.passed + self.failed + self.skipped

    def __str__(self) -> str:
        parts = [_plural(self.examples, "example"), _plural(self.failed, "failure")]
        if self.skipped:
            parts.append(f"{self.skipped} skipped")
        if self.broken:
            parts.append(f"{_plural(self.broken, 'file')} could not run")
        return ", ".join(parts)


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


# --- between processes -------------------------------------------------------------


def to_line(result: Outcome | Broken) -> str:
    """Return a result as one line of JSON."""
    import json

    return json.dumps(as_json(result), ensure_ascii=True)


def from_line(line: str) -> Outcome | Broken:
    """Read what `to_line` wrote."""
    import json

    data = json.loads(line)
    if "broken" in data:
        return Broken(**data["broken"])
    if data["failure"] is not None:
        data["failure"] = Failure(**data["failure"])
    return Outcome(**data)


def as_json(result: Outcome | Broken) -> dict[str, Any]:
    """Return a result as a dict that JSON can hold."""
    if isinstance(result, Broken):
        return {"broken": _slots(result)}
    data = _slots(result)
    data["failure"] = _slots(result.failure) if result.failure is not None else None
    return data


def _slots(value: object) -> dict[str, Any]:
    return {name: getattr(value, name) for name in sorted(type(value).__slots__)}  # type: ignore[attr-defined]
