"""The entry and throw stubs for x86-64, System V convention, as machine code.

`enter` saves the registers that its caller relies on, and the previous landing place, on the stack; their
address is the new landing place. `throw` takes the stack back to it, from however deep:

    [landing place] context | previous landing place | (padding) | r15 r14 r13 r12 rbx | rbp | return
"""

from __future__ import annotations

from simple_jit.mir import abi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

assert abi.HANDLER == 0

_LEAVE: Final = (
    "4883c408"  # add rsp, 8
    "415f 415e 415d 415c 5b 5d"  # pop r15, r14, r13, r12, rbx, rbp
    "c3"  # ret
)

ENTER: Final = bytes.fromhex(
    "55 4889e5"  # push rbp; mov rbp, rsp
    "53 4154 4155 4156 4157"  # push rbx, r12, r13, r14, r15
    "4883ec08"  # sub rsp, 8: calls need 16-byte alignment
    "ff37 57"  # push [rdi] (the previous landing place); push rdi (the context)
    "488927"  # mov [rdi], rsp
    "4889f0 4889d6 4889ca"  # mov rax, rsi; mov rsi, rdx; mov rdx, rcx
    "ffd0"  # call rax
    "5f 8f07"  # pop rdi; pop [rdi]
    f"488947{abi.RESULT:02x}"  # mov [rdi + RESULT], rax
    "31c0"  # xor eax, eax
    + _LEAVE
)

THROW: Final = bytes.fromhex(
    f"488977{abi.ERROR_KIND:02x}"  # mov [rdi + ERROR_KIND], rsi
    f"488957{abi.ERROR_SITE:02x}"  # mov [rdi + ERROR_SITE], rdx
    f"48894f{abi.ERROR_A:02x}"  # mov [rdi + ERROR_A], rcx
    f"4c8947{abi.ERROR_B:02x}"  # mov [rdi + ERROR_B], r8
    "488b27"  # mov rsp, [rdi]
    "5f 8f07"  # pop rdi; pop [rdi]
    "b801000000"  # mov eax, 1
    + _LEAVE
)


def extern_thunk(context: int, callee: int, shared: int) -> bytes:
    """Return a C function that notes `callee` in the context and goes on in the one at `shared`."""
    return (
        b"\x48\xb8" + context.to_bytes(8, "little")  # mov rax, context
        + b"\x49\xbb" + callee.to_bytes(8, "little")  # mov r11, callee
        + bytes((0x4C, 0x89, 0x58, abi.CALLEE))  # mov [rax + CALLEE], r11
        + b"\x48\xb8" + shared.to_bytes(8, "little")  # mov rax, shared
        + b"\xff\xe0"  # jmp rax
    )  # fmt: skip


def callee_thunk(callee: int, shared: int) -> bytes:
    """Return code that notes `callee` in the context and goes on in the function at `shared`."""
    return (
        b"\x48\xb8" + callee.to_bytes(8, "little")  # mov rax, callee
        + bytes((0x48, 0x89, 0x47, abi.CALLEE))  # mov [rdi + CALLEE], rax
        + b"\x48\xb8" + shared.to_bytes(8, "little")  # mov rax, shared
        + b"\xff\xe0"  # jmp rax
    )  # fmt: skip
