"""Simple as a library in Python: an engine that runs source, calls functions, and tells what it did.

    from simple_jit import BackendKind, create_backend

    backend = create_backend(BackendKind.CRANELIFT_JIT)
    backend.run("fn area(w: f64, h: f64) -> f64: w * h")
    backend.call("area", [2.0, 3.5])        # 7.0

Errors are Python exceptions: `CompileError` has the diagnostics, `SimpleError` kind, message and place of
what the program threw, `BackendMissing` names the package that is not installed.
"""

from __future__ import annotations

import enum  # noqa: TID253  (no command imports this module)

from simple_jit.base.source import SourceFile
from simple_jit.engine.backends import chosen_backend
from simple_jit.engine.config import DEFAULT_PERCENT, DEFAULT_THRESHOLD, DEFAULT_WINDOW, Config
from simple_jit.engine.hosted import HostedEngine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeVar

    Function = TypeVar("Function", bound=Callable[..., Any])

    from simple_jit.engine.engine import Engine
    from simple_jit.runtime.output import Sink
    from simple_jit.runtime.shared_arrays import SharedArray


class BackendKind(enum.Enum):
    """What `create_backend` makes."""

    INTERPRETER = "interpreter"
    """Interprets, and compiles what is called ten times."""
    CRANELIFT_JIT = "cranelift"
    """Compiles each function with Cranelift before its first call."""
    LLVM_JIT = "llvm"
    """Compiles each function with LLVM before its first call."""
    TREE_WALK = "tree-walk"
    """Interprets, always."""
    COMPILER = "compiler"
    """Compiles a whole program with LLVM, as for an executable, before anything of it runs."""


class JitMode(enum.Enum):
    """When functions are compiled."""

    AUTO = "auto"
    """A function at its `jit_threshold`-th call, a hot loop in the middle of its run."""
    ALWAYS_JIT = "always_jit"
    """Everything before it runs; what cannot be compiled is an error."""
    ALWAYS_INTERPRET = "always_interpret"
    """Nothing."""
    HYBRID = "hybrid"
    """A function when it is called again after `jit_threshold` interpreted calls; hot loops."""
    PROFILE_GUIDED = "profile_guided"
    """What had `jit_threshold_percent` of the calls in a window of `profile_window`; hot loops."""


class JitInterpreterConfig:
    """How a backend runs programs.

    Args:
        mode: when functions are compiled.
        backend: `auto` (Cranelift, else LLVM), `cranelift` or `llvm`.
        jit_threshold: calls after which a function is compiled; 0: before its first.
        verbose: log to stderr what is compiled, and why not.
        profile_window: calls between two looks at the profile (`PROFILE_GUIDED`).
        jit_threshold_percent: share of those calls that makes a function hot.
        opt_level: LLVM's level, 0 to 3.
        overflow_checks: make signed integer overflow an error.
        heap_limit: bytes that the objects of a program may take; None: what `SIMPLE_HEAP_MAX` says.
        time_limit: seconds of processor time that `run`, `call` or `eval` may take; None: no limit. Only in
            the main thread.

    Raises:
        ValueError: a value is out of its range.
    """

    __slots__ = (
        "backend",
        "heap_limit",
        "jit_threshold",
        "jit_threshold_percent",
        "mode",
        "opt_level",
        "overflow_checks",
        "profile_window",
        "time_limit",
        "verbose",
    )

    def __init__(
        self,
        mode: JitMode = JitMode.AUTO,
        backend: str = "auto",
        jit_threshold: int = DEFAULT_THRESHOLD,
        verbose: bool = False,
        profile_window: int = DEFAULT_WINDOW,
        jit_threshold_percent: float = DEFAULT_PERCENT,
        opt_level: int = 2,
        *,
        overflow_checks: bool = False,
        heap_limit: int | None = None,
        time_limit: float | None = None,
    ) -> None:
        self.mode = mode
        self.backend = backend
        self.jit_threshold = jit_threshold
        self.verbose = verbose
        self.profile_window = profile_window
        self.jit_threshold_percent = jit_threshold_percent
        self.opt_level = opt_level
        self.overflow_checks = overflow_checks
        self.heap_limit = heap_limit
        self.time_limit = time_limit
        self.engine_config().check()

    def engine_config(self) -> Config:
        """Return the same as the engine has it; `auto` is what `set_jit_backend` made of it."""
        return Config(
            mode=self.mode.value,
            backend=chosen_backend() if self.backend == "auto" else self.backend,
            threshold=self.jit_threshold,
            verbose=self.verbose,
            overflow_checks=self.overflow_checks,
            level=self.opt_level,
            heap_max=self.heap_limit,
            profile_window=self.profile_window,
            threshold_percent=self.jit_threshold_percent,
            time_limit=self.time_limit,
        )

    @classmethod
    def default(cls) -> JitInterpreterConfig:
        """Interpret, and compile what is hot."""
        return cls()

    @classmethod
    def auto_jit(cls) -> JitInterpreterConfig:
        """The same as `default`."""
        return cls()

    @classmethod
    def always_jit(cls) -> JitInterpreterConfig:
        """Compile everything before it runs; what cannot be compiled is an error."""
        return cls(JitMode.ALWAYS_JIT, jit_threshold=0)

    @classmethod
    def interpret_only(cls) -> JitInterpreterConfig:
        """Compile nothing."""
        return cls(JitMode.ALWAYS_INTERPRET)


_KINDS = {
    BackendKind.INTERPRETER: (JitMode.AUTO, "auto", DEFAULT_THRESHOLD),
    BackendKind.CRANELIFT_JIT: (JitMode.AUTO, "cranelift", 0),
    BackendKind.LLVM_JIT: (JitMode.AUTO, "llvm", 0),
    BackendKind.TREE_WALK: (JitMode.ALWAYS_INTERPRET, "auto", DEFAULT_THRESHOLD),
    BackendKind.COMPILER: (JitMode.ALWAYS_JIT, "llvm", 0),
}


def create_backend(kind: BackendKind) -> JitInterpreterBackend:
    """Return a new engine of a kind.

    Raises:
        BackendMissing: its package is not installed.
    """
    mode, backend, threshold = _KINDS[kind]
    return JitInterpreterBackend(JitInterpreterConfig(mode, backend, threshold), kind)


class JitInterpreterBackend:
    """An engine of its own: heap, code, and the program it ran last. Close it, or use it in a `with`.

    Threads may share it: they take turns, each waiting until what another asked for is done.

    Args:
        config: how it runs programs.
        kind: what it calls itself; found from `config` where it is None.
        sink: takes the bytes that programs print; standard output where it is None.

    Raises:
        BackendMissing: the back end that `config` names is not installed.
    """

    def __init__(
        self,
        config: JitInterpreterConfig | None = None,
        kind: BackendKind | None = None,
        sink: Sink | None = None,
    ) -> None:
        self.config = config or JitInterpreterConfig()
        self._kind = kind or _kind_of(self.config)
        self._hosted = HostedEngine(self.config.engine_config(), sink)

    @property
    def _engine(self) -> Engine:
        return self._hosted.engine

    @classmethod
    def new(cls, config: JitInterpreterConfig) -> JitInterpreterBackend:
        """Return a new engine."""
        return cls(config)

    @classmethod
    def default(cls) -> JitInterpreterBackend:
        """Return a new engine of the default configuration."""
        return cls()

    def __enter__(self) -> JitInterpreterBackend:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the memory; objects that calls returned are of no use then.

        A second call does nothing; all else then raises `EngineClosed`.
        """
        self._hosted.close()

    def run(self, source: str, args: Sequence[str] = (), path: str = "<source>") -> int:
        """Check and run a program, and return its exit status; `call` then finds its functions.

        Raises:
            CompileError: it has errors; nothing ran.
            SimpleError: it failed.
            TimeLimitExceeded: it took longer than `time_limit`.
        """
        return self._hosted.run(SourceFile(path, source), args)

    def run_file(self, path: str, args: Sequence[str] = ()) -> int:
        """The same with a program in a file.

        Raises:
            CompileError: the file cannot be read, or the program has errors.
            SimpleError: it failed.
        """
        return self._hosted.run_file(path, args)

    def call(self, name: str, args: Sequence[Any] = ()) -> Any:
        """Call a function of the program that ran last.

        Args:
            name: `fib`, or `module.fib`.
            args: Python values; docs/embedding.md says which stand for which types.

        Returns:
            The result as such a value.

        Raises:
            LookupError: there is no such function, or no program.
            TypeError: the arguments do not fit its parameters.
            SimpleError: it failed.
            TimeLimitExceeded: it took longer than `time_limit`.
        """
        return self._hosted.call(name, args)

    def call_array(self, name: str, args: Sequence[Any] = ()) -> SharedArray:
        """Call a function that returns an array of numbers, and share that instead of copying it.

        `numpy.asarray` of the result is a view of the program's array.

        Raises:
            TypeError: the arguments do not fit, or the function returns something else.
            LookupError, SimpleError, TimeLimitExceeded: as for `call`.
        """
        return self._hosted.call_array(name, args)

    def eval(self, source: str) -> Any:
        """Return the value of the last expression in `source`, which stands alone.

        Raises:
            CompileError: it has errors.
            SimpleError: it failed.
        """
        return self._hosted.eval(source)

    def register(
        self, function: Function, *, name: str | None = None, signature: str | None = None
    ) -> Function:
        """Let programs declare a Python function as `extern fn`; a decorator, too.

        Args:
            function: what is called. An exception that leaves it is an error of the program.
            name: what programs call it: its own name, unless it is given.
            signature: its type, such as `fn(i64, text) -> f64`; found in its annotations where it is None.

        Returns:
            The function.

        Raises:
            TypeError: it is no function, or the annotations do not say what it takes and gives.
            ValueError: the name is no name or taken, or the signature is none that can pass.
        """
        from simple_jit.engine.registration import register

        known_as: str = name if name is not None else getattr(function, "__name__", "")
        with self._engine.lock:
            register(self._engine, known_as, function, signature)
        return function

    def stats(self) -> dict[str, Any]:
        """Return what was compiled and what was not.

        Counts: `compiled` (functions and loops), `interpreted` (functions), `calls` (up to the threshold),
        `compile_seconds`, `heap_used` (bytes). Names: `compiled_functions`,
        `interpreted_functions`. And the lines of the verbose log: `decisions`.
        """
        return self._hosted.statistics()

    def name(self) -> str:
        """Return what kind of engine this is: `interpreter`, `cranelift`, `llvm`, `tree-walk`, `compiler`."""
        return self._kind.value

    def kind(self) -> BackendKind:
        """Return the kind that it was created as."""
        return self._kind


def _kind_of(config: JitInterpreterConfig) -> BackendKind:
    if config.mode is JitMode.ALWAYS_INTERPRET:
        return BackendKind.TREE_WALK
    return BackendKind.INTERPRETER if config.backend == "auto" else BackendKind(config.backend)
