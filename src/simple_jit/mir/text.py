"""The text form of MIR. `mir.parse` reads it back; docs/mir.md describes it.

    fn @main.fib(%0 n: i64) -> i64 file "fib.spl" line 3 {
    b0:
      %1: i64 = const 1
      %2: bool = le %0, %1
      branch %2, b1, b2
    …

The first assignment of a local, in the order of the text, states its type.
"""

from __future__ import annotations

from simple_jit.mir import nodes as mir
from simple_jit.mir.visit import DEFS, TERMINATOR_USES, USES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final

_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def dump(function: mir.Function) -> str:
    """Return the text form of a function, with a newline at the end."""
    return _Printer(function).function_text()


def dump_type(name: str, kind: str, size: int, references: Sequence[int]) -> str:
    """Return the line that describes a type, for `type_id` (see docs/mir.md)."""
    return f"type {quote(name)} {kind} {size} [{', '.join(map(str, references))}]\n"


def dump_instruction(function: mir.Function, instruction: mir.Instruction) -> str:
    """Return the text of one instruction of `function`, without types."""
    printer = _Printer(function)
    printer.declared.update(function.locals)
    return printer.instruction(instruction)


def quote(text: str) -> str:
    """Return `text` as a literal in double quotes, in ASCII."""
    parts = []
    for char in text:
        if char in _ESCAPES:
            parts.append(_ESCAPES[char])
        elif " " <= char <= "~":
            parts.append(char)
        else:
            parts.append(f"\\u{{{ord(char):x}}}")
    return f'"{"".join(parts)}"'


def symbol_text(symbol: str) -> str:
    """Return `@symbol`, quoted where it has characters beyond those of dotted names."""
    plain = symbol.replace("_", "a").replace(".", "a").replace("$", "a")
    return "@" + (symbol if plain.isascii() and plain.isalnum() else quote(symbol))


def _float_text(value: float) -> str:
    if value != value:
        import struct

        bits: int = struct.unpack("<Q", struct.pack("<d", value))[0]
        return "nan" if bits == 0x7FF8000000000000 else f"nan:0x{bits:016x}"
    return repr(value)


def _const_text(i: mir.Const) -> str:
    if i.dst.type.kind == "float":
        return _float_text(float(i.value))
    if i.dst.type.kind == "bool":
        return "true" if i.value else "false"
    return str(int(i.value))


def _address(i: mir.Load | mir.Store) -> str:
    text = f"[%{i.base.index}"
    if i.index is not None:
        text += f" + %{i.index.index} * {i.scale}"
    if i.offset:
        text += f" - {-i.offset}" if i.offset < 0 else f" + {i.offset}"
    return text + "]"


def _list(locals: tuple[mir.Local, ...]) -> str:
    return ", ".join([f"%{local.index}" for local in locals])


class _Printer:
    def __init__(self, function: mir.Function) -> None:
        self.function = function
        self.declared = set(function.params)

    def function_text(self) -> str:
        lines = [self._heading() + " {"]
        lines += [f"  local {self._declare(local)}" for local in self._never_assigned()]
        for block in self.function.blocks:
            lines.append(f"b{block.index}:")
            lines += ["  " + self.instruction(i) for i in block.instructions]
            lines.append("  " + self.terminator(block.terminator))
        return "\n".join([*lines, "}", ""])

    def _heading(self) -> str:
        f = self.function
        params = ", ".join([_declaration(p) for p in f.params])
        results = " -> " + ", ".join([t.name for t in f.results]) if f.results else ""
        source = f" file {quote(f.file)} line {f.line}" if f.file or f.line else ""
        flags = (
            (" c_convention" if f.c_convention else "")
            + ("" if f.checks_stack else " no_stack_check")
            + (" inline" if f.inline else "")
            + (" rarely_called" if f.rarely_called else "")
        )
        return f"fn {symbol_text(f.symbol)}({params}){results}{source}{flags}"

    def _never_assigned(self) -> list[mir.Local]:
        """Locals that are read and nowhere assigned: the verifier refuses them, the text has them."""
        read: dict[mir.Local, None] = {}
        assigned = set(self.declared)
        for block in self.function.blocks:
            for i in block.instructions:
                read.update(dict.fromkeys(USES[type(i)](i)))
                assigned.update(DEFS[type(i)](i))
            read.update(dict.fromkeys(TERMINATOR_USES[type(block.terminator)](block.terminator)))
        return [local for local in read if local not in assigned]

    def _declare(self, local: mir.Local) -> str:
        if local in self.declared:
            return f"%{local.index}"
        self.declared.add(local)
        return _declaration(local)

    def instruction(self, i: mir.Instruction) -> str:
        dsts = ", ".join([self._declare(dst) for dst in DEFS[type(i)](i)])
        text = _TEXT[type(i)](self, i)
        return f"{dsts} = {text}" if dsts else text

    def terminator(self, t: mir.Terminator) -> str:
        if t is mir.UNFINISHED:
            return "unfinished"
        return _TERMINATOR_TEXT[type(t)](self, t)

    def place(self, place: mir.Place) -> str:
        if type(place) is mir.Local:
            return f" !%{place.index}"
        assert type(place) is mir.Site
        text, site = f" !{self._site(place)}", place.caller
        while site is not None:
            text += f" from {self._site(site)}"
            site = site.caller
        return text

    def _site(self, site: mir.Site) -> str:
        file = "" if site.file == self.function.file else quote(site.file) + ":"
        is_own = site.symbol in ("", self.function.symbol)
        return f"{file}{site.line}:{site.column}{'' if is_own else f' in {symbol_text(site.symbol)}'}"


def _declaration(local: mir.Local) -> str:
    name = local.name and " " + (local.name if _is_name(local.name) else quote(local.name))
    return f"%{local.index}{name}: {local.type.name}"


def _is_name(text: str) -> bool:
    return text.isascii() and text.isidentifier()


def _word(text: str) -> str:
    return text if _is_name(text) else quote(text)


def _check_text(p: _Printer, i: mir.Check) -> str:
    message = "" if i.message is None else f", %{i.message.index}"
    return f"check %{i.cond.index}, {_word(i.kind)}{message}{p.place(i.place)}"


def _extern_text(p: _Printer, i: mir.CallExtern) -> str:
    raises = " raises" if i.raises else ""
    return f"extern {symbol_text(i.symbol)}({_list(i.args)}){raises}{p.place(i.place)}"


def _pointer_text(p: _Printer, i: mir.CallPointer) -> str:
    site = p.place(i.site) if i.site is not None else ""
    return f"call_{'c_' if i.c else ''}pointer %{i.target.index}({_list(i.args)}){site}"


_TEXT: Final[dict[type, Callable[[_Printer, Any], str]]] = {
    mir.Const: lambda p, i: f"const {_const_text(i)}",
    mir.ConstText: lambda p, i: f"text {quote(i.value)}",
    mir.ConstSite: lambda p, i: f"site{p.place(i.site)}",
    mir.ConstTypeId: lambda p, i: f"type_id {quote(i.name)}",
    mir.ConstCode: lambda p, i: f"code {quote(i.symbol)}",
    mir.Copy: lambda p, i: f"copy %{i.src.index}",
    mir.Unary: lambda p, i: f"{i.op} %{i.src.index}",
    mir.Binary: lambda p, i: f"{i.op} %{i.lhs.index}, %{i.rhs.index}",
    mir.Checked: lambda p, i: f"checked_{i.op} %{i.lhs.index}, %{i.rhs.index}{p.place(i.place)}",
    mir.Compare: lambda p, i: f"{i.op} %{i.lhs.index}, %{i.rhs.index}",
    mir.Convert: lambda p, i: f"convert %{i.src.index}",
    mir.Bitcast: lambda p, i: f"bitcast %{i.src.index}",
    mir.Select: lambda p, i: f"select %{i.cond.index}, %{i.lhs.index}, %{i.rhs.index}",
    mir.Load: lambda p, i: f"load {_address(i)}",
    mir.Store: lambda p, i: f"store %{i.src.index}, {_address(i)}",
    mir.Context: lambda p, i: "context",
    mir.Index: lambda p, i: (
        f"index{'' if i.wrap else '_no_wrap'} %{i.src.index}, %{i.length.index}{p.place(i.place)}"
    ),
    mir.Check: _check_text,
    mir.Call: lambda p, i: f"call {symbol_text(i.callee)}({_list(i.args)}){p.place(i.site)}",
    mir.CallExtern: _extern_text,
    mir.CallPointer: _pointer_text,
    mir.Poll: lambda p, i: f"poll{p.place(i.place)}",
}


def _switch_text(p: _Printer, t: mir.Switch) -> str:
    cases = ", ".join([f"{number}: b{block.index}" for number, block in t.cases])
    return f"switch %{t.value.index}, [{cases}], b{t.default.index}"


def _branch_text(p: _Printer, t: mir.Branch) -> str:
    cold = f" cold {t.cold}" if t.cold else ""
    return f"branch %{t.cond.index}, b{t.then.index}, b{t.orelse.index}{cold}"


_TERMINATOR_TEXT: Final[dict[type, Callable[[_Printer, Any], str]]] = {
    mir.Jump: lambda p, t: f"jump b{t.target.index}",
    mir.Branch: _branch_text,
    mir.Switch: _switch_text,
    mir.Return: lambda p, t: f"return {_list(t.values)}" if t.values else "return",
    mir.Throw: lambda p, t: f"throw {_word(t.kind)}, %{t.message.index}{p.place(t.place)}",
    mir.Unreachable: lambda p, t: "unreachable",
}
