"""Assignments. The parts of a target are evaluated once, also for `a[i] += v`."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.collections import is_dict
from simple_jit.hir.context import Context, Variable, block, checks_statement, diverging, expression
from simple_jit.hir.convert import coerce, definite
from simple_jit.hir.core_calls import call_method
from simple_jit.hir.report import a_type
from simple_jit.hir.symbols import ERROR, ConstSymbol, GlobalSymbol, HoleType, Symbol
from simple_jit.hir.types import (
    ANY,
    I64,
    NEVER,
    TEXT,
    UNIT,
    ArrayType,
    OptionalType,
    StructType,
    TupleType,
    Type,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from simple_jit.base.source import Span


class Place:
    """Something that can be assigned: how to read it and how to store into it.

    `stmts` evaluate the parts of the target into temporaries; they come first.
    """

    __slots__ = ("declared", "load", "stmts", "store", "type")

    def __init__(
        self,
        type: Type,
        load: Callable[[], hir.Expr],
        store: Callable[[hir.Expr], hir.Expr],
        stmts: list[hir.Expr] | None = None,
        declared: Span | None = None,
    ) -> None:
        self.type = type
        self.load = load
        self.store = store
        self.stmts = stmts or []
        self.declared = declared


@checks_statement(ast.Assign)
def check_assign(cx: Context, node: ast.Assign) -> hir.Expr:
    if isinstance(node.target, (ast.TupleLiteral, ast.ArrayLiteral)):
        return _assign_tuple(cx, node, node.target)
    place = make_place(cx, node.target, keep=node.op is not None)
    if place is None:
        expression(cx, node.value)
        return hir.Const(None, ERROR, node.span)
    if node.op == "??":
        stored = _coalesce(cx, node, place)
    elif node.op is not None:
        stored = _compound(cx, node, place)
    else:
        value = expression(cx, node.value, place.type)
        value = coerce(cx, value, place.type, place.declared)
        stored = value if value.type in (NEVER, ERROR) else place.store(value)
    if stored.type is NEVER:
        return hir.Block([*place.stmts, stored], None, NEVER, node.span)
    return block(place.stmts, stored, node.span)


def _compound(cx: Context, node: ast.Assign, place: Place) -> hir.Expr:
    from simple_jit.hir.check_operators import check_binary_values

    assert node.op is not None
    assert node.op != "??"
    left = place.load()
    if isinstance(left.type, HoleType):
        right = expression(cx, node.value)
        coerce(cx, right, left.type)
        return cx.error(
            rule.WRONG_TYPE.at(node.span, f"cannot tell the type of `{node.target.span.text}` here")
        )
    result = check_binary_values(cx, node.op, left, node.value, node.span)
    result = coerce(cx, result, place.type, place.declared)
    return result if result.type in (NEVER, ERROR) else place.store(result)


def _coalesce(cx: Context, node: ast.Assign, place: Place) -> hir.Expr:
    """`x ??= v` assigns where `x` is nil, and evaluates `v` only then."""
    if not isinstance(place.type, OptionalType):
        if place.type is ERROR:
            return hir.Const(None, ERROR, node.span)
        return cx.error(
            rule.NOT_OPTIONAL.at(
                node.target.span, f"`??=` needs an optional, but this is {a_type(place.type)}"
            )
        )
    value = coerce(cx, expression(cx, node.value, place.type), place.type, place.declared)
    stored = value if value.type in (NEVER, ERROR) else place.store(value)
    is_nil = hir.Unary("not", hir.IsSome(place.load(), node.span), node.span)
    return hir.If(is_nil, stored, None, UNIT, node.span)


def _assign_tuple(cx: Context, node: ast.Assign, target: ast.TupleLiteral | ast.ArrayLiteral) -> hir.Expr:
    """`a, b = b, a`: all values first, then the targets from left to right."""
    targets = [item for item in target.items if not isinstance(item, ast.Spread)]
    places = [make_place(cx, item, keep=False) for item in targets]
    stmts: list[hir.Expr] = []
    values = _tuple_values(cx, node, places, stmts)
    if values is None or None in places:
        return hir.Const(None, ERROR, node.span)
    for place, value in zip(places, values):
        assert place is not None
        fitted = coerce(cx, value, place.type, place.declared)
        if fitted.type is not ERROR:
            stmts += [*place.stmts, place.store(fitted)]
    return hir.Block(stmts, None, UNIT, node.span)


def _tuple_values(
    cx: Context, node: ast.Assign, places: list[Place | None], stmts: list[hir.Expr]
) -> list[hir.Expr] | None:
    if isinstance(node.value, ast.TupleLiteral) and len(node.value.items) == len(places):
        values = []
        for item, place in zip(node.value.items, places):
            value = expression(cx, item, place.type if place else None)
            if place is not None:
                value = coerce(cx, value, place.type, place.declared)
            if value.type is ERROR:
                return None
            values.append(_into_temporary(cx, value, stmts))
        return values
    whole = expression(cx, node.value)
    if whole.type is ERROR:
        return None
    if not isinstance(whole.type, TupleType) or len(whole.type.items) != len(places):
        cx.error(
            rule.PATTERN_TYPE.at(
                node.target.span, f"{len(places)} targets do not match {a_type(whole.type)}"
            ).also(node.value.span, f"this is {a_type(whole.type)}")
        )
        return None
    kept = cx.keep(whole, stmts)
    return [hir.TupleGet(kept, i, t, whole.span) for i, t in enumerate(whole.type.items)]


def _into_temporary(cx: Context, value: hir.Expr, stmts: list[hir.Expr]) -> hir.Expr:
    if value.type is NEVER:
        stmts.append(value)
        return value
    return cx.keep(value, stmts)


# --- targets -----------------------------------------------------------------------


def make_place(cx: Context, target: ast.Expr, *, keep: bool) -> Place | None:
    """Check a target; with `keep` its parts go into temporaries. None: reported already."""
    if isinstance(target, ast.Name):
        return _name_place(cx, target)
    if isinstance(target, ast.Member):
        return _member_place(cx, target, keep)
    if isinstance(target, ast.Index):
        return _index_place(cx, target, keep)
    if isinstance(target, ast.TupleElement):
        cx.error(rule.IMMUTABLE.at(target.span, "the items of a tuple cannot be assigned"))
    elif isinstance(target, ast.SelfExpr):
        cx.error(rule.IMMUTABLE.at(target.span, "`self` cannot be assigned"))
    else:
        cx.error(rule.BAD_TARGET.at(target.span, "this cannot be assigned"))
    return None


def _name_place(cx: Context, node: ast.Name) -> Place | None:
    from simple_jit.hir.check_names import implicit_field, report_unknown_name

    found = cx.find(node.name)
    if isinstance(found, Variable):
        if found.local.type is ERROR:
            return None
        if not found.mutable:
            _report_immutable(cx, node, found)
            return None
        local = found.local

        def store(value: hir.Expr) -> hir.Expr:
            assignment = hir.LocalSet(local, value, node.span)
            cx.assignments.add(assignment)
            return assignment

        return Place(local.type, lambda: hir.LocalGet(local, node.span), store, declared=found.span)
    if found is None:
        field = implicit_field(cx, node)
        if field is not None:
            return _field_place(cx, field[0], field[1], node.name, node.span, [], through_self=True)
    symbol = found or cx.session.lookup(cx.module, node.name)
    if isinstance(symbol, GlobalSymbol):
        return _global_place(cx, node, symbol)
    if symbol is None:
        report_unknown_name(cx, node)
    else:
        _report_not_variable(cx, node, symbol)
    return None


def _global_place(cx: Context, node: ast.Name, symbol: GlobalSymbol) -> Place | None:
    from simple_jit.hir.global_access import read_global, write_global
    from simple_jit.hir.globals import global_cell

    if symbol.module is not cx.module:
        cx.error(
            rule.IMMUTABLE.at(
                node.span, f"`{node.name}` belongs to `{symbol.module.key}`, which alone can assign it"
            )
        )
        return None
    if not symbol.mutable:
        cx.error(
            rule.IMMUTABLE.at(node.span, f"`{node.name}` is a `val`, which cannot be assigned")
            .also(symbol.span, "declared here")
            .hint("declare it with `var`")
        )
        return None
    cell = global_cell(cx, symbol)
    if cell is None:
        return None
    return Place(
        symbol.type or cell.type,
        lambda: read_global(cx, symbol, node.span),
        lambda value: write_global(symbol, value, node.span),
        declared=symbol.span,
    )


def _report_immutable(cx: Context, node: ast.Name, variable: Variable) -> None:
    described = {
        "val": "a `val`",
        "parameter": "a parameter",
        "loop": "a loop variable",
        "self": "the receiver",
    }[variable.kind]
    diagnostic = rule.IMMUTABLE.at(node.span, f"`{node.name}` is {described}, which cannot be assigned")
    diagnostic.also(variable.span, "declared here")
    if variable.kind == "val":
        diagnostic.hint("declare it with `var`")
    elif variable.kind == "parameter":
        diagnostic.hint(f"declare the parameter as `var {node.name}`")
    cx.error(diagnostic)


def _report_not_variable(cx: Context, node: ast.Name, symbol: Symbol) -> None:
    is_const = isinstance(symbol, ConstSymbol)
    what = "a `const`, which cannot be assigned" if is_const else "not a variable"
    diagnostic = rule.IMMUTABLE.at(node.span, f"`{node.name}` is {what}").also(symbol.span, "declared here")
    cx.error(diagnostic.hint("declare it with `var`") if is_const else diagnostic)


def _member_place(cx: Context, node: ast.Member, keep: bool) -> Place | None:
    from simple_jit.hir.check_access import is_hidden, report_unknown_member
    from simple_jit.hir.check_names import module_of

    if module_of(cx, node.value) is not None:
        cx.error(rule.IMMUTABLE.at(node.span, "a variable of another module cannot be assigned here"))
        return None
    if node.nil_safe:
        cx.error(rule.BAD_TARGET.at(node.span, "`?.` cannot be assigned to"))
        return None
    object = definite(expression(cx, node.value))
    if object.type is ERROR:
        return None
    if object.type is ANY:
        from simple_jit.hir.any_members import field_place

        return field_place(cx, object, node.name, node.name.span)
    if (
        not isinstance(object.type, StructType)
        or object.type.field_index(node.name.name) is None
        or is_hidden(cx, object.type, node.name.name)
    ):
        report_unknown_member(cx, object, node.name)
        return None
    stmts: list[hir.Expr] = []
    type = object.type
    if keep:
        object = cx.keep(object, stmts)
    through_self = isinstance(node.value, ast.SelfExpr)
    return _field_place(cx, object, type, node.name.name, node.name.span, stmts, through_self)


def _field_place(
    cx: Context,
    object: hir.Expr,
    type: StructType,
    name: str,
    span: Span,
    stmts: list[hir.Expr],
    through_self: bool,
) -> Place | None:
    index = type.field_index(name)
    assert index is not None
    symbol = cx.symbol
    if through_self and symbol is not None and symbol.mode == "fn":
        cx.error(
            rule.IMMUTABLE.at(
                span, f"`{symbol.name}` is a `fn` method, which cannot assign the field `{name}`"
            )
            .also(symbol.span, "declared here")
            .hint(f"declare it as `me {symbol.name}`")
        )
        return None
    field = type.fields[index]
    declared = type.decl.members[index].type.span if index < len(type.decl.members) else None
    return Place(
        field.type,
        lambda: hir.FieldGet(object, index, field.type, span),
        lambda value: hir.FieldSet(object, index, value, span),
        stmts,
        declared,
    )


def _index_place(cx: Context, node: ast.Index, keep: bool) -> Place | None:
    array = definite(expression(cx, node.value))
    if array.type is ERROR:
        return None
    if array.type is ANY:
        from simple_jit.hir.any_members import element_place

        return element_place(cx, array, node.index, node.span)
    if isinstance(array.type, HoleType) and array.type.is_array:
        cx.error(
            rule.CANNOT_INFER_TYPE.at(node.value.span, "the element type of this array is not known yet")
        )
        return None
    stmts: list[hir.Expr] = []
    if isinstance(array.type, ArrayType):
        index = coerce(cx, expression(cx, node.index, I64), I64, what="an index")
        if index.type is ERROR:
            return None
        left = diverging([array, index], node.span)
        if left is not None:
            return Place(array.type.elem, lambda: left, lambda value: left)
        from simple_jit.hir.check_access import check_within

        check_within(cx, array.type, index)
        if keep:
            array, index = cx.keep(array, stmts), cx.keep(index, stmts)
        elem = array.type.elem  # type: ignore[attr-defined]
        return Place(
            elem,
            lambda: hir.ArrayGet(array, index, elem, node.span),
            lambda value: hir.ArraySet(array, index, value, node.span),
            stmts,
        )
    if isinstance(array.type, HoleType) and array.type.kind == "dict":
        from simple_jit.hir.check_dicts import hole_place

        hole = hole_place(cx, array.type, node.index)
        return Place(hole, lambda: hir.Nil(hole, node.span), lambda value: value)
    if is_dict(array.type):
        from simple_jit.hir.check_dicts import dict_place

        place = dict_place(cx, array, node, keep=keep)
        return Place(place.type, place.load, place.store, place.stmts) if place else None
    if array.type is TEXT or isinstance(array.type, TupleType):
        what = "text" if array.type is TEXT else "a tuple"
        cx.error(rule.IMMUTABLE.at(node.span, f"{what} never changes: its items cannot be assigned"))
        return None
    return _method_index_place(cx, node, array, stmts, keep)


def _method_index_place(
    cx: Context, node: ast.Index, object: hir.Expr, stmts: list[hir.Expr], keep: bool
) -> Place | None:
    """`x[i] = v` by the methods `index` and `set_index`."""
    from simple_jit.hir.instances import signature_of
    from simple_jit.hir.symbols import substitute

    found = cx.session.find_method(object.type, "set_index")
    if found is None or len(found[0].decl.params) != 2:
        cx.error(rule.NOT_INDEXABLE.at(node.value.span, f"cannot assign elements of {a_type(object.type)}"))
        return None
    params = signature_of(found[0]).params
    wanted = [substitute(p.type, found[1]) if p.type is not None else None for p in params]
    index = expression(cx, node.index, wanted[0])
    if keep:
        object, index = cx.keep(object, stmts), cx.keep(index, stmts)

    def load() -> hir.Expr:
        value = call_method(cx, object, "index", [index], node.span)
        if value is not None:
            return value
        return cx.error(rule.NOT_INDEXABLE.at(node.span, f"{a_type(object.type)} has no method `index`"))

    def store(value: hir.Expr) -> hir.Expr:
        stored = call_method(cx, object, "set_index", [index, value], node.span)
        assert stored is not None
        from simple_jit.hir.bodies import discard

        return discard(stored)

    return Place(wanted[1] or load().type, load, store, stmts)
