"""Lambda's Invoke API, served from the function host."""

from __future__ import annotations

import base64
import json
from typing import Final, Protocol

from twin.front.errors import build_rest_error
from twin.front.model import ApiCall, ApiResponse
from twin.host import clocks
from twin.host.model import HostError, InvokeResult, Origin

_TRACE: Final = "x-amzn-trace-id"


class Invoker(Protocol):
    """The part of the function host that Invoke needs."""

    def invoke(
        self,
        reference: str,
        payload: bytes,
        *,
        qualifier: str | None = None,
        log_tail: bool = False,
        trace_header: str | None = None,
        origin: Origin | None = None,
    ) -> InvokeResult:
        """Invoke and wait."""

    def invoke_async(
        self, reference: str, payload: bytes, *, qualifier: str | None = None, trace_header: str | None = None
    ) -> str:
        """Queue an invocation and return its request id."""

    def resolve(self, reference: str, qualifier: str | None = None) -> object:
        """Find the function or raise FunctionNotFound."""


class LambdaApi:
    """Serves Invoke; every other operation of Lambda is left to moto."""

    def __init__(self, host: Invoker) -> None:
        self._host = host

    def __call__(self, call: ApiCall) -> ApiResponse | None:
        """Serve a call, or None if it is not an invocation."""
        if call.operation != "Invoke":
            return None
        payload = call.body or b"{}"
        try:
            json.loads(payload)
        except (ValueError, RecursionError) as exc:
            message = f"Could not parse request body into json: {exc}"
            return build_rest_error(400, "InvalidRequestContentException", {"Type": "User", "message": message})
        try:
            return self._invoke(call, payload)
        except HostError as exc:
            return build_rest_error(exc.status, exc.code, exc.to_body())

    def _invoke(self, call: ApiCall, payload: bytes) -> ApiResponse:
        name, qualifier = call.params["FunctionName"], call.params.get("Qualifier")
        trace = call.headers.get(_TRACE)
        kind = call.params.get("InvocationType", "RequestResponse")
        if kind == "DryRun":
            self._host.resolve(name, qualifier)
            return ApiResponse(204, (), b"")
        if kind == "Event":
            request_id = self._host.invoke_async(name, payload, qualifier=qualifier, trace_header=trace)
            return ApiResponse(202, (("x-amzn-RequestId", request_id),), b"")
        log_tail = call.params.get("LogType") == "Tail"
        origin = Origin(call.principal.role_arn, clock=clocks.find(call.headers.get(clocks.HEADER)))
        result = self._host.invoke(
            name, payload, qualifier=qualifier, log_tail=log_tail, trace_header=trace, origin=origin
        )
        headers = [
            ("Content-Type", "application/json"),
            ("x-amzn-RequestId", result.request_id),
            ("X-Amz-Executed-Version", result.executed_version),
        ]
        if result.function_error is not None:
            headers.append(("X-Amz-Function-Error", result.function_error))
        if result.log_tail is not None:
            headers.append(("X-Amz-Log-Result", base64.b64encode(result.log_tail.encode()).decode()))
        return ApiResponse(result.status_code, tuple(headers), result.payload)
