"""moto behind the front: called in the process, one caller at a time where its state is not safe for threads."""

from __future__ import annotations

import json
import threading
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from twin.front.account import MotoAccount
from twin.front.checks.events import put_events
from twin.front.checks.queues import send_batch
from twin.front.checks.refusals import find_refusal
from twin.front.dynamodb.gate import DynamoGate
from twin.front.model import ApiCall, ApiResponse, TableTimes
from twin.front.moto_repairs import patch_response
from twin.front.parse import with_body
from twin.moto_patches import (
    bucket_policies,
    ciphertexts,
    dynamodb,
    lookups,
    object_lock,
    secret_versions,
    updates,
)
from twin.moto_patches.buckets import listings
from twin.moto_patches.events import targets
from twin.moto_patches.functions import versions
from twin.moto_patches.patching import apply_once
from twin.moto_patches.policies import sizes
from twin.moto_patches.queues import policies, retention

LASTING: Final = (
    bucket_policies,
    ciphertexts,
    policies,
    retention,
    dynamodb,
    listings,
    lookups,
    object_lock,
    secret_versions,
    sizes,
    targets,
    updates,
    versions,
)
"""Patches of moto that last as long as the process."""
_SERIALISED: Final = ("dynamodb", "s3", "secretsmanager", "sqs")
_LOOK_SECONDS: Final = 0.25
_MAX_WAIT_SECONDS: Final = 20.0


class MotoBackend:
    """Serves calls from moto.

    DynamoDB, S3, Secrets Manager and SQS are served one call at a time each: moto checks a condition and writes in
    two steps, so 40 threads on one counter with a limit of 500 counted to 506. moto runs under one interpreter lock
    anyway, so little is lost.
    """

    def __init__(self, account: MotoAccount, times: TableTimes | None = None) -> None:
        self._account = account
        for module in LASTING:
            apply_once(module.apply)
        self._application = DomainDispatcherApplication(create_backend_app)
        self._locks = {service: threading.RLock() for service in _SERIALISED}
        self._dynamodb = DynamoGate(account, self._serve_call, self._locks["dynamodb"], times or TableTimes())
        self._sent = threading.Condition()
        self._stopping = threading.Event()

    def serve(self, call: ApiCall, environ: dict[str, Any]) -> ApiResponse:
        """Serve a call."""
        refusal = find_refusal(call)
        if refusal is not None:
            return refusal
        if call.service == "sqs" and call.operation == "ReceiveMessage":
            return self._receive_messages(call, environ)
        if call.service == "sqs" and call.operation == "SendMessageBatch" and "Entries" in call.params:
            return patch_response(
                self._account, call, send_batch(call, lambda body: self._serve_once("sqs", with_body(environ, body)))
            )
        if call.service == "events" and call.operation == "PutEvents":
            return put_events(call, lambda body: self._serve_once("events", with_body(environ, body)))
        if call.service == "dynamodb":
            return self._dynamodb.serve(call, environ)
        return patch_response(self._account, call, self._serve_once(call.service, environ))

    def _serve_call(self, call: ApiCall, environ: dict[str, Any]) -> ApiResponse:
        return self._serve_once(call.service, environ)

    def notify_receivers(self) -> None:
        """Wake callers that wait for a message."""
        with self._sent:
            self._sent.notify_all()

    def stop(self) -> None:
        """End all waiting."""
        self._stopping.set()
        self.notify_receivers()

    def _lock(self, service: str) -> AbstractContextManager[Any]:
        return self._locks.get(service, nullcontext())

    def _serve_once(self, service: str, environ: dict[str, Any]) -> ApiResponse:
        status: list[str] = []
        headers: list[tuple[str, str]] = []

        def start_response(line: str, fields: list[tuple[str, str]], exc_info: object = None) -> None:
            status[:] = [line]
            headers[:] = fields

        with self._lock(service):
            chunks = self._application(environ, start_response)
            try:
                body = b"".join(chunks)
            finally:
                close = getattr(chunks, "close", None)
                if close is not None:
                    close()
        return ApiResponse(int(status[0].split(" ", 1)[0]), tuple(headers), body)

    def _receive_messages(self, call: ApiCall, environ: dict[str, Any]) -> ApiResponse:
        """Poll for messages without holding moto's lock while waiting; moto itself would spin on its queue."""
        deadline = time.monotonic() + self._get_wait_seconds(call)
        body = json.dumps({**call.params, "WaitTimeSeconds": 0}).encode()
        while True:
            response = self._serve_once("sqs", with_body(environ, body))
            remaining = deadline - time.monotonic()
            if response.status != 200 or remaining <= 0 or self._stopping.is_set() or b'"Messages"' in response.body:
                return response
            with self._sent:
                self._sent.wait(min(remaining, _LOOK_SECONDS))

    def _get_wait_seconds(self, call: ApiCall) -> float:
        wait = call.params.get("WaitTimeSeconds")
        if wait is None:
            queue = self._account.get_service_backend("sqs").queues.get(
                str(call.params.get("QueueUrl", "")).rsplit("/", 1)[-1]
            )
            wait = getattr(queue, "receive_message_wait_time_seconds", 0)
        return min(float(wait or 0), _MAX_WAIT_SECONDS)
