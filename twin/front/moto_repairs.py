"""Answers of moto 5.2.5 that are repaired outside of moto, on their way to the client. Each has a test that names it.

* TransactWriteItems ignores ClientRequestToken, so a client's retry after a lost answer is carried out twice.
* GetBucketNotificationConfiguration leaves out that the bucket announces to EventBridge.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final
from xml.etree import ElementTree

from twin.front.account import GLOBAL, MotoAccount
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
    code = "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException"
    message = "The request was rejected because the token was used with other parameters"
    headers = (("Content-Type", "application/x-amz-json-1.0"),)
    return ApiResponse(400, headers, json.dumps({"__type": code, "message": message}).encode())


def patch_response(account: MotoAccount, call: ApiCall, response: ApiResponse) -> ApiResponse:
    """Return the response as AWS would have given it."""
    if response.status == 200 and (call.service, call.operation) == ("s3", "GetBucketNotificationConfiguration"):
        return _add_event_bridge(account, call, response)
    return response


def _add_event_bridge(account: MotoAccount, call: ApiCall, response: ApiResponse) -> ApiResponse:
    bucket = account.get_service_backend("s3", GLOBAL).buckets.get(call.params["Bucket"])
    configuration = bucket.notification_configuration if bucket is not None else None
    if configuration is None or configuration.event_bridge is None or b"EventBridgeConfiguration" in response.body:
        return response
    root = ElementTree.fromstring(response.body)  # noqa: S314 - moto's own text
    namespace = root.tag.partition("}")[0].lstrip("{")
    root.append(ElementTree.Element(f"{{{namespace}}}EventBridgeConfiguration"))
    body = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True, default_namespace=namespace)
    return ApiResponse(response.status, response.headers, body)
