"""Patterns of the syntax tree → patterns with types."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.base.diagnostics import suggest
from simple_jit.hir import nodes as hir
from simple_jit.hir.check_enums import report_payload, report_unknown_variant, shown_variant, variant_named
from simple_jit.hir.check_names import lookup, type_named
from simple_jit.hir.constants import constant_value
from simple_jit.hir.context import Context, Variable, expression
from simple_jit.hir.pattern_tree import Alternatives, Bind, Con, Pattern, Wild, is_any
from simple_jit.hir.report import a_type, count, listed
from simple_jit.hir.resolve_types import enum_type, result_symbol
from simple_jit.hir.symbols import ERROR, ConstSymbol, HoleType, RecordSymbol
from simple_jit.hir.types import (
    ANY,
    BOOL,
    NEVER,
    TEXT,
    UNIT,
    ArrayType,
    EnumType,
    Field,
    FixedArrayType,
    FloatType,
    IntType,
    OptionalType,
    StructType,
    TupleType,
    Type,
    array_of,
    growable,
    tuple_of,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from simple_jit.base.source import Span


class Names:
    """The names that a pattern binds. In an alternative they are those of the first one, `shared`.

    `only_binds`: a name never compares, since the pattern is that of a binding.
    """

    __slots__ = ("found", "only_binds", "shared")

    def __init__(self, shared: Names | None = None, *, only_binds: bool = False) -> None:
        self.found: dict[str, tuple[hir.Local, Span]] = {}
        self.shared = shared
        self.only_binds: bool = shared.only_binds if shared is not None else only_binds

    def bind(self, cx: Context, name: str, type: Type, span: Span) -> hir.Local:
        """Return the local that `name` stands for."""
        if name in self.found:
            cx.error(
                rule.DUPLICATE_NAME.at(span, f"`{name}` stands twice in one pattern").also(
                    self.found[name][1], "first here"
                )
            )
            return self.found[name][0]
        first = self.shared.found.get(name) if self.shared is not None else None
        local = cx.local(name, type) if first is None else first[0]
        if first is not None and local.type is not type and ERROR not in (local.type, type):
            cx.error(
                rule.ALTERNATIVE_NAMES.at(
                    span, f"`{name}` is {a_type(type)} here, but {a_type(local.type)} before"
                ).also(first[1], a_type(local.type))
            )
        self.found[name] = local, span
        return local

    def declare(self, cx: Context, kind: str, mutable: bool) -> None:
        """Let the names mean their locals in the current scope."""
        for name, (local, span) in self.found.items():
            cx.declare(name, local, span, kind=kind, mutable=mutable)


def check_pattern(cx: Context, node: ast.Pattern, type: Type, names: Names) -> Pattern:
    """Check a pattern for values of `type`; what does not fit is reported and matches anything."""
    if type is ERROR or isinstance(type, HoleType) or type is NEVER:
        _bind_all(cx, node, names)
        return Wild(node.span)
    if isinstance(type, OptionalType) and not is_of_optionals(cx, node, type):
        inner = check_pattern(cx, node, type.inner, names)
        return inner if isinstance(inner, Wild) else Con("some", None, [inner], node.span)
    return _CHECKERS[node.__class__](cx, node, type, names)


def is_of_optionals(cx: Context, node: ast.Pattern, type: OptionalType) -> bool:
    """Is a pattern about the optional itself, and not about the value that is in it?"""
    if isinstance(node, ast.NamePattern):
        return node.name == "None" or _meaning(cx, node, type.inner) is None
    if isinstance(node, ast.LiteralPattern):
        return isinstance(node.value, ast.NilLiteral)
    if isinstance(node, ast.CallPattern):
        return [ident.name for ident in node.path] == ["Some"]
    if isinstance(node, ast.AtPattern):
        return is_of_optionals(cx, node.pattern, type)
    return isinstance(node, (ast.WildcardPattern, ast.OrPattern))


def _bind_all(cx: Context, node: ast.Pattern, names: Names) -> None:
    """Bind the names of a pattern that has been reported, so that their uses are not."""
    from simple_jit.hir.declare import bound_names

    for ident in bound_names(node):
        if ident.name not in names.found and ident.name != "None":
            names.bind(cx, ident.name, ERROR, ident.span)


def _mismatch(cx: Context, node: ast.Pattern, type: Type, names: Names, *, hint: str = "") -> Pattern:
    diagnostic = rule.PATTERN_TYPE.at(node.span, f"this pattern does not match {a_type(type)}")
    cx.error(diagnostic.hint(hint) if hint else diagnostic)
    _bind_all(cx, node, names)
    return Wild(node.span)


# --- names and literals ------------------------------------------------------------


def _wildcard(cx: Context, node: ast.WildcardPattern, type: Type, names: Names) -> Pattern:
    return Wild(node.span)


def _name(cx: Context, node: ast.NamePattern, type: Type, names: Names) -> Pattern:
    """A constant or variant compares, any other name binds."""
    if node.name == "None":
        if isinstance(type, OptionalType):
            return Con("nil", None, [], node.span)
        return _nil(cx, node, type, names)
    meaning = _meaning(cx, node, type) if not names.only_binds else None
    if isinstance(meaning, ConstSymbol):
        return _constant(cx, node, constant_value(meaning), type, names)
    if meaning is not None:
        assert isinstance(type, EnumType)
        return _variant(cx, node, type, meaning, [], names)
    return Bind(names.bind(cx, node.name, type, node.span), Wild(node.span), node.span)


def _meaning(cx: Context, node: ast.NamePattern, type: Type) -> int | ConstSymbol | None:
    """Return the variant or constant that a name stands for."""
    if isinstance(type, EnumType):
        position = variant_named(type, node.name)
        if position is not None:
            return position
    if isinstance(cx.find(node.name), Variable):
        return None
    symbol = lookup(cx, node.name)
    return symbol if isinstance(symbol, ConstSymbol) else None


def _literal(cx: Context, node: ast.LiteralPattern, type: Type, names: Names) -> Pattern:
    if isinstance(node.value, ast.NilLiteral):
        return _nil(cx, node, type, names)
    hint = type if isinstance(type, (IntType, FloatType)) else None
    return _constant(cx, node, expression(cx, node.value, hint), type, names)


def _nil(cx: Context, node: ast.Pattern, type: Type, names: Names) -> Pattern:
    if isinstance(type, OptionalType):
        return Con("nil", None, [], node.span)
    if is_any(type):
        return Con("type", UNIT, [Wild(node.span)], node.span)
    cx.error(rule.NOT_OPTIONAL.at(node.span, f"the value is {a_type(type)}, which is never nil"))
    return Wild(node.span)


def _path(cx: Context, node: ast.PathPattern, type: Type, names: Names) -> Pattern:
    """`Shape.Empty`, or `module.LIMIT`."""
    owner = _owner(cx, node.path)
    if isinstance(owner, EnumType):
        return _of_enum(cx, node, type, owner, node.path[-1], [], names)
    return _constant(cx, node, expression(cx, _as_expression(node.path), type), type, names)


def _owner(cx: Context, path: list[ast.Ident]) -> Type | None:
    """Return the type that all but the last name of a path stand for."""
    found = type_named(cx, _as_expression(path[:-1])) if len(path) > 1 else None
    return found if isinstance(found, Type) else None


def _as_expression(path: list[ast.Ident]) -> ast.Expr:
    value: ast.Expr = ast.Name(path[0].span, path[0].name)
    for ident in path[1:]:
        value = ast.Member(path[0].span.join(ident.span), value, ident, False)
    return value


def _constant(cx: Context, node: ast.Pattern, value: hir.Expr, type: Type, names: Names) -> Pattern:
    """A pattern that compares with a constant."""
    if value.type is ERROR:
        return Wild(node.span)
    if is_any(type):
        return Con("type", value.type, [_constant(cx, node, value, value.type, names)], node.span)
    if isinstance(value, hir.TextConst) and type is TEXT:
        return Con("text", value.value, [], node.span)
    if isinstance(value, hir.TupleNew) and isinstance(type, TupleType) and value.type is type:
        parts = [_constant(cx, node, v, t, names) for v, t in zip(value.items, type.items)]
        return Con("tuple", None, parts, node.span)
    if not isinstance(value, hir.Const) or value.type is not type:
        if not isinstance(value, (hir.Const, hir.TextConst, hir.TupleNew)):
            cx.error(rule.NOT_CONSTANT.at(node.span, "a pattern compares with a constant"))
            return Wild(node.span)
        return _mismatch(cx, node, type, names)
    number = value.value
    if type is BOOL:
        return Con("bool", number, [], node.span)
    if isinstance(type, EnumType):
        position = next(i for i, variant in enumerate(type.variants) if variant.value == number)
        return Con("variant", position, [], node.span)
    if isinstance(type, FloatType):
        assert isinstance(number, float)
        return Con("float", (number + 0.0, number + 0.0, True), [], node.span)
    return Con("int", (number, number), [], node.span)


def _range(cx: Context, node: ast.RangePattern, type: Type, names: Names) -> Pattern:
    if not isinstance(type, (IntType, FloatType)) and type is not TEXT:
        if is_any(type):
            first = expression(cx, node.low)
            return Con("type", first.type, [_range(cx, node, first.type, names)], node.span)
        return _mismatch(cx, node, type, names)
    ends: list[Any] = []
    for part in (node.low, node.high):
        end = expression(cx, part, type)
        if end.type is ERROR:
            return Wild(node.span)
        if end.type is not type or not isinstance(end, (hir.Const, hir.TextConst)):
            cx.error(
                rule.PATTERN_TYPE.at(part.span, f"an end of a range of `{type}` is a constant of that type")
            )
            return Wild(node.span)
        ends.append(end.value)
    low, high = ends
    if low > high or (low == high and not node.inclusive):
        cx.error(rule.PATTERN_TYPE.at(node.span, "this range is empty"))
        return Wild(node.span)
    if isinstance(type, IntType):
        return Con("int", (low, high if node.inclusive else high - 1), [], node.span)
    return Con("float" if type is not TEXT else "span", (low, high, node.inclusive), [], node.span)


# --- tuples and arrays -------------------------------------------------------------


def _tuple(cx: Context, node: ast.TuplePattern, type: Type, names: Names) -> Pattern:
    if type is UNIT and not node.items:
        return Wild(node.span)
    if isinstance(type, ArrayType):
        return _array(cx, ast.ArrayPattern(node.span, node.items), type, names)
    if type is ANY and node.items:
        return _view(cx, ("items",), node.items, node.span, names)
    if not isinstance(type, TupleType):
        return _mismatch(cx, node, type, names)
    rest = _rest_index(node.items)
    wanted = len(node.items) - (rest is not None)
    if wanted > len(type.items) or (rest is None and wanted != len(type.items)):
        more = " or more" if rest is not None else ""
        cx.error(
            rule.PATTERN_TYPE.at(
                node.span, f"a pattern of {count(wanted, 'item')}{more} does not match {a_type(type)}"
            )
        )
        _bind_all(cx, node, names)
        return Wild(node.span)
    if rest is None:
        return Con("tuple", None, _each(cx, node.items, type.items, names), node.span)
    after = len(node.items) - rest - 1
    between = type.items[rest : len(type.items) - after]
    taken = node.items[rest]
    assert isinstance(taken, ast.RestPattern)
    parts = _each(cx, node.items[:rest], type.items[:rest], names)
    middle = None
    if taken.name is not None:
        whole = tuple_of(between) if between else UNIT
        middle = names.bind(cx, taken.name.name, whole, taken.name.span), rest, after
    parts += [Wild(taken.span) for _ in between]
    parts += _each(cx, node.items[rest + 1 :], type.items[len(type.items) - after :], names)
    return Con("tuple", None, parts, node.span, middle)


def _rest_index(items: list[ast.Pattern]) -> int | None:
    return next((i for i, item in enumerate(items) if isinstance(item, ast.RestPattern)), None)


def _each(
    cx: Context, items: Sequence[ast.Pattern], types: tuple[Type, ...] | list[Type], names: Names
) -> list[Pattern]:
    return [check_pattern(cx, item, type, names) for item, type in zip(items, types)]


def _view(cx: Context, key: tuple[Any, ...], items: list[ast.Pattern], span: Span, names: Names) -> Pattern:
    """What an `any` that has a view of this key is made of."""
    parts = _array(cx, ast.ArrayPattern(span, items), array_of(ANY), names)
    return Con("view", key, [Con("some", None, [parts], span)], span)


def _array(cx: Context, node: ast.ArrayPattern, type: Type, names: Names) -> Pattern:
    if type is ANY:
        return _view(cx, ("array",), node.items, node.span, names)
    if not isinstance(type, ArrayType):
        return _mismatch(cx, node, type, names)
    rest = _rest_index(node.items)
    items = [item for item in node.items if not isinstance(item, ast.RestPattern)]
    if isinstance(type, FixedArrayType):
        if len(items) > type.length or (rest is None and len(items) != type.length):
            more = " or more" if rest is not None else ""
            wanted = f"a pattern of {count(len(items), 'item')}{more}"
            cx.error(rule.PATTERN_TYPE.at(node.span, f"{wanted} does not match {a_type(type)}"))
            _bind_all(cx, node, names)
            return Wild(node.span)
    if rest is None:
        parts = _each(cx, items, [type.elem] * len(items), names)
        return Con("length", len(items), parts, node.span)
    before = _each(cx, items[:rest], [type.elem] * rest, names)
    taken = node.items[rest]
    assert isinstance(taken, ast.RestPattern)
    last = len(items) - rest
    middle = None
    if taken.name is not None:
        middle = names.bind(cx, taken.name.name, growable(type), taken.name.span), rest, last
    after = _each(cx, items[rest:], [type.elem] * last, names)
    return Con("rest", (rest, last), [*before, *after], node.span, middle)


# --- variants and structs ----------------------------------------------------------


def _call(cx: Context, node: ast.CallPattern, type: Type, names: Names) -> Pattern:
    """`Some(p)`, `Circle(r)`, `Shape.Rect(w: 1.0, …)`, `Point(x: px)`."""
    last = node.path[-1]
    if len(node.path) == 1:
        if isinstance(type, EnumType) and variant_named(type, last.name) is not None:
            return _of_enum(cx, node, type, type, last, node.args, names)
        if last.name == "Some" and isinstance(type, OptionalType):
            return _some(cx, node, type, names)
    owner = _owner(cx, node.path)
    if isinstance(owner, EnumType):
        return _of_enum(cx, node, type, owner, last, node.args, names)
    if isinstance(type, StructType):
        return _struct_call(cx, node, type, names)
    if isinstance(type, EnumType):
        report_unknown_variant(cx, type, last)
        _bind_all(cx, node, names)
        return Wild(node.span)
    if is_any(type):
        named = type_named(cx, _as_expression(node.path))
        if isinstance(named, StructType):
            return Con("type", named, [_struct_call(cx, node, named, names)], node.span)
        if type is ANY:
            return _call_on_any(cx, node, named, names)
    return _mismatch(cx, node, type, names)


def _call_on_any(
    cx: Context, node: ast.CallPattern, named: Type | RecordSymbol | None, names: Names
) -> Pattern:
    """`Some(p)`, `Ok(p)` and `Err(p)`, and `Box(item: p)` of a generic struct, for an `any`."""
    name = node.path[-1].name
    if len(node.path) == 1 and name == "Some" and len(node.args) == 1:
        return Con("present", None, [check_pattern(cx, node.args[0].pattern, ANY, names)], node.span)
    if len(node.path) == 1 and name in ("Ok", "Err"):
        return _of_enum(cx, node, ANY, enum_type(result_symbol(cx.session)), node.path[-1], node.args, names)
    if isinstance(named, RecordSymbol):
        fields = [member.name.name for member in named.decl.members]
        return _parts_of_any(cx, node, ("record", named, tuple(fields)), fields, node.args, names)
    return _mismatch(cx, node, ANY, names)


def _parts_of_any(
    cx: Context,
    node: ast.Pattern,
    key: tuple[Any, ...],
    fields: list[str],
    args: list[ast.PatternArg],
    names: Names,
) -> Pattern:
    """A view whose parts have names."""
    parts = _arguments(
        cx, node, args, [Field(name, ANY, None) for name in fields], f"`{node.span.text}`", names
    )
    if parts is None:
        return Wild(node.span)
    inner = Con("length", len(parts), parts, node.span)
    return Con("view", key, [Con("some", None, [inner], node.span)], node.span)


def _some(cx: Context, node: ast.CallPattern, type: OptionalType, names: Names) -> Pattern:
    if len(node.args) != 1 or node.args[0].name is not None:
        cx.error(rule.PATTERN_TYPE.at(node.span, "`Some` has one item"))
        _bind_all(cx, node, names)
        return Wild(node.span)
    inner = check_pattern(cx, node.args[0].pattern, type.inner, names)
    return Con("some", None, [inner], node.span)


def _of_enum(
    cx: Context,
    node: ast.Pattern,
    type: Type,
    owner: EnumType,
    name: ast.Ident,
    args: list[ast.PatternArg],
    names: Names,
) -> Pattern:
    """A variant of the enum `owner`, for values of `type`."""
    if is_any(type) and not owner.scope.generics:
        return Con("type", owner, [_of_enum(cx, node, owner, owner, name, args, names)], node.span)
    if type is ANY:
        place = variant_named(owner, name.name)
        if place is None or (args and len(args) != len(owner.variants[place].fields)):
            report_unknown_variant(cx, owner, name) if place is None else _mismatch(cx, node, type, names)
            return Wild(node.span)
        fields = [field.name for field in owner.variants[place].fields]
        return _parts_of_any(cx, node, ("variant", owner.scope, place), fields, args, names)
    if not isinstance(type, EnumType) or owner.scope is not type.scope:
        return _mismatch(cx, node, type, names)
    position = variant_named(type, name.name)
    if position is None:
        report_unknown_variant(cx, type, name)
        _bind_all(cx, node, names)
        return Wild(node.span)
    return _variant(cx, node, type, position, args, names)


def _variant(
    cx: Context, node: ast.Pattern, type: EnumType, position: int, args: list[ast.PatternArg], names: Names
) -> Pattern:
    variant = type.variants[position]
    positional = [arg for arg in args if arg.name is None]
    has_rest = any(isinstance(arg.pattern, ast.RestPattern) for arg in positional)
    if not has_rest and len(positional) == len(args) and len(args) != len(variant.fields):
        report_payload(cx, type, variant, len(args), node.span, in_pattern=True)
        _bind_all(cx, node, names)
        return Wild(node.span)
    what = f"`{shown_variant(type, variant)}`"
    parts = _arguments(cx, node, args, variant.fields, what, names)
    return Con("variant", position, parts, node.span) if parts is not None else Wild(node.span)


def _struct_call(cx: Context, node: ast.CallPattern, type: StructType, names: Names) -> Pattern:
    if node.path[-1].name != type.scope.name and type_named(cx, _as_expression(node.path)) is not type:
        return _mismatch(cx, node, type, names)
    positional = [arg for arg in node.args if arg.name is None]
    has_rest = any(isinstance(arg.pattern, ast.RestPattern) for arg in positional)
    if positional and not has_rest and len(node.args) != len(type.fields):
        cx.error(
            rule.PATTERN_TYPE.at(
                node.span, f"`{type.scope.name}` has {count(len(type.fields), 'field')}, not {len(node.args)}"
            ).hint("name the fields that matter: `Name(field: p)`, or end with `...`")
        )
        _bind_all(cx, node, names)
        return Wild(node.span)
    parts = _arguments(cx, node, node.args, type.fields, f"`{type.scope.name}`", names)
    return Con("struct", None, parts, node.span) if parts is not None else Wild(node.span)


def _arguments(
    cx: Context,
    node: ast.Pattern,
    args: list[ast.PatternArg],
    fields: list[Field],
    what: str,
    names: Names,
) -> list[Pattern] | None:
    """Give each argument to its field; fields without one match anything."""
    parts: dict[int, Pattern] = {}
    known = [field.name for field in fields]
    skipped = 0
    for place, arg in enumerate(args):
        if isinstance(arg.pattern, ast.RestPattern):
            if arg.pattern.name is not None:
                cx.error(rule.PATTERN_TYPE.at(arg.span, "`...` takes no name among fields"))
            skipped = len(fields) - len(args)
            continue
        if arg.name is None:
            index = place + skipped
        elif arg.name.name in known:
            index = known.index(arg.name.name)
        else:
            _report_field(cx, arg.name, known, what)
            _bind_all(cx, node, names)
            return None
        if not 0 <= index < len(fields) or index in parts:
            cx.error(rule.PATTERN_TYPE.at(arg.span, f"{what} has no such item, or it stands here twice"))
            _bind_all(cx, node, names)
            return None
        parts[index] = check_pattern(cx, arg.pattern, fields[index].type, names)
    return [parts.get(index) or Wild(node.span) for index in range(len(fields))]


def _report_field(cx: Context, name: ast.Ident, known: list[str], what: str) -> None:
    diagnostic = rule.UNKNOWN_MEMBER.at(name.span, f"{what} has no field `{name.name}`")
    near = suggest(name.name, known)
    if near:
        diagnostic.hint(f"did you mean `{near}`?")
    elif known and not known[0].isdigit():
        diagnostic.note(f"its fields are {listed(known)}")
    cx.error(diagnostic)


def _struct(cx: Context, node: ast.StructPattern, type: Type, names: Names) -> Pattern:
    """`{x, y: p}`, `Point {x}`, `Shape.Rect {w}`."""
    args = []
    for member in node.members:
        pattern = member.pattern
        if isinstance(pattern, ast.NamePattern) and pattern.span.start == member.name.span.start:
            pattern = ast.AtPattern(pattern.span, member.name, ast.WildcardPattern(pattern.span))
        args.append(ast.PatternArg(member.span, member.name, pattern))
    if node.path:
        return _call(cx, ast.CallPattern(node.span, node.path, args), type, names)
    if type is ANY:
        fields = [member.name.name for member in node.members]
        return _parts_of_any(cx, node, ("fields", tuple(fields)), fields, args, names)
    if not isinstance(type, StructType):
        return _mismatch(cx, node, type, names)
    parts = _arguments(cx, node, args, type.fields, f"`{type}`", names)
    return Con("struct", None, parts, node.span) if parts is not None else Wild(node.span)


# --- combinations ------------------------------------------------------------------


def _or(cx: Context, node: ast.OrPattern, type: Type, names: Names) -> Pattern:
    first = Names(names.shared)
    options = [check_pattern(cx, node.options[0], type, first)]
    for option in node.options[1:]:
        here = Names(first)
        options.append(check_pattern(cx, option, type, here))
        _compare_names(cx, node.options[0], first, option, here)
    for name, (local, span) in first.found.items():
        if name in names.found:
            names.bind(cx, name, local.type, span)
        names.found.setdefault(name, (local, span))
    return Alternatives(options, node.span)


def _compare_names(
    cx: Context, first_node: ast.Pattern, first: Names, node: ast.Pattern, here: Names
) -> None:
    """Every alternative binds the same names."""
    for name, (_, span) in here.found.items():
        if name not in first.found:
            cx.error(
                rule.ALTERNATIVE_NAMES.at(
                    span, f"`{name}` is bound here, but not in the first alternative"
                ).also(first_node.span, "the first alternative")
            )
    for name, (_, span) in first.found.items():
        if name not in here.found:
            cx.error(
                rule.ALTERNATIVE_NAMES.at(node.span, f"this alternative does not bind `{name}`").also(
                    span, "bound here"
                )
            )


def _at(cx: Context, node: ast.AtPattern, type: Type, names: Names) -> Pattern:
    local = names.bind(cx, node.name.name, type, node.name.span)
    return Bind(local, check_pattern(cx, node.pattern, type, names), node.span)


def _typed(cx: Context, node: ast.TypedPattern, type: Type, names: Names) -> Pattern:
    """`n: i64`, a test on `any`; elsewhere the type is known, and must be that one."""
    wanted = growable(cx.resolve(node.type))
    if is_any(type) and wanted not in (ERROR, type):
        return Con("type", wanted, [check_pattern(cx, node.pattern, wanted, names)], node.span)
    if wanted is not type and wanted is not ERROR:
        return _mismatch(cx, node, type, names)
    return check_pattern(cx, node.pattern, wanted, names)


_CHECKERS: dict[type, Callable[[Context, Any, Type, Names], Pattern]] = {
    ast.WildcardPattern: _wildcard,
    ast.NamePattern: _name,
    ast.LiteralPattern: _literal,
    ast.PathPattern: _path,
    ast.RangePattern: _range,
    ast.TuplePattern: _tuple,
    ast.ArrayPattern: _array,
    ast.CallPattern: _call,
    ast.StructPattern: _struct,
    ast.OrPattern: _or,
    ast.AtPattern: _at,
    ast.TypedPattern: _typed,
}
