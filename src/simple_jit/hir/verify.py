"""The invariants of HIR; a breach is a defect of the checker.

- Every type is concrete: no type variable, hole or error.
- Operands have the types that `hir.nodes` demands of each node; so do branches, arguments, results.
- A local belongs to its function; `break` and `continue` name a loop around them.
- Nothing follows what never comes to an end.
"""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir.symbols import ErrorType, HoleType, is_open
from simple_jit.hir.types import (
    BOOL,
    I64,
    NEVER,
    TEXT,
    UNIT,
    ArrayType,
    ClosureType,
    EnumType,
    FloatType,
    IntType,
    OptionalType,
    StructType,
    TupleType,
    Type,
    is_number,
    is_reference,
    plain_function,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class VerifyError(Exception):
    """HIR that breaks an invariant; the message has the function's text."""


def verify(function: hir.Function) -> None:
    """Check an instance, whose body must have been checked.

    Raises:
        VerifyError: an invariant does not hold.
    """
    problems = list(_Verifier(function).problems())
    if problems:
        from simple_jit.hir.dump import dump

        raise VerifyError("\n".join([*problems, dump(function)]))


def children(node: hir.Expr) -> list[hir.Expr]:
    """Return the operands of an expression."""
    found: list[hir.Expr] = []
    for owner in type(node).__mro__:
        for name in getattr(owner, "__slots__", ()):
            value = getattr(node, name)
            if isinstance(value, hir.Expr):
                found.append(value)
            elif isinstance(value, list):
                found += [item for item in value if isinstance(item, hir.Expr)]
    return found


def _fits(found: Type, wanted: Type) -> bool:
    return found is wanted or found is NEVER or _same_object(found, wanted)


def _same_object(found: Type, wanted: Type) -> bool:
    """Are the values of the two types the same, as those of a closure and of what it stands for?"""
    if isinstance(wanted, ArrayType) and isinstance(found, ArrayType):
        return found.elem is wanted.elem  # a `[T; N]` is a `[T]`
    if isinstance(wanted, ClosureType) and found is wanted.env:
        return True
    if not isinstance(found, ClosureType):
        return False
    return wanted is found.env or (not found.is_open and wanted is plain_function(found))


class _Verifier:
    def __init__(self, function: hir.Function) -> None:
        self._function = function
        self._loops: list[hir.LoopTarget] = []

    def problems(self) -> Iterator[str]:
        function = self._function
        for index, local in enumerate(function.locals):
            if local.index != index:
                yield f"local {local.name} has index {local.index} at {index}"
            yield from self._type(local.type, f"local {local.name}")
        assert function.body is not None
        yield from self._node(function.body)
        if function.ret is not UNIT and not _fits(function.body.type, function.ret):
            yield f"the body is {function.body.type}, not {function.ret}"

    def _type(self, type: Type, what: str) -> Iterator[str]:
        parts: list[Type] = [type]
        if isinstance(type, (ArrayType, OptionalType)):
            parts.append(type.elem if isinstance(type, ArrayType) else type.inner)
        elif isinstance(type, TupleType):
            parts += type.items
        if any(isinstance(part, (ErrorType, HoleType)) or is_open(part) for part in parts):
            yield f"{what} has the type {type}"

    def _node(self, node: hir.Expr) -> Iterator[str]:
        name = type(node).__name__
        yield from self._type(node.type, f"{name} at {node.span!r}")
        loops = isinstance(node, (hir.Loop, hir.ForRange))
        if loops:
            self._loops.append(node.target)  # type: ignore[attr-defined]
        for child in children(node):
            yield from self._node(child)
        if loops:
            self._loops.pop()
        for problem in self._rules(node):
            yield f"{name} at {node.span!r}: {problem}"

    def _rules(self, node: hir.Expr) -> Iterator[str]:
        if isinstance(node, (hir.LocalGet, hir.LocalSet)):
            local = node.local
            if local.index >= len(self._function.locals) or self._function.locals[local.index] is not local:
                yield f"{local.name} is not a local of this function"
            elif isinstance(node, hir.LocalGet) and node.type is not local.type:
                yield f"{local.name} is a {local.type}, read as {node.type}"
            elif isinstance(node, hir.LocalSet) and node.value.type is not local.type:
                yield f"{local.name} is a {local.type}, set to {node.value.type}"
        elif isinstance(node, hir.GlobalSet) and node.value.type is not node.cell.type:
            yield f"{node.cell.name} is a {node.cell.type}, set to {node.value.type}"
        elif isinstance(node, (hir.Break, hir.Continue)) and node.target not in self._loops:
            yield "no such loop around it"
        elif isinstance(node, (hir.Block, hir.If, hir.Switch, hir.Loop, hir.ForRange, hir.Return)):
            yield from self._control(node)
        elif isinstance(node, (hir.Binary, hir.Unary, hir.Compare, hir.And, hir.Or, hir.Convert)):
            yield from self._scalar(node)
        elif isinstance(node, (hir.Call, hir.CallExtern, hir.New, hir.TupleNew, hir.ArrayNew)):
            yield from self._operands(node)
        else:
            yield from self._access(node)

    def _control(self, node: hir.Expr) -> Iterator[str]:
        if isinstance(node, hir.Block):
            for stmt in node.stmts[:-1] if node.result is None else node.stmts:
                if stmt.type is NEVER:
                    yield "something follows what never ends"
            if node.result is not None and not _fits(node.result.type, node.type):
                yield f"the result is {node.result.type}, the block {node.type}"
            if node.result is None and node.type not in (UNIT, NEVER):
                yield f"no result, but the type {node.type}"
        elif isinstance(node, hir.If):
            for branch in (node.then, node.orelse):
                if branch is not None and not _fits(branch.type, node.type):
                    yield f"a branch is {branch.type}, the whole {node.type}"
            if node.orelse is None and node.type is not UNIT:
                yield f"no else, but the type {node.type}"
            if not _fits(node.cond.type, BOOL):
                yield f"the condition is {node.cond.type}"
        elif isinstance(node, hir.Switch):
            yield from self._switch(node)
        elif isinstance(node, hir.Loop):
            if node.cond is not None and not _fits(node.cond.type, BOOL):
                yield f"the condition is {node.cond.type}"
            if node.body.type not in (UNIT, NEVER):
                yield f"the body is {node.body.type}"
        elif isinstance(node, hir.ForRange):
            for part in (node.start, node.stop, node.step):
                if part.type is not node.var.type:
                    yield f"a bound is {part.type}, the variable {node.var.type}"
            if node.body.type not in (UNIT, NEVER):
                yield f"the body is {node.body.type}"
        elif isinstance(node, hir.Return):
            found = node.value.type if node.value is not None else UNIT
            if found is not self._function.ret:
                yield f"returns {found} from a function that returns {self._function.ret}"

    def _switch(self, node: hir.Switch) -> Iterator[str]:
        for branch in (*node.branches, node.default):
            if branch is not None and not _fits(branch.type, node.type):
                yield f"a branch is {branch.type}, the whole {node.type}"
        numbers = [number for group in node.numbers for number in group]
        if len(numbers) != len(set(numbers)) or len(node.numbers) != len(node.branches):
            yield f"its numbers are {node.numbers}"
        if node.value.type is not I64:
            yield f"of {node.value.type}"

    def _scalar(self, node: hir.Expr) -> Iterator[str]:
        if isinstance(node, hir.Binary):
            wanted = I64 if node.op in ("shl", "shr") else node.lhs.type
            if node.rhs.type is not wanted or not is_number(node.lhs.type):
                yield f"{node.op} of {node.lhs.type} and {node.rhs.type}"
        elif isinstance(node, hir.Compare):
            scalar = is_number(node.lhs.type) or node.lhs.type is BOOL or isinstance(node.lhs.type, EnumType)
            if node.lhs.type is not node.rhs.type or not (scalar or is_reference(node.lhs.type)):
                yield f"{node.op} of {node.lhs.type} and {node.rhs.type}"
        elif isinstance(node, (hir.And, hir.Or)):
            if not _fits(node.lhs.type, BOOL) or not _fits(node.rhs.type, BOOL):
                yield f"of {node.lhs.type} and {node.rhs.type}"
        elif isinstance(node, hir.Unary):
            good = node.operand.type in (BOOL, NEVER) if node.op == "not" else is_number(node.operand.type)
            if not good:
                yield f"{node.op} of {node.operand.type}"
        elif isinstance(node, hir.Convert):
            source = node.value.type
            if not is_number(node.type) or not (
                is_number(source) or source is BOOL or isinstance(source, EnumType)
            ):
                yield f"of {source} to {node.type}"

    def _operands(self, node: hir.Expr) -> Iterator[str]:
        if isinstance(node, hir.Call):
            wanted = [local.type for local in node.callee.params]
            args = node.args
            if node.type is not node.callee.ret:
                yield f"is a {node.type}, but {node.callee.symbol} returns {node.callee.ret}"
        elif isinstance(node, hir.CallExtern):
            wanted, args = list(node.extern.params), node.args
        elif isinstance(node, hir.New):
            wanted, args = [field.type for field in node.struct.fields], node.values
        elif isinstance(node, hir.TupleNew):
            assert isinstance(node.type, TupleType)
            wanted, args = list(node.type.items), node.items
        else:
            assert isinstance(node, hir.ArrayNew)
            assert isinstance(node.type, ArrayType)
            wanted, args = [node.type.elem] * len(node.items), node.items
        if len(args) != len(wanted) or not all(
            arg.type is t or _same_object(arg.type, t) for arg, t in zip(args, wanted)
        ):
            yield f"given {[str(arg.type) for arg in args]}, wanted {[str(type) for type in wanted]}"

    def _access(self, node: hir.Expr) -> Iterator[str]:
        if isinstance(node, hir.Some):
            if not isinstance(node.type, OptionalType) or not _fits(node.value.type, node.type.inner):
                yield f"{node.value.type} as {node.type}"
        elif isinstance(node, (hir.IsSome, hir.Unwrap)):
            optional = node.value.type
            if not isinstance(optional, OptionalType):
                yield f"of {optional}"
            elif isinstance(node, hir.Unwrap) and not _fits(node.type, optional.inner):
                yield f"of {optional} as {node.type}"
        elif isinstance(node, (hir.FieldGet, hir.FieldSet)):
            yield from self._field(node)
        elif isinstance(node, hir.TupleGet):
            whole = node.value.type
            if not isinstance(whole, TupleType) or whole.items[node.index] is not node.type:
                yield f"item {node.index} of {whole} as {node.type}"
        elif isinstance(node, (hir.ArrayGet, hir.ArraySet, hir.ArrayLen)):
            yield from self._element(node)
        elif isinstance(node, hir.Throw) and not _fits(node.message.type, TEXT):
            yield f"the message is {node.message.type}"
        elif isinstance(node, hir.Const):
            yield from _constant(node)
        elif isinstance(node, (hir.EnumNew, hir.EnumTag, hir.EnumGet)):
            yield from self._enum(node)

    def _enum(self, node: hir.EnumNew | hir.EnumTag | hir.EnumGet) -> Iterator[str]:
        enum = node.type if isinstance(node, hir.EnumNew) else node.value.type
        if not isinstance(enum, EnumType):
            yield f"of {enum}"
        elif isinstance(node, hir.EnumNew):
            wanted = [field.type for field in enum.variants[node.variant].fields]
            if [value.type for value in node.values] != wanted:
                yield f"given {[str(v.type) for v in node.values]}, wanted {[str(t) for t in wanted]}"
        elif isinstance(node, hir.EnumGet):
            field = enum.variants[node.variant].fields[node.field]
            if field.type is not node.type:
                yield f"the payload is {field.type}, here {node.type}"

    def _field(self, node: hir.FieldGet | hir.FieldSet) -> Iterator[str]:
        struct = node.object.type
        if not isinstance(struct, StructType):
            yield f"of {struct}"
            return
        field = struct.fields[node.index]
        found = node.type if isinstance(node, hir.FieldGet) else node.value.type
        if found is not field.type:
            yield f"the field {field.name} is {field.type}, here {found}"

    def _element(self, node: hir.ArrayGet | hir.ArraySet | hir.ArrayLen) -> Iterator[str]:
        array = node.array.type
        if not isinstance(array, ArrayType):
            yield f"of {array}"
            return
        if isinstance(node, hir.ArrayLen):
            return
        found = node.type if isinstance(node, hir.ArrayGet) else node.value.type
        if found is not array.elem or node.index.type is not I64:
            yield f"an element of {array} as {found}, at {node.index.type}"


def _constant(node: hir.Const) -> Iterator[str]:
    value, type = node.value, node.type
    if isinstance(type, IntType):
        good = isinstance(value, int) and not isinstance(value, bool) and type.min <= value <= type.max
    elif isinstance(type, FloatType):
        good = isinstance(value, float)
    elif type is BOOL:
        good = isinstance(value, bool)
    elif isinstance(type, EnumType):
        good = isinstance(value, int)
    else:
        good = value is None and type is UNIT
    if not good:
        yield f"{value!r} as {type}"
