"""Foreign functions of an executable: which the runtime has, which others, and which cannot be."""

from __future__ import annotations

import os

from simple_jit.aot.reach import Reached
from simple_jit.base import catalogue as rule
from simple_jit.base.diagnostics import CompileError, Diagnostic
from simple_jit.hir import nodes as hir
from simple_jit.hir.modules import LIBRARY
from simple_jit.hir.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from simple_jit.base.source import Span

_NAMES: Final = """
    rt_args rt_dir_list rt_env_get rt_env_set rt_errno_address rt_error_end rt_error_keep rt_error_take
    rt_error_throw rt_exit rt_f32_to_text rt_f64_to_text rt_file_append_text rt_file_delete rt_file_exists
    rt_file_read_text
    rt_file_write_text rt_flush rt_format_f64 rt_format_i64 rt_format_text rt_format_u64
    rt_function_name rt_gc_collect rt_gc_collections rt_gc_freed_bytes rt_gc_live_bytes
    rt_gc_longest_pause rt_gc_seconds rt_gc_used_bytes rt_heap_refill rt_optional_text_from_c
    rt_process_run rt_python_enter rt_python_leave rt_read_line rt_site_file rt_site_line rt_sleep
    rt_text_from_c rt_text_lower rt_text_normal_digits rt_text_to_f64 rt_text_upper rt_time_mono_ns
    rt_time_now rt_write rt_write_error
"""
IN_RUNTIME: Final = frozenset(_NAMES.split())
"""What `runtime/*.c` defines."""


def check_externs(program: hir.Program, reached: Reached, static: bool) -> list[tuple[str, str]]:
    """Return library and symbol of each foreign function that is looked up when the program starts.

    Raises:
        CompileError: a function that is called needs the compiler, or Python, when the program runs.
    """
    called = reached.foreign_functions()
    calls = {name: call for name, call in _extern_calls(program) if name in called}
    problems: list[Diagnostic] = []
    imports: list[tuple[str, str]] = []
    for name in sorted(called):
        call = calls.get(name)
        if call is None or name in IN_RUNTIME:
            continue
        extern = call.extern
        if extern.library is not None:
            imports.append((extern.library, name))
            if static:
                problems.append(
                    rule.NEEDS_COMPILER.at(
                        extern.span, f"`{extern.name}` is in a library that is opened when the program runs"
                    ).hint("leave out `--static`, which such an executable cannot be")
                )
        elif extern.python:
            problems.append(_missing(program, call))
    if problems:
        raise CompileError(problems)
    return imports


def _missing(program: hir.Program, call: hir.CallExtern) -> Diagnostic:
    name = call.extern.name
    span = _place_in_program(program, call)
    why = "the compiler" if name.startswith("rt_") else "Python"
    return rule.NEEDS_COMPILER.at(span, f"this needs {why} when the program runs (`{name}`)").hint(
        "run the program with `simple run`"
    )


def _extern_calls(program: hir.Program) -> Iterator[tuple[str, hir.CallExtern]]:
    for function in program.functions.values():
        if function.body is not None:
            for node in walk(function.body):
                if isinstance(node, hir.CallExtern):
                    yield node.extern.symbol, node


def _place_in_program(program: hir.Program, call: hir.CallExtern) -> Span:
    """Return where the program's own code comes to `call`, which may be deep in the library."""
    span = call.span
    wanted = next(f for f in program.functions.values() if f.body is not None and _contains(f.body, call))
    seen = {wanted.symbol}
    while _is_library(wanted):
        for function in program.functions.values():
            place = _call_of(function, wanted.symbol) if function.symbol not in seen else None
            if place is not None:
                span, wanted = place, function
                seen.add(function.symbol)
                break
        else:
            break
    return span


def _is_library(function: hir.Function) -> bool:
    """Is it of the library, whose files are shown relative to its folder?"""
    path = function.source.path
    return not os.path.isabs(path) and os.path.isfile(os.path.join(LIBRARY, path))


def _contains(body: hir.Expr, call: hir.CallExtern) -> bool:
    return any(node is call for node in walk(body))


def _call_of(function: hir.Function, symbol: str) -> Span | None:
    for node in walk(function.body) if function.body is not None else ():
        if isinstance(node, hir.Call) and node.callee.symbol == symbol:
            return node.span
    return None
