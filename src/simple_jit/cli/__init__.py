"""The `simple` command: one file a subcommand."""
