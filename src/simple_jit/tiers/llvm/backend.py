"""The back end: a unit of MIR functions → LLVM IR → passes → object file → code."""

from __future__ import annotations

import os
from _thread import allocate_lock

from simple_jit.base.background import Background
from simple_jit.mir.nodes import Function
from simple_jit.tiers.contract import BackendError, CompiledCode, Link
from simple_jit.tiers.llvm.function import FunctionWriter
from simple_jit.tiers.llvm.hotness import Part, divide
from simple_jit.tiers.llvm.library import Library, Machine, Module, open_library
from simple_jit.tiers.llvm.object_cache import ObjectCache
from simple_jit.tiers.llvm.recursion import copies
from simple_jit.tiers.llvm.stack_maps import StackMaps
from simple_jit.tiers.llvm.unit import INLINED, PLAIN, RARELY_CALLED, Unit
from simple_jit.tiers.object_file import link_objects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

MAX_LEVEL = 3
_SMALL_LOOP = """
define i64 @sum(ptr %xs, i64 %n) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %sum = phi i64 [ 0, %entry ], [ %more, %loop ]
  %cell = getelementptr inbounds nuw [8 x i8], ptr %xs, i64 %i
  %x = load i64, ptr %cell
  %more = add i64 %sum, %x
  store i64 %more, ptr %cell
  %next = add nuw nsw i64 %i, 1
  %again = icmp ult i64 %next, %n
  br i1 %again, label %loop, label %done
done:
  ret i64 %more
}
"""
COPYING_LEVEL = 2


class LLVMBackend:
    """Compiles MIR with LLVM. The library is loaded at the first compilation, or by `prefetch`.

    `verify` has LLVM check all IR; `verbose` attaches the IR to errors.
    """

    def __init__(self, verify: bool = False, verbose: bool = False) -> None:
        self._verify = verify
        self._verbose = verbose
        self._library: Library | None = None
        self._machines: dict[int, Machine] = {}
        self._other_machines: dict[int, Machine] = {}
        self._cache: ObjectCache | None = None
        self._lock = allocate_lock()

    @property
    def name(self) -> str:
        return "llvm"

    def prefetch(self, level: int = 2) -> None:
        """Load LLVM and compile a small loop, so that the first real compilation finds all at hand.

        Meant for a thread beside the front end: most of it runs without Python's lock. The thread must
        have ended when the process does.

        Raises:
            BackendMissing: llvmlite is not installed.
        """
        with self._lock:
            machine = self._machine(level)
            with self._module(machine, machine.heading + _SMALL_LOOP) as module:
                module.optimise(machine, whole=False)
                module.emit(machine, as_object=True)

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
        parts = divide(functions, exported, level, _threads())
        stack_maps: list[bytes] = []
        with self._lock:
            texts = [unit_text(part, parts, link, exported) for part in parts]
            code = link_objects(self._objects(parts, texts), stack_maps)
        code.calls = StackMaps(stack_maps)
        wanted = exported if exported is not None else [function.symbol for function in functions]
        code.entries = {symbol: code.entries[symbol] for symbol in wanted}
        return code

    def _objects(self, parts: Sequence[Part], texts: Sequence[str]) -> list[bytes]:
        """Return the object files of the parts of a unit: they may have been made before."""
        if self._cache is None:
            self._cache = ObjectCache(enabled=not self._verify)
        key = self._cache.key(parts, texts)
        objects = self._cache.load(key)
        if objects is None:
            objects = self._compile(parts, texts)
            self._cache.save(key, objects)
        return objects

    def _compile(self, parts: Sequence[Part], texts: Sequence[str]) -> list[bytes]:
        """Compile all parts: the first, which is the largest, here, and the others in another thread."""
        if len(parts) == 1 or _threads() == 1:
            return [self._object(*job, self._machines) for job in zip(parts, texts, strict=True)]
        self._machine(parts[0].level)  # which loads the library
        rest = list(zip(parts[1:], texts[1:], strict=True))
        others = Background(lambda: [self._object(*job, self._other_machines) for job in rest])
        try:
            first = self._object(parts[0], texts[0], self._machines)
        finally:
            others.wait()
        return [first, *others.result()]

    def _object(self, part: Part, text: str, machines: dict[int, Machine]) -> bytes:
        machine = self._machine(part.level, machines)
        try:
            with self._module(machine, machine.heading + text) as module:
                module.optimise(machine, whole=part.whole)
                return module.emit(machine, as_object=True)
        except BackendError as error:
            if self._verbose:
                error.add_note(text)
            raise

    def dump(self, functions: Sequence[Function], link: Link, stage: str, level: int = 2) -> str:
        """Return the text of a stage.

        Stages: `llvm`, the IR after LLVM's passes; `llvm-in`, before them; `asm`, the assembly.
        """
        with self._lock:
            machine = self._machine(level)
            part = Part(functions, level, whole=True)
            text = machine.heading + unit_text(part, [part], link)
            if stage == "llvm-in":
                return text
            with self._module(machine, text) as module:
                module.optimise(machine, whole=part.whole)
                if stage == "llvm":
                    return module.text()
                if stage == "asm":
                    return module.emit(machine, as_object=False).decode(errors="replace")
        raise BackendError(f"the LLVM back end has no stage `{stage}`")

    def _machine(self, level: int, machines: dict[int, Machine] | None = None) -> Machine:
        """Return what compiles at a level; no two threads may use it at a time."""
        machines = self._machines if machines is None else machines
        level = min(max(level, 0), MAX_LEVEL)
        found = machines.get(level)
        if found is None:
            if self._library is None:
                self._library = open_library()
            found = machines[level] = Machine(self._library, level)
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


def _threads() -> int:
    """Return how many threads compile at a time."""
    return 1 if (os.cpu_count() or 1) == 1 else 2


def unit_text(
    part: Part, parts: Sequence[Part], link: Link, exported: Collection[str] | None = None
) -> str:
    """Return the IR of one of `parts`, but for the heading that says what machine it is for."""
    others = [function for other in parts if other is not part for function in other.functions]
    unit = Unit(part.functions, link, others)
    called_by_others = {callee for other in parts if other is not part for callee in other.callees()}
    bodies: list[str] = []
    for function in part.functions:
        symbol = function.symbol
        outside = exported is None or symbol in exported or symbol in called_by_others
        count = copies(function) if part.level >= COPYING_LEVEL else 0
        write_function(unit, function, "hidden" if outside else "internal", count, bodies)
    return unit.text("", bodies)


def write_function(unit: Unit, function: Function, linkage: str, count: int, bodies: list[str]) -> None:
    """Write a function, and `count` copies of it that LLVM is to inline into it."""
    name = unit.symbols[function.symbol]
    inner = [f'{name[:-1]}.{n + 1}"' for n in range(count)]
    targets = [*inner, name]
    attributes = RARELY_CALLED if function.rarely_called else PLAIN
    bodies.append(FunctionWriter(unit, function, targets[0]).write(linkage, name, attributes))
    for copy, target in zip(inner, targets[1:], strict=True):
        bodies.append(FunctionWriter(unit, function, target).write("internal", copy, INLINED))
