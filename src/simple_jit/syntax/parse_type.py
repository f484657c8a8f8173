"""Type expressions: `i64`, `[T; N]`, `{K: V}`, `fn(A) -> R`, `T?`."""

from __future__ import annotations

from simple_jit.base import catalogue
from simple_jit.syntax import ast
from simple_jit.syntax.cursor import Cursor
from simple_jit.syntax.tokens import CLOSERS, INT, NAME, Token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from simple_jit.syntax.ast import GenericParam, TypeExpr, WhereBound

    T = TypeVar("T")


class TypeParser(Cursor):
    """Parses types, and tells without parsing where one would end."""

    def type(self) -> TypeExpr:
        start = self.token.start
        self.enter()
        result = self._optional(self._plain_type(), start)
        self.depth -= 1
        return result

    def _optional(self, inner: TypeExpr, start: int) -> TypeExpr:
        """Apply the `?` that follow at once; any number of them makes one option."""
        if not self._at_option():
            return inner
        while self._at_option():
            self.advance()
        return ast.OptionalType(self.span_from(start), inner)

    def _at_option(self) -> bool:
        # White space tells `x as T ?? d` from `T??`.
        return self.token.kind in ("?", "??") and not self.spaced()

    def _plain_type(self) -> TypeExpr:
        parse = _TYPE_STARTS.get(self.token.kind)
        if parse is None:
            self.fail(catalogue.EXPECTED_TYPE, f"expected a type, found {self.found()}")
        return parse(self)

    def _named_type(self) -> TypeExpr:
        start = self.token.start
        path = [self.name("a type")]
        while self.accept("."):
            path.append(self.name("a type name after `.`"))
        # White space tells `x as i64 < y` from `List<T>`.
        applied = self.token.kind == "<" and not self.spaced()
        args = self.type_arguments() if applied else []
        return ast.NamedType(self.span_from(start), path, args)

    def type_arguments(self) -> list[TypeExpr]:
        """Parse `<A, B>`."""
        return self._angled(self.type)

    def _angled(self, item: Callable[[], T]) -> list[T]:
        self.expect("<", "before the type arguments")
        items = [item()]
        while self.accept(",") and not self.token.kind.startswith(">"):
            items.append(item())
        self.close_angle()
        return items

    def close_angle(self) -> None:
        """Take one `>`, also off the front of `>>`, `>=` and `>>=`."""
        token = self.token
        if token.kind.startswith(">") and len(token.kind) > 1:
            middle = token.start + 1
            rest = token.kind[1:]
            self.tokens[self.at : self.at + 1] = [
                Token(">", ">", token.start, middle, token.indent),
                Token(rest, rest, middle, token.end),
            ]
            self.token = self.tokens[self.at]
        self.expect(">", "after the type arguments")

    def _array_type(self) -> TypeExpr:
        start = self.advance().start
        element = self.type()
        length = self.expression() if self.accept(";") else None
        self.expect("]", "after the element type")
        return ast.ArrayType(self.span_from(start), element, length)

    def _braced_type(self) -> TypeExpr:
        start = self.advance().start
        first = self.type()
        value = self.type() if self.accept(":") else None
        self.expect("}", "after the type")
        span = self.span_from(start)
        return ast.SetType(span, first) if value is None else ast.DictType(span, first, value)

    def _tuple_type(self) -> TypeExpr:
        start = self.advance().start
        items: list[TypeExpr] = []
        comma: Token | None = None
        while self.token.kind != ")":
            items.append(self.type())
            comma = self.accept(",")
            if comma is None:
                break
        self.expect(")", "after the types")
        if len(items) == 1 and comma is None:
            return items[0]
        return ast.TupleType(self.span_from(start), items)

    def _function_type(self) -> TypeExpr:
        start = self.advance().start
        self.expect("(", "after `fn` in a type")
        params: list[TypeExpr] = []
        while self.token.kind != ")":
            params.append(self.type())
            if not self.accept(","):
                break
        self.expect(")", "after the parameter types")
        result = self.type() if self.accept("->") else None
        return ast.FunctionType(self.span_from(start), params, result)

    # --- Generic parameters and bounds ---

    def generics(self) -> list[GenericParam]:
        """Parse `<T, U: Bound>`, if there is any."""
        return self._angled(self._generic) if self.token.kind == "<" else []

    def _generic(self) -> GenericParam:
        name = self.name("a type parameter")
        bounds = self._bounds() if self.accept(":") else []
        return ast.GenericParam(self.span_from(name.span.start), name, bounds)

    def _bounds(self) -> list[TypeExpr]:
        bounds = [self.type()]
        while self.accept("+"):
            bounds.append(self.type())
        return bounds

    def where_clause(self) -> list[WhereBound]:
        """Parse `where T: A + B, U: C`, if there is any."""
        bounds: list[WhereBound] = []
        if self.accept("where"):
            bounds.append(self._where_bound())
            while self.accept(","):
                bounds.append(self._where_bound())
        return bounds

    def _where_bound(self) -> WhereBound:
        start = self.token.start
        subject = self.type()
        self.expect(":", "before the bound")
        bounds = self._bounds()
        return ast.WhereBound(self.span_from(start), subject, bounds)

    # --- Looking ahead ---

    def type_end(self, at: int) -> int:
        """Return the index after what looks like a type at token `at`, or -1."""
        tokens = self.tokens
        while tokens[at].kind == "fn":
            at = self._group_end(at + 1) if tokens[at + 1].kind == "(" else -1
            if at < 0 or tokens[at].kind != "->":
                return at
            at += 1
        kind = tokens[at].kind
        if kind == NAME:
            at = self._named_end(at)
        elif kind in CLOSERS:
            at = self._group_end(at)
        else:
            return -1
        while at > 0 and tokens[at].kind in ("?", "??"):
            at += 1
        return at

    def _named_end(self, at: int) -> int:
        tokens = self.tokens
        at += 1
        while tokens[at].kind == "." and tokens[at + 1].kind == NAME:
            at += 2
        return self.type_arguments_end(at) if tokens[at].kind == "<" else at

    def type_arguments_end(self, at: int) -> int:
        """Return the index after what looks like the `<…>` at token `at`, or -1."""
        return self._group_end(at)

    def _group_end(self, at: int) -> int:
        """Return the index after the group that opens at `at`, if types can fill it."""
        depth = 0
        # The bound keeps a long line of comparisons from being scanned over and over.
        for _ in range(_MAX_SCAN):
            kind = self.tokens[at].kind
            if kind not in _IN_TYPES:
                return -1
            depth += _NESTING.get(kind, 0)
            at += 1
            if depth <= 0:
                return at if depth == 0 else -1
        return -1


_MAX_SCAN = 128
_NESTING = {"(": 1, "[": 1, "{": 1, "<": 1, ")": -1, "]": -1, "}": -1, ">": -1, ">>": -2}
_IN_TYPES = frozenset({*_NESTING, NAME, INT, "fn", "->", ",", ":", ";", ".", "?", "??"})

_TYPE_STARTS: dict[str, Callable[[TypeParser], TypeExpr]] = {
    NAME: TypeParser._named_type,
    "[": TypeParser._array_type,
    "{": TypeParser._braced_type,
    "(": TypeParser._tuple_type,
    "fn": TypeParser._function_type,
}
