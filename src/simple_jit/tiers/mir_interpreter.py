"""The MIR interpreter: what each MIR instruction means, in Python, over the real context and memory.

It is the reference that passes and native back ends are tested against. Each function is translated
once: an instruction becomes a closure over a *frame* (the list of the values of the locals), a block
a tuple of those, a terminator a closure that returns the number of the next block.

Values: integers as Python ints in the range of their type, addresses as unsigned ints, floats (f32:
rounded to f32), bools.
"""

from __future__ import annotations

import struct

from simple_jit.mir import abi
from simple_jit.mir import nodes as mir
from simple_jit.mir.arithmetic import (
    COMPARE,
    FORMATS,
    INT_BINARY,
    binary_operation,
    bitcast,
    conversion,
    round_f32,
    unary_operation,
    wrap,
)
from simple_jit.mir.nodes import Function, Local, Site
from simple_jit.runtime.context import Context
from simple_jit.runtime.errors import SimpleError, message_for
from simple_jit.runtime.memory import BYTES, I64, VIEWS, read_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final, NoReturn, TypeAlias

    from simple_jit.mir.arithmetic import Operation
    from simple_jit.mir.nodes import Place

    Value: TypeAlias = int | float | bool
    Frame: TypeAlias = list[Any]
    Step: TypeAlias = Callable[[Frame], None]
    Next: TypeAlias = Callable[[Frame], int]

_RETURNED: Final = -1


class StepLimitReached(Exception):
    """The run took more steps than the interpreter was told to allow."""


class MirInterpreter:
    """Runs MIR functions.

    Args:
        context: the context block; text constants, sites and type numbers come from it.
        resolve: gives the function of a symbol, None where there is none.
        call_extern: called with the symbol of an extern function and its arguments; what it raises
            as a `SimpleError` without a site is reported at the call's place.
        call_pointer: called with target, arguments, and whether the C convention is asked for;
            returns a tuple of results.
        step_limit: how many instructions a `call` may execute; None: no limit.
        depth_limit: how many calls may be under way before the error `StackOverflow`.
    """

    def __init__(
        self,
        context: Context,
        resolve: Callable[[str], Function | None],
        call_extern: Callable[[str, tuple[Any, ...]], Any],
        call_pointer: Callable[[int, tuple[Any, ...], bool], tuple[Any, ...]] | None = None,
        step_limit: int | None = None,
        depth_limit: int = 150,
    ) -> None:
        self.context = context
        self.resolve = resolve
        self.call_extern = call_extern
        self.call_pointer = call_pointer
        self.step_limit = step_limit
        self.depth_limit = depth_limit
        self.given_sites: set[Place] = set()  # locals that hold the number of a caller's site
        self._steps_left = 0
        self._depth = 0
        self._codes: dict[str, _Code] = {}

    def call(self, symbol: str, args: Sequence[Value]) -> tuple[Any, ...]:
        """Run the function of `symbol` and return its results.

        Raises:
            SimpleError: the program failed.
            StepLimitReached: it took too many steps.
            LookupError: a function that is called is not there.
        """
        self._steps_left = -1 if self.step_limit is None else self.step_limit
        self._depth = 0
        return self._run(symbol, tuple(args))

    def call_nested(self, symbol: str, args: Sequence[Value]) -> tuple[Any, ...]:
        """Run a function that is called through a pointer by one that runs here.

        An error leaves the depth as it was before the call.
        """
        depth = self._depth
        try:
            return self._run(symbol, tuple(args))
        finally:
            self._depth = depth

    def code(self, symbol: str) -> _Code:
        """Return the translated function, made at its first call."""
        found = self._codes.get(symbol)
        if found is None:
            function = self.resolve(symbol)
            if function is None:
                raise LookupError(f"no MIR function {symbol}")
            found = self._codes[symbol] = _Code(self, function)
        return found

    def _run(self, symbol: str, args: tuple[Value, ...]) -> tuple[Any, ...]:
        code = self.code(symbol)
        if self._depth >= self.depth_limit:
            error = SimpleError("StackOverflow", "stack overflow", code.site)
            error.trail.append(code.site)
            raise error
        self._depth += 1
        try:
            return self._run_code(code, args)
        finally:
            self._depth -= 1

    def _run_code(self, code: _Code, args: tuple[Value, ...]) -> tuple[Any, ...]:
        frame: Frame = [*args, *code.empty]
        blocks = code.blocks
        number = 0
        while number >= 0:
            steps, terminator = blocks[number]
            if self.step_limit is not None:
                self._steps_left -= len(steps) + 1
                if self._steps_left < 0:
                    raise StepLimitReached
            for step in steps:
                step(frame)
            number = terminator(frame)
        results: tuple[Any, ...] = frame[-1]
        return results

    def fail(self, kind: str, place: Place, frame: Frame, a: int = 0, b: int = 0) -> None:
        """Raise the error of `kind` with operands `a` and `b`."""
        self.throw(kind, message_for(kind, a, b, _read_text), place, frame)

    def throw(self, kind: str, message: str, place: Place, frame: Frame) -> NoReturn:
        """Raise an error."""
        error = SimpleError(kind, message, self.site_of(place, frame))  # type: ignore[arg-type]
        self.note(error, place, frame)
        raise error

    def note(self, error: BaseException, place: Place | None, frame: Frame) -> None:
        """Let `error` know that it leaves `place`, unless that is the place of the caller's call."""
        if isinstance(error, SimpleError) and place is not None and place not in self.given_sites:
            site = self.site_of(place, frame)
            if site is not None:
                error.trail.append(site)

    def site_of(self, place: Place, frame: Frame) -> Site | None:
        """Return the site that `place` stands for now."""
        return self.context.site(frame[place.index]) if isinstance(place, Local) else place


def _read_text(address: int) -> str:
    size = I64[(address + abi.TEXT_BYTES) >> 3]
    return read_bytes(address + abi.TEXT_DATA, size).decode()


class _Code:
    """A translated function; results are left in the last cell of the frame."""

    __slots__ = ("blocks", "empty", "site")

    def __init__(self, machine: MirInterpreter, function: Function) -> None:
        self.site = Site(function.file, function.line, 1, function.symbol)
        machine.given_sites |= _given_sites(function)
        self.empty = (None,) * (len(function.locals) - function.param_count + 1)
        self.blocks = [
            (
                tuple([_STEPS[type(i)](machine, i) for i in block.instructions]),
                _TERMINATORS[type(block.terminator)](machine, block.terminator),
            )
            for block in function.blocks
        ]


def _given_sites(function: Function) -> set[Local]:
    """Return the parameters, and the copies of them, that may be the numbers of sites."""
    given = {param for param in function.params if param.type is mir.I64}
    size = 0
    while len(given) > size:
        size = len(given)
        for block in function.blocks:
            for i in block.instructions:
                if type(i) is mir.Copy and i.src in given:
                    given.add(i.dst)
    return given


# --- Instructions ---------------------------------------------------------------------------------


def _const(m: MirInterpreter, i: mir.Const) -> Step:
    kind = i.dst.type.kind
    value = float(i.value) if kind == "float" else bool(i.value) if kind == "bool" else int(i.value)
    return _constant(i.dst, round_f32(value) if i.dst.type is mir.F32 else value)


def _constant(dst: Local, value: Value) -> Step:
    d = dst.index

    def step(frame: Frame) -> None:
        frame[d] = value

    return step


def _const_text(m: MirInterpreter, i: mir.ConstText) -> Step:
    return _constant(i.dst, m.context.load(m.context.text_offset(i.value)))


def _apply(dst: Local, src: Local, operation: Callable[[Any], Any]) -> Step:
    d, s = dst.index, src.index

    def step(frame: Frame) -> None:
        frame[d] = operation(frame[s])

    return step


def _apply_two(dst: Local, lhs: Local, rhs: Local, operation: Operation) -> Step:
    d, a, b = dst.index, lhs.index, rhs.index

    def step(frame: Frame) -> None:
        frame[d] = operation(frame[a], frame[b])

    return step


def _copy(m: MirInterpreter, i: mir.Copy) -> Step:
    if i.dst.type.kind == i.src.type.kind:
        return _apply(i.dst, i.src, lambda x: x)
    return _apply(i.dst, i.src, wrap(i.dst.type))


def _checked(m: MirInterpreter, i: mir.Checked) -> Step:
    exact, fit, place = INT_BINARY[i.op], wrap(i.dst.type), i.place
    d, a, b = i.dst.index, i.lhs.index, i.rhs.index

    def step(frame: Frame) -> None:
        result = exact(frame[a], frame[b])
        if fit(result) != result:
            m.fail("Overflow", place, frame)
        frame[d] = result

    return step


def _select(m: MirInterpreter, i: mir.Select) -> Step:
    d, c, a, b = i.dst.index, i.cond.index, i.lhs.index, i.rhs.index

    def step(frame: Frame) -> None:
        frame[d] = frame[a] if frame[c] else frame[b]

    return step


def _address(i: mir.Load | mir.Store) -> Callable[[Frame], int]:
    base, offset, scale = i.base.index, i.offset, i.scale
    if i.index is None:
        return lambda frame: frame[base] + offset
    index = i.index.index
    return lambda frame: frame[base] + frame[index] * scale + offset


def _load(m: MirInterpreter, i: mir.Load) -> Step:
    d, type, address_of = i.dst.index, i.dst.type, _address(i)
    view, shift = VIEWS["u64" if type.kind == "ptr" else type.name]
    size, as_bool = type.size, type is mir.BOOL

    def step(frame: Frame) -> None:
        address = address_of(frame)
        if address & size - 1:
            bytes = read_bytes(address, size)
            frame[d] = struct.unpack(FORMATS[type.name], bytes)[0]
        else:
            value = view[address >> shift]
            frame[d] = value != 0 if as_bool else value

    return step


def _store(m: MirInterpreter, i: mir.Store) -> Step:
    s, type, address_of = i.src.index, i.src.type, _address(i)
    view, shift = VIEWS["u64" if type.kind == "ptr" else type.name]
    size = type.size

    def step(frame: Frame) -> None:
        address = address_of(frame)
        if address & size - 1:
            BYTES[address : address + size] = struct.pack(FORMATS[type.name], frame[s])
        else:
            view[address >> shift] = frame[s]

    return step


def _index(m: MirInterpreter, i: mir.Index) -> Step:
    d, s, n, place, wraps = i.dst.index, i.src.index, i.length.index, i.place, i.wrap

    def step(frame: Frame) -> None:
        index, length = frame[s], frame[n]
        position = index + length if wraps and index < 0 else index
        if not 0 <= position < length:
            m.fail("IndexError", place, frame, index, length)
        frame[d] = position

    return step


def _check(m: MirInterpreter, i: mir.Check) -> Step:
    c, kind, place = i.cond.index, i.kind, i.place
    message = None if i.message is None else i.message.index

    def step(frame: Frame) -> None:
        if not frame[c]:
            a, b = (0, 0) if message is None else (frame[message], abi.MESSAGE)
            m.fail(kind, place, frame, a, b)

    return step


def _values(locals: tuple[Local, ...]) -> Callable[[Frame], tuple[Any, ...]]:
    numbers = [local.index for local in locals]
    return lambda frame: tuple([frame[n] for n in numbers])


def _assign(dsts: tuple[Local, ...], frame: Frame, results: tuple[Any, ...]) -> None:
    for dst, value in zip(dsts, results, strict=True):
        frame[dst.index] = value


def _call(m: MirInterpreter, i: mir.Call) -> Step:
    dsts, callee, args, site = i.dsts, i.callee, _values(i.args), i.site

    def step(frame: Frame) -> None:
        try:
            results = m._run(callee, args(frame))
        except SimpleError as error:
            m.note(error, site, frame)
            raise
        _assign(dsts, frame, results)

    return step


def _call_extern(m: MirInterpreter, i: mir.CallExtern) -> Step:
    symbol, args, place = i.symbol, _values(i.args), i.place
    d = None if i.dst is None else i.dst.index

    def step(frame: Frame) -> None:
        try:
            result = m.call_extern(symbol, args(frame))
        except SimpleError as error:
            if error.site is None:
                error.site = m.site_of(place, frame)
            m.note(error, place, frame)
            raise
        if d is not None:
            frame[d] = result

    return step


def _call_pointer(m: MirInterpreter, i: mir.CallPointer) -> Step:
    dsts, target, args, c, site = i.dsts, i.target.index, _values(i.args), i.c, i.site

    def step(frame: Frame) -> None:
        if m.call_pointer is None:
            raise LookupError("calls through pointers need `call_pointer`")
        try:
            results = m.call_pointer(frame[target], args(frame), c)
        except SimpleError as error:
            m.note(error, site, frame)
            raise
        _assign(dsts, frame, results)

    return step


def _poll(m: MirInterpreter, i: mir.Poll) -> Step:
    return lambda frame: None


_STEPS: Final[dict[type, Callable[[MirInterpreter, Any], Step]]] = {
    mir.Const: _const,
    mir.ConstText: _const_text,
    mir.ConstSite: lambda m, i: _constant(i.dst, m.context.site_number(i.site)),
    mir.ConstTypeId: lambda m, i: _constant(i.dst, m.context.type_id(i.name)),
    mir.ConstCode: lambda m, i: _constant(i.dst, m.context.code_offset(i.symbol)),
    mir.Copy: _copy,
    mir.Unary: lambda m, i: _apply(i.dst, i.src, unary_operation(i.op, i.src.type)),
    mir.Binary: lambda m, i: _apply_two(i.dst, i.lhs, i.rhs, binary_operation(i.op, i.lhs.type)),
    mir.Checked: _checked,
    mir.Compare: lambda m, i: _apply_two(i.dst, i.lhs, i.rhs, COMPARE[i.op]),
    mir.Convert: lambda m, i: _apply(i.dst, i.src, conversion(i.src.type, i.dst.type)),
    mir.Bitcast: lambda m, i: _apply(i.dst, i.src, bitcast(i.src.type, i.dst.type)),
    mir.Select: _select,
    mir.Load: _load,
    mir.Store: _store,
    mir.Context: lambda m, i: _constant(i.dst, m.context.address),
    mir.Index: _index,
    mir.Check: _check,
    mir.Call: _call,
    mir.CallExtern: _call_extern,
    mir.CallPointer: _call_pointer,
    mir.Poll: _poll,
}


# --- Terminators ----------------------------------------------------------------------------------


def _jump(m: MirInterpreter, t: mir.Jump) -> Next:
    target = t.target.index
    return lambda frame: target


def _branch(m: MirInterpreter, t: mir.Branch) -> Next:
    cond, then, orelse = t.cond.index, t.then.index, t.orelse.index
    return lambda frame: then if frame[cond] else orelse


def _switch(m: MirInterpreter, t: mir.Switch) -> Next:
    value, default = t.value.index, t.default.index
    targets = {number: block.index for number, block in t.cases}
    return lambda frame: targets.get(frame[value], default)


def _return(m: MirInterpreter, t: mir.Return) -> Next:
    values = _values(t.values)

    def leave(frame: Frame) -> int:
        frame[-1] = values(frame)
        return _RETURNED

    return leave


def _throw(m: MirInterpreter, t: mir.Throw) -> Next:
    kind, message, place = t.kind, t.message.index, t.place

    def leave(frame: Frame) -> int:
        m.throw(kind, _read_text(frame[message]), place, frame)

    return leave


def _unreachable(m: MirInterpreter, t: mir.Unreachable) -> Next:
    def leave(frame: Frame) -> int:
        raise AssertionError("control came to an unreachable place")

    return leave


_TERMINATORS: Final[dict[type, Callable[[MirInterpreter, Any], Next]]] = {
    mir.Jump: _jump,
    mir.Branch: _branch,
    mir.Switch: _switch,
    mir.Return: _return,
    mir.Throw: _throw,
    mir.Unreachable: _unreachable,
}
