"""Programs as native executables and shared libraries that need no Python."""
