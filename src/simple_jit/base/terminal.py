"""Diagnostics on standard error, in colour where that is a terminal."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from simple_jit.base.diagnostics import Diagnostic


def show_diagnostics(diagnostics: Sequence[Diagnostic]) -> None:
    """Write the diagnostics and, when there are several errors, their number."""
    from simple_jit.base.render import render

    if not diagnostics:
        return
    sys.stderr.write(render(diagnostics, color=wants_color()))
    errors = sum(1 for diagnostic in diagnostics if diagnostic.severity == "error")
    if errors > 1:
        sys.stderr.write(f"\n{errors} errors\n")


def wants_color() -> bool:
    """Is standard error a terminal that shows colours? `NO_COLOR` says no (see no-color.org)."""
    from os import environ

    return sys.stderr.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
