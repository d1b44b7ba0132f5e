"""Client request tokens of transactions: moto ignores them, so that a retry after a lost answer would be done twice."""

from __future__ import annotations

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from twin.front.dynamodb.conflicts import build_error
from twin.front.model import ApiCall, ApiResponse

TOKEN_SECONDS: Final = 600.0
"""How long DynamoDB remembers a client request token (TransactWriteItems, API reference)."""

MAX_TOKENS: Final = 10_000


class TransactionTokens:
    """Remembers finished transactions by their client request token. Not thread-safe: used under DynamoDB's lock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._done: OrderedDict[str, tuple[float, str, ApiResponse]] = OrderedDict()

    def recall(self, call: ApiCall) -> ApiResponse | None:
        """Return the answer of a transaction that was carried out already, None for a new one."""
        token = call.params.get("ClientRequestToken")
        found = self._done.get(token) if token else None
        if found is None:
            return None
        at, digest, response = found
        if self._clock() - at > TOKEN_SECONDS:
            return None
        return response if digest == _hash_items(call) else _build_mismatch()

    def remember(self, call: ApiCall, response: ApiResponse) -> None:
        """Keep the answer of a transaction that succeeded."""
        token = call.params.get("ClientRequestToken")
        if not token or response.status != 200:
            return
        self._done[token] = (self._clock(), _hash_items(call), response)
        self._done.move_to_end(token)
        while len(self._done) > MAX_TOKENS:
            self._done.popitem(last=False)


def _hash_items(call: ApiCall) -> str:
    return hashlib.sha256(json.dumps(call.params["TransactItems"], sort_keys=True).encode()).hexdigest()


def _build_mismatch() -> ApiResponse:
    message = "The request was rejected because the token was used with other parameters"
    return build_error("IdempotentParameterMismatchException", message)
