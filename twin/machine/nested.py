"""`states:startExecution.sync` and `.sync:2`: the parent waits for the child and stops it when it is stopped itself.

What moto gets wrong: it looks for `ExecutionArn` in a response that has `executionArn`, so both fail; it would look
twice a second; a child goes on when its parent was stopped or timed out.
"""

import contextlib
import json
import threading
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition

from twin.machine import clients, executions
from twin.machine.encoding import dump_json
from twin.machine.events import event_details
from twin.machine.lifecycle import AbandonedError
from twin.machine.tokens import TaskCallback

_SHOWN: Final = (
    "executionArn",
    "stateMachineArn",
    "name",
    "status",
    "startDate",
    "stopDate",
    "input",
    "inputDetails",
    "output",
    "outputDetails",
    "error",
    "cause",
)
"""Fields of DescribeExecution that recordings show in a task's output."""


class Child:
    """An execution that a task has started and waits for."""

    def __init__(self, task: Any, env: Any, submitted: dict[str, Any], region: str, credentials: Any) -> None:
        self._task = task
        self._env = env
        self._arn = str(submitted["ExecutionArn"])
        self._client = clients.create_client(service="stepfunctions", region=region, state_credentials=credentials)

    def wait(self, endpoint: TaskCallback, heartbeat: float | None) -> tuple[Any, Any]:
        """Wait for the child or an answer to the task's token; return the answer and the child's description.

        Raises:
            FailureEventException: The child did not succeed.
            AbandonedError: The parent was stopped or timed out; the child is being stopped.
        """
        execution = executions.find(self._arn)
        if execution is None:
            return None, self._read_result()
        execution.add_done_callback(endpoint.notify)
        try:
            outcome = endpoint.wait(heartbeat, execution.finished.is_set)
        except AbandonedError:
            # The task's own thread ends here; the stop must not hold up the parent's end.
            threading.Thread(target=self._stop, name="stop child execution", daemon=True).start()
            raise
        return (outcome, None) if outcome is not None else (None, self._read_result())

    def _stop(self) -> None:
        with contextlib.suppress(ClientError, BotoCoreError):  # best effort, as on AWS
            self._client.stop_execution(executionArn=self._arn)

    def _read_result(self) -> Any:
        described = self._client.describe_execution(executionArn=self._arn)
        succeeded = described["status"] == "SUCCEEDED"
        shown = {key: described[key] for key in _SHOWN if described.get(key) is not None}
        if not succeeded:
            shown.pop("outputDetails", None)
        result = clients.from_boto(shown, service="stepfunctions", action="describe_execution", as_millis=True)
        if self._task.resource.condition == ResourceCondition.Sync2:
            for key in ("Input", "Output"):
                if key in result:
                    result[key] = json.loads(result[key])
        if succeeded:
            return result
        raise FailureEventException(
            FailureEvent(
                env=self._env,
                error_name=StatesErrorName(typ=StatesErrorNameType.StatesTaskFailed),
                event_type=HistoryEventType.TaskFailed,
                event_details=event_details(
                    taskFailedEventDetails=TaskFailedEventDetails(
                        resource=self._task._get_sfn_resource(),
                        resourceType=self._task._get_sfn_resource_type(),
                        error=StatesErrorNameType.StatesTaskFailed.to_name(),
                        cause=dump_json(result),
                    )
                ),
            )
        )
