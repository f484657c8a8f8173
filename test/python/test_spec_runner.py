"""`simple test`: which examples run, how failures are told, and how the process ends."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness import Outcome, run_simple

STACK = """
    class Stack:
        items: [i64] = []
        me push(x: i64): items.push(x)
        fn len() -> i64: items.len()

    describe "a stack":
        let stack = Stack()

        before_each:
            stack.push(7)

        it "has what was pushed":
            expect stack.len() == 1
            stack.push(8)

        it "is fresh each time", tag: ["quick"]:
            print "seen"
            expect stack.len() == 2

        context "later", tag: ["slow"]:
            it "fails to pop", tag: "net":
                val xs: [i64] = []
                xs.pop()

            it "waits", skip:
                panic("not reached")

            it "is to be written"
    """


def spec(folder: Path, source: str, name: str = "a_spec.spl") -> str:
    folder.joinpath(name).write_text(textwrap.dedent(source).lstrip("\n"), encoding="utf-8")
    return name


def run(folder: Path, *words: str) -> Outcome:
    return run_simple(["test", *words], folder=folder)


def names(outcome: Outcome, status: str | None = None) -> list[str]:
    examples = json.loads(outcome.out)["examples"]
    return [" ".join(e["path"]) for e in examples if status in (None, e["status"])]


def results(folder: Path, source: str, *words: str) -> dict[str, str]:
    """Run one file; return the status of each example."""
    outcome = run(folder, spec(folder, source), "--format", "json", *words)
    return {" ".join(e["path"]): e["status"] for e in json.loads(outcome.out)["examples"]}


# --- formats ---------------------------------------------------------------------------------------


def test_progress_shows_failures_with_both_sides_and_output(tmp_path: Path) -> None:
    outcome = run(tmp_path, spec(tmp_path, STACK))
    assert outcome.status == 1
    assert outcome.err == ""
    lines = outcome.out.splitlines()
    assert lines[0] == ".FFss"
    text = outcome.out
    assert "1) a stack is fresh each time" in text
    assert "error: AssertionError: expected stack.len() == 2" in text
    assert "   left: 1\n" in text
    assert "  right: 2\n" in text
    assert "--> a_spec.spl:18:9" in text
    assert "| seen" in text
    assert "2) a stack later fails to pop" in text
    assert lines[-1].startswith("5 examples, 2 failures, 2 skipped (")


def test_doc_reads_as_an_outline(tmp_path: Path) -> None:
    outcome = run(tmp_path, spec(tmp_path, STACK), "--format", "doc")
    assert outcome.out.startswith(
        "a_spec.spl\n"
        "  a stack\n"
        "    ✓ has what was pushed\n"
        "    ✗ is fresh each time (1)\n"
        "    later\n"
        "      ✗ fails to pop (2)\n"
        "      - waits (skipped)\n"
        "      - is to be written (not written yet)\n"
    )


def test_json_has_everything(tmp_path: Path) -> None:
    outcome = run(tmp_path, spec(tmp_path, STACK), "--format", "json")
    data = json.loads(outcome.out)
    assert data["summary"]["examples"] == 5
    assert (data["summary"]["passed"], data["summary"]["failed"], data["summary"]["skipped"]) == (1, 2, 2)
    failed = data["examples"][1]
    assert failed["path"] == ["a stack", "is fresh each time"]
    assert failed["tags"] == ["quick"]
    assert failed["output"] == "seen\n"
    assert failed["failure"]["kind"] == "AssertionError"
    assert failed["failure"]["line"] == 18
    assert data["examples"][2]["tags"] == ["net", "slow"]
    assert data["examples"][4]["reason"] == "not written yet"


def test_junit_is_xml_that_counts(tmp_path: Path) -> None:
    spec(tmp_path, 'it "<&\\"\\x01>": expect "a" == "b"', "b_spec.spl")
    spec(tmp_path, 'it "x": nothing()', "c_spec.spl")
    outcome = run(tmp_path, ".", spec(tmp_path, STACK), "--format", "junit")
    suites = ElementTree.fromstring(outcome.out)
    assert (suites.get("tests"), suites.get("failures"), suites.get("errors")) == ("7", "3", "1")
    cases = list(suites.iter("testcase"))
    assert cases[0].get("name") == "has what was pushed"
    assert cases[0].get("classname") == "a stack"
    assert "expected stack.len() == 2" in (cases[1].findtext("failure") or "")
    assert cases[1].findtext("system-out") == "seen\n"
    assert cases[3].find("skipped") is not None
    assert cases[5].get("name") == '<&"\ufffd>'


# --- choosing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        (["--match", "fresh"], ["a stack is fresh each time"]),
        (["-m", "STACK LATER W"], ["a stack later waits"]),
        (["--tag", "quick"], ["a stack is fresh each time"]),
        (["--tag", "net,quick"], ["a stack is fresh each time", "a stack later fails to pop"]),
        (["--tag", "~slow"], ["a stack has what was pushed", "a stack is fresh each time"]),
        (["--tag", "slow,~net"], ["a stack later waits", "a stack later is to be written"]),
        (["--fail-fast"], ["a stack has what was pushed", "a stack is fresh each time"]),
    ],
    ids=" ".join,
)
def test_options_choose_examples(tmp_path: Path, words: list[str], chosen: list[str]) -> None:
    outcome = run(tmp_path, spec(tmp_path, STACK), "--format", "json", *words)
    assert names(outcome) == chosen


def test_a_seed_shuffles_in_the_same_way_each_time(tmp_path: Path) -> None:
    examples = "".join(f'it "{n}": pass\n' for n in range(20))
    file = spec(tmp_path, f'describe "g":\n{textwrap.indent(examples, "    ")}')
    plain = names(run(tmp_path, file, "--format", "json"))
    first = names(run(tmp_path, file, "--format", "json", "--seed", "1"))
    assert first == names(run(tmp_path, file, "--format", "json", "--seed", "1"))
    assert first != names(run(tmp_path, file, "--format", "json", "--seed", "2"))
    assert first != plain
    assert sorted(first) == sorted(plain)


def test_folders_are_searched_for_specs_and_test_functions(tmp_path: Path) -> None:
    tmp_path.joinpath("inner", ".hidden").mkdir(parents=True)
    for folder in (".", "inner", "inner/.hidden"):
        spec(tmp_path / folder, f'it "in {folder}": pass')
    spec(tmp_path, "@test\nfn works(): pass\nfn main(): panic(\"no\")", "tests.spl")
    spec(tmp_path, "fn main(): panic(\"no\")", "program.spl")
    outcome = run(tmp_path, "--format", "json")
    assert names(outcome) == ["in .", "works", "in inner"]
    assert names(run(tmp_path, "inner", "--format", "json")) == ["in inner"]


def test_files_in_parallel_report_in_order(tmp_path: Path) -> None:
    for n in range(5):
        spec(tmp_path, f'it "a{n}": pass\nit "b{n}": pass', f"f{n}_spec.spl")
    outcome = run(tmp_path, "-j4", "--format", "json")
    assert names(outcome) == [f"{letter}{n}" for n in range(5) for letter in "ab"]


# --- isolation -------------------------------------------------------------------------------------


def test_test_functions_are_examples(tmp_path: Path) -> None:
    source = """
        fn add(a: i64, b: i64) -> i64: a + b

        @test
        fn adds(): assert add(1, 2) == 3

        @test
        fn fails(): expect add(1, 2) == 4

        @skip
        @test
        fn waits(): panic("no")
        """
    assert results(tmp_path, source) == {"adds": "passed", "fails": "failed", "waits": "skipped"}


def test_every_kind_of_failure_is_that_of_one_example(tmp_path: Path) -> None:
    source = """
        extern fn abort()
        fn deep(n: i64) -> i64: deep(n + 1) + 1
        it "fails": expect false
        it "panics": panic("x")
        it "overflows": deep(0)
        it "throws": throw 5
        it "crashes": abort()
        it "passes": pass
        """
    found = results(tmp_path, source)
    assert found.pop("passes") == "passed"
    assert found == dict.fromkeys(["fails", "panics", "overflows", "throws", "crashes"], "failed")


def test_hooks_run_around_examples(tmp_path: Path) -> None:
    source = """
        var log = ""
        describe "outer":
            before_all: log += "A"
            after_all: log += "Z"
            before_each: log += "("
            after_each: log += ")"
            it "one": log += "1"
            context "inner":
                before_each: log += "["
                after_each: log += "]"
                it "two": panic("2")
            it "three": expect log == "A(1)([])("
        it "ends": expect log == "A(1)([])()Z"
        """
    assert results(tmp_path, source) == {
        "outer one": "passed",
        "outer inner two": "failed",
        "outer three": "passed",
        "ends": "passed",
    }


def test_a_hook_that_fails_fails_its_examples(tmp_path: Path) -> None:
    source = """
        describe "a":
            before_all: panic("no database")
            it "one": pass
            it "two": pass
        describe "b":
            after_each: panic("no way back")
            it "three": pass
        it "four": pass
        """
    found = run(tmp_path, spec(tmp_path, source))
    assert found.out.startswith("FFF.")
    assert "in `before_all`:" in found.out
    assert "no way back" in found.out


def test_skip_leaves_an_example(tmp_path: Path) -> None:
    source = """
        it "leaves":
            skip "no network"
            panic("not reached")
        it "leaves too":
            if true: skip
            panic("not reached")
        @skip
        it "is marked": panic("no")
        @skip
        describe "a group":
            it "is skipped with it": panic("no")
        describe "another", skip:
            it "is skipped with it": panic("no")
        """
    assert set(results(tmp_path, source).values()) == {"skipped"}


def test_expect_raises(tmp_path: Path) -> None:
    source = """
        it "finds the part":
            expect_raises "index 4":
                val xs = [1]
                xs[4] = 2
        it "fails without an error":
            expect_raises "x": pass
        it "fails with another error":
            expect_raises "x": panic("abc")
        """
    assert list(results(tmp_path, source).values()) == ["passed", "failed", "failed"]


def test_an_engine_is_set_back_after_each_example(tmp_path: Path) -> None:
    source = """
        use compiler.execution.mod.{set_jit_backend, get_jit_backend}
        it "sets": expect set_jit_backend("cranelift")
        it "sees nothing of it": expect get_jit_backend() == "auto"
        """
    assert set(results(tmp_path, source).values()) == {"passed"}


# --- how it ends -----------------------------------------------------------------------------------


def test_all_passed_is_status_0(tmp_path: Path) -> None:
    assert run(tmp_path, spec(tmp_path, 'it "x": expect 1 < 2')).status == 0


def test_a_file_with_errors_is_status_2_and_others_run(tmp_path: Path) -> None:
    spec(tmp_path, 'it "x": expect nothing', "a_spec.spl")
    spec(tmp_path, 'it "y": pass', "b_spec.spl")
    outcome = run(tmp_path)
    assert outcome.status == 2
    assert outcome.out.startswith("E.")
    assert "there is no `nothing` here" in outcome.out
    assert "1 file could not run" in outcome.out


def test_an_error_outside_of_examples_is_status_2(tmp_path: Path) -> None:
    outcome = run(tmp_path, spec(tmp_path, 'describe "a":\n    panic("here")\n    it "b": pass'))
    assert outcome.status == 2
    assert "Panic: here" in outcome.out


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--match", "nonesuch"], "no example was run"),
        (["nonesuch.spl"], "there is no file or folder `nonesuch.spl`"),
        (["--format", "xml"], "`--format` cannot be `xml`"),
        (["--seed", "x"], "`--seed` needs a whole number"),
    ],
    ids=" ".join,
)
def test_nothing_to_run_is_status_2(tmp_path: Path, words: list[str], part: str) -> None:
    spec(tmp_path, 'it "x": pass')
    outcome = run(tmp_path, *words)
    assert outcome.status == 2
    assert part in outcome.err


def test_an_empty_folder_is_status_2(tmp_path: Path) -> None:
    outcome = run(tmp_path)
    assert outcome.status == 2
    assert "nothing to test" in outcome.err


@pytest.mark.parametrize("tier", ["--mode=always_interpret", "--mode=always_jit"])
def test_modes_are_those_of_run(tmp_path: Path, tier: str) -> None:
    outcome = run(tmp_path, spec(tmp_path, STACK), tier)
    assert outcome.out.startswith(".FFss\n")
