"""What every stage shares: source files, spans and diagnostics."""
