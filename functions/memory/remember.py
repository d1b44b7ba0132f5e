"""Makes memories of a conversation after a run: its end, or a correction, through the bus and the remember queue."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from pentad.domain.reading.json_text import read_message_body
from pentad.domain.tracing import enter_place, parse_traceparent
from pentad.memory.corrections.learn_correction import parse_correction
from pentad.memory.remember.remember import RECEIVES, parse_event
from pentad.observability.feedback.ports import CORRECTED
from pentad.runtime.entrypoint import LambdaContext, deadline_of
from pentad.runtime.queue_batch import add_message_keys, consume
from pentad.runtime.wiring import remember as wiring


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Work through each session; those that failed go back to the queue, and in the end to its DLQ."""
    return consume("remember", event, context, remember_record)


def remember_record(record: SQSRecord, context: LambdaContext) -> None:
    """Bring the memories of one session up to its end, or learn from a correction of an answer."""
    body, deadline = read_message_body(record.body), deadline_of(context, spare_seconds=5)
    if body.get("detail-type") == CORRECTED:
        corrected = parse_correction(body.get("detail"))
        add_message_keys("remember", tenant=corrected.tenant_id, session=corrected.session_id)
        with _enter(corrected.traceparent):
            return wiring.make_learn_correction().run(corrected, deadline=deadline)
    ended = parse_event(body)
    add_message_keys("remember", tenant=ended.tenant_id, session=ended.session_id, run=ended.run_id)
    with _enter(ended.traceparent):
        last = int(record.attributes.approximate_receive_count or 1) >= RECEIVES
        return wiring.make_remember().run(ended, deadline=deadline, last=last)


def _enter(traceparent: str | None) -> AbstractContextManager[Any]:
    place = parse_traceparent(traceparent)
    return nullcontext() if place is None else enter_place(place)
