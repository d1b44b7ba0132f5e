"""Requests in flight: which of them DynamoDB refuses since a transaction holds their item.

As the developer guide has it ("Managing complex workflows with DynamoDB transactions", transaction conflict handling):

* PutItem, UpdateItem and DeleteItem conflict with an ongoing TransactWriteItems on their item:
  TransactionConflictException.
* TransactWriteItems conflicts with another one on one of its items, those of condition checks included:
  TransactionCanceledException with the reason TransactionConflict at that item.
* TransactGetItems conflicts with an ongoing write of one of its items, of any kind: the same.

A request is in flight from its arrival to its answer. Requests that come one after the other never conflict.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from twin.front.model import ApiResponse

Item = tuple[str, tuple[str, ...]]
"""A table's name and a key's values."""

CONFLICT: Final = "Transaction is ongoing for the item"
_SINGLE: Final = ("PutItem", "UpdateItem", "DeleteItem")
_WRITES: Final = (*_SINGLE, "BatchWriteItem")
_HEADERS: Final = (("Content-Type", "application/x-amz-json-1.0"),)
_REASONS: Final = frozenset(
    ("None", "ConditionalCheckFailed", "ItemCollectionSizeLimitExceeded", "TransactionConflict", "ValidationError")
)


class TransactionConflict(Exception):
    """A transaction holds an item of the request; `held` says of each item whether one does."""

    def __init__(self, held: Sequence[bool]) -> None:
        super().__init__(CONFLICT)
        self.held = tuple(held)


class TransactionInProgress(Exception):
    """A transaction with the same client token is in flight."""


class InFlight:
    """The items of the requests in flight."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._transactions: set[Item] = set()
        self._writes: Counter[Item] = Counter()
        self._tokens: set[str] = set()

    @contextmanager
    def enter(self, operation: str, items: Sequence[Item], token: str | None = None) -> Iterator[None]:
        """Hold the items of a request for the length of a with block.

        Raises:
            TransactionConflict: a transaction, or a write that a transaction would read, is in the way.
            TransactionInProgress: a transaction with this client token is in flight.
        """
        with self._lock:
            if token is not None and token in self._tokens:
                raise TransactionInProgress
            held = [self._is_held(operation, item) for item in items]
            if any(held):
                raise TransactionConflict(held)
            self._hold(operation, items, token)
        try:
            yield
        finally:
            with self._lock:
                self._release(operation, items, token)

    def _is_held(self, operation: str, item: Item) -> bool:
        if operation == "TransactGetItems":
            return item in self._transactions or self._writes[item] > 0
        return operation in (*_SINGLE, "TransactWriteItems") and item in self._transactions

    def _hold(self, operation: str, items: Sequence[Item], token: str | None) -> None:
        if operation == "TransactWriteItems":
            self._transactions.update(items)
            self._tokens.update([token] if token is not None else [])
        elif operation in _WRITES:
            self._writes.update(items)

    def _release(self, operation: str, items: Sequence[Item], token: str | None) -> None:
        if operation == "TransactWriteItems":
            self._transactions.difference_update(items)
            self._tokens.difference_update([token] if token is not None else [])
        elif operation in _WRITES:
            self._writes.subtract(items)
            self._writes += Counter()  # drops what has come to zero


def build_error(code: str, message: str) -> ApiResponse:
    """An error of DynamoDB."""
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}
    return ApiResponse(400, _HEADERS, json.dumps(body).encode())


def build_conflict(operation: str, conflict: TransactionConflict) -> ApiResponse:
    """The answer to a request that met a transaction."""
    if operation in _SINGLE:
        return build_error("TransactionConflictException", CONFLICT)
    reasons = [
        {"Code": "TransactionConflict", "Message": CONFLICT} if held else {"Code": "None"} for held in conflict.held
    ]
    return _build_cancelled(reasons)


def build_invalid(refused: Sequence[str | None]) -> ApiResponse:
    """The answer to a transaction of which entries are refused, each with why; None for one that is not."""
    return _build_cancelled(
        [{"Code": "None"} if why is None else {"Code": "ValidationError", "Message": why} for why in refused]
    )


def repair_reasons(response: ApiResponse) -> ApiResponse:
    """Return a cancelled transaction's answer with reasons that DynamoDB has.

    moto names the Python exception that an invalid entry met; DynamoDB calls all of them ValidationError.
    """
    if response.status != 400 or b"TransactionCanceledException" not in response.body:
        return response
    reasons = json.loads(response.body)["CancellationReasons"]
    if all(reason["Code"] in _REASONS for reason in reasons):
        return response
    return _build_cancelled([one if one["Code"] in _REASONS else {**one, "Code": "ValidationError"} for one in reasons])


def _build_cancelled(reasons: Sequence[Mapping[str, object]]) -> ApiResponse:
    codes = ", ".join(str(reason["Code"]) for reason in reasons)
    body = {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        "CancellationReasons": list(reasons),
    }
    return ApiResponse(400, _HEADERS, json.dumps(body).encode())
