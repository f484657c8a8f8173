"""Functions that the compiler itself provides: `print`, `len`, `typeof`, `panic`, …."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.check_access import length_of
from simple_jit.hir.check_operators import adapts
from simple_jit.hir.check_stmt import check_assert
from simple_jit.hir.collections import is_set
from simple_jit.hir.context import Context, block, diverging, erroneous, expression
from simple_jit.hir.convert import coerce, definite, join_numbers
from simple_jit.hir.core_calls import call_core, call_method, call_symbol
from simple_jit.hir.report import a_type
from simple_jit.hir.show import concat_texts, joined_parts, text_of
from simple_jit.hir.symbols import ERROR, HoleType
from simple_jit.hir.types import NEVER, TEXT, UNIT, ArrayType, OptionalType, Type, is_dynamic, is_number
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def _one_argument(cx: Context, node: ast.Call, name: str) -> ast.Expr | None:
    if len(node.args) != 1 or node.args[0].name or node.args[0].spread:
        given = "1 was" if len(node.args) == 1 else f"{len(node.args) or 'none'} were"
        cx.error(rule.WRONG_ARITY.at(node.span, f"`{name}` takes 1 argument, but {given} given"))
        return None
    return node.args[0].value


# --- printing ----------------------------------------------------------------------


def _print(cx: Context, node: ast.Call, hint: Type | None) -> hir.Expr:
    stmts: list[hir.Expr] = []
    pieces, ends_line = _printed_pieces(cx, node, "print", stmts)
    if len(pieces) == 1 and pieces[0].type in (ERROR, NEVER):
        return pieces[0]
    # All are made before the first is written: what makes them may fail, or print.
    parts = joined_parts(concat_texts(cx, pieces, node.span))
    *first, last = [cx.keep(part, stmts) for part in parts]
    stmts += [call_core(cx, "write", [part], node.span) for part in first]
    write = "write_line" if ends_line else "write"
    return block(stmts, call_core(cx, write, [last], node.span), node.span)


def _eprint(cx: Context, node: ast.Call, hint: Type | None) -> hir.Expr:
    stmts: list[hir.Expr] = []
    pieces, ends_line = _printed_pieces(cx, node, "eprint", stmts)
    if len(pieces) == 1 and pieces[0].type in (ERROR, NEVER):
        return pieces[0]
    text = concat_texts(cx, pieces, node.span)
    write = "eprint_line" if ends_line else "eprint_text"
    return block(stmts, call_core(cx, write, [text], node.span), node.span)


def _printed_pieces(
    cx: Context, node: ast.Call, name: str, stmts: list[hir.Expr]
) -> tuple[list[hir.Expr], bool]:
    """Return the text forms of all arguments, with spaces between them, and whether the line ends there.

    Where there is nothing to print it is one expression, erroneous or one that does not return.
    """
    args: list[ast.Expr] = []
    named: dict[str, ast.Expr] = {}
    for arg in node.args:
        if arg.name is None:
            args.append(arg.value)
        elif arg.name.name == "end":
            named[arg.name.name] = arg.value
        else:
            cx.error(rule.UNKNOWN_PARAMETER.at(arg.name.span, f"`{name}` has no parameter `{arg.name.name}`"))
    values = _printed_values(cx, args, stmts)
    texts = {
        key: coerce(cx, expression(cx, value, TEXT), TEXT, what=f"`{key}`") for key, value in named.items()
    }
    if erroneous(*values, *texts.values()):
        return [hir.Const(None, ERROR, node.span)], False
    left = diverging([*stmts, *values], node.span)
    if left is not None:
        return [left], False
    pieces: list[hir.Expr] = []
    for index, value in enumerate(values):
        if index:
            pieces.append(hir.TextConst(" ", TEXT, node.span))
        pieces.append(text_of(cx, value, value.span, quoted=False))
    if "end" in texts:
        pieces.append(texts["end"])
    if erroneous(*pieces):
        return [hir.Const(None, ERROR, node.span)], False
    return pieces, "end" not in texts


def _printed_values(cx: Context, args: list[ast.Expr], stmts: list[hir.Expr]) -> list[hir.Expr]:
    """Check what is printed; where a later argument could change an earlier one, all go into temporaries."""
    values = []
    for arg in args:
        value = expression(cx, arg)
        if value.type is UNIT:
            value = block([value], hir.TextConst("()", TEXT, arg.span), arg.span)
        if isinstance(value.type, HoleType):
            value = hir.TextConst(value.type.shown, TEXT, arg.span)
        values.append(value)
    if all(_is_settled(v.type) for v in values[:-1]) or all(isinstance(v, _PURE) for v in values[1:]):
        return values
    return [v if v.type in (NEVER, ERROR) else cx.keep(v, stmts) for v in values]


_PURE = (hir.LocalGet, hir.GlobalGet, hir.Const, hir.TextConst)


def _is_settled(type: Type) -> bool:
    return is_number(type) or type is TEXT


# --- len, typeof, panic ------------------------------------------------------------


def _len(cx: Context, node: ast.Call, hint: Type | None) -> hir.Expr:
    arg = _one_argument(cx, node, "len")
    if arg is None:
        return hir.Const(None, ERROR, node.span)
    value = definite(expression(cx, arg))
    if value.type in (ERROR, NEVER):
        return value
    length = length_of(cx, value, node.span)
    if length is not None:
        return length
    return cx.error(rule.WRONG_TYPE.at(arg.span, f"{a_type(value.type)} has no length"))


def _typeof(cx: Context, node: ast.Call, hint: Type | None) -> hir.Expr:
    """The type of the argument, which is evaluated, as it is written in source."""
    arg = _one_argument(cx, node, "typeof")
    if arg is None:
        return hir.Const(None, ERROR, node.span)
    value = expression(cx, arg)
    if value.type in (ERROR, NEVER):
        return value
    if isinstance(value.type, HoleType):
        return cx.error(rule.CANNOT_INFER_TYPE.at(arg.span, "the type of this is not known"))
    if is_dynamic(value.type):
        from simple_jit.hir.check_any import type_name

        return type_name(cx, value, node.span)
    name = hir.TextConst(str(value.type), TEXT, node.span)
    if isinstance(value, (hir.LocalGet, hir.GlobalGet, hir.Const, hir.TextConst)):
        return name
    return hir.Block([value], name, TEXT, node.span)


def _panic(cx: Context, node: ast.Call, hint: Type | None) -> hir.Expr:
    if not node.args:
        return hir.Throw("Panic", hir.TextConst("panic", TEXT, node.span), node.span)
    arg = _one_argument(cx, node, "panic")
    if arg is None:
        return hir.Const(None, ERROR, node.span)
    value = expression(cx, arg)
    if value.type in (ERROR, NEVER):
        return value
    message = text_of(cx, value, arg.span, quoted=False)
    return hir.Throw("Panic", message, node.span)


def _assert(cx: Context, node: ast.Call, hint: Type | None) -> hir.Expr:
    return check_assert(cx, node)


def _range(cx: Context, node: ast.Call, hint: Type | None) -> hir.Expr:
    if not 1 <= len(node.args) <= 3 or any(arg.name or arg.spread for arg in node.args):
        given = "none were" if not node.args else f"{len(node.args)} were"
        return cx.error(rule.WRONG_ARITY.at(node.span, f"`range` takes 1 to 3 arguments, but {given} given"))
    from simple_jit.hir.check_lambda import range_value

    return range_value(cx, node, hint)


BUILTINS: dict[str, Callable[[Context, ast.Call, Type | None], hir.Expr]] = {
    "print": _print,
    "eprint": _eprint,
    "len": _len,
    "typeof": _typeof,
    "panic": _panic,
    "assert": _assert,
    "range": _range,
}

# --- min and max -------------------------------------------------------------------

FOLDED = frozenset({"min", "max"})


def call_min_max(cx: Context, name: str, node: ast.Call, hint: Type | None) -> hir.Expr:
    """`min` and `max` of several values, two by two, or of the elements of an array."""
    if len(node.args) == 1:
        return _of_array(cx, name, node)
    if not node.args:
        return cx.error(
            rule.WRONG_ARITY.at(node.span, f"`{name}` takes 2 arguments or more, but none were given")
        )
    nodes = [arg.value for arg in node.args]
    values = _values_of_one_type(cx, nodes, hint)
    if erroneous(*values):
        return hir.Const(None, ERROR, node.span)
    left = diverging(values, node.span)
    if left is not None:
        return left
    symbol = cx.session.loader.core_function(name)
    assert symbol is not None
    result = values[0]
    for value in values[1:]:
        result = call_symbol(cx, symbol, [result, value], node.span)
    return result


def _values_of_one_type(cx: Context, nodes: list[ast.Expr], hint: Type | None) -> list[hir.Expr]:
    """Check values; literals adapt to the others, integers among floats become floats."""
    values: dict[int, hir.Expr] = {}
    for index, node in enumerate(nodes):
        if not adapts(node):
            values[index] = definite(expression(cx, node, hint))
    wanted = next((value.type for value in values.values()), hint)
    for index, node in enumerate(nodes):
        if index not in values:
            values[index] = expression(cx, node, wanted)
    ordered = [values[index] for index in range(len(nodes))]
    common = join_numbers([value.type for value in ordered])
    if common is not None:
        ordered = [v if v.type is common else hir.Convert(v, common, v.span) for v in ordered]
    return ordered


def _of_array(cx: Context, name: str, node: ast.Call) -> hir.Expr:
    value = definite(expression(cx, node.args[0].value))
    if value.type in (ERROR, NEVER):
        return value
    is_many = isinstance(value.type, ArrayType) or is_set(value.type)
    found = call_method(cx, value, name, [], node.span) if is_many else None
    if found is None:
        return cx.error(
            rule.WRONG_ARITY.at(
                node.span, f"`{name}` takes several values or an array, not one `{value.type}`"
            )
        )
    if isinstance(found.type, OptionalType):
        return hir.Unwrap(found, found.type.inner, node.span)
    return found
