"""Tells alarms to Slack, Teams and webhooks: messages of the topics, through the queue of alerts."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from pentad.runtime.entrypoint import LambdaContext
from pentad.runtime.queue_batch import consume
from pentad.runtime.wiring.observability import alert as wiring


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Send each alert; those that a target did not take go back to the queue, and in the end to its DLQ."""
    return consume("alert", event, context, send_alert)


def send_alert(record: SQSRecord, context: LambdaContext) -> None:
    """Send the alert of one message."""
    wiring.make_sending()(record.body)
