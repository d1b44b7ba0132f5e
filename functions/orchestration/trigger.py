"""Starts runs from the queue: messages of its own, and events of the bus."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from pentad.orchestration.inbox import read_message
from pentad.runtime import bootstrap
from pentad.runtime.entrypoint import LambdaContext
from pentad.runtime.queue_batch import consume


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Start a run for each message; those that failed go back to the queue, and in the end to its DLQ."""
    return consume("trigger", event, context, start)


def start(record: SQSRecord, context: LambdaContext) -> None:
    """Start the run that one message asks for."""
    asked = read_message(record.body, record.message_id)
    message, key = asked.message, asked.idempotency_key
    bootstrap.trigger()(message.tenant, message.request(), trigger=asked.trigger, idempotency_key=key)
