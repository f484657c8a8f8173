"""Make the second half of docs/library.md from the docstrings in src/simple_jit/lib.

    PYTHONPATH=src python tools/document_library.py [--check]

`--check` writes nothing, and fails where the page is not up to date.
"""

import sys
from pathlib import Path

from simple_jit.base.diagnostics import Reporter
from simple_jit.base.source import SourceFile
from simple_jit.syntax import ast
from simple_jit.syntax.parser import parse

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "src" / "simple_jit" / "lib"
PAGE = ROOT / "docs" / "library.md"
MARK = "<!-- What follows is made by tools/document_library.py from the docstrings in lib/. -->\n"
HIDDEN = {"core/gc.spl", "core/layout.spl"}


def main() -> int:
    page = PAGE.read_text(encoding="utf-8")
    wanted = page.split(MARK)[0].rstrip() + "\n\n" + MARK + "\n" + reference()
    if "--check" in sys.argv:
        return int(page != wanted)
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


def reference() -> str:
    """Return the tables: a heading a module, a row a function or method."""
    parts = ["# The library, module by module\n"]
    for path in sorted(LIBRARY.rglob("*.spl")):
        name = path.relative_to(LIBRARY).as_posix()
        if name in HIDDEN:
            continue
        rows = list(entries(path, in_core=name.startswith("core/")))
        if rows:
            parts.append(f"\n## {name.removesuffix('.spl').replace('/', '.').removesuffix('.mod')}\n\n")
            parts.append("| | |\n|---|---|\n")
            parts.extend(rows)
    return "".join(parts)


def entries(path: Path, in_core: bool):
    """Yield a table row for all that users may call; of core modules, the methods and the builtins."""
    source = SourceFile(str(path), path.read_text(encoding="utf-8"))
    module = parse(source, Reporter())
    for statement in module.statements:
        if isinstance(statement, ast.FunctionDecl):
            if not statement.name.name.startswith("_") and (not in_core or path.stem == "builtins"):
                yield row(statement, "")
        elif isinstance(statement, ast.ExternFn):
            if not in_core:
                yield f"| `{' '.join(statement.span.text.split())}` | a foreign function |\n"
        elif isinstance(statement, ast.ImplDecl):
            yield from methods(statement, statement.target.span.text)
        elif isinstance(statement, (ast.RecordDecl, ast.EnumDecl)):
            if not statement.name.name.startswith("_"):
                yield from methods(statement, statement.name.name)


def methods(owner, type_name: str):
    for method in owner.methods:
        if not method.name.name.startswith("_") and method.body is not None and method.body.doc:
            yield row(method, f"{type_name}.")


def row(function: ast.FunctionDecl, prefix: str) -> str:
    params = ", ".join(" ".join(param.span.text.split()) for param in function.params)
    result = f" → {' '.join(function.result.span.text.split())}" if function.result else ""
    doc = " ".join(((function.body and function.body.doc) or "").split())
    signature = f"{prefix}{function.name.name}({params}){result}".replace("|", "\\|")
    return f"| `{signature}` | {doc.replace('|', chr(92) + '|')} |\n"


if __name__ == "__main__":
    sys.exit(main())
