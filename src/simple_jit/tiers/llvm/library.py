"""The LLVM library that the package llvmlite carries, called directly.

Importing `llvmlite.binding` takes five times as long as loading the library and asking it for the fifteen
functions used here, and it guards every call with one lock. So only the package's version is asked of
Python; the functions are declared below. Each compilation has an LLVM context of its own, and calls into
LLVM release Python's lock.
"""

from __future__ import annotations

import ctypes

from simple_jit.tiers.contract import BackendError, BackendMissing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Final

_OLDEST: Final = (0, 46)
_NEWEST: Final = (0, 50)
_HINT: Final = f"`pip install 'llvmlite>=0.{_OLDEST[1]},<0.{_NEWEST[1] + 1}'`"

_POINTER: Final = ctypes.c_void_p
_TEXT: Final = ctypes.c_char_p
_INT: Final = ctypes.c_int
_OUT: Final = ctypes.POINTER(ctypes.c_char_p)
_FUNCTIONS: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "InitializeNativeTarget": (None, ()),
    "InitializeNativeAsmPrinter": (None, ()),
    "GetDefaultTargetTriple": (None, (_OUT,)),
    "GetHostCPUName": (None, (_OUT,)),
    "GetHostCPUFeatures": (_INT, (_OUT,)),
    "GetTargetFromTriple": (_POINTER, (_TEXT, _OUT)),
    # target, triple, CPU, features, level, relocation, code model, print, JIT, ABI name
    "CreateTargetMachine": (
        _POINTER,
        (_POINTER, _TEXT, _TEXT, _TEXT, _INT, _TEXT, _TEXT, _INT, _INT, _TEXT),
    ),
    "CreateTargetMachineData": (_POINTER, (_POINTER,)),
    "CopyStringRepOfTargetData": (None, (_POINTER, _OUT)),
    # These take, up to 0.47, a level of optimisation for size as well; later ones ignore it.
    "CreatePipelineTuningOptions": (_POINTER, (_INT, _INT)),
    "PTOSetLoopUnrolling": (None, (_POINTER, ctypes.c_bool)),
    "PTOSetLoopInterleaving": (None, (_POINTER, ctypes.c_bool)),
    "buildPerModuleDefaultPipeline": (_POINTER, (_POINTER, _INT, _INT)),
    "CreatePassBuilder": (_POINTER, (_POINTER, _POINTER)),
    "buildFunctionSimplificationPipeline": (_POINTER, (_POINTER, _INT, _INT)),
    "CreateNewModulePassManager": (_POINTER, ()),
    "module_AddSROAPass": (None, (_POINTER,)),
    "module_AddAlwaysInlinerPass": (None, (_POINTER,)),
    "module_AddPostOrderFunctionAttrsPass": (None, (_POINTER,)),
    "RunNewModulePassManager": (None, (_POINTER, _POINTER, _POINTER)),
    "RunNewFunctionPassManager": (None, (_POINTER, _POINTER, _POINTER)),
    "DisposeNewModulePassManger": (None, (_POINTER,)),
    "DisposeNewFunctionPassManger": (None, (_POINTER,)),
    "ModuleFunctionsIter": (_POINTER, (_POINTER,)),
    "FunctionsIterNext": (_POINTER, (_POINTER,)),
    "DisposeFunctionsIter": (None, (_POINTER,)),
    "IsDeclaration": (_INT, (_POINTER,)),
    "ContextCreate": (_POINTER, ()),
    "ContextDispose": (None, (_POINTER,)),
    "ParseAssembly": (_POINTER, (_POINTER, _TEXT, _OUT)),
    "VerifyModule": (ctypes.c_bool, (_POINTER, _OUT)),
    "PrintModuleToString": (None, (_POINTER, _OUT)),
    "DisposeModule": (None, (_POINTER,)),
    "TargetMachineEmitToMemory": (_POINTER, (_POINTER, _POINTER, _INT, _OUT)),
    "GetBufferStart": (_POINTER, (_POINTER,)),
    "GetBufferSize": (ctypes.c_size_t, (_POINTER,)),
    "DisposeMemoryBuffer": (None, (_POINTER,)),
    "DisposeString": (None, (_TEXT,)),
}


class Library:
    """The functions of the library, as attributes without their prefix."""

    def __init__(self, path: str) -> None:
        library = ctypes.CDLL(path, handle=_load(path))
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, f"LLVMPY_{name}")
            function.restype = result
            function.argtypes = arguments
            setattr(self, name, function)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def text(self, function: Any, *arguments: object) -> str:
        """Call a function that hands over a text through its last argument, and return the text."""
        out = ctypes.c_char_p()
        function(*arguments, ctypes.byref(out))
        return self.take(out)

    def take(self, out: ctypes.c_char_p) -> str:
        """Return the text that the library has put into `out`, and free it."""
        found = (out.value or b"").decode(errors="replace")
        if out.value is not None:
            self.DisposeString(out)
        return found


def open_library() -> Library:
    """Load the library and prepare it for this machine.

    Raises:
        BackendMissing: llvmlite is not installed, not in a version known here, or does not load.
    """
    library = _open()
    library.InitializeNativeTarget()
    library.InitializeNativeAsmPrinter()
    return library


def _open() -> Library:
    path = _locate()
    try:
        return Library(path)
    except (OSError, AttributeError) as error:
        raise BackendMissing(f"the LLVM library of llvmlite does not load ({error}): try {_HINT}") from None


def _load(path: str) -> int:
    """Return a handle of the library; Python's lock is free meanwhile, unlike in `ctypes.CDLL(path)`."""
    process = ctypes.CDLL(None)
    dlopen = process.dlopen
    dlopen.restype = ctypes.c_void_p
    dlopen.argtypes = (ctypes.c_char_p, _INT)
    handle = dlopen(path.encode(), 1)  # RTLD_LAZY
    if not handle:
        process.dlerror.restype = ctypes.c_char_p
        raise OSError((process.dlerror() or b"").decode(errors="replace"))
    return int(handle)


def _locate() -> str:
    """Return the path of the library, by the package's version and place alone."""
    try:
        import llvmlite
    except ImportError:
        raise BackendMissing(f"the LLVM back end needs the package llvmlite: {_HINT}") from None
    version = str(llvmlite.__version__)
    numbers = version.split(".")
    known = numbers[0].isdigit() and len(numbers) > 1 and numbers[1].isdigit()
    if not known or not _OLDEST <= (int(numbers[0]), int(numbers[1])) <= _NEWEST:
        raise BackendMissing(f"llvmlite {version} is not a version the LLVM back end knows: {_HINT}")
    return f"{next(iter(llvmlite.__path__))}/binding/libllvmlite.so"


class Machine:
    """Code generation for this machine at one level, and the passes that go before it.

    `heading` is what a module says about the machine it is for.
    """

    def __init__(
        self, library: Library, level: int, baseline: bool = False, copies: bool | None = None
    ) -> None:
        """Prepare code generation.

        Args:
            library: LLVM.
            level: of optimisation, 0 to 3.
            baseline: use no instruction that some machine of this architecture lacks.
            copies: may bodies of loops be copied? None: at level 3 alone, since a program that waits for
                its code loses more by it than it gains.
        """
        self.library = library
        triple = library.text(library.GetDefaultTargetTriple)
        self.target = _target_machine(library, triple, level, baseline)
        data = library.CreateTargetMachineData(self.target)
        layout = library.text(library.CopyStringRepOfTargetData, data)
        self.heading = f'target datalayout = "{layout}"\ntarget triple = "{triple}"\n'
        options = library.CreatePipelineTuningOptions(level, 0)
        copies = level > 2 if copies is None else copies
        library.PTOSetLoopUnrolling(options, copies)
        library.PTOSetLoopInterleaving(options, copies)
        self.level = level
        self._builder = library.CreatePassBuilder(self.target, options)

    def run_passes(self, module: int, *, whole: bool) -> None:
        """Run the passes of the level: the `whole` pipeline, or what pays in most functions.

        The whole one takes twice as long. What it does more: inline what is not marked, and vectorise.
        """
        library = self.library
        if not self.level:
            self._run(module, library.module_AddSROAPass)
        elif whole:
            self._run_on_module(library.buildPerModuleDefaultPipeline(self._builder, self.level, 0), module)
        else:
            first = library.module_AddAlwaysInlinerPass, library.module_AddPostOrderFunctionAttrsPass
            self._run(module, *first)
            for function in self._definitions(module):
                passes = library.buildFunctionSimplificationPipeline(self._builder, self.level, 0)
                library.RunNewFunctionPassManager(passes, function, self._builder)
                library.DisposeNewFunctionPassManger(passes)

    def _run(self, module: int, *additions: Callable[[int], None]) -> None:
        """Run the module passes that `additions` put into a pass manager."""
        passes = self.library.CreateNewModulePassManager()
        for add in additions:
            add(passes)
        self._run_on_module(passes, module)

    def _run_on_module(self, passes: int, module: int) -> None:
        """Run a pipeline, which is used up by that."""
        self.library.RunNewModulePassManager(passes, module, self._builder)
        self.library.DisposeNewModulePassManger(passes)

    def _definitions(self, module: int) -> Iterator[int]:
        """Yield the functions of a module that have bodies."""
        library = self.library
        functions = library.ModuleFunctionsIter(module)
        while function := library.FunctionsIterNext(functions):
            if not library.IsDeclaration(function):
                yield function
        library.DisposeFunctionsIter(functions)


def _target_machine(library: Library, triple: str, level: int, baseline: bool) -> int:
    if baseline:
        cpu, features = b"x86-64" if triple.startswith("x86_64") else b"generic", b""
    else:
        cpu = library.text(library.GetHostCPUName).encode()
        features = library.text(library.GetHostCPUFeatures).encode()
    out = ctypes.c_char_p()
    target = library.GetTargetFromTriple(triple.encode(), ctypes.byref(out))
    if not target:
        raise BackendMissing(f"LLVM does not know this machine: {library.take(out)}")
    machine = library.CreateTargetMachine(
        target, triple.encode(), cpu, features, level, b"pic", b"small", 0, 0, b""
    )
    if not machine:
        raise BackendMissing(f"LLVM cannot make code for {triple}")
    return int(machine)


class Module:
    """LLVM IR in memory. Use it in a `with` statement, which frees it."""

    def __init__(self, library: Library, text: str) -> None:
        self.library = library
        self._context = library.ContextCreate()
        out = ctypes.c_char_p()
        self._module = library.ParseAssembly(self._context, text.encode(), ctypes.byref(out))
        problem = library.take(out)
        if problem or not self._module:
            self.close()
            raise BackendError(f"LLVM does not accept the IR: {problem.strip()}")

    def __enter__(self) -> Module:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the module."""
        if self._module:
            self.library.DisposeModule(self._module)
            self._module = None
        if self._context:
            self.library.ContextDispose(self._context)
            self._context = None

    def verify(self) -> None:
        """Let LLVM check the IR.

        Raises:
            BackendError: the IR is wrong.
        """
        out = ctypes.c_char_p()
        wrong = self.library.VerifyModule(self._module, ctypes.byref(out))
        problem = self.library.take(out)
        if wrong:
            raise BackendError(f"LLVM finds the IR wrong: {problem.strip()}")

    def optimise(self, machine: Machine, *, whole: bool) -> None:
        """Run the passes of `machine`, or those of them that always pay."""
        machine.run_passes(self._module, whole=whole)

    def text(self) -> str:
        """Return the IR."""
        return self.library.text(self.library.PrintModuleToString, self._module)

    def emit(self, machine: Machine, as_object: bool) -> bytes:
        """Return an object file, or assembly text."""
        library = self.library
        out = ctypes.c_char_p()
        buffer = library.TargetMachineEmitToMemory(
            machine.target, self._module, int(as_object), ctypes.byref(out)
        )
        problem = library.take(out)
        if not buffer:
            raise BackendError(f"LLVM cannot make code: {problem}")
        try:
            return ctypes.string_at(library.GetBufferStart(buffer), library.GetBufferSize(buffer))
        finally:
            library.DisposeMemoryBuffer(buffer)
