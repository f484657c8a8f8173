"""Each MIR instruction → LLVM IR: one small function each, in a table keyed by the class."""

from __future__ import annotations

from struct import Struct

from simple_jit.mir import abi
from simple_jit.mir import nodes as mir
from simple_jit.mir.nodes import BOOL, F64, Local, MirType
from simple_jit.mir.visit import PURE_EXTERNS
from simple_jit.tiers.llvm.aliasing import RAW, cell
from simple_jit.tiers.llvm.function import FunctionWriter
from simple_jit.tiers.llvm.unit import MEMORY_TYPES, VALUE_TYPES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

_DOUBLE: Final = Struct(">d")
_SINGLE: Final = Struct(">f")


def _type(local: Local) -> str:
    return VALUE_TYPES[local.type.name]


# --- Constants and copies -------------------------------------------------------------------------


def constant(type: MirType, value: int | float | bool) -> str:
    """Return the text of a constant."""
    if type is BOOL:
        return "true" if value else "false"
    if type.kind == "float":
        return _float(type, float(value))
    bits = 8 * type.size
    number = int(value) & (1 << bits) - 1
    if type.kind == "ptr":
        return f"inttoptr (i64 {number} to ptr)" if number else "null"
    return str(number - (1 << bits) if number >> bits - 1 else number)


def _float(type: MirType, value: float) -> str:
    """LLVM writes a float as the bits of the double of the same value."""
    if type is not F64:
        try:
            (value,) = _SINGLE.unpack(_SINGLE.pack(value))
        except OverflowError:
            value = float("inf") if value > 0 else float("-inf")
    return f"0x{_DOUBLE.pack(value).hex().upper()}"


def _const(w: FunctionWriter, i: mir.Const) -> None:
    w.set(i.dst, constant(i.dst.type, i.value))


def _const_text(w: FunctionWriter, i: mir.ConstText) -> None:
    constant = w.unit.text_constant(i.value)
    w.set(i.dst, constant or w.load_cell(w.unit.link.text_offset(i.value), never_changes=True))


def _const_site(w: FunctionWriter, i: mir.ConstSite) -> None:
    w.set(i.dst, str(w.unit.link.site_number(i.site)))


def _const_type_id(w: FunctionWriter, i: mir.ConstTypeId) -> None:
    w.set(i.dst, str(w.unit.link.type_id(i.name)))


def _const_code(w: FunctionWriter, i: mir.ConstCode) -> None:
    w.set(i.dst, str(w.unit.link.code_offset(i.symbol)))


def _copy(w: FunctionWriter, i: mir.Copy) -> None:
    to, source = _type(i.dst), _type(i.src)
    if to == source:
        w.set(i.dst, w.get(i.src))
    elif to == "ptr":
        w.define(i.dst, f"inttoptr {w.typed(i.src)} to ptr")
    else:
        w.define(i.dst, f"ptrtoint {w.typed(i.src)} to {to}")


def _context(w: FunctionWriter, i: mir.Context) -> None:
    w.set(i.dst, "%ctx")


# --- Arithmetic -----------------------------------------------------------------------------------

_FLOAT_FUNCTIONS: Final = {
    "sqrt": "sqrt", "floor": "floor", "ceil": "ceil", "trunc": "trunc", "abs": "fabs",
}  # fmt: skip
_BIT_COUNTS: Final = {
    "popcount": ("ctpop", ""),
    "leading_zeros": ("ctlz", ", i1 false"),
    "trailing_zeros": ("cttz", ", i1 false"),
}


def _unary(w: FunctionWriter, i: mir.Unary) -> None:
    type = _type(i.src)
    value = w.get(i.src)
    if i.op == "neg":
        is_float = i.src.type.kind == "float"
        w.define(i.dst, f"fneg {type} {value}" if is_float else f"sub {type} 0, {value}")
    elif i.op == "not":
        w.define(i.dst, f"xor {type} {value}, {'true' if i.src.type is BOOL else '-1'}")
    elif i.op in _FLOAT_FUNCTIONS:
        name = f"{_FLOAT_FUNCTIONS[i.op]}.f{8 * i.src.type.size}"
        w.define(i.dst, f"call {type} {w.unit.intrinsic(name, type, type)}({type} {value})")
    else:
        name, more = _BIT_COUNTS[i.op]
        parameters = f"{type}, i1" if more else type
        function = w.unit.intrinsic(f"{name}.{type}", type, parameters)
        w.define(i.dst, f"call {type} {function}({type} {value}{more})")


_INT_OPS: Final = {"add": "add", "sub": "sub", "mul": "mul", "and": "and", "or": "or", "xor": "xor"}
_FLOAT_OPS: Final = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}


def _binary(w: FunctionWriter, i: mir.Binary) -> None:
    kind = i.dst.type.kind
    if kind == "ptr":
        _move_pointer(w, i)
    elif kind == "float":
        _float_binary(w, i)
    elif i.op in _INT_OPS:
        w.define(i.dst, f"{_INT_OPS[i.op]} {w.typed(i.lhs)}, {w.get(i.rhs)}")
    elif i.op in ("shl", "shr"):
        _shift(w, i)
    else:
        _divide(w, i)


def _move_pointer(w: FunctionWriter, i: mir.Binary) -> None:
    distance = w.get(i.rhs)
    if i.op == "sub":
        distance = w.op(f"sub i64 0, {distance}")
    w.define(i.dst, f"getelementptr i8, ptr {w.get(i.lhs)}, i64 {distance}")


def _float_binary(w: FunctionWriter, i: mir.Binary) -> None:
    if i.op == "rem":
        _float_rem(w, i)
    else:
        w.define(i.dst, f"{_FLOAT_OPS[i.op]} {w.typed(i.lhs)}, {w.get(i.rhs)}")


def _float_rem(w: FunctionWriter, i: mir.Binary) -> None:
    """The remainder of two f32 is an f32, so the detour through f64 is exact."""
    operands = [w.get(i.lhs), w.get(i.rhs)]
    if i.dst.type is not F64:
        operands = [w.op(f"fpext float {value} to double") for value in operands]
    target = w.foreign_target("fmod", "double", "double, double")
    lhs, rhs = operands
    result = w.op(f"call double {target}(double {lhs}, double {rhs}) memory(none) willreturn")
    w.set(i.dst, result if i.dst.type is F64 else w.op(f"fptrunc double {result} to float"))


def _shift(w: FunctionWriter, i: mir.Binary) -> None:
    type = _type(i.dst)
    bits = 8 * i.dst.type.size
    count = w.get(i.rhs)
    if i.rhs in w.constants:
        count = str(int(w.constants[i.rhs]) & bits - 1)
    else:
        count = w.op(f"and i64 {count}, {bits - 1}")
        if bits < 64:
            count = w.op(f"trunc i64 {count} to {type}")
    name = "shl" if i.op == "shl" else "ashr" if i.dst.type.signed else "lshr"
    w.define(i.dst, f"{name} {type} {w.get(i.lhs)}, {count}")


def _divide(w: FunctionWriter, i: mir.Binary) -> None:
    """A divisor of -1 is kept from the machine's division, which traps where the result overflows."""
    type = _type(i.dst)
    lhs, rhs = w.get(i.lhs), w.get(i.rhs)
    known = w.constants.get(i.rhs)
    if not i.dst.type.signed:
        w.define(i.dst, f"u{i.op} {type} {lhs}, {rhs}")
    elif known is not None and known != -1:
        w.define(i.dst, f"s{i.op} {type} {lhs}, {rhs}")
    else:
        by_minus_one = w.op(f"icmp eq {type} {rhs}, -1")
        divisor = w.op(f"select i1 {by_minus_one}, {type} 1, {type} {rhs}")
        result = w.op(f"s{i.op} {type} {lhs}, {divisor}")
        if i.op == "div":
            negated = w.op(f"sub {type} 0, {lhs}")
            result = w.op(f"select i1 {by_minus_one}, {type} {negated}, {type} {result}")
        w.set(i.dst, result)


def _checked(w: FunctionWriter, i: mir.Checked) -> None:
    type = _type(i.dst)
    function = w.unit.intrinsic(f"s{i.op}.with.overflow.{type}", f"{{ {type}, i1 }}", f"{type}, {type}")
    both = w.op(f"call {{ {type}, i1 }} {function}({w.typed(i.lhs)}, {w.typed(i.rhs)})")
    over = w.op(f"extractvalue {{ {type}, i1 }} {both}, 1")
    w.fail_unless(w.op(f"xor i1 {over}, true"), w.throw("Overflow", i.place))
    w.define(i.dst, f"extractvalue {{ {type}, i1 }} {both}, 0")


_FLOAT_CONDITIONS: Final = {"eq": "oeq", "ne": "une", "lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge"}


def _compare(w: FunctionWriter, i: mir.Compare) -> None:
    type = i.lhs.type
    operands = f"{w.typed(i.lhs)}, {w.get(i.rhs)}"
    if type.kind == "float":
        w.define(i.dst, f"fcmp {_FLOAT_CONDITIONS[i.op]} {operands}")
    elif i.op in ("eq", "ne"):
        w.define(i.dst, f"icmp {i.op} {operands}")
    else:
        w.define(i.dst, f"icmp {'s' if type.signed else 'u'}{i.op} {operands}")


def _convert(w: FunctionWriter, i: mir.Convert) -> None:
    source, to = i.src.type, i.dst.type
    from_type, to_type = _type(i.src), _type(i.dst)
    if from_type == to_type:
        w.set(i.dst, w.get(i.src))
    elif source.kind == "float" and to.kind == "int":
        sign = "s" if to.signed else "u"
        name = f"fpto{sign}i.sat.{to_type}.f{8 * source.size}"
        w.define(i.dst, f"call {to_type} {w.unit.intrinsic(name, to_type, from_type)}({w.typed(i.src)})")
    else:
        w.define(i.dst, f"{_conversion(source, to)} {w.typed(i.src)} to {to_type}")


def _conversion(source: MirType, to: MirType) -> str:
    """Return LLVM's word for a conversion between two different types, float to integer apart."""
    if to.kind == "float":
        if source.kind == "float":
            return "fpext" if to.size > source.size else "fptrunc"
        return "sitofp" if source.signed else "uitofp"
    if source is BOOL:
        return "zext"
    if to.size < source.size:
        return "trunc"
    return "sext" if source.signed else "zext"


def _bitcast(w: FunctionWriter, i: mir.Bitcast) -> None:
    w.define(i.dst, f"bitcast {w.typed(i.src)} to {_type(i.dst)}")


def _select(w: FunctionWriter, i: mir.Select) -> None:
    w.define(i.dst, f"select i1 {w.get(i.cond)}, {w.typed(i.lhs)}, {w.typed(i.rhs)}")


# --- Memory ---------------------------------------------------------------------------------------


def _address(w: FunctionWriter, i: mir.Load | mir.Store) -> str:
    base = w.get(i.base)
    # Raw addresses may come from anywhere; else base and result lie in one object.
    inside = "" if w.bases.get(i.base, RAW) == RAW else " inbounds nuw"
    if i.index is not None:
        base = w.op(f"getelementptr{inside} [{i.scale} x i8], ptr {base}, i64 {w.get(i.index)}")
    if i.offset:
        base = w.op(f"getelementptr{inside} i8, ptr {base}, i64 {i.offset}")
    return base


def _tag(w: FunctionWriter, i: mir.Load | mir.Store, type: MirType) -> str:
    base_class = w.bases.get(i.base, RAW)
    return w.unit.alias_tag(cell(base_class, type, i.offset, i.index is not None))


def _load(w: FunctionWriter, i: mir.Load) -> None:
    type = i.dst.type
    tag = _tag(w, i, type)
    if type is BOOL:
        tag += f", !range {w.unit.metadata('!{i8 0, i8 2}')}"
    elif i.dst in w.lengths:
        tag += f", !range {w.unit.metadata(f'!{{i64 0, i64 {(1 << 63) - 1}}}')}"
    loaded = w.op(f"load {MEMORY_TYPES[type.name]}, ptr {_address(w, i)}{_alignment(w, i, type)}{tag}")
    w.set_from_memory(i.dst, loaded)


def _store(w: FunctionWriter, i: mir.Store) -> None:
    type = i.src.type
    value = w.to_memory(i.src)
    w.emit(f"store {value}, ptr {_address(w, i)}{_alignment(w, i, type)}{_tag(w, i, type)}")


def _alignment(w: FunctionWriter, i: mir.Load | mir.Store, type: MirType) -> str:
    """Computed addresses need not be aligned."""
    return ", align 1" if type.size > 1 and w.bases.get(i.base, RAW) == RAW else ""


# --- Checks ---------------------------------------------------------------------------------------


def _index(w: FunctionWriter, i: mir.Index) -> None:
    src, length = w.get(i.src), w.get(i.length)
    failure = w.throw("IndexError", i.place, src, length)
    inside = w.op(f"icmp ult i64 {src}, {length}")
    if i.wrap:
        w.set(i.dst, _wrapped_index(w, src, length, inside, failure))
    else:
        w.fail_unless(inside, failure)
        w.set(i.dst, src)


def _wrapped_index(w: FunctionWriter, src: str, length: str, inside: str, failure: str) -> str:
    """Count a negative index from the end, on a path of its own: most are not negative."""
    usual, rare, go_on = w.block_label, w.label(), w.label()
    weights = w.unit.metadata('!{!"branch_weights", i32 2000, i32 1}')
    w.emit(f"br i1 {inside}, label %{go_on}, label %{rare}, !prof {weights}")
    w.start(rare)
    from_end = w.op(f"add i64 {src}, {length}")
    again = w.op(f"icmp ult i64 {from_end}, {length}")
    w.emit(f"br i1 {again}, label %{go_on}, label %{w.failure(failure)}")
    w.start(go_on)
    return w.op(f"phi i64 [ {src}, %{usual} ], [ {from_end}, %{rare} ]")


def _check(w: FunctionWriter, i: mir.Check) -> None:
    w.fail_unless(w.get(i.cond), w.throw(i.kind, i.place, *_message(w, i.message)))


def _message(w: FunctionWriter, message: Local | None) -> tuple[str, ...]:
    if message is None:
        return ()
    return w.op(f"ptrtoint ptr {w.get(message)} to i64"), str(abi.MESSAGE)


def _poll(w: FunctionWriter, i: mir.Poll) -> None:
    limit = w.op(f"load atomic i64, ptr {w.cell(abi.LIMIT)} monotonic, align 8")
    wanted = w.op(f"icmp eq i64 {limit}, {abi.ATTENTION - (1 << 64)}")
    w.unlikely(wanted, w.safepoint("poll", f"i64 {w.place(i.place)}", i.place))


# --- Calls ----------------------------------------------------------------------------------------


def _call(w: FunctionWriter, i: mir.Call) -> None:
    target = w.direct_target(i.callee)
    direct = target is not None
    if target is None:
        target = w.load_cell(w.unit.link.code_offset(i.callee))
    arguments = ["ptr %ctx", *[_argument(w, arg, extend=not direct) for arg in i.args]]
    w.write_call(target, i.dsts, arguments, i.site)


def _call_pointer(w: FunctionWriter, i: mir.CallPointer) -> None:
    arguments = [_argument(w, arg, extend=True) for arg in i.args]
    if not i.c:
        arguments.insert(0, "ptr %ctx")
    w.write_call(w.get(i.target), i.dsts, arguments, i.site)


def _argument(w: FunctionWriter, arg: Local, extend: bool) -> str:
    """Return an argument; C code may rely on small integers to be extended to 32 bits."""
    text = w.to_memory(arg)
    if extend and arg.type.size < 4 and arg.type.kind != "float":
        type, value = text.split(" ", 1)
        return f"{type} {'signext' if arg.type.signed else 'zeroext'} {value}"
    return text


# C functions that LLVM knows as operations of its own, all of f64.
_INTRINSIC_EXTERNS: Final = {
    "ceil": 1, "copysign": 2, "fabs": 1, "floor": 1, "nearbyint": 1, "rint": 1, "round": 1, "sqrt": 1,
    "trunc": 1,
}  # fmt: skip


def _call_extern(w: FunctionWriter, i: mir.CallExtern) -> None:
    if i.raises and w.is_rare:
        _call_rare_extern(w, i)
        return
    if _is_operation(i):
        count = _INTRINSIC_EXTERNS[i.symbol]
        parameters = ", ".join(["double"] * count)
        target = w.unit.intrinsic(f"{i.symbol}.f64", "double", parameters)
    else:
        result = "void" if i.dst is None else MEMORY_TYPES[i.dst.type.name]
        parameters = ", ".join([MEMORY_TYPES[arg.type.name] for arg in i.args])
        target = w.foreign_target(i.symbol, result, parameters)
    arguments = ", ".join([_argument(w, arg, extend=True) for arg in i.args])
    more = " memory(none) willreturn" if i.symbol in PURE_EXTERNS else ""
    if i.dst is None:
        w.emit(f"call void {target}({arguments}){more}")
    else:
        result = w.op(f"call {MEMORY_TYPES[i.dst.type.name]} {target}({arguments}){more}")
        w.set_from_memory(i.dst, result)
    if i.raises:
        w.fail_if_recorded(i.place)


def _call_rare_extern(w: FunctionWriter, i: mir.CallExtern) -> None:
    """Call through a helper that sees to errors: code that rarely runs is kept short."""
    result = "void" if i.dst is None else MEMORY_TYPES[i.dst.type.name]
    arguments = [_argument(w, arg, extend=True) for arg in i.args]
    types = [argument.rpartition(" ")[0] for argument in arguments]
    helper = w.unit.rare_extern(i.symbol, result, types)
    arguments[:0] = ["ptr %ctx", f"i64 {w.place(i.place)}"]
    call = f"call {result} {helper}({', '.join(arguments)}) {w.at(i.place)}"
    if i.dst is None:
        w.emit(call)
    else:
        w.set_from_memory(i.dst, w.op(call))


def _is_operation(i: mir.CallExtern) -> bool:
    count = _INTRINSIC_EXTERNS.get(i.symbol)
    return count == len(i.args) and i.dst is not None and all(x.type is F64 for x in (i.dst, *i.args))


INSTRUCTIONS: Final[dict[type, Callable[[FunctionWriter, Any], None]]] = {
    mir.Const: _const,
    mir.ConstText: _const_text,
    mir.ConstSite: _const_site,
    mir.ConstTypeId: _const_type_id,
    mir.ConstCode: _const_code,
    mir.Copy: _copy,
    mir.Unary: _unary,
    mir.Binary: _binary,
    mir.Checked: _checked,
    mir.Compare: _compare,
    mir.Convert: _convert,
    mir.Bitcast: _bitcast,
    mir.Select: _select,
    mir.Load: _load,
    mir.Store: _store,
    mir.Context: _context,
    mir.Index: _index,
    mir.Check: _check,
    mir.Call: _call,
    mir.CallExtern: _call_extern,
    mir.CallPointer: _call_pointer,
    mir.Poll: _poll,
}


# --- Terminators ----------------------------------------------------------------------------------


def _jump(w: FunctionWriter, t: mir.Jump) -> None:
    w.finish_block()
    w.emit(f"br label %b{t.target.index}{w.jump_back(t.target)}")


def _branch(w: FunctionWriter, t: mir.Branch) -> None:
    condition = w.get(t.cond)
    w.finish_block()
    weights = ""
    if t.cold is not None:
        then, orelse = (1, 2000) if t.cold == "then" else (2000, 1)
        node = w.unit.metadata(f'!{{!"branch_weights", i32 {then}, i32 {orelse}}}')
        weights = f", !prof {node}"
    more = weights + w.jump_back(t.then, t.orelse)
    w.emit(f"br i1 {condition}, label %b{t.then.index}, label %b{t.orelse.index}{more}")


def _switch(w: FunctionWriter, t: mir.Switch) -> None:
    value = w.get(t.value)
    w.finish_block()
    cases = " ".join([f"i64 {number}, label %b{block.index}" for number, block in t.cases])
    w.emit(f"switch i64 {value}, label %b{t.default.index} [ {cases} ]")


def _return(w: FunctionWriter, t: mir.Return) -> None:
    w.write_return(t.values)
    w.forget_block()


def _throw(w: FunctionWriter, t: mir.Throw) -> None:
    w.emit(w.throw(t.kind, t.place, *_message(w, t.message)))
    w.emit("unreachable")
    w.forget_block()


def _unreachable(w: FunctionWriter, t: mir.Unreachable) -> None:
    w.emit("unreachable")
    w.forget_block()


TERMINATORS: Final[dict[type, Callable[[FunctionWriter, Any], None]]] = {
    mir.Jump: _jump,
    mir.Branch: _branch,
    mir.Switch: _switch,
    mir.Return: _return,
    mir.Throw: _throw,
    mir.Unreachable: _unreachable,
}
