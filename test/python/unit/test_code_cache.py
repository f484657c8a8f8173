"""Code on disk: used by the next process, and only if the compiler is the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import run_simple
from simple_jit.engine import code_cache
from simple_jit.engine.backends import open_backend
from simple_jit.engine.code_cache import CachedUnit, CodeCache
from simple_jit.tiers.contract import CompiledCode
from simple_jit.tiers.llvm import object_cache
from simple_jit.tiers.llvm.hotness import Part
from simple_jit.tiers.llvm.object_cache import ObjectCache

GARBAGE = """
fn main():
    var kept = [[0]]
    for i in 0..3_000_000:
        kept[0] = [i, i]
    print kept[0]
"""


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("SIMPLE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_unit_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    unit = CachedUnit(CompiledCode(b"\x90\xc3", {"f": 0}), {"f": 8})
    cache = CodeCache(open_backend("auto"))
    assert cache.load("unit") is None
    cache.save("unit", unit)
    found = CodeCache(open_backend("auto")).load("unit")
    assert found is not None
    assert (found.code.text, found.code.entries, found.cells) == (b"\x90\xc3", {"f": 0}, {"f": 8})
    monkeypatch.setattr(code_cache, "stamps", lambda directory: "another compiler")
    assert CodeCache(open_backend("auto")).load("unit") is None


def test_objects_are_found_by_their_ir(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("llvmlite")
    cache = ObjectCache(enabled=True)
    parts = [Part([], 2, False), Part([], 0, False)]
    key = cache.key(parts, ["one", "two"])
    cache.save(key, [b"1", b"2"])
    assert ObjectCache(enabled=True).load(key) == [b"1", b"2"]
    others = [
        cache.key(parts, ["one", "three"]),
        cache.key([Part([], 2, True), parts[1]], ["one", "two"]),
        cache.key(parts[::-1], ["one", "two"]),
    ]
    monkeypatch.setattr(object_cache, "stamps", lambda directory: "another compiler")
    others.append(ObjectCache(enabled=True).key(parts, ["one", "two"]))
    assert key not in others
    off = ObjectCache(enabled=False)
    off.save(off.key(parts, ["one", "two"]), [b"1", b"2"])
    assert off.load(off.key(parts, ["one", "two"])) is None


@pytest.mark.parametrize("backend", ["cranelift", "llvm"])
def test_programs_run_with_code_from_the_cache(folder: Path, tmp_path: Path, backend: str) -> None:
    program = tmp_path / "garbage.spl"
    program.write_text(GARBAGE)
    words = ["run", "--mode", "always_jit", "--backend", backend, str(program)]
    runs = []
    files = []
    for place in (str(folder), str(folder), "0", "/proc/nowhere"):
        done = run_simple(words, environ={"SIMPLE_CACHE": place, "SIMPLE_GC_LOG": "1"})
        runs.append((done.out, done.status, done.err.count("gc ") > 2))
        files.append(sorted(file.name.split("-")[0] for file in folder.iterdir()))
    assert runs == [("[2999999, 2999999]\n", 0, True)] * 4
    assert files == [["collector", "llvm"] if backend == "llvm" else ["collector"]] * 4


def test_a_damaged_cache_is_made_anew(folder: Path, tmp_path: Path) -> None:
    program = tmp_path / "garbage.spl"
    program.write_text(GARBAGE)
    words = ["run", "--mode", "always_jit", "--backend", "llvm", str(program)]
    for damage in (b"", bytes(1000)):
        assert run_simple(words, environ={"SIMPLE_CACHE": str(folder)}).out == "[2999999, 2999999]\n"
        for file in folder.iterdir():
            file.write_bytes(damage)
    assert run_simple(words, environ={"SIMPLE_CACHE": str(folder)}).out == "[2999999, 2999999]\n"
