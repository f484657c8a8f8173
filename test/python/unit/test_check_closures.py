"""What the checker makes of closures: which code runs, what is captured, how."""

from __future__ import annotations

from check_helper import check, local_types
from simple_jit.hir import nodes as hir
from simple_jit.hir.captures import free_names
from simple_jit.hir.walk import walk
from simple_jit.syntax import ast


def calls(function: hir.Function) -> list[str]:
    """Return the symbols of the functions that an instance calls, `*` for a function value."""
    assert function.body is not None
    found = []
    for node in walk(function.body):
        if isinstance(node, hir.Call):
            found.append(node.callee.symbol)
        elif isinstance(node, hir.CallValue):
            found.append("*")
    return found


def only(program: hir.Program, part: str) -> hir.Function:
    (found,) = [f for symbol, f in program.functions.items() if part in symbol]
    return found


def test_map_is_instantiated_for_the_lambda_and_calls_it_directly() -> None:
    program = check("fn main():\n    val k = 2\n    print [1, 2].map(\\x: x * k)\n")
    assert "main.main().lambda(i64)" in calls(only(program, ".map("))


def test_a_plain_function_type_is_called_through_the_value() -> None:
    program = check("fn apply(f: fn(i64) -> i64) -> i64: f(1)\nfn main(): print apply(\\x: x)\n")
    assert calls(only(program, "main.apply")) == ["*"]


def test_an_unannotated_parameter_takes_the_type_of_the_closure() -> None:
    program = check("fn apply(f): f(1)\nfn main(): print apply(\\x: x)\n")
    assert calls(only(program, "main.apply")) == ["main.main().lambda(i64)"]


def test_only_what_is_assigned_and_captured_lives_in_a_cell() -> None:
    program = check(
        """
fn main():
    var shared = 0
    var own = 0
    val fixed = 1
    own += 1
    val f = \\: shared += fixed
    f()
    print shared, own
"""
    )
    cells = [local.type for local in program.functions["main.main()"].locals if "Cell" in str(local.type)]
    assert [str(type) for type in cells] == ["Cell<i64>"]
    (closure,) = [
        node
        for node in walk(program.functions["main.main()"].ensure_body())
        if isinstance(node, hir.ClosureNew)
    ]
    assert [field.name for field in closure.env.fields] == ["code", "shared", "fixed"]
    assert [str(field.type) for field in closure.env.fields[1:]] == ["Cell<i64>", "i64"]


def test_a_cell_is_made_where_the_variable_is_declared() -> None:
    program = check(
        """
fn main():
    for i in 0..2:
        var n = i
        val f = \\: n += 1
        f()
"""
    )
    (loop,) = [
        node
        for node in walk(program.functions["main.main()"].ensure_body())
        if isinstance(node, hir.ForRange)
    ]
    assert any(isinstance(node, hir.New) for node in walk(loop.body))


def test_a_function_in_a_block_takes_what_it_captures_as_parameters() -> None:
    program = check(
        """
fn main():
    val a = 1
    var b = 2
    fn odd(n: i64) -> bool: if n == a: true else: even(n - 1)
    fn even(n: i64) -> bool:
        b += 1
        if n == 0: true else: odd(n - 1)
    print even(b)
"""
    )
    odd = program.functions["main.main.odd(i64)"]
    assert [local.name for local in odd.params] == ["n", "a", "b"]
    assert sorted(local.name for local in program.functions["main.main.even(i64)"].params) == ["a", "b", "n"]


def test_parameters_of_lambdas_take_the_types_that_are_expected() -> None:
    program = check(
        """
fn main():
    val f: fn(i32, text) -> bool = \\n, s: s.len > n as i64
    print [1.5].reduce("", \\s, x: s + "{x}"), f(1i32, "ab")
"""
    )
    lambdas = {s: local_types(program, s) for s in program.functions if ".lambda(" in s}
    assert lambdas["main.main().lambda(i32, text)"] == {"n": "i32", "s": "text"}
    assert lambdas["main.main().lambda(text, f64)"] == {"s": "text", "x": "f64"}


def test_a_variable_gets_its_type_from_use_in_a_closure() -> None:
    program = check("fn main():\n    var xs = []\n    val add = \\x: xs.push(x)\n    add(1)\n    print xs\n")
    assert local_types(program, "main.main()")["xs"] == "[i64]"


def test_free_names_leave_out_parameters() -> None:
    from simple_jit.base.diagnostics import Reporter
    from simple_jit.base.source import SourceFile
    from simple_jit.syntax.parser import parse

    tree = parse(SourceFile("x.spl", "val f = \\a, b: a + c(\\d: d + b + self.e)\n"), Reporter())
    binding = tree.statements[0]
    assert isinstance(binding, ast.Binding)
    assert list(free_names(binding.value)) == ["c", "self"]
