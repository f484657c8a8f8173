"""The examples of the documentation are true.

    ```simple      a program; a ```text block right after it is what it prints
    ```simple part a piece that is only shown
    ```console     `$ bin/simple …` and what that shows; a line `...` stands for any lines
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from harness import ROOT, run_simple

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)[ ]?(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block:
    """A fenced block; `output` is the text block that follows at once, if any."""

    def __init__(self, page: Path, line: int, kind: str, word: str, text: str, output: str | None) -> None:
        self.page = page
        self.line = line
        self.kind = kind
        self.word = word
        self.text = text
        self.output = output


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = list(BLOCK.finditer(text))
    result = []
    for match, following in zip(found, [*found[1:], None], strict=True):
        output = None
        if following and following[1] == "text" and not text[match.end() : following.start()].strip():
            output = following[3]
        line = text.count("\n", 0, match.start()) + 1
        result.append(Block(page, line, match[1], match[2], match[3], output))
    return result


ALL = [block for page in PAGES for block in blocks(page)]


def block_id(block: Block) -> str:
    return f"{block.page.name}:{block.line}"


@pytest.mark.parametrize(
    "block", [b for b in ALL if b.kind == "simple" and b.word != "part"], ids=block_id
)
def test_program_prints_what_the_page_says(block: Block) -> None:
    outcome = run_simple(["run", "-"], stdin=block.text)
    assert (outcome.status, outcome.err) == (0, ""), outcome
    assert outcome.out == (block.output or "")


def commands(block: Block) -> list[tuple[str, str]]:
    """Split a console block into command lines and what each shows.

    A command goes on, in lines that begin with `> `, as a shell shows it.
    """
    parts = re.split(r"^\$ (.*\n(?:> .*\n)*)", block.text, flags=re.MULTILINE)
    return [(parts[i].replace("\n> ", "\n"), parts[i + 1]) for i in range(1, len(parts), 2)]


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        pytest.param(command, shown, id=f"{block_id(block)} {command.splitlines()[0]}")
        for block in ALL
        if block.kind == "console"
        for command, shown in commands(block)
    ],
)
def test_command_shows_what_the_page_says(command: str, shown: str) -> None:
    words = shlex.split(command)
    environ = {}
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        environ[name] = value
    assert words[0] == "bin/simple"
    outcome = run_simple(words[1:], environ=environ)
    pattern = ".*\n".join(re.escape(part) for part in shown.split("...\n"))
    assert re.fullmatch(pattern, outcome.out + outcome.err, re.DOTALL), outcome


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target
