"""Keeps the index as the documents bucket is: S3's events, through EventBridge and the ingest queue."""

import json
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from pentad.domain.errors import InvalidInput, PentadError
from pentad.memory.ingest import parse_s3_event
from pentad.runtime import bootstrap
from pentad.runtime.entrypoint import LambdaContext, deadline_of, invocation


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Index each document; those that failed go back to the queue, and in the end to its DLQ."""
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    with invocation("ingest", context, {}):
        return process_partial_response(event, index, processor, context)  # type: ignore[arg-type]


def index(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Index the document of one message."""
    try:
        document = parse_s3_event(_parsed(record.body))
        bootstrap.ingest().handle(document, deadline=deadline_of(lambda_context, spare_seconds=5))
    except PentadError as error:
        refused = {"error": type(error).__name__, "detail": error.message, "message_id": record.message_id}
        bootstrap.telemetry("ingest").event("ingest.refused", level="WARNING", **refused)
        raise


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise InvalidInput("the message is not valid JSON", field="body") from error
