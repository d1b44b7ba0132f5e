"""The export of spans over HTTP, to receivers that parse what they get with OpenTelemetry's own code."""

import gzip
import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.credentials import Credentials
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from pentad.domain.errors import ConfigurationError, InvalidInput, ToolThrottled, ToolUnavailable
from pentad.observability.export.adapters.sender_http import HttpSender
from pentad.observability.export.export import SHARE_BYTES, SendSpans, ShareSpans
from pentad.observability.export.targets import Addressed, Target
from tests.unit.observability.export.test_log_batch import SPAN, batch

KEY = "the-key"


class Receiver:
    """A tracing product: it takes protobuf packed with gzip, and keeps what it was sent."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Mapping[str, str], ExportTraceServiceRequest]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                assert self.headers["content-type"] == "application/x-protobuf"
                assert self.headers["content-encoding"] == "gzip"
                status, headers = receiver.answers.pop(0) if receiver.answers else (200, {})
                if status == 200:
                    request = ExportTraceServiceRequest.FromString(gzip.decompress(body))
                    receiver.got.append((self.path, dict(self.headers.items()), request))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def names(self) -> list[str]:
        return [
            span.name
            for _, _, request in self.got
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


class Queue:
    """The queue of the shares, in a list."""

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def put(self, body: str) -> None:
        self.bodies.append(body)


class Kept:
    """Secrets, with how often one was to be read anew."""

    def __init__(self, **values: Any) -> None:
        self.values = values
        self.forgotten = 0

    def get_json(self, secret_id: str) -> Mapping[str, Any]:
        assert secret_id == "the-secret"
        return self.values

    def forget(self, secret_id: str) -> None:
        self.forgotten += 1


def make_sending(targets: list[Target], secrets: Kept) -> SendSpans:
    return SendSpans(targets, HttpSender(loopback=True), secrets, "the-secret", stage="dev", region="eu-west-1")


def test_a_batch_reaches_every_target_in_its_own_form(receiver: Receiver) -> None:
    targets = [
        Target(name="one", kind="phoenix", endpoint=f"{receiver.url}/phoenix", project="p"),
        Target(name="two", kind="langsmith", endpoint=f"{receiver.url}/otel"),
        Target(name="three", kind="langfuse", endpoint=receiver.url),
        Target(name="four", kind="weave", endpoint=receiver.url, entity="e", project="p"),
        Target(name="five", kind="arize", endpoint=receiver.url, project="p"),
    ]
    secrets = Kept(
        two={"api_key": KEY},
        three={"public_key": "pk", "secret_key": "sk"},
        four={"api_key": KEY},
        five={"api_key": KEY, "space_id": "s"},
    )
    queue = Queue()
    assert ShareSpans(targets, queue)(batch(json.dumps({"span": SPAN}))) == 1
    for body in queue.bodies:
        make_sending(targets, secrets)(body)
    assert [path for path, _, _ in receiver.got] == [
        "/phoenix/v1/traces",
        "/otel/v1/traces",
        "/api/public/otel/v1/traces",
        "/v1/traces",
        "/v1/traces",
    ]
    assert receiver.names == ["n"] * 5
    resources = [
        {one.key: one.value.string_value for one in request.resource_spans[0].resource.attributes}
        for _, _, request in receiver.got
    ]
    assert {one["service.name"] for one in resources} == {"pentad-dev-gateway"}
    assert resources[0]["openinference.project.name"] == "p"
    assert (resources[3]["wandb.entity"], resources[3]["wandb.project"]) == ("e", "p")
    assert receiver.got[1][1]["x-api-key"] == KEY


def test_a_target_that_is_down_is_asked_again_alone_and_gets_each_span_once(receiver: Receiver) -> None:
    targets = [Target(name=name, kind="otlp", endpoint=f"{receiver.url}/{name}") for name in ("up", "down")]
    queue = Queue()
    ShareSpans(targets, queue)(batch(json.dumps({"span": SPAN})))
    sending = make_sending(targets, Kept())
    receiver.answers = [(200, {}), *[(503, {})] * 12]
    sending(queue.bodies[0])
    for _ in range(12):
        with pytest.raises(ToolUnavailable):
            sending(queue.bodies[1])
    sending(queue.bodies[1])
    assert [path for path, _, _ in receiver.got] == ["/up/v1/traces", "/down/v1/traces"]


def test_large_batches_are_cut_and_none_is_lost() -> None:
    queue = Queue()
    spans = [SPAN | {"span_id": f"{number:016x}", "attributes": {"x": "y" * 900}} for number in range(1, 1001)]
    targets = [Target(name=name, kind="otlp", endpoint="https://c") for name in ("one", "two")]
    ShareSpans(targets, queue)(batch(*(json.dumps({"span": one}) for one in spans)))
    assert max(map(len, queue.bodies)) < SHARE_BYTES + 1_000
    shares = [json.loads(body) for body in queue.bodies]
    for name in ("one", "two"):
        found = [span["span_id"] for share in shares if share["target"] == name for span in share["spans"]]
        assert found == [span["span_id"] for span in spans]


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (429, {"retry-after": "7"}, ToolThrottled),
        (429, {"retry-after": "soon"}, ToolThrottled),
        (500, {}, ToolUnavailable),
        (408, {}, ToolUnavailable),
        (401, {}, ConfigurationError),
        (415, {}, ConfigurationError),
        (302, {"location": "http://127.0.0.1:1/elsewhere"}, ConfigurationError),
    ],
)
def test_what_a_target_answers_says_whether_again_helps(
    receiver: Receiver, status: int, headers: dict[str, str], error: type[Exception]
) -> None:
    receiver.answers = [(status, headers)]
    with pytest.raises(error) as caught:
        HttpSender(loopback=True).send(Addressed(receiver.url, {"authorization": f"Bearer {KEY}"}), b"")
    assert KEY not in str(caught.value)
    assert getattr(caught.value, "retry_after", None) == (7.0 if headers.get("retry-after") == "7" else None)
    assert receiver.got == []


def test_a_key_that_is_refused_is_read_anew(receiver: Receiver) -> None:
    targets = [Target(name="one", kind="langsmith", endpoint=receiver.url)]
    secrets = Kept(one={"api_key": KEY})
    receiver.answers = [(401, {})]
    with pytest.raises(ConfigurationError):
        make_sending(targets, secrets)(json.dumps({"target": "one", "service": "f", "spans": [SPAN]}))
    assert secrets.forgotten == 1


def test_nobody_there_is_an_outage_and_plain_http_to_elsewhere_is_refused() -> None:
    with pytest.raises(ToolUnavailable):
        HttpSender(loopback=True).send(Addressed("http://127.0.0.1:1", {}), b"")
    for url, loopback in (("http://127.0.0.1:1", False), ("http://example.com", True), ("https://", True)):
        with pytest.raises(ConfigurationError):
            HttpSender(loopback=loopback).send(Addressed(url, {}), b"")


def test_requests_to_x_ray_are_signed(receiver: Receiver) -> None:
    sender = HttpSender(
        loopback=True, credentials=lambda: Credentials("AKID", "secret", "session-token"), region="eu-west-1"
    )
    sender.send(Addressed(f"{receiver.url}/v1/traces", {}, "xray"), b"")
    [(_, headers, _)] = receiver.got
    signature = headers["Authorization"]
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=AKID/")
    assert "/eu-west-1/xray/aws4_request" in signature
    assert headers["X-Amz-Security-Token"] == "session-token"


def test_a_share_of_a_target_that_is_gone_is_dropped_and_another_message_refused() -> None:
    sending = make_sending([], Kept())
    sending(json.dumps({"target": "gone", "service": "f", "spans": [SPAN]}))
    with pytest.raises(InvalidInput):
        sending("no json")
