"""The Cranelift back end: each instruction, control flow, calls, errors, and a missing package."""

from __future__ import annotations

import ctypes
import math
import sys
import threading
import typing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from native_machine import SITE, NativeMachine, Thrown
from simple_jit.mir import abi, arithmetic, visit
from simple_jit.mir import nodes as mir
from simple_jit.mir.nodes import BOOL, F32, F64, I64, PTR, REF, TYPES, Function, MirType
from simple_jit.mir.parse import parse_function
from simple_jit.tiers.contract import BackendError, BackendMissing

pytest.importorskip("cranelift")
from simple_jit.tiers.cranelift.backend import CraneliftBackend
from simple_jit.tiers.cranelift.lower_division import reciprocal
from simple_jit.tiers.cranelift.lower_function import LOWER, TERMINATE

INTS = [TYPES[name] for name in ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64")]
FLOATS = [F32, F64]
SCALARS = [*INTS, *FLOATS, BOOL]
BACKEND = CraneliftBackend(verify=True)
levels = pytest.mark.parametrize("level", [0, 2])


@pytest.fixture(scope="module")
def machine() -> NativeMachine:
    return NativeMachine()


Make = typing.Callable[[Function, typing.Any, typing.Any], typing.Any]


def straight(symbol: str, params: list[MirType], results: list[MirType], make: Make) -> Function:
    """A function of one block, with the instructions that `make` returns for it."""
    function = Function(symbol, tuple(results), "test.spl", 1)
    for type in params:
        function.new_local(type)
    function.param_count = len(params)
    outs = [function.new_local(type) for type in results]
    made = make(function, function.params, outs)
    block = function.new_block()
    block.instructions = made if isinstance(made, list) else [made]
    block.terminator = mir.Return(tuple(outs))
    return function


def edges(type: MirType) -> list[typing.Any]:
    if type is BOOL:
        return [False, True]
    if type.kind == "float":
        values = [0.0, -0.0, 1.0, -1.5, 2.5, 0.1, 1e10, -3e19, 300.7, math.inf, -math.inf, math.nan]
        return [arithmetic.round_f32(value) for value in values] if type is F32 else values
    bits = 8 * type.size
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if type.signed else (0, (1 << bits) - 1)
    values = [low, low + 1, -9, -1, 0, 1, 2, 7, 64, 100, high - 1, high]
    return sorted({value for value in values if low <= value <= high})


def same(a: typing.Any, b: typing.Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return (a != a and b != b) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    return bool(a == b)


def values_of(type: MirType) -> st.SearchStrategy[typing.Any]:
    low, high = edges(type)[0], edges(type)[-1]
    return st.sampled_from(edges(type)) | st.integers(low, high)


# --- Instructions, against the arithmetic that defines them ----------------------------------------


def test_every_instruction_and_terminator_is_lowered() -> None:
    assert set(LOWER) == set(visit.USES)
    assert set(TERMINATE) == set(visit.TERMINATOR_USES)


def operations() -> dict[str, tuple[list[MirType], MirType, Make, typing.Any]]:
    """Name -> parameters, result, instruction, and what it should give."""
    found: dict[str, tuple[list[MirType], MirType, Make, typing.Any]] = {}
    binary = {
        "int": ("add", "sub", "mul", "div", "rem", "and", "or", "xor", "shl", "shr"),
        "float": ("add", "sub", "mul", "div", "rem"),
        "bool": ("and", "or", "xor"),
    }
    unary = {
        "int": ("neg", "not", "popcount", "leading_zeros", "trailing_zeros"),
        "float": ("neg", "sqrt", "floor", "ceil", "trunc", "abs"),
        "bool": ("not",),
    }
    ops: typing.Any
    for t in SCALARS:
        for ops in binary[t.kind]:
            right = I64 if ops in ("shl", "shr") else t
            found[f"{ops} {t}"] = (
                [t, right], t, lambda f, p, o, op=ops: mir.Binary(op, o[0], *p),
                arithmetic.binary_operation(ops, t),
            )  # fmt: skip
        for ops in unary[t.kind]:
            found[f"{ops} {t}"] = (
                [t],
                t,
                lambda f, p, o, op=ops: mir.Unary(op, o[0], *p),
                arithmetic.unary_operation(ops, t),
            )
        for to in (*INTS, *FLOATS):
            found[f"{t} as {to}"] = (
                [t], to, lambda f, p, o: mir.Convert(o[0], *p), arithmetic.conversion(t, to)
            )  # fmt: skip
    for t in (*SCALARS, REF):
        for ops in ("eq", "ne", "lt", "le", "gt", "ge"):
            found[f"{ops} {t}"] = (
                [t, t], BOOL, lambda f, p, o, op=ops: mir.Compare(op, o[0], *p), arithmetic.COMPARE[ops]
            )  # fmt: skip
        found[f"select {t}"] = (
            [BOOL, t, t],
            t,
            lambda f, p, o: mir.Select(o[0], *p),
            lambda c, a, b: a if c else b,
        )
    return found


@levels
def test_operations(machine: NativeMachine, level: int) -> None:
    cases = operations()
    functions = {
        name: straight(name, params, [result], make) for name, (params, result, make, _) in cases.items()
    }
    machine.add(BACKEND, list(functions.values()), level)
    for name, (params, _, _, expected) in cases.items():
        for a in edges(params[0]):
            for b in edges(params[1]) if len(params) > 1 else [None]:
                args = [a, b, *edges(params[-1])[:1]][: len(params)]
                if name.startswith(("div", "rem")) and params[0].kind == "int" and b == 0:
                    continue
                (result,) = machine.call(functions[name], *args)
                assert same(result, expected(*args)), (name, args)


DIVISORS = [
    -(1 << 63),
    -(1 << 62),
    -100,
    -8,
    -7,
    -3,
    -2,
    -1,
    1,
    2,
    3,
    5,
    7,
    10,
    64,
    641,
    1 << 40,
    (1 << 63) - 1,
]


def by_constant(op: typing.Any, type: MirType, divisor: int) -> Function:
    return straight(
        f"{op} {type} {divisor}", [type], [type],
        lambda f, p, o: [mir.Const(c := f.new_local(type), divisor), mir.Binary(op, o[0], p[0], c)],
    )  # fmt: skip


@pytest.mark.parametrize("op", ["div", "rem"])
@pytest.mark.parametrize("type", INTS, ids=str)
def test_division_by_constants(machine: NativeMachine, type: MirType, op: typing.Any) -> None:
    low, high = edges(type)[0], edges(type)[-1]
    divisors = [divisor for divisor in (*DIVISORS, low, high) if low <= divisor <= high and divisor]
    functions = {divisor: by_constant(op, type, divisor) for divisor in divisors}
    machine.add(BACKEND, list(functions.values()))
    expected = arithmetic.binary_operation(op, type)
    for divisor, function in functions.items():
        near = [divisor * k + d for k in (1, -3, 1000) for d in (-1, 0, 1)]
        for value in (*edges(type), *[n for n in near if low <= n <= high]):
            assert machine.call(function, value) == (expected(value, divisor),), (value, divisor)


@given(
    divisor=st.integers(3, (1 << 63) - 1), value=st.integers(-(1 << 63), (1 << 63) - 1), near=st.booleans()
)
def test_reciprocals_are_exact(divisor: int, value: int, near: bool) -> None:
    if divisor & (divisor - 1) == 0:
        return
    if near:
        value = value // divisor * divisor
    magic, shift = reciprocal(divisor)
    assert magic < 1 << 64
    quotient = (value * magic >> 64 + shift) + (value < 0)
    assert quotient == (abs(value) // divisor if value >= 0 else -(-value // divisor))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_operations_on_any_values(machine: NativeMachine, data: st.DataObject) -> None:
    op: typing.Any = data.draw(st.sampled_from(["add", "sub", "mul", "div", "rem", "and", "or", "xor"]))
    type = data.draw(st.sampled_from(INTS))
    a, b = data.draw(values_of(type)), data.draw(values_of(type).filter(bool))
    function = straight(f"any {op} {type}", [type, type], [type], lambda f, p, o: mir.Binary(op, o[0], *p))
    assert machine.run(BACKEND, function, a, b) == (arithmetic.binary_operation(op, type)(a, b),)


@levels
def test_checked(machine: NativeMachine, level: int) -> None:
    cases = [(op, type) for type in INTS if type.signed for op in ("add", "sub", "mul")]
    functions = [
        straight(f"checked {op} {t}", [t, t], [t], lambda f, p, o, op=op: mir.Checked(op, o[0], *p, SITE))
        for op, t in cases
    ]
    machine.add(BACKEND, functions, level)
    for (op, type), function in zip(cases, functions, strict=True):
        for a in edges(type):
            for b in edges(type):
                exact = {"add": a + b, "sub": a - b, "mul": a * b}[op]
                if arithmetic.wrap(type)(exact) == exact:
                    assert machine.call(function, a, b) == (exact,)
                else:
                    error = fails(machine, function, a, b)
                    assert (error.kind, error.site) == ("Overflow", SITE)


def test_constants_and_bits(machine: NativeMachine) -> None:
    for type in (*SCALARS, REF):
        for number, value in enumerate(edges(type)):
            function = straight(
                f"const {type} {number}", [], [type], lambda f, p, o, v=value: mir.Const(o[0], v)
            )
            assert same(machine.run(BACKEND, function)[0], value)
    bits = straight("bits", [F64], [I64], lambda f, p, o: mir.Bitcast(o[0], p[0]))
    assert machine.run(BACKEND, bits, -1.5) == (-0x4008000000000000,)
    single = straight("single", [TYPES["u32"]], [F32], lambda f, p, o: mir.Bitcast(o[0], p[0]))
    assert machine.run(BACKEND, single, 0x3FC00000) == (1.5,)


def test_links(machine: NativeMachine) -> None:
    function = straight(
        "links", [], [I64, I64, REF, PTR],
        lambda f, p, o: [
            mir.ConstSite(o[0], SITE), mir.ConstTypeId(o[1], "text"), mir.ConstText(o[2], "gråt"),
            mir.Context(o[3]),
        ],
    )  # fmt: skip
    site, type_id, text, context = machine.run(BACKEND, function)
    assert machine.context.site(site) == SITE
    assert type_id == machine.context.type_id("text")
    assert machine.heap.read_text(text) == "gråt"
    assert context == machine.context.address


@levels
@pytest.mark.parametrize("scale", [1, 2, 8, 24, 1000])
def test_memory(machine: NativeMachine, scale: int, level: int) -> None:
    base = machine.heap.new_buffer(8192) + 16
    for type in (*SCALARS, REF):
        function = straight(
            f"memory {type} {scale}", [PTR, I64, type], [type],
            lambda f, p, o: [
                mir.Load(o[0], p[0], 4096, p[1], scale), mir.Store(p[2], p[0], 4096 + scale, p[1], scale)
            ],
        )  # fmt: skip
        machine.add(BACKEND, [function], level)
        for value in edges(type):
            machine.call(function, base, -3, value)
            assert same(machine.call(function, base, -2, edges(type)[0])[0], value)


def test_large_offsets(machine: NativeMachine) -> None:
    base, far = machine.heap.new_buffer(64) + 16, (1 << 31) - 1
    function = straight(
        "far", [PTR, I64], [I64], lambda f, p, o: [mir.Store(p[1], p[0], far), mir.Load(o[0], p[0], far)]
    )
    assert machine.run(BACKEND, function, base - far, 77) == (77,)


# --- Control flow ----------------------------------------------------------------------------------


def test_loops_and_variables(machine: NativeMachine) -> None:
    """Variables that swap in a loop, and a block that stands before the one that dominates it."""
    function = parse_function(
        """fn @fibonacci(%0: i64) -> i64 {
        b0:
          %1: i64 = const 0
          %2: i64 = const 1
          %3: i64 = const 1
          %4: i64 = const 0
          jump b2
        b1:
          return %5
        b2:
          %5: i64 = copy %1
          %6: bool = gt %0, %4
          branch %6, b3, b1
        b3:
          %1 = copy %2
          %2 = add %5, %2
          %0 = sub %0, %3
          jump b2
        }"""
    )
    assert machine.run(BACKEND, function, 50) == (12586269025,)


@levels
@pytest.mark.parametrize(
    "numbers",
    [
        (0, 1, 2),
        (5, 6, 7, 8, 9, 12),
        tuple(range(-40, 40, 3)),
        (-(1 << 63), -5, 1 << 33, 7, 8, (1 << 63) - 1, 0),
    ],
    ids=str,
)
def test_switch(machine: NativeMachine, numbers: tuple[int, ...], level: int) -> None:
    function = Function(f"switch {numbers}", (I64,), "test.spl", 1)
    value, found = function.new_local(I64), function.new_local(I64)
    function.param_count = 1
    entry, default = function.new_block(), function.new_block()
    cases = []
    for position, block in enumerate([default, *[function.new_block() for _ in numbers]]):
        block.instructions.append(mir.Const(found, position - 1))
        block.terminator = mir.Return((found,))
        if position:
            cases.append((numbers[position - 1], block))
    entry.terminator = mir.Switch(value, tuple(cases), default)
    machine.add(BACKEND, [function], level)
    others = [n + d for n in numbers for d in (-1, 1, 1 << 32) if -(1 << 63) <= n + d < 1 << 63]
    for number in (*numbers, *others):
        expected = numbers.index(number) if number in numbers else -1
        assert machine.call(function, number) == (expected,), number


# --- Failing ---------------------------------------------------------------------------------------


def fails(machine: NativeMachine, function: Function, *args: typing.Any) -> Thrown:
    with pytest.raises(Thrown) as caught:
        machine.call(function, *args)
    return caught.value


@levels
@pytest.mark.parametrize("wrap", [True, False])
def test_index(machine: NativeMachine, wrap: bool, level: int) -> None:
    function = straight(f"index {wrap}", [I64, I64], [I64], lambda f, p, o: mir.Index(o[0], *p, SITE, wrap))
    machine.add(BACKEND, [function], level)
    assert machine.call(function, 2, 3) == (2,)
    if wrap:
        assert machine.call(function, -3, 3) == (0,)
    for index, length in ((3, 3), (-4, 3), (0, 0), (-1, 0), (1 << 62, 5), (-(1 << 63), 5)):
        error = fails(machine, function, index, length)
        assert (error.kind, error.site, error.a, error.b) == ("IndexError", SITE, index, length)


def test_checks_and_throws(machine: NativeMachine) -> None:
    """At a fixed place or at the caller's, with a message or without, several kinds in one function."""
    there = mir.Site("other.spl", 9, 9)
    function = straight(
        "check", [BOOL, BOOL, BOOL, I64], [],
        lambda f, p, o: [
            mir.ConstText(text := f.new_local(REF), "no luck"),
            mir.Check(p[0], "NilError", SITE),
            mir.Check(p[1], "DivisionByZero", p[3]),
            mir.Check(p[2], "AssertionError", SITE, text),
        ],
    )  # fmt: skip
    machine.add(BACKEND, [function])
    number = machine.context.site_number(there)
    assert machine.call(function, True, True, True, number) == ()
    error = fails(machine, function, False, False, False, number)
    assert (error.kind, error.site, error.a, error.b) == ("NilError", SITE, 0, 0)
    error = fails(machine, function, True, False, False, number)
    assert (error.kind, error.site) == ("DivisionByZero", there)
    error = fails(machine, function, True, True, False, number)
    assert (error.kind, error.site, error.b) == ("AssertionError", SITE, abi.MESSAGE)
    assert machine.heap.read_text(error.a) == "no luck"

    function = straight("throw", [], [], lambda f, p, o: mir.ConstText(f.new_local(REF), "ended"))
    function.blocks[0].terminator = mir.Throw("Panic", function.locals[0], SITE)
    machine.add(BACKEND, [function])
    error = fails(machine, function)
    assert (error.kind, machine.heap.read_text(error.a), error.b) == ("Panic", "ended", abi.MESSAGE)


@levels
def test_endless_recursion(machine: NativeMachine, level: int) -> None:
    function = straight(
        "endless", [I64], [I64],
        lambda f, p, o: [mir.Call((o[0],), "endless", (p[0],), SITE), mir.Binary("add", o[0], o[0], p[0])],
    )  # fmt: skip
    function.line = 12
    machine.add(BACKEND, [function], level)
    for _ in range(2):
        error = fails(machine, function, 0)
        assert (error.kind, error.site) == ("StackOverflow", mir.Site("test.spl", 12, 1, "endless"))


def attend(machine: NativeMachine, stop: bool) -> list[int]:
    """Let polls count themselves; with `stop`, they fail."""
    polls: list[int] = []

    def poll() -> None:
        polls.append(1)
        machine.context.store(abi.LIMIT, 0)
        machine.context.store(abi.FAILED, int(stop))

    target = ctypes.CFUNCTYPE(None)(poll)
    machine.externs["poll keeper"] = target
    machine.context.store(abi.POLL, ctypes.cast(target, ctypes.c_void_p).value or 0)
    return polls


@levels
def test_an_endless_loop_can_be_stopped(machine: NativeMachine, level: int) -> None:
    function = Function("spin", (), "test.spl", 1)
    start, loop = function.new_block(), function.new_block()
    start.terminator = loop.terminator = mir.Jump(loop)
    loop.instructions.append(mir.Poll(SITE))
    machine.add(BACKEND, [function], level)
    attend(machine, stop=True)
    threading.Timer(0.05, lambda: machine.context.store(abi.LIMIT, abi.ATTENTION)).start()
    error = fails(machine, function)
    assert (error.kind, error.site, machine.context.load(abi.FAILED)) == ("Recorded", SITE, 0)


def test_a_poll_at_an_entry_goes_on(machine: NativeMachine) -> None:
    polls = attend(machine, stop=False)
    identity = straight("identity", [I64], [I64], lambda f, p, o: mir.Copy(o[0], p[0]))
    machine.add(BACKEND, [identity])
    machine.context.store(abi.LIMIT, abi.ATTENTION)
    assert machine.call(identity, 7) == (7,)
    assert polls == [1]


# --- Calls -----------------------------------------------------------------------------------------

MANY = [I64, F64, TYPES["u8"], F32, BOOL, F64, REF, TYPES["i16"], F64]
VALUES = (-5, 0.5, 200, 1.5, True, -2.5, 0x10, -300, 3.25)


@levels
@pytest.mark.parametrize("count", range(len(MANY) + 1))
def test_results_in_registers_and_in_memory(machine: NativeMachine, count: int, level: int) -> None:
    types = MANY[:count]
    function = straight(
        f"give {count}", types, types, lambda f, p, o: [mir.Copy(a, b) for a, b in zip(o, p, strict=True)]
    )
    machine.add(BACKEND, [function], level)
    assert machine.call(function, *VALUES[:count]) == VALUES[:count]


def test_twenty_arguments(machine: NativeMachine) -> None:
    types = [I64, F64] * 10

    def body(f: Function, p: list[mir.Local], o: list[mir.Local]) -> list[mir.Instruction]:
        made: list[mir.Instruction] = [mir.Const(o[0], 0), mir.Const(o[1], 0.0)]
        for param in p:
            total = o[0] if param.type is I64 else o[1]
            made.append(mir.Binary("add", total, total, param))
        return made

    function = straight("sums", types, [I64, F64], body)
    args = [n if n % 2 == 0 else n / 2 for n in range(20)]
    assert machine.run(BACKEND, function, *args) == (90, 50.0)


def test_narrow_arguments_are_extended_on_use(machine: NativeMachine) -> None:
    """The upper bits of a narrow argument are anything: here, those of a wider value."""
    u8 = TYPES["u8"]
    widen = straight("widen", [u8], [I64], lambda f, p, o: mir.Convert(o[0], p[0]))
    narrow = straight(
        "narrow", [I64], [I64],
        lambda f, p, o: [mir.Convert(n := f.new_local(u8), p[0]), mir.Call((o[0],), "widen", (n,), SITE)],
    )  # fmt: skip
    machine.add(BACKEND, [widen, narrow])
    assert machine.call(narrow, -1) == (255,)


def test_externs(machine: NativeMachine) -> None:
    def record(value: int) -> int:
        machine.context.store(abi.FAILED, int(value < 0))
        return value * 2

    machine.externs["rt_twice"] = ctypes.CFUNCTYPE(ctypes.c_int8, ctypes.c_int)(record)
    i8 = TYPES["i8"]
    function = straight(
        "twice", [i8], [i8], lambda f, p, o: mir.CallExtern(o[0], "rt_twice", (p[0],), True, SITE)
    )
    machine.add(BACKEND, [function])
    assert machine.call(function, 21) == (42,)
    error = fails(machine, function, -1)
    assert (error.kind, error.site, machine.context.load(abi.FAILED)) == ("Recorded", SITE, 0)
    cosine = straight(
        "cosine", [F64], [F64], lambda f, p, o: mir.CallExtern(o[0], "cos", (p[0],), False, SITE)
    )
    assert machine.run(BACKEND, cosine, 0.5) == (math.cos(0.5),)


def test_calls_through_pointers(machine: NativeMachine) -> None:
    square = straight("square", [I64], [I64], lambda f, p, o: mir.Binary("mul", o[0], p[0], p[0]))
    machine.add(BACKEND, [square])
    address = machine.context.load(machine.context.code_offset("square"))
    function = straight(
        "by pointer", [PTR, I64], [I64], lambda f, p, o: mir.CallPointer((o[0],), p[0], (p[1],), c=False)
    )
    assert machine.run(BACKEND, function, address, 12) == (144,)
    labs = ctypes.cast(ctypes.CDLL(None).labs, ctypes.c_void_p).value
    function = straight(
        "by c pointer", [PTR, I64], [I64], lambda f, p, o: mir.CallPointer((o[0],), p[0], (p[1],), c=True)
    )
    assert machine.run(BACKEND, function, labs, -12) == (12,)


def test_the_code_of_a_function_is_a_value(machine: NativeMachine) -> None:
    square = straight("squared", [I64], [I64], lambda f, p, o: mir.Binary("mul", o[0], p[0], p[0]))
    function = straight(
        "by code", [I64], [I64],
        lambda f, p, o: [
            mir.ConstCode(slot := f.new_local(I64), "squared"),
            mir.Context(context := f.new_local(PTR)),
            mir.Load(target := f.new_local(PTR), context, 0, slot),
            mir.CallPointer((o[0],), target, (p[0],), c=False),
        ],
    )  # fmt: skip
    machine.add(BACKEND, [square, function])
    assert machine.call(function, 12) == (144,)


def test_c_convention(machine: NativeMachine) -> None:
    function = straight(
        "from c", [I64], [I64], lambda f, p, o: [
            mir.Context(c := f.new_local(PTR)),
            mir.Binary("add", o[0], p[0], p[0]),
            mir.Store(p[0], c, abi.BUFFER),
        ]
    )  # fmt: skip
    function.c_convention = True
    code = BACKEND.compile([function], machine.context)
    address = machine.arena.add(code) + code.entries["from c"]
    assert ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(address)(21) == 42
    assert machine.context.load(abi.BUFFER) == 21


# --- The back end itself ---------------------------------------------------------------------------


def test_stages_can_be_dumped(machine: NativeMachine) -> None:
    function = straight("dumped", [I64], [I64], lambda f, p, o: mir.Binary("mul", o[0], p[0], p[0]))
    assert "imul v1, v1" in BACKEND.dump([function], machine.context, "clif")
    assert "dumped:" in BACKEND.dump([function], machine.context, "asm")
    with pytest.raises(BackendError, match="no stage"):
        BACKEND.dump([function], machine.context, "llvm")


def test_what_cannot_be_compiled_is_an_error_that_says_so(machine: NativeMachine) -> None:
    backend = CraneliftBackend(verify=False)
    function = straight("odd", [I64], [I64], lambda f, p, o: mir.Unary("sqrt", o[0], p[0]))
    with pytest.raises(BackendError, match="sqrt"):
        backend.compile([function], machine.context)
    function = straight("unset", [], [I64], lambda f, p, o: [])
    with pytest.raises(BackendError, match="before it is assigned"):
        backend.compile([function], machine.context)
    twice = [straight("twin", [], [], lambda f, p, o: [])] * 2
    with pytest.raises(BackendError, match="twin"):
        backend.compile(twice, machine.context)


def test_a_missing_package_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cranelift", None)
    for name in [name for name in sys.modules if name.startswith("simple_jit.tiers.cranelift.")]:
        monkeypatch.delitem(sys.modules, name)
    import simple_jit.tiers.cranelift as package

    for name in ("compiler", "adapter"):
        monkeypatch.delattr(package, name, raising=False)
    from simple_jit.tiers.cranelift.backend import CraneliftBackend as Fresh

    with pytest.raises(BackendMissing, match="pip install cranelift-py"):
        Fresh()
