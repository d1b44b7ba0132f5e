"""Task states that invoke functions.

What moto gets wrong: it rewrites the error payload, gives an error without a type the name `Exception` (AWS:
`Lambda.Unknown`), and refuses `InvocationType`.
"""

import json
from typing import Any, Final

from moto.stepfunctions.parser.api import (
    HistoryEventType,
    LambdaFunctionFailedEventDetails,
)
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_lambda
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_lambda import (
    StateTaskServiceLambda,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_lambda import StateTaskLambda

from twin.machine import clients
from twin.machine.events import event_details
from twin.moto_patches.patching import Patches
from twin.moto_patches.stepfunctions.tasks.services import _build_task_failure

_LAMBDA_FIELDS: Final = ("ExecutedVersion", "LogResult", "Payload", "StatusCode", *clients._METADATA)


_UNKNOWN: Final = "Lambda.Unknown"


def _translate_lambda_error(ex: Exception) -> tuple[str, str] | None:
    if not isinstance(ex, lambda_eval_utils.LambdaFunctionErrorException):
        return clients.translate_optimised_error("lambda", ex)
    try:
        payload = json.loads(ex.payload)
    except (ValueError, RecursionError):
        return _UNKNOWN, ex.payload
    name = payload.get("errorType") if isinstance(payload, dict) else None
    return (name if isinstance(name, str) and name else _UNKNOWN), ex.payload


def _from_lambda_error(original: Any) -> Any:
    def from_error(self: Any, env: Any, ex: Exception) -> Any:
        named = _translate_lambda_error(ex)
        return original(self, env=env, ex=ex) if named is None else _build_task_failure(self, env, *named)

    return from_error


def _from_function_error(original: Any) -> Any:
    """The same for a task whose resource is the function's own ARN."""

    def from_error(self: Any, env: Any, ex: Exception) -> Any:
        named = _translate_lambda_error(ex)
        if named is None:
            return original(self, env=env, ex=ex)
        return FailureEvent(
            env=env,
            error_name=CustomErrorName(named[0]),
            event_type=HistoryEventType.LambdaFunctionFailed,
            event_details=event_details(
                lambdaFunctionFailedEventDetails=LambdaFunctionFailedEventDetails(error=named[0], cause=named[1])
            ),
        )

    return from_error


def invoke_function(env: Any, parameters: dict[str, Any], region: str, state_credentials: Any) -> None:
    """Invoke a function and push the result of the optimised integration.

    Raises:
        LambdaFunctionErrorException: The function failed; carries the payload as it was sent.
    """
    client = clients.create_client(region=region, service="lambda", state_credentials=state_credentials)
    response = client.invoke(**{key: value for key, value in parameters.items() if value is not None})
    text = response["Payload"].read().decode("utf-8", "replace")
    if response.get("FunctionError"):
        raise lambda_eval_utils.LambdaFunctionErrorException(response["FunctionError"], text)
    try:
        response["Payload"] = json.loads(text) if text else ""
    except (ValueError, RecursionError):
        response["Payload"] = text
    env.stack.append({key: response[key] for key in _LAMBDA_FIELDS if key in response})


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    patches.set_attribute(StateTaskServiceLambda, "_from_error", _from_lambda_error(StateTaskServiceLambda._from_error))
    patches.set_attribute(StateTaskLambda, "_from_error", _from_function_error(StateTaskLambda._from_error))
    patches.set_attribute(lambda_eval_utils, "execute_lambda_function_integration", invoke_function)
    bindings = state_task_service_lambda._SUPPORTED_API_PARAM_BINDINGS
    patches.set_attribute(
        state_task_service_lambda,
        "_SUPPORTED_API_PARAM_BINDINGS",
        {**bindings, "invoke": bindings["invoke"] | {"InvocationType"}},
    )
