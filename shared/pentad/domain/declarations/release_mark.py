"""What of an agent a version of its state machine was published with, in its definition's comment.

Every deployment publishes versions of all machines, since all functions share one layer. The mark tells for which
agents something of their own has changed.
"""

import re

from pentad.domain.canonical import sha256_of
from pentad.domain.declarations.agents import AgentSpec

_CHARACTERS = 8
_MARK = re.compile(r" \[((?:[a-z]+ [0-9a-f]{8}(?:, )?)+)\]$")
_NOT_SETTINGS = {"name", "prompt", "description"}


def build_comment(spec: AgentSpec) -> str:
    """Return the comment of an agent's definition: its name, what it does, and the digests of prompt and settings."""
    parts = {"prompt": spec.prompt, "settings": spec.model_dump(mode="json", exclude=_NOT_SETTINGS)}
    marks = ", ".join(f"{name} {sha256_of(value)[:_CHARACTERS]}" for name, value in parts.items())
    return f"Agent {spec.name}: {spec.description} [{marks}]"


def parse_comment(comment: str) -> dict[str, str]:
    """Return the digests in a comment by what they are of; none in one of an earlier release."""
    found = _MARK.search(comment)
    return {} if found is None else dict(part.split(" ") for part in found[1].split(", "))
