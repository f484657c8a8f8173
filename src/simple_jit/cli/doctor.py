"""`simple doctor`: what a bug report needs to say about the machine and the settings."""

from __future__ import annotations

import os
import sys

from simple_jit.cli.options import Command, UsageError, help_text, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND = Command(
    "doctor",
    "doctor",
    "Reports the Python in use, the back ends found (or why one is missing), the C compiler, the heap and\n"
    "cache settings, and the environment variables in force.",
    (),
)

VARIABLES = {
    "SIMPLE_JIT_MODE": "auto (default), always_jit, always_interpret, hybrid, profile_guided",
    "SIMPLE_JIT_BACKEND": "auto (default: Cranelift, else LLVM), cranelift, llvm",
    "SIMPLE_JIT_THRESHOLD": "calls before a function is compiled (default 10)",
    "SIMPLE_JIT_VERBOSE": "1: log what is compiled, and why not",
    "SIMPLE_HEAP_MAX": "bound of the heap, for example 512M or 4G",
    "SIMPLE_PATH": "folders to look for modules in",
    "SIMPLE_CACHE": "folder for code of LLVM and the collector (default ~/.cache/simple-jit), 0: none",
    "SIMPLE_DEBUG": "1: show the traceback of an internal error",
    "CC": "what `simple build` compiles C and links with",
    "NO_COLOR": "set: no colour in diagnostics",
}


def doctor(words: Sequence[str]) -> int:
    values, rest = parse(COMMAND, words)
    if "--help" in values:
        sys.stdout.write(help_text(COMMAND))
        return 0
    if rest:
        raise UsageError(f"`simple doctor` takes no arguments, not `{rest[0]}`")
    sys.stdout.write(report())
    return 0


def report() -> str:
    """Return the whole report, one fact a line."""
    from simple_jit import __version__

    sections = [
        ("simple", [__version__, f"in {os.path.dirname(os.path.dirname(__file__))}"]),
        ("python", _python()),
        ("back ends", _back_ends()),
        ("C compiler", _c_compiler()),
        ("heap", _heap()),
        ("cache", _cache()),
        ("environment", _environment()),
    ]
    lines = []
    for title, facts in sections:
        lines += [f"{title if at == 0 else '':<12} {fact}" for at, fact in enumerate(facts)]
    return "\n".join(lines) + "\n"


def _cache() -> list[str]:
    from simple_jit.base.disk_cache import cache_directory

    directory = cache_directory()
    if directory is None:
        return ["none: each process compiles anew"]
    return [f"code of LLVM and of the collector, in {directory}"]


def _python() -> list[str]:
    import platform

    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"
    return [f"{platform.python_implementation()} {platform.python_version()}, {sys.executable}", machine]


def _back_ends() -> list[str]:
    cranelift = _probe("cranelift-py", "cranelift")
    llvm = _probe("llvmlite", "llvmlite.binding")
    return [
        "interpreter  built in",
        f"cranelift    {cranelift}",
        f"llvm         {llvm}",
    ]


def _probe(distribution: str, module: str) -> str:
    """Import what a back end stands on; return its version, or why it is missing."""
    from importlib import import_module, metadata

    try:
        import_module(module)
        version = metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "found, version unknown"
    except ModuleNotFoundError:
        return f"missing: `pip install {distribution}`"
    except Exception as error:
        return f"broken: {type(error).__name__}: {error}"
    shown = f"{distribution} {version}"
    if module == "llvmlite.binding":
        llvm = ".".join(str(part) for part in sys.modules[module].llvm_version_info)
        shown += f" (LLVM {llvm})"
    return shown


def _c_compiler() -> list[str]:
    """Return what `simple build` would link with."""
    from simple_jit.aot.toolchain import ToolchainError, find_compiler

    try:
        return [f"{' '.join(find_compiler())}, for `simple build`"]
    except ToolchainError as error:
        return [f"{error.message}: {error.hints[0]}"]


def _heap() -> list[str]:
    limit = os.environ.get("SIMPLE_HEAP_MAX")
    return [f"at most {limit}" if limit else "no bound but memory (SIMPLE_HEAP_MAX sets one)"]


def _environment() -> list[str]:
    names = [name for name in VARIABLES if name in os.environ]
    width = max((len(name) for name in names), default=0)
    return [f"{name:<{width}} = {os.environ[name]}" for name in names] or ["nothing set"]
