"""Running files, each in a process of its own, several at a time.

A process tells about its examples through a pipe, a line of JSON each: its path when one starts, a
result when it is over, and an empty line at the end. So an example that crashes (in a foreign function,
say) fails alone: another process goes on with the one after it.
"""

from __future__ import annotations

import os
import sys

from simple_jit.testing.results import FAILED, Broken, Failure, Outcome, Totals, from_line, to_line
from simple_jit.testing.runner import run_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simple_jit.engine.config import Config
    from simple_jit.testing.suite import Selection


class Plan:
    """How to run: `jobs` files at a time; with `fail_fast`, to the first failure."""

    __slots__ = ("config", "fail_fast", "jobs", "selection")

    def __init__(self, config: Config, selection: Selection, jobs: int = 1, fail_fast: bool = False) -> None:
        self.config = config
        self.selection = selection
        self.jobs = max(jobs, 1)
        self.fail_fast = fail_fast


def run_files(files: Sequence[str], plan: Plan, report: Callable[[Outcome | Broken], None]) -> Totals:
    """Run files and report each result, in the order of the files and of the examples in them."""
    pool = _Pool(files, plan, report)
    try:
        pool.run()
    finally:
        pool.stop()
    return pool.totals


class _Process:
    """One file, as it runs in a process forked from this one, and in further ones after a crash."""

    def __init__(self, file: str, plan: Plan) -> None:
        self.file = file
        self.results: list[Outcome | Broken] = []
        self._plan = plan
        self._known = 0
        self._fork()

    def _fork(self) -> None:
        self.is_over = False
        self._current: list[str] = []
        self._rest = b""
        self._ended = False
        self.pipe, write_end = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.pipe)
            _serve(self.file, self._plan, self._known, write_end)
        os.close(write_end)

    def read(self) -> None:
        """Take in what the process has written; called when there is something, or it is over."""
        data = os.read(self.pipe, 1 << 16)
        if not data:
            self._finish()
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line.decode())

    def _take(self, line: str) -> None:
        import json

        if not line:
            self._ended = True
        elif line.startswith("["):
            self._current = json.loads(line)
        else:
            self._add(from_line(line))

    def _add(self, result: Outcome | Broken) -> None:
        self.results.append(result)
        self._known += 1
        self._current = []

    def _finish(self) -> None:
        self.is_over = True
        os.close(self.pipe)
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if self._ended:
            return
        how = f"signal {-status} ended its process" if status < 0 else f"its process ended with {status}"
        if not self._current:
            self._add(Broken(self.file, how, f"error: {how}\n"))
            return
        failure = Failure("Crash", how, "example", self.file, 0, 0, f"error: Crash: {how}\n")
        self._add(Outcome(self.file, self._current, FAILED, failure=failure))
        self._fork()

    def kill(self) -> None:
        """End the process, whatever it does."""
        from signal import SIGKILL

        if not self.is_over:
            os.kill(self.pid, SIGKILL)
            os.waitpid(self.pid, 0)
            os.close(self.pipe)
            self.is_over = True


class _Pool:
    def __init__(self, files: Sequence[str], plan: Plan, report: Callable[[Outcome | Broken], None]) -> None:
        self.totals = Totals()
        self._waiting = list(files)
        self._started: list[_Process] = []
        self._plan = plan
        self._report = report

    def run(self) -> None:
        from select import select

        while self._waiting or self._started:
            running = [process for process in self._started if not process.is_over]
            while self._waiting and len(running) < self._plan.jobs:
                process = _Process(self._waiting.pop(0), self._plan)
                self._started.append(process)
                running.append(process)
            if running:
                ready = select([process.pipe for process in running], [], [])[0]
                for process in running:
                    if process.pipe in ready:
                        process.read()
            if not self._pass_on():
                return

    def _pass_on(self) -> bool:
        """Report what is known, up to the first file that still runs; False: no more is wanted."""
        while self._started:
            process = self._started[0]
            while process.results:
                result = process.results.pop(0)
                self.totals.add(result)
                self._report(result)
                failed = isinstance(result, Broken) or result.status == FAILED
                if failed and self._plan.fail_fast:
                    return False
            if not process.is_over:
                break
            self._started.pop(0)
        return True

    def stop(self) -> None:
        for process in self._started:
            process.kill()


def _serve(file: str, plan: Plan, first: int, pipe: int) -> None:
    """Run a file in this process, which was forked for it, and end it."""
    import json

    status = 1
    try:
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        with os.fdopen(pipe, "w", encoding="utf-8") as stream:

            def tell(line: str) -> None:
                stream.write(line + "\n")
                stream.flush()

            def starts(path: list[str]) -> None:
                tell(json.dumps(path))

            for result in run_file(file, plan.config, plan.selection, first, starts):
                tell(to_line(result))
            tell("")
        status = 0
    except KeyboardInterrupt:
        status = 130
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(status)
