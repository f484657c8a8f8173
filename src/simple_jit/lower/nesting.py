"""Room for lowering to recurse as deep as a program nests: thousands of calls in a chain, of `elif`s."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, ParamSpec, TypeVar

    Params = ParamSpec("Params")
    Result = TypeVar("Result")

FRAMES: Final = 200_000
"""What the checker lets pass needs fewer frames than this."""


def nests_deeply(function: Callable[Params, Result]) -> Callable[Params, Result]:
    """Decorate a function that recurses over HIR."""

    def with_room(*args: Params.args, **kwargs: Params.kwargs) -> Result:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, FRAMES))
        try:
            return function(*args, **kwargs)
        finally:
            sys.setrecursionlimit(limit)

    return with_room
