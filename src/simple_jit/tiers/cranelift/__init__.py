"""The Cranelift back end: MIR to machine code, fast to compile."""
