"""`simple build`: executables do what `simple run` does, and what goes wrong is said clearly."""

from __future__ import annotations

import math
import os
import random
import shutil
import signal
import struct
import subprocess
from pathlib import Path

import pytest

from harness import PROGRAMS, Expectation, Outcome, run_simple
from simple_jit.base.float_text import shortest_f32

# Together they use nearly all of the runtime; test/stress/aot.py builds every program there is.
SAMPLE = [
    "any/places.spl",
    "control/args.spl",
    "errors/try_kinds.spl",
    "errors/throw_again_uncaught.spl",
    "errors/exit_runs_finally.spl",
    "externs/libc.spl",
    "externs/runtime.spl",
    "library/io.spl",
    "text/methods.spl",
    "whole/words.spl",
]


def build(source: Path, output: Path, *options: str) -> None:
    outcome = run_simple(["build", *options, source.name, "-o", str(output)], folder=source.parent)
    assert outcome == Outcome(0, "", ""), outcome


def run(executable: Path, *args: str, stdin: str = "", folder: Path | None = None, **environ: str) -> Outcome:
    done = subprocess.run(
        [executable, *args],
        input=stdin.encode(),
        capture_output=True,
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environ},
        timeout=60,
    )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def write(folder: Path, text: str, name: str = "prog.spl") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", SAMPLE)
def test_an_executable_does_what_simple_run_does(name: str, tmp_path: Path) -> None:
    path = PROGRAMS / name
    wanted = Expectation(path)
    build(path, tmp_path / "prog", "-O2" if name.startswith("whole") else "-O0")
    outcome = run(tmp_path / "prog", *wanted.args, folder=path.parent)
    assert not wanted.problems(outcome), outcome
    assert outcome == run_simple(["run", path.name, *wanted.args], folder=path.parent)


def test_c_calls_functions_of_an_executable(tmp_path: Path) -> None:
    path = PROGRAMS / "externs" / "callbacks.spl"
    build(path, tmp_path / "prog", "-O0")
    outcome = run(tmp_path / "prog", SIMPLE_GC_STRESS="1000")
    assert not Expectation(path).problems(outcome), outcome


_GARBAGE = """
class Node:
    next: Node?
    words: [text]

fn main():
    val kept = [Node(nil, ["node {i}"]) for i in 0..50]
    var made = 0
    for round in 0..ROUNDS:
        var list: Node? = nil
        for i in 0..100:
            list = Node(list, ["{round}", "x{i}" * 20, "y"])
        made += list!.words[1].len
        kept[round % 50].words.push(list!.words[0])
    print made, kept[49].words.len, kept[7].words[2], kept[0].words[0]
"""


@pytest.mark.parametrize(("rounds", "every", "cause"), [(100, "5", "stress"), (5000, "", "budget")])
def test_the_collector_keeps_what_is_needed(rounds: int, every: str, cause: str, tmp_path: Path) -> None:
    build(write(tmp_path, _GARBAGE.replace("ROUNDS", str(rounds))), tmp_path / "prog", "-O1")
    outcome = run(tmp_path / "prog", SIMPLE_GC_STRESS=every, SIMPLE_GC_LOG="1")
    assert outcome.out == f"{60 * rounds} {rounds // 50 + 1} 57 node 0\n"
    assert outcome.status == 0
    assert outcome.err.startswith(f"gc 1: {cause}, "), outcome.err[:100]


_NUMBERS = """
fn main():
    while val line = input():
        val x = line.to_f64()!
        print "{x}|{x as f32}|{x:.3f}|{x:e}|{x:g}|{x:+.2e}|{x:012.3f}|{x:,.2f}|{x:.4}|{x:#.3}|{x:%}|{x:^20.1f}"
        print "{x:.1}|{x:G}|{x:z.1f}|{x:020,}|{x:#g}|{x:.17g}|{x:*<15.3}|{line:>30}|{line:.3}|{line:é^31s}"
        val n = x as i64
        print "{n}|{n:x}|{n:#X}|{n:b}|{n:#o}|{n:_}|{n:015,}|{n:+}|{n: d}|{n:é>30}|{n:=+30}|{n:.2f}|{n:#_b}|{n as u64:,}"
"""


def _formatted(x: float, line: str) -> list[str]:
    (single,) = struct.unpack("<f", struct.pack("<f", x))
    n = max(min(int(x), 2**63 - 1), -(2**63)) if math.isfinite(x) else 0
    return [
        f"{x!r}|{shortest_f32(single)}|{x:.3f}|{x:e}|{x:g}|{x:+.2e}|{x:012.3f}|{x:,.2f}|{x:.4}|{x:#.3}|{x:%}|{x:^20.1f}",
        f"{x:.1}|{x:G}|{x:z.1f}|{x:020,}|{x:#g}|{x:.17g}|{x:*<15.3}|{line:>30}|{line:.3}|{line:é^31s}",
        f"{n}|{n:x}|{n:#X}|{n:b}|{n:#o}|{n:_}|{n:015,}|{n:+}|{n: d}|{n:é>30}|{n:=+30}|{n:.2f}|{n:#_b}|{n % 2**64:,}",
    ]


def test_numbers_are_formatted_as_python_does(tmp_path: Path) -> None:
    build(write(tmp_path, _NUMBERS), tmp_path / "prog", "-O0")
    chance = random.Random(5)
    values = [0.0, -0.0, 1.0, -1.5, 5e-324, 0.1, 1e16, 1e15, 9007199254740993.0, 1e22, 9.995, 1e-5, 999999.5]
    values += [math.ldexp(1, exponent) for exponent in range(-140, 128)]
    values += [chance.uniform(-1e6, 1e6) for _ in range(300)]
    values += [float(chance.randrange(-(10**18), 10**18)) / 10 ** chance.randrange(30) for _ in range(300)]
    lines = [repr(value) for value in values]
    outcome = run(tmp_path / "prog", stdin="".join(f"{line}\n" for line in lines))
    wanted = [text for value, line in zip(values, lines) for text in _formatted(value, line)]
    assert outcome.out.splitlines() == wanted
    assert outcome.status == 0


_READ = """
fn main():
    while val line = input():
        val x = line.to_f64()
        print if x == nil: "nil {line.to_i64() ?? 0} {line.upper()} {line.lower()}" else: "{x!}"
"""


def test_floats_and_words_are_read_as_python_does(tmp_path: Path) -> None:
    build(write(tmp_path, _READ), tmp_path / "prog", "-O0")
    chance = random.Random(6)
    texts = [repr(math.ldexp(1, exponent)) for exponent in range(-1074, 1024)]
    for _ in range(2000):
        (value,) = struct.unpack("<d", chance.randbytes(8))
        texts.append(repr(value))
    texts += ["1_000.5", "1__0", "_1", " 12 ", "\u00a03.5\u2003", "-Infinity", "+nan", "0x10", "1e", "\u0663.\u0665"]
    texts += ["\u0661\u0662", "Straße ΣΑΣ ΑΣΒ", "ŉ ǰ İ ẞ ﬁ", "Σ", "Ά.Σ.", "\U00010400\U00010428", "αΣ\u00ad", "1 2", "+-1"]
    outcome = run(tmp_path / "prog", stdin="".join(f"{text}\n" for text in texts))
    assert outcome.out.split("\n")[:-1] == [_read(text) for text in texts]


def _read(text: str) -> str:
    try:
        return repr(float(text))
    except ValueError:
        pass
    return f"nil {int(text) if text.isdecimal() else 0} {text.upper()} {text.lower()}"


def test_an_error_shows_its_place_without_the_source(tmp_path: Path) -> None:
    source = write(tmp_path, "fn main():\n    val xs = [1, 2]\n    print xs[7]  # ü\n")
    build(source, tmp_path / "prog", "-O0")
    wanted = run_simple(["run", "prog.spl"], folder=tmp_path)
    source.unlink()
    assert run(tmp_path / "prog") == wanted
    assert wanted.err.count("prog.spl:3:11") == 1


@pytest.mark.parametrize(
    ("body", "number", "ended"),
    [
        ("while n > 0: n = 1 + n % 1000", signal.SIGINT, (130, b"end\n", b"")),
        ("sleep(60.0)", signal.SIGTERM, (143, b"end\n", b"")),
        ("input()", signal.SIGINT, (130, b"end\n", b"")),
        ("for i in 0..(1 << 62): n = n xor i", signal.SIGINT, (130, b"", b"")),  # nothing to notice it in
    ],
)
def test_signals_end_an_executable(
    body: str, number: int, ended: tuple[int, bytes, bytes], tmp_path: Path
) -> None:
    text = "use std.time.{sleep}\nfn main():\n    var n = 1\n    defer print \"end\"\n    eprint \"go\"\n"
    build(write(tmp_path, f"{text}    {body}\n    print n\n"), tmp_path / "prog", "-O0")
    with subprocess.Popen(
        [tmp_path / "prog"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"go\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == ended


_WAYS = """
struct Tree:
    depth: i64

    fn descend(way: text) -> i64:
        if self.depth > 0:
            return Tree(self.depth - 1).descend(way) + 1
        fail(way)

fn fail(way: text) -> i64:
    match way:
        case "index": [1, 2][way.len + "é".len]
        case "throw": throw "thrown"
        case _: forever(1) + 1

fn forever(n: i64) -> i64: 1 + back(n + 1)
fn back(n: i64) -> i64: if n < 0: 0 else: forever(n) + n

fn again(depth: i64, way: text) -> i64:
    try:
        return Tree(depth).descend(way)
    catch e:
        if e.kind != "KeyError": throw e
        0
    finally:
        print "finally"

fn main(args: [text]):
    val numbers = [args[1].to_i64()!].map \\depth: again(depth, args[0])
    print numbers
"""


def test_tracebacks_are_those_of_simple_run(tmp_path: Path) -> None:
    build(write(tmp_path, _WAYS), tmp_path / "prog", "-O2")
    for args in (["index", "2"], ["index", "30"], ["index", "9000"], ["throw", "0"], ["overflow", "1"]):
        outcome = run(tmp_path / "prog", *args, folder=tmp_path)
        assert outcome == run_simple(["run", "prog.spl", *args], folder=tmp_path), args
        assert ", called from\n" in outcome.err


def test_output_that_cannot_be_written(tmp_path: Path) -> None:
    build(write(tmp_path, 'fn main(): print "x"'), tmp_path / "prog", "-O0")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([tmp_path / "prog"], stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert (done.returncode, done.stderr) == (
        1,
        b"error: IoError: cannot write to standard output: No space left on device\n",
    )


def test_an_executable_is_small_and_stands_alone(tmp_path: Path) -> None:
    build(write(tmp_path, 'fn main(): print "x"'), tmp_path / "prog", "--static", "-O0")
    assert run(tmp_path / "prog").out == "x\n"
    build(write(tmp_path, 'fn main(): print "x"'), tmp_path / "prog", "-O3", "--target-cpu", "native")
    assert run(tmp_path / "prog").out == "x\n"
    assert (tmp_path / "prog").stat().st_size < 200_000


def test_stages_can_be_written(tmp_path: Path) -> None:
    source = write(tmp_path, "fn main(): print 40 + 2")
    for form, start in (("mir", b"fn "), ("llvm", b"; ModuleID"), ("asm", b"\t"), ("obj", b"\x7fELF")):
        output = tmp_path / form
        build(source, output, "--emit", form)
        assert output.read_bytes().startswith(start)


def test_the_name_of_the_output_is_that_of_the_program(tmp_path: Path) -> None:
    write(tmp_path, "fn main() -> i64: 7", "seven.spl")
    assert run_simple(["build", "-O0", "seven.spl"], folder=tmp_path) == Outcome(0, "", "")
    assert run(tmp_path / "seven").status == 7


_EXPORTS = """
val names = ["zero", "one", "two"]
@export
fn add(a: i64, b: i64) -> i64: a + b
@export
fn name_of(n: i64) -> text: names[n]
@export
fn scale(xs: [f64], by: f32):
    for i in 0..xs.len: xs[i] *= by.to_f64()
@export
fn is_word(s: text, words: u8) -> bool: s.split(" ").len == words as i64
"""
_USE = r"""
#include <stdio.h>
#include "libexports.h"
static const char *error(void) { const char *text = simple_error(); return text ? text : "none"; }
int main(void) {
    double xs[] = {1, 2.5, -4};
    printf("%lld\n", (long long)add(40, 2));
    printf("%s %s\n", name_of(2), error());
    const char *name = name_of(9);
    printf("%s %s\n", name ? name : "NULL", error());
    scale(xs, 3, 2.0f);
    printf("%g %g %g %s\n", xs[0], xs[1], xs[2], error());
    printf("%d", is_word("a b\xc3\xbc", 2));
    printf("%d\n", is_word("a b c", 2));
    return 0;
}
"""


def test_c_calls_exported_functions(tmp_path: Path) -> None:
    build(write(tmp_path, _EXPORTS), tmp_path / "libexports.so", "--shared", "-O0")
    header = (tmp_path / "libexports.h").read_text()
    assert "void scale(double *xs, size_t xs_len, float by);\n" in header
    write(tmp_path, _USE, "use.c")
    options = ["-Wall", "-Werror", "-L.", "-lexports", f"-Wl,-rpath,{tmp_path}"]
    subprocess.run(["cc", "use.c", "-o", "use", *options], cwd=tmp_path, check=True)
    assert run(tmp_path / "use").out.splitlines() == [
        "42",
        "two none",
        "NULL IndexError: index 9 is out of range for length 3 (prog.spl:6:29)",
        "2 5 -8 none",
        "10",
    ]


REFUSED = {
    "no exports": ("fn main(): print 1", ["--shared"], "error[E0421]: the program has no function that is marked"),
    "a type": ("@export\nfn f(x: {text: i64}) -> i64: x.len", ["--shared"], "error[E0421]: the parameter `x` of `f`"),
    "the compiler": (
        "use compiler.backend.{create_backend, BackendKind}\nfn main():\n    create_backend(BackendKind.Interpreter)\n",
        [],
        "error[E0420]: this needs the compiler when the program runs (`rt_create_backend`)\n  --> prog.spl:3:5",
    ),
    "a library, statically": (
        'extern "libm.so.6" fn cos(x: f64) -> f64\nfn main(): print cos(0.0)',
        ["--static"],
        "error[E0420]: `cos` is in a library that is opened when the program runs",
    ),
    "an error": ("fn main(): print x", [], "error[E0201]"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_built_is_refused(what: str, tmp_path: Path) -> None:
    text, options, message = REFUSED[what]
    write(tmp_path, text)
    outcome = run_simple(["build", *options, "prog.spl", "-o", "out"], folder=tmp_path)
    assert outcome.err.startswith(message), outcome
    assert outcome.status == 1
    assert not (tmp_path / "out").exists()


def test_what_stands_in_the_way_of_building(tmp_path: Path) -> None:
    write(tmp_path, "fn main(): print 1")
    (tmp_path / "folder").mkdir()

    def fail(*words: str, **environ: str) -> tuple[int, str]:
        outcome = run_simple(["build", *words], folder=tmp_path, environ=environ)
        return outcome.status, outcome.err.splitlines()[0]

    nothing = str(tmp_path / "folder")
    if shutil.which("cc") and not _has_zig():
        assert fail("prog.spl", PATH=nothing) == (1, "error: there is no C compiler to link with")
    assert fail("prog.spl", CC="no-such-cc") == (1, "error: there is no C compiler `no-such-cc`, which `CC` names")
    assert fail("prog.spl", CC="false") == (1, "error: `false` failed")
    assert fail("prog.spl", "-o", "folder") == (1, "error: cannot write folder: Is a directory")
    assert fail("prog.spl", "-o", "none/x") == (1, "error: cannot write none/x: No such file or directory")
    assert fail("none.spl") == (1, "error[E0001]: there is no file `none.spl`")
    assert fail() == (2, "error: `simple build` needs one file")
    assert fail("prog.spl", "--static", "--shared") == (2, "error: `--static` and `--shared` exclude one another")
    assert fail("prog.spl", "--emit", "elf") == (2, "error: `--emit` cannot be `elf`")


def _has_zig() -> bool:
    from importlib.util import find_spec

    return find_spec("ziglang") is not None


def test_a_library_is_opened_when_the_program_starts(tmp_path: Path) -> None:
    text = 'extern "libm.so.6" fn cos(x: f64) -> f64\nfn main(): print cos(0.0)'
    build(write(tmp_path, text), tmp_path / "prog", "-O0")
    assert run(tmp_path / "prog") == Outcome(0, "1.0\n", "")
