"""What the core library declares, found without parsing it.

A program that prints one number must not pay for parsing all of `lib/core`. So the index is made from
the lines of its files alone: a top-level `fn` at the start of a line, an `impl` line and the methods
indented below it. A core module is parsed when one of its names is used.
"""

from __future__ import annotations

import os

PRELUDE = frozenset({"abs", "clock", "enumerate", "input", "max", "min", "sorted", "sum", "zip"})
"""The core functions that every program sees; the checker itself knows `print`, `len`, ….."""

INTEGERS = ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64")
FLOATS = ("f32", "f64")
BOUNDS = {
    "Integer": INTEGERS,
    "Signed": INTEGERS[:4],
    "Unsigned": INTEGERS[4:],
    "Float": FLOATS,
    "Number": INTEGERS + FLOATS,
}
"""The bounds that choose an implementation, and the types that meet them."""


class Piece:
    """The lines of one function or method in a core module; `header` is the line of its `impl`, or -1."""

    __slots__ = ("end", "header", "is_parsed", "module", "start")

    def __init__(self, module: str, start: int, header: int) -> None:
        self.module = module
        self.start = start
        self.end = start
        self.header = header
        self.is_parsed = False


class CoreIndex:
    """Which core module declares a function, or a method of a built-in type, and in which lines."""

    __slots__ = ("functions", "methods", "pieces", "_lines")

    def __init__(self, root: str) -> None:
        self.functions: dict[str, str] = {}
        self.methods: dict[str, dict[str, list[Piece]]] = {}
        self.pieces: dict[str, dict[str, Piece]] = {}
        self._lines: dict[str, list[str]] = {}
        folder = os.path.join(root, "core")
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        for name in names:
            if name.endswith(".spl"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    self._scan(f"core.{name[:-4]}", file.read().split("\n"), is_core=True)

    def skeleton(self, module: str, path: str) -> str:
        """Return a library module without its pieces; every line stays where it was."""
        is_core = module in self._lines
        if not is_core:
            with open(path, encoding="utf-8") as file:
                self._scan(module, file.read().split("\n"), is_core=False)
        removed = ("fn ", "impl", "@") if is_core else ("fn ", "@")
        lines = self._lines[module]
        kept: list[str] = []
        is_kept = True
        held: list[str] = []
        for line in lines:
            first = line[:1]
            if first == "@" and not is_core:
                held.append(line)  # belongs to what follows
                is_kept = False
                kept.append("")
                continue
            if first not in ("", " ", "#", ")"):
                is_kept = not line.startswith(removed)
                if is_kept and held:
                    kept[-len(held) :] = held
                held = []
            kept.append(line if is_kept else "")
        return "\n".join(kept)

    def text(self, piece: Piece) -> str:
        """Return one function or method, in the lines where it stands in its file."""
        lines = self._lines[piece.module]
        body = lines[piece.start : piece.end]
        if piece.header < 0:
            return "\n" * piece.start + "\n".join(body)
        gap = "\n" * (piece.start - piece.header)
        return "\n" * piece.header + lines[piece.header] + gap + "\n".join(body)

    def _scan(self, module: str, lines: list[str], *, is_core: bool) -> None:
        self._lines[module] = lines
        functions = self.pieces[module] = {}
        heads: tuple[str, ...] = ()
        header = -1
        annotated: int | None = None
        current: Piece | None = None
        for number, line in enumerate(lines):
            first = line[:1]
            if first == " ":
                if not heads or line[4:5] in (" ", "#", ")", '"') or line[:4] != "    ":
                    continue
                inner = line[4:]
            elif first in ("", "#", ")"):
                continue
            else:
                inner = line
                heads = ()
                header = -1
            if current is not None:
                current.end = number
                current = None
            if inner[0] == "@":
                annotated = number if annotated is None else annotated
                continue
            start, annotated = number if annotated is None else annotated, None
            if inner.startswith("impl") and first != " ":
                if is_core:
                    heads, header = impl_heads(line), number
            elif inner.startswith(("fn ", "me ", "static fn ")):
                name = _declared_name(inner[10 if inner[0] == "s" else 3 :])
                current = Piece(module, start, header)
                if heads:
                    self._add_method(heads, name, current)
                else:
                    functions[name] = current
                    if is_core:
                        self.functions.setdefault(name, module)
        if current is not None:
            current.end = len(lines)

    def _add_method(self, heads: tuple[str, ...], name: str, piece: Piece) -> None:
        for head in heads:
            self.methods.setdefault(head, {}).setdefault(name, []).append(piece)


def _declared_name(text: str) -> str:
    """Return the name at the start of `name<T>(…`."""
    end = 0
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return text[:end]


def impl_heads(line: str) -> tuple[str, ...]:
    """Return the kinds of type that an `impl` line is for: `("array",)`, `("i8", "i16", …)`."""
    rest = line[4:].rstrip().rstrip(":")
    generics: list[str] = []
    if rest.startswith("<"):
        inside, _, rest = rest[1:].partition(">")
        generics = [part.strip() for part in inside.split(",")]
    target, _, where = rest.strip().partition(" where ")
    target = target.strip().partition(" for ")[2] or target.strip()
    if target.startswith("["):
        return ("array",)
    if target.endswith("?"):
        return ("optional",)
    if target.startswith("("):
        return ("tuple",)
    names = [name.partition(":")[0].strip() for name in generics]
    if target not in names:
        return (target.partition("<")[0],)
    bounds = where + ":" + generics[names.index(target)].partition(":")[2]
    return _bounded_heads(bounds)


def _bounded_heads(bounds: str) -> tuple[str, ...]:
    for bound, heads in BOUNDS.items():
        if bound in bounds.replace(":", " ").replace("+", " ").split():
            return heads
    return ("*",)
