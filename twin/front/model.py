"""The terms of the front: an API call as parsed, its response, events for subscribers and service overrides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from twin.iam.model import Principal


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One AWS API call. `params` are the operation's parameters by their API names, as boto3 spells them.

    `service` is the IAM prefix (dynamodb, s3, sqs, events, lambda, states, ...), `operation` the API name
    (PutItem, SendMessage, Invoke, ...).
    """

    service: str
    operation: str
    params: Mapping[str, Any]
    principal: Principal
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """An HTTP response. `headers` may repeat names."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class ApiEvent:
    """A successful mutation, told to subscribers after its response was made."""

    service: str
    operation: str
    params: Mapping[str, Any]
    response: ApiResponse
    principal: Principal = field(repr=False)


@dataclass(frozen=True)
class TableTimes:
    """How late DynamoDB is, and what gets into its way.

    Attributes:
        conflicts: Whether a request that meets a transaction in flight on its item is refused, as on AWS; if not, it
            waits for its turn.
        transaction_seconds: How long a transaction is in flight at least; a longer time makes conflicts likelier.
        index_delay_seconds: The longest delay after which a global secondary index shows a write.
        seed: Of the delays.
    """

    conflicts: bool = True
    transaction_seconds: float = 0.0
    index_delay_seconds: float = 0.0
    seed: int = 0


class CountKey(NamedTuple):
    """What requests are counted by."""

    service: str
    operation: str
    principal: str


ServiceOverride = Callable[[ApiCall], ApiResponse | None]
"""Serves a call instead of moto; None lets moto serve it. Called after authorisation."""

EventCallback = Callable[[ApiEvent], None]
"""Told of a mutation on the request's thread: must return at once (set an event, put on a queue)."""
