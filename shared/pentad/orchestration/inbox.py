"""Messages that ask for a run: bare ones from the queue, and events that came through it."""

import json
from typing import Any, NamedTuple

from pydantic import ValidationError

from pentad.domain.errors import InvalidInput
from pentad.orchestration.start import RunMessage, Trigger, invalid


class Asked(NamedTuple):
    """A message, read: what is asked, by which way it came, and the key that makes repeats one."""

    message: RunMessage
    trigger: Trigger
    idempotency_key: str


def read_message(body: str, message_id: str) -> Asked:
    """Return what a queue's message asks for.

    The key is the message's own; else the event's id, where the body is an event of EventBridge; else the SQS message's
    id, which redeliveries keep.

    Raises:
        InvalidInput: not JSON, or a field is wrong.
    """
    try:
        content: Any = json.loads(body)
    except ValueError as error:
        raise InvalidInput("the message is not valid JSON", field="body", fix="send one JSON object") from error
    if not isinstance(content, dict):
        raise InvalidInput("the message is no JSON object", field="body", fix="send one JSON object")
    is_event = "detail-type" in content and "detail" in content
    try:
        message = RunMessage.model_validate(content["detail"] if is_event else content)
    except ValidationError as error:
        raise invalid(error) from error
    fallback = str(content.get("id") or message_id) if is_event else message_id
    return Asked(message, "event" if is_event else "queue", message.idempotency_key or fallback)
