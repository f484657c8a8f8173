"""The ordered lists of passes."""

from __future__ import annotations

from simple_jit.mir.visit import copy_function
from simple_jit.passes.bounds_checks import remove_bounds_checks
from simple_jit.passes.common_subexpressions import share_computations
from simple_jit.passes.constant_folding import fold_constants
from simple_jit.passes.copy_propagation import propagate_copies
from simple_jit.passes.dead_code import remove_dead_code
from simple_jit.passes.environment import Environment
from simple_jit.passes.inline import inline_calls, inline_recursion
from simple_jit.passes.known_calls import call_known_values
from simple_jit.passes.loop_invariants import hoist_invariants
from simple_jit.passes.loop_inversion import invert_loops
from simple_jit.passes.loop_versioning import version_loops
from simple_jit.passes.scalar_replacement import replace_objects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from simple_jit.mir.nodes import Function


class Pass:
    """A named step; `run` changes the function it is given."""

    __slots__ = ("name", "run")

    def __init__(self, name: str, run: Callable[[Function, Environment], None]) -> None:
        self.name = name
        self.run = run


INLINE: Final = Pass("inline", inline_calls)
INLINE_RECURSION: Final = Pass("inline-recursion", inline_recursion)
CONSTANT_FOLDING: Final = Pass("constant-folding", fold_constants)
COMMON_SUBEXPRESSIONS: Final = Pass("common-subexpressions", share_computations)
COPY_PROPAGATION: Final = Pass("copy-propagation", propagate_copies)
KNOWN_CALLS: Final = Pass("known-calls", call_known_values)
SCALAR_REPLACEMENT: Final = Pass("scalar-replacement", replace_objects)
LOOP_INVARIANTS: Final = Pass("loop-invariants", hoist_invariants)
BOUNDS_CHECKS: Final = Pass("bounds-checks", remove_bounds_checks)
LOOP_VERSIONING: Final = Pass("loop-versioning", version_loops)
LOOP_INVERSION: Final = Pass("loop-inversion", invert_loops)
DEAD_CODE: Final = Pass("dead-code", remove_dead_code)

QUICK: Final = (
    INLINE,
    INLINE_RECURSION,
    CONSTANT_FOLDING,
    COPY_PROPAGATION,
    COMMON_SUBEXPRESSIONS,
    KNOWN_CALLS,
    SCALAR_REPLACEMENT,
    LOOP_INVARIANTS,
    BOUNDS_CHECKS,
    DEAD_CODE,
    LOOP_INVERSION,
)
"""For Cranelift: little time, and what Cranelift does not do itself."""

FULL: Final = (
    INLINE,
    CONSTANT_FOLDING,
    COPY_PROPAGATION,
    COMMON_SUBEXPRESSIONS,
    KNOWN_CALLS,
    SCALAR_REPLACEMENT,
    LOOP_INVARIANTS,
    BOUNDS_CHECKS,
    LOOP_VERSIONING,
    DEAD_CODE,
)
"""For LLVM: what only we can know, for the rest LLVM does better."""

ALL: Final = tuple({step.name: step for step in (*QUICK, *FULL)}.values())


def run_passes(
    function: Function,
    env: Environment,
    passes: tuple[Pass, ...] = QUICK,
    watch: Callable[[str, Function], None] | None = None,
) -> Function:
    """Return what `passes` make of `function`, which stays as it is.

    `watch` is called with a name and the function as it is then: "built", then each pass.
    """
    function = copy_function(function)
    if watch is not None:
        watch("built", function)
    for step in passes:
        step.run(function, env)
        if watch is not None:
            watch(step.name, function)
    return function
