"""One MIR function into the IR of Cranelift.

A local that is assigned once is the value it was assigned; any other local is a variable of Cranelift's
frontend, which builds the SSA form. Blocks are visited so that a block comes after those that
dominate it. Whatever is rare lies in cold blocks; those that fail share one call of `throw` per kind:

    Check %c DivisionByZero             brif %c, block3, block4
                                 block3: …
                                 block4 (cold): jump block5(site)
                                 block5(v1) (cold): call throw(ctx, 4, v1, 0, 0); trap

Loops are turned around: where a loop's head tests whether to go on, each jump back to it becomes a copy
of the test (`find_loops` says which). Cranelift moves invariant computations out of such loops only.

    head: test; brif body, done           head: test; brif body, done
    body: …; jump head              ->    body: …; test; brif body, done
"""

from __future__ import annotations

from simple_jit.mir import abi
from simple_jit.mir import nodes as mir
from simple_jit.mir.visit import DEFS, SUCCESSORS, predecessors, reverse_postorder
from simple_jit.tiers.contract import EXPLICIT_SITE, BackendError, Link
from simple_jit.tiers.cranelift import adapter
from simple_jit.tiers.cranelift.adapter import (
    CONSTANT,
    I32,
    I64,
    REMEMBERED,
    TRAP,
    TRUSTED,
    TYPE,
    IntCC,
)
from simple_jit.tiers.cranelift.find_loops import LoopTests
from simple_jit.tiers.cranelift.lower_division import by_constant
from simple_jit.tiers.cranelift.lower_operators import (
    CONDITION,
    SIMPLE_BINARY,
    bitcast,
    checked,
    convert,
    extend,
    signed_division,
    unary,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final

    Value = Any
    Types = tuple[mir.MirType, ...]
    # Returns the value of the instruction's `dst`, or None where it has none or assigned it itself.
    Handler = Callable[["FunctionLowering", Any], Any]

_RECORDED: Final = abi.ERROR_NUMBER["Recorded"]
_STACK_OVERFLOW: Final = abi.ERROR_NUMBER["StackOverflow"]
_INDEX_ERROR: Final = abi.ERROR_NUMBER["IndexError"]
_OVERFLOW: Final = abi.ERROR_NUMBER["Overflow"]
_THROW: Final = adapter.signature((mir.PTR, mir.I64, mir.I64, mir.I64, mir.I64), ())
_POLL: Final = adapter.signature((), ())
_FEW_CASES: Final = 4
_CALLS: Final = frozenset((mir.Call, mir.CallPointer))
_ONE_RESULT: Final = frozenset(DEFS) - {*_CALLS, mir.CallExtern, mir.Store, mir.Check, mir.Poll}


def function_types(function: mir.Function) -> tuple[Types, Types]:
    """Return the types of the machine arguments of `function`, and of the results in registers."""
    params = tuple(local.type for local in function.params)
    registers, memory = _classify(function.results)
    if function.c_convention:
        if memory:
            raise BackendError(f"`{function.symbol}` returns more than fits registers")
        return params, function.results
    return (mir.PTR, *params), tuple(function.results[index] for index in registers)


_classes: dict[Types, tuple[tuple[int, ...], tuple[int, ...]]] = {}


def _classify(types: Types) -> tuple[tuple[int, ...], tuple[int, ...]]:
    found = _classes.get(types)
    if found is None:
        if len(_classes) == REMEMBERED:
            _classes.clear()
        found = _classes[types] = abi.classify_results(types)
    return found


class FunctionLowering:
    """The lowering of one function: `builder` stands in the entry block, `params` are its values."""

    __slots__ = (
        "assigned_in_block", "block", "blocks", "constants", "context", "fb", "float_tests", "function",
        "link", "order", "predecessors", "signatures", "sites", "tests", "throws", "unsealed", "values",
        "variables",
    )  # fmt: skip

    def __init__(self, function: mir.Function, builder: Any, params: list[Value], link: Link) -> None:
        self.function = function
        self.fb = builder
        self.link = link
        self.signatures: dict[Any, Any] = {}
        self.throws: dict[tuple[int, int, bool], Any] = {}
        self.sites: set[int] = set()  # locals that hold the number of one site
        self.constants: dict[int, int] = {}  # locals that are always one integer
        self.float_tests: set[int] = set()  # locals that hold how floats compare
        # What each local is at this point; None: ask the frontend for the value of its variable.
        self.values: list[Value | None] = [None] * len(function.locals)
        self.variables: list[Any] = [None] * len(function.locals)
        self.assigned_in_block: list[int] = []
        self.blocks: dict[mir.Block, Any] = {}
        self.order: list[mir.Block] = []
        self.block = function.blocks[0]
        self.unsealed: set[mir.Block] = set()
        self.predecessors: dict[mir.Block, list[mir.Block]] = {}
        self._plan()
        self._enter(params)

    def lower(self) -> None:
        """Emit the whole function."""
        fb, seal, blocks = self.fb, self.fb.seal_block, self.blocks
        for block in self.order:
            self.block = block
            label = blocks[block]
            fb.switch_to_block(label)
            if block not in self.unsealed:
                seal(label)
            if block in self.tests.heads:
                self._emit(self.tests.once(block))
            else:
                self._emit(block.instructions)
            terminator = block.terminator
            TERMINATE[type(terminator)](self, terminator)
            self._forget_block()
        self._emit_throws()
        fb.seal_all_blocks()
        fb.finalize()

    def _emit(self, instructions: list[mir.Instruction]) -> None:
        handlers, values, variables = LOWER, self.values, self.variables
        for instruction in instructions:
            value = handlers[type(instruction)](self, instruction)
            if value is not None:
                index = instruction.dst.index  # type: ignore[union-attr]
                values[index] = value
                if variables[index] is not None:
                    self._assign_variable(index, value)

    # --- Before the first block -------------------------------------------------------------------

    def _plan(self) -> None:
        """Order the blocks, find out which loops to turn around, and which locals are variables."""
        self.order = order = reverse_postorder(self.function)
        self.predecessors = before = predecessors(order)
        self.tests = tests = LoopTests(order, before)
        # A block can be sealed when it is begun only if all that lead to it are done.
        rank = tests.rank
        for block in order:
            for target in SUCCESSORS[type(block.terminator)](block.terminator):
                if rank[target] <= rank[block]:
                    self.unsealed.add(target)
        for latch, head in tests.latches.items():
            for target in SUCCESSORS[type(head.terminator)](head.terminator):
                if rank[target] <= rank[latch]:
                    self.unsealed.add(target)
        self._declare_variables(self._count_assignments())
        create = self.fb.create_block
        for block in order:
            self.blocks[block] = create()

    def _count_assignments(self) -> list[int]:
        function = self.function
        counts = [0] * len(function.locals)
        for index in range(function.param_count):
            counts[index] = 1
        for block in (*self.order, *self.tests.latches.values()):
            for instruction in block.instructions:
                kind = type(instruction)
                if kind in _ONE_RESULT:
                    counts[instruction.dst.index] += 1  # type: ignore[union-attr]
                else:
                    for dst in DEFS[kind](instruction):
                        counts[dst.index] += 1
        return counts

    def _declare_variables(self, assignments: list[int]) -> None:
        pool = adapter.variables(len(assignments))
        declare, locals = self.fb.declare_var, self.function.locals
        for index, count in enumerate(assignments):
            if count > 1:
                self.variables[index] = variable = pool[index]
                declare(variable, TYPE[locals[index].type])

    def _enter(self, params: list[Value]) -> None:
        function, fb = self.function, self.fb
        if function.c_convention:
            address = self.link.context_address
            self.context = fb.ins_iconst(I64, address)
        else:
            self.context, *params = params
        for local, value in zip(function.params, params, strict=True):
            self.assign(local, value)
        if function.checks_stack and not function.c_convention and self._calls():
            self._check_stack()
        first = function.blocks[0]
        fb.ins_jump(self.blocks[first], ())
        self._forget_block()

    def _calls(self) -> bool:
        """Does the function call code that has a stack check of its own? If not, it needs none."""
        return any(type(instruction) in _CALLS for block in self.order for instruction in block.instructions)

    def _check_stack(self) -> None:
        fb = self.fb
        pointer = fb.ins_get_stack_pointer(I64)
        low = fb.ins_icmp(IntCC.UnsignedLessThan, pointer, self._limit())
        cold, body = self._cold_branch(low)
        # The limit also serves to ask for attention: only then is the stack not exhausted.
        fb.switch_to_block(cold)
        site = mir.Site(self.function.file, self.function.line, 1, self.function.symbol)
        exhausted = fb.ins_icmp(IntCC.UnsignedLessThan, pointer, self._cell(abi.STACK_LIMIT))
        overflow, poll = self._cold_branch(exhausted)
        fb.switch_to_block(overflow)
        self._throw(_STACK_OVERFLOW, site)
        fb.switch_to_block(poll)
        fb.set_cold_block(poll)
        self._poll(site)
        fb.ins_jump(body, ())
        fb.switch_to_block(body)
        fb.seal_block(body)

    # --- Locals and memory ------------------------------------------------------------------------

    def use(self, local: mir.Local) -> Value:
        """Return the value of `local` here."""
        index = local.index
        value = self.values[index]
        if value is None:
            variable = self.variables[index]
            if variable is None:
                raise BackendError(f"%{index} of `{self.function.symbol}` is used before it is assigned")
            self.values[index] = value = self.fb.use_var(variable)
            self.assigned_in_block.append(index)
        return value

    def assign(self, local: mir.Local, value: Value) -> None:
        """Make `value` the value of `local` from here on."""
        index = local.index
        self.values[index] = value
        if self.variables[index] is not None:
            self._assign_variable(index, value)

    def _assign_variable(self, index: int, value: Value) -> None:
        self.fb.def_var(self.variables[index], value)
        self.assigned_in_block.append(index)

    def _forget_block(self) -> None:
        values = self.values
        for index in self.assigned_in_block:
            values[index] = None
        self.assigned_in_block.clear()

    def _cell(self, offset: int) -> Value:
        return self.fb.ins_load(I64, TRUSTED, self.context, offset)

    def _limit(self) -> Value:
        """Load the limit so that no two loads of it are merged, and none leaves a loop."""
        return self.fb.ins_atomic_load(I64, TRUSTED, self.fb.ins_iadd_imm(self.context, abi.LIMIT))

    def address(self, op: mir.Load | mir.Store) -> tuple[Value, int]:
        """Return the base and the offset, of at most 31 bits, of an access."""
        fb = self.fb
        base, offset = self.values[op.base.index] or self.use(op.base), op.offset
        if op.index is not None:
            base = fb.ins_iadd(base, self._scaled(op.index, op.scale))
        if not -0x80000000 <= offset < 0x80000000:
            base, offset = fb.ins_iadd(base, fb.ins_iconst(I64, offset)), 0
        return base, offset

    def _scaled(self, index: mir.Local, scale: int) -> Value:
        value = self.use(index)
        if scale == 1:
            return value
        if scale & (scale - 1) == 0:
            return self.fb.ins_ishl_imm(value, scale.bit_length() - 1)
        return self.fb.ins_imul_imm(value, scale)

    # --- Failing ----------------------------------------------------------------------------------

    def _cold_branch(self, cond: Value) -> tuple[Any, Any]:
        """Branch to a new cold block where `cond` is true, else to another new block.

        The order matters: Cranelift moves computations out of a loop as long as it has not come to a block
        outside of it, and it comes last to what stands first here.
        """
        fb = self.fb
        cold, after = fb.create_block(), fb.create_block()
        fb.set_cold_block(cold)
        fb.ins_brif(cond, cold, (), after, ())
        return cold, after

    def throw_where(self, cond: Value, kind: int, place: mir.Place, *details: Value) -> None:
        """Fail where `cond` is true; go on where it is false."""
        fb = self.fb
        cold, after = self._cold_branch(cond)
        fb.switch_to_block(cold)
        self._throw(kind, place, *details)
        fb.switch_to_block(after)
        fb.seal_block(after)

    def _throw(self, kind: int, place: mir.Place, *details: Value) -> None:
        # A place that is a parameter is where the caller calls, and its frame says that.
        is_here = not isinstance(place, mir.Local) or place.index in self.sites
        key = kind, len(details), is_here
        block = self.throws.get(key)
        if block is None:
            block = self.throws[key] = self.fb.create_block()
            self.fb.set_cold_block(block)
            for _ in range(1 + len(details)):
                self.fb.append_block_param(block, I64)
        if type(place) is mir.Site:
            site = self.fb.ins_iconst(I64, self.link.site_number(place))
        else:
            assert isinstance(place, mir.Local)
            site = self.use(place)
        self.fb.ins_jump(block, (site, *details))

    def _emit_throws(self) -> None:
        fb = self.fb
        for (kind, _, is_here), block in self.throws.items():
            fb.switch_to_block(block)
            zero = fb.ins_iconst(I64, 0)
            if kind == _RECORDED:
                fb.ins_store(TRUSTED, zero, self.context, abi.FAILED)
            site, *details = fb.block_params(block)
            if not details:
                details = [zero, zero]
            elif len(details) == 1:
                details = [*details, fb.ins_iconst(I64, abi.MESSAGE)]
            arguments = [self.context, fb.ins_iconst(I64, kind), site, *details]
            self._mark(EXPLICIT_SITE if is_here else 0)
            fb.ins_call_indirect(fb.import_signature(_THROW), self._cell(abi.THROW), arguments)
            fb.ins_trap(TRAP)

    def _mark(self, number: int) -> None:
        """Say where the call that comes next stands: the number of its site."""
        fb = self.fb
        fb.ins_store(TRUSTED, fb.ins_iconst(I32, number), self.context, abi.CALL_MARK)

    def _mark_site(self, site: mir.Site | None) -> None:
        if site is not None:
            self._mark(self.link.site_number(site))

    def _throw_recorded(self, place: mir.Place) -> None:
        """Throw on what a function outside has recorded, if it did."""
        self.throw_where(self._cell(abi.FAILED), _RECORDED, place)

    def _poll(self, place: mir.Place) -> None:
        fb = self.fb
        fb.ins_call_indirect(fb.import_signature(_POLL), self._cell(abi.POLL), ())
        self._throw_recorded(place)

    # --- Instructions -----------------------------------------------------------------------------

    def const(self, op: mir.Const) -> Value:
        type, value, fb = op.dst.type, op.value, self.fb
        if type.kind == "float":
            return (fb.ins_f64const if type.size == 8 else fb.ins_f32const)(float(value))
        number = int(value)
        if self.variables[op.dst.index] is None:
            self.constants[op.dst.index] = number
        if type.size < 8:
            number &= (1 << 8 * type.size) - 1
        elif number >> 63 > 0:
            number -= 1 << 64
        return fb.ins_iconst(TYPE[type], number)

    def const_text(self, op: mir.ConstText) -> Value:
        offset = self.link.text_offset(op.value)
        return self.fb.ins_load(I64, CONSTANT, self.context, offset)

    def const_site(self, op: mir.ConstSite) -> Value:
        self.sites.add(op.dst.index)
        return self.fb.ins_iconst(I64, self.link.site_number(op.site))

    def const_type_id(self, op: mir.ConstTypeId) -> Value:
        return self.fb.ins_iconst(I64, self.link.type_id(op.name))

    def const_code(self, op: mir.ConstCode) -> Value:
        return self.fb.ins_iconst(I64, self.link.code_offset(op.symbol))

    def copy(self, op: mir.Copy) -> Value:
        if op.src.index in self.sites:
            self.sites.add(op.dst.index)
        return self.values[op.src.index] or self.use(op.src)

    def unary(self, op: mir.Unary) -> Value:
        return unary(self.fb, op.op, op.dst.type, self.use(op.src))

    def binary(self, op: mir.Binary) -> Value:
        type = op.dst.type
        # The quick way to `use`, here and in the other common instructions: values are never false.
        lhs = self.values[op.lhs.index] or self.use(op.lhs)
        if op.op == "div" or op.op == "rem":
            return self._divide(op.op, type, lhs, op.rhs)
        name = SIMPLE_BINARY.get((op.op, type))
        if name is None:
            raise BackendError(f"no operator `{op.op}` on {type}")
        return getattr(self.fb, name)(lhs, self.values[op.rhs.index] or self.use(op.rhs))

    def _divide(self, op: str, type: mir.MirType, lhs: Value, rhs: mir.Local) -> Value:
        fb = self.fb
        if type.kind == "float":
            if op == "div":
                return fb.ins_fdiv(lhs, self.use(rhs))
            return self._float_rem(type, lhs, self.use(rhs))
        divisor = self.constants.get(rhs.index)
        if divisor is not None:
            result = by_constant(fb, op, type, lhs, divisor)
            if result is not None:
                return result
        if type.signed:
            return signed_division(fb, op, type, lhs, self.use(rhs))
        return getattr(fb, SIMPLE_BINARY[op, type])(lhs, self.use(rhs))

    def _float_rem(self, type: mir.MirType, lhs: Value, rhs: Value) -> Value:
        # The remainder of two f32 is an f32: the detour through f64 is exact.
        args = [convert(self.fb, value, type, mir.F64) for value in (lhs, rhs)]
        target = self.fb.ins_load(I64, CONSTANT, self.context, self.link.import_offset("fmod"))
        (result,) = self._call(target, (mir.F64, mir.F64), (mir.F64,), args)
        return convert(self.fb, result, mir.F64, type)

    def checked(self, op: mir.Checked) -> Value:
        lhs, rhs = self.use(op.lhs), self.use(op.rhs)
        result, overflow = checked(self.fb, op.op, op.dst.type, lhs, rhs)
        self.throw_where(overflow, _OVERFLOW, op.place)
        return result

    def compare(self, op: mir.Compare) -> Value:
        name, condition = CONDITION[op.op, op.lhs.type]
        if name == "ins_fcmp":
            self.float_tests.add(op.dst.index)
        lhs = self.values[op.lhs.index] or self.use(op.lhs)
        rhs = self.values[op.rhs.index] or self.use(op.rhs)
        return getattr(self.fb, name)(condition, lhs, rhs)

    def convert(self, op: mir.Convert) -> Value:
        return convert(self.fb, self.use(op.src), op.src.type, op.dst.type)

    def bitcast(self, op: mir.Bitcast) -> Value:
        return bitcast(self.fb, self.use(op.src), op.src.type, op.dst.type)

    def select(self, op: mir.Select) -> Value:
        return self.fb.ins_select(self.use(op.cond), self.use(op.lhs), self.use(op.rhs))

    def load(self, op: mir.Load) -> Value:
        base, offset = self.address(op)
        return self.fb.ins_load(TYPE[op.dst.type], TRUSTED, base, offset)

    def store(self, op: mir.Store) -> None:
        base, offset = self.address(op)
        self.fb.ins_store(TRUSTED, self.use(op.src), base, offset)

    def context_address(self, op: mir.Context) -> Value:
        return self.context

    def index(self, op: mir.Index) -> Value:
        fb = self.fb
        given = self.values[op.src.index] or self.use(op.src)
        length = self.values[op.length.index] or self.use(op.length)
        outside = fb.ins_icmp(IntCC.UnsignedGreaterThanOrEqual, given, length)
        if not op.wrap:
            self.throw_where(outside, _INDEX_ERROR, op.place, given, length)
            return given
        # A negative index is rare: only then is it looked at again.
        cold, failed, after = fb.create_block(), fb.create_block(), fb.create_block()
        fb.set_cold_block(cold)
        fb.set_cold_block(failed)
        result = fb.append_block_param(after, I64)
        fb.ins_brif(outside, cold, (), after, (given,))
        fb.switch_to_block(cold)
        wrapped = fb.ins_iadd(given, length)
        # Not a negative one: the sum with a length is no less than the length, or it is negative.
        outside = fb.ins_icmp(IntCC.UnsignedGreaterThanOrEqual, wrapped, length)
        fb.ins_brif(outside, failed, (), after, (wrapped,))
        fb.switch_to_block(failed)
        self._throw(_INDEX_ERROR, op.place, given, length)
        fb.switch_to_block(after)
        fb.seal_block(after)
        return result

    def check(self, op: mir.Check) -> None:
        fb, cond = self.fb, self.use(op.cond)
        if op.cond.index in self.float_tests:
            # A branch on the comparison of floats itself is better code than one on its negation.
            cold, after = fb.create_block(), fb.create_block()
            fb.set_cold_block(cold)
            fb.ins_brif(cond, after, (), cold, ())
        else:
            cold, after = self._cold_branch(fb.ins_icmp_imm(IntCC.Equal, cond, 0))
        fb.switch_to_block(cold)
        details = () if op.message is None else (self.use(op.message),)
        self._throw(_kind_number(op.kind), op.place, *details)
        fb.switch_to_block(after)
        fb.seal_block(after)

    def poll(self, op: mir.Poll) -> None:
        fb = self.fb
        cold, after = self._cold_branch(fb.ins_icmp_imm(IntCC.Equal, self._limit(), -1))
        fb.switch_to_block(cold)
        self._poll(op.place)
        fb.ins_jump(after, ())
        fb.switch_to_block(after)
        fb.seal_block(after)

    # --- Calls ------------------------------------------------------------------------------------

    def call(self, op: mir.Call) -> None:
        self._mark_site(op.site)
        self._call_compiled(self._cell(self.link.code_offset(op.callee)), op.args, op.dsts)

    def call_pointer(self, op: mir.CallPointer) -> None:
        target = self.use(op.target)
        self._mark_site(op.site)
        if op.c:
            self._call_c(target, op.args, op.dsts)
        else:
            self._call_compiled(target, op.args, op.dsts)

    def call_extern(self, op: mir.CallExtern) -> None:
        target = self.fb.ins_load(I64, CONSTANT, self.context, self.link.import_offset(op.symbol))
        self._call_c(target, op.args, () if op.dst is None else (op.dst,))
        if op.raises:
            self._throw_recorded(op.place)

    def _call_compiled(self, target: Value, args: tuple[mir.Local, ...], dsts: tuple[mir.Local, ...]) -> None:
        types = tuple([dst.type for dst in dsts])
        registers, memory = _classify(types)
        params = (mir.PTR, *[arg.type for arg in args])
        values = [self.context, *map(self.use, args)]
        results = self._call(target, params, tuple([types[n] for n in registers]), values)
        for n, result in zip(registers, results):
            self.assign(dsts[n], result)
        for place, n in enumerate(memory):
            offset = abi.RETURNS + 8 * place
            self.assign(dsts[n], self.fb.ins_load(TYPE[types[n]], TRUSTED, self.context, offset))

    def _call_c(self, target: Value, args: tuple[mir.Local, ...], dsts: tuple[mir.Local, ...]) -> None:
        """C callees may rely on narrow integers being extended to 32 bits, though not by the letter."""
        types = []
        values = []
        for arg in args:
            type, value = arg.type, self.use(arg)
            if type.size < 4:
                type, value = mir.I32, extend(self.fb, value, type, I32)
            types.append(type)
            values.append(value)
        results = self._call(target, tuple(types), tuple([dst.type for dst in dsts]), values)
        for dst, result in zip(dsts, results):
            self.assign(dst, result)

    def _call(self, target: Value, params: Types, results: Types, args: list[Value]) -> Iterable[Value]:
        fb = self.fb
        signature = self.signatures.get((params, results))
        if signature is None:
            signature = fb.import_signature(adapter.signature(params, results))
            self.signatures[params, results] = signature
        call = fb.ins_call_indirect(signature, target, args)
        return fb.inst_results(call) if results else ()

    # --- Terminators ------------------------------------------------------------------------------

    def jump(self, op: mir.Jump) -> None:
        head = self.tests.latches.get(self.block)
        if head is None:
            self.fb.ins_jump(self.blocks[op.target], ())
        else:
            self._emit(head.instructions)
            TERMINATE[type(head.terminator)](self, head.terminator)

    def branch(self, op: mir.Branch) -> None:
        fb = self.fb
        if op.cold is not None:
            rare = op.then if op.cold == "then" else op.orelse
            if len(self.predecessors[rare]) == 1:
                fb.set_cold_block(self.blocks[rare])
        fb.ins_brif(self.use(op.cond), self.blocks[op.then], (), self.blocks[op.orelse], ())

    def switch(self, op: mir.Switch) -> None:
        value = self.use(op.value)
        cases = dict(reversed(op.cases))
        if len(cases) <= _FEW_CASES:
            self._switch_by_compare(value, sorted(cases), cases, op.default)
        elif max(cases) - min(cases) < 4 * len(cases):
            self._switch_by_table(value, cases, op.default)
        else:
            self._switch_by_search(value, sorted(cases), cases, op.default)

    def _switch_by_compare(
        self, value: Value, numbers: list[int], cases: dict[int, mir.Block], default: mir.Block
    ) -> None:
        fb = self.fb
        for number in numbers:
            after = fb.create_block()
            equal = fb.ins_icmp(IntCC.Equal, value, fb.ins_iconst(I64, number))
            fb.ins_brif(equal, self.blocks[cases[number]], (), after, ())
            fb.switch_to_block(after)
            fb.seal_block(after)
        fb.ins_jump(self.blocks[default], ())

    def _switch_by_search(
        self, value: Value, numbers: list[int], cases: dict[int, mir.Block], default: mir.Block
    ) -> None:
        if len(numbers) <= _FEW_CASES:
            self._switch_by_compare(value, numbers, cases, default)
            return
        fb = self.fb
        middle = len(numbers) // 2
        below, above = fb.create_block(), fb.create_block()
        less = fb.ins_icmp(IntCC.SignedLessThan, value, fb.ins_iconst(I64, numbers[middle]))
        fb.ins_brif(less, below, (), above, ())
        for block, part in ((below, numbers[:middle]), (above, numbers[middle:])):
            fb.switch_to_block(block)
            fb.seal_block(block)
            self._switch_by_search(value, part, cases, default)

    def _switch_by_table(self, value: Value, cases: dict[int, mir.Block], default: mir.Block) -> None:
        fb, blocks = self.fb, self.blocks
        least, most = min(cases), max(cases)
        targets: list[Any] = [(blocks[cases.get(number, default)], []) for number in range(least, most + 1)]
        table = fb.create_jump_table((blocks[default], []), targets)
        place = fb.ins_isub(value, fb.ins_iconst(I64, least))
        # The table is indexed by 32 bits; a place past its end goes to the default.
        place = fb.ins_umin(place, fb.ins_iconst(I64, len(targets)))
        fb.ins_br_table(fb.ins_ireduce(I32, place), table)

    def return_(self, op: mir.Return) -> None:
        fb = self.fb
        values = [self.use(value) for value in op.values]
        if not self.function.c_convention:
            registers, memory = _classify(self.function.results)
            for place, n in enumerate(memory):
                fb.ins_store(TRUSTED, values[n], self.context, abi.RETURNS + 8 * place)
            values = [values[n] for n in registers]
        fb.ins_return(values)

    def throw(self, op: mir.Throw) -> None:
        self._throw(_kind_number(op.kind), op.place, self.use(op.message))

    def unreachable(self, _: mir.Unreachable) -> None:
        self.fb.ins_trap(TRAP)


LOWER: Final[dict[type, Handler]] = {
    mir.Const: FunctionLowering.const,
    mir.ConstText: FunctionLowering.const_text,
    mir.ConstSite: FunctionLowering.const_site,
    mir.ConstTypeId: FunctionLowering.const_type_id,
    mir.ConstCode: FunctionLowering.const_code,
    mir.Copy: FunctionLowering.copy,
    mir.Unary: FunctionLowering.unary,
    mir.Binary: FunctionLowering.binary,
    mir.Checked: FunctionLowering.checked,
    mir.Compare: FunctionLowering.compare,
    mir.Convert: FunctionLowering.convert,
    mir.Bitcast: FunctionLowering.bitcast,
    mir.Select: FunctionLowering.select,
    mir.Load: FunctionLowering.load,
    mir.Store: FunctionLowering.store,
    mir.Context: FunctionLowering.context_address,
    mir.Index: FunctionLowering.index,
    mir.Check: FunctionLowering.check,
    mir.Call: FunctionLowering.call,
    mir.CallExtern: FunctionLowering.call_extern,
    mir.CallPointer: FunctionLowering.call_pointer,
    mir.Poll: FunctionLowering.poll,
}

TERMINATE: Final[dict[type, Handler]] = {
    mir.Jump: FunctionLowering.jump,
    mir.Branch: FunctionLowering.branch,
    mir.Switch: FunctionLowering.switch,
    mir.Return: FunctionLowering.return_,
    mir.Throw: FunctionLowering.throw,
    mir.Unreachable: FunctionLowering.unreachable,
}


def _kind_number(kind: str) -> int:
    number = abi.ERROR_NUMBER.get(kind)
    if number is None:
        raise BackendError(f"no error of the kind `{kind}`")
    return number
