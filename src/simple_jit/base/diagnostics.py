"""Errors and warnings about a program, and how they are shown.

A `Rule` is what can be wrong in general, a `Diagnostic` is one breach of it:

    reporter.report(
        UNKNOWN_NAME.at(span, f"there is no `{name}` here").hint("did you mean `count`?")
    )

Stages report to a `Reporter` and go on; the driver asks `has_errors` between stages.
Messages start in lower case, quote code in backticks and say a thing once.
"""

from __future__ import annotations

from simple_jit.base.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal, TypeAlias

    Severity: TypeAlias = Literal["error", "warning"]


class Rule:
    """One entry of the catalogue: a stable code and what the language demands."""

    __slots__ = ("code", "severity", "summary")

    def __init__(self, code: str, summary: str, severity: Severity = "error") -> None:
        self.code = code
        self.summary = summary
        self.severity = severity

    def __repr__(self) -> str:
        return f"Rule({self.code}: {self.summary})"

    def at(self, span: Span | None, message: str) -> Diagnostic:
        """Make a diagnostic; `span` is None only where there is no source to show."""
        return Diagnostic(self, span, message)


class Label:
    """A secondary place of a diagnostic, with what it has to do with it."""

    __slots__ = ("span", "text")

    def __init__(self, span: Span, text: str) -> None:
        self.span = span
        self.text = text


class Diagnostic:
    """One finding. `also`, `note` and `hint` add to it and return it."""

    __slots__ = ("hints", "labels", "message", "notes", "rule", "span")

    def __init__(self, rule: Rule, span: Span | None, message: str) -> None:
        self.rule = rule
        self.span = span
        self.message = message
        self.labels: list[Label] = []
        self.notes: list[str] = []
        self.hints: list[str] = []

    def __repr__(self) -> str:
        return f"{self.span}: {self.code}: {self.message}"

    @property
    def code(self) -> str:
        return self.rule.code

    @property
    def severity(self) -> Severity:
        return self.rule.severity

    def also(self, span: Span, text: str) -> Diagnostic:
        """Point at a second place: `declared here`."""
        self.labels.append(Label(span, text))
        return self

    def note(self, text: str) -> Diagnostic:
        """Add a fact that explains the finding."""
        self.notes.append(text)
        return self

    def hint(self, text: str) -> Diagnostic:
        """Add advice on what to write instead."""
        self.hints.append(text)
        return self


class CompileError(Exception):
    """A program was refused; carries everything that was found, warnings included."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        from simple_jit.base.render import render

        return render(self.diagnostics, color=False)


MAX_DIAGNOSTICS = 100
"""How many diagnostics a `Reporter` keeps; a file of garbage has one a character."""


class Reporter:
    """Collects diagnostics; a second one with the same code and place is dropped.

    `count` is how many were reported, those beyond `MAX_DIAGNOSTICS` included.
    """

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []
        self.has_errors = False
        self.count = 0
        self._seen: set[tuple[str, Span | None, str]] = set()

    def report(self, diagnostic: Diagnostic) -> None:
        # Without a place only the message tells two findings apart.
        message = "" if diagnostic.span else diagnostic.message
        key = (diagnostic.code, diagnostic.span, message)
        if key in self._seen:
            return
        self._seen.add(key)
        self.count += 1
        if diagnostic.severity == "error":
            self.has_errors = True
        if len(self.diagnostics) < MAX_DIAGNOSTICS:
            self.diagnostics.append(diagnostic)

    def raise_errors(self) -> None:
        """Raise `CompileError` if an error was reported."""
        if self.has_errors:
            raise CompileError(list(self.diagnostics))


def suggest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that `name` is most likely a misspelling of, if any."""
    # Imported on use: only a program with an error needs it.
    from difflib import get_close_matches

    others = sorted({other for other in candidates if other.strip("-").isidentifier()} - {name})
    folded = [other for other in others if other.lower() == name.lower()]
    matches = folded or get_close_matches(name, others, n=1, cutoff=0.66)
    return matches[0] if matches else None
