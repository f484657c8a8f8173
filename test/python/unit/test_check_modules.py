"""Imports: where modules are found, what they show, and in which order they run."""

from __future__ import annotations

import os
import subprocess
import sys
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


def advice(path: Path) -> list[str]:
    """Return the hints and notes on what is wrong with a program."""
    reporter = Reporter()
    check_program(SourceFile(str(path), path.read_text(encoding="utf-8")), reporter, Options())
    return [line for d in reporter.diagnostics for line in (*d.hints, *d.notes) if "looked for" not in line]


def run_file(path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program by the command, in a process of its own."""
    words = [sys.executable, "-m", "simple_jit", "run", "--mode", "always_interpret", str(path)]
    variables = {**os.environ, "PYTHONPATH": str(Path(LIBRARY).parents[1]), **environment}
    return subprocess.run(words, capture_output=True, text=True, env=variables, timeout=60, check=False)


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
    "other.spl": "fn twice(x): x + x\n",
    "ring.spl": "pub use ring.{f}\n",
    "constants_a.spl": "use constants_b.{B}\nconst A = B + 1\n",
    "constants_b.spl": "use constants_a.{A}\nconst B = A + 1\n",
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
        ("use limited.*\nprint hidden()\n", "E0201 there is no `hidden` here"),
        ("use util.*\nuse other.*\nprint twice(1)\n", "E0504 `twice` comes from `util` and from `other`"),
        ("use other\nprint other\n", "E0208 `other` is a module, not a value"),
        ("fn f():\n    use util\n", "E0217 `use` and `export` stand at the top level of a module"),
        ("fn f(): 1\nexport g\n", "E0201 there is no `g` in this module to export"),
        ("use ring.{f}\nprint f()\n", "E0502 `f` is imported in a circle: nothing declares it"),
        ("use constants_a.{A}\nprint A\n", "E0216 the value of `A` depends on itself"),
    ],
)
def test_what_an_import_may_not(tmp_path: Path, program: str, error: str) -> None:
    write(tmp_path, {**HELPERS, "main.spl": program})
    checked, found = check_file(tmp_path / "main.spl")
    assert checked is None
    assert found == [error]


@pytest.mark.parametrize(
    ("program", "line"),
    [
        ("use utl.{twice}\n", "did you mean `util`?"),
        ("use deep.iner.{four}\n", "did you mean `deep.inner`?"),
        ("use std.maths.{sqrt}\n", "did you mean `std.math`?"),
        ("use deep.{four}\n", "`deep` is a folder without `mod.spl`; it has `deep.inner`"),
        ("use util.{twise}\n", "did you mean `twice`?"),
        ("use limited.*\nprint hidden()\n", "`limited` has one, but does not export it"),
        ("fn name(): 1\nexport nane\n", "did you mean `name`?"),
    ],
)
def test_what_is_advised(tmp_path: Path, program: str, line: str) -> None:
    write(tmp_path, {**HELPERS, "main.spl": program})
    assert line in advice(tmp_path / "main.spl")


def test_types_traits_and_constants_in_a_circle(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "main.spl": "use a.{A}\nuse b.{B}\nuse a\nval x: a.Named = A(B(nil))\nprint x.name(), x, a.LIMIT\n",
            "a.spl": (
                "use b\n"
                "const LIMIT = b.BASE * 2\n"
                "trait Named:\n    fn name() -> text\n"
                "struct A:\n    b: b.B\n"
                "impl Named for A:\n    fn name() -> text: 'a' + self.b.name()\n"
            ),
            "b.spl": (
                "use a.{A, Named, LIMIT}\n"
                "const BASE = 21\n"
                "struct B:\n    a: A?\n"
                "impl Named for B:\n    fn name() -> text: 'b' + (if LIMIT > 1: '!' else: '?')\n"
            ),
        },
    )
    done = run_file(tmp_path / "main.spl")
    assert (done.stdout, done.stderr) == ("ab! A(b: B(a: nil)) 42\n", "")


@pytest.mark.parametrize("type", ["i64", "text"])
def test_a_variable_in_a_circle_is_not_read_before_it_is_set(tmp_path: Path, type: str) -> None:
    write(
        tmp_path,
        {
            "main.spl": "use a\nprint a.x\n",
            "a.spl": f"use b\nval x: {type} = b.y + b.y\nfn f() -> {type}: x\n",
            "b.spl": "use a\nval y = a.f()\n",
        },
    )
    done = run_file(tmp_path / "main.spl")
    assert done.returncode == 1
    assert "NilError: `x` is used before it is set" in done.stderr
    assert "a.spl:3:" in done.stderr


def test_the_search_path_of_the_environment(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "main.spl": "use ext.{f as g}\nuse pack.inner as p\nprint g(), p.h()\n",
            "one/ext.spl": "fn f(): 1\n",
            "two/ext.spl": "fn f(): 2\n",
            "two/pack/inner.spl": "fn h(): 3\n",
        },
    )
    path = os.pathsep.join([str(tmp_path / "none"), str(tmp_path / "one"), str(tmp_path / "two")])
    done = run_file(tmp_path / "main.spl", SIMPLE_PATH=path)
    assert (done.stdout, done.stderr) == ("1 3\n", "")


def test_an_error_in_a_module_is_reported_there(tmp_path: Path) -> None:
    write(tmp_path, {"main.spl": "use a\nprint a.f([1])\n", "a.spl": "fn f(xs: [i64]) -> i64:\n    xs[3]\n"})
    done = run_file(tmp_path / "main.spl")
    assert done.returncode == 1
    assert "a.spl:2:" in done.stderr


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
