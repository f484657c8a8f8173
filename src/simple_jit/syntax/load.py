"""Reading source files from disk."""

from __future__ import annotations

import os

from simple_jit.base import catalogue
from simple_jit.base.source import SourceFile, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.diagnostics import Reporter

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def load_source(path: str, reporter: Reporter) -> SourceFile | None:
    r"""Read a UTF-8 file; report and return None if that cannot be done.

    A byte order mark is dropped, and `\r\n` and `\r` become `\n`.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        reporter.report(catalogue.CANNOT_READ.at(None, _reason(path, error)))
        return None
    return source_from_bytes(path, data, reporter)


def source_from_bytes(path: str, data: bytes, reporter: Reporter) -> SourceFile | None:
    """Decode the contents of a file as `load_source` does."""
    data = data.removeprefix(_BYTE_ORDER_MARK)
    try:
        return SourceFile(path, _with_plain_line_ends(data.decode()))
    except UnicodeDecodeError as error:
        _report_encoding(path, data, error, reporter)
        return None


def _with_plain_line_ends(text: str) -> str:
    if "\r" not in text:
        return text
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _reason(path: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"there is no file `{path}`"
    if os.path.isdir(path):
        return f"`{path}` is a directory"
    return f"cannot read `{path}`: {error.strerror or error}"


def _report_encoding(path: str, data: bytes, error: UnicodeDecodeError, reporter: Reporter) -> None:
    """Report the first byte that is not UTF-8, in the text as far as it can be shown."""
    before = _with_plain_line_ends(data[: error.start].decode())
    after = data[error.start :].decode(errors="replace")
    source = SourceFile(path, before + _with_plain_line_ends(after))
    byte = data[error.start]
    reporter.report(
        catalogue.NOT_UTF8.at(
            Span(source, len(before), len(before) + 1),
            f"the byte 0x{byte:02x} at offset {error.start} is not UTF-8",
        ).hint("save the file as UTF-8")
    )
