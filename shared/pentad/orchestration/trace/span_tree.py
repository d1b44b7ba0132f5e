"""The spans of a waterfall, and the tree that they form. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from pentad.domain.models import Attempt
from pentad.domain.values import FrozenValue

Kind = Literal["run", "state", "function", "model", "tool", "node"]
Value = str | int | float | bool


class TraceSpan(FrozenValue):
    """One bar of the waterfall; ``depth`` is 0 for the run."""

    name: str
    kind: Kind
    start: datetime
    end: datetime
    duration_ms: int = Field(ge=0)
    depth: int = Field(ge=0)
    attributes: dict[str, Value] = Field(default_factory=dict)


@dataclass
class Node:
    """A span while the tree is built."""

    name: str
    kind: Kind
    start: datetime
    end: datetime
    attributes: dict[str, Value]
    children: list["Node"]


def find_function(place: Node, start: datetime, function: str = "") -> Node:
    """Return the function below ``place`` that was running at ``start``, of that name where one is given."""
    functions = [node for node in walk(place) if node.kind == "function" and node.name.endswith(function)]
    return choose_function(functions, start, place)


def choose_function(functions: Sequence[Node], start: datetime, place: Node) -> Node:
    """Return the one of these functions that was running at ``start``; ``place`` where there are none."""
    running = [node for node in functions if node.start <= start <= node.end]
    # Clocks of two services may differ by milliseconds: then the last that began before, else the first.
    before = [node for node in functions if node.start <= start]
    return (running[-1:] or before[-1:] or functions[:1] or [place])[0]


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def flatten(node: Node, depth: int) -> Iterator[TraceSpan]:
    """Yield the spans of a node and of all below it, parents before children, each level by its start."""
    end = max(node.end, node.start)
    yield TraceSpan(
        name=node.name,
        kind=node.kind,
        start=node.start,
        end=end,
        duration_ms=round((end - node.start).total_seconds() * 1000),
        depth=depth,
        attributes=node.attributes,
    )
    for child in sorted(node.children, key=lambda one: one.start):
        yield from flatten(child, depth + 1)


def make_model_node(attempt: Attempt) -> Node:
    """Return the node of a model attempt."""
    end = attempt.started_at + timedelta(milliseconds=attempt.duration_ms)
    attributes: dict[str, Value] = {
        "provider": attempt.provider,
        "outcome": attempt.outcome.value,
        "purpose": attempt.context.purpose,
        "tokens": attempt.usage.total_tokens,
        "cost_nanousd": attempt.cost_nanousd,
    }
    if attempt.usage.cache_read_tokens:
        attributes["cached_tokens"] = attempt.usage.cache_read_tokens
    if attempt.first_byte_ms is not None:
        attributes["first_byte_ms"] = attempt.first_byte_ms
    if attempt.number > 1:
        attributes["attempt"] = attempt.number
    if attempt.error is not None:
        attributes["error"] = attempt.error
    if attempt.is_estimated:
        attributes["estimated"] = True
    return Node(attempt.model, "model", attempt.started_at, end, attributes, [])
