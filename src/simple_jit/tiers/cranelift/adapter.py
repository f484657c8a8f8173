"""Everything that is particular to the Python binding of Cranelift, so that another could replace it.

- The enumerations of conditions are not exported: a call with a wrong argument makes the binding
  create them, and then they are among the subclasses of `object`.
- A function builder is bound to no module; functions can be called only through addresses.
- Invalid IR is a `ValueError` with the verifier on. With it off, it is a Rust panic (an exception outside
  `Exception`) or wrong code.
- Saturating conversion of floats to integers of 8 and 16 bits panics.
- What would become a call of a library function leaves an unknown symbol in the object. With the
  features of a CPU of the last fifteen years, nothing that we generate does.
"""

from __future__ import annotations

import cranelift
from cranelift import CallConv, FunctionBuilder, Linkage, MemFlags, Signature, TrapCode, Variable

from simple_jit.mir import nodes as mir
from simple_jit.tiers.contract import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

__all__ = ["FunctionBuilder", "TrapCode"]

I8: Final = cranelift.Type.I8
I16: Final = cranelift.Type.I16
I32: Final = cranelift.Type.I32
I64: Final = cranelift.Type.I64
F32: Final = cranelift.Type.F32
F64: Final = cranelift.Type.F64

TYPE: Final[dict[mir.MirType, Any]] = {
    mir.I8: I8, mir.I16: I16, mir.I32: I32, mir.I64: I64,
    mir.U8: I8, mir.U16: I16, mir.U32: I32, mir.U64: I64,
    mir.F32: F32, mir.F64: F64, mir.BOOL: I8, mir.REF: I64, mir.PTR: I64,
}  # fmt: skip
"""The machine types; signedness lies in the instructions."""


def _conditions() -> tuple[Any, Any]:
    builder = FunctionBuilder()  # type: ignore[no-untyped-call]
    builder.switch_to_block(builder.create_block())
    value = builder.ins_iconst(I64, 0)
    for compare in (builder.ins_icmp, builder.ins_fcmp):
        try:
            compare(None, value, value)  # type: ignore[arg-type]
        except TypeError:
            pass
    found = {each.__name__: each for each in object.__subclasses__()}
    return found["IntCC"], found["FloatCC"]


IntCC, FloatCC = _conditions()

TRUSTED: Final = MemFlags.trusted()
"""Aligned accesses that cannot fail."""

CONSTANT: Final = MemFlags.trusted()
"""The same, of memory that does not change while the function runs."""
CONSTANT.set_readonly()

BITS: Final = MemFlags()  # type: ignore[no-untyped-call]
"""For bit casts, which take flags without using them."""

TRAP: Final = TrapCode(1)
"""The reason of the traps behind calls that do not return."""


_variables: list[Variable] = []


def variables(count: int) -> list[Variable]:
    """Return the first `count` variables; they belong to no function."""
    for number in range(len(_variables), count):
        _variables.append(Variable(number))
    return _variables


REMEMBERED: Final = 2048
"""Signatures that are remembered: a process may compile any number of programs."""

_signatures: dict[tuple[tuple[mir.MirType, ...], tuple[mir.MirType, ...]], Signature] = {}


def signature(params: tuple[mir.MirType, ...], results: tuple[mir.MirType, ...]) -> Signature:
    """Return the signature by the C convention; results must fit registers."""
    found = _signatures.get((params, results))
    if found is None:
        if len(_signatures) == REMEMBERED:
            _signatures.clear()
        found = Signature(CallConv.SystemV)
        for type in params:
            found.add_param(TYPE[type])
        for type in results:
            found.add_return(TYPE[type])
        _signatures[params, results] = found
    return found


_isas: dict[tuple[int, bool], cranelift.TargetIsa] = {}


def _isa(level: int, verify: bool) -> cranelift.TargetIsa:
    found = _isas.get((level, verify))
    if found is None:
        found = _isas[level, verify] = cranelift.TargetIsa(
            "native",
            opt_level="speed" if level else "none",
            enable_verifier="true" if verify else "false",
            enable_probestack="false",  # entries compare the stack pointer with a limit
            enable_table_access_spectre_mitigation="false",
            unwind_info="false",
        )
    return found


class ObjectBuilder:
    """An object file under construction."""

    __slots__ = ("_module",)

    def __init__(self, level: int, verify: bool) -> None:
        self._module = cranelift.ObjectModule(_isa(level, verify), "unit")

    def define(self, symbol: str, signature: Signature, builder: FunctionBuilder) -> None:
        """Compile what `builder` holds and add it.

        Raises:
            BackendError: Cranelift refused it.
        """
        try:
            function = self._module.declare_function(symbol, Linkage.Export, signature)
            self._module.define_function(function, builder)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise _refusal(symbol, error) from error

    def finish(self) -> bytes:
        """Return the object file."""
        return bytes(self._module.finish().emit())


def _refusal(symbol: str, error: BaseException) -> BackendError:
    return BackendError(f"Cranelift cannot compile `{symbol}`: {type(error).__name__}: {error}")


def start_function(signature: Signature) -> tuple[FunctionBuilder, list[Any]]:
    """Return a builder standing in the entry block, and the values of the parameters."""
    builder = FunctionBuilder()  # type: ignore[no-untyped-call]
    builder.func_signature = signature
    entry = builder.create_block()
    builder.append_block_params_for_function_params(entry)
    builder.switch_to_block(entry)
    builder.seal_block(entry)
    return builder, list(builder.block_params(entry))
