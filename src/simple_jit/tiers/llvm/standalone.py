"""A whole program as one LLVM module that needs no Python: for the ahead-of-time compiler.

Where the code of an engine loads an address from the context, this module has a symbol:

    %ctx                 the address of `simple_context`, which the start file defines
    text constants       objects in the data section
    foreign functions    external functions; those of a library that the program names: import cells
    the code table       `simple_code`, which the start file copies into the context
    entries              aliases by which C knows functions: `simple_main`, `simple_gc_refill`, …

All else is internal, so that LLVM inlines, specialises and drops functions as it likes.
"""

from __future__ import annotations

from simple_jit.mir import abi
from simple_jit.mir.layout import FIXED_DESCRIPTORS, TEXT_DESCRIPTOR
from simple_jit.mir.nodes import Function
from simple_jit.tiers.contract import BackendError, Link
from simple_jit.tiers.llvm.backend import COPYING_LEVEL, write_function
from simple_jit.tiers.llvm.library import Machine, Module, open_library
from simple_jit.tiers.llvm.recursion import AT_LEISURE, copies
from simple_jit.tiers.llvm.unit import (
    INLINED,
    MEMORY_TYPES,
    PLAIN,
    RARELY_CALLED,
    Unit,
    global_name,
    signature_type,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Final

_TEXT: Final = FIXED_DESCRIPTORS.index(TEXT_DESCRIPTOR)


class StandaloneUnit(Unit):
    """The module of a whole program. Foreign functions among `in_libraries` are found when it starts."""

    more_attributes = ' "no-realign-stack"'

    def __init__(self, functions: Sequence[Function], link: Link, in_libraries: Collection[str]) -> None:
        super().__init__(functions, link)
        self._in_libraries = in_libraries
        self._texts: dict[str, str] = {}
        self._foreign: dict[str, str] = {}
        self.declare(f"@simple_context = external hidden global [{abi.CONTEXT_SIZE} x i8], align 4096")

    def signature(self, function: Function, name: str) -> str:
        params = ["ptr %unused"]
        params += [f"{MEMORY_TYPES[p.type.name]} noundef %p{p.index}" for p in function.params]
        return f"{_result(function)} {name}({', '.join(params)})"

    def context(self, function: Function) -> str | None:
        return "getelementptr i8, ptr @simple_context, i64 0"

    def text_constant(self, value: str) -> str | None:
        name = self._texts.get(value)
        if name is None:
            name = self._texts[value] = f"@text.{len(self._texts)}"
            data = value.encode("utf-8", "surrogatepass")
            room = f"[{len(data) + 1} x i8]"
            header = f"i64 {_TEXT}, i64 {len(data)}, i64 {len(value)}, i64 0"
            self.declare(
                f"{name} = internal global {{ i64, i64, i64, i64, {room} }} "
                f'{{ {header}, {room} c"{_escaped(data)}\\00" }}, align {abi.ALIGNMENT}'
            )
        return name

    def foreign(self, symbol: str, result: str, parameters: str) -> str | None:
        if symbol in self._in_libraries:
            return None
        name = global_name(symbol.removesuffix("..."))
        is_variadic = symbol.endswith("...")
        if name not in self._foreign:
            self._foreign[name] = f"declare {result} {name}({'...' if is_variadic else parameters})"
            self.declare(self._foreign[name])
        return f"(...) {name}" if is_variadic else name

    def add_alias(self, name: str, symbol: str, functions: Mapping[str, Function]) -> None:
        """Make an instance known to C as `name`."""
        function = functions[symbol]
        types = ", ".join(["ptr", *[MEMORY_TYPES[p.type.name] for p in function.params]])
        self.declare(f"@{name} = hidden alias {_result(function)} ({types}), ptr {self.symbols[symbol]}")

    def add_code_table(self, symbols: Sequence[str]) -> None:
        """Add `simple_code`: the addresses of functions that are called through the code table."""
        entries = ", ".join([f"ptr {self.symbols[symbol]}" for symbol in symbols])
        content = f"[ {entries} ]" if symbols else "zeroinitializer"
        self.declare(f"@simple_code = hidden constant [{len(symbols)} x ptr] {content}")


def _result(function: Function) -> str:
    registers, _ = abi.classify_results(function.results)
    return signature_type([function.results[index] for index in registers])


def _escaped(data: bytes) -> str:
    return "".join([chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:02X}" for b in data])


class StandaloneProgram:
    """What is compiled: functions, and what the start file calls in them.

    Args:
        functions: all that the program reaches.
        link: numbers code slots, sites and imports.
        entries: the instances that C calls, by the names that it has for them.
        in_libraries: foreign functions that are looked up at the start.
    """

    def __init__(
        self,
        functions: Sequence[Function],
        link: Link,
        entries: Mapping[str, str],
        in_libraries: Collection[str],
    ) -> None:
        self.functions = functions
        self.link = link
        self.entries = entries
        self.in_libraries = in_libraries

    def text(self, heading: str, level: int, code_table: Sequence[str]) -> str:
        """Return the IR, as LLVM is to read it; `code_table` may grow while it is written."""
        unit = StandaloneUnit(self.functions, self.link, self.in_libraries)
        bodies: list[str] = []
        for function in self.functions:
            count = copies(function, AT_LEISURE) if level >= COPYING_LEVEL else 0
            write_function(unit, function, "internal", count, bodies)
        known = {function.symbol: function for function in self.functions}
        for name, symbol in self.entries.items():
            unit.add_alias(name, symbol, known)
        unit.add_code_table(code_table)
        # Stack maps give addresses by section of code: what LLVM finds rarely called stays in the one of all.
        return _in_one_section(unit.text(heading, bodies))


def _in_one_section(text: str) -> str:
    """Put each function that is defined in `text` into the usual section of code."""
    for group in (PLAIN, INLINED, RARELY_CALLED):
        text = text.replace(f" #{group} {{\n", f' #{group} section ".text" {{\n')
    return text


class StandaloneCompiler:
    """LLVM for whole programs, at one level.

    Args:
        level: 0 to 3.
        baseline: make code for any machine of this architecture, not only for this one.

    Raises:
        BackendMissing: llvmlite is not installed.
    """

    def __init__(self, level: int, baseline: bool) -> None:
        self._machine = Machine(open_library(), level, baseline, copies=level >= COPYING_LEVEL)

    def compile(self, program: StandaloneProgram, code_table: Sequence[str], form: str) -> bytes:
        """Return an object file, or the text of assembly (`asm`) or of the IR after all passes (`llvm`).

        Raises:
            BackendError: LLVM does not accept something.
        """
        machine = self._machine
        text = program.text(machine.heading, machine.level, code_table)
        try:
            with Module(machine.library, text) as module:
                module.verify()
                module.optimise(machine, whole=True)
                if form == "llvm":
                    return module.text().encode()
                return module.emit(machine, as_object=form == "object")
        except BackendError as error:
            error.add_note(text)
            raise
