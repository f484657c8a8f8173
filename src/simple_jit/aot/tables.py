"""What an executable must know of its program at run time, as a C file: places, types, names."""

from __future__ import annotations

from simple_jit.runtime.errors import clip_line
from simple_jit.runtime.type_table import type_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simple_jit.aot.link import StaticLink
    from simple_jit.mir.nodes import Site
    from simple_jit.runtime.type_numbers import TypeNumbers

    LineFinder = Callable[[str, int], str | None]


class _Strings:
    """Texts one behind the other, each followed by a NUL; equal ones are kept once."""

    def __init__(self) -> None:
        self._offsets: dict[str, int] = {}
        self._parts: list[str] = []
        self._size = 0

    def add(self, text: str) -> int:
        """Return the offset of `text`."""
        found = self._offsets.get(text)
        if found is None:
            data = text.encode("utf-8", "backslashreplace")
            found = self._offsets[text] = self._size
            self._parts.append(c_string(data))
            self._size += len(data) + 1
        return found

    def definition(self) -> str:
        lines = "\n".join(f'    {part[:-1]}\\0"' for part in self._parts)
        return f'const char simple_strings[] =\n{lines}\n    "";'


def c_string(data: bytes) -> str:
    """Return a C string literal."""
    escaped = "".join(
        [chr(b) if 32 <= b < 127 and b not in b'"\\?' else f"\\{b:03o}" for b in data]
    )
    return f'"{escaped}"'


def program_source(
    link: StaticLink,
    code_names: Sequence[str],
    imports: Sequence[tuple[str, str]],
    line_of: LineFinder,
) -> str:
    """Return the C file.

    Args:
        link: numbers sites and types.
        code_names: the names of the functions in the code table.
        imports: foreign functions that are looked up at the start: library and symbol.
        line_of: returns the text of a line of a file, None where it is not known.
    """
    strings = _Strings()
    rows = ["{0, 0, 0, 0, 0, 0}", *[_site_row(site, strings, line_of) for site in link.sites]]
    names = [str(strings.add(name)) for name in code_names]
    pairs = [(library, _c_name(symbol)) for library, symbol in imports]
    found = [f"{{{c_string(library.encode())}, {c_string(name.encode())}}}" for library, name in pairs]
    parts = [
        '#include "simple.h"',
        _array("const struct simple_site simple_sites", rows),
        _array("const uint32_t simple_code_names", names or ["0"]),
        _array("const struct simple_import simple_imports", found or ["{0, 0}"]),
        *_types(link.types),
        strings.definition(),
    ]
    return "\n".join([*parts, ""])


def _site_row(site: Site, strings: _Strings, line_of: LineFinder) -> str:
    line = line_of(site.file, site.line)
    shown, before = clip_line(line, site.column - 1) if line is not None else ("", 0)
    file, text, known = strings.add(site.file), strings.add(shown), int(line is not None)
    return f"{{{file}, {text}, {site.line}, {site.column}, {before}, {known}}}"


def _types(numbers: TypeNumbers) -> list[str]:
    """Describe the types of objects, as `lib/core/gc.spl` reads it."""
    references: list[str] = []
    rows = []
    for about in map(numbers.descriptor, range(numbers.count)):
        size, kind, stride = type_record(about)
        rows.append(f"{{{size}, {kind}, {stride}, references + {len(references)}}}")
        references += map(str, (len(about.references), *about.references))
    return [
        _array("static const int64_t references", references),
        _array("const struct simple_type simple_types", rows),
    ]


def _c_name(symbol: str) -> str:
    """Return the name that C has for a foreign function."""
    return symbol.partition("@")[0].removesuffix("...")


def _array(declaration: str, rows: Sequence[str]) -> str:
    lines = ",\n    ".join(rows)
    return f"{declaration}[] = {{\n    {lines}\n}};"
