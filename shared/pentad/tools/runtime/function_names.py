"""How the tools' functions are named: with few tools by the tool alone, with many by the group of tools as well.

A built-in tool has none of its own: a function of the stack answers its calls. All tools of a remote server have one.
Lambda takes 64 characters of a name and a tool's may have as many, so a long one is cut and ends with its hash.
"""

import hashlib

from pentad.domain.declarations.remote_tools import find_server
from pentad.domain.knowledge import SEARCH_KNOWLEDGE

GROUPS = 16
_OF_BUILTIN = {SEARCH_KNOWLEDGE: "recall"}
"""Functions of the stack that answer calls of a built-in tool, by the tool."""
_TOOL = "tool-"
_LONGEST = 40
"""Of the part of a name that tells the tool: 64 less what stands before it, the stage's prefix and the group."""
_DIGITS = 8


def find_function(tool: str) -> str:
    """Return what a tool's function is named for: the tool, or the remote server whose tool it is."""
    server = find_server(tool)
    return tool if server is None else f"mcp_{server}"


def find_group(tool: str) -> str:
    """Return the group that a tool belongs to where there are many: by its name alone, so no other tool moves it."""
    number = int.from_bytes(hashlib.sha256(find_function(tool).encode()).digest()[:4], "big") % GROUPS
    return f"{number:02d}"


def name_function(prefix: str, tool: str, *, grouped: bool) -> str:
    """Return the name of a tool's function.

    Args:
        prefix: what all tools' functions begin with.
        tool: the tool's name.
        grouped: the tools are in groups. Their functions have other names then, so that a function can be made in a
            group's stack while the one that it replaces is still there.
    """
    if tool in _OF_BUILTIN:
        return f"{prefix.removesuffix(_TOOL)}{_OF_BUILTIN[tool]}"
    # No tool's name begins with a digit, so a group is not taken for a part of one.
    group = f"{find_group(tool)}-" if grouped else ""
    return f"{prefix}{group}{_shorten(find_function(tool).replace('_', '-'))}"


def _shorten(name: str) -> str:
    """Return a name that fits; a name that is cut has the hash of all of it, so two tools never share one."""
    if len(name) <= _LONGEST:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGITS]
    return f"{name[: _LONGEST - _DIGITS - 1].rstrip('-')}-{digest}"
