"""The operations on versions that moto does not have: publish, list and delete; and the executions of one version.

What moto gets wrong: there is no `PublishStateMachineVersion`, `ListStateMachineVersions` or
`DeleteStateMachineVersion`, and `ListExecutions` knows neither versions nor aliases.
"""

from typing import Any, Final

from moto.core.exceptions import AWSError
from moto.core.responses import ActionResult, EmptyResult
from moto.stepfunctions.exceptions import StateMachineDoesNotExist
from moto.stepfunctions.models import StepFunctionBackend
from moto.stepfunctions.responses import StepFunctionResponse
from moto.stepfunctions.utils import PAGINATION_MODEL
from moto.utilities.paginator import paginate

from twin.machine.express import strip_qualifier
from twin.moto_patches.patching import Patches

_PAGE: Final = 1000


class ConflictError(AWSError):
    """An alias leads to the version."""

    TYPE = "ConflictException"
    STATUS = 400


def _get_machine(self: Any, arn: str) -> Any:
    found = next((one for one in self.stepfunction_backend.state_machines if one.arn == strip_qualifier(arn)), None)
    if found is None:
        raise StateMachineDoesNotExist(f"State Machine Does Not Exist: '{arn}'")
    return found


def _list(self: Any) -> ActionResult:
    """The newest first, all on one page: a machine has at most 1,000 versions."""
    machine = _get_machine(self, self._get_param("stateMachineArn"))
    newest = sorted(machine.versions.items(), reverse=True)[:_PAGE]
    listed = [{"stateMachineVersionArn": version.arn, "creationDate": version.creation_date} for _, version in newest]
    return ActionResult({"stateMachineVersions": listed})


def _publish(self: Any) -> ActionResult:
    machine = _get_machine(self, self._get_param("stateMachineArn"))
    machine.publish(description=self._get_param("description"))
    version = machine.latest_version
    return ActionResult({"stateMachineVersionArn": version.arn, "creationDate": version.creation_date})


def _delete(self: Any) -> EmptyResult:
    arn = self._get_param("stateMachineVersionArn")
    machine = _get_machine(self, arn)
    routes = [route for alias in machine.aliases.values() for route in alias.routing_configuration]
    if any(route["stateMachineVersionArn"] == arn for route in routes):
        raise ConflictError(f"Version to be deleted must not be referenced by an alias: '{arn}'")
    machine.versions.pop(int(arn.rpartition(":")[2]), None)
    return EmptyResult()


def _wrap_list_executions(original: Any) -> Any:
    def list_executions(
        self: Any, state_machine_arn: str, status_filter: str | None = None, redrive_filter: str | None = None
    ) -> Any:
        machine = strip_qualifier(state_machine_arn)
        found = original(self, machine, status_filter=status_filter)
        if redrive_filter is not None:
            found = [one for one in found if (one.redrives.count > 0) == (redrive_filter == "REDRIVEN")]
        if machine == state_machine_arn:
            return found
        return [one for one in found if state_machine_arn in (one.version_arn, one.alias_arn)]

    return paginate(pagination_model=PAGINATION_MODEL)(list_executions)


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    patches.set_attribute(StepFunctionResponse, "list_state_machine_versions", _list)
    patches.set_attribute(StepFunctionResponse, "publish_state_machine_version", _publish)
    patches.set_attribute(StepFunctionResponse, "delete_state_machine_version", _delete)
    paged: Any = StepFunctionBackend.list_executions
    patches.set_attribute(StepFunctionBackend, "list_executions", _wrap_list_executions(paged.__wrapped__))
