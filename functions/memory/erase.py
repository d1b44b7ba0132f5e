"""Removes what is kept of a user: what the API asks for, through the event bus and the erase queue."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from pentad.domain.reading.json_text import read_message_body
from pentad.orchestration.erasure.erase import parse_request
from pentad.runtime.entrypoint import LambdaContext, deadline_of
from pentad.runtime.queue_batch import add_message_keys, consume
from pentad.runtime.wiring.memory import erase as wiring


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Go on with each erasure; those that failed go back to the queue, and in the end to its DLQ."""
    return consume("erase", event, context, erase_record)


def erase_record(record: SQSRecord, context: LambdaContext) -> None:
    """Go on with one erasure; where it is not at its end, its message comes again."""
    request = parse_request(read_message_body(record.body))
    add_message_keys("erase", tenant=request.tenant_id)
    seconds = wiring.make_erase().run(request, deadline=deadline_of(context, spare_seconds=5))
    if seconds is not None:
        wiring.make_queue().send_again(record.event_source_arn, record.body, seconds)
