"""Running one file: its statements register examples, then each is run on its own.

An example is the hooks of the groups around it and its block, run one after the other as calls from
Python, so that an error ends that example alone. The engine is as it was before each of them; variables
outside of examples keep what earlier ones put there.
"""

from __future__ import annotations

import sys
import time

from simple_jit import driver
from simple_jit.base.diagnostics import CompileError, Reporter
from simple_jit.base.render import render
from simple_jit.base.terminal import show_diagnostics
from simple_jit.engine.engine import Engine
from simple_jit.hir import nodes as hir
from simple_jit.runtime.errors import SimpleError, SimpleExit, render_error
from simple_jit.runtime.values import to_python
from simple_jit.syntax.load import load_source
from simple_jit.testing.results import FAILED, PASSED, SKIPPED, Broken, Failure, Outcome
from simple_jit.testing.suite import Example, Group, Selection, build_suite
from simple_jit.tiers.contract import BackendError, BackendMissing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from simple_jit.base.source import SourceFile
    from simple_jit.engine.config import Config

_CONTROLS = ("_plan", "_turn", "_run", "_was_skipped")
"""The functions of `std.spec` that the runner calls."""


def run_file(
    path: str, config: Config, selection: Selection, first: int, starts: Callable[[list[str]], None]
) -> Iterator[Outcome | Broken]:
    """Run the examples of a file, from number `first` on, and yield what came of each.

    `starts` is called with the path of each example before it runs.
    """
    reporter = Reporter()
    source = load_source(path, reporter)
    if source is None:
        yield _broken(path, reporter)
        return
    engine = Engine(config, output := _Capture(), output)
    try:
        yield from _FileRun(path, source, engine, output).results(selection, first, starts)
    finally:
        engine.output.flush()
        if config.stats:
            sys.stderr.write(f"{path}\n{engine.log.summary()}\n")


class _Capture:
    """Takes the output of examples."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def __call__(self, data: bytes) -> None:
        self._parts.append(bytes(data))

    def take(self) -> str:
        """Return what was written since the last call."""
        data = b"".join(self._parts)
        self._parts.clear()
        return data.decode(errors="replace")


class _FileRun:
    def __init__(self, path: str, source: SourceFile, engine: Engine, output: _Capture) -> None:
        self.path = path
        self.source = source
        self.engine = engine
        self.output = output
        self.lines: Callable[[str, int], str | None] = lambda path, line: None
        self.control: dict[str, Callable[..., Any]] = {}

    def results(
        self, selection: Selection, first: int, starts: Callable[[list[str]], None]
    ) -> Iterator[Outcome | Broken]:
        reporter = Reporter()
        try:
            program = driver.check(self.source, self.engine, reporter, testing=True)
        except CompileError as error:
            yield _broken(self.path, Reporter(), error)
            return
        if program is None:
            yield _broken(self.path, reporter)
            return
        show_diagnostics(reporter.diagnostics)
        try:
            suite = self._register(program)
        except (BackendError, BackendMissing, SimpleError, SimpleExit) as error:
            yield self._stopped(error)
            return
        examples = selection.choose(suite, self.path)[first:]
        for position, example in enumerate(examples):
            starts(example.path)
            following = examples[position + 1] if position + 1 < len(examples) else None
            yield self._run(example, following)

    def _register(self, program: hir.Program) -> Group:
        """Run the file's statements and return the tree of what they registered."""
        found = {name: program.find(f"std.spec.{name}") for name in _CONTROLS}
        controls = {name: function for name, function in found.items() if function is not None}
        self.engine.load(program)
        if self.engine.config.mode == "always_jit":
            self.engine.compile_all([program.start, *controls.values()])
        self.lines = driver.line_finder(program)
        self.engine.run(program, ())
        self.control = {name: self.engine.callable(function) for name, function in controls.items()}
        plan = controls["_plan"]
        return build_suite(to_python(self.control["_plan"](), plan.ret, self.engine.heap))

    def _stopped(self, error: BaseException) -> Broken:
        if isinstance(error, SimpleError):
            return Broken(self.path, str(error), render_error(error, self.lines))
        if isinstance(error, SimpleExit):
            message = f"it ended the process with status {error.code}"
        else:
            message = str(error)
        return Broken(self.path, message, f"error: {message}\n")

    # --- one example ----------------------------------------------------------------------------

    def _run(self, example: Example, following: Example | None) -> Outcome:
        outcome = Outcome(self.path, example.path, SKIPPED, tags=sorted(example.tags))
        if example.skip or example.block < 0:
            outcome.reason = "not written yet" if example.block < 0 else ""
        else:
            started = time.perf_counter()
            self._run_blocks(example, outcome)
            outcome.seconds = time.perf_counter() - started
        self._end_groups(example, following, outcome)
        self.engine.output.flush()
        outcome.output = self.output.take()
        return outcome

    def _run_blocks(self, example: Example, outcome: Outcome) -> None:
        """Run an example with its hooks; the first failure counts."""
        outcome.status = PASSED
        chain = example.group.chain()
        for group in chain:
            self._prepare(group, outcome)
            if outcome.failure is not None:
                return
        saved = self._save()
        self.control["_turn"]()
        entered = []
        for group in chain:
            entered.append(group)
            for block in group.hooks["before_each"]:
                self._block(block, "before_each", outcome)
        if outcome.status == PASSED:
            self._block(example.block, "example", outcome)
        for group in reversed(entered):
            for block in group.hooks["after_each"]:
                self._block(block, "after_each", outcome, always=True)
        self._restore(saved)

    def _prepare(self, group: Group, outcome: Outcome) -> None:
        """Run `before_all` once; its failure is that of every example."""
        if not group.ready:
            group.ready = True
            for block in group.hooks["before_all"]:
                self._block(block, "before_all", outcome)
            group.failure = outcome.failure
        if isinstance(group.failure, Failure):
            _fail(outcome, group.failure)

    def _end_groups(self, example: Example, following: Example | None, outcome: Outcome) -> None:
        """Run `after_all` of the groups that end here."""
        ahead = following.group.chain() if following is not None else []
        for group in reversed(example.group.chain()):
            if group in ahead:
                return
            if group.ready:
                for block in group.hooks["after_all"]:
                    self._block(block, "after_all", outcome, always=True)

    def _block(self, block: int, phase: str, outcome: Outcome, *, always: bool = False) -> None:
        """Run a block, unless something went wrong before; `always`: even then."""
        if outcome.status != PASSED and not always:
            return
        try:
            self.control["_run"](block)
        except SimpleError as error:
            if phase in ("example", "before_each") and self.control["_was_skipped"]():
                outcome.status = SKIPPED
                outcome.reason = error.message
            else:
                _fail(outcome, self._failure(error, phase))
        except SimpleExit as ending:
            text = f"the program ended with status {ending.code}"
            _fail(outcome, Failure("Exit", text, phase, self.path, 0, 0, f"error: {text}\n"))
        except Exception as defect:
            text = f"internal error of the compiler: {type(defect).__name__}: {defect}"
            _fail(outcome, Failure("InternalError", text, phase, self.path, 0, 0, f"error: {text}\n"))

    def _failure(self, error: SimpleError, phase: str) -> Failure:
        site = error.site
        file, line, column = (site.file, site.line, site.column) if site is not None else (self.path, 0, 0)
        shown = render_error(error, self.lines)
        return Failure(error.kind, error.message, phase, file, line, column, shown)

    def _save(self) -> tuple[str, str, int]:
        config = self.engine.config
        return config.mode, config.backend, config.threshold

    def _restore(self, saved: tuple[str, str, int]) -> None:
        """Undo what an example did to the engine that runs it (`set_jit_backend`)."""
        if self._save() != saved:
            config = self.engine.config
            config.mode, config.backend, config.threshold = saved
            self.engine.apply_config()


def _fail(outcome: Outcome, failure: Failure) -> None:
    outcome.status = FAILED
    if outcome.failure is None:
        outcome.failure = failure


def _broken(path: str, reporter: Reporter, error: CompileError | None = None) -> Broken:
    diagnostics = error.diagnostics if error is not None else reporter.diagnostics
    errors = [d for d in diagnostics if d.severity == "error"]
    return Broken(path, errors[0].message if errors else "it has errors", render(diagnostics, color=False))
