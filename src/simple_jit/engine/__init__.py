"""The engine: which instance runs in which tier, and when that changes."""
