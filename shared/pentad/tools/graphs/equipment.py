"""What a graph's tool receives at run time, and the name of its thread. No framework is imported here."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pentad.models.ports import ChatModel
from pentad.observability.ports import Telemetry
from pentad.tools.declare.context import ToolContext
from pentad.tools.graphs.ports import GraphNodeStore
from pentad.tools.outside.ports import HttpClient
from pentad.tools.runtime.ports import AuditLog

PURPOSE = "graph"
"""Of a graph's model calls on the ledger; those count in their run at once, not with a step."""
SPARE_SECONDS = 10.0
"""A graph begins no further step with less time than this left: the next try of the state begins it."""


Reach = Callable[[str, tuple[str, ...]], AbstractContextManager[HttpClient | None]]
"""Holds a tool inside a graph, by its name, to the hosts that it declares, and gives what speaks HTTP to these."""


def reach_nothing(tool: str, egress: tuple[str, ...]) -> AbstractContextManager[HttpClient | None]:
    """Return no client, and hold nothing: outside of a deployment there is no network."""
    return nullcontext()


@dataclass(frozen=True)
class Equipment:
    """What a tool that runs a graph needs, made by the composition root.

    Args:
        gateway: answers its models' calls, for this run only, as long as the run may spend.
        checkpoints: makes the checkpointer of a tenant's threads; it reaches those of this run only.
        audit: told of every tool that runs inside the graph; the tool runner takes over what it was told.
        nodes: where it is kept which nodes ran.
        telemetry: logs a span of each node.
        agent: the run's agent or workflow.
        now: the clock, UTC.
        reach: narrows the network to what one tool inside the graph declares, while it runs.
    """

    gateway: ChatModel
    checkpoints: Callable[[str], Any]
    audit: AuditLog
    nodes: GraphNodeStore
    telemetry: Telemetry
    agent: str
    now: Callable[[], datetime]
    reach: Reach = reach_nothing


def thread_of(context: ToolContext) -> str:
    """Return the thread of a call: the same for every retry, which so goes on where the last one ended."""
    return f"{context.run}.{context.step:05d}.{context.index:02d}"


def is_thread_of(context: ToolContext, thread_id: str) -> bool:
    """Tell if a thread is of the same run."""
    return thread_id.startswith(f"{context.run}.")
