"""How pumps and HTTP APIs reach functions: the host's answers in the terms of each caller."""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from twin.deploy.deployment import Deployment
from twin.host.clocks import CallClock
from twin.host.host import FunctionHost
from twin.host.model import AsyncFailure, HostError, Origin, RequestTooLarge, TooManyRequests
from twin.http_api.gateway import InvokeFailed, InvokeThrottled, InvokeTooLarge
from twin.iam.authorizer import Authorizer
from twin.iam.model import PolicyError
from twin.pumps.courier import Connect
from twin.pumps.delivery import DeliveryFailed, DeliveryRefused
from twin.pumps.queues.mapping import FunctionAnswer

logger = logging.getLogger(__name__)

_ERROR_TEXT = 300


class Invocations:
    """Adapts the function host and the authoriser."""

    def __init__(self, host: FunctionHost, authorizer: Authorizer) -> None:
        self._host, self._authorizer = host, authorizer

    def invoke_for_queue(self, reference: str, payload: bytes) -> FunctionAnswer:
        """Invoke for a queue mapping: every failure is an answer."""
        try:
            result = self._host.invoke(reference, payload)
        except HostError as error:
            return FunctionAnswer(b"", f"{error.code}: {error}")
        if result.function_error is not None:
            return FunctionAnswer(result.payload, _describe(result.payload))
        return FunctionAnswer(result.payload, None)

    def invoke_for_api(self, reference: str, payload: bytes, clock: CallClock) -> bytes:
        """Invoke for an HTTP API, with the clock of the API's time limit.

        Raises:
            InvokeFailed: the function could not be invoked, or failed.
        """
        try:
            result = self._host.invoke(reference, payload, origin=Origin(api=True, clock=clock))
        except TooManyRequests as error:
            raise InvokeThrottled(str(error)) from error
        except RequestTooLarge as error:
            raise InvokeTooLarge(str(error)) from error
        except HostError as error:
            raise InvokeFailed(f"{error.code}: {error}") from error
        if result.function_error is not None:
            raise InvokeFailed(_describe(result.payload), _extract_message(result.payload))
        return result.payload

    def invoke_async(self, reference: str, payload: bytes) -> None:
        """Queue an asynchronous invocation.

        Raises:
            DeliveryFailed: the host is busy.
            DeliveryRefused: there is no such function, or the payload is too large.
        """
        try:
            self._host.invoke_async(reference, payload)
        except TooManyRequests as error:
            raise DeliveryFailed(error.code, str(error)) from error
        except HostError as error:
            raise DeliveryRefused(error.code, str(error)) from error

    def find_denial(self, service: str, action: str, resource: str, context: Mapping[str, str]) -> str | None:
        """Return why a service may not do something, or None."""
        try:
            decision = self._authorizer.evaluate_for_service(service, action, resource, context["aws:SourceArn"])
        except PolicyError as error:
            return str(error)
        return None if decision.allowed else decision.message

    def make_failure_handler(self, deployment: Deployment, connect: Connect) -> Callable[[AsyncFailure], None]:
        """Return what sends asynchronous failures to their destination or dead-letter queue."""

        def handle(failure: AsyncFailure) -> None:
            definition = deployment.functions[failure.spec.name]
            configured = [one for one in deployment.invoke_configs if one.function == definition.name]
            destination = configured[0].on_failure if configured else None
            try:
                if destination is not None:
                    _send(connect, definition.role_arn, destination, json.dumps(_build_record(failure)), {})
                if definition.dead_letter_arn is not None:
                    body = failure.payload.decode("utf-8", "replace")
                    _send(connect, definition.role_arn, definition.dead_letter_arn, body, _build_attributes(failure))
            except (ClientError, BotoCoreError) as error:
                logger.error("a failed invocation of '%s' was not sent to its destination: %s", definition.name, error)

        return handle


def _describe(payload: bytes) -> str:
    try:
        error = json.loads(payload)
    except (ValueError, RecursionError):
        return payload[:_ERROR_TEXT].decode("utf-8", "replace")
    if not isinstance(error, dict):
        return str(error)[:_ERROR_TEXT]
    return f"{error.get('errorType', 'Unhandled')}: {error.get('errorMessage', '')}"[:_ERROR_TEXT]


def _extract_message(payload: bytes) -> str | None:
    error = _decode_payload(payload)
    message = error.get("errorMessage") if isinstance(error, dict) else None
    return message if isinstance(message, str) else None


def _send(connect: Connect, role_arn: str, arn: str, body: str, attributes: Mapping[str, Any]) -> None:
    if ":sqs:" not in arn:
        logger.error("a failed invocation was not sent to '%s': the local twin sends to queues only", arn)
        return
    client = connect("sqs", role_arn)
    account, name = arn.split(":")[4:6]
    url = f"{client.meta.endpoint_url.rstrip('/')}/{account}/{name}"
    client.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)


def _build_attributes(failure: AsyncFailure) -> dict[str, Any]:
    """Lambda's message attributes on a dead letter."""
    message = _describe(failure.result.payload) if failure.result else failure.reason
    values = {"RequestID": failure.request_id, "ErrorMessage": message}
    typed: dict[str, Any] = {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}
    return typed | {"ErrorCode": {"DataType": "Number", "StringValue": str(failure.status)}}


def _build_record(failure: AsyncFailure) -> dict[str, Any]:
    """Lambda's record for an on-failure destination."""
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": failure.request_id,
            "functionArn": f"{failure.spec.arn}:$LATEST",
            "condition": "EventAgeExceeded" if failure.expired else "RetriesExhausted",
            "approximateInvokeCount": failure.attempts,
        },
        "requestPayload": _decode_payload(failure.payload),
    }
    if failure.result is not None:
        record["responseContext"] = {
            "statusCode": failure.result.status_code,
            "executedVersion": failure.result.executed_version,
            "functionError": failure.result.function_error,
        }
        record["responsePayload"] = _decode_payload(failure.result.payload)
    return record


def _decode_payload(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return payload.decode("utf-8", "replace")
