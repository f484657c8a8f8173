"""What every MIR function must satisfy, from its building to the back ends.

* A local's or block's `index` is its place in the function's list; each operand belongs to the function.
* Operands and results have the types that the instruction asks for, `return` those of the function.
* Each block ends in a terminator; its targets belong to the function, and none is the entry.
* On every path, each local is assigned before it is read.

A violation is a bug of the compiler, not of the program being compiled.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.mir.abi import ERROR_NUMBER
from simple_jit.mir.nodes import BOOL, I64, PTR, REF, Block, Function, Local, MirType
from simple_jit.mir.visit import (
    DEFS,
    SUCCESSORS,
    TERMINATOR_USES,
    USES,
    predecessors,
    reverse_postorder,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final


class MirError(Exception):
    """A function that breaks a rule: the message names it, the culprit, and has the function's dump.

    `problem` is what is wrong, `culprit` the instruction or terminator (None: the function as a whole).
    """

    def __init__(
        self, message: str, problem: str, culprit: mir.Instruction | mir.Terminator | None = None
    ) -> None:
        super().__init__(message)
        self.problem = problem
        self.culprit = culprit


def verify(function: Function, after: str = "") -> None:
    """Check a function against every rule; `after` names the stage or pass that made it.

    Raises:
        MirError: a rule is broken.
    """
    _verify_lists(function, after)
    count = len(function.locals)
    locals = function.locals
    for block in function.blocks:
        for i in block.instructions:
            check = _RULES.get(type(i))
            if check is None:
                raise _error(function, after, block, i, "is not an instruction")
            for local in USES[type(i)](i) + DEFS[type(i)](i):
                if local.index >= count or locals[local.index] is not local:
                    raise _error(function, after, block, i, f"%{local.index} is not a local of it")
            broken = check(i)
            if broken:
                raise _error(function, after, block, i, broken)
        broken = _terminator_problem(function, block)
        if broken:
            raise _error(function, after, block, block.terminator, broken)
    _verify_assignment(function, after)


def _verify_lists(function: Function, after: str) -> None:
    if not function.blocks:
        raise _function_error(function, after, "there are no blocks")
    if function.param_count > len(function.locals):
        raise _function_error(function, after, "more parameters than locals")
    for number, local in enumerate(function.locals):
        if local.index != number:
            raise _function_error(function, after, f"local {number} has the index {local.index}")
    for number, block in enumerate(function.blocks):
        if block.index != number:
            raise _function_error(function, after, f"block {number} has the index {block.index}")


def _function_error(function: Function, after: str, problem: str) -> MirError:
    return MirError(f"{function.symbol}{_stage(after)}: {problem}", problem)


def _stage(after: str) -> str:
    return f" (after {after})" if after else ""


def _error(function: Function, after: str, block: Block, culprit: Any, problem: str) -> MirError:
    from simple_jit.mir.text import dump, dump_instruction

    try:
        shown = "its terminator"
        if type(culprit) in USES:
            shown = f"`{dump_instruction(function, culprit)}`"
        text = dump(function)
    except Exception as error:
        shown, text = type(culprit).__name__, f"(cannot be dumped: {error!r})"
    message = f"{function.symbol}{_stage(after)}, b{block.index}, {shown}: {problem}\n{text}"
    return MirError(message, problem, culprit)


# --- Types ----------------------------------------------------------------------------------------
# A rule returns what is wrong with an instruction, or "".

_ADDRESSES: Final = (I64, REF, PTR)


def _const(i: mir.Const) -> str:
    type = i.dst.type
    kind = type.kind
    value = i.value
    if kind == "float":
        return "" if isinstance(value, (int, float)) else "the value is no float"
    if kind == "bool":
        return "" if value in (0, 1) else "the value is no bool"
    if not isinstance(value, int):
        return f"the value is no {type}"
    low, high = integer_range(type)
    return "" if low <= value <= high else f"{value} is out of the range of {type}"


def integer_range(type: MirType) -> tuple[int, int]:
    """Return the least and the greatest value of an integer or address type."""
    bits = 8 * type.size
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if type.signed else (0, (1 << bits) - 1)


def _is(wanted: MirType) -> Callable[[Any], str]:
    return lambda i: "" if i.dst.type is wanted else f"the result is no {wanted}"


def _copy(i: mir.Copy) -> str:
    a, b = i.dst.type, i.src.type
    return "" if a is b or (a in _ADDRESSES and b in _ADDRESSES) else f"{b} copied to {a}"


_UNARY_KINDS: Final[dict[str, tuple[str, ...]]] = {
    "neg": ("int", "float"),
    "not": ("int", "bool"),
    **dict.fromkeys(("sqrt", "floor", "ceil", "trunc", "abs"), ("float",)),
    **dict.fromkeys(("popcount", "leading_zeros", "trailing_zeros"), ("int",)),
}
_BINARY_KINDS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("add", "sub"), ("int", "float", "ptr")),
    **dict.fromkeys(("mul", "div", "rem"), ("int", "float")),
    **dict.fromkeys(("and", "or", "xor"), ("int", "bool")),
    **dict.fromkeys(("shl", "shr"), ("int",)),
}
_COMPARE_OPS: Final = frozenset(("eq", "ne", "lt", "le", "gt", "ge"))


def _unary(i: mir.Unary) -> str:
    if i.src.type.kind not in _UNARY_KINDS.get(i.op, ()):
        return f"no {i.op} of {i.src.type}"
    return "" if i.dst.type is i.src.type else "the result has another type than the operand"


def _binary(i: mir.Binary) -> str:
    type = i.lhs.type
    if type.kind not in _BINARY_KINDS.get(i.op, ()):
        return f"no {i.op} of {type}"
    right = I64 if type.kind == "ptr" or i.op in ("shl", "shr") else type
    if i.rhs.type is not right:
        return f"the right operand is {i.rhs.type}, not {right}"
    return "" if i.dst.type is type else "the result has another type than the left operand"


def _checked(i: mir.Checked) -> str:
    type = i.dst.type
    if not type.signed or i.op not in ("add", "sub", "mul"):
        return f"no checked {i.op} of {type}"
    same = i.lhs.type is type and i.rhs.type is type
    return _place(i.place) if same else "operands and result differ in type"


def _compare(i: mir.Compare) -> str:
    if i.op not in _COMPARE_OPS:
        return f"no comparison {i.op}"
    if i.lhs.type is not i.rhs.type:
        return f"{i.lhs.type} compared with {i.rhs.type}"
    return "" if i.dst.type is BOOL else "the result is no bool"


def _convert(i: mir.Convert) -> str:
    if i.src.type.kind == "ptr" or i.dst.type.kind not in ("int", "float"):
        return f"{i.src.type} converted to {i.dst.type}"
    return ""


def _bitcast(i: mir.Bitcast) -> str:
    a, b = i.src.type, i.dst.type
    fits = a.size == b.size and {a.kind, b.kind} == {"int", "float"}
    return "" if fits else f"bits of {a} as {b}"


def _select(i: mir.Select) -> str:
    if i.cond.type is not BOOL:
        return "the condition is no bool"
    same = i.dst.type is i.lhs.type is i.rhs.type
    return "" if same else "operands and result differ in type"


_FAR: Final = 1 << 31
"""Offsets are as wide as machines have them in an address."""


def _memory(i: mir.Load | mir.Store) -> str:
    if i.base.type.kind != "ptr":
        return f"the base is {i.base.type}, neither ref nor ptr"
    if i.index is not None and i.index.type is not I64:
        return "the index is no i64"
    if not 0 < i.scale < _FAR:
        return "the scale is not positive" if i.scale <= 0 else "the scale is too large"
    return "" if -_FAR <= i.offset < _FAR else "the offset is too large"


def _index(i: mir.Index) -> str:
    if not (i.dst.type is i.src.type is i.length.type is I64):
        return "an operand or the result is no i64"
    return _place(i.place)


def _place(place: mir.Place) -> str:
    return "the place is no i64" if type(place) is Local and place.type is not I64 else ""


def _fails(kind: str, message: Local | None, place: mir.Place) -> str:
    if kind not in ERROR_NUMBER:
        return f"no kind of error {kind}"
    if message is not None and message.type is not REF:
        return "the message is no ref"
    return _place(place)


def _check(i: mir.Check) -> str:
    if i.cond.type is not BOOL:
        return "the condition is no bool"
    return _fails(i.kind, i.message, i.place)


_RULES: Final[dict[type, Callable[[Any], str]]] = {
    mir.Const: _const,
    mir.ConstText: _is(REF),
    mir.ConstSite: _is(I64),
    mir.ConstTypeId: _is(I64),
    mir.ConstCode: _is(I64),
    mir.Copy: _copy,
    mir.Unary: _unary,
    mir.Binary: _binary,
    mir.Checked: _checked,
    mir.Compare: _compare,
    mir.Convert: _convert,
    mir.Bitcast: _bitcast,
    mir.Select: _select,
    mir.Load: _memory,
    mir.Store: _memory,
    mir.Context: _is(PTR),
    mir.Index: _index,
    mir.Check: _check,
    mir.Call: lambda i: "",
    mir.CallExtern: lambda i: _place(i.place),
    mir.CallPointer: lambda i: "" if i.target.type is PTR else "the target is no ptr",
    mir.Poll: lambda i: _place(i.place),
}


def _return(function: Function, t: mir.Return) -> str:
    types = tuple([value.type for value in t.values])
    return "" if types == function.results else f"returns {types}, not {function.results}"


def _switch(function: Function, t: mir.Switch) -> str:
    if t.value.type is not I64:
        return "the value is no i64"
    numbers = [number for number, _ in t.cases]
    low, high = integer_range(I64)
    if not all(low <= number <= high for number in numbers):
        return "a case is out of the range of i64"
    return "" if len(set(numbers)) == len(numbers) else "a case stands twice"


_TERMINATOR_RULES: Final[dict[type, Callable[[Function, Any], str]]] = {
    mir.Jump: lambda f, t: "",
    mir.Branch: lambda f, t: "" if t.cond.type is BOOL else "the condition is no bool",
    mir.Switch: _switch,
    mir.Return: _return,
    mir.Throw: lambda f, t: _fails(t.kind, t.message, t.place),
    mir.Unreachable: lambda f, t: "",
}


def _terminator_problem(function: Function, block: Block) -> str:
    t = block.terminator
    if t is mir.UNFINISHED:
        return "the block is unfinished"
    rule = _TERMINATOR_RULES.get(type(t))
    if rule is None:
        return "is not a terminator"
    for local in TERMINATOR_USES[type(t)](t):
        if local.index >= len(function.locals) or function.locals[local.index] is not local:
            return f"%{local.index} is not a local of it"
    for target in SUCCESSORS[type(t)](t):
        if target.index >= len(function.blocks) or function.blocks[target.index] is not target:
            return f"the target b{target.index} is not a block of it"
        if target.index == 0:
            return "the entry is a target"
    return rule(function, t)


# --- Definite assignment --------------------------------------------------------------------------
# Sets of locals are integers with the bits of their indices set.


def _summary(block: Block) -> tuple[int, int]:
    """Return what a block reads before it assigns it, and what it assigns."""
    exposed = assigned = 0
    for i in block.instructions:
        for local in USES[type(i)](i):
            if not assigned >> local.index & 1:
                exposed |= 1 << local.index
        for local in DEFS[type(i)](i):
            assigned |= 1 << local.index
    for local in TERMINATOR_USES[type(block.terminator)](block.terminator):
        if not assigned >> local.index & 1:
            exposed |= 1 << local.index
    return exposed, assigned


def _verify_assignment(function: Function, after: str) -> None:
    order = reverse_postorder(function)
    preds = predecessors(order)
    summaries = {block: _summary(block) for block in order}
    everything = (1 << len(function.locals)) - 1
    leaving = dict.fromkeys(order, everything)
    params = (1 << function.param_count) - 1
    entering: dict[Block, int] = {}
    changed = True
    while changed:
        changed = False
        for block in order:
            known = everything if preds[block] else params
            for before in preds[block]:
                known &= leaving[before]
            entering[block] = known
            known |= summaries[block][1]
            if known != leaving[block]:
                leaving[block] = known
                changed = True
    for block in order:
        missing = summaries[block][0] & ~entering[block]
        if missing:
            raise _unassigned(function, after, block, entering[block])


def _unassigned(function: Function, after: str, block: Block, known: int) -> MirError:
    for i in block.instructions:
        for local in USES[type(i)](i):
            if not known >> local.index & 1:
                return _error(function, after, block, i, _never(local))
        for local in DEFS[type(i)](i):
            known |= 1 << local.index
    t = block.terminator
    missing = [x for x in TERMINATOR_USES[type(t)](t) if not known >> x.index & 1]
    return _error(function, after, block, t, _never(missing[0]))


def _never(local: Local) -> str:
    return f"%{local.index} is not assigned on every path to here"
