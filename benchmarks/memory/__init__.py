"""How well memory finds what is asked for, on public collections that are not part of the project."""
