"""The LLVM back end: each instruction, calls within and across units, errors, the missing package."""

from __future__ import annotations

import math
import sys
import typing

import pytest

from native_machine import SITE, NativeMachine, Thrown
from simple_jit.mir import abi, arithmetic, visit
from simple_jit.mir import nodes as mir
from simple_jit.mir.nodes import BOOL, F32, F64, I64, PTR, REF, TYPES, Function, MirType
from simple_jit.tiers.contract import BackendError, BackendMissing
from simple_jit.tiers.llvm import library
from simple_jit.tiers.llvm.backend import LLVMBackend
from simple_jit.tiers.llvm.hotness import divide
from simple_jit.tiers.llvm.instructions import INSTRUCTIONS, TERMINATORS
from simple_jit.tiers.llvm.recursion import copies

INTS = [TYPES[name] for name in ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64")]
FLOATS = [F32, F64]
LEVELS = [0, 2]
BACKEND = LLVMBackend(verify=True, verbose=True)


@pytest.fixture(scope="module")
def machine() -> NativeMachine:
    return NativeMachine()


def function_of(symbol: str, params: list[MirType], results: list[MirType], *body: typing.Any) -> Function:
    """A function of one block; `body` makes its instructions from the parameters and new locals."""
    function = Function(symbol, tuple(results), "test.spl", 1)
    for type in params:
        function.new_local(type)
    function.param_count = len(params)
    outs = [function.new_local(type) for type in results]
    block = function.new_block()
    for make in body:
        made = make(function, function.params, outs)
        block.instructions += made if isinstance(made, list) else [made]
    block.terminator = mir.Return(tuple(outs))
    return function


def edges(type: MirType) -> list[typing.Any]:
    if type is BOOL:
        return [False, True]
    if type.kind == "float":
        values = [0.0, -0.0, 1.0, -1.5, 2.5, 0.1, 1e10, -3e19, math.inf, -math.inf, math.nan]
        return [arithmetic.round_f32(value) for value in values] if type is F32 else values
    bits = 8 * type.size
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if type.signed else (0, (1 << bits) - 1)
    return sorted(
        {value for value in (low, low + 1, -7, -1, 0, 1, 2, 3, 100, high - 1, high) if low <= value <= high}
    )


def same(a: typing.Any, b: typing.Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return (a != a and b != b) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    return bool(a == b)


# --- Every instruction, against the arithmetic that defines it -------------------------------------


def test_every_instruction_and_terminator_is_translated() -> None:
    assert set(INSTRUCTIONS) == set(visit.USES)
    assert set(TERMINATORS) == set(visit.TERMINATOR_USES)


def binary_cases() -> list[tuple[str, MirType]]:
    return [
        *[(op, type) for type in INTS for op in ("add", "sub", "mul", "div", "rem")],
        *[(op, type) for type in INTS for op in ("and", "or", "xor", "shl", "shr")],
        *[(op, type) for type in FLOATS for op in ("add", "sub", "mul", "div", "rem")],
        *[(op, BOOL) for op in ("and", "or", "xor")],
    ]  # fmt: skip


@pytest.mark.parametrize("level", LEVELS)
def test_binary(machine: NativeMachine, level: int) -> None:
    functions = {}
    for op, type in binary_cases():
        right = I64 if op in ("shl", "shr") else type
        functions[op, type] = function_of(
            f"{op} {type}", [type, right], [type], lambda f, p, o, op=op: mir.Binary(op, o[0], *p)
        )
    machine.add(BACKEND, list(functions.values()), level)
    for (op, type), function in functions.items():
        expected = arithmetic.binary_operation(typing.cast(typing.Any, op), type)
        for a in edges(type):
            for b in edges(function.params[1].type):
                if type.kind == "int" and op in ("div", "rem") and b == 0:
                    continue
                (result,) = machine.call(function, a, b)
                assert same(result, expected(a, b)), (op, type, a, b)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("op", ["div", "rem", "shl", "shr"])
def test_binary_with_a_constant(machine: NativeMachine, op: typing.Any, level: int) -> None:
    functions = {}
    for type in INTS:
        right = I64 if op in ("shl", "shr") else type
        for b in edges(right):
            if b == 0 and right is type and op in ("div", "rem"):
                continue
            functions[type, b] = function_of(
                f"{op} {type} {b}", [type], [type],
                lambda f, p, o, b=b, right=right: [
                    mir.Const(c := f.new_local(right), b), mir.Binary(op, o[0], p[0], c)
                ],
            )  # fmt: skip
    machine.add(BACKEND, list(functions.values()), level)
    for (type, b), function in functions.items():
        expected = arithmetic.binary_operation(op, type)
        for a in edges(type):
            assert machine.call(function, a) == (expected(a, b),), (op, type, a, b)


@pytest.mark.parametrize("level", LEVELS)
def test_unary(machine: NativeMachine, level: int) -> None:
    ops = {
        "int": ("neg", "not", "popcount", "leading_zeros", "trailing_zeros"),
        "float": ("neg", "sqrt", "floor", "ceil", "trunc", "abs"),
        "bool": ("not",),
    }
    cases = [(op, type) for type in (*INTS, *FLOATS, BOOL) for op in ops[type.kind]]
    functions = [
        function_of(f"{op} {type}", [type], [type], lambda f, p, o, op=op: mir.Unary(op, o[0], p[0]))
        for op, type in cases
    ]
    machine.add(BACKEND, functions, level)
    for (op, type), function in zip(cases, functions, strict=True):
        expected = arithmetic.unary_operation(typing.cast(typing.Any, op), type)
        for value in edges(type):
            (result,) = machine.call(function, value)
            assert same(result, expected(value)), (op, type, value)


@pytest.mark.parametrize("level", LEVELS)
def test_compare(machine: NativeMachine, level: int) -> None:
    ops = ("eq", "ne", "lt", "le", "gt", "ge")
    cases = [(op, type) for type in (*INTS, *FLOATS, BOOL, REF) for op in ops]
    functions = [
        function_of(f"{op} {type}", [type, type], [BOOL], lambda f, p, o, op=op: mir.Compare(op, o[0], *p))
        for op, type in cases
    ]
    machine.add(BACKEND, functions, level)
    for (op, type), function in zip(cases, functions, strict=True):
        for a in edges(type):
            for b in edges(type):
                assert machine.call(function, a, b) == (arithmetic.COMPARE[op](a, b),), (op, type, a, b)


@pytest.mark.parametrize("level", LEVELS)
def test_convert(machine: NativeMachine, level: int) -> None:
    cases = [(a, b) for a in (*INTS, *FLOATS, BOOL) for b in (*INTS, *FLOATS)]
    functions = [
        function_of(f"{a} as {b}", [a], [b], lambda f, p, o: mir.Convert(o[0], p[0])) for a, b in cases
    ]
    machine.add(BACKEND, functions, level)
    for (a, b), function in zip(cases, functions, strict=True):
        expected = arithmetic.conversion(a, b)
        for value in edges(a):
            (result,) = machine.call(function, value)
            assert same(result, expected(value)), (a, b, value)


@pytest.mark.parametrize("level", LEVELS)
def test_checked(machine: NativeMachine, level: int) -> None:
    cases = [(op, type) for type in INTS if type.signed for op in ("add", "sub", "mul")]
    functions = [
        function_of(
            f"checked {op} {type}", [type, type], [type],
            lambda f, p, o, op=op: mir.Checked(op, o[0], *p, SITE),
        )
        for op, type in cases
    ]  # fmt: skip
    machine.add(BACKEND, functions, level)
    for (op, type), function in zip(cases, functions, strict=True):
        for a in edges(type):
            for b in edges(type):
                exact = {"add": a + b, "sub": a - b, "mul": a * b}[op]
                if arithmetic.wrap(type)(exact) == exact:
                    assert machine.call(function, a, b) == (exact,)
                else:
                    with pytest.raises(Thrown) as caught:
                        machine.call(function, a, b)
                    assert (caught.value.kind, caught.value.site) == ("Overflow", SITE)


def test_bitcast_select_copy_and_constants(machine: NativeMachine) -> None:
    bits = function_of("bits", [F64], [I64], lambda f, p, o: mir.Bitcast(o[0], p[0]))
    assert machine.run(BACKEND, bits, -1.5) == (-0x4008000000000000,)
    select = function_of("select", [BOOL, F32, F32], [F32], lambda f, p, o: mir.Select(o[0], *p))
    assert machine.run(BACKEND, select, True, 1.5, 2.5) == (1.5,)
    assert machine.call(select, False, 1.5, 2.5) == (2.5,)
    address = function_of("address", [REF], [I64], lambda f, p, o: mir.Copy(o[0], p[0]))
    assert machine.run(BACKEND, address, 0x1234) == (0x1234,)
    for type in (*INTS, *FLOATS, BOOL, REF):
        for value in edges(type):
            constant = function_of(
                f"const {type} {value}", [], [type], lambda f, p, o, v=value: mir.Const(o[0], v)
            )
            (result,) = machine.run(BACKEND, constant, level=0)
            assert same(result, value)


def test_the_numbers_of_sites_types_and_texts_come_from_the_link(machine: NativeMachine) -> None:
    function = function_of(
        "numbers", [], [I64, I64, REF, PTR],
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


@pytest.mark.parametrize("level", LEVELS)
def test_memory(machine: NativeMachine, level: int) -> None:
    """Each type stored and loaded, at a computed and unaligned address and at a scaled index."""
    base = machine.heap.new_buffer(256) + 16
    for type in (*INTS, *FLOATS, BOOL, REF):
        plain = function_of(
            f"memory {type}", [PTR, type], [type],
            lambda f, p, o: [mir.Store(p[1], p[0], 3), mir.Load(o[0], p[0], 3)],
        )  # fmt: skip
        indexed = function_of(
            f"memory {type} indexed", [PTR, I64, type], [type],
            lambda f, p, o: [mir.Store(p[2], p[0], 8, p[1], 24), mir.Load(o[0], p[0], 32, p[1], 24)],
        )  # fmt: skip
        machine.add(BACKEND, [plain, indexed], level)
        for value in edges(type):
            assert same(machine.call(plain, base, value)[0], value)
            machine.call(indexed, base, 3, value)
            assert same(machine.call(indexed, base, 2, value)[0], value)


def test_the_element_store_does_not_hide_behind_the_length(machine: NativeMachine) -> None:
    """What alias classes claim must hold: through one `ref`, a field that was set is read again."""
    function = function_of(
        "set length", [REF, I64], [I64],
        lambda f, p, o: [mir.Store(p[1], p[0], abi.ARRAY_LEN), mir.Load(o[0], p[0], abi.ARRAY_LEN)],
    )  # fmt: skip
    array = machine.heap.new_buffer(64)
    assert machine.run(BACKEND, function, array, 5) == (5,)


# --- Failing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("wrap", [True, False])
def test_index(machine: NativeMachine, wrap: bool, level: int) -> None:
    function = function_of(
        f"index {wrap}", [I64, I64], [I64], lambda f, p, o: mir.Index(o[0], p[0], p[1], SITE, wrap)
    )
    machine.add(BACKEND, [function], level)
    assert machine.call(function, 2, 3) == (2,)
    if wrap:
        assert machine.call(function, -3, 3) == (0,)
    for index, length in ((3, 3), (-4, 3), (0, 0), (-1, 0), (1 << 62, 5), (-(1 << 63), 5)):
        with pytest.raises(Thrown) as caught:
            machine.call(function, index, length)
        error = caught.value
        assert (error.kind, error.site, error.a, error.b) == ("IndexError", SITE, index, length)


def test_check_reports_at_a_site_or_at_the_caller_s(machine: NativeMachine) -> None:
    fixed = function_of("check", [BOOL], [], lambda f, p, o: mir.Check(p[0], "NilError", SITE))
    passed = function_of("check passed", [BOOL, I64], [], lambda f, p, o: mir.Check(p[0], "NilError", p[1]))
    machine.add(BACKEND, [fixed, passed])
    assert machine.call(fixed, True) == ()
    with pytest.raises(Thrown) as caught:
        machine.call(fixed, False)
    assert (caught.value.kind, caught.value.site) == ("NilError", SITE)
    there = mir.Site("other.spl", 9, 9)
    with pytest.raises(Thrown) as caught:
        machine.call(passed, False, machine.context.site_number(there))
    assert caught.value.site == there


def test_throw_passes_a_message(machine: NativeMachine) -> None:
    function = function_of("throw", [], [], lambda f, p, o: mir.ConstText(f.new_local(REF), "no luck"))
    function.blocks[0].terminator = mir.Throw("Panic", function.locals[0], SITE)
    with pytest.raises(Thrown) as caught:
        machine.run(BACKEND, function)
    error = caught.value
    assert (error.kind, machine.heap.read_text(error.a), error.b) == ("Panic", "no luck", abi.MESSAGE)


def endless(symbol: str, tail: bool) -> Function:
    """`f(n) = f(n + 1)`, or `f(n + 1) + n`."""

    def body(f: Function, p: list[mir.Local], o: list[mir.Local]) -> list[mir.Instruction]:
        one, more, inner = (f.new_local(I64) for _ in range(3))
        return [
            mir.Const(one, 1),
            mir.Binary("add", more, p[0], one),
            mir.Call((o[0] if tail else inner,), symbol, (more,), SITE),
            *([] if tail else [mir.Binary("add", o[0], inner, p[0])]),
        ]

    function = function_of(symbol, [I64], [I64], body)
    function.line = 12
    return function


@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("tail", [True, False])
def test_endless_recursion_is_a_stack_overflow(machine: NativeMachine, tail: bool, level: int) -> None:
    function = endless(f"endless {tail}", tail)
    machine.add(BACKEND, [function], level)
    for _ in range(2):
        with pytest.raises(Thrown) as caught:
            machine.call(function, 0)
        assert caught.value.kind == "StackOverflow"
        assert caught.value.site == mir.Site("test.spl", 12, 1, function.symbol)


# --- Polls -----------------------------------------------------------------------------------------


def spinning(symbol: str) -> Function:
    """`loop: poll`."""
    function = Function(symbol, (), "test.spl", 1)
    start, loop = function.new_block(), function.new_block()
    start.terminator = mir.Jump(loop)
    loop.instructions.append(mir.Poll(SITE))
    loop.terminator = mir.Jump(loop)
    return function


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_an_endless_loop_polls(machine: NativeMachine, level: int) -> None:
    import ctypes
    import threading

    stop = ctypes.CFUNCTYPE(None)(lambda: machine.context.store(abi.FAILED, 1))
    machine.context.store(abi.POLL, ctypes.cast(stop, ctypes.c_void_p).value or 0)
    function = spinning("spin")
    machine.add(BACKEND, [function], level)
    timer = threading.Timer(0.05, lambda: machine.context.store(abi.LIMIT, abi.ATTENTION))
    timer.start()
    try:
        with pytest.raises(Thrown) as caught:
            machine.call(function)
    finally:
        machine.context.store(abi.LIMIT, 0)
    assert (caught.value.kind, caught.value.site) == ("Recorded", SITE)
    assert machine.context.load(abi.FAILED) == 0


def test_a_poll_that_asks_for_nothing_goes_on(machine: NativeMachine) -> None:
    """An entry finds the limit raised: it sees to the request, and does not report an overflow."""
    import ctypes

    polls = []
    attend = ctypes.CFUNCTYPE(None)(lambda: polls.append(1))
    machine.context.store(abi.POLL, ctypes.cast(attend, ctypes.c_void_p).value or 0)
    machine.context.store(abi.LIMIT, abi.ATTENTION)
    try:
        add = function_of("polite", [I64], [I64], lambda f, p, o: mir.Copy(o[0], p[0]))
        assert machine.run(BACKEND, add, 7) == (7,)
    finally:
        machine.context.store(abi.LIMIT, 0)
    assert polls


# --- Calls -----------------------------------------------------------------------------------------

MANY = [I64, F64, TYPES["u8"], F32, BOOL, F64, REF, TYPES["i16"], F64]


def rotate(symbol: str) -> Function:
    """Returns its arguments, more than fit registers, in the same order."""
    return function_of(
        symbol, MANY, MANY, lambda f, p, o: [mir.Copy(a, b) for a, b in zip(o, p, strict=True)]
    )


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("count", range(len(MANY) + 1))
def test_results_in_registers_and_memory(machine: NativeMachine, count: int, level: int) -> None:
    types = MANY[:count]
    function = function_of(
        f"give {count}", types, types, lambda f, p, o: [mir.Copy(a, b) for a, b in zip(o, p, strict=True)]
    )
    values = (-5, 0.5, 200, 1.5, True, -2.5, 0x10, -300, 3.25)[:count]
    machine.add(BACKEND, [function], level, wrap=False)
    machine.add_wrappers(BACKEND, [function], level)  # calls through the code table
    assert machine.call(function, *values) == values


@pytest.mark.parametrize("count", range(len(MANY) + 1))
@pytest.mark.parametrize("llvm_calls", [True, False])
def test_calls_between_back_ends(machine: NativeMachine, llvm_calls: bool, count: int) -> None:
    cranelift = pytest.importorskip("simple_jit.tiers.cranelift.backend").CraneliftBackend()
    caller, callee = (BACKEND, cranelift) if llvm_calls else (cranelift, BACKEND)
    types = MANY[:count]
    function = function_of(
        f"cross {llvm_calls} {count}", types, types,
        lambda f, p, o: [mir.Copy(a, b) for a, b in zip(o, p, strict=True)],
    )  # fmt: skip
    values = (-5, 0.5, 200, 1.5, True, -2.5, 0x10, -300, 3.25)[:count]
    machine.add(callee, [function], wrap=False)
    machine.add_wrappers(caller, [function])
    assert machine.call(function, *values) == values


def test_an_error_passes_frames_of_both_back_ends(machine: NativeMachine) -> None:
    cranelift = pytest.importorskip("simple_jit.tiers.cranelift.backend").CraneliftBackend()
    bottom = function_of("bottom", [BOOL], [], lambda f, p, o: mir.Check(p[0], "NilError", SITE))
    middle = function_of("middle", [BOOL], [], lambda f, p, o: mir.Call((), "bottom", tuple(p), SITE))
    top = function_of("top", [BOOL], [], lambda f, p, o: mir.Call((), "middle", tuple(p), SITE))
    for backend, function in ((BACKEND, bottom), (cranelift, middle), (BACKEND, top)):
        machine.add(backend, [function], wrap=False)
    machine.add_wrappers(cranelift, [top])
    assert machine.call(top, True) == ()
    with pytest.raises(Thrown):
        machine.call(top, False)
    assert machine.call(top, True) == ()


@pytest.mark.parametrize("level", LEVELS)
def test_extern_calls(machine: NativeMachine, level: int) -> None:
    import ctypes

    i8, u16 = TYPES["i8"], TYPES["u16"]
    seen = []
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_double)
    machine.externs[f"mix {level}"] = kind(lambda a, b, c: seen.append((a, b, c)) or a + b + int(c))  # type: ignore[func-returns-value]
    mix = function_of(
        f"call mix {level}", [i8, u16, F64], [TYPES["i32"]],
        lambda f, p, o: mir.CallExtern(o[0], f"mix {level}", tuple(p), False, SITE),
    )  # fmt: skip
    machine.add(BACKEND, [mix], level)
    assert machine.call(mix, -128, 65535, 2.5) == (65409,)
    assert seen == [(-128, 65535, 2.5)]
    for name in ("pow", "hypot", "floor", "sin"):
        count = 2 if name in ("pow", "hypot") else 1
        function = function_of(
            f"libm {name}", [F64] * count, [F64],
            lambda f, p, o, name=name: mir.CallExtern(o[0], name, tuple(p), False, SITE),
        )  # fmt: skip
        args = (2.5, 3.0)[:count]
        assert machine.run(BACKEND, function, *args, level=level) == (getattr(math, name)(*args),)


def test_an_extern_that_fails_throws_again(machine: NativeMachine) -> None:
    import ctypes

    def fail() -> None:
        machine.context.store(abi.FAILED, 1)

    machine.externs["fail"] = ctypes.CFUNCTYPE(None)(fail)
    function = function_of("failing", [], [], lambda f, p, o: mir.CallExtern(None, "fail", (), True, SITE))
    with pytest.raises(Thrown) as caught:
        machine.run(BACKEND, function)
    assert (caught.value.kind, caught.value.site) == ("Recorded", SITE)
    assert machine.context.load(abi.FAILED) == 0


def test_calls_through_pointers(machine: NativeMachine) -> None:
    import ctypes

    machine.run(BACKEND, rotate("rotated"), -5, 0.5, 200, 1.5, True, -2.5, 0x10, -300, 3.25)
    address = machine.context.load(machine.context.code_offset("rotated"))
    own = function_of(
        "by pointer", [PTR, *MANY], MANY, lambda f, p, o: mir.CallPointer(tuple(o), p[0], tuple(p[1:]), False)
    )
    values = (-5, 0.5, 200, 1.5, True, -2.5, 0x10, -300, 3.25)
    assert machine.run(BACKEND, own, address, *values) == values
    c = function_of(
        "by C pointer", [PTR, I64], [I64], lambda f, p, o: mir.CallPointer(tuple(o), p[0], (p[1],), True)
    )
    labs = ctypes.cast(ctypes.CDLL(None).labs, ctypes.c_void_p).value
    assert machine.run(BACKEND, c, labs, -9) == (9,)


def test_a_function_for_c_gets_no_context(machine: NativeMachine) -> None:
    import ctypes

    function = function_of(
        "for C", [I64], [I64, ], lambda f, p, o: mir.Call((o[0],), "doubled", (p[0],), SITE)
    )  # fmt: skip
    function.c_convention = True
    doubled = function_of("doubled", [I64], [I64], lambda f, p, o: mir.Binary("add", o[0], p[0], p[0]))
    machine.add(BACKEND, [doubled])
    machine.add(BACKEND, [function], wrap=False)
    address = machine.context.load(machine.context.code_offset("for C"))
    assert ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(address)(21) == 42


def test_only_exported_functions_are_entries(machine: NativeMachine) -> None:
    inner = function_of('inner «ü"\\', [I64], [I64], lambda f, p, o: mir.Binary("mul", o[0], p[0], p[0]))
    outer = function_of("outer", [I64], [I64], lambda f, p, o: mir.Call((o[0],), inner.symbol, (p[0],), SITE))
    code = BACKEND.compile([inner, outer], machine.context, exported={"outer"})
    assert list(code.entries) == ["outer"]
    assert set(BACKEND.compile([inner, outer], machine.context).entries) == {inner.symbol, "outer"}
    machine.add(BACKEND, [inner, outer])
    assert machine.call(outer, 12) == (144,)


def calling(symbol: str, *callees: str) -> Function:
    """Calls `callees` one after the other, with what the one before returned."""

    def body(f: Function, p: list[mir.Local], o: list[mir.Local]) -> list[mir.Instruction]:
        made, value = [], p[0]
        for callee in callees:
            result = f.new_local(I64)
            made.append(mir.Call((result,), callee, (value,), SITE))
            value = result
        return [*made, mir.Copy(o[0], value)]

    return function_of(symbol, [I64], [I64], body)


def test_a_unit_entered_at_its_start_is_compiled_in_two_parts(machine: NativeMachine) -> None:
    """What runs once and what may run often call each other; what nothing calls is left out."""
    unit = [
        calling("main.<start>", "main.once", "main.looping"),
        function_of("main.once", [I64], [I64], lambda f, p, o: mir.Binary("mul", o[0], p[0], p[0])),
        looping("main.looping", "main.often"),
        calling("main.often", "main.twice"),
        function_of("main.twice", [I64], [I64], lambda f, p, o: mir.Binary("add", o[0], p[0], p[0])),
        function_of("main.unused", [I64], [I64], lambda f, p, o: mir.Copy(o[0], p[0])),
    ]
    parts = divide(unit, ["main.<start>"], 2)
    names = [(part.level, [function.symbol for function in part.functions]) for part in parts]
    assert names == [
        (2, ["main.looping", "main.often", "main.twice"]),
        (0, ["main.<start>", "main.once"]),
    ]
    wrapper = calling("wrapped", "main.<start>")
    code = BACKEND.compile(unit, machine.context, exported=["main.<start>"])
    address = machine.arena.add(code) + code.entries["main.<start>"]
    machine.context.store(machine.context.code_offset("main.<start>"), address)
    assert machine.run(BACKEND, wrapper, 3) == (9 * 2**5,)


def test_what_loops_a_few_times_or_is_rarely_called_is_not_worth_much_time() -> None:
    unit = [
        calling("main.<start>", "main.few", "main.many"),
        looping("main.few", "main.a", "const 5"),
        looping("main.many", "main.b"),
        calling("main.a"),
        calling("main.b", "main.seldom", "main.often"),
        looping("main.seldom", "main.c"),
        calling("main.c"),
        looping("main.often", "main.d"),
        calling("main.d"),
    ]
    named = {function.symbol: function for function in unit}
    named["main.seldom"].rarely_called = True
    assert [[function.symbol for function in part.functions] for part in divide(unit, ["main.<start>"], 2)] == [
        ["main.many", "main.b", "main.often", "main.d"],
        ["main.<start>", "main.few", "main.a", "main.seldom", "main.c"],
    ]


@pytest.mark.parametrize(
    ("step", "compare", "trips"),
    [
        ("add %1, %2", "lt %1, %3", 101),
        ("sub %1, %2", "gt %1, %3", 101),
        ("add %1, %2", "ne %3, %1", 101),
        ("add %1, %4", "lt %1, %3", 7),
        ("mul %1, %2", "lt %1, %3", 7),
        ("add %1, %2", "lt %0, %3", 7),
    ],
)
def test_how_often_loops_go_round(step: str, compare: str, trips: int) -> None:
    from simple_jit.mir.parse import parse_function
    from simple_jit.tiers.llvm.trips import Trips

    function = parse_function(
        f"""
fn @main.f(%0: i64) -> i64 file "test.spl" line 1 {{
b0:
  %1: i64 = const 0
  %2: i64 = const 3
  %3: i64 = const {"-300" if "sub" in step else "300"}
  %4: i64 = copy %0
  jump b1
b1:
  %5: bool = {compare}
  branch %5, b2, b3
b2:
  %1 = {step}
  jump b1
b3:
  return %1
}}
"""
    )
    assert Trips(function, unknown=7).busiest() == trips


def looping(symbol: str, callee: str, times: str = "add %6, %7") -> Function:
    """Calls `callee` five times, with what it returned before."""
    from simple_jit.mir.parse import parse_function

    return parse_function(
        f"""
fn @{symbol}(%0: i64) -> i64 file "test.spl" line 1 {{
b0:
  %1: i64 = const 0
  %2: i64 = const 1
  %6: i64 = sub %0, %0
  %7: i64 = const 5
  %3: i64 = {times}
  %4: i64 = copy %0
  jump b1
b1:
  %5: bool = lt %1, %3
  branch %5, b2, b3
b2:
  %4 = call @{callee}(%4) !1:1
  %1 = add %1, %2
  jump b1
b3:
  return %4
}}
"""
    )


def test_what_may_become_vector_code_goes_through_all_passes() -> None:
    from simple_jit.mir.parse import parse_function

    double = parse_function(
        """
fn @double(%0: ptr, %1: i64) file "test.spl" line 1 {
b0:
  %2: i64 = const 0
  %3: i64 = const 1
  jump b1
b1:
  %4: bool = lt %2, %1
  branch %4, b2, b3
b2:
  %5: i64 = load [%0 + %2 * 8]
  %5 = add %5, %5
  store %5, [%0 + %2 * 8]
  %2 = add %2, %3
  jump b1
b3:
  return
}
"""
    )
    unit = [double, looping("caller", "callee")]
    found = [(part.whole, [f.symbol for f in part.functions]) for part in divide(unit, None, 2)]
    assert found == [(True, ["double"]), (False, ["caller"])]
    assert [part.whole for part in divide(unit, None, 3)] == [True]
    assert [part.whole for part in divide(unit, None, 1)] == [False]
    assert "x i64>" in BACKEND.dump([double], NativeMachine().context, "llvm")


def test_a_large_unit_is_compiled_in_two_threads(machine: NativeMachine) -> None:
    """Functions of either half call those of the other."""
    unit = [looping("f0", "f1")]
    unit += [looping(f"f{n}", f"f{n + 1}") for n in range(1, 3)]
    padding = [mir.Binary("add", local, local, local) for local in [unit[0].params[0]] * 60]
    for function in unit:
        function.blocks[0].instructions += padding
    unit.append(function_of("f3", [I64], [I64], lambda f, p, o: mir.Binary("add", o[0], p[0], p[0])))
    halves = divide(unit, ["f0"], 2, 2)
    assert len(halves) == 2
    assert sorted(f.symbol for part in halves for f in part.functions) == ["f0", "f1", "f2", "f3"]
    assert [len(divide(unit, ["f0"], level, shares)) for level, shares in ((2, 1), (3, 2))] == [1, 1]
    machine.add(BACKEND, unit)
    assert machine.call(unit[0], 0) == (0,)


def test_an_error_of_either_thread_is_reported(machine: NativeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    from simple_jit.tiers.llvm import backend

    unit = [looping("a", "b"), looping("b", "a")]
    for function in unit:
        function.blocks[0].instructions += [mir.Copy(function.params[0], function.params[0])] * 100
    for wrong in (0, 1):
        texts = iter(["broken" if n == wrong else "" for n in range(2)])
        monkeypatch.setattr(backend, "unit_text", lambda *_, texts=texts: next(texts))
        with pytest.raises(BackendError, match="does not accept"):
            backend.LLVMBackend().compile(unit, machine.context)


def test_recursion_is_never_rare() -> None:
    unit = [calling("main.<start>", "main.a"), calling("main.a", "main.b"), calling("main.b", "main.a")]
    parts = divide(unit, ["main.<start>"], 2)
    assert [[function.symbol for function in part.functions] for part in parts] == [
        ["main.a", "main.b"],
        ["main.<start>"],
    ]


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_recursive_function_is_inlined_into_itself(machine: NativeMachine, level: int) -> None:
    from simple_jit.mir.parse import parse_function

    fib = parse_function(
        """
fn @fib(%0 n: i64) -> i64 file "test.spl" line 1 {
b0:
  %1: i64 = const 2
  %2: i64 = const 1
  %3: bool = lt %0, %1
  branch %3, b1, b2
b1:
  return %0
b2:
  %4: i64 = sub %0, %2
  %5: i64 = call @fib(%4) !1:1
  %6: i64 = sub %0, %1
  %7: i64 = call @fib(%6) !1:1
  %8: i64 = add %5, %7
  return %8
}
"""
    )
    assert copies(fib) == 3
    machine.add(BACKEND, [fib], level)
    assert [machine.call(fib, n)[0] for n in range(10)] == [0, 1, 1, 2, 3, 5, 8, 13, 21, 34]


# --- The package and its errors --------------------------------------------------------------------


def test_a_missing_package_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    with pytest.raises(BackendMissing, match="pip install"):
        LLVMBackend().prefetch()


@pytest.mark.parametrize("version", ["0.20.1", "0.99.0", "strange"])
def test_an_unknown_version_is_reported(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr("llvmlite.__version__", version)
    with pytest.raises(BackendMissing, match="llvmlite " + version):
        LLVMBackend().prefetch()


def test_a_library_that_does_not_load_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "_locate", lambda: "/nowhere/libllvmlite.so")
    with pytest.raises(BackendMissing, match="does not load"):
        LLVMBackend().prefetch()


def test_loading_ahead_in_a_thread(machine: NativeMachine) -> None:
    import threading

    backend = LLVMBackend()
    loading = threading.Thread(target=backend.prefetch)
    loading.start()
    function = function_of("after prefetch", [I64], [I64], lambda f, p, o: mir.Copy(o[0], p[0]))
    assert machine.run(backend, function, 5) == (5,)
    loading.join()


def test_ir_that_llvm_refuses_is_an_error() -> None:
    found = library.open_library()
    with pytest.raises(BackendError, match="does not accept"):
        library.Module(found, "define i64 @f( {")
    with library.Module(found, "define i64 @f() {\n unreachable\n}") as module:
        module.verify()


def test_stages_can_be_dumped(machine: NativeMachine) -> None:
    function = function_of("dumped", [I64], [I64], lambda f, p, o: mir.Binary("mul", o[0], p[0], p[0]))
    for stage, expected in (("llvm", "mul i64"), ("llvm-in", "mul i64"), ("asm", "imul")):
        text = BACKEND.dump([function], machine.context, stage)
        assert "dumped" in text
        assert expected in text
    with pytest.raises(BackendError, match="no stage"):
        BACKEND.dump([function], machine.context, "clif")
