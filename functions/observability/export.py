"""Exports spans: log lines by subscription filters become the targets' shares in a queue, and those are sent."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from pentad.runtime.entrypoint import LambdaContext, invocation
from pentad.runtime.queue_batch import consume
from pentad.runtime.wiring.observability import export as wiring

_NAME = "export"


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Share out a batch of log lines, or send the shares of a batch of messages."""
    if "awslogs" not in event:
        return consume(_NAME, event, context, send_share)
    with invocation(_NAME, context, {}):
        return {"spans": wiring.make_sharing()(event)}


def send_share(record: SQSRecord, context: LambdaContext) -> None:
    """Send one target's share."""
    wiring.make_sending()(record.body)
