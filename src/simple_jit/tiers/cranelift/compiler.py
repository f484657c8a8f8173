"""Compile MIR functions into one unit of machine code."""

from __future__ import annotations

from simple_jit.tiers.contract import BackendError, CompiledCode, Link
from simple_jit.tiers.cranelift import adapter
from simple_jit.tiers.cranelift.call_marks import CallMarks, take_marks
from simple_jit.tiers.cranelift.lower_function import FunctionLowering, function_types
from simple_jit.tiers.object_file import link_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from simple_jit.mir.nodes import Function


def compile_functions(functions: Sequence[Function], link: Link, level: int, verify: bool) -> CompiledCode:
    """Compile functions; calls between them go through the code table like all others.

    Raises:
        BackendError: something in them is not supported.
    """
    if verify:
        _verify(functions)
    unit = adapter.ObjectBuilder(level, verify)
    for function in functions:
        signature = adapter.signature(*function_types(function))
        unit.define(function.symbol, signature, _build(function, signature, link))
    return _finish(unit)


def _finish(unit: adapter.ObjectBuilder) -> CompiledCode:
    code = link_object(unit.finish())
    text, marks = take_marks(code.text)
    return CompiledCode(text, code.entries, CallMarks(text, code.entries, marks))


def _build(function: Function, signature: Any, link: Link) -> Any:
    builder, params = adapter.start_function(signature)
    try:
        FunctionLowering(function, builder, params, link).lower()
    except (IndexError, KeyError, AttributeError, TypeError, ValueError, OverflowError) as error:
        raise BackendError(f"cannot lower `{function.symbol}`: {error!r}") from error
    return builder


PHASES = ("building the IR", "Cranelift", "object file")


def compile_timed(function: Function, link: Link, level: int = 2) -> tuple[float, ...]:
    """Compile one function and return the seconds that each of `PHASES` took."""
    from time import perf_counter

    start = perf_counter()
    signature = adapter.signature(*function_types(function))
    builder = _build(function, signature, link)
    built = perf_counter()
    unit = adapter.ObjectBuilder(level, verify=False)
    unit.define(function.symbol, signature, builder)
    defined = perf_counter()
    _finish(unit)
    return built - start, defined - built, perf_counter() - defined


def clif_text(functions: Sequence[Function], link: Link) -> str:
    """Return the IR that is given to Cranelift, in the manner of its text form."""
    from simple_jit.tiers.cranelift.clif_text import RecordingBuilder

    texts = []
    for function in functions:
        params, results = function_types(function)
        builder, values = adapter.start_function(adapter.signature(params, results))
        recorder = RecordingBuilder(builder, function.symbol, params, results)
        FunctionLowering(function, recorder, values, link).lower()
        texts.append(recorder.text())
    return "\n".join(texts)


def _verify(functions: Sequence[Function]) -> None:
    from simple_jit.mir.verify import verify

    for function in functions:
        verify(function)
