"""Calls from Python into native code and back: values, errors, nesting, interrupts."""

from __future__ import annotations

import gc
import math
import os
import signal
import struct
import sys
import threading
import time
import typing

import pytest

from native_machine import SITE, NativeMachine, stack_limit
from simple_jit.mir import abi
from simple_jit.mir import nodes as mir
from simple_jit.mir.nodes import BOOL, F32, F64, I64, REF, TYPES, Function, MirType
from simple_jit.runtime.crossing import Crossing
from simple_jit.runtime.errors import SimpleError
from simple_jit.runtime.interrupt import install_interrupt, remove_interrupt
from simple_jit.tiers.contract import Backend

Make = typing.Callable[[Function, typing.Any, typing.Any], typing.Any]


def cranelift() -> Backend:
    pytest.importorskip("cranelift")
    from simple_jit.tiers.cranelift.backend import CraneliftBackend

    return CraneliftBackend(verify=True)


def llvm() -> Backend:
    pytest.importorskip("llvmlite")
    from simple_jit.tiers.llvm.backend import LLVMBackend

    return LLVMBackend(verify=True)


class World(NativeMachine):
    """A context with crossings made by one back end."""

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self.backend = backend
        self.crossing = Crossing(backend, self.context, self.arena, self.heap.read_text)
        self.context.store(abi.STACK_LIMIT, stack_limit())
        self.context.store(abi.LIMIT, stack_limit())

    def define(
        self, symbol: str, params: list[MirType], results: list[MirType], make: Make
    ) -> typing.Callable[..., typing.Any]:
        """Compile a function of one block and return what calls it from Python."""
        function = Function(symbol, tuple(results), "test.spl", 1)
        for type in params:
            function.new_local(type)
        function.param_count = len(params)
        outs = [function.new_local(type) for type in results]
        made = make(function, function.params, outs)
        block = function.new_block()
        block.instructions = made if isinstance(made, list) else [made]
        block.terminator = mir.Return(tuple(outs))
        self.add(self.backend, [function], wrap=False)
        return self.entry(symbol, params, results)

    def entry(
        self, symbol: str, params: list[MirType], results: list[MirType]
    ) -> typing.Callable[..., typing.Any]:
        return self.crossing.entry(self.context.code_offset(symbol), tuple(params), tuple(results))

    def interpret(
        self,
        symbol: str,
        callee: typing.Callable[..., typing.Any],
        params: list[MirType],
        results: list[MirType],
        **options: bool,
    ) -> int:
        stub = self.crossing.stub(callee, tuple(params), tuple(results), **options)
        self.context.store(self.context.code_offset(symbol), stub)
        return stub


@pytest.fixture(scope="module", params=[cranelift, llvm], ids=["cranelift", "llvm"])
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param())


def copies(f: Function, p: list[mir.Local], o: list[mir.Local]) -> list[mir.Instruction]:
    return [mir.Copy(a, b) for a, b in zip(o, p, strict=True)]


def same(a: typing.Any, b: typing.Any) -> bool:
    return type(a) is type(b) and (a == b or (a != a and b != b))


EDGES: dict[str, list[typing.Any]] = {
    "i8": [-128, -1, 127],
    "i16": [-(1 << 15), (1 << 15) - 1],
    "i32": [-(1 << 31), -1, (1 << 31) - 1],
    "i64": [-(1 << 63), -1, 0, (1 << 63) - 1],
    "u8": [0, 255],
    "u16": [65535],
    "u32": [(1 << 32) - 1],
    "u64": [0, 1 << 63, (1 << 64) - 1],
    "f32": [-1.0, 0.5, math.inf, math.nan],
    "f64": [-1.0, 0.1, -0.0, 1e300, math.nan],
    "bool": [True, False],
    "ref": [0, 0x7F12345678],
}


@pytest.mark.parametrize("name", EDGES)
def test_values_of_each_type_go_in_and_out(world: World, name: str) -> None:
    """Through native code alone, and through it into Python and back."""
    type = TYPES[name]
    here = world.define(f"same {name}", [type], [type], copies)
    seen = []
    world.interpret(f"py {name}", lambda value: seen.append(value) or value, [type], [type])
    there = world.define(
        f"via {name}",
        [type],
        [type],
        lambda f, p, o: mir.Call(tuple(o), f"py {name}", tuple(p), SITE),
    )
    for value in EDGES[name]:
        assert same(here(value), value)
        assert same(there(value), value)
        assert same(seen[-1], value)


ALL = [I64, F64, BOOL, F32, TYPES["u8"], REF, F64, TYPES["u64"], I64, TYPES["i16"]]
VALUES = (-5, 0.1, True, 1.5, 200, 0x7F00, -2.25, 1 << 63, 1 << 40, -300)


@pytest.mark.parametrize("count", range(len(ALL) + 1))
def test_many_components(world: World, count: int) -> None:
    types, values = ALL[:count], VALUES[:count]
    expected = None if not values else values[0] if count == 1 else values
    assert world.define(f"give {count}", types, types, copies)(*values) == expected
    world.interpret(f"take {count}", lambda *args: args[0] if count == 1 else args or None, types, types)
    call = world.define(
        f"pass {count}", types, types, lambda f, p, o: mir.Call(tuple(o), f"take {count}", tuple(p), SITE)
    )
    for _ in range(100):
        assert call(*values) == expected


def test_one_wrapper_serves_all_instances_of_a_signature(world: World) -> None:
    add = world.define("add", [I64, I64], [I64], lambda f, p, o: mir.Binary("add", o[0], *p))
    used = world.arena.used
    mul = world.entry("mul", [I64, I64], [I64])
    assert world.arena.used == used
    world.define("mul", [I64, I64], [I64], lambda f, p, o: mir.Binary("mul", o[0], *p))
    assert (add(6, 7), mul(6, 7)) == (13, 42)
    world.define("mul", [I64, I64], [I64], lambda f, p, o: mir.Binary("sub", o[0], *p))
    assert mul(6, 7) == -1


def test_wrong_arguments_are_python_errors(world: World) -> None:
    add = world.define("add", [I64, F64, TYPES["u64"]], [I64], lambda f, p, o: mir.Copy(o[0], p[0]))
    with pytest.raises(TypeError, match="number of arguments"):
        add(1)
    with pytest.raises(TypeError):
        add("1", 1.0, 1)
    with pytest.raises(TypeError):
        add(1, None, 1)
    with pytest.raises(OverflowError):
        add(1 << 63, 1.0, 1)
    with pytest.raises(OverflowError):
        add(1, 1.0, -1)
    assert add(-1, -1.0, (1 << 64) - 1) == -1


def test_references_are_counted_right(world: World) -> None:
    types = [I64, F64]
    world.interpret("pair", lambda a, b: (a + 1, b * 2), types, types)
    call = world.define("call pair", types, types, lambda f, p, o: mir.Call(tuple(o), "pair", tuple(p), SITE))
    nothing = world.define("nothing", [], [], copies)
    value = 1 << 60
    for _ in range(50):
        call(value, 0.5)
    gc.collect()
    before = sys.getallocatedblocks(), sys.getrefcount(None), sys.getrefcount(value)
    for _ in range(2000):
        call(value, 0.5)
        nothing()
    gc.collect()
    after = sys.getallocatedblocks(), sys.getrefcount(None), sys.getrefcount(value)
    assert all(abs(b - a) < 100 for a, b in zip(before, after, strict=True))


# --- Errors ----------------------------------------------------------------------------------------


def test_native_errors_are_simple_errors(world: World) -> None:
    index = world.define("index", [I64, I64], [I64], lambda f, p, o: mir.Index(o[0], *p, SITE))
    for _ in range(100):
        with pytest.raises(SimpleError) as caught:
            index(10, 3)
        error = caught.value
        assert (error.kind, error.site) == ("IndexError", SITE)
        assert error.message == "index 10 is out of range for length 3"
    assert index(-1, 3) == 2
    assert world.context.load(abi.HANDLER) == 0


def test_python_errors_pass_native_frames(world: World) -> None:
    def fail(number: int) -> int:
        raise KeyError(number)

    world.interpret("fail", fail, [I64], [I64])
    call = world.define("call fail", [I64], [I64], lambda f, p, o: mir.Call((o[0],), "fail", (p[0],), SITE))
    for number in range(100):
        with pytest.raises(KeyError) as caught:
            call(number)
        assert caught.value.args == (number,)
        assert caught.traceback[-1].name == "fail"


@pytest.mark.parametrize("result", [None, "text", 1 << 70, (1, 2)])
def test_a_python_callee_that_returns_something_else_is_an_error(world: World, result: object) -> None:
    world.interpret("liar", lambda: result, [], [I64])
    call = world.define("call liar", [], [I64], lambda f, p, o: mir.Call((o[0],), "liar", (), SITE))
    with pytest.raises((TypeError, OverflowError)):
        call()


def test_errors_without_a_place_get_that_of_the_caller(world: World) -> None:
    def fail(value: int) -> int:
        raise SimpleError("Panic", f"no {value}")

    world.interpret("tracked", fail, [I64, I64], [I64], reports_at_caller=True)
    call = world.define(
        "call tracked", [I64], [I64],
        lambda f, p, o: [
            mir.ConstSite(s := f.new_local(I64), SITE), mir.Call((o[0],), "tracked", (p[0], s), SITE)
        ],
    )  # fmt: skip
    with pytest.raises(SimpleError) as caught:
        call(5)
    assert (caught.value.message, caught.value.site) == ("no 5", SITE)


def test_a_hundred_nested_entries(world: World) -> None:
    """Python calls native code calls Python …, and the error of the innermost comes out of all."""
    reached = []

    def down(n: int) -> int:
        reached.append(n)
        return int(native(n - 1)) + 1 if n else failing(7, 3)

    failing = world.define("innermost", [I64, I64], [I64], lambda f, p, o: mir.Index(o[0], *p, SITE))
    world.interpret("down", down, [I64], [I64])
    native = world.define("nest", [I64], [I64], lambda f, p, o: mir.Call((o[0],), "down", (p[0],), SITE))
    for _ in range(20):
        with pytest.raises(SimpleError, match="index 7"):
            native(100)
    assert reached == [*range(100, -1, -1)] * 20
    assert world.context.load(abi.HANDLER) == 0


def test_inner_errors_can_be_caught_in_between(world: World) -> None:
    index = world.define("index", [I64, I64], [I64], lambda f, p, o: mir.Index(o[0], *p, SITE))

    def attempt(n: int) -> int:
        try:
            return int(index(n, 3))
        except SimpleError:
            return -1

    world.interpret("attempt", attempt, [I64], [I64])
    call = world.define(
        "try", [I64, I64], [I64, I64],
        lambda f, p, o: [mir.Call((o[n],), "attempt", (p[n],), SITE) for n in range(2)],
    )  # fmt: skip
    assert call(2, 9) == (2, -1)
    assert call(9, 1) == (-1, 1)


def test_deep_recursion_is_a_stack_overflow(world: World) -> None:
    deep = world.define(
        "deep", [I64], [I64],
        lambda f, p, o: [mir.Call((o[0],), "deep", (p[0],), SITE), mir.Binary("add", o[0], o[0], p[0])],
    )  # fmt: skip
    for _ in range(3):
        with pytest.raises(SimpleError, match="stack overflow"):
            deep(1)


def test_python_s_recursion_limit_is_an_error_too(world: World) -> None:
    world.interpret("python side", lambda n: native(n + 1), [I64], [I64])
    native = world.define(
        "native side", [I64], [I64], lambda f, p, o: mir.Call((o[0],), "python side", (p[0],), SITE)
    )
    with pytest.raises((RecursionError, SimpleError)):
        native(0)
    assert world.context.load(abi.HANDLER) == 0


# --- Regions ---------------------------------------------------------------------------------------


def test_regions_use_the_buffer(world: World) -> None:
    world.define(
        "region", [], [],
        lambda f, p, o: [
            mir.Context(c := f.new_local(mir.PTR)),
            mir.Load(x := f.new_local(F64), c, abi.BUFFER + 8),
            mir.Binary("add", x, x, x),
            mir.Store(x, c, abi.BUFFER + 16),
        ],
    )  # fmt: skip
    enter = world.crossing.region_entry(world.context.code_offset("region"))
    world.context.store(abi.BUFFER + 8, struct.unpack("q", struct.pack("d", 2.5))[0])
    assert enter() is None
    assert struct.unpack("d", struct.pack("q", world.context.load(abi.BUFFER + 16))) == (5.0,)


# --- Interrupts ------------------------------------------------------------------------------------


def test_signals_reach_native_loops(world: World) -> None:
    """A handler in Python runs and the loop goes on; Ctrl-C ends it. Both keep the GIL held."""
    function = Function("spin", (), "test.spl", 1)
    start, loop = function.new_block(), function.new_block()
    start.terminator = loop.terminator = mir.Jump(loop)
    loop.instructions.append(mir.Poll(SITE))
    world.add(world.backend, [function], wrap=False)
    spin = world.entry("spin", [], [])
    seen = []

    def handle(number: int, frame: object) -> None:
        seen.append(number)
        if len(seen) == 3:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, handle)
    install_interrupt(world.backend, world.context)
    install_interrupt(world.backend, world.context)
    child = os.fork()
    if child == 0:
        for _ in range(3):
            time.sleep(0.05)
            os.kill(os.getppid(), signal.SIGINT)
        os._exit(0)
    try:
        with pytest.raises(KeyboardInterrupt):
            spin()
    finally:
        os.waitpid(child, 0)
        remove_interrupt(world.context)
        signal.signal(signal.SIGINT, before)
    assert len(seen) == 3
    assert world.context.load(abi.FAILED) == 0
    assert world.context.load(abi.LIMIT) == world.context.load(abi.STACK_LIMIT)


def test_stubs_are_freed(world: World) -> None:
    used = world.arena.used
    for _ in range(100):
        world.crossing.stub(lambda: None, (), ())
        world.crossing.forget_stubs()
    assert world.arena.used <= used + 4096


def test_other_threads_can_call(world: World) -> None:
    add = world.define("add", [I64, I64], [I64], lambda f, p, o: mir.Binary("add", o[0], *p))
    results: list[int] = []
    # The stack limit is the main thread's: below it, this thread's stack would seem exhausted.
    world.context.store(abi.LIMIT, 0)
    world.context.store(abi.STACK_LIMIT, 0)
    thread = threading.Thread(target=lambda: results.append(add(40, 2)))
    thread.start()
    thread.join()
    world.context.store(abi.LIMIT, stack_limit())
    world.context.store(abi.STACK_LIMIT, stack_limit())
    assert results == [42]
