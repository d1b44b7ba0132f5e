"""The tools that the tool runner answers itself: in no catalog and in no agent's list, since any agent may have them.

What they reach is the run's own: its results, and the tools that its agent has anyway.
"""

from typing import Final

from pentad.domain.declarations.agents import Catalog, ToolSpec
from pentad.tools.results.read import READ_RESULT
from pentad.tools.results.read import SPEC as READ_SPEC

OWN: Final[dict[str, ToolSpec]] = {READ_RESULT: READ_SPEC}
"""By name."""


def find_spec(catalog: Catalog, name: str) -> ToolSpec | None:
    """Return what is known of a tool, or None where there is none of that name."""
    return OWN.get(name) or catalog.tools.get(name)
