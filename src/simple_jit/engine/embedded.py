"""Engines inside of a program: what `JitInterpreterBackend` of `lib/compiler` runs source with.

Each has its own heap, so numbers, bools, nil and texts pass between the two, and nothing else. A value on
its way stays in `value`, and its kind is told first; arguments are collected before a call.
"""

from __future__ import annotations

from simple_jit.base.diagnostics import CompileError, Reporter
from simple_jit.base.source import SourceFile
from simple_jit.engine.backends import is_available
from simple_jit.engine.config import BACKENDS, Config
from simple_jit.runtime.errors import SimpleError, SimpleExit
from simple_jit.tiers.contract import BackendError, BackendMissing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from simple_jit.engine.engine import Engine
    from simple_jit.hir import nodes as hir

FAILED, INTEGER, FLOAT, BOOL, NIL, TEXT = range(6)
"""The kinds of values, as `lib/compiler/backend.spl` knows them; with `FAILED` the value is the message."""

_MODES = ("auto", "always_jit", "always_interpret", "auto", "auto")
"""What the values of `JitMode` mean to an engine: the hybrid mode is how `auto` works."""


class EmbeddedEngine:
    """One engine and the program that it ran last. `outer` is the engine of the program that asks."""

    def __init__(
        self, outer: Engine, mode: int, backend: str, threshold: int, verbose: bool, level: int
    ) -> None:
        from simple_jit.engine.engine import Engine

        if backend not in BACKENDS:
            raise SimpleError("Panic", f"there is no back end `{backend}`")
        if backend != "auto" and not is_available(backend):
            raise SimpleError("Panic", f"the back end `{backend}` is not installed")
        config = Config(_MODES[mode], backend, threshold, verbose, level=level)
        self._engine = Engine(config, outer.output.write, outer.output.write_error)
        self._program: hir.Program | None = None
        self.args: list[Any] = []
        self.value: Any = None

    def run(self, source: str, path: str = "<source>") -> int:
        """Check and run a program; the value is its exit status."""
        return self._answer(lambda: self._run(source, path))

    def run_file(self, path: str) -> int:
        """The same with a program in a file."""

        def run() -> Any:
            from simple_jit.syntax.load import load_source

            reporter = Reporter()
            source = load_source(path, reporter)
            if source is None:
                raise CompileError(reporter.diagnostics)
            return self._run(source.text, path)

        return self._answer(run)

    def eval(self, source: str) -> int:
        """Evaluate statements that stand alone; the value is that of the last."""

        def evaluate() -> Any:
            lines = "".join(f"    {line}\n" for line in source.splitlines())
            self._run(f"fn evaluated():\n{lines}", "<eval>")
            return self._call("evaluated", [])

        return self._answer(evaluate)

    def call(self, name: str) -> int:
        """Call a function of the program with the arguments collected."""
        args, self.args = self.args, []
        return self._answer(lambda: self._call(name, args))

    def statistic(self, name: str) -> int:
        """Return one of the counts that `stats()` has."""
        log = self._engine.log
        instances = self._engine.interpreter.instances.values()
        if name == "compiled":
            return sum(log.compiled.values())
        if name == "interpreted":
            return sum(instance.interpreted is not None for instance in instances)
        if name == "calls":
            return sum(instance.calls for instance in instances)
        if name == "compile_us":
            return round(sum(log.seconds.values()) * 1e6)
        assert name == "heap_used"
        return self._engine.heap.used

    def calls(self, name: str) -> int:
        """Return how often the interpreter was asked for a function of the program, while it counted."""
        function = self._find(name)
        instance = self._engine.interpreter.instances.get(function.symbol) if function is not None else None
        return instance.calls if instance is not None else 0

    def is_compiled(self, name: str) -> bool:
        """Is there native code for a function of the program?"""
        function = self._find(name)
        return function is not None and self._engine.has_code(function.symbol)

    # --- what answers have in common ----------------------------------------------------------------

    def _answer(self, work: Any) -> int:
        """Do `work`, keep its value or what went wrong, and return the kind."""
        try:
            self.value = work()
        except CompileError as error:
            messages = [d.message for d in error.diagnostics if d.severity == "error"]
            self.value = "\n".join(messages)
            return FAILED
        except (SimpleError, BackendError, BackendMissing, LookupError, TypeError) as error:
            self.value = str(error)
            return FAILED
        except SimpleExit as ending:
            self.value = ending.code
        finally:
            self._engine.output.flush()
        return self._kind()

    def _kind(self) -> int:
        value = self.value
        if isinstance(value, bool):
            return BOOL
        if isinstance(value, int):
            return INTEGER
        if isinstance(value, float):
            return FLOAT
        if value is None:
            return NIL
        if isinstance(value, str):
            return TEXT
        self.value = "the result is no number, bool, text or nil: it cannot pass from one engine to another"
        return FAILED

    def _run(self, text: str, path: str) -> int:
        from simple_jit.hir.check import check_program
        from simple_jit.hir.session import Options

        reporter = Reporter()
        externs = self._engine.externs
        options = Options(extern_lookup=externs.lookup, extern_signature=externs.signature)
        program = check_program(SourceFile(path, text), reporter, options)
        if program is None:
            raise CompileError(reporter.diagnostics)
        self._program = program
        return self._engine.run(program, ())

    def _find(self, name: str) -> hir.Function | None:
        return self._program.find(name) if self._program is not None else None

    def _call(self, name: str, args: list[Any]) -> Any:
        from simple_jit.runtime.values import to_python, to_simple

        function = self._find(name)
        if function is None:
            raise LookupError(f"there is no function `{name}` with declared types")
        params = function.params
        if len(args) != len(params):
            raise TypeError(f"`{name}` takes {len(params)} arguments, but {len(args)} were given")
        heap = self._engine.heap
        values = [to_simple(arg, param.type, heap) for arg, param in zip(args, params)]
        return to_python(self._engine.callable(function)(*values), function.ret, heap)
