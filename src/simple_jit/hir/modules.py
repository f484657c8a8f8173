"""Modules: finding, reading and parsing files, and what `use` brings in.

A file is one module under whatever name it is reached. An import is resolved when its name is first
used, so cycles of imports work, and of the library only what a program uses is parsed.
"""

from __future__ import annotations

import os

from simple_jit.base import catalogue as rule
from simple_jit.base.diagnostics import suggest
from simple_jit.base.source import SourceFile
from simple_jit.hir.core_index import CoreIndex, Piece
from simple_jit.hir.declare import declare_module, declare_statements
from simple_jit.hir.decorators import expand_methods
from simple_jit.hir.report import listed
from simple_jit.hir.symbols import (
    FunctionSymbol,
    ImportSymbol,
    Module,
    ModuleSymbol,
    Symbol,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from simple_jit.base.source import Span
    from simple_jit.hir.session import Session
    from simple_jit.syntax import ast

LIBRARY = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib")


class Loader:
    """All modules of a program, and the index of the core library's."""

    def __init__(
        self,
        session: Session,
        search_path: list[str],
        library: str,
        on_load: Callable[[Module, list[ast.Stmt]], None],
    ) -> None:
        self.session = session
        self.reporter = session.reporter
        self.library = library
        self.index = CoreIndex(library)
        self.main: Module | None = None
        self._search_path = search_path
        self._by_path: dict[str, Module] = {}
        self._core: dict[str, Module] = {}
        self._on_load = on_load

    def load_main(self, source: SourceFile) -> Module:
        """Parse the program itself."""
        self.main = self._add("main", os.path.abspath(source.path), source)
        return self.main

    def loaded(self) -> list[Module]:
        """Return the modules that have been parsed so far."""
        return list(self._by_path.values())

    def core(self, key: str) -> Module:
        """Return a module of the core library by its dotted name."""
        found = self._core.get(key)
        if found is None:
            path = os.path.join(self.library, *key.split(".")) + ".spl"
            found = self._core[key] = self._by_path.get(path) or self._read(key, path)
        return found

    def core_function(self, name: str) -> FunctionSymbol | None:
        """Return a function of the core library by its name."""
        key = self.index.functions.get(name)
        symbol = self.core(key).find(name) if key is not None else None
        return symbol if isinstance(symbol, FunctionSymbol) else None

    def resolve(self, symbol: ImportSymbol, seen: tuple[ImportSymbol, ...] = ()) -> Symbol | None:
        """Return what an import stands for, or None after reporting that there is no such thing."""
        if symbol in seen:
            self.reporter.report(
                rule.UNKNOWN_IMPORT.at(
                    symbol.span, f"`{symbol.name}` is imported in a circle: nothing declares it"
                )
            )
        elif symbol.resolved is None:
            symbol.resolved = self._resolve(symbol, (*seen, symbol))
        return symbol.resolved

    def _resolve(self, symbol: ImportSymbol, seen: tuple[ImportSymbol, ...]) -> Symbol | None:
        if symbol.either:
            whole = self.find((*symbol.path, symbol.target or ""), symbol.module)
            if whole is not None:
                return ModuleSymbol(symbol.name, symbol.module, symbol.span, whole)
        module = self.find(symbol.path, symbol.module) if symbol.path else None
        if module is None:
            self._report_missing(symbol)
            return None
        if symbol.target is None:
            return ModuleSymbol(symbol.name, symbol.module, symbol.span, module)
        return self.member(module, symbol.target, symbol.span, seen)

    def member(
        self, module: Module, name: str, span: Span, seen: tuple[ImportSymbol, ...] = ()
    ) -> Symbol | None:
        """Return what `name` is in `module` for another module, or None after reporting why not."""
        found = module.find(name)
        if found is not None and not is_visible(module, name, found):
            self.reporter.report(
                rule.NOT_EXPORTED.at(span, f"`{name}` is not exported by `{module.key}`").also(
                    found.span, "declared here"
                )
            )
            return None
        if isinstance(found, ImportSymbol):
            return self.resolve(found, seen)
        if found is None:
            found = self._starred(module, name, span, seen)
        if found is None:
            diagnostic = rule.UNKNOWN_IMPORT.at(span, f"there is no `{name}` in `{module.key}`")
            near = suggest(name, [n for n, s in module.names.items() if is_visible(module, n, s)])
            self.reporter.report(diagnostic.hint(f"did you mean `{near}`?") if near else diagnostic)
        return found

    def _starred(
        self, module: Module, name: str, span: Span, seen: tuple[ImportSymbol, ...]
    ) -> Symbol | None:
        """Look `name` up among what a `pub use m.*` of `module` passes on."""
        for star in module.stars:
            target = self.star_module(star) if star.public else None
            if target is not None and target is not module and target.find(name) is not None:
                return self.member(target, name, span, seen)
        return None

    def star_module(self, star: ImportSymbol) -> Module | None:
        """Return the module of a `use m.*`."""
        if star.resolved is None:
            module = self.find(star.path, star.module)
            if module is None:
                self._report_missing(star)
                return None
            star.resolved = ModuleSymbol(star.name, star.module, star.span, module)
        assert isinstance(star.resolved, ModuleSymbol)
        return star.resolved.target

    def find(self, parts: tuple[str, ...], importer: Module) -> Module | None:
        """Return the module `a.b` as `importer` sees it."""
        for folder in self._folders(importer):
            stem = os.path.join(folder, *parts)
            for path in (stem + ".spl", os.path.join(stem, "mod.spl")):
                found = self._by_path.get(path)
                if found is not None:
                    return found
                if os.path.isfile(path):
                    return self._read(".".join(parts), path)
        return None

    def _folders(self, importer: Module) -> list[str]:
        """Return where modules are looked for, in order."""
        if importer.is_library:
            return [self.library]
        beside = os.path.dirname(importer.path)
        assert self.main is not None
        root = project_root(os.path.dirname(self.main.path))
        folders = [beside] if beside == root else [beside, root]
        environment = [p for p in os.environ.get("SIMPLE_PATH", "").split(os.pathsep) if p]
        return [*folders, *self._search_path, *environment, self.library]

    def _read(self, key: str, path: str) -> Module:
        inside = path.startswith(self.library + os.sep)
        shown = os.path.relpath(path, self.library) if inside else _short_path(path)
        if inside:
            module = self._add(key, path, SourceFile(shown, self.index.skeleton(key, path)))
            module.pending = self.index.pieces[key]
            return module
        from simple_jit.syntax.load import load_source

        source = load_source(path, self.reporter)
        if source is None:
            source = SourceFile(shown, "")
        source.path = shown
        return self._add(key, path, source)

    def _add(self, key: str, path: str, source: SourceFile) -> Module:
        from simple_jit.syntax.parser import parse

        tree = parse(source, self.reporter)
        expand_methods(tree.statements)
        self._prepare_specs(tree, path)
        module = Module(self._unique(key), path, source, tree, self.session)
        module.is_library = path.startswith(self.library + os.sep)
        module.is_core = module.is_library and key.startswith("core.")
        self._by_path[path] = module
        if module.is_core:
            self._core[key] = module
        declare_module(module, self.reporter)
        self._on_load(module, tree.statements)
        return module

    def _prepare_specs(self, tree: ast.Module, path: str) -> None:
        testing = self.session.options.testing and self.main is None
        if testing or path.endswith("_spec.spl"):
            from simple_jit.hir.check_spec import prepare

            prepare(tree, testing)
            self.session.has_specs = True

    def parse_piece(self, module: Module, piece: Piece) -> None:
        """Parse one function or method of a core module and declare it."""
        from simple_jit.syntax.parser import parse

        if piece.is_parsed:
            return
        # First what takes time: after Ctrl-C in it, what `finally` asks for may need the piece again.
        tree = parse(SourceFile(module.source.path, self.index.text(piece)), self.reporter)
        piece.is_parsed = True
        declare_statements(module, tree.statements, self.reporter)
        self._on_load(module, tree.statements)

    def _unique(self, key: str) -> str:
        """Two files may be `util` to two importers: their symbols must differ."""
        taken = {module.key for module in self._by_path.values()}
        candidate, number = key, 2
        while candidate in taken:
            candidate, number = f"{key}#{number}", number + 1
        return candidate

    def _report_missing(self, symbol: ImportSymbol) -> None:
        parts = symbol.path or (symbol.target or "",)
        relative = os.path.join(*parts)
        diagnostic = rule.UNKNOWN_MODULE.at(symbol.use_span, f"there is no module `{'.'.join(parts)}`")
        folders = self._folders(symbol.module)
        inside = [n for folder in folders for n in _modules_in(os.path.join(folder, relative))]
        if inside:
            shown = listed([f"{'.'.join(parts)}.{name}" for name in sorted(set(inside))[:5]])
            diagnostic.note(f"`{relative}` is a folder without `mod.spl`; it has {shown}")
        else:
            near = _nearest(parts, folders)
            if near:
                diagnostic.hint(f"did you mean `{near}`?")
        places = ", ".join(_short_path(folder) for folder in folders[:-1])
        diagnostic.note(f"looked for `{relative}.spl` and `{relative}/mod.spl` in: {places}")
        diagnostic.note("and in the standard library")
        self.reporter.report(diagnostic)


def _modules_in(folder: str) -> list[str]:
    """Return the names of the modules and folders of modules in a folder."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    modules = [name[:-4] for name in names if name.endswith(".spl")]
    return modules + [
        name for name in names if os.path.isdir(os.path.join(folder, name)) and name.isidentifier()
    ]


def _nearest(parts: tuple[str, ...], folders: list[str]) -> str | None:
    """Return the module that a path is most likely a misspelling of: its first part that is not there is."""
    if len(parts) == 1 and parts[0] in _modules_in(os.path.join(folders[-1], "std")):
        return f"std.{parts[0]}"
    for count in range(1, len(parts) + 1):
        known = [os.path.join(folder, *parts[: count - 1]) for folder in folders]
        names = {name for folder in known for name in _modules_in(folder)} - {"mod"}
        if parts[count - 1] not in names:
            near = suggest(parts[count - 1], names)
            return ".".join([*parts[: count - 1], near, *parts[count:]]) if near else None
    return None


def is_visible(module: Module, name: str, symbol: Symbol) -> bool:
    """May another module name this one?"""
    if module.exports is not None:
        return name in module.exports
    return not isinstance(symbol, ImportSymbol) or symbol.public


def project_root(folder: str) -> str:
    """Return the nearest folder with `simple.toml`, else `folder` itself."""
    current = folder
    while True:
        if os.path.isfile(os.path.join(current, "simple.toml")):
            return current
        parent = os.path.dirname(current)
        if parent == current:
            return folder
        current = parent


def _short_path(path: str) -> str:
    """Return `path` as a person in the current folder would write it."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative
