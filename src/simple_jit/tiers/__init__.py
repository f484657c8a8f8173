"""The tiers: ways to run HIR or MIR. None of them imports another."""
