"""What follows the name of a type: construction, static methods, variants, limits, conversions."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.base.diagnostics import suggest
from simple_jit.hir import nodes as hir
from simple_jit.hir.arguments import call_function, expression_instance
from simple_jit.hir.check_enums import lone_variant, new_variant, variant_named
from simple_jit.hir.check_operators import adapts, cast
from simple_jit.hir.context import Context, block, diverging, erroneous, expression
from simple_jit.hir.convert import coerce, definite
from simple_jit.hir.core_calls import call_core, call_method
from simple_jit.hir.instances import result_type
from simple_jit.hir.report import listed
from simple_jit.hir.resolve_types import instantiate
from simple_jit.hir.show import concat_texts, text_of
from simple_jit.hir.symbols import ERROR, HoleType, RecordSymbol, is_open, match
from simple_jit.hir.types import (
    ANY,
    BOOL,
    F32,
    F64,
    I64,
    NEVER,
    TEXT,
    EnumType,
    Field,
    FloatType,
    IntType,
    OptionalType,
    StructType,
    Type,
    has_payload,
    is_number,
    optional_of,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.source import Span
    from simple_jit.hir.symbols import Env

_LITERALS = (ast.IntLiteral, ast.FloatLiteral, ast.BoolLiteral, ast.TextLiteral, ast.NilLiteral)


# --- members of types --------------------------------------------------------------


def static_member(
    cx: Context, static: Type | RecordSymbol, node: ast.Member, hint: Type | None = None
) -> hir.Expr:
    """`Color.Red`, `i64.MAX`, `Config.default` without parentheses."""
    name = node.name.name
    if static is ERROR:
        return hir.Const(None, ERROR, node.span)
    if isinstance(static, EnumType):
        variant = lone_variant(cx, static, name, node.span, hint)
        if variant is not None:
            return variant
    if isinstance(static, Type) and is_number(static):
        limit = _limit(static, name)
        if limit is not None:
            return hir.Const(limit, static, node.span)
    return call_static(cx, static, node.name, ast.Call(node.span, node, []), None)


def _limit(type: Type, name: str) -> int | float | None:
    if isinstance(type, IntType):
        return {"MIN": type.min, "MAX": type.max}.get(name)
    largest = 3.4028234663852886e38 if type is F32 else 1.7976931348623157e308
    epsilon = 2.0**-23 if type is F32 else 2.0**-52
    return {
        "MIN": -largest,
        "MAX": largest,
        "EPSILON": epsilon,
        "INF": float("inf"),
        "NAN": float("nan"),
    }.get(name)


def call_static(
    cx: Context, static: Type | RecordSymbol, name: ast.Ident, node: ast.Call, hint: Type | None
) -> hir.Expr:
    """`Type.name(args)`."""
    if static is ERROR:
        return hir.Const(None, ERROR, node.span)
    type = instantiate(static, tuple(static.generics)) if isinstance(static, RecordSymbol) else static
    if isinstance(type, EnumType):
        variant = variant_named(type, name.name)
        if variant is not None:
            return new_variant(cx, type, variant, node.args, node.span, hint)
        if name.name == "from" and not has_payload(type):
            return _enum_from(cx, type, node)
    found = cx.session.find_method(type, name.name)
    if found is None:
        for arg in node.args:
            expression(cx, arg.value)
        return _report_unknown_static(cx, type, name)
    symbol, env = found
    known: Env = {var: t for var, t in env.items() if not is_open(t)}
    if not symbol.has_self:
        return call_function(cx, symbol, None, node.args, node.span, known, hint)
    return cx.error(
        rule.STATIC_CALL.at(
            name.span, f"`{name.name}` is a method of a value, not of the type `{type}`"
        ).also(symbol.span, "declared here")
    )


def _report_unknown_static(cx: Context, type: Type, name: ast.Ident) -> hir.Expr:
    names = cx.session.method_names(type)
    if isinstance(type, EnumType):
        names = [variant.name for variant in type.variants] + names
        diagnostic = rule.UNKNOWN_MEMBER.at(name.span, f"`{type}` has no variant `{name.name}`")
    else:
        diagnostic = rule.UNKNOWN_MEMBER.at(name.span, f"`{type}` has no static function `{name.name}`")
    near = suggest(name.name, names)
    return cx.error(diagnostic.hint(f"did you mean `{near}`?") if near else diagnostic)


def _enum_from(cx: Context, type: EnumType, node: ast.Call) -> hir.Expr:
    """`Color.from(n)`: the variant with that value, else nil."""
    if len(node.args) != 1:
        return cx.error(rule.WRONG_ARITY.at(node.span, "`from` takes 1 argument"))
    value = coerce(cx, expression(cx, node.args[0].value, I64), I64)
    if value.type in (ERROR, NEVER):
        return value
    stmts: list[hir.Expr] = []
    kept = cx.keep(value, stmts)
    optional = optional_of(type)
    span = node.span
    result: hir.Expr = hir.Nil(optional, span)
    for variant in reversed(type.variants):
        test = hir.Compare("eq", kept, hir.Const(variant.value, I64, span), span)
        some = hir.Some(hir.Const(variant.value, type, span), optional, span)
        result = hir.If(test, some, result, optional, span)
    return block(stmts, result, span)


# --- construction ------------------------------------------------------------------


def construct(
    cx: Context, symbol: RecordSymbol, type: StructType | None, node: ast.Call, hint: Type | None
) -> hir.Expr:
    """`Point(x: 1, y: 2)`, positional, or with fields left to their defaults."""
    pattern = type or instantiate(symbol, tuple(symbol.generics))
    given = _field_args(cx, symbol, pattern, node)
    if given is None:
        for arg in node.args:
            expression(cx, arg.value)
        return hir.Const(None, ERROR, node.span)
    env: Env = {}
    if isinstance(hint, OptionalType):
        hint = hint.inner
    if type is None and isinstance(hint, StructType) and hint.scope is symbol and not is_open(hint):
        env.update(zip(symbol.generics, hint.args))
    order, values = _field_values(cx, pattern, given, env)
    if erroneous(*values.values()):
        return hir.Const(None, ERROR, node.span)
    type = _constructed_type(cx, symbol, type, env, node)
    return _make(cx, symbol, type, order, values, node.span) if type else hir.Const(None, ERROR, node.span)


def _field_args(
    cx: Context, symbol: RecordSymbol, type: StructType, node: ast.Call
) -> dict[int, ast.Arg] | None:
    given: dict[int, ast.Arg] = {}
    for position, arg in enumerate(node.args):
        if arg.spread:
            cx.error(rule.BAD_SPREAD.at(arg.span, f"the fields of `{symbol.name}` are given one by one"))
            return None
        if arg.name is not None:
            index = type.field_index(arg.name.name)
            if index is None:
                _report_unknown_field(cx, symbol, type, arg.name)
                return None
        elif position >= len(type.fields):
            wanted = f"{len(type.fields)} field" + ("" if len(type.fields) == 1 else "s")
            cx.error(
                rule.WRONG_ARITY.at(
                    node.span, f"`{symbol.name}` has {wanted}, but {len(node.args)} values were given"
                ).also(symbol.span, "declared here")
            )
            return None
        else:
            index = position
        if index in given:
            cx.error(
                rule.DUPLICATE_ARGUMENT.at(arg.span, f"the field `{type.fields[index].name}` is given twice")
            )
            return None
        given[index] = arg
    missing = [f.name for i, f in enumerate(type.fields) if i not in given and f.default is None]
    if missing:
        plural = "field" if len(missing) == 1 else "fields"
        cx.error(
            rule.MISSING_FIELD.at(node.span, f"missing {plural} {listed(missing)} of `{symbol.name}`").also(
                symbol.span, "declared here"
            )
        )
        return None
    return given


def _report_unknown_field(cx: Context, symbol: RecordSymbol, type: StructType, name: ast.Ident) -> None:
    diagnostic = rule.UNKNOWN_MEMBER.at(name.span, f"`{symbol.name}` has no field `{name.name}`")
    names = [field.name for field in type.fields]
    near = suggest(name.name, names)
    if near:
        diagnostic.hint(f"did you mean `{near}`?")
    elif names:
        diagnostic.note(f"its fields are {', '.join(f'`{n}`' for n in names)}")
    cx.error(diagnostic)


def _field_values(
    cx: Context, pattern: StructType, given: dict[int, ast.Arg], env: Env
) -> tuple[list[int], dict[int, hir.Expr]]:
    """Check the values, literals and lambdas last where they have to do with a type argument.

    The order that is returned is that of the source.
    """
    from simple_jit.hir.symbols import substitute

    order = list(given)
    generic = [i for i in order if is_open(pattern.fields[i].type)]
    lambdas = [i for i in generic if isinstance(given[i].value, ast.Lambda)]
    later = [i for i in generic if adapts(given[i].value)] + lambdas
    values: dict[int, hir.Expr] = {}
    for index in [i for i in order if i not in later] + later:
        wanted = pattern.fields[index].type
        value = expression(cx, given[index].value, substitute(wanted, env))
        if not isinstance(value.type, HoleType) and value.type is not NEVER:
            match(wanted, value.type, env)
        values[index] = (
            coerce(
                cx,
                value,
                substitute(wanted, env),
                _field_span(pattern, index),
                f"the field `{pattern.fields[index].name}`",
            )
            if not is_open(substitute(wanted, env))
            else value
        )
    return order, values


def _field_span(type: StructType, index: int) -> Span | None:
    members = type.decl.members
    return members[index].type.span if index < len(members) else None


def _constructed_type(
    cx: Context, symbol: RecordSymbol, type: StructType | None, env: Env, node: ast.Call
) -> StructType | None:
    if type is not None:
        return type
    missing = [var.name for var in symbol.generics if var not in env]
    if missing:
        cx.error(
            rule.CANNOT_INFER_TYPE.at(
                node.span, f"cannot tell what {listed(missing)} of `{symbol.name}` is here"
            ).hint(f"write it: `{symbol.name}<…>(…)`")
        )
        return None
    return instantiate(symbol, tuple(env[var] for var in symbol.generics))


def _make(
    cx: Context,
    symbol: RecordSymbol,
    type: StructType,
    order: list[int],
    values: dict[int, hir.Expr],
    span: Span,
) -> hir.Expr:
    stmts: list[hir.Expr] = []
    fitted = {i: coerce(cx, values[i], type.fields[i].type) for i in order}
    if order != sorted(order):
        fitted = {
            i: cx.keep(value, stmts) if value.type is not NEVER else value for i, value in fitted.items()
        }
    fields = [
        fitted[i] if i in fitted else field_default(cx, symbol, type, field, span)
        for i, field in enumerate(type.fields)
    ]
    if erroneous(*fields):
        return hir.Const(None, ERROR, span)
    left = diverging([*stmts, *fields], span)
    return left or block(stmts, hir.New(type, fields, span), span)


def field_default(cx: Context, symbol: RecordSymbol, type: StructType, field: Field, span: Span) -> hir.Expr:
    """The default value of a field, evaluated anew for each construction."""
    node = field.default
    assert node is not None
    if isinstance(node, _LITERALS):
        value = coerce(cx, expression(cx, node, field.type), field.type)
        value.span = span
        return value
    types: dict[str, Type] = {var.name: arg for var, arg in zip(symbol.generics, type.args)}
    instance = expression_instance(cx, symbol, f"{symbol.name}.{field.name}", node, [], types, field.type)
    return hir.Call(instance.function, [], result_type(instance), span)


# --- conversions -------------------------------------------------------------------


def convert_call(cx: Context, type: Type, node: ast.Call) -> hir.Expr:
    """`i64(x)`, `f64(x)`, `text(x)`, `bool(x)`."""
    if type is ERROR:
        return hir.Const(None, ERROR, node.span)
    if len(node.args) == 1 and node.args[0].name is not None:
        name = node.args[0].name.name
        diagnostic = rule.UNKNOWN_PARAMETER.at(node.args[0].name.span, f"`{type}` has no parameter `{name}`")
        return cx.error(diagnostic.hint(f"a variable is declared by `val {name}: {type} = …`, or by `var`"))
    if len(node.args) != 1 or node.args[0].spread:
        given = "1 was" if len(node.args) == 1 else f"{len(node.args) or 'none'} were"
        return cx.error(rule.WRONG_ARITY.at(node.span, f"`{type}` takes 1 argument, but {given} given"))
    arg = node.args[0].value
    value = definite(expression(cx, arg, type if isinstance(type, FloatType) else None))
    if value.type in (ERROR, NEVER):
        return value
    if type is TEXT:
        return text_of(cx, value, node.span, quoted=False)
    if not is_number(type) and type is not BOOL:
        return cx.error(rule.NOT_CALLABLE.at(node.callee.span, f"the type `{type}` cannot be called"))
    if value.type is ANY:
        from simple_jit.hir.any_members import convert_any

        return convert_any(cx, value, type, node.span)
    return convert_value(cx, value, type, node.span)


def convert_value(cx: Context, value: hir.Expr, type: Type, span: Span) -> hir.Expr:
    """A number or bool from a value of a definite type."""
    if value.type is TEXT and is_number(type):
        return _parse(cx, value, type, span)
    if type is BOOL and value.type is F64:
        return hir.Compare("ne", value, hir.Const(0.0, F64, span), span)
    return cast(cx, value, type, span)


def _parse(cx: Context, value: hir.Expr, type: Type, span: Span) -> hir.Expr:
    """A number from text; text that is none is a `ConversionError`."""
    wide = F64 if isinstance(type, FloatType) else I64
    stmts: list[hir.Expr] = []
    text = cx.keep(value, stmts)
    parsed = call_method(cx, text, f"to_{wide}", [], span)
    if parsed is None:
        return cx.error(rule.BAD_CAST.at(span, f"a `text` cannot be converted to `{type}`"))
    kept = cx.keep(parsed, stmts)
    parts = [
        hir.TextConst("cannot convert ", TEXT, span),
        call_core(cx, "quote", [text], span),
        hir.TextConst(f" to {type}", TEXT, span),
    ]
    fail = hir.Throw("ConversionError", concat_texts(cx, parts, span), span)
    number = hir.Unwrap(kept, wide, span, checked=False)
    test = hir.IsSome(kept, span)
    chosen = hir.If(test, number, hir.Block([fail], None, NEVER, span), wide, span)
    result = block(stmts, chosen, span)
    return result if type is wide else hir.Convert(result, type, span)
