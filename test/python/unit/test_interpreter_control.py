"""Control flow of the tree-walking interpreter: random programs against a direct evaluation.

The reference below walks the tree with exceptions for jumps: slow and plain. The interpreter runs each
program with all nodes in closures of their own, with as much as possible in one closure, and with loops
that become hot; the handler of a hot loop is the reference itself, so the protocol of hooks is tested
with the rest.
"""

from __future__ import annotations

import random

import pytest

from hir_builder import SPAN, Machine, add_to, binary, block, branch, compare, const, function, get, put
from simple_jit.hir import nodes as hir
from simple_jit.hir import types as t
from simple_jit.tiers.interpreter import RETURN, Hooks, Instance, LoopSite, Signal, compiler, statements
from simple_jit.tiers.interpreter.hooks import Frame, Handler, State


class Jump(Exception):
    def __init__(self, target: hir.LoopTarget | None, kind: str, value: object = None) -> None:
        self.target = target
        self.kind = kind
        self.value = value


OPERATORS = {"lt": int.__lt__, "eq": int.__eq__, "gt": int.__gt__, "ne": int.__ne__}


class Reference:
    """Evaluates a tree over a frame."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def value(self, node: hir.Expr | None) -> object:
        if node is None:
            return None
        found: object = getattr(self, type(node).__name__.lower())(node)
        return found

    def const(self, node: hir.Const) -> object:
        return node.value

    def localget(self, node: hir.LocalGet) -> object:
        return self.frame[node.local.index]

    def localset(self, node: hir.LocalSet) -> None:
        self.frame[node.local.index] = self.value(node.value)

    def binary(self, node: hir.Binary) -> int:
        a, b = self.value(node.lhs), self.value(node.rhs)
        assert isinstance(a, int)
        assert isinstance(b, int)
        exact = {"add": a + b, "sub": a - b, "mul": a * b}[node.op]
        return (exact + (1 << 63)) % (1 << 64) - (1 << 63)

    def compare(self, node: hir.Compare) -> bool:
        a, b = self.value(node.lhs), self.value(node.rhs)
        assert isinstance(a, int)
        assert isinstance(b, int)
        return OPERATORS[node.op](a, b)

    def block(self, node: hir.Block) -> object:
        for stmt in node.stmts:
            self.value(stmt)
        return self.value(node.result)

    def __getattr__(self, name: str) -> object:
        assert name == "if"
        return lambda node: self.value(node.then if self.value(node.cond) else node.orelse)

    def return_(self, node: hir.Return) -> None:
        raise Jump(None, "return", self.value(node.value))

    def jump(self, node: hir.Break | hir.Continue) -> None:
        raise Jump(node.target, type(node).__name__.lower())

    def round(self, node: hir.Loop | hir.ForRange) -> bool:
        """Run the body; False where the loop is over."""
        try:
            self.value(node.body)
        except Jump as jump:
            if jump.target is not node.target:
                raise
            return jump.kind == "continue"
        return True

    def loop(self, node: hir.Loop) -> None:
        while node.cond is None or self.value(node.cond):
            if not self.round(node):
                break
            self.value(node.step)

    def forrange(self, node: hir.ForRange) -> None:
        start, stop, step = [self.value(bound) for bound in (node.start, node.stop, node.step)]
        assert isinstance(start, int)
        assert isinstance(stop, int)
        assert isinstance(step, int)
        self.rounds(node, start, stop, step)

    def rounds(self, node: hir.ForRange, start: int, stop: int, step: int) -> None:
        value = start
        while (value - stop) * step < 0 or (node.inclusive and value == stop):
            self.frame[node.var.index] = value
            if not self.round(node):
                break
            value += step


setattr(Reference, "return", Reference.return_)
setattr(Reference, "break", Reference.jump)
setattr(Reference, "continue", Reference.jump)


def reference(f: hir.Function, *args: int) -> object:
    walker = Reference([*args, *[None] * len(f.locals)])
    try:
        return walker.value(f.body)
    except Jump as jump:
        return jump.value


class HotLoops(Hooks):
    """Every loop becomes hot after some rounds; some are refused."""

    def __init__(self, threshold: int, refuse: bool) -> None:
        self.loop_threshold = threshold
        self.refuse = refuse
        self.asked = 0

    def hot_loop(self, site: LoopSite, frame: Frame) -> Handler | None:
        self.asked += 1
        if self.refuse and self.asked % 2:
            return None

        def handler(frame: Frame, state: State | None) -> Signal | None:
            walker = Reference(frame)
            try:
                if state is None:
                    walker.value(site.loop)
                else:
                    assert isinstance(site.loop, hir.ForRange)
                    walker.rounds(site.loop, *state)
            except Jump as jump:
                if jump.kind == "return":
                    frame[-1] = jump.value
                    return RETURN
                return site.signals[jump.target, jump.kind]
            return None

        return handler


class Generator:
    """Makes random functions of two i64 parameters; every loop ends."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.function = function([t.I64, t.I64], t.I64, [t.I64, t.I64], name=f"f{seed}")
        self.targets: list[hir.LoopTarget] = []
        self.loops = 0

    def make(self) -> hir.Function:
        zero = [put(local, const(0)) for local in self.function.locals[2:]]
        self.function.body = block(*zero, *self.statements(4), result=self.expression(4))
        return self.function

    def local(self) -> hir.Local:
        return self.random.choice(self.function.locals[:4])

    def new_local(self) -> hir.Local:
        made = hir.Local(len(self.function.locals), "i", t.I64)
        self.function.locals.append(made)
        return made

    def condition(self, depth: int) -> hir.Expr:
        op: hir.CompareOp = self.random.choice(["lt", "eq", "gt", "ne"])
        return compare(op, self.expression(depth - 1), self.expression(depth - 1))

    def expression(self, depth: int) -> hir.Expr:
        choice = self.random.random()
        if depth <= 0 or choice < 0.2:
            return const(self.random.randint(-3, 9))
        if choice < 0.5:
            return get(self.local())
        if choice < 0.8:
            op: hir.BinaryOp = self.random.choice(["add", "sub", "mul"])
            return binary(op, self.expression(depth - 1), self.expression(depth - 1))
        if choice < 0.9:
            orelse = self.jump() if self.random.random() < 0.4 else self.expression(depth - 1)
            return branch(self.condition(depth), self.expression(depth - 1), orelse, t.I64)
        return block(*self.statements(depth - 2), result=self.expression(depth - 1))

    def jump(self) -> hir.Expr:
        if self.targets and self.random.random() < 0.7:
            target = self.random.choice(self.targets)
            kind = self.random.choice([hir.Break, hir.Continue])
            made: hir.Expr = kind(target, SPAN)
            return made
        return hir.Return(self.expression(2), SPAN)

    def statements(self, depth: int) -> list[hir.Expr]:
        return [self.statement(depth) for _ in range(self.random.randint(1, 3))] if depth > 0 else []

    def body(self, depth: int) -> hir.Expr:
        stmts = self.statements(depth - 1) or [put(self.local(), const(1))]
        if self.random.random() < 0.3:
            return hir.Block([*stmts, self.jump()], None, t.NEVER, SPAN)
        return block(*stmts)

    def statement(self, depth: int) -> hir.Expr:
        choice = self.random.random()
        if choice < 0.45:
            return put(self.local(), self.expression(depth))
        if choice < 0.7:
            orelse = self.body(depth) if self.random.random() < 0.5 else None
            return branch(self.condition(depth), self.body(depth), orelse, t.UNIT)
        if self.loops >= 3:
            return add_to(self.local(), const(1))
        return self.loop(depth)

    def loop(self, depth: int) -> hir.Expr:
        target = hir.LoopTarget(self.loops)
        self.loops += 1
        index = self.new_local()
        if self.random.random() < 0.5:
            start, stop = [const(self.random.randint(-4, 8)) for _ in range(2)]
            step = const(self.random.choice([1, 1, 2, -1, -3]))
            self.targets.append(target)
            body: hir.Expr = block(add_to(self.local(), get(index)), self.body(depth))
            self.targets.pop()
            inclusive = self.random.random() < 0.5
            return hir.ForRange(target, index, start, stop, step, inclusive, body, SPAN)
        cond = compare("lt", get(index), const(self.random.randint(0, 9)))
        self.targets.append(target)
        body = self.body(depth)
        self.targets.pop()
        count = add_to(index, const(1))
        step_after = self.random.random() < 0.6
        if not step_after:
            body = block(count, body)
        loop = hir.Loop(target, cond, body, count if step_after else None, t.UNIT, SPAN)
        return block(put(index, const(0)), loop)


TINY = compiler.Limits(1, 1)
SMALL = compiler.Limits(4, 8)
CONFIGURATIONS = {
    "as shipped": (compiler.FLAT, None),
    "separate closures": (TINY, None),
    "small closures": (SMALL, None),
    "large closures": (compiler.SEPARATE, None),
    "hot loops": (compiler.FLAT, (3, False)),
    "hot loops, separate closures": (SMALL, (3, False)),
    "hot at once": (compiler.SEPARATE, (0, False)),
    "refused": (compiler.FLAT, (2, True)),
}


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_random_programs(configuration: str) -> None:
    limits, loops = CONFIGURATIONS[configuration]
    for seed in range(150):
        f = Generator(seed).make()
        hooks = HotLoops(*loops) if loops else Hooks()
        with Machine(hooks) as m:
            run = m.interpreter.compile(f, limits)
            for args in ((0, 0), (3, -2), (7, 5)):
                assert run(*args) == reference(f, *args), f"seed {seed}, arguments {args}"


def test_most_random_programs_are_flat() -> None:
    """So that the tests above see both kinds of code."""
    flat = 0
    with Machine() as m:
        for seed in range(150):
            f = Generator(seed).make()
            body = f.ensure_body()
            try:
                statements.activation(compiler.FunctionCompiler(m.interpreter, f, body, compiler.FLAT), body)
            except compiler.NotFlat:
                continue
            flat += 1
    assert 40 < flat < 140


def fib(name: str = "fib") -> hir.Function:
    f = function([t.I64], t.I64, name=name)
    n = f.locals[0]

    def below(by: int) -> hir.Expr:
        return hir.Call(f, [binary("sub", get(n), const(by))], t.I64, SPAN)

    f.body = branch(compare("lt", get(n), const(2)), get(n), binary("add", below(1), below(2)))
    return f


def test_calls_are_counted_up_to_the_threshold() -> None:
    class HotCalls(Hooks):
        call_threshold = 5
        asked: list[Instance]

        def hot_function(self, instance: Instance) -> None:
            self.asked.append(instance)

    hooks = HotCalls()
    hooks.asked = []
    with Machine(hooks) as m:
        f = fib()
        assert m.run(f, 12) == 144
        instance = m.interpreter.instance(f)
        assert hooks.asked == [instance]
        assert instance.calls == 5
        assert instance.call is instance.interpreted


def test_a_hot_function_is_replaced() -> None:
    class HotCalls(Hooks):
        call_threshold = 3

        def hot_function(self, instance: Instance) -> None:
            instance.call = lambda n: 1000

    with Machine(HotCalls()) as m:
        f = fib()
        assert [m.run(f, 1) for _ in range(4)] == [1, 1, 1000, 1000]


def test_a_loop_that_is_refused_is_asked_about_once() -> None:
    hooks = HotLoops(2, refuse=True)
    f = function([], t.I64, [t.I64, t.I64])
    total, i = f.locals
    body = block(add_to(total, get(i)))
    loop = hir.ForRange(hir.LoopTarget(0), i, const(0), const(1000), const(1), False, body, SPAN)
    f.body = block(put(total, const(0)), loop, result=get(total))
    with Machine(hooks) as m:
        for _ in range(3):
            assert m.run(f) == 499500
    assert hooks.asked == 1


@pytest.mark.parametrize("type", [t.I64, t.U64, t.I8], ids=str)
def test_ranges_at_the_ends_of_a_type(type: t.IntType) -> None:
    """The count ends at the greatest value, and a range too long for Python's `len` starts."""
    f = function([], t.I64, [type, t.I64])
    i, rounds = f.locals
    step = const(-1 if type.signed else 1, type)
    start, stop = (type.min + 2, type.min) if type.signed else (type.max - 2, type.max)
    body = block(add_to(rounds, const(1)))
    loop = hir.ForRange(hir.LoopTarget(0), i, const(start, type), const(stop, type), step, True, body, SPAN)
    target = hir.LoopTarget(1)
    stop_early = branch(compare("gt", get(rounds), const(20)), hir.Break(target, SPAN), type=t.UNIT)
    long = hir.ForRange(
        target, i, const(type.min, type), const(type.max, type), const(1, type), True,
        block(add_to(rounds, const(1)), stop_early), SPAN,
    )  # fmt: skip
    f.body = block(put(rounds, const(0)), loop, long, result=get(rounds))
    for hooks in (Hooks(), HotLoops(5, refuse=False), HotLoops(5, refuse=True)):
        with Machine(hooks) as m:
            assert m.run(f) == 21
