"""Methods, fields and elements of an `any`: by functions that choose by the type, giving an `any` again."""

from __future__ import annotations

from simple_jit.hir import nodes as hir
from simple_jit.hir.any_operators import each, has_none
from simple_jit.hir.check_any import to_any
from simple_jit.hir.context import (
    Context,
    diverging,
    expression,
)
from simple_jit.hir.dispatch import branches, call_dispatcher, params_of, types_of
from simple_jit.hir.symbols import ERROR
from simple_jit.hir.types import (
    ANY,
    BOOL,
    I64,
    NEVER,
    TEXT,
    UNIT,
    ArrayType,
    FnType,
    StructType,
    TupleType,
    Type,
    array_of,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from simple_jit.base.source import Span
    from simple_jit.hir.check_assign import Place

    Make = Callable[[Context, hir.Expr], "hir.Expr | None"]


class Arguments:
    """What is passed to something that an `any` has: literals adapt to it, the rest goes in `values`.

    `shown` tells calls apart that need functions of their own; a node has the number of its value.
    """

    __slots__ = ("nodes", "shown", "values")

    def __init__(self) -> None:
        self.nodes: list[tuple[ast.Arg, int | None]] = []
        self.shown: list[str] = []
        self.values: list[hir.Expr] = []

    def declared(self, cx: Context, span: Span) -> list[ast.Arg]:
        """Return the arguments as they are written in the function that chooses: its parameters."""
        args = []
        for arg, number in self.nodes:
            node = arg.value
            if number is not None:
                local = cx.locals[number]
                cx.declare(local.name, local, span)
                node = ast.Name(span, local.name)
            args.append(ast.Arg(arg.span, arg.name, False, node))
        return args


def _arguments(cx: Context, args: list[ast.Arg]) -> Arguments | None:
    """Check arguments; None after an error."""
    checked = Arguments()
    for arg in args:
        label = f"{arg.name.name}=" if arg.name else ""
        if isinstance(arg.value, _LITERALS) and not arg.spread:
            checked.shown.append(label + arg.value.span.text)
            checked.nodes.append((arg, None))
            continue
        value = expression(cx, arg.value)
        if not isinstance(value.type, FnType):
            value = to_any(cx, value)
        if value.type is ERROR:
            return None
        checked.shown.append(label + "_")
        checked.nodes.append((arg, len(checked.values) + 1))
        checked.values.append(value)
    return checked


_LITERALS = (ast.IntLiteral, ast.FloatLiteral, ast.TextLiteral, ast.BoolLiteral)


def call_method_of_any(
    cx: Context, receiver: hir.Expr, name: ast.Ident, args: list[ast.Arg], span: Span
) -> hir.Expr:
    """`x.name(args)` on an `any`."""
    from simple_jit.hir.check_methods import call_named_method

    passed = _arguments(cx, args)
    if passed is None:
        return hir.Const(None, ERROR, span)

    def call(inner: Context, value: hir.Expr, given: list[ast.Arg], at: Span) -> hir.Expr:
        return call_named_method(inner, value, name, given, at, None)

    kind = f"any.{name.name}({', '.join(passed.shown)})"
    message = f"there is no method `{name.name}` for these arguments on "
    return _call_by_type(cx, kind, receiver, passed, call, (message, ""), span)


def call_any(cx: Context, callee: hir.Expr, args: list[ast.Arg], span: Span) -> hir.Expr:
    """`x(args)` with an `any` that holds a function, or an object with a method `call`."""
    from simple_jit.hir.check_call import call_function_value

    passed = _arguments(cx, args)
    if passed is None:
        return hir.Const(None, ERROR, span)

    def call(inner: Context, value: hir.Expr, given: list[ast.Arg], at: Span) -> hir.Expr | None:
        return call_function_value(inner, value, ast.Call(at, ast.Name(at, "x"), given))

    message = "", " cannot be called with these arguments"
    return _call_by_type(cx, f"any({', '.join(passed.shown)})", callee, passed, call, message, span)


def _call_by_type(
    cx: Context,
    kind: str,
    receiver: hir.Expr,
    passed: Arguments,
    call: Callable[[Context, hir.Expr, list[ast.Arg], Span], hir.Expr | None],
    message: tuple[str, str],
    span: Span,
) -> hir.Expr:
    """Call the function that chooses what `call` gives for the type of the receiver."""
    left = diverging([receiver, *passed.values], span)
    if left is not None:
        return left

    def build(inner: Context) -> hir.Expr:
        inner.result = ANY
        params = params_of(inner)
        at = params[0].span
        given = passed.declared(inner, at)

        def branch(narrowed: hir.Expr) -> hir.Expr | None:
            called = call(inner, narrowed, given, at) if narrowed.type is not UNIT else None
            return to_any(inner, called) if called is not None else None

        fail = has_none(inner, message[0], params[0], message[1])
        return branches(inner, params[0], types_of(inner.session, ANY), branch, fail, ANY)

    return call_dispatcher(cx, kind, [receiver, *passed.values], ANY, build, span)


def member_of_any(cx: Context, object: hir.Expr, name: ast.Ident, span: Span) -> hir.Expr:
    """`x.name` on an `any`: a field, or a method that needs no argument."""
    from simple_jit.hir.check_access import member

    message = f"there is no field or method `{name.name}` in "

    def make(inner: Context, value: hir.Expr) -> hir.Expr:
        return member(inner, value, name, span)

    return each(cx, f"any.{name.name}", object, message, make, span)


def convert_any(cx: Context, value: hir.Expr, to: Type, span: Span) -> hir.Expr:
    """`i64(x)` with an `any`."""
    from simple_jit.hir.check_static import convert_value

    def build(inner: Context) -> hir.Expr:
        inner.result = to
        (param,) = params_of(inner)

        def convert(narrowed: hir.Expr) -> hir.Expr | None:
            return None if narrowed.type is UNIT else convert_value(inner, narrowed, to, narrowed.span)

        fail = has_none(inner, "", param, f" cannot be converted to {to}")
        return branches(inner, param, types_of(inner.session, ANY), convert, fail, to)

    return call_dispatcher(cx, f"{to}(any)", [value], to, build, span)


def set_field_of_any(cx: Context, object: hir.Expr, name: str, value: hir.Expr, span: Span) -> hir.Expr:
    """`x.name = value` on an `any`."""
    from simple_jit.hir.convert import coerce

    def build(inner: Context) -> hir.Expr:
        inner.result = UNIT
        a, b = params_of(inner)

        def store(narrowed: hir.Expr) -> hir.Expr | None:
            type = narrowed.type
            index = type.field_index(name) if isinstance(type, StructType) else None
            if index is None:
                return None
            assert isinstance(type, StructType)
            return hir.FieldSet(narrowed, index, coerce(inner, b, type.fields[index].type), a.span)

        fail = has_none(inner, f"there is no field `{name}` in ", a)
        return branches(inner, a, types_of(inner.session, ANY), store, fail, UNIT)

    return call_dispatcher(cx, f"any.{name}=", [object, to_any(cx, value)], UNIT, build, span)


def element_of_any(cx: Context, object: hir.Expr, index: hir.Expr, span: Span) -> hir.Expr:
    """`x[index]` on an `any`."""
    from simple_jit.hir.check_access import element_at
    from simple_jit.hir.convert import coerce

    def build(inner: Context) -> hir.Expr:
        inner.result = ANY
        a, b = params_of(inner)

        def load(narrowed: hir.Expr) -> hir.Expr | None:
            if narrowed.type is UNIT:
                return None
            if isinstance(narrowed.type, TupleType):
                return _item(inner, narrowed, coerce(inner, b, I64))
            return to_any(inner, element_at(inner, narrowed, b, a.span))

        fail = has_none(inner, "there are no elements in ", a)
        return branches(inner, a, types_of(inner.session, ANY), load, fail, ANY)

    return call_dispatcher(cx, "any[]", [object, to_any(cx, index)], ANY, build, span)


def _item(cx: Context, value: hir.Expr, index: hir.Expr) -> hir.Expr:
    """The item of a tuple at an index that is known when it runs, from the end where it is negative."""
    from simple_jit.hir.show import concat_texts, text_of

    assert isinstance(value.type, TupleType)
    items, span = value.type.items, value.span
    parts = [
        hir.TextConst("index ", TEXT, span),
        text_of(cx, index, span, quoted=False),
        hir.TextConst(f" is out of range for length {len(items)}", TEXT, span),
    ]
    fail = hir.Throw("IndexError", concat_texts(cx, parts, span), span)
    numbers = [[n, n - len(items)] for n in range(len(items))]
    chosen: list[hir.Expr] = [to_any(cx, hir.TupleGet(value, n, type, span)) for n, type in enumerate(items)]
    return hir.Switch(index, numbers, chosen, hir.Block([fail], None, NEVER, span), ANY, span)


def tuple_item_of_any(cx: Context, value: hir.Expr, index: int, span: Span) -> hir.Expr:
    """`x.0` on an `any`."""

    def make(inner: Context, narrowed: hir.Expr) -> hir.Expr | None:
        if not isinstance(narrowed.type, TupleType) or index >= len(narrowed.type.items):
            return None
        return hir.TupleGet(narrowed, index, narrowed.type.items[index], narrowed.span)

    return each(cx, f"any.{index}", value, f"there is no item {index} in ", make, span)


def slice_of_any(cx: Context, value: hir.Expr, bounds: list[hir.Expr | None], span: Span) -> hir.Expr:
    """`x[start:stop:step]` on an `any`; the bounds are integers, None where they are missing."""
    from simple_jit.hir.check_access import slice_call

    given = [bound for bound in bounds if bound is not None]

    def build(inner: Context) -> hir.Expr:
        inner.result = ANY
        whole, *rest = params_of(inner)
        left = iter(rest)
        parts = [next(left) if bound is not None else None for bound in bounds]

        def cut(narrowed: hir.Expr) -> hir.Expr | None:
            if narrowed.type is not TEXT and not isinstance(narrowed.type, ArrayType):
                return None
            return to_any(inner, slice_call(inner, narrowed, parts[0], parts[1], parts[2], narrowed.span))

        fail = has_none(inner, "", whole, " cannot be sliced")
        return branches(inner, whole, types_of(inner.session, ANY), cut, fail, ANY)

    kind = "any[" + ":".join("_" if bound is not None else "" for bound in bounds) + "]"
    return call_dispatcher(cx, kind, [value, *given], ANY, build, span)


def set_element_of_any(
    cx: Context, object: hir.Expr, index: hir.Expr, value: hir.Expr, span: Span
) -> hir.Expr:
    """`x[index] = value` on an `any`."""
    from simple_jit.hir.collections import is_dict
    from simple_jit.hir.convert import coerce
    from simple_jit.hir.core_calls import call_method

    def build(inner: Context) -> hir.Expr:
        inner.result = UNIT
        a, b, c = params_of(inner)

        def store(narrowed: hir.Expr) -> hir.Expr | None:
            type = narrowed.type
            if isinstance(type, ArrayType):
                at, item = coerce(inner, b, I64), coerce(inner, c, type.elem)
                return hir.ArraySet(narrowed, at, item, a.span)
            name = "set" if is_dict(type) else "set_index"
            called = call_method(inner, narrowed, name, [b, c], a.span) if type is not UNIT else None
            return hir.Block([called], None, UNIT, a.span) if called is not None else None

        fail = has_none(inner, "elements cannot be assigned in ", a)
        return branches(inner, a, types_of(inner.session, ANY), store, fail, UNIT)

    args = [object, to_any(cx, index), to_any(cx, value)]
    return call_dispatcher(cx, "any[]=", args, UNIT, build, span)


def field_place(cx: Context, object: hir.Expr, name: ast.Ident, span: Span) -> Place:
    """The target `x.name` on an `any`."""
    from simple_jit.hir.check_assign import Place

    stmts: list[hir.Expr] = []
    kept = cx.keep(object, stmts)
    return Place(
        ANY,
        lambda: member_of_any(cx, kept, name, span),
        lambda value: set_field_of_any(cx, kept, name.name, value, span),
        stmts,
    )


def element_place(cx: Context, object: hir.Expr, index: ast.Expr, span: Span) -> Place | None:
    """The target `x[index]` on an `any`."""
    from simple_jit.hir.check_assign import Place

    stmts: list[hir.Expr] = []
    kept = cx.keep(object, stmts)
    at = to_any(cx, expression(cx, index))
    if at.type is ERROR:
        return None
    at = cx.keep(at, stmts)
    return Place(
        ANY,
        lambda: element_of_any(cx, kept, at, span),
        lambda value: set_element_of_any(cx, kept, at, value, span),
        stmts,
    )


def contains_any(cx: Context, item: hir.Expr, holder: hir.Expr, span: Span) -> hir.Expr:
    """`item in holder` where the holder is an `any`."""
    from simple_jit.hir.convert import coerce
    from simple_jit.hir.core_calls import call_method

    def build(inner: Context) -> hir.Expr:
        inner.result = BOOL
        a, b = params_of(inner)

        def look(narrowed: hir.Expr) -> hir.Expr | None:
            called = (
                call_method(inner, narrowed, "contains", [b], a.span) if narrowed.type is not UNIT else None
            )
            return coerce(inner, called, BOOL) if called is not None else None

        fail = has_none(inner, "`in` does not look into ", a)
        return branches(inner, a, types_of(inner.session, ANY), look, fail, BOOL)

    return call_dispatcher(cx, "in any", [holder, to_any(cx, item)], BOOL, build, span)


def items_of_any(cx: Context, value: hir.Expr, span: Span, *, pairs: str = "") -> hir.Expr:
    """The elements, characters or keys of the value in an `any`, as an array of `any`.

    With `pairs` a dict gives its keys with their values: always for `several`, else (`pattern`) where the
    keys are no tuples or arrays.
    """
    type = array_of(ANY)

    def build(inner: Context) -> hir.Expr:
        inner.result = type
        (param,) = params_of(inner)

        def collect(narrowed: hir.Expr) -> hir.Expr | None:
            if narrowed.type is UNIT:
                return None
            return narrowed if narrowed.type is type else _collected(inner, narrowed, pairs)

        fail = has_none(inner, "", param, " cannot be iterated over")
        return branches(inner, param, types_of(inner.session, ANY), collect, fail, type)

    return call_dispatcher(cx, f"{pairs or 'items'} of any", [value], type, build, span)


def _collected(cx: Context, value: hir.Expr, pairs: str) -> hir.Expr:
    """Push what a loop over a value of a definite type finds to an array of `any`."""
    from simple_jit.hir.check_loops import for_loop
    from simple_jit.hir.core_calls import call_method

    at, type = value.span, array_of(ANY)
    result = cx.local("", type)
    source = cx.local("source", value.type)
    cx.enter()
    cx.declare("source", source, at)
    names = ["item", "value"] if _has_pairs(value.type, pairs) else ["item"]
    patterns: list[ast.Pattern] = [ast.NamePattern(at, name) for name in names]

    def push(before: list[hir.Expr]) -> hir.Expr:
        read: list[ast.Expr] = [ast.Name(at, name) for name in names]
        item = expression(cx, read[0] if len(read) == 1 else ast.TupleLiteral(at, read))
        pushed = call_method(cx, hir.LocalGet(result, at), "push", [to_any(cx, item)], at)
        assert pushed is not None
        return hir.Block([*before, pushed], None, UNIT, at)

    loop = for_loop(cx, patterns, ast.Name(at, "source"), None, push, at)
    cx.leave()
    if loop.type is ERROR:
        return loop
    start = hir.LocalSet(result, hir.ArrayNew([], type, at), at)
    return hir.Block([hir.LocalSet(source, value, at), start, loop], hir.LocalGet(result, at), type, at)


def _has_pairs(type: Type, pairs: str) -> bool:
    from simple_jit.hir.collections import is_dict

    if not pairs or not isinstance(type, StructType) or not is_dict(type):
        return False
    return pairs == "several" or not isinstance(type.args[0], (TupleType, ArrayType))
