"""Read and write the messages of the trigger's two queues.

Whoever may send to the runs queue is nobody yet: there a message is a signed request for a run, and nothing else. What
the stack tells itself (ends of executions and runs, schedules, redrives) comes by the lifecycle queue, whose policy
lets nobody else in.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from pentad.domain.declarations.agents import ScheduleSpec
from pentad.domain.errors import InvalidInput, PolicyDenied
from pentad.domain.ids import check_id, derive_id
from pentad.domain.reading.json_text import read_message_body, read_strict_json
from pentad.domain.runs import Actor
from pentad.domain.tracing import HEADER
from pentad.orchestration.lifecycle.announce_end import FINISHED
from pentad.orchestration.lifecycle.start import RunMessage, Trigger, to_invalid_input

REQUESTED = "pentad.run.requested"
REDRIVE = "pentad.run.redrive"
EXECUTION_CHANGED = "Step Functions Execution Status Change"
_SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
ExecutionEnd = Literal["ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"]
_ENDS: dict[str, ExecutionEnd] = {
    "FAILED": "ExecutionFailed",
    "TIMED_OUT": "ExecutionTimedOut",
    "ABORTED": "ExecutionAborted",
}
Json = dict[str, Any]


SIGNED = ("signed", "key", "at", "signature")
"""The fields of a signed request."""
_KEY_CHARACTERS = 40


class Signed(NamedTuple):
    """A signed request whose signature is right: whose it is, who asks, for which user at most, and the request."""

    tenant_id: str
    requester: Actor
    reach: str | None
    text: str
    signature: str


Verify = Callable[[Mapping[str, Any]], Signed]
"""Checks a signed request: `pentad.api.identity.signed.SignedRequests`."""


class RunRequested(NamedTuple):
    """A message, read: what is asked, by which way it came, the key that makes repeats one, and who asks."""

    message: RunMessage
    trigger: Trigger
    idempotency_key: str
    requester: Actor | None = None
    traceparent: str | None = None


class Freed(NamedTuple):
    """A run has ended while others waited for its session."""

    tenant_id: str
    session_id: str


class Died(NamedTuple):
    """AWS ended an execution, or it failed: its run may be open still."""

    tenant_id: str
    run_id: str
    error: ExecutionEnd


class Again(NamedTuple):
    """An operator wants a failed run to go on."""

    tenant_id: str
    run_id: str


Read = RunRequested | Freed | Died | Again


def read_message(body: str, message_id: str) -> Read:
    """Return what a message of the lifecycle queue says.

    The key of a schedule's request is the message's own; else the SQS message's id, which redeliveries keep.

    Raises:
        InvalidInput: not JSON, or a field is wrong.
    """
    content = read_message_body(body)
    kind = content.get("detail-type") if "detail" in content else None
    detail = content.get("detail")
    if isinstance(detail, dict):
        if kind == FINISHED:
            return Freed(*_check_ids(detail, "tenant", "session"))
        if kind == REDRIVE:
            return Again(*_check_ids(detail, "tenant", "run"))
        if kind == EXECUTION_CHANGED:
            return _parse_execution_end(detail)
    message = _own_session(_parse_request(content))
    return RunRequested(message, "schedule", message.idempotency_key or message_id)


def _own_session(message: RunMessage) -> RunMessage:
    """Return a schedule's request with a session that only we make: one of its name may be a user's already."""
    if message.session_id is None:
        return message
    derived = derive_id("ses", message.tenant_id, "schedule", message.agent, message.session_id)
    return message.model_copy(update={"session_id": derived})


def read_request(body: str, verify: Verify) -> RunRequested:
    """Return what a message of the runs queue asks for; it may be an event of the bus, with the request as its detail.

    The key is the request's own; else its signature, which a second delivery has as well.

    Args:
        body: of the message.
        verify: checks the signature.

    Raises:
        InvalidInput: not JSON, not a signed request, or a field is wrong.
        NotAuthenticated: the signature is not that of a valid key.
        PolicyDenied: the key may not ask for this.
        StoreUnavailable: the keys could not be read.
    """
    content = read_message_body(body)
    is_event = "detail-type" in content and "detail" in content
    found = content["detail"] if is_event else content
    given = dict(found) if isinstance(found, dict) else {}
    # Beside the signed text: what carries a message may add it, and it decides nothing.
    traceparent = given.pop(HEADER, None)
    signed = verify(given)
    asked = read_message_body(signed.text)
    tenant_id = asked.setdefault("tenant", signed.tenant_id)
    message = _parse_request(asked)
    if tenant_id != signed.tenant_id or message.tenant_id != signed.tenant_id:
        raise PolicyDenied("the key belongs to another tenant", field="tenant", fix="leave 'tenant' out")
    if signed.reach is not None and message.user_id not in (None, signed.reach):
        raise PolicyDenied("the key belongs to another user", field="user", fix="leave 'user' out")
    user_id = message.user_id or signed.requester.user_id
    key = message.idempotency_key or f"signed-{signed.signature[:_KEY_CHARACTERS]}"
    trigger: Trigger = "event" if is_event else "queue"
    caller = traceparent if isinstance(traceparent, str) else None
    return RunRequested(message.model_copy(update={"user_id": user_id}), trigger, key, signed.requester, caller)


class ReadQueues:
    """Reads the messages of both queues, each as its queue allows.

    Args:
        lifecycle_queue: ARN of the queue that only the stack fills; a message of any other is a request.
        verify: checks signed requests.
    """

    def __init__(self, lifecycle_queue: str, verify: Verify) -> None:
        self._lifecycle_queue = lifecycle_queue
        self._verify = verify

    def __call__(self, queue_arn: str, body: str, message_id: str) -> Read:
        """Return what a message says; see `read_message` and `read_request`."""
        if queue_arn == self._lifecycle_queue:
            return read_message(body, message_id)
        return read_request(body, self._verify)


def build_schedule_message(agent: str, schedule: ScheduleSpec) -> Json:
    """Return the message that a schedule sends: Scheduler puts the time it was due into the key."""
    key = f"schedule/{agent}/{schedule.name}/{_SCHEDULED_TIME}"
    message: Json = {"tenant": schedule.tenant_id, "agent": agent, "message": schedule.message, "idempotency_key": key}
    return message | ({"session": schedule.session_id} if schedule.session_id is not None else {})


def build_redrive_message(tenant_id: str, run_id: str) -> str:
    """Return the message that lets a failed run go on."""
    return json.dumps({"detail-type": REDRIVE, "detail": {"tenant": tenant_id, "run": run_id}})


def _parse_request(content: Json) -> RunMessage:
    try:
        return RunMessage.model_validate(content)
    except ValidationError as error:
        raise to_invalid_input(error) from error


def _parse_execution_end(detail: Json) -> Died:
    try:
        reference = read_strict_json(detail["input"])
        error = _ENDS[detail["status"]]
    except (KeyError, TypeError, ValueError) as failure:
        raise InvalidInput("the event does not name a run", field="detail") from failure
    if not isinstance(reference, dict):
        raise InvalidInput("the event does not name a run", field="detail")
    tenant_id, run_id = _check_ids(reference, "tenant", "run")
    return Died(tenant_id, run_id, error)


def _check_ids(detail: Json, *kinds: str) -> list[str]:
    return [check_id(kind, str(detail.get(kind, ""))) for kind in kinds]
