"""Golden files, for all tests: `golden.check(path, text)`, rewritten by `--bless`."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Keep compiled code in a folder of these tests alone: nothing that was there before may help them."""
    folder = tempfile.mkdtemp(prefix="simple-cache-")
    os.environ["SIMPLE_CACHE"] = folder
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="rewrite golden files; read the diff")


class Golden:
    """Compares texts with the files that hold what they should be."""

    def __init__(self, bless: bool) -> None:
        self._bless = bless

    def check(self, path: Path, text: str) -> None:
        """Fail unless `path` holds `text`; with `--bless` make it so instead."""
        if self._bless:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        assert path.exists(), f"{path} is missing: run pytest with --bless and read it"
        assert text == path.read_text(encoding="utf-8")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden(request.config.getoption("--bless"))
