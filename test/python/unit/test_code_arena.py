"""Memory for machine code: places, reuse, children."""

from __future__ import annotations

import ctypes
import os
import platform

import pytest

from simple_jit.mir import abi
from simple_jit.runtime.code_arena import CodeArena, CodeMemoryError
from simple_jit.runtime.stubs import install_stubs, machine_stubs
from simple_jit.tiers.contract import CompiledCode

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="machine code for x86-64")


def returning(number: int) -> CompiledCode:
    return CompiledCode(b"\xb8" + number.to_bytes(4, "little") + b"\xc3", {"f": 0})


def run(address: int) -> int:
    return int(ctypes.CFUNCTYPE(ctypes.c_int)(address)())


def test_code_runs_from_where_it_was_put() -> None:
    arena = CodeArena()
    addresses = [arena.add(returning(number)) for number in range(100)]
    assert [run(address) for address in addresses] == list(range(100))
    assert all(address % 64 == 0 for address in addresses)


def test_freed_places_are_merged_and_used_again() -> None:
    arena = CodeArena()
    first, second, third, last = (arena.add(returning(number)) for number in range(4))
    used = arena.used
    for address in (first, third, second):
        arena.free(address)
    assert arena.add(CompiledCode(bytes(192), {})) == first
    assert arena.used == used
    assert run(last) == 3


def test_endless_replacing_does_not_grow() -> None:
    arena = CodeArena()
    address = arena.add(returning(0))
    for number in range(1000):
        again = arena.add(returning(number))
        arena.free(address)
        address = again
    assert arena.used == 64
    assert arena._end <= 128


def test_a_full_arena_says_so() -> None:
    arena = CodeArena(1 << 22)
    with pytest.raises(CodeMemoryError, match="4 MiB"):
        arena.add(CompiledCode(bytes((1 << 22) + 1), {}))


def test_a_child_has_its_own_copy() -> None:
    arena = CodeArena()
    kept = arena.add(returning(7))
    child = os.fork()
    if child == 0:
        good = run(kept) == 7 and run(arena.add(returning(8))) == 8
        os._exit(0 if good else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert run(kept) == 7
    assert run(arena.add(returning(9))) == 9


def test_stubs_enter_and_throw() -> None:
    arena = CodeArena()
    context = ctypes.create_string_buffer(4096)
    address = ctypes.addressof(context)
    cells = (ctypes.c_uint64 * 512).from_address(address)
    install_stubs(arena, address)
    enter = ctypes.CFUNCTYPE(*[ctypes.c_uint64] * 5)(cells[abi.ENTER // 8])

    # lea rax, [rsi + rdx]; ret        and        mov rcx, rdx; mov rdx, rsi; jmp [rdi + THROW]
    add = arena.add(CompiledCode(bytes.fromhex("488d0416c3"), {}))
    fail = arena.add(CompiledCode(bytes.fromhex(f"4889d14889f2be05000000ff67{abi.THROW:02x}"), {}))
    assert enter(address, add, 40, 2) == 0
    assert cells[abi.RESULT // 8] == 42
    for _ in range(100):
        assert enter(address, fail, 11, 22) == 1
    assert [cells[(abi.ERROR_KIND >> 3) + n] for n in range(3)] == [5, 11, 22]
    assert cells[abi.HANDLER // 8] == 0


def test_stubs_are_position_independent_and_aligned() -> None:
    code = machine_stubs()
    assert code.entries["throw"] % 16 == 0
