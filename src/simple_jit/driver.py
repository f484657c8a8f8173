"""THE PIPELINE: from source to a finished run, one line per stage.

parse, check     source → AST → HIR      check()
run              HIR → tiers             run()
build            HIR → executable        prepare_build(), aot/build.py
dump             any stage as text       cli/dump.py
"""

from __future__ import annotations

import gc
import sys

from simple_jit.base.diagnostics import CompileError, Reporter
from simple_jit.base.source import SourceFile
from simple_jit.base.terminal import show_diagnostics, wants_color
from simple_jit.engine.config import Config
from simple_jit.engine.engine import Engine
from simple_jit.hir import nodes as hir
from simple_jit.hir.scripts import localise_globals
from simple_jit.runtime import signals
from simple_jit.runtime.errors import SimpleError, SimpleExit, render_error, render_interrupt
from simple_jit.tiers.contract import BackendError, BackendMissing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simple_jit.aot.build import Build
    from simple_jit.aot.build import Options as BuildOptions

INTERRUPTED = 130
"""The exit status after Ctrl-C."""


def check(
    source: SourceFile, engine: Engine, reporter: Reporter, *, testing: bool = False
) -> hir.Program | None:
    """Parse and check a program against the foreign functions that `engine` knows.

    With `testing` it only registers its examples when it runs (`simple test`).

    Returns:
        None where there are errors; `reporter` has them, and warnings.
    """
    from simple_jit.hir.check import check_program
    from simple_jit.hir.session import Options

    options = Options(
        overflow_checks=engine.config.overflow_checks,
        extern_lookup=engine.externs.lookup,
        extern_signature=engine.externs.signature,
        testing=testing,
    )
    return check_program(source, reporter, options)


def run(source: SourceFile, args: Sequence[str], config: Config) -> int:
    """Run a program as a command does: diagnostics and errors go to stderr.

    Returns:
        The exit status: what `main` returns (modulo 256), 1 after an error, 130 after Ctrl-C.
    """
    # Trees and code of the program live to the end: looking for garbage among them only costs time.
    gc.disable()
    engine = Engine(config)
    engine.is_command = True
    signals.prepare()
    loading = engine.prefetch() if config.mode == "always_jit" else None
    status = engine.output.finish(_run(engine, source, args))
    if loading is not None:
        loading.wait()
    if config.stats:
        sys.stderr.write(engine.log.summary() + "\n")
    return status


def _run(engine: Engine, source: SourceFile, args: Sequence[str]) -> int:
    reporter = Reporter()
    program: hir.Program | None = None
    try:
        program = check(source, engine, reporter)
        show_diagnostics(reporter.diagnostics)
        if program is None:
            return 1
        localise_globals(program)
        if engine.config.mode != "always_jit":
            gc.freeze()
            gc.enable()
        return engine.run(program, args) & 0xFF
    except SimpleExit as ending:
        if ending.code == signals.TERMINATED:
            signals.end_soon(ending.code)
        return ending.code & 0xFF
    except CompileError as failure:
        engine.output.finish(1)
        show_diagnostics(failure.diagnostics)
        return 1
    except SimpleError as error:
        engine.output.finish(1)
        sys.stderr.write(render_error(error, line_finder(program), color=wants_color()))
        return 1
    except (BackendError, BackendMissing) as error:
        engine.output.finish(1)
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt as stop:
        signals.end_soon(INTERRUPTED)
        engine.output.finish(INTERRUPTED)
        frames = engine.context.frames_of(stop)
        if frames:
            sys.stderr.write(render_interrupt(frames, line_finder(program), color=wants_color()))
        return INTERRUPTED


def prepare_build(
    source: SourceFile, options: BuildOptions, overflow_checks: bool, reporter: Reporter
) -> Build | None:
    """Check a program and find all that goes into its executable; shows what is found wrong.

    Returns:
        None where the program has errors.

    Raises:
        CompileError: something in it cannot be compiled ahead of time.
    """
    from simple_jit.aot.build import Build

    engine = Engine(Config(overflow_checks=overflow_checks))
    try:
        program = check(source, engine, reporter)
        show_diagnostics(reporter.diagnostics)
        if program is None:
            return None
        localise_globals(program)
        return Build(program, options, line_finder(program))
    finally:
        engine.close()


def line_finder(program: hir.Program | None) -> Callable[[str, int], str | None]:
    """Return what finds a line of source in the files that `program` was made from."""

    def line_of(path: str, line: int) -> str | None:
        for function in program.functions.values() if program is not None else ():
            source = function.source
            # A file of the library is parsed in pieces: the others' lines are blank in each.
            if source.path == path and line <= source.line_count and source.line_text(line).strip():
                return source.line_text(line)
        return None

    return line_of
