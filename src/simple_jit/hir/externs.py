"""`extern fn`: foreign functions, and whether there is such a function."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.dispatch import note_basic
from simple_jit.hir.report import a_type
from simple_jit.hir.resolve_types import TypeScope, resolve
from simple_jit.hir.symbols import ERROR, ExternSymbol
from simple_jit.hir.types import (
    ANY,
    BOOL,
    TEXT,
    UNIT,
    ArrayType,
    Type,
    array_of,
    function_of,
    is_number,
    is_plain_enum,
    optional_of,
)


def resolve_extern(symbol: ExternSymbol) -> hir.Extern | None:
    """Resolve the types of an `extern fn` and look the function up; done once."""
    if symbol.extern is None:
        symbol.extern = _make(symbol)
    return symbol.extern


def _make(symbol: ExternSymbol) -> hir.Extern | None:
    decl = symbol.decl
    session = symbol.module.session
    scope = TypeScope(symbol.module)
    params: list[Type] = []
    for param in decl.params:
        if param.type is None:
            session.reporter.report(
                rule.EXTERN_TYPE.at(
                    param.span, f"the parameter `{param.name.name}` of a foreign function has a type"
                )
            )
            return None
        params.append(resolve(param.type, scope))
    ret = resolve(decl.result, scope) if decl.result is not None else UNIT
    if ERROR in params or ret is ERROR:
        return None
    raises = _raises(symbol)
    if raises is None:
        return None
    if ret is array_of(ANY):
        note_basic(session)
    extern = hir.Extern(symbol.name, tuple(params), ret, decl.library, raises, symbol.span)
    return extern if (_fits_python if raises else _fits_c)(symbol, extern) else None


def _fits_python(symbol: ExternSymbol, extern: hir.Extern) -> bool:
    """Is a Python function declared with its own types? The result may be left out."""
    session = symbol.module.session
    lookup = session.options.extern_signature
    signature = lookup(extern.name, extern.library) if lookup is not None else None
    if signature is None:
        return True
    params, ret = signature
    if extern.params == params and extern.ret in (ret, UNIT):
        return True
    declared, actual = function_of(extern.params, extern.ret), function_of(params, ret)
    session.reporter.report(
        rule.EXTERN_TYPE.at(symbol.span, f"`{symbol.name}` is `{actual}`, not `{declared}`")
    )
    return False


def _fits_c(symbol: ExternSymbol, extern: hir.Extern) -> bool:
    """Can C take and give values of the types of a declaration?"""
    decl = symbol.decl
    nodes = [param.type for param in decl.params]
    for type, node in zip([*extern.params, extern.ret], [*nodes, decl.result]):
        if not (_is_c_result(type) if node is decl.result else _is_c_parameter(type)):
            assert node is not None
            symbol.module.session.reporter.report(
                rule.EXTERN_TYPE.at(node.span, f"{a_type(type)} cannot be passed to foreign code")
            )
            return False
    return True


def _raises(symbol: ExternSymbol) -> bool | None:
    options = symbol.module.session.options
    if options.extern_lookup is None:
        return symbol.name.startswith("rt_")
    raises = options.extern_lookup(symbol.name, symbol.decl.library)
    if raises is None:
        places = f"`{symbol.decl.library}`" if symbol.decl.library else options.extern_places
        symbol.module.session.reporter.report(
            rule.UNKNOWN_EXTERN.at(symbol.span, f"there is no foreign function `{symbol.name}`").note(
                f"looked in: {places}"
            )
        )
    return raises


def _is_c_parameter(type: Type) -> bool:
    if isinstance(type, ArrayType):
        return is_number(type.elem) or type.elem is BOOL
    return is_number(type) or type in (BOOL, TEXT) or is_plain_enum(type)


def _is_c_result(type: Type) -> bool:
    """A `text?` is nil for NULL."""
    return (
        type is UNIT
        or type is optional_of(TEXT)
        or (_is_c_parameter(type) and not isinstance(type, ArrayType))
    )
