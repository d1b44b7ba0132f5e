"""Keeps the index in step with the documents bucket: S3's events, through EventBridge and the ingest queue.

A bulk ingestion calls it for some documents at a time.
"""

import time
from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from pentad.domain.reading.json_text import read_message_body
from pentad.memory.documents.batch import name_left, parse_batch, run_batch
from pentad.memory.documents.ingest import RECEIVES, parse_s3_event
from pentad.runtime.entrypoint import LambdaContext, deadline_of, invocation
from pentad.runtime.queue_batch import add_message_keys, consume
from pentad.runtime.wiring import ingest as wiring


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Index each document; those that failed go back to the queue, and in the end to its DLQ."""
    if "Records" not in event:
        return ingest_listed(event, context)
    return consume("ingest", event, context, ingest_record)


def ingest_listed(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Index a batch that a bulk ingestion has listed; what is left of it, and what is raised, comes again."""
    with invocation("ingest", context, {}):
        batch = parse_batch(event)
        add_message_keys("ingest", tenant=batch.tenant_id)
        with wiring.make_bulk_share().hold_or_refuse(batch.tenant_id):
            deadline = deadline_of(context, spare_seconds=5)
            left = run_batch(wiring.make_ingest(), batch, now=time.time(), deadline=deadline)
        return name_left(batch, left)


def ingest_record(record: SQSRecord, context: LambdaContext) -> None:
    """Index the document of one message, if its tenant does not have its share of documents at work."""
    body = read_message_body(record.body)
    document = parse_s3_event(body)
    add_message_keys("ingest", tenant=document.tenant_id)
    last = int(record.attributes.approximate_receive_count or 1) >= RECEIVES
    with wiring.make_fair_queue().hold(document.tenant_id, record.event_source_arn, body) as held:
        if held:
            wiring.make_ingest().handle(document, deadline=deadline_of(context, spare_seconds=5), last=last)
