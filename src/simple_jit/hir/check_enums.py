"""Enums: their variants, values of them, and what compares, shows and converts such values.

A type argument that nothing tells is `never`: `Ok(1)` alone is a `Result<i64, never>`, which fits
wherever a `Result<i64, E>` is wanted.
"""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.base.diagnostics import suggest
from simple_jit.hir import nodes as hir
from simple_jit.hir.context import Context, diverging, erroneous, expression
from simple_jit.hir.report import count, listed
from simple_jit.hir.symbols import ERROR, EnumSymbol, HoleType, is_open, match, substitute
from simple_jit.hir.types import (
    BOOL,
    I64,
    NEVER,
    TEXT,
    EnumType,
    Field,
    OptionalType,
    Type,
    Variant,
    has_payload,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.source import Span
    from simple_jit.hir.symbols import Env

_FLEXIBLE = (ast.IntLiteral, ast.FloatLiteral, ast.NilLiteral, ast.ArrayLiteral, ast.Lambda)
"""What takes its type from the arguments beside it."""


# --- declarations ------------------------------------------------------------------


def declare_variants(type: EnumType, symbol: EnumSymbol) -> None:
    """Fill in the variants of an instance of an enum."""
    from simple_jit.hir.resolve_types import TypeScope, resolve

    types: dict[str, Type] = {var.name: arg for var, arg in zip(symbol.generics, type.args)}
    types["Self"] = type
    scope = TypeScope(symbol.module, types)
    is_first = type.args == tuple(symbol.generics)
    next_value = 0
    for decl in symbol.decl.variants:
        if decl.value is not None:
            value = symbol.module.session.constant_integer(
                decl.value, symbol.module, "the value of a variant"
            )
            next_value = value or 0
        if is_first:
            _report_variant(type, symbol, decl, next_value)
        variant = Variant(decl.name.name, next_value, [])
        type.variants.append(variant)
        for position, item in enumerate(decl.payload or ()):
            name = item.name.name if item.name is not None else str(position)
            variant.fields.append(Field(name, resolve(item.type, scope), None))
        next_value += 1


def _report_variant(type: EnumType, symbol: EnumSymbol, decl: ast.VariantDecl, value: int) -> None:
    reporter = symbol.module.session.reporter
    for other, earlier in zip(type.variants, symbol.decl.variants):
        if other.name == decl.name.name:
            reporter.report(
                rule.DUPLICATE_NAME.at(decl.name.span, f"the variant `{other.name}` is declared twice").also(
                    earlier.name.span, "first declared here"
                )
            )
        elif other.value == value:
            reporter.report(
                rule.DUPLICATE_VALUE.at(decl.span, f"`{decl.name.name}` has the value {value} again").also(
                    earlier.span, f"`{other.name}` has it"
                )
            )
    names: dict[str, ast.PayloadDecl] = {}
    for item in decl.payload or ():
        first = names.setdefault(item.name.name, item) if item.name is not None else item
        if first is not item:
            assert item.name is not None
            reporter.report(
                rule.DUPLICATE_NAME.at(item.span, f"`{item.name.name}` is declared twice").also(
                    first.span, "first declared here"
                )
            )
    valued = next((d for d in symbol.decl.variants if d.value is not None), None)
    if decl.payload and valued is not None:
        reporter.report(
            rule.VALUED_PAYLOAD.at(
                decl.span, f"`{symbol.name}` gives its variants values, so none of them has a payload"
            ).also(valued.span, "a value is given here")
        )


def variant_named(type: EnumType, name: str) -> int | None:
    """Return the position of the variant `name`, or None."""
    for position, variant in enumerate(type.variants):
        if variant.name == name:
            return position
    return None


def shown_variant(type: EnumType, variant: Variant) -> str:
    """Return how a variant is written: `Shape.Circle`, but `Ok` of a `Result`."""
    return variant.name if is_result(type) else f"{type.scope.name}.{variant.name}"


def is_result(type: Type | None) -> bool:
    """Is `type` an instance of the core library's `Result`?"""
    return isinstance(type, EnumType) and type.scope.name == "Result" and type.scope.module.is_core


# --- values ------------------------------------------------------------------------


def lone_variant(cx: Context, type: EnumType, name: str, span: Span, hint: Type | None) -> hir.Expr | None:
    """`Shape.Empty`; None where there is no variant of this name."""
    position = variant_named(type, name)
    return new_variant(cx, type, position, [], span, hint) if position is not None else None


def new_variant(
    cx: Context, type: EnumType, position: int, args: list[ast.Arg], span: Span, hint: Type | None
) -> hir.Expr:
    """`Shape.Circle(1.0)`, `Shape.Rect(w: 1.0, h: 2.0)`; of a generic enum the arguments tell the type."""
    variant = type.variants[position]
    given = _given(cx, type, variant, args, span)
    if given is None:
        for arg in args:
            if not isinstance(arg.value, ast.Lambda):
                expression(cx, arg.value)
        return hir.Const(None, ERROR, span)
    if not has_payload(type):
        return hir.Const(variant.value, type, span)
    env = _known_arguments(type, hint)
    values = _check_payload(cx, variant, given, env)
    if erroneous(*values.values()):
        return hir.Const(None, ERROR, span)
    if is_open(type):
        from simple_jit.hir.resolve_types import enum_instance

        args_found = [env.get(var, NEVER) for var in type.scope.generics]
        type = enum_instance(type.scope, tuple(args_found))
    return _make(cx, type, position, values, span)


def _known_arguments(type: EnumType, hint: Type | None) -> Env:
    """Return the type arguments that the context tells."""
    if isinstance(hint, OptionalType):
        hint = hint.inner
    if not isinstance(hint, EnumType) or hint.scope is not type.scope or hint is type:
        return {}
    pairs = zip(type.scope.generics, hint.args)
    return {var: arg for var, arg in pairs if arg is not NEVER and not is_open(arg)}


def _given(
    cx: Context, type: EnumType, variant: Variant, args: list[ast.Arg], span: Span
) -> dict[int, ast.Arg] | None:
    """Return which argument is for which item of the payload, in the order of the source."""
    given: dict[int, ast.Arg] = {}
    names = [field.name for field in variant.fields]
    shown = shown_variant(type, variant)
    for place, arg in enumerate(args):
        if arg.spread:
            cx.error(rule.BAD_SPREAD.at(arg.span, f"the payload of `{shown}` is given item by item"))
            return None
        if arg.name is None:
            index = place
        elif arg.name.name in names:
            index = names.index(arg.name.name)
        else:
            diagnostic = rule.UNKNOWN_PARAMETER.at(arg.span, f"`{shown}` has no item `{arg.name.name}`")
            near = suggest(arg.name.name, names)
            cx.error(diagnostic.hint(f"did you mean `{near}`?") if near else diagnostic)
            return None
        if index in given:
            cx.error(rule.DUPLICATE_ARGUMENT.at(arg.span, f"the item `{names[index]}` is given twice"))
            return None
        if index < len(names):
            given[index] = arg
    if len(args) != len(names):
        report_payload(cx, type, variant, len(args), span)
        return None
    return given


def report_payload(
    cx: Context, type: EnumType, variant: Variant, found: int, span: Span, *, in_pattern: bool = False
) -> None:
    """Say how many items a variant carries."""
    wanted = count(len(variant.fields), "value") if variant.fields else "no payload"
    decl = next((d for d in type.scope.decl.variants if d.name.name == variant.name), None)
    given = "1 was" if found == 1 else f"{found or 'none'} were"
    diagnostic = rule.WRONG_ARITY.at(
        span, f"`{shown_variant(type, variant)}` carries {wanted}, but {given} given"
    )
    if variant.fields and not found:
        item = "_" if in_pattern else "…"
        items = ", ".join(
            f"{field.name}: {item}" if not field.name.isdigit() else item for field in variant.fields
        )
        diagnostic.hint(f"write `{shown_variant(type, variant)}({items})`")
    if decl is not None and not type.scope.module.is_core:
        diagnostic.also(decl.span, "declared here")
    cx.error(diagnostic)


def _check_payload(cx: Context, variant: Variant, given: dict[int, ast.Arg], env: Env) -> dict[int, hir.Expr]:
    """Check the values, literals last: they adapt to what the others have settled."""
    values: dict[int, hir.Expr] = {}
    fields = variant.fields
    later = [i for i in given if is_open(fields[i].type) and isinstance(given[i].value, _FLEXIBLE)]
    for index in [*(i for i in given if i not in later), *later]:
        wanted = substitute(fields[index].type, env)
        value = expression(cx, given[index].value, None if is_open(wanted) else wanted)
        if isinstance(value.type, HoleType) and is_open(wanted):
            value = cx.error(
                rule.CANNOT_INFER_TYPE.at(given[index].span, "cannot tell the type of this value")
            )
        elif value.type not in (NEVER, ERROR) and is_open(wanted):
            match(wanted, value.type, env)
        values[index] = value
    return {index: values[index] for index in given}


def _make(cx: Context, type: EnumType, position: int, values: dict[int, hir.Expr], span: Span) -> hir.Expr:
    from simple_jit.hir.convert import coerce

    variant = type.variants[position]
    stmts: list[hir.Expr] = []
    fitted: dict[int, hir.Expr] = {}
    for index, value in values.items():
        field = variant.fields[index]
        what = f"the item `{field.name}`" if not field.name.isdigit() else ""
        fitted[index] = coerce(cx, value, field.type, _item_span(type, position, index), what)
    if list(values) != sorted(values):
        fitted = {i: cx.keep(v, stmts) if v.type is not NEVER else v for i, v in fitted.items()}
    if erroneous(*fitted.values()):
        return hir.Const(None, ERROR, span)
    items = [fitted[index] for index in sorted(fitted)]
    left = diverging([*stmts, *items], span)
    if left is not None:
        return left
    made = hir.EnumNew(position, items, type, span)
    return hir.Block(stmts, made, type, span) if stmts else made


def _item_span(type: EnumType, position: int, index: int) -> Span | None:
    payload = type.scope.decl.variants[position].payload
    return None if type.scope.module.is_core else payload[index].type.span


def fit_enum(cx: Context, value: hir.Expr, found: EnumType, to: EnumType) -> hir.Expr | None:
    """Make a `Result<i64, never>` a `Result<i64, text>`; None where the types do not allow it."""
    from simple_jit.hir.convert import fit

    if isinstance(value, hir.EnumNew):
        items = []
        for item, field in zip(value.values, to.variants[value.variant].fields):
            fitted = fit(cx, item, field.type)
            if fitted is None:
                return None
            items.append(fitted)
        return hir.EnumNew(value.variant, items, to, value.span)
    if any(a is not b and a is not NEVER for a, b in zip(found.args, to.args)):
        return None
    stmts: list[hir.Expr] = []
    kept = cx.keep(value, stmts)
    numbers: list[list[int]] = []
    branches: list[hir.Expr] = []
    for position, (old, new) in enumerate(zip(found.variants, to.variants)):
        if is_impossible(old):
            continue
        parts = []
        for index, (source, target) in enumerate(zip(old.fields, new.fields)):
            part = fit(cx, hir.EnumGet(kept, position, index, source.type, value.span), target.type)
            if part is None:
                return None
            parts.append(part)
        numbers.append([position])
        branches.append(hir.EnumNew(position, parts, to, value.span))
    tag = hir.EnumTag(kept, I64, value.span)
    chosen = branches[0]
    if len(branches) > 1:
        chosen = hir.Switch(tag, numbers, branches, None, to, value.span)
    return hir.Block(stmts, chosen, to, value.span) if stmts else chosen


def is_impossible(variant: Variant) -> bool:
    """Can there be no value of this variant, since its payload has none?"""
    return any(field.type is NEVER for field in variant.fields)


# --- what is derived ---------------------------------------------------------------


def same_variant(cx: Context, a: hir.Expr, b: hir.Expr, type: EnumType, span: Span) -> hir.Expr:
    """`==` of enums with payload: one variant, and equal payloads."""
    from simple_jit.hir.check_compare import equal

    numbers: list[list[int]] = []
    branches: list[hir.Expr] = []
    for position, variant in enumerate(type.variants):
        if is_impossible(variant):
            continue
        test: hir.Expr | None = None
        for index, field in enumerate(variant.fields):
            first = hir.EnumGet(a, position, index, field.type, span)
            second = hir.EnumGet(b, position, index, field.type, span)
            part = equal(cx, first, second, span)
            test = part if test is None else hir.And(test, part, span)
        if test is not None:
            numbers.append([position])
            branches.append(test)
    tag, other = hir.EnumTag(a, I64, span), hir.EnumTag(b, I64, span)
    same = hir.Compare("eq", tag, other, span)
    if not branches:
        return same
    payloads = hir.Switch(tag, numbers, branches, hir.Const(True, BOOL, span), BOOL, span)
    return hir.And(same, payloads, span)


def variant_text(cx: Context, value: hir.Expr, type: EnumType, span: Span) -> hir.Expr:
    """The text form: `Shape.Circle(1.0)`, `Shape.Rect(w: 1.0, h: 2.0)`, `Shape.Empty`, `Ok(1)`."""
    numbers: list[list[int]] = []
    branches: list[hir.Expr] = []
    payload = has_payload(type)
    for position, variant in enumerate(type.variants):
        if not is_impossible(variant):
            numbers.append([position if payload else variant.value])
            branches.append(_text_of_variant(cx, value, type, position, span))
    tag = hir.EnumTag(value, I64, span) if payload else hir.Convert(value, I64, span)
    last = branches.pop()
    numbers.pop()
    return hir.Switch(tag, numbers, branches, last, TEXT, span) if branches else last


def _text_of_variant(cx: Context, value: hir.Expr, type: EnumType, position: int, span: Span) -> hir.Expr:
    from simple_jit.hir.show import concat_texts, joined, text_of

    variant = type.variants[position]
    name = shown_variant(type, variant)
    if not variant.fields:
        return hir.TextConst(name, TEXT, span)
    parts: list[hir.Expr] = []
    for index, field in enumerate(variant.fields):
        shown = text_of(cx, hir.EnumGet(value, position, index, field.type, span), span, quoted=True)
        if not field.name.isdigit():
            shown = concat_texts(cx, [hir.TextConst(f"{field.name}: ", TEXT, span), shown], span)
        parts.append(shown)
    return concat_texts(cx, joined(f"{name}(", parts, ")", span), span)


def report_unknown_variant(cx: Context, type: EnumType, name: ast.Ident) -> None:
    """Say that an enum has no such variant, in a pattern."""
    diagnostic = rule.UNKNOWN_MEMBER.at(name.span, f"`{type.scope.name}` has no variant `{name.name}`")
    names = [variant.name for variant in type.variants]
    near = suggest(name.name, names)
    if near:
        diagnostic.hint(f"did you mean `{near}`?")
    else:
        diagnostic.note(f"its variants are {listed(names)}")
    cx.error(diagnostic)
