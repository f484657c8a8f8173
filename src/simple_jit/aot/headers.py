"""The generated headers of the runtime.

    layout.h     what the compiler and the runtime agree on: `mir/abi.py` in C, and numbers of the program
    unicode.h    what this Python knows of characters, as far as the program needs it
"""

from __future__ import annotations

from simple_jit.mir import abi
from simple_jit.mir.layout import BUFFER_DESCRIPTOR, FIXED_DESCRIPTORS, TEXT_DESCRIPTOR
from simple_jit.runtime import collector, signals, stack
from simple_jit.runtime.stubs import callback_thunk, machine_stubs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

_ABI: Final = """
    ARGS BAD_CALLBACK CALLBACK FOREIGN_THREAD HEADER_SIZE KEPT OWNER
    ARRAY_CAPACITY ARRAY_DATA ARRAY_LEN ARRAY_SIZE BUFFER_BYTES BUFFER_DATA CODE CONTEXT_SIZE
    ENTER ERROR_A ERROR_B ERROR_KIND ERROR_SITE FAILED GLOBALS HEAP_END HEAP_NEXT IMPORTS LIMIT MESSAGE
    OUT_CAPACITY OUT_DATA OUT_LEN POLL RESULT RETURNS RETURNS_COUNT STACK STACK_END
    STACK_LIMIT TEXT_BYTES TEXT_CHARS TEXT_DATA THROW
"""


def layout_header(program: dict[str, int]) -> str:
    """Return `layout.h`; `program` are numbers of this program (`PROGRAM_…`)."""
    numbers = {
        **{f"ABI_{name}": int(getattr(abi, name)) for name in _ABI.split()},
        "ABI_RECORDED": abi.ERROR_NUMBER["Recorded"],
        "ABI_TEXT_TYPE": FIXED_DESCRIPTORS.index(TEXT_DESCRIPTOR),
        "ABI_BUFFER_TYPE": FIXED_DESCRIPTORS.index(BUFFER_DESCRIPTOR),
        "ABI_FIRST_BUDGET": collector.FIRST_BUDGET,
        "ABI_LARGE": collector.LARGE,
        "ABI_CHUNK": collector.CHUNK,
        "ABI_LEAST_RETURNED": collector.LEAST_RETURNED,
        "ABI_PATIENCE": int(signals.PATIENCE * 1_000_000),
        "ABI_STACK_WANTED": stack.WANTED,
        "ABI_STACK_RESERVE": stack.RESERVE,
        **program,
    }
    lines = [f"#define {name} INT64_C({number})" for name, number in numbers.items()]
    kinds = ", ".join(f'"{kind}"' for kind in abi.ERROR_KINDS)
    return "\n".join(["#pragma once", *lines, f"#define ABI_ERROR_KINDS {{{kinds}}}", *_stubs(), ""])


def _stubs() -> list[str]:
    """Return macros with the entry and throw stubs as assembly text, and the thunk of callbacks as bytes."""
    code = machine_stubs()
    start = code.entries["throw"]
    parts = {"STUB_ENTER": code.text[:start], "STUB_THROW": code.text[start:]}
    lines = [f'#define {name} ".byte {", ".join(map(hex, text))}\\n"' for name, text in parts.items()]
    marks = {name: 0x1122334455667700 + n for n, name in enumerate(("CELL", "CONTEXT", "ENTRY"))}
    thunk = callback_thunk(*marks.values()).text
    escaped = "".join(f"\\x{byte:02x}" for byte in thunk)
    lines.append(f'#define STUB_CALLBACK "{escaped}"')
    for name, mark in marks.items():
        lines.append(f"#define STUB_CALLBACK_{name} {thunk.index(mark.to_bytes(8, 'little'))}")
    return lines


# Foreign functions that look characters up in tables.
_CASES: Final = {"rt_text_upper", "rt_text_lower"}
_DIGITS: Final = {"rt_text_to_f64", "rt_text_normal_digits"}


def unicode_header(foreign: set[str]) -> str:
    """Return `unicode.h`: what this Python knows of characters, as far as the functions `foreign` need it."""
    parts = ["#pragma once", "#include <stdint.h>"]
    if foreign & _DIGITS:
        zeros = [c for c in range(0x110000) if chr(c).isdecimal() and int(chr(c)) == 0]
        parts.append("#define PROGRAM_DIGITS")
        parts.append(_table("uint32_t unicode_zeros[]", "UNICODE_ZEROS", map(str, zeros)))
    if foreign & _CASES:
        parts += ["#define PROGRAM_CASES", "struct unicode_case { uint32_t code, to[3]; };"]
        for name in ("upper", "lower"):
            table = f"struct unicode_case unicode_{name}[]"
            parts.append(_table(table, f"UNICODE_{name.upper()}", _cases(name)))
        cased, ignorable = _case_properties()
        parts.append(_table("uint32_t unicode_cased[][2]", "UNICODE_CASED", _ranges(cased)))
        parts.append(_table("uint32_t unicode_ignorable[][2]", "UNICODE_IGNORABLE", _ranges(ignorable)))
    return "\n".join([*parts, ""])


def _table(declaration: str, size: str, rows: Iterable[str]) -> str:
    content = list(rows)
    return f"static const {declaration} = {{{', '.join(content)}}};\n#define {size} {len(content)}"


def _cases(method: str) -> Iterable[str]:
    """Yield a row for each character that `method` changes."""
    convert = str.upper if method == "upper" else str.lower
    for code in range(0x80):
        if convert(chr(code)) != chr(code):
            yield _row(code, convert(chr(code)))
    for code in range(0x80, 0x110000):
        mapped = convert(chr(code))
        if mapped != chr(code):
            yield _row(code, mapped)


def _row(code: int, mapped: str) -> str:
    return f"{{{code}, {{{', '.join(str(ord(c)) for c in mapped)}}}}}"


def _case_properties() -> tuple[list[int], list[int]]:
    """Return the characters that have case, and those that are ignored beside one that has.

    Python does not tell, but its rule for a sigma at the end of a word does: it becomes a final one behind a
    character with case, with any that are ignored between.
    """
    codes = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    behind = "".join([f"{chr(code)}\u03a3\n" for code in codes]).lower()
    between = "".join([f"A{chr(code)}\u03a3\n" for code in codes]).lower()
    cased, ignorable = [], []
    at = position = 0
    for code in codes:
        at = behind.index("\n", at + (code == 10))
        position = between.index("\n", position + 2 * (code == 10))
        if behind[at - 1] == "\u03c2":
            cased.append(code)
        elif between[position - 1] == "\u03c2":
            ignorable.append(code)
        at += 1
        position += 1
    return cased, ignorable


def _ranges(codes: list[int]) -> Iterable[str]:
    """Yield the first and the last of each run of numbers one after the other."""
    start = 0
    for index, code in enumerate(codes):
        if index + 1 == len(codes) or codes[index + 1] != code + 1:
            yield f"{{{codes[start]}, {code}}}"
            start = index + 1
