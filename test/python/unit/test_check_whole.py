"""Constants, the whole library, calls from outside, and programs that are large or odd."""

from __future__ import annotations

import pytest

from check_helper import check, errors, verify_all
from simple_jit.base.diagnostics import CompileError, Reporter
from simple_jit.base.source import SourceFile
from simple_jit.hir import nodes as hir
from simple_jit.hir.check import check_program
from simple_jit.hir.types import F64, I64, TEXT, array_of


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 + 3 * 4", 14),
        ("-7 / 2", -3),
        ("-7 % 3", -1),
        ("-7 // 2", -4),
        ("1 << 40", 1 << 40),
        ("i64.MAX + 1", -(1 << 63)),
        ("255u8 + 1u8", 0),
        ("300 as u8", 44),
        ("2 ** 10", 1024),
        ("1.5 * 2", 3.0),
        ("f64(3)", 3.0),
        ("7.9 as i64", 7),
        ("1 < 2 and 3 != 4", True),
        ("if 1 > 2: 1 else: 2", 2),
        ("~0", -1),
        ("6 & 3 | 8", 10),
        ("'a' + 'b' == 'ab'", True),
    ],
)
def test_a_constant_is_folded_as_it_would_run(expression: str, value: object) -> None:
    program = check(f"const A = {expression}\nfn f(): A\nfn main(): print f()\n")
    body = program.functions["main.f()"].body
    assert isinstance(body, hir.Const)
    assert body.value == value


def test_constants_of_text_and_tuples_and_of_other_constants() -> None:
    program = check("const A = 'n' * 2\nconst B = (A, C)\nconst C = 3\nfn f() -> (text, i64): B\n")
    body = program.functions["main.f()"].body
    assert isinstance(body, hir.TupleNew)
    first, second = body.items
    assert isinstance(first, hir.TextConst)
    assert first.value == "nn"
    assert isinstance(second, hir.Const)


@pytest.mark.parametrize("expression", ["clock()", "[1]", "1 / 0", "A"])
def test_what_is_not_constant_is_refused(expression: str) -> None:
    assert errors(f"const A = {expression}\n")


def test_find_makes_instances_for_calls_from_outside() -> None:
    program = check("fn add(a, b): a + b\nfn one() -> i64: 1\nfn get<T>(xs: [T]) -> T: xs[0]\n")
    found = program.find("add", [I64, F64])
    assert found is not None
    assert found.ret is F64
    assert found.body is not None
    one = program.find("one")
    assert one is program.functions["main.one()"]
    get = program.find("get", [array_of(TEXT)])
    assert get is not None
    assert get.ret is TEXT
    concat = program.find("core.text.concat")
    assert concat is not None
    assert concat.symbol == "core.text.concat(text, text)"
    assert program.find("nothing") is None
    assert program.find("add") is None
    verify_all(program)


def test_find_refuses_types_that_a_function_does_not_take() -> None:
    program = check("fn add(a, b): a + b\nfn get<T>(xs: [T]) -> T: xs[0]\n")
    assert program.find("get", [I64]) is None
    with pytest.raises(CompileError):
        program.find("add", [I64, TEXT])


def test_chains_of_operators_may_be_very_long() -> None:
    sums = " + ".join(["x"] * 5000)
    texts = " + ".join(['"a"', "t"] * 1500)
    tests = " and ".join(["x == 1"] * 2000)
    program = check(f"fn f(x: i64, t: text):\n    print {sums}, {texts}, {tests}\n")
    assert program is not None


def test_a_generic_function_that_grows_its_type_without_end_is_refused() -> None:
    found = errors("fn grow(xs): grow([xs])\nfn main(): grow(1)\n")
    assert any("E0322" in message or "E0330" in message for message in found)


def test_every_function_of_the_library_checks() -> None:
    """Those that have one instance; generic ones are checked by the programs that use them."""
    from simple_jit.hir.session import Options, Session
    from simple_jit.hir.symbols import FunctionSymbol
    from simple_jit.hir.whole import check_function

    reporter = Reporter()
    session = Session(reporter, Options())
    session.loader.load_main(SourceFile("test.spl", ""))
    for key, pieces in session.loader.index.pieces.items():
        module = session.loader.core(key)
        for name in pieces:
            symbol = module.find(name)
            assert isinstance(symbol, FunctionSymbol)
            check_function(symbol)
    session.drain()
    assert reporter.diagnostics == []


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", '"""A docstring."""\n', "pass\n"])
def test_programs_that_do_nothing(text: str) -> None:
    assert check(text).start.ret is I64


def test_errors_in_the_syntax_are_not_followed_by_errors_about_what_is_missing() -> None:
    reporter = Reporter()
    source = SourceFile("test.spl", "fn broken(:\n    1\nfn main(): broken(1)\n")
    assert check_program(source, reporter) is None
    assert all(d.code < "E02" for d in reporter.diagnostics)
