"""Task states that call services: requests and responses in the right case, errors by their AWS names.

moto 5.2.5 hands requests and responses through without changing the case of their fields, so `executionArn` never
becomes `ExecutionArn`; it names most errors otherwise than AWS, drops the SDK's metadata, and calls with fixed keys.
`twin.machine.clients` makes the calls instead.
"""

import copy
from typing import Any

from moto.stepfunctions.parser.api import (
    HistoryEventType,
    TaskFailedEventDetails,
)
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_dynamodb import (
    StateTaskServiceDynamoDB,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_events import (
    StateTaskServiceEvents,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sfn import (
    StateTaskServiceSfn,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sns import (
    StateTaskServiceSns,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sqs import (
    StateTaskServiceSqs,
)
from moto.stepfunctions.parser.asl.utils import boto_client

from twin.machine import clients
from twin.machine.events import event_details
from twin.moto_patches.patching import Patches


def _normalise_parameters(
    self: Any, parameters: dict[str, Any], boto_service_name: str | None = None, service_action_name: str | None = None
) -> None:
    service = self._get_boto_service_name(boto_service_name)
    action = self._get_boto_service_action(service_action_name)
    converted = clients.to_boto(copy.deepcopy(parameters), service=service, action=action)
    parameters.clear()
    parameters.update(converted)


def _normalise_response(
    self: Any, response: Any, boto_service_name: str | None = None, service_action_name: str | None = None
) -> None:
    if not isinstance(response, dict):
        return
    is_sdk = self.resource.service_name == "aws-sdk"
    if is_sdk:
        for name in clients._METADATA:
            response.pop(name, None)
    if self.resource.service_name == "lambda":
        return
    converted = clients.from_boto(
        response,
        service=self._get_boto_service_name(boto_service_name),
        action=self._get_boto_service_action(service_action_name),
        as_millis=not is_sdk,
    )
    response.clear()
    response.update(converted)


def _resolve_service(self: Any, boto_service_name: str | None = None) -> str:
    return clients.to_boto_name(boto_service_name or self.resource.api_name)


def _build_task_failure(self: Any, env: Any, error: str, cause: str) -> FailureEvent:
    return FailureEvent(
        env=env,
        error_name=CustomErrorName(error),
        event_type=HistoryEventType.TaskFailed,
        event_details=event_details(
            taskFailedEventDetails=TaskFailedEventDetails(
                error=error,
                cause=cause,
                resource=self._get_sfn_resource(),
                resourceType=self._get_sfn_resource_type(),
            )
        ),
    )


def _from_service_error(original: Any) -> Any:
    """Name a service's error as AWS does; leave every other error to moto."""

    def from_error(self: Any, env: Any, ex: Exception) -> Any:
        named = clients.translate_optimised_error(self.resource.service_name, ex)
        return original(self, env=env, ex=ex) if named is None else _build_task_failure(self, env, *named)

    return from_error


def _from_sdk_error(original: Any) -> Any:
    def from_error(self: Any, env: Any, ex: Exception) -> Any:
        named = clients.translate_sdk_error(self.resource.api_name, ex)
        return original(self, env=env, ex=ex) if named is None else _build_task_failure(self, env, *named)

    return from_error


def _from_dynamodb_error(self: Any, env: Any, ex: Exception) -> Any:
    """Moto reports everything here, a time limit too, as a DynamoDB error."""
    named = clients.translate_optimised_error("dynamodb", ex)
    if named is None:
        return super(StateTaskServiceDynamoDB, self)._from_error(env=env, ex=ex)
    return _build_task_failure(self, env, *named)


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    patches.replace_everywhere(boto_client.boto_client_for, clients.create_client)
    patches.set_attribute(StateTaskService, "_normalise_parameters", _normalise_parameters)
    patches.set_attribute(StateTaskService, "_normalise_response", _normalise_response)
    patches.set_attribute(StateTaskService, "_get_boto_service_name", _resolve_service)
    for service in (StateTaskServiceEvents, StateTaskServiceSfn, StateTaskServiceSns, StateTaskServiceSqs):
        patches.set_attribute(service, "_from_error", _from_service_error(service._from_error))
    patches.set_attribute(StateTaskServiceAwsSdk, "_from_error", _from_sdk_error(StateTaskServiceAwsSdk._from_error))
    patches.set_attribute(StateTaskServiceDynamoDB, "_from_error", _from_dynamodb_error)
