"""From a checked program to an executable or a shared library.

    reach     HIR → MIR of all that runs, the collector included
    compile   MIR → one object file, through LLVM
    describe  places, types and names → program.c
    link      object file, program.c and the runtime (`runtime/*.c`) → the file, by the C compiler
"""

from __future__ import annotations

import os

from simple_jit.aot.callbacks import callback_source, callback_symbols
from simple_jit.aot.exports import export_source, find_exports, header_source
from simple_jit.aot.externs import check_externs
from simple_jit.aot.headers import layout_header, unicode_header
from simple_jit.aot.link import StaticLink
from simple_jit.aot.reach import START, Reached, reach
from simple_jit.aot.tables import program_source
from simple_jit.aot.toolchain import find_compiler, run_compiler
from simple_jit.hir import nodes as hir
from simple_jit.hir import types as types
from simple_jit.tiers.llvm.stack_maps import read_calls
from simple_jit.tiers.llvm.standalone import StandaloneCompiler, StandaloneProgram
from simple_jit.tiers.object_file import read_stack_maps, without_stack_maps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from simple_jit.aot.tables import LineFinder

_FORM_NAMES: Final = {"obj": "object", "llvm": "llvm", "asm": "asm"}


class Options:
    """How to build.

    Args:
        level: of optimisation, 0 to 3.
        baseline: make code for any machine of this architecture.
        static: link the C library in.
        shared: make a shared library of the functions marked @export, and a C header.
    """

    __slots__ = ("baseline", "level", "shared", "static")

    def __init__(
        self, level: int = 2, baseline: bool = True, static: bool = False, shared: bool = False
    ) -> None:
        self.level = level
        self.baseline = baseline
        self.static = static
        self.shared = shared


class Build:
    """A program on its way to native code.

    Args:
        program: checked, without errors.
        options: how to build.
        line_of: returns a line of source, for errors at run time to show.

    Raises:
        CompileError: something in the program cannot be compiled ahead of time.
    """

    def __init__(self, program: hir.Program, options: Options, line_of: LineFinder) -> None:
        self._program = program
        self._options = options
        self._line_of = line_of
        self._exports = find_exports(program) if options.shared else []
        self.reached: Reached = reach(program, [export.function for export in self._exports])
        self._imports = check_externs(program, self.reached, options.static)
        self._callbacks = callback_symbols(self.reached.foreign_functions())

    def mir_text(self) -> str:
        """Return the MIR of all that goes into the file, after all passes."""
        from simple_jit.mir.text import dump

        return "\n".join(dump(function) for function in self.reached.functions.values())

    def emit(self, form: str) -> bytes:
        """Return a stage: `obj`, `llvm`, `asm` or `mir`.

        Raises:
            BackendError: LLVM does not accept something.
            BackendMissing: llvmlite is not installed.
        """
        if form == "mir":
            return self.mir_text().encode()
        return self._compile(_FORM_NAMES[form])[0]

    def _compile(self, form: str) -> tuple[bytes, StaticLink]:
        names = [name for _, name in self._imports]
        link = StaticLink(names)
        functions = list(self.reached.functions.values())
        program = StandaloneProgram(functions, link, self.reached.entries, names)
        compiler = StandaloneCompiler(self._options.level, self._options.baseline)
        return compiler.compile(program, link.code, form), link

    def link(self, output: str) -> None:
        """Write the executable, or the shared library and its header beside it.

        Raises:
            BackendError: LLVM does not accept something.
            BackendMissing: llvmlite is not installed.
            ToolchainError: there is no C compiler, or it fails.
            OSError: the file cannot be written.
        """
        from tempfile import TemporaryDirectory

        compiler = find_compiler()
        code, link = self._compile("object")
        with TemporaryDirectory(prefix="simple-build-") as folder:
            for name, content in self._files(link, code).items():
                write_file(os.path.join(folder, name), content.encode())
            write_file(os.path.join(folder, "program.o"), without_stack_maps(code))
            result = os.path.join(folder, "result")
            run_compiler([*compiler, *self._flags(), "-o", result, *self._inputs(folder), *self._libraries()])
            _move(result, output)
        if self._options.shared:
            write_file(os.path.splitext(output)[0] + ".h", header_source(self._exports, output).encode())

    def _files(self, link: StaticLink, code: bytes) -> dict[str, str]:
        """Return the generated files, by name."""
        calls = _calls(code)
        numbers = {
            "PROGRAM_CALLS": len(calls),
            "PROGRAM_CODE": len(link.code),
            "PROGRAM_GLOBALS": self.reached.global_cells(),
            "PROGRAM_IMPORTS": len(self._imports),
            "PROGRAM_TEXT_ARRAY_TYPE": link.types.of(types.array_of(types.TEXT)),
        }
        exports = export_source(self._exports, link.types) if self._options.shared else ""
        numbers["PROGRAM_TYPES"] = link.types.count
        files = {
            "layout.h": layout_header(numbers),
            "unicode.h": unicode_header(self.reached.foreign_functions()),
            "program.c": program_source(
                link, self._program.functions, calls, self._imports, self._line_of
            ),
        }
        if self._options.shared:
            files["exports.c"] = exports
        if self._callbacks:
            files["entries.c"] = callback_source(self._callbacks)
        return files

    def _flags(self) -> list[str]:
        flags = ["-std=gnu11", f"-O{min(self._options.level, 2)}", "-fno-strict-aliasing", "-w"]
        flags += ["-ffunction-sections", "-fdata-sections"]
        flags += ["-fvisibility=hidden", "-fPIC", "-Wl,--gc-sections", "-s"]
        if self._options.shared:
            flags += ["-shared", "-DPROGRAM_SHARED"]
        if self._callbacks:
            flags += ["-DPROGRAM_CALLBACKS"]
        if self._options.static:
            flags += ["-static", "-DPROGRAM_STATIC"]
        return flags

    def _inputs(self, folder: str) -> list[str]:
        generated = ["program.o", "program.c", *(["exports.c"] if self._options.shared else [])]
        generated += ["entries.c"] if self._callbacks else []
        sources = runtime_sources()
        return [f"-I{folder}", f"-I{_RUNTIME}", *[os.path.join(folder, n) for n in generated], *sources]

    def _libraries(self) -> list[str]:
        return ["-lm", *(["-ldl"] if self._imports else [])]


_RUNTIME: Final = os.path.join(os.path.dirname(__file__), "runtime")


def _calls(code: bytes) -> dict[int, tuple[int, tuple[int, ...]]]:
    """Return what LLVM tells of calls, by their return addresses, counted from the start function."""
    start, sections = read_stack_maps(code, START)
    return {offset - start: call for section in sections for offset, call in read_calls(section)}


def runtime_sources() -> list[str]:
    """Return the paths of the C files of the runtime."""
    return [os.path.join(_RUNTIME, name) for name in sorted(os.listdir(_RUNTIME)) if name.endswith(".c")]


def write_file(path: str, content: bytes) -> None:
    """Write a file.

    Raises:
        OSError: it cannot be written.
    """
    with open(path, "wb") as file:
        file.write(content)


def _move(source: str, target: str) -> None:
    """Put a finished file in its place; a program of that name that runs goes on undisturbed."""
    import shutil

    if os.path.isdir(target):
        raise IsADirectoryError(21, "Is a directory", target)
    temporary = f"{target}.{os.getpid()}.new"
    try:
        shutil.copy(source, temporary)
        os.replace(temporary, target)
    except OSError as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise OSError(error.errno, error.strerror, target) from None
