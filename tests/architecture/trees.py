"""Modules as trees, read once: a rule about all of the code takes what the rule before it has parsed."""

import ast
from functools import cache
from pathlib import Path


@cache
def read_tree(path: Path) -> ast.Module:
    """Return a module as it is parsed; nobody changes it."""
    return ast.parse(path.read_text(encoding="utf-8"))
