"""HIR by hand, and an interpreter to run it, for tests."""

from __future__ import annotations

from simple_jit.base.source import SourceFile
from simple_jit.hir import nodes as hir
from simple_jit.hir import types as t
from simple_jit.runtime.context import Context
from simple_jit.runtime.heap import Heap
from simple_jit.tiers.interpreter import Hooks, Interpreter

SOURCE = SourceFile("test.spl", "first line\nsecond line\n")
SPAN = SOURCE.span(11, 12)
STRUCT = t.StructType("Thing", "test.Thing", None, (), False, None)
STRUCT.fields = [
    t.Field("flag", t.BOOL, None),
    t.Field("small", t.I16, None),
    t.Field("maybe", t.optional_of(t.I64), None),
    t.Field("next", t.optional_of(STRUCT), None),
    t.Field("pair", t.tuple_of([t.F32, t.TEXT]), None),
]


def function(
    params: list[t.Type], ret: t.Type, locals: list[t.Type] | None = None, name: str = "f"
) -> hir.Function:
    made = hir.Function(f"test.{name}", name, "test", SOURCE, SPAN)
    made.ret = ret
    made.param_count = len(params)
    made.locals = [hir.Local(i, f"x{i}", type) for i, type in enumerate([*params, *(locals or [])])]
    return made


def const(value: float | bool | None, type: t.Type = t.I64) -> hir.Const:
    return hir.Const(value, type, SPAN)


def get(local: hir.Local) -> hir.LocalGet:
    return hir.LocalGet(local, SPAN)


def put(local: hir.Local, value: hir.Expr) -> hir.LocalSet:
    return hir.LocalSet(local, value, SPAN)


def binary(op: hir.BinaryOp, lhs: hir.Expr, rhs: hir.Expr, checked: bool = False) -> hir.Binary:
    return hir.Binary(op, lhs, rhs, SPAN, checked)


def compare(op: hir.CompareOp, lhs: hir.Expr, rhs: hir.Expr) -> hir.Compare:
    return hir.Compare(op, lhs, rhs, SPAN)


def block(*parts: hir.Expr, result: hir.Expr | None = None) -> hir.Block:
    type = result.type if result else t.UNIT
    return hir.Block(list(parts), result, type, SPAN)


def never(*parts: hir.Expr) -> hir.Block:
    return hir.Block(list(parts), None, t.NEVER, SPAN)


def branch(
    cond: hir.Expr, then: hir.Expr, orelse: hir.Expr | None = None, type: t.Type | None = None
) -> hir.If:
    if type is None:
        type = then.type if orelse else t.UNIT
    return hir.If(cond, then, orelse, type, SPAN)


def add_to(local: hir.Local, value: hir.Expr) -> hir.LocalSet:
    return put(local, binary("add", get(local), value))


class Machine:
    """A context, a heap and an interpreter, closed at the end of a `with`."""

    def __init__(self, hooks: Hooks | None = None, limit: int | None = None) -> None:
        self.context = Context()
        self.heap = Heap(self.context, size=1 << 30, limit=limit)
        self.interpreter = Interpreter(self.context, self.heap, hooks or Hooks())

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_: object) -> None:
        self.heap.close()
        self.context.close()

    def run(self, function: hir.Function, *args: object) -> object:
        return self.interpreter.run(self.interpreter.instance(function), *args)
