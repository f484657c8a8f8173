"""Dicts and sets: literals, comprehensions, construction, elements, loops.

What they do is written in the library (`core.dict`, `core.set`); here are the forms of the language
that call it. An empty literal whose type is not known yet is a hole, as `[]` is.
"""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.bodies import discard
from simple_jit.hir.check_literals import clauses, same_type
from simple_jit.hir.collections import (
    NAMES,
    PARAMETERS,
    collection_symbol,
    dict_of,
    is_dict,
    is_set,
    set_of,
    wanted_collection,
)
from simple_jit.hir.context import Context, checks, diverging, erroneous, expression
from simple_jit.hir.convert import coerce, definite
from simple_jit.hir.core_calls import call_core, call_method, call_symbol
from simple_jit.hir.holes import EmptyCollection, ValueHole, settle, settle_collection
from simple_jit.hir.instances import signature_of
from simple_jit.hir.patterns import bind_pattern
from simple_jit.hir.report import a_type, count
from simple_jit.hir.symbols import ERROR, FunctionSymbol, HoleType
from simple_jit.hir.types import BOOL, I64, NEVER, TEXT, UNIT, ArrayType, StructType, Type, tuple_of
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from simple_jit.base.source import Span


def empty(cx: Context, type: StructType, span: Span) -> hir.Expr:
    """Return a new dict or set of a known type."""
    name = type.scope.name
    maker = collection_symbol(cx.session, name).module.find(f"new_{name.lower()}")
    assert isinstance(maker, FunctionSymbol)
    env = dict(zip(signature_of(maker).generics, type.args))
    return call_symbol(cx, maker, [], span, env)


def _empty(cx: Context, node: ast.Expr, wanted: StructType | None, kind: str) -> hir.Expr:
    """An empty literal of the type asked for, else of one that later use settles."""
    type = wanted or cx.hints.get(node)
    if isinstance(type, StructType):
        return empty(cx, type, node.span)
    return EmptyCollection(cx.hole(HoleType(node, is_array=False, kind=kind)), node.span)


# --- literals ----------------------------------------------------------------------


@checks(ast.DictLiteral)
def check_dict(cx: Context, node: ast.DictLiteral, hint: Type | None) -> hir.Expr:
    wanted = wanted_collection(hint)
    if not node.entries:
        return _empty(cx, node, wanted, "dict")
    known = wanted if is_dict(wanted) else None
    if known is None and any(isinstance(entry, ast.Spread) for entry in node.entries):
        found = _spread_dict(cx, node)
        if found is ERROR:
            return hir.Const(None, ERROR, node.span)
        known = found if isinstance(found, StructType) else None
    key_hint, value_hint = known.args if known is not None else (None, None)
    keys: list[hir.Expr] = []
    values: list[hir.Expr] = []
    spread: dict[int, hir.Expr] = {}
    for index, entry in enumerate(node.entries):
        if isinstance(entry, ast.Spread):
            spread[index] = coerce(cx, expression(cx, entry.value, known), known or ERROR)
        else:
            keys.append(expression(cx, entry.key, key_hint))
            values.append(expression(cx, entry.value, value_hint))
    entries = [entry for entry in node.entries if isinstance(entry, ast.DictEntry)]
    if known is None and not entries:
        return _empty(cx, node, None, "dict")
    key_nodes: list[ast.Expr | ast.Spread] = [entry.key for entry in entries]
    value_nodes: list[ast.Expr | ast.Spread] = [entry.value for entry in entries]
    fitted_keys = same_type(cx, key_nodes, keys, key_hint)
    fitted_values = same_type(cx, value_nodes, values, value_hint)
    if fitted_keys is None or fitted_values is None or erroneous(*spread.values()):
        return hir.Const(None, ERROR, node.span)
    type = known or dict_of(cx.session, fitted_keys[1], fitted_values[1])
    pairs = iter(zip(fitted_keys[0], fitted_values[0]))
    steps = [[spread[i]] if i in spread else list(next(pairs)) for i in range(len(node.entries))]
    return _filled(cx, type, steps, "set_index", node.span)


def _spread_dict(cx: Context, node: ast.DictLiteral) -> Type | None:
    """Return the type of the first dict that is spread and whose type is known; ERROR after reporting."""
    for entry in node.entries:
        if isinstance(entry, ast.Spread):
            found = expression(cx, entry.value).type
            if isinstance(found, StructType) and is_dict(found):
                return found
            if isinstance(found, HoleType) and found.kind == "dict":
                continue
            if found is not ERROR:
                cx.error(
                    rule.WRONG_TYPE.at(entry.value.span, f"only a dict is spread here, not {a_type(found)}")
                )
            return ERROR
    return None


def _filled(cx: Context, type: StructType, steps: list[list[hir.Expr]], method: str, span: Span) -> hir.Expr:
    """A new dict or set, into which each step puts one item (or all those of a collection)."""
    stmts: list[hir.Expr] = []
    made = cx.keep(empty(cx, type, span), stmts)
    for step in steps:
        left = diverging(step, span)
        if left is not None:
            return hir.Block([*stmts, left], None, NEVER, span)
        name = method
        if len(step) == 1 and step[0].type is type:
            name = "update"
        elif len(step) == 1 and is_set(type) and step[0].type is not type.args[0]:
            name = "add_all"
        added = call_method(cx, made, name, step, span)
        assert added is not None
        stmts.append(discard(added))
    return hir.Block(stmts, made, type, span)


@checks(ast.SetLiteral)
def check_set(cx: Context, node: ast.SetLiteral, hint: Type | None) -> hir.Expr:
    wanted = wanted_collection(hint)
    elem = wanted.args[0] if is_set(wanted) and wanted is not None else None
    spread: dict[int, hir.Expr] = {}
    for index, item in enumerate(node.items):
        if isinstance(item, ast.Spread):
            spread[index] = definite(expression(cx, item.value))
            elem = elem or _element_of(cx, spread[index])
    plain: list[ast.Expr | ast.Spread] = [item for item in node.items if not isinstance(item, ast.Spread)]
    items = [expression(cx, item, elem) for item in plain if not isinstance(item, ast.Spread)]
    fitted = same_type(cx, plain, items, elem)
    if fitted is None or any(_element_of(cx, value) is not fitted[1] for value in spread.values()):
        if fitted is not None:
            cx.error(rule.WRONG_TYPE.at(node.span, f"only elements of type `{fitted[1]}` fit here"))
        return hir.Const(None, ERROR, node.span)
    type = set_of(cx.session, fitted[1])
    values = iter(fitted[0])
    steps = [[spread[i]] if i in spread else [next(values)] for i in range(len(node.items))]
    return _filled(cx, type, steps, "add", node.span)


def _element_of(cx: Context, value: hir.Expr) -> Type:
    """Return the type of the elements of a set or array that is spread, ERROR where it is neither."""
    type = value.type
    if isinstance(type, ArrayType):
        return type.elem
    if isinstance(type, StructType) and is_set(type):
        return type.args[0]
    if type is not ERROR:
        cx.error(rule.WRONG_TYPE.at(value.span, f"only a set or an array is spread here, not {a_type(type)}"))
    return ERROR


# --- comprehensions ----------------------------------------------------------------


@checks(ast.DictComprehension)
def check_dict_comprehension(cx: Context, node: ast.DictComprehension, hint: Type | None) -> hir.Expr:
    """`{k: v for x in xs}` sets each `k`."""
    wanted = wanted_collection(hint)
    if not is_dict(wanted):
        wanted = None
    return _comprehension(cx, node, [node.key, node.value], wanted, "set_index")


@checks(ast.SetComprehension)
def check_set_comprehension(cx: Context, node: ast.SetComprehension, hint: Type | None) -> hir.Expr:
    """`{e for x in xs}` adds each `e`."""
    wanted = wanted_collection(hint)
    if not is_set(wanted):
        wanted = None
    return _comprehension(cx, node, [node.element], wanted, "add")


def _comprehension(
    cx: Context,
    node: ast.DictComprehension | ast.SetComprehension,
    parts: list[ast.Expr],
    wanted: StructType | None,
    method: str,
) -> hir.Expr:
    result = cx.local("", ERROR)
    types: list[StructType] = [wanted] if wanted is not None else []

    def put() -> hir.Expr:
        hints: list[Type | None] = list(types[0].args) if types else [None] * len(parts)
        values = [expression(cx, part, h) for part, h in zip(parts, hints)]
        for index, value in enumerate(values):
            if value.type is UNIT or isinstance(value.type, HoleType):
                values[index] = cx.error(
                    rule.NO_VALUE.at(parts[index].span, "this gives no value to collect")
                )
        if erroneous(*values):
            return hir.Const(None, ERROR, node.span)
        left = diverging(values, node.span)
        if left is not None:
            return left
        if not types:
            args = [value.type for value in values]
            types.append(dict_of(cx.session, *args) if len(args) == 2 else set_of(cx.session, args[0]))
        result.type = types[0]
        added = call_method(cx, hir.LocalGet(result, node.span), method, values, node.span)
        assert added is not None
        return discard(added)

    cx.enter()
    loops = clauses(cx, node.clauses, 0, node.span, put)
    cx.leave()
    if not types or erroneous(loops) or result.type is ERROR:
        result.type = types[0] if types else ERROR
        return hir.Const(None, ERROR, node.span)
    start = hir.LocalSet(result, empty(cx, types[0], node.span), node.span)
    return hir.Block([start, loops], hir.LocalGet(result, node.span), types[0], node.span)


# --- construction ------------------------------------------------------------------


def is_collection_name(name: str) -> bool:
    return name in NAMES


def call_collection(
    cx: Context, name: str, args: list[ast.TypeExpr], node: ast.Call, hint: Type | None
) -> hir.Expr:
    """`Set()`, `Set<T>()`, `Set(xs)`, `Dict()`, `Map<K, V>()`."""
    name = NAMES[name]
    wanted = wanted_collection(hint)
    if wanted is not None and wanted.scope.name != name:
        wanted = None
    if args:
        types = [cx.resolve(arg) for arg in args]
        if len(types) != PARAMETERS[name]:
            wanted_count = count(PARAMETERS[name], "type argument")
            return cx.error(rule.WRONG_TYPE_ARITY.at(node.span, f"`{name}` takes {wanted_count}"))
        if ERROR in types:
            return hir.Const(None, ERROR, node.span)
        wanted = dict_of(cx.session, *types) if name == "Dict" else set_of(cx.session, types[0])
    if not node.args:
        return _empty(cx, node, wanted, name.lower())
    return _copied(cx, name, wanted, node)


def _copied(cx: Context, name: str, wanted: StructType | None, node: ast.Call) -> hir.Expr:
    """`Set(xs)`: of the elements of an array or a set; `Dict(d)`: a copy."""
    if len(node.args) != 1 or node.args[0].name or node.args[0].spread:
        return cx.error(rule.WRONG_ARITY.at(node.span, f"`{name}` takes no arguments, or one collection"))
    value = definite(expression(cx, node.args[0].value, wanted))
    if value.type in (ERROR, NEVER):
        return value
    if name == "Dict":
        if isinstance(value.type, StructType) and is_dict(value.type):
            return _filled(cx, value.type, [[value]], "update", node.span)
        return cx.error(rule.WRONG_TYPE.at(value.span, f"expected a dict, found {a_type(value.type)}"))
    if value.type is TEXT:
        chars = call_method(cx, value, "chars", [], node.span)
        assert chars is not None
        value = chars
    if not isinstance(value.type, ArrayType) and not is_set(value.type):
        return cx.error(rule.WRONG_TYPE.at(value.span, f"a set is not made of {a_type(value.type)}"))
    elem = _element_of(cx, value)
    return _filled(cx, set_of(cx.session, elem), [[value]], "add", node.span)


def construct_collection(cx: Context, type: StructType, node: ast.Call) -> hir.Expr:
    """`Counts()` where `Counts` stands for a dict or set type."""
    if node.args:
        return _copied(cx, type.scope.name, type, node)
    return empty(cx, type, node.span)


# --- elements ----------------------------------------------------------------------


def dict_element(cx: Context, object: hir.Expr, type: StructType, index: ast.Expr, span: Span) -> hir.Expr:
    """`d[k]`"""
    return element_of_dict(cx, object, expression(cx, index, type.args[0]), span)


def element_of_dict(cx: Context, object: hir.Expr, key: hir.Expr, span: Span) -> hir.Expr:
    """`d[k]` with a key that has been checked."""
    assert isinstance(object.type, StructType)
    key = coerce(cx, key, object.type.args[0], what="a key of this dict")
    if erroneous(key):
        return key
    found = diverging([object, key], span) or call_method(cx, object, "index", [key], span)
    assert found is not None
    return found


class DictPlace:
    """`d[k]` as the target of an assignment.

    With `keep` the entry is looked up once, and again only where the dict has changed meanwhile.
    """

    __slots__ = ("_cx", "_entry", "_key", "_object", "_span", "stmts", "type")

    def __init__(
        self, cx: Context, object: hir.Expr, type: StructType, key: hir.Expr, span: Span, *, keep: bool
    ) -> None:
        self._cx = cx
        self._span = span
        self.type = type.args[1]
        self.stmts: list[hir.Expr] = []
        self._entry: list[hir.Expr] = []
        if keep:
            object, key = cx.keep(object, self.stmts), cx.keep(key, self.stmts)
            entry = cx.keep(call_core(cx, "dict_entry", [object, key], span), self.stmts)
            changes = cx.keep(_field(object, "_changes", span), self.stmts)
            self._entry = [entry, changes]
        self._object = object
        self._key = key

    def load(self) -> hir.Expr:
        args = [_field(self._object, "_values", self._span), self._entry[0]]
        return hir.Intrinsic("array_load", args, None, self.type, self._span)

    def store(self, value: hir.Expr) -> hir.Expr:
        if self._entry:
            args = [self._object, self._key, value, *self._entry]
            return call_core(self._cx, "dict_update", args, self._span)
        stored = call_method(self._cx, self._object, "set_index", [self._key, value], self._span)
        assert stored is not None
        return stored


def dict_place(cx: Context, object: hir.Expr, node: ast.Index, *, keep: bool) -> DictPlace | None:
    """Check `d[k]` as a target; None: reported already."""
    type = object.type
    assert isinstance(type, StructType)
    key = coerce(cx, expression(cx, node.index, type.args[0]), type.args[0], what="a key of this dict")
    if key.type in (ERROR, NEVER):
        return None
    return DictPlace(cx, object, type, key, node.span, keep=keep)


def element_of_hole(cx: Context, hole: HoleType, node: ast.Index) -> hir.Expr:
    """`d[k]` where nothing is known of the empty dict `d` but its key; what is done with it may tell more."""
    cx.error(rule.CANNOT_INFER_TYPE.at(node.value.span, "the type of the values of this is not known yet"))
    return hir.Nil(ValueHole(hole, expression(cx, node.index).type, is_array=True), node.span)


def hole_place(cx: Context, hole: HoleType, index: ast.Expr) -> HoleType:
    """The type of `d[k]` where nothing is known of the empty dict `d` but its key."""
    return ValueHole(hole, expression(cx, index).type)


def _field(object: hir.Expr, name: str, span: Span) -> hir.Expr:
    type = object.type
    assert isinstance(type, StructType)
    index = type.field_index(name)
    assert index is not None
    return hir.FieldGet(object, index, type.fields[index].type, span)


# --- methods of what is still empty ------------------------------------------------


_TELLING = {"dict": ("set", "get_or"), "set": ("add", "remove", "contains")}
"""The methods whose arguments have the types of the keys and values, or of the elements."""


def settle_by_method(
    cx: Context, receiver: hir.Expr, hole: HoleType, name: ast.Ident, args: list[ast.Arg]
) -> hir.Expr:
    """A method call on a dict or set whose type is open may tell it."""
    types = [expression(cx, arg.value).type for arg in args]
    if name.name in _TELLING[hole.kind] and len(types) == PARAMETERS[hole.kind.capitalize()]:
        settle_collection(cx, hole, types)
    elif len(types) == 1:
        settle(cx, hole, types[0])
    if name.name == "len":
        return hir.Const(0, I64, receiver.span)
    if name.name in ("is_empty", "contains", "contains_key"):
        return hir.Const(True, BOOL, receiver.span)
    shown = "var d: {text: i64} = {}" if hole.kind == "dict" else "var s: {i64} = Set()"
    return cx.error(
        rule.CANNOT_INFER_TYPE.at(receiver.span, "the type of this is not known yet")
        .also(hole.binding.span, "it starts empty here")
        .hint(f"write the type of the variable: `{shown}`")
    )


def contains_in_hole(cx: Context, hole: HoleType, item: Type, span: Span) -> hir.Expr:
    """`x in s` where the type of `s` is open."""
    if hole.kind == "set":
        settle_collection(cx, hole, [item])
    return hir.Const(False, BOOL, span)


# --- loops -------------------------------------------------------------------------


def collection_loop(
    cx: Context,
    pattern: ast.Pattern,
    source: hir.Expr,
    label: ast.Ident | None,
    make_body: Callable[[list[hir.Expr]], hir.Expr],
    span: Span,
    *,
    several: bool,
) -> hir.Expr:
    """Visit the entries in order; a change of the keys meanwhile is an error at the next round.

    `several`: the loop names a key and a value without parentheses.
    """
    type, at = source.type, source.span
    assert isinstance(type, StructType)
    stmts: list[hir.Expr] = []
    table = cx.keep(source, stmts)
    changes = cx.keep(_field(table, "_changes", at), stmts)
    entry = cx.local("", I64)
    stmts.append(hir.LocalSet(entry, hir.Const(0, I64, at), at))
    here = hir.LocalGet(entry, at)
    cx.enter()
    frame = cx.loop(label)
    sets: list[hir.Expr] = []
    key = hir.Intrinsic("array_load", [_field(table, "_keys", at), here], None, type.args[0], at)
    if is_dict(type) and _names_a_pair(pattern, type.args[0], several):
        value = hir.Intrinsic("array_load", [_field(table, "_values", at), here], None, type.args[1], at)
        _bind_pair(cx, pattern, key, value, sets)
    else:
        _bind(cx, pattern, key, sets)
    body = discard(make_body(sets))
    cx.loops.pop()
    cx.leave()
    fetch = hir.LocalSet(entry, call_core(cx, "next_entry", [table, here, changes], at), at)
    cond = hir.Block([fetch], hir.Compare("ge", here, hir.Const(0, I64, at), at), BOOL, at)
    step = hir.LocalSet(entry, hir.Binary("add", here, hir.Const(1, I64, at), at), at)
    stmts.append(hir.Loop(frame.target, cond, body, step, UNIT, span))
    return hir.Block(stmts, None, UNIT, span)


def _names_a_pair(pattern: ast.Pattern, key: Type, several: bool) -> bool:
    """Does the pattern take key and value? `(a, b)` takes a tuple apart where the key is one."""
    if several:
        return True
    from simple_jit.hir.types import TupleType

    return isinstance(pattern, ast.TuplePattern) and not isinstance(key, (TupleType, ArrayType))


def _bind_pair(
    cx: Context, pattern: ast.Pattern, key: hir.Expr, value: hir.Expr, sets: list[hir.Expr]
) -> None:
    if isinstance(pattern, ast.TuplePattern) and len(pattern.items) == 2:
        _bind(cx, pattern.items[0], key, sets)
        _bind(cx, pattern.items[1], value, sets)
    else:
        pair = hir.TupleNew([key, value], tuple_of([key.type, value.type]), pattern.span)
        bind_pattern(cx, pattern, cx.keep(pair, sets), False, sets, kind="loop")


def _bind(cx: Context, pattern: ast.Pattern, value: hir.Expr, sets: list[hir.Expr]) -> None:
    if not isinstance(pattern, (ast.NamePattern, ast.WildcardPattern)):
        value = cx.keep(value, sets)
    bind_pattern(cx, pattern, value, False, sets, kind="loop")
