"""Scripts: module-level variables that only the top-level statements use become locals of those.

    var sum = 0                         a local of the function that runs the statements,
    for i in 0..n: sum += i             so that the loop keeps it in a register
    fn show(): print total              `total` stays a global: a function reads it
"""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir.walk import walk

_LOOPS = (hir.Loop, hir.ForRange)


def localise_globals(program: hir.Program) -> None:
    """Turn globals into locals where a module's statements loop and nothing else uses them.

    Only for a program that runs once, from its start: nobody may ask for its globals later.
    """
    for function in list(program.functions.values()):
        if function.name == "<module>" and function.body is not None:
            if any(isinstance(node, _LOOPS) for node in walk(function.body)):
                _localise(program, function, function.body)


def _localise(program: hir.Program, function: hir.Function, body: hir.Expr) -> None:
    candidates = _globals_in(body)
    for other in program.functions.values():
        if other is not function and other.body is not None and candidates:
            candidates -= _globals_in(other.body)
    locals: dict[hir.Global, hir.Local] = {}
    for cell in sorted(candidates, key=lambda cell: cell.slot):
        locals[cell] = hir.Local(len(function.locals), cell.name.rpartition(".")[2], cell.type)
        function.locals.append(locals[cell])
    function.body = _replace(body, locals)


def _globals_in(body: hir.Expr) -> set[hir.Global]:
    return {node.cell for node in walk(body) if isinstance(node, (hir.GlobalGet, hir.GlobalSet))}


def _replace(body: hir.Expr, locals: dict[hir.Global, hir.Local]) -> hir.Expr:
    """Put locals in place of globals, throughout."""
    for node in walk(body):
        for slot in type(node).__slots__:
            child = getattr(node, slot)
            if isinstance(child, hir.Expr):
                setattr(node, slot, _replaced(child, locals))
            elif isinstance(child, list):
                child[:] = [_replaced(part, locals) if isinstance(part, hir.Expr) else part for part in child]
    return _replaced(body, locals)


def _replaced(node: hir.Expr, locals: dict[hir.Global, hir.Local]) -> hir.Expr:
    if isinstance(node, hir.GlobalGet) and node.cell in locals:
        return hir.LocalGet(locals[node.cell], node.span)
    if isinstance(node, hir.GlobalSet) and node.cell in locals:
        return hir.LocalSet(locals[node.cell], node.value, node.span)
    return node
