"""The export of spans over HTTP, to receivers that parse what they get with OpenTelemetry's own code."""

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.credentials import Credentials
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from pentad.domain.errors import ConfigurationError, InvalidInput, ToolThrottled, ToolUnavailable
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.observability.export.adapters.sender_http import HttpSender
from pentad.observability.export.annotate import FindFeedback, SendAnnotations
from pentad.observability.export.circuits import OPEN_SECONDS, TargetCircuits
from pentad.observability.export.export import MOST_REFUSALS, SHARE_BYTES, SendSpans, ShareSpans
from pentad.observability.export.otlp import Rejected
from pentad.observability.export.requests import CONTENTS, DROPPED, REQUEST_BYTES, SPAN_BYTES
from pentad.observability.export.targets import Addressed, Target
from tests.unit.observability.export.test_log_batch import SPAN, batch

KEY = "the-key"


class Receiver:
    """A tracing product: it takes protobuf packed with gzip, and keeps what it was sent."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Mapping[str, str], ExportTraceServiceRequest]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.most_bytes = 10**9
        self.poison, self.poisoned = "", 400
        self.says = b""
        self.sizes: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                assert self.headers["content-type"] == "application/x-protobuf"
                assert self.headers["content-encoding"] == "gzip"
                status, headers = receiver.answers.pop(0) if receiver.answers else (200, {})
                unpacked = gzip.decompress(body)
                receiver.sizes.append(len(unpacked))
                status = 413 if len(unpacked) > receiver.most_bytes else status
                request = ExportTraceServiceRequest.FromString(unpacked)
                if receiver.poison and receiver.poison in str(request):
                    status = receiver.poisoned
                if status == 200:
                    receiver.got.append((self.path, dict(self.headers.items()), request))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(receiver.says)))
                self.end_headers()
                self.wfile.write(receiver.says)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def names(self) -> list[str]:
        return [span.name for span in self.spans]

    @property
    def spans(self) -> list[Any]:
        return [
            span
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


def make_sending(
    targets: list[Target],
    secrets: Kept,
    *,
    telemetry: MemoryTelemetry | None = None,
    find: FindFeedback | None = None,
    seconds: float = 10.0,
    clock: Callable[[], float] = time.time,
    **more: Any,
) -> SendSpans:
    telemetry, sender = telemetry or MemoryTelemetry(), HttpSender(loopback=True, seconds=seconds)
    annotate = SendAnnotations(sender, telemetry, find=find, clock=clock)
    place: dict[str, Any] = {"stage": "dev", "region": "eu-west-1"}
    return SendSpans(targets, sender, secrets, "the-secret", telemetry, annotate, **place, **more)


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
    assert ShareSpans(targets, queue, MemoryTelemetry())(batch(json.dumps({"span": SPAN}))) == 1
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
    ShareSpans(targets, queue, MemoryTelemetry())(batch(json.dumps({"span": SPAN})))
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
    ShareSpans(targets, queue, MemoryTelemetry())(batch(*(json.dumps({"span": one}) for one in spans)))
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


def make_share(*spans: Mapping[str, Any], target: str = "one") -> str:
    return json.dumps({"target": target, "service": "f", "spans": spans})


def make_spans(count: int) -> list[dict[str, Any]]:
    return [SPAN | {"span_id": f"{number:016x}", "name": f"n{number}"} for number in range(1, count + 1)]


class Contents:
    """Adds contents of so many characters to each span."""

    def __init__(self, characters: int) -> None:
        self.characters = characters

    def __call__(self, spans: Any) -> list[Mapping[str, Any]]:
        said = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "x" * self.characters}]}])
        return [{**one, "attributes": {**one.get("attributes", {}), CONTENTS[0]: said}} for one in spans]


@pytest.mark.parametrize("kind", ["otlp", "phoenix", "langfuse"])
def test_a_share_with_contents_is_cut_into_requests_by_their_size(receiver: Receiver, kind: Any) -> None:
    target = Target(name="one", kind=kind, endpoint=receiver.url, contents=True)
    secrets = Kept(one={"public_key": "p", "secret_key": "s"})
    make_sending([target], secrets, add_contents=Contents(60_000))(make_share(*make_spans(200)))
    assert sorted(receiver.names) == sorted(f"n{number}" for number in range(1, 201))
    assert len(receiver.sizes) > 5 and max(receiver.sizes) < REQUEST_BYTES + 10_000


def test_a_span_whose_contents_are_too_large_leaves_without_them_and_says_so(receiver: Receiver) -> None:
    target, telemetry = Target(name="one", kind="otlp", endpoint=receiver.url, contents=True), MemoryTelemetry()
    sending = make_sending([target], Kept(), telemetry=telemetry, add_contents=Contents(SPAN_BYTES + 1))
    sending(make_share(*make_spans(2)))
    assert receiver.names == ["n1", "n2"]
    for span in receiver.spans:
        attributes = {one.key: one.value for one in span.attributes}
        assert attributes[DROPPED].bool_value and CONTENTS[0] not in attributes
    assert [one.name for one in telemetry.events] == ["export.contents_dropped"] * 2


def test_a_target_that_takes_less_gets_halves_and_at_last_a_span_without_contents(receiver: Receiver) -> None:
    target, telemetry = Target(name="one", kind="otlp", endpoint=receiver.url, contents=True), MemoryTelemetry()
    receiver.most_bytes = 30_000
    sending = make_sending([target], Kept(), telemetry=telemetry, add_contents=Contents(10_000))
    sending(make_share(*make_spans(9)))
    assert receiver.names == [f"n{number}" for number in range(1, 10)] and not telemetry.events
    receiver.most_bytes, receiver.got = 5_000, []
    sending(make_share(*make_spans(9)))
    assert receiver.names == [f"n{number}" for number in range(1, 10)]
    assert [one.name for one in telemetry.events] == ["export.contents_dropped"] * 9
    # One that is too large as it is takes no other with it, nor the share.
    receiver.got = []
    large = SPAN | {"attributes": {"x": "y" * 6_000}}
    make_sending([target], Kept(), telemetry=telemetry)(make_share(*make_spans(1), large))
    assert receiver.names == ["n1"]
    assert (telemetry.events[-1].name, telemetry.events[-1].fields["reason"]) == ("export.dropped", "too_large")


@pytest.mark.parametrize("status", [400, 422])
def test_a_span_that_a_target_can_not_read_keeps_no_other_back(receiver: Receiver, status: int) -> None:
    target, telemetry = Target(name="one", kind="otlp", endpoint=receiver.url), MemoryTelemetry()
    receiver.poison, receiver.poisoned = "n5", status
    make_sending([target], Kept(), telemetry=telemetry)(make_share(*make_spans(9)))
    assert sorted(receiver.names) == [f"n{number}" for number in (1, 2, 3, 4, 6, 7, 8, 9)]
    [told] = telemetry.events
    assert (told.name, told.fields["reason"], told.fields["spans"]) == ("export.dropped", "malformed", 1)


def test_a_share_that_a_target_can_not_read_at_all_is_kept_and_asks_a_bounded_number_of_times(
    receiver: Receiver,
) -> None:
    target, telemetry = Target(name="one", kind="otlp", endpoint=receiver.url), MemoryTelemetry()
    sending = make_sending([target], Kept(), telemetry=telemetry)
    receiver.answers = [(400, {})] * 500
    for spans in (1, 9, 200):
        receiver.sizes.clear()
        with pytest.raises(ConfigurationError, match="malformed"):
            sending(make_share(*make_spans(spans)))
        assert 0 < len(receiver.sizes) <= MOST_REFUSALS + 1
    assert not receiver.got and not telemetry.events


def answer(rejected: int, message: str) -> bytes:
    said = ExportTraceServiceResponse()
    said.partial_success.rejected_spans, said.partial_success.error_message = rejected, message
    return bytes(said.SerializeToString())


@pytest.mark.parametrize(
    ("says", "found"),
    [
        (b"", None),
        (ExportTraceServiceResponse().SerializeToString(), None),
        (answer(3, "quota"), Rejected(3, "quota")),
        (answer(0, "a warning"), Rejected(0, "a warning")),
        (answer(2**40, "é" * 900), Rejected(2**40, "é" * 300)),
        (b'{"partialSuccess": {"rejectedSpans": "3", "errorMessage": "quota"}}', Rejected(3, "quota")),
        (b"{}", None),
        (b'{"partialSuccess": [1]}', None),
        (b"<html>fine</html>", None),
        (b"\xff" * 40, None),
        (b"ok", None),
    ],
)
def test_what_a_target_takes_in_part_is_logged_counted_and_not_sent_again(
    receiver: Receiver, says: bytes, found: Rejected | None
) -> None:
    receiver.says, telemetry = says, MemoryTelemetry()
    make_sending([Target(name="one", kind="otlp", endpoint=receiver.url)], Kept(), telemetry=telemetry)(
        make_share(SPAN)
    )
    told = [(one.name, one.fields["target"], one.fields["spans"], one.fields["reason"]) for one in telemetry.events]
    assert told == ([] if found is None else [("export.rejected", "one", found.spans, found.reason)])
    counted = [(one.value, one.dimensions) for one in telemetry.counts if one.name == "SpansDropped"]
    assert counted == ([(found.spans, {"outcome": "rejected"})] if found and found.spans else [])
    assert receiver.names == ["n"]


def test_a_share_with_a_span_that_can_not_be_written_is_sent_without_it(receiver: Receiver) -> None:
    # As an older version may have put it into the queue.
    targets, telemetry = [Target(name="one", kind="phoenix", endpoint=receiver.url)], MemoryTelemetry()
    poison: list[dict[str, Any]] = [
        {"start": "soon"}, {"start": -1}, {"trace_id": "zz"}, {"parent_id": 7}, {"links": [{}]}, {"attributes": ["x"]},
    ]  # fmt: skip
    make_sending(targets, Kept(), telemetry=telemetry)(make_share(SPAN, *(SPAN | one for one in poison)))
    assert receiver.names == ["n"]
    assert [one.name for one in telemetry.events] == ["export.dropped"] * len(poison)


def test_a_target_that_hangs_is_not_asked_again_for_a_while_and_keeps_no_other_waiting(receiver: Receiver) -> None:
    now = [0.0]
    circuits = TargetCircuits(lambda: now[0])

    class Hanging(HttpSender):
        asked = 0

        def send(self, to: Addressed, body: bytes) -> Any:
            if "hanging" in to.url:
                Hanging.asked += 1
                now[0] += 10.0
                raise ToolUnavailable("the traces' target did not answer: TimeoutError")
            return super().send(to, body)

    targets = [Target(name=name, kind="otlp", endpoint=f"{receiver.url}/{name}") for name in ("hanging", "up")]
    sender, telemetry = Hanging(loopback=True), MemoryTelemetry()
    sending = SendSpans(
        targets, sender, Kept(), "the-secret", telemetry, SendAnnotations(sender, telemetry),
        stage="dev", region="eu-west-1", circuits=circuits,
    )  # fmt: skip
    for _ in range(5):
        with pytest.raises(ToolUnavailable) as caught:
            sending(make_share(SPAN, target="hanging"))
        sending(make_share(SPAN, target="up"))
    assert Hanging.asked == 1 and now[0] == 10.0 and receiver.names == ["n"] * 5
    assert caught.value.retry_after == OPEN_SECONDS
    now[0] += OPEN_SECONDS
    with pytest.raises(ToolUnavailable):
        sending(make_share(SPAN, target="hanging"))
    assert Hanging.asked == 2


def test_a_failure_that_is_told_at_once_opens_no_circuit(receiver: Receiver) -> None:
    sending = make_sending([Target(name="one", kind="otlp", endpoint=receiver.url)], Kept())
    receiver.answers = [(503, {})]
    with pytest.raises(ToolUnavailable):
        sending(make_share(SPAN))
    sending(make_share(SPAN))
    assert receiver.names == ["n"]


def test_a_target_that_sends_a_byte_now_and_then_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def trickle() -> None:
            connection, _ = server.accept()
            with connection:
                for byte in b"HTTP/1.1 200 OK\r\nx: " + b"y" * 10_000:
                    try:
                        connection.sendall(bytes([byte]))
                    except OSError:
                        return
                    if ended.wait(0.05):
                        return

        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            with pytest.raises(ToolUnavailable):
                address = Addressed(f"http://127.0.0.1:{server.getsockname()[1]}", {})
                HttpSender(loopback=True, seconds=0.5).send(address, b"")
        finally:
            ended.set()
            thread.join()
