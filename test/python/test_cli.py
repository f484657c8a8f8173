"""The command line: options, exit statuses, and where the source comes from."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness import ROOT, run_simple
from simple_jit import __version__
from simple_jit.cli.options import Command, Option, UsageError, parse
from simple_jit.cli.settings import read_settings

COMMAND = Command(
    "brew", "brew FILE", "Makes tea.", [Option("--size", "N", "how much", "-s"), Option("--hot", None, "")]
)


@pytest.mark.parametrize(
    ("words", "values", "rest"),
    [
        ([], {}, []),
        (["file"], {}, ["file"]),
        (["--size", "3", "file"], {"--size": "3"}, ["file"]),
        (["--size=3", "file"], {"--size": "3"}, ["file"]),
        (["-s", "3"], {"--size": "3"}, []),
        (["file", "--size", "3"], {}, ["file", "--size", "3"]),
        (["--hot", "--", "--size"], {"--hot": ""}, ["--size"]),
        (["-", "--hot"], {}, ["-", "--hot"]),
    ],
)
def test_options_end_at_the_first_other_word(
    words: list[str], values: dict[str, str], rest: list[str]
) -> None:
    assert parse(COMMAND, words) == (values, rest)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sise", "3"], "unknown option `--sise`"),
        (["--size"], "option `--size` needs a value"),
        (["--hot=very"], "option `--hot` takes no value"),
    ],
)
def test_a_wrong_option_is_named(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(COMMAND, words)
    assert caught.value.message == message


def test_options_win_over_the_environment() -> None:
    environ = {"SIMPLE_JIT_MODE": "always_jit", "SIMPLE_JIT_THRESHOLD": "5", "SIMPLE_JIT_BACKEND": "llvm"}
    settings = read_settings({"--mode": "always_interpret"}, environ)
    assert (settings.mode, settings.backend, settings.threshold) == ("always_interpret", "llvm", 5)
    assert read_settings({"--threshold": "0"}, environ).threshold == 0


@pytest.mark.parametrize(
    "environ",
    [{"SIMPLE_JIT_MODE": "fast"}, {"SIMPLE_JIT_BACKEND": "gcc"}, {"SIMPLE_JIT_THRESHOLD": "-1"}],
)
def test_a_wrong_variable_is_refused(environ: dict[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        read_settings({}, environ)
    assert next(iter(environ)) in caught.value.message


def test_version() -> None:
    outcome = run_simple(["--version"])
    assert (outcome.status, outcome.out) == (0, f"simple {__version__}\n")


@pytest.mark.parametrize("command", ["run", "check", "dump", "doctor"])
def test_each_command_explains_itself(command: str) -> None:
    outcome = run_simple([command, "--help"])
    assert outcome.status == 0
    assert outcome.out.startswith(f"usage: simple {command}")
    assert run_simple(["help", command]) == outcome


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["chekc", "x.spl"], ["unknown command `chekc`", "did you mean `check`?"]),
        (["run", "--moed", "auto", "x.spl"], ["unknown option `--moed`", "did you mean `--mode`?"]),
        (["run", "--mode", "always_jti", "x.spl"], ["cannot be `always_jti`", "did you mean `always_jit`?"]),
        (["run", "--threshold", "ten", "x.spl"], ["`--threshold` needs a whole number, not `ten`"]),
        (["run"], ["`simple run` needs a file"]),
        (["run", "-e"], ["option `-e` needs a value"]),
        (["check"], ["`simple check` needs a file"]),
        (["dump", "x.spl"], ["needs `--stage`"]),
        (["dump", "--stage", "hri", "x.spl"], ["cannot be `hri`", "did you mean `hir`?"]),
        (["doctor", "now"], ["takes no arguments"]),
    ],
)
def test_a_wrong_command_line_has_status_2(words: list[str], shown: list[str]) -> None:
    outcome = run_simple(words)
    assert outcome.status == 2
    assert outcome.out == ""
    assert outcome.err.startswith("error: ")
    for part in shown:
        assert part in outcome.err


def test_no_arguments_show_the_commands() -> None:
    outcome = run_simple([])
    assert outcome.status == 2
    assert "usage: simple run FILE" in outcome.err


def test_source_from_file_standard_input_and_command_line(tmp_path: Path) -> None:
    source = "fn main(args: [text]):\n    print args\n"
    file = tmp_path / "args.spl"
    file.write_text(source)
    wanted = '["a", "--b"]\n'
    assert run_simple(["run", str(file), "a", "--b"]).out == wanted
    assert run_simple([str(file), "a", "--b"]).out == wanted
    assert run_simple(["run", "-", "a", "--b"], stdin=source).out == wanted
    assert run_simple(["run", "-e", source, "a", "--b"]).out == wanted
    assert run_simple(["-e", source, "a", "--b"]).out == wanted


def test_status_is_what_main_returns() -> None:
    assert run_simple(["-e", "fn main() -> i64:\n    7\n"]).status == 7
    assert run_simple(["-e", "fn main() -> i64:\n    256 + 3\n"]).status == 3
    assert run_simple(["-e", "fn main():\n    pass\n"]).status == 0


def test_output_before_an_error_is_kept() -> None:
    outcome = run_simple(["-e", 'print "before"\nprint [1][3]\n'])
    assert outcome.status == 1
    assert outcome.out == "before\n"
    assert outcome.err.startswith("error: IndexError: index 3 is out of range for length 1\n")


def test_check_runs_nothing(tmp_path: Path) -> None:
    good = tmp_path / "good.spl"
    good.write_text('print "running"\n')
    bad = tmp_path / "bad.spl"
    bad.write_text("val n: i64 = \"x\"\nprint cuont\n")
    assert run_simple(["check", str(good)]) == run_simple(["check", str(good), str(good)])
    outcome = run_simple(["check", str(good)])
    assert (outcome.status, outcome.out, outcome.err) == (0, "", "")
    outcome = run_simple(["check", str(good), str(bad)])
    assert (outcome.status, outcome.out) == (1, "")
    assert f"{bad}:1:" in outcome.err
    assert f"{bad}:2:" in outcome.err
    assert "2 errors" in outcome.err


@pytest.mark.parametrize(
    ("stage", "part"),
    [
        ("tokens", "fn"),
        ("ast", "twice"),
        ("hir", "twice"),
        ("mir", "twice"),
        ("clif", "function"),
        ("llvm", "define"),
        ("asm", ""),
    ],
)
def test_dump_shows_each_stage(stage: str, part: str, tmp_path: Path) -> None:
    file = tmp_path / "twice.spl"
    file.write_text("fn twice(n: i64) -> i64: n * 2\nprint twice(21)\n")
    outcome = run_simple(["dump", str(file), "--stage", stage])
    assert outcome.status == 0, outcome
    assert part in outcome.out
    assert outcome.err == ""


def test_dump_of_one_function(tmp_path: Path) -> None:
    file = tmp_path / "functions.spl"
    file.write_text("fn one() -> i64: 1\nfn two() -> i64: one() + one()\nprint two()\n")
    for stage in ("ast", "hir", "mir", "clif", "llvm"):
        outcome = run_simple(["dump", str(file), "--stage", stage, "--fn", "one"])
        assert outcome.status == 0, outcome
        assert "one" in outcome.out
        assert "two" not in outcome.out
    outcome = run_simple(["dump", str(file), "--stage", "mir", "--fn", "tow"])
    assert outcome.status == 2
    assert "did you mean `two`?" in outcome.err


def test_doctor_names_what_it_found() -> None:
    outcome = run_simple(["doctor"], environ={"SIMPLE_JIT_THRESHOLD": "77"})
    assert outcome.status == 0
    for part in ("python", "cranelift", "llvm", "C compiler", "heap", "cache", "SIMPLE_JIT_THRESHOLD = 77"):
        assert part in outcome.out


def test_stats_and_verbose_go_to_standard_error() -> None:
    source = "fn twice(n: i64) -> i64: n * 2\nfor i in 0..50:\n    twice(i)\nprint twice(4)\n"
    outcome = run_simple(["run", "--stats", "--verbose", "-e", source])
    assert (outcome.status, outcome.out) == (0, "8\n")
    assert "twice" in outcome.err


def test_a_defect_of_the_compiler_is_told_apart() -> None:
    script = (
        "import sys, simple_jit.cli.main as m\n"
        "def broken(words): raise ZeroDivisionError('deep inside')\n"
        "m._dispatch = broken\n"
        "sys.exit(m.main([]))\n"
    )

    def run(debug: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "SIMPLE_DEBUG": debug}
        return subprocess.run(
            [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=False
        )

    quiet, loud = run("0"), run("1")
    assert (quiet.returncode, loud.returncode) == (70, 70)
    assert quiet.stderr.startswith("error: internal error of the compiler: ZeroDivisionError: deep inside")
    assert "Traceback" not in quiet.stderr
    assert "Traceback" in loud.stderr


def start(words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "simple_jit", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("mode", ["always_interpret", "always_jit", "auto"])
def test_interrupt_ends_with_status_130(mode: str) -> None:
    source = 'print "started"\nvar n = 0\nwhile n >= 0:\n    n = (n + 1) % 1000\n'
    process = start(["run", "--mode", mode, "-e", source])
    assert process.stdout is not None
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    try:
        _, err = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == 130
    assert "Traceback" not in err


def test_a_reader_that_goes_away_is_no_error() -> None:
    process = start(["run", "-e", "for i in 0..200000:\n    print i\n"])
    assert process.stdout is not None
    assert process.stdout.readline() == "0\n"
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    assert process.wait(timeout=30) == 1
    assert err == ""
