"""Unit tests of the interpreter's parts that need no machine."""
