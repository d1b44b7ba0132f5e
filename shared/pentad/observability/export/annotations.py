"""Feedback as annotations of the tracing products that have an API for them: Phoenix, LangSmith, Langfuse. Pure.

Sources, as read in November 2026: "Capture feedback" of Phoenix (``/v1/span_annotations``), "Attach user feedback" and
the API reference of LangSmith (``/api/v1/feedback``), "Scores via API/SDK" of Langfuse (``/api/public/scores``). Each
takes an id with the annotation, under which what is sent again replaces what is there.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

from pentad.observability.export.targets import Addressed, Target
from pentad.observability.feedback.feedback_span import FEEDBACK_ID, SCORE, VERDICT

Json = dict[str, Any]
NAMES: Final = {"feedback answer": "user_feedback", "feedback citation": "citation_feedback"}
"""What annotations are called, by the name of the span that tells of the feedback."""
_OPENS: Final = frozenset({"authorization", "x-api-key"})
_FEEDBACKS: Final = UUID("6f0c7f0e-6f3a-5d0b-9b0e-5c1f3f1d2a77")
_VERDICT_SCORES: Final = {"correct": 1.0, "wrong": 0.0}


class AnnotationRequest(NamedTuple):
    """One request with JSON."""

    to: Addressed
    body: Json


class Annotation(NamedTuple):
    """What was said of a run: its root's ids as hex digits, and a score or a verdict or both."""

    feedback_id: str
    name: str
    trace_id: str
    span_id: str
    score: float | None
    verdict: str | None

    def say(self, score: float | None, verdict: str | None) -> "Annotation | None":
        """Return it with other words; None where these say neither right nor wrong."""
        if score is None and verdict is None:
            return None
        number = _VERDICT_SCORES.get(str(verdict)) if score is None else float(score)
        return self._replace(score=number, verdict=verdict)


def build_annotations(target: Target, to: Addressed, given: Sequence[Annotation]) -> list[AnnotationRequest]:
    """Return the requests that annotate the roots of runs.

    Args:
        target: where; none are built for one that does not ask for feedback.
        to: where its spans go, and what opens it.
        given: what is said.
    """
    return _BUILDERS[target.kind](to, given) if target.feedback and given else []


def read_annotation(span: Mapping[str, Any]) -> Annotation | None:
    """Return what a span says of an answer; None of another, and where it says neither right nor wrong."""
    given = span.get("attributes") or {}
    name, score, verdict = NAMES.get(str(span.get("name"))), given.get(SCORE), given.get(VERDICT)
    if name is None or not isinstance(given.get(FEEDBACK_ID), str) or not span.get("parent_id"):
        return None
    if (
        not isinstance(score, int | float | None)
        or not 0 <= (score or 0) <= 1
        or verdict not in (None, *_VERDICT_SCORES)
    ):
        return None
    empty = Annotation(given[FEEDBACK_ID], name, str(span["trace_id"]), str(span["parent_id"]), None, None)
    return empty.say(score, verdict)


def _build_phoenix(to: Addressed, given: Sequence[Annotation]) -> list[AnnotationRequest]:
    data = [
        {
            "span_id": one.span_id,
            "name": one.name,
            "annotator_kind": "HUMAN",
            "result": {"score": one.score, "label": one.verdict},
            "identifier": one.feedback_id,
        }
        for one in given
    ]
    # At once: what it is given for later, Phoenix forgets after a while where it does not know the span.
    return [AnnotationRequest(_address(to, "/v1/traces", "/v1/span_annotations?sync=true"), {"data": data})]


def _build_langsmith(to: Addressed, given: Sequence[Annotation]) -> list[AnnotationRequest]:
    where = _address(to, "/otel/v1/traces", "/api/v1/feedback")
    return [
        AnnotationRequest(
            where,
            {
                "id": _to_uuid(one.feedback_id),
                # LangSmith names the run of a span of OpenTelemetry by a UUID that ends in the span's id.
                "run_id": str(UUID(int=int(one.span_id, 16))),
                "key": one.name,
                "score": one.score,
                "value": one.verdict,
                "feedback_source": {"type": "api"},
            },
        )
        for one in given
    ]


def _build_langfuse(to: Addressed, given: Sequence[Annotation]) -> list[AnnotationRequest]:
    where = _address(to, "/api/public/otel/v1/traces", "/api/public/scores")
    return [
        AnnotationRequest(
            where,
            {
                "id": one.feedback_id,
                "traceId": one.trace_id,
                "observationId": one.span_id,
                "name": one.name,
                "value": one.score,
                "dataType": "NUMERIC",
                "comment": one.verdict,
            },
        )
        for one in given
    ]


def _address(to: Addressed, of_spans: str, path: str) -> Addressed:
    """Return another address of the same product: spans' own path is taken away, and what opens it stays."""
    base = to.url.removesuffix(of_spans).removesuffix("/v1/traces").rstrip("/")
    return Addressed(base + path, {name: value for name, value in to.headers.items() if name.lower() in _OPENS})


def _to_uuid(feedback_id: str) -> str:
    """Return a UUID that is always the same for a feedback."""
    return str(uuid5(_FEEDBACKS, feedback_id))


_BUILDERS: Mapping[str, Callable[[Addressed, Sequence[Annotation]], list[AnnotationRequest]]] = {
    "phoenix": _build_phoenix,
    "langsmith": _build_langsmith,
    "langfuse": _build_langfuse,
}
