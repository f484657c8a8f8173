"""Files that save work: found again, and never used where they might not be right."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from simple_jit.base import disk_cache
from simple_jit.base.disk_cache import DiskCache, cache_directory, digest, stamps


@pytest.fixture
def cache(tmp_path: Path) -> DiskCache:
    return DiskCache(str(tmp_path / "cache"))


def only_file(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "cache").iterdir()
    return found


def test_what_was_saved_is_found_again(cache: DiskCache, tmp_path: Path) -> None:
    assert cache.load("a") is None
    cache.save("a", b"content")
    cache.save("b", b"")
    assert (cache.load("a"), cache.load("b"), cache.load("c")) == (b"content", b"", None)
    cache.save("a", b"other")
    assert DiskCache(str(tmp_path / "cache")).load("a") == b"other"


@pytest.mark.parametrize("damage", [b"", b"abc", b"\0" * 4096])
def test_a_damaged_file_is_not_used(cache: DiskCache, tmp_path: Path, damage: bytes) -> None:
    cache.save("a", b"content")
    file = only_file(tmp_path)
    content = file.read_bytes()
    for wrong in (damage, content[:-1], content[:-1] + b"?", content + b"?"):
        file.write_bytes(wrong)
        assert cache.load("a") is None


def test_a_file_that_others_may_write_to_is_not_used(cache: DiskCache, tmp_path: Path) -> None:
    cache.save("a", b"content")
    assert only_file(tmp_path).stat().st_mode & 0o777 == 0o600
    only_file(tmp_path).chmod(0o666)
    assert cache.load("a") is None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for directory in (str(tmp_path / "file" / "cache"), "/proc/nowhere", None):
        cache = DiskCache(directory)
        cache.save("a", b"content")
        assert cache.load("a") is None
    assert not DiskCache(None)


def test_what_was_not_used_for_longest_makes_room(
    cache: DiskCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_cache, "MOST_BYTES", 1000)
    monkeypatch.setattr(disk_cache, "_KEPT_BYTES", 500)
    for at, name in enumerate("abcde"):
        cache.save(name, bytes(200))
        os.utime(tmp_path / "cache" / f"{name}.bin", (at, at))
    assert cache.load("a")  # used just now
    cache.save("g", b"one more")
    found = {name for name in "abcdeg" if cache.load(name) is not None}
    assert found == {"a", "e", "g"}


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIMPLE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert cache_directory() == "/caches/simple-jit"
    monkeypatch.setenv("SIMPLE_CACHE", "/elsewhere")
    assert cache_directory() == "/elsewhere"
    monkeypatch.setenv("SIMPLE_CACHE", "0")
    assert cache_directory() is None


def test_texts_divided_otherwise_have_another_digest() -> None:
    assert len({digest("ab", "c"), digest("a", "bc"), digest("abc"), digest("abc", "")}) == 4


def test_stamps_tell_of_every_change(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    file = tmp_path / "inner" / "module.py"
    file.write_text("a = 1")
    seen = [stamps(str(tmp_path))]
    file.write_text("a = 12")
    seen.append(stamps(str(tmp_path)))
    os.utime(file, (1, 1))
    seen.append(stamps(str(tmp_path)))
    file.rename(tmp_path / "inner" / "other.py")
    seen.append(stamps(str(tmp_path)))
    assert len(set(seen)) == 4
