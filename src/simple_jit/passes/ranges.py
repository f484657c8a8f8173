"""What is known of the size of integers: bounds from conditions, counted loops and checks.

A *point* is a place in a block: (block, position). `Ranges` answers, for a local of type i64 at a
point, whether it is known not to be negative, and which `local <= base + k` are known, `base` a local
that one place assigns. It looks, when asked, at

* how the local is computed, if one place assigns it;
* conditions of branches that every path to the point has passed;
* counted loops: a variable that its loop assigns once each time round, by adding a constant.

A length (what an `index` is checked against) is never negative and below 2**48, so small constants can
be added to it without overflow.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.mir.visit import DEFS, Flow, assigned_once, natural_loops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeAlias

    from simple_jit.mir.nodes import Block, Function, Instruction, Local
    from simple_jit.mir.visit import Loop

    Point: TypeAlias = tuple[Block, int]
    Bound: TypeAlias = tuple[Local, int]  # at most: the local, plus a constant
    Condition: TypeAlias = tuple[str, Local, Local, Point]  # lhs op rhs, compared at a point

SMALL: Final = 1 << 32
_DEEPEST: Final = 6
_SWAPPED: Final = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le", "eq": "eq", "ne": "ne"}
_NEGATED: Final = {"lt": "ge", "ge": "lt", "gt": "le", "le": "gt", "eq": "ne", "ne": "eq"}


class Induction:
    """A variable that its loop assigns at one `point` alone: `variable = variable + step`."""

    __slots__ = ("loop", "point", "step", "variable")

    def __init__(self, variable: Local, step: int, point: Point, loop: Loop) -> None:
        self.variable = variable
        self.step = step
        self.point = point
        self.loop = loop


class Ranges:
    def __init__(self, function: Function, flow: Flow | None = None) -> None:
        self.flow = flow or Flow(function)
        self.loops = natural_loops(self.flow)
        self.once = assigned_once(function)
        self.params = set(function.params)
        self.constants: dict[Local, int] = {}  # of the locals assigned once
        self.lengths: set[Local] = set()
        self.definitions: dict[Local, list[tuple[Instruction, Point]]] = {}
        for block in self.flow.order:
            self._survey(block)
        self._conditions: dict[Block, list[Condition]] = {}
        self._asked: set[tuple[Local, Block]] = set()

    def _survey(self, block: Block) -> None:
        for position, i in enumerate(block.instructions):
            kind = type(i)
            for dst in DEFS[kind](i):
                if dst.type is mir.I64:
                    self.definitions.setdefault(dst, []).append((i, (block, position)))
            if type(i) is mir.Index:
                if i.length in self.once:
                    self.lengths.add(i.length)
            elif type(i) is mir.Const and i.dst.type is mir.I64 and i.dst in self.once:
                self.constants[i.dst] = int(i.value)

    def definition(self, local: Local) -> tuple[Instruction, Point] | None:
        """Return what assigns a local that is assigned once, and where; None for a parameter."""
        if local not in self.once:
            return None
        found = self.definitions.get(local)
        return found[0] if found else None

    def loops_around(self, block: Block) -> list[Loop]:
        """Return the loops that `block` is in, inner ones first."""
        return [loop for loop in self.loops if block in loop.blocks]

    # --- conditions and counted loops -------------------------------------------------------------

    def conditions(self, block: Block) -> list[Condition]:
        """Return the comparisons that hold when `block` is entered, the latest first."""
        found = self._conditions.get(block)
        if found is None:
            above = self.flow.idom[block]
            found = [] if above is block else self.conditions(above)
            own = self._condition(block)
            if own is not None:
                found = [own, *found]
            self._conditions[block] = found
        return found

    def _condition(self, block: Block) -> Condition | None:
        preds = self.flow.preds[block]
        if len(preds) != 1:
            return None
        t = preds[0].terminator
        if type(t) is not mir.Branch or t.then is t.orelse or t.cond not in self.once:
            return None
        for position in range(len(preds[0].instructions) - 1, -1, -1):
            i = preds[0].instructions[position]
            if type(i) is mir.Compare and i.dst is t.cond:
                if i.lhs.type is not mir.I64:
                    return None
                op = i.op if t.then is block else _NEGATED[i.op]
                return op, i.lhs, i.rhs, (preds[0], position)
        return None

    def known(self, local: Local, point: Point) -> list[tuple[str, Local]]:
        """Return (op, other) for the conditions `local op other` that hold at `point`."""
        found = []
        for op, lhs, rhs, where in self.conditions(point[0]):
            if rhs is local:
                op, lhs, rhs = _SWAPPED[op], rhs, lhs
            if lhs is local and rhs in self.once and self._unchanged(local, where, point):
                found.append((op, rhs))
        return found

    def _unchanged(self, local: Local, earlier: Point, point: Point) -> bool:
        """Tell whether `local` at `point` is what it was at `earlier`, which dominates it."""
        if local in self.once:
            return True
        induction = self.induction(local, point[0])
        if induction is None or earlier[0] not in induction.loop.blocks:
            return False
        step = self.order(induction.point)
        return step >= self.order(point) or step < self.order(earlier)

    def order(self, point: Point) -> tuple[int, int]:
        return self.flow.number[point[0]], point[1]

    def induction(self, variable: Local, block: Block) -> Induction | None:
        """Return how `variable` counts in the innermost loop around `block` that assigns it."""
        for loop in self.loops_around(block):
            inside = [d for d in self.definitions.get(variable, ()) if d[1][0] in loop.blocks]
            if not inside:
                continue
            i, point = inside[0]
            if len(inside) > 1 or type(i) is not mir.Binary or i.lhs is not variable:
                return None
            step = self.constants.get(i.rhs, 0)
            step = step if i.op == "add" else -step if i.op == "sub" else 0
            if not 0 < abs(step) < SMALL or self.loops_around(point[0])[0] is not loop:
                return None
            return Induction(variable, step, point, loop)
        return None

    def counts_up(self, induction: Induction) -> bool:
        """Tell whether the variable grows without overflow: it is below something when stepped."""
        step = induction.step
        if step < 0:
            return False
        for op, other in self.known(induction.variable, induction.point):
            if op == "lt" and (step == 1 or self._is_moderate(other)):
                return True
            if op == "le" and self._is_moderate(other):
                return True
        return False

    def _is_moderate(self, local: Local) -> bool:
        """Tell whether `local` is at most a length plus a small constant, or a moderate constant."""
        if local in self.lengths:
            return True
        return self.constants.get(local, SMALL << 16) < SMALL << 16

    # --- lower bounds -----------------------------------------------------------------------------

    def not_negative(self, local: Local, point: Point, depth: int = _DEEPEST) -> bool:
        """Tell whether `local` is known to be at least 0 at `point`."""
        if local in self.lengths or self.constants.get(local, -1) >= 0:
            return True
        if depth == 0:
            return False
        for op, other in self.known(local, point):
            if op in ("ge", "gt", "eq") and self.not_negative(other, point, depth - 1):
                return True
            if op == "gt" and self.constants.get(other) == -1:
                return True
        if local not in self.once:
            return self._counts_from_zero(local, point, depth)
        definition = self.definition(local)
        return definition is not None and self._result_not_negative(*definition, depth)

    def _counts_from_zero(self, local: Local, point: Point, depth: int) -> bool:
        induction = self.induction(local, point[0])
        if induction is None or not self.counts_up(induction):
            return False
        start = self._start(induction)
        return start is not None and all(self._result_not_negative(*d, depth - 1) for d in start)

    def _start(self, induction: Induction) -> list[tuple[Instruction, Point]] | None:
        """Return the assignments that may give the variable its value in front of the loop."""
        variable = induction.variable
        outside = [d for d in self.definitions[variable] if d[1][0] not in induction.loop.blocks]
        if len(induction.loop.entries) == 1:
            front = induction.loop.entries[0]
            for d in reversed(outside):
                if d[1][0] is front:
                    return [d]
        return None if variable in self.params else outside

    def _result_not_negative(self, i: Instruction, point: Point, depth: int) -> bool:
        """Tell whether what `i` (at `point`) assigns is known to be at least 0."""
        if type(i) is mir.Const:
            return isinstance(i.value, int) and i.value >= 0
        if type(i) is mir.Index:
            return True
        if type(i) is mir.Copy:
            return i.src.type is mir.I64 and self.not_negative(i.src, point, depth - 1)
        if type(i) is mir.Convert:
            return i.src.type is mir.BOOL or (
                i.src.type.kind == "int" and not i.src.type.signed and i.src.type.size < 8
            )
        if type(i) is mir.Binary:
            return self._binary_not_negative(i, point, depth)
        return False

    def _binary_not_negative(self, i: mir.Binary, point: Point, depth: int) -> bool:
        if i.op == "and":
            return self.not_negative(i.lhs, point, depth - 1) or self.not_negative(i.rhs, point, depth - 1)
        if i.op == "rem":
            return self.not_negative(i.lhs, point, depth - 1)
        constant = self.constants.get(i.rhs)
        if constant is None:
            return False
        if i.op == "div":
            return constant > 0 and self.not_negative(i.lhs, point, depth - 1)
        if i.op == "shr":
            return self.not_negative(i.lhs, point, depth - 1)
        if i.op == "add" and 0 <= constant < SMALL:
            return self.not_negative(i.lhs, point, depth - 1) and self._below_length(
                i.lhs, point, depth, constant
            )
        return False

    def _below_length(self, local: Local, point: Point, depth: int, constant: int) -> bool:
        """Tell whether `constant` can be added to `local` without overflow."""
        if constant == 1 and any(op == "lt" for op, _ in self.known(local, point)):
            return True
        return any(self._is_moderate(base) for base, _ in self.bounds(local, point, depth - 1))

    # --- upper bounds -----------------------------------------------------------------------------

    def bounds(self, local: Local, point: Point, depth: int = _DEEPEST) -> list[Bound]:
        """Return known `local <= base + k` at `point`."""
        found: list[Bound] = [(local, 0)] if local in self.once else []
        if depth == 0 or (local, point[0]) in self._asked:
            return found
        self._asked.add((local, point[0]))
        for op, other in self.known(local, point):
            if op in ("lt", "le", "eq"):
                less = 1 if op == "lt" else 0
                found += [(base, k - less) for base, k in self.bounds(other, point, depth - 1)]
        definition = self.definition(local)
        if definition is not None:
            found += self._result_bounds(*definition, depth)
        self._asked.discard((local, point[0]))
        return found

    def _result_bounds(self, i: Instruction, point: Point, depth: int) -> list[Bound]:
        if type(i) is mir.Copy and i.src.type is mir.I64:
            return self.bounds(i.src, point, depth - 1)
        if type(i) is mir.Index:
            below = [(base, k - 1) for base, k in self.bounds(i.length, point, depth - 1)]
            return below if i.wrap else below + self.bounds(i.src, point, depth - 1)
        if type(i) is mir.Binary and i.op in ("add", "sub"):
            constant = self.constants.get(i.rhs)
            if constant is None or abs(constant) >= SMALL:
                return []
            constant = constant if i.op == "add" else -constant
            known = self.bounds(i.lhs, point, depth - 1)
            if constant > 0 and not any(self._is_moderate(base) for base, _ in known):
                return []
            if constant < 0 and not self.not_negative(i.lhs, point, depth - 1):
                return []
            return [(base, k + constant) for base, k in known]
        return []
