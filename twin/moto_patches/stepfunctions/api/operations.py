"""The operations of the Step Functions API that moto answers incompletely or not at all.

What moto gets wrong: histories are not paged and ignore `reverseOrder`; executions that timed out have no stop date;
an output that is a string is not JSON; `StopExecution` and `SendTaskFailure` drop what they were given;
`StartSyncExecution` does not exist; who asks for an execution that is listed and not started yet gets an error.
"""

import base64
import binascii
import copy
from typing import Any, Final

from moto.core.exceptions import AWSError
from moto.core.responses import ActionResult, EmptyResult
from moto.stepfunctions.responses import StepFunctionResponse

from twin.machine.encoding import dump_json
from twin.machine.express import (
    TypeNotSupportedError,
    refuse_express_execution,
    refuse_express_machine,
    strip_qualifier,
)
from twin.machine.lifecycle import LIFETIME
from twin.machine.operations.execution_logs import strip_data
from twin.moto_patches.patching import Patches
from twin.moto_patches.stepfunctions.api.map_runs import read_run

_PAGE: Final = 100
_MAX_PAGE: Final = 1000


class ApiError(AWSError):
    """An error of the API by its AWS name."""

    STATUS = 400

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message, exception_type=name)


def _build_description(execution: Any) -> dict[str, Any]:
    # Read first: it is set last.
    status = "RUNNING" if execution.exec_status is None else execution.status
    response: dict[str, Any] = {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "status": status,
        "startDate": execution.start_date,
        "input": execution.execution_input,
        "inputDetails": {"included": True},
    }
    optional = {
        "stateMachineVersionArn": execution.version_arn,
        "stateMachineAliasArn": execution.alias_arn,
        "error": execution.error,
        "cause": execution.cause,
        "traceHeader": execution.trace_header,
        "stopDate": execution.stop_date if status != "RUNNING" else None,
    }
    response.update({key: value for key, value in optional.items() if value is not None})
    if status == "SUCCEEDED":
        response["output"] = dump_json(execution.output)
        response["outputDetails"] = {"included": True}
    return response


def _describe_execution(self: Any) -> ActionResult:
    refuse_express_execution(self._get_param("executionArn"))
    execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    described = _build_description(execution)
    redrives = execution.redrives.describe(execution, described["status"])
    return ActionResult(described | {name: value for name, value in redrives.items() if value is not None})


def _list_executions(self: Any) -> ActionResult:
    if self._get_param("mapRunArn"):
        return _list_children(self)
    arn = self._get_param("stateMachineArn")
    refuse_express_machine(self.stepfunction_backend.describe_state_machine(strip_qualifier(arn)))
    results, token = self.stepfunction_backend.list_executions(
        arn,
        status_filter=self._get_param("statusFilter"),
        redrive_filter=self._get_param("redriveFilter"),
        max_results=self._get_int_param("maxResults"),
        next_token=self._get_param("nextToken"),
    )
    return ActionResult({"executions": [_build_entry(one) for one in results], "nextToken": token})


def _build_entry(execution: Any) -> dict[str, Any]:
    """Return what a list of executions says of one."""
    described = ("executionArn", "stateMachineArn", "name", "status", "startDate", "stopDate", "stateMachineVersionArn")
    redrives = {"redriveCount": execution.redrives.count, "redriveDate": execution.redrives.date}
    found = _build_description(execution) | redrives
    return {key: found[key] for key in (*described, *redrives) if found.get(key) is not None}


def _list_children(self: Any) -> ActionResult:
    """List the child executions of a Map Run that are kept."""
    run_arn, wanted = self._get_param("mapRunArn"), self._get_param("statusFilter")
    size = min(int(self._get_param("maxResults") or _PAGE), _MAX_PAGE)
    start = _decode_token(self._get_param("nextToken"))
    entries = [_build_entry(child) | {"mapRunArn": run_arn} for child in read_run(run_arn).iter_children()]
    found = [entry for entry in entries if wanted in (None, entry["status"])]
    response: dict[str, Any] = {"executions": found[start : start + size]}
    if start + size < len(found):
        response["nextToken"] = base64.b64encode(str(start + size).encode()).decode()
    return ActionResult(response)


def _decode_token(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.b64decode(token, validate=True))
    except (binascii.Error, ValueError) as exc:
        raise ApiError("InvalidToken", "Invalid Token: 'Invalid token'") from exc


def _strip_data(event: dict[str, Any]) -> dict[str, Any]:
    return {key: strip_data(value) if isinstance(value, dict) else value for key, value in event.items()}


def _get_execution_history(self: Any) -> ActionResult:
    refuse_express_execution(self._get_param("executionArn"))
    size = min(int(self._get_param("maxResults") or _PAGE), _MAX_PAGE)
    start = _decode_token(self._get_param("nextToken"))
    execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    events, more = _read_page(execution, start, size, backwards=bool(self._get_param("reverseOrder")))
    if self._get_param("includeExecutionData") is False:
        events = [_strip_data(event) for event in events]
    response: dict[str, Any] = {"events": events}
    if more:
        response["nextToken"] = base64.b64encode(str(start + size).encode()).decode()
    return ActionResult(response)


def _read_page(execution: Any, start: int, size: int, *, backwards: bool) -> tuple[list[dict[str, Any]], bool]:
    """Return events of a history, and whether there are more; moto copies the whole history for every page."""
    environment = execution.exec_worker.env
    if environment is None:
        return [], False  # It has not begun.
    manager = environment.event_manager
    with manager._mutex:
        events = manager._history_event_list
        ordered = events[::-1] if backwards else events
        return copy.deepcopy(ordered[start : start + size]), start + size < len(events)


def _stop_execution(self: Any) -> ActionResult:
    refuse_express_execution(self._get_param("executionArn"))
    execution = self.stepfunction_backend.stop_execution(
        self._get_param("executionArn"), error=self._get_param("error"), cause=self._get_param("cause")
    )
    return ActionResult({"stopDate": execution.stop_date})


def _send_task_failure(self: Any) -> ActionResult:
    self.stepfunction_backend.send_task_failure(
        self._get_param("taskToken"), error=self._get_param("error"), cause=self._get_param("cause")
    )
    return EmptyResult()


def _start_sync_execution(self: Any) -> ActionResult:
    backend = self.stepfunction_backend
    arn = self._get_param("stateMachineArn")
    if backend.describe_state_machine(strip_qualifier(arn)).type != "EXPRESS":
        raise TypeNotSupportedError
    execution = backend.start_execution(arn, self._get_param("name"), self._get_param("input", if_none="{}"))
    if not execution.finished.wait(LIFETIME):
        execution.exec_worker.env.set_timed_out()
        execution.finished.wait()
    status = {"ABORTED": "FAILED"}.get(execution.status, execution.status)
    return ActionResult({**_build_description(execution), "status": status})


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    for name, operation in (
        ("describe_execution", _describe_execution),
        ("list_executions", _list_executions),
        ("get_execution_history", _get_execution_history),
        ("stop_execution", _stop_execution),
        ("send_task_failure", _send_task_failure),
        ("start_sync_execution", _start_sync_execution),
    ):
        patches.set_attribute(StepFunctionResponse, name, operation)
