"""`match`, as a statement and as an expression."""
