"""Declarations: functions, types, bindings, imports, and the annotations before them."""

from __future__ import annotations

from simple_jit.base import catalogue
from simple_jit.syntax import ast
from simple_jit.syntax.parse_expr import BINDING_KEYWORDS
from simple_jit.syntax.parse_stmt import StatementParser
from simple_jit.syntax.tokens import DEDENT, END, INDENT, NAME, NEWLINE, TEXT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal, NoReturn, TypeAlias

    from simple_jit.syntax.ast import (
        Annotation,
        FieldDecl,
        FunctionDecl,
        Ident,
        Pattern,
        PayloadDecl,
        SelfMode,
        Stmt,
        UseName,
        VariantDecl,
    )

    Member: TypeAlias = FieldDecl | FunctionDecl | VariantDecl


class Prefix:
    """What stands before a declaration: where it starts, annotations, `pub`."""

    __slots__ = ("start", "annotations", "public")

    def __init__(self, start: int, annotations: list[Annotation], public: bool) -> None:
        self.start = start
        self.annotations = annotations
        self.public = public


class DeclarationParser(StatementParser):
    """Parses declarations; with it the grammar is complete."""

    def module(self) -> ast.Module:
        """Parse a whole file."""
        start = self.token.start
        while self.token.kind == NEWLINE:
            self.advance()
        doc = self.doc(only=True)
        statements: list[Stmt] = []
        while self.token.kind != END:
            statements += self.items(self.statement)
            self.accept(DEDENT)
        return ast.Module(self.span_from(start), doc, statements)

    def statement(self) -> Stmt:
        kind = self.token.kind
        if kind in _PREFIXES or kind in _DECLARATIONS:
            if kind == "fn" and self.peek().kind == "(":
                return super().statement()
            return self._declaration()
        return super().statement()

    def _declaration(self) -> Stmt:
        prefix = self._prefix_of_declaration()
        parse = _DECLARATIONS.get(self.token.kind)
        if parse is None:
            skipped = self._skipped_call(prefix)
            if skipped is None:
                self._fail_declaration(prefix)
            return skipped
        return parse(self, prefix)

    def _skipped_call(self, prefix: Prefix) -> Stmt | None:
        """Parse `@skip` before a call with a block: `@skip it "…": …` is `it("…", skip: true, …)`."""
        names = [annotation.path[0].name for annotation in prefix.annotations]
        if names != ["skip"] or prefix.public or self.token.kind != NAME:
            return None
        statement = super().statement()
        call = statement.value if isinstance(statement, ast.ExprStmt) else None
        if not isinstance(call, ast.Call):
            return statement
        span = prefix.annotations[0].span
        skip = ast.Arg(span, ast.Ident(span, "skip"), False, ast.BoolLiteral(span, True))
        last = len(call.args) - (bool(call.args) and isinstance(call.args[-1].value, ast.Lambda))
        call.args.insert(last, skip)
        return statement

    def _fail_declaration(self, prefix: Prefix) -> NoReturn:
        if self.token.kind in ("me", "static"):
            self.fail(
                catalogue.MISPLACED_DECLARATION,
                f"`{self.token.kind}` methods stand in a type, an `impl` or a trait",
            )
        what = "`pub`" if prefix.public else "an annotation"
        self.fail(
            catalogue.MISPLACED_ANNOTATION,
            f"expected a declaration after {what}, found {self.found()}",
        )

    # --- Annotations ---

    def _prefix_of_declaration(self) -> Prefix:
        start = self.token.start
        annotations: list[Annotation] = []
        while self.token.kind == "@":
            annotations.append(self._annotation())
            self.accept(NEWLINE)
        public = self.accept("pub") is not None
        return Prefix(start, annotations, public)

    def _annotation(self) -> Annotation:
        start = self.advance().start
        path = [self.any_name("the name of an annotation")]
        while self.accept("."):
            path.append(self.any_name("a name after `.`"))
        args = self.call_arguments() if self.token.kind == "(" else None
        return ast.Annotation(self.span_from(start), path, args)

    # --- Bindings ---

    def _binding(self, prefix: Prefix) -> Stmt:
        keyword = self.advance().kind
        mutable = self.accept("mut") is not None or keyword == "var"
        pattern = self._bound_pattern()
        type_ = self.type() if self.accept(":") else None
        self._expect_initializer()
        value = self.assigned_value()
        return ast.Binding(
            self.span_from(prefix.start),
            keyword,
            mutable,
            pattern,
            type_,
            value,
            prefix.annotations,
            prefix.public,
        )

    def _bound_pattern(self) -> Pattern:
        start = self.token.start
        patterns = self.binding_patterns()
        if len(patterns) == 1:
            return patterns[0]
        return ast.TuplePattern(self.span_from(start), patterns)

    def _expect_initializer(self) -> None:
        if not self.accept("="):
            self.fail(
                catalogue.NEEDS_INITIALIZER,
                f"expected `=` and an initial value, found {self.found()}",
            )

    def _const(self, prefix: Prefix) -> Stmt:
        self.advance()
        name = self.name("a name for the constant")
        type_ = self.type() if self.accept(":") else None
        self._expect_initializer()
        value = self.expression()
        span = self.span_from(prefix.start)
        return ast.ConstDecl(span, name, type_, value, prefix.annotations, prefix.public)

    # --- Functions ---

    def _plain_function(self, prefix: Prefix) -> FunctionDecl:
        return self._function(prefix, "fn", signature=False)

    def _function(self, prefix: Prefix, mode: SelfMode, *, signature: bool) -> FunctionDecl:
        """Parse a function from its `fn` or `me` on; a trait allows the signature alone."""
        self.advance()
        name = self.name("a function name")
        generics = self.generics()
        params = self.parameters()
        result = self.type() if self.accept("->") else None
        where = self.where_clause()
        body = self.body() if self.token.kind in (":", INDENT) else None
        if body is None and not signature:
            self.fail(
                catalogue.MISSING_BODY,
                f"expected `:` and the body of `{name.name}`, found {self.found()}",
            )
        return ast.FunctionDecl(
            self.span_from(prefix.start),
            mode,
            name,
            generics,
            params,
            result,
            where,
            body,
            prefix.annotations,
            prefix.public,
        )

    def _extern(self, prefix: Prefix) -> Stmt:
        self.advance()
        library = self._library() if self.token.kind == TEXT else None
        self.expect("fn", "after `extern`")
        name = self.name("a function name")
        params = self.parameters()
        result = self.type() if self.accept("->") else None
        return ast.ExternFn(
            self.span_from(prefix.start),
            library,
            name,
            params,
            result,
            prefix.annotations,
            prefix.public,
        )

    def _library(self) -> str:
        text = self.text_literal()
        if isinstance(text, ast.TextLiteral):
            return text.value
        self.complain(catalogue.EXPECTED_TOKEN, text.span, "the name of a library cannot interpolate")
        return ""

    # --- Types ---

    def _struct(self, prefix: Prefix) -> Stmt:
        return self._record(prefix, "struct")

    def _class(self, prefix: Prefix) -> Stmt:
        return self._record(prefix, "class")

    def _record(self, prefix: Prefix, kind: Literal["struct", "class"]) -> Stmt:
        self.advance()
        name = self.name(f"a name for the {kind}")
        generics = self.generics()
        where = self.where_clause()
        if self.token.kind == "(":
            hint = "what types have in common is a trait: `impl Trait for Name:`"
            self.fail(catalogue.FOREIGN_SYNTAX, "there is no inheritance between classes", hint)
        doc, members = self._members(self._record_member)
        return ast.RecordDecl(
            self.span_from(prefix.start),
            kind,
            name,
            generics,
            where,
            doc,
            [member for member in members if isinstance(member, ast.FieldDecl)],
            [member for member in members if isinstance(member, ast.FunctionDecl)],
            prefix.annotations,
            prefix.public,
        )

    def _enum(self, prefix: Prefix) -> Stmt:
        self.advance()
        name = self.name("a name for the enum")
        generics = self.generics()
        where = self.where_clause()
        doc, members = self._members(self._enum_member, commas=True)
        return ast.EnumDecl(
            self.span_from(prefix.start),
            name,
            generics,
            where,
            doc,
            [member for member in members if isinstance(member, ast.VariantDecl)],
            [member for member in members if isinstance(member, ast.FunctionDecl)],
            prefix.annotations,
            prefix.public,
        )

    def _impl(self, prefix: Prefix) -> Stmt:
        self.advance()
        generics = self.generics()
        trait = None
        target = self.type()
        if self.accept("for"):
            trait, target = target, self.type()
        where = self.where_clause()
        doc, members = self._members(self._impl_member)
        return ast.ImplDecl(
            self.span_from(prefix.start),
            generics,
            trait,
            target,
            where,
            doc,
            [member for member in members if isinstance(member, ast.FunctionDecl)],
            prefix.annotations,
        )

    def _trait(self, prefix: Prefix) -> Stmt:
        self.advance()
        name = self.name("a name for the trait")
        generics = self.generics()
        where = self.where_clause()
        doc, members = self._members(self._trait_member)
        return ast.TraitDecl(
            self.span_from(prefix.start),
            name,
            generics,
            where,
            doc,
            [member for member in members if isinstance(member, ast.FunctionDecl)],
            prefix.annotations,
            prefix.public,
        )

    def _type_alias(self, prefix: Prefix) -> Stmt:
        self.advance()
        name = self.name("a name for the type")
        generics = self.generics()
        self.expect("=", "before the type")
        target = self.type()
        span = self.span_from(prefix.start)
        return ast.AliasDecl(span, name, generics, target, prefix.annotations, prefix.public)

    # --- Members of types ---

    def _members(
        self, parse: Callable[[], Member | None], *, commas: bool = False
    ) -> tuple[str | None, list[Member]]:
        """Parse `:` and the members, or nothing for a type without any."""
        if self.token.kind not in (":", INDENT):
            return None, []
        self.colon("before the members")
        if self.token.kind == INDENT:
            self.advance()
            doc = self.doc(only=True)
            members: list[Member] = self.items(parse, commas=commas)
            self.accept(DEDENT)
            return doc, members
        if self.token.kind in (NEWLINE, DEDENT, END):
            self.fail(catalogue.EXPECTED_BLOCK, f"expected members, found {self.found()}")
        return None, self._members_on_line(parse, commas)

    def _members_on_line(self, parse: Callable[[], Member | None], commas: bool) -> list[Member]:
        members = [parse()]
        while self.accept(";") or (commas and self.accept(",")):
            members.append(parse())
        return [member for member in members if member is not None]

    def _method(self, prefix: Prefix, *, signature: bool = False) -> FunctionDecl | None:
        """Parse a method if one begins here."""
        kind = self.token.kind
        if kind == "fn":
            return self._function(prefix, "fn", signature=signature)
        if kind == "me" and self.peek().kind != ":":
            return self._function(prefix, "me", signature=signature)
        if kind == "static" and self.peek().kind == "fn":
            self.advance()
            return self._function(prefix, "static", signature=signature)
        return None

    def _record_member(self) -> Member | None:
        if self._skip_pass():
            return None
        prefix = self._prefix_of_declaration()
        return self._method(prefix) or self._field(prefix)

    def _field(self, prefix: Prefix) -> FieldDecl:
        if self.token.kind in BINDING_KEYWORDS and self.peek().kind != ":":
            self.advance()
        if not self.is_label():
            self._fail_field()
        name = self.any_name("a field name")
        self.advance()
        type_ = self.type()
        default = self.expression() if self.accept("=") else None
        span = self.span_from(prefix.start)
        return ast.FieldDecl(span, name, type_, default, prefix.annotations, prefix.public)

    def _fail_field(self) -> NoReturn:
        if self.token.kind == NAME:
            self.advance()
            self.fail(
                catalogue.EXPECTED_TOKEN,
                f"expected `:` and the type of the field, found {self.found()}",
            )
        self.fail(catalogue.MISPLACED_DECLARATION, f"expected a field or method, found {self.found()}")

    def _enum_member(self) -> Member | None:
        if self._skip_pass():
            return None
        if self.token.kind == NAME:
            return self._variant()
        return self._method_only("a variant or method")

    def _variant(self) -> VariantDecl:
        name = self.name("a variant")
        payload: list[PayloadDecl] = []
        if self.accept("("):
            while self.token.kind != ")":
                payload.append(self._payload_item())
                if not self.accept(","):
                    break
            self.expect(")", "after the payload")
        value = self.expression() if self.accept("=") else None
        return ast.VariantDecl(self.span_from(name.span.start), name, payload, value)

    def _payload_item(self) -> PayloadDecl:
        start = self.token.start
        name = None
        if self.is_label():
            name = self.any_name("a name")
            self.advance()
        type_ = self.type()
        return ast.PayloadDecl(self.span_from(start), name, type_)

    def _impl_member(self) -> Member | None:
        return None if self._skip_pass() else self._method_only("a method")

    def _trait_member(self) -> Member | None:
        return None if self._skip_pass() else self._method_only("a method", signature=True)

    def _method_only(self, what: str, *, signature: bool = False) -> FunctionDecl:
        method = self._method(self._prefix_of_declaration(), signature=signature)
        if method is None:
            self.fail(catalogue.MISPLACED_DECLARATION, f"expected {what}, found {self.found()}")
        return method

    def _skip_pass(self) -> bool:
        return self.peek().kind != ":" and self.accept("pass") is not None

    # --- Imports and exports ---

    def _use(self, prefix: Prefix) -> Stmt:
        self.advance()
        path = [self.any_name("a module")]
        alias: Ident | None = None
        star = False
        names: list[UseName] | None = None
        while names is None and not star and self.accept("."):
            if self.token.kind == "{":
                names = self._used_names()
            elif self.accept("*"):
                star = True
            else:
                path.append(self.any_name("a name after `.`"))
        if names is None and not star and self.accept("as"):
            alias = self.name("another name")
        span = self.span_from(prefix.start)
        return ast.Use(span, path, alias, star, names, prefix.public)

    def _used_names(self) -> list[UseName]:
        self.advance()
        names = [self._used_name()]
        while self.accept(",") and self.token.kind != "}":
            names.append(self._used_name())
        self.expect("}", "after the names")
        return names

    def _used_name(self) -> UseName:
        name = self.name("a name to import")
        alias = self.name("another name") if self.accept("as") else None
        return ast.UseName(self.span_from(name.span.start), name, alias)

    def _export(self, prefix: Prefix) -> Stmt:
        self.advance()
        names = [self.name("a name to export")]
        while self.accept(","):
            names.append(self.name("a name to export"))
        return ast.Export(self.span_from(prefix.start), names)


_PREFIXES = frozenset({"@", "pub", "me", "static"})

_DECLARATIONS: dict[str, Callable[[DeclarationParser, Prefix], Stmt]] = {
    **dict.fromkeys(BINDING_KEYWORDS, DeclarationParser._binding),
    "const": DeclarationParser._const,
    "fn": DeclarationParser._plain_function,
    "extern": DeclarationParser._extern,
    "struct": DeclarationParser._struct,
    "class": DeclarationParser._class,
    "enum": DeclarationParser._enum,
    "impl": DeclarationParser._impl,
    "trait": DeclarationParser._trait,
    "type": DeclarationParser._type_alias,
    "use": DeclarationParser._use,
    "import": DeclarationParser._use,
    "export": DeclarationParser._export,
}
