"""Shared libraries: functions marked @export as C functions, and the header that declares them.

Each exported function is wrapped in C. The wrapper starts the runtime at the first call, enters the program
as `main` does, and turns an error into a result of 0 that `simple_error` then tells of.
"""

from __future__ import annotations

import os

from simple_jit.base import catalogue as rule
from simple_jit.base.diagnostics import CompileError, Diagnostic
from simple_jit.hir import nodes as hir
from simple_jit.hir import types as types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from simple_jit.runtime.type_numbers import TypeNumbers

_SCALARS: Final[dict[types.Type, str]] = {
    types.I8: "int8_t", types.I16: "int16_t", types.I32: "int32_t", types.I64: "int64_t",
    types.U8: "uint8_t", types.U16: "uint16_t", types.U32: "uint32_t", types.U64: "uint64_t",
    types.F32: "float", types.F64: "double", types.BOOL: "bool",
}  # fmt: skip


class Export:
    """An exported function; `number` is its place among them."""

    def __init__(self, function: hir.Function, number: int) -> None:
        self.function = function
        self.number = number
        self.name = function.name

    @property
    def result(self) -> str:
        """The type of its result in C."""
        return _result_type(self.function.ret)

    @property
    def params(self) -> str:
        """Its parameters in C."""
        found = [part for p in self.function.params for part in _c_parameters(p.type, _c_name(p.name))]
        return ", ".join(found) or "void"

    def prototype(self) -> str:
        """Return its declaration in C, without the semicolon."""
        space = "" if self.result.endswith("*") else " "
        return f"{self.result}{space}{self.name}({self.params})"


def find_exports(program: hir.Program) -> list[Export]:
    """Return the functions of a program that are marked @export, in order of source.

    Raises:
        CompileError: there is none, or C cannot call one.
    """
    marked = [f for f in program.functions.values() if "export" in f.annotations]
    problems = [problem for function in marked if (problem := _problem(function)) is not None]
    if not marked:
        problems = [
            rule.BAD_EXPORT.at(None, "the program has no function that is marked `@export`").hint(
                "write `@export` above each function that C is to call"
            )
        ]
    names: dict[str, hir.Function] = {}
    for function in marked:
        if names.setdefault(function.name, function) is not function:
            problems.append(
                rule.BAD_EXPORT.at(function.span, f"two exported functions are called `{function.name}`")
            )
    if problems:
        raise CompileError(problems)
    return [Export(function, number) for number, function in enumerate(marked)]


def _problem(function: hir.Function) -> Diagnostic | None:
    """Return why C cannot call a function, None where it can."""
    if not function.name.isascii() or not function.name.isidentifier():
        return rule.BAD_EXPORT.at(function.span, f"`{function.name}` is no name of a C function")
    for param in function.params:
        if not _c_parameters(param.type, "x"):
            return _bad_type(function, param.type, f"the parameter `{param.name}`")
    if function.ret is not types.UNIT and _result_type(function.ret) == "":
        return _bad_type(function, function.ret, "the result")
    return None


def _bad_type(function: hir.Function, type: types.Type, what: str) -> Diagnostic:
    return rule.BAD_EXPORT.at(
        function.span, f"{what} of `{function.name}` is of type `{type}`, which C does not have"
    ).hint("numbers, `bool`, `text`, and as parameters arrays of numbers can be passed")


def _result_type(type: types.Type) -> str:
    if type is types.UNIT:
        return "void"
    return "const char *" if type is types.TEXT else _SCALARS.get(type, "")


def _c_parameters(type: types.Type, name: str) -> list[str]:
    """Return the declarations of the C parameters of one of ours; none where C has no such type."""
    if type in _SCALARS:
        return [f"{_SCALARS[type]} {name}"]
    if type is types.TEXT:
        return [f"const char *{name}"]
    if isinstance(type, types.ArrayType) and type.elem in _SCALARS:
        return [f"{_SCALARS[type.elem]} *{name}", f"size_t {name}_len"]
    return []


_C_KEYWORDS: Final = """
    auto break case char const continue default do double else enum extern float for goto if inline int
    long register restrict return short signed sizeof static struct switch typedef union unsigned void
    volatile while
"""


def _c_name(name: str) -> str:
    plain = name if name.isascii() and name.isidentifier() else "arg"
    return f"{plain}_" if plain in _C_KEYWORDS.split() else plain


_HEADER_COMMENT: Final = """\
/* {file}: functions written in Simple. Made by `simple build --shared`.
 *
 * One thread at a time may call them. A function that fails returns 0, and `simple_error` says why. A text
 * that is returned stays until a function is called that returns one. Arrays are copied in, and what the
 * function has changed in them is copied back.
 */"""


def header_source(exports: Sequence[Export], output: str) -> str:
    """Return the C header of a shared library."""
    stem = os.path.splitext(os.path.basename(output))[0]
    guard = "".join(c if c.isascii() and c.isalnum() else "_" for c in stem.upper()) + "_H"
    lines = [
        _HEADER_COMMENT.format(file=os.path.basename(output)),
        f"#ifndef {guard}",
        f"#define {guard}",
        "",
        "#include <stdbool.h>",
        "#include <stddef.h>",
        "#include <stdint.h>",
        "",
        "#ifdef __cplusplus",
        'extern "C" {',
        "#endif",
        "",
        *[f"{export.prototype()};" for export in exports],
        "",
        "/* What the last call failed with, such as `IndexError: …`; NULL where it did not fail. */",
        "const char *simple_error(void);",
        "",
        "#ifdef __cplusplus",
        "}",
        "#endif",
        "#endif",
    ]
    return "\n".join([*lines, ""])


def export_source(exports: Sequence[Export], numbers: TypeNumbers) -> str:
    """Return the C file with the wrappers."""
    parts = ['#include <string.h>', '#include "simple.h"', '#include "shared.h"']
    parts += [_wrapper(export, numbers) for export in exports]
    return "\n\n".join([*parts, ""])


def _wrapper(export: Export, numbers: TypeNumbers) -> str:
    """Return the C code of one function.

    Arguments travel in a struct: texts and arrays are made of them inside, where the collector sees the
    stack, and where an error may leave by a throw.
    """
    number, function = export.number, export.function
    params = [(param.type, _c_name(param.name)) for param in function.params]
    parts = [part for type, name in params for part in _c_parameters(type, name)]
    names = [part.split()[-1].lstrip("*") for part in parts]
    has_result = function.ret is not types.UNIT
    if has_result:
        parts.append(f"{export.result} result")
    returned = _passed_type(function.ret) if has_result else "void"
    passed = ", ".join(["char *", *[_passed_type(type) for type, _ in params]])
    return "\n".join(
        [
            f"extern {returned} simple_export_{number}({passed});",
            f"struct call_{number} {{ char unused; {' '.join(f'{part};' for part in parts)} }};",
            "",
            f"static int64_t run_{number}(char *context, int64_t a, int64_t b) {{",
            f"    struct call_{number} *call = (void *)(uintptr_t)a;",
            *_inner_lines(export, params, numbers),
            "    return 0;",
            "}",
            "",
            f'__attribute__((visibility("default"))) {export.prototype()} {{',
            f"    struct call_{number} call;",
            "    memset(&call, 0, sizeof call);",
            *[f"    call.{name} = {name};" for name in names],
            f"    simple_call((void *)run_{number}, &call, __builtin_frame_address(0));",
            *(["    return call.result;"] if has_result else []),
            "}",
        ]
    )


def _inner_lines(
    export: Export, params: Sequence[tuple[types.Type, str]], numbers: TypeNumbers
) -> list[str]:
    """Return what is done inside: convert the arguments, call, keep the result, copy arrays back."""
    ret = export.function.ret
    lines = [
        f"    {_passed_type(type)} p{n} = {_argument(type, name, numbers)};"
        for n, (type, name) in enumerate(params)
    ]
    lines.append("    if (simple_failed()) simple_throw_recorded();")
    call = f"simple_export_{export.number}({', '.join(['context', *[f'p{n}' for n in range(len(params))]])})"
    if ret is types.UNIT:
        lines.append(f"    {call};")
    elif ret is types.TEXT:
        lines.append(f"    call->result = simple_keep_text({call});")
    else:
        lines.append(f"    call->result = {call};")
    for n, (type, name) in enumerate(params):
        if isinstance(type, types.ArrayType):
            size = f"call->{name}_len * sizeof *call->{name}"
            lines.append(f"    simple_copy_back(p{n}, call->{name}, {size});")
    return lines


def _passed_type(type: types.Type) -> str:
    if type is types.BOOL:
        return "uint8_t"
    return _SCALARS.get(type, "ref")


def _argument(type: types.Type, name: str, numbers: TypeNumbers) -> str:
    """Return the C expression of an argument as the program takes it."""
    if type in _SCALARS:
        return f"call->{name}"
    if type is types.TEXT:
        return f"simple_text_argument(call->{name})"
    assert isinstance(type, types.ArrayType)
    return f"simple_array_argument({numbers.of(type)}, call->{name}, call->{name}_len, sizeof *call->{name})"
