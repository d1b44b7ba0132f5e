"""Hold a remote server's tools against what was reviewed: what is new, what has changed, what is gone."""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pentad.domain.errors import ConfigurationError
from pentad.tools.mcp.lock_file import LockedServer
from pentad.tools.mcp.pinning import LockedTool, pin_tool
from pentad.tools.mcp.project_file import ServerEntry

Json = dict[str, Any]
State = Literal["reviewed", "new", "changed", "gone", "unusable", "unused"]
"""``unused``: the server has it, and ``mcp.yaml`` does not name it; ``unusable``: no model can be given it."""
OPEN: tuple[State, ...] = ("new", "changed", "gone", "unusable")
"""States that somebody has to look at."""


@dataclass(frozen=True)
class ToolReview:
    """One tool of a server.

    Attributes:
        remote: its name at the server.
        state: see `State`.
        before: as the lock has it.
        after: as the server has it now.
        problem: why it can't be used.
    """

    remote: str
    state: State
    before: LockedTool | None = None
    after: LockedTool | None = None
    problem: str = ""

    def build_diff(self) -> list[str]:
        """Return the lines that differ, of what a model is shown and of the hash over all of it."""
        old, new = (_describe(one) for one in (self.before, self.after))
        return list(difflib.unified_diff(old, new, "reviewed", "now", lineterm="", n=2))


def review_server(
    name: str, entry: ServerEntry, locked: LockedServer | None, listed: Mapping[str, Json]
) -> list[ToolReview]:
    """Return all tools of a server, and those that are gone, by their names.

    Args:
        name: the server's name.
        entry: what ``mcp.yaml`` says of it.
        locked: what was reviewed; None where nothing was.
        listed: what it lists now.
    """
    before = {} if locked is None or locked.url != entry.url else {tool.pinned.remote: tool for tool in locked.tools}
    found = []
    for remote in sorted({*entry.tools, *listed}):
        old = before.get(remote)
        if remote not in entry.tools:
            found.append(ToolReview(remote, "unused"))
        elif remote not in listed:
            found.append(ToolReview(remote, "gone", before=old))
        else:
            found.append(_review_tool(name, remote, old, listed[remote]))
    return found


def build_locked(
    entry: ServerEntry, revision: str, reviews: list[ToolReview], accepted: frozenset[str]
) -> LockedServer:
    """Return a server's part of the lock: what was reviewed before, and what is accepted now.

    Args:
        entry: what ``mcp.yaml`` says of it.
        revision: of the protocol that it speaks.
        reviews: of its tools.
        accepted: remote names of the new and changed tools that somebody agrees to.
    """
    kept = [one.after if one.remote in accepted and one.after is not None else one.before for one in reviews]
    tools = tuple(sorted((tool for tool in kept if tool is not None), key=lambda tool: tool.name))
    return LockedServer(url=entry.url, revision=revision, tools=tools)


def _review_tool(server: str, remote: str, old: LockedTool | None, now: Json) -> ToolReview:
    try:
        new = pin_tool(server, now)
    except ConfigurationError as error:
        return ToolReview(remote, "unusable", before=old, problem=error.message)
    if old is None:
        return ToolReview(remote, "new", after=new)
    state: State = "reviewed" if old.pinned.digest == new.pinned.digest else "changed"
    return ToolReview(remote, state, before=old, after=new)


def _describe(tool: LockedTool | None) -> list[str]:
    if tool is None:
        return []
    shown = {
        "name": tool.name,
        "description": tool.description.splitlines(),
        "input_schema": tool.input_schema,
        "output_schema": tool.pinned.output_schema,
        "digest": tool.pinned.digest,
    }
    return json.dumps(shown, indent=2, ensure_ascii=False, sort_keys=True).splitlines()
