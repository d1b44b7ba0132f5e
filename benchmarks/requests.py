"""DynamoDB requests as the twin's front sees them: which function asked which table for which kind of item."""

import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twin.front.model import ApiCall

PREFIX = "pentad-dev-"
"""Before the name of every function; the twin runs the dev stage."""
READS = frozenset({"GetItem", "Query", "BatchGetItem"})
_KEPT = 50_000
_BETWEEN = ", "
_BY_SORT_KEY = {
    "M#": "message",
    "RUN#": "run of a session",
    "STEP#": "step",
    "CALL#": "tool call",
    "EFFECT#": "effect",
    "APPROVAL#": "approval",
    "ATTEMPT#": "model attempt",
    "AUDIT#": "audit entry",
    "CHUNKS#": "document's chunks",
    "REMEMBERED": "progress of the memory",
}
_BY_PARTITION = {"KEYS": "API key", "DOCS": "document", "RUNS": "list of runs", "SESSIONS": "list of sessions"}
_BY_FIRST_WORD = {
    "SHARES": "share",
    "BUDGETS": "budget",
    "BUDGET": "budget's use",
    "SPEND": "spend",
    "BREAKER": "circuit",
    "RATES": "rate",
    "TOOLRATES": "rate",
    "SWITCH": "switch",
    "TOOLS": "tool's health",
}
"""By the first word of a partition, behind its tenant or ``SYS``."""
NOW_AND_THEN = frozenset({"record", "API key", *_BY_FIRST_WORD.values()})
"""Kinds of items that are kept in memory for a while, or counted by the minute: not every turn asks for them."""


@dataclass(frozen=True)
class Key:
    """What a request is about: an item, or for a query a partition with the sort keys it asks for."""

    table: str
    pk: str
    sk: str

    @property
    def kind(self) -> str:
        """The kind of item, in the words of docs/data-model.md."""
        owner = self.pk.split("#", 2)[-1]
        if self.sk == "META":
            return "run" if owner.startswith("R#") else "session head"
        if self.sk == "HEAD":
            return "end of the audit"
        if self.sk == "LEASE":
            return "session lease" if owner.startswith("S#") else "document's claim"
        for prefix, kind in _BY_SORT_KEY.items():
            if self.sk.startswith(prefix):
                return kind
        return _BY_PARTITION.get(owner) or _BY_FIRST_WORD.get(owner.split("#")[0], "record")


@dataclass(frozen=True)
class Request:
    """One request. ``at_ms`` is milliseconds since the epoch; ``params`` are those of the API."""

    at_ms: float
    principal: str
    operation: str
    keys: tuple[Key, ...]
    params: Mapping[str, Any] = field(repr=False, default_factory=dict)


@dataclass(frozen=True)
class Row:
    """How often a function made one operation on the same kinds of items."""

    function: str
    operation: str
    table: str
    items: str
    count: int

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of items, each once."""
        return tuple(self.items.split(_BETWEEN))


def keys_of(operation: str, params: Mapping[str, Any]) -> tuple[Key, ...]:
    """Return what a request of DynamoDB's API is about."""
    if operation == "TransactWriteItems":
        return tuple(
            key for entry in params["TransactItems"] for verb, write in entry.items() for key in keys_of(verb, write)
        )
    if operation == "BatchGetItem":
        tables = params["RequestItems"].items()
        return tuple(Key(table, key["pk"]["S"], key["sk"]["S"]) for table, one in tables for key in one["Keys"])
    table = str(params.get("TableName", ""))
    if operation == "Query":
        return (_queried(table, params),)
    where = params.get("Key") or params.get("Item")
    return (Key(table, where["pk"]["S"], where["sk"]["S"]),) if where else ()


def _queried(table: str, params: Mapping[str, Any]) -> Key:
    """Return the partition of a query and its sort keys; values are in the order of their placeholders."""
    texts = [str(value["S"]) for value in params.get("ExpressionAttributeValues", {}).values() if "S" in value]
    partition = next((text for text in texts if text.startswith("T#")), "")
    return Key(table, partition, "..".join(text for text in texts if text != partition))


def short_table(name: str, known: Sequence[str] = ("state", "ledger", "transient", "records")) -> str:
    """Return a generated table name without what CloudFormation put around it."""
    tail = name.split("-state-", 1)[-1]
    return next((short for short in known if tail.startswith(short)), name)


def rows(requests: Iterable[Request], functions: Mapping[str, str]) -> list[Row]:
    """Return requests added up, the most frequent first.

    Args:
        requests: what was counted.
        functions: the function by the name of its role; requests of other principals are left out.
    """
    counted: Counter[tuple[str, str, str, str]] = Counter()
    for request in requests:
        if request.principal in functions:
            tables = "+".join(dict.fromkeys(short_table(key.table) for key in request.keys))
            items = _BETWEEN.join(dict.fromkeys(key.kind for key in request.keys))
            counted[functions[request.principal].removeprefix(PREFIX), request.operation, tables, items] += 1
    return [Row(*key, count) for key, count in sorted(counted.items(), key=lambda one: (-one[1], one[0]))]


class RequestLog:
    """Listens at the front; the newest 50,000 requests are kept."""

    def __init__(self) -> None:
        self._requests: deque[Request] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()

    def watch(self, call: "ApiCall") -> None:
        """Take note of a call; the None it returns lets the front serve it as ever."""
        principal = (call.principal.role_arn or call.principal.arn).rsplit("/", 1)[-1]
        keys = keys_of(call.operation, call.params)
        request = Request(time.time() * 1000, principal, call.operation, keys, call.params)
        with self._lock:
            self._requests.append(request)

    def take(self) -> list[Request]:
        """Return what was noted since the last time."""
        with self._lock:
            taken = list(self._requests)
            self._requests.clear()
        return taken
