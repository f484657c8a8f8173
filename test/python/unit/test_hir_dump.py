"""The text form of HIR knows every node."""

from __future__ import annotations

from simple_jit.base.source import SourceFile
from simple_jit.hir import dump as hir_dump
from simple_jit.hir import nodes as hir
from simple_jit.hir.types import I64, TEXT, UNIT

SPAN = SourceFile("x.spl", "x").span(0, 1)


def test_every_expression_has_a_form() -> None:
    classes = {c for c in vars(hir).values() if isinstance(c, type) and issubclass(c, hir.Expr)}
    assert set(hir_dump._PARTS) == classes - {hir.Expr}


def test_operands_stand_on_the_line_or_below() -> None:
    function = hir.Function("main.twice(i64)", "twice", "main", SPAN.file, SPAN)
    n = hir.Local(0, "n", I64)
    function.locals, function.param_count, function.ret = [n], 1, I64
    double = hir.Binary("mul", hir.LocalGet(n, SPAN), hir.Const(2, I64, SPAN), SPAN)
    told = hir.Throw("Panic", hir.TextConst('a "b"\n', TEXT, SPAN), SPAN)
    function.body = hir.Block([told, hir.Const(None, UNIT, SPAN)], double, I64, SPAN)
    assert hir_dump.dump(function) == (
        "fn main.twice(i64) -> i64\n"
        "  n.0: i64\n"
        "  block[i64]\n"
        '    throw[Panic]("a \\"b\\"\\n")\n'
        "    ()\n"
        "    mul(n.0, 2)\n"
    )
