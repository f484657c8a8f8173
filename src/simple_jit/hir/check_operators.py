"""Arithmetic, conversions by `as`, and `??`.

An integer literal takes the type of the other operand, an integer beside a float becomes a float, and
integers of different types do not mix. On text and arrays `+` and `*` are calls of the core library,
on structs methods (`add`, `mul`, …).
"""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.check_literals import integer
from simple_jit.hir.collections import is_collection
from simple_jit.hir.context import Context, block, checks, diverging, erroneous, expression
from simple_jit.hir.convert import coerce, definite, join
from simple_jit.hir.core_calls import call_core, call_method
from simple_jit.hir.report import a_type, code
from simple_jit.hir.symbols import ERROR, HoleType
from simple_jit.hir.types import (
    ANY,
    BOOL,
    F32,
    F64,
    I64,
    NEVER,
    TEXT,
    ArrayType,
    ClosureType,
    EnumType,
    FloatType,
    FnType,
    IntType,
    OptionalType,
    Type,
    function_of,
    is_dynamic,
    is_number,
    is_plain_enum,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.source import Span

OPERATIONS: dict[str, hir.BinaryOp] = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "//": "floordiv",
    "%": "rem",
    "&": "and",
    "|": "or",
    "^": "xor",
    "<<": "shl",
    ">>": "shr",
}
METHODS = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "//": "floordiv",
    "%": "rem",
    "**": "pow",
    "&": "bitand",
    "|": "bitor",
    "^": "bitxor",
    "<<": "shl",
    ">>": "shr",
}


def adapts(node: ast.Expr) -> bool:
    """Is `node` made of number literals without a suffix alone, so that it takes any type asked for?"""
    while True:
        if isinstance(node, ast.Unary) and node.op in ("-", "+", "~"):
            node = node.operand
        elif isinstance(node, ast.Binary) and adapts(node.right):
            node = node.left
        else:
            return isinstance(node, (ast.IntLiteral, ast.FloatLiteral)) and node.suffix is None


def check_operand_pair(
    cx: Context, left: ast.Expr, right: ast.Expr, hint: Type | None
) -> tuple[hir.Expr, hir.Expr]:
    """Check two operands; a literal one takes the type of the other."""
    if adapts(left) and not adapts(right):
        second = expression(cx, right, hint)
        return expression(cx, left, operand_hint(second.type)), second
    first = expression(cx, left, hint)
    return first, expression(cx, right, operand_hint(first.type))


def operand_hint(type: Type) -> Type | None:
    """Return the hint that an operand of `type` gives the other one."""
    return None if isinstance(type, HoleType) or type in (ERROR, NEVER) else type


# --- unary -------------------------------------------------------------------------


@checks(ast.Unary)
def check_unary(cx: Context, node: ast.Unary, hint: Type | None) -> hir.Expr:
    if node.op == "not":
        operand = coerce(cx, expression(cx, node.operand, BOOL), BOOL, what="the operand of `not`")
        return operand if operand.type in (ERROR, NEVER) else hir.Unary("not", operand, node.span)
    if node.op == "-" and isinstance(node.operand, ast.IntLiteral):
        return integer(cx, node.operand, -node.operand.value, node.span, hint)
    operand = definite(expression(cx, node.operand, hint))
    if operand.type in (ERROR, NEVER):
        return operand
    return unary_value(cx, node.op, operand, node.span)


def unary_value(cx: Context, op: str, operand: hir.Expr, span: Span) -> hir.Expr:
    """`-`, `+` or `~` of a checked operand."""
    if op == "+" and is_number(operand.type):
        return operand
    if op == "-" and is_number(operand.type):
        if isinstance(operand, hir.Const) and isinstance(operand.type, FloatType):
            assert operand.value is not None
            return hir.Const(-operand.value, operand.type, span)
        return hir.Unary("neg", operand, span, checked=_is_checked(cx, operand.type))
    if op == "~" and isinstance(operand.type, IntType):
        return hir.Unary("bitnot", operand, span)
    if operand.type is ANY:
        from simple_jit.hir.any_operators import unary

        return unary(cx, op, operand, span)
    if op == "-":
        called = call_method(cx, operand, "neg", [], span)
        if called is not None:
            return called
    return cx.error(rule.BAD_OPERAND.at(span, f"`{op}` does not apply to {a_type(operand.type)}"))


def _is_checked(cx: Context, type: Type) -> bool:
    return (
        cx.session.options.overflow_checks and isinstance(type, IntType) and type.signed and not cx.is_library
    )


# --- binary ------------------------------------------------------------------------


@checks(ast.Binary)
def check_binary(cx: Context, node: ast.Binary, hint: Type | None) -> hir.Expr:
    """Check a chain of operators; it may be very long on the left, so the left is walked in a loop."""
    chain: list[ast.Binary] = []
    current: ast.Expr = node
    while isinstance(current, ast.Binary):
        chain.append(current)
        current = current.left
    if len(chain) == 1:
        return _check_first(cx, node, hint)
    if adapts(chain[-1]):
        hint = _literal_chain_hint(cx, chain, hint)
    stmts: list[hir.Expr] = []
    value = _check_first(cx, chain[-1], hint)
    for number, item in enumerate(reversed(chain[:-1])):
        if number % _CHAIN == _CHAIN - 1:
            value = cx.keep(value, stmts) if value.type not in (ERROR, NEVER) else value
        value = check_binary_values(cx, item.op, value, item.right, item.span)
    return block(stmts, value, node.span)


_CHAIN = 64
"""After how many operators a chain goes on from a temporary, so that no tree gets too deep."""


def _literal_chain_hint(cx: Context, chain: list[ast.Binary], hint: Type | None) -> Type | None:
    """`2 * 3 * x`: the literals on the left take the type of the first operand that has one."""
    other = next((item.right for item in reversed(chain) if not adapts(item.right)), None)
    if other is not None:
        type = _probe(cx, other, hint)
        if is_number(type):
            return type
    return hint


def _probe(cx: Context, node: ast.Expr, hint: Type | None) -> Type:
    """Return the type of an expression that is checked again later; what is found here is forgotten."""
    from simple_jit.base.diagnostics import Reporter

    reporter, cx.reporter = cx.reporter, Reporter()
    try:
        return definite(expression(cx, node, hint)).type
    finally:
        cx.reporter = reporter


def _check_first(cx: Context, node: ast.Binary, hint: Type | None) -> hir.Expr:
    if node.op in ("<<", ">>"):
        left = expression(cx, node.left, hint)
        return check_binary_values(cx, node.op, left, node.right, node.span)
    if node.op == "*" and isinstance(hint, ArrayType):
        left = expression(cx, node.left, hint)
        return check_binary_values(cx, node.op, left, node.right, node.span)
    left, right = check_operand_pair(cx, node.left, node.right, hint)
    return combine(cx, node.op, left, right, node.span)


def check_binary_values(cx: Context, op: str, left: hir.Expr, right_node: ast.Expr, span: Span) -> hir.Expr:
    """Check `left op right` where the left side has been checked."""
    if op == ">>" and isinstance(left.type, FnType):
        right = expression(cx, right_node, _after(left.type))
    elif op in ("<<", ">>"):
        right = expression(cx, right_node, I64 if adapts(right_node) else None)
    elif (isinstance(left.type, ArrayType) and op == "*") or (left.type is TEXT and op == "*"):
        right = expression(cx, right_node, I64)
    else:
        right = expression(cx, right_node, operand_hint(left.type))
    return combine(cx, op, left, right, span)


def _after(left: FnType) -> FnType | None:
    """Return the type of what may follow a function in `f >> g`: it takes what `f` gives."""
    if isinstance(left, ClosureType) and left.is_open:
        return None
    return function_of([left.ret], NEVER)


def combine(cx: Context, op: str, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    """`left op right` of checked operands."""
    left, right = definite(left), definite(right)
    if erroneous(left, right):
        return hir.Const(None, ERROR, span)
    left_out = diverging([left, right], span)
    if left_out is not None:
        return left_out
    if is_dynamic(left.type) or is_dynamic(right.type):
        from simple_jit.hir.any_operators import binary

        return binary(cx, op, left, right, span)
    if is_number(left.type) and is_number(right.type):
        return _arithmetic(cx, op, left, right, span)
    if op == ">>" and isinstance(left.type, FnType) and isinstance(right.type, FnType):
        from simple_jit.hir.check_lambda import compose

        return compose(cx, left, right, span)
    special = _on_collections(cx, op, left, right, span)
    if special is not None:
        return special
    if left.type is BOOL and right.type is BOOL and op in ("&", "|", "^"):
        return _on_bools(cx, op, left, right, span)
    is_add = op == "+" and is_collection(left.type)  # `add` of a set is not what `+` means
    called = call_method(cx, left, METHODS[op], [right], span) if not is_add else None
    return called if called is not None else cx.error(_bad_operands(op, left, right, span))


def _bad_operands(op: str, left: hir.Expr, right: hir.Expr, span: Span):  # type: ignore[no-untyped-def]
    diagnostic = rule.BAD_OPERAND.at(span, f"`{op}` does not apply to `{left.type}` and `{right.type}`")
    diagnostic.also(left.span, a_type(left.type)).also(right.span, a_type(right.type))
    if op == "+" and TEXT in (left.type, right.type):
        other = right if left.type is TEXT else left
        shown = code(other.span, "")
        if shown and '"' not in shown:
            diagnostic.hint(f'make it text: `"{{{shown}}}"`')
    return diagnostic


def _on_bools(cx: Context, op: str, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    """`& | ^` of bools evaluate both sides."""
    if op == "^":
        return hir.Compare("ne", left, right, span)
    stmts: list[hir.Expr] = []
    first, second = cx.keep(left, stmts), cx.keep(right, stmts)
    both: hir.Expr = hir.And(first, second, span) if op == "&" else hir.Or(first, second, span)
    return block(stmts, both, span)


def _on_collections(cx: Context, op: str, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr | None:
    if op == "+" and left.type is TEXT and right.type is TEXT:
        return _joined_text(cx, left, right, span)
    if op == "*" and left.type is TEXT and isinstance(right.type, IntType):
        return call_core(cx, "text_repeat", [left, coerce(cx, right, I64)], span)
    if op == "*" and isinstance(left.type, ArrayType) and isinstance(right.type, IntType):
        return call_core(cx, "array_repeat", [left, coerce(cx, right, I64)], span)
    if op == "+" and isinstance(left.type, (ArrayType, HoleType)) and join(left.type, right.type):
        common = join(left.type, right.type)
        if isinstance(common, ArrayType):
            args = [coerce(cx, left, common), coerce(cx, right, common)]
            return call_core(cx, "array_concat", args, span)
    return None


def _joined_text(cx: Context, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    """`a + b + c` makes one text, not one for each `+`."""
    from simple_jit.hir.show import concat_texts

    if isinstance(left, hir.Call) and left.callee.module == "core.text":
        if left.callee.name == "concat_all" and isinstance(left.args[0], hir.ArrayNew):
            left.args[0].items.append(right)
            left.span = left.args[0].span = span
            return left
        if left.callee.name == "concat":
            return concat_texts(cx, [*left.args, right], span)
    return concat_texts(cx, [left, right], span)


# --- numbers -----------------------------------------------------------------------


def _arithmetic(cx: Context, op: str, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    if op in ("<<", ">>"):
        return _shift(cx, op, left, right, span)
    pair = unify_numbers(cx, left, right, op, span)
    if pair is None:
        return hir.Const(None, ERROR, span)
    left, right = pair
    if op == "**":
        return _power(cx, left, right, span)
    if op in ("&", "|", "^") and not isinstance(left.type, IntType):
        return cx.error(rule.BAD_OPERAND.at(span, f"`{op}` does not apply to {a_type(left.type)}"))
    operation = OPERATIONS[op]
    if operation in ("div", "rem", "floordiv") and isinstance(left.type, IntType):
        if isinstance(right, hir.Const) and right.value == 0:
            cx.reporter.report(rule.DIVISION_BY_ZERO.at(right.span, "this always divides by zero"))
    checked = operation in ("add", "sub", "mul") and _is_checked(cx, left.type)
    return hir.Binary(operation, left, right, span, checked=checked)


def unify_numbers(
    cx: Context, left: hir.Expr, right: hir.Expr, op: str, span: Span
) -> tuple[hir.Expr, hir.Expr] | None:
    """Bring two numbers to one type; reports integers of different types."""
    a, b = left.type, right.type
    if a is b:
        return left, right
    if isinstance(a, IntType) and isinstance(b, IntType):
        diagnostic = rule.MIXED_WIDTHS.at(
            span, f"`{op}` of `{a}` and `{b}`: integers of different types do not mix"
        )
        diagnostic.also(left.span, a_type(a)).also(right.span, a_type(b))
        narrow, wide = (left, b) if a.bits < b.bits or b is I64 else (right, a)
        cx.error(diagnostic.hint(f"convert one of them: `{_shown(narrow)} as {wide}`"))
        return None
    if isinstance(a, FloatType) and isinstance(b, FloatType):
        return _convert(left, F64), _convert(right, F64)
    return (left, _convert(right, a)) if isinstance(a, FloatType) else (_convert(left, b), right)


def _shown(value: hir.Expr) -> str:
    text = value.span.text
    return text if text.isidentifier() or text.isdigit() else f"({text})"


def _convert(value: hir.Expr, to: Type) -> hir.Expr:
    """Convert a number to a float type; a constant at once."""
    if value.type is to:
        return value
    if isinstance(value, hir.Const) and to is F64 and value.value is not None:
        try:
            return hir.Const(float(value.value), F64, value.span)
        except OverflowError:
            pass
    return hir.Convert(value, to, value.span)


def _shift(cx: Context, op: str, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    if not isinstance(left.type, IntType) or not isinstance(right.type, IntType):
        bad = left if not isinstance(left.type, IntType) else right
        return cx.error(rule.BAD_OPERAND.at(span, f"`{op}` does not apply to {a_type(bad.type)}"))
    count = right if right.type is I64 else hir.Convert(right, I64, right.span)
    return hir.Binary(OPERATIONS[op], left, count, span)


def _power(cx: Context, left: hir.Expr, right: hir.Expr, span: Span) -> hir.Expr:
    if isinstance(left.type, IntType):
        name = "ipow_checked" if _is_checked(cx, left.type) else "ipow"
        return call_core(cx, name, [left, right], span)
    result = call_core(cx, "fpow", [_convert(left, F64), _convert(right, F64)], span)
    return result if left.type is F64 else hir.Convert(result, F32, span)


# --- as, ?? ------------------------------------------------------------------------


@checks(ast.Cast)
def check_cast(cx: Context, node: ast.Cast, hint: Type | None) -> hir.Expr:
    to = cx.resolve(node.type)
    is_literal = isinstance(node.value, (ast.IntLiteral, ast.Unary))
    value = expression(cx, node.value, to if is_literal and isinstance(to, FloatType) else None)
    if to is ERROR or value.type in (ERROR, NEVER):
        return hir.Const(None, ERROR, node.span) if to is ERROR else value
    if isinstance(value.type, HoleType):
        return coerce(cx, value, to)
    return cast(cx, value, to, node.span)


def cast(cx: Context, value: hir.Expr, to: Type, span: Span) -> hir.Expr:
    """`value as to` between numbers, bool and enums."""
    if value.type is to:
        return value
    if isinstance(to, OptionalType):
        return coerce(cx, value, to)
    if is_dynamic(to):
        return coerce(cx, value, to)
    value = definite(value)
    found = value.type
    if is_dynamic(found):
        from simple_jit.hir.check_any import cast_dynamic

        return cast_dynamic(cx, value, to, span)
    if found is to:
        return value
    if is_number(to) and (is_number(found) or found is BOOL or is_plain_enum(found)):
        return hir.Convert(value, to, span)
    if to is BOOL and isinstance(found, IntType):
        return hir.Compare("ne", value, hir.Const(0, found, span), span)
    diagnostic = rule.BAD_CAST.at(span, f"{a_type(found)} cannot be converted to `{to}`")
    if found is TEXT and to in (I64, F64):
        diagnostic.hint(f"parse it: `.to_{to}()` gives {a_type(f'{to}?')}")
    elif to is TEXT:
        diagnostic.hint(f"write `text({code(value.span)})`")
    elif isinstance(to, EnumType) and isinstance(found, IntType):
        diagnostic.hint(f"`{to}.from({code(value.span)})` gives {a_type(f'{to}?')}")
    return cx.error(diagnostic)


@checks(ast.Coalesce)
def check_coalesce(cx: Context, node: ast.Coalesce, hint: Type | None) -> hir.Expr:
    """`a ?? b` evaluates `b` only where `a` is nil."""
    left = expression(cx, node.left, hint)
    if isinstance(left.type, HoleType):
        return expression(cx, node.right, hint)
    if left.type is NEVER and cx.instance.used_guess:
        return expression(cx, node.right, hint)  # a call whose result is still being inferred
    if left.type is ANY:
        from simple_jit.hir.check_any import coalesce_any

        return coalesce_any(cx, left, node.right, node.span)
    if not isinstance(left.type, OptionalType):
        expression(cx, node.right, hint)
        if left.type in (ERROR, NEVER):
            return left
        return cx.error(
            rule.NOT_OPTIONAL.at(
                node.left.span, f"`??` needs an optional on its left, but this is {a_type(left.type)}"
            )
        )
    inner = left.type.inner
    right = expression(cx, node.right, inner)
    type: Type = left.type if isinstance(right.type, (OptionalType, HoleType)) else inner
    right = coerce(cx, right, type)
    stmts: list[hir.Expr] = []
    kept = cx.keep(left, stmts)
    present = kept if type is left.type else hir.Unwrap(kept, inner, node.span, checked=False)
    chosen = hir.If(hir.IsSome(kept, node.span), present, right, type, node.span)
    return block(stmts, chosen, node.span) if right.type is not ERROR else right
