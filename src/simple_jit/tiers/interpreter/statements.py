"""Statements → the lines of closures.

A statement closure takes the frame and returns None, or the signal by which it is left. The value of a
block or a branch goes where `Into` says, so that `val x = if c: 1 else: return` needs no more than the
two branches.
"""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir import types
from simple_jit.mir import abi
from simple_jit.mir.layout import element_layout, flatten
from simple_jit.runtime.memory import unaligned_writer
from simple_jit.runtime.values import cells_access, field_access, is_plain, writer
from simple_jit.tiers.interpreter.compiler import FunctionCompiler
from simple_jit.tiers.interpreter.expressions import (
    case_test,
    checked_index,
    context_cell,
    data_index,
    element_cell,
    emit,
    exact,
    field_text,
    operand,
    operands,
    view_of,
)
from simple_jit.tiers.interpreter.facts import SIMPLE, fixed_arrays, is_quiet
from simple_jit.tiers.interpreter.hooks import LoopSite
from simple_jit.tiers.interpreter.shapes import renamed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, Literal, TypeAlias

    from simple_jit.tiers.interpreter.hooks import Escape
    from simple_jit.tiers.interpreter.shapes import Closure

Into: TypeAlias = "hir.Local | Literal['return'] | None"
"""Where a value goes: into a local, out of the function, nowhere."""

_STRUCTURED: Final = (hir.Block, hir.If, hir.Switch, hir.Loop, hir.ForRange)


def activation(c: FunctionCompiler, body: hir.Expr) -> Closure:
    """Return the function that runs an instance: arguments → value.

    Raises:
        NotFlat: it was to be flat and cannot be.
    """
    arity = c.function.param_count
    lines = inline(c, body, "return")
    if c.flat:
        c.places.lines = _no_values(c) + lines
        made = c.shape.flat_function(arity, c.places.lines)
    else:
        made = c.shape.function(arity, [f"f = [{', '.join(_new_frame(c, body))}]", *lines])
    return renamed(made, c.function.symbol)


def _new_frame(c: FunctionCompiler, body: hir.Expr) -> list[str]:
    """Return the cells of a frame: arguments, locals without a value, the value returned by a signal."""
    arity = c.function.param_count
    cells = [f"a{i}" for i in range(arity)] + ["None"] * (len(c.function.locals) - arity)
    return [*cells, "None"] if (None, "return") in c.facts[body].escapes else cells


def _no_values(c: FunctionCompiler) -> list[str]:
    """Return lines that give locals a value, where a hot loop may ask for all of them."""
    names = [f"x{i}" for i in range(c.function.param_count, len(c.function.locals))]
    if c.interpreter.hooks.loop_threshold is None or not names:
        return []
    return [" = ".join([*names, "None"])]


def _enter_frame(c: FunctionCompiler) -> list[str]:
    """Return lines that make the frame `f` of a flat function."""
    names = [f"x{i}" for i in range(len(c.function.locals))]
    return [f"f = [{', '.join([*names, 'None'])}]"] if c.flat else []


def _leave_frame(c: FunctionCompiler) -> list[str]:
    names = [f"x{i}" for i in range(len(c.function.locals))]
    return [f"{', '.join([*names, '_'])} = f"] if c.flat else []


def statement_closure(c: FunctionCompiler, node: hir.Expr, into: Into = None) -> Closure:
    """Return a closure that takes the frame and returns None or a signal."""
    outer = c.begin_closure()
    made = c.shape.statements(inline(c, node, into) or ["pass"])
    c.shape = outer
    return made


def place(c: FunctionCompiler, node: hir.Expr, into: Into) -> list[str]:
    """Return lines for `node` inside of a larger statement: its own, or a call of its own closure."""
    facts = c.facts[node]
    fits = facts.size <= c.limits.statement
    if isinstance(node, (hir.Loop, hir.ForRange)):
        fits = fits and all(target is None for target, _ in facts.escapes)
    if fits:
        return inline(c, node, into)
    if into == "return" and c.shape.tail and not _leaves_loop(facts.escapes):
        return [f"return {c.shape.bind(_tail_closure(c, node))}(f)"]
    escapes = facts.escapes | {(None, "return")} if into == "return" else facts.escapes
    return _run(c, f"{c.shape.bind(statement_closure(c, node, into))}(f)", escapes)


def _value(c: FunctionCompiler, node: hir.Expr, into: Into) -> list[str]:
    """Return lines for the value of a statement."""
    return place(c, node, into) if isinstance(node, _STRUCTURED) else inline(c, node, into)


def _leaves_loop(escapes: frozenset[Escape]) -> bool:
    return any(target is not None for target, _ in escapes)


def _tail_closure(c: FunctionCompiler, node: hir.Expr) -> Closure:
    outer = c.begin_closure()
    c.shape.tail = True
    made = c.shape.statements(inline(c, node, "return"))
    c.shape = outer
    return made


def _run(c: FunctionCompiler, call: str, escapes: frozenset[Escape]) -> list[str]:
    """Return lines that run a statement closure and pass on the signals it may return."""
    if not escapes:
        return [call]
    signal = c.shape.temp()
    return [f"{signal} = {call}", *_pass_on(c, signal, escapes)]


def _pass_on(c: FunctionCompiler, signal: str, escapes: frozenset[Escape]) -> list[str]:
    """Return lines that do what `signal` says, unless it is None."""
    lines = [f"if {signal} is not None:"]
    for target, kind in sorted(escapes, key=_escape_order):
        if target is not None and c.shape.loop is target:
            name = c.shape.bind(c.signal((target, kind)))
            action = ["break"] if kind == "break" else c.shape.on_continue()
            lines += [f" if {signal} is {name}:", *_indent(_indent(action))]
    return [*lines, " return f[-1]" if c.shape.tail else f" return {signal}"]


def _escape_order(escape: Escape) -> tuple[int, str]:
    return (escape[0].index if escape[0] else -1), escape[1]


def inline(c: FunctionCompiler, node: hir.Expr, into: Into) -> list[str]:
    """Return the lines of `node` as part of the closure under construction."""
    handler = _LINES.get(type(node))
    if handler is not None:
        lines: list[str] = handler(c, node, into)
        return lines
    assign = _ASSIGNMENTS.get(type(node))
    if assign is None and isinstance(node, hir.Intrinsic):
        assign = _INTRINSIC_ASSIGNMENTS.get(node.op)

    def plain() -> list[str]:
        if assign is None:
            return _give(c, emit(c, node), into)
        return [*assign(c, node), *_give_unit(c, into)]

    return _guarded(c, node, plain, into) if c.facts[node].escapes else plain()


def _guarded(c: FunctionCompiler, node: hir.Expr, lines: Callable[[], list[str]], into: Into) -> list[str]:
    """Return lines for a statement with control flow inside of its expressions.

    It gets a closure, which turns what they raise into the signal it returns.
    """
    outer = c.begin_closure()
    body = ["try:", *_indent(lines()), "except Leave as e: return e.signal"]
    made = c.shape.statements(body)
    c.shape = outer
    escapes = c.facts[node].escapes
    if into == "return":
        escapes = escapes | {(None, "return")}
    return _run(c, f"{c.shape.bind(made)}(f)", escapes)


def _give(c: FunctionCompiler, value: str, into: Into) -> list[str]:
    """Return lines that put `value` where it goes."""
    if into is None:
        return [value]
    if isinstance(into, hir.Local):
        return [f"{c.local(into)} = {value}"]
    return [f"return {value}"] if c.shape.tail else [f"f[-1] = {value}", "return RETURN"]


def _give_unit(c: FunctionCompiler, into: Into) -> list[str]:
    return [] if into is None else _give(c, "None", into)


def _indent(lines: list[str]) -> list[str]:
    return [" " + line for line in lines] or [" pass"]


# --- Control flow ---------------------------------------------------------------------------------


def _block(c: FunctionCompiler, node: hir.Block, into: Into) -> list[str]:
    lines = [line for stmt in node.stmts for line in c.marked(place(c, stmt, None), stmt.span)]
    if node.result is not None:
        return lines + _value(c, node.result, into)
    return lines if node.type is types.NEVER else lines + _give_unit(c, into)


def _if(c: FunctionCompiler, node: hir.If, into: Into) -> list[str]:
    if c.facts[node.cond].escapes:
        return _guarded(c, node, lambda: _branches(c, node, into), into)
    return _branches(c, node, into)


def _branches(c: FunctionCompiler, node: hir.If, into: Into) -> list[str]:
    lines = [f"if {operand(c, node.cond)}:", *_indent(place(c, node.then, into))]
    if node.orelse is not None:
        orelse = place(c, node.orelse, into)
    else:
        orelse = _give_unit(c, into)
    if not orelse:
        return lines
    if node.then.type is types.NEVER or into == "return":
        return lines + orelse
    return [*lines, "else:", *_indent(orelse)]


def _switch(c: FunctionCompiler, node: hir.Switch, into: Into) -> list[str]:
    if c.facts[node.value].escapes:
        return _guarded(c, node, lambda: _cases(c, node, into), into)
    return _cases(c, node, into)


def _cases(c: FunctionCompiler, node: hir.Switch, into: Into) -> list[str]:
    value = c.shape.temp()
    lines = [f"{value} = {operand(c, node.value)}"]
    branches = list(zip(node.numbers, node.branches, strict=True))
    otherwise = branches.pop()[1] if node.default is None else node.default
    word = "if"
    for numbers, branch in branches:
        lines += [f"{word} {case_test(value, numbers)}:", *_indent(place(c, branch, into))]
        word = "elif"
    rest = place(c, otherwise, into)
    return [*lines, "else:", *_indent(rest)] if branches else lines + rest


def _local_set(c: FunctionCompiler, node: hir.LocalSet, into: Into) -> list[str]:
    return [*_value(c, node.value, node.local), *_give_unit(c, into)]


def _return(c: FunctionCompiler, node: hir.Return, into: Into) -> list[str]:
    return _give(c, "None", "return") if node.value is None else _value(c, node.value, "return")


def _break(c: FunctionCompiler, node: hir.Break, into: Into) -> list[str]:
    if c.shape.loop is node.target:
        return ["break"]
    return [f"return {c.shape.bind(c.signal((node.target, 'break')))}"]


def _continue(c: FunctionCompiler, node: hir.Continue, into: Into) -> list[str]:
    if c.shape.loop is node.target:
        return c.shape.on_continue()
    return [f"return {c.shape.bind(c.signal((node.target, 'continue')))}"]


# --- Loops ----------------------------------------------------------------------------------------


class _LoopBody:
    """Makes a loop the innermost one while its body is compiled.

    `head` are lines to stand before the loop.
    """

    __slots__ = ("_compiler", "_saved", "head")

    def __init__(
        self,
        c: FunctionCompiler,
        node: hir.Loop | hir.ForRange,
        on_continue: Callable[[], list[str]],
    ) -> None:
        shape = c.shape
        self._compiler = c
        self._saved = shape.loop, shape.on_continue, shape.fixed
        shape.loop, shape.on_continue = node.target, on_continue
        self.head = _fix_arrays(c, node)

    def end(self) -> None:
        c = self._compiler
        shape = c.shape
        shape.loop, shape.on_continue, shape.fixed = self._saved


def _fix_arrays(c: FunctionCompiler, node: hir.Loop | hir.ForRange) -> list[str]:
    """Return lines that look up, once for all rounds of a loop, the arrays that stay as they are."""
    head: list[str] = []
    fixed = dict(c.shape.fixed)
    for local in fixed_arrays(node, c.facts):
        assert isinstance(local.type, types.ArrayType)
        if local in fixed or not is_plain(local.type.elem):
            continue
        at, length, data = (c.shape.temp() for _ in range(3))
        head += [
            f"{at} = {c.local(local)} >> 3",
            f"{length} = I64[{at} + 1]",
            f"{data} = {data_index(local.type.elem, f'I64[{at} + 3]')}",
        ]
        fixed[local] = length, data
    c.shape.fixed = fixed
    return head


def _loop(c: FunctionCompiler, node: hir.Loop, into: Into) -> list[str]:
    if node.cond is not None and c.facts[node.cond].escapes:
        return _guarded(c, node, lambda: _loop_lines(c, node), None) + _give_unit(c, into)
    lines = _loop_lines(c, node)
    return lines if node.type is types.NEVER else lines + _give_unit(c, into)


def _loop_lines(c: FunctionCompiler, node: hir.Loop) -> list[str]:
    site = _site(c, node)

    def step() -> list[str]:
        return [] if node.step is None else place(c, node.step, None)

    inside = _LoopBody(c, node, lambda: [*step(), "continue"])
    cond = "True" if node.cond is None else emit(c, node.cond)
    lines = _indent(place(c, node.body, None) + step())
    inside.end()
    if site is None:
        return [*inside.head, f"while {cond}:", *lines]
    left = c.shape.temp()
    return [
        *inside.head,
        f"{left} = {site}.left",
        "while True:",
        f" while ({left} := {left} - 1) >= 0 and {cond}:",
        *_indent(lines),
        " else:",
        f"  if {left} < 0:",
        *_indent(_indent(_indent(_hand_over(c, node, site, "None", f"{left} = {site}.left")))),
        "   break",
        f"  {site}.left = {left}",
        " break",
    ]


def _hand_over(
    c: FunctionCompiler, node: hir.Loop | hir.ForRange, site: str, state: str, refused: str
) -> list[str]:
    """Return lines that run the rest of a loop by its handler; without one, interpret on."""
    handler, signal = c.shape.temp(), c.shape.temp()
    escapes = c.facts[node].escapes
    return [
        *_enter_frame(c),
        f"{handler} = {site}.heat(f)",
        f"if {handler} is None:",
        f" {refused}",
        " continue",
        f"{signal} = {handler}(f, {state})",
        *_leave_frame(c),
        *(_pass_on(c, signal, escapes) if escapes else []),
    ]


def _site(c: FunctionCompiler, node: hir.Loop | hir.ForRange) -> str | None:
    """Return the name of a loop's site; None where loops are not counted."""
    hooks = c.interpreter.hooks
    if hooks.loop_threshold is None:
        return None
    signals = {escape: c.signal(escape) for escape in c.facts[node].escapes}
    return c.shape.bind(LoopSite(hooks, hooks.loop_threshold, c.function, node, signals))


def _for_range(c: FunctionCompiler, node: hir.ForRange, into: Into) -> list[str]:
    bounds = (node.start, node.stop, node.step)
    if any(c.facts[bound].escapes for bound in bounds):
        return _guarded(c, node, lambda: _range_lines(c, node), None) + _give_unit(c, into)
    return _range_lines(c, node) + _give_unit(c, into)


def _range_lines(c: FunctionCompiler, node: hir.ForRange) -> list[str]:
    site = _site(c, node)
    start, stop, step = [operand(c, bound) for bound in (node.start, node.stop, node.step)]
    variable = c.local(node.var)
    inside = _LoopBody(c, node, lambda: ["continue"])
    lines = _indent(place(c, node.body, None))
    inside.end()
    constant = node.step.value if isinstance(node.step, hir.Const) else None
    if site is None and constant is not None:
        return [*inside.head, f"for {variable} in {_range(node, start, stop, step)}:", *lines]
    a, b, s = (c.shape.temp() for _ in range(3))
    head = [*inside.head, f"{a} = {start}", f"{b} = {stop}", f"{s} = {step}"]
    rounds = _range(node, a, b, s)
    if site is None:
        return [*head, f"for {variable} in {rounds}:", *lines]
    rest, part = c.shape.temp(), c.shape.temp()
    state = f"({rest}[0], {b}, {s})"
    return [
        *head,
        f"{rest} = {rounds}",
        "while True:",
        f" {part} = {site}.take({rest})",
        f" for {variable} in {part}:",
        *_indent(lines),
        " else:",
        f"  if {part} is not {rest}:",
        f"   {rest} = {rest}[len({part}):]",
        f"   if {rest}:",
        *_indent(_indent(_indent(_indent(_hand_over(c, node, site, state, "pass"))))),
        " break",
    ]


def _range(node: hir.ForRange, start: str, stop: str, step: str) -> str:
    """Return the text of the Python range of a loop."""
    if node.inclusive:
        if isinstance(node.step, hir.Const):
            stop += " + 1" if (node.step.value or 0) > 0 else " - 1"
        else:
            stop += f" + (1 if {step} > 0 else -1)"
    return f"range({start}, {stop}, {step})"


# --- Assignments ----------------------------------------------------------------------------------


def _global_set(c: FunctionCompiler, node: hir.GlobalSet) -> list[str]:
    value = operand(c, node.value)
    type = node.cell.type
    address = c.interpreter.global_address(node.cell)
    if not is_plain(type):
        return [f"{c.shape.bind(cells_access(type)[1])}({c.shape.bind(address)}, {value})"]
    view, shift = view_of(type)
    return [f"{view}[{c.shape.bind(address >> shift)}] = {value}"]


def _field_set(c: FunctionCompiler, node: hir.FieldSet) -> list[str]:
    struct = node.object.type
    assert isinstance(struct, types.StructType)
    type = struct.fields[node.index].type
    if not is_plain(type):
        write = c.shape.bind(field_access(struct, node.index)[1])
        return [f"{write}({', '.join(operands(c, [node.object, node.value]))})"]
    lines, (target,) = _in_order(c, [node.object], node.value)
    return [*lines, f"{field_text(c, struct, node.index, target)} = {operand(c, node.value)}"]


def _in_order(c: FunctionCompiler, targets: list[hir.Expr], value: hir.Expr) -> tuple[list[str], list[str]]:
    """Return lines and texts by which `targets` are evaluated before `value`.

    Python evaluates the right side of an assignment first, which shows unless the targets read nothing
    but locals and the value changes nothing.
    """
    if all(isinstance(node, SIMPLE) for node in targets) and not c.facts[value].assigns:
        return [], [operand(c, node) for node in targets]
    lines, names = [], []
    for node in targets:
        name = c.shape.temp()
        lines.append(f"{name} = {operand(c, node)}")
        names.append(name)
    return lines, names


def _array_set(c: FunctionCompiler, node: hir.ArraySet) -> list[str]:
    assert isinstance(node.array.type, types.ArrayType)
    elem = node.array.type.elem
    if is_plain(elem) and isinstance(node.array, SIMPLE) and is_quiet(node.index):
        if not c.facts[node.value].assigns and not c.facts[node.value].resizes:
            cell = element_cell(elem, *checked_index(c, node.array, node.index, node.span))
            return [f"{cell} = {operand(c, node.value)}"]
    array, index, value = (c.shape.temp() for _ in range(3))
    lines = [f"{array} = {operand(c, node.array)} >> 3", f"{index} = {exact(c, node.index)}"]
    text = operand(c, node.value)
    if not isinstance(node.value, SIMPLE):
        lines.append(f"{value} = {text}")
        text = value
    lines.append(
        f"if not 0 <= {index} < I64[{array} + 1]: {index} = element({index}, {array}, {c.place(node.span)})"
    )
    return lines + _store_element(c, elem, f"I64[{array} + 3]", index, text)


def _store_element(c: FunctionCompiler, elem: types.Type, data: str, index: str, value: str) -> list[str]:
    if not flatten(elem):
        return [value]
    if is_plain(elem):
        return [f"{element_cell(elem, index, data_index(elem, data))} = {value}"]
    stride = element_layout(elem).size
    return [f"{c.shape.bind(writer(elem))}({index} * {stride} + {data}, {value})"]


def _store(c: FunctionCompiler, node: hir.Intrinsic) -> list[str]:
    address, value = node.args
    if not is_plain(value.type):
        write = c.shape.bind(writer(value.type))
        return [f"{write}({', '.join(operands(c, node.args))})"]
    view, shift = view_of(value.type)
    lines, (target,) = _in_order(c, [address], value)
    if not shift:
        return [*lines, f"{view}[{target}] = {operand(c, value)}"]
    anywhere = c.shape.bind(unaligned_writer(flatten(value.type)[0].name))
    return [
        *lines,
        f"_to = {target}",
        f"_value = {operand(c, value)}",
        f"if _to & {(1 << shift) - 1}: {anywhere}(_to, _value)",
        f"else: {view}[_to >> {shift}] = _value",
    ]


def _array_store(c: FunctionCompiler, node: hir.Intrinsic) -> list[str]:
    array = node.args[0]
    assert isinstance(array.type, types.ArrayType)
    names = [c.shape.temp() for _ in range(3)]
    lines = [f"{n} = {operand(c, arg)}" for n, arg in zip(names, node.args, strict=True)]
    data = f"I64[({names[0]} + {abi.ARRAY_DATA}) >> 3]"
    return lines + _store_element(c, array.type.elem, data, names[1], names[2])


def _array_set_len(c: FunctionCompiler, node: hir.Intrinsic) -> list[str]:
    lines, (array,) = _in_order(c, node.args[:1], node.args[1])
    return [*lines, f"I64[({array} + {abi.ARRAY_LEN}) >> 3] = {operand(c, node.args[1])}"]


def _array_set_data(c: FunctionCompiler, node: hir.Intrinsic) -> list[str]:
    names = [c.shape.temp() for _ in range(3)]
    lines = [f"{n} = {operand(c, arg)}" for n, arg in zip(names, node.args, strict=True)]
    return [
        *lines,
        f"I64[({names[0]} + {abi.ARRAY_DATA}) >> 3] = {names[1]}",
        f"I64[({names[0]} + {abi.ARRAY_CAPACITY}) >> 3] = {names[2]}",
    ]


def _context_store(c: FunctionCompiler, node: hir.Intrinsic) -> list[str]:
    cell = c.shape.bind(context_cell(c, node))
    return [f"I64[{cell}] = {operand(c, node.args[1])}"]


_LINES: Final[dict[type[hir.Expr], Callable[..., list[str]]]] = {
    hir.Block: _block,
    hir.If: _if,
    hir.Switch: _switch,
    hir.Loop: _loop,
    hir.ForRange: _for_range,
    hir.LocalSet: _local_set,
    hir.Return: _return,
    hir.Break: _break,
    hir.Continue: _continue,
}
_ASSIGNMENTS: Final[dict[type[hir.Expr], Callable[..., list[str]]]] = {
    hir.GlobalSet: _global_set,
    hir.FieldSet: _field_set,
    hir.ArraySet: _array_set,
}
_INTRINSIC_ASSIGNMENTS: Final[dict[str, Callable[..., list[str]]]] = {
    "store": _store,
    "array_store": _array_store,
    "array_set_len": _array_set_len,
    "array_set_data": _array_set_data,
    "ctx_store": _context_store,
}
