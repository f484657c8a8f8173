"""The top native tier: MIR → LLVM IR text → LLVM's passes → machine code."""
