"""Feedback as annotations of tracing products: from what a user says to receivers that parse as the products do."""

import gzip
import io
import json
import secrets
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from uuid import UUID

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pentad.domain.errors import ToolUnavailable
from pentad.domain.tracing import find_run_place
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.observability.adapters.powertools import PowertoolsTelemetry
from pentad.observability.export.annotate import PATIENCE_SECONDS
from pentad.observability.export.export import ShareSpans
from pentad.observability.export.targets import Target
from pentad.observability.feedback.adapters.feedback_memory import MemoryFeedback
from pentad.observability.feedback.give import FeedbackRequest, GiveFeedback
from tests.contract.observability.test_export import Kept, Queue, make_sending
from tests.unit.observability.export.test_log_batch import batch
from tests.unit.observability.feedback.test_give import RUN, STEP
from tests.unit.orchestration.world import Clock, Events

ROOT = find_run_place(RUN)
HEX_SPAN, HEX_TRACE = r"^[0-9a-f]{16}$", r"^[0-9a-f]{32}$"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class PhoenixResult(Strict):
    label: str | None = None
    score: float | None = None
    explanation: str | None = None


class PhoenixAnnotation(Strict):
    """``SpanAnnotationData`` of Phoenix's API."""

    span_id: str = Field(pattern=HEX_SPAN)
    name: str = Field(min_length=1)
    annotator_kind: Literal["LLM", "CODE", "HUMAN"]
    result: PhoenixResult
    identifier: str = ""
    metadata: dict[str, Any] | None = None


class PhoenixBody(Strict):
    data: list[PhoenixAnnotation] = Field(min_length=1)


class LangSmithSource(Strict):
    type: Literal["api", "app", "model"]


class LangSmithBody(Strict):
    """``FeedbackCreateSchema`` of LangSmith's API, as far as it is used."""

    id: UUID = Field(strict=False)
    run_id: UUID = Field(strict=False)
    key: str = Field(max_length=180)
    score: float | None = None
    value: str | None = None
    comment: str | None = None
    feedback_source: LangSmithSource


class LangfuseBody(Strict):
    """``CreateScoreRequest`` of Langfuse's API, of a number."""

    id: str
    traceId: str = Field(pattern=HEX_TRACE)
    observationId: str | None = Field(default=None, pattern=HEX_SPAN)
    name: str
    value: float
    dataType: Literal["NUMERIC"]
    comment: str | None = None


class Products:
    """The three products on one server: each keeps annotations by their ids, and takes no other body."""

    def __init__(self) -> None:
        self.spans: dict[str, list[str]] = {}
        self.kept: dict[str, dict[str, Any]] = {"phoenix": {}, "langsmith": {}, "langfuse": {}}
        self.opened_by: dict[str, str] = {}
        self.failures = 0
        self.known = {"invoke_agent"}
        products = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(products.take(self.path, dict(self.headers.items()), body))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        if path.endswith("/v1/traces"):
            request = ExportTraceServiceRequest.FromString(gzip.decompress(body))
            spans = [span.name for one in request.resource_spans for each in one.scope_spans for span in each.spans]
            self.spans.setdefault(path, []).extend(spans)
            return 200
        if self.failures:
            self.failures -= 1
            return 503
        assert headers["content-type"] == "application/json"
        self.opened_by[path] = headers.get("x-api-key") or headers.get("authorization") or ""
        try:
            return self._keep(path, body)
        except ValidationError:
            return 422

    def _keep(self, path: str, body: bytes) -> int:
        if path == "/phoenix/v1/span_annotations?sync=true":
            if "invoke_agent" not in self.known:
                return 404
            for one in PhoenixBody.model_validate_json(body).data:
                self.kept["phoenix"][one.identifier] = one
        elif path == "/smith/api/v1/feedback":
            feedback = LangSmithBody.model_validate_json(body)
            self.kept["langsmith"][str(feedback.id)] = feedback
        elif path == "/api/public/scores":
            score = LangfuseBody.model_validate_json(body)
            self.kept["langfuse"][score.id] = score
        else:
            return 404
        return 200


@pytest.fixture
def products() -> Iterator[Products]:
    made = Products()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


class Saying:
    """Users who say something, and the lines that the function writes of it."""

    def __init__(self) -> None:
        self.lines = io.StringIO()
        # Those of one name share a logger, and so the first one's stream.
        telemetry = PowertoolsTelemetry(service=f"api-{secrets.token_hex(4)}", stage="dev", stream=self.lines)
        clock = Clock()
        self.store = MemoryFeedback(now=clock)
        self.give = GiveFeedback(self.store, Events().publish, telemetry, now=clock)

    def say(self, by: str = "ann", key: str | None = None, **words: Any) -> None:
        self.give(RUN, STEP, FeedbackRequest(**words), by=by, idempotency_key=key)

    def export(self, targets: list[Target]) -> list[str]:
        queue = Queue()
        ShareSpans(targets, queue, MemoryTelemetry())(batch(*self.lines.getvalue().splitlines()))
        self.lines.truncate(self.lines.seek(0))
        return queue.bodies

    def annotate(self, targets: list[Target]) -> list[str]:
        """Return the messages with annotations alone."""
        return [body for body in self.export(targets) if "annotations" in json.loads(body)]


def make_targets(products: Products, *, feedback: bool = True) -> tuple[list[Target], Kept]:
    targets = [
        Target(name="one", kind="phoenix", endpoint=f"{products.url}/phoenix", feedback=feedback),
        Target(name="two", kind="langsmith", endpoint=f"{products.url}/smith/otel", feedback=feedback),
        Target(name="three", kind="langfuse", endpoint=products.url, feedback=feedback),
    ]
    return targets, Kept(one={"api_key": "p"}, two={"api_key": "s"}, three={"public_key": "pk", "secret_key": "sk"})


def test_what_users_say_of_a_run_is_an_annotation_of_its_root_in_each_product(products: Products) -> None:
    saying, (targets, opening) = Saying(), make_targets(products)
    saying.say(score=0.2, comment="CANARY of a comment")
    saying.say(by="bob", correction="CANARY of a correction")
    said = saying.lines.getvalue()
    for body in saying.export(targets):
        make_sending(targets, opening)(body)
    phoenix, smith, fuse = (list(kept.values()) for kept in products.kept.values())
    assert [(one.span_id, one.result.score, one.result.label) for one in phoenix] == [
        (ROOT.span_id, 0.2, "wrong"),
        (ROOT.span_id, 0.0, "wrong"),
    ]
    assert {one.run_id.hex for one in smith} == {"0" * 16 + ROOT.span_id}
    assert [(one.key, one.score, one.value) for one in smith] == [
        ("user_feedback", 0.2, "wrong"),
        ("user_feedback", 0.0, "wrong"),
    ]
    assert {(one.traceId, one.observationId) for one in fuse} == {(ROOT.trace_id, ROOT.span_id)}
    assert [one.value for one in fuse] == [0.2, 0.0]
    assert products.opened_by == {
        "/phoenix/v1/span_annotations?sync=true": "Bearer p",
        "/smith/api/v1/feedback": "s",
        "/api/public/scores": "Basic cGs6c2s=",
    }
    # Nobody's words leave the account, nor who said them; they are in no log either.
    assert not [word for word in ("CANARY", "bob") if word in said + repr(products.kept)]


def test_who_changes_a_mind_has_one_annotation_and_a_share_that_comes_again_changes_nothing(products: Products) -> None:
    saying, (targets, opening) = Saying(), make_targets(products)
    saying.say(score=0, key="click-1")
    saying.say(score=1)
    saying.say(score=0, key="click-1")  # a repeat that comes late: what was said after it stands
    for body in saying.export(targets) * 2:
        make_sending(targets, opening)(body)
    assert [len(kept) for kept in products.kept.values()] == [1, 1, 1]
    [phoenix], [smith], [fuse] = (kept.values() for kept in products.kept.values())
    assert (phoenix.result.score, smith.score, fuse.value) == (1, 1, 1)


def test_a_product_that_is_down_gets_its_annotations_later(products: Products) -> None:
    saying, (targets, opening) = Saying(), make_targets(products)
    saying.say(score=1)
    [first, *_] = saying.annotate(targets)
    products.failures = 1
    with pytest.raises(ToolUnavailable):
        make_sending(targets, opening)(first)
    make_sending(targets, opening)(first)
    assert len(products.kept["phoenix"]) == 1


def test_feedback_that_comes_before_its_span_is_sent_again_until_the_span_is_there(products: Products) -> None:
    saying, (targets, opening) = Saying(), make_targets(products)
    saying.say(score=1)
    [spans, first, *_] = saying.export(targets)
    products.known.clear()
    make_sending(targets, opening)(spans)  # no span waits for it, nor is one sent again
    with pytest.raises(ToolUnavailable, match="does not know the span"):
        make_sending(targets, opening)(first)
    products.known.add("invoke_agent")
    make_sending(targets, opening)(first)
    assert len(products.kept["phoenix"]) == 1
    assert products.spans == {"/phoenix/v1/traces": ["feedback answer"]}


def test_feedback_on_a_run_that_a_product_never_gets_is_given_up_and_told(products: Products) -> None:
    saying, (targets, opening) = Saying(), make_targets(products)
    saying.say(score=1)
    [first, *_] = saying.annotate(targets)
    products.known.clear()
    telemetry, now = MemoryTelemetry(), [json.loads(first)["since"] + PATIENCE_SECONDS - 1]
    sending = make_sending(targets, opening, telemetry=telemetry, clock=lambda: now[0])
    with pytest.raises(ToolUnavailable):
        sending(first)
    now[0] += 2
    sending(first)
    assert [(one.name, one.fields["target"]) for one in telemetry.events] == [("export.annotation_dropped", "one")]


def test_words_that_waited_do_not_come_after_newer_ones(products: Products) -> None:
    saying, (targets, opening) = Saying(), make_targets(products)
    sending = make_sending(targets, opening, find=saying.store.find)
    saying.say(score=1)
    old = saying.annotate(targets)
    saying.say(score=0)
    new = saying.annotate(targets)
    for body in (*new, *old, *new, *old):
        sending(body)
    [phoenix], [smith], [fuse] = (kept.values() for kept in products.kept.values())
    assert (phoenix.result.score, smith.score, fuse.value) == (0, 0, 0)


def test_feedback_that_was_erased_meanwhile_is_not_sent(products: Products) -> None:
    saying, (targets, opening) = Saying(), make_targets(products)
    saying.say(score=1)
    waiting = saying.annotate(targets)
    for body in waiting:
        make_sending(targets, opening, find=lambda *_: None)(body)
    assert not any(products.kept.values())


@pytest.mark.parametrize(
    "words", [{"pentad.feedback.score": "x"}, {"pentad.feedback.id": 7}, {"pentad.feedback.verdict": [1]}]
)
def test_a_line_that_only_says_that_it_is_feedback_keeps_no_other_back(
    products: Products, words: dict[str, Any]
) -> None:
    saying, (targets, opening) = Saying(), make_targets(products)
    saying.say(score=1)
    forged = json.loads(saying.lines.getvalue().splitlines()[-1])
    forged["span"]["attributes"] |= {f"pentad.feedback.{name}": value for name, value in words.items()}
    saying.lines.write(json.dumps(forged) + "\n")
    for body in saying.export(targets):
        make_sending(targets, opening)(body)
    assert [len(kept) for kept in products.kept.values()] == [1, 1, 1]


def test_nothing_is_annotated_unless_a_target_asks_for_it_or_where_nothing_is_rated(products: Products) -> None:
    saying = Saying()
    saying.say(comment="nice")
    targets, opening = make_targets(products)
    for body in saying.export(targets):
        make_sending(targets, opening)(body)
    saying.say(score=1)
    targets, opening = make_targets(products, feedback=False)
    for body in saying.export(targets):
        make_sending(targets, opening)(body)
    assert not any(products.kept.values())
    assert {name for names in products.spans.values() for name in names} == {"feedback answer"}


@pytest.mark.parametrize("kind", ["otlp", "arize", "weave", "xray"])
def test_a_product_without_such_an_api_is_refused(kind: Any) -> None:
    with pytest.raises(ValidationError, match="feedback goes to phoenix, langsmith, langfuse only"):
        Target(name="t", kind=kind, endpoint="https://t", feedback=True)
