"""The nodes that ran inside a graph, kept beside the tool's call for the run's trace. No framework is imported here.

One item a call, whatever the tries of it. It is bounded: of more than `NODES` runs of nodes the first are kept, and
the others counted.
"""

from datetime import datetime
from typing import Literal

from pydantic import Field

from pentad.domain.values import FrozenValue

NODES = 100
"""So many runs of nodes are kept of one call, over all its tries."""
ATTEMPTS = 100
"""So many model attempts of one call are named with their nodes, and shown in the trace."""
GRAPHS = 50
"""Of so many calls of one run the trace shows the nodes."""
NAME_CHARACTERS = 80
MADE = "attempts"
"""Under this name a model of a graph tells the ids of the attempts that its answer took."""


class NodeRun(FrozenValue):
    """One run of one node. ``running`` is one of which no end is known yet; ``cut_off`` one that has none."""

    name: str = Field(max_length=NAME_CHARACTERS, description="in a graph within the graph, behind that one's: a/b")
    step: int = Field(description="of the graph; nodes of one step run side by side")
    started_at: datetime
    duration_ms: int | None = Field(default=None, ge=0)
    status: Literal["running", "ok", "error", "asked", "cut_off"] = "running"
    error: str | None = Field(default=None, description="the error's class")
    attempts: tuple[str, ...] = Field(default=(), description="ids of the model attempts that it made")
    within: int | None = Field(default=None, ge=0, description="the place in the list of the node around it")


class GraphNodes(FrozenValue):
    """The nodes of one call of a graph, in the order in which they began."""

    tenant_id: str
    run_id: str
    step: int
    index: int
    nodes: tuple[NodeRun, ...] = Field(default=(), max_length=NODES)
    omitted: int = Field(default=0, ge=0, description="runs of nodes beyond those")
