"""MIR text from outside: read, verified, and checked against what it refers to.

    unit = read_unit(text, linkage)      parse → verify → link

Whatever is wrong is an `InvalidMir` with a line and a reason; what comes back, every back end can compile.
Whether it may run is another matter: MIR reads and writes any address it likes.
"""

from __future__ import annotations

from simple_jit.mir import abi
from simple_jit.mir import nodes as mir
from simple_jit.mir.parse import MirSyntaxError, parse_functions
from simple_jit.mir.verify import MirError, verify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final, Protocol, TypeAlias

    from simple_jit.mir.parse import Lines

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


def read_unit(text: str, linkage: Linkage) -> list[mir.Function]:
    """Return the functions in `text`, which may call each other and what `linkage` knows.

    Raises:
        InvalidMir: it is no MIR, or breaks a rule.
    """
    lines: Lines = {}
    try:
        functions = parse_functions(text, lines)
    except MirSyntaxError as error:
        raise InvalidMir(error.line, error.reason) from None
    for function in functions:
        try:
            verify(function)
        except MirError as error:
            culprit = error.culprit if error.culprit is not None else function
            raise InvalidMir(lines.get(culprit, lines[function]), error.problem) from None
    _Linker(functions, lines, linkage).check()
    return functions


class _Linker:
    def __init__(self, functions: Sequence[mir.Function], lines: Lines, linkage: Linkage) -> None:
        self.lines = lines
        self.linkage = linkage
        self.functions = functions
        self.own: dict[str, mir.Function] = {}

    def check(self) -> None:
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
        return "" if self.linkage.has_type(i.name) else f"there is no type {i.name}"

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
