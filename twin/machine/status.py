"""Tell of the status of Standard executions, as Step Functions tells EventBridge of them; of Express ones it does not.

Source: "Step Functions Execution Status Change" of the Step Functions developer guide.
"""

import logging
from collections.abc import Callable
from typing import Any, Final

from twin.machine.encoding import dump_json, is_within_quota

logger = logging.getLogger(__name__)

DETAIL_TYPE: Final = "Step Functions Execution Status Change"
SOURCE: Final = "aws.states"
OnStatus = Callable[[dict[str, Any]], None]
"""Takes the detail of an event."""

_listener: OnStatus | None = None


def listen(listener: OnStatus | None) -> None:
    """Set who is told of every change; None forgets it."""
    global _listener
    _listener = listener


def notify(execution: Any, status: str) -> None:
    """Tell of a new status of an execution."""
    listener = _listener
    if listener is None or execution.sm_type == "EXPRESS":
        return
    try:
        listener(_build_detail(execution, status))
    except Exception:  # the boundary: whoever listens must not break an execution
        logger.exception("the event that '%s' is %s was not sent", execution.exec_arn, status)


def _build_detail(execution: Any, status: str) -> dict[str, Any]:
    output = dump_json(execution.output) if status == "SUCCEEDED" else None
    ended = status != "RUNNING"
    return {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine_arn,
        "stateMachineVersionArn": execution.version_arn,
        "stateMachineAliasArn": execution.alias_arn,
        "name": execution.name,
        "status": status,
        "startDate": round(execution.start_date.timestamp() * 1000),
        "stopDate": round(execution.stop_date.timestamp() * 1000) if ended else None,
        "input": execution.execution_input,
        "inputDetails": {"included": True},
        "output": output if output is None or is_within_quota(output) else None,
        "outputDetails": {"included": True} if output is not None else None,
        "error": execution.error,
        "cause": execution.cause,
        **_describe_redrives(execution, status),
    }


def _describe_redrives(execution: Any, status: str) -> dict[str, Any]:
    told: dict[str, Any] = execution.redrives.describe(execution, status)
    date = told["redriveDate"]
    return told | {"redriveDate": date and round(date.timestamp() * 1000)}
