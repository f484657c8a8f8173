"""Function values that C calls: the C code of each signature that a program passes.

`rt_callback_i64_i64_to_i32(closure)` returns what C may call. That goes on in the entry of the signature,
which calls the function value as `main` calls the program: a throw ends there.
"""

from __future__ import annotations

from simple_jit.mir.foreign import PREFIX, CallbackSignature, copy_function, parse_symbol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

_C_TYPES: Final = {
    **{f"i{bits}": f"int{bits}_t" for bits in (8, 16, 32, 64)},
    **{f"u{bits}": f"uint{bits}_t" for bits in (8, 16, 32, 64)},
    "f32": "float", "f64": "double", "bool": "uint8_t", "unit": "void",
}  # fmt: skip


def callback_symbols(foreign: Iterable[str]) -> list[str]:
    """Return those of the foreign functions that make pointers for C."""
    return sorted(symbol for symbol in foreign if symbol.startswith(PREFIX))


def callback_source(symbols: Iterable[str]) -> str:
    """Return the C file."""
    return "\n\n".join(['#include "callbacks.h"', *[_entry(symbol) for symbol in symbols], ""])


def _entry(symbol: str) -> str:
    signature = parse_symbol(symbol)
    name = symbol.removeprefix(PREFIX)
    ret = _c_type(signature.ret)
    has_result = ret != "void"
    params = [f"{_c_type(word)} a{n}" for n, word in enumerate(signature.params)]
    fields = [*params, *([f"{ret} result"] if has_result else [])]
    return "\n".join(
        [
            f"struct call_{name} {{ ref closure; {' '.join(f'{field};' for field in fields)} }};",
            "",
            f"static int64_t inner_{name}(char *context, int64_t a, int64_t b) {{",
            f"    struct call_{name} *call = (void *)(uintptr_t)a;",
            *_inner_lines(signature, ret),
            "    return 0;",
            "}",
            "",
            f"static {ret} entry_{name}({', '.join(params) or 'void'}) {{",
            f"    struct call_{name} call = {{0}};",
            "    if ((call.closure = simple_callback_begin()) == 0)",
            f"        return{' 0' if has_result else ''};",
            *[f"    call.a{n} = a{n};" for n in range(len(params))],
            f"    if (simple_enter(simple_context, (void *)inner_{name}, (int64_t)(uintptr_t)&call, 0) != 0)",
            "        simple_callback_failed();",
            *(["    return call.result;"] if has_result else []),
            "}",
            "",
            f"void *{symbol}(ref closure) {{ return simple_callback(closure, (void *)entry_{name}); }}",
        ]
    )


def _inner_lines(signature: CallbackSignature, ret: str) -> list[str]:
    """Return what is done inside: make texts of those of C, call the function value, keep its result."""
    lines, passed = [], ["context"]
    types = ["char *"]
    for number, word in enumerate(signature.params):
        copy = copy_function(word)
        value = f"call->a{number}"
        if copy is not None:
            lines.append(f"    ref t{number} = {copy}({value});")
            lines.append("    if (simple_failed()) simple_throw_recorded();")
            value = f"t{number}"
        passed.append(f"({value} != 0)" if word == "bool" else value)
        types.append(_c_type(word))
    target = f"(({ret} (*)({', '.join([*types, 'ref'])}))callback_code(call->closure))"
    result = "" if ret == "void" else "call->result = "
    lines.append(f"    {result}{target}({', '.join([*passed, 'call->closure'])});")
    return lines


def _c_type(word: str) -> str:
    return _C_TYPES.get(word, "ref")
