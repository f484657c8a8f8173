"""What tests of whole programs share: running `simple`, and reading what a program expects.

A program says in comments what it must do:

    # expect: 42                    the next line of standard output
    # expect-error: Panic: oh no    it ends with this error, status 1
    # expect-line: 3                ... which is reported at this line of the program
    # expect-status: 7              its exit status, if not 0 (or 1, with an error)
    # args: a b                     its arguments

A file without any of them is a module that others use.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "test" / "programs"

TIERS = {
    "interpreter": ["run", "--mode", "always_interpret"],
    "cranelift": ["run", "--mode", "always_jit", "--backend", "cranelift"],
    "llvm": ["run", "--mode", "always_jit", "--backend", "llvm"],
    "auto": ["run", "--mode", "auto", "--threshold", "1", "--backend", "cranelift"],
    "mir": ["mir"],
    "mir-passes": ["mir", "--passes"],
}
"""Every way of running a program that must give the same result: the words before the file's name."""


class Outcome:
    """What a process left behind."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Outcome) and vars(self) == vars(other)

    def __repr__(self) -> str:
        return f"status {self.status}\n--- stdout\n{self.out}--- stderr\n{self.err}"


class Expectation:
    """What the comments of one program promise."""

    def __init__(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        self.args: list[str] = []
        self.error: str | None = None
        self.line: int | None = None
        self.out: list[str] = []
        self.found = False
        status: int | None = None
        for key, value in re.findall(r"# (expect|expect-\w+|args):(?: (.*))?$", text, re.MULTILINE):
            self.found = True
            if key == "expect":
                self.out.append(value)
            elif key == "expect-error":
                self.error = value.strip()
            elif key == "expect-line":
                self.line = int(value)
            elif key == "expect-status":
                status = int(value)
            elif key == "args":
                self.args = shlex.split(value)
            else:
                raise ValueError(f"{path}: unknown expectation `{key}`")
        self.status = status if status is not None else int(self.error is not None)

    def problems(self, outcome: Outcome) -> list[str]:
        """Return how `outcome` differs from what was promised; empty if it does not."""
        wanted = "".join(f"{line}\n" for line in self.out)
        found = []
        if outcome.out != wanted:
            found.append(f"stdout differs; wanted:\n{wanted}")
        if outcome.status != self.status:
            found.append(f"status {outcome.status}, wanted {self.status}")
        if self.error is not None and not re.match(rf"error(\[\w+\])?: {re.escape(self.error)}", outcome.err):
            found.append(f"stderr does not start with `error: {self.error}`")
        if self.error is None and self.status == 0 and outcome.err.startswith("error"):
            found.append("an error was reported")
        if self.line is not None and not re.search(rf"^ *--> .*:{self.line}:\d+$", outcome.err, re.MULTILINE):
            found.append(f"the error is not reported at line {self.line}")
        return found


def programs(folder: Path = PROGRAMS) -> list[Path]:
    """Return the main programs below a folder."""
    files = sorted(path for path in folder.rglob("*.spl") if "modules" not in path.parts)
    return [path for path in files if Expectation(path).found]


def run_simple(
    words: list[str],
    folder: Path = ROOT,
    stdin: str | bytes = "",
    environ: dict[str, str] | None = None,
    seconds: int = 60,
) -> Outcome:
    """Run `simple WORDS…` in a process forked from the server; a status below 0 is a signal."""
    with tempfile.TemporaryDirectory() as temporary:
        paths = [Path(temporary, name) for name in ("stdin", "stdout", "stderr")]
        paths[0].write_bytes(stdin.encode() if isinstance(stdin, str) else stdin)
        for path in paths[1:]:
            path.touch()
        request = {
            "words": words,
            "folder": str(folder),
            "environ": environ or {},
            "seconds": seconds,
            **{path.name: str(path) for path in paths},
        }
        status = _server().ask(request)
        out, err = (path.read_bytes().decode("utf-8", "backslashreplace") for path in paths[1:])
    return Outcome(status, out, err)


class _Server:
    """The one fork server of this process."""

    running: _Server | None = None

    def __init__(self) -> None:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("SIMPLE_")}
        if "SIMPLE_CACHE" in os.environ:  # see conftest.py
            environ["SIMPLE_CACHE"] = os.environ["SIMPLE_CACHE"]
        environ["PYTHONPATH"] = str(ROOT / "src")
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("fork_server.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environ,
            text=True,
        )
        atexit.register(self._process.kill)

    def ask(self, request: dict[str, object]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def _server() -> _Server:
    if _Server.running is None:
        _Server.running = _Server()
    return _Server.running
