"""``mcp.lock.json``: what was reviewed of remote tools. One that is not in it, or has changed, is not used."""

import json
from pathlib import Path

from pydantic import Field, ValidationError

from pentad.domain.errors import ConfigurationError
from pentad.domain.values import FrozenValue
from pentad.tools.mcp.pinning import LockedTool

NAME = "mcp.lock.json"
_FIX = "run 'pentad mcp lock', read what it shows, and commit the file"


class LockedServer(FrozenValue):
    """What was reviewed of one server."""

    url: str
    revision: str = Field(description="of the protocol, as it was spoken then")
    tools: tuple[LockedTool, ...] = ()


class McpLock(FrozenValue):
    """The file as a whole."""

    version: int = Field(default=1, ge=1, le=1)
    servers: dict[str, LockedServer] = Field(default_factory=dict)


def read_lock(root: Path) -> McpLock:
    """Return a project's lock; an empty one where there is none.

    Raises:
        ConfigurationError: the file is none that ``pentad mcp lock`` writes.
    """
    path = root / NAME
    if not path.is_file():
        return McpLock()
    try:
        return McpLock.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, ValueError) as error:
        raise ConfigurationError(f"{NAME} can't be read", fix=_FIX) from error


def format_lock(lock: McpLock) -> str:
    """Return a lock's text: the same lock is the same text, so that a review shows what has changed."""
    return json.dumps(lock.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
