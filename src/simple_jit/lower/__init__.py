"""HIR → MIR: one instance, or one hot loop of it, at a time."""

from simple_jit.lower.function import lower_function
from simple_jit.lower.region import Region, lower_region

__all__ = ["Region", "lower_function", "lower_region"]
