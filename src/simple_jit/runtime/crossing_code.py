"""The MIR of crossings: functions that Python calls, and functions that call Python.

Values are boxed and unboxed by CPython's own C functions. All of this runs with the GIL held, and none of
it is ever kept in a cache: it has addresses of this process in it.

    wrapper(self, args, count)     C convention, what a builtin function object runs
        enter(ctx, inner, args, slot)
            inner(ctx, args, slot)     unboxes, calls the instance in the slot, boxes
    stub(ctx, …)                   what the slot of a function without native code holds
    extern(…)                      C convention, what native code calls for a foreign function in Python
        boxes, calls `ctx.CALLEE` with Python's convention, unboxes
"""

from __future__ import annotations

from simple_jit.mir import abi
from simple_jit.mir import nodes as mir
from simple_jit.runtime import python_api
from simple_jit.runtime.python_api import BYTES_DATA

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    Types = tuple[mir.MirType, ...]

_C_INT: Final = mir.I32


class CodeWriter:
    """Appends instructions to the blocks of a function, straight on."""

    __slots__ = ("block", "context", "function")

    def __init__(self, symbol: str, params: Types, results: Types, c_convention: bool = False) -> None:
        self.function = mir.Function(symbol, results)
        self.function.c_convention = c_convention
        # A stack check would poll, and polling may run code that overwrites `CALLEE` and `RETURNS`.
        self.function.checks_stack = False
        self.function.param_count = len(params)
        for type in params:
            self.function.new_local(type)
        self.block = self.function.new_block()
        self.context = self.new(mir.PTR)
        self.emit(mir.Context(self.context))

    def emit(self, instruction: mir.Instruction) -> None:
        self.block.instructions.append(instruction)

    def new(self, type: mir.MirType) -> mir.Local:
        return self.function.new_local(type)

    def const(self, type: mir.MirType, value: float) -> mir.Local:
        local = self.new(type)
        self.emit(mir.Const(local, value))
        return local

    def load(self, type: mir.MirType, base: mir.Local, offset: int) -> mir.Local:
        local = self.new(type)
        self.emit(mir.Load(local, base, offset))
        return local

    def store(self, value: mir.Local, offset: int) -> None:
        self.emit(mir.Store(value, self.context, offset))

    def compare(self, op: mir.CompareOp, lhs: mir.Local, rhs: mir.Local) -> mir.Local:
        local = self.new(mir.BOOL)
        self.emit(mir.Compare(op, local, lhs, rhs))
        return local

    def convert(self, value: mir.Local, type: mir.MirType) -> mir.Local:
        """Return `value` as another type, addresses being integers."""
        if value.type is type:
            return value
        local = self.new(type)
        addresses = (mir.PTR, mir.REF, mir.I64)
        if value.type in addresses and type in addresses:
            self.emit(mir.Copy(local, value))
        else:
            self.emit(mir.Convert(local, value))
        return local

    def call(self, target: mir.Local, args: Sequence[mir.Local], result: mir.MirType) -> mir.Local:
        local = self.new(result)
        self.emit(mir.CallPointer((local,), target, tuple(args), c=True))
        return local

    def python(self, name: str, args: Sequence[mir.Local], result: mir.MirType) -> mir.Local:
        """Call a function of CPython's C interface."""
        return self.call(self.const(mir.PTR, python_api.function(name)), args, result)

    def python_void(self, name: str, args: Sequence[mir.Local]) -> None:
        target = self.const(mir.PTR, python_api.function(name))
        self.emit(mir.CallPointer((), target, tuple(args), c=True))

    def branch_cold(self, cond: mir.Local, cold: mir.Block) -> None:
        """Go to `cold` where `cond` is true; go on in a new block."""
        after = self.function.new_block()
        self.block.terminator = mir.Branch(cond, cold, after, cold="then")
        self.block = after

    def ret(self, *values: mir.Local) -> None:
        self.block.terminator = mir.Return(values)

    def keep_exception(self) -> None:
        """Move the Python exception that is set to `ctx.PYTHON_ERROR`, where it waits to be taken."""
        places = []
        for number in range(3):
            place, offset = self.new(mir.PTR), self.const(mir.I64, abi.BUFFER + 8 * number)
            self.emit(mir.Binary("add", place, self.context, offset))
            places.append(place)
        self.python_void("PyErr_Fetch", places)
        self.python_void("PyErr_NormalizeException", places)
        kind, value, traceback = [self.load(mir.PTR, place, 0) for place in places]
        # One may be there already, where a signal came in while it was being taken.
        self.python_void("Py_DecRef", (self.load(mir.PTR, self.context, abi.PYTHON_ERROR),))
        self.store(value, abi.PYTHON_ERROR)
        attach, after = self.function.new_block(), self.function.new_block()
        exists = self.compare("ne", traceback, self.const(mir.PTR, 0))
        self.block.terminator = mir.Branch(exists, attach, after)
        self.block = attach
        self.python("PyException_SetTraceback", (value, traceback), _C_INT)
        self.block.terminator = mir.Jump(after)
        self.block = after
        self.python_void("Py_DecRef", (kind,))
        self.python_void("Py_DecRef", (traceback,))

    def restore_exception(self, error: mir.Local) -> None:
        """Set the Python exception again that `ctx.PYTHON_ERROR` holds."""
        kind = self.python("PyObject_Type", (error,), mir.PTR)
        self.python_void("PyErr_SetObject", (kind, error))
        self.python_void("Py_DecRef", (kind,))
        self.python_void("Py_DecRef", (error,))
        self.store(self.const(mir.I64, 0), abi.PYTHON_ERROR)

    # --- Values -----------------------------------------------------------------------------------

    def unbox(self, object: mir.Local, type: mir.MirType, fail: mir.Block) -> mir.Local:
        """Convert a Python object; to `fail`, with a Python exception set, where it is not of the type."""
        if type.kind == "float":
            number = self.python("PyFloat_AsDouble", (object,), mir.F64)
            self._fail_on(number, -1.0, fail)
        elif type.kind == "bool":
            number = self.python("PyObject_IsTrue", (object,), _C_INT)
            self._fail_on(number, -1, fail)
            return self.compare("ne", number, self.const(_C_INT, 0))
        elif type is mir.U64:
            number = self.python("PyLong_AsUnsignedLongLong", (object,), mir.U64)
            self._fail_on(number, (1 << 64) - 1, fail)
        else:
            number = self.python("PyLong_AsLongLong", (object,), mir.I64)
            self._fail_on(number, -1, fail)
        return self.convert(number, type)

    def _fail_on(self, number: mir.Local, mark: float, fail: mir.Block) -> None:
        """Where `number` is what stands for an error, and there is one, go to `fail`."""
        suspicious = self.compare("eq", number, self.const(number.type, mark))
        check = self.function.new_block()
        self.branch_cold(suspicious, check)
        after, self.block = self.block, check
        error = self.python("PyErr_Occurred", (), mir.I64)
        failed = self.compare("ne", error, self.const(mir.I64, 0))
        self.block.terminator = mir.Branch(failed, fail, after)
        self.block = after

    def box(self, value: mir.Local) -> mir.Local:
        """Make a Python object of a value; the result is a new reference."""
        type = value.type
        if type.kind == "float":
            return self.python("PyFloat_FromDouble", (self.convert(value, mir.F64),), mir.PTR)
        if type is mir.U64:
            return self.python("PyLong_FromUnsignedLongLong", (value,), mir.PTR)
        maker = "PyBool_FromLong" if type.kind == "bool" else "PyLong_FromLongLong"
        return self.python(maker, (self.convert(value, mir.I64),), mir.PTR)

    def box_results(self, values: Sequence[mir.Local]) -> mir.Local:
        """Make None, one object, or a tuple."""
        if not values:
            none = self.const(mir.PTR, id(None))
            self.python_void("Py_IncRef", (none,))
            return none
        if len(values) == 1:
            return self.box(values[0])
        tuple = self.python("PyTuple_New", (self.const(mir.I64, len(values)),), mir.PTR)
        for place, value in enumerate(values):
            index = self.const(mir.I64, place)
            self.python("PyTuple_SetItem", (tuple, index, self.box(value)), _C_INT)
        return tuple

    def unbox_results(self, object: mir.Local, types: Types, fail: mir.Block) -> list[mir.Local]:
        """The reverse of `box_results`, but for the reference to `object`, which stays."""
        if len(types) <= 1:
            return [self.unbox(object, type, fail) for type in types]
        values = []
        for place, type in enumerate(types):
            item = self.python("PyTuple_GetItem", (object, self.const(mir.I64, place)), mir.PTR)
            self._fail_on(self.convert(item, mir.I64), 0, fail)
            values.append(self.unbox(item, type, fail))
        return values


def wrapper_functions(
    params: Types, results: Types, raise_error: object, note: object, wrong_count: object
) -> tuple[mir.Function, mir.Function]:
    """Return `wrapper` and `inner` for instances of one signature.

    `self` of the builtin function is a bytes object: the offset of the slot and the address of `inner`.
    `raise_error` is a Python function that raises the error which native code was left by; `note` is told
    of an exception of Python that goes on; `wrong_count` raises a TypeError. All must live as long as the
    code.
    """
    return _wrapper(len(params), raise_error, note, wrong_count), _inner(params, results)


def _wrapper(count: int, raise_error: object, note: object, wrong_count: object) -> mir.Function:
    code = CodeWriter("wrapper", (mir.PTR, mir.PTR, mir.I64), (mir.PTR,), c_convention=True)
    receiver, args, given = code.function.params
    miscounted, thrown = code.function.new_block(), code.function.new_block()
    code.branch_cold(code.compare("ne", given, code.const(mir.I64, count)), miscounted)
    slot = code.load(mir.I64, receiver, BYTES_DATA)
    inner = code.load(mir.PTR, receiver, BYTES_DATA + 8)
    enter = code.load(mir.PTR, code.context, abi.ENTER)
    status = code.call(enter, (code.context, inner, args, slot), mir.I64)
    code.branch_cold(code.compare("ne", status, code.const(mir.I64, 0)), thrown)
    code.ret(code.load(mir.PTR, code.context, abi.RESULT))

    code.block = miscounted
    code.ret(_call_python(code, wrong_count))

    # An exception of Python that no site is to be added to goes on as it is. Where even `note` fails, deep
    # down, its way has a gap.
    code.block = thrown
    kept, plain = code.function.new_block(), code.function.new_block()
    error = code.load(mir.PTR, code.context, abi.PYTHON_ERROR)
    code.branch_cold(code.compare("ne", error, code.const(mir.PTR, 0)), kept)
    other = code.block
    code.ret(_call_python(code, raise_error))
    code.block = kept
    site = code.load(mir.I64, code.context, abi.ERROR_SITE)
    kept.terminator = mir.Branch(code.compare("eq", site, code.const(mir.I64, 0)), plain, other)
    code.block = plain
    noted, unnoted, after = [code.function.new_block() for _ in range(3)]
    result = code.python("PyObject_CallOneArg", (code.const(mir.PTR, id(note)), error), mir.PTR)
    code.block.terminator = mir.Branch(code.compare("ne", result, code.const(mir.PTR, 0)), noted, unnoted)
    code.block = noted
    code.python_void("Py_DecRef", (result,))
    code.block.terminator = mir.Jump(after)
    code.block = unnoted
    code.python_void("PyErr_Clear", ())
    code.block.terminator = mir.Jump(after)
    code.block = after
    code.restore_exception(error)
    code.ret(code.const(mir.PTR, 0))
    return code.function


def _call_python(code: CodeWriter, callee: object) -> mir.Local:
    return code.python("PyObject_CallNoArgs", (code.const(mir.PTR, id(callee)),), mir.PTR)


def _inner(params: Types, results: Types) -> mir.Function:
    code = CodeWriter("inner", (mir.PTR, mir.I64), (mir.PTR,))
    args, slot = code.function.params
    fail = code.function.new_block()
    values = []
    for place, type in enumerate(params):
        values.append(code.unbox(code.load(mir.PTR, args, 8 * place), type, fail))
    target = code.new(mir.PTR)
    code.emit(mir.Load(target, code.context, 0, slot))
    returned = tuple([code.new(type) for type in results])
    code.emit(mir.CallPointer(returned, target, tuple(values), c=False))
    code.ret(code.box_results(returned))
    code.block = fail
    code.ret(code.const(mir.PTR, 0))
    return code.function


def stub_function(params: Types, results: Types) -> mir.Function:
    """Return what calls the Python callable at `ctx.CALLEE`, by the signature; an exception goes on."""
    code = _call_of_callee(CodeWriter("stub", params, results))
    code.emit(mir.Check(code.const(mir.BOOL, False), "Recorded", code.const(mir.I64, 0)))
    code.block.terminator = mir.Unreachable()
    return code.function


def extern_function(params: Types, results: Types) -> mir.Function:
    """Return the C function that calls the Python callable at `ctx.CALLEE`, by the signature.

    Where it raises, the exception is kept, `FAILED` is set and the result is 0. No Python code runs between
    the call and that, so a signal at any moment ends up in one place or the other.
    """
    code = _call_of_callee(CodeWriter("extern", params, results, c_convention=True))
    code.store(code.const(mir.I64, abi.ERROR_NUMBER["Recorded"]), abi.ERROR_KIND)
    code.store(code.const(mir.I64, 1), abi.FAILED)
    code.ret(*[code.const(type, 0) for type in results])
    return code.function


def _call_of_callee(code: CodeWriter) -> CodeWriter:
    """Call `ctx.CALLEE` with the parameters and return its result; go on where its exception was kept."""
    results = code.function.results
    fail, drop = code.function.new_block(), code.function.new_block()
    callee = code.load(mir.PTR, code.context, abi.CALLEE)
    boxes = [code.box(local) for local in code.function.params]
    for place, box in enumerate(boxes):
        code.store(box, abi.BUFFER + 8 * place)
    buffer, offset = code.new(mir.PTR), code.const(mir.I64, abi.BUFFER)
    code.emit(mir.Binary("add", buffer, code.context, offset))
    count, names = code.const(mir.I64, len(boxes)), code.const(mir.PTR, 0)
    result = code.python("PyObject_Vectorcall", (callee, buffer, count, names), mir.PTR)
    for box in boxes:
        code.python_void("Py_DecRef", (box,))
    code.branch_cold(code.compare("eq", result, code.const(mir.PTR, 0)), fail)
    values = code.unbox_results(result, results, drop)
    code.python_void("Py_DecRef", (result,))
    code.ret(*values)

    code.block = drop
    code.python_void("Py_DecRef", (result,))
    code.block.terminator = mir.Jump(fail)
    code.block = fail
    code.keep_exception()
    return code


def poll_function() -> mir.Function:
    """Return the C function behind `ctx.POLL`: it lets Python handle the signals that came in."""
    code = CodeWriter("poll", (), (), c_convention=True)
    stop = code.function.new_block()
    # First the limit: a signal that comes in from here on asks for attention again.
    code.store(code.load(mir.I64, code.context, abi.STACK_LIMIT), abi.LIMIT)
    flag = code.const(mir.PTR, python_api.address_of_polling())
    code.emit(mir.Store(code.const(mir.I64, 1), flag, 0))
    status = code.python("PyErr_CheckSignals", (), _C_INT)
    code.emit(mir.Store(code.const(mir.I64, 0), flag, 0))
    code.branch_cold(code.compare("ne", status, code.const(_C_INT, 0)), stop)
    code.ret()
    code.block = stop
    code.keep_exception()
    code.store(code.const(mir.I64, 1), abi.FAILED)
    code.ret()
    return code.function


def interrupt_function(cells: int, count: int, previous: int, watch: Watch | None) -> mir.Function:
    """Return a signal handler `void f(int signal)` that asks for attention.

    Each of the `count` cells at `cells` is 0 or the address of a limit word. It starts the clock of `watch`
    and goes on in the handler at the address `previous`.
    """
    code = CodeWriter("interrupt", (_C_INT,), (), c_convention=True)
    signal = code.function.params[0]
    if watch is not None:
        status = code.new(mir.I64)
        code.emit(mir.Binary("add", status, code.convert(signal, mir.I64), code.const(mir.I64, 128)))
        code.emit(mir.Store(status, code.const(mir.PTR, watch.status), 0))
        watch.start(code)
    base = code.const(mir.PTR, cells)
    index, next = code.new(mir.I64), code.new(mir.I64)
    code.emit(mir.Const(index, 0))
    zero, attention = code.const(mir.PTR, 0), code.const(mir.I64, -1)
    step, end = code.const(mir.I64, 1), code.const(mir.I64, count)
    loop, found, after, done = (code.function.new_block() for _ in range(4))
    code.block.terminator = mir.Jump(loop)
    code.block = loop
    word = code.new(mir.PTR)
    code.emit(mir.Load(word, base, 0, index, 8))
    code.block.terminator = mir.Branch(code.compare("eq", word, zero), after, found)
    code.block = found
    code.emit(mir.Store(attention, word, 0))
    code.block.terminator = mir.Jump(after)
    code.block = after
    code.emit(mir.Binary("add", next, index, step))
    code.emit(mir.Copy(index, next))
    code.block.terminator = mir.Branch(code.compare("lt", index, end), loop, done)
    code.block = done
    code.emit(mir.CallPointer((), code.const(mir.PTR, previous), (signal,), c=True))
    code.ret()
    return code.function


class Watch:
    """What a handler needs that ends the process when nobody attends to a signal.

    `timer` is the address of a C `struct itimerval` with the time to wait, `status` that of a cell for the
    exit status; the others are those of C functions.
    """

    __slots__ = ("end", "set_timer", "status", "timer", "write")

    def __init__(self, timer: int, status: int, set_timer: int, write: int, end: int) -> None:
        self.timer = timer
        self.status = status
        self.set_timer = set_timer
        self.write = write
        self.end = end

    def start(self, code: CodeWriter) -> None:
        args = (code.const(_C_INT, 0), code.const(mir.PTR, self.timer), code.const(mir.PTR, 0))
        code.call(code.const(mir.PTR, self.set_timer), args, _C_INT)


def expiry_function(watch: Watch) -> mir.Function:
    """Return a handler of SIGALRM `void f(int signal)` that writes what is buffered and ends the process.

    It runs once more where writing takes as long again, and then ends it at once.
    """
    code = CodeWriter("expiry", (_C_INT,), (), c_convention=True)
    writing, ending = code.function.new_block(), code.function.new_block()
    size = code.load(mir.I64, code.context, abi.OUT_LEN)
    code.block.terminator = mir.Branch(code.compare("eq", size, code.const(mir.I64, 0)), ending, writing)
    code.block = writing
    code.store(code.const(mir.I64, 0), abi.OUT_LEN)
    watch.start(code)
    data = code.load(mir.PTR, code.context, abi.OUT_DATA)
    code.call(code.const(mir.PTR, watch.write), (code.const(_C_INT, 1), data, size), mir.I64)
    code.block.terminator = mir.Jump(ending)
    code.block = ending
    status = code.convert(code.load(mir.I64, code.const(mir.PTR, watch.status), 0), _C_INT)
    code.emit(mir.CallPointer((), code.const(mir.PTR, watch.end), (status,), c=True))
    code.ret()
    return code.function


def refill_function(slot: int, block: int, otherwise: int) -> mir.Function:
    """Return the C function `i64 refill(size)` that asks the collector's code for memory.

    That is the instance in the code-table slot at offset `slot`, with the collector's block at address
    `block`; where it has none, the C function at the address `otherwise` is asked.
    """
    code = CodeWriter("refill", (mir.I64,), (mir.I64,), c_convention=True)
    size = code.function.params[0]
    failed = code.function.new_block()
    target = code.load(mir.PTR, code.context, slot)
    found = code.new(mir.I64)
    code.emit(mir.CallPointer((found,), target, (code.const(mir.I64, block), size), c=False))
    code.branch_cold(code.compare("eq", found, code.const(mir.I64, 0)), failed)
    code.ret(found)
    code.block = failed
    code.ret(code.call(code.const(mir.PTR, otherwise), (size,), mir.I64))
    return code.function
