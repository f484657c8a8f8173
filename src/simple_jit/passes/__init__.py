"""MIR passes: one a file, each MIR in, MIR out; `pipeline` has the ordered lists of them."""
