"""What a call costs, in nanoseconds: Python into compiled code, and compiled code into Python.

python benchmarks/call_cost.py [--backend cranelift|llvm]
"""

from __future__ import annotations

import argparse
import pathlib
import statistics
import sys
import timeit

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "src"))

from simple_jit.mir import nodes as mir
from simple_jit.mir.nodes import BOOL, F64, I64, MirType
from simple_jit.runtime.code_arena import CodeArena
from simple_jit.runtime.context import Context
from simple_jit.runtime.crossing import Crossing
from simple_jit.tiers.contract import Backend

CALLS = 200_000
SITE = mir.Site("benchmark", 1, 1)


def make_backend(name: str) -> Backend:
    if name == "llvm":
        from simple_jit.tiers.llvm.backend import LLVMBackend

        return LLVMBackend()
    from simple_jit.tiers.cranelift.backend import CraneliftBackend

    return CraneliftBackend()


def function_of(symbol: str, params: list[MirType], *results: MirType) -> mir.Function:
    """Returns its first parameters."""
    function = mir.Function(symbol, results)
    for type in params:
        function.new_local(type)
    function.param_count = len(params)
    function.new_block().terminator = mir.Return(tuple(function.params[: len(results)]))
    return function


def calling(symbol: str, callee: str, times: int) -> mir.Function:
    """Calls `callee` with an i64 again and again."""
    function = mir.Function(symbol, (I64,))
    count = function.new_local(I64)
    function.param_count = 1
    start, loop, done = (function.new_block() for _ in range(3))
    one, zero, more = function.new_local(I64), function.new_local(I64), function.new_local(BOOL)
    result = function.new_local(I64)
    start.instructions += [mir.Const(one, 1), mir.Const(zero, 0), mir.Const(count, times)]
    start.terminator = mir.Jump(loop)
    loop.instructions += [
        mir.Call((result,), callee, (count,), SITE),
        mir.Binary("sub", count, count, one),
        mir.Compare("gt", more, count, zero),
    ]
    loop.terminator = mir.Branch(more, loop, done)
    done.terminator = mir.Return((result,))
    return function


def nanoseconds(statement: str, names: dict[str, object], per_run: int = 1) -> float:
    number = CALLS // per_run
    runs = timeit.repeat(statement, globals=names, number=number, repeat=9)
    return statistics.median(runs) / (number * per_run) * 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", default="cranelift", choices=["cranelift", "llvm"])
    backend = make_backend(parser.parse_args().backend)
    context, arena = Context(), CodeArena()
    crossing = Crossing(backend, context, arena, str)

    def entry(function: mir.Function) -> object:
        code = backend.compile([function], context)
        slot = context.code_offset(function.symbol)
        context.store(slot, arena.add(code) + code.entries[function.symbol])
        return crossing.entry(slot, tuple(local.type for local in function.params), function.results)

    names: dict[str, object] = {
        "nothing": entry(function_of("nothing", [])),
        "two": entry(function_of("two", [I64, I64], I64)),
        "floats": entry(function_of("floats", [F64, F64], F64)),
        "pair": entry(function_of("pair", [I64, F64], I64, F64)),
        "python": lambda a, b: a,
    }
    context.store(context.code_offset("callback"), crossing.stub(lambda n: n, (I64,), (I64,)))
    names["callbacks"] = entry(calling("callbacks", "callback", 1000))
    print(f"Python into code by {backend.name}, ns a call:")
    print(f"  f()                        {nanoseconds('nothing()', names):6.0f}")
    print(f"  f(i64, i64) -> i64         {nanoseconds('two(1, 2)', names):6.0f}")
    print(f"  f(f64, f64) -> f64         {nanoseconds('floats(1.0, 2.0)', names):6.0f}")
    print(f"  f(i64, f64) -> (i64, f64)  {nanoseconds('pair(1, 2.0)', names):6.0f}")
    print(f"  a Python lambda            {nanoseconds('python(1, 2)', names):6.0f}")
    print("compiled code into Python, ns a call:")
    print(f"  f(i64) -> i64              {nanoseconds('callbacks(0)', names, 1000):6.0f}")


if __name__ == "__main__":
    main()
