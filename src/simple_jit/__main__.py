"""`python -m simple_jit` is the `simple` command."""

try:
    from simple_jit.cli.main import entry

    entry()
except KeyboardInterrupt:  # while it was being imported
    import os

    os._exit(130)
