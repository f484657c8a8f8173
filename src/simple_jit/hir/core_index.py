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


class CoreIndex:
    """Which core module declares a function, or a method of a built-in type."""

    __slots__ = ("functions", "methods", "texts")

    def __init__(self, root: str) -> None:
        self.functions: dict[str, str] = {}
        self.methods: dict[str, dict[str, list[str]]] = {}
        self.texts: dict[str, str] = {}
        folder = os.path.join(root, "core")
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        for name in names:
            if name.endswith(".spl"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    self._scan(f"core.{name[:-4]}", file.read())

    def _scan(self, module: str, text: str) -> None:
        self.texts[module] = text
        heads: tuple[str, ...] = ()
        for line in text.split("\n"):
            first = line[:1]
            if first == " ":
                if heads and line[:4] == "    " and line[4:7] in ("fn ", "me ", "sta"):
                    self._add_method(module, heads, line)
            elif first == "f" and line.startswith("fn "):
                heads = ()
                self.functions.setdefault(_declared_name(line[3:]), module)
            elif first == "i" and line.startswith("impl"):
                heads = impl_heads(line)

    def _add_method(self, module: str, heads: tuple[str, ...], line: str) -> None:
        text = line.strip()
        if text.startswith("static fn "):
            text = text[7:]
        name = _declared_name(text[3:])
        for head in heads:
            modules = self.methods.setdefault(head, {}).setdefault(name, [])
            if module not in modules:
                modules.append(module)


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
        return (target,)
    bounds = where + ":" + generics[names.index(target)].partition(":")[2]
    return _bounded_heads(bounds)


def _bounded_heads(bounds: str) -> tuple[str, ...]:
    for bound, heads in BOUNDS.items():
        if bound in bounds.replace(":", " ").replace("+", " ").split():
            return heads
    return ("*",)
