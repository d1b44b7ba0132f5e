"""What a graph's tool is given at run time, and the name of its thread: no framework is imported here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pentad.models.ports import ChatModel
from pentad.tools.context import ToolContext
from pentad.tools.ports import AuditLog, ToolCalls

SPARE_SECONDS = 10.0
"""A graph begins no further step with less time than this left: the next try of the state begins it."""


@dataclass(frozen=True)
class Equipment:
    """What a tool that runs a graph needs, made by the composition root.

    Args:
        gateway: answers its models' calls.
        checkpoints: makes the checkpointer of a tenant's threads.
        audit: told of every tool that runs inside the graph.
        runs: says which agent the run is of.
        now: the clock, UTC.
    """

    gateway: ChatModel
    checkpoints: Callable[[str], Any]
    audit: AuditLog
    runs: ToolCalls
    now: Callable[[], datetime]


def thread_of(context: ToolContext) -> str:
    """Return the thread of a call: the same for every retry, which so goes on where the last one ended."""
    return f"{context.run}.{context.step:05d}.{context.index:02d}"


def is_thread_of(context: ToolContext, thread: str) -> bool:
    """Tell if a thread is of the same run."""
    return thread.startswith(f"{context.run}.")
