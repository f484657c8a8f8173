"""One instance → one MIR function."""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir import types as types
from simple_jit.lower import tagged as _tagged  # noqa: F401  (adds to what `lower` can do)
from simple_jit.lower.builder import FunctionBuilder
from simple_jit.lower.expressions import lower
from simple_jit.lower.nesting import nests_deeply
from simple_jit.mir import nodes as mir
from simple_jit.mir.layout import flatten


@nests_deeply
def lower_function(source: hir.Function) -> mir.Function:
    """Lower a checked instance.

    Parameters come flattened, in order; a function that reports errors at its caller's place takes the
    number of that place as one more, an i64.
    """
    body = source.ensure_body()
    function = mir.Function(
        source.symbol, flatten(source.ret), source.source.path, source.span.line_column()[0]
    )
    # An instance for one closure is mostly called in one place.
    takes_closure = any(isinstance(param.type, types.ClosureType) for param in source.params)
    function.inline = takes_closure or "inline" in source.annotations
    function.rarely_called = "rarely_called" in source.annotations or source.ret is types.NEVER
    fn = FunctionBuilder(source, function)
    for param in source.params:
        fn.variable(param)
    if source.track_caller:
        fn.site = fn.local(mir.I64, "site")
    function.param_count = len(function.locals)
    value = lower(fn, body)
    if body.type is not types.NEVER:
        fn.leave(value if source.ret is not types.UNIT else ())
    function.checks_stack = fn.has_calls
    return fn.finish()
