"""Random MIR programs for differential tests: passes against the MIR interpreter, tiers against it.

    program = generate(seed)
    functions = program.functions          # functions[-1] is the one to call, the others its callees
    scratch = Scratch(); args = program.arguments(scratch)     # fills the scratch memory as well
    outcome = run(lambda: machine.call(program.entry, args), scratch)

Two runs agree when their outcomes are equal: the same results (NaNs are equal) or the same error at
the same place, and the same bytes in the scratch memory. Programs end: loops run a few times, helpers
call only the ones before them. They use every instruction but texts, type numbers, calls of extern
functions and through pointers.
"""

from __future__ import annotations

import ctypes
import random
import struct
from collections.abc import Callable
from typing import Any

from simple_jit.mir import nodes as mir
from simple_jit.mir.nodes import BOOL, F32, F64, I64, PTR, REF, TYPES, Block, Function, Local, MirType

INTS = [TYPES[name] for name in ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64")]
NUMBERS = [*INTS, F32, F64]
PARAMS = (("buffer", PTR), ("floats", REF), ("ints", REF), ("object", REF), ("maybe", REF),
          ("a", I64), ("b", I64), ("x", F64), ("p", BOOL))  # fmt: skip
FIELDS = ((I64, 8), (F64, 16), (F32, 24), (TYPES["i32"], 28))  # of the object
RESULTS = (I64, F64, BOOL, I64)
WORDS = 16  # of the buffer
FREE_CELL = 976  # of the context: the last of RETURNS, which no call here comes to; set it to 0
LENGTHS = {"floats": 8, "ints": 7}


class Scratch:
    """Memory for one run: a buffer of words, two arrays ([f64] and [i64]) with their data, an object."""

    SIZE = 1024

    def __init__(self) -> None:
        self._memory = (ctypes.c_char * (Scratch.SIZE + 16))()
        self.buffer = -(-ctypes.addressof(self._memory) // 16) * 16
        self.floats = self.buffer + 256
        self.ints = self.buffer + 320
        self.object = self.buffer + 896

    def fill(self, seed: int) -> None:
        """Set all of it; the same seed gives the same contents."""
        rng = random.Random(seed)
        ctypes.memset(self.buffer, 0, Scratch.SIZE)
        for position in range(WORDS):
            self._word(self.buffer + 8 * position, "q", interesting(rng, I64))
        for offset, name, address in ((512, "floats", self.floats), (768, "ints", self.ints)):
            length = LENGTHS[name]
            self._word(address + 8, "q", length)
            self._word(address + 16, "q", length)
            self._word(address + 24, "q", self.buffer + offset)
            for index in range(length):
                value: Any = rng.randrange(-9, 9) if name == "ints" else float(rng.randrange(-9, 9))
                self._word(self.buffer + offset + 8 * index, "q" if name == "ints" else "d", value)
        self._word(self.object + 8, "q", rng.randrange(-9, 9))
        self._word(self.object + 16, "d", float(rng.randrange(-9, 9)))

    @staticmethod
    def _word(address: int, format: str, value: Any) -> None:
        ctypes.memmove(address, struct.pack(format, value), 8)

    def contents(self) -> bytes:
        """The bytes that a program may change; addresses are left out."""
        data = ctypes.string_at(self.buffer, Scratch.SIZE)
        return data[:256] + data[512:]


class Program:
    """Functions, and how to call the last."""

    def __init__(self, seed: int, functions: list[Function]) -> None:
        self.seed = seed
        self.functions = functions
        self.entry = functions[-1].symbol

    def arguments(self, scratch: Scratch, variant: int = 0) -> tuple[Any, ...]:
        """Fill `scratch` and return arguments; other variants give others."""
        rng = random.Random(self.seed * 7 + variant)
        scratch.fill(rng.randrange(1 << 30))
        numbers = (interesting(rng, I64), interesting(rng, I64), interesting(rng, F64), rng.random() < 0.5)
        maybe = scratch.object if rng.random() < 0.6 else 0
        return (scratch.buffer, scratch.floats, scratch.ints, scratch.object, maybe, *numbers)


def run(call: Callable[[], tuple[Any, ...]], scratch: Scratch) -> tuple[Any, ...]:
    """Return what a run did, comparable with `==`. `call` returns results or raises a SimpleError."""
    from simple_jit.runtime.errors import SimpleError

    try:
        results = call()
    except SimpleError as error:
        site = error.site
        where = None if site is None else (site.file, site.line, site.column)
        return ("error", error.kind, error.message, where, scratch.contents())
    return ("results", [_comparable(value) for value in results], scratch.contents())


def _comparable(value: Any) -> Any:
    if isinstance(value, float):
        return "nan" if value != value else struct.pack("d", value)
    return value


def interesting(rng: random.Random, type: MirType) -> Any:
    """A value of `type`, often small or at an edge."""
    if type is BOOL:
        return rng.random() < 0.5
    if type.kind == "float":
        value = rng.choice([0.0, -0.0, 1.0, -1.5, 2.0, 0.1, 1e10, -3e38, float("inf"), float("nan"),
                            float(rng.randrange(-20, 20)), rng.uniform(-1e3, 1e3)])  # fmt: skip
        return struct.unpack("f", struct.pack("f", value))[0] if type is F32 else value
    bits = 8 * type.size
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if type.signed else (0, (1 << bits) - 1)
    value = rng.choice([0, 1, 2, -1, low, high, high - 1, rng.randrange(-20, 20), rng.randrange(low, high)])
    return min(max(value, low), high)


def generate(seed: int, statements: int = 12, helpers: int = 2) -> Program:
    """Return the program of `seed`; `statements` is about how many each function has."""
    rng = random.Random(seed)
    functions: list[Function] = []
    for number in range(rng.randrange(helpers + 1)):
        functions.append(_Generator(rng, f"gen.h{number}", functions, 1 + statements // 3).function_of())
    functions.append(_Generator(rng, "gen.main", list(functions), statements).function_of())
    return Program(seed, functions)


class _Generator:
    """One function. `known` has the locals assigned on every path to the current point."""

    def __init__(self, rng: random.Random, symbol: str, callees: list[Function], size: int) -> None:
        self.rng = rng
        self.callees = callees
        self.size = size
        self.line = 1
        self.function = Function(symbol, RESULTS, f"{symbol}.spl", 1)
        self.params = {name: self.function.new_local(type, name) for name, type in PARAMS}
        self.function.param_count = len(PARAMS)
        self.function.inline = rng.random() < 0.5
        self.function.checks_stack = rng.random() < 0.5
        self.known = [local for local in self.function.locals if local.type not in (PTR, REF)]
        self.constant: set[Local] = set()  # locals that must not be assigned again
        self.block = self.function.new_block()
        self.loops: list[tuple[Block, Block]] = []

    def function_of(self) -> Function:
        for type in (I64, F64, BOOL, F32, TYPES["u8"], TYPES["i32"]):
            self.constant_of(type)
        self.statements(self.size, 0)
        self.leave()
        return self.function

    # --- building ---------------------------------------------------------------------------------

    def emit(self, instruction: mir.Instruction) -> None:
        self.block.instructions.append(instruction)

    def end(self, terminator: mir.Terminator, then: Block | None = None) -> None:
        self.block.terminator = terminator
        if then is not None:
            self.block = then

    def site(self) -> mir.Site:
        self.line += 1
        return mir.Site(self.function.file, self.line, 1)

    def new(self, type: MirType) -> Local:
        return self.function.new_local(type)

    def target(self, type: MirType) -> Local:
        """A local to assign: mostly a new one, else a variable that has a value."""
        old = [x for x in self.known if x.type is type and x not in self.constant]
        return self.rng.choice(old) if old and self.rng.random() < 0.4 else self.new(type)

    def assigned(self, local: Local) -> Local:
        if local not in self.known:
            self.known.append(local)
        return local

    def constant_of(self, type: MirType, value: Any = None) -> Local:
        dst = self.new(type)
        self.emit(mir.Const(dst, interesting(self.rng, type) if value is None else value))
        return self.assigned(dst)

    def any(self, type: MirType) -> Local:
        found = [x for x in self.known if x.type is type]
        if not found or self.rng.random() < 0.1:
            return self.constant_of(type)
        return self.rng.choice(found[-8:] if self.rng.random() < 0.7 else found)

    def leave(self) -> None:
        self.end(mir.Return(tuple([self.any(type) for type in RESULTS])))

    # --- statements -------------------------------------------------------------------------------

    def statements(self, count: int, depth: int) -> None:
        plain = [self.arithmetic] * 6 + [self.memory] * 2 + [self.element] * 3
        plain += [self.failing, self.call, self.field, self.field, self.perhaps]
        nested = [self.branch, self.branch, self.for_range, self.while_loop, self.switch]
        for _ in range(count):
            self.rng.choice(plain + nested if depth < 3 else plain)(depth)

    def arithmetic(self, depth: int) -> None:
        self.rng.choice([self.binary, self.binary, self.unary, self.compare, self.convert, self.select,
                         self.bits, self.copy, self.checked, self.logic])()  # fmt: skip

    def binary(self) -> None:
        type = self.rng.choice([I64, I64, F64, *NUMBERS])
        ops = ["add", "sub", "mul", "div", "rem", "and", "or", "xor", "shl", "shr"]
        op: Any = self.rng.choice(ops[:5] if type.kind == "float" else ops)
        lhs, rhs = self.any(type), self.any(I64 if op in ("shl", "shr") else type)
        if type.kind == "int" and op in ("div", "rem"):
            rhs = self.not_zero(rhs)
        dst = self.target(type)
        self.emit(mir.Binary(op, dst, lhs, rhs))
        self.assigned(dst)

    def not_zero(self, value: Local) -> Local:
        zero, cond = self.constant_of(value.type, 0), self.new(BOOL)
        self.emit(mir.Compare("ne", cond, value, zero))
        if self.rng.random() < 0.3:
            self.emit(mir.Check(cond, "DivisionByZero", self.site()))
            return value
        one, safe = self.constant_of(value.type, 1), self.new(value.type)
        self.emit(mir.Select(safe, cond, value, one))
        return safe

    def unary(self) -> None:
        type = self.rng.choice([*NUMBERS, BOOL])
        ops = {"int": ["neg", "not", "popcount", "leading_zeros", "trailing_zeros"], "bool": ["not"],
               "float": ["neg", "sqrt", "floor", "ceil", "trunc", "abs"]}  # fmt: skip
        op: Any = self.rng.choice(ops[type.kind])
        src, dst = self.any(type), self.target(type)
        self.emit(mir.Unary(op, dst, src))
        self.assigned(dst)

    def compare(self) -> Local:
        type = self.rng.choice([I64, I64, F64, *NUMBERS])
        op: Any = self.rng.choice(["eq", "ne", "lt", "le", "gt", "ge"])
        lhs, rhs, dst = self.any(type), self.any(type), self.target(BOOL)
        self.emit(mir.Compare(op, dst, lhs, rhs))
        return self.assigned(dst)

    def convert(self) -> None:
        src, dst = self.any(self.rng.choice([*NUMBERS, BOOL])), self.target(self.rng.choice(NUMBERS))
        self.emit(mir.Convert(dst, src))
        self.assigned(dst)

    def select(self) -> None:
        type = self.rng.choice([*NUMBERS, BOOL])
        cond, lhs, rhs, dst = self.any(BOOL), self.any(type), self.any(type), self.target(type)
        self.emit(mir.Select(dst, cond, lhs, rhs))
        self.assigned(dst)

    def bits(self) -> None:
        """Bits of a float that is no NaN (whose bits are not defined), or a float from 52 bits."""
        src, dst = self.definite(self.any(F64)), self.target(I64)
        self.emit(mir.Bitcast(dst, src))
        self.assigned(dst)
        mask, low, made = self.constant_of(I64, (1 << 62) - 1), self.new(I64), self.target(F64)
        self.emit(mir.Binary("and", low, self.any(I64), mask))
        self.emit(mir.Bitcast(made, low))
        self.assigned(made)

    def definite(self, value: Local) -> Local:
        same, zero, dst = self.new(BOOL), self.constant_of(value.type, 0.0), self.new(value.type)
        self.emit(mir.Compare("eq", same, value, value))
        self.emit(mir.Select(dst, same, value, zero))
        return dst

    def copy(self) -> None:
        src = self.any(self.rng.choice([I64, F64, BOOL]))
        dst = self.target(src.type)
        self.emit(mir.Copy(dst, src))
        self.assigned(dst)

    def checked(self) -> None:
        type = self.rng.choice([I64, I64, TYPES["i32"]])
        if self.rng.random() < 0.7:
            return
        op: Any = self.rng.choice(["add", "sub", "mul"])
        lhs, rhs, dst = self.any(type), self.any(type), self.target(type)
        self.emit(mir.Checked(op, dst, lhs, rhs, self.site()))
        self.assigned(dst)

    def logic(self) -> None:
        op: Any = self.rng.choice(["and", "or", "xor"])
        lhs, rhs, dst = self.any(BOOL), self.any(BOOL), self.target(BOOL)
        self.emit(mir.Binary(op, dst, lhs, rhs))
        self.assigned(dst)

    def memory(self, depth: int) -> None:
        """A load or store in the buffer, at a fixed or a masked place."""
        type = self.rng.choice([*NUMBERS, BOOL, I64, I64])
        base, index, scale, offset = self.params["buffer"], None, 1, 8 * self.rng.randrange(WORDS)
        if self.rng.random() < 0.5:
            mask, index = self.constant_of(I64, 7), self.new(I64)
            self.emit(mir.Binary("and", index, self.any(I64), mask))
            scale, offset = 8, 64 * self.rng.randrange(2)
        elif self.rng.random() < 0.3:
            moved = self.new(PTR)
            self.emit(mir.Binary("add", moved, base, self.constant_of(I64, offset)))
            base, offset = moved, 0
        if self.rng.random() < 0.5 or type.kind != "int":
            value = self.any(type)
            value = self.definite(value) if type.kind == "float" else value
            self.emit(mir.Store(value, base, offset, index, scale))
        else:
            dst = self.target(type)
            self.emit(mir.Load(dst, base, offset, index, scale))
            self.assigned(dst)

    def element(self, depth: int, index: Local | None = None) -> None:
        """`array[index]` read or written, or an array's length, as lowering emits them."""
        name = self.rng.choice(["floats", "ints"])
        array, type = self.params[name], F64 if name == "floats" else I64
        length, position, data = self.new(I64), self.new(I64), self.new(PTR)
        self.emit(mir.Load(length, array, 8))
        if self.rng.random() < 0.2:
            self.assigned(length)
            return
        if index is None or self.rng.random() < 0.1:
            index = self.any(I64)
        if index not in self.constant and self.rng.random() < 0.95:
            limit, small = self.constant_of(I64, 4), self.new(I64)
            self.emit(mir.Binary("rem", small, index, limit))
            index = small
        self.emit(mir.Index(position, index, length, self.site(), self.rng.random() < 0.7))
        self.emit(mir.Load(data, array, 24))
        if self.rng.random() < 0.5:
            dst = self.target(type)
            self.emit(mir.Load(dst, data, 0, position, 8))
            self.assigned(dst)
        else:
            value = self.any(type)
            self.emit(mir.Store(self.definite(value) if type is F64 else value, data, 0, position, 8))

    def field(self, depth: int) -> None:
        self.field_of(self.params["object"])

    def field_of(self, object: Local) -> None:
        type, offset = self.rng.choice(FIELDS)
        if self.rng.random() < 0.6:
            dst = self.target(type)
            self.emit(mir.Load(dst, object, offset))
            self.assigned(dst)
        else:
            value = self.any(type)
            self.emit(mir.Store(self.definite(value) if type.kind == "float" else value, object, offset))

    def perhaps(self, depth: int) -> None:
        """A field of an object that may be null, after a test, or now and then a check."""
        object, null, there = self.params["maybe"], self.new(REF), self.new(BOOL)
        self.emit(mir.Const(null, 0))
        self.emit(mir.Compare("ne", there, object, null))
        if self.rng.random() < 0.1:
            self.emit(mir.Check(there, "NilError", self.site()))
            self.field_of(object)
            return
        then, done = self.function.new_block(), self.function.new_block()
        self.end(mir.Branch(there, then, done), then)
        known, self.known = self.known, list(self.known)
        self.field_of(object)
        self.known = known
        self.end(mir.Jump(done), done)

    def failing(self, depth: int) -> None:
        if self.rng.random() < 0.1:
            self.emit(mir.Check(self.compare(), "NilError", self.site()))
        else:
            self.emit(mir.Poll(self.site()))
            context, value = self.new(PTR), self.target(I64)
            self.emit(mir.Context(context))
            self.emit(mir.Load(value, context, FREE_CELL))
            self.emit(mir.Store(self.constant_of(I64, 0), context, FREE_CELL))

    def call(self, depth: int) -> None:
        if not self.callees or self.loops:
            return
        callee = self.rng.choice(self.callees)
        args = [self.params[p.name] if p.type in (PTR, REF) else self.any(p.type) for p in callee.params]
        dsts = tuple([self.new(type) for type in callee.results])
        self.emit(mir.Call(dsts, callee.symbol, tuple(args), self.site()))
        for dst in dsts:
            self.assigned(dst)

    # --- control flow -----------------------------------------------------------------------------

    def inside(self, block: Block, count: int, depth: int) -> None:
        """Statements from the start of `block`; what they assign is not known afterwards."""
        known, self.known, self.block = self.known, list(self.known), block
        self.statements(count, depth + 1)
        self.known = known

    def few(self) -> int:
        return self.rng.randrange(1, 4)

    def branch(self, depth: int) -> None:
        then, orelse, done = (self.function.new_block() for _ in range(3))
        cold: Any = self.rng.choice([None, None, "then", "orelse"])
        self.end(mir.Branch(self.compare(), then, orelse, cold))
        self.inside(then, self.few(), depth)
        roll = self.rng.random()
        if self.loops and roll < 0.4:
            self.end(mir.Jump(self.rng.choice(self.rng.choice(self.loops))))
        elif roll > 0.9:
            self.leave_here()
        else:
            self.end(mir.Jump(done))
        self.inside(orelse, self.rng.randrange(3), depth)
        self.end(mir.Jump(done), done)

    def leave_here(self) -> None:
        known, self.known = self.known, list(self.known)
        self.leave()
        self.known = known

    def switch(self, depth: int) -> None:
        done = self.function.new_block()
        cases = [(number, self.function.new_block()) for number in range(self.few())]
        default = self.function.new_block()
        self.end(mir.Switch(self.any(I64), tuple(cases), default))
        for _, block in [*cases, (0, default)]:
            self.inside(block, self.few(), depth)
            self.end(mir.Jump(done))
        self.block = done

    def bound(self) -> Local:
        """An end for a loop: a small constant, a length, or a masked number."""
        roll = self.rng.random()
        if roll < 0.4:
            return self.constant_of(I64, self.rng.randrange(-2, 7))
        dst = self.new(I64)
        if roll < 0.8:
            self.emit(mir.Load(dst, self.params[self.rng.choice(["floats", "ints"])], 8))
        else:
            mask = self.constant_of(I64, 7)
            self.emit(mir.Binary("and", dst, self.any(I64), mask))
        self.constant.add(dst)
        return self.assigned(dst)

    def for_range(self, depth: int) -> None:
        """`for i in start..stop` as lowering emits it, its elements indexed by `i + something`."""
        start, stop = self.constant_of(I64, self.rng.randrange(-1, 3)), self.bound()
        step = self.constant_of(I64, self.rng.choice([1, 1, 1, 2]))
        header, body, latch, done = (self.function.new_block() for _ in range(4))
        position, variable, cond, offset = self.new(I64), self.new(I64), self.new(BOOL), self.any(I64)
        self.constant |= {start, stop, step, position, offset}
        self.emit(mir.Copy(position, start))
        self.end(mir.Jump(header), header)
        self.emit(mir.Compare("lt", cond, position, stop))
        self.end(mir.Branch(cond, body, done), body)
        self.emit(mir.Copy(variable, position))
        self.loops.append((latch, done))
        known, self.known = self.known, [*self.known, variable]
        self.constant.add(variable)
        index = self.affine(variable, offset)
        for _ in range(self.few()):
            self.element(depth, self.rng.choice([variable, variable, index]))
        self.inside(self.block, self.few(), depth)
        self.known = known
        self.loops.pop()
        self.end(mir.Jump(latch), latch)
        self.emit(mir.Binary("add", position, position, step))
        self.end(mir.Jump(header), done)

    def affine(self, variable: Local, offset: Local) -> Local:
        """`variable * k + offset`, or one of its parts."""
        product, total = self.new(I64), self.new(I64)
        factor = self.constant_of(I64, self.rng.choice([1, 2, -1, 3]))
        self.emit(mir.Binary("mul", product, variable, factor))
        if self.rng.random() < 0.5:
            offset = self.constant_of(I64, self.rng.randrange(-2, 3))
        self.emit(mir.Binary(self.rng.choice(["add", "sub"]), total, product, offset))
        index = self.rng.choice([product, total])
        self.constant |= {index} if self.rng.random() < 0.5 else set()
        return index

    def while_loop(self, depth: int) -> None:
        """`while more and fuel: …`, with a variable that counts up for `element` to use."""
        header, check, body, done = (self.function.new_block() for _ in range(4))
        fuel, zero, one = self.new(I64), self.constant_of(I64, 0), self.constant_of(I64, 1)
        left, counter = self.new(BOOL), self.new(I64)
        self.constant |= {fuel, zero, one, counter}
        self.emit(mir.Const(fuel, self.rng.randrange(1, 6)))
        self.emit(mir.Const(counter, self.rng.randrange(-1, 2)))
        self.end(mir.Jump(header), header)
        self.emit(mir.Poll(self.site()))
        self.emit(mir.Binary("sub", fuel, fuel, one))
        self.emit(mir.Compare("ge", left, fuel, zero))
        self.end(mir.Branch(left, check, done), check)
        known, self.known = self.known, [*self.known, counter]
        cond = self.new(BOOL)
        self.emit(mir.Compare("lt", cond, counter, self.bound()))
        self.end(mir.Branch(cond, body, done))
        self.loops.append((header, done))
        self.block = body
        self.element(depth, counter)
        self.emit(mir.Binary("add", counter, counter, one))
        self.inside(self.block, self.few(), depth)
        self.loops.pop()
        self.known = known
        self.end(mir.Jump(header), done)
