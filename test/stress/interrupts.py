"""Send signals to programs wherever they are: they must end within half a second, with the status promised.

    python test/stress/interrupts.py [--repeat N] [PART OF A NAME]…

Each case is a program that says "started" and then goes on for ever, in a loop of its own, in library code,
waiting, collecting, being compiled …; it runs in each mode, and gets the signal after a random time. What
was printed before must arrive. Ends with status 1 where a case fails.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 0.5
MODES = {
    "interpreted": ["--mode", "always_interpret"],
    "cranelift": ["--mode", "always_jit", "--backend", "cranelift"],
    "llvm": ["--mode", "always_jit", "--backend", "llvm"],
    "auto": [],
}
START = '\nfn main():\n    print "printed"\n    eprint "started"\n'
PROGRAMS = {
    "loop": f"{START}    var n = 0\n    while n >= 0:\n        n = (n + 1) % 1000\n",
    "counted loop": f"{START}    var n = 0\n    for i in 0..1000000000000:\n        n += i ^ (n >> 3)\n    print n\n",
    "recursion": "fn f(n: i64) -> i64:\n    if n < 2: n else: f(n - 1) + f(n - 2)" + START + "    print f(90)\n",
    "deep recursion": "fn f(n: i64) -> i64: 1 + f(n + 1)" + START
    + "    var n = 0\n    loop:\n        try:\n            n += f(0)\n        catch e:\n            n += 1\n",
    "sort": f"{START}    loop:\n        val xs = [(i * 7919) % 1000003 for i in 0..2000000]\n        xs.sort()\n",
    "text": f'{START}    loop:\n        val s = "abc" * 5000000\n        print s.replace("b", "xyz").upper().len()\n',
    "dict": f"{START}    var d = {{0: 0}}\n    loop:\n        d[d.len() * 7919] = 1\n",
    "fill": f"{START}    loop:\n        val xs = [0] * 100000000\n",
    "collection": "class N:\n    next: N?" + START
    + "    var head: N? = nil\n    loop:\n        head = nil\n        for i in 0..3000000:\n            head = N(next: head)\n",
    "collecting": "use std.gc\nclass N:\n    next: N?" + START
    + "    var head: N? = nil\n    for i in 0..300000:\n        head = N(next: head)\n    loop:\n        gc.collect()\n",
    "try": f'{START}    var n = 0\n    loop:\n        try:\n            panic("x")\n        catch e:\n            n += 1\n        finally:\n            n += 1\n',
    "input": f'{START}    print input("? ")\n',
    "sleep": f"extern fn rt_sleep(s: f64){START}    rt_sleep(100.0)\n",
    "process": f'extern fn rt_process_run(c: text, a: [text]) -> [text]{START}    print rt_process_run("sleep", ["100"])\n',
    "compiling": "".join(f"fn f{n}(a, b): [a, b, {n}].map(\\x: x + a).sum() + b\n" for n in range(400))
    + START + "    var n = 0\n    loop:\n"
    + "".join(f"        n += f{n}(n, {n}) + f{n}(1.5, n).to_i64()\n" for n in range(400)),
}  # fmt: skip
SILENT = ("compiling",)
"""Programs whose modules are so large that the signal is to come before they start."""


class Case:
    """A program in a mode, and what is done to it."""

    def __init__(self, name: str, words: list[str], signals: tuple[int, ...] = (signal.SIGINT,)) -> None:
        self.name = name
        self.words = words
        self.signals = signals
        self.says_started = name.partition("/")[0] not in SILENT
        self.reads_output = True
        self.delay = 1.0

    def run(self) -> str:
        """Return what is wrong, nothing where all is right."""
        environ = dict(os.environ, PYTHONPATH=str(ROOT / "src"))
        command = [sys.executable, "-m", "simple_jit", *self.words]
        reader, writer = os.pipe()  # standard input, where nothing comes
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, env=environ, stdin=reader, stdout=pipe, stderr=pipe)
        try:
            return self._signal(process)
        finally:
            process.kill()
            process.communicate()
            os.close(reader)
            os.close(writer)

    def _signal(self, process: subprocess.Popen[bytes]) -> str:
        assert process.stderr is not None
        assert process.stdout is not None
        if self.says_started:
            process.stderr.readline()
        time.sleep(random.uniform(0, self.delay))
        if process.poll() is not None:
            return f"ended before the signal: {process.stderr.read().decode()[-300:]}"
        started = time.monotonic()
        for number in self.signals:
            process.send_signal(number)
            time.sleep(0.01)
        try:
            process.wait(20 * LIMIT)
        except subprocess.TimeoutExpired:
            return "does not end"
        took = time.monotonic() - started
        out, err = process.stdout.read().decode(), process.stderr.read().decode()
        problems = [f"took {took:.2f} s"] if took > LIMIT else []
        # Python itself may be starting: that is out of our hands.
        in_python = process.returncode in (-signal.SIGINT, 1) and "simple_jit" not in err
        if process.returncode != 128 + self.signals[0] and not in_python:
            problems.append(f"status {process.returncode}")
        if self.says_started and self.reads_output and not out.startswith("printed\n"):
            problems.append(f"printed {out[:100]!r}")
        if not in_python and ("Traceback (most recent call last)" in err or "internal error" in err):
            problems.append(err[-500:])
        return "; ".join(problems)


def cases(folder: Path) -> list[Case]:
    found = []
    for name, text in PROGRAMS.items():
        path = folder / f"{name.replace(' ', '_')}.spl"
        path.write_text(text)
        found += [Case(f"{name}/{mode}", ["run", *words, str(path)]) for mode, words in MODES.items()]
    loop = str(folder / "loop.spl")
    for mode, words in MODES.items():
        terminated = Case(f"SIGTERM/{mode}", ["run", *words, loop], (signal.SIGTERM,))
        twice = Case(f"twice/{mode}", ["run", *words, loop], (signal.SIGINT,) * 3)
        found += [terminated, twice, _blocked(folder, mode, words)]
    spec = folder / "endless_spec.spl"
    spec.write_text('describe "it":\n    it "goes on":\n        eprint "started"\n        loop:\n            pass\n')
    testing = Case("simple test", ["test", str(spec)])
    starting = Case("starting", ["run", loop])
    for case in (testing, starting):
        case.says_started = False
    testing.delay, starting.delay = 3.0, 0.3
    return [*found, testing, starting]


def _blocked(folder: Path, mode: str, words: list[str]) -> Case:
    path = folder / "printing.spl"
    path.write_text(f'{START}    loop:\n        print "more"\n')
    case = Case(f"nobody reads/{mode}", ["run", *words, str(path)])
    case.reads_output = False
    return case


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("names", nargs="*", help="run only cases whose names contain one of these")
    options = parser.parse_args()
    failed = count = 0
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(Path(folder)) * options.repeat:
            if options.names and not any(part in case.name for part in options.names):
                continue
            problem = case.run()
            count += 1
            failed += bool(problem)
            print(f"{'FAILED' if problem else 'ok':6} {case.name}{': ' if problem else ''}{problem}", flush=True)
    print(f"{count} cases, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
