"""What an executable must know of its program at run time, as a C file: places, types, names."""

from __future__ import annotations

from simple_jit.engine.tracebacks import GUARDED, is_written, shown_name
from simple_jit.mir.nodes import Site
from simple_jit.runtime.errors import clip_line, text_width
from simple_jit.runtime.type_table import type_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from simple_jit.aot.link import StaticLink
    from simple_jit.hir import nodes as hir
    from simple_jit.runtime.type_numbers import TypeNumbers

    Call = tuple[int, tuple[int, ...]]
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
    functions: Mapping[str, hir.Function],
    calls: Mapping[int, Call],
    imports: Sequence[tuple[str, str]],
    line_of: LineFinder,
) -> str:
    """Return the C file.

    Args:
        link: numbers code slots, sites and types.
        functions: those of the program, by symbol.
        calls: for the offset of each return address from the start function, frame and sites of the call.
        imports: foreign functions that are looked up at the start: library and symbol.
        line_of: returns the text of a line of a file, None where it is not known.
    """
    strings = _Strings()
    places = _Places(link, functions, strings, line_of)
    names = [str(strings.add(functions[symbol].name)) for symbol in link.code]
    pairs = [(library, _c_name(symbol)) for library, symbol in imports]
    found = [f"{{{c_string(library.encode())}, {c_string(name.encode())}}}" for library, name in pairs]
    parts = [
        '#include "simple.h"',
        *places.definitions(),
        *_calls(calls),
        _array("const uint32_t simple_code_names", names or ["0"]),
        _array("const struct simple_import simple_imports", found or ["{0, 0}"]),
        *_types(link.types),
        strings.definition(),
    ]
    return "\n".join([*parts, ""])


class _Places:
    """The tables of sites and of functions, which refer to one another."""

    def __init__(
        self,
        link: StaticLink,
        functions: Mapping[str, hir.Function],
        strings: _Strings,
        line_of: LineFinder,
    ) -> None:
        self._link = link
        self._functions = functions
        self._strings = strings
        self._line_of = line_of
        self._numbers: dict[str, int] = {}
        self._wholes: dict[str, int] = {}
        self._rows = ["{0, 0, 0, 0, 0}"]

    def definitions(self) -> list[str]:
        """Return both tables. The list of sites grows while functions come up."""
        rows = [f"{{{', '.join(['0'] * 10)}}}"]
        for site in self._link.sites:
            rows.append(self._site(site))
        return [
            _array("const struct simple_site simple_sites", rows),
            _array("const struct simple_function simple_functions", self._rows),
        ]

    def _site(self, site: Site) -> str:
        add = self._strings.add
        line = self._line_of(site.file, site.line)
        shown, before = clip_line(line, site.column - 1) if line is not None else ("", 0)
        stripped = clip_line((line or "").strip(), 0)[0]
        numbers = (
            add(site.file), add(shown), add(stripped), site.line, site.column, before, int(line is not None),
            text_width(f"{site.file}:{site.line}"), self._function(site.symbol),
            self._link.site_number(site.caller) if site.caller is not None else 0,
        )  # fmt: skip
        return f"{{{', '.join(map(str, numbers))}}}"

    def _function(self, symbol: str) -> int:
        """Return the number of a function, 0 for one that nobody has written."""
        function = self._functions.get(symbol)
        if function is None or not is_written(function):
            return 0
        number = self._numbers.get(symbol)
        if number is None:
            number = self._numbers[symbol] = len(self._rows)
            name = shown_name(function)
            whole, is_part, _ = symbol.partition(GUARDED)
            whole_number = self._wholes.setdefault(whole, len(self._wholes) + 1)
            declared = Site(function.source.path, function.span.line, 1, symbol)
            self._rows.append(
                f"{{{self._strings.add(name)}, {text_width(name)}, {whole_number}, {int(bool(is_part))}, "
                f"{self._link.site_number(declared)}}}"
            )
        return number


def _calls(calls: Mapping[int, Call]) -> list[str]:
    """Return the table of calls, and that of their sites, which are kept once where they are alike."""
    lists: dict[tuple[int, ...], int] = {}
    numbers: list[str] = []
    rows = []
    for offset, (frame, sites) in sorted(calls.items()):
        if sites not in lists:
            lists[sites] = len(numbers)
            numbers += map(str, (len(sites), *sites))
        rows.append(f"{{{offset}, {frame}, {lists[sites]}}}")
    return [
        _array("const struct simple_call simple_calls", rows or ["{0, 0, 0}"]),
        _array("const uint32_t simple_call_sites", numbers or ["0"]),
    ]


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
