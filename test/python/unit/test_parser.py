"""The parser: precedence, the finer rules, recovery, limits and properties."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simple_jit.base.diagnostics import Reporter
from simple_jit.base.source import SourceFile
from simple_jit.syntax import ast
from simple_jit.syntax.dump import dump_ast
from simple_jit.syntax.parser import parse

GOLDEN = Path(__file__).parents[1] / "golden"


def parse_text(text: str) -> tuple[ast.Module, list[str]]:
    """Return the tree of `text` and the codes of its errors."""
    reporter = Reporter()
    module = parse(SourceFile("test.spl", text), reporter)
    return module, [diagnostic.code for diagnostic in reporter.diagnostics]


def brief(node: object) -> str:
    """Show a tree in one line: `a + b` as `(+ a b)`, a call as `f(a, b)`."""
    match node:
        case ast.Name():
            return node.name
        case ast.IntLiteral() | ast.FloatLiteral() | ast.TextLiteral():
            return repr(node.value)
        case ast.Binary() | ast.Logical():
            return f"({node.op} {brief(node.left)} {brief(node.right)})"
        case ast.Unary():
            return f"({node.op} {brief(node.operand)})"
        case ast.Coalesce():
            return f"(?? {brief(node.left)} {brief(node.right)})"
        case ast.Pipe():
            return f"(|> {brief(node.value)} {brief(node.function)})"
        case ast.Range():
            return f"(.. {brief(node.start)} {brief(node.stop)})"
        case ast.Cast():
            return f"(as {brief(node.value)} {brief(node.type)})"
        case ast.TypeTest():
            return f"(is {brief(node.value)} {brief(node.type)})"
        case ast.Compare():
            pairs = zip(node.ops, node.operands, strict=True)
            return f"({brief(node.first)} {' '.join(f'{op} {brief(to)}' for op, to in pairs)})"
        case ast.Call():
            return f"{brief(node.callee)}({', '.join(brief(arg) for arg in node.args)})"
        case ast.Arg():
            name = f"{node.name.name}: " if node.name else ""
            return f"{name}{'...' if node.spread else ''}{brief(node.value)}"
        case ast.Member():
            return f"{brief(node.value)}{'?.' if node.nil_safe else '.'}{node.name.name}"
        case ast.TupleElement():
            return f"{brief(node.value)}.{node.index}"
        case ast.Index():
            return f"{brief(node.value)}{'?' if node.nil_safe else ''}[{brief(node.index)}]"
        case ast.Unwrap():
            return f"{brief(node.value)}!"
        case ast.Propagate():
            return f"{brief(node.value)}?"
        case ast.TupleLiteral():
            return f"({', '.join(map(brief, node.items))},)"
        case ast.ArrayLiteral():
            return f"[{', '.join(map(brief, node.items))}]"
        case ast.Lambda():
            params = [f"{param.name.name}{_typed(param)}" for param in node.params]
            return f"\\{', '.join(params)}: {brief(node.body)}"
        case ast.Block():
            return "; ".join(map(brief, node.statements))
        case ast.ExprStmt():
            return brief(node.value)
        case ast.Assign():
            return f"{brief(node.target)} {node.op or ''}= {brief(node.value)}"
        case ast.If():
            branches = [f"{brief(b.condition)}: {brief(b.body)}" for b in node.branches]
            otherwise = f" else {brief(node.otherwise)}" if node.otherwise else ""
            return f"{{if {' elif '.join(branches)}{otherwise}}}"
        case ast.NamedType():
            return ".".join(name.name for name in node.path)
        case _:
            return f"<{type(node).__name__}>"


def _typed(param: ast.Param) -> str:
    return f": {brief(param.type)}" if param.type else ""


def brief_text(text: str) -> str:
    module, errors = parse_text(text)
    assert errors == []
    return "; ".join(map(brief, module.statements))


def nodes_of(module: ast.Module) -> Iterator[tuple[ast.Node, ast.Node | None]]:
    """Yield every node of a tree with its parent."""
    work: list[tuple[ast.Node, ast.Node | None]] = [(module, None)]
    while work:
        node, parent = work.pop()
        yield node, parent
        for _, value in node.fields():
            children = value if isinstance(value, list) else [value]
            work += [(child, node) for child in children if isinstance(child, ast.Node)]


# --- Precedence ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a |> b or c", "(|> a (or b c))"),
        ("a or b and not c", "(or a (and b (not c)))"),
        ("not a == b", "(not (a == b))"),
        ("a == b ?? c", "(a == (?? b c))"),
        ("a ?? b | c", "(?? a (| b c))"),
        ("a | b ^ c", "(| a (^ b c))"),
        ("a xor b & c", "(^ a (& b c))"),
        ("a & b << c", "(& a (<< b c))"),
        ("a << b .. c", "(<< a (.. b c))"),
        ("a .. b + c", "(.. a (+ b c))"),
        ("a + b * c - d", "(- (+ a (* b c)) d)"),
        ("a * b as T", "(* a (as b T))"),
        ("-a as T", "(as (- a) T)"),
        ("-a ** b", "(- (** a b))"),
        ("a ** -b ** c", "(** a (- (** b c)))"),
        ("-a.b[c]!", "(- a.b[c]!)"),
        ("0 <= a < b", "(0 <= a < b)"),
        ("a in b not in c", "(a in b not in c)"),
        ("a + 1 is T and b", "(and (is (+ a 1) T) b)"),
        ("a - b - c", "(- (- a b) c)"),
        ("a ?? b ?? c", "(?? (?? a b) c)"),
        ("a as T < b", "((as a T) < b)"),
        ("a as T ?? b", "(?? (as a T) b)"),
    ],
)
def test_precedence(text: str, expected: str) -> None:
    assert brief_text(text) == expected


# --- Calls without parentheses ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("print x", "print(x)"),
        ("print -x", "print((- x))"),
        ("print - x", "(- print x)"),
        ("print-x", "(- print x)"),
        ("print [1]", "print([1])"),
        ("print[1]", "print[1]"),
        ("print (a + b) * 2", "print((* (+ a b) 2))"),
        ("print (1, 2)", "print(1, 2)"),
        ("print (1), 2", "print(1, 2)"),
        ("print (1).a", "print(1.a)"),
        ("print", "print"),
        ("print not a", "print((not a))"),
        ("a not in b", "(a not in b)"),
        ("print *a, ...b", "print(...a, ...b)"),
        ("a.b.c d, e: f", "a.b.c(d, e: f)"),
        ("x = print", "x = print"),
        ("a *= b", "a *= b"),
        ("expect a == b", "expect((a == b))"),
        ("if a: print (1, 2) else: print (3)", "{if a: print(1, 2) else print(3)}"),
        ("f(\\: print a, b)", "f(\\: print(a), b)"),
        ("xs.each \\x: print x, y", "xs.each(\\x: print(x, y))"),
        ("xs.fold(0) \\a, b: a", "xs.fold(0, \\a, b: a)"),
        ("print xs.map \\x: x", "print(xs.map(\\x: x))"),
    ],
)
def test_calls_without_parentheses(text: str, expected: str) -> None:
    assert brief_text(text) == expected


# --- Lambdas ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\\: a", "\\: a"),
        ("\\x: x", "\\x: x"),
        ("\\x, y: x", "\\x, y: x"),
        ("\\x: T: x", "\\x: T: x"),
        ("\\x: T, y: U: x", "\\x: T, y: U: x"),
        ("\\x, y: T: x", "\\x, y: T: x"),
        ("\\x: i64, y: x", "\\x: i64, y: x"),
        ("f(\\x: x, y)", "f(\\x: x, y)"),
        ("f(\\x: x, y: z)", "f(\\x: x, y: z)"),
        ("f(\\x: a[x], y: z, w: v)", "f(\\x: a[x], y: z, w: v)"),
        ("\\x: n += x", "\\x: n += x"),
        ("\\x: if x: 1 else: 2", "\\x: {if x: 1 else 2}"),
        ("\\x: a; b", "\\x: a; b"),
        ("\\x: \\y: x + y", "\\x: \\y: (+ x y)"),
        ("f(_1 * 2)", "f(\\_1: (* _1 2))"),
        ("f(0, _1 + _2)", "f(0, \\_1, _2: (+ _1 _2))"),
        ("f(_2.a)", "f(\\_1, _2: _2.a)"),
        ("f(_1)", "f(\\_1: _1)"),
        ("f(g(_1))", "f(\\_1: g(_1))"),
        ("f(g(_1 + 1))", "f(g(\\_1: (+ _1 1)))"),
        ("x = f(_1)", "x = f(\\_1: _1)"),
        ("x = _1 + 1", "x = \\_1: (+ _1 1)"),
        ("a |> f(_1, 2)", "(|> a \\_1: f(_1, 2))"),
    ],
)
def test_lambdas(text: str, expected: str) -> None:
    assert brief_text(text) == expected


# --- One-line bodies and layout in brackets ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if a: b else: c", "{if a: b else c}"),
        ("if a: b; c", "{if a: b; c}"),
        ("if a: if b: c else: d", "{if a: {if b: c else d}}"),
        ("if a: b\nelif c: d\nelse: e", "{if a: b elif c: d else e}"),
        ("if a: b else if c: d", "{if a: b elif c: d}"),
        ("if a: x, y = y, x", "{if a: (x, y,) = (y, x,)}"),
        ("x = if a: 1 else: 2; y", "x = {if a: 1 else 2}; y"),
        ("f(if a: 1 else: 2, 3)", "f({if a: 1 else 2}, 3)"),
        ("f(\\x:\n  a\n  b\n)", "f(\\x: a; b)"),
        ("f(\\x:\n  a\n, 1)", "f(\\x: a, 1)"),
        ("f(\n  \\x:\n    a\n    b,\n  1)", None),
        ("f(if a:\n  1\nelse:\n  2, 3)", None),
        ("f(if a:\n  1\nelse:\n  2\n)", "f({if a: 1 else 2})"),
        ("x = [\n  1,\n  2]", "x = [1, 2]"),
        ("f(\\x:\n  g(\\y:\n    y)\n  x)", "f(\\x: g(\\y: y); x)"),
        ("a.b \\x:\n  c\n.d()", "a.b(\\x: c).d()"),
        ("x = a.b \\x:\n  c\n(y)", "x = a.b(\\x: c); y"),
        ("x = \\y:\n  c\n-y", "x = \\y: c; (- y)"),
        ("f:\n  a\ng", "f(\\: a); g"),
        ('it "x", skip:\n  a', "it('x', skip, \\: a)"),
        ('it "x", tag: [1]:\n  a', "it('x', tag: [1], \\: a)"),
        ('it "x": a', "it('x', \\: a)"),
    ],
)
def test_bodies(text: str, expected: str | None) -> None:
    if expected is None:
        assert parse_text(text)[1] != []
    else:
        assert brief_text(text) == expected


# --- Access ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("t.0.1", "t.0.1"),
        ("f()?.g", "f()?.g"),
        ("f()? + 1", "(+ f()? 1)"),
        ("x?[0]", "x?[0]"),
        ("a.type.match", "a.type.match"),
        ("P { x: 1, y }", "P(x: 1, y: y)"),
        ("a < b > c", "(a < b > c)"),
        ("Set<T>()", "<TypeApply>()"),
        ("a[1, 2]", "a[(1, 2,)]"),
    ],
)
def test_access(text: str, expected: str) -> None:
    assert brief_text(text) == expected


def test_the_last_as_of_a_with_names_the_value() -> None:
    module, errors = parse_text("with e as T as name: pass")
    statement = module.statements[0]
    assert errors == []
    assert isinstance(statement, ast.With)
    assert statement.name is not None
    assert brief(statement.value) == "(as e T)"


# --- What the language reference writes ---

SNIPPETS = [
    "use std.math.{sqrt}",
    "use a.b.{x, y as z}\nuse a.b.*\nuse a.b\nuse a.b.x\nexport x, y",
    "use compiler.execution.mod.{LocalExecutionManager, set_jit_backend, get_jit_backend}",
    "val (q, r) = divmod(7, 2)",
    "q, r = r, q\n(q, r) = (r, q)",
    "struct Box<T>:\n    item: T",
    'fn greet(name: text, greeting: text = "Hello", times: i64 = 1) -> text: name',
    'greet("Ann", times: 2)',
    "fn total(xs: i64...) -> i64: xs.sum()",
    "total(...xs)",
    "fn first<T>(xs: [T]) -> T? where T: Comparable: xs.first",
    "type Callback = fn(i64) -> bool",
    "extern fn cos(x: f64) -> f64",
    'extern "libfoo.so" fn foo(x: i64) -> i64',
    "let mut x = 1",
    "impl<T> Box<T>:\n    fn get() -> T: self.item",
    "enum E:\n    A\n    B(i64, text)\n    C(name: i64)\nenum F:\n    A = 1",
    "trait T:\n    fn cmp(other) -> i64\n    me next() -> T?\n    fn twice() -> i64: 2",
    "Enum.A as i64",
    "Name { field: v }",
    "if c: a else: b",
    "for i in 0..=n: pass\nfor i in (0..10).step_by(3): pass\nfor k, v in d: pass",
    "'outer: for x in xs:\n    break 'outer",
    "if val Some(x) = f(): x\nelif val y = g(): y\nwhile val P(z) = e: z",
    "if let Some(x) = f(): x\nif var y = g(): y",
    "match x:\n    case 1..=9: a\n    | P | Q -> b\n    name @ 3 => c\n    case n: T: d\n    case _ if e: f",
    "val [a, b, ...rest] = xs\nval {name, age} = p\nval Point(x: px, y: 0) = p",
    "defer file.close()",
    "with open(path) as file: file",
    "x ?? d\nx?.f\nx?.m()\nx?[i]\nx!\nx.?\ne?",
    "t.0\nt[0]",
    "a[i:j]\na[:j]\na[i:]\na[i:j:k]\na[::-1]",
    "f = \\x: x\ng = \\x, y: x\nh = \\: 1\ni = \\x: i64: x\nj = fn(x): x",
    "xs.each \\x: print x",
    "print x\nexpect a == b\nprint -x\nprint [1, 2]\nprint (a + b) * 2\nprint (1, 2)\nprint",
    "[e for x in xs if c]\n[for x in xs if c: e]\n{k: v for k, v in d}\n{e for e in s}",
    '[0, ...a, *b]\n{**d, "k": 1}',
    "x |> f |> g\nf >> g",
    "p.copy(x: 1)",
    'assert cond, "msg"\nthrow e\npanic(msg)',
    "try: a()\ncatch e: print e.message, e.kind\nfinally: b()",
    'print a, b\nprint(x, end: "")',
    'x = "{x:>8} {x:08.3f} {n:x} {n:,} {s:^10} {p:.1%}"',
    "[T].with_len(n, v)\n[0] * n\ntext.from_code(n)\ni64.MAX\nSet()\nSet<T>()",
    "fn add(a, b): a + b",
    'var xs = []\nxs.push(1)\nval ys = [1, "two", 3.0]',
    'describe "x":\n    context "y":\n        let name = 1\n        before_each:\n            a()',
    'it "a", skip:\n    pass\nit "b", tag: ["slow"]:\n    expect(x).to_equal(y)',
    'expect_raises "message part":\n    f()\nexpect(x).to_be_close_to(y, eps)\nskip',
    "with e as T as name: pass",
    '@inline\n@deprecated("no")\nfn f(): pass\n@f(x)\nfn g(): pass',
    "class C:\n    x: i64 = 1\n    static fn new(x: i64) -> C: C(x)\n    me set(x: i64): self.x = x",
    "x as u8\nx is T\n0 <= x < n\nx not in xs",
    "val m: {text: [i64; 3]} = {}\nval s: {i64} = {}\nval t: (i64, text)? = nil\nval u: () = ()",
]


@pytest.mark.parametrize("text", SNIPPETS)
def test_snippets_of_the_reference(text: str) -> None:
    assert parse_text(text)[1] == []


# --- Docstrings ---


def body_of(text: str) -> ast.Block:
    module, errors = parse_text(text)
    assert errors == []
    function = module.statements[0]
    assert isinstance(function, ast.FunctionDecl)
    assert function.body is not None
    return function.body


def test_text_before_other_statements_is_a_docstring() -> None:
    body = body_of('fn f():\n    """Has {braces and a b}."""\n    1')
    assert body.doc == "Has {braces and a b}."
    assert len(body.statements) == 1


def test_text_alone_is_the_value() -> None:
    body = body_of('fn f():\n    "value"')
    assert body.doc is None
    assert brief(body) == "'value'"


# --- Errors ---


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("x = ", ["E0102"]),
        ("x = 1 2", ["E0107"]),
        ("if a\n    b", ["E0101"]),
        ("if a:\nb", ["E0106"]),
        ("a\n    b", ["E0006"]),
        ("fn f()", ["E0119"]),
        ("fn f(x y): 1", ["E0101"]),
        ("val x", ["E0111"]),
        ("val if = 1", ["E0109"]),
        ("a + 1 = 2", ["E0110"]),
        ("f(a: 1, 2)", ["E0112"]),
        ("fn f(a = 1, b): 1", ["E0113"]),
        ("me f(): 1", ["E0114"]),
        ("@a\nx = 1", ["E0115"]),
        ("a + _1", ["E0116"]),
        ("x = val a = 1", ["E0117"]),
        ("if a or val b = c: d", ["E0117"]),
        ("x = ...a", ["E0118"]),
        ("match a:\nb", ["E0106"]),
        ("try: a", ["E0121"]),
        ("val [...a, ...b] = c", ["E0122"]),
        ("x = {1: 2, 3}", ["E0123"]),
        ("'a: for b", ["E0101"]),
        ("a && b", ["E0125"]),
        ("x: i64 = 1", ["E0125"]),
        ("def f(x):\n    x", ["E0125"]),
        ("x = 0b2", ["E0009"]),
        (f"x = {'9' * 1000}", ["E0010"]),
        ('x = "\\q"', ["E0008"]),
        ('x = "a }"', ["E0011"]),
        ('x = "{}"', ["E0013"]),
        ('x = "{a b}"', ["E0101"]),
        ("val a: = 1", ["E0103"]),
        ("match a:\n    case +: 1", ["E0104"]),
        ("fn 1(): 1", ["E0105"]),
    ],
)
def test_one_mistake_is_one_error(text: str, codes: list[str]) -> None:
    assert parse_text(text)[1] == codes


def test_every_statement_is_parsed_whatever_the_others_are() -> None:
    text = "a = \nif b:\n    c )\n    d = 1\nfn f(x:\n    1\nval 3\ne = 2\n"
    module, errors = parse_text(text)
    assert len(errors) >= 4
    assert brief(module.statements[-1]) == "e = 2"


def test_errors_come_in_the_order_of_the_text() -> None:
    reporter = Reporter()
    parse(SourceFile("test.spl", 'x = \ny = "abc\nz = \n'), reporter)
    lines = [diagnostic.span.line for diagnostic in reporter.diagnostics if diagnostic.span]
    assert lines == [1, 2, 3]


# --- Limits ---

DEEP = 10_000
LONG = 20_000


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * DEEP + "1" + ")" * DEEP,
        "x = " + "[" * DEEP,
        "x = " + "- " * DEEP + "1",
        "x = " + "not " * DEEP + "1",
        "x = " + "\\: " * DEEP + "1",
        "x = " + " ** ".join(["a"] * DEEP),
        "if a: " * DEEP + "b",
        "".join(" " * depth + "if a:\n" for depth in range(600)) + " " * 600 + "b",
        "val x: " + "[" * DEEP + "T" + "]" * DEEP + " = 1",
        "val x: " + "A<" * DEEP + "T" + ">" * DEEP + " = 1",
        "match a:\n    case " + "(" * DEEP + "b" + ")" * DEEP + ": 1",
        "match a:\n    case " + "b @ " * DEEP + "c: 1",
        "x = " + '"{' * 100 + "1" + '}"' * 100,
    ],
)
def test_deep_nesting_is_refused(text: str) -> None:
    module, errors = parse_text(text)
    assert "E0108" in errors
    assert len(errors) <= 2
    dump_ast(module)


@pytest.mark.parametrize(
    "text",
    [
        "x = " + " + ".join(["a"] * LONG),
        "x = " + " and ".join(["a"] * LONG),
        "x = " + " < ".join(["a"] * LONG),
        "x = " + ".".join(["a"] * LONG),
        "x = f" + "()" * LONG,
        "x = " + " |> ".join(["f"] * LONG),
        "if a: b\n" + "elif c: d\n" * 5_000,
        "val x: T" + "?" * LONG + " = 1",
        "x = " + "(" * 200 + "1" + ")" * 200,
    ],
)
def test_long_chains_are_fine(text: str) -> None:
    module, errors = parse_text(text)
    assert errors == []
    assert len(module.statements) == 1


@pytest.mark.parametrize(
    "text",
    [
        "x = [" + ", ".join(map(str, range(150_000))) + "]",
        "x = a" + " < a" * 50_000,
        "x = " + "a<" * 50_000 + "a",
        "with a: " * 5_000,
        "f(" * 200 + "\\x: y, " * 5_000,
        'x = "' + "a" * 1_000_000 + '"',
    ],
)
def test_a_long_line_is_parsed_in_linear_time(text: str) -> None:
    start = time.perf_counter()
    parse_text(text)
    assert time.perf_counter() - start < 15


# --- Properties ---

FRAGMENT_WORDS = """
    a f X _1 1 2.5 ( ) [ ] { } : ; , . ?. ? ! ?? + - * ** / < > == = += -> => |> | & @ .. ...
    if else elif match case for in while val fn struct enum impl me static return try catch
    is as not and or with defer use pub self nil 'x' loop break \\ " {{ 0x
"""
FRAGMENTS = [*FRAGMENT_WORDS.split(), "\n", "\n    ", "\n        ", '"a {b} c"']

programs = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map(" ".join)


@given(programs | st.text(max_size=60))
@settings(max_examples=400, deadline=None)
def test_any_text_gives_a_tree_whose_spans_nest(text: str) -> None:
    module, _ = parse_text(text)
    for node, parent in nodes_of(module):
        assert 0 <= node.span.start <= node.span.end <= len(text)
        if parent is not None:
            assert parent.span.start <= node.span.start
            assert node.span.end <= parent.span.end
    dump_ast(module)


PROGRAMS = sorted((GOLDEN / "ast").glob("*.spl"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_spans_of_whole_programs_nest(program: Path) -> None:
    module, errors = parse_text(program.read_text(encoding="utf-8"))
    assert errors == []
    for node, parent in nodes_of(module):
        if parent is not None:
            assert parent.span.start <= node.span.start
            assert node.span.end <= parent.span.end


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_any_beginning_of_a_program_parses_without_an_exception(program: Path) -> None:
    text = program.read_text(encoding="utf-8")
    for end in range(0, len(text), 37):
        parse_text(text[:end])


def test_parsing_is_fast_enough() -> None:
    """Far below what it does (20,000 lines a second), for slow machines."""
    text = (GOLDEN / "ast" / "nbody.spl").read_text(encoding="utf-8") * 10
    start = time.process_time()
    _, errors = parse_text(text)
    assert errors == []
    assert text.count("\n") / (time.process_time() - start) > 2_000
