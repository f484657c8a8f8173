"""Calls of names: functions, foreign functions, types, and what the compiler itself provides."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.arguments import assign_slots, call_function
from simple_jit.hir.check_access import nil_safe
from simple_jit.hir.check_builtins import BUILTINS, FOLDED, call_min_max
from simple_jit.hir.check_names import (
    _outer_name,
    implicit_field,
    module_of,
    report_unknown_name,
    symbol_value,
    type_named,
)
from simple_jit.hir.check_static import call_static, construct, convert_call
from simple_jit.hir.collections import NAMES as COLLECTIONS
from simple_jit.hir.collections import is_collection, is_range
from simple_jit.hir.context import Context, Variable, checks, diverging, expression
from simple_jit.hir.convert import coerce, definite
from simple_jit.hir.core_calls import call_method
from simple_jit.hir.core_index import PRELUDE
from simple_jit.hir.externs import resolve_extern
from simple_jit.hir.instances import signature_of
from simple_jit.hir.report import a_type, count
from simple_jit.hir.resolve_types import BUILTIN_TYPES
from simple_jit.hir.symbols import (
    ERROR,
    ExternSymbol,
    FunctionSymbol,
    HoleType,
    RecordSymbol,
    Symbol,
    is_open,
)
from simple_jit.hir.types import ANY, FnType, OptionalType, Type, optional_of
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.source import Span


@checks(ast.Call)
def check_call(cx: Context, node: ast.Call, hint: Type | None) -> hir.Expr:
    callee = node.callee
    if isinstance(callee, ast.Name):
        return _call_name(cx, callee, node, hint)
    if isinstance(callee, ast.TypeApply):
        return _call_applied(cx, callee, node, hint)
    if isinstance(callee, ast.Member):
        return _call_member(cx, callee, node, hint)
    if isinstance(callee, ast.Index) and callee.nil_safe:
        return nil_safe(cx, expression(cx, callee), node.span, lambda v: _not_callable(cx, v, node))
    static = type_named(cx, callee)
    if static is not None:
        return call_type(cx, static, node, hint)
    return _call_value(cx, expression(cx, callee), node)


def _call_value(cx: Context, value: hir.Expr, node: ast.Call) -> hir.Expr:
    """Call a value: a function, an object with a method `call`, or an `any` that holds one of them."""
    if value.type is ERROR:
        _check_args(cx, node)
        return value
    value = definite(value)
    if value.type is ANY:
        from simple_jit.hir.any_members import call_any

        return call_any(cx, value, node.args, node.span)
    called = call_function_value(cx, value, node)
    return called if called is not None else _not_callable(cx, value, node)


def call_function_value(cx: Context, value: hir.Expr, node: ast.Call) -> hir.Expr | None:
    """Call a function, or an object with a method `call`; None where `value` is neither."""
    from simple_jit.hir.check_methods import call_named_method

    if isinstance(value.type, FnType):
        from simple_jit.hir.closures import call_value

        return call_value(cx, value, node)
    if cx.session.find_method(value.type, "call") is not None:
        ident = ast.Ident(node.callee.span, "call")
        return call_named_method(cx, value, ident, node.args, node.span, None)
    return None


def _not_callable(cx: Context, value: hir.Expr, node: ast.Call) -> hir.Expr:
    _check_args(cx, node)
    return cx.error(rule.NOT_CALLABLE.at(node.callee.span, f"{a_type(value.type)} cannot be called"))


def _check_args(cx: Context, node: ast.Call) -> None:
    """Check the arguments for what else is wrong, where the callee is not known."""
    for arg in node.args:
        if not isinstance(arg.value, ast.Lambda):
            expression(cx, arg.value)


# --- names -------------------------------------------------------------------------


def _call_name(cx: Context, callee: ast.Name, node: ast.Call, hint: Type | None) -> hir.Expr:
    name = callee.name
    if name.startswith("__") and cx.is_library:
        from simple_jit.hir.check_intrinsics import call_intrinsic

        return call_intrinsic(cx, node, name[2:], None)
    found = cx.find(name)
    if isinstance(found, Variable):
        return _call_value(cx, expression(cx, callee), node)
    if found is None and _is_function_field(cx, callee):
        return _call_value(cx, expression(cx, callee), node)
    symbol = found or _symbol(cx, name)
    if symbol is not None:
        return call_symbol_node(cx, symbol, node, hint)
    if name in BUILTINS:
        return BUILTINS[name](cx, node, hint)
    if name in BUILTIN_TYPES:
        return convert_call(cx, BUILTIN_TYPES[name], node)
    if name in PRELUDE:
        return _call_prelude(cx, name, node, hint)
    type = cx.types.types.get(name)
    if type is not None:
        return call_type(cx, type, node, hint)
    return _call_unknown(cx, callee, node, hint)


def _is_function_field(cx: Context, callee: ast.Name) -> bool:
    """Is the name that of a field of self that holds a function?"""
    field = implicit_field(cx, callee)
    if field is None:
        return False
    index = field[1].field_index(callee.name)
    assert index is not None
    type = field[1].fields[index].type
    return isinstance(type.inner if isinstance(type, OptionalType) else type, FnType)


def _symbol(cx: Context, name: str) -> Symbol | None:
    outer = cx.symbol.outer if cx.symbol else None
    if outer is not None and name in outer.symbols:
        return outer.symbols[name]
    return cx.session.lookup(cx.module, name)


def _call_prelude(cx: Context, name: str, node: ast.Call, hint: Type | None) -> hir.Expr:
    if name in FOLDED and not any(arg.name or arg.spread for arg in node.args):
        return call_min_max(cx, name, node, hint)
    symbol = cx.session.loader.core_function(name)
    if symbol is None:
        assert isinstance(node.callee, ast.Name)
        return report_unknown_name(cx, node.callee)
    return call_function(cx, symbol, None, node.args, node.span, {}, hint)


def _call_unknown(cx: Context, callee: ast.Name, node: ast.Call, hint: Type | None) -> hir.Expr:
    if callee.name in COLLECTIONS:
        from simple_jit.hir.check_dicts import call_collection

        return call_collection(cx, callee.name, [], node, hint)
    from simple_jit.hir.check_results import bare_variant

    variant = bare_variant(cx, callee.name, node, hint)
    if variant is not None:
        return variant
    _check_args(cx, node)
    value = _outer_name(cx, callee, hint)
    if value.type is ERROR:
        return value
    return _not_callable(cx, value, node)


def call_symbol_node(cx: Context, symbol: Symbol, node: ast.Call, hint: Type | None) -> hir.Expr:
    """Call what a name stands for."""
    if isinstance(symbol, FunctionSymbol):
        report_deprecated(cx, symbol, node.callee.span)
        return call_function(cx, symbol, None, node.args, node.span, {}, hint)
    if isinstance(symbol, ExternSymbol):
        return call_extern(cx, symbol, node.args, node.span)
    if isinstance(symbol, RecordSymbol):
        return construct(cx, symbol, None, node, hint)
    static = type_named(cx, node.callee)
    if static is not None:
        return call_type(cx, static, node, hint)
    _check_args(cx, node)
    value = symbol_value(cx, symbol, node.callee.span)
    return value if value.type is ERROR else _call_value(cx, value, node)


def report_deprecated(cx: Context, symbol: FunctionSymbol, span: Span) -> None:
    if "deprecated" not in symbol.annotations:
        return
    note = next(a for a in symbol.decl.annotations if a.path[0].name == "deprecated")
    warning = rule.DEPRECATED.at(span, f"`{symbol.name}` is deprecated")
    if note.args and isinstance(note.args[0].value, ast.TextLiteral):
        warning.note(note.args[0].value.value)
    cx.reporter.report(warning)


def call_type(cx: Context, static: Type | RecordSymbol, node: ast.Call, hint: Type | None) -> hir.Expr:
    """Call a type: construct a struct, or convert."""
    from simple_jit.hir.types import StructType

    if isinstance(static, RecordSymbol):
        return construct(cx, static, None, node, hint)
    if isinstance(static, StructType) and is_collection(static) and not cx.module.is_core:
        from simple_jit.hir.check_dicts import construct_collection

        return construct_collection(cx, static, node)
    if isinstance(static, StructType):
        assert isinstance(static.scope, RecordSymbol)
        return construct(cx, static.scope, static, node, hint)
    return convert_call(cx, static, node)


def _call_applied(cx: Context, callee: ast.TypeApply, node: ast.Call, hint: Type | None) -> hir.Expr:
    """`first<i64>(xs)`, `Box<i64>(item: 1)`, `__load<u8>(address)`."""
    if isinstance(callee.value, ast.Name):
        name = callee.value.name
        if name.startswith("__") and cx.is_library:
            from simple_jit.hir.check_intrinsics import call_intrinsic

            return call_intrinsic(cx, node, name[2:], callee.args)
        found = cx.find(name)
        symbol = found if isinstance(found, Symbol) else _symbol(cx, name) if found is None else None
        if symbol is None and name in PRELUDE:
            symbol = cx.session.loader.core_function(name)
        if isinstance(symbol, FunctionSymbol):
            return _call_generic(cx, symbol, callee, node, hint)
        if symbol is None and found is None and name in COLLECTIONS:
            from simple_jit.hir.check_dicts import call_collection

            return call_collection(cx, name, callee.args, node, hint)
        if symbol is None and found is None:
            _check_args(cx, node)
            return report_unknown_name(cx, callee.value)
    static = type_named(cx, callee)
    if static is not None:
        return call_type(cx, static, node, hint)
    _check_args(cx, node)
    return cx.error(rule.NOT_CALLABLE.at(callee.span, "this takes no type arguments"))


def _call_generic(
    cx: Context, symbol: FunctionSymbol, callee: ast.TypeApply, node: ast.Call, hint: Type | None
) -> hir.Expr:
    generics = signature_of(symbol).generics
    types = [cx.resolve(arg) for arg in callee.args]
    if len(types) != len(generics):
        return cx.error(
            rule.WRONG_TYPE_ARITY.at(
                callee.span,
                f"`{symbol.name}` takes {count(len(generics), 'type argument')}, but {len(types)} were given",
            ).also(symbol.span, "declared here")
        )
    if ERROR in types:
        return hir.Const(None, ERROR, node.span)
    return call_function(cx, symbol, None, node.args, node.span, dict(zip(generics, types)), hint)


# --- members -----------------------------------------------------------------------


def _call_member(cx: Context, callee: ast.Member, node: ast.Call, hint: Type | None) -> hir.Expr:
    module = module_of(cx, callee.value)
    if module is not None:
        symbol = cx.session.member(module, callee.name.name, callee.name.span)
        if symbol is None:
            _check_args(cx, node)
            return hir.Const(None, ERROR, node.span)
        return call_symbol_node(cx, symbol, node, hint)
    static = type_named(cx, callee.value)
    if static is not None:
        return call_static(cx, static, callee.name, node, hint)
    from simple_jit.hir.check_methods import call_named_method

    if isinstance(callee.value, ast.Range) and callee.name.name == "step_by" and len(node.args) == 1:
        from simple_jit.hir.check_lambda import range_value

        return range_value(cx, node, hint)
    receiver = expression(cx, callee.value)
    if receiver.type is ERROR:
        _check_args(cx, node)
        return receiver
    if is_range(receiver.type) and cx.session.find_method(receiver.type, callee.name.name) is None:
        items = call_method(cx, receiver, "to_array", [], callee.value.span)
        receiver = items if items is not None else receiver
    if callee.nil_safe:
        return nil_safe(
            cx,
            receiver,
            node.span,
            lambda v: call_named_method(cx, v, callee.name, node.args, node.span, hint),
        )
    return call_named_method(cx, receiver, callee.name, node.args, node.span, hint)


# --- foreign functions -------------------------------------------------------------


def call_extern(cx: Context, symbol: ExternSymbol, args: list[ast.Arg], span: Span) -> hir.Expr:
    extern = resolve_extern(symbol)
    slots = assign_slots(cx, symbol.name, symbol.decl.params, args, span, symbol.span)
    if slots is None or extern is None:
        for arg in args:
            expression(cx, arg.value)
        return hir.Const(None, ERROR, span)
    values: list[hir.Expr] = []
    stmts: list[hir.Expr] = []
    checked: dict[int, hir.Expr] = {}
    for index in slots.order:
        wanted = extern.params[index]
        value = coerce(
            cx, expression(cx, slots.given[index][0].value, wanted), wanted, symbol.decl.params[index].span
        )
        checked[index] = cx.keep(value, stmts) if slots.order != sorted(slots.order) else value
    for index, (param, wanted) in enumerate(zip(symbol.decl.params, extern.params)):
        if index in checked:
            values.append(checked[index])
        else:
            assert param.default is not None
            values.append(coerce(cx, expression(cx, param.default, wanted), wanted))
    if any(value.type is ERROR for value in values):
        return hir.Const(None, ERROR, span)
    left = diverging([*stmts, *values], span)
    if left is not None:
        return left
    call = hir.CallExtern(extern, values, span)
    return hir.Block(stmts, call, call.type, span) if stmts else call


def some(cx: Context, node: ast.Call, hint: Type | None) -> hir.Expr:
    """`Some(x)` is `x` seen as an optional."""
    if len(node.args) != 1:
        return cx.error(rule.WRONG_ARITY.at(node.span, "`Some` takes 1 argument"))
    from simple_jit.hir.types import NEVER, UNIT, OptionalType

    inner = hint.inner if isinstance(hint, OptionalType) and not is_open(hint) else None
    value = expression(cx, node.args[0].value, inner)
    if value.type in (ERROR, NEVER) or isinstance(value.type, (OptionalType, HoleType)):
        return value
    if inner is not None and value.type is not inner:
        value = coerce(cx, value, inner)
        if value.type is ERROR:
            return value
    if value.type is UNIT:
        return cx.error(rule.NO_VALUE.at(node.args[0].span, "this gives no value"))
    return hir.Some(value, optional_of(value.type), node.span)


BUILTINS["Some"] = some
