"""The stage of these tests: moto behind a tiny front that serves Lambda's Invoke, and the interpreter in this process.

One module, so that the twin's real front and function host can take its place.
"""

import json
import re
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.models import stepfunctions_parser_backends
from werkzeug.wrappers import Request, Response

from twin.front.model import ApiResponse
from twin.front.server import FrontServer
from twin.machine import lifecycle
from twin.moto_patches import lookups
from twin.moto_patches.patching import apply_once
from twin.moto_patches.stepfunctions import install as stepfunctions

REGION = "us-east-1"
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/machine"
_INVOKE = re.compile(r"^/2015-03-31/functions/(?P<name>.+)/invocations$")
_OPERATOR = "operator"
_PAUSE, _LONG_PAUSE = 0.01, 0.5
Handler = Callable[[Any, Any], Any]


class Unreached(Exception):
    """The service answers in the function's place: throttled, denied."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error


class Stage:
    """A running front with its clients."""

    def __init__(self) -> None:
        self.functions: dict[str, Handler] = {}
        self.calls: list[tuple[str, str]] = []
        self.denied: set[tuple[str, str]] = set()
        self._keys = {_OPERATOR: _OPERATOR}
        apply_once(lookups.apply)
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = FrontServer(self._serve)
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Address of the front."""
        return f"http://127.0.0.1:{self._server.port}"

    def start(self) -> None:
        """Serve."""
        self._server.start()

    def stop(self) -> None:
        """Stop serving and close every client."""
        for client in self._clients.values():
            client.close()
        self._server.stop()

    def connect(self, service: str, role_arn: str) -> Any:
        """Return a client that acts as a role; what the twin supplies to the interpreter."""
        with self._lock:
            key = (service, role_arn)
            if key not in self._clients:
                access_key = f"AK{uuid.uuid5(uuid.NAMESPACE_URL, role_arn).hex[:18].upper()}"
                self._keys[access_key] = role_arn
                session: Any = boto3.session.Session()
                self._clients[key] = session.client(
                    service,
                    endpoint_url=self.url,
                    region_name=REGION,
                    aws_access_key_id=access_key,
                    aws_secret_access_key="secret",
                    config=Config(
                        retries={"total_max_attempts": 1},
                        read_timeout=60,
                        parameter_validation=False,
                        inject_host_prefix=False,
                        max_pool_connections=50,
                    ),
                )
            return self._clients[key]

    def client(self, service: str) -> Any:
        """Return a client of the operator, who may do everything."""
        return self.connect(service, _OPERATOR)

    def _caller(self, request: Request) -> str:
        found = re.search(r"Credential=([^/]+)/", request.headers.get("Authorization", ""))
        return self._keys.get(found.group(1), "") if found else ""

    def _serve(self, environ: dict[str, Any], body: bytes) -> ApiResponse:
        response = self._answer(environ)
        return ApiResponse(response.status_code, tuple(response.headers.items()), response.get_data())

    def _answer(self, environ: dict[str, Any]) -> Response:
        request = Request(environ)
        invoke = _INVOKE.match(request.path)
        action = f"lambda:{invoke['name']}" if invoke else request.headers.get("X-Amz-Target", request.path)
        caller = self._caller(request)
        if caller != _OPERATOR:
            self.calls.append((caller, action))
        if (caller, action) in self.denied:
            return self._deny(caller, action)
        if invoke:
            return self._invoke(request, invoke["name"])
        return Response.from_app(self._moto, environ, buffered=True)

    def _deny(self, caller: str, action: str) -> Response:
        message = f"User: {caller} is not authorized to perform: {action}"
        body = {"Message": message, "message": message, "__type": "AccessDeniedException"}
        headers = {"x-amzn-ErrorType": "AccessDeniedException", "x-amzn-RequestId": str(uuid.uuid4())}
        return Response(json.dumps(body), 403, headers, content_type="application/json")

    def _invoke(self, request: Request, name: str) -> Response:
        request_id = str(uuid.uuid4())
        headers = {"x-amzn-RequestId": request_id, "X-Amz-Executed-Version": "$LATEST"}
        if request.headers.get("X-Amz-Log-Type") == "Tail":
            headers["X-Amz-Log-Result"] = "bG9n"
        handler = self.functions.get(name.split(":function:")[-1])
        if handler is None:
            message = f"Function not found: arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
            headers["x-amzn-ErrorType"] = "ResourceNotFoundException"
            body = json.dumps({"Message": message, "Type": "User"})
            return Response(body, 404, headers, content_type="application/json")
        try:
            result = handler(json.loads(request.get_data() or b"{}"), None)
            text = result.decode() if isinstance(result, bytes) else json.dumps(result)
            # The Python runtime hands bytes through as they are written: a string in JSON.
            payload = json.dumps(text) if isinstance(result, bytes) else text
        except Unreached as exc:
            headers["x-amzn-ErrorType"] = exc.error
            body = json.dumps({"Message": exc.error, "message": exc.error, "__type": exc.error, "Type": "User"})
            return Response(body, exc.status, headers, content_type="application/json")
        except Exception as exc:  # the runtime reports any error of a handler
            headers["X-Amz-Function-Error"] = "Unhandled"
            payload = json.dumps(_error(exc, request_id))
        return Response(payload, 200, headers, content_type="application/json")

    def create(self, definition: Any, *, role: str = ROLE, kind: str = "STANDARD", name: str | None = None) -> str:
        """Create a machine and return its ARN."""
        text = definition if isinstance(definition, str) else json.dumps(definition)
        made = self.client("stepfunctions").create_state_machine(
            name=name or f"machine-{uuid.uuid4()}", definition=text, roleArn=role, type=kind
        )
        return str(made["stateMachineArn"])

    def start_execution(self, arn: str, data: Any = None, name: str | None = None) -> str:
        """Start an execution and return its ARN."""
        named = {"name": name} if name else {}
        text = json.dumps({} if data is None else data)
        started = self.client("stepfunctions").start_execution(stateMachineArn=arn, input=text, **named)
        return str(started["executionArn"])

    def wait(self, execution_arn: str, seconds: float = 30) -> dict[str, Any]:
        """Wait for an execution's end and return its description."""
        client = self.client("stepfunctions")
        found: dict[str, Any] = client.describe_execution(executionArn=execution_arn)
        # To ask over the wire costs as much as a step of what is waited for, so only for what is told in the end.
        execution: Any = stepfunctions_parser_backends[ACCOUNT][REGION].describe_execution(execution_arn)
        end = time.monotonic() + seconds
        while found["status"] == "RUNNING":
            left = end - time.monotonic()
            until(lambda: execution.exec_status not in (None, ExecutionStatus.RUNNING), left)
            found = client.describe_execution(executionArn=execution_arn)
        return found

    def run(self, definition: Any, data: Any = None, **kwargs: Any) -> dict[str, Any]:
        """Run a definition to its end and return the description."""
        return self.wait(self.start_execution(self.create(definition, **kwargs), data))

    def output(self, definition: Any, data: Any = None) -> Any:
        """Run a definition that succeeds and return its output."""
        ended = self.run(definition, data)
        assert ended["status"] == "SUCCEEDED", (ended.get("error"), ended.get("cause"))
        return json.loads(ended["output"])

    def events(self, execution_arn: str) -> list[dict[str, Any]]:
        """Return the whole history of an execution."""
        pages = self.client("stepfunctions").get_paginator("get_execution_history")
        found = pages.paginate(executionArn=execution_arn, maxResults=1000)
        return [event for page in found for event in page["events"]]

    def types(self, execution_arn: str) -> list[str]:
        """Return the types of the events in their order."""
        return [event["type"] for event in self.events(execution_arn)]


def _error(exc: Exception, request_id: str) -> dict[str, Any]:
    frames = traceback.extract_tb(exc.__traceback__)[1:]
    return {
        "errorMessage": str(exc),
        "errorType": type(exc).__name__,
        "requestId": request_id,
        "stackTrace": traceback.format_list(frames),
    }


def until(probe: Callable[[], Any], seconds: float = 15) -> Any:
    """Call `probe` until it returns something true.

    Raises:
        TimeoutError: It did not in time.
    """
    began = time.monotonic()
    while (waited := time.monotonic() - began) < seconds:
        found = probe()
        if found:
            return found
        # What takes long is asked about less often: each question costs as much as a step of what is waited for.
        time.sleep(min(max(_PAUSE, waited / 20), _LONG_PAUSE))
    raise TimeoutError("the expected state was not reached")


@contextmanager
def short_waits() -> Iterator[None]:
    """Let minutes of retries pass in a second: what a fault for good costs is patience alone."""
    former = lifecycle.set_time_scale(0.001)
    try:
        yield
    finally:
        lifecycle.set_time_scale(former)


@contextmanager
def staged(*, time_scale: float = 1.0) -> Iterator[Stage]:
    """Run a stage with the interpreter installed."""
    stage = Stage()
    stage.start()
    stepfunctions.install(stage.connect, time_scale=time_scale)
    try:
        yield stage
    finally:
        stepfunctions.uninstall()
        stage.stop()
