"""Programs that differ in every name, and what a process keeps of those it ran."""

from __future__ import annotations

import gc
import resource
from typing import TYPE_CHECKING

from simple_jit.backend import BackendKind, JitInterpreterBackend, create_backend
from simple_jit.base.diagnostics import CompileError
from simple_jit.hir import types
from simple_jit.mir import layout
from simple_jit.runtime import code_arena, context
from simple_jit.runtime.errors import SimpleError
from simple_jit.tiers.interpreter import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = """
struct Point{n}:
    x: i64
    name: text
class Node{n}:
    next: Node{n}?
    at: Point{n}
enum Shape{n}:
    Circle(f64)
    Named(text, i64)
    Pair(Shape{n}, Shape{n})
var total{n} = {n}
val names{n} = ["a{n}", "b{n}"]
fn add{n}(a, b): a + b
fn main():
    val xs = [Point{n}(x: i, name: "p{{i}}") for i in 0..12]
    var node: Node{n}? = nil
    for p in xs:
        total{n} = add{n}(total{n}, p.x)
        node = Node{n}(next: node, at: p)
    val mixed: [any] = [1, "two", xs[0], node!.at]
    val f = \\x: x + total{n}
    val message = try: panic("no {n}") catch e: e.message
    if f(1) != {n} + 67 or message != "no {n}" or names{n}.len() + mixed.len() != 6:
        panic("wrong")
"""
SMALL = """
struct Pair{n}:
    first: i64
    second: i64
fn sum{n}(p: Pair{n}) -> i64: p.first + p.second
fn main() -> i64: sum{n}(Pair{n}(first: {n}, second: -{n}))
"""
WRONG = "fn main():\n    val a{n}: text = {n}\n"
FAILING = "val xs{n} = [{n}]\nfn main():\n    print xs{n}[1]\n"
EXPECTED: dict[int, type[Exception]] = {1: CompileError, 2: SimpleError}


def run_program(backend: JitInterpreterBackend, number: int) -> None:
    """Run the program of a number: of seven, one does not compile, one fails, one uses much."""
    wanted = EXPECTED.get(number % 7)
    source = {1: WRONG, 2: FAILING, 3: SOURCE}.get(number % 7, SMALL)
    try:
        backend.run(source.replace("{n}", str(number)).replace("{{", "{").replace("}}", "}"))
    except (CompileError, SimpleError) as error:
        if wanted is None or not isinstance(error, wanted):
            raise
    else:
        assert wanted is None, f"program {number} should fail"


def backends(kind: BackendKind, fresh: bool) -> Iterator[JitInterpreterBackend]:
    """Yield one back end for ever, or with `fresh` a new one each time."""
    while True:
        with create_backend(kind) as backend:
            yield backend
            while not fresh:
                yield backend


def table_sizes(backend: JitInterpreterBackend) -> dict[str, int]:
    """Return the sizes of all tables that programs fill: the engine's and the process's."""
    gc.collect()
    sizes = backend._engine.table_sizes()
    for table in ("_arrays", "_optionals", "_tuples", "_functions"):
        sizes[f"types{table}"] = sum(entry() is not None for entry in getattr(types, table).entries.values())
    sizes["descriptors"] = sum(entry() is not None for entry in layout._by_name.values())
    sizes["shapes"] = len(shapes._makers)
    sizes["arenas"] = len(code_arena._live)
    sizes["reserved regions"] = len(context._reserved)
    sizes["objects of Python"] = len(gc.get_objects())
    return sizes


def resident_kilobytes() -> int:
    """Return the memory of this process that is in use."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() >> 10
