"""Reads two queues: of signed requests for runs, and of what the stack tells itself of runs and executions."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from pentad.domain.tracing import HEADER
from pentad.orchestration.lifecycle.queue_messages import RunRequested
from pentad.runtime.entrypoint import LambdaContext
from pentad.runtime.queue_batch import consume
from pentad.runtime.wiring import trigger as wiring


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Handle each message; those that failed go back to the queue, and in the end to its DLQ."""
    return consume("trigger", event, context, handle_record)


def handle_record(record: SQSRecord, context: LambdaContext) -> None:
    """Do what one message asks for."""
    read = wiring.make_reader()(record.event_source_arn, record.body, record.message_id)
    given = record.message_attributes[HEADER]  # None where there is none
    if given is not None and isinstance(read, RunRequested):
        read = read._replace(traceparent=given.string_value)
    wiring.admit(read)
    wiring.make_triggered()(read)
