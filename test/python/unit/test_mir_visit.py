"""Operand tables are complete; the flow graph's order, dominators and loops."""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.mir import visit
from simple_jit.mir.nodes import Block, Function
from simple_jit.mir.parse import parse_function
from simple_jit.mir.text import dump
from simple_jit.mir.visit import Flow, copy_function, natural_loops

TERMINATORS = {mir.Jump, mir.Branch, mir.Switch, mir.Return, mir.Throw, mir.Unreachable}
NO_INSTRUCTIONS = {mir.MirType, mir.Site, mir.Local, mir.Block, mir.Function, *TERMINATORS}
INSTRUCTIONS = {x for x in vars(mir).values() if isinstance(x, type)} - NO_INSTRUCTIONS
NESTED = """
fn @f(%0 p: bool) {
b0: jump b1
b1: branch %0, b2, b6
b2: jump b3
b3: branch %0, b4, b5
b4: jump b3
b5: jump b1
b6: return
b7: jump b6
}
"""


def test_tables_are_complete() -> None:
    assert set(visit.USES) == set(visit.DEFS) == set(visit.RENAME) == INSTRUCTIONS
    assert set(visit.TERMINATOR_USES) == set(visit.RENAME_TERMINATOR) == TERMINATORS
    assert set(visit.RETARGET) == set(visit.SUCCESSORS) == TERMINATORS
    assert visit.PURE < INSTRUCTIONS


def test_renaming_reaches_every_use_and_every_result() -> None:
    function = parse_function(NESTED)
    i64, ptr = function.new_local(mir.I64), function.new_local(mir.PTR)
    flag, text = function.new_local(mir.BOOL), function.new_local(mir.REF)
    one_of_each = [
        mir.Binary("add", i64, i64, i64), mir.Checked("add", i64, i64, i64, i64),
        mir.Select(i64, flag, i64, i64), mir.Load(i64, ptr, 8, i64, 8), mir.Store(i64, ptr, 8, i64, 8),
        mir.Index(i64, i64, i64, i64), mir.Check(flag, "Panic", i64, text),
        mir.Call((i64,), "g", (i64, ptr), mir.Site("f", 1, 1)), mir.CallExtern(i64, "g", (i64,), True, i64),
        mir.CallPointer((i64,), ptr, (i64,), False), mir.Poll(i64),
    ]  # fmt: skip
    reads = {local: mir.Local(10 + local.index, local.type) for local in function.locals}
    writes = {local: mir.Local(20 + local.index, local.type) for local in function.locals}
    for instruction in one_of_each:
        renamed = visit.rename(instruction, reads, writes)
        assert all(local.index >= 20 for local in visit.defs(renamed))
        assert [u.index for u in visit.uses(renamed)] == [u.index + 10 for u in visit.uses(instruction)]


def test_dominators() -> None:
    function = parse_function(NESTED)
    flow = Flow(function)
    idom = {block.index: above.index for block, above in flow.idom.items()}
    assert idom == {0: 0, 1: 0, 2: 1, 3: 2, 4: 3, 5: 3, 6: 1}
    assert flow.dominates(function.blocks[1], function.blocks[5])
    assert not flow.dominates(function.blocks[4], function.blocks[5])


def test_natural_loops() -> None:
    function = parse_function(NESTED)
    inner, outer = natural_loops(Flow(function))
    assert _numbers(inner.blocks) == [3, 4]
    assert _numbers(outer.blocks) == [1, 2, 3, 4, 5]
    assert _numbers(inner.entries) == [2]
    assert [(a.index, b.index) for a, b in outer.exits] == [(1, 6)]


def _numbers(blocks: set[Block] | list[Block]) -> list[int]:
    return sorted(block.index for block in blocks)


def test_a_copy_can_be_changed_alone() -> None:
    function = parse_function(NESTED)
    before = dump(function)
    copy = copy_function(function)
    assert dump(copy) == before
    copy.blocks[0].instructions.append(mir.Const(copy.new_local(mir.I64), 1))
    copy.blocks[1].terminator = mir.Return(())
    assert dump(function) == before


def test_assigned_once() -> None:
    function: Function = parse_function("""
        fn @f(%0: i64, %1: i64) {
        b0: %2: i64 = copy %0 %3: i64 = copy %0 %3 = copy %1 %1 = copy %0 return
        }""")
    assert {local.index for local in visit.assigned_once(function)} == {0, 2}
