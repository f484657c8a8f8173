"""The tree-walking interpreter over typed HIR: the cold tier.

hooks.py        what it asks of the engine above it
machine.py      instances, and running them
statements.py   HIR → lines of closures
expressions.py  HIR → text of expressions, with arithmetic.py
shapes.py       text → closures
"""

from simple_jit.tiers.interpreter.hooks import RETURN, Hooks, LoopSite, Signal
from simple_jit.tiers.interpreter.instance import Instance
from simple_jit.tiers.interpreter.machine import Interpreter

__all__ = ["RETURN", "Hooks", "Instance", "Interpreter", "LoopSite", "Signal"]
