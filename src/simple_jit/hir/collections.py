"""The types of dicts and sets: instances of the core library's classes `Dict` and `Set`."""

from __future__ import annotations

from simple_jit.hir.symbols import RecordSymbol, is_open
from simple_jit.hir.types import OptionalType, StructType, Type, array_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.hir.nodes import Function
    from simple_jit.hir.session import Session

NAMES = {"Dict": "Dict", "Map": "Dict", "Set": "Set"}
"""The names of the generic types in source, and of the classes that they mean."""

PARAMETERS = {"Dict": 2, "Set": 1}


def collection_symbol(session: Session, name: str) -> RecordSymbol:
    """Return the class `Dict` or `Set`."""
    symbol = session.loader.core(f"core.{name.lower()}").find(name)
    assert isinstance(symbol, RecordSymbol)
    return symbol


def dict_of(session: Session, key: Type, value: Type) -> StructType:
    """Return `{key: value}`."""
    from simple_jit.hir.resolve_types import instantiate

    return instantiate(collection_symbol(session, "Dict"), (key, value))


def set_of(session: Session, element: Type) -> StructType:
    """Return `{element}`."""
    from simple_jit.hir.resolve_types import instantiate

    return instantiate(collection_symbol(session, "Set"), (element,))


def maker_of(type: StructType) -> Function:
    """Return the function that makes a dict or a set of `type` of arrays of its keys, and its values."""
    from simple_jit.hir.check import Finder

    session = type.scope.module.session
    main = session.loader.main
    assert main is not None
    module = "dict" if is_dict(type) else "set"
    found = Finder(session, main).find(f"core.{module}.{module}_of", [array_of(arg) for arg in type.args])
    assert found is not None
    return found


def shown_name(symbol: RecordSymbol, args: tuple[Type, ...]) -> str:
    """Return how a record type with its type arguments is written."""
    if symbol.module.is_core and symbol.name in PARAMETERS:
        return "{" + ": ".join(map(str, args)) + "}"
    return f"{symbol.name}<{', '.join(map(str, args))}>" if args else symbol.name


def is_dict(type: Type | None) -> bool:
    return isinstance(type, StructType) and type.scope.name == "Dict" and type.scope.module.is_core


def is_set(type: Type | None) -> bool:
    return isinstance(type, StructType) and type.scope.name == "Set" and type.scope.module.is_core


def is_range(type: Type | None) -> bool:
    """Is `type` the core library's `Range` of some integer type?"""
    return isinstance(type, StructType) and type.scope.name == "Range" and type.scope.module.is_core


def is_collection(type: Type | None) -> bool:
    """Is `type` a dict or a set?"""
    return is_dict(type) or is_set(type)


def wanted_collection(hint: Type | None) -> StructType | None:
    """Return the dict or set type that the context asks for."""
    if isinstance(hint, OptionalType):
        hint = hint.inner
    if isinstance(hint, StructType) and is_collection(hint) and not is_open(hint):
        return hint
    return None
