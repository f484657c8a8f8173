"""Types that are not written: of locals, results, literals, type parameters and empty literals."""

from __future__ import annotations

import pytest

from check_helper import check, errors, local_types


def types_of(body: str, before: str = "") -> dict[str, str]:
    """Return the types of the locals of a `main` with this body."""
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    return local_types(check(f"{before}\nfn main():\n{lines}\n"), "main.main()")


@pytest.mark.parametrize(
    ("expression", "type"),
    [
        ("1", "i64"),
        ("5u8", "u8"),
        ("-128i8", "i8"),
        ("1.5", "f64"),
        ("2.5f32", "f32"),
        ("1 + 2.5", "f64"),
        ("2 * 3 * 1.5f32", "f32"),
        ("1 / 2", "i64"),
        ("2 ** 3", "i64"),
        ("2.0 ** 3", "f64"),
        ("1 < 2 < 3", "bool"),
        ("'a' + 'b'", "text"),
        ("[1, 2]", "[i64]"),
        ("[1, 2.5]", "[f64]"),
        ("[Some(1), nil]", "[i64?]"),
        ("[[1], []]", "[[i64]]"),
        ("(1, 'a', [2.0])", "(i64, text, [f64])"),
        ("[x * 2.0 for x in [1.5]]", "[f64]"),
        ("[(i, c) for i in 0..2 for c in 'ab']", "[(i64, text)]"),
        ("[0u8] * 3", "[u8]"),
        ("[text].with_len(3, '')", "[text]"),
        ("if 1 < 2: 1 else: nil", "i64?"),
        ("if 1 < 2: 1 else: panic('no')", "i64"),
        ("[1].first()", "i64?"),
        ("[1].first() ?? 2", "i64"),
        ("['a'].first()?.len", "i64?"),
        ("max(1, 2.5)", "f64"),
        ("300 as u8", "u8"),
        ("i32(7)", "i32"),
        ("u8.MAX", "u8"),
        ("'abc'[1:]", "text"),
        ("[1, ...[2], 3]", "[i64]"),
    ],
)
def test_an_expression_has_this_type(expression: str, type: str) -> None:
    assert types_of(f"val x = {expression}")["x"] == type


@pytest.mark.parametrize(
    ("declaration", "holds"),
    [
        ("val x: u8 = 200 + 50", True),
        ("val x: f64 = 1 / 2", True),
        ("val x: f32 = 1.5 * 2", True),
        ("val x: i64? = 3", True),
        ("val x: (i64?, f64) = (1, 2)", True),
        ("val x: [f64] = [1, 2]", True),
        ("val x: u8 = 256", False),
        ("val n = 3; val x: f64 = n", False),
        ("val x: i64 = 1.0", False),
        ("val x: [i64] = [1.5]", False),
        ("val x: (i64, i64) = (1, 2, 3)", False),
    ],
)
def test_literals_adapt_and_values_do_not(declaration: str, holds: bool) -> None:
    program = f"fn main():\n    {declaration}\n"
    if holds:
        check(program)
    else:
        assert errors(program)


@pytest.mark.parametrize(
    ("uses", "type"),
    [
        ("xs.push(1)", "[i64]"),
        ("xs.insert(0, 'a')", "[text]"),
        ("xs = [1.5]", "[f64]"),
        ("xs.extend([true])", "[bool]"),
        ("print xs.len\nxs.push((1, 2))", "[(i64, i64)]"),
        ("take(xs)", "[u8]"),
        ("if xs == [1]: pass", "[i64]"),
    ],
)
def test_an_empty_array_takes_its_type_from_later_use(uses: str, type: str) -> None:
    before = "fn take(xs: [u8]): pass"
    assert types_of(f"var xs = []\n{uses}", before)["xs"] == type


def test_nil_takes_its_type_from_later_use() -> None:
    assert types_of("var best = nil\nfor i in 0..3: best = i")["best"] == "i64?"


def test_results_are_inferred_through_recursion() -> None:
    program = check(
        "fn even(n): if n == 0: true else: odd(n - 1)\n"
        "fn odd(n): if n == 0: false else: even(n - 1)\n"
        "fn depth(n): if n == 0: nil else: Some(depth(n - 1) ?? 0)\n"
        "fn main(): print even(4), depth(3)\n"
    )
    assert str(program.functions["main.even(i64)"].ret) == "bool"
    assert str(program.functions["main.odd(i64)"].ret) == "bool"
    assert str(program.functions["main.depth(i64)"].ret) == "i64?"


def test_each_call_makes_the_instance_for_its_types() -> None:
    program = check(
        "fn add(a, b): a + b\nfn main(): print add(1, 2), add('a', 'b'), add(1, 2.5), add(3, 4)\n"
    )
    instances = sorted(symbol for symbol in program.functions if symbol.startswith("main.add"))
    assert (
        instances
        == ["main.add(f64, f64)", "main.add(i64, f64)", "main.add(i64, i64)", "main.add(text, text)"][1:]
    )


def test_a_test_narrows_only_what_is_never_assigned() -> None:
    check("fn f(o: i64?) -> i64: if o != nil: o + 1 else: 0\n")
    check("fn f(o: i64?) -> i64:\n    if o == nil: return 0\n    val n: i64 = o\n    n\n")
    program = check("fn f(var o: i64?) -> i64:\n    if o == nil: return 0\n    o = nil\n    o + 1\n")
    assert "unwrap(" in _text(program, "main.f(i64?)")


def _text(program: object, symbol: str) -> str:
    from simple_jit.hir.dump import dump

    return dump(program.functions[symbol])  # type: ignore[attr-defined]


def test_defaults_are_evaluated_for_each_call_and_may_use_earlier_parameters() -> None:
    program = check("fn f(a: i64, b: [i64] = [a]) -> [i64]: b\nfn main(): print f(1), f(2)\n")
    assert "main.f.b=" in program.functions


def test_overflow_checks_mark_signed_arithmetic_of_the_program_alone() -> None:
    from simple_jit.hir.session import Options

    program = check("fn f(a: i64, b: u8) -> i64: a * 2 + (b + 1) as i64\n", Options(overflow_checks=True))
    assert _text(program, "main.f(i64, u8)").count(".checked") == 2
