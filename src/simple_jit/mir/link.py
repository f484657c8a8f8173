"""MIR text from outside: read, verified, and checked against what it refers to.

    unit = read_unit(text, linkage)      parse → verify → link

Whatever is wrong is an `InvalidMir` with a line and a reason; what comes back, every back end can compile.
Whether it may run is another matter: MIR reads and writes any address it likes.
"""

from __future__ import annotations

from simple_jit.mir import abi
from simple_jit.mir import nodes as mir
from simple_jit.mir.parse import MirSyntaxError, TypeShape, Unit, parse_unit
from simple_jit.mir.verify import MirError, verify
from simple_jit.mir.visit import DEFS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final, Protocol, TypeAlias

    Types: TypeAlias = tuple[mir.MirType, ...]
    Signature: TypeAlias = tuple[Types, Types]
else:
    Protocol = object

MOST_PARAMETERS: Final = 255
MOST_RESULTS: Final = abi.RETURNS_COUNT


class InvalidMir(Exception):
    """Text that is no MIR that could run: `line` (from 1) and `reason`."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


class Linkage(Protocol):
    """What a unit may refer to beside its own functions."""

    def signature(self, symbol: str) -> Signature | None:
        """The machine types of a function that is there already, None where there is none."""

    def extern(self, symbol: str) -> tuple[Signature | None, bool] | None:
        """Types of a foreign function (None: any) and whether it can fail; None where there is none."""

    def has_type(self, name: str) -> bool:
        """Is there a type descriptor of this name?"""


def read_unit(text: str, linkage: Linkage) -> Unit:
    """Return what is in `text`: functions that call each other and what `linkage` knows, and types.

    Raises:
        InvalidMir: it is no MIR, or breaks a rule.
    """
    try:
        unit = parse_unit(text)
    except MirSyntaxError as error:
        raise InvalidMir(error.line, error.reason) from None
    for function in unit.functions:
        try:
            verify(function)
        except MirError as error:
            culprit = error.culprit if error.culprit is not None else function
            raise InvalidMir(unit.lines.get(culprit, unit.lines[function]), error.problem) from None
    _Linker(unit, linkage).check()
    return unit


def move_globals(functions: Sequence[mir.Function], by: int) -> int:
    """Have functions use module-level variables `by` cells further on; returns the first cell behind them.

    What counts is a load or store at a fixed offset from a local that only `context` assigns.
    """
    top = by
    for function in functions:
        contexts = _context_locals(function)
        for block in function.blocks:
            for at, i in enumerate(block.instructions):
                if isinstance(i, (mir.Load, mir.Store)) and i.base in contexts and i.index is None:
                    cell = (i.offset - abi.GLOBALS) >> 3
                    if 0 <= cell < abi.GLOBALS_COUNT:
                        top = max(top, cell + by + 1)
                        kind, local = (mir.Load, i.dst) if isinstance(i, mir.Load) else (mir.Store, i.src)
                        block.instructions[at] = kind(local, i.base, i.offset + 8 * by)
    return top


def _context_locals(function: mir.Function) -> set[mir.Local]:
    """Return the locals that hold the address of the context and nothing else."""
    found: set[mir.Local] = set()
    others: set[mir.Local] = set(function.params)
    for block in function.blocks:
        for i in block.instructions:
            if isinstance(i, mir.Context):
                found.add(i.dst)
            else:
                others.update(DEFS[type(i)](i))
    return found - others


class _Linker:
    def __init__(self, unit: Unit, linkage: Linkage) -> None:
        self.lines = unit.lines
        self.linkage = linkage
        self.functions = unit.functions
        self.own: dict[str, mir.Function] = {}
        self.shapes = unit.types
        self.types: dict[str, TypeShape] = {}

    def check(self) -> None:
        for shape in self.shapes:
            problem = _shape_problem(shape) or ("is described twice" if shape.name in self.types else "")
            if problem:
                raise InvalidMir(shape.line, f"the type {shape.name} {problem}")
            self.types[shape.name] = shape
        for function in self.functions:
            problem = self._function_problem(function)
            if problem:
                raise InvalidMir(self.lines[function], problem)
            self.own[function.symbol] = function
        for function in self.functions:
            for block in function.blocks:
                for node in (*block.instructions, block.terminator):
                    problem = self._node_problem(node)
                    if problem:
                        raise InvalidMir(self.lines[node], problem)

    def _function_problem(self, function: mir.Function) -> str:
        symbol = function.symbol
        if not symbol or not symbol.isprintable():
            return "a symbol is made of visible characters"
        if symbol in self.own:
            return f"there are two functions @{symbol}"
        if function.c_convention:
            return "`c_convention` is for functions that the engine itself makes"
        if function.param_count > MOST_PARAMETERS:
            return f"a function has at most {MOST_PARAMETERS} parameters"
        if len(function.results) > MOST_RESULTS:
            return f"a function has at most {MOST_RESULTS} results"
        return ""

    def _node_problem(self, node: mir.Instruction | mir.Terminator) -> str:
        rule = _RULES.get(type(node))
        return rule(self, node) if rule is not None else ""

    def signature(self, symbol: str) -> Signature | None:
        function = self.own.get(symbol)
        if function is None:
            return self.linkage.signature(symbol)
        return tuple([param.type for param in function.params]), function.results

    # --- rules ------------------------------------------------------------------------------------

    def call(self, i: mir.Call) -> str:
        found = self.signature(i.callee)
        if found is None:
            return f"there is no function @{i.callee}"
        params, results = found
        given = tuple([arg.type for arg in i.args])
        if given != params:
            return f"@{i.callee} takes {_shown(params)}, not {_shown(given)}"
        taken = tuple([dst.type for dst in i.dsts])
        return "" if taken == results else f"@{i.callee} returns {_shown(results)}, not {_shown(taken)}"

    def code(self, i: mir.ConstCode) -> str:
        return "" if self.signature(i.symbol) is not None else f"there is no function @{i.symbol}"

    def type_id(self, i: mir.ConstTypeId) -> str:
        known = i.name in self.types or self.linkage.has_type(i.name)
        return "" if known else f"there is no type {i.name}"

    def text(self, i: mir.ConstText) -> str:
        surrogates = any("\ud800" <= char <= "\udfff" for char in i.value)
        return "a text has no surrogates" if surrogates else ""

    def extern(self, i: mir.CallExtern) -> str:
        found = self.linkage.extern(i.symbol)
        if found is None:
            return f"there is no foreign function @{i.symbol}"
        signature, fails = found
        if fails and not i.raises:
            return f"@{i.symbol} can fail: write `raises`"
        if signature is None:
            few = len(i.args) <= MOST_PARAMETERS
            return "" if few else f"a function has at most {MOST_PARAMETERS} parameters"
        params, results = signature
        given = tuple([arg.type for arg in i.args])
        if list(map(_machine, given)) != list(map(_machine, params)):
            return f"@{i.symbol} takes {_shown(params)}, not {_shown(given)}"
        if i.dst is not None and list(map(_machine, results)) != [_machine(i.dst.type)]:
            return f"@{i.symbol} returns {_shown(results)}, not {i.dst.type}"
        return ""

    def pointer(self, i: mir.CallPointer) -> str:
        if len(i.args) > MOST_PARAMETERS:
            return f"a function has at most {MOST_PARAMETERS} parameters"
        return "" if len(i.dsts) <= (1 if i.c else MOST_RESULTS) else "there are too many results"

    def check_kind(self, i: mir.Check) -> str:
        return _kind_problem(i.kind, i.message)

    def throw(self, t: mir.Throw) -> str:
        return _kind_problem(t.kind, t.message)


_LARGEST: Final = 1 << 20
_KINDS: Final = ("struct", "value", "array")


def _shape_problem(shape: TypeShape) -> str:
    """Return what is wrong with the shape of a type: the collector goes by it."""
    if shape.kind not in _KINDS:
        return f"is no {shape.kind}: there are {', '.join(_KINDS)}"
    is_array = shape.kind == "array"
    least, first = (1, 0) if is_array else (abi.HEADER_SIZE, abi.HEADER_SIZE)
    if not least <= shape.size <= _LARGEST:
        return f"has a size of {shape.size}: it is {least} to {_LARGEST}"
    inside = all(first <= at <= shape.size - 8 and at % 8 == 0 for at in shape.references)
    if not inside or (is_array and shape.references and shape.size % 8):
        return "has a reference where there cannot be one"
    return "" if list(shape.references) == sorted(set(shape.references)) else "has references out of order"


def _kind_problem(kind: str, message: mir.Local | None) -> str:
    if kind == "Recorded":
        return "no program fails with an error of kind Recorded"
    if message is None and kind not in abi.WORDED_KINDS:
        return f"an error of kind {kind} needs a message"
    return ""


def _machine(type: mir.MirType) -> tuple[str, int]:
    """Return what counts where the C convention passes a value: addresses are integers."""
    return ("int" if type.kind == "ptr" else type.kind), type.size


def _shown(types: Types) -> str:
    return f"({', '.join([type.name for type in types])})"


_RULES: Final[dict[type, Callable[[_Linker, Any], str]]] = {
    mir.Call: _Linker.call,
    mir.ConstCode: _Linker.code,
    mir.ConstTypeId: _Linker.type_id,
    mir.ConstText: _Linker.text,
    mir.CallExtern: _Linker.extern,
    mir.CallPointer: _Linker.pointer,
    mir.Check: _Linker.check_kind,
    mir.Throw: _Linker.throw,
}
