"""TestState.

What moto gets wrong: the operation does not exist.
"""

import json
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.stepfunctions.exceptions import InvalidExecutionInput
from moto.stepfunctions.responses import StepFunctionResponse

from twin.machine.definitions import InvalidDefinitionError
from twin.machine.encoding import is_within_quota
from twin.machine.operations.state_tests import Json, StateTest, find_state, run_state
from twin.moto_patches.patching import Patches
from twin.moto_patches.stepfunctions.api.operations import ApiError

LEVELS: Final = ("INFO", "DEBUG", "TRACE")
_NAME: Final = "TestState"
_MOCKED: Final = ("Task", "Map", "Parallel")
WITHOUT: Final = ("mapIterationFailureCount", "mapItemReaderData")
"""Fields of `stateConfiguration` that the twin refuses: they are of Map states' inner steps."""
_PATTERNS: Final = (".sync", ".sync:2", ".waitForTaskToken")


def _test_state(self: Any) -> ActionResult:
    level = self._get_param("inspectionLevel") or "INFO"
    if level not in LEVELS:
        raise _refuse(f"'inspectionLevel' must be one of {', '.join(LEVELS)}")
    test = _read_test(self)
    backend = self.stepfunction_backend
    try:
        found = run_state(test, account=backend.account_id, region=backend.region_name)
    except Exception as error:  # the parser refuses a definition with any type of error
        raise InvalidDefinitionError(f"SCHEMA_VALIDATION_FAILED: {error}") from error
    return ActionResult(found.answer if level == "INFO" else found.answer | {"inspectionData": found.inspection})


def _read_test(self: Any) -> StateTest:
    """Read the request.

    Raises:
        ApiError: ValidationException, for what does not fit together or is not there on the twin.
        InvalidDefinitionError: no state is defined.
        InvalidExecutionInput: the input is not JSON or too large.
    """
    name, state, language = _find_state(self._get_param("definition"), self._get_param("stateName"))
    mock = self._get_param("mock")
    _check_mock(state, mock, self._get_param("context"), self._get_param("roleArn"))
    configuration = self._get_param("stateConfiguration") or {}
    unknown = [field for field in WITHOUT if field in configuration]
    if unknown:
        raise _refuse(f"the local twin does not know 'stateConfiguration.{unknown[0]}'")
    return StateTest(
        state=state,
        name=name,
        language=language,
        value=_read_input(self._get_param("input")),
        variables=_read_object("variables", self._get_param("variables")),
        role=self._get_param("roleArn") or "",
        mock=mock,
        context=_read_object("context", self._get_param("context")),
        retries=int(configuration.get("retrierRetryCount") or 0),
    )


def _find_state(text: str, name: str | None) -> tuple[str, Json, str]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidDefinitionError(f"INVALID_JSON_DESCRIPTION: {error}") from error
    if not isinstance(body, dict):
        raise InvalidDefinitionError("SCHEMA_VALIDATION_FAILED: the definition is not an object")
    state = body if name is None else find_state(body, name)
    if state is None:
        raise _refuse(f"State not found in definition: '{name}'")
    if "Type" not in state:
        raise InvalidDefinitionError("MISSING_STATE_TYPE: the state has no Type at /")
    language = state.get("QueryLanguage") or body.get("QueryLanguage") or "JSONPath"
    return name or _NAME, state, language


def _check_mock(state: Json, mock: Json | None, context: str | None, role: str | None) -> None:
    kind, resource = state["Type"], str(state.get("Resource", ""))
    if mock is None:
        if context is not None:
            raise _refuse("'context' may only be given with a mock")
        if kind in ("Map", "Parallel") or ":activity:" in resource or resource.endswith(_PATTERNS):
            raise _refuse(f"this state needs a mock: {resource or kind}")
        if kind == "Task" and not role:
            raise _refuse("a Task state needs 'roleArn' or a mock")
        return
    if kind not in _MOCKED:
        raise _refuse(f"a state of type '{kind}' takes no mock")
    if ("result" in mock) == ("errorOutput" in mock):
        raise _refuse("a mock has either 'result' or 'errorOutput'")
    if "result" in mock:
        result = _parse("mock.result", mock["result"])
        if kind != "Task" and not isinstance(result, list):
            raise _refuse(f"the mocked result of a {kind} state must be an array")
    elif not mock["errorOutput"].get("error"):
        raise _refuse("'mock.errorOutput.error' is required")


def _read_input(text: str | None) -> Any:
    if text is None:
        return {}
    if not is_within_quota(text):
        raise InvalidExecutionInput("Invalid State Machine Execution Input: 'the input exceeds 262144 bytes'")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidExecutionInput(f"Invalid State Machine Execution Input: '{error}'") from error


def _read_object(name: str, text: str | None) -> Json:
    found = {} if text is None else _parse(name, text)
    if not isinstance(found, dict):
        raise _refuse(f"'{name}' must be a JSON object")
    return found


def _parse(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refuse(f"'{name}' is not JSON: {error}") from error


def _refuse(reason: str) -> ApiError:
    return ApiError("ValidationException", reason)


def apply(patches: Patches) -> None:
    """Install the patch of this module."""
    patches.set_attribute(StepFunctionResponse, "test_state", _test_state)
