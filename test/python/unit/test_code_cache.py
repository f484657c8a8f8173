"""Code on disk: found again, and never used where it might not be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import run_simple
from simple_jit.engine import code_cache
from simple_jit.engine.backends import open_backend
from simple_jit.engine.code_cache import CachedUnit, CodeCache, cache_directory
from simple_jit.tiers.contract import CompiledCode

UNIT = CachedUnit(CompiledCode(b"\x90\xc3", {"f": 0}), {"f": 8})
GARBAGE = """
fn main():
    var sum = 0
    for i in 0..3_000_000:
        val xs = [i, i]
        sum += xs.len()
    print sum
"""


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CodeCache:
    monkeypatch.setenv("SIMPLE_CACHE", str(tmp_path / "cache"))
    return CodeCache(open_backend("auto"))


def only_file(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "cache").iterdir()
    return found


def test_a_unit_is_found_again(cache: CodeCache) -> None:
    assert cache.load("unit") is None
    cache.save("unit", UNIT)
    found = cache.load("unit")
    assert found is not None
    assert (found.code.text, found.code.entries, found.cells) == (b"\x90\xc3", {"f": 0}, {"f": 8})


@pytest.mark.parametrize("damage", [b"", b"abc", b"\0" * 4096])
def test_a_damaged_file_is_not_used(cache: CodeCache, tmp_path: Path, damage: bytes) -> None:
    cache.save("unit", UNIT)
    only_file(tmp_path).write_bytes(damage)
    assert cache.load("unit") is None
    file = only_file(tmp_path)
    cache.save("unit", UNIT)
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    assert cache.load("unit") is None


def test_a_file_that_others_may_write_to_is_not_used(cache: CodeCache, tmp_path: Path) -> None:
    cache.save("unit", UNIT)
    only_file(tmp_path).chmod(0o666)
    assert cache.load("unit") is None


def test_code_of_another_compiler_is_not_used(cache: CodeCache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.save("unit", UNIT)
    monkeypatch.setattr(code_cache, "_stamps", lambda directory: 1)
    assert CodeCache(open_backend("auto")).load("unit") is None


def test_where_nothing_can_be_written_nothing_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SIMPLE_CACHE", str(tmp_path / "file" / "cache"))
    cache = CodeCache(open_backend("auto"))
    cache.save("unit", UNIT)
    assert cache.load("unit") is None


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIMPLE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert cache_directory() == "/caches/simple-jit"
    monkeypatch.setenv("SIMPLE_CACHE", "/elsewhere")
    assert cache_directory() == "/elsewhere"
    monkeypatch.setenv("SIMPLE_CACHE", "0")
    assert cache_directory() is None


@pytest.mark.parametrize("backend", ["cranelift", "llvm"])
def test_a_program_collects_with_code_from_the_cache(tmp_path: Path, backend: str) -> None:
    program = tmp_path / "garbage.spl"
    program.write_text(GARBAGE)
    runs = []
    for folder in (str(tmp_path / "cache"), str(tmp_path / "cache"), "0", "/proc/nowhere"):
        words = ["run", "--mode", "always_jit", "--backend", backend, str(program)]
        done = run_simple(words, environ={"SIMPLE_CACHE": folder, "SIMPLE_GC_LOG": "1"})
        runs.append((done.out, done.status, done.err.count("gc ") > 2))
    assert runs == [("6000000\n", 0, True)] * 4
    assert only_file(tmp_path).stat().st_mode & 0o777 == 0o600
