"""The tree-walking interpreter over typed HIR: the cold tier.

A function is compiled, at its first call, to a Python closure; where that cannot be one closure (control
flow inside of an expression, a jump over two loops, very large functions) to a tree of them that share a
frame.

    machine.py      instances: making, compiling and running them
    hooks.py        what it asks of the engine above it, and how hot loops are handed over
    statements.py   HIR → lines of closures
    expressions.py  HIR → text of expressions, with arithmetic.py and tagged.py
    facts.py        what is known of each subtree before
    shapes.py       text → closures
    operations.py   what the text may call
    allocation.py   functions that make heap objects
"""

from simple_jit.tiers.interpreter.hooks import RETURN, Hooks, LoopSite, Signal
from simple_jit.tiers.interpreter.instance import Instance
from simple_jit.tiers.interpreter.machine import Interpreter

__all__ = ["RETURN", "Hooks", "Instance", "Interpreter", "LoopSite", "Signal"]
