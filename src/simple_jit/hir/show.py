"""The text forms of values: printing, interpolation, format specifications.

Scalars and arrays are shown by the core library; for structs, tuples and enums a function is made:

    Point(x: 1, y: 2)    fn Point.show(self): concat_all(["Point(x: ", self.x.to_text(), …])
"""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.context import Context, block, diverging, expression
from simple_jit.hir.convert import coerce
from simple_jit.hir.core_calls import call_core, call_method
from simple_jit.hir.derive import derived_call
from simple_jit.hir.report import a_type
from simple_jit.hir.symbols import ERROR, HoleType
from simple_jit.hir.types import (
    ANY,
    BOOL,
    F64,
    I64,
    NEVER,
    TEXT,
    U64,
    UNIT,
    ArrayType,
    ClosureType,
    EnumType,
    FloatType,
    FnType,
    IntType,
    OptionalType,
    StructType,
    TraitType,
    TupleType,
    Type,
    array_of,
    is_dynamic,
    is_number,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.source import Span


def text_of(cx: Context, value: hir.Expr, span: Span, *, quoted: bool) -> hir.Expr:
    """Return the text form of a value; `quoted` is the form inside of collections."""
    type = value.type
    if type in (ERROR, NEVER):
        return value
    if type is TEXT:
        return call_core(cx, "quote", [value], span) if quoted else value
    if is_number(type) or type is BOOL:
        shown = call_method(cx, value, "to_text", [], span)
        assert shown is not None
        return shown
    if type is ANY or isinstance(type, TraitType):
        from simple_jit.hir.any_operators import text_of_any

        return text_of_any(cx, value, span, quoted)
    if type is UNIT:
        return block([value], hir.TextConst("()", TEXT, span), span)
    if isinstance(type, HoleType):
        return hir.TextConst(type.shown, TEXT, span)
    if isinstance(type, OptionalType):
        return _optional_text(cx, value, type, span, quoted)
    if isinstance(type, ArrayType):
        if _contains(type, type, set()):
            return derived_call(cx, "show", [value], TEXT, _build_text, span)
        return call_core(cx, "show_array", [value], span)
    if isinstance(type, FnType):
        return _function_text(cx, value, type, span)
    if isinstance(type, (StructType, EnumType)):
        called = call_method(cx, value, "to_text", [], span)
        if called is not None:
            return coerce(cx, called, TEXT, what="the result of `to_text`")
    return derived_call(cx, "show", [value], TEXT, _build_text, span)


def _optional_text(cx: Context, value: hir.Expr, type: OptionalType, span: Span, quoted: bool) -> hir.Expr:
    stmts: list[hir.Expr] = []
    kept = cx.keep(value, stmts)
    inner = hir.Unwrap(kept, type.inner, span, checked=False)
    some = text_of(cx, inner, span, quoted=quoted)
    nil = hir.TextConst("nil", TEXT, span)
    return block(stmts, hir.If(hir.IsSome(kept, span), some, nil, TEXT, span), span)


def _function_text(cx: Context, value: hir.Expr, type: FnType, span: Span) -> hir.Expr:
    """`<fn area>`; of a plain function value its code tells the name."""
    if isinstance(type, ClosureType):
        shown = f"<fn {type.code.name}>" if type.code.name else "<fn>"
        return block([value], hir.TextConst(shown, TEXT, span), span)
    return call_core(cx, "function_text", [hir.Intrinsic("address", [value], None, I64, span)], span)


def _build_text(cx: Context) -> hir.Expr:
    """The body of the function that shows a tuple, struct or enum."""
    local = cx.locals[0]
    type, span = local.type, cx.instance.function.span
    value = hir.LocalGet(local, span)
    if isinstance(type, TupleType):
        parts = [
            text_of(cx, hir.TupleGet(value, i, t, span), span, quoted=True) for i, t in enumerate(type.items)
        ]
        closing = ",)" if len(parts) == 1 else ")"
        return concat_texts(cx, joined("(", parts, closing, span), span)
    if isinstance(type, EnumType):
        from simple_jit.hir.check_enums import variant_text

        return variant_text(cx, value, type, span)
    if isinstance(type, ArrayType):
        return _guarded(cx, value, call_core(cx, "show_array", [value], span), span)
    assert isinstance(type, StructType)
    parts = []
    for index, field in enumerate(type.fields):
        shown = text_of(cx, hir.FieldGet(value, index, field.type, span), span, quoted=True)
        parts.append(concat_texts(cx, [hir.TextConst(f"{field.name}: ", TEXT, span), shown], span))
    text = concat_texts(cx, joined(f"{type.scope.name}(", parts, ")", span), span)
    return _guarded(cx, value, text, span) if _contains(type, type, set()) else text


def joined(opening: str, parts: list[hir.Expr], closing: str, span: Span) -> list[hir.Expr]:
    pieces: list[hir.Expr] = [hir.TextConst(opening, TEXT, span)]
    for index, part in enumerate(parts):
        if index:
            pieces.append(hir.TextConst(", ", TEXT, span))
        pieces.append(part)
    return [*pieces, hir.TextConst(closing, TEXT, span)]


def _guarded(cx: Context, value: hir.Expr, text: hir.Expr, span: Span) -> hir.Expr:
    """An object inside itself shows as `...`."""
    address = hir.Intrinsic("address", [value], None, I64, span)
    begins = call_core(cx, "show_begin", [address], span)
    result = cx.local("", TEXT)
    shown = hir.Block(
        [hir.LocalSet(result, text, span), call_core(cx, "show_end", [], span)],
        hir.LocalGet(result, span),
        TEXT,
        span,
    )
    return hir.If(begins, shown, hir.TextConst("...", TEXT, span), TEXT, span)


def _contains(type: Type, target: Type, seen: set[Type]) -> bool:
    """May a value of `type` refer to one of type `target`?"""
    if type in seen:
        return False
    seen.add(type)
    parts: list[Type] = []
    if isinstance(type, StructType):
        parts = [field.type for field in type.fields]
    elif isinstance(type, EnumType):
        parts = [field.type for variant in type.variants for field in variant.fields]
    elif isinstance(type, TupleType):
        parts = list(type.items)
    elif isinstance(type, ArrayType):
        parts = [type.elem]
    elif isinstance(type, OptionalType):
        parts = [type.inner]
    return is_dynamic(type) or any(part is target or _contains(part, target, seen) for part in parts)


# --- joining pieces ----------------------------------------------------------------


def concat_texts(cx: Context, pieces: list[hir.Expr], span: Span) -> hir.Expr:
    """Join texts; neighbouring constants at once."""
    merged: list[hir.Expr] = []
    for piece in pieces:
        last = merged[-1] if merged else None
        if isinstance(piece, hir.TextConst):
            if not piece.value:
                continue
            if isinstance(last, hir.TextConst):
                merged[-1] = hir.TextConst(last.value + piece.value, TEXT, span)
                continue
        merged.append(piece)
    if not merged:
        return hir.TextConst("", TEXT, span)
    if len(merged) == 1:
        return merged[0]
    if any(piece.type is ERROR for piece in merged):
        return hir.Const(None, ERROR, span)
    if len(merged) == 2:
        return call_core(cx, "concat", merged, span)
    return call_core(cx, "concat_all", [hir.ArrayNew(merged, array_of(TEXT), span)], span)


def joined_parts(text: hir.Expr) -> list[hir.Expr]:
    """Return the texts that `text` joins, as `concat_texts` has it; itself where it joins none."""
    if not isinstance(text, hir.Call) or text.callee.module != "core.text":
        return [text]
    if text.callee.name == "concat_all" and isinstance(text.args[0], hir.ArrayNew):
        return [part for item in text.args[0].items for part in joined_parts(item)]
    if text.callee.name == "concat":
        return [part for item in text.args for part in joined_parts(item)]
    return [text]


def interpolate(cx: Context, node: ast.InterpolatedText) -> hir.Expr:
    """`"a {x} b {y:.2f}"`"""
    pieces: list[hir.Expr] = []
    for part in node.parts:
        if isinstance(part, ast.TextLiteral):
            pieces.append(hir.TextConst(part.value, TEXT, part.span))
            continue
        value = expression(cx, part.value)
        if part.spec is None:
            pieces.append(text_of(cx, value, part.span, quoted=False))
        else:
            pieces.append(_formatted(cx, value, part.spec, part.span))
    left = diverging(pieces, node.span)
    return left or concat_texts(cx, pieces, node.span)


def _formatted(cx: Context, value: hir.Expr, spec: str, span: Span) -> hir.Expr:
    """`{value:spec}`, Python's format specifications; the spec is checked here."""
    type = value.type
    if type in (ERROR, NEVER):
        return value
    if type is ANY:
        from simple_jit.hir.any_operators import format_any

        return format_any(cx, value, spec, span, lambda inner, v: _formatted(inner, v, spec, span))
    if isinstance(type, IntType):
        sample: object = 0
        name, wide = ("format_u64", U64) if type is U64 else ("format_i64", I64)
        value = value if type is wide else hir.Convert(value, wide, span)
    elif isinstance(type, FloatType):
        sample, name = 0.0, "format_f64"
        value = value if type is F64 else hir.Convert(value, F64, span)
    else:
        sample, name = "", "format_text"
        value = text_of(cx, value, span, quoted=False)
    try:
        format(sample, spec)
    except ValueError:
        return cx.error(rule.BAD_FORMAT.at(span, f"`{spec}` is no format specification for {a_type(type)}"))
    return call_core(cx, name, [value, hir.TextConst(spec, TEXT, span)], span)
