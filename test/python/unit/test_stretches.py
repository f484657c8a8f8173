"""What tracebacks are made of: marks in Cranelift's code, stack maps, ways of errors."""

from __future__ import annotations

import pytest

from simple_jit import JitInterpreterBackend, JitInterpreterConfig, SimpleError
from simple_jit.mir import abi
from simple_jit.mir.nodes import Site
from simple_jit.runtime.stretches import Stretch, WayTable, walk
from simple_jit.tiers.contract import EXPLICIT_SITE
from simple_jit.tiers.cranelift.call_marks import CallMarks, take_marks

CELL = abi.CALL_MARK.to_bytes(4, "little")
FRAME = bytes.fromhex("55 4889e5 4883ec20")  # push rbp; mov rbp, rsp; sub rsp, 32
CALL = bytes.fromhex("ffd0")


def store(number: int, base: str) -> bytes:
    """`mov dword ptr [base + CALL_MARK], number`."""
    start = {"rdi": "c787", "rbx": "c783", "r15": "41c787", "r12": "41c78424"}[base]
    return bytes.fromhex(start) + CELL + number.to_bytes(4, "little")


@pytest.mark.parametrize("base", ["rdi", "rbx", "r15", "r12"])
def test_a_mark_becomes_a_no_op_of_the_same_size(base: str) -> None:
    text = FRAME + store(77, base) + CALL + store(EXPLICIT_SITE, base) + CALL
    code, marks = take_marks(text)
    assert len(code) == len(text)
    assert [number for _, number in marks] == [77, EXPLICIT_SITE]
    assert CELL not in code
    assert b"\xc7" not in code
    assert b"\x0f\x1f\x84\x00" + (77).to_bytes(4, "little") in code
    first = len(FRAME) + len(store(0, base)) + len(CALL)
    calls = CallMarks(code, {"f": 0}, marks)
    assert calls.call(first) == (40, (77,))
    assert calls.call(len(code)) == (40, (EXPLICIT_SITE,))


def test_what_only_looks_like_a_mark_is_left_alone() -> None:
    text = b"\x90\x90" + CELL + (1).to_bytes(4, "little") + b"\xc7\x84\x25" + CELL + bytes(4)
    assert take_marks(text) == (text, [])


def test_frames_of_all_sizes() -> None:
    bare, large = FRAME[:4], FRAME[:4] + bytes.fromhex("4881ec 00100000")
    text = (bare + CALL).ljust(64, b"\xcc") + (large + CALL).ljust(64, b"\xcc") + CALL
    calls = CallMarks(text, {"f": 0, "g": 64, "h": 128}, [])
    assert calls.call(len(bare + CALL)) == (8, ())
    assert calls.call(64 + len(large + CALL)) == (0x1008, ())
    assert calls.call(130) is None  # no frame


def sites(*numbers: int) -> list[Site | None]:
    return [SITES[number] if number else None for number in numbers]


SITES = {number: Site("p.spl", number, 1, "main.f()") for number in range(1, 8)}
RETURNS = {100: (8, (1,)), 200: (16, (2, 3)), 300: (0, (EXPLICIT_SITE,)), 400: (8, ())}


def words(*values: int) -> bytes:
    return b"".join([value.to_bytes(8, "little") for value in values])


def test_a_stack_is_walked_from_one_return_address_to_the_next() -> None:
    stack = words(300, 100, 0, 200, 0, 0, 400, 0, 999)
    assert walk(Stretch(stack, b"", 7), RETURNS.get, SITES.get) == sites(7, 1, 2, 3)


def test_of_a_long_stack_both_ends_are_walked() -> None:
    inner = words(300, 100, 0)
    # The outer part begins in the middle of a frame, with an old return address in it.
    outer = words(5, 200, 6, 7, *[100, 0] * 6, 200, 0, 0, 999)
    assert walk(Stretch(inner, outer, 7), RETURNS.get, SITES.get) == sites(7, 1, 0, 1, 1, 1, 1, 1, 2, 3)


def test_the_last_ways_are_kept() -> None:
    class Everything:
        settle = staticmethod(lambda error: list(error.args))

    ways = WayTable(Everything())  # type: ignore[arg-type]
    numbers = [ways.keep(SimpleError("Panic", f"{n}")) for n in range(100)]
    assert ways.trail(numbers[-1]) == ["Panic", "99"]
    assert ways.trail(numbers[50]) == ["Panic", "50"]
    assert ways.trail(numbers[0]) == []
    assert ways.trail(0) == []


@pytest.mark.parametrize(
    "config",
    [JitInterpreterConfig.interpret_only(), JitInterpreterConfig.always_jit()],
    ids=["interpreted", "native"],
)
def test_python_gets_the_calls_that_led_to_an_error(config: JitInterpreterConfig) -> None:
    backend = JitInterpreterBackend.new(config)
    backend.run(
        "fn pick(xs: [i64], n: i64) -> i64: xs[n]\n"
        "fn twice(n: i64) -> i64:\n"
        "    pick([1, 2], n) +\n"
        "        pick([1, 2], n + 1)\n"
        "fn main(): print twice(0)"
    )
    for argument, line in ((1, 4), (2, 3)):
        with pytest.raises(SimpleError) as caught:
            backend.call("twice", [argument])
        frames = [(frame.function, frame.line) for frame in caught.value.frames if frame is not None]
        assert frames == [("pick", 1), ("twice", line)]
    backend.close()
    assert all(frame is not None for frame in caught.value.frames)
