"""`simple dump`: show what a stage of the compiler makes of a program."""

from __future__ import annotations

import sys

from simple_jit.base.terminal import show_diagnostics
from simple_jit.cli.options import Command, Option, UsageError, help_text
from simple_jit.cli.options import parse as parse_options
from simple_jit.cli.selection import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simple_jit.base.diagnostics import Reporter
    from simple_jit.base.source import SourceFile
    from simple_jit.engine.engine import Engine
    from simple_jit.mir import nodes as mir
    from simple_jit.syntax.ast import Node

STAGES = ("tokens", "ast", "hir", "mir", "clif", "llvm", "asm")
BACKENDS = ("cranelift", "llvm")
BACKEND_OF = {"clif": "cranelift", "llvm": "llvm"}
LIBRARY = ("core.", "std.", "app.", "compiler.")

COMMAND = Command(
    "dump",
    "dump FILE --stage STAGE [OPTION…]",
    "Shows what a stage of the compiler makes of a program; nothing is run. Functions of the library\n"
    "are shown only where `--fn` names them.",
    (
        Option("--stage", "STAGE", ", ".join(STAGES), choices=STAGES),
        Option("--fn", "NAME", "only this function"),
        Option("--after", "PASS", "with `--stage mir`: as it is after this pass (`none`: as lowered)"),
        Option("--backend", "NAME", "with `--stage asm`: cranelift (default) or llvm", choices=BACKENDS),
        Option("--overflow-checks", None, "make signed integer overflow an error"),
        Option("--eval", "CODE", "dump this text", short="-e"),
    ),
)


def dump(words: Sequence[str]) -> int:
    values, files = parse_options(COMMAND, words, mixed=True)
    if "--help" in values:
        sys.stdout.write(help_text(COMMAND))
        return 0
    stage = values.get("--stage")
    if stage is None:
        raise UsageError("`simple dump` needs `--stage`", f"one of {', '.join(STAGES)}")
    code = values.get("--eval")
    if len(files) + (code is not None) != 1:
        raise UsageError("`simple dump` needs one file", "`-` reads the program from standard input")

    from simple_jit.base.diagnostics import Reporter
    from simple_jit.cli.sources import eval_source, read_source

    reporter = Reporter()
    source = eval_source(code, reporter) if code is not None else read_source(files[0], reporter)
    wanted = values.get("--fn")
    if stage == "tokens":
        text = _tokens(source, reporter)
    elif stage == "ast":
        text = _ast(source, reporter, wanted)
    else:
        text = _checked_stage(source, reporter, stage, values)
    sys.stdout.write(text)
    show_diagnostics(reporter.diagnostics)
    return int(reporter.has_errors)


def _tokens(source: SourceFile, reporter: Reporter) -> str:
    from simple_jit.syntax.dump import dump_tokens
    from simple_jit.syntax.lexer import tokenize

    return dump_tokens(tokenize(source, reporter), source)


def _ast(source: SourceFile, reporter: Reporter, wanted: str | None) -> str:
    from simple_jit.syntax import ast
    from simple_jit.syntax.dump import dump_ast
    from simple_jit.syntax.parser import parse

    module = parse(source, reporter)
    if wanted is None:
        return dump_ast(module)
    functions = [node for node in _nodes(module) if isinstance(node, ast.FunctionDecl)]
    chosen = set(select([node.name.name for node in functions], wanted))
    module.statements = [node for node in functions if node.name.name in chosen]
    return dump_ast(module)


def _nodes(root: Node) -> Iterator[Node]:
    """Yield `root` and all nodes below it, in order of source."""
    from simple_jit.syntax.ast import Node

    work: list[object] = [root]
    while work:
        value = work.pop()
        if isinstance(value, Node):
            yield value
            work += [child for _, child in value.fields()][::-1]
        elif isinstance(value, list):
            work += value[::-1]


def _checked_stage(source: SourceFile, reporter: Reporter, stage: str, values: Mapping[str, str]) -> str:
    """Return a stage that a program without errors gets to."""
    from os import environ

    from simple_jit import driver
    from simple_jit.cli.settings import read_settings
    from simple_jit.engine.engine import Engine

    engine = Engine(read_settings(values, environ))
    program = driver.check(source, engine, reporter)
    if program is None:
        return ""
    engine.load(program)
    wanted = values.get("--fn")
    if wanted is not None:
        symbols = select(program.functions, wanted)
    else:
        symbols = [symbol for symbol in program.functions if not symbol.startswith(LIBRARY)]
    if stage == "hir":
        from simple_jit.hir.dump import dump as dump_hir

        return "\n".join(dump_hir(program.functions[symbol]) for symbol in symbols)
    name = BACKEND_OF.get(stage) or values.get("--backend", "cranelift")
    functions = [_mir(engine, symbol, name, values.get("--after")) for symbol in symbols]
    if stage == "mir":
        from simple_jit.mir.text import dump as dump_mir

        return "\n".join(map(dump_mir, functions))
    # The addresses of extern functions are those of native code, which is set up when it is asked for.
    assert engine.native is not None
    return engine.backend(name).dump(functions, engine.context, stage)


def _mir(engine: Engine, symbol: str, backend: str, after: str | None) -> mir.Function:
    """Return the MIR of an instance after all passes, or after the one named."""
    from simple_jit.passes.environment import Environment
    from simple_jit.passes.pipeline import FULL, QUICK, Pass, run_passes

    lowered = engine.store.lowered(symbol)
    assert lowered is not None
    passes: tuple[Pass, ...] = FULL if backend == "llvm" else QUICK
    if after is not None:
        names = ["none", *(step.name for step in passes)]
        if after not in names:
            raise UsageError(f"there is no pass `{after}`", f"it is one of {', '.join(names)}")
        passes = passes[: names.index(after)]
    return run_passes(lowered, Environment(engine.store.lowered), passes)
