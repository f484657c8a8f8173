"""The text form of HIR.

    fn fib(n): if n <= 1: n else: fib(n - 1)

    fn main.fib(i64) -> i64
      n.0: i64
      if(le(n.0, 1), n.0, call[main.fib(i64)](sub(n.0, 1)))

A node is its operation, in brackets what is not an operand, in parentheses the operands; operands go
below, indented, where they do not fit the line. A constant other than of i64, f64 or bool shows its type.
"""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir.types import BOOL, F64, I64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final, TypeAlias

    Parts: TypeAlias = tuple[str, Sequence[hir.Expr]]

WIDTH: Final = 100


def dump(function: hir.Function) -> str:
    """Return the text of an instance, which is checked first if need be; ends with a newline."""
    body = function.ensure_body()
    marks = [f" @{name}" for name in sorted(function.annotations)]
    if function.track_caller and "track_caller" not in function.annotations:
        marks.append(" @track_caller")
    lines = [f"fn {function.symbol} -> {function.ret}{''.join(marks)}"]
    for local in function.locals:
        kind = "" if local.index < function.param_count else "var "
        lines.append(f"  {kind}{_local(local)}: {local.type}")
    lines += [f"  {line}" for line in dump_expr(body)]
    return "\n".join(lines) + "\n"


def dump_expr(node: hir.Expr) -> list[str]:
    """Return the lines of an expression."""
    head, operands = _PARTS[type(node)](node)
    if not operands:
        return [head]
    inner = [dump_expr(operand) for operand in operands]
    multiline = isinstance(node, hir.Block | hir.Loop | hir.ForRange | hir.Switch)
    if not multiline and all(len(lines) == 1 for lines in inner):
        flat = f"{head}({', '.join(lines[0] for lines in inner)})"
        if len(flat) <= WIDTH:
            return [flat]
    return [head, *(f"  {line}" for lines in inner for line in lines)]


def _local(local: hir.Local) -> str:
    return f"{local.name}.{local.index}"


def _const(node: hir.Const) -> Parts:
    if node.value is None:
        return "()", ()
    shown = str(node.value).lower() if node.type is BOOL else repr(node.value)
    return (shown if node.type in (I64, F64, BOOL) else f"{shown}:{node.type}"), ()


def _checked(node: hir.Unary | hir.Binary) -> str:
    return f"{node.op}.checked" if node.checked else node.op


def _some(*nodes: hir.Expr | None) -> list[hir.Expr]:
    return [node for node in nodes if node is not None]


def _loop(node: hir.Loop) -> Parts:
    marks = "".join(
        f" {name}" for name, part in (("while", node.cond), ("step", node.step)) if part is not None
    )
    return f"loop['{node.target.index}{marks}]", _some(node.cond, node.body, node.step)


def _for(node: hir.ForRange) -> Parts:
    range_sign = "..=" if node.inclusive else ".."
    head = f"for['{node.target.index} {_local(node.var)} {range_sign}]"
    return head, (node.start, node.stop, node.step, node.body)


def _switch(node: hir.Switch) -> Parts:
    cases = " | ".join(",".join(map(str, numbers)) for numbers in node.numbers)
    rest = " | else" if node.default is not None else ""
    return f"switch[{cases}{rest}]", [node.value, *node.branches, *_some(node.default)]


def _intrinsic(node: hir.Intrinsic) -> Parts:
    type_arg = f"<{node.type_arg}>" if node.type_arg is not None else ""
    return f"__{node.op}{type_arg}", node.args


def _call(head: str, operands: Sequence[hir.Expr]) -> Parts:
    return (head, operands) if operands else (f"{head}()", ())


_PARTS: Final[dict[type[hir.Expr], Callable[[Any], Parts]]] = {
    hir.Const: _const,
    hir.Nil: lambda n: (f"nil[{n.type}]", ()),
    hir.TextConst: lambda n: (_quote(n.value), ()),
    hir.LocalGet: lambda n: (_local(n.local), ()),
    hir.LocalSet: lambda n: (f"set[{_local(n.local)}]", (n.value,)),
    hir.GlobalGet: lambda n: (f"global[{n.cell.name}]", ()),
    hir.GlobalSet: lambda n: (f"set_global[{n.cell.name}]", (n.value,)),
    hir.Unary: lambda n: (_checked(n), (n.operand,)),
    hir.Binary: lambda n: (_checked(n), (n.lhs, n.rhs)),
    hir.Compare: lambda n: (n.op, (n.lhs, n.rhs)),
    hir.And: lambda n: ("and_then", (n.lhs, n.rhs)),
    hir.Or: lambda n: ("or_else", (n.lhs, n.rhs)),
    hir.Block: lambda n: _call(f"block[{n.type}]", [*n.stmts, *_some(n.result)]),
    hir.If: lambda n: ("if", _some(n.cond, n.then, n.orelse)),
    hir.Loop: _loop,
    hir.ForRange: _for,
    hir.Break: lambda n: (f"break['{n.target.index}]", ()),
    hir.Continue: lambda n: (f"continue['{n.target.index}]", ()),
    hir.Return: lambda n: _call("return", _some(n.value)),
    hir.Call: lambda n: _call(f"call[{n.callee.symbol}]", n.args),
    hir.CallExtern: lambda n: _call(f"extern[{n.extern.name}]", n.args),
    hir.Intrinsic: _intrinsic,
    hir.TupleNew: lambda n: _call("tuple", n.items),
    hir.TupleGet: lambda n: (f"item[{n.index}]", (n.value,)),
    hir.Some: lambda n: ("some", (n.value,)),
    hir.IsSome: lambda n: ("is_some", (n.value,)),
    hir.Unwrap: lambda n: ("unwrap" if n.checked else "unwrap.known", (n.value,)),
    hir.New: lambda n: _call(f"new[{n.struct}]", n.values),
    hir.FieldGet: lambda n: (f"field[{_field(n)}]", (n.object,)),
    hir.FieldSet: lambda n: (f"set_field[{_field(n)}]", (n.object, n.value)),
    hir.ArrayNew: lambda n: _call(f"array[{n.type}]", n.items),
    hir.ArrayLen: lambda n: ("len", (n.array,)),
    hir.ArrayGet: lambda n: ("element", (n.array, n.index)),
    hir.ArraySet: lambda n: ("set_element", (n.array, n.index, n.value)),
    hir.Convert: lambda n: (f"convert[{n.type}]", (n.value,)),
    hir.Throw: lambda n: (f"throw[{n.kind}]", (n.message,)),
    hir.EnumNew: lambda n: _call(f"variant[{n.type} {n.variant}]", n.values),
    hir.EnumTag: lambda n: ("tag", (n.value,)),
    hir.EnumGet: lambda n: (f"payload[{n.variant}.{n.field}]", (n.value,)),
    hir.Switch: _switch,
    hir.ClosureNew: lambda n: _call(f"closure[{n.function.symbol}]", n.captures),
    hir.CallValue: lambda n: ("call_value", [n.callee, *n.args]),
    hir.AnyNew: lambda n: (f"any[{n.type}]", (n.value,)),
    hir.AnyIs: lambda n: (f"is[{n.wanted}]", (n.value,)),
    hir.AnyGet: lambda n: (f"known[{n.type}]", (n.value,)),
    hir.Protected: lambda n: ("protected", (n.closure,)),
}


def _field(node: hir.FieldGet | hir.FieldSet) -> str:
    fields = getattr(node.object.type, "fields", ())
    return fields[node.index].name if node.index < len(fields) else str(node.index)


def _quote(text: str) -> str:
    """Return a text on one line, in double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
