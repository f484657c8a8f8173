"""Patterns: `Circle(r)`, `(a, _)`, `[first, ...rest]`, `1..=9 | 12`, `n: i64`."""

from __future__ import annotations

from simple_jit.base import catalogue
from simple_jit.syntax import ast
from simple_jit.syntax.literals import LiteralParser
from simple_jit.syntax.tokens import FLOAT, INT, KEYWORDS, NAME, TEXT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from simple_jit.syntax.ast import Expr, Ident, LiteralExpr, Pattern


class PatternParser(LiteralParser):
    """Parses patterns of arms, bindings, conditions and loops."""

    def pattern(self) -> Pattern:
        """Parse a pattern with its alternatives `P | Q`."""
        start = self.token.start
        self.enter()
        options = [self._alternative()]
        while self.accept("|"):
            options.append(self._alternative())
        self.depth -= 1
        return options[0] if len(options) == 1 else ast.OrPattern(self.span_from(start), options)

    def _alternative(self) -> Pattern:
        if self.token.kind == NAME and self.peek().kind == "@":
            name = self.name("a name")
            self.advance()
            self.enter()
            pattern = self._alternative()
            self.depth -= 1
            return ast.AtPattern(self.span_from(name.span.start), name, pattern)
        return self.primary_pattern()

    def primary_pattern(self) -> Pattern:
        """Parse a pattern without alternatives, as a binding or loop has it."""
        parse = _PATTERN_STARTS.get(self.token.kind)
        if parse is None:
            if self.token.kind in KEYWORDS:
                self.name("a pattern")
            self.fail(catalogue.EXPECTED_PATTERN, f"expected a pattern, found {self.found()}")
        return parse(self)

    def binding_patterns(self) -> list[Pattern]:
        """Parse `k, v` of a loop or binding: one pattern or several."""
        patterns = [self._alternative()]
        while self.accept(","):
            patterns.append(self._alternative())
        return patterns

    # --- Names, payloads and fields ---

    def _named_pattern(self) -> Pattern:
        token = self.token
        path = [self.name("a pattern")]
        while self.token.kind == "." and self.peek().kind == NAME:
            self.advance()
            path.append(self.name("a name"))
        kind = self.token.kind
        if kind == "(":
            return self._call_pattern(path)
        if kind == "{":
            return self._struct_pattern(path)
        span = self.span_from(token.start)
        if kind in ("..", "..="):
            return self._range_pattern(_path_value(path))
        if len(path) > 1:
            return ast.PathPattern(span, path)
        if token.text == "_":
            return ast.WildcardPattern(span)
        return ast.NamePattern(span, token.text)

    def _call_pattern(self, path: list[Ident]) -> Pattern:
        self.advance()
        args: list[ast.PatternArg] = []
        while self.token.kind != ")":
            args.append(self._pattern_argument())
            if not self.accept(","):
                break
        self.expect(")", "after the payload's patterns")
        self._check_rests([arg.pattern for arg in args])
        return ast.CallPattern(self.span_from(path[0].span.start), path, args)

    def _pattern_argument(self) -> ast.PatternArg:
        start = self.token.start
        name = None
        if self.is_label():
            name = self.any_name("a field name")
            self.advance()
        pattern = self._rest_pattern() if self.token.kind == "..." else self.pattern()
        return ast.PatternArg(self.span_from(start), name, pattern)

    def _braced_pattern(self) -> Pattern:
        return self._struct_pattern([])

    def _struct_pattern(self, path: list[Ident]) -> Pattern:
        start = path[0].span.start if path else self.token.start
        self.advance()
        members: list[ast.FieldPattern] = []
        while self.token.kind != "}":
            members.append(self._field_pattern())
            if not self.accept(","):
                break
        self.expect("}", "after the fields")
        return ast.StructPattern(self.span_from(start), path, members)

    def _field_pattern(self) -> ast.FieldPattern:
        if self.is_label():
            name = self.any_name("a field name")
            self.advance()
            pattern = self.pattern()
        else:
            name = self.name("a field name")
            pattern = ast.NamePattern(name.span, name.name)
        return ast.FieldPattern(self.span_from(name.span.start), name, pattern)

    # --- Tuples and arrays ---

    def _tuple_pattern(self) -> Pattern:
        start = self.advance().start
        items, comma = self._pattern_items(")")
        if len(items) == 1 and not comma and not isinstance(items[0], ast.RestPattern):
            return items[0]
        return ast.TuplePattern(self.span_from(start), items)

    def _array_pattern(self) -> Pattern:
        start = self.advance().start
        items, _ = self._pattern_items("]")
        return ast.ArrayPattern(self.span_from(start), items)

    def _pattern_items(self, closer: str) -> tuple[list[Pattern], bool]:
        """Parse patterns up to the closer; the flag tells of a comma after the last."""
        items: list[Pattern] = []
        comma = False
        while self.token.kind != closer:
            items.append(self._pattern_item())
            comma = self.accept(",") is not None
            if not comma:
                break
        self.expect(closer, "after the patterns")
        self._check_rests(items)
        return items, comma

    def _pattern_item(self) -> Pattern:
        if self.token.kind == "...":
            return self._rest_pattern()
        pattern = self.pattern()
        return self.typed_pattern(pattern) if self.token.kind == ":" else pattern

    def typed_pattern(self, pattern: Pattern) -> Pattern:
        """Parse the `: T` after a name."""
        if not isinstance(pattern, ast.NamePattern | ast.WildcardPattern):
            self.fail(catalogue.EXPECTED_PATTERN, "only a name or `_` can have a type here")
        self.advance()
        type_ = self.type()
        return ast.TypedPattern(self.span_from(pattern.span.start), pattern, type_)

    def _rest_pattern(self) -> Pattern:
        start = self.advance().start
        name = self.name("a name") if self.token.kind == NAME else None
        return ast.RestPattern(self.span_from(start), name)

    def _check_rests(self, items: list[Pattern]) -> None:
        rests = [item for item in items if isinstance(item, ast.RestPattern)]
        for extra in rests[1:]:
            self.complain(catalogue.DUPLICATE_REST, extra.span, "a second `...` in one pattern").also(
                rests[0].span, "the first is here"
            )

    # --- Literals and ranges ---

    def _literal_pattern(self) -> Pattern:
        value = self._pattern_literal()
        if self.token.kind in ("..", "..="):
            return self._range_pattern(value)
        return ast.LiteralPattern(value.span, value)

    def _pattern_literal(self) -> LiteralExpr:
        """Parse a literal; a minus sign becomes part of the number."""
        start = self.token.start
        negative = self.accept("-") is not None
        if self.token.kind not in (_NUMBERS if negative else _LITERALS):
            what = "a number after `-`" if negative else "a literal"
            self.fail(catalogue.EXPECTED_PATTERN, f"expected {what}, found {self.found()}")
        value = self.literal()
        if negative and isinstance(value, ast.IntLiteral | ast.FloatLiteral):
            value.value = -value.value
            value.span = self.span_from(start)
        if isinstance(value, ast.InterpolatedText):
            self.complain(catalogue.EXPECTED_PATTERN, value.span, "text in a pattern cannot interpolate")
            return ast.TextLiteral(value.span, "")
        return value

    def _range_pattern(self, low: Expr) -> Pattern:
        inclusive = self.advance().kind == "..="
        high = self._range_end()
        return ast.RangePattern(self.span_from(low.span.start), low, high, inclusive)

    def _range_end(self) -> Expr:
        if self.token.kind != NAME:
            return self._pattern_literal()
        path = [self.name("a name")]
        while self.accept("."):
            path.append(self.name("a name"))
        return _path_value(path)


def _path_value(path: list[Ident]) -> Expr:
    """Return the expression that a path of names stands for."""
    value: Expr = ast.Name(path[0].span, path[0].name)
    for name in path[1:]:
        value = ast.Member(path[0].span.join(name.span), value, name, False)
    return value


_NUMBERS = frozenset({INT, FLOAT})
_LITERALS = frozenset({INT, FLOAT, TEXT, "true", "false", "nil"})

_PATTERN_STARTS: dict[str, Callable[[PatternParser], Pattern]] = {
    NAME: PatternParser._named_pattern,
    "(": PatternParser._tuple_pattern,
    "[": PatternParser._array_pattern,
    "{": PatternParser._braced_pattern,
    "-": PatternParser._literal_pattern,
    **dict.fromkeys(_LITERALS, PatternParser._literal_pattern),
}
