"""Read and write the messages of the runs queue."""

import json
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from pentad.domain.declarations.agents import ScheduleSpec
from pentad.domain.display.unicode_text import mend_escapes
from pentad.domain.errors import InvalidInput
from pentad.domain.ids import check_id
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


class RunRequested(NamedTuple):
    """A message, read: what is asked, by which way it came, and the key that makes repeats one."""

    message: RunMessage
    trigger: Trigger
    idempotency_key: str


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
    """Return what a queue's message says.

    The key of a request is the message's own; else the event's id, where the body is an event of EventBridge; else the
    SQS message's id, which redeliveries keep.

    Raises:
        InvalidInput: not JSON, or a field is wrong.
    """
    try:
        content: Any = json.loads(mend_escapes(body))
    except ValueError as error:
        raise InvalidInput("the message is not valid JSON", field="body", fix="send one JSON object") from error
    if not isinstance(content, dict):
        raise InvalidInput("the message is not a JSON object", field="body", fix="send one JSON object")
    kind = content.get("detail-type") if "detail" in content else None
    detail = content.get("detail")
    if isinstance(detail, dict):
        if kind == FINISHED:
            return Freed(*_check_ids(detail, "tenant", "session"))
        if kind == REDRIVE:
            return Again(*_check_ids(detail, "tenant", "run"))
        if kind == EXECUTION_CHANGED:
            return _parse_execution_end(detail)
    return _parse_request(content, message_id, is_event="detail-type" in content and "detail" in content)


def build_schedule_message(agent: str, schedule: ScheduleSpec) -> Json:
    """Return the message that a schedule sends: Scheduler puts the time it was due into the key."""
    key = f"schedule/{agent}/{schedule.name}/{_SCHEDULED_TIME}"
    message: Json = {"tenant": schedule.tenant_id, "agent": agent, "message": schedule.message, "idempotency_key": key}
    return message | ({"session": schedule.session_id} if schedule.session_id is not None else {})


def build_redrive_message(tenant_id: str, run_id: str) -> str:
    """Return the message that lets a failed run go on."""
    return json.dumps({"detail-type": REDRIVE, "detail": {"tenant": tenant_id, "run": run_id}})


def _parse_request(content: Json, message_id: str, *, is_event: bool) -> RunRequested:
    try:
        message = RunMessage.model_validate(content["detail"] if is_event else content)
    except ValidationError as error:
        raise to_invalid_input(error) from error
    fallback = str(content.get("id") or message_id) if is_event else message_id
    key = message.idempotency_key or fallback
    trigger: Trigger = "event" if is_event else "schedule" if key.startswith("schedule/") else "queue"
    return RunRequested(message, trigger, key)


def _parse_execution_end(detail: Json) -> Died:
    try:
        reference = json.loads(detail["input"])
        error = _ENDS[detail["status"]]
    except (KeyError, TypeError, ValueError) as failure:
        raise InvalidInput("the event does not name a run", field="detail") from failure
    if not isinstance(reference, dict):
        raise InvalidInput("the event does not name a run", field="detail")
    tenant_id, run_id = _check_ids(reference, "tenant", "run")
    return Died(tenant_id, run_id, error)


def _check_ids(detail: Json, *kinds: str) -> list[str]:
    return [check_id(kind, str(detail.get(kind, ""))) for kind in kinds]
