"""The parser's entry: source text to syntax tree.

module = parse(SourceFile("a.spl", text), reporter)
"""

from __future__ import annotations

import sys

from simple_jit.syntax.cursor import FRAMES_PER_LEVEL, MAX_DEPTH
from simple_jit.syntax.lexer import tokenize
from simple_jit.syntax.parse_decl import DeclarationParser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from simple_jit.base.diagnostics import Diagnostic, Reporter
    from simple_jit.base.source import SourceFile
    from simple_jit.syntax.ast import Module


def parse(source: SourceFile, reporter: Reporter) -> Module:
    """Parse a file. After errors, which go to `reporter`, the tree lacks statements."""
    first = len(reporter.diagnostics)
    tokens = tokenize(source, reporter)
    outer = sys.getrecursionlimit()
    # Nesting is bounded by MAX_DEPTH, which takes more frames than the usual limit.
    sys.setrecursionlimit(outer + MAX_DEPTH * FRAMES_PER_LEVEL)
    try:
        module = DeclarationParser(source, reporter, tokens).module()
    finally:
        sys.setrecursionlimit(outer)
    # Those of the lexer, which ran first, among those of the parser.
    reporter.diagnostics[first:] = sorted(reporter.diagnostics[first:], key=_place)
    return module


def _place(diagnostic: Diagnostic) -> int:
    return diagnostic.span.start if diagnostic.span else 0
