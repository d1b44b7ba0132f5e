"""Reads the runs queue: messages and events that start runs, and those that tell of runs and executions that ended."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from pentad.orchestration.lifecycle.queue_messages import read_message
from pentad.runtime.entrypoint import LambdaContext
from pentad.runtime.queue_batch import consume
from pentad.runtime.wiring import trigger as wiring


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Handle each message; those that failed go back to the queue, and in the end to its DLQ."""
    return consume("trigger", event, context, handle_record)


def handle_record(record: SQSRecord, context: LambdaContext) -> None:
    """Do what one message asks for."""
    wiring.make_triggered()(read_message(record.body, record.message_id))
