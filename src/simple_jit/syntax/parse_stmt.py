"""Statements and bodies: blocks, one-line bodies, calls without parentheses.

An error makes the statement it is in fail; parsing goes on after it, so that one run
shows the errors of several statements.
"""

from __future__ import annotations

from simple_jit.base import catalogue
from simple_jit.base.source import Span
from simple_jit.syntax import ast
from simple_jit.syntax.cursor import ParseError
from simple_jit.syntax.layout import lay_out_block
from simple_jit.syntax.parse_expr import ExpressionParser
from simple_jit.syntax.tokens import (
    ASSIGNMENT_OPERATORS,
    CLOSERS,
    DEDENT,
    END,
    FLOAT,
    INDENT,
    INT,
    KEYWORDS,
    LABEL,
    LAYOUT,
    NAME,
    NEWLINE,
    OPENERS,
    TEXT,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn, TypeVar

    from simple_jit.syntax.ast import (
        AssignOp,
        Block,
        Expr,
        Ident,
        IfBranch,
        MatchArm,
        Stmt,
    )

    T = TypeVar("T")

_ASSIGN_OPS: dict[str, AssignOp | None] = {
    "=": None,
    "+=": "+",
    "-=": "-",
    "*=": "*",
    "/=": "/",
    "//=": "//",
    "%=": "%",
    "**=": "**",
    "&=": "&",
    "|=": "|",
    "^=": "^",
    "<<=": "<<",
    ">>=": ">>",
    "??=": "??",
}

_ARGUMENT_STARTS = frozenset(
    {NAME, INT, FLOAT, TEXT, "true", "false", "nil", "self", "\\", "fn", "if", "match", "try"}
    | {"[", "~", "..."}
)
"""After a name and white space, these begin the argument of a call."""

_ONE_SIDED = frozenset({"-", "+", "*", "!"})
"""These begin an argument if white space stands before them but not after."""

_CLAUSES = frozenset({"elif", "else", "catch", "finally"})
_STATEMENT_ENDS = frozenset({*LAYOUT, *OPENERS, *_CLAUSES, ";"})
_BETWEEN = {NEWLINE: 0, ";": 0, INDENT: 1, DEDENT: -1}
"""What may stand between statements, and how it changes the depth of stray blocks."""

_ARROWS = frozenset({":", "->", "=>"})


class StatementParser(ExpressionParser):
    """Parses statements, their bodies, and the expressions that have bodies."""

    one_statement = False
    """True in a body on one line where a `;` ends the whole statement around it."""

    # --- Bodies ---

    def body(self, *, single: bool = False) -> Block:
        """Parse `:` and a body; a `single` one on the same line is one statement."""
        self.colon("before the body")
        return self._suite(single=single)

    def colon(self, where: str) -> None:
        """Take the `:` before a body; before an indented one it is not missed much."""
        if self.token.kind != INDENT:
            self.expect(":", where)
            return
        place = Span(self.file, self.end, self.end)
        self.complain(catalogue.EXPECTED_TOKEN, place, f"expected `:` {where}")

    def _suite(self, *, single: bool) -> Block:
        token = self.token
        if self.in_brackets and token.indent >= 0 and token.kind not in OPENERS:
            lay_out_block(self.tokens, self.at, self.file, self.reporter)
            self.token = self.tokens[self.at]
        if self.token.kind == INDENT:
            return self._block()
        if self.token.kind in _STATEMENT_ENDS:
            self.fail(catalogue.EXPECTED_BLOCK, f"expected a body, found {self.found()}")
        return self._line(single=single)

    def _line(self, *, single: bool) -> Block:
        """Parse the statements of a one-line body."""
        start = self.token.start
        self.enter()
        outer = self.one_statement
        self.one_statement = outer or single
        statements: list[Stmt] = [self.statement()]
        while not self.one_statement and self.token.kind == ";":
            self.advance()
            if self.token.kind in _STATEMENT_ENDS:
                break
            statements.append(self.statement())
        self.one_statement = outer
        self.depth -= 1
        return ast.Block(self.span_from(start), None, statements)

    def _block(self) -> Block:
        """Parse an indented body."""
        self.advance()
        start = self.token.start
        self.enter()
        outer = self.in_brackets, self.one_statement
        self.in_brackets, self.one_statement = False, False
        doc = self.doc(only=False)
        statements: list[Stmt] = self.items(self.statement)
        self.in_brackets, self.one_statement = outer
        self.depth -= 1
        span = self.span_from(start)
        self.accept(DEDENT)
        return ast.Block(span, doc, statements)

    def doc(self, *, only: bool) -> str | None:
        """Take the docstring here, if one is; `only` accepts it with nothing after it."""
        if self.token.kind != TEXT or not self.token.text.startswith('"'):
            return None
        if self.peek().kind == NEWLINE and (only or self.peek(2).kind not in (DEDENT, END)):
            doc = self.docstring()
            self.advance()
            return doc
        return None

    def items(self, parse: Callable[[], T | None], *, commas: bool = False) -> list[T]:
        """Parse what is in a block, one item after the other, up to its end.

        With `commas`, a comma too separates items.
        """
        items: list[T] = []
        deeper = 0
        while self.token.kind != END and (self.token.kind != DEDENT or deeper > 0):
            if self.token.kind not in _BETWEEN:
                item = self._recovering(parse, commas)
                if item is not None:
                    items.append(item)
                continue
            if self.token.kind == INDENT:
                self._report_indent()
            deeper += _BETWEEN[self.advance().kind]
        return items

    def _report_indent(self) -> None:
        token = self.peek()
        self.complain(
            catalogue.UNEXPECTED_INDENT,
            Span(self.file, token.start, token.end),
            "this line is indented deeper than the block it is in",
            "a block follows a `:`",
            "a line goes on if it ends with an operator, a comma or `\\`",
        )

    # --- Recovery ---

    def _recovering(self, parse: Callable[[], T | None], commas: bool) -> T | None:
        """Parse one item and its end; after an error go to the next, returning None."""
        state = self._state()
        at = self.at
        try:
            item = parse()
            if not (commas and self.accept(",")):
                self._end_statement()
        except ParseError:
            self._restore(state)
            self._skip_statement(at)
            return None
        return item

    def _state(self) -> tuple[bool, bool, int, int, int, int | None, bool]:
        return (
            self.in_brackets,
            self.one_statement,
            self.depth,
            self.test_depth,
            self.last_as,
            self.placeholders,
            self.in_argument,
        )

    def _restore(self, state: tuple[bool, bool, int, int, int, int | None, bool]) -> None:
        (
            self.in_brackets,
            self.one_statement,
            self.depth,
            self.test_depth,
            self.last_as,
            self.placeholders,
            self.in_argument,
        ) = state

    def _end_statement(self) -> None:
        """Take the end of a statement; a body that it ended with will do."""
        if self.token.kind in (NEWLINE, ";"):
            self.advance()
        elif self.token.kind not in LAYOUT and self.previous_kind() != DEDENT:
            self._fail_end()

    def _fail_end(self) -> NoReturn:
        hint = _END_HINTS.get(self.token.kind)
        message = f"expected the end of the statement, found {self.found()}"
        self.fail(catalogue.EXPECTED_STATEMENT_END, message, *([hint] if hint else []))

    def _skip_statement(self, start: int) -> None:
        """Go to where the next statement begins, past the blocks of the one that failed."""
        blocks = 0
        while self.token.kind != END:
            kind = self.token.kind
            if kind == INDENT:
                blocks += 1
            elif kind == DEDENT:
                if blocks == 0:
                    break
                blocks -= 1
            elif kind == NEWLINE and blocks == 0 and self.peek().kind not in _CLAUSES:
                self.advance()
                return
            elif blocks == 0 and self.at > start and self._after_skipped_block(kind):
                return
            self.advance()

    def _after_skipped_block(self, kind: str) -> bool:
        return self.previous_kind() == DEDENT and kind not in _CLAUSES

    # --- Statements ---

    def statement(self) -> Stmt:
        parse = _STATEMENTS.get(self.token.kind)
        return self._expression_statement() if parse is None else parse(self)

    def _expression_statement(self) -> Stmt:
        """Parse a call, an assignment or another expression."""
        start = self.token.start
        value = self._command() if self._is_command() else self.expression()
        if self.token.kind == "," and not self.in_brackets:
            value = self.tuple_from(value)
            if self.token.kind != "=":
                message = f"expected `=` after the targets, found {self.found()}"
                self.fail(catalogue.EXPECTED_TOKEN, message, "a tuple is written in parentheses")
        if self.token.kind in ASSIGNMENT_OPERATORS:
            return self._assignment(start, value)
        if self.token.kind == ":":
            value = self._block_call(value)
        return ast.ExprStmt(self.span_from(start), value)

    def _assignment(self, start: int, target: Expr) -> Stmt:
        operator = self.advance().kind
        self._check_target(target, compound=operator != "=")
        value = self.assigned_value()
        return ast.Assign(self.span_from(start), target, _ASSIGN_OPS[operator], value)

    def assigned_value(self) -> Expr:
        """Parse the right side of a binding or assignment: also a bare tuple."""
        value = self.initializer()
        if self.token.kind == "," and not self.in_brackets:
            return self.tuple_from(value)
        if self.token.kind == ":" and self.peek().kind == INDENT:
            return self._block_call(value)
        return value

    def _check_target(self, target: Expr, *, compound: bool) -> None:
        if isinstance(target, ast.TupleLiteral) and not compound:
            for item in target.items:
                self._check_target(item, compound=False)
            return
        assignable = isinstance(target, ast.Name | ast.Member | ast.Index | ast.TupleElement)
        if not assignable or getattr(target, "nil_safe", False):
            self.complain(catalogue.BAD_ASSIGNMENT_TARGET, target.span, "this cannot be assigned to")

    # --- Calls without parentheses, calls with a block ---

    def _is_command(self) -> bool:
        """Tell whether a call without parentheses begins here.

        That is `name` or `a.b.name`, white space, and the start of an argument on the
        same line.
        """
        tokens, at = self.tokens, self.at
        if tokens[at].kind not in (NAME, "self"):
            return False
        while tokens[at + 1].kind in (".", "?.") and _is_word(tokens[at + 2].kind):
            at += 2
        first = tokens[at + 1]
        if first.indent >= 0 or first.start == tokens[at].end:
            return False
        kind = first.kind
        if kind in _ONE_SIDED:
            return tokens[at + 2].start == first.end
        if kind == "not":
            return tokens[at + 2].kind != "in"
        if kind == "(":
            return not self._closes_statement(at + 1)
        if kind == "{":
            return not tokens[at].text[0].isupper()
        return kind in _ARGUMENT_STARTS

    def _closes_statement(self, at: int) -> bool:
        """Tell whether the parenthesis at `at` closes at the end of the statement."""
        depth = 0
        while True:
            kind = self.tokens[at].kind
            if kind == "(":
                depth += 1
            elif kind == ")":
                depth -= 1
            at += 1
            if depth == 0:
                break
        after = self.tokens[at].kind
        if after == ",":
            return self.in_brackets
        return after in _STATEMENT_ENDS or after in (":", "\\")

    def _command(self) -> Expr:
        """Parse a call without parentheses, with its block if one follows."""
        token = self.advance()
        span = Span(self.file, token.start, token.end)
        callee: Expr = ast.Name(span, token.text)
        if token.kind == "self":
            callee = ast.SelfExpr(span)
        while self.token.kind in (".", "?."):
            callee = self.member(callee)
        args = [self.argument()]
        while not self.in_brackets and self.accept(","):
            args.append(self.argument())
        self.check_arguments(args)
        call: Expr = ast.Call(self.span_from(token.start), callee, args)
        if self.token.kind == ":":
            call = self._with_block(call)
        # After a block, a line that starts with `.name` goes on with the whole call.
        return self.postfix(call) if self.starts_new_statement() else call

    def _block_call(self, value: Expr) -> Expr:
        """Parse the block that follows a call, a name or a member as its last argument."""
        if not isinstance(value, ast.Call | ast.Name | ast.Member):
            self.fail(catalogue.EXPECTED_STATEMENT_END, "a `:` cannot follow this expression")
        end = self.type_end(self.at + 1)
        if end > 0 and self.tokens[end].kind == "=":
            message = "a variable is declared with `val` or `var`: `val x: i64 = 1`"
            self.fail(catalogue.FOREIGN_SYNTAX, message)
        return self._with_block(value)

    def _with_block(self, callee: Expr) -> Expr:
        self._check_foreign(callee)
        start = self.token.start
        body = self.body()
        block = ast.Lambda(self.span_from(start), [], None, body)
        return self.with_last_argument(callee, block)

    def _check_foreign(self, callee: Expr) -> None:
        """Report `def f(x):` and its like, which reads like a call with a block."""
        if isinstance(callee, ast.Call) and isinstance(callee.callee, ast.Name):
            word = callee.callee
            if word.name in _FOREIGN_FUNCTIONS:
                self.complain(
                    catalogue.FOREIGN_SYNTAX,
                    word.span,
                    f"a function is declared with `fn`, not `{word.name}`",
                )

    # --- Simple statements ---

    def _return(self) -> Stmt:
        start = self.advance().start
        value = None
        if self.token.kind not in _STATEMENT_ENDS and self.token.kind != ",":
            value = self.assigned_value()
        return ast.Return(self.span_from(start), value)

    def _break(self) -> Stmt:
        start = self.advance().start
        label = self._label()
        return ast.Break(self.span_from(start), label)

    def _continue(self) -> Stmt:
        start = self.advance().start
        label = self._label()
        return ast.Continue(self.span_from(start), label)

    def _label(self) -> Ident | None:
        token = self.accept(LABEL)
        if token is None:
            return None
        return ast.Ident(Span(self.file, token.start, token.end), token.text)

    def _pass(self) -> Stmt:
        token = self.advance()
        return ast.Pass(Span(self.file, token.start, token.end))

    def _throw(self) -> Stmt:
        start = self.advance().start
        value = self.expression()
        return ast.Throw(self.span_from(start), value)

    def _defer(self) -> Stmt:
        start = self.advance().start
        body = self.body() if self.token.kind == ":" else self._line(single=True)
        return ast.Defer(self.span_from(start), body)

    # --- Loops and `with` ---

    def _loop_statement(self) -> Stmt:
        """Parse a loop with the label before it, if there is one."""
        start = self.token.start
        label = self._label()
        if label is not None:
            self.expect(":", "after the label")
        parse = _LOOPS.get(self.token.kind)
        if parse is None:
            message = f"expected a loop after the label, found {self.found()}"
            self.fail(catalogue.BAD_LABEL, message)
        return parse(self, start, label)

    def _for(self, start: int, label: Ident | None) -> Stmt:
        self.advance()
        patterns = self.binding_patterns()
        self.expect("in", "after the loop variable")
        iterable = self.expression()
        body = self.body()
        return ast.For(self.span_from(start), label, patterns, iterable, body)

    def _while(self, start: int, label: Ident | None) -> Stmt:
        self.advance()
        condition = self.condition()
        body = self.body()
        return ast.While(self.span_from(start), label, condition, body)

    def _loop(self, start: int, label: Ident | None) -> Stmt:
        self.advance()
        body = self.body()
        return ast.Loop(self.span_from(start), label, body)

    def _with(self) -> Stmt:
        self.advance()
        return self._with_next()

    def _with_next(self) -> Stmt:
        """Parse what is given to a `with` from here on: `a as x, b as y:` is `a as x: with b as y:`."""
        start = self.token.start
        outer = self.last_as
        self.last_as = self._find_name_of_with()
        value = self.expression()
        self.last_as = outer
        name = self.name("a name") if self.accept("as") else None
        if self.accept(","):
            inner = self._with_next()
            return ast.With(self.span_from(start), value, name, ast.Block(inner.span, None, [inner]))
        body = self.body()
        return ast.With(self.span_from(start), value, name, body)

    def _find_name_of_with(self) -> int:
        """Return the index of the `as` in `as name:` or `as name,` that ends a value given to a `with`."""
        tokens, at = self.tokens, self.at
        depth = 0
        while tokens[at].kind not in LAYOUT and (depth > 0 or tokens[at].kind not in (":", ",")):
            depth += (tokens[at].kind in CLOSERS) - (tokens[at].kind in OPENERS)
            at += 1
        named = tokens[at - 2].kind == "as" and tokens[at - 1].kind == NAME
        return at - 2 if named else -1

    # --- Expressions with bodies ---

    def _control(self) -> Stmt:
        """Parse an `if`, `match` or `try` that is a statement."""
        start = self.token.start
        parse = {"if": self.if_, "match": self.match_, "try": self.try_}[self.token.kind]
        value = parse(single=False)
        return ast.ExprStmt(self.span_from(start), value)

    def if_(self, *, single: bool = True) -> Expr:
        start = self.token.start
        branches = [self._if_branch(single)]
        otherwise: Block | None = None
        while otherwise is None and self._at_clause("elif", "else"):
            if self.token.kind == "else" and self.peek().kind == "if":
                self.advance()
            if self.token.kind == "else":
                self.advance()
                otherwise = self.body(single=single)
            else:
                branches.append(self._if_branch(single))
        return ast.If(self.span_from(start), branches, otherwise)

    def _if_branch(self, single: bool) -> IfBranch:
        start = self.advance().start
        condition = self.condition()
        body = self.body(single=single)
        return ast.IfBranch(self.span_from(start), condition, body)

    def _at_clause(self, *kinds: str) -> bool:
        """Tell whether one of the clauses follows, on this line or the next."""
        if self.token.kind == NEWLINE and self.peek().kind in kinds:
            self.advance()
        return self.token.kind in kinds

    def try_(self, *, single: bool = True) -> Expr:
        start = self.advance().start
        body = self.body(single=single)
        name: Ident | None = None
        handler: Block | None = None
        finalizer: Block | None = None
        if self._at_clause("catch"):
            self.advance()
            name = self.name("a name for the error") if self.token.kind != ":" else None
            handler = self.body(single=single)
        if self._at_clause("finally"):
            self.advance()
            finalizer = self.body(single=single)
        span = self.span_from(start)
        if handler is None and finalizer is None:
            self.complain(
                catalogue.INCOMPLETE_TRY,
                Span(self.file, start, start + len("try")),
                "this `try` has neither `catch` nor `finally`",
            )
        return ast.Try(span, body, name, handler, finalizer)

    def match_(self, *, single: bool = True) -> Expr:
        start = self.advance().start
        subject = self.expression()
        self.colon("before the arms")
        reported = self.reporter.count
        arms = self._arms(single)
        span = self.span_from(start)
        self.accept(DEDENT)
        if not arms and self.reporter.count == reported:
            head = Span(self.file, start, subject.span.end)
            self.complain(catalogue.EMPTY_MATCH, head, "this `match` has no arms")
        return ast.Match(span, subject, arms)

    def _arms(self, single: bool) -> list[MatchArm]:
        token = self.token
        if self.in_brackets and token.indent >= 0 and token.kind not in OPENERS:
            lay_out_block(self.tokens, self.at, self.file, self.reporter)
            self.token = self.tokens[self.at]
        if not self.accept(INDENT):
            if self.token.kind in _STATEMENT_ENDS:
                self.fail(catalogue.EXPECTED_BLOCK, f"expected an arm, found {self.found()}")
            return self._one_line_arms(single)
        self.enter()
        outer = self.in_brackets, self.one_statement
        self.in_brackets, self.one_statement = False, False
        arms = self.items(self._arm)
        self.in_brackets, self.one_statement = outer
        self.depth -= 1
        return arms

    def _one_line_arms(self, single: bool) -> list[MatchArm]:
        """Parse `match x: case 1: a; case _: b`."""
        outer, self.one_statement = self.one_statement, True
        arms = [self._arm()]
        while not single and not outer and self.token.kind == ";":
            self.advance()
            arms.append(self._arm())
        self.one_statement = outer
        return arms

    def _arm(self) -> MatchArm:
        """Parse `case P if g: …`, `| P -> …` or `P => …`."""
        start = self.token.start
        if self._is_case() or self.token.kind == "|":
            self.advance()
        pattern = self.pattern()
        if self.token.kind == ":" and self._pattern_type_follows():
            pattern = self.typed_pattern(pattern)
        guard = self.expression() if self.accept("if") else None
        if self.token.kind not in _ARROWS:
            self.fail(
                catalogue.EXPECTED_TOKEN,
                f"expected `:`, `->` or `=>` after the pattern, found {self.found()}",
            )
        self.advance()
        body = self._suite(single=False)
        return ast.MatchArm(self.span_from(start), pattern, guard, body)

    def _is_case(self) -> bool:
        # `case` alone can be the name of a pattern.
        if self.token.kind != NAME or self.token.text != "case":
            return False
        return self.peek().kind not in ("=>", "->", "|", ",")

    def _pattern_type_follows(self) -> bool:
        end = self.type_end(self.at + 1)
        return end > 0 and self.tokens[end].kind in (":", "if", "=>", "->")


def _is_word(kind: str) -> bool:
    return kind == NAME or kind in KEYWORDS


_FOREIGN_FUNCTIONS = frozenset({"def", "fun", "func", "function"})

_END_HINTS = {
    "import": "imports are written `use a.b.{x, y}`",
    "=": "`==` compares",
    "if": "a choice is written `if c: a else: b`",
    "=>": r"a lambda is written `\x: …`",
    "->": r"a lambda is written `\x: …`",
    "{": "a block is indented after a `:`, not put in braces",
    "?": "a choice is written `if a: b else: c`",
}

_LOOPS: dict[str, Callable[[StatementParser, int, Ident | None], Stmt]] = {
    "for": StatementParser._for,
    "while": StatementParser._while,
    "loop": StatementParser._loop,
}

_STATEMENTS: dict[str, Callable[[StatementParser], Stmt]] = {
    **dict.fromkeys(("if", "match", "try"), StatementParser._control),
    **dict.fromkeys(("for", "while", "loop", LABEL), StatementParser._loop_statement),
    "return": StatementParser._return,
    "break": StatementParser._break,
    "continue": StatementParser._continue,
    "pass": StatementParser._pass,
    "throw": StatementParser._throw,
    "defer": StatementParser._defer,
    "with": StatementParser._with,
}
