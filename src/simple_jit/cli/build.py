"""`simple build`: make an executable or a shared library that needs no Python."""

from __future__ import annotations

import os
import sys

from simple_jit.cli.options import Command, Option, UsageError, help_text, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMS = ("obj", "llvm", "asm", "mir")
CPUS = ("baseline", "native")
LEVELS = ("-O0", "-O1", "-O2", "-O3")

COMMAND = Command(
    "build",
    "build FILE [-o OUT] [OPTION…]",
    "Compiles a program to a native executable, through LLVM. It needs no Python to run. A C compiler links\n"
    "it: `$CC`, `cc`, or that of the package `ziglang`.",
    (
        Option("--output", "OUT", "the file to write (default: the program's name)", short="-o"),
        Option("--emit", "FORM", f"write this instead: {', '.join(FORMS)}", choices=FORMS),
        Option("-O0", None, "hardly optimise"),
        Option("-O1", None, "optimise a little"),
        Option("-O2", None, "optimise (default)"),
        Option("-O3", None, "optimise more"),
        Option("--target-cpu", "CPU", "baseline (any CPU of the kind, the default) or native", choices=CPUS),
        Option("--static", None, "link the C library in"),
        Option("--shared", None, "make a shared library of the functions marked @export, and a C header"),
        Option("--overflow-checks", None, "make signed integer overflow an error"),
    ),
)


def build(words: Sequence[str]) -> int:
    values, files = parse(COMMAND, words, mixed=True)
    if "--help" in values:
        sys.stdout.write(help_text(COMMAND))
        return 0
    if len(files) != 1:
        raise UsageError("`simple build` needs one file", "`-` reads the program from standard input")
    if "--static" in values and "--shared" in values:
        raise UsageError("`--static` and `--shared` exclude one another")

    from simple_jit.base.diagnostics import CompileError
    from simple_jit.base.terminal import show_diagnostics

    try:
        return _build(files[0], values)
    except CompileError as failure:
        show_diagnostics(failure.diagnostics)
        return 1


def _build(name: str, values: Mapping[str, str]) -> int:
    from simple_jit import driver
    from simple_jit.aot.build import Options, write_file
    from simple_jit.aot.toolchain import ToolchainError
    from simple_jit.base.diagnostics import Reporter
    from simple_jit.cli.sources import read_source
    from simple_jit.tiers.contract import BackendError, BackendMissing

    levels = [level for level in LEVELS if level in values]
    options = Options(
        level=int(levels[-1][2]) if levels else 2,
        baseline=values.get("--target-cpu") != "native",
        static="--static" in values,
        shared="--shared" in values,
    )
    output = values.get("--output") or _default_output(name, values)
    reporter = Reporter()
    source = read_source(name, reporter)
    try:
        made = driver.prepare_build(source, options, "--overflow-checks" in values, reporter)
        if made is None:
            return 1
        form = values.get("--emit")
        if form is None:
            made.link(output)
        else:
            write_file(output, made.emit(form))
    except (BackendError, BackendMissing) as error:
        return _fail(str(error))
    except ToolchainError as error:
        return _fail(error.message, error.details, error.hints)
    except OSError as error:
        return _fail(f"cannot write {error.filename or output}: {error.strerror or error}")
    return 0


_SUFFIXES = {"obj": ".o", "llvm": ".ll", "asm": ".s", "mir": ".mir"}


def _default_output(name: str, values: Mapping[str, str]) -> str:
    """Return the name of the program without its ending, in the working directory."""
    stem = os.path.splitext(os.path.basename(name))[0] if name != "-" else "a"
    form = values.get("--emit")
    if form is not None:
        return stem + _SUFFIXES[form]
    if "--shared" in values:
        return f"lib{stem}.so"
    return stem if stem != os.path.basename(name) else f"{stem}.out"


def _fail(message: str, details: str = "", hints: Sequence[str] = ()) -> int:
    lines = [f"error: {message}"]
    lines += [f"  | {line}" for line in details.splitlines()[:40]]
    lines += [f"  = help: {hint}" for hint in hints]
    sys.stderr.write("\n".join(lines) + "\n")
    return 1
