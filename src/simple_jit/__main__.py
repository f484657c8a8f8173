"""`python -m simple_jit` is the `simple` command."""

from simple_jit.cli.main import entry

entry()
