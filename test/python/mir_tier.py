"""Whole programs in the MIR interpreter, which is no tier of the command: `simple run`'s twin for tests.

The program goes through the front end and lowering as for a back end, passes included where asked for;
what it does outside (output, foreign functions) goes through the engine's own tables.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

from simple_jit import driver
from simple_jit.base.diagnostics import Reporter
from simple_jit.base.source import SourceFile
from simple_jit.engine.config import Config
from simple_jit.engine.engine import Engine
from simple_jit.hir.types import TEXT, array_of
from simple_jit.mir import abi
from simple_jit.mir import nodes as mir
from simple_jit.mir.parse import parse_function
from simple_jit.mir.text import dump
from simple_jit.mir.verify import verify
from simple_jit.passes.environment import Environment
from simple_jit.passes.pipeline import ALL, run_passes
from simple_jit.runtime.errors import SimpleError, SimpleExit
from simple_jit.runtime.externs import PythonFunction
from simple_jit.runtime.memory import I64
from simple_jit.runtime.values import flatten_value, inflate
from simple_jit.syntax.load import load_source
from simple_jit.tiers.contract import BackendMissing
from simple_jit.tiers.mir_interpreter import MirInterpreter

DEPTH = 4000
ENTER = 8
"""What stands for the address of the stub that calls protected code."""


class MirEngine(Engine):
    """An engine whose programs run in the MIR interpreter, with or without the passes."""

    optimise = False

    def run(self, program, args):  # type: ignore[no-untyped-def]
        self.load(program)
        texts = [self.heap.new_text(arg) for arg in args]
        self._externs: dict[str, mir.CallExtern] = {}
        interpreter = MirInterpreter(
            self.context, self._resolve, self._call_extern, self._call_pointer, depth_limit=DEPTH
        )
        self._interpreter = interpreter
        self.context.new_code_slot = self._fill_slot
        self.context.store(abi.ENTER, ENTER)
        arguments = self.heap.new_array(array_of(TEXT), texts)
        self.context.store(abi.ARGS, arguments)
        try:
            (status,) = interpreter.call(program.start.symbol, [arguments])
        except SimpleError as error:
            error.find_frames = self.context.frames_of
            raise
        return status

    def callable(self, function):  # type: ignore[no-untyped-def]
        """Return what calls a function of the program that ran."""

        def call(*args):  # type: ignore[no-untyped-def]
            types = [param.type for param in function.params]
            parts = [part for arg, type in zip(args, types) for part in flatten_value(arg, type)]
            return inflate(self._interpreter.call(function.symbol, parts), function.ret)

        return call

    def backend(self, name):  # type: ignore[no-untyped-def]
        """Refuse: the collector is interpreted too, or its native code would take over the code table."""
        raise BackendMissing("the MIR interpreter compiles nothing")

    def _resolve(self, symbol: str) -> mir.Function | None:
        function = self.store.lowered(symbol)
        if function is None:
            return None
        if self.optimise:
            function = run_passes(function, Environment(self.store.lowered), ALL)
        verify(function)
        if not symbol.startswith("core."):  # those are in `test_mir_interchange`: the same again in each program
            text = dump(function)
            assert dump(parse_function(text)) == text, f"{symbol} does not come back from its text"
        for block in function.blocks:
            for instruction in block.instructions:
                if isinstance(instruction, mir.CallExtern):
                    self._externs.setdefault(instruction.symbol, instruction)
        return function

    def _fill_slot(self, symbol: str, offset: int) -> None:
        """Let a slot of the code table hold its own offset: addresses of code, to this tier."""
        self.context.store(offset, offset)

    def _call_pointer(self, target, args, c):  # type: ignore[no-untyped-def]
        if not c:
            symbols = {offset: symbol for symbol, offset in self.context.code_slots()}
            return self._interpreter.call_nested(symbols[target], args)
        assert target == ENTER
        _, code, closure, _ = args
        try:
            (result,) = self._call_pointer(code, (closure,), False)
        except (SimpleError, SimpleExit) as error:
            self.context.pending = error
            self.context.store(abi.ERROR_KIND, abi.ERROR_NUMBER["Recorded"])
            return (1,)
        self.context.store(abi.RESULT, result)
        return (0,)

    def _call_extern(self, symbol, args):  # type: ignore[no-untyped-def]
        found = self.externs.find_symbol(symbol)
        if isinstance(found, PythonFunction):
            return found.call(*args)
        site = self._externs[symbol]
        result = site.dst.type.name if site.dst is not None else "unit"
        return self.externs.call_c(symbol, [arg.type.name for arg in site.args], result, args)

    def call_value(self, closure, args):  # type: ignore[no-untyped-def]
        """Call a function value, as C does."""
        slot = I64[(closure + abi.HEADER_SIZE) >> 3]
        results = self._call_pointer(slot, (*args, closure), False)
        return results[0] if results else None


def run(words: list[str]) -> int:
    """Run `[--passes] FILE ARGUMENT…` or `[--passes] test WORD…` and return the exit status."""
    optimise = words[0] == "--passes"
    if words[optimise] == "test":
        return run_tests(words[optimise + 1 :], optimise)
    path, *args = words[optimise:]
    source = load_source(path, Reporter())
    assert source is not None
    return run_source(source, args, optimise)


def run_source(source: SourceFile, args: list[str], optimise: bool, overflow_checks: bool = False) -> int:
    MirEngine.optimise = optimise
    driver.Engine = MirEngine  # type: ignore[misc]
    driver.signals.prepare = lambda: None  # only the main thread may, and this runs in another
    config = Config(mode="always_interpret", overflow_checks=overflow_checks)
    return with_deep_stack(lambda: driver.run(source, args, config))


def run_tests(words: list[str], optimise: bool) -> int:
    """`simple test` in this tier."""
    from simple_jit.cli.test import test
    from simple_jit.testing import runner

    MirEngine.optimise = optimise
    runner.Engine = MirEngine  # type: ignore[misc]
    return with_deep_stack(lambda: test(words))


def with_deep_stack(work: Callable[[], int]) -> int:
    sys.setrecursionlimit(1 << 20)
    threading.stack_size(512 << 20)
    status: list[int] = []
    thread = threading.Thread(target=lambda: status.append(work()))
    thread.start()
    thread.join()
    return status[0] if status else 70


if __name__ == "__main__":
    os._exit(run(sys.argv[1:]))
