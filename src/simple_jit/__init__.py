"""Simple JIT: the Simple language with an interpreter and two native tiers."""

__version__ = "0.1.0"
