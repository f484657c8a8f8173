"""The library in Simple agrees with the compiler about what both must know."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import simple_jit
from simple_jit.base.diagnostics import Reporter
from simple_jit.base.source import SourceFile
from simple_jit.hir.intrinsics import TABLE
from simple_jit.mir import abi
from simple_jit.mir.layout import BUFFER_DESCRIPTOR, FIXED_DESCRIPTORS
from simple_jit.syntax.parser import parse

LIBRARY = Path(simple_jit.__file__).parent / "lib"
MODULES = sorted(LIBRARY.rglob("*.spl"))


def constants(path: Path) -> dict[str, int]:
    found = re.findall(r"^const (\w+) = (\d+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: int(value) for name, value in found}


def test_the_offsets_are_those_of_the_abi() -> None:
    layout = constants(LIBRARY / "core" / "layout.spl")
    assert layout.pop("BUFFER_TYPE") == FIXED_DESCRIPTORS.index(BUFFER_DESCRIPTOR)
    assert layout == {name: getattr(abi, name) for name in layout}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_a_module_parses_and_documents_what_it_offers(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    reporter = Reporter()
    parse(SourceFile(path.name, text), reporter)
    assert not reporter.diagnostics
    assert text.startswith('"""')
    for method in re.findall(
        r"^    (?:static )?(?:fn|me) ([a-z]\w*).*:\n(?!        \"\"\")", text, re.MULTILINE
    ):
        pytest.fail(f"`{method}` has no documentation")


CHECKER = "\n".join(path.read_text(encoding="utf-8") for path in (LIBRARY.parent / "hir").glob("*.py"))


def test_what_the_checker_calls_by_name_is_there_once() -> None:
    names = Counter(
        name
        for path in (LIBRARY / "core").glob("*.spl")
        for name in re.findall(r"^fn (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    )
    called = set(re.findall(r'(?:call_core\(cx, |core_function\()"(\w+)"', CHECKER))
    assert called
    assert {name: names[name] for name in called} == dict.fromkeys(called, 1)


def test_only_known_intrinsics_are_used() -> None:
    special = set(re.findall(r'name == "(\w+)"', CHECKER))
    for path in MODULES:
        used = set(re.findall(r"\b__(\w+)", path.read_text(encoding="utf-8")))
        assert used <= {*TABLE, *special}, path


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_what_is_imported_is_used(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for names in re.findall(r"^use [\w.]+\.\{(.*)\}$", text, re.MULTILINE):
        for name in names.split(", "):
            assert len(re.findall(rf"\b{name}\b", text)) > 1, name


OPERATORS = {
    *("add", "sub", "mul", "div", "floordiv", "rem", "pow", "neg", "bitand", "bitor", "bitxor", "shl", "shr"),
    *("eq", "cmp", "index", "set_index", "contains", "call"),
}


def test_the_reference_names_all_that_users_may_call() -> None:
    reference = (LIBRARY.parents[2] / "docs" / "library.md").read_text(encoding="utf-8")
    words = set(re.findall(r"\w+", reference))
    missing = []
    for path in MODULES:
        if path.is_relative_to(LIBRARY / "compiler"):
            continue  # in the guide
        text = path.read_text(encoding="utf-8")
        names = re.findall(r"^    (?:static )?(?:fn|me) ([a-z]\w*)", text, re.MULTILINE)
        if path.parent.name != "core" or path.stem == "builtins":
            names += re.findall(r"^(?:extern )?fn ([a-z]\w*)", text, re.MULTILINE)
        missing += [f"{path.stem}: {name}" for name in names if name not in words | OPERATORS]
    assert missing == []


def test_the_reference_is_made_from_the_docstrings() -> None:
    tool = LIBRARY.parents[2] / "tools" / "document_library.py"
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY.parents[1])}
    check = subprocess.run([sys.executable, str(tool), "--check"], env=environment, check=False)
    assert check.returncode == 0, "run tools/document_library.py"
