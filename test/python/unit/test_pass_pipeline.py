"""Random MIR programs do the same before and after each pass, and after whole pipelines."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mir_generator import FREE_CELL, Program, Scratch, generate, run
from simple_jit.mir import nodes as mir
from simple_jit.mir.nodes import Function
from simple_jit.mir.text import dump
from simple_jit.mir.verify import verify
from simple_jit.passes.environment import Environment
from simple_jit.passes.pipeline import ALL, FULL, INLINE, QUICK, Pass, run_passes
from simple_jit.runtime.context import Context
from simple_jit.tiers.mir_interpreter import MirInterpreter

CONTEXT = Context()
VARIANTS = 3
PIPELINES = {"quick": QUICK, "full": FULL, **{step.name: (step,) for step in ALL}}


@pytest.mark.parametrize("name", PIPELINES)
def test_programs_of_fixed_seeds(name: str) -> None:
    for seed in range(25):
        check(seed, PIPELINES[name])


@given(seed=st.integers(0, 1 << 40))
@settings(max_examples=30, deadline=None)
def test_programs_of_random_seeds(seed: int) -> None:
    check(seed, FULL)


def check(seed: int, passes: tuple[Pass, ...]) -> None:
    program = generate(seed)
    before = {function.symbol: function for function in program.functions}
    text = [dump(function) for function in program.functions]
    after = optimised(before, passes)
    assert [dump(function) for function in program.functions] == text, "a pass changed its input"
    for variant in range(VARIANTS):
        assert outcome(program, before, variant) == outcome(program, after, variant)


def optimised(functions: dict[str, Function], passes: tuple[Pass, ...]) -> dict[str, Function]:
    env = Environment(functions.get, small=60, growth=600)
    return {
        symbol: run_passes(function, env, passes, watch=lambda name, made: verify(made, after=name))
        for symbol, function in functions.items()
    }


def outcome(program: Program, functions: dict[str, Function], variant: int) -> tuple[object, ...]:
    scratch = Scratch()
    CONTEXT.store(FREE_CELL, 0)
    args = program.arguments(scratch, variant)
    machine = MirInterpreter(CONTEXT, functions.get, lambda symbol, args: None)
    return run(lambda: machine.call(program.entry, args), scratch)


def test_passes_leave_their_input_alone_and_are_watched_in_order() -> None:
    seen: list[str] = []
    (function,) = generate(3, helpers=0).functions
    run_passes(function, Environment(), QUICK, watch=lambda name, made: seen.append(name))
    assert seen == ["built", *[step.name for step in QUICK]]


def test_larger_functions_are_inlined_where_they_are_called_in_a_loop() -> None:
    from simple_jit.mir.parse import parse_functions

    functions = {
        function.symbol: function
        for function in parse_functions(
            """
fn @cube(%0: i64) -> i64 file "a.spl" line 1 {
b0:
  %1: i64 = mul %0, %0
  %2: i64 = mul %1, %0
  return %2
}
fn @f(%0: i64) -> i64 file "a.spl" line 2 {
b0:
  %1: i64 = const 1
  %2: i64 = call @cube(%0) !2:1
  jump b1
b1:
  %3: bool = lt %2, %0
  branch %3, b2, b3
b2:
  %2 = call @cube(%2) !2:1
  jump b1
b3:
  return %2
}
"""
        )
    }

    def calls(**sizes: int) -> int:
        after = run_passes(functions["f"], Environment(functions.get, **sizes), (INLINE,))
        return sum(type(i) is mir.Call for block in after.blocks for i in block.instructions)

    assert [calls(small=2, in_loops=2), calls(small=2, in_loops=3), calls(small=3, in_loops=3)] == [2, 1, 0]
    functions["cube"].rarely_called = True
    assert calls() == 2
