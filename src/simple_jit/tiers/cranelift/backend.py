"""`CraneliftBackend`: the back end as the rest of the system sees it.

The package behind it is imported when the first back end is made, not before.
"""

from __future__ import annotations

import os

from simple_jit.tiers.contract import BackendError, BackendMissing, CompiledCode, Link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from simple_jit.mir.nodes import Function

_VERIFY = "SIMPLE_JIT_VERIFY"


class CraneliftBackend:
    """Compiles through `cranelift-py`.

    `verify` has MIR and the generated IR verified before they are compiled; by default that is asked
    for by the environment (`SIMPLE_JIT_VERIFY=1`). Without it, MIR must be valid.

    Raises:
        BackendMissing: the package is not installed.
    """

    def __init__(self, verify: bool | None = None) -> None:
        try:
            from simple_jit.tiers.cranelift import compiler
        except ImportError as error:
            raise BackendMissing(
                f"the Cranelift back end needs the package `cranelift-py`: pip install cranelift-py ({error})"
            ) from error
        self._compiler = compiler
        self._verify = os.environ.get(_VERIFY) == "1" if verify is None else verify

    @property
    def name(self) -> str:
        return "cranelift"

    def prefetch(self, level: int = 2) -> None:
        """Do nothing: the package was loaded when this back end was made."""

    def compile(
        self,
        functions: Sequence[Function],
        link: Link,
        level: int = 2,
        exported: Collection[str] | None = None,
    ) -> CompiledCode:
        """Compile functions as one unit, each with an entry. Level 0 compiles faster to slower code."""
        return self._compiler.compile_functions(functions, link, level, self._verify)

    def dump(self, functions: Sequence[Function], link: Link, stage: str, level: int = 2) -> str:
        """Return the text of stage `clif` or `asm`."""
        if stage == "clif":
            return self._compiler.clif_text(functions, link)
        if stage == "asm":
            from simple_jit.tiers.cranelift.disassembly import disassemble

            return disassemble(self.compile(functions, link, level))
        raise BackendError(f"the Cranelift back end has no stage `{stage}`")
