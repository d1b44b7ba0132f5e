"""Keeps the index in step with the documents bucket: S3's events, through EventBridge and the ingest queue."""

import json
from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from pentad.domain.errors import InvalidInput
from pentad.memory.documents.ingest import RECEIVES, parse_s3_event
from pentad.runtime.entrypoint import LambdaContext, deadline_of
from pentad.runtime.queue_batch import add_message_keys, consume
from pentad.runtime.wiring import ingest as wiring


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Index each document; those that failed go back to the queue, and in the end to its DLQ."""
    return consume("ingest", event, context, ingest_record)


def ingest_record(record: SQSRecord, context: LambdaContext) -> None:
    """Index the document of one message, if its tenant does not have its share of documents at work."""
    body = _parse_json(record.body)
    document = parse_s3_event(body)
    add_message_keys("ingest", tenant=document.tenant_id)
    last = int(record.attributes.approximate_receive_count or 1) >= RECEIVES
    with wiring.make_fair_queue().hold(document.tenant_id, record.event_source_arn, body) as held:
        if held:
            wiring.make_ingest().handle(document, deadline=deadline_of(context, spare_seconds=5), last=last)


def _parse_json(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise InvalidInput("the message is not valid JSON", field="body") from error
