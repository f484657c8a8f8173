"""What an engine keeps of the programs it ran: a sample; `test/stress/programs.py` runs a hundred thousand."""

from __future__ import annotations

import pytest

from leaks import backends, run_program, table_sizes
from simple_jit.backend import BackendKind, create_backend
from simple_jit.runtime import collector

KINDS = [BackendKind.TREE_WALK, BackendKind.INTERPRETER, BackendKind.CRANELIFT_JIT, BackendKind.LLVM_JIT]
WAITING = {"type numbers": 8, "descriptors": 8, "objects of Python": 400}
"""What each program may leave until a collection finds that nothing needs it."""


@pytest.mark.parametrize("fresh", [False, True], ids=["one engine", "an engine each"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.value)
def test_tables_do_not_grow(kind: BackendKind, fresh: bool) -> None:
    sizes = []
    for number, backend in zip(range(18), backends(kind, fresh)):
        run_program(backend, number)
        if number in (10, 17):  # both use much
            sizes.append(table_sizes(backend))
    before, after = sizes
    for name, size in after.items():
        if name == "code bytes":
            assert size <= before[name] + 4096
        else:
            assert size <= before[name] + 7 * WAITING.get(name, 0), name


def test_numbers_of_types_are_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "RETIRED_TYPES", 10)
    with create_backend(BackendKind.CRANELIFT_JIT) as backend:
        counts = []
        for number in range(3, 70, 7):
            run_program(backend, number)
            backend._engine.heap.collector.collect("test")
            counts.append(backend._engine.context.types.count)
        assert max(counts) == max(counts[:5])


def test_what_is_held_keeps_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """An object of a program that is gone stays what it was, though the numbers of types go round."""
    monkeypatch.setattr(collector, "RETIRED_TYPES", 1)
    with create_backend(BackendKind.CRANELIFT_JIT) as backend:
        held = backend.eval('struct Held:\n    names: [text]\nHeld(names: ["a", "b"])')
        for number in range(3, 40, 7):
            run_program(backend, number)
            backend._engine.heap.collector.collect("test")
        assert held.names == ["a", "b"]


def test_module_variables_survive_an_eval() -> None:
    with create_backend(BackendKind.INTERPRETER) as backend:
        backend.run('var names = ["a"]\nfn add(name: text) -> text:\n    names.push(name)\n    names.join(" ")\n')
        assert backend.call("add", ["b"]) == "a b"
        assert backend.eval('var names = ["z"]\nnames.len() + 1') == 2
        backend._engine.heap.collector.collect("test")
        assert backend.call("add", ["c"]) == "a b c"
