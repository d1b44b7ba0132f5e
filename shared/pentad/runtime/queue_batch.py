"""Handle a batch of SQS messages one by one; those that fail are delivered again after a growing wait.

The queue's own visibility timeout has to outlast the function (Lambda asks for six times its timeout), which is far
too long to wait after a failure that took a moment. So a failed message is given a wait of its own: none where the
same message would fail again, so that it reaches the dead-letter queue at once; else one that doubles.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from pentad.aws.clients import get_client
from pentad.aws.redelivery import SqsRedelivery
from pentad.domain.errors import PentadError, TransientError
from pentad.runtime.entrypoint import LambdaContext, invocation
from pentad.runtime.wiring.ground.telemetry import telemetry_of

_FIRST_SECONDS = 2
_LONGEST_SECONDS = 300


def consume(
    service: str, event: dict[str, Any], context: LambdaContext, handle: Callable[[SQSRecord, LambdaContext], None]
) -> Any:
    """Handle every message and return which failed, as Lambda wants it.

    Args:
        service: the function's name without the deployment's prefix.
        event: Lambda's SQS event.
        context: Lambda's context.
        handle: handles one message; what it raises makes SQS deliver the message again.
    """

    def attempt(record: SQSRecord, lambda_context: LambdaContext) -> None:
        # What a message makes known, such as its tenant, is on its own lines only.
        with telemetry_of(service).bind():
            try:
                handle(record, lambda_context)
            except PentadError as error:
                _send_back(service, record, error)
                raise

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    with invocation(service, context, {}):
        return process_partial_response(event, attempt, processor, context)  # type: ignore[arg-type]


def add_message_keys(service: str, **keys: str | None) -> None:
    """Add what a message says, such as its tenant, to all lines of the log until the message is handled."""
    telemetry_of(service).add_keys(**keys)


@cache
def make_redelivery() -> SqsRedelivery:
    """Return what postpones the messages that a function could not process."""
    return SqsRedelivery(get_client("sqs"))


def wait_seconds(error: PentadError, receives: int) -> int:
    """Return how long a message waits after its ``receives``-th delivery failed with ``error``."""
    if not isinstance(error, TransientError):
        return 0
    doubled = _FIRST_SECONDS << min(receives - 1, 20)
    asked = int(error.retry_after or 0)
    return min(max(doubled, asked), _LONGEST_SECONDS)


def _send_back(service: str, record: SQSRecord, error: PentadError) -> None:
    telemetry = telemetry_of(service)
    receives = int(record.attributes.approximate_receive_count or 1)
    seconds = wait_seconds(error, receives)
    telemetry.log_event(
        f"{service}.refused",
        level="WARNING",
        error=type(error).__name__,
        detail=error.message,
        message_id=record.message_id,
        receives=receives,
        again_after_seconds=seconds,
    )
    try:
        make_redelivery().postpone(record.event_source_arn, record.receipt_handle, seconds)
    except PentadError as failure:  # the queue's own timeout brings the message back, only later
        telemetry.log_event(f"{service}.not_postponed", level="WARNING", error=type(failure).__name__)
