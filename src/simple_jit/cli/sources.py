"""Where the source of a program comes from: a file, standard input or the command line."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.diagnostics import Reporter
    from simple_jit.base.source import SourceFile

STDIN = "-"


def read_source(name: str, reporter: Reporter) -> SourceFile:
    """Read the file `name`, or standard input where that is `-`.

    Raises:
        CompileError: it cannot be read, or is not UTF-8.
    """
    from simple_jit.syntax.load import load_source, source_from_bytes

    if name == STDIN:
        import sys

        source = source_from_bytes("<stdin>", sys.stdin.buffer.read(), reporter)
    else:
        source = load_source(name, reporter)
    if source is None:
        reporter.raise_errors()
    assert source is not None
    return source


def eval_source(code: str, reporter: Reporter) -> SourceFile:
    """Make a source of the text given with `-e`.

    Raises:
        CompileError: it is not UTF-8.
    """
    from simple_jit.syntax.load import source_from_bytes

    source = source_from_bytes("<eval>", code.encode(errors="surrogateescape"), reporter)
    if source is None:
        reporter.raise_errors()
    assert source is not None
    return source
