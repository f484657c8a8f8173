"""The MIR of callbacks: what runs where C calls a function value.

    thunk                      a few bytes for each function value (`stubs_…`): notes its cell, goes on in
    entry(args…)               C convention, one for each signature
        enter(ctx, inner, closure)
            inner(ctx, closure)         takes the arguments from the BUFFER
                body(ctx, closure, …)   looks at the stack, calls the function value

No error goes on through the frames of C: `entry` is a landing place. It keeps the error in `SAVED_ERROR`,
sets `FAILED` and returns 0; so do all callbacks after it, until C has returned to whoever called it,
who throws the error again. The cell of a function value that is gone holds 0.
"""

from __future__ import annotations

from simple_jit.mir import abi
from simple_jit.mir import nodes as mir
from simple_jit.mir.foreign import CallbackSignature, copy_function, machine_type
from simple_jit.runtime.crossing_code import CodeWriter

_INT = mir.I32
_NOT_TAKEN = -1


def inner_function(signature: CallbackSignature, body: int) -> mir.Function:
    """Return what calls the function at the address `body` with the arguments in the BUFFER."""
    code = CodeWriter("inner", (mir.REF, mir.I64), (mir.I64,))
    closure = code.function.params[0]
    args = []
    for place, word in enumerate(signature.params):
        args.append(code.load(_passed_type(word), code.context, abi.BUFFER + 8 * place))
    result = code.new(mir.I64)
    code.emit(mir.CallPointer((result,), code.const(mir.PTR, body), (closure, *args), c=False))
    code.ret(result)
    return code.function


def body_function(signature: CallbackSignature) -> mir.Function:
    """Return what calls a function value with what C passed; the result goes as an i64.

    Recursion may go from callback to callback, and the functions themselves may be interpreted. So this
    looks at the stack, and lets signals be handled.
    """
    code = CodeWriter("body", (mir.REF, *map(_passed_type, signature.params)), (mir.I64,))
    code.function.checks_stack = True
    closure, *raw = code.function.params
    args = []
    for word, value in zip(signature.params, raw):
        copy = copy_function(word)
        if copy is not None:
            text = code.new(mir.REF)
            code.emit(mir.CallExtern(text, copy, (value,), True, code.const(mir.I64, 0)))
            args.append(text)
        elif word == "bool":
            args.append(code.compare("ne", value, code.const(value.type, 0)))
        else:
            args.append(value)
    slot = code.load(mir.I64, closure, abi.HEADER_SIZE)
    target = code.new(mir.PTR)
    code.emit(mir.Load(target, code.context, 0, slot))
    results = () if signature.ret == "unit" else (code.new(machine_type(signature.ret)),)
    code.emit(mir.CallPointer(results, target, (*args, closure), c=False))
    code.ret(_as_word(code, results[0]) if results else code.const(mir.I64, 0))
    return code.function


def entry_function(
    signature: CallbackSignature, inner: int, thread_function: int, hold_stretch: object
) -> mir.Function:
    """Return the C function of a signature, whose function value's cell is in `CALLBACK`.

    `inner` is the address of what `inner_function` became, `thread_function` that of `pthread_self`.
    `hold_stretch` is a Python function for an error that ends here; it must live as long as the code.
    """
    ret = signature.ret
    result = () if ret == "unit" else (_returned_type(ret),)
    params = tuple([_passed_type(word) for word in signature.params])
    code = CodeWriter("callback", params, result, c_convention=True)
    refused, thrown, foreign, dead = (code.function.new_block() for _ in range(4))

    thread = code.call(code.const(mir.PTR, thread_function), (), mir.I64)
    code.branch_cold(code.compare("ne", thread, code.load(mir.I64, code.context, abi.OWNER)), foreign)
    cell = code.load(mir.PTR, code.context, abi.CALLBACK)
    closure = code.load(mir.I64, cell, 0)
    failed = code.load(mir.I64, code.context, abi.FAILED)
    code.branch_cold(code.compare("ne", failed, code.const(mir.I64, 0)), refused)
    code.branch_cold(code.compare("eq", closure, code.const(mir.I64, 0)), dead)
    python_state = _hold_python(code)
    for place, param in enumerate(code.function.params):
        code.store(param, abi.BUFFER + 8 * place)
    enter = code.load(mir.PTR, code.context, abi.ENTER)
    args = (code.context, code.const(mir.PTR, inner), closure, code.const(mir.I64, 1))
    status = code.call(enter, args, mir.I64)
    _hold_stretch(code, status, hold_stretch)
    _let_python_go(code, python_state)
    code.branch_cold(code.compare("ne", status, code.const(mir.I64, 0)), thrown)
    if ret == "unit":
        code.ret()
    else:
        code.ret(_from_word(code, code.load(mir.I64, code.context, abi.RESULT), ret))

    for block, why in ((foreign, abi.FOREIGN_THREAD), (dead, abi.DEAD_CALLBACK)):
        code.block = block
        code.store(code.const(mir.I64, why), abi.BAD_CALLBACK)
        code.store(code.const(mir.I64, 1), abi.FAILED)
        code.block.terminator = mir.Jump(refused)
    code.block = thrown
    code.store(code.const(mir.I64, 1), abi.FAILED)
    # What is recorded already stays: this function was left by what a callback within it was left by.
    kind = code.load(mir.I64, code.context, abi.ERROR_KIND)
    recorded = code.const(mir.I64, abi.ERROR_NUMBER["Recorded"])
    code.branch_cold(code.compare("eq", kind, recorded), refused)
    for place, cell_of in enumerate((abi.ERROR_KIND, abi.ERROR_SITE, abi.ERROR_A, abi.ERROR_B)):
        code.store(code.load(mir.I64, code.context, cell_of), abi.SAVED_ERROR + 8 * place)
    code.block.terminator = mir.Jump(refused)
    code.block = refused
    code.ret(*[code.const(type, 0) for type in result])
    return code.function


def _hold_stretch(code: CodeWriter, status: mir.Local, hold_stretch: object) -> None:
    """After a throw, have the stack that it abandoned kept for a traceback."""
    threw = code.function.new_block()
    code.branch_cold(code.compare("ne", status, code.const(mir.I64, 0)), threw)
    after, code.block = code.block, threw
    failed = code.function.new_block()
    callee = code.const(mir.PTR, id(hold_stretch))
    result = code.python("PyObject_CallNoArgs", (callee,), mir.PTR)
    code.branch_cold(code.compare("eq", result, code.const(mir.PTR, 0)), failed)
    code.python_void("Py_DecRef", (result,))
    code.block.terminator = mir.Jump(after)
    code.block = failed  # too deep down: the traceback has a gap
    code.python_void("PyErr_Clear", ())
    code.block.terminator = mir.Jump(after)
    code.block = after


def _hold_python(code: CodeWriter) -> mir.Local:
    """Take the GIL where a call let go of it; returns what `_let_python_go` needs."""
    state = code.new(_INT)
    code.emit(mir.Const(state, _NOT_TAKEN))
    held = code.python("PyGILState_Check", (), _INT)
    take = code.function.new_block()
    code.branch_cold(code.compare("eq", held, code.const(_INT, 0)), take)
    after, code.block = code.block, take
    code.emit(mir.Copy(state, code.python("PyGILState_Ensure", (), _INT)))
    code.block.terminator = mir.Jump(after)
    code.block = after
    return state


def _let_python_go(code: CodeWriter, state: mir.Local) -> None:
    let = code.function.new_block()
    code.branch_cold(code.compare("ne", state, code.const(_INT, _NOT_TAKEN)), let)
    after, code.block = code.block, let
    code.python_void("PyGILState_Release", (state,))
    code.block.terminator = mir.Jump(after)
    code.block = after


def _passed_type(word: str) -> mir.MirType:
    """Return the type that a parameter has for C: a bool is a byte."""
    return mir.U8 if word == "bool" else machine_type(word)


def _returned_type(word: str) -> mir.MirType:
    """Return the type of a result for C, which may rely on narrow integers being extended."""
    type = machine_type(word)
    return mir.I32 if type.size < 4 else type


def _as_word(code: CodeWriter, value: mir.Local) -> mir.Local:
    """Return a result as an i64, which is what `enter` keeps."""
    type = value.type
    if type.kind == "float":
        bits = code.new(mir.I64 if type is mir.F64 else mir.I32)
        code.emit(mir.Bitcast(bits, value))
        return code.convert(bits, mir.I64)
    return code.convert(value, mir.I64)


def _from_word(code: CodeWriter, word: mir.Local, ret: str) -> mir.Local:
    type = machine_type(ret)
    if type.kind == "float":
        value = code.new(type)
        code.emit(mir.Bitcast(value, word if type is mir.F64 else code.convert(word, mir.I32)))
        return value
    return code.convert(word, _returned_type(ret))
