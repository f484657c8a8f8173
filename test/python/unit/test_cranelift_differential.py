"""Random MIR programs: what Cranelift makes of them does what the MIR interpreter says."""

from __future__ import annotations

import math
import typing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mir_generator import FREE_CELL, Scratch, generate, run
from native_machine import NativeMachine, Thrown
from simple_jit.mir.text import dump
from simple_jit.mir.verify import verify
from simple_jit.runtime.errors import SimpleError, message_for
from simple_jit.tiers.mir_interpreter import MirInterpreter

backend = pytest.importorskip("simple_jit.tiers.cranelift.backend")
pytest.importorskip("cranelift")
BACKEND = backend.CraneliftBackend(verify=True)
VARIANTS = 3


@pytest.fixture(scope="module")
def machine() -> NativeMachine:
    return NativeMachine()


@pytest.mark.parametrize("level", [0, 2])
@pytest.mark.parametrize("part", range(10))
def test_random_programs(machine: NativeMachine, part: int, level: int) -> None:
    for seed in range(1000 + 100 * part, 1000 + 100 * part + 10):
        compare(machine, seed, level)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 30))
def test_any_program(machine: NativeMachine, seed: int) -> None:
    compare(machine, seed, 2)


def compare(machine: NativeMachine, seed: int, level: int) -> None:
    """Run the program of `seed` on Cranelift and in the interpreter, with several arguments."""
    program = generate(seed)
    functions = {function.symbol: function for function in program.functions}
    for function in program.functions:
        verify(function)
    interpreter = MirInterpreter(machine.context, functions.get, lambda symbol, args: math.fmod(*args))
    machine.add(BACKEND, program.functions, level)
    scratch = Scratch()
    for variant in range(VARIANTS):
        outcomes = []
        for call in (interpreter.call, native(machine, functions)):
            machine.context.store(FREE_CELL, 0)
            args = program.arguments(scratch, variant)
            outcomes.append(run(lambda call=call, args=args: call(program.entry, args), scratch))
        assert outcomes[0] == outcomes[1], "\n".join(map(dump, program.functions))


def native(machine: NativeMachine, functions: dict[str, typing.Any]) -> typing.Callable[..., typing.Any]:
    def call(symbol: str, args: tuple[typing.Any, ...]) -> tuple[typing.Any, ...]:
        try:
            return machine.call(functions[symbol], *args)
        except Thrown as thrown:
            message = message_for(thrown.kind, thrown.a, thrown.b, machine.heap.read_text)
            raise SimpleError(thrown.kind, message, thrown.site) from None  # type: ignore[arg-type]

    return call
