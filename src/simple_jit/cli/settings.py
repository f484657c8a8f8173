"""How a program is to run: options of the command line over environment variables over defaults."""

from __future__ import annotations

from simple_jit.cli.options import Option, UsageError, to_count
from simple_jit.engine.config import BACKENDS, DEFAULT_THRESHOLD, MODES, Config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

OPTIONS = (
    Option("--mode", "MODE", f"when to compile: {', '.join(MODES)}", choices=MODES),
    Option("--backend", "NAME", f"what compiles: {', '.join(BACKENDS)}", choices=BACKENDS),
    Option("--threshold", "N", f"calls after which a function is compiled (default {DEFAULT_THRESHOLD})"),
    Option("--verbose", None, "log to standard error what is compiled, and why not", short="-v"),
    Option("--stats", None, "show at the end what was compiled and how long that took"),
    Option("--overflow-checks", None, "make signed integer overflow an error"),
    Option("--heap-max", "SIZE", "how large the heap may get, such as 512M"),
)


def read_settings(values: Mapping[str, str], environ: Mapping[str, str]) -> Config:
    """Merge parsed options with the environment.

    Raises:
        UsageError: a value is not one of those allowed.
    """
    threshold = DEFAULT_THRESHOLD
    for name, given in (
        ("SIMPLE_JIT_THRESHOLD", environ.get("SIMPLE_JIT_THRESHOLD")),
        ("--threshold", values.get("--threshold")),
    ):
        if given:
            threshold = to_count(name, given)
    return Config(
        mode=values.get("--mode") or _choice(environ, "SIMPLE_JIT_MODE", MODES),
        backend=values.get("--backend") or _choice(environ, "SIMPLE_JIT_BACKEND", BACKENDS),
        threshold=threshold,
        verbose="--verbose" in values or environ.get("SIMPLE_JIT_VERBOSE", "0") not in ("", "0"),
        stats="--stats" in values,
        overflow_checks="--overflow-checks" in values,
        heap_max=_heap_max(values, environ),
    )


def _choice(environ: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """Return the value of a variable; the first choice is the default."""
    value = environ.get(name) or choices[0]
    if value not in choices:
        raise UsageError(f"`{name}` cannot be `{value}`", f"it is one of {', '.join(choices)}")
    return value


def _heap_max(values: Mapping[str, str], environ: Mapping[str, str]) -> int | None:
    name, setting = "--heap-max", values.get("--heap-max")
    if setting is None:
        name, setting = "SIMPLE_HEAP_MAX", environ.get("SIMPLE_HEAP_MAX", "").strip()
        if not setting:
            return None
    from simple_jit.runtime.heap import HeapSettingError, parse_size

    try:
        return parse_size(name, setting)
    except HeapSettingError as error:
        raise UsageError(str(error)) from None
