"""The context block, heap objects, and the calling convention: what every tier must agree on.

A compiled function is `results f(ctx, args…)` by the C convention of the platform, arguments in MIR
order. `classify_results` says which results come back in registers; the others are left in the
context's `RETURNS` area, in order.
"""

from __future__ import annotations

from simple_jit.mir.nodes import MirType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

# --- The context: offsets in bytes, every cell 8 bytes wide ---------------------------------------
HANDLER: Final = 0          # stack pointer of the innermost landing place
LIMIT: Final = 8            # compared with the stack pointer at entries; all ones: attention wanted
STACK_LIMIT: Final = 16     # the true limit of the stack
FAILED: Final = 24          # not 0: an extern function recorded an error
ERROR_KIND: Final = 32      # number of the kind (ERROR_KINDS)
ERROR_SITE: Final = 40      # number of the site
ERROR_A: Final = 48         # index; or the address of the message text
ERROR_B: Final = 56         # length; or MESSAGE: ERROR_A is the address of a text
RESULT: Final = 64          # what the function called by the enter stub returned
ENTER: Final = 72           # address of `i64 enter(ctx, function, a, b)`: 0, or 1 after a throw;
                            # unless b is 0, a throw that ends there leaves a copy of the stack (STACK)
THROW: Final = 80           # address of `throw(ctx, kind, site, a, b)`, which does not return
POLL: Final = 88            # address of C `void poll()`: sees to requests; sets FAILED to stop
CALLEE: Final = 96          # the Python callable behind the stub that was just called (runtime.crossing)
HEAP_NEXT: Final = 104      # where the next object goes (8-byte aligned)
HEAP_END: Final = 112       # the end of what may be allocated without asking
OUT_DATA: Final = 120       # output buffer: address, bytes in it, capacity
OUT_LEN: Final = 128
OUT_CAPACITY: Final = 136
ARGS: Final = 144           # the program's arguments: an array of text, or 0
CALLBACK: Final = 152       # address of the cell of the function value that C is calling (runtime.callbacks)
KEPT: Final = 160           # the function value that was passed to C last
ERRNO: Final = 168          # `errno` after the last call of a C function that is declared @errno
OWNER: Final = 176          # the thread that runs the program, as `pthread_self` has it
BAD_CALLBACK: Final = 184   # why a callback was refused: FOREIGN_THREAD or DEAD_CALLBACK
SAVED_ERROR: Final = 192    # kind, site, a and b of the error that a callback was left by
PYTHON_ERROR: Final = 248   # an owned reference to the Python exception that native code was left by, or 0
RETURNS: Final = 256        # results that do not fit registers
RETURNS_COUNT: Final = 96
BUFFER: Final = 1024        # arguments and results of calls into the interpreter and of loop regions
BUFFER_COUNT: Final = 1024
IMPORTS: Final = 0x4000     # addresses of extern functions
IMPORTS_COUNT: Final = 4096
COLLECTOR: Final = 0xC000    # what the collector's code calls, at places that are the same in every process
COLLECTOR_COUNT: Final = 64
TEXTS: Final = 0x10000      # text constants
TEXTS_COUNT: Final = 0x10000
STACK: Final = 0x90000      # a copy of abandoned stack: its address or 0, that of the landing place, words
STACK_END: Final = 0x4000   # so many bytes at the most of each end of it
GLOBALS: Final = 0x100000   # module-level variables
GLOBALS_COUNT: Final = 0x10000
CALL_MARK: Final = 0x1FFFF8 # nobody reads it (see tiers.cranelift.call_marks)
CODE: Final = 0x200000      # the code table: one address per instance
CODE_COUNT: Final = 0x40000
CONTEXT_SIZE: Final = 0x400000

ATTENTION: Final = (1 << 64) - 1
"""The value of `LIMIT` that sends the next poll or function entry to `POLL`."""

FOREIGN_THREAD: Final = 1
DEAD_CALLBACK: Final = 2

# --- Errors ---------------------------------------------------------------------------------------
MESSAGE: Final = -1
"""What throws with the text of a message in `a` pass as `b`."""
ERROR_KINDS: Final = (
    "Recorded",     # the error is already recorded on the Python side
    "IndexError", "KeyError", "NilError", "DivisionByZero", "TypeError", "ConversionError",
    "AssertionError", "ChangedDuringIteration", "IoError", "Panic", "Thrown", "StackOverflow",
    "OutOfMemory", "Overflow",
)
WORDED_KINDS: Final = ("NilError", "DivisionByZero", "StackOverflow", "OutOfMemory", "Overflow")
"""The kinds that have a message of their own; the others need one, but for `IndexError`'s two numbers."""
ERROR_NUMBER: Final = {name: number for number, name in enumerate(ERROR_KINDS)}

# --- Heap objects: offsets in bytes ---------------------------------------------------------------
# Every object starts with one header word: type id in the low 32 bits, flags above.
HEADER_SIZE: Final = 8
ALIGNMENT: Final = 16       # of objects; a buffer's data starts at 16
TEXT_BYTES: Final = 8       # length in bytes
TEXT_CHARS: Final = 16      # length in code points
TEXT_HASH: Final = 24       # 0: not computed yet
TEXT_DATA: Final = 32       # UTF-8, then a NUL
ARRAY_LEN: Final = 8
ARRAY_CAPACITY: Final = 16
ARRAY_DATA: Final = 24      # address of the first element (0 where capacity is 0)
ARRAY_SIZE: Final = 32
BUFFER_BYTES: Final = 8     # of a buffer object: bytes of data
BUFFER_DATA: Final = 16

# --- Results --------------------------------------------------------------------------------------
MAX_INT_REGISTERS: Final = 2
MAX_FLOAT_REGISTERS: Final = 2


def classify_results(types: Sequence[MirType]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Split results into those returned in registers and those left in `RETURNS`.

    Returns:
        Two tuples of indices into `types`; the n-th of the second lies at `RETURNS + 8 * n`.
    """
    registers: list[int] = []
    memory: list[int] = []
    ints = floats = 0
    for index, type in enumerate(types):
        if type.kind == "float" and floats < MAX_FLOAT_REGISTERS:
            floats += 1
            registers.append(index)
        elif type.kind != "float" and ints < MAX_INT_REGISTERS:
            ints += 1
            registers.append(index)
        else:
            memory.append(index)
    return tuple(registers), tuple(memory)
