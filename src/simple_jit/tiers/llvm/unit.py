"""What the functions of one module share: helpers, declarations, metadata."""

from __future__ import annotations

from simple_jit.mir import abi
from simple_jit.mir.nodes import Function, MirType
from simple_jit.tiers.contract import Link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

# Values in registers, as parameters and results, and in memory: a bool is `i1` in a register only.
VALUE_TYPES: Final[dict[str, str]] = {
    **{f"{sign}{bits}": f"i{bits}" for sign in "iu" for bits in (8, 16, 32, 64)},
    "f32": "float",
    "f64": "double",
    "bool": "i1",
    "ref": "ptr",
    "ptr": "ptr",
}
MEMORY_TYPES: Final[dict[str, str]] = {**VALUE_TYPES, "bool": "i8"}

_ATTRIBUTES: Final = 'nounwind "disable-tail-calls"="true"'
# Groups of attributes; no work is spent on what is rarely called, helpers for one.
PLAIN: Final = 0
INLINED: Final = 1
RARELY_CALLED: Final = 2
_GROUPS: Final = {PLAIN: "", INLINED: "alwaysinline", RARELY_CALLED: "cold noinline"}
# A safepoint may change the context, read the heap, and leave the function; a program cannot see it
# change an object. Calls of one carry the alias tag of the context.
_SAFEPOINT: Final = "memory(read, argmem: readwrite, inaccessiblemem: readwrite)"
CONTEXT_PARAMETER: Final = f"ptr noundef nonnull align 4096 dereferenceable({abi.CONTEXT_SIZE}) %ctx"
_RECORDED: Final = abi.ERROR_NUMBER["Recorded"]
_STACK_OVERFLOW: Final = abi.ERROR_NUMBER["StackOverflow"]
NO_SITE: Final = '[ "deopt"() ]'
"""Attached to a call that no source stands for: its frame can be walked past (see `stack_maps`)."""

_THROW: Final = f"""
define hidden void @$throw(ptr %ctx, i64 %kind, i64 %site, i64 %a, i64 %b) noreturn #{RARELY_CALLED} {{
  %cell = getelementptr i8, ptr %ctx, i64 {abi.THROW}
  %throw = load ptr, ptr %cell
  call void %throw(ptr %ctx, i64 %kind, i64 %site, i64 %a, i64 %b) noreturn {NO_SITE}
  unreachable
}}
"""
# What was recorded is reported by being thrown, and stands no longer then.
_RETHROW: Final = f"""
define hidden void @$rethrow(ptr %ctx, i64 %site) noreturn #{RARELY_CALLED} {{
  %failed = getelementptr i8, ptr %ctx, i64 {abi.FAILED}
  store i64 0, ptr %failed
  call void @$throw(ptr %ctx, i64 {_RECORDED}, i64 %site, i64 0, i64 0) noreturn {NO_SITE}
  unreachable
}}
"""
_POLL: Final = f"""
define hidden void @$poll(ptr %ctx, i64 %site) {_SAFEPOINT} #{RARELY_CALLED} {{
  %cell = getelementptr i8, ptr %ctx, i64 {abi.POLL}
  %poll = load ptr, ptr %cell
  call void %poll() {NO_SITE}
  %failed.cell = getelementptr i8, ptr %ctx, i64 {abi.FAILED}
  %failed = load i64, ptr %failed.cell
  %ok = icmp eq i64 %failed, 0
  br i1 %ok, label %go.on, label %fail
go.on:
  ret void
fail:
  call void @$rethrow(ptr %ctx, i64 %site) noreturn {NO_SITE}
  unreachable
}}
"""
# The limit that was passed may only have been set to get attention.
_CHECK_STACK: Final = f"""
define hidden void @$check_stack(ptr %ctx, i64 %stack, i64 %site) {_SAFEPOINT} #{RARELY_CALLED} {{
  %cell = getelementptr i8, ptr %ctx, i64 {abi.LIMIT}
  %limit = load atomic i64, ptr %cell monotonic, align 8
  %wanted = icmp eq i64 %limit, {abi.ATTENTION}
  br i1 %wanted, label %attend, label %compare
attend:
  call void @$poll(ptr %ctx, i64 %site) {NO_SITE}
  br label %compare
compare:
  %true.cell = getelementptr i8, ptr %ctx, i64 {abi.STACK_LIMIT}
  %true.limit = load i64, ptr %true.cell
  %over = icmp ult i64 %stack, %true.limit
  br i1 %over, label %overflow, label %go.on
go.on:
  ret void
overflow:
  call void @$throw(ptr %ctx, i64 {_STACK_OVERFLOW}, i64 %site, i64 0, i64 0) noreturn {NO_SITE}
  unreachable
}}
"""
_HELPERS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "throw": (_THROW, ()),
    "rethrow": (_RETHROW, ("throw",)),
    "poll": (_POLL, ("rethrow",)),
    "check_stack": (_CHECK_STACK, ("poll", "throw")),
}


class Unit:
    """One module under construction.

    `symbols` are the functions in it, and `others`, which it is linked with: they are called directly.
    What it does not contain is found through the context; `standalone` overrides that.
    """

    more_attributes = ' "no-builtins" "no-realign-stack"'  # frames have one size throughout, for tracebacks

    def __init__(self, functions: Sequence[Function], link: Link, others: Sequence[Function] = ()) -> None:
        self.link = link
        self.symbols = {function.symbol: global_name(function.symbol) for function in (*functions, *others)}
        self._others = {function.symbol: function for function in others}
        self._helpers: dict[str, None] = {}
        self._externs: dict[tuple[str, ...], str] = {}
        self._extern_helpers: list[str] = []
        self._declarations: dict[str, None] = {}
        self._metadata: list[str] = ['!{!"simple"}', "!{}"]  # the root of the alias classes; nothing
        self._nodes: dict[str, str] = {}

    def function(self, symbol: str) -> str | None:
        """Return the name of a function that is called directly; None where it is elsewhere."""
        name = self.symbols.get(symbol)
        other = self._others.get(symbol)
        if name is not None and other is not None:
            self._declarations[f"declare hidden {signature(other, name, named=False)}"] = None
        return name

    def signature(self, function: Function, name: str) -> str:
        """Return a function's type as its definition has it."""
        return signature(function, name)

    def context(self, function: Function) -> str | None:
        """Return what computes `%ctx`; None where it is the first parameter."""
        return f"inttoptr i64 {self.link.context_address} to ptr" if function.c_convention else None

    def text_constant(self, value: str) -> str | None:
        """Return the name of the object of a text constant; None where the context has its address."""
        return None

    def foreign(self, symbol: str, result: str, parameters: str) -> str | None:
        """Return the name of a foreign function; None where the context has its address."""
        return None

    def at_site(self, number: int) -> str:
        """Return what to attach to a call that is made at a site (0: none), for tracebacks.

        LLVM keeps the number where the call ends up, behind those of the calls it was inlined for.
        """
        return f'[ "deopt"(i64 {number}) ]' if number else NO_SITE

    def helper(self, name: str) -> str:
        """Return the name of a function of this module that is defined here once it is needed."""
        if name not in self._helpers:
            self._helpers[name] = None
            for other in _HELPERS[name][1]:
                self.helper(other)
        return f"@${name}"

    def rare_extern(self, symbol: str, result: str, types: Sequence[str]) -> str:
        """Return the name of a helper that calls a C function and throws the error it records.

        It takes the number of the site before the arguments.
        """
        key = (symbol, result, *types)
        found = self._externs.get(key)
        if found is None:
            found = f"@$extern{len(self._externs)}"
            rethrow = self.helper("rethrow")
            self._externs[key] = found
            target = self.foreign(symbol, result, ", ".join(types))
            offset = self.link.import_offset(symbol) if target is None else 0
            self._extern_helpers.append(_extern_helper(found, target, offset, rethrow, result, types))
        return found

    def declare(self, declaration: str) -> None:
        """Declare a function or a global once."""
        self._declarations[declaration] = None

    def intrinsic(self, name: str, result: str, parameters: str) -> str:
        """Declare an intrinsic function of LLVM and return its name."""
        self._declarations[f"declare {result} @llvm.{name}({parameters})"] = None
        return f"@llvm.{name}"

    def metadata(self, text: str) -> str:
        """Return the number of a metadata node with this text, `!7`."""
        found = self._nodes.get(text)
        if found is None:
            found = self._nodes[text] = f"!{len(self._metadata)}"
            self._metadata.append(text)
        return found

    def rare_loop(self) -> str:
        """Return the attachment for a jump back in a loop that rarely runs: it is left as it is."""
        number = len(self._metadata)
        self._metadata.append("")
        no_copies = self.metadata('!{!"llvm.loop.unroll.disable"}')
        no_vectors = self.metadata('!{!"llvm.loop.vectorize.enable", i1 false}')
        self._metadata[number] = f"distinct !{{!{number}, {no_copies}, {no_vectors}}}"
        return f", !llvm.loop !{number}"

    def alias_tag(self, cell: str) -> str:
        """Return the attachment for an access to `cell` (see `aliasing.cell`)."""
        if not cell:
            return ""
        node = self.metadata(f'!{{!"{cell}", !0}}')
        return f", !tbaa {self.metadata(f'!{{{node}, {node}, i64 0}}')}"

    def text(self, heading: str, bodies: Sequence[str]) -> str:
        """Return the whole module."""
        parts = [heading, *bodies]
        parts += [_HELPERS[name][0] for name in self._helpers]
        parts += self._extern_helpers
        parts += self._declarations
        attributes = _ATTRIBUTES + self.more_attributes
        parts += [f"attributes #{n} = {{ {text} {attributes} }}" for n, text in _GROUPS.items()]
        parts += [f"!{number} = {text}" for number, text in enumerate(self._metadata)]
        parts.append("")
        return "\n".join(parts)


def _extern_helper(
    name: str, target: str | None, offset: int, rethrow: str, result: str, types: Sequence[str]
) -> str:
    """Return a function that calls `target`, or what the cell at `offset` has the address of."""
    arguments = [f"{type} %a{n}" for n, type in enumerate(types)]
    found = f"  %cell = getelementptr i8, ptr %ctx, i64 {offset}\n  %target = load ptr, ptr %cell"
    assigned, returned = ("", "ret void") if result == "void" else ("%result = ", f"ret {result} %result")
    return f"""
define internal {result} {name}({', '.join(['ptr %ctx', 'i64 %site', *arguments])}) #{RARELY_CALLED} {{
{"" if target else found}
  {assigned}call {result} {target or "%target"}({', '.join(arguments)})
  %failed.cell = getelementptr i8, ptr %ctx, i64 {abi.FAILED}
  %failed = load i64, ptr %failed.cell
  %ok = icmp eq i64 %failed, 0
  br i1 %ok, label %go.on, label %fail
go.on:
  {returned}
fail:
  call void {rethrow}(ptr %ctx, i64 %site) noreturn {NO_SITE}
  unreachable
}}
"""


def global_name(symbol: str) -> str:
    """Return a symbol as LLVM writes it."""
    if symbol.isascii() and symbol.isprintable() and '"' not in symbol and "\\" not in symbol:
        return f'@"{symbol}"'
    escaped = "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:02X}" for byte in symbol.encode()
    )
    return f'@"{escaped}"'


def signature(function: Function, name: str, named: bool = True) -> str:
    """Return a function's type as its definition has it, parameters named by their index or not."""
    params = [] if function.c_convention else [CONTEXT_PARAMETER if named else "ptr"]
    for param in function.params:
        type = MEMORY_TYPES[param.type.name]
        params.append(f"{type} noundef %p{param.index}" if named else type)
    registers, _ = abi.classify_results(function.results)
    result = signature_type([function.results[index] for index in registers])
    return f"{result} {name}({', '.join(params)})"


def signature_type(types: Sequence[MirType]) -> str:
    """Return the type of a function's results in registers."""
    if not types:
        return "void"
    if len(types) == 1:
        return MEMORY_TYPES[types[0].name]
    return f"{{ {', '.join([MEMORY_TYPES[type.name] for type in types])} }}"
