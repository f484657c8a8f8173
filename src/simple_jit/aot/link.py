"""Where the code of an executable finds what is not in it: the numbers that code and start file agree on."""

from __future__ import annotations

from simple_jit.mir import abi
from simple_jit.mir.nodes import Site
from simple_jit.runtime.type_numbers import TypeNumbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class StaticLink:
    """The `tiers.contract.Link` of a program that is compiled ahead of time.

    The address of the context and those of text constants are symbols, so nobody asks for them here.

    Args:
        in_libraries: foreign functions that are looked up when the program starts, in order.
    """

    def __init__(self, in_libraries: Sequence[str]) -> None:
        self.code: list[str] = []
        self.sites: list[Site] = []
        self.types = TypeNumbers()
        self._code_numbers: dict[str, int] = {}
        self._site_numbers: dict[Site, int] = {}
        self._imports = {name: abi.IMPORTS + 8 * number for number, name in enumerate(in_libraries)}

    @property
    def context_address(self) -> int:
        raise AssertionError("the context of an executable is a symbol")

    def code_offset(self, symbol: str) -> int:
        number = self._code_numbers.get(symbol)
        if number is None:
            number = self._code_numbers[symbol] = len(self.code)
            self.code.append(symbol)
        return abi.CODE + 8 * number

    def import_offset(self, symbol: str) -> int:
        return self._imports[symbol]

    def text_offset(self, value: str) -> int:
        raise AssertionError("the text constants of an executable are symbols")

    def site_number(self, site: Site) -> int:
        """Return the number of a site, 1 for the first; 0 stands for no site."""
        number = self._site_numbers.get(site)
        if number is None:
            self.sites.append(site)
            number = self._site_numbers[site] = len(self.sites)
            if site.caller is not None:
                self.site_number(site.caller)
        return number

    def type_id(self, name: str) -> int:
        return self.types.named(name)
