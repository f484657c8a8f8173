"""Machine code as assembler text: by `capstone` if it is installed, else by `objdump`, else as bytes."""

from __future__ import annotations

from simple_jit.tiers.contract import CompiledCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def disassemble(code: CompiledCode) -> str:
    """Return the text of each function, under its name."""
    listing = _capstone() or _objdump() or _bytes
    entries = sorted(code.entries.items(), key=lambda entry: entry[1])
    ends = [offset for _, offset in entries[1:]] + [len(code.text)]
    parts = []
    for (symbol, start), end in zip(entries, ends):
        parts.append(f"{symbol}:\n{listing(code.text[start:end])}")
    return "\n".join(parts)


def _capstone() -> Callable[[bytes], str] | None:
    try:
        import capstone  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        return None
    machine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)

    def listing(text: bytes) -> str:
        lines = [f"{each.address:6x}:  {each.mnemonic} {each.op_str}" for each in machine.disasm(text, 0)]
        return "\n".join(lines) + "\n"

    return listing


def _objdump() -> Callable[[bytes], str] | None:
    import shutil

    program = shutil.which("objdump")
    if program is None:
        return None

    def listing(text: bytes) -> str:
        import subprocess
        import tempfile

        with tempfile.NamedTemporaryFile() as file:
            file.write(text)
            file.flush()
            command = [program, "-D", "-b", "binary", "-mi386:x86-64", "-Mintel", "--no-show-raw-insn"]
            output = subprocess.run([*command, file.name], capture_output=True, text=True, check=True)
        return "\n".join(output.stdout.splitlines()[7:]) + "\n"

    return listing


def _bytes(text: bytes) -> str:
    lines = [f"{at:6x}:  {text[at : at + 16].hex(' ')}" for at in range(0, len(text), 16)]
    note = "        (neither capstone nor objdump was found: plain bytes)"
    return "\n".join([note, *lines]) + "\n"
