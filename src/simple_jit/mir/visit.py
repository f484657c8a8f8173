"""Reading and rewriting MIR without knowing each instruction: operands, effects, and the flow graph.

What an instruction reads, assigns and may do stands in tables keyed by its class; a test checks that
every class of `mir.Instruction` is in each of them. Passes treat instructions, terminators and locals
as immutable values: they put a new one in the old one's place, so `copy_function` need not copy them.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.mir.nodes import Block, Function, Local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Final, TypeAlias

    from simple_jit.mir.nodes import Instruction, Place, Terminator

    Locals: TypeAlias = tuple[Local, ...]
    Map: TypeAlias = Mapping[Local, Local]

# --- Operands -------------------------------------------------------------------------------------


def _address(i: mir.Load | mir.Store) -> Locals:
    return (i.base,) if i.index is None else (i.base, i.index)


def _at(place: Place) -> Locals:
    return (place,) if type(place) is Local else ()


def _check_uses(i: mir.Check) -> Locals:
    found: Locals = (i.cond,) if i.message is None else (i.cond, i.message)
    return found + _at(i.place)


_NONE: Final[Callable[[Any], Locals]] = lambda i: ()  # noqa: E731
_BINARY: Final[Callable[[Any], Locals]] = lambda i: (i.lhs, i.rhs)  # noqa: E731
_SRC: Final[Callable[[Any], Locals]] = lambda i: (i.src,)  # noqa: E731
_DST: Final[Callable[[Any], Locals]] = lambda i: (i.dst,)  # noqa: E731

USES: Final[dict[type, Callable[[Any], Locals]]] = {
    mir.Const: _NONE,
    mir.ConstText: _NONE,
    mir.ConstSite: _NONE,
    mir.ConstTypeId: _NONE,
    mir.ConstCode: _NONE,
    mir.Copy: _SRC,
    mir.Unary: _SRC,
    mir.Binary: _BINARY,
    mir.Checked: lambda i: (i.lhs, i.rhs, *_at(i.place)),
    mir.Compare: _BINARY,
    mir.Convert: _SRC,
    mir.Bitcast: _SRC,
    mir.Select: lambda i: (i.cond, i.lhs, i.rhs),
    mir.Load: _address,
    mir.Store: lambda i: (i.src, *_address(i)),
    mir.Context: _NONE,
    mir.Index: lambda i: (i.src, i.length, *_at(i.place)),
    mir.Check: _check_uses,
    mir.Call: lambda i: i.args,
    mir.CallExtern: lambda i: i.args + _at(i.place),
    mir.CallPointer: lambda i: (i.target, *i.args),
    mir.Poll: lambda i: _at(i.place),
}
DEFS: Final[dict[type, Callable[[Any], Locals]]] = {
    mir.Const: _DST,
    mir.ConstText: _DST,
    mir.ConstSite: _DST,
    mir.ConstTypeId: _DST,
    mir.ConstCode: _DST,
    mir.Copy: _DST,
    mir.Unary: _DST,
    mir.Binary: _DST,
    mir.Checked: _DST,
    mir.Compare: _DST,
    mir.Convert: _DST,
    mir.Bitcast: _DST,
    mir.Select: _DST,
    mir.Load: _DST,
    mir.Store: _NONE,
    mir.Context: _DST,
    mir.Index: _DST,
    mir.Check: _NONE,
    mir.Call: lambda i: i.dsts,
    mir.CallExtern: lambda i: () if i.dst is None else (i.dst,),
    mir.CallPointer: lambda i: i.dsts,
    mir.Poll: _NONE,
}
TERMINATOR_USES: Final[dict[type, Callable[[Any], Locals]]] = {
    mir.Jump: _NONE,
    mir.Branch: lambda t: (t.cond,),
    mir.Switch: lambda t: (t.value,),
    mir.Return: lambda t: t.values,
    mir.Throw: lambda t: (t.message, *_at(t.place)),
    mir.Unreachable: _NONE,
}


def uses(instruction: Instruction) -> Locals:
    """Return the locals that an instruction reads, its place's included."""
    return USES[type(instruction)](instruction)


def defs(instruction: Instruction) -> Locals:
    """Return the locals that an instruction assigns."""
    return DEFS[type(instruction)](instruction)


def terminator_uses(terminator: Terminator) -> Locals:
    """Return the locals that a terminator reads."""
    return TERMINATOR_USES[type(terminator)](terminator)


# --- Rewriting ------------------------------------------------------------------------------------


def _rename_place(place: Place, map: Map) -> Place:
    return map.get(place, place) if type(place) is Local else place


def _rename_all(locals: Locals, map: Map) -> Locals:
    return tuple([map.get(x, x) for x in locals])


def _rename_index(index: Local | None, map: Map) -> Local | None:
    return None if index is None else map.get(index, index)


# Each entry: the instruction with operands read through the first map, results through the second.
RENAME: Final[dict[type, Callable[[Any, Map, Map], Instruction]]] = {
    mir.Const: lambda i, u, d: mir.Const(d.get(i.dst, i.dst), i.value),
    mir.ConstText: lambda i, u, d: mir.ConstText(d.get(i.dst, i.dst), i.value),
    mir.ConstSite: lambda i, u, d: mir.ConstSite(d.get(i.dst, i.dst), i.site),
    mir.ConstTypeId: lambda i, u, d: mir.ConstTypeId(d.get(i.dst, i.dst), i.name),
    mir.ConstCode: lambda i, u, d: mir.ConstCode(d.get(i.dst, i.dst), i.symbol),
    mir.Copy: lambda i, u, d: mir.Copy(d.get(i.dst, i.dst), u.get(i.src, i.src)),
    mir.Unary: lambda i, u, d: mir.Unary(i.op, d.get(i.dst, i.dst), u.get(i.src, i.src)),
    mir.Binary: lambda i, u, d: mir.Binary(
        i.op, d.get(i.dst, i.dst), u.get(i.lhs, i.lhs), u.get(i.rhs, i.rhs)
    ),
    mir.Checked: lambda i, u, d: mir.Checked(
        i.op,
        d.get(i.dst, i.dst),
        u.get(i.lhs, i.lhs),
        u.get(i.rhs, i.rhs),
        _rename_place(i.place, u),
    ),
    mir.Compare: lambda i, u, d: mir.Compare(
        i.op, d.get(i.dst, i.dst), u.get(i.lhs, i.lhs), u.get(i.rhs, i.rhs)
    ),
    mir.Convert: lambda i, u, d: mir.Convert(d.get(i.dst, i.dst), u.get(i.src, i.src)),
    mir.Bitcast: lambda i, u, d: mir.Bitcast(d.get(i.dst, i.dst), u.get(i.src, i.src)),
    mir.Select: lambda i, u, d: mir.Select(
        d.get(i.dst, i.dst), u.get(i.cond, i.cond), u.get(i.lhs, i.lhs), u.get(i.rhs, i.rhs)
    ),
    mir.Load: lambda i, u, d: mir.Load(
        d.get(i.dst, i.dst),
        u.get(i.base, i.base),
        i.offset,
        _rename_index(i.index, u),
        i.scale,
    ),
    mir.Store: lambda i, u, d: mir.Store(
        u.get(i.src, i.src),
        u.get(i.base, i.base),
        i.offset,
        _rename_index(i.index, u),
        i.scale,
    ),
    mir.Context: lambda i, u, d: mir.Context(d.get(i.dst, i.dst)),
    mir.Index: lambda i, u, d: mir.Index(
        d.get(i.dst, i.dst),
        u.get(i.src, i.src),
        u.get(i.length, i.length),
        _rename_place(i.place, u),
        i.wrap,
    ),
    mir.Check: lambda i, u, d: mir.Check(
        u.get(i.cond, i.cond), i.kind, _rename_place(i.place, u), _rename_index(i.message, u)
    ),
    mir.Call: lambda i, u, d: mir.Call(_rename_all(i.dsts, d), i.callee, _rename_all(i.args, u), i.site),
    mir.CallExtern: lambda i, u, d: mir.CallExtern(
        _rename_index(i.dst, d),
        i.symbol,
        _rename_all(i.args, u),
        i.raises,
        _rename_place(i.place, u),
    ),
    mir.CallPointer: lambda i, u, d: mir.CallPointer(
        _rename_all(i.dsts, d), u.get(i.target, i.target), _rename_all(i.args, u), i.c, i.site
    ),
    mir.Poll: lambda i, u, d: mir.Poll(_rename_place(i.place, u)),
}
RENAME_TERMINATOR: Final[dict[type, Callable[[Any, Map], Terminator]]] = {
    mir.Jump: lambda t, u: t,
    mir.Branch: lambda t, u: mir.Branch(u.get(t.cond, t.cond), t.then, t.orelse, t.cold),
    mir.Switch: lambda t, u: mir.Switch(u.get(t.value, t.value), t.cases, t.default),
    mir.Return: lambda t, u: mir.Return(_rename_all(t.values, u)),
    mir.Throw: lambda t, u: mir.Throw(t.kind, u.get(t.message, t.message), _rename_place(t.place, u)),
    mir.Unreachable: lambda t, u: t,
}
RETARGET: Final[dict[type, Callable[[Any, Mapping[Block, Block]], Terminator]]] = {
    mir.Jump: lambda t, b: mir.Jump(b.get(t.target, t.target)),
    mir.Branch: lambda t, b: mir.Branch(t.cond, b.get(t.then, t.then), b.get(t.orelse, t.orelse), t.cold),
    mir.Switch: lambda t, b: mir.Switch(
        t.value,
        tuple([(number, b.get(block, block)) for number, block in t.cases]),
        b.get(t.default, t.default),
    ),
    mir.Return: lambda t, b: t,
    mir.Throw: lambda t, b: t,
    mir.Unreachable: lambda t, b: t,
}
_NO_LOCALS: Final[dict[Local, Local]] = {}


def rename(instruction: Instruction, reads: Map, writes: Map = _NO_LOCALS) -> Instruction:
    """Return the instruction with the locals it reads and assigns replaced as the maps say."""
    return RENAME[type(instruction)](instruction, reads, writes)


def rename_terminator(terminator: Terminator, reads: Map) -> Terminator:
    """Return the terminator with the locals it reads replaced."""
    return RENAME_TERMINATOR[type(terminator)](terminator, reads)


def retarget(terminator: Terminator, blocks: Mapping[Block, Block]) -> Terminator:
    """Return the terminator with its targets replaced."""
    return RETARGET[type(terminator)](terminator, blocks)


def replace_locals(function: Function, replacements: Map) -> None:
    """Read other locals in place of some, everywhere in the function."""
    for block in function.blocks:
        instructions = block.instructions
        for position, i in enumerate(instructions):
            for local in USES[type(i)](i):
                if local in replacements:
                    instructions[position] = RENAME[type(i)](i, replacements, _NO_LOCALS)
                    break
        t = block.terminator
        if any(local in replacements for local in TERMINATOR_USES[type(t)](t)):
            block.terminator = RENAME_TERMINATOR[type(t)](t, replacements)


def copy_function(function: Function) -> Function:
    """Return a function with the same instructions and locals that can be changed on its own."""
    copy = Function(function.symbol, function.results, function.file, function.line)
    copy.locals = function.locals[:]
    copy.param_count = function.param_count
    copy.c_convention = function.c_convention
    copy.checks_stack = function.checks_stack
    copy.inline = function.inline
    copy.rarely_called = function.rarely_called
    new = {block: copy.new_block() for block in function.blocks}
    for old, block in new.items():
        block.instructions = old.instructions[:]
        block.terminator = RETARGET[type(old.terminator)](old.terminator, new)
    return copy


# --- Effects --------------------------------------------------------------------------------------

# Classes whose instructions do nothing but assign: they may go when their result is not used.
PURE: Final = frozenset(
    {
        mir.Const,
        mir.ConstText,
        mir.ConstSite,
        mir.ConstTypeId,
        mir.ConstCode,
        mir.Copy,
        mir.Unary,
        mir.Binary,
        mir.Compare,
        mir.Convert,
        mir.Bitcast,
        mir.Select,
        mir.Load,
        mir.Context,
    }
)
# C functions that neither read nor write memory that MIR can see.
PURE_EXTERNS: Final = frozenset(
    (
        "acos",
        "acosh",
        "asin",
        "asinh",
        "atan",
        "atan2",
        "atanh",
        "cbrt",
        "ceil",
        "copysign",
        "cos",
        "cosh",
        "erf",
        "erfc",
        "exp",
        "exp2",
        "expm1",
        "fabs",
        "floor",
        "fma",
        "fmod",
        "hypot",
        "lgamma",
        "log",
        "log10",
        "log1p",
        "log2",
        "nearbyint",
        "pow",
        "remainder",
        "rint",
        "round",
        "sin",
        "sinh",
        "sqrt",
        "tan",
        "tanh",
        "tgamma",
        "trunc",
    )
)


def can_speculate(instruction: Instruction) -> bool:
    """Tell whether an instruction may run where it did not before (its result then is not used)."""
    if type(instruction) is mir.Binary:
        return instruction.op not in ("div", "rem") or instruction.dst.type.kind == "float"
    return type(instruction) in PURE and type(instruction) is not mir.Load


def clobbers_memory(instruction: Instruction) -> bool:
    """Tell whether an instruction other than a store may change any memory: calls, that is."""
    kind = type(instruction)
    if kind is mir.CallExtern:
        return instruction.symbol not in PURE_EXTERNS  # type: ignore[union-attr]
    return kind is mir.Call or kind is mir.CallPointer


# --- The flow graph -------------------------------------------------------------------------------


def _branch_targets(t: mir.Branch) -> tuple[Block, ...]:
    return (t.then,) if t.then is t.orelse else (t.then, t.orelse)


SUCCESSORS: Final[dict[type, Callable[[Any], tuple[Block, ...]]]] = {
    mir.Jump: lambda t: (t.target,),
    mir.Branch: _branch_targets,
    mir.Switch: lambda t: tuple(dict.fromkeys([*[block for _, block in t.cases], t.default])),
    mir.Return: lambda t: (),
    mir.Throw: lambda t: (),
    mir.Unreachable: lambda t: (),
}


def successors(block: Block) -> tuple[Block, ...]:
    """Return the blocks that control may go to next, each once."""
    terminator = block.terminator
    return SUCCESSORS[type(terminator)](terminator)


def predecessors(blocks: Iterable[Block]) -> dict[Block, list[Block]]:
    """Return, for each block, those that may come before it."""
    found: dict[Block, list[Block]] = {block: [] for block in blocks}
    for block in found:
        for after in SUCCESSORS[type(block.terminator)](block.terminator):
            found[after].append(block)
    return found


def reverse_postorder(function: Function) -> list[Block]:
    """Return the blocks that can be reached, each before its successors (back edges apart)."""
    seen: set[Block] = set()
    done: set[Block] = set()
    order: list[Block] = []
    stack = [function.blocks[0]]
    while stack:
        block = stack[-1]
        if block not in seen:
            seen.add(block)
            t = block.terminator
            for after in SUCCESSORS[type(t)](t)[::-1]:
                if after not in seen:
                    stack.append(after)
        else:
            stack.pop()
            if block not in done:
                done.add(block)
                order.append(block)
    order.reverse()
    return order


class Flow:
    """The flow graph of a function: order, predecessors, and immediate dominators.

    Only blocks that can be reached are in it. `number` is a block's place in `order`; `idom` leads
    from a block to the nearest one that every path to it passes (the entry to itself).
    """

    __slots__ = ("idom", "number", "order", "preds")

    def __init__(self, function: Function) -> None:
        self.order = reverse_postorder(function)
        self.number = {block: n for n, block in enumerate(self.order)}
        self.preds = predecessors(self.order)
        self.idom = self._dominators()

    def _dominators(self) -> dict[Block, Block]:
        """Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm"."""
        number = self.number
        order = self.order
        idom: list[int] = [0] + [-1] * (len(order) - 1)
        preds = [[number[p] for p in self.preds[block]] for block in order]
        changed = True
        while changed:
            changed = False
            for n in range(1, len(order)):
                new = -1
                for p in preds[n]:
                    if idom[p] < 0:
                        continue
                    if new < 0:
                        new = p
                        continue
                    while p != new:
                        if p > new:
                            p = idom[p]
                        else:
                            new = idom[new]
                if idom[n] != new:
                    idom[n] = new
                    changed = True
        return {block: order[idom[n]] for n, block in enumerate(order)}

    def dominates(self, above: Block, below: Block) -> bool:
        """Tell whether every path to `below` passes `above` (a block dominates itself)."""
        number = self.number
        limit = number[above]
        while number[below] > limit:
            below = self.idom[below]
        return below is above


class Loop:
    """A natural loop: `header` dominates `blocks`; `latches` jump back to it.

    `blocks` is a set in the order of the function, so that what passes make is the same in each process;
    `entries` are the predecessors of the header outside; `exits` are the edges that leave it.
    """

    __slots__ = ("blocks", "entries", "exits", "header", "latches")

    def __init__(self, header: Block, latches: list[Block], flow: Flow) -> None:
        self.header = header
        self.latches = latches
        inside = {header}
        stack = list(latches)
        while stack:
            block = stack.pop()
            if block not in inside:
                inside.add(block)
                stack.extend(flow.preds[block])
        self.blocks = dict.fromkeys(sorted(inside, key=flow.number.__getitem__)).keys()
        self.entries = [p for p in flow.preds[header] if p not in self.blocks]
        self.exits = [
            (block, after)
            for block in self.blocks
            for after in successors(block)
            if after not in self.blocks
        ]


def natural_loops(flow: Flow) -> list[Loop]:
    """Return the natural loops, inner before outer; loops with one header are one loop."""
    latches: dict[Block, list[Block]] = {}
    number = flow.number
    for block in flow.order:
        for after in successors(block):
            if number[after] <= number[block] and flow.dominates(after, block):
                latches.setdefault(after, []).append(block)
    loops = [Loop(header, found, flow) for header, found in latches.items()]
    loops.sort(key=lambda loop: (len(loop.blocks), number[loop.header]))
    return loops


def assigned_once(function: Function) -> set[Local]:
    """Return the locals that one place alone assigns (a parameter: none but the caller).

    As every use of a local is preceded by an assignment on all paths, the place that assigns such a
    local dominates all its uses: it behaves like a value in SSA form.
    """
    once = set(function.params)
    more: set[Local] = set()
    for block in function.blocks:
        for instruction in block.instructions:
            for dst in DEFS[type(instruction)](instruction):
                if dst in once:
                    more.add(dst)
                else:
                    once.add(dst)
    return once - more
