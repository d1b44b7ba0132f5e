"""The subcommands, one module a subject."""
