"""The back end: a unit of MIR functions → LLVM IR → passes → object file → code."""

from __future__ import annotations

from _thread import allocate_lock

from simple_jit.mir.nodes import Function
from simple_jit.tiers.contract import BackendError, CompiledCode, Link
from simple_jit.tiers.llvm.function import FunctionWriter
from simple_jit.tiers.llvm.hotness import Hotness
from simple_jit.tiers.llvm.library import Library, Machine, Module, open_library
from simple_jit.tiers.llvm.recursion import copies
from simple_jit.tiers.llvm.unit import INLINED, PLAIN, RARELY_RUN, Unit
from simple_jit.tiers.object_file import link_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

MAX_LEVEL = 3
_INLINING_LEVEL = 2


class LLVMBackend:
    """Compiles MIR with LLVM. The library is loaded at the first compilation, or by `prefetch`.

    `verify` has LLVM check all IR; `verbose` attaches the IR to errors.
    """

    def __init__(self, verify: bool = False, verbose: bool = False) -> None:
        self._verify = verify
        self._verbose = verbose
        self._library: Library | None = None
        self._machines: dict[int, Machine] = {}
        self._lock = allocate_lock()

    @property
    def name(self) -> str:
        return "llvm"

    def prefetch(self, level: int = 2) -> None:
        """Load LLVM and prepare it, so that the first compilation need not.

        Raises:
            BackendMissing: llvmlite is not installed.
        """
        with self._lock:
            self._machine(level)

    def compile(
        self,
        functions: Sequence[Function],
        link: Link,
        level: int = 2,
        exported: Collection[str] | None = None,
    ) -> CompiledCode:
        """Compile functions as one unit, in which they call each other directly.

        `exported` are the symbols of those that are entered from outside: all, unless it is given.

        Raises:
            BackendError: LLVM does not accept something.
            BackendMissing: llvmlite is not installed.
        """
        with self._lock:
            machine = self._machine(level)
            text = unit_text(functions, link, machine, exported)
            try:
                with self._module(machine, text) as module:
                    module.optimise(machine)
                    code = link_object(module.emit(machine, as_object=True))
            except BackendError as error:
                if self._verbose:
                    error.add_note(text)
                raise
        wanted = exported if exported is not None else [function.symbol for function in functions]
        code.entries = {symbol: code.entries[symbol] for symbol in wanted}
        return code

    def dump(self, functions: Sequence[Function], link: Link, stage: str, level: int = 2) -> str:
        """Return the text of a stage.

        Stages: `llvm`, the IR after LLVM's passes; `llvm-in`, before them; `asm`, the assembly.
        """
        with self._lock:
            machine = self._machine(level)
            text = unit_text(functions, link, machine)
            if stage == "llvm-in":
                return text
            with self._module(machine, text) as module:
                module.optimise(machine)
                if stage == "llvm":
                    return module.text()
                if stage == "asm":
                    return module.emit(machine, as_object=False).decode(errors="replace")
        raise BackendError(f"the LLVM back end has no stage `{stage}`")

    def _machine(self, level: int) -> Machine:
        level = min(max(level, 0), MAX_LEVEL)
        found = self._machines.get(level)
        if found is None:
            if self._library is None:
                self._library = open_library()
            found = self._machines[level] = Machine(self._library, level)
        return found

    def _module(self, machine: Machine, text: str) -> Module:
        module = Module(machine.library, text)
        if self._verify:
            try:
                module.verify()
            except BackendError:
                module.close()
                raise
        return module


def unit_text(
    functions: Sequence[Function], link: Link, machine: Machine, exported: Collection[str] | None = None
) -> str:
    """Return the IR of a unit, as LLVM is to read it."""
    writer = _UnitWriter(functions, link, machine.level, exported)
    for function in functions:
        writer.add(function)
    return writer.unit.text(machine.heading, writer.bodies)


class _UnitWriter:
    def __init__(
        self, functions: Sequence[Function], link: Link, level: int, exported: Collection[str] | None
    ) -> None:
        self.unit = Unit(functions, link)
        self.bodies: list[str] = []
        self._exported = exported
        self._hotness = Hotness(functions, exported) if exported is not None and level else None
        self._copies = level >= _INLINING_LEVEL

    def add(self, function: Function) -> None:
        """Write a function, unless nothing calls it."""
        symbol = function.symbol
        linkage = "dso_local" if self._exported is None or symbol in self._exported else "internal"
        if self._hotness is None:
            self._write(function, linkage)
        elif symbol in self._hotness.rarely:
            self._write_one(function, linkage, self.unit.symbols[symbol], RARELY_RUN)
        elif symbol in self._hotness.reached:
            self._write(function, linkage)

    def _write(self, function: Function, linkage: str) -> None:
        """Write a function, and the copies of it that LLVM is to inline into it."""
        name = self.unit.symbols[function.symbol]
        inner = [f'{name[:-1]}.{n + 1}"' for n in range(copies(function) if self._copies else 0)]
        targets = [*inner, name]
        self._write_one(function, linkage, name, PLAIN, targets[0])
        for copy, target in zip(inner, targets[1:], strict=True):
            self._write_one(function, "internal", copy, INLINED, target)

    def _write_one(
        self, function: Function, linkage: str, name: str, attributes: int, calls_itself_as: str = ""
    ) -> None:
        writer = FunctionWriter(self.unit, function, calls_itself_as)
        self.bodies.append(writer.write(linkage, name, attributes))
