"""Executions in Step Functions."""

import json
from typing import Any

from botocore.exceptions import ClientError

from pentad.aws.errors import code_of, translate_errors
from pentad.domain.declarations.agents import Catalog
from pentad.domain.errors import InvalidTransition, NotFound
from pentad.orchestration.runs.machine_arns import MachineArns
from pentad.orchestration.runs.ports import MACHINE_ALIAS

HISTORY_EVENTS = 25_000
"""A Standard execution has at most so many events (Step Functions quotas)."""
_HISTORY_PAGE = 1000
_NONE = MachineArns("", Catalog(agents={}, tools={}))


def is_express(execution_arn: str) -> bool:
    """Tell whether an execution is one of an Express machine: Step Functions has no API that tells of those."""
    return ":express:" in execution_arn


class StepFunctions:
    """A `WorkflowEngine`.

    Args:
        client: a low-level Step Functions client.
        machines: where executions are started; without them none is.
    """

    def __init__(self, client: Any, machines: MachineArns = _NONE) -> None:
        self._client = client
        self._machines = machines

    def start(self, agent: str, name: str, payload: dict[str, Any]) -> str:
        """See `WorkflowEngine`."""
        machine = self._machines.get_machine(agent)
        with translate_errors("Step Functions"):
            try:
                reply = self._client.start_execution(
                    stateMachineArn=f"{machine}:{MACHINE_ALIAS}",
                    name=name,
                    input=json.dumps(payload, separators=(",", ":")),
                )
            except ClientError as error:
                code = code_of(error)
                if code == "ExecutionAlreadyExists":
                    return self.build_execution_arn(agent, name)
                if code in {"StateMachineDoesNotExist", "StateMachineDeleting"}:
                    raise NotFound(
                        f"the agent '{agent}' has no state machine", field="agent", fix="deploy the agent"
                    ) from error
                raise
        return str(reply["executionArn"])

    def build_execution_arn(self, agent: str, name: str) -> str:
        """See `WorkflowEngine`."""
        return self._machines.get_execution(agent, name)

    def stop(self, execution_arn: str, *, error: str, cause: str) -> None:
        """See `WorkflowEngine`."""
        if is_express(execution_arn):
            return
        with translate_errors("Step Functions"):
            try:
                self._client.stop_execution(executionArn=execution_arn, error=error, cause=cause)
            except ClientError as failure:
                if code_of(failure) != "ExecutionDoesNotExist":
                    raise

    def complete_task(self, task_token: str, output: dict[str, Any]) -> None:
        """See `WorkflowEngine`."""
        with translate_errors("Step Functions"):
            try:
                self._client.send_task_success(taskToken=task_token, output=json.dumps(output, separators=(",", ":")))
            except ClientError as error:
                if code_of(error) not in {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"}:
                    raise
                raise InvalidTransition("the task no longer waits", field="approval") from error

    def is_running(self, execution_arn: str) -> bool:
        """See `WorkflowEngine`."""
        if is_express(execution_arn):
            return True
        with translate_errors("Step Functions"):
            try:
                reply = self._client.describe_execution(executionArn=execution_arn)
            except ClientError as error:
                if code_of(error) != "ExecutionDoesNotExist":
                    raise
                return True
        return bool(reply["status"] in {"RUNNING", "PENDING_REDRIVE"})

    def get_history(self, execution_arn: str) -> list[dict[str, Any]]:
        """See `WorkflowEngine`."""
        if is_express(execution_arn):
            return []
        events: list[dict[str, Any]] = []
        request: dict[str, Any] = {"executionArn": execution_arn, "maxResults": _HISTORY_PAGE}
        while len(events) < HISTORY_EVENTS:
            with translate_errors("Step Functions"):
                try:
                    reply = self._client.get_execution_history(**request)
                except ClientError as error:
                    if code_of(error) != "ExecutionDoesNotExist":
                        raise
                    raise NotFound("no such execution", field="run") from error
            events.extend(reply["events"])
            token = reply.get("nextToken")
            if not token or not reply["events"]:
                break
            request["nextToken"] = token
        return events[:HISTORY_EVENTS]
