"""The IR that is given to Cranelift as text; the binding itself prints nothing.

A `RecordingBuilder` stands in for a function builder: it passes every call on and writes it down.

    block2:
        v5 = load.i64 v3+24
        brif v5, block3, block4
"""

from __future__ import annotations

from simple_jit.tiers.cranelift import adapter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from simple_jit.mir.nodes import MirType

_TYPE_NAMES = {
    getattr(adapter, name).index: name.lower() for name in ("I8", "I16", "I32", "I64", "F32", "F64")
}


class RecordingBuilder:
    """A function builder that can say what it was told."""

    def __init__(
        self, builder: Any, symbol: str, params: Sequence[MirType], results: Sequence[MirType]
    ) -> None:
        self._builder = builder
        self._current = builder.current_block()
        self._order = [self._current]
        self._lines: dict[int, list[str]] = {self._current.index: []}
        self._cold: set[int] = set()
        self._signatures: list[str] = []
        names = [_TYPE_NAMES[adapter.TYPE[type].index] for type in params]
        returned = ", ".join(_TYPE_NAMES[adapter.TYPE[type].index] for type in results)
        self._head = f"function %{symbol}({', '.join(names)}) -> {returned or '()'} {{"

    def text(self) -> str:
        """Return what was built so far."""
        lines = [self._head]
        for block in self._order:
            params = ", ".join(map(_operand, self._builder.block_params(block)))
            cold = " cold" if block.index in self._cold else ""
            lines.append(f"block{block.index}({params}){cold}:" if params else f"block{block.index}{cold}:")
            lines += [f"    {line}" for line in self._lines[block.index]]
        return "\n".join([*lines, "}", ""])

    def switch_to_block(self, block: Any) -> None:
        self._builder.switch_to_block(block)
        self._current = block
        if block.index not in self._lines:
            self._order.append(block)
            self._lines[block.index] = []

    def set_cold_block(self, block: Any) -> None:
        self._builder.set_cold_block(block)
        self._cold.add(block.index)

    def inst_results(self, call: Any) -> Any:
        results = self._builder.inst_results(call)
        lines = self._lines[self._current.index]
        lines[-1] = f"{', '.join(map(_operand, results))} = {lines[-1]}"
        return results

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._builder, name)
        if not name.startswith("ins_"):
            return method

        def recorded(*args: Any) -> Any:
            result = method(*args)
            written = f"{name[4:]} {', '.join(filter(None, map(_operand, args)))}".rstrip()
            made = result if isinstance(result, (tuple, list)) else (result,)
            values = [_operand(value) for value in made if type(value).__name__ == "Value"]
            line = f"{', '.join(values)} = {written}" if values else written
            self._lines[self._current.index].append(line)
            return result

        return recorded


_PREFIXES = {"Value": "v", "Block": "block", "SigRef": "sig", "JumpTable": "jt", "Variable": "var"}


def _operand(value: Any) -> str:
    kind = type(value).__name__
    if kind in _PREFIXES:
        return f"{_PREFIXES[kind]}{value.index}"
    if kind == "Type":
        return _TYPE_NAMES[value.index]
    if kind in ("MemFlags", "TrapCode"):
        return ""
    if isinstance(value, (tuple, list)):
        return f"({', '.join(map(_operand, value))})" if value else ""
    if kind in ("IntCC", "FloatCC"):
        return repr(value).rpartition(".")[2]
    return repr(value)
