"""Expressions → the text of closures.

`emit` returns Python text for the value of a node in the frame `f`; the text is an atom or stands in
parentheses. Control flow inside of an expression (`x ?? return`) raises `Leave`.
"""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir import types
from simple_jit.mir import abi
from simple_jit.mir.layout import element_layout, flatten, struct_layout, traced
from simple_jit.runtime.memory import unaligned_reader
from simple_jit.runtime.values import cells_access, field_access, is_flagged, is_plain, reader
from simple_jit.tiers.interpreter import arithmetic
from simple_jit.tiers.interpreter.compiler import FunctionCompiler
from simple_jit.tiers.interpreter.facts import SIMPLE
from simple_jit.tiers.interpreter.shapes import Shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from simple_jit.base.source import Span
    from simple_jit.tiers.interpreter.shapes import Closure

VIEW_NAMES: Final = {
    "i8": ("I8", 0), "i16": ("I16", 1), "i32": ("I32", 2), "i64": ("I64", 3),
    "u8": ("U8", 0), "u16": ("U16", 1), "u32": ("U32", 2), "u64": ("U64", 3),
    "f32": ("F32", 2), "f64": ("F64", 3), "bool": ("U8", 0), "ref": ("I64", 3),
}  # fmt: skip


def emit(c: FunctionCompiler, node: hir.Expr) -> str:
    """Return the text of `node` as part of the closure under construction."""
    handler = EMIT.get(type(node))
    return statement_value(c, node) if handler is None else handler(c, node)


def operand(c: FunctionCompiler, node: hir.Expr) -> str:
    """Return the text of a part of an expression: its own, or a call of a closure of its own."""
    size = c.facts[node].size
    if size <= c.limits.expression or (size <= c.limits.statement and type(node) in _CALLS):
        return emit(c, node)
    return f"{c.shape.bind(closure(c, node))}(f)"


def closure(c: FunctionCompiler, node: hir.Expr) -> Closure:
    """Return a closure that takes the frame and returns the value of `node`."""
    outer = c.begin_closure()
    made = c.shape.expression(emit(c, node))
    c.shape = outer
    return made


def operands(c: FunctionCompiler, nodes: list[hir.Expr]) -> list[str]:
    """Return the texts of parts that are evaluated one after the other before they are used.

    While a later part lets the collector run, a reference must not be on Python's value stack alone,
    where nobody can see it: it gets a name.
    """
    facts = [c.facts[node] for node in nodes]
    texts = [operand(c, node) for node in nodes]
    collects = assigns = False
    for at in range(len(nodes) - 1, -1, -1):
        node = nodes[at]
        if collects and (assigns or not isinstance(node, SIMPLE)) and any(traced(node.type)):
            texts[at] = f"({c.shape.temp()} := {texts[at]})"
        collects = collects or facts[at].collects
        assigns = assigns or facts[at].assigns
    return texts


def statement_value(c: FunctionCompiler, node: hir.Expr) -> str:
    """Return text that runs a statement in the place of a value; what leaves it raises."""
    from simple_jit.tiers.interpreter.statements import statement_closure

    made = statement_closure(c, node)
    if c.facts[node].escapes:
        shape = Shape()
        run = shape.bind(made)
        made = shape.statements([f"r = {run}(f)", "if r is not None: raise Leave(r)"])
    return f"{c.shape.bind(made)}(f)"


def _const(c: FunctionCompiler, node: hir.Const) -> str:
    return "None" if node.value is None else c.number(node.value)


def _nil(c: FunctionCompiler, node: hir.Nil) -> str:
    return "None" if is_flagged(node.type) else "0"


def _text_const(c: FunctionCompiler, node: hir.TextConst) -> str:
    return c.shape.bind(c.interpreter.heap.text_constant(node.value))


def _local_get(c: FunctionCompiler, node: hir.LocalGet) -> str:
    return c.local(node.local)


def _global_get(c: FunctionCompiler, node: hir.GlobalGet) -> str:
    address = c.interpreter.global_address(node.cell)
    if not is_plain(node.type):
        return f"{c.shape.bind(cells_access(node.type)[0])}({c.shape.bind(address)})"
    view, shift = view_of(node.type)
    return as_loaded(node.type, f"{view}[{c.shape.bind(address >> shift)}]")


def _unary(c: FunctionCompiler, node: hir.Unary) -> str:
    value = operand(c, node.operand)
    place = c.place(node.span) if node.checked else "None"
    return arithmetic.unary(c.shape, node, value, place)


def _binary(c: FunctionCompiler, node: hir.Binary) -> str:
    if arithmetic.is_ring_operation(node):
        lhs, rhs = exact(c, node.lhs), exact(c, node.rhs)
        return arithmetic.binary(c.shape, node, lhs, rhs, "None")
    lhs, rhs = operand(c, node.lhs), operand(c, node.rhs)
    fails = node.checked or node.op in ("div", "rem", "floordiv")
    return arithmetic.binary(c.shape, node, lhs, rhs, c.place(node.span) if fails else "None")


def exact(c: FunctionCompiler, node: hir.Expr, depth: int = 3) -> str:
    """Return the text of an integer that need not be wrapped, since what uses it wraps.

    `depth` bounds how long the exact integers may get.
    """
    inside = c.facts[node].size <= c.limits.expression
    if not depth or not inside or not arithmetic.is_ring_operation(node):
        return operand(c, node)
    assert isinstance(node, hir.Binary)
    lhs, rhs = exact(c, node.lhs, depth - 1), exact(c, node.rhs, depth - 1)
    return arithmetic.unwrapped(node, lhs, rhs)


def _compare(c: FunctionCompiler, node: hir.Compare) -> str:
    lhs, rhs = operands(c, [node.lhs, node.rhs])
    return arithmetic.comparison(node.op, lhs, rhs)


def _and(c: FunctionCompiler, node: hir.And) -> str:
    lhs = operand(c, node.lhs)
    return f"({lhs} and {operand(c, node.rhs)})"


def _or(c: FunctionCompiler, node: hir.Or) -> str:
    lhs = operand(c, node.lhs)
    return f"({lhs} or {operand(c, node.rhs)})"


def _block(c: FunctionCompiler, node: hir.Block) -> str:
    result = node.result
    if not node.stmts:
        return "None" if result is None else emit(c, result)
    parts = [operand(c, stmt) for stmt in node.stmts]
    parts.append("None" if result is None else operand(c, result))
    return f"({', '.join(parts)})[{len(node.stmts)}]"


def _if(c: FunctionCompiler, node: hir.If) -> str:
    cond = operand(c, node.cond)
    then = operand(c, node.then)
    orelse = "None" if node.orelse is None else operand(c, node.orelse)
    return f"({then} if {cond} else {orelse})"


def _switch(c: FunctionCompiler, node: hir.Switch) -> str:
    first, value = c.shape.named(operand(c, node.value))
    branches = [operand(c, branch) for branch in node.branches]
    otherwise = branches.pop() if node.default is None else operand(c, node.default)
    tests = [case_test(value, numbers) for numbers in node.numbers]
    parts = [f"{branch} if {test} else " for branch, test in zip(branches, tests, strict=False)]
    return f"({first}, {''.join(parts)}{otherwise})[1]"


def case_test(value: str, numbers: list[int]) -> str:
    """Return the text of a test for the numbers of one branch of a switch."""
    if len(numbers) == 1:
        return f"{value} == {numbers[0]}"
    return f"{value} in ({', '.join(map(str, numbers))})"


def _convert(c: FunctionCompiler, node: hir.Convert) -> str:
    value = operand(c, node.value)
    return arithmetic.conversion(c.shape, value, node.value.type, node.type)


def _call(c: FunctionCompiler, node: hir.Call) -> str:
    instance = c.interpreter.instance(node.callee)
    is_placed = node.callee.track_caller and not c.function.track_caller
    return _call_cell(c, instance, node, node.args, is_placed=is_placed)


def _call_cell(
    c: FunctionCompiler, cell: object, node: hir.Expr, args: list[hir.Expr], *, is_placed: bool
) -> str:
    """Return the text of a call of `cell`; with `is_placed`, errors without a place get that of the call."""
    name = c.bind_callee(placed(cell, len(args), node) if is_placed else cell, node.span)
    target = name if is_placed else f"{name}.call"
    return c.call(name, f"{target}({', '.join(operands(c, args))})")


def _call_extern(c: FunctionCompiler, node: hir.CallExtern) -> str:
    cell = c.interpreter.extern(node.extern)
    return _call_cell(c, cell, node, node.args, is_placed=not c.function.track_caller)


def placed(cell: object, arity: int, node: hir.Expr) -> Closure:
    """Return a function that calls `cell` and reports errors without a place at `node`."""
    shape = Shape()
    call, span = shape.bind(cell), shape.bind(node.span)
    args = ", ".join([f"a{i}" for i in range(arity)])
    return shape.function(
        arity,
        [
            f"try: return {call}.call({args})",
            "except SimpleError as e:",
            f" if e.site is None: e.site = site_of({span})",
            " raise",
        ],
    )


def _tuple_new(c: FunctionCompiler, node: hir.TupleNew) -> str:
    return f"({''.join([item + ', ' for item in operands(c, node.items)])})"


def _tuple_get(c: FunctionCompiler, node: hir.TupleGet) -> str:
    return f"{operand(c, node.value)}[{node.index}]"


def _some(c: FunctionCompiler, node: hir.Some) -> str:
    value = operand(c, node.value)
    return f"({value}, True)[1]" if node.value.type is types.UNIT else value


def _is_some(c: FunctionCompiler, node: hir.IsSome) -> str:
    nil = "is not None" if is_flagged(node.value.type) else "!= 0"
    return f"({operand(c, node.value)} {nil})"


def _unwrap(c: FunctionCompiler, node: hir.Unwrap) -> str:
    value = operand(c, node.value)
    if node.checked:
        first, t = c.shape.named(value)
        nil = "is not None" if is_flagged(node.value.type) else "!= 0"
        value = f"({t} if {first} {nil} else nil_error({c.place(node.span)}))"
    return f"({value}, None)[1]" if node.type is types.UNIT else value


def _new(c: FunctionCompiler, node: hir.New) -> str:
    make = c.shape.bind(c.interpreter.constructor(node.struct))
    args = operands(c, node.values)
    return f"{make}({', '.join([*args, c.place(node.span)])})"


def _array_new(c: FunctionCompiler, node: hir.ArrayNew) -> str:
    assert isinstance(node.type, types.ArrayType)
    make = c.shape.bind(c.interpreter.array_maker(node.type))
    if len(node.items) > 8 and all(type(item) is hir.Const for item in node.items):
        items = c.shape.bind([item.value for item in node.items])  # type: ignore[attr-defined]
    else:
        items = f"[{', '.join(operands(c, node.items))}]"
    return f"{make}({items}, {c.place(node.span)})"


def _array_len(c: FunctionCompiler, node: hir.ArrayLen) -> str:
    return f"I64[({operand(c, node.array)} + {abi.ARRAY_LEN}) >> 3]"


def _field_get(c: FunctionCompiler, node: hir.FieldGet) -> str:
    struct = node.object.type
    assert isinstance(struct, types.StructType)
    value = operand(c, node.object)
    if not is_plain(node.type):
        return f"{c.shape.bind(field_access(struct, node.index)[0])}({value})"
    return as_loaded(node.type, field_text(c, struct, node.index, value))


def field_text(c: FunctionCompiler, struct: types.StructType, index: int, value: str) -> str:
    """Return the text of the cell of a plain field."""
    layout, first = struct_layout(struct)
    view, shift = view_of(struct.fields[index].type)
    offset = layout.offsets[first[index]]
    at = f"{value} + {c.number(offset)}"
    return f"{view}[({at}) >> {shift}]" if shift else f"{view}[{at}]"


def _array_get(c: FunctionCompiler, node: hir.ArrayGet) -> str:
    elem = node.type
    index, data = checked_index(c, node.array, node.index, node.span)
    if is_plain(elem):
        return as_loaded(elem, element_cell(elem, index, data))
    return composite_element(c, elem, index, data)


def checked_index(c: FunctionCompiler, array: hir.Expr, index: hir.Expr, span: Span) -> tuple[str, str]:
    """Return the texts of an index that is in range, and of where the data starts.

    The second is the address, or (of an array of plain elements) its index in their view; it is valid once
    the first has been evaluated.
    """
    fixed = c.shape.fixed.get(array.local) if isinstance(array, hir.LocalGet) else None
    text = operand(c, array)
    first, name = c.shape.named(exact(c, index))
    if fixed is not None:
        slow = f"element({name}, {text} >> 3, {c.place(span)})"
        return f"({name} if 0 <= {first} < {fixed[0]} else {slow})", fixed[1]
    t = c.shape.temp()
    if not c.facts[index].resizes:
        inside = f"I64[({t} := {text} >> 3) + 1] > {first} >= 0"
    else:
        inside = f"({t} := {text} >> 3) and 0 <= {first} < I64[{t} + 1]"
    assert isinstance(array.type, types.ArrayType)
    data = data_index(array.type.elem, f"I64[{t} + 3]")
    return f"({name} if {inside} else element({name}, {t}, {c.place(span)}))", data


def data_index(elem: types.Type, data: str) -> str:
    """Return the text of where data starts: an index in the view of plain elements, else the address."""
    shift = view_of(elem)[1] if is_plain(elem) else 0
    return f"({data} >> {shift})" if shift else data


def composite_element(c: FunctionCompiler, elem: types.Type, index: str, data: str) -> str:
    """Return the text that loads an element of several components, or of none."""
    if not flatten(elem):
        return f"({index}, None)[1]"
    read, stride = c.shape.bind(reader(elem)), element_layout(elem).size
    return f"{read}({index} * {stride} + {data})"


def element_cell(elem: types.Type, index: str, data: str) -> str:
    """Return the text of the cell of a plain element; `index` is evaluated first."""
    return f"{view_of(elem)[0]}[{index} + {data}]"


def view_of(type: types.Type) -> tuple[str, int]:
    """Return the name of the view of a plain type, and by how much addresses are shifted for it."""
    return VIEW_NAMES[flatten(type)[0].name]


def as_loaded(type: types.Type, cell: str) -> str:
    """Return the text of the value in a cell."""
    return f"({cell} != 0)" if type is types.BOOL else cell


def _throw(c: FunctionCompiler, node: hir.Throw) -> str:
    read, kind = c.shape.bind(c.interpreter.heap.read_text), c.shape.bind(node.kind)
    return f"fail({kind}, {read}({operand(c, node.message)}), {c.place(node.span)})"


# --- Intrinsics -----------------------------------------------------------------------------------


def _intrinsic(c: FunctionCompiler, node: hir.Intrinsic) -> str:
    constant = _INTRINSIC_CONSTANTS.get(node.op)
    if constant is not None:
        assert node.type_arg is not None
        return c.shape.bind(constant(c, node.type_arg))
    if node.op in _INTRINSIC_STATEMENTS:
        return statement_value(c, node)
    if node.op == "ctx_load":
        return f"I64[{c.shape.bind(context_cell(c, node))}]"
    if node.op == "load":
        return _load(c, node, exact(c, node.args[0]))
    args = operands(c, node.args)
    handler = _INTRINSICS.get(node.op)
    if handler is not None:
        return handler(c, node, args)
    if node.op == "alloc":
        return f"{c.shape.bind(c.interpreter.allocate)}({', '.join([*args, c.place(node.span)])})"
    return f"{_INTRINSIC_FUNCTIONS[node.op]}({', '.join(args)})"


def context_cell(c: FunctionCompiler, node: hir.Intrinsic) -> int:
    """Return the index in `I64` of the cell that `ctx_load` and `ctx_store` name."""
    offset = node.args[0]
    assert isinstance(offset, hir.Const)
    assert isinstance(offset.value, int)
    return (c.interpreter.context.address + offset.value) >> 3


def _load(c: FunctionCompiler, node: hir.Intrinsic, address: str) -> str:
    if not flatten(node.type):
        return f"({address}, None)[1]"
    if not is_plain(node.type):
        return f"{c.shape.bind(reader(node.type))}({address})"
    view, shift = view_of(node.type)
    if not shift:
        return as_loaded(node.type, f"{view}[{address}]")
    # A computed address may lie anywhere, but a view has aligned items only.
    anywhere = c.shape.bind(unaligned_reader(flatten(node.type)[0].name))
    aligned = f"{view}[_at >> {shift}]"
    mask = (1 << shift) - 1
    return as_loaded(node.type, f"({anywhere}(_at) if (_at := {address}) & {mask} else {aligned})")


def _array_load(c: FunctionCompiler, node: hir.Intrinsic, args: list[str]) -> str:
    (first, t), (second, _) = c.shape.named(args[0]), c.shape.named(args[1])
    index = second if first == t else f"({first}, {second})[1]"
    data = data_index(node.type, f"I64[({t} + {abi.ARRAY_DATA}) >> 3]")
    if is_plain(node.type):
        return as_loaded(node.type, element_cell(node.type, index, data))
    return composite_element(c, node.type, index, data)


def _array_cell(offset: int) -> Callable[[FunctionCompiler, hir.Intrinsic, list[str]], str]:
    return lambda c, node, args: f"I64[({args[0]} + {offset}) >> 3]"


def _float_function(name: str) -> Callable[[FunctionCompiler, hir.Intrinsic, list[str]], str]:
    def text(c: FunctionCompiler, node: hir.Intrinsic, args: list[str]) -> str:
        value = f"{name}({args[0]})"
        return value if node.type is types.F64 else f"r32({value})"

    return text


def _square_root(c: FunctionCompiler, node: hir.Intrinsic, args: list[str]) -> str:
    first, t = c.shape.named(args[0])
    value = f"(sqrt({t}) if {first} >= 0.0 else fsqrt({t}))"
    return value if node.type is types.F64 else f"r32{value}"


def _unsigned(node: hir.Intrinsic, arg: str) -> tuple[str, int]:
    type = node.args[0].type
    assert isinstance(type, types.IntType)
    return (f"({arg} & {(1 << type.bits) - 1:#x})" if type.signed else arg), type.bits


def _popcount(c: FunctionCompiler, node: hir.Intrinsic, args: list[str]) -> str:
    return f"{_unsigned(node, args[0])[0]}.bit_count()"


def _leading_zeros(c: FunctionCompiler, node: hir.Intrinsic, args: list[str]) -> str:
    value, bits = _unsigned(node, args[0])
    return f"({bits} - {value}.bit_length())"


def _trailing_zeros(c: FunctionCompiler, node: hir.Intrinsic, args: list[str]) -> str:
    value, bits = _unsigned(node, args[0])
    return f"trailing_zeros({value}, {bits})"


_INTRINSIC_CONSTANTS: Final[dict[str, Callable[[FunctionCompiler, types.Type], int]]] = {
    "stride": lambda c, type: element_layout(type).size,
    "type_id": lambda c, type: c.interpreter.context.types.of(type),
}
_INTRINSIC_STATEMENTS: Final = frozenset(
    {"store", "array_set_len", "array_set_data", "array_store", "ctx_store"}
)
_INTRINSIC_FUNCTIONS: Final = {
    "mem_copy": "copy_bytes",
    "mem_fill": "fill_bytes",
    "mem_compare": "compare_bytes",
    "bits": "float_bits",
    "from_bits": "float_from_bits",
}
_INTRINSICS: Final[dict[str, Callable[[FunctionCompiler, hir.Intrinsic, list[str]], str]]] = {
    "array_load": _array_load,
    "address": lambda c, node, args: args[0],
    "reference": lambda c, node, args: args[0],
    "array_capacity": _array_cell(abi.ARRAY_CAPACITY),
    "array_data": _array_cell(abi.ARRAY_DATA),
    "sqrt": _square_root,
    "floor": _float_function("ffloor"),
    "ceil": _float_function("fceil"),
    "trunc": _float_function("ftrunc"),
    "abs": _float_function("abs"),
    "popcount": _popcount,
    "leading_zeros": _leading_zeros,
    "trailing_zeros": _trailing_zeros,
}
"""With `_INTRINSIC_…` above, all of `hir.intrinsics.TABLE` but `alloc`, `load` and `ctx_load`."""

_CALLS: Final = frozenset({hir.Call, hir.CallExtern, hir.ArrayNew, hir.New})
"""What costs a call in any case, so that one more closure around it gains little."""

EMIT: Final[dict[type[hir.Expr], Callable[..., str]]] = {
    hir.Const: _const,
    hir.Nil: _nil,
    hir.TextConst: _text_const,
    hir.LocalGet: _local_get,
    hir.GlobalGet: _global_get,
    hir.Unary: _unary,
    hir.Binary: _binary,
    hir.Compare: _compare,
    hir.And: _and,
    hir.Or: _or,
    hir.Block: _block,
    hir.If: _if,
    hir.Switch: _switch,
    hir.Convert: _convert,
    hir.Call: _call,
    hir.CallExtern: _call_extern,
    hir.TupleNew: _tuple_new,
    hir.TupleGet: _tuple_get,
    hir.Some: _some,
    hir.IsSome: _is_some,
    hir.Unwrap: _unwrap,
    hir.New: _new,
    hir.ArrayNew: _array_new,
    hir.ArrayLen: _array_len,
    hir.FieldGet: _field_get,
    hir.ArrayGet: _array_get,
    hir.Intrinsic: _intrinsic,
    hir.Throw: _throw,
}
"""What makes the text of each node that has a value; `tagged` adds to it."""
