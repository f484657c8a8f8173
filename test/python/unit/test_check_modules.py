"""Imports: where modules are found, what they show, and in which order they run."""

from __future__ import annotations

from pathlib import Path

import pytest

from simple_jit.base.diagnostics import Reporter
from simple_jit.base.source import SourceFile
from simple_jit.hir import nodes as hir
from simple_jit.hir.check import check_program
from simple_jit.hir.core_index import CoreIndex, impl_heads
from simple_jit.hir.modules import LIBRARY
from simple_jit.hir.session import Options


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def check_file(path: Path, search_path: list[str] | None = None) -> tuple[hir.Program | None, list[str]]:
    reporter = Reporter()
    source = SourceFile(str(path), path.read_text(encoding="utf-8"))
    program = check_program(source, reporter, Options(search_path=search_path))
    return program, [f"{d.code} {d.message}" for d in reporter.diagnostics]


HELPERS = {
    "util.spl": "const LIMIT = 3\nvar count = 0\nfn twice(x): x * 2\nstruct P:\n    x: i64\nfn bump(): count += 1\n",
    "deep/inner.spl": "use util.{twice}\nfn four(x: i64) -> i64: twice(twice(x))\n",
    "pack/mod.spl": "fn packed() -> i64: 1\n",
    "limited.spl": "export shown\nfn shown() -> i64: hidden()\nfn hidden() -> i64: 2\n",
    "passing.spl": "pub use util.{twice}\npub use limited.*\n",
}


@pytest.mark.parametrize(
    "program",
    [
        "use util.{twice, LIMIT as TOP}\nprint twice(TOP)\n",
        "use util.*\nprint twice(LIMIT), P(1), count\nbump()\n",
        "use util\nprint util.twice(util.LIMIT), util.P(x: 2).x\nval p: util.P = util.P(1)\n",
        "use util as u\nprint u.twice('a')\n",
        "use util.twice\nprint twice(2)\n",
        "use deep.inner\nprint inner.four(2)\n",
        "use deep.inner.{four}\nprint four(2)\n",
        "use pack\nprint pack.packed()\n",
        "use pack.{packed}\nprint packed()\n",
        "use limited.{shown}\nprint shown()\n",
        "use passing.{twice, shown}\nprint twice(shown())\n",
    ],
)
def test_what_an_import_brings_in(tmp_path: Path, program: str) -> None:
    write(tmp_path, {**HELPERS, "main.spl": program})
    checked, found = check_file(tmp_path / "main.spl")
    assert checked is not None, found


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("use nowhere.{x}\n", "E0501 there is no module `nowhere`"),
        ("use util.{twise}\n", "E0502 there is no `twise` in `util`"),
        ("use limited.{hidden}\n", "E0503 `hidden` is not exported by `limited`"),
        ("use limited\nprint limited.hidden()\n", "E0503 `hidden` is not exported by `limited`"),
        ("use util.{count}\ncount = 2\n", "E0209 `count` belongs to `util`, which alone can assign it"),
        ("use util.{twice}\nfn twice(x): x\n", "E0205 `twice` is declared twice"),
    ],
)
def test_what_an_import_may_not(tmp_path: Path, program: str, error: str) -> None:
    write(tmp_path, {**HELPERS, "main.spl": program})
    checked, found = check_file(tmp_path / "main.spl")
    assert checked is None
    assert found == [error]


def test_modules_that_import_each_other(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "main.spl": "use a.{ping}\nprint ping(3)\n",
            "a.spl": "use b.{pong}\nfn ping(n: i64) -> i64: if n == 0: 0 else: pong(n - 1)\n",
            "b.spl": "use a.{ping}\nfn pong(n: i64) -> i64: if n == 0: 1 else: ping(n - 1)\n",
        },
    )
    checked, found = check_file(tmp_path / "main.spl")
    assert checked is not None, found


def test_statements_run_in_import_order(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"main.spl": "use b\nuse a\nprint 1\n", "a.spl": "use b\nprint 2\n", "b.spl": "print 3\n"},
    )
    program, found = check_file(tmp_path / "main.spl")
    assert program is not None, found
    body = program.start.ensure_body()
    assert isinstance(body, hir.Block)
    called = [stmt.callee.module for stmt in body.stmts if isinstance(stmt, hir.Call)]
    assert called == ["b", "a", "main"]


def test_the_project_root_and_the_search_path(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "project/simple.toml": "",
            "project/shared.spl": "fn shared() -> i64: 1\n",
            "project/app/main.spl": "use shared.{shared}\nuse extra.{more}\nprint shared(), more()\n",
            "elsewhere/extra.spl": "fn more() -> i64: 2\n",
        },
    )
    program, found = check_file(tmp_path / "project/app/main.spl", [str(tmp_path / "elsewhere")])
    assert program is not None, found


def test_one_file_is_one_module_under_any_name(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "main.spl": "use a.util.{P}\nuse a.user.{make}\nval p: P = make()\n",
            "a/util.spl": "struct P:\n    x: i64\n",
            "a/user.spl": "use util.{P}\nfn make() -> P: P(1)\n",
        },
    )
    program, found = check_file(tmp_path / "main.spl")
    assert program is not None, found


# --- the index of the core library -------------------------------------------------


@pytest.mark.parametrize(
    ("line", "heads"),
    [
        ("impl<T> [T]:", ("array",)),
        ("impl<T> T?:", ("optional",)),
        ("impl text:", ("text",)),
        ("impl<T: Float> T:", ("f32", "f64")),
        ("impl<T> T where T: Float:", ("f32", "f64")),
        ("impl<T> [[T]]:", ("array",)),
    ],
)
def test_what_an_impl_line_is_for(line: str, heads: tuple[str, ...]) -> None:
    assert impl_heads(line) == heads


def test_pieces_of_the_core_library_are_whole_declarations() -> None:
    """Each piece parses alone, in the lines where it stands in its file."""
    from simple_jit.syntax import ast
    from simple_jit.syntax.parser import parse

    index = CoreIndex(LIBRARY)
    pieces = [p for functions in index.pieces.values() for p in functions.values()]
    pieces += [p for names in index.methods.values() for found in names.values() for p in found]
    assert len(pieces) > 100
    for piece in pieces:
        reporter = Reporter()
        tree = parse(SourceFile("piece", index.text(piece)), reporter)
        assert reporter.diagnostics == []
        assert len(tree.statements) == 1
        decl = tree.statements[0]
        if isinstance(decl, ast.ImplDecl):
            (decl,) = decl.methods
        assert isinstance(decl, ast.FunctionDecl)
        assert piece.start < decl.span.line <= piece.end


def test_skeletons_of_the_core_library_parse() -> None:
    from simple_jit.syntax import ast
    from simple_jit.syntax.parser import parse

    index = CoreIndex(LIBRARY)
    for module in index.pieces:
        reporter = Reporter()
        tree = parse(SourceFile(module, index.skeleton(module, "")), reporter)
        assert reporter.diagnostics == []
        assert not any(isinstance(s, (ast.FunctionDecl, ast.ImplDecl)) for s in tree.statements)
