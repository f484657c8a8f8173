"""An engine and the program that it ran last: what the library offers, to Python and to Simple.

`simple_jit.backend` is this for Python, `engine.embedding` for programs.
"""

from __future__ import annotations

from simple_jit.base.diagnostics import CompileError, Reporter
from simple_jit.base.source import SourceFile
from simple_jit.engine.backends import open_backend
from simple_jit.engine.checking import check_source, check_statements
from simple_jit.engine.engine import Engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from simple_jit.engine.config import Config
    from simple_jit.hir import nodes as hir
    from simple_jit.hir import types
    from simple_jit.runtime.output import Sink
    from simple_jit.runtime.shared_arrays import SharedArray


class EngineClosed(RuntimeError):
    """An engine was used after it had been closed."""

    def __init__(self) -> None:
        super().__init__("the engine was closed")


class HostedEngine:
    """Runs programs, and calls functions of the last one with Python values. Threads take turns.

    Raises:
        BackendMissing: the back end that `config` names is not installed.
    """

    def __init__(self, config: Config, sink: Sink | None = None, error_sink: Sink | None = None) -> None:
        if config.mode != "always_interpret" and config.backend != "auto":
            open_backend(config.backend)
        self._engine: Engine | None = Engine(config, sink, error_sink)
        self._program: hir.Program | None = None

    @property
    def engine(self) -> Engine:
        """The engine.

        Raises:
            EngineClosed: there is none any more.
        """
        if self._engine is None:
            raise EngineClosed
        return self._engine

    @property
    def is_closed(self) -> bool:
        return self._engine is None

    def close(self) -> None:
        """Give back the memory. A second call does nothing; all else then raises `EngineClosed`.

        Raises:
            RuntimeError: a program is running, which calls this.
        """
        engine = self._engine
        if engine is not None:
            with engine.lock:
                if self._engine is not None:  # no other thread was first
                    engine.close()
                    self._engine = self._program = None

    def run(self, source: SourceFile, args: Sequence[str] = ()) -> int:
        """Check and run a program, and return its exit status.

        Raises:
            CompileError: it has errors; nothing ran.
            SimpleError: it failed.
            TimeLimitExceeded: it took longer than it may.
        """
        with self.engine.lock:
            program = check_source(self.engine, source)
            self.engine.load(program)
            self._program = program
            try:
                with self.engine.time_limit():
                    return self.engine.run(program, args)
            finally:
                self.engine.output.flush()

    def run_file(self, path: str, args: Sequence[str] = ()) -> int:
        """The same with a program in a file.

        Raises:
            CompileError: the file cannot be read, or the program has errors.
            SimpleError: it failed.
        """
        from simple_jit.syntax.load import load_source

        reporter = Reporter()
        source = load_source(path, reporter)
        if source is None:
            raise CompileError(reporter.diagnostics)
        return self.run(source, args)

    def find(self, name: str) -> hir.Function | None:
        """Return a function of the program that ran last, if all its parameters have types."""
        return self._program.find(name) if self.engine and self._program is not None else None

    def call(self, name: str, args: Sequence[Any] = ()) -> Any:
        """Call a function of the program that ran last.

        Raises:
            LookupError: there is no such function, or no program.
            TypeError: the arguments do not fit its parameters.
            SimpleError: it failed.
        """
        return self.call_typed(name, args)[0]

    def call_array(self, name: str, args: Sequence[Any] = ()) -> SharedArray:
        """The same; the result is an array of numbers, which is shared and not copied.

        Raises:
            TypeError: the function returns something else.
        """
        from simple_jit.runtime.shared_arrays import SharedArray, is_shareable

        with self.engine.lock:
            function = self._named(name)
            if not is_shareable(function.ret):
                raise TypeError(f"`{function.name}` returns {function.ret}, not an array of numbers")
            return SharedArray(self._call(function, args), function.ret, self.engine.heap)  # type: ignore[arg-type]

    def call_typed(self, name: str, args: Sequence[Any]) -> tuple[Any, types.Type]:
        """The same; returns the type of the result too."""
        with self.engine.lock:
            function = self._named(name)
            return self._to_python(self._call(function, args), function), function.ret

    def _named(self, name: str) -> hir.Function:
        if self._program is None:
            raise LookupError(f"no program has run that could have a function {name!r}")
        function = self._program.find(name)
        if function is None:
            raise LookupError(f"the program has no function {name!r} with declared types")
        return function

    def eval(self, source: str) -> Any:
        """Return the value of the last expression in `source`, which stands alone.

        Raises:
            CompileError: it has errors.
            SimpleError: it failed.
        """
        return self.eval_typed(source)[0]

    def eval_typed(self, source: str) -> tuple[Any, types.Type]:
        """The same; returns the type of the value too."""
        engine = self.engine
        with engine.lock:
            program, function = check_statements(engine, source)
            before, cells = self._program, engine.set_aside()
            try:
                with engine.time_limit():
                    engine.run(program, ())
                return self._to_python(self._call(function, ()), function), function.ret
            finally:
                engine.bring_back(before or program, cells)

    def statistics(self) -> dict[str, Any]:
        """Return what was compiled and what was not (docs/embedding.md describes the entries)."""
        engine = self.engine
        log = engine.log
        instances = engine.interpreter.instances.values()
        interpreted = [instance for instance in instances if instance.interpreted is not None]
        compiled = engine.compiled_functions()
        return {
            "compiled": sum(log.compiled.values()),
            "interpreted": len(interpreted),
            "calls": sum(instance.calls for instance in instances),
            "compile_seconds": sum(log.seconds.values()),
            "heap_used": engine.heap.used,
            "compiled_functions": [_shown(function) for function in compiled if _is_users(function)],
            "interpreted_functions": [
                _shown(instance.function)
                for instance in interpreted
                if _is_users(instance.function) and instance.function not in compiled
            ],
            "decisions": [str(decision) for decision in log.decisions],
        }

    def calls(self, name: str) -> int:
        """Return how often the interpreter was asked for a function of the program, while it counted."""
        function = self.find(name)
        instance = self.engine.interpreter.instances.get(function.symbol) if function is not None else None
        return instance.calls if instance is not None else 0

    def is_compiled(self, name: str) -> bool:
        """Is there native code for a function of the program?"""
        function = self.find(name)
        return function is not None and function in self.engine.compiled_functions()

    def _to_python(self, result: Any, function: hir.Function) -> Any:
        from simple_jit.runtime.values import to_python

        return to_python(result, function.ret, self.engine.heap)

    def _call(self, function: hir.Function, args: Sequence[Any]) -> Any:
        from simple_jit.runtime.values import all_to_simple

        params = function.params
        if len(args) != len(params):
            count = "1 argument" if len(params) == 1 else f"{len(params)} arguments"
            raise TypeError(f"`{function.name}` takes {count}, but {len(args)} were given")
        values = all_to_simple(args, [param.type for param in params], self.engine.heap)
        try:
            with self.engine.time_limit():
                return self.engine.callable(function)(*values)
        finally:
            self.engine.output.flush()


_LIBRARIES = ("core.", "std.", "compiler.", "app.")


def _is_users(function: hir.Function) -> bool:
    """Did the user write the function, as opposed to the library and the checker?"""
    return not function.module.startswith(_LIBRARIES) and not function.name.startswith("<")


def _shown(function: hir.Function) -> str:
    """Return the name of a function, with its type or module in front: `fib`, `Point.norm`."""
    return function.symbol.partition("(")[0].removeprefix("main.")
