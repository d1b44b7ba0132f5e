"""Starts runs from the queue: messages of its own, and events of the bus."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from pentad.domain.errors import PentadError
from pentad.orchestration.inbox import read_message
from pentad.runtime import bootstrap
from pentad.runtime.entrypoint import LambdaContext, invocation


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Start a run for each message; those that failed go back to the queue, and in the end to its DLQ."""
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    with invocation("trigger", context, {}):
        return process_partial_response(event, start, processor, context)  # type: ignore[arg-type]


def start(record: SQSRecord) -> None:
    """Start the run that one message asks for."""
    try:
        asked = read_message(record.body, record.message_id)
        message, key = asked.message, asked.idempotency_key
        bootstrap.trigger()(message.tenant, message.request(), trigger=asked.trigger, idempotency_key=key)
    except PentadError as error:
        refused = {"error": type(error).__name__, "detail": error.message, "message_id": record.message_id}
        bootstrap.telemetry("trigger").event("trigger.refused", level="WARNING", **refused)
        raise
