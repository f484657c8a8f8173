"""Protected code: what `try`, `defer` and `with` guard becomes a function of its own.

    var n = 0                            env.2 = closure[main.f().try](n)
    try:                                 code.3 = protected(env.2)          calls it through `ctx.ENTER`
        n = g()              becomes     n = field[n](env.2)
        if n > 9: return 1               switch code.3:
    catch e:                                 0:  nothing
        print e.message                      1:  return field[returned](env.2)
                                             -1: e = caught_error(); print(…)

A body is checked as if `try` were a plain block: its variables are those of the function. When the body is
done, each guarded part (innermost first) is moved out. The closure's object carries, beside the captured
variables, what the part gives: its value, and the value of a `return`. Variables that it assigns are stored
there at each assignment, since an error may leave at any time, and read back after the call.

The function moved out returns the number of the way it was left: 0 at its end, from 1 on by a `return`,
`break` or `continue`; -1 stands for an error.
"""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir.cells import internal_struct
from simple_jit.hir.core_calls import call_core
from simple_jit.hir.instances import new_function
from simple_jit.hir.types import (
    ANY,
    BOOL,
    I64,
    NEVER,
    TEXT,
    UNIT,
    EnumType,
    FloatType,
    IntType,
    OptionalType,
    TraitType,
    TupleType,
    Type,
    has_payload,
    is_reference,
    optional_of,
)
from simple_jit.hir.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.source import Span
    from simple_jit.hir.context import Context


class Guarded(hir.Expr):
    """`body`, then after an error `handler`, and in any case `finalizer`; one of the two is None.

    No finished body contains one. The handler finds the error in the local `error`.
    """

    __slots__ = ("body", "error", "finalizer", "handler")

    def __init__(
        self,
        body: hir.Expr,
        error: hir.Local | None,
        handler: hir.Expr | None,
        finalizer: hir.Expr | None,
        type: Type,
        span: Span,
    ) -> None:
        super().__init__(type, span)
        self.body = body
        self.error = error
        self.handler = handler
        self.finalizer = finalizer


def move_out(cx: Context, body: hir.Expr) -> hir.Expr:
    """Return a finished body without guarded parts: they are functions now. Adds to `cx.locals`."""
    holder = hir.Block([body], None, body.type, body.span)
    found, loops = _find(holder)
    uses = _count(holder)
    for param in cx.instance.function.params:
        uses[param] = uses.get(param, 0) + 1  # the call sets it
    for parent, guarded, loop in reversed(found):
        part = _Part(cx, guarded, uses, is_reused=loop is not None)
        _replace_child(parent, guarded, part.replacement())
        if loop is not None:
            uses[part.object_outside] += 1
            loops[loop] = _put_before(loops[loop], loop, part.no_object())
    return holder.stmts[0]


def _find(
    holder: hir.Expr,
) -> tuple[list[tuple[hir.Expr, Guarded, hir.Expr | None]], dict[hir.Expr, hir.Expr]]:
    """Find the guarded parts, outer ones first, and what each loop is part of.

    With each part comes what it is part of, and the outermost loop around it that is in the same function
    when all parts are moved out.
    """
    found: list[tuple[hir.Expr, Guarded, hir.Expr | None]] = []
    loops: dict[hir.Expr, hir.Expr] = {}
    work: list[tuple[hir.Expr, hir.Expr | None]] = [(holder, None)]
    while work:
        node, loop = work.pop()
        if loop is None and isinstance(node, _LOOPS):
            loop = node
        for child in _children(node):
            inside = None if isinstance(node, Guarded) and child is node.body else loop
            if isinstance(child, Guarded):
                found.append((node, child, inside))
            elif isinstance(child, _LOOPS):
                loops[child] = node
            work.append((child, inside))
    return found, loops


_LOOPS = (hir.Loop, hir.ForRange)


def _put_before(parent: hir.Expr, loop: hir.Expr, stmt: hir.Expr) -> hir.Expr:
    """Put a statement in front of a loop; returns what the loop is part of then."""
    block = hir.Block([stmt, loop], None, loop.type, loop.span)
    _replace_child(parent, loop, block)
    return block


def _children(node: hir.Expr) -> list[hir.Expr]:
    found: list[hir.Expr] = []
    for slot in type(node).__slots__:
        child = getattr(node, slot)
        if isinstance(child, hir.Expr):
            found.append(child)
        elif isinstance(child, list):
            found += [part for part in child if isinstance(part, hir.Expr)]
    return found


def _replace_child(parent: hir.Expr, old: hir.Expr, new: hir.Expr) -> None:
    for slot in type(parent).__slots__:
        child = getattr(parent, slot)
        if child is old:
            setattr(parent, slot, new)
        elif isinstance(child, list):
            child[:] = [new if part is old else part for part in child]


def _count(body: hir.Expr) -> dict[hir.Local, int]:
    """Return how often each local is named in `body`."""
    uses: dict[hir.Local, int] = {}
    for node in walk(body):
        for local in _locals_of(node):
            uses[local] = uses.get(local, 0) + 1
    return uses


def _locals_of(node: hir.Expr) -> tuple[hir.Local, ...]:
    if isinstance(node, (hir.LocalGet, hir.LocalSet)):
        return (node.local,)
    if isinstance(node, hir.ForRange):
        return (node.var,)
    if isinstance(node, Guarded) and node.error is not None:
        return (node.error,)
    return ()


class _Part:
    """One guarded part on its way out. `uses` counts the locals in what is left of the function.

    `is_reused`: it is in a loop, all of whose rounds share one closure object. It is not in use when the
    part begins, since nothing but the part has it.
    """

    def __init__(self, cx: Context, node: Guarded, uses: dict[hir.Local, int], *, is_reused: bool) -> None:
        self.cx = cx
        self.is_reused = is_reused
        self.node = node
        self.span = node.span
        self.uses = uses
        inside = _count(node.body)
        params = cx.instance.function.params
        self.shared = [
            local
            for local in cx.locals
            if local in inside
            and (uses[local] > inside[local] or local in params)
            and local.type not in (UNIT, NEVER)
        ]
        for local, number in inside.items():
            uses[local] -= number
        nodes = list(walk(node.body))
        self.assigned = {n.local for n in nodes if isinstance(n, hir.LocalSet)}.intersection(self.shared)
        self.inner_loops = {n.target for n in nodes if isinstance(n, (hir.Loop, hir.ForRange))}
        self.exits: list[hir.Expr] = []
        self.returns = any(isinstance(n, hir.Return) for n in nodes) and cx.result not in (UNIT, NEVER)
        self.gives = node.body.type not in (UNIT, NEVER)
        self.function = self._new_function()
        self.fields: list[tuple[str, Type]] = [("code", I64)]
        self.fields += [(local.name, local.type) for local in self.shared]
        self.zeros: list[hir.Expr] = []
        self.value_field = self._add_field("value", node.body.type) if self.gives else 0
        self.return_field = self._add_field("returned", cx.result) if self.returns else 0
        self.env = internal_struct(self.function.symbol, self.fields)
        self.object = hir.Local(0, "", self.env)
        self.object_outside = cx.local("", self.env)
        self.function.locals.append(self.object)
        self.moved: dict[hir.Local, hir.Local] = {}
        self.done: dict[hir.Expr, hir.Expr] = {}

    def _add_field(self, name: str, type: Type) -> int:
        """Add a field for what the part gives; one that holds a `type?` where no `type` is at hand."""
        zero = _zero(type, self.span)
        if zero is None:
            zero = hir.Nil(optional_of(type), self.span)
        self.zeros.append(zero)
        self.fields.append((name, zero.type))
        return len(self.fields) - 1

    def _new_function(self) -> hir.Function:
        outer = self.cx.instance.function
        name = f"{outer.symbol[len(self.cx.module.key) + 1 :]}.try"
        # Errors at its entry (too deep a recursion) are those of the function that it is part of.
        function = new_function(self.cx.session, self.cx.module, name, outer.name, outer.span)
        function.source = outer.source
        function.annotations = outer.annotations & {"jit", "nojit"}
        function.param_count = 1
        function.ret = I64
        return function

    # --- the function that the part becomes ----------------------------------------------------

    def _build(self) -> None:
        function, span = self.function, self.span
        body = self._moved(self.node.body)
        entry: list[hir.Expr] = [
            hir.LocalSet(self._local(local), self._field(self.object, index), span)
            for index, local in enumerate(self.shared, 1)
        ]
        if body.type is NEVER:
            function.body = hir.Block([*entry, body], None, NEVER, span)
            return
        end = self._store(self.value_field, body) if self.gives else body
        function.body = hir.Block([*entry, end], hir.Const(0, I64, span), I64, span)

    def _local(self, local: hir.Local) -> hir.Local:
        found = self.moved.get(local)
        if found is None:
            locals = self.function.locals
            found = self.moved[local] = hir.Local(len(locals), local.name, local.type)
            locals.append(found)
        return found

    def _field(self, object: hir.Local, index: int) -> hir.Expr:
        return hir.FieldGet(hir.LocalGet(object, self.span), index, self.fields[index][1], self.span)

    def _given(self, index: int, type: Type) -> hir.Expr:
        """Return, outside, what the part gave."""
        value = self._field(self.object_outside, index)
        return value if value.type is type else hir.Unwrap(value, type, self.span, checked=False)

    def _store(self, index: int, value: hir.Expr) -> hir.Expr:
        type = self.fields[index][1]
        if value.type is not type:
            value = hir.Some(value, type, value.span)
        return hir.FieldSet(hir.LocalGet(self.object, self.span), index, value, value.span)

    def _moved(self, node: hir.Expr) -> hir.Expr:
        """Return `node` as it stands in the function; trees may share nodes."""
        found = self.done.get(node)
        if found is None:
            found = self.done[node] = self._move(node)
        return found

    def _move(self, node: hir.Expr) -> hir.Expr:
        if isinstance(node, hir.LocalGet):
            return hir.LocalGet(self._local(node.local), node.span)
        for slot in type(node).__slots__:
            child = getattr(node, slot)
            if isinstance(child, hir.Expr):
                setattr(node, slot, self._moved(child))
            elif isinstance(child, list):
                child[:] = [self._moved(part) if isinstance(part, hir.Expr) else part for part in child]
        if isinstance(node, hir.LocalSet):
            return self._moved_set(node)
        if isinstance(node, hir.ForRange):
            node.var = self._local(node.var)
        elif isinstance(node, hir.Return):
            return self._moved_return(node)
        elif isinstance(node, (hir.Break, hir.Continue)) and node.target not in self.inner_loops:
            return hir.Return(hir.Const(self._exit(node), I64, node.span), node.span)
        return node

    def _moved_set(self, node: hir.LocalSet) -> hir.Expr:
        local = self._local(node.local)
        made = hir.LocalSet(local, node.value, node.span)
        if node.local not in self.assigned or node.value.type is NEVER:
            return made
        stored = self._store(self.shared.index(node.local) + 1, hir.LocalGet(local, node.span))
        return hir.Block([made, stored], None, UNIT, node.span)

    def _moved_return(self, node: hir.Return) -> hir.Expr:
        value = node.value
        if value is not None and value.type is NEVER:
            return value
        returned = hir.Return(None, node.span)
        if self.returns:
            returned.value = self._given(self.return_field, self.cx.result)
        number = hir.Const(self._exit(returned), I64, node.span)
        leave = hir.Return(number, node.span)
        if value is None:
            return leave
        first = self._store(self.return_field, value) if self.returns else value
        return hir.Block([first, leave], None, NEVER, node.span)

    def _exit(self, node: hir.Expr) -> int:
        """Return the number of the way out that `node` takes, outside."""
        for number, known in enumerate(self.exits, 1):
            if type(known) is type(node) and getattr(known, "target", None) is getattr(node, "target", None):
                return number
        self.exits.append(node)
        return len(self.exits)

    # --- what takes its place -------------------------------------------------------------------

    def replacement(self) -> hir.Expr:
        cx, node, span = self.cx, self.node, self.span
        env = self.object_outside
        code = cx.local("", I64)
        keeps_way = node.error is None or _is_handed_on(node.error, node.handler)
        self._build()
        captures: list[hir.Expr] = [hir.LocalGet(local, span) for local in self.shared]
        captures += self.zeros
        made = hir.ClosureNew(self.function, self.env, captures, self.env, span)
        fresh = hir.LocalSet(env, made, span)
        stmts: list[hir.Expr] = [
            self._fresh_or_used(fresh) if self.is_reused else fresh,
            hir.LocalSet(code, hir.Protected(hir.LocalGet(env, span), I64, span, keeps_way=keeps_way), span),
        ]
        for index, local in enumerate(self.shared, 1):
            if local in self.assigned:
                stmts.append(hir.LocalSet(local, self._field(env, index), span))
        if node.finalizer is None:
            assert node.error is not None
            assert node.handler is not None
            take = "caught_error_and_way" if keeps_way else "caught_error"
            caught = hir.LocalSet(node.error, call_core(cx, take, [], span), span)
            failed = hir.Block([caught, node.handler], None, node.type, span)
            if node.type not in (UNIT, NEVER):
                failed = hir.Block([caught], node.handler, node.type, span)
            if node.handler.type is NEVER:
                failed = hir.Block([caught, node.handler], None, NEVER, span)
            whole = self._after(stmts, code, failed)
        else:
            held = self._hold(stmts, code)
            stmts.append(node.finalizer)
            if node.finalizer.type is NEVER:
                whole = hir.Block(stmts, None, NEVER, span)
            else:
                release = call_core(cx, "throw_held_error", [hir.LocalGet(held, span)], span)
                whole = self._after(stmts, code, never_ending(release))
        for local, number in _count(whole).items():
            self.uses[local] = self.uses.get(local, 0) + number
        for inside in (node.handler, node.finalizer):
            for local, number in _count(inside).items() if inside is not None else ():
                self.uses[local] -= number
        if node.error is not None:
            self.uses[node.error] -= 1
        return whole

    def no_object(self) -> hir.Expr:
        """There is no closure object yet."""
        return hir.LocalSet(self.object_outside, self._null(), self.span)

    def _null(self) -> hir.Expr:
        null = _zero(self.env, self.span)
        assert null is not None
        return null

    def _fresh_or_used(self, fresh: hir.Expr) -> hir.Expr:
        """Fill the closure object that there is with the variables as they are now."""
        span, env = self.span, self.object_outside
        fill: list[hir.Expr] = [
            hir.FieldSet(hir.LocalGet(env, span), index, hir.LocalGet(local, span), span)
            for index, local in enumerate(self.shared, 1)
        ]
        used = hir.Block(fill, None, UNIT, span) if fill else None
        test = hir.Compare("eq", hir.LocalGet(env, span), self._null(), span)
        return hir.If(test, fresh, used, UNIT, span)

    def _hold(self, stmts: list[hir.Expr], code: hir.Local) -> hir.Local:
        """Keep the error under way while the finalizer runs, which may catch errors of its own."""
        span = self.span
        taken = call_core(self.cx, "hold_error", [], span)
        assert isinstance(taken.type, OptionalType)
        held = self.cx.local("", taken.type)
        failed = hir.Compare("lt", hir.LocalGet(code, span), hir.Const(0, I64, span), span)
        value = hir.If(failed, taken, hir.Nil(taken.type, span), taken.type, span)
        stmts.append(hir.LocalSet(held, value, span))
        return held

    def _after(self, stmts: list[hir.Expr], code: hir.Local, failed: hir.Expr) -> hir.Expr:
        """Go on as the part has left: `failed` after an error."""
        span, type = self.span, self.node.type
        branches: list[tuple[int, hir.Expr]] = list(enumerate(self.exits, 1))
        if self.node.body.type is not NEVER:
            end: hir.Expr = hir.Const(None, UNIT, span)
            if self.gives:
                end = self._given(self.value_field, type)
            branches.insert(0, (0, end))
        number = hir.LocalGet(code, span)
        rest: hir.Expr
        if not branches:
            rest = failed
        elif len(branches) == 1:
            test = hir.Compare("eq", number, hir.Const(branches[0][0], I64, span), span)
            rest = hir.If(test, branches[0][1], failed, type, span)
        else:
            numbers = [[n] for n, _ in branches]
            rest = hir.Switch(number, numbers, [branch for _, branch in branches], failed, type, span)
        if type in (UNIT, NEVER):
            return hir.Block([*stmts, rest], None, type, span)
        return hir.Block(stmts, rest, type, span)


def _is_handed_on(error: hir.Local, handler: hir.Expr | None) -> bool:
    """Does a handler do more with the error than to read what it says? Then it may be thrown again."""
    uses = read = 0
    for node in walk(handler) if handler is not None else ():
        object: hir.Expr | None = None
        if isinstance(node, hir.FieldGet):
            object = node.object
        elif isinstance(node, hir.Call) and node.callee.symbol.startswith("core.error.Error."):
            object = node.args[0]
        read += isinstance(object, hir.LocalGet) and object.local is error
        uses += isinstance(node, hir.LocalGet) and node.local is error
    return uses > read


def never_ending(call: hir.Expr) -> hir.Expr:
    """Return a call that does not come back, as what it is."""
    if call.type is NEVER:
        return call
    fail = hir.Throw("Panic", hir.TextConst("unreachable", TEXT, call.span), call.span)
    return hir.Block([call, fail], None, NEVER, call.span)


def _zero(type: Type, span: Span) -> hir.Expr | None:
    """Return a value to fill a field with that is set before it is read; None: there is none at hand."""
    if isinstance(type, OptionalType):
        return hir.Nil(type, span)
    if isinstance(type, IntType):
        return hir.Const(0, type, span)
    if isinstance(type, FloatType):
        return hir.Const(0.0, type, span)
    if type is BOOL:
        return hir.Const(False, type, span)
    if isinstance(type, TupleType):
        items = [item for item in [_zero(part, span) for part in type.items] if item is not None]
        return hir.TupleNew(items, type, span) if len(items) == len(type.items) else None
    if isinstance(type, EnumType):
        return hir.Const(0, type, span) if not has_payload(type) else None
    if is_reference(type):
        return hir.Intrinsic("reference", [hir.Const(0, I64, span)], type, type, span)
    if type is ANY or isinstance(type, TraitType):
        return hir.AnyNew(hir.Const(None, UNIT, span), type, span)
    return None
