"""Notifies humans of what waits for them: events of the bus, through the notices queue."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from pentad.orchestration.approvals.notices import read_announcement
from pentad.runtime.entrypoint import LambdaContext
from pentad.runtime.queue_batch import add_message_keys, consume
from pentad.runtime.wiring import notify as wiring


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Send each notice; those that a channel did not take go back to the queue, and in the end to its DLQ."""
    return consume("notify", event, context, send_notice)


def send_notice(record: SQSRecord, context: LambdaContext) -> None:
    """Send the notice of one event."""
    told = read_announcement(record.body)
    add_message_keys("notify", tenant=told.tenant, run=told.run, agent=told.agent)
    wiring.make_notify()(told)
