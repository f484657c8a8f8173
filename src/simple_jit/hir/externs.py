"""`extern fn`: foreign functions, and whether there is such a function."""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.report import a_type
from simple_jit.hir.resolve_types import TypeScope, resolve
from simple_jit.hir.symbols import ERROR, ExternSymbol
from simple_jit.hir.types import BOOL, TEXT, UNIT, ArrayType, EnumType, OptionalType, Type, is_number


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
    for type, node in zip([*params, ret], [*[p.type for p in decl.params], decl.result]):
        if not _is_foreign(type):
            assert node is not None
            session.reporter.report(
                rule.EXTERN_TYPE.at(node.span, f"{a_type(type)} cannot be passed to foreign code")
            )
            return None
    raises = _raises(symbol)
    if raises is None:
        return None
    return hir.Extern(symbol.name, tuple(params), ret, decl.library, raises, symbol.span)


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


def _is_foreign(type: Type) -> bool:
    """May a value of `type` be passed to C or come from it?"""
    if isinstance(type, OptionalType):
        return _is_foreign(type.inner)
    if isinstance(type, ArrayType):
        return is_number(type.elem) or type.elem in (BOOL, TEXT)
    return is_number(type) or type in (BOOL, TEXT, UNIT) or isinstance(type, EnumType)
