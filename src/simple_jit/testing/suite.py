"""The examples of one file as a tree of groups, and which of them are to run."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    Entry: TypeAlias = "tuple[str, str, list[str], bool, int]"

HOOKS = ("before_all", "before_each", "after_each", "after_all")


class Example:
    """One example. `block` is its number in the library, -1 where it is not written yet."""

    __slots__ = ("block", "group", "name", "skip", "tags")

    def __init__(self, name: str, group: Group, tags: frozenset[str], skip: bool, block: int) -> None:
        self.name = name
        self.group = group
        self.tags = tags
        self.skip = skip
        self.block = block

    @property
    def path(self) -> list[str]:
        """The names of the groups around, then its own."""
        return [*(group.name for group in self.group.around()), self.name]


class Group:
    """What a `describe` or `context` holds, in order; the outermost one is the file.

    `hooks` are numbers of blocks.
    """

    __slots__ = ("failure", "hooks", "members", "name", "outer", "ready", "skip", "tags")

    def __init__(self, name: str, outer: Group | None, tags: frozenset[str], skip: bool) -> None:
        self.name = name
        self.outer = outer
        self.tags = tags
        self.skip = skip
        self.members: list[Group | Example] = []
        self.hooks: dict[str, list[int]] = {kind: [] for kind in HOOKS}
        self.ready = False
        """Has `before_all` run?"""
        self.failure: object = None
        """The failure of its `before_all`, which is that of each of its examples."""

    def around(self) -> list[Group]:
        """Return the groups from the outermost one to this, without the file."""
        found: list[Group] = []
        group: Group | None = self
        while group is not None and group.outer is not None:
            found.append(group)
            group = group.outer
        return found[::-1]

    def chain(self) -> list[Group]:
        """Return the groups from the file to this one."""
        outer = self.outer.chain() if self.outer is not None else []
        return [*outer, self]

    def examples(self) -> Iterator[Example]:
        """Yield all examples, those of inner groups too, in order."""
        for member in self.members:
            if isinstance(member, Group):
                yield from member.examples()
            else:
                yield member


def build_suite(entries: Sequence[Entry]) -> Group:
    """Make the tree from what the library registered, in order."""
    root = group = Group("", None, frozenset(), False)
    for kind, name, tags, skip, block in entries:
        if kind == "group":
            inner = Group(name, group, group.tags | frozenset(tags), group.skip or skip)
            group.members.append(inner)
            group = inner
        elif kind == "end":
            assert group.outer is not None
            group = group.outer
        elif kind == "example":
            marks = group.tags | frozenset(tags)
            group.members.append(Example(name, group, marks, group.skip or skip, block))
        else:
            group.hooks[kind].append(block)
    return root


class Selection:
    """Which examples are to run, and in which order.

    Args:
        match: a text that the full name (`group inner example`) contains, in any case.
        tags: `slow`: only what has one of these tags; `~slow`: nothing that has it.
        seed: shuffles examples and groups; None keeps the order of the file.
    """

    __slots__ = ("_excluded", "_match", "_seed", "_wanted")

    def __init__(self, match: str = "", tags: Sequence[str] = (), seed: int | None = None) -> None:
        self._match = match.casefold()
        self._wanted = frozenset(tag for tag in tags if not tag.startswith("~"))
        self._excluded = frozenset(tag[1:] for tag in tags if tag.startswith("~"))
        self._seed = seed

    def choose(self, suite: Group, path: str) -> list[Example]:
        """Return the examples of a file to run, in order. Those of one group stay together."""
        if self._seed is not None:
            from random import Random

            _shuffle(suite, Random(f"{self._seed} {path}"))
        return [example for example in suite.examples() if self._wants(example)]

    def _wants(self, example: Example) -> bool:
        if example.tags & self._excluded or (self._wanted and not example.tags & self._wanted):
            return False
        return self._match in " ".join(example.path).casefold()


def _shuffle(group: Group, random: object) -> None:
    random.shuffle(group.members)  # type: ignore[attr-defined]
    for member in group.members:
        if isinstance(member, Group):
            _shuffle(member, random)
