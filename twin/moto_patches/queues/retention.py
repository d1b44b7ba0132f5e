"""Retention of SQS messages: in moto a message past its time is kept, and hides all that came after it.

Each message that moto hands out also makes it count the queue's messages nine times, with four datetimes for each: a
busy queue took a quarter of the twin's time.
"""

import time
from typing import Any

from moto.sqs import models
from moto.sqs.models import Message, Queue, SQSBackend

from twin.moto_patches.patching import Patches


def apply(patches: Patches) -> None:
    """Drop what is past its time before messages are handed out, and look at the clock at little cost."""
    original = SQSBackend.receive_message

    def receive_message(self: SQSBackend, queue_name: str, *arguments: Any, **named: Any) -> list[Message]:
        _drop_expired(self.get_queue(queue_name))
        return original(self, queue_name, *arguments, **named)

    def is_message_valid_based_on_retention_period(self: SQSBackend, queue_name: str, message: Message) -> bool:
        return not _is_expired(self.get_queue(queue_name), message, time.time())

    patches.set_attribute(SQSBackend, "receive_message", receive_message)
    patches.set_attribute(
        SQSBackend, "is_message_valid_based_on_retention_period", is_message_valid_based_on_retention_period
    )
    patches.set_attribute(models, "unix_time", time.time)
    patches.set_attribute(models, "unix_time_millis", lambda: time.time() * 1000.0)


def _drop_expired(queue: Queue) -> None:
    now = time.time()
    expired = [message for message in queue._messages if _is_expired(queue, message, now)]
    for message in expired:
        queue._messages.remove(message)
        queue.pending_messages.discard(message)


def _is_expired(queue: Any, message: Message, now: float) -> bool:
    return bool(queue.message_retention_period + (message.sent_timestamp or 0) / 1000 <= now)
