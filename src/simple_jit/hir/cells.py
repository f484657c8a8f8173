"""Variables that closures share: they live in heap cells, internal structs with one field.

    var n = 0                 cell.1 = new[Cell<i64>](0)
    val add = \\x: n += x      closure[main.lambda(i64)](cell.1)
    print n                   field[value](cell.1)

A body is checked as if all its variables were locals; that one lives in a cell is noted when something
captures it (`Context.cells`). When the body is done, what reads and sets such a local is replaced.
Setting it at its declaration makes a new cell, so that each iteration of a loop has its own.
"""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir.symbols import type_key
from simple_jit.hir.types import NEVER, UNIT, Field, StructType, Type
from simple_jit.hir.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.hir.context import Context
    from simple_jit.hir.session import Session


def cell_type(session: Session, type: Type) -> StructType:
    """Return the type of cells that hold a `type`."""
    found = session.cells.get(type)
    if found is None:
        found = session.cells[type] = internal_struct(f"Cell<{type_key(type)}>", [("value", type)])
    return found


def internal_struct(key: str, fields: list[tuple[str, Type]]) -> StructType:
    """Make a struct type that no program can name."""
    made = StructType(key, key, None, (), True, None)
    made.fields = [Field(name, type, None) for name, type in fields]
    return made


def cell_of(cx: Context, local: hir.Local) -> hir.Local:
    """Return the local that holds the cell of `local`, which lives in one from now on."""
    found = cx.cells.get(local)
    if found is None:
        found = cx.cells[local] = cx.local("", cell_type(cx.session, local.type))
    return found


def finish(cx: Context, body: hir.Expr) -> hir.Expr:
    """Return the body with cells in place of the locals that live in them, after `cx.entry`."""
    body = _replace(cx, body)
    span = cx.instance.function.span
    used = {node.local for node in walk(body) if isinstance(node, hir.LocalGet)}
    entry = [stmt for stmt in cx.entry if not isinstance(stmt, hir.LocalSet) or stmt.local in used]
    for param in cx.instance.function.params:
        cell = cx.cells.get(param)
        if cell is not None:
            entry.append(_new_cell(cx, cell, hir.LocalGet(param, span)))
    if not entry:
        return body
    if body.type in (UNIT, NEVER):
        return hir.Block([*entry, body], None, body.type, span)
    return hir.Block(entry, body, body.type, span)


def _new_cell(cx: Context, cell: hir.Local, value: hir.Expr) -> hir.Expr:
    assert isinstance(cell.type, StructType)
    return hir.LocalSet(cell, hir.New(cell.type, [value], value.span), value.span)


def _replace(cx: Context, body: hir.Expr) -> hir.Expr:
    holder = hir.Block([body], None, body.type, body.span)
    work: list[hir.Expr] = [holder]
    seen: set[hir.Expr] = set()
    while work:
        node = work.pop()
        if node in seen:
            continue
        seen.add(node)
        for slot in type(node).__slots__:
            child = getattr(node, slot)
            if isinstance(child, hir.Expr):
                child = _swap(cx, child)
                setattr(node, slot, child)
                work.append(child)
            elif isinstance(child, list):
                for index, item in enumerate(child):
                    if isinstance(item, hir.Expr):
                        child[index] = _swap(cx, item)
                        work.append(child[index])
    return holder.stmts[0]


def _swap(cx: Context, node: hir.Expr) -> hir.Expr:
    if isinstance(node, hir.LocalGet):
        cell = cx.cells.get(node.local)
        if cell is not None:
            return hir.FieldGet(hir.LocalGet(cell, node.span), 0, node.local.type, node.span)
    elif isinstance(node, hir.LocalSet):
        cell = cx.cells.get(node.local)
        if cell is not None and node in cx.assignments:
            return hir.FieldSet(hir.LocalGet(cell, node.span), 0, node.value, node.span)
        if cell is not None:
            return _new_cell(cx, cell, node.value)
    return node
