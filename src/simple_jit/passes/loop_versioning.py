"""Loop versioning: a copy of a loop without bounds checks, for when none of them can fail.

    b0: …                            b0: %20 = le %2, %5           (is the end at most the length?)
        jump b1                          branch %20, b4, b1
    b1: %6 = lt %3 i, %2             b1: … as before …
        branch %6, b2, b3      ->    b4: %21 = lt %3 i, %2
    b2: %7 = index %3, %5                branch %21, b5, b3
        …                            b5: %22 = copy %3
                                         …

Done for inner loops that count a variable up to an end fixed before the loop, and for indices
`factor * variable + rest` with factor, rest and length fixed too. The test in front is exact: a length
is below 2**48, and each sum and product is kept small enough not to overflow before it is relied on.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.mir.nodes import BOOL, I64, Block
from simple_jit.mir.visit import (
    DEFS,
    RENAME,
    RENAME_TERMINATOR,
    RETARGET,
    TERMINATOR_USES,
    USES,
    Flow,
    natural_loops,
)
from simple_jit.passes.dead_code import number_blocks
from simple_jit.passes.loop_invariants import make_preheaders
from simple_jit.passes.ranges import Ranges

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeAlias

    from simple_jit.mir.nodes import BinaryOp, CompareOp, Function, Instruction, Local
    from simple_jit.mir.visit import Loop
    from simple_jit.passes.environment import Environment
    from simple_jit.passes.ranges import Induction, Point

    Term: TypeAlias = tuple[BinaryOp, Local]  # added or subtracted

_LARGEST_LOOP: Final = 120  # instructions
_MAX_LENGTH: Final = 1 << 48
_MAX_FACTOR: Final = 1 << 31  # of factors and ends, so that products are below 2**62


def version_loops(function: Function, env: Environment) -> None:
    if not any(type(i) is mir.Index for block in function.blocks for i in block.instructions):
        return
    flow = Flow(function)
    loops = natural_loops(flow)
    if not loops:
        return
    if make_preheaders(function, loops):
        flow = Flow(function)
    ranges = Ranges(function, flow)
    plans = [plan for loop in ranges.loops if (plan := _plan(loop, ranges)) is not None]
    for plan in plans:
        _Versioning(function, plan).run()
    if plans:
        number_blocks(function)


class Affine:
    """`factor * variable + rest`: factor None for 0, 1, or a local that the loop does not change."""

    __slots__ = ("factor", "rest")

    def __init__(self, factor: Local | int | None, rest: list[Term]) -> None:
        self.factor = factor
        self.rest = rest


class _Plan:
    """A loop to copy: its counted variable, its end, and the indices that need no check in the copy."""

    __slots__ = ("end", "front", "indices", "loop", "ranges", "variable")

    def __init__(self, loop: Loop, variable: Local, end: Local, ranges: Ranges) -> None:
        self.loop = loop
        self.front = loop.entries[0]
        self.variable = variable
        self.end = end
        self.ranges = ranges
        self.indices: dict[mir.Index, Affine] = {}


def _plan(loop: Loop, ranges: Ranges) -> _Plan | None:
    size = sum([len(block.instructions) for block in loop.blocks])
    if size > _LARGEST_LOOP or any(
        other is not loop and other.header in loop.blocks for other in ranges.loops
    ):
        return None
    assigned = {dst for block in loop.blocks for i in block.instructions for dst in DEFS[type(i)](i)}
    counted = _counted(loop, ranges, assigned)
    if counted is None:
        return None
    induction, end = counted
    plan = _Plan(loop, induction.variable, end, ranges)
    reading = _Reading(induction, ranges, assigned)
    for block in loop.blocks:
        for position, i in enumerate(block.instructions):
            if type(i) is mir.Index and i.length not in assigned:
                affine = reading.affine(i.src, (block, position))
                if affine is not None and affine.factor is not None:
                    plan.indices[i] = affine
    return plan if plan.indices else None


def _counted(loop: Loop, ranges: Ranges, assigned: set[Local]) -> tuple[Induction, Local] | None:
    """Return the variable that the header compares with an end, and the end."""
    t = loop.header.terminator
    if type(t) is not mir.Branch or t.then not in loop.blocks or t.then is loop.header:
        return None
    for op, variable, end, where in ranges.conditions(t.then):
        if where[0] is loop.header and op == "lt" and end not in assigned and variable in assigned:
            induction = ranges.induction(variable, loop.header)
            if induction is not None and induction.loop is loop and ranges.counts_up(induction):
                return induction, end
    return None


class _Reading:
    """Reads how locals of the loop are computed from its variable, before that is stepped."""

    def __init__(self, induction: Induction, ranges: Ranges, assigned: set[Local]) -> None:
        self.induction = induction
        self.ranges = ranges
        self.assigned = assigned

    def affine(self, local: Local, point: Point, depth: int = 8) -> Affine | None:
        if local not in self.assigned:
            return Affine(None, [("add", local)])
        if local is self.induction.variable:
            stepped = self.ranges.order(self.induction.point)
            return Affine(1, []) if self.ranges.order(point) < stepped else None
        definition = self.ranges.definition(local)
        if definition is None or depth == 0:
            return None
        i, where = definition
        if type(i) is mir.Copy and i.src.type is I64:
            return self.affine(i.src, where, depth - 1)
        if type(i) is mir.Binary and i.op in ("add", "sub", "mul"):
            return self._combine(i, where, depth)
        return None

    def _combine(self, i: mir.Binary, where: Point, depth: int) -> Affine | None:
        lhs = self.affine(i.lhs, where, depth - 1)
        rhs = self.affine(i.rhs, where, depth - 1)
        if lhs is None or rhs is None:
            return None
        if i.op == "mul":
            return _product(lhs, rhs) or _product(rhs, lhs)
        if rhs.factor is not None and (i.op == "sub" or lhs.factor is not None):
            return None
        rest = rhs.rest if i.op == "add" else [_negative(term) for term in rhs.rest]
        return Affine(lhs.factor if lhs.factor is not None else rhs.factor, lhs.rest + rest)


def _negative(term: Term) -> Term:
    return ("sub" if term[0] == "add" else "add"), term[1]


def _product(lhs: Affine, rhs: Affine) -> Affine | None:
    """Return variable * one fixed local."""
    if lhs.factor == 1 and not lhs.rest and rhs.factor is None and len(rhs.rest) == 1:
        return Affine(rhs.rest[0][1], [])
    return None


class _Versioning:
    """Carries out a plan."""

    def __init__(self, function: Function, plan: _Plan) -> None:
        self.function = function
        self.plan = plan
        self.front = plan.front.instructions
        self.tests: dict[tuple[object, ...], Local] = {}

    def run(self) -> None:
        for index, affine in self.plan.indices.items():
            self._test_index(index, affine)
        tests = list(self.tests.values())
        all_hold = tests[0]
        for test in tests[1:]:
            both = self.function.new_local(BOOL)
            self.front.append(mir.Binary("and", both, all_hold, test))
            all_hold = both
        header = self.plan.loop.header
        copy = self._copy_loop()
        self.plan.front.terminator = mir.Branch(all_hold, copy[header], header, cold="orelse")
        position = self.function.blocks.index(header)
        self.function.blocks[position:position] = [copy[b] for b in self.function.blocks if b in copy]

    # --- the test in front ------------------------------------------------------------------------

    def _test_index(self, index: mir.Index, affine: Affine) -> None:
        start, end, length = self.plan.variable, self.plan.end, index.length
        self._require("ge", start, self._const(0))
        rest = self._sum(affine.rest)
        if affine.factor != 1:
            assert type(affine.factor) is mir.Local
            self._test_scaled(affine.factor, rest, end, length)
        elif rest is None:
            self._require("le", end, length)
        else:
            self._require("le", rest, length)
            self._require("ge", rest, self._const(-_MAX_LENGTH))
            self._require("le", end, self._compute("sub", length, rest))
            self._require("ge", self._compute("add", rest, start), self._const(0))

    def _test_scaled(self, factor: Local, rest: Local | None, end: Local, length: Local) -> None:
        """Test `0 <= factor * i + rest < length` for 0 <= i < end."""
        for value in (factor, end):
            self._require("le", value, self._const(_MAX_FACTOR))
        self._require("ge", factor, self._const(0))
        highest = self._compute("mul", self._compute("sub", end, self._const(1)), factor)
        if rest is not None:
            self._require("ge", rest, self._const(0))
            self._require("le", rest, length)
            highest = self._compute("add", highest, rest)
        self._require("lt", highest, length)

    def _sum(self, terms: list[Term]) -> Local | None:
        if not terms:
            return None
        total = terms[0][1] if terms[0][0] == "add" else self._compute("sub", self._const(0), terms[0][1])
        for op, local in terms[1:]:
            total = self._compute(op, total, local)
        return total

    def _require(self, op: CompareOp, lhs: Local, rhs: Local) -> None:
        key = (op, lhs, rhs)
        if key not in self.tests:
            dst = self.tests[key] = self.function.new_local(BOOL)
            self.front.append(mir.Compare(op, dst, lhs, rhs))

    def _compute(self, op: BinaryOp, lhs: Local, rhs: Local) -> Local:
        dst = self.function.new_local(I64)
        self.front.append(mir.Binary(op, dst, lhs, rhs))
        return dst

    def _const(self, value: int) -> Local:
        for local, known in self.plan.ranges.constants.items():
            if known == value and self.plan.ranges.flow.dominates(
                self.plan.ranges.definitions[local][0][1][0], self.plan.front
            ):
                return local
        dst = self.function.new_local(I64)
        self.front.append(mir.Const(dst, value))
        self.plan.ranges.constants[dst] = value
        self.plan.ranges.definitions[dst] = [(self.front[-1], (self.plan.front, len(self.front)))]
        return dst

    # --- the copy ---------------------------------------------------------------------------------

    def _copy_loop(self) -> dict[Block, Block]:
        new = self._fresh_locals()
        blocks = {block: Block(0) for block in self.plan.loop.blocks}
        for old, block in blocks.items():
            for i in old.instructions:
                copied: Instruction = i
                if type(i) is mir.Index and i in self.plan.indices:
                    copied = mir.Copy(i.dst, i.src)
                block.instructions.append(RENAME[type(copied)](copied, new, new))
            t = RENAME_TERMINATOR[type(old.terminator)](old.terminator, new)
            block.terminator = RETARGET[type(t)](t, blocks)
        return blocks

    def _fresh_locals(self) -> dict[Local, Local]:
        """Give each local that is assigned in the loop and used nowhere else a twin for the copy."""
        inside: set[Local] = set()
        outside: set[Local] = set(self.function.params)
        for block in self.function.blocks:
            if block in self.plan.loop.blocks:
                for i in block.instructions:
                    inside.update(DEFS[type(i)](i))
                continue
            for i in block.instructions:
                outside.update(USES[type(i)](i))
                outside.update(DEFS[type(i)](i))
            outside.update(TERMINATOR_USES[type(block.terminator)](block.terminator))
        return {
            local: self.function.new_local(local.type, local.name)
            for local in sorted(inside - outside, key=lambda local: local.index)
        }
