"""Fitting a value to the type that its place demands, and finding the common type of several."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.collections import is_dict, is_range, is_set, wanted_collection
from simple_jit.hir.context import Context, block
from simple_jit.hir.holes import EmptyCollection, settle
from simple_jit.hir.report import a_type, code, count
from simple_jit.hir.symbols import ERROR, HoleType
from simple_jit.hir.types import (
    ANY,
    I64,
    NEVER,
    UNIT,
    ArrayType,
    ClosureType,
    EnumType,
    FixedArrayType,
    FloatType,
    FnType,
    IntType,
    OptionalType,
    TraitType,
    TupleType,
    Type,
    array_of,
    growable,
    involves_dynamic,
    is_dynamic,
    is_number,
    optional_of,
    plain_function,
    tuple_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from simple_jit.base.diagnostics import Diagnostic
    from simple_jit.base.source import Span


def coerce(cx: Context, value: hir.Expr, to: Type, declared: Span | None = None, what: str = "") -> hir.Expr:
    """Return `value` as a `to`; reports a mismatch, with the place where `to` was declared.

    A `T` becomes a `T?`; a `T?` where a `T` is needed is unwrapped, which fails at run time on nil.
    """
    found = value.type
    if found is to or found in (ERROR, NEVER) or to is ERROR:
        return value
    fitted = _fit(cx, value, to)
    if fitted is not None:
        return fitted
    return cx.error(mismatch(value, to, declared, what))


def fit(cx: Context, value: hir.Expr, to: Type) -> hir.Expr | None:
    """Return `value` as a `to`, None where it does not fit; reports nothing."""
    return value if value.type in (to, NEVER) else _fit(cx, value, to)


def _fit(cx: Context, value: hir.Expr, to: Type) -> hir.Expr | None:
    found = value.type
    if isinstance(value, hir.Block) and value.result is not None and value.result.type is found:
        result = _fit(cx, value.result, to)
        return hir.Block(value.stmts, result, to, value.span) if result is not None else None
    if isinstance(value, hir.If) and value.orelse is not None and found is not UNIT:
        return _fit_branches(cx, value, to)
    if isinstance(value, hir.Switch) and found is not UNIT:
        return _fit_switch(cx, value, to)
    if isinstance(to, ArrayType) and isinstance(found, ArrayType) and found.elem is to.elem:
        return _fit_length(cx, value, to)
    if involves_dynamic(found) or involves_dynamic(to):
        from simple_jit.hir.check_any import fit_dynamic

        return fit_dynamic(cx, value, to)
    if isinstance(found, HoleType):
        return _fill_hole(cx, value, found, to)
    if isinstance(to, HoleType):
        settle(cx, to, found)
        return None
    if isinstance(to, OptionalType):
        inner = _fit(cx, value, to.inner) if found is not to.inner else value
        if inner is not None and not isinstance(found, OptionalType):
            return hir.Some(inner, to, value.span)
        return None
    if isinstance(found, OptionalType):
        unwrapped = hir.Unwrap(value, found.inner, value.span)
        return unwrapped if found.inner is to else _fit(cx, unwrapped, to)
    if isinstance(to, ArrayType) and is_range(found):
        from simple_jit.hir.core_calls import call_method

        items = call_method(cx, value, "to_array", [], value.span)
        return items if items is not None and items.type is to else None
    if isinstance(found, ClosureType) and type(to) is FnType:
        from simple_jit.hir.closures import to_plain

        return to_plain(cx, value, to)
    if isinstance(found, TupleType) and isinstance(to, TupleType):
        return _fit_tuple(cx, value, found, to)
    if isinstance(found, EnumType) and isinstance(to, EnumType) and found.scope is to.scope:
        from simple_jit.hir.check_enums import fit_enum

        return fit_enum(cx, value, found, to)
    return None


def _fit_length(cx: Context, value: hir.Expr, to: ArrayType) -> hir.Expr | None:
    """A `[T]` where a `[T; N]` is wanted has N elements: that is checked when it runs, if not known here."""
    if isinstance(to, FixedArrayType):
        length = known_length(value)
        if length is not None and length != to.length:
            return None
        if length is None:
            from simple_jit.hir.core_calls import call_core

            wanted = hir.Const(to.length, I64, value.span)
            value = call_core(cx, "of_length", [value, wanted], value.span)
    if isinstance(value, hir.ArrayNew):
        return hir.ArrayNew(value.items, to, value.span)
    return hir.Block([], value, to, value.span)


def known_length(value: hir.Expr) -> int | None:
    """Return the length of an array where that can be told before it runs."""
    if isinstance(value.type, FixedArrayType):
        return value.type.length
    if isinstance(value, hir.ArrayNew):
        return len(value.items)
    if isinstance(value, hir.Block) and value.result is not None:
        return known_length(value.result)
    if isinstance(value, hir.Call) and value.callee.module.startswith("core.array"):
        parts = [known_length(arg) for arg in value.args[:2]]
        if value.callee.name == "array_repeat" and isinstance(value.args[1], hir.Const):
            count = value.args[1].value
            return parts[0] * max(count, 0) if parts[0] is not None and isinstance(count, int) else None
        if value.callee.name == "array_concat":
            first, second = parts
            return first + second if first is not None and second is not None else None
    return None


def _fit_branches(cx: Context, value: hir.If, to: Type) -> hir.Expr | None:
    """Fit each branch of an `if`, so that a failing unwrap is reported where the value stands."""
    assert value.orelse is not None
    parts = [part if part.type in (to, NEVER) else _fit(cx, part, to) for part in (value.then, value.orelse)]
    then, orelse = parts
    if then is None or orelse is None:
        return None
    return hir.If(value.cond, then, orelse, to, value.span)


def _fit_switch(cx: Context, value: hir.Switch, to: Type) -> hir.Expr | None:
    """The same for each branch of a switch."""
    branches = []
    for branch in value.branches:
        fitted = fit(cx, branch, to)
        if fitted is None:
            return None
        branches.append(fitted)
    default = fit(cx, value.default, to) if value.default is not None else None
    if value.default is not None and default is None:
        return None
    return hir.Switch(value.value, value.numbers, branches, default, to, value.span)


def _fill_hole(cx: Context, value: hir.Expr, hole: HoleType, to: Type) -> hir.Expr | None:
    """A literal `[]` or `nil` takes the type at once, a variable sends its body back."""
    target = to.inner if hole.is_array and isinstance(to, OptionalType) else to
    if hole.is_array and isinstance(target, ArrayType):
        if isinstance(value, hir.ArrayNew):
            if isinstance(target, FixedArrayType) and target.length:
                return None
            empty = hir.ArrayNew([], target, value.span)
            return empty if target is to else hir.Some(empty, to, value.span)
        settle(cx, hole, growable(target))
    if hole.kind in ("dict", "set"):
        return _fill_collection(cx, value, hole, to)
    if hole.is_nil and isinstance(to, OptionalType):
        if isinstance(value, hir.Nil):
            return hir.Nil(to, value.span)
        settle(cx, hole, to)
    return None


def _fill_collection(cx: Context, value: hir.Expr, hole: HoleType, to: Type) -> hir.Expr | None:
    """The same for `{}` and `Set()`."""
    target = wanted_collection(to)
    if target is not None and isinstance(value, EmptyCollection) and (hole.kind == "dict" or is_set(target)):
        from simple_jit.hir.check_dicts import empty

        made = empty(cx, target, value.span)
        return made if target is to else hir.Some(made, to, value.span)
    if target is not None:
        settle(cx, hole, target)
    return None


def _fit_tuple(cx: Context, value: hir.Expr, found: TupleType, to: TupleType) -> hir.Expr | None:
    """Fit a tuple item by item."""
    if len(found.items) != len(to.items):
        return None
    stmts: list[hir.Expr] = []
    if isinstance(value, hir.TupleNew):
        parts = value.items
    else:
        kept = cx.keep(value, stmts)
        parts = [hir.TupleGet(kept, i, t, value.span) for i, t in enumerate(found.items)]
    items = []
    for part, type in zip(parts, to.items):
        item = part if part.type is type or part.type is NEVER else _fit(cx, part, type)
        if item is None:
            return None
        items.append(item)
    return block(stmts, hir.TupleNew(items, to, value.span), value.span)


def value_span(body: hir.Expr) -> Span:
    """Return the place of the expression that gives a block its value."""
    while isinstance(body, hir.Block) and body.result is not None:
        body = body.result
    return body.span


def mismatch(value: hir.Expr, to: Type, declared: Span | None = None, what: str = "") -> Diagnostic:
    """Say that `value` does not fit, with advice where a conversion would do."""
    found = value.type
    if isinstance(found, HoleType) and found.is_nil:
        message = f"`nil` is not {a_type(to)}"
        diagnostic = rule.WRONG_TYPE.at(value_span(value), message).hint(f"make it optional: `{to}?`")
    elif isinstance(to, FixedArrayType) and known_length(value) not in (None, to.length):
        message = f"expected {count(to.length, 'element')}, found {known_length(value)}"
        diagnostic = rule.WRONG_TYPE.at(value_span(value), message)
    else:
        subject = f"{what} is" if what else "expected"
        shown = f"`{to}`, found `{found}`" if not what else f"{a_type(to)}, not `{found}`"
        diagnostic = rule.WRONG_TYPE.at(value_span(value), f"{subject} {shown}")
    if declared is not None:
        diagnostic.also(declared, f"`{to}` because of this")
    if isinstance(to, TraitType) and not isinstance(found, HoleType):
        from simple_jit.hir.check_traits import how_to_implement

        return diagnostic.hint(how_to_implement(to, found))
    hint = _conversion_hint(value, found, to)
    return diagnostic.hint(hint) if hint else diagnostic


def _conversion_hint(value: hir.Expr, found: Type, to: Type) -> str | None:
    text = code(value_span(value))
    if is_number(found) and is_number(to):
        return f"convert it: `{to}({text})`"
    if str(to) == "text":
        return f'make it text: `"{{{text}}}"`' if '"' not in text else f"make it text: `text({text})`"
    if str(found) == "text" and to.name in ("i64", "f64"):
        return f"parse it: `{text}.to_{to}()`, which is {a_type(f'{to}?')}"
    return None


def join(a: Type, b: Type) -> Type | None:
    """Return the type that values of `a` and of `b` have in common, None where there is none."""
    if a is b or b in (NEVER, ERROR):
        return a
    if a in (NEVER, ERROR):
        return b
    if a is ANY or b is ANY:
        return ANY
    if isinstance(a, HoleType):
        return _join_hole(a, b)
    if isinstance(b, HoleType):
        return _join_hole(b, a)
    if isinstance(a, OptionalType) or isinstance(b, OptionalType):
        inner_a = a.inner if isinstance(a, OptionalType) else a
        inner_b = b.inner if isinstance(b, OptionalType) else b
        inner = join(inner_a, inner_b)
        if inner is ANY and ANY in (a, b):
            return ANY
        return optional_of(inner) if inner is not None else None
    if isinstance(a, FnType) and isinstance(b, FnType):
        return _join_functions(a, b)
    if isinstance(a, TraitType) or isinstance(b, TraitType):
        return _join_trait(a, b) if isinstance(a, TraitType) else _join_trait(b, a)
    if isinstance(a, TupleType) and isinstance(b, TupleType) and len(a.items) == len(b.items):
        items = [join(x, y) for x, y in zip(a.items, b.items)]
        return tuple_of([i for i in items if i]) if None not in items else None
    if isinstance(a, EnumType) and isinstance(b, EnumType) and a.scope is b.scope:
        return _join_enums(a, b)
    if isinstance(a, ArrayType) and isinstance(b, ArrayType) and a.elem is b.elem:
        return array_of(a.elem)
    return None


def takes_all(cx: Context, hint: Type, types: Sequence[Type]) -> bool:
    """Is `hint`, the type that the context asks for, `any` or a trait that all of `types` implement?"""
    inner = hint.inner if isinstance(hint, OptionalType) else hint
    if not is_dynamic(inner):
        return False
    return all(type in (NEVER, ERROR, hint) or join(inner, type) in (inner, hint) for type in types)


def _join_enums(a: EnumType, b: EnumType) -> Type | None:
    """Type arguments that one of the two leaves open come from the other: `Ok(1)` and `Err("e")`."""
    from simple_jit.hir.resolve_types import enum_instance

    args = [y if x is NEVER else x if y in (x, NEVER) else None for x, y in zip(a.args, b.args)]
    known = [arg for arg in args if arg is not None]
    return enum_instance(a.scope, tuple(known)) if len(known) == len(args) else None


def _join_functions(a: FnType, b: FnType) -> Type | None:
    """Different closures have the plain type in common; one whose parameters are open takes the other's."""
    for open, other in ((a, b), (b, a)):
        if isinstance(open, ClosureType) and open.is_open:
            if isinstance(other, ClosureType) and other.is_open:
                return None
            return plain_function(other) if open.code.arity == len(other.params) else None
    plain = plain_function(a)
    return plain if plain is plain_function(b) else None


def _join_trait(trait: Type, other: Type) -> Type | None:
    from simple_jit.hir.traits import implements

    assert isinstance(trait, TraitType)
    return trait if implements(trait.scope.module.session, other, trait) else None


def _join_hole(hole: HoleType, other: Type) -> Type | None:
    if hole.is_array:
        inner = other.inner if isinstance(other, OptionalType) else other
        return other if isinstance(inner, ArrayType) else None
    if hole.kind in ("dict", "set"):
        wanted = wanted_collection(other)
        fits = is_set(wanted) or (hole.kind == "dict" and is_dict(wanted))
        same = isinstance(other, HoleType) and other.kind == hole.kind
        return other if fits or same else None
    if isinstance(other, HoleType) or other is UNIT:
        return None
    return optional_of(other)


def join_numbers(types: Sequence[Type]) -> Type | None:
    """Return f64 where `types` mix integers and floats, as in `[1, x]` with a float `x`."""
    if all(isinstance(t, (IntType, FloatType)) for t in types):
        floats = [t for t in types if isinstance(t, FloatType)]
        if floats and len(floats) < len(types):
            return max(floats, key=lambda t: t.bits)
    return None


def definite(value: hir.Expr) -> hir.Expr:
    """Return `value` unwrapped where it is optional: an operand or receiver must be there."""
    if isinstance(value.type, OptionalType):
        return hir.Unwrap(value, value.type.inner, value.span)
    return value
