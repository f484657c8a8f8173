"""The entry and throw stubs for x86-64, System V convention, as machine code.

`enter` saves the registers that its caller relies on, and the previous landing place, on the stack; their
address is the new landing place. `throw` takes the stack back to it, from however deep:

    [landing place] context | previous landing place | b | r15 r14 r13 r12 rbx | rbp | return

Where b, the last argument of `enter`, is not 0, `throw` copies the stack that it abandons: STACK_END bytes
from either end of it, or all.
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
    "51"  # push rcx
    "ff37 57"  # push [rdi] (the previous landing place); push rdi (the context)
    "488927"  # mov [rdi], rsp
    "4889f0 4889d6 4889ca"  # mov rax, rsi; mov rsi, rdx; mov rdx, rcx
    "ffd0"  # call rax
    "5f 8f07"  # pop rdi; pop [rdi]
    f"488947{abi.RESULT:02x}"  # mov [rdi + RESULT], rax
    "31c0" + _LEAVE  # xor eax, eax
)

_COPY: Final = bytes.fromhex(
    "4989f8"  # mov r8, rdi
    f"498db8{abi.STACK.to_bytes(4, 'little').hex()}"  # lea rdi, [r8 + STACK]
    "4889e6"  # mov rsi, rsp
    "488937 48895708"  # mov [rdi], rsi; mov [rdi + 8], rdx
    "4883c710"  # add rdi, 16
    f"b8{abi.STACK_END.to_bytes(4, 'little').hex()}"  # mov eax, STACK_END
    "4889d1 4829f1 4839c1 480f47c8"  # rcx = min(rdx - rsi, rax)
    "48c1e903 f348a5"  # shr rcx, 3; rep movsq
    "4889d1 4829f1 4839c1 480f47c8"  # rcx = min(rdx - rsi, rax): what is left
    "4889d6 4829ce"  # mov rsi, rdx; sub rsi, rcx
    "48c1e903 f348a5"  # shr rcx, 3; rep movsq
    "4c89c7"  # mov rdi, r8
)

THROW: Final = bytes.fromhex(
    f"488977{abi.ERROR_KIND:02x}"  # mov [rdi + ERROR_KIND], rsi
    f"488957{abi.ERROR_SITE:02x}"  # mov [rdi + ERROR_SITE], rdx
    f"48894f{abi.ERROR_A:02x}"  # mov [rdi + ERROR_A], rcx
    f"4c8947{abi.ERROR_B:02x}"  # mov [rdi + ERROR_B], r8
    "488b17"  # mov rdx, [rdi]
    f"48837a1000 74{len(_COPY):02x}"  # cmp qword [rdx + 16], 0; je past the copying
    f"{_COPY.hex()}"
    "4889d4"  # mov rsp, rdx
    "5f 8f07"  # pop rdi; pop [rdi]
    "b801000000" + _LEAVE  # mov eax, 1
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


def callback_thunk(cell: int, context: int, entry: int) -> bytes:
    """Return code that notes `cell` in the context and goes on in the C function at `entry`.

    In another thread than the one that runs the program it notes nothing: `entry` refuses the call.
    """
    owner, callback = abi.OWNER.to_bytes(4, "little"), abi.CALLBACK.to_bytes(4, "little")
    return (
        b"\x48\xb8" + cell.to_bytes(8, "little")  # mov rax, cell
        + b"\x49\xbb" + context.to_bytes(8, "little")  # mov r11, context
        + b"\x64\x4c\x8b\x14\x25\x00\x00\x00\x00"  # mov r10, fs:[0]: what pthread_self returns
        + b"\x4d\x3b\x93" + owner  # cmp r10, [r11 + OWNER]
        + b"\x75\x07"  # jne: over the next
        + b"\x49\x89\x83" + callback  # mov [r11 + CALLBACK], rax
        + b"\x48\xb8" + entry.to_bytes(8, "little")  # mov rax, entry
        + b"\xff\xe0"  # jmp rax
    )  # fmt: skip


def variadic_thunk(target: int) -> bytes:
    """Return code that says that eight registers may hold floats, and goes on at `target`.

    A variadic function takes in `al` how many do, at most.
    """
    return (
        b"\xb8\x08\x00\x00\x00"  # mov eax, 8
        + b"\x49\xbb" + target.to_bytes(8, "little")  # mov r11, target
        + b"\x41\xff\xe3"  # jmp r11
    )  # fmt: skip
