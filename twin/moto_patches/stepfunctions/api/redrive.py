"""RedriveExecution.

What moto gets wrong: the operation does not exist.
"""

from typing import Any

from moto.core.responses import ActionResult
from moto.stepfunctions.responses import StepFunctionResponse

from twin.machine.executions import STOP_SECONDS, lock
from twin.machine.express import refuse_express_execution
from twin.machine.operations.redrive import NotRedrivableError, find_reason
from twin.moto_patches.patching import Patches


def _redrive_execution(self: Any) -> ActionResult:
    arn, token = self._get_param("executionArn"), self._get_param("clientToken")
    refuse_express_execution(arn)
    execution = self.stepfunction_backend.describe_execution(arn)
    execution.settled.wait(STOP_SECONDS)  # what has just ended is still telling of it
    with lock:
        known = execution.redrives.find(token)
        if known is not None:
            return ActionResult({"redriveDate": known})
        status = execution.status if execution.settled.is_set() else "RUNNING"
        reason = find_reason(execution, status)
        if reason is not None:
            raise NotRedrivableError(reason)
        return ActionResult({"redriveDate": execution.redrive(token)})


def apply(patches: Patches) -> None:
    """Install the patch of this module."""
    patches.set_attribute(StepFunctionResponse, "redrive_execution", _redrive_execution)
