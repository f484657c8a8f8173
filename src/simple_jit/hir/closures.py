"""Function values: what runs when one is called, and what it captures.

A value of a `ClosureType` is an object of its `env`: its code, then what it captures: a copy of what is
never assigned, else the cell (`hir.cells`). The type knows the code, so calls are direct:

    xs.map(\\x: x * k)    the type of the lambda is its own; `map` is instantiated for it, and in that
                         instance `f(x)` is call[main.lambda(i64)](x, f)

Where the type is a plain `fn(i64) -> i64`, the call goes through the code that the object holds.
"""

from __future__ import annotations

from simple_jit.base import catalogue as rule
from simple_jit.hir import nodes as hir
from simple_jit.hir.assigned import assigned_names
from simple_jit.hir.captures import free_names
from simple_jit.hir.cells import cell_of, cell_type, internal_struct
from simple_jit.hir.context import Context, Scope, Variable, diverging
from simple_jit.hir.convert import coerce, fit
from simple_jit.hir.instances import (
    Instance,
    check_instance,
    get_instance,
    is_concrete,
    new_function,
    result_type,
    signature_of,
)
from simple_jit.hir.symbols import ERROR, FunctionSymbol, HoleType, Symbol, is_open, type_key
from simple_jit.hir.types import (
    I64,
    NEVER,
    UNIT,
    ClosureType,
    FnType,
    OptionalType,
    StructType,
    Type,
    function_of,
    plain_function,
)
from simple_jit.syntax import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simple_jit.base.source import Span
    from simple_jit.hir.session import Session
    from simple_jit.hir.symbols import ExternSymbol

_DEEPEST = 6
"""How deep closures that capture closures may nest in the type of an argument, before it becomes plain."""


# --- captures ----------------------------------------------------------------------


class Capture:
    """A variable that a closure captures: `root` is the variable of the function that declares it.

    `name` is empty where the body does not name it, but calls a function that does. Where the closure is
    made it is known not to be nil (`is_narrowed`), to be a `narrowed_type`.
    """

    __slots__ = ("is_cell", "is_narrowed", "name", "narrowed_type", "root", "type", "variable")

    def __init__(self, cx: Context, name: str, variable: Variable) -> None:
        self.name = name
        self.variable = variable
        self.root = variable.root
        self.is_cell = not variable.is_fixed
        self.is_narrowed = cx.is_narrowed(variable)
        self.narrowed_type = cx.narrowed_type(variable)
        self.type = variable.local.type
        if isinstance(self.type, HoleType):
            hints = self.type.owner
            if hints is None:
                hints = self.type.owner = cx.hints
            self.type = hints.get(self.type.binding, self.type)

    @property
    def signature(self) -> tuple[object, ...]:
        return self.name, self.type, self.is_cell, self.is_narrowed, self.narrowed_type

    def stored_type(self, session: Session) -> Type:
        """Return the type of what a closure holds for it."""
        return cell_type(session, self.type) if self.is_cell else self.type


class Home:
    """Where a function in a block stands: `names` is what its declaration sees, once that is reached."""

    __slots__ = ("cx", "names", "scope")

    def __init__(self, cx: Context) -> None:
        self.cx = cx
        self.scope = cx.scope
        self.names: dict[str, Variable | Symbol] = {}

    def reach(self, decl: ast.FunctionDecl) -> None:
        """Keep what the names in the body mean here: later declarations may hide them."""
        for name in free_names(decl):
            found = self.cx.find(name)
            if found is not None:
                self.names[name] = found

    def find(self, name: str) -> Variable | Symbol | None:
        found = self.names.get(name)
        if found is not None:
            return found
        for scope in self.scope.chain():
            if name in scope.names:
                return scope.names[name]
        return outer_symbol(self.cx, name)


def outer_symbol(cx: Context, name: str) -> Symbol | None:
    """Return what `name` means in the blocks around the function of `cx`."""
    outer = cx.symbol.outer if cx.symbol else None
    return outer.symbols.get(name) if outer is not None else None


def captured_by(symbol: FunctionSymbol) -> list[Capture]:
    """Return the variables around a function in a block that it, or what it calls there, uses."""
    if symbol.captured is None:
        found: dict[Variable, Capture] = {}
        if symbol.home is not None:
            _collect_captures(symbol, found, {symbol}, direct=True)
        symbol.captured = list(found.values())
    return symbol.captured


def _collect_captures(
    symbol: FunctionSymbol, found: dict[Variable, Capture], seen: set[FunctionSymbol], *, direct: bool
) -> None:
    home = symbol.home
    assert home is not None
    names = free_names(symbol.decl)
    for name in names:
        meaning = home.find(name)
        if isinstance(meaning, Variable):
            _add(home.cx, name if direct else "", meaning, found)
        elif isinstance(meaning, FunctionSymbol) and meaning.home is not None and meaning not in seen:
            seen.add(meaning)
            _collect_captures(meaning, found, seen, direct=False)
    _add_self(home.cx, names, home.find, found)


def _add(cx: Context, name: str, variable: Variable, found: dict[Variable, Capture]) -> None:
    here = cx.reach(variable.root)
    if here is None or here.local.type in (ERROR, NEVER):
        return
    earlier = found.get(variable.root)
    if earlier is None:
        found[variable.root] = Capture(cx, name, here)
    elif name:
        earlier.name = name


def _add_self(
    cx: Context,
    names: dict[str, None],
    find: Callable[[str], Variable | Symbol | None],
    found: dict[Variable, Capture],
) -> None:
    """Capture `self` where the body names it, or one of its fields."""
    variable = cx.self_variable
    if variable is None:
        return
    type = variable.local.type
    fields = {field.name for field in type.fields} if isinstance(type, StructType) else set()
    if "self" in names or any(name in fields and find(name) is None for name in names):
        _add(cx, "self", variable, found)


def gather(cx: Context, node: ast.Node | list[ast.Stmt]) -> list[Capture]:
    """Return what a closure whose body is `node` captures here."""
    found: dict[Variable, Capture] = {}
    names = free_names(node)
    for name in names:
        meaning = cx.find(name) or outer_symbol(cx, name)
        if isinstance(meaning, Variable):
            _add(cx, name, meaning, found)
        elif isinstance(meaning, FunctionSymbol):
            for capture in captured_by(meaning):
                _add(cx, "", capture.root, found)
    _add_self(cx, names, cx.find, found)
    return list(found.values())


def captured_value(cx: Context, capture: Capture, span: Span) -> hir.Expr:
    """Return what a closure that is made here holds for a variable: its value, or its cell."""
    variable = cx.reach(capture.root)
    if variable is None:
        return cx.error(
            rule.USED_BEFORE.at(
                span, f"`{capture.variable.local.name}` is used here before it is declared"
            ).also(capture.variable.span, "declared here")
        )
    if capture.is_cell:
        return hir.LocalGet(cell_of(cx, variable.local), span)
    value = hir.LocalGet(variable.local, span)
    value.type = capture.type
    if variable.local.type is not capture.type:
        variable.local.type = capture.type
    return value


def declare_captures(
    inner: Context, captures: Sequence[Capture], values: Sequence[hir.Expr], scope: Scope
) -> None:
    """Make the names in the body of a closure mean what it holds."""
    for capture, value in zip(captures, values, strict=True):
        outer = capture.variable
        if isinstance(value, hir.LocalGet) and not capture.is_cell:
            local = value.local
        else:
            local = inner.local(outer.local.name, capture.type)
            if capture.is_cell and isinstance(value, hir.LocalGet):
                inner.cells[local] = value.local
            elif capture.is_cell:
                cell = inner.cells[local] = inner.local("", value.type)
                inner.entry.append(hir.LocalSet(cell, value, value.span))
            else:
                inner.entry.append(hir.LocalSet(local, value, value.span))
        variable = Variable(local, outer.kind, outer.mutable, outer.is_fixed, outer.span)
        variable.root = capture.root
        inner.captured[capture.root] = variable
        if capture.name:
            scope.names[capture.name] = variable
        if capture.name == "self":
            inner.self_variable = variable
        if capture.is_narrowed:
            scope.narrowed.add(variable)
        if capture.narrowed_type is not None:
            scope.narrowed.add(variable.fact(capture.narrowed_type))


# --- code --------------------------------------------------------------------------


class Code:
    """What runs when a function value of one `ClosureType` is called.

    `shown` is the type as messages have it where it is open; `key` names it in symbols.
    """

    __slots__ = ("adapters", "arity", "captures", "env", "key", "name", "shown", "types")

    def __init__(self, cx: Context, name: str, key: str, arity: int, captures: list[Capture]) -> None:
        self.name = name
        self.key = key
        self.arity = arity
        self.shown = f"fn({', '.join(['_'] * arity)}) -> _"
        self.captures = captures
        fields: list[tuple[str, Type]] = [("code", I64)]
        fields += [(c.name or c.variable.local.name, c.stored_type(cx.session)) for c in captures]
        self.env = internal_struct(f"{key}.closure", fields)
        self.types: dict[FnType | None, ClosureType] = {}
        self.adapters: dict[FnType, tuple[hir.Function, StructType]] = {}

    def type_of(self, plain: FnType | None) -> ClosureType:
        """Return the type of its values; `plain` is None where types of parameters are open."""
        found = self.types.get(plain)
        if found is None:
            found = self.types[plain] = ClosureType(plain, self.env, self)
        return found

    def wanted(self, index: int) -> Type | None:
        """Return the type that a parameter is declared with."""
        raise NotImplementedError

    def result(self, params: Sequence[Type], span: Span) -> Type:
        """Return what a call with arguments of these types gives."""
        raise NotImplementedError

    def direct(self, cx: Context, value: hir.Expr, args: list[hir.Expr], span: Span) -> hir.Expr:
        """Call `value`, which may be evaluated several times, with checked arguments."""
        raise NotImplementedError

    def entry(self, cx: Context, plain: FnType) -> hir.Function:
        """Return what runs a value called as a `plain`: its last parameter is the object."""
        raise NotImplementedError

    def make(self, cx: Context, plain: FnType | None, values: list[hir.Expr], span: Span) -> hir.Expr:
        """Return the expression that makes a value, given what it captures."""
        type = self.type_of(plain)
        if any(value.type is ERROR for value in values):
            return hir.Const(None, ERROR, span)
        if plain is None:
            code = hir.Const(0, I64, span)
            return retyped(hir.New(self.env, [code, *values], span), type)
        return hir.ClosureNew(self.entry(cx, plain), self.env, values, type, span)

    def fields(self, value: hir.Expr) -> list[hir.Expr]:
        """Return what a value holds for each variable that it captures."""
        object = retyped(value, self.env)
        span = value.span
        fields = self.env.fields[1:]
        return [hir.FieldGet(object, n, field.type, span) for n, field in enumerate(fields, 1)]


def retyped(value: hir.Expr, type: Type) -> hir.Expr:
    """Return `value` seen as another type that is represented in the same way."""
    return value if value.type is type else hir.Block([], value, type, value.span)


class LambdaCode(Code):
    """A lambda in one instance of the function around it."""

    __slots__ = ("cx_types", "instances", "node", "outer", "params", "symbols")

    def __init__(
        self,
        cx: Context,
        node: ast.Lambda,
        params: list[Type | None],
        captures: list[Capture],
        shown: str = "",
    ) -> None:
        outer = cx.instance
        line, column = node.span.line_column()
        key = f"{outer.function.symbol}.lambda:{line}:{column}"
        super().__init__(cx, shown, key, len(node.params), captures)
        self.node = node
        self.outer = outer
        self.params = params
        self.instances: dict[tuple[object, ...], Instance] = {}
        self.symbols: dict[str, Symbol] = {}
        for scope in cx.scope.chain():
            for name, meaning in scope.names.items():
                if isinstance(meaning, Symbol):
                    self.symbols.setdefault(name, meaning)

    def wanted(self, index: int) -> Type | None:
        return self.params[index]

    def instance(self, params: Sequence[Type], ret: Type | None) -> Instance:
        """Return the instance for types of parameters; `ret` None: its result is inferred."""
        found = self.instances.get((ret, *params))
        if found is None:
            found = self.instances[ret, *params] = self._new_instance(params, ret)
        if not found.is_done and not found.is_active:
            check_instance(found)
        return found

    def _new_instance(self, params: Sequence[Type], ret: Type | None) -> Instance:
        outer = self.outer
        shown = ", ".join(map(type_key, params))
        name = f"{outer.function.symbol[len(outer.module.key) + 1 :]}.lambda({shown})"
        function = new_function(outer.session, outer.module, name, "lambda", self.node.span)
        for param, type in zip(self.node.params, params):
            function.locals.append(hir.Local(len(function.locals), param.name.name, type))
        function.locals.append(hir.Local(len(function.locals), "", self.env))
        function.param_count = len(function.locals)
        function.annotations = frozenset(("inline",))
        if ret is not None:
            function.ret = ret
        instance = Instance(outer.session, outer.module, function, self._build, ret)
        instance.symbol = outer.symbol
        instance.types = outer.types
        instance.self_type = outer.self_type
        instance.is_provisional = any(isinstance(c.type, HoleType) for c in self.captures)
        return instance

    def _build(self, inner: Context) -> hir.Expr:
        from simple_jit.hir.bodies import fit_body

        inner.assigned = assigned_names(self.node.body)
        inner.scope.names.update(self.symbols)
        *params, env = inner.instance.function.params
        declare_captures(inner, self.captures, self.fields(hir.LocalGet(env, self.node.span)), inner.scope)
        inner.enter()
        for param, local in zip(self.node.params, params):
            inner.declare(local.name, local, param.name.span, kind="parameter", mutable=param.mutable)
        return fit_body(inner, self.node.body, self.node.result)

    def result(self, params: Sequence[Type], span: Span) -> Type:
        return result_type(self.instance(params, None))

    def direct(self, cx: Context, value: hir.Expr, args: list[hir.Expr], span: Span) -> hir.Expr:
        fitted = [
            arg if wanted is None else coerce(cx, arg, wanted) for arg, wanted in zip(args, self.params)
        ]
        if any(arg.type is ERROR for arg in fitted):
            return hir.Const(None, ERROR, span)
        plain = value.type
        assert isinstance(plain, (ClosureType, StructType))
        ret = plain.ret if isinstance(plain, ClosureType) and not plain.is_open else None
        params = plain.params if ret is not None else [arg.type for arg in fitted]  # type: ignore[union-attr]
        instance = self._made(params, ret)
        result = result_type(instance)
        if result is ERROR:
            return hir.Const(None, ERROR, span)
        return hir.Call(instance.function, [*fitted, value], result, span)

    def _made(self, params: Sequence[Type], ret: Type | None) -> Instance:
        """Return the instance that was made with a declared result, else the one that infers it."""
        found = self.instances.get((ret, *params))
        return found if found is not None else self.instance(params, None)

    def entry(self, cx: Context, plain: FnType) -> hir.Function:
        return self._made(plain.params, plain.ret).function


class FunctionCode(Code):
    """A function by its name."""

    __slots__ = ("symbol",)

    def __init__(self, cx: Context, symbol: FunctionSymbol) -> None:
        params = signature_of(symbol).params
        shown = symbol.decl.name.name
        key = f"{symbol.module.key}.{symbol.prefix}{symbol.name}"
        super().__init__(cx, shown, key, len(params), captured_by(symbol))
        self.symbol = symbol

    def wanted(self, index: int) -> Type | None:
        signature = signature_of(self.symbol)
        type = signature.params[index].type
        return type if type is not None and not is_open(type) else None

    def _instance(self, params: Sequence[Type], span: Span) -> Instance | None:
        from simple_jit.hir.symbols import match, substitute

        env: dict[object, Type] = {}
        types = []
        for param, type in zip(signature_of(self.symbol).params, params):
            if param.type is None:
                types.append(type)
            elif match(param.type, type, env):  # type: ignore[arg-type]
                types.append(substitute(param.type, env))  # type: ignore[arg-type]
            else:
                return None
        return get_instance(self.symbol, env, types, span)  # type: ignore[arg-type]

    def result(self, params: Sequence[Type], span: Span) -> Type:
        instance = self._instance(params, span)
        return result_type(instance) if instance is not None else ERROR

    def direct(self, cx: Context, value: hir.Expr, args: list[hir.Expr], span: Span) -> hir.Expr:
        from simple_jit.hir.core_calls import call_symbol

        held = self.fields(value) if self.captures else []
        return call_symbol(cx, self.symbol, args, span, held=held)

    def entry(self, cx: Context, plain: FnType) -> hir.Function:
        return _adapter(cx, self, self.env, plain, lambda object: retyped(object, self.type_of(plain)))


class ExternCode(Code):
    """A foreign function by its name."""

    __slots__ = ("extern",)

    def __init__(self, cx: Context, symbol: ExternSymbol, extern: hir.Extern) -> None:
        super().__init__(cx, symbol.name, f"{symbol.module.key}.{symbol.name}", len(extern.params), [])
        self.extern = extern

    def wanted(self, index: int) -> Type | None:
        return self.extern.params[index]

    def result(self, params: Sequence[Type], span: Span) -> Type:
        return self.extern.ret

    def direct(self, cx: Context, value: hir.Expr, args: list[hir.Expr], span: Span) -> hir.Expr:
        fitted = [coerce(cx, arg, wanted) for arg, wanted in zip(args, self.extern.params)]
        if any(arg.type is ERROR for arg in fitted):
            return hir.Const(None, ERROR, span)
        return hir.CallExtern(self.extern, fitted, span)

    def entry(self, cx: Context, plain: FnType) -> hir.Function:
        return _adapter(cx, self, self.env, plain, lambda object: retyped(object, self.type_of(plain)))


def _adapter(
    cx: Context, code: Code, env: StructType, plain: FnType, value: Callable[[hir.Expr], hir.Expr]
) -> hir.Function:
    """Make the function that runs `code` called as a `plain`; `value` finds it in the object."""
    found = code.adapters.get(plain)
    if found is not None and found[1] is env:
        return found[0]
    session, module = cx.session, cx.module
    span = cx.instance.function.span
    name = f"{code.key}.{type_key(plain)}"
    function = new_function(session, module, name, code.name or "lambda", span)
    function.is_written = False
    for type in plain.params:
        function.locals.append(hir.Local(len(function.locals), "", type))
    function.locals.append(hir.Local(len(function.locals), "", env))
    function.param_count = len(function.locals)
    function.ret = plain.ret

    def build(inner: Context) -> hir.Expr:
        *params, object = inner.instance.function.params
        args: list[hir.Expr] = [hir.LocalGet(param, span) for param in params]
        inner.result = plain.ret
        result = code.direct(inner, value(hir.LocalGet(object, span)), args, span)
        fitted = fit_result(inner, result, plain.ret)
        if fitted is None:  # the type was taken from a guess at what the function returns
            inner.instance.is_provisional = True
        return fitted if fitted is not None else hir.Const(None, ERROR, span)

    code.adapters[plain] = function, env
    instance = Instance(session, module, function, build, plain.ret)
    session.queue.append(instance)
    return function


def fit_result(cx: Context, value: hir.Expr, ret: Type) -> hir.Expr | None:
    """Return a call as the result `ret`, None where it does not fit; what is not wanted is dropped."""
    from simple_jit.hir.bodies import discard

    if value.type is ERROR:
        return None
    return discard(value) if ret is UNIT else fit(cx, value, ret)


# --- values ------------------------------------------------------------------------


def function_value(cx: Context, symbol: FunctionSymbol | ExternSymbol, span: Span) -> hir.Expr:
    """A function's name as a value."""
    code = _code_of(cx, symbol)
    if code is None:
        return hir.Const(None, ERROR, span)
    plain: FnType | None = None
    if isinstance(code, ExternCode):
        plain = function_of(code.extern.params, code.extern.ret)
    elif isinstance(symbol, FunctionSymbol) and is_concrete(symbol):
        params = [param.type for param in signature_of(symbol).params if param.type is not None]
        ret = result_type(get_instance(symbol, {}, params, span))
        if ret is ERROR or ERROR in params:
            return hir.Const(None, ERROR, span)
        plain = function_of(params, ret)
    values = [captured_value(cx, capture, span) for capture in code.captures]
    return code.make(cx, plain, values, span)


def _code_of(cx: Context, symbol: FunctionSymbol | ExternSymbol) -> Code | None:
    found = cx.session.codes.get(symbol)
    if found is None:
        if isinstance(symbol, FunctionSymbol):
            found = FunctionCode(cx, symbol)
        else:
            from simple_jit.hir.externs import resolve_extern

            extern = resolve_extern(symbol)
            if extern is None:
                return None
            found = ExternCode(cx, symbol, extern)
        cx.session.codes[symbol] = found
    assert isinstance(found, Code)
    return found


def to_plain(cx: Context, value: hir.Expr, to: FnType) -> hir.Expr | None:
    """Return a function value as a plain `to`, None where it is none."""
    type = value.type
    assert isinstance(type, ClosureType)
    if not type.is_open and type.params == to.params and type.ret is to.ret:
        return retyped(value, to)
    ret = result_for(cx, type, to.params, value.span)
    if ret is None:
        return None
    if ret is not to.ret and to.ret is not UNIT and ret is not NEVER:
        probe = fit(cx, hir.LocalGet(hir.Local(0, "", ret), value.span), to.ret)
        if probe is None:
            return None
    code: Code = type.code
    env = internal_struct(f"{code.key}.adapter", [("code", I64), ("function", type)])
    found = code.adapters.get(to)
    if found is not None and not (isinstance(code, LambdaCode) or type.is_open):
        found = None
    if found is None:
        function = _adapter(cx, code, env, to, lambda object: hir.FieldGet(object, 1, type, value.span))
    else:
        function, env = found
    return hir.ClosureNew(function, env, [value], to, value.span)


def stored_function(cx: Context, value: hir.Expr) -> hir.Expr:
    """Return a function value as one of the plain type that has its parameters and result."""
    type = value.type
    assert isinstance(type, ClosureType)
    if not type.is_open:
        return coerce(cx, value, plain_function(type))
    diagnostic = rule.CANNOT_INFER_TYPE.at(
        value.span, "the types of the parameters of this function are not known here"
    )
    written = f"\\x: i64: {type.code.name}(x)" if type.code.name else "\\x: i64: …"
    return cx.error(diagnostic.hint(f"write them: `{written}`"))


def result_for(cx: Context, type: ClosureType, params: Sequence[Type], span: Span) -> Type | None:
    """Return what a value called with arguments of `params` gives; None where it does not take them."""
    code: Code = type.code
    if len(params) != code.arity:
        return None
    if not type.is_open:
        return type.ret if tuple(params) == type.params else None
    for index, param in enumerate(params):
        wanted = code.wanted(index)
        if wanted is not None and wanted is not param:
            return None
    ret = code.result(params, span)
    return None if ret is ERROR else ret


def specialised(cx: Context, value: hir.Expr, wanted: Type) -> bool:
    """May an instance of the callee be made for this very closure, where it wants a `wanted`?"""
    type = value.type
    if not isinstance(type, ClosureType) or not isinstance(wanted, FnType) or depth(type) > _DEEPEST:
        return False
    ret = result_for(cx, type, wanted.params, value.span)
    return ret is not None and (ret is wanted.ret or wanted.ret is UNIT)


def depth(type: Type) -> int:
    """How deep do closures that capture closures nest in `type`?"""
    if isinstance(type, OptionalType):
        return depth(type.inner)
    if not isinstance(type, ClosureType):
        return 0
    return 1 + max([depth(field.type) for field in type.env.fields], default=0)


def call_value(cx: Context, value: hir.Expr, node: ast.Call) -> hir.Expr:
    """Call a function value."""
    from simple_jit.hir.context import expression
    from simple_jit.hir.report import count

    type = value.type
    assert isinstance(type, FnType)
    arity = type.code.arity if isinstance(type, ClosureType) else len(type.params)
    if len(node.args) != arity or any(arg.name or arg.spread for arg in node.args):
        for arg in node.args:
            if not isinstance(arg.value, ast.Lambda):
                expression(cx, arg.value)
        given = "1 was" if len(node.args) == 1 else f"{len(node.args) or 'none'} were"
        wanted = count(arity, "argument") if arity else "no arguments"
        message = f"this function takes {wanted}, but {given} given"
        if len(node.args) == arity:
            message = "a function value takes its arguments by position"
        return cx.error(rule.WRONG_ARITY.at(node.span, message))
    stmts: list[hir.Expr] = []
    if not isinstance(value, hir.LocalGet):
        value = cx.keep(value, stmts)
    args = []
    for index, arg in enumerate(node.args):
        wanted_type = type.code.wanted(index) if isinstance(type, ClosureType) and type.is_open else None
        if not (isinstance(type, ClosureType) and type.is_open):
            wanted_type = type.params[index]
        checked = expression(cx, arg.value, wanted_type)
        if wanted_type is not None:
            checked = coerce(cx, checked, wanted_type)
        args.append(checked)
    return _call(cx, value, type, stmts, args, node.span)


def _call(
    cx: Context, value: hir.Expr, type: FnType, stmts: list[hir.Expr], args: list[hir.Expr], span: Span
) -> hir.Expr:
    for arg in args:
        if isinstance(arg.type, HoleType):
            return cx.error(rule.CANNOT_INFER_TYPE.at(arg.span, "cannot tell the type of this argument"))
        if arg.type is ERROR:
            return hir.Const(None, ERROR, span)
        if arg.type is UNIT and isinstance(type, ClosureType) and type.is_open:
            return cx.error(rule.NO_VALUE.at(arg.span, "this gives no value to pass"))
    left = diverging([*stmts, *args], span)
    if left is not None:
        return left
    if isinstance(type, ClosureType):
        result = type.code.direct(cx, value, args, span)
    else:
        result = hir.CallValue(value, args, type.ret, span)
    if not stmts or result.type is ERROR:
        return result  # type: ignore[no-any-return]
    return hir.Block(stmts, result, result.type, span)
