"""Expressions: precedence climbing over prefix, postfix and binary operators.

Left-associative chains and postfix chains are parsed in loops, so their length has no
limit; what recurses counts towards `MAX_DEPTH`. The levels, from loose to tight:

    |>   or   and   not   comparisons, in, is   ??   |   ^ xor   &   << >>   .. ..=
    + -   * / // %   as   unary - + ~   **   postfix
"""

from __future__ import annotations

from simple_jit.base import catalogue
from simple_jit.base.source import Span
from simple_jit.syntax import ast
from simple_jit.syntax.parse_pattern import PatternParser
from simple_jit.syntax.patterns import compile_pattern
from simple_jit.syntax.tokens import FLOAT, INDENT, INT, NAME, NEWLINE, TEXT, Token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from simple_jit.syntax.ast import Arg, BinaryOp, Clause, CompareOp, Expr, Param, UnaryOp

PIPE, OR, AND, NOT, COMPARE, COALESCE, BIT_OR, XOR, BIT_AND, SHIFT, RANGE = range(1, 12)
SUM, PRODUCT, CAST, UNARY, POWER = range(12, 17)

LEVELS = {
    "|>": PIPE,
    "or": OR,
    "and": AND,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in", "not", "is"), COMPARE),
    "??": COALESCE,
    "|": BIT_OR,
    "^": XOR,
    "xor": XOR,
    "&": BIT_AND,
    "<<": SHIFT,
    ">>": SHIFT,
    "..": RANGE,
    "..=": RANGE,
    "+": SUM,
    "-": SUM,
    **dict.fromkeys(("*", "/", "//", "%"), PRODUCT),
    "as": CAST,
    "**": POWER,
}
"""How tightly each binary operator binds; `not` stands for `not in`."""

_BINARY_OPS: dict[str, BinaryOp] = {
    "+": "+",
    "-": "-",
    "*": "*",
    "/": "/",
    "//": "//",
    "%": "%",
    "**": "**",
    "&": "&",
    "|": "|",
    "^": "^",
    "xor": "^",
    "<<": "<<",
    ">>": ">>",
}
_COMPARE_OPS: dict[str, CompareOp] = {
    "==": "==",
    "!=": "!=",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
    "in": "in",
    "not": "not in",
}
_UNARY_OPS: dict[str, UnaryOp] = {"-": "-", "+": "+", "~": "~"}

BINDING_KEYWORDS = frozenset({"val", "var", "let"})

_SCALARS = frozenset(
    {"i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64", "int", "float"}
    | {"bool", "text", "str", "String", "any"}
)
_FOREIGN = {
    "!": "negation is written `not`",
    "&": "`&&` is written `and`",
    "|": "`||` is written `or`",
}
_CLAUSE_OWNERS = {"elif": "an `if`", "else": "an `if`", "catch": "a `try`", "finally": "a `try`"}
_SPREADS = frozenset({"...", "*", "**"})


class ExpressionParser(PatternParser):
    """Parses expressions, apart from the bodies that `StatementParser` parses."""

    test_depth = 0
    """The depth at which `val P = e` may stand as a test; 0 outside of conditions."""

    last_as = -1
    """The index of the `as` that names the value in a `with`, hence is no cast."""

    placeholders: int | None = None
    """The largest n of a `_n` in what becomes a lambda; None where none may stand."""

    in_argument = False
    """True inside an argument, which can take over the `_1` of an argument in it."""

    # --- Operators ---

    def expression(self) -> Expr:
        self.enter()
        value = self._binary(PIPE)
        self.depth -= 1
        return value

    def condition(self) -> Expr:
        """Parse the condition of `if`, `elif` or `while`, where `val P = e` may stand."""
        outer = self.test_depth
        self.test_depth = self.depth + 1
        value = self.expression()
        self.test_depth = outer
        return value

    def _binary(self, floor: int) -> Expr:
        """Parse operands joined by operators that bind at least as tightly as `floor`."""
        left = self._prefix()
        while True:
            token = self.token
            level = LEVELS.get(token.kind, 0)
            if level < floor or level == 0 or not self._is_infix(token):
                return left
            left = _INFIX[level](self, left, level)

    def _is_infix(self, token: Token) -> bool:
        """Tell whether the operator belongs to this expression."""
        if token.indent >= 0 and token.kind != "|>" and self.starts_new_statement():
            return False
        if token.kind == "not":
            return self.peek().kind == "in"
        return token.kind != "as" or self.at != self.last_as

    def _arithmetic(self, left: Expr, level: int) -> Expr:
        op = _BINARY_OPS[self.advance().kind]
        right = self._binary(level + 1)
        return ast.Binary(self.span_from(left.span.start), op, left, right)

    def _power(self, left: Expr, level: int) -> Expr:
        self.advance()
        self.enter()
        right = self._binary(level)
        self.depth -= 1
        return ast.Binary(self.span_from(left.span.start), "**", left, right)

    def _logical(self, left: Expr, level: int) -> Expr:
        self.advance()
        right = self._binary(level + 1)
        span = self.span_from(left.span.start)
        if level == AND:
            return ast.Logical(span, "and", left, right)
        self._forbid_tests(left, right)
        return ast.Logical(span, "or", left, right)

    def _coalesce(self, left: Expr, level: int) -> Expr:
        self.advance()
        right = self._binary(level + 1)
        return ast.Coalesce(self.span_from(left.span.start), left, right)

    def _range(self, left: Expr, level: int) -> Expr:
        inclusive = self.advance().kind == "..="
        stop = self._binary(level + 1)
        return ast.Range(self.span_from(left.span.start), left, stop, inclusive)

    def _cast(self, left: Expr, _: int) -> Expr:
        self.advance()
        type_ = self.type()
        return ast.Cast(self.span_from(left.span.start), left, type_)

    def _pipe(self, left: Expr, level: int) -> Expr:
        self.advance()
        self._forbid_tests(left)
        function = self._argument_value(level + 1)
        return ast.Pipe(self.span_from(left.span.start), left, function)

    def _compare(self, left: Expr, level: int) -> Expr:
        """Parse a chain of comparisons, and the `is` tests on it."""
        if self.token.kind == "is":
            return self._type_test(left)
        ops: list[CompareOp] = []
        operands: list[Expr] = []
        while (op := _COMPARE_OPS.get(self.token.kind)) and self._is_infix(self.token):
            if self.advance().kind == "not":
                self.advance()
            ops.append(op)
            operands.append(self._binary(level + 1))
        return ast.Compare(self.span_from(left.span.start), left, ops, operands)

    def _type_test(self, value: Expr) -> Expr:
        self.advance()
        negated = self.accept("not") is not None
        if self.token.kind == "nil":
            nil = self.literal()
            op: CompareOp = "!=" if negated else "=="
            return ast.Compare(self.span_from(value.span.start), value, [op], [nil])
        type_ = self.type()
        return ast.TypeTest(self.span_from(value.span.start), value, type_, negated)

    # --- Tests by pattern ---

    def _pattern_test(self) -> Expr:
        """Parse `val P = e` in a condition."""
        start = self.token.start
        if self.depth != self.test_depth:
            self.fail(
                catalogue.MISPLACED_PATTERN_TEST,
                f"`{self.token.text}` cannot stand inside an expression",
                "`if val P = e:` tests a pattern; tests are joined by `and` only",
            )
        mutable = self.advance().kind == "var"
        mutable = self.accept("mut") is not None or mutable
        pattern = self.pattern()
        if self.token.kind == ":":
            pattern = self.typed_pattern(pattern)
        self.expect("=", "after the pattern")
        value = self._binary(COMPARE)
        return ast.PatternTest(self.span_from(start), pattern, value, mutable)

    def _forbid_tests(self, *operands: Expr) -> None:
        """Report tests by pattern whose names would be bound only sometimes."""
        for operand in operands:
            test: Expr = operand
            while isinstance(test, ast.Logical) and test.op == "and":
                test = test.right if isinstance(test.right, ast.PatternTest) else test.left
            if isinstance(test, ast.PatternTest):
                self.complain(
                    catalogue.MISPLACED_PATTERN_TEST,
                    test.span,
                    "tests by pattern can be joined by `and` only",
                )

    # --- Prefix operators and primaries ---

    def _prefix(self) -> Expr:
        token = self.token
        if token.kind == NAME:
            self.advance()
            return self.postfix(self._name_value(token))
        parse = _PREFIX.get(token.kind)
        if parse is None:
            self._fail_expression()
        value = parse(self)
        return self.postfix(value) if token.kind in _TAKES_POSTFIX else value

    def _fail_expression(self) -> NoReturn:
        kind = self.token.kind
        hint = _FOREIGN.get(kind)
        if hint is not None and (kind == "!" or self.previous_kind() == kind):
            self.fail(catalogue.FOREIGN_SYNTAX, hint)
        if kind == "=" and self.previous_kind() == ":":
            self.fail(catalogue.FOREIGN_SYNTAX, "a variable is declared by `val x = …`, or `var x = …`")
        if kind in _SPREADS:
            message = f"`{kind}` spreads only an item of a literal or an argument"
            self.fail(catalogue.MISPLACED_SPREAD, message)
        if kind in _CLAUSE_OWNERS:
            message = f"`{kind}` without {_CLAUSE_OWNERS[kind]} before it"
            self.fail(catalogue.EXPECTED_EXPRESSION, message)
        self.fail(catalogue.EXPECTED_EXPRESSION, f"expected an expression, found {self.found()}")

    def _unary(self) -> Expr:
        token = self.advance()
        doubled = self.file.text[token.start - 1 : token.end]
        if doubled == token.kind * 2 and self.ends_line(token.end):
            self.at -= 1
            self.token = token
            self.fail(catalogue.FOREIGN_SYNTAX, f"`{doubled}` is written `{token.kind}= 1`")
        self.enter()
        operand = self._binary(POWER)
        self.depth -= 1
        return ast.Unary(self.span_from(token.start), _UNARY_OPS[token.kind], operand)

    def _not(self) -> Expr:
        token = self.advance()
        self.enter()
        operand = self._binary(NOT)
        self.depth -= 1
        return ast.Unary(self.span_from(token.start), "not", operand)

    def _self(self) -> Expr:
        token = self.advance()
        return ast.SelfExpr(Span(self.file, token.start, token.end))

    def _name_value(self, token: Token) -> Expr:
        """Make the value of a name; `_1` also makes its argument a lambda."""
        span = Span(self.file, token.start, token.end)
        number = _placeholder_number(token.text)
        if number:
            if self.placeholders is None:
                self.complain(
                    catalogue.MISPLACED_PLACEHOLDER,
                    span,
                    f"`{token.text}` is not inside an argument",
                    "write the lambda out: `\\x: …`",
                )
            else:
                self.placeholders = max(self.placeholders, number)
        return ast.Name(span, token.text)

    # --- Placeholders ---

    def _argument_value(self, floor: int = PIPE) -> Expr:
        r"""Parse an argument, or what `|>` applies; if it holds `_1` it becomes a lambda.

        A lone `_1` in an argument inside another belongs to the outer one, as in Scala:
        `xs.map(f(_1))` is `xs.map(\x: f(x))`.
        """
        outer, nested = self.placeholders, self.in_argument
        self.placeholders, self.in_argument = 0, True
        self.enter()
        value = self._binary(floor)
        self.depth -= 1
        count = self.placeholders
        self.placeholders, self.in_argument = outer, nested
        if count == 0:
            return value
        if nested and outer is not None and isinstance(value, ast.Name):
            self.placeholders = max(outer, count)
            return value
        return _placeholder_lambda(value, count)

    def initializer(self) -> Expr:
        """Parse the value of a binding; it too becomes a lambda if it holds `_1`."""
        outer, nested = self.placeholders, self.in_argument
        self.placeholders, self.in_argument = 0, False
        value = self.expression()
        count = self.placeholders
        self.placeholders, self.in_argument = outer, nested
        return _placeholder_lambda(value, count) if count else value

    # --- Parentheses, arrays, dicts and sets ---

    def _paren(self) -> Expr:
        """Parse `()`, `(e)`, or a tuple."""
        start = self.advance().start
        outer, self.in_brackets = self.in_brackets, True
        items: list[Expr] = []
        comma: Token | None = None
        while self.token.kind != ")":
            items.append(self.expression())
            comma = self.accept(",")
            if comma is None:
                break
        self.in_brackets = outer
        self.expect(")", "after the expression")
        if len(items) == 1 and comma is None:
            return items[0]
        span = self.span_from(start)
        return ast.TupleLiteral(span, items) if items else ast.UnitLiteral(span)

    def _array(self) -> Expr:
        start = self.advance().start
        outer, self.in_brackets = self.in_brackets, True
        value = self._array_contents(start)
        self.in_brackets = outer
        self.expect("]", "after the last element")
        value.span = self.span_from(start)
        return value

    def _array_contents(self, start: int) -> Expr:
        span = self.span_from(start)
        if self.token.kind == "for":
            clauses = self._clauses()
            self.expect(":", "before the element of the comprehension")
            return ast.ArrayComprehension(span, self.expression(), clauses)
        items: list[Expr | ast.Spread] = []
        while self.token.kind != "]":
            if self.token.kind == "**":
                self.fail(catalogue.MISPLACED_SPREAD, "`**` spreads a dict, into a dict")
            items.append(self._item())
            if self.token.kind == "for":
                element = self._only(items)
                return ast.ArrayComprehension(span, element, self._clauses())
            if self.token.kind == ";" and len(items) == 1:
                hint = f"write `[{items[0].span.text}] * n`"
                self.fail(catalogue.FOREIGN_SYNTAX, "an array of equal elements is a product", hint)
            if not self.accept(","):
                break
        return ast.ArrayLiteral(span, items)

    def _item(self) -> Expr | ast.Spread:
        if self.token.kind not in _SPREADS:
            return self.expression()
        start = self.advance().start
        value = self.expression()
        return ast.Spread(self.span_from(start), value)

    def _only(self, items: list[Expr | ast.Spread]) -> Expr:
        """Return the element of a comprehension, which must be the only item."""
        item = items[0]
        if len(items) > 1 or isinstance(item, ast.Spread):
            self.fail(catalogue.EXPECTED_TOKEN, "a comprehension has one element before its `for`")
        return item

    def _clauses(self) -> list[Clause]:
        """Parse `for x in xs if c …` of a comprehension."""
        clauses: list[Clause] = []
        while self.token.kind in ("for", "if"):
            start = self.token.start
            if self.advance().kind == "if":
                condition = self.expression()
                clauses.append(ast.IfClause(self.span_from(start), condition))
                continue
            patterns = self.binding_patterns()
            self.expect("in", "after the loop variable")
            iterable = self.expression()
            clauses.append(ast.ForClause(self.span_from(start), patterns, iterable))
        return clauses

    def _braces(self) -> Expr:
        """Parse a dict or set, or a comprehension of one."""
        start = self.advance().start
        outer, self.in_brackets = self.in_brackets, True
        value = self._braces_contents(start)
        self.in_brackets = outer
        self.expect("}", "after the last element")
        value.span = self.span_from(start)
        return value

    def _braces_contents(self, start: int) -> Expr:
        span = self.span_from(start)
        entries: list[ast.DictEntry | ast.Spread] = []
        items: list[Expr | ast.Spread] = []
        is_dict = self.token.kind == "}"
        while self.token.kind != "}":
            is_dict = self.token.kind == "**" or is_dict
            item = self._item()
            if self.token.kind == ":" and not isinstance(item, ast.Spread):
                entries.append(self._entry(item))
            elif isinstance(item, ast.Spread):
                entries.append(item)
                items.append(item)
            else:
                items.append(item)
            if self.token.kind == "for":
                return self._braces_comprehension(span, entries, items)
            if not self.accept(","):
                break
        is_dict = is_dict or any(isinstance(entry, ast.DictEntry) for entry in entries)
        if not is_dict:
            return ast.SetLiteral(span, items)
        for item in items:
            if not isinstance(item, ast.Spread):
                self.complain(catalogue.MIXED_COLLECTION, item.span, "this entry of a dict has no value")
        return ast.DictLiteral(span, entries)

    def _entry(self, key: Expr) -> ast.DictEntry:
        self.advance()
        value = self.expression()
        return ast.DictEntry(self.span_from(key.span.start), key, value)

    def _braces_comprehension(
        self,
        span: Span,
        entries: list[ast.DictEntry | ast.Spread],
        items: list[Expr | ast.Spread],
    ) -> Expr:
        if items:
            element = self._only(items)
            return ast.SetComprehension(span, element, self._clauses())
        entry = entries[0]
        if len(entries) > 1 or isinstance(entry, ast.Spread):
            self.fail(catalogue.EXPECTED_TOKEN, "a comprehension has one entry before its `for`")
        return ast.DictComprehension(span, entry.key, entry.value, self._clauses())

    # --- Functions ---

    def lambda_(self) -> Expr:
        r"""Parse `\x, y: e`, with types `\x: T, y: U: e`."""
        start = self.advance().start
        params: list[Param] = []
        while self.token.kind != ":":
            params.append(self._lambda_param())
            if not self.accept(","):
                break
        body = self.body(single=True)
        return ast.Lambda(self.span_from(start), params, None, body)

    def _lambda_param(self) -> Param:
        name = self.name("a parameter of the lambda")
        type_ = None
        if self.token.kind == ":" and self._parameter_type_follows():
            self.advance()
            type_ = self.type()
        return ast.Param(self.span_from(name.span.start), name, type_, None)

    def _parameter_type_follows(self) -> bool:
        """Tell whether a type follows the `:` here rather than the lambda's body.

        It does if a `:` follows it, or parameters with types and then a `:`. For the
        name of a scalar type, which is no sensible body, any parameter will do.
        """
        tokens = self.tokens
        at = self.type_end(self.at + 1)
        if at == self.at + 2 and tokens[at - 1].text in _SCALARS and tokens[at].kind == ",":
            return tokens[at + 1].kind == NAME and tokens[at + 2].kind in (":", ",")
        while at > 0 and tokens[at].kind == ",":
            if tokens[at + 1].kind != NAME or tokens[at + 2].kind != ":":
                return False
            at = self.type_end(at + 3)
        return at > 0 and tokens[at].kind == ":"

    def _function_value(self) -> Expr:
        """Parse `fn(x: T) -> R: e`."""
        start = self.advance().start
        params = self.parameters()
        result = self.type() if self.accept("->") else None
        body = self.body(single=True)
        return ast.Lambda(self.span_from(start), params, result, body)

    def parameters(self) -> list[Param]:
        """Parse `(a, b: T = e, c: U...)`; `self` is taken and left out."""
        self.expect("(", "before the parameters")
        outer, self.in_brackets = self.in_brackets, True
        params: list[Param] = []
        while self.token.kind != ")":
            if self.token.kind == "self" and not params:
                self.advance()
            else:
                params.append(self._parameter())
            if not self.accept(","):
                break
        self.in_brackets = outer
        self.expect(")", "after the parameters")
        self._check_parameters(params)
        return params

    def _parameter(self) -> Param:
        start = self.token.start
        mutable = self.accept("var") is not None or self.accept("mut") is not None
        name = self.name("a parameter")
        type_ = self.type() if self.accept(":") else None
        variadic = self.accept("...") is not None
        default = self.expression() if self.accept("=") else None
        span = self.span_from(start)
        return ast.Param(span, name, type_, default, variadic=variadic, mutable=mutable)

    def _check_parameters(self, params: list[Param]) -> None:
        """Report a parameter that no positional argument could reach."""
        optional: Param | None = None
        for param in params:
            if param.default is None and optional is not None:
                kind = "variadic one" if optional.variadic else "one with a default"
                self.complain(
                    catalogue.BAD_PARAMETER,
                    param.span,
                    f"a parameter without a default after a {kind}",
                ).also(optional.span, "this one")
            if param.default is not None or param.variadic:
                optional = optional or param

    # --- Postfix operators ---

    def postfix(self, value: Expr) -> Expr:
        while True:
            token = self.token
            parse = _POSTFIX.get(token.kind)
            if parse is None or (token.indent >= 0 and self._is_other_statement(token)):
                return value
            result = parse(self, value)
            if result is None:
                return value
            value = result

    def _is_other_statement(self, token: Token) -> bool:
        return token.kind not in (".", "?.") and self.starts_new_statement()

    def member(self, value: Expr) -> Expr:
        nil_safe = self.advance().kind == "?."
        if self.token.kind == INT and self.token.text.isdecimal():
            index = int(self.token.text[:6])
            self.advance()
            return ast.TupleElement(self.span_from(value.span.start), value, index, nil_safe)
        name = self.any_name("a field or method name after `.`")
        return ast.Member(self.span_from(value.span.start), value, name, nil_safe)

    def _has_value(self, value: Expr) -> Expr:
        self.advance()
        return ast.HasValue(self.span_from(value.span.start), value)

    def _unwrap(self, value: Expr) -> Expr | None:
        if self.spaced():
            return None
        self.advance()
        return ast.Unwrap(self.span_from(value.span.start), value)

    def _question(self, value: Expr) -> Expr | None:
        """Parse `e?`, or the `?[` of a nil-safe index."""
        if self.spaced():
            return None
        question = self.advance()
        if self.token.kind == "[" and self.token.start == question.end:
            return self._index(value, nil_safe=True)
        return ast.Propagate(self.span_from(value.span.start), value)

    def _plain_index(self, value: Expr) -> Expr:
        return self._index(value, nil_safe=False)

    def _index(self, value: Expr, *, nil_safe: bool) -> Expr:
        self.advance()
        outer, self.in_brackets = self.in_brackets, True
        parts = self._index_parts()
        self.in_brackets = outer
        self.expect("]", "after the index")
        span = self.span_from(value.span.start)
        if isinstance(parts, list):
            start, stop, step = parts
            return ast.Slice(span, value, start, stop, step, nil_safe)
        return ast.Index(span, value, parts, nil_safe)

    def _index_parts(self) -> Expr | list[Expr | None]:
        """Parse what is between the brackets: an index, or the three parts of a slice."""
        first = None if self.token.kind == ":" else self.expression()
        if first is not None and self.token.kind == ",":
            return self.tuple_from(first)
        if first is not None and self.token.kind != ":":
            return first
        parts = [first]
        while len(parts) < 3:
            empty = not self.accept(":") or self.token.kind in (":", "]")
            parts.append(None if empty else self.expression())
        return parts

    def tuple_from(self, first: Expr) -> Expr:
        """Parse the rest of a tuple without parentheses, at the first comma."""
        items = [first]
        while self.accept(","):
            items.append(self.expression())
        return ast.TupleLiteral(self.span_from(first.span.start), items)

    def _type_application(self, value: Expr) -> Expr | None:
        """Parse the `<T>` of `Set<T>()`; a `<` that is a comparison is left alone."""
        if self.spaced() or not isinstance(value, ast.Name | ast.Member):
            return None
        end = self.type_arguments_end(self.at)
        if end < 0 or self.tokens[end].kind not in ("(", ".", "{"):
            return None
        args = self.type_arguments()
        return ast.TypeApply(self.span_from(value.span.start), value, args)

    # --- Calls ---

    def _call(self, callee: Expr) -> Expr:
        args = self.call_arguments()
        return ast.Call(self.span_from(callee.span.start), callee, args)

    def call_arguments(self) -> list[Arg]:
        """Parse `(a, name: b, ...c)`."""
        self.advance()
        outer, self.in_brackets = self.in_brackets, True
        args: list[Arg] = []
        while self.token.kind != ")":
            args.append(self.argument())
            if not self.accept(","):
                break
        self.in_brackets = outer
        self.expect(")", "after the arguments")
        self.check_arguments(args)
        return args

    def argument(self) -> Arg:
        start = self.token.start
        name = None
        spread = False
        if self.is_argument_name():
            name = self.any_name("a parameter name")
            self.advance()
        elif self.token.kind in ("...", "*"):
            self.advance()
            spread = True
        value = self._argument_value()
        return ast.Arg(self.span_from(start), name, spread, value)

    def is_argument_name(self) -> bool:
        """Tell whether `name:` or `name =` begins here, and no block after the colon."""
        if self.is_label():
            return self.peek(2).kind not in (INDENT, NEWLINE) and self.token.kind != "try"
        return self.token.kind == NAME and self.peek().kind == "="

    def check_arguments(self, args: list[Arg]) -> None:
        """Report positional arguments after named ones; `skip` is a mark (`it "…", tag: "slow", skip:`)."""
        named: Arg | None = None
        for arg in args:
            if arg.name is not None:
                named = named or arg
            elif named is not None and not (isinstance(arg.value, ast.Name) and arg.value.name == "skip"):
                self.complain(
                    catalogue.BAD_ARGUMENT_ORDER,
                    arg.span,
                    "a positional argument after a named one",
                ).also(named.span, "the named one is here")

    def _braces_call(self, callee: Expr) -> Expr | None:
        """Parse `Point { x: 1, y }`: the name must be a type's, which is capitalised."""
        if not _names_type(callee):
            return None
        self.advance()
        outer, self.in_brackets = self.in_brackets, True
        args: list[Arg] = []
        while self.token.kind != "}":
            args.append(self._field_value())
            if not self.accept(","):
                break
        self.in_brackets = outer
        self.expect("}", "after the fields")
        return ast.Call(self.span_from(callee.span.start), callee, args)

    def _field_value(self) -> Arg:
        name = self.any_name("a field name")
        value: Expr = ast.Name(name.span, name.name)
        if self.accept(":"):
            value = self._argument_value()
        return ast.Arg(self.span_from(name.span.start), name, False, value)

    def _trailing_lambda(self, callee: Expr) -> Expr | None:
        r"""Parse the lambda of `xs.each \x: …` or `xs.fold(0) \a, b: …`."""
        if not isinstance(callee, ast.Name | ast.Member | ast.Call | ast.TypeApply):
            return None
        return self.with_last_argument(callee, self.lambda_())

    def with_last_argument(self, callee: Expr, value: Expr) -> Expr:
        """Return the call of `callee`, or the call that it is, with one more argument."""
        span = self.span_from(callee.span.start)
        arg = ast.Arg(value.span, None, False, value)
        if isinstance(callee, ast.Call):
            return ast.Call(span, callee.callee, [*callee.args, arg])
        return ast.Call(span, callee, [arg])

    # --- What StatementParser parses ---

    def if_(self, *, single: bool = True) -> Expr:
        raise NotImplementedError

    def match_(self, *, single: bool = True) -> Expr:
        raise NotImplementedError

    def try_(self, *, single: bool = True) -> Expr:
        raise NotImplementedError


def _names_type(callee: Expr) -> bool:
    if isinstance(callee, ast.TypeApply):
        callee = callee.value
    if isinstance(callee, ast.Member):
        return callee.name.name[0].isupper()
    return isinstance(callee, ast.Name) and callee.name[0].isupper()


def _placeholder_number(name: str) -> int:
    """Return n for `_n`, else 0."""
    return int(name[1:]) if _PLACEHOLDER(name) else 0


_PLACEHOLDER = compile_pattern(r"_[1-9]").fullmatch


def _placeholder_lambda(value: Expr, count: int) -> Expr:
    """Return the lambda with the parameters `_1` to `_count`."""
    span = value.span
    params = [ast.Param(span, ast.Ident(span, f"_{number}"), None, None) for number in range(1, count + 1)]
    body = ast.Block(span, None, [ast.ExprStmt(span, value)])
    return ast.Lambda(span, params, None, body)


_INFIX: dict[int, Callable[[ExpressionParser, Expr, int], Expr]] = {
    PIPE: ExpressionParser._pipe,
    OR: ExpressionParser._logical,
    AND: ExpressionParser._logical,
    COMPARE: ExpressionParser._compare,
    COALESCE: ExpressionParser._coalesce,
    RANGE: ExpressionParser._range,
    CAST: ExpressionParser._cast,
    POWER: ExpressionParser._power,
    **dict.fromkeys((BIT_OR, XOR, BIT_AND, SHIFT, SUM, PRODUCT), ExpressionParser._arithmetic),
}

_PREFIX: dict[str, Callable[[ExpressionParser], Expr]] = {
    **dict.fromkeys((INT, FLOAT, TEXT, "true", "false", "nil"), ExpressionParser.literal),
    **dict.fromkeys(_UNARY_OPS, ExpressionParser._unary),
    **dict.fromkeys(BINDING_KEYWORDS, ExpressionParser._pattern_test),
    "not": ExpressionParser._not,
    "self": ExpressionParser._self,
    "(": ExpressionParser._paren,
    "[": ExpressionParser._array,
    "{": ExpressionParser._braces,
    "\\": ExpressionParser.lambda_,
    "fn": ExpressionParser._function_value,
    "if": lambda parser: parser.if_(),
    "match": lambda parser: parser.match_(),
    "try": lambda parser: parser.try_(),
}

_TAKES_POSTFIX = frozenset({INT, FLOAT, TEXT, "true", "false", "nil", "self", "(", "[", "{"})

_POSTFIX: dict[str, Callable[[ExpressionParser, Expr], Expr | None]] = {
    "(": ExpressionParser._call,
    "[": ExpressionParser._plain_index,
    ".": ExpressionParser.member,
    "?.": ExpressionParser.member,
    ".?": ExpressionParser._has_value,
    "!": ExpressionParser._unwrap,
    "?": ExpressionParser._question,
    "<": ExpressionParser._type_application,
    "{": ExpressionParser._braces_call,
    "\\": ExpressionParser._trailing_lambda,
}
