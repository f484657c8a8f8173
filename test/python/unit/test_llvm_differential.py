"""Random MIR programs: what LLVM makes of them does what the MIR interpreter says."""

from __future__ import annotations

import typing

import pytest

from mir_generator import FREE_CELL, Scratch, generate, run
from native_machine import NativeMachine, Thrown
from simple_jit.mir import abi
from simple_jit.mir.text import dump
from simple_jit.mir.verify import verify
from simple_jit.runtime.errors import SimpleError, message_for
from simple_jit.tiers.llvm.backend import LLVMBackend
from simple_jit.tiers.mir_interpreter import MirInterpreter

BACKEND = LLVMBackend(verify=True, verbose=True)
VARIANTS = 3


@pytest.fixture(scope="module")
def machine() -> NativeMachine:
    return NativeMachine()


def no_extern(symbol: str, args: tuple[typing.Any, ...]) -> typing.Any:
    import math

    assert symbol == "fmod"
    return math.fmod(*args)


@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("part", range(8))
def test_random_programs(machine: NativeMachine, part: int, level: int) -> None:
    for seed in range(100 * part, 100 * part + 8):
        compare(machine, seed, level)


def compare(machine: NativeMachine, seed: int, level: int) -> None:
    """Run the program of `seed` on LLVM and in the interpreter, with several arguments."""
    program = generate(seed)
    functions = {function.symbol: function for function in program.functions}
    for function in program.functions:
        verify(function)
    interpreter = MirInterpreter(machine.context, functions.get, no_extern)
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
            raise SimpleError(thrown.kind, message, thrown.site) from None

    return call


def test_the_cell_of_the_generator_is_free() -> None:
    assert abi.RETURNS <= FREE_CELL < abi.RETURNS + 8 * abi.RETURNS_COUNT
