"""Send what users say of answers to a tracing product: messages of their own, so that no span is sent again for one.

A message names the feedback. What is said now is read when it is sent, so that words that wait never come after newer
ones; and a product that never gets the run is not asked for ever.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, Protocol

from pentad.domain.errors import InvalidInput, ToolUnavailable
from pentad.observability.export.annotations import Annotation, build_annotations, read_annotation
from pentad.observability.export.ports import OtlpSender
from pentad.observability.export.targets import Addressed, Target
from pentad.observability.feedback.ports import Feedback
from pentad.observability.ports import Telemetry

FIELD: Final = "annotations"
"""Of a message: what tells it from a share of spans."""
PATIENCE_SECONDS: Final = 5_400.0
"""So long a product may not know the run: its spans may wait for more than an hour where it was down."""
FindFeedback = Callable[[str, str, str], Feedback | None]
"""By tenant, run and id: what is said now; None where it is gone."""


class Clock(Protocol):
    """Seconds since the epoch."""

    def __call__(self) -> float:
        """Return the time."""
        ...


class _OwnAnnotation(NamedTuple):
    """A feedback that a message names, and whose it is."""

    tenant_id: str
    run_id: str
    annotation: Annotation


def name_annotations(target: Target, spans: Iterable[Mapping[str, Any]], since: float) -> dict[str, Any] | None:
    """Return the message with the feedback among some spans that a target wants; None where there is none.

    Args:
        target: where it goes.
        spans: of a batch, oldest first: of several words on one thing the last are taken.
        since: when it was read, seconds since the epoch.
    """
    if not target.feedback:
        return None
    newest: dict[str, dict[str, Any]] = {}
    for span in spans:
        found = read_annotation(span)
        if found is not None:
            given = span.get("attributes") or {}
            whose = {name: str(given.get(f"pentad.{name}", "")) for name in ("tenant", "run")}
            newest[found.feedback_id] = whose | found._asdict()
    return {"target": target.name, "since": since, FIELD: list(newest.values())} if newest else None


class SendAnnotations:
    """Sends the messages of `name_annotations`.

    Args:
        sender: sends a request.
        telemetry: tells of what was dropped.
        find: returns what is said now; None sends what the message says.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        sender: OtlpSender,
        telemetry: Telemetry,
        *,
        find: FindFeedback | None = None,
        clock: Clock = time.time,
    ) -> None:
        self._sender = sender
        self._telemetry = telemetry
        self._find = find
        self._clock = clock

    def __call__(self, target: Target, to: Addressed, message: Mapping[str, Any]) -> None:
        """Send the annotations of a message.

        Raises:
            InvalidInput: it is no such message.
            ToolUnavailable: the target does not know a run yet, or did not answer; again is safe.
            ConfigurationError, ToolThrottled, StoreUnavailable: see the ports.
        """
        given, since = _read_message(message)
        current = [one for one in map(self._refresh, given) if one is not None]
        unknown = [
            request for request in build_annotations(target, to, current)
            if not self._sender.send_json(request.to, request.body)
        ]  # fmt: skip
        if not unknown:
            return
        if self._clock() - since < PATIENCE_SECONDS:
            raise ToolUnavailable("the traces' target does not know the span, or not yet (404)")
        self._telemetry.log_event(
            "export.annotation_dropped", level="WARNING", target=target.name, spans=len(unknown), reason="unknown run"
        )

    def _refresh(self, named: _OwnAnnotation) -> Annotation | None:
        """Return an annotation as it is to be now; None where the feedback is gone or says neither right nor wrong."""
        if self._find is None:
            return named.annotation
        try:
            found = self._find(named.tenant_id, named.run_id, named.annotation.feedback_id)
        except InvalidInput:  # no ids of ours
            return None
        return None if found is None else named.annotation.say(found.score, found.verdict)


def _read_message(message: Mapping[str, Any]) -> tuple[list[_OwnAnnotation], float]:
    try:
        fields = Annotation._fields
        return [
            _OwnAnnotation(str(one["tenant"]), str(one["run"]), Annotation(**{name: one[name] for name in fields}))
            for one in message[FIELD]
        ], float(message["since"])
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput("the message names no feedback", field=FIELD) from error
