"""One MIR function → the text of one LLVM function.

A local that is assigned once is an SSA value; any other has a stack slot, which LLVM's first pass turns
into values. Within a block the slot's content is known after its first use, and it is stored once, at the
end. Blocks come in reverse postorder, so that a value's text is known before it is used:

    %i: i64 = const 0            entry: %s0 = alloca i64
    jump b1               ->     b0:    store i64 0, ptr %s0     br label %b1
    b1: … %i = add %i, %one      b1:    %t0 = load i64, ptr %s0  %t1 = add i64 %t0, 1 …
"""

from __future__ import annotations

from simple_jit.mir import abi
from simple_jit.mir import nodes as mir
from simple_jit.mir.abi import classify_results
from simple_jit.mir.nodes import BOOL, Function, Local
from simple_jit.mir.visit import defs, reverse_postorder, successors
from simple_jit.tiers.contract import BackendError
from simple_jit.tiers.llvm.aliasing import CONTEXT, base_classes
from simple_jit.tiers.llvm.unit import (
    INLINED,
    MEMORY_TYPES,
    VALUE_TYPES,
    Unit,
    signature_type,
)


class FunctionWriter:
    """The function being written: its lines so far, and the text of each local's value."""

    def __init__(self, unit: Unit, function: Function, calls_itself_as: str = "") -> None:
        self.unit = unit
        self.function = function
        self._calls_itself_as = calls_itself_as
        self.bases = base_classes(function)
        self.lines: list[str] = []
        self.lengths: set[Local] = set()
        self.constants: dict[Local, int | float | bool] = {}
        self.block_label = ""
        self._cold: list[str] = []
        self._failures: dict[str, str] = {}
        self._values: dict[Local, str] = {}
        self._slots: set[Local] = set()
        self._used_slots: dict[Local, None] = {}
        self._known: dict[Local, str] = {}
        self._unsaved: dict[Local, str] = {}
        self._passed: set[mir.Block] = set()
        self.is_rare = False
        self._temporaries = 0
        self._labels = 0
        self._survey()
        for param in function.params:
            if param not in self._slots:
                self._values[param] = parameter_value(param)

    def _survey(self) -> None:
        """Find the locals that are assigned more than once, lengths of arrays, and constants."""
        assigned = set(self.function.params)
        for block in self.function.blocks:
            for i in block.instructions:
                for local in defs(i):
                    (self._slots if local in assigned else assigned).add(local)
                if type(i) is mir.Index:
                    self.lengths.add(i.length)
                elif type(i) is mir.Const:
                    self.constants[i.dst] = i.value
        for local in self._slots:
            self.constants.pop(local, None)
        self.lengths -= self._slots

    # --- values ---------------------------------------------------------------------------------
    def get(self, local: Local) -> str:
        """Return the text of a local's value."""
        value = self._values.get(local) or self._known.get(local)
        if value is None:
            value = self.op(f"load {VALUE_TYPES[local.type.name]}, ptr {self._slot(local)}")
            self._known[local] = value
        return value

    def typed(self, local: Local) -> str:
        """Return type and value."""
        return f"{VALUE_TYPES[local.type.name]} {self.get(local)}"

    def set(self, local: Local, value: str) -> None:
        """Assign `value`, the text of a value, to a local."""
        if local in self._slots:
            self._known[local] = self._unsaved[local] = value
        else:
            self._values[local] = value

    def define(self, local: Local, operation: str) -> None:
        """Assign the result of an operation to a local."""
        self.set(local, self.op(operation))

    def op(self, operation: str) -> str:
        """Emit an operation and return the name of its result."""
        name = f"%t{self._temporaries}"
        self._temporaries += 1
        self.lines.append(f"  {name} = {operation}")
        return name

    def emit(self, line: str) -> None:
        """Emit an instruction without result."""
        self.lines.append(f"  {line}")

    def _slot(self, local: Local) -> str:
        self._used_slots[local] = None
        return f"%s{local.index}"

    def finish_block(self) -> None:
        """Store what the block has assigned to locals that live in slots."""
        for local, value in self._unsaved.items():
            self.emit(f"store {VALUE_TYPES[local.type.name]} {value}, ptr {self._slot(local)}")
        self.forget_block()

    def forget_block(self) -> None:
        """Leave a block that nothing comes after, or whose slots are stored."""
        self._unsaved.clear()
        self._known.clear()

    # --- control --------------------------------------------------------------------------------
    def label(self) -> str:
        """Return a new label."""
        self._labels += 1
        return f"x{self._labels}"

    def start(self, label: str) -> None:
        """Go on in a new block of LLVM's."""
        self.block_label = label
        self.lines.append(f"{label}:")

    def fail_unless(self, condition: str, call: str) -> None:
        """Go on where `condition` holds; else make a call that does not return."""
        go_on = self.label()
        self.emit(f"br i1 {condition}, label %{go_on}, label %{self.failure(call)}")
        self.start(go_on)

    def failure(self, call: str) -> str:
        """Return the label of a cold block that ends with `call`; the same for the same call."""
        label = self._failures.get(call)
        if label is None:
            label = self._failures[call] = self.label()
            self._cold += (f"{label}:", f"  {call}", "  unreachable")
        return label

    def fail_if_recorded(self, place: mir.Place) -> None:
        """Throw again what a function outside has recorded, if it did."""
        ok = self.op(f"icmp eq i64 {self.load_cell(abi.FAILED, 'i64')}, 0")
        call = f"call void {self.unit.helper('rethrow')}(ptr %ctx, i64 {self.place(place)})"
        self.fail_unless(ok, f"{call} noreturn {self.at(place)}")

    def unlikely(self, condition: str, call: str) -> None:
        """Make a call where `condition` holds, which is rare, and go on."""
        rare, go_on = self.label(), self.label()
        weights = self.unit.metadata('!{!"branch_weights", i32 1, i32 2000}')
        self.emit(f"br i1 {condition}, label %{rare}, label %{go_on}, !prof {weights}")
        self.start(go_on)
        self._cold += (f"{rare}:", f"  {call}", f"  br label %{go_on}")

    def jump_back(self, *targets: mir.Block) -> str:
        """Return what to attach to a jump to one of `targets`."""
        if self.is_rare and not self._passed.isdisjoint(targets):
            return self.unit.rare_loop()
        return ""

    # --- errors ---------------------------------------------------------------------------------
    def place(self, place: mir.Place) -> str:
        """Return the number of the site of an error."""
        return self.get(place) if type(place) is Local else str(self.unit.link.site_number(place))  # type: ignore[arg-type]

    def at(self, place: mir.Place | None) -> str:
        """Return what to attach to a call for tracebacks."""
        if place is None:
            return self.unit.at_site(0)
        number = self.place(place)
        # A place that is a parameter is where the caller calls, and its frame says that.
        return self.unit.at_site(int(number) if number.isdecimal() else 0)

    def throw(self, kind: str, place: mir.Place, a: str = "0", b: str = "0") -> str:
        """Return the text of a call that fails; `a` and `b` as `abi.ERROR_A` and `ERROR_B` say."""
        number = abi.ERROR_NUMBER[kind]
        throw = self.unit.helper("throw")
        arguments = f"ptr %ctx, i64 {number}, i64 {self.place(place)}, i64 {a}, i64 {b}"
        return f"call void {throw}({arguments}) noreturn {self.at(place)}"

    def safepoint(self, helper: str, arguments: str, place: mir.Place) -> str:
        """Return the text of a call of a helper that may change the context, but no object."""
        name = self.unit.helper(helper)
        return f"call void {name}(ptr %ctx, {arguments}) {self.at(place)}{self.unit.alias_tag(CONTEXT)}"

    # --- memory ---------------------------------------------------------------------------------
    def cell(self, offset: int) -> str:
        """Return the address of a cell of the context."""
        return self.op(f"getelementptr inbounds nuw i8, ptr %ctx, i64 {offset}")

    def load_cell(self, offset: int, type: str = "ptr", never_changes: bool = False) -> str:
        """Load a cell of the context; one that never changes is filled before any code runs."""
        more = ", !invariant.load !1" if never_changes else ""
        return self.op(f"load {type}, ptr {self.cell(offset)}{self.unit.alias_tag(CONTEXT)}{more}")

    def foreign_target(self, symbol: str, result: str, parameters: str) -> str:
        """Return what a call of a foreign function of that type calls."""
        name = self.unit.foreign(symbol, result, parameters)
        if name is not None:
            return name
        address = self.load_cell(self.unit.link.import_offset(symbol), never_changes=True)
        return f"(...) {address}" if "..." in symbol else address

    def to_memory(self, local: Local) -> str:
        """Return type and value as they stand in memory and in signatures."""
        value = self.get(local)
        if local.type is BOOL:
            if value in ("true", "false"):
                return f"i8 {int(value == 'true')}"
            return f"i8 {self.op(f'zext i1 {value} to i8')}"
        return f"{VALUE_TYPES[local.type.name]} {value}"

    def set_from_memory(self, local: Local, value: str) -> None:
        """Assign a value that came from memory or a call."""
        self.set(local, self.op(f"trunc i8 {value} to i1") if local.type is BOOL else value)

    # --- results --------------------------------------------------------------------------------
    def write_return(self, values: tuple[Local, ...]) -> None:
        """Return `values`, in registers and the context's RETURNS."""
        registers, memory = classify_results([value.type for value in values])
        for position, index in enumerate(memory):
            cell = self.cell(abi.RETURNS + 8 * position)
            self.emit(f"store {self.to_memory(values[index])}, ptr {cell}{self.unit.alias_tag(CONTEXT)}")
        if not registers:
            self.emit("ret void")
        elif len(registers) == 1:
            self.emit(f"ret {self.to_memory(values[registers[0]])}")
        else:
            type = signature_type([values[index].type for index in registers])
            whole = "poison"
            for position, index in enumerate(registers):
                part = self.to_memory(values[index])
                whole = self.op(f"insertvalue {type} {whole}, {part}, {position}")
            self.emit(f"ret {type} {whole}")

    def write_call(
        self, target: str, dsts: tuple[Local, ...], arguments: list[str], site: mir.Site | None
    ) -> None:
        """Call a function of the program's own convention (without the context, if it is a C function)."""
        registers, memory = classify_results([dst.type for dst in dsts])
        type = signature_type([dsts[index].type for index in registers])
        call = f"call {type} {target}({', '.join(arguments)}) {self.at(site)}"
        if not registers:
            self.emit(call)
        else:
            self._take_registers([dsts[index] for index in registers], type, self.op(call))
        for position, index in enumerate(memory):
            dst = dsts[index]
            loaded = self.load_cell(abi.RETURNS + 8 * position, MEMORY_TYPES[dst.type.name])
            self.set_from_memory(dst, loaded)

    def _take_registers(self, dsts: list[Local], type: str, result: str) -> None:
        if len(dsts) == 1:
            self.set_from_memory(dsts[0], result)
            return
        for position, dst in enumerate(dsts):
            self.set_from_memory(dst, self.op(f"extractvalue {type} {result}, {position}"))

    def direct_target(self, symbol: str) -> str | None:
        """Return the name of a function in the same unit, None where it is elsewhere."""
        if self._calls_itself_as and symbol == self.function.symbol:
            return self._calls_itself_as
        return self.unit.function(symbol)

    # --- the whole ------------------------------------------------------------------------------
    def write(self, linkage: str, name: str, attributes: int) -> str:
        """Return the function's definition; `attributes` is one of the groups in `unit`."""
        from simple_jit.tiers.llvm.instructions import INSTRUCTIONS, TERMINATORS

        order = reverse_postorder(self.function)
        rare = rare_blocks(order)
        self._passed = set()
        for block in order:
            self._passed.add(block)
            self.is_rare = block in rare
            self.start(f"b{block.index}")
            for i in block.instructions:
                INSTRUCTIONS[type(i)](self, i)
            terminator = block.terminator
            if terminator is mir.UNFINISHED:
                raise BackendError(f"b{block.index} of `{self.function.symbol}` has no terminator")
            TERMINATORS[type(terminator)](self, terminator)
        return "\n".join(
            [
                f"define {linkage} {self.unit.signature(self.function, name)} #{attributes} {{",
                "entry:",
                *self._entry(attributes),
                *self.lines,
                *self._cold,
                "}",
            ]
        )

    def _entry(self, attributes: int) -> list[str]:
        """Return what stands in front of the first block: the context, the stack check, parameters."""
        body, self.lines = self.lines, []
        function = self.function
        context = self.unit.context(function)
        if context is not None:
            self.emit(f"%ctx = {context}")
        parameters = [self._parameter(param) for param in function.params]
        if attributes != INLINED and function.checks_stack and self._calls():
            self._check_stack()
        for param, value in zip(function.params, parameters, strict=True):
            if param in self._slots:
                self.emit(f"store {VALUE_TYPES[param.type.name]} {value}, ptr {self._slot(param)}")
        self.emit("br label %b0")
        slots = [f"  %s{local.index} = alloca {VALUE_TYPES[local.type.name]}" for local in self._used_slots]
        lines, self.lines = slots + self.lines, body
        return lines

    def _parameter(self, param: Local) -> str:
        """Return the text of a parameter's value at entry."""
        if param.type is BOOL:
            self.emit(f"{parameter_value(param)} = trunc i8 %p{param.index} to i1")
        return parameter_value(param)

    def _calls(self) -> bool:
        """Does the function call code that has a stack check of its own? If not, it needs none."""
        return any(
            type(i) in (mir.Call, mir.CallPointer)
            for block in self.function.blocks
            for i in block.instructions
        )

    def _check_stack(self) -> None:
        site = mir.Site(self.function.file, self.function.line, 1, self.function.symbol)
        address = self.unit.intrinsic("addressofreturnaddress.p0", "ptr", "")
        stack = self.op(f"ptrtoint ptr {self.op(f'call ptr {address}()')} to i64")
        limit = self.load_cell(abi.LIMIT, "i64")
        low = self.op(f"icmp ult i64 {stack}, {limit}")
        number = self.unit.link.site_number(site)
        self.unlikely(low, self.safepoint("check_stack", f"i64 {stack}, i64 {number}", site))


def rare_blocks(order: list[mir.Block]) -> set[mir.Block]:
    """Return the blocks that are reached through the cold side of a branch only.

    `order` is in reverse postorder; jumps back do not count.
    """
    if not any(type(block.terminator) is mir.Branch and block.terminator.cold for block in order):
        return set()
    usual = {order[0]}
    for block in order:
        if block in usual:
            usual.update(_usual_successors(block))
    return set(order) - usual


def _usual_successors(block: mir.Block) -> tuple[mir.Block, ...]:
    t = block.terminator
    if type(t) is mir.Branch and t.cold is not None:
        return (t.orelse,) if t.cold == "then" else (t.then,)
    return successors(block)


def parameter_value(param: Local) -> str:
    """Return the name of the value that a parameter has at entry."""
    return f"%q{param.index}" if param.type is BOOL else f"%p{param.index}"
