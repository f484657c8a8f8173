"""Objects, optionals, calls, errors and intrinsics in the tree-walking interpreter."""

from __future__ import annotations

import pytest

from hir_builder import (
    SOURCE,
    SPAN,
    STRUCT,
    Machine,
    add_to,
    binary,
    block,
    branch,
    compare,
    const,
    function,
    get,
    put,
)
from simple_jit.hir import nodes as hir
from simple_jit.hir import types as t
from simple_jit.hir.intrinsics import TABLE
from simple_jit.mir import abi
from simple_jit.runtime import memory, values
from simple_jit.runtime.errors import SimpleError, take_error
from simple_jit.tiers.interpreter import Hooks, compiler, expressions, facts, statements

LIMITS = [compiler.FLAT, compiler.SEPARATE]
LATER = SOURCE.span(3, 4)
ELEMENTS = [
    (t.I64, [1, -2, 3]),
    (t.U8, [1, 255, 3]),
    (t.BOOL, [True, False, True]),
    (t.F64, [0.5, -1.0, 2.0]),
    (t.F32, [0.5, -1.0, 2.0]),
    (t.tuple_of([t.I8, t.F64]), [(1, 0.5), (-2, 1.0), (3, 0.0)]),
    (t.optional_of(t.I16), [1, None, -3]),
    (t.UNIT, [None, None, None]),
]


def outcome(m: Machine, f: hir.Function, *args: object) -> str:
    with pytest.raises(SimpleError) as caught:
        m.run(f, *args)
    return str(caught.value)


@pytest.mark.parametrize(("elem", "items"), ELEMENTS, ids=[str(e) for e, _ in ELEMENTS])
@pytest.mark.parametrize("limits", LIMITS, ids=["flat", "separate"])
def test_arrays(elem: t.Type, items: list[object], limits: compiler.Limits) -> None:
    type = t.array_of(elem)
    load = function([type, t.I64], elem, name="load")
    xs, i = load.locals
    load.body = hir.ArrayGet(get(xs), get(i), elem, SPAN)
    store = function([type, t.I64, elem], t.UNIT, name="store")
    store.body = hir.ArraySet(get(store.locals[0]), get(store.locals[1]), get(store.locals[2]), SPAN)
    with Machine() as m:
        m.interpreter.instance(load).call = m.interpreter.compile(load, limits)
        m.interpreter.instance(store).call = m.interpreter.compile(store, limits)
        array = m.heap.new_array(type, items)
        assert [m.run(load, array, i) for i in (0, 1, 2, -3, -2, -1)] == items * 2
        m.run(store, array, -1, items[0])
        m.run(store, array, 0, items[1])
        assert m.heap.read_array(array, type) == [items[1], items[1], items[0]]
        for index in (3, -4, 1 << 62):
            message = f"IndexError: index {index} is out of range for length 3 (test.spl:2:1)"
            assert outcome(m, load, array, index) == message
            assert outcome(m, store, array, index, items[0]) == message


@pytest.mark.parametrize("elem", [t.I64, t.BOOL, t.U16], ids=str)
@pytest.mark.parametrize("limits", LIMITS, ids=["flat", "separate"])
def test_arrays_that_stay_the_same_in_a_loop(elem: t.Type, limits: compiler.Limits) -> None:
    """Copy an array backwards; the source is indexed from its end."""
    type = t.array_of(elem)
    f = function([type, type, t.I64], t.UNIT, [t.I64])
    source, to, n, i = f.locals
    index = hir.Unary("neg", binary("add", get(i), const(1)), SPAN)
    body = block(hir.ArraySet(get(to), get(i), hir.ArrayGet(get(source), index, elem, SPAN), SPAN))
    f.body = hir.ForRange(hir.LoopTarget(0), i, const(0), get(n), const(1), False, body, SPAN)
    items = [value != 0 if elem is t.BOOL else value for value in (0, 1, 0, 3)]
    with Machine() as m:
        m.interpreter.instance(f).call = m.interpreter.compile(f, limits)
        array, copy = m.heap.new_array(type, items), m.heap.new_array(type, items)
        m.run(f, array, copy, 4)
        assert m.heap.read_array(copy, type) == items[::-1]
        message = "IndexError: index -5 is out of range for length 4 (test.spl:2:1)"
        assert outcome(m, f, array, copy, 5) == message


def test_structs() -> None:
    """Make one, read each field, change each field."""
    fields: list[object] = [True, -3, None, 0, (0.5, 0)]
    changed: list[object] = [False, 7, 5, 1, (1.5, 1)]
    make = function([field.type for field in STRUCT.fields], STRUCT, name="make")
    make.body = hir.New(STRUCT, [get(local) for local in make.locals], SPAN)
    with Machine() as m:
        object = m.run(make, *fields)
        assert isinstance(object, int)
        assert memory.I64[object >> 3] == m.context.types.of(STRUCT)
        for index, field in enumerate(STRUCT.fields):
            load = function([STRUCT], field.type, name=f"load{index}")
            load.body = hir.FieldGet(get(load.locals[0]), index, field.type, SPAN)
            store = function([STRUCT, field.type], t.UNIT, name=f"store{index}")
            store.body = hir.FieldSet(get(store.locals[0]), index, get(store.locals[1]), SPAN)
            assert m.run(load, object) == fields[index]
            m.run(store, object, changed[index])
            assert m.run(load, object) == changed[index]


@pytest.mark.parametrize("inner", [t.I64, t.TEXT, t.UNIT, t.tuple_of([t.I64, t.BOOL])], ids=str)
def test_optionals(inner: t.Type) -> None:
    optional = t.optional_of(inner)
    some = function([inner], optional, name="some")
    some.body = hir.Some(get(some.locals[0]), optional, SPAN)
    nil = function([], optional, name="nil")
    nil.body = hir.Nil(optional, SPAN)
    is_some = function([optional], t.BOOL, name="is_some")
    is_some.body = hir.IsSome(get(is_some.locals[0]), SPAN)
    unwrap = function([optional], inner, name="unwrap")
    unwrap.body = hir.Unwrap(get(unwrap.locals[0]), inner, SPAN)
    value: object = {t.I64: 0, t.TEXT: 4096, t.UNIT: None}.get(inner, (1, True))
    with Machine() as m:
        assert m.run(is_some, m.run(some, value)) is True
        assert m.run(is_some, m.run(nil)) is False
        assert m.run(unwrap, m.run(some, value)) == value
        assert outcome(m, unwrap, m.run(nil)) == "NilError: unwrapped nil (test.spl:2:1)"


def test_globals() -> None:
    with Machine() as m:
        globals = ((t.I64, -5), (t.BOOL, True), (t.F32, 0.5), (ELEMENTS[5][0], (3, 2.5)))
        for slot, (type, value) in enumerate(globals):
            cell = hir.Global("g", type, 2 * slot)
            store = function([type], t.UNIT, name=f"store_{type}")
            store.body = hir.GlobalSet(cell, get(store.locals[0]), SPAN)
            load = function([], type, name=f"load_{type}")
            load.body = hir.GlobalGet(cell, SPAN)
            m.run(store, value)
            assert m.run(load) == value
            parts = values.flatten_value(value, type)
            first = m.context.address + abi.GLOBALS + 8 * cell.slot
            assert memory.U8[first] == int(parts[0]) & 255 or type is t.F32


def test_a_caller_is_blamed() -> None:
    """The error of a `track_caller` function is reported at the innermost call outside of such ones."""
    inner = function([t.I64], t.I64, name="inner")
    inner.track_caller = True
    inner.body = binary("div", const(1), get(inner.locals[0]))
    middle = function([t.I64], t.I64, name="middle")
    middle.track_caller = True
    middle.body = hir.Call(inner, [get(middle.locals[0])], t.I64, SPAN)
    outer = function([t.I64], t.I64, name="outer")
    outer.body = hir.Call(middle, [get(outer.locals[0])], t.I64, LATER)
    with Machine() as m:
        assert m.run(outer, 1) == 1
        assert outcome(m, outer, 0) == "DivisionByZero: division by zero (test.spl:1:4)"


def test_a_throw_has_its_message() -> None:
    f = function([], t.I64)
    f.body = hir.Throw("Panic", hir.TextConst("no way", t.TEXT, SPAN), LATER)
    with Machine() as m:
        assert outcome(m, f) == "Panic: no way (test.spl:1:4)"


def test_extern_functions() -> None:
    class Externs(Hooks):
        asked = 0

        def extern(self, extern: hir.Extern) -> object:  # type: ignore[override]
            self.asked += 1

            def run(value: int) -> int:
                if value < 0:
                    raise SimpleError("IoError", "negative")
                return value * 2

            return run

    hooks = Externs()
    extern = hir.Extern("rt_double", (t.I64,), t.I64, None, True, SPAN)
    f = function([t.I64], t.I64)
    f.body = hir.CallExtern(extern, [get(f.locals[0])], LATER)
    with Machine(hooks) as m:
        assert [m.run(f, n) for n in (1, 2)] == [2, 4]
        assert outcome(m, f, -1) == "IoError: negative (test.spl:1:4)"
    assert hooks.asked == 1


def deep(name: str = "deep") -> hir.Function:
    f = function([t.I64], t.I64, name=name)
    n = f.locals[0]
    call = hir.Call(f, [binary("sub", get(n), const(1))], t.I64, SPAN)
    f.body = branch(compare("eq", get(n), const(0)), const(0), binary("add", call, const(1)))
    return f


def test_deep_recursion_is_an_error() -> None:
    """Twice, and a depth of 50,000 is fine before, between and after."""
    f = deep()
    with Machine() as m:
        for _ in range(2):
            assert m.run(f, 50_000) == 50_000
            assert outcome(m, f, -1) == "StackOverflow: stack overflow (test.spl:2:1)"
        assert m.run(f, 50_000) == 50_000


def test_running_out_of_memory_is_an_error() -> None:
    type = t.array_of(t.I64)
    f = function([], t.I64, [type])
    new = hir.ArrayNew([const(n) for n in range(4)], type, LATER)
    f.body = hir.Loop(hir.LoopTarget(0), None, block(put(f.locals[0], new)), None, t.NEVER, SPAN)
    g = function([], t.I64, [STRUCT], name="g")
    zeros = [const(False, t.BOOL), const(0, t.I16), hir.Nil(STRUCT.fields[2].type, SPAN)]
    pair = hir.TupleNew([const(0.0, t.F32), hir.TextConst("", t.TEXT, SPAN)], STRUCT.fields[4].type, SPAN)
    fields = [*zeros, hir.Nil(STRUCT.fields[3].type, SPAN), pair]
    body = block(put(g.locals[0], hir.New(STRUCT, fields, LATER)))
    g.body = hir.Loop(hir.LoopTarget(0), None, body, None, t.NEVER, SPAN)
    for endless in (f, g):
        with Machine(limit=1 << 16) as m:
            assert outcome(m, endless) == "OutOfMemory: out of memory (test.spl:1:4)"


def test_values_are_evaluated_in_order() -> None:
    """`log(1).x = log(2)` and `log(a)[log(i)] = log(v)` log from left to right."""
    log: list[object] = []

    class Externs(Hooks):
        def extern(self, extern: hir.Extern) -> object:  # type: ignore[override]
            def run(value: object) -> object:
                log.append(value)
                return value

            return run

    def logged(value: hir.Expr) -> hir.Expr:
        extern = hir.Extern(f"log_{value.type}", (value.type,), value.type, None, True, SPAN)
        return hir.CallExtern(extern, [value], SPAN)

    type = t.array_of(t.I64)
    f = function([STRUCT, type, t.I64], t.I64)
    thing, xs, i = f.locals
    f.body = block(
        hir.FieldSet(logged(get(thing)), 1, logged(const(5, t.I16)), SPAN),
        hir.ArraySet(logged(get(xs)), logged(get(i)), logged(const(7)), SPAN),
        result=hir.ArrayGet(logged(get(xs)), logged(get(i)), t.I64, SPAN),
    )
    with Machine(Externs()) as m:
        thing_address = m.heap.new_struct(STRUCT, [False, 0, None, 0, (0.0, 0)])
        array = m.heap.new_array(type, [0, 0])
        assert m.run(f, thing_address, array, 1) == 7
        assert log == [thing_address, 5, array, 1, 7, array, 1]
        log.clear()
        assert "index 2" in outcome(m, f, thing_address, array, 2)
        assert log == [thing_address, 5, array, 2, 7]


def test_all_intrinsics_are_known() -> None:
    known = {"alloc", "load", "ctx_load"}
    known.update(expressions._INTRINSICS, expressions._INTRINSIC_CONSTANTS)
    known.update(expressions._INTRINSIC_FUNCTIONS, statements._INTRINSIC_ASSIGNMENTS)
    assert known == set(TABLE)
    assert set(statements._INTRINSIC_ASSIGNMENTS) == expressions._INTRINSIC_STATEMENTS


def intrinsic(op: str, *args: hir.Expr, ret: t.Type = t.UNIT, arg: t.Type | None = None) -> hir.Expr:
    return hir.Intrinsic(op, list(args), arg, ret, SPAN)


def test_memory_intrinsics() -> None:
    """Allocate, fill, copy, store and load, then build an array over it by hand."""
    type = t.array_of(t.U8)
    f = function([type], t.I64, [t.I64, t.I64])
    xs, at, sum = f.locals

    def cell(offset: int) -> hir.Expr:
        return binary("add", get(at), const(offset))

    f.body = block(
        put(at, intrinsic("alloc", const(64), intrinsic("type_id", arg=t.TEXT, ret=t.I64), ret=t.I64)),
        intrinsic("mem_fill", cell(16), const(0x101), const(8)),
        intrinsic("mem_copy", cell(20), cell(16), const(8)),
        intrinsic("store", cell(18), const(9, t.U8)),
        intrinsic("array_set_data", get(xs), cell(16), const(12)),
        intrinsic("array_set_len", get(xs), const(5)),
        intrinsic("array_store", get(xs), const(4), const(7, t.U8)),
        put(sum, intrinsic("mem_compare", cell(16), cell(17), const(2), ret=t.I64)),
        add_to(sum, intrinsic("array_capacity", get(xs), ret=t.I64)),
        add_to(sum, hir.Convert(intrinsic("array_load", get(xs), const(2), ret=t.U8), t.I64, SPAN)),
        add_to(sum, hir.Convert(intrinsic("load", cell(20), ret=t.U8, arg=t.U8), t.I64, SPAN)),
        result=get(sum),
    )
    with Machine() as m:
        array = m.heap.new_array(type, [])
        assert m.run(f, array) == -1 + 12 + 9 + 7
        assert m.heap.read_array(array, type) == [1, 1, 9, 1, 7]


def test_context_intrinsics() -> None:
    f = function([t.I64], t.I64)
    offset = const(abi.RETURNS)
    store = intrinsic("ctx_store", offset, get(f.locals[0]))
    f.body = block(store, result=intrinsic("ctx_load", offset, ret=t.I64))
    with Machine() as m:
        assert m.run(f, -7) == -7
        assert m.context.load(abi.RETURNS) == -7


def test_all_nodes_are_known() -> None:
    """Each node has an entry in the table of its parts, and the entry names real fields."""
    nodes = {
        value
        for value in vars(hir).values()
        if isinstance(value, type) and issubclass(value, hir.Expr) and value is not hir.Expr
    }
    assert set(facts._PARTS) == nodes
    for node, (single, several) in facts._PARTS.items():
        assert {*single, several} - {None} <= set(node.__slots__)
    handled = set(expressions.EMIT) | set(statements._LINES) | set(statements._ASSIGNMENTS)
    assert handled == nodes


def enum(name: str, *variants: list[t.Type]) -> t.EnumType:
    made = t.EnumType(name, f"test.{name}", None, (), None)
    made.variants = [
        t.Variant(f"V{position}", position, [t.Field(f"f{n}", field, None) for n, field in enumerate(fields)])
        for position, fields in enumerate(variants)
    ]
    return made


FLAT_ENUM = enum("Flat", [t.I64, t.TEXT], [t.F64], [], [t.optional_of(t.I8), t.BOOL])
BOXED_ENUM = enum("Boxed", [t.I64] * 8, [t.TEXT, t.optional_of(t.I16)], [])
UNIT_ENUM = enum("Units", [t.UNIT], [])


@pytest.mark.parametrize("type", [FLAT_ENUM, BOXED_ENUM, UNIT_ENUM], ids=str)
def test_enums_with_payload(type: t.EnumType) -> None:
    """Make each variant, keep it in an array and in an `any`, and take it apart."""
    examples = {t.I64: -3, t.TEXT: 4096, t.F64: 0.5, t.BOOL: True, t.UNIT: None}
    elements = t.array_of(type)
    tag = function([type], t.I64, name="tag")
    tag.body = hir.EnumTag(get(tag.locals[0]), t.I64, SPAN)
    wrap = function([elements], type, name="wrap")
    first = hir.ArrayGet(get(wrap.locals[0]), const(0), type, SPAN)
    wrap.body = hir.AnyGet(hir.AnyNew(first, t.ANY, SPAN), type, SPAN)
    with Machine() as m:
        for position, variant in enumerate(type.variants):
            fields = [field.type for field in variant.fields]
            make = function(fields, type, name=f"make{position}")
            make.body = hir.EnumNew(position, [get(local) for local in make.locals], type, SPAN)
            values = [examples.get(field, 7) for field in fields]
            made = m.run(wrap, m.heap.new_array(elements, [m.run(make, *values)]))
            assert m.run(tag, made) == position
            for index, (field, value) in enumerate(zip(fields, values, strict=True)):
                load = function([type], field, name=f"load{position}_{index}")
                load.body = hir.EnumGet(get(load.locals[0]), position, index, field, SPAN)
                assert m.run(load, made) == value


ANY_VALUES: list[tuple[t.Type, object]] = [
    *[(type, type.max) for type in t.SCALARS.values() if isinstance(type, t.IntType)],
    (t.I64, -1), (t.F64, -0.5), (t.F32, 0.5), (t.BOOL, True), (t.TEXT, 4096), (t.UNIT, None),
    (t.tuple_of([t.I8, t.F64]), (1, 2.5)), (t.optional_of(t.I64), None), (FLAT_ENUM, (1, 0.5)),
]  # fmt: skip


@pytest.mark.parametrize(("type", "value"), ANY_VALUES, ids=[str(type) for type, _ in ANY_VALUES])
def test_any(type: t.Type, value: object) -> None:
    elements = t.array_of(t.ANY)
    make = function([type], t.ANY, name="make")
    make.body = hir.AnyNew(get(make.locals[0]), t.ANY, SPAN)
    test = function([t.ANY], t.BOOL, name="test")
    test.body = hir.AnyIs(get(test.locals[0]), type, SPAN)
    test_other = function([t.ANY], t.BOOL, name="test_other")
    test_other.body = hir.AnyIs(get(test_other.locals[0]), STRUCT, SPAN)
    take = function([t.ANY], type, name="take")
    take.body = hir.AnyGet(get(take.locals[0]), type, SPAN)
    with Machine() as m:
        (made,) = m.heap.read_array(m.heap.new_array(elements, [m.run(make, value)]), elements)
        assert m.run(test, made) is True
        assert m.run(test_other, made) is False
        assert m.run(take, made) == value


def adder() -> tuple[hir.Function, t.StructType]:
    """`\\x: x + n`, with `n` captured: the body, and the type of its objects."""
    env = t.StructType("env", "test.env", None, (), True, None)
    env.fields = [t.Field("code", t.I64, None), t.Field("n", t.I64, None)]
    body = function([t.I64, env], t.I64, name="adder")
    body.body = binary("add", get(body.locals[0]), hir.FieldGet(get(body.locals[1]), 1, t.I64, SPAN))
    return body, env


def test_function_values() -> None:
    body, env = adder()
    type = t.function_of([t.I64], t.I64)
    make = function([t.I64], type, name="make")
    make.body = hir.ClosureNew(body, env, [get(make.locals[0])], type, SPAN)
    call = function([type, t.I64], t.I64, name="call")
    call.body = hir.CallValue(get(call.locals[0]), [get(call.locals[1])], t.I64, SPAN)
    with Machine() as m:
        one, ten = m.run(make, 1), m.run(make, 10)
        assert [m.run(call, one, 5), m.run(call, ten, 5)] == [6, 15]


def test_a_function_value_of_native_code() -> None:
    """The interpreter finds the function behind a code-table slot that it did not make."""
    body, env = adder()

    class Known(Hooks):
        def function(self, symbol: str) -> hir.Function:
            assert symbol == body.symbol
            return body

    type = t.function_of([t.I64], t.I64)
    call = function([type], t.I64, name="call")
    call.body = hir.CallValue(get(call.locals[0]), [const(2)], t.I64, SPAN)
    with Machine(Known()) as m:
        closure = m.heap.new_struct(env, [m.context.code_offset(body.symbol), 40])
        assert m.run(call, closure) == 42


def test_protected_calls() -> None:
    """The error of a protected call is kept, and is none for externs that are called next."""
    env = t.StructType("env0", "test.env0", None, (), True, None)
    env.fields = [t.Field("code", t.I64, None), t.Field("n", t.I64, None)]
    body = function([env], t.I64, name="body")
    body.body = binary("div", const(6), hir.FieldGet(get(body.locals[0]), 1, t.I64, LATER))
    type = t.function_of([], t.I64)
    f = function([t.I64], t.I64)
    closure = hir.ClosureNew(body, env, [get(f.locals[0])], type, SPAN)
    f.body = hir.Protected(closure, t.I64, SPAN)
    with Machine() as m:
        assert m.run(f, 3) == 2
        assert m.run(f, 0) == -1
        assert m.context.load(abi.FAILED) == 0
        error = take_error(m.context, m.heap.read_text)
        assert str(error) == "DivisionByZero: division by zero (test.spl:2:1)"


@pytest.mark.parametrize("limits", LIMITS, ids=["flat", "separate"])
@pytest.mark.parametrize("default", [True, False])
def test_switches(default: bool, limits: compiler.Limits) -> None:
    """As a value, and as a statement that may leave the function."""
    numbers = [[0], [1, 4, 7], [3]]

    def switch(branches: list[hir.Expr], otherwise: hir.Expr) -> hir.Expr:
        return hir.Switch(get(x), numbers, branches, otherwise if default else None, t.I64, SPAN)

    f = function([t.I64], t.I64, [t.I64])
    x, y = f.locals
    returning = hir.Return(const(100), SPAN)
    value = switch([const(10), const(11), const(12)], const(13))
    f.body = block(
        put(y, switch([const(20), returning, const(22)], const(23))),
        result=binary("add", get(y), binary("add", value, const(0))),
    )
    with Machine() as m:
        run = m.interpreter.compile(f, limits)
        assert [run(n) for n in (0, 1, 4, 7, 3)] == [30, 100, 100, 100, 34]
        if default:
            assert [run(n) for n in (2, -1, 5)] == [36, 36, 36]
