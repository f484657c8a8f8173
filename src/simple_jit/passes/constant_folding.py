"""Constant folding: compute what is known already.

    %1 = const 2              %1 = const 2
    %2 = add %1, %1     ->    %2 = const 4
    %3 = mul %0, %1           %3 = mul %0, %1
    branch %true, b1, b2      jump b1

Besides: operations that leave an operand as it is (`x + 0`, `x * 1`, `x & -1`, for floats only where
it holds for every float), comparisons of a local with itself, checks that always hold, branches on
`not c`.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.mir.arithmetic import (
    COMPARE,
    INT_BINARY,
    binary_operation,
    bitcast,
    conversion,
    unary_operation,
    wrap,
)
from simple_jit.mir.visit import DEFS, assigned_once, reverse_postorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, TypeAlias

    from simple_jit.mir.nodes import Function, Instruction, Local, Terminator
    from simple_jit.passes.environment import Environment

    Known: TypeAlias = dict[Local, Any]


def fold_constants(function: Function, env: Environment) -> None:
    once = assigned_once(function)
    known: Known = {}
    negated: dict[Local, Local] = {}
    present: set[Local] = set()  # references that are not null
    for block in reverse_postorder(function):
        variables: list[Local] = []  # known in this block only
        instructions = block.instructions
        kept: list[Instruction] = []
        for i in instructions:
            kind = type(i)
            if type(i) is mir.ConstText or (type(i) is mir.Copy and i.src in present):
                present |= once.intersection(DEFS[kind](i))
            elif type(i) is mir.Compare and (i.lhs in present or i.rhs in present):
                i = _compare_present(i, known)
                kind = type(i)
            fold = _FOLD.get(kind)
            if fold is not None:
                folded = fold(i, known)
                if folded is None:
                    continue
                i = folded
                kind = type(i)
            kept.append(i)
            if kind is mir.Const:
                assert type(i) is mir.Const
                known[i.dst] = _value(i)
                if i.dst not in once:
                    variables.append(i.dst)
            elif variables:
                for dst in DEFS[kind](i):
                    known.pop(dst, None)
            if type(i) is mir.Unary and i.dst.type is mir.BOOL and i.dst in once:
                negated[i.dst] = i.src
        block.instructions = kept
        block.terminator = _fold_terminator(block.terminator, known, negated, once)
        for local in variables:
            known.pop(local, None)


def _value(i: mir.Const) -> Any:
    kind = i.dst.type.kind
    return float(i.value) if kind == "float" else bool(i.value) if kind == "bool" else i.value


def _fold_terminator(
    t: Terminator, known: Known, negated: dict[Local, Local], once: set[Local]
) -> Terminator:
    if type(t) is mir.Branch:
        if t.cond in known:
            return mir.Jump(t.then if known[t.cond] else t.orelse)
        if t.cond in negated and negated[t.cond] in once:
            cold = t.cold and ("orelse" if t.cold == "then" else "then")
            return mir.Branch(negated[t.cond], t.orelse, t.then, cold)
    elif type(t) is mir.Switch and t.value in known:
        return mir.Jump(dict(t.cases).get(known[t.value], t.default))
    return t


# --- One instruction ------------------------------------------------------------------------------
# Each returns the instruction, another that does the same, or None where nothing needs to be done.


def _unary(i: mir.Unary, known: Known) -> Instruction:
    if i.src in known:
        return mir.Const(i.dst, unary_operation(i.op, i.src.type)(known[i.src]))
    return i


_COMMUTATIVE: Final = frozenset(("add", "mul", "and", "or", "xor"))


def _binary(i: mir.Binary, known: Known) -> Instruction:
    lhs, rhs = i.lhs, i.rhs
    type = lhs.type
    if rhs in known:
        value = known[rhs]
        if lhs in known:
            if type.kind == "int" and i.op in ("div", "rem") and value == 0:
                return i
            return mir.Const(i.dst, binary_operation(i.op, type)(known[lhs], value))
        return _identity(i, lhs, value) or i
    if lhs in known and i.op in _COMMUTATIVE:
        return _identity(i, rhs, known[lhs]) or i
    if lhs is rhs and type.kind != "float":
        if i.op in ("sub", "xor") and type.kind != "ptr":
            return mir.Const(i.dst, False if type.kind == "bool" else 0)
        if i.op in ("and", "or"):
            return mir.Copy(i.dst, lhs)
    return i


def _identity(i: mir.Binary, operand: Local, value: Any) -> Instruction | None:
    """Fold `operand op value` (or the operands exchanged) if it is the operand or a constant."""
    kind = operand.type.kind
    op = i.op
    if kind == "float":
        if op in ("mul", "div"):
            return mir.Copy(i.dst, operand) if value == 1.0 else None
        if op in ("add", "sub") and value == 0.0:
            return mir.Copy(i.dst, operand) if _is_negative(value) == (op == "add") else None
        return None
    if kind == "bool":
        return _bool_identity(i, operand, value)
    if value == 0:
        if op in ("add", "sub", "or", "xor", "shl", "shr"):
            return mir.Copy(i.dst, operand)
        return mir.Const(i.dst, 0) if op in ("mul", "and") else None
    if value == 1 and op in ("mul", "div"):
        return mir.Copy(i.dst, operand)
    if op == "and" and wrap(operand.type)(-1) == value:
        return mir.Copy(i.dst, operand)
    return None


def _is_negative(value: float) -> bool:
    return str(value)[0] == "-"


def _bool_identity(i: mir.Binary, operand: Local, value: bool) -> Instruction | None:
    if i.op == "and":
        return mir.Copy(i.dst, operand) if value else mir.Const(i.dst, False)
    if i.op == "or":
        return mir.Const(i.dst, True) if value else mir.Copy(i.dst, operand)
    return mir.Unary("not", i.dst, operand) if value else mir.Copy(i.dst, operand)


def _checked(i: mir.Checked, known: Known) -> Instruction:
    if i.lhs in known and i.rhs in known:
        exact = INT_BINARY[i.op](known[i.lhs], known[i.rhs])
        if wrap(i.dst.type)(exact) == exact:
            return mir.Const(i.dst, exact)
    return i


def _compare(i: mir.Compare, known: Known) -> Instruction:
    if i.lhs in known and i.rhs in known:
        return mir.Const(i.dst, COMPARE[i.op](known[i.lhs], known[i.rhs]))
    if i.lhs is i.rhs and i.lhs.type.kind != "float":
        return mir.Const(i.dst, i.op in ("eq", "le", "ge"))
    return i


def _compare_present(i: mir.Compare, known: Known) -> Instruction:
    """Compare a reference that is not null."""
    if i.op in ("eq", "ne") and (known.get(i.lhs) == 0 or known.get(i.rhs) == 0):
        return mir.Const(i.dst, i.op == "ne")
    return i


def _convert(i: mir.Convert, known: Known) -> Instruction:
    if i.src.type is i.dst.type:
        return mir.Copy(i.dst, i.src)
    if i.src in known:
        return mir.Const(i.dst, conversion(i.src.type, i.dst.type)(known[i.src]))
    return i


def _bitcast(i: mir.Bitcast, known: Known) -> Instruction:
    if i.src in known and known[i.src] == known[i.src]:
        return mir.Const(i.dst, bitcast(i.src.type, i.dst.type)(known[i.src]))
    return i


def _copy(i: mir.Copy, known: Known) -> Instruction:
    if i.src not in known:
        return i
    value = known[i.src]
    return mir.Const(i.dst, value if i.src.type is i.dst.type else wrap(i.dst.type)(value))


def _select(i: mir.Select, known: Known) -> Instruction:
    if i.cond in known:
        return _copy(mir.Copy(i.dst, i.lhs if known[i.cond] else i.rhs), known)
    return mir.Copy(i.dst, i.lhs) if i.lhs is i.rhs else i


def _index(i: mir.Index, known: Known) -> Instruction:
    if i.src not in known or known[i.src] < 0:
        return i
    if i.length in known and known[i.src] < known[i.length]:
        return mir.Const(i.dst, known[i.src])
    return mir.Index(i.dst, i.src, i.length, i.place, wrap=False) if i.wrap else i


def _check(i: mir.Check, known: Known) -> Instruction | None:
    return None if known.get(i.cond) else i


_FOLD: Final[dict[type, Callable[[Any, Known], Instruction | None]]] = {
    mir.Unary: _unary,
    mir.Binary: _binary,
    mir.Checked: _checked,
    mir.Compare: _compare,
    mir.Convert: _convert,
    mir.Bitcast: _bitcast,
    mir.Copy: _copy,
    mir.Select: _select,
    mir.Index: _index,
    mir.Check: _check,
}
