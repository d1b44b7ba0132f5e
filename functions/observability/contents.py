"""Writes what was said in runs into a log of its own: a run's end, through the event bus and the contents queue."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from pentad.domain.reading.json_text import read_message_body
from pentad.memory.remember.remember import parse_event
from pentad.runtime.entrypoint import LambdaContext
from pentad.runtime.queue_batch import add_message_keys, consume
from pentad.runtime.wiring.observability import contents as wiring


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Write the contents of each run; those that failed go back to the queue, and in the end to its DLQ."""
    return consume("contents", event, context, write_record)


def write_record(record: SQSRecord, context: LambdaContext) -> None:
    """Write the contents of one run."""
    ended = parse_event(read_message_body(record.body))
    add_message_keys("contents", tenant=ended.tenant_id, session=ended.session_id, run=ended.run_id)
    if ended.run_id is not None:
        wiring.make_contents()(ended.tenant_id, ended.run_id)
