"""MIR: a control-flow graph over typed locals, its layout rules, text form, and verifier."""
