"""The entry of this stage: a source file to a checked program.

    program = check_program(source, reporter, Options())
    program.start                      the whole program, as one function
    program.find("fib")                the instance of a function, to call it from outside

The functions of the modules imported here enter themselves into the dispatch tables of `hir.context`.
"""

from __future__ import annotations

from simple_jit.base.diagnostics import Diagnostic, Reporter
from simple_jit.base.source import SourceFile, Span
from simple_jit.hir import (
    check_access,
    check_assign,
    check_call,
    check_compare,
    check_errors,
    check_literals,
    check_loops,
    check_names,
    check_operators,
    check_stmt,
    conditions,
)
from simple_jit.hir import nodes as hir
from simple_jit.hir.check_enums import is_result
from simple_jit.hir.context import Context
from simple_jit.hir.instances import get_instance, is_concrete, new_function, result_type, signature_of
from simple_jit.hir.session import Options, Session
from simple_jit.hir.symbols import ERROR, FunctionSymbol, GlobalSymbol, Module, ModuleSymbol
from simple_jit.hir.types import ANY, I64, TEXT, UNIT, IntType, StructType, Type, array_of
from simple_jit.hir.whole import check_module, init_instance
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CHECKERS = (
    check_access,
    check_assign,
    check_call,
    check_compare,
    check_errors,
    check_literals,
    check_loops,
    check_names,
    check_operators,
    check_stmt,
    conditions,
)
"""The modules that check the nodes of the syntax tree."""


def check_program(
    source: SourceFile, reporter: Reporter, options: Options | None = None
) -> hir.Program | None:
    """Check a program and all modules that it uses; None where `reporter` has errors."""
    import sys

    session = Session(reporter, options or Options())
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 20_000))
    try:
        return _check(session, source)
    finally:
        sys.setrecursionlimit(limit)
        reporter.diagnostics.sort(key=_position)


def _position(diagnostic: Diagnostic) -> tuple[str, int]:
    """Where a finding stands: those of a file are shown from top to bottom."""
    span = diagnostic.span
    return (span.file.path, span.start) if span is not None else ("", 0)


def _check(session: Session, source: SourceFile) -> hir.Program | None:
    main = session.loader.load_main(source)
    modules = import_order(session, main)
    if any(d.code < "E02" for d in session.reporter.diagnostics):
        return None  # the tree lacks what could not be parsed: more would be said than is wrong
    for module in modules:
        init = init_instance(module)
        session.queue.append(init)
        session.drain()
    for module in modules:
        if not module.is_library:
            check_module(session, module)
            session.drain()
    start = _make_start(session, main)
    session.settle()
    if _failed(session):
        return None
    _call_inits(session, start, modules)
    return hir.Program(start, session.functions, session.globals, Finder(session, main))


def _failed(session: Session) -> bool:
    return session.reporter.has_errors


def import_order(session: Session, main: Module) -> list[Module]:
    """Return the modules whose statements run, each after those it uses."""
    order: list[Module] = []
    seen: set[Module] = set()

    def visit(module: Module) -> None:
        if module in seen:
            if module not in order:
                session.cyclic.add(module)
            return
        seen.add(module)
        for statement in module.tree.statements:
            if isinstance(statement, ast.Use) and not module.is_core:
                for used in _used_modules(session, module, statement):
                    visit(used)
        order.append(module)

    visit(main)
    return order


def _used_modules(session: Session, module: Module, use: ast.Use) -> list[Module]:
    """Return the modules that a `use` names; those that are missing are reported when resolved."""
    path = tuple(ident.name for ident in use.path)
    found = session.loader.find(path, module)
    if found is None and use.names is None and not use.star:
        found = session.loader.find(path[:-1], module) if path[:-1] else None
    if found is None:
        _report_missing(session, module, use)
    return [found] if found is not None else []


def _report_missing(session: Session, module: Module, use: ast.Use) -> None:
    from simple_jit.hir.declare import imports_of

    if use.star:
        path = tuple(ident.name for ident in use.path)
        for star in module.stars:
            if star.path == path:
                session.loader.star_module(star)
        return
    for symbol in imports_of(module, use):
        declared = module.names.get(symbol.name)
        session.loader.resolve(declared if isinstance(declared, type(symbol)) else symbol)


# --- the start function ------------------------------------------------------------


def _make_start(session: Session, main: Module) -> hir.Function:
    """Make the function that runs the program; the calls of the modules' statements come later."""
    span = main.source.span(0, 0)
    start = new_function(session, main, "<start>", "<start>", span)
    start.is_written = False
    start.locals.append(hir.Local(0, "args", array_of(TEXT)))
    start.param_count = 1
    start.ret = I64
    start.body = _call_main(session, main, start, span)
    return start


def _call_main(session: Session, main: Module, start: hir.Function, span: Span) -> hir.Expr:
    from simple_jit.base import catalogue as rule

    status = hir.Const(0, I64, span)
    symbol = main.names.get("main")
    options = session.options
    if not isinstance(symbol, FunctionSymbol) or options.testing or not options.calls_main:
        return status
    params = signature_of(symbol).params
    args_type = array_of(TEXT)
    if len(params) > 1 or (params and params[0].type not in (None, args_type, ERROR)):
        session.reporter.report(
            rule.BAD_MAIN.at(symbol.span, "`main` takes no parameter, or one of type `[text]`")
        )
        return status
    args: list[hir.Expr] = [hir.LocalGet(start.locals[0], span)] if params else []
    instance = get_instance(symbol, {}, [args_type] if params else [], None)
    call = hir.Call(instance.function, args, result_type(instance), symbol.span)
    if is_result(call.type):
        from simple_jit.hir.check_results import status_of

        return status_of(Context(init_instance(main), {}, None), call)
    if isinstance(call.type, IntType):
        return call if call.type is I64 else hir.Convert(call, I64, span)
    return hir.Block([call], status, I64, span)


def _call_inits(session: Session, start: hir.Function, modules: list[Module]) -> None:
    """Put the calls of the modules' statements before that of `main`."""
    calls: list[hir.Expr] = []
    for module in [*_core_with_state(session, modules), *modules]:
        init = init_instance(module)
        if init.function.body is not None and _does_something(init.function.body):
            calls.append(hir.Call(init.function, [], UNIT, start.span))
        else:
            session.functions.pop(init.function.symbol, None)
    assert start.body is not None
    if calls:
        start.body = hir.Block(calls, start.body, I64, start.span)


def _core_with_state(session: Session, modules: list[Module]) -> list[Module]:
    """Core modules in use whose globals do not start as nil, false or zero."""
    found = []
    for module in session.loader.loaded():
        if module.is_library and module not in modules:
            bindings = [s for s in module.tree.statements if isinstance(s, ast.Binding)]
            if any(not isinstance(b.value, ast.NilLiteral) for b in bindings):
                session.queue.append(init_instance(module))
                found.append(module)
    session.settle()
    return found


def _does_something(body: hir.Expr) -> bool:
    if isinstance(body, hir.Block):
        return any(map(_does_something, body.stmts)) or body.result is not None
    return not isinstance(body, hir.Const)


# --- from outside ------------------------------------------------------------------


class Finder:
    """Finds functions of a checked program by name, making instances as needed."""

    __slots__ = ("main", "session")

    def __init__(self, session: Session, main: Module) -> None:
        self.session = session
        self.main = main

    def find(self, name: str, types: Sequence[Type] | None = None) -> hir.Function | None:
        """Return the instance of a function of the program for argument types.

        `types` may be left out for a function whose parameters all have types. `module.name` names a
        function of another module, of the core library too (`core.text.concat`).

        Raises:
            CompileError: the function does not accept these types.
        """
        symbol = self._symbol(name)
        if not isinstance(symbol, FunctionSymbol) or (types is None and not is_concrete(symbol)):
            return None
        signature = signature_of(symbol)
        wanted = [param.type for param in signature.params]
        given = list(types) if types is not None else wanted
        if len(given) != len(wanted) or any(t is None for t in given):
            return None
        env: dict[object, Type] = {}
        from simple_jit.hir.symbols import match

        for pattern, type in zip(wanted, given):
            assert type is not None
            if pattern is not None and not match(pattern, type, env):  # type: ignore[arg-type]
                return None
        if ANY in given:
            from simple_jit.hir.dispatch import note_basic

            note_basic(self.session)
        instance = get_instance(symbol, env, [t for t in given if t is not None], None)  # type: ignore[arg-type]
        result_type(instance)
        self.session.settle()
        self.session.reporter.raise_errors()
        return instance.function

    def names(self) -> list[str]:
        """Return the names of the functions that the main module declares, in order."""
        names = self.main.names
        return [n for n, symbol in names.items() if isinstance(symbol, FunctionSymbol) and n.isidentifier()]

    def dynamic_types(self) -> Iterable[Type]:
        """Return the types of which the program has values in `any` or of traits."""
        return self.session.dynamic

    def text_dict(self) -> StructType:
        """Return `{text: any}`."""
        from simple_jit.hir.collections import dict_of

        return dict_of(self.session, TEXT, ANY)

    def find_global(self, name: str) -> hir.Global | None:
        """Return a module-level variable of the program."""
        symbol = self.main.names.get(name)
        return symbol.cell if isinstance(symbol, GlobalSymbol) else None

    def _symbol(self, name: str) -> object:
        head, _, last = name.rpartition(".")
        if not head or head == self.main.key:
            found = self.session.lookup(self.main, last)
            return None if isinstance(found, ModuleSymbol) else found
        if head.startswith("core."):
            return self.session.loader.core(head).find(last)
        module = self.session.loader.find(tuple(head.split(".")), self.main)
        return module.find(last) if module is not None else None
