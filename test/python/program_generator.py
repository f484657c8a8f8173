"""Random well-typed Simple programs that print what they compute, for comparing tiers.

    source = generate(seed)

A program ends soon: loops run a few rounds, calls spend a budget. Values at the edges of their types are
likely; a few programs end with an error at run time. `overflow=True` makes programs for
`--overflow-checks`: values stay small, so that overflow is the exception.
"""

from __future__ import annotations

import random

INTS = ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64")
FLOATS = ("f64", "f32")
SCALARS = (*INTS, *FLOATS, "bool", "text")
COMMON = ("i64", "i64", "i64", "f64", "bool", "text", "i32", "u8", "u64", "i16")
WORDS = ("", "a", "Zb", "héé", "x y", "42", "-7", "日本語", "  pad ", "aXbXc", "q\\n", "😀!")
CALLS = 40
"""How many calls of generated functions one run makes at most."""


class Struct:
    """A generated struct or class: `fields` by name, and whether it is a class."""

    def __init__(self, name: str, is_class: bool, fields: dict[str, str]) -> None:
        self.name = name
        self.is_class = is_class
        self.fields = fields
        self.methods: list[Callee] = []


class Callee:
    """A function or method to call; `defaults` of the last parameters have default values."""

    def __init__(self, name: str, params: list[tuple[str, str]], result: str, defaults: int) -> None:
        self.name = name
        self.params = params
        self.result = result
        self.defaults = defaults


class Variable:
    def __init__(self, name: str, kind: str, mutable: bool) -> None:
        self.name = name
        self.type = kind
        self.mutable = mutable


def is_array(kind: str) -> bool:
    return kind.startswith("[") and not is_optional(kind)


def is_optional(kind: str) -> bool:
    return kind.endswith("?")


def is_tuple(kind: str) -> bool:
    return kind.startswith("(") and not is_optional(kind)


def element(kind: str) -> str:
    return kind[1:-1]


def members(kind: str) -> list[str]:
    """Return the types in a tuple type."""
    found, depth, start = [], 0, 1
    for at, char in enumerate(kind[:-1]):
        depth += (char in "([") - (char in ")]")
        if char == "," and depth == 1:
            found.append(kind[start:at].strip())
            start = at + 1
    return [*found, kind[start:-1].strip()]


class Generator:
    """Writes one program. Methods named for a type return the text of an expression of it."""

    def __init__(self, seed: int, overflow: bool) -> None:
        self.random = random.Random(seed)
        self.overflow = overflow
        self.lines: list[str] = []
        self.indent = 0
        self.names = 0
        self.structs: dict[str, Struct] = {}
        self.functions: list[Callee] = []
        self.generics: list[str] = []
        self.scopes: list[list[Variable]] = [[]]
        self.labels: list[str] = []
        self.loops = 0
        self.result = "()"
        self.fuel = "3"
        self.method_of: Struct | None = None

    # --- small helpers ----------------------------------------------------------------------------
    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def pick(self, *choices):  # type: ignore[no-untyped-def]
        return self.random.choice(choices)

    def name(self, prefix: str = "v") -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    def write(self, line: str) -> None:
        self.lines.append("    " * self.indent + line)

    def declare(self, name: str, kind: str, mutable: bool) -> None:
        self.scopes[-1].append(Variable(name, kind, mutable))

    def visible(self, kind: str | None = None, mutable: bool = False) -> list[Variable]:
        found: dict[str, Variable] = {}
        for scope in self.scopes:
            for variable in scope:
                found[variable.name] = variable
        return [
            v for v in found.values()
            if (kind is None or v.type == kind) and (v.mutable or not mutable)
        ]  # fmt: skip

    # --- types ------------------------------------------------------------------------------------
    def some_type(self, depth: int = 2) -> str:
        roll = self.random.randrange(100)
        if depth == 0 or roll < 55:
            return self.random.choice(COMMON) if self.chance(80) else self.random.choice(SCALARS)
        if roll < 72:
            return f"[{self.some_type(depth - 1)}]"
        if roll < 80:
            inner = self.some_type(depth - 1)
            return inner if is_optional(inner) else f"{inner}?"
        if roll < 87:
            return "(" + ", ".join(self.some_type(depth - 1) for _ in range(self.pick(2, 3))) + ")"
        if self.structs:
            return self.random.choice(list(self.structs))
        return "i64"

    # --- expressions ------------------------------------------------------------------------------
    def expr(self, kind: str, depth: int = 3) -> str:
        variables = self.visible(kind)
        if variables and self.chance(35 if depth else 80):
            return self.random.choice(variables).name
        if depth and self.chance(45):
            shared = self.any_type(kind, depth)
            if shared is not None:
                return shared
        if kind in INTS:
            return self.integer(kind, depth)
        if kind in FLOATS:
            return self.floating(kind, depth)
        if kind == "bool":
            return self.boolean(depth)
        if kind == "text":
            return self.text(depth)
        if is_optional(kind):
            return self.optional(kind, depth)
        if is_array(kind):
            return self.array(kind, depth)
        if is_tuple(kind):
            return "(" + ", ".join(self.expr(part, max(depth - 1, 0)) for part in members(kind)) + ")"
        return self.construct(self.structs[kind], depth)

    def any_type(self, kind: str, depth: int) -> str | None:
        """Return an expression that may have any type, or None."""
        less = depth - 1
        roll = self.random.randrange(8)
        if roll == 0:
            return f"(if {self.boolean(less)}: {self.expr(kind, less)} else: {self.expr(kind, less)})"
        if roll == 1:
            return self.call(kind, less)
        if roll == 2:
            arrays = self.visible(f"[{kind}]")
            if arrays:
                name = self.random.choice(arrays).name
                index = self.expr("i64", less)
                if self.chance(4):
                    return f"{name}[{index}]"
                default = self.expr(kind, 0)
                return f"(if {name}.is_empty(): {default} else: {name}[({index}) % {name}.len()])"
        if roll == 3:
            for variable in self.random.sample(self.visible(), len(self.visible())):
                struct = self.structs.get(variable.type)
                fields = [f for f, t in struct.fields.items() if t == kind] if struct else []
                if fields:
                    return f"{variable.name}.{self.random.choice(fields)}"
        if roll == 4:
            tuples = [
                (v.name, at) for v in self.visible() if is_tuple(v.type)
                for at, part in enumerate(members(v.type)) if part == kind
            ]  # fmt: skip
            if tuples:
                name, at = self.random.choice(tuples)
                return f"{name}.{at}"
        if roll == 5 and not is_optional(kind):
            optionals = self.visible(f"{kind}?")
            if optionals:
                name = self.random.choice(optionals).name
                return f"{name}!" if self.chance(6) else f"({name} ?? {self.expr(kind, less)})"
        if roll == 6 and self.generics:
            return f"{self.random.choice(self.generics)}({self.boolean(less)}, {self.expr(kind, less)}, {self.expr(kind, less)})"
        if roll == 7 and self.method_of is not None:
            fields = [f for f, t in self.method_of.fields.items() if t == kind]
            if fields:
                return f"self.{self.random.choice(fields)}"
        return None

    def call(self, kind: str, depth: int) -> str | None:
        """Return a call of a generated function or method with this result, or None."""
        found = [("", f) for f in self.functions if f.result == kind]
        for variable in self.visible():
            struct = self.structs.get(variable.type)
            found += [(f"{variable.name}.", m) for m in struct.methods if m.result == kind] if struct else []
        if not found:
            return None
        prefix, callee = self.random.choice(found)
        return prefix + self.call_of(callee, depth)

    def call_of(self, callee: Callee, depth: int) -> str:
        given = len(callee.params) - self.random.randint(0, callee.defaults)
        parts = [self.fuel]
        for at, (name, kind) in enumerate(callee.params[:given]):
            value = self.expr(kind, depth)
            parts.append(f"{name}: {value}" if at == given - 1 and self.chance(20) else value)
        return f"{callee.name}({', '.join(parts)})"

    def literal(self, kind: str) -> str:
        """Return an integer literal, often at an edge of its type."""
        width = int(kind[1:])
        low, high = (0, (1 << width) - 1) if kind[0] == "u" else (-(1 << width - 1), (1 << width - 1) - 1)
        if self.overflow:
            low, high = max(low, -12), min(high, 12)
            value = self.random.randint(low, high)
        else:
            edges = (0, 1, 2, -1, -2, 7, low, high, low + 1, high - 1, 1 << width // 2, 10, 63, width)
            value = self.random.choice(edges) if self.chance(70) else self.random.randint(low, high)
            value = value if low <= value <= high else value & 127
        suffix = "" if kind == "i64" else kind
        if value >= 0 and self.chance(15):
            return f"{self.pick(hex, bin)(value)}{suffix}"
        return f"({value}{suffix})" if value < 0 else f"{value}{suffix}"

    def integer(self, kind: str, depth: int) -> str:
        if depth == 0:
            return self.literal(kind)
        less = depth - 1
        a = self.expr(kind, less)
        roll = self.random.randrange(24)
        if roll < 8:
            return f"({a} {self.pick('+', '-', '*', '&', '|', '^', 'xor', '+', '-')} {self.expr(kind, less)})"
        if roll < 11:
            b = self.expr(kind, less)
            operator = self.pick("/", "%", "//")
            one = "1" if kind == "i64" else f"1{kind}"
            return f"({a} {operator} {b})" if self.chance(3) else f"({a} {operator} ({b} | {one}))"
        if roll < 13:
            return f"({a} {self.pick('<<', '>>')} {self.expr(self.random.choice(INTS), less)})"
        if roll == 13:
            return f"({self.pick('~', '-')}{a})" if kind[0] == "i" else f"(~{a})"
        if roll == 14:
            return f"({self.expr(self.random.choice(INTS), less)} as {kind})"
        if roll == 15:
            return f"({self.expr(self.random.choice((*FLOATS, 'bool')), less)} as {kind})"
        if roll == 16:
            return f"({a} ** {self.random.randrange(6)})"
        if roll == 17:
            return f"{a}.{self.pick('min', 'max')}({self.expr(kind, less)})"
        if roll == 18:
            if self.chance(30) and kind[0] == "i":
                return f"{a}.abs()"
            other = self.random.choice(INTS) if kind == "i64" else kind
            counted = f"{self.expr(other, less)}.{self.pick('popcount', 'leading_zeros', 'trailing_zeros')}()"
            return counted if kind == "i64" else f"({counted} as {kind})"
        if roll == 19:
            return f"({a}.checked_{self.pick('add', 'sub', 'mul')}({self.expr(kind, less)}) ?? {self.literal(kind)})"
        if roll == 20 and kind == "i64":
            return f"{self.text(less)}.len()"
        if roll == 21 and kind == "i64":
            return f"{self.expr(f'[{self.some_type(1)}]', less)}.len()" if self.chance(70) else f"({self.text(less)}.to_i64() ?? {a})"
        if roll == 22:
            return f"({self.expr(f'[{kind}]', less)}.{self.pick('first', 'last', 'max', 'min')}() ?? {a})"
        if roll == 23 and not self.overflow:
            return f"{self.expr(f'[{kind}]', less)}.sum()"
        return self.literal(kind)

    def floating(self, kind: str, depth: int) -> str:
        suffix = "f32" if kind == "f32" else ""
        if depth == 0:
            value = self.pick("0.0", "1.0", "0.5", "2.5", "-1.25", "1e10", "3.75", "-0.0", "1e-3", "1e300" if kind == "f64" else "1e30")
            return f"({value}{suffix})"
        less = depth - 1
        a = self.expr(kind, less)
        roll = self.random.randrange(12)
        if roll < 6:
            return f"({a} {self.pick('+', '-', '*', '/', '+', '-')} {self.expr(kind, less)})"
        if roll == 6:
            return f"{a}.{self.pick('abs', 'floor', 'ceil', 'round', 'trunc', 'sqrt')}()"
        if roll == 7:
            return f"{a}.{self.pick('min', 'max')}({self.expr(kind, less)})"
        if roll == 8:
            return f"({self.expr(self.random.choice(INTS), less)} as {kind})"
        if roll == 9:
            return f"({self.expr(self.random.choice(FLOATS), less)} as {kind})"
        if roll == 10:
            return f"(-{a})"
        return f"({a} % {self.expr(kind, less)})"

    def boolean(self, depth: int) -> str:
        if depth == 0:
            return self.pick("true", "false")
        less = depth - 1
        roll = self.random.randrange(12)
        comparison = self.pick("==", "!=", "<", "<=", ">", ">=")
        if roll < 5:
            kind = self.random.choice(COMMON) if self.chance(70) else self.random.choice(SCALARS)
            if kind == "bool":
                comparison = self.pick("==", "!=")
            return f"({self.expr(kind, less)} {comparison} {self.expr(kind, less)})"
        if roll == 5:
            kind = self.some_type(1)
            return f"({self.expr(kind, less)} {self.pick('==', '!=')} {self.expr(kind, less)})"
        if roll == 6:
            return f"({self.boolean(less)} {self.pick('and', 'or')} {self.boolean(less)})"
        if roll == 7:
            return f"(not {self.boolean(less)})"
        if roll == 8:
            kind = self.random.choice(INTS)
            return f"({self.expr(kind, less)} <= {self.expr(kind, less)} < {self.expr(kind, less)})"
        if roll == 9:
            kind = self.random.choice(COMMON)
            return f"({self.expr(kind, less)} {self.pick('in', 'not in')} {self.expr(f'[{kind}]', less)})"
        if roll == 10:
            optionals = [v for v in self.visible() if is_optional(v.type)]
            if optionals:
                return f"({self.random.choice(optionals).name} {self.pick('==', '!=')} nil)"
        return f"{self.text(less)}.{self.pick('contains', 'starts_with', 'ends_with')}({self.text(0)})"

    def text(self, depth: int) -> str:
        if depth == 0:
            names = self.visible("text")
            return self.random.choice(names).name if names and self.chance(60) else f'"{self.random.choice(WORDS)}"'
        less = depth - 1
        roll = self.random.randrange(11)
        if roll < 3:
            return f"({self.text(less)} + {self.text(less)})"
        if roll == 3:
            inner = self.expr(self.some_type(1), less)
            return f'"<{{{inner}}}>"' if '"' not in inner and "'" not in inner else f"text({inner})"
        if roll == 4:
            return f"{self.text(less)}{self.slice()}"
        if roll == 5:
            return f"{self.text(less)}.{self.pick('upper', 'lower', 'trim', 'reverse', 'trim_end')}()"
        if roll == 6:
            return f'{self.text(less)}.replace("{self.pick("a", "X", "é", " ")}", {self.text(0)})'
        if roll == 7:
            return f"({self.text(less)} * {self.random.randrange(4)})"
        if roll == 8:
            return f'{self.text(less)}.split("{self.pick("a", "X", " ")}").join("{self.pick("", "-", "é")}")'
        if roll == 9:
            return f"{self.expr(self.random.choice(SCALARS), less)}.to_text()"
        return self.expr("text", less)

    def slice(self) -> str:
        def bound() -> str:
            return str(self.random.randrange(-5, 7)) if self.chance(70) else ""

        step = f":{self.pick('-1', '2', '-2', '3', '')}" if self.chance(30) else ""
        return f"[{bound()}:{bound()}{step}]"

    def optional(self, kind: str, depth: int) -> str:
        inner = kind[:-1]
        if self.chance(30):
            arrays = self.visible(f"[{inner}]")
            if arrays:
                return f"{self.random.choice(arrays).name}.{self.pick('first()', 'last()', 'get(1)', 'get(-9)')}"
        if self.chance(25):
            # A bare nil has a type only where one is expected: not as the receiver of an operator.
            return f"(if {self.boolean(max(depth - 1, 0))}: Some({self.expr(inner, max(depth - 1, 0))}) else: nil)"
        return f"Some({self.expr(inner, max(depth - 1, 0))})"

    def array(self, kind: str, depth: int) -> str:
        inner = element(kind)
        less = max(depth - 1, 0)
        arrays = self.visible(kind)
        roll = self.random.randrange(14)
        if roll < 4 or depth == 0:
            return "[" + ", ".join(self.expr(inner, less) for _ in range(self.random.randint(1, 4))) + "]"
        if roll == 4:
            return f"([{self.expr(inner, less)}] * {self.random.randrange(1, 5)})"
        if roll == 5:
            return self.comprehension(inner, less)
        base = self.random.choice(arrays).name if arrays else self.array(kind, less)
        if roll < 8:
            return f"{base}{self.slice()}"
        if roll == 8:
            return f"({base} + {self.array(kind, less)})[:12]"
        if roll == 9:
            return f"{base}.{self.pick('clone', 'reversed')}()"
        if roll == 10 and inner in (*INTS, "text"):
            return f"{base}.sorted()"
        if roll == 11:
            name = self.name("e")
            self.scopes.append([Variable(name, inner, False)])
            body = self.expr(inner, less) if self.chance(50) else name
            self.scopes.pop()
            return f"{base}.map(\\{name}: {body})"
        if roll == 12:
            name = self.name("e")
            self.scopes.append([Variable(name, inner, False)])
            body = self.boolean(less)
            self.scopes.pop()
            return f"{base}.filter(\\{name}: {body})"
        return f"{base}.{self.pick('take', 'drop')}({self.random.randrange(4)})"

    def comprehension(self, inner: str, depth: int) -> str:
        name = self.name("c")
        source, kind = self.small_range() if self.chance(60) else (None, self.random.choice(COMMON))
        if source is None:
            source = self.expr(f"[{kind}]", depth)
        self.scopes.append([Variable(name, kind, False)])
        body = self.expr(inner, depth)
        condition = f" if {self.boolean(depth)}" if self.chance(30) else ""
        self.scopes.pop()
        return f"[{body} for {name} in {source}{condition}]"

    def construct(self, struct: Struct, depth: int) -> str:
        less = max(depth - 1, 0)
        values = {
            name: "nil" if depth == 0 and kind == f"{struct.name}?" else self.expr(kind, less)
            for name, kind in struct.fields.items()
        }
        if self.chance(30):
            return f"{struct.name}({', '.join(values.values())})"
        return f"{struct.name}({', '.join(f'{name}: {value}' for name, value in values.items())})"

    # --- ranges -----------------------------------------------------------------------------------
    def small_range(self) -> tuple[str, str]:
        """Return a range of a few values, and their type."""
        kind = self.random.choice(INTS) if self.chance(40) else "i64"
        suffix = "" if kind == "i64" else kind
        start = self.random.randrange(0 if kind[0] == "u" else -4, 5)
        stop = start + self.random.randrange(7)
        first = f"({start}{suffix})" if start < 0 else f"{start}{suffix}"
        last = f"({stop}{suffix})" if stop < 0 else f"{stop}{suffix}"
        roll = self.random.randrange(7)
        if roll < 3:
            return f"{first}..{last}", kind
        if roll == 3:
            return f"{first}..={last}", kind
        if roll == 4 and kind == "i64":
            return f"range({stop}, {start}, {self.pick(-1, -2, -3)})", "i64"
        if roll == 5 and kind == "i64":
            return f"range({start}, {stop}, {self.pick(1, 2, 3)})", "i64"
        if roll == 6:
            return f"({first}..{last}).step_by({self.pick(1, 2, 3)})", kind
        return f"{first}..{last}", kind

    def edge_range(self) -> tuple[str, str]:
        """Return a range that comes near an end of its type, and perhaps is very long."""
        kind = self.random.choice(INTS) if self.chance(50) else "i64"
        suffix = "" if kind == "i64" else kind
        some = f"{self.random.randrange(6)}{suffix}"
        low, high = f"({kind}.MIN + {some})", f"({kind}.MAX - {some})"
        dots = self.pick("..", "..=")
        roll = self.random.randrange(6)
        if roll == 0:
            return f"{high}{dots}{kind}.MAX", kind
        if roll == 1:
            return f"{kind}.MIN{dots}{low}", kind
        if roll == 2:
            return f"{low}{dots}{high}", kind
        step = self.pick("3", "i64.MAX", "(i64.MAX / 2)", "1000000007")
        if roll == 3 and kind == "i64":
            return f"range({low}, {high}, {step})", kind
        if roll == 4 and kind == "i64":
            return f"range({high}, {low}, -{step})", kind
        if roll == 5 and kind == "i64":
            return f"range({low}, i64.MIN, -{self.random.randrange(1, 4)})", kind
        return f"{high}..{kind}.MAX", kind

    # --- statements -------------------------------------------------------------------------------
    def block(self, count: int, depth: int) -> None:
        self.indent += 1
        self.scopes.append([])
        for _ in range(count):
            self.statement(depth)
        self.scopes.pop()
        self.indent -= 1

    def statement(self, depth: int) -> None:
        simple = (self.declaration, self.declaration, self.assignment, self.assignment, self.show, self.change)
        nested = (self.branch, self.loop, self.loop, self.narrowing)
        if depth > 0 and self.chance(40):
            self.random.choice(nested)(depth)
        elif self.loops and self.chance(9):
            self.leave()
        elif self.chance(2):
            self.write(f'assert {self.boolean(2)} or {self.boolean(1)}, "{self.name("assertion ")}"')
        else:
            self.random.choice(simple)()

    def declaration(self) -> None:
        if self.chance(8):
            kinds = [self.some_type(1) for _ in range(2)]
            value = ", ".join(self.expr(kind) for kind in kinds)
            names = [self.name() for _ in kinds]
            self.write(f"val ({', '.join(names)}) = ({value})")
            for name, kind in zip(names, kinds):
                self.declare(name, kind, False)
            return
        kind = self.some_type()
        mutable = self.chance(65)
        name = self.name()
        annotation = f": {kind}" if self.chance(50) or is_optional(kind) else ""
        value = "nil" if is_optional(kind) and self.chance(25) else self.expr(kind)
        self.write(f"{'var' if mutable else 'val'} {name}{annotation} = {self.bounded(kind, value)}")
        self.declare(name, kind, mutable)

    def bounded(self, kind: str, value: str) -> str:
        """Keep texts and arrays from growing for ever."""
        if kind == "text":
            return f"({value})[:40]"
        return f"({value})[:16]" if is_array(kind) and self.chance(30) else value

    def assignment(self) -> None:
        targets = self.visible(mutable=True)
        if not targets:
            return self.show()
        target = self.random.choice(targets)
        kind = target.type
        if self.chance(12):
            others = [v for v in targets if v.type == kind and v.name != target.name]
            if others:
                other = self.random.choice(others).name
                return self.write(f"{target.name}, {other} = {other}, {target.name}")
        if kind in INTS and self.chance(50):
            operator = self.pick("+", "-", "*", "^", "|", "&", "<<", ">>", "/", "%")
            value = self.expr(kind, 2)
            if operator in "/%":
                value = f"({value} | {'1' if kind == 'i64' else '1' + kind})"
            return self.write(f"{target.name} {operator}= {value}")
        if kind in FLOATS and self.chance(50):
            return self.write(f"{target.name} {self.pick('+', '-', '*', '/')}= {self.expr(kind, 2)}")
        value = "nil" if is_optional(kind) and self.chance(30) else self.expr(kind)
        if is_array(kind):
            return self.write(f"{target.name} = ({value})[:16]" if "+" in value else f"{target.name} = {value}")
        self.write(f"{target.name} = {self.bounded(kind, value)}")

    def change(self) -> None:
        """Change an object: an element, a field, or by a method."""
        targets = [v for v in self.visible() if is_array(v.type) or v.type in self.structs]
        if not targets:
            return self.assignment()
        target = self.random.choice(targets)
        if target.type in self.structs:
            struct = self.structs[target.type]
            name, kind = self.random.choice(list(struct.fields.items()))
            if kind in ("i64", "i32", "f64") and self.chance(50):
                return self.write(f"{target.name}.{name} {self.pick('+', '-', '*')}= {self.expr(kind, 2)}")
            if struct.methods and self.chance(40):
                return self.write(f"print {target.name}.{self.call_of(self.random.choice(struct.methods), 2)}")
            return self.write(f"{target.name}.{name} = {self.bounded(kind, self.expr(kind, 2))}")
        kind, name = element(target.type), target.name
        roll = self.random.randrange(7)
        if roll < 2:
            self.write(f"if {name}.len() < 20: {name}.push({self.expr(kind, 2)})")
        elif roll == 2:
            self.write(f"if {name}.len() > 1: print {name}.pop()")
        elif roll < 5:
            value = self.expr(kind, 2)
            index = f"({self.expr('i64', 2)}) % {name}.len()" if not self.chance(4) else self.expr("i64", 1)
            operator = self.pick("+", "-", "*", "^") if kind in INTS else self.pick("+", "-") if kind in FLOATS else ""
            self.write(f"if {name}.len() > 0: {name}[{index}] {operator}= {value}")
        elif roll == 5:
            self.write(f"{name}.reverse()")
        else:
            self.write(f"if {name}.len() > 2: {name}.{self.pick('swap(0, -1)', 'remove(1)', 'clear()', 'swap(1, 2)')}")

    def show(self) -> None:
        variables = self.visible()
        if variables and self.chance(60):
            names = [v.name for v in self.random.sample(variables, min(len(variables), self.pick(1, 2, 3)))]
            return self.write(f"print {', '.join(names)}")
        if self.chance(30):
            kind = self.random.choice(("i64", "f64", "u8"))
            spec = self.pick(">12", "08", "x", "+", ",") if kind != "f64" else self.pick(".3f", "e", ">14.2f", "g")
            names = [v.name for v in self.visible(kind)]
            if names:
                return self.write(f'print "{{{self.random.choice(names)}:{spec}}}|"')
        self.write(f"print({self.expr(self.some_type())})")

    def leave(self) -> None:
        """Leave a loop, or the function, on a condition."""
        label = f" {self.random.choice(self.labels)}" if self.labels and self.chance(50) else ""
        roll = self.random.randrange(10)
        if roll < 2:
            value = "" if self.result == "()" else f" {self.expr(self.result, 2)}"
            self.write(f"if {self.boolean(2)}: return{value}")
        else:
            self.write(f"if {self.boolean(2)}: {self.pick('break', 'continue')}{label}")

    def branch(self, depth: int) -> None:
        self.write(f"if {self.boolean(2)}:")
        self.block(self.random.randint(1, 3), depth - 1)
        if self.chance(25):
            self.write(f"elif {self.boolean(2)}:")
            self.block(self.random.randint(1, 2), depth - 1)
        if self.chance(50):
            self.write("else:")
            self.block(self.random.randint(1, 3), depth - 1)

    def narrowing(self, depth: int) -> None:
        optionals = [v for v in self.visible() if is_optional(v.type)]
        if not optionals:
            return self.branch(depth)
        chosen = self.random.choice(optionals)
        name = self.name()
        if self.chance(50):
            self.write(f"if val {self.pick(f'Some({name})', name)} = {chosen.name}:")
            bound = name
        else:
            self.write(f"val {name} = {chosen.name}")
            self.declare(name, chosen.type, False)
            self.write(f"if {name} != nil:")
            bound = name
        self.indent += 1
        self.scopes.append([Variable(bound, chosen.type[:-1], False)])
        self.write(f"print {bound}")
        for _ in range(self.random.randint(1, 2)):
            self.statement(depth - 1)
        self.scopes.pop()
        self.indent -= 1
        if self.chance(40):
            self.write("else:")
            self.block(1, depth - 1)

    def loop(self, depth: int) -> None:
        roll = self.random.randrange(11)
        label = f"'{self.name('l')}" if self.chance(30) else ""
        head = f"{label}: " if label else ""
        inner: list[Variable] = []
        counter = self.name("n")
        limit = self.random.randint(2, 7)
        counted = False
        if roll < 5:
            name = self.name("i")
            text, kind = self.small_range() if self.chance(70) else self.edge_range()
            counted = "MAX" in text or "MIN" in text
            inner.append(Variable(name, kind, False))
            line = f"{head}for {name} in {text}:"
        elif roll < 8:
            kind = self.some_type(1)
            name = self.name("x")
            arrays = self.visible(f"[{kind}]")
            source = self.random.choice(arrays).name if arrays else self.bounded_array(kind)
            counted = True
            inner.append(Variable(name, kind, False))
            line = f"{head}for {name} in {source}:"
        elif roll == 8:
            name = self.name("s")
            inner.append(Variable(name, "text", False))
            line = f"{head}for {name} in {self.text(1)}[:5]:"
        elif roll == 9:
            counted = True
            line = f"{head}while {self.boolean(2)}:"
        else:
            counted = True
            line = f"{head}loop:"
        if counted:
            self.write(f"var {counter} = 0")
        self.write(line)
        self.indent += 1
        if counted:
            self.write(f"{counter} += 1")
            self.write(f"if {counter} > {limit}: break")
        self.scopes.append(inner)
        self.loops += 1
        labels = self.labels
        self.labels = [*labels, label] if label else labels
        for _ in range(self.random.randint(1, 4)):
            self.statement(depth - 1)
        self.labels = labels
        self.loops -= 1
        self.scopes.pop()
        self.write("trail += 1")
        self.indent -= 1

    def bounded_array(self, kind: str) -> str:
        return f"({self.expr(f'[{kind}]', 2)})[:6]"

    # --- declarations -----------------------------------------------------------------------------
    def struct(self) -> None:
        name = self.name("T")
        is_class = self.chance(40)
        fields = {self.name("f"): self.some_type(1) for _ in range(self.random.randint(1, 4))}
        if is_class and self.chance(50):
            fields[self.name("f")] = f"{name}?"
        struct = self.structs[name] = Struct(name, is_class, fields)
        self.write(f"{'class' if is_class else 'struct'} {name}:")
        for field, kind in fields.items():
            self.write(f"    {field}: {kind}")
        self.indent += 1
        self.method_of = struct
        for _ in range(self.random.randint(0, 2)):
            struct.methods.append(self.function(method=True))
        self.method_of = None
        self.indent -= 1
        self.write("")

    def function(self, method: bool = False) -> Callee:
        name = self.name("m" if method else "f")
        params = [(self.name("p"), self.some_type()) for _ in range(self.random.randint(0, 4))]
        result = self.some_type()
        defaults = 0
        texts = []
        for at, (param, kind) in enumerate(params):
            default = ""
            if at >= len(params) - 2 and self.chance(50):
                default = f" = {self.expr(kind, 1)}"
                defaults += 1
            elif defaults:
                defaults = 0
                texts = [text.partition(" = ")[0] for text in texts]
            texts.append(f"{param}: {kind}{default}")
        callee = Callee(name, params, result, defaults)
        changes = method and self.chance(50)
        self.write(f"{'me' if changes else 'fn'} {name}({', '.join(['fuel: i64', *texts])}) -> {result}:")
        saved = self.scopes, self.result, self.fuel
        self.scopes = [self.scopes[0], [Variable(p, kind, False) for p, kind in params]]
        self.result, self.fuel = result, "(fuel - 1)"
        self.indent += 1
        self.write("budget -= 1")
        self.write(f"if budget < 0 or fuel <= 0: return {self.expr(result, 0)}")
        if not method and self.chance(40):
            self.functions.append(callee)
            recursive = True
        else:
            recursive = False
        if changes and self.method_of is not None:
            for field, kind in self.method_of.fields.items():
                if self.chance(50):
                    self.write(f"self.{field} = {self.bounded(kind, self.expr(kind, 2))}")
        self.scopes.append([])
        for _ in range(self.random.randint(1, 5)):
            self.statement(2)
        self.write(self.expr(result))
        self.indent -= 1
        self.scopes, self.result, self.fuel = saved
        self.write("")
        if not method and not recursive:
            self.functions.append(callee)
        return callee

    def generic(self) -> None:
        name = self.name("g")
        self.write(self.pick(f"fn {name}<T>(c: bool, a: T, b: T) -> T:", f"fn {name}(c, a, b):"))
        self.write("    budget -= 1")
        self.write(f"    {self.pick('if c: a else: b', 'val xs = [a, b, a]; xs[if c: 1 else: -1]', 'if c and a == b: b else: a')}")
        self.write("")
        self.generics.append(name)

    def program(self) -> str:
        self.write(f"var budget = {CALLS}")
        self.write("var trail = 0")
        self.scopes[0].append(Variable("trail", "i64", False))
        for _ in range(self.random.randint(0, 3)):
            kind = self.some_type(1)
            name = self.name("G")
            self.write(f"var {name}: {kind} = {self.expr(kind, 1)}")
            self.declare(name, kind, True)
        self.write("")
        for _ in range(self.random.randint(0, 3)):
            self.struct()
        for _ in range(self.random.randint(0, 2)):
            self.generic()
        for _ in range(self.random.randint(1, 4)):
            self.function()
        self.write("fn main():")
        self.indent = 1
        self.scopes.append([])
        self.fuel = str(self.random.randint(1, 4))
        for _ in range(self.random.randint(4, 12)):
            self.statement(3)
        for variable in self.visible():
            self.write(f"print {variable.name}")
        self.write("print trail, budget")
        return "\n".join(self.lines) + "\n"


def generate(seed: int, overflow: bool = False) -> str:
    """Return the program with this number."""
    return Generator(seed, overflow).program()


if __name__ == "__main__":
    import sys

    print(generate(int(sys.argv[1]), "--overflow" in sys.argv), end="")
