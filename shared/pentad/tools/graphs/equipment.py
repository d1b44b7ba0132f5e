"""What a graph's tool receives at run time, and the name of its thread. No framework is imported here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pentad.domain.declarations.agents import Catalog
from pentad.domain.runs import Run
from pentad.models.ports import ChatModel
from pentad.observability.ports import Telemetry
from pentad.tools.declare.context import ToolContext
from pentad.tools.graphs.ports import GraphNodeStore
from pentad.tools.runtime.ports import AuditLog, ToolCalls

PURPOSE = "graph"
"""Of a graph's model calls on the ledger; those count in their run at once, not with a step."""
SPARE_SECONDS = 10.0
"""A graph begins no further step with less time than this left: the next try of the state begins it."""


@dataclass(frozen=True)
class Equipment:
    """What a tool that runs a graph needs, made by the composition root.

    Args:
        gateway: answers its models' calls.
        checkpoints: makes the checkpointer of a tenant's threads.
        audit: told of every tool that runs inside the graph.
        nodes: where it is kept which nodes ran.
        telemetry: logs a span of each node and of each call of a model.
        runs: says which agent the run is of, and what it has used.
        catalog: says how much it may use.
        now: the clock, UTC.
    """

    gateway: ChatModel
    checkpoints: Callable[[str], Any]
    audit: AuditLog
    nodes: GraphNodeStore
    telemetry: Telemetry
    runs: ToolCalls
    catalog: Catalog
    now: Callable[[], datetime]

    def check_limits(self, tenant_id: str, run_id: str) -> Run:
        """Return the run, if a graph in it may ask a model once more.

        Raises:
            LimitReached: its time, its tokens or its money are used up: the run's next turn stops it.
        """
        found = self.runs.get(tenant_id, run_id)
        owner = self.catalog.agents.get(found.agent) or self.catalog.workflows.get(found.agent)
        if owner is not None:
            elapsed = (self.now() - found.created_at).total_seconds() - found.waited_seconds
            # Steps are turns, and a graph is a part of one: its own are limited by themselves.
            owner.limits.check(found.spent.model_copy(update={"steps": 0}), elapsed)
        return found


def thread_of(context: ToolContext) -> str:
    """Return the thread of a call: the same for every retry, which so goes on where the last one ended."""
    return f"{context.run}.{context.step:05d}.{context.index:02d}"


def is_thread_of(context: ToolContext, thread: str) -> bool:
    """Tell if a thread is of the same run."""
    return thread.startswith(f"{context.run}.")
