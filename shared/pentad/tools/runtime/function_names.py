"""How the tools' functions are named: with few tools by the tool alone, with many by the group of tools as well."""

import hashlib

GROUPS = 16


def find_group(tool: str) -> str:
    """Return the group that a tool belongs to where there are many: by its name alone, so no other tool moves it."""
    number = int.from_bytes(hashlib.sha256(tool.encode()).digest()[:4], "big") % GROUPS
    return f"{number:02d}"


def name_function(prefix: str, tool: str, *, grouped: bool) -> str:
    """Return the name of a tool's function.

    Args:
        prefix: what all tools' functions begin with.
        tool: the tool's name.
        grouped: the tools are in groups. Their functions have other names then, so that a function can be made in a
            group's stack while the one that it replaces is still there.
    """
    # No tool's name begins with a digit, so a group is not taken for a part of one.
    group = f"{find_group(tool)}-" if grouped else ""
    return f"{prefix}{group}{tool.replace('_', '-')}"
