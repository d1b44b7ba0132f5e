"""ValidateStateMachineDefinition, by the checks that CreateStateMachine makes.

What moto gets wrong: the operation does not exist. Warnings are never found: a severity of WARNING brings the errors.
"""

from typing import Any, Final

from moto.core.responses import ActionResult
from moto.stepfunctions.responses import StepFunctionResponse

from twin.machine.definitions import Diagnostic, InvalidDefinitionError, find_diagnostics
from twin.machine.express import check_definition
from twin.moto_patches.patching import Patches
from twin.moto_patches.stepfunctions.api.operations import ApiError

_MOST: Final = 100
_ENUMS: Final = {"type": ("STANDARD", "EXPRESS"), "severity": ("ERROR", "WARNING")}


def _validate_definition(self: Any) -> ActionResult:
    for name, allowed in _ENUMS.items():
        _check_enum(name, self._get_param(name), allowed)
    found = find_diagnostics(self._get_param("definition"))
    if not found and self._get_param("type") == "EXPRESS":
        found = _find_express(self._get_param("definition"))
    most = int(self._get_param("maxResults") or _MOST)
    told = [{"severity": "ERROR", **_describe(one)} for one in found[:most]]
    return ActionResult({"result": "FAIL" if found else "OK", "diagnostics": told, "truncated": len(found) > most})


def _check_enum(name: str, value: str | None, allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        raise ApiError(
            "ValidationException",
            f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: Member must "
            f"satisfy enum value set: [{', '.join(allowed)}]",
        )


def _find_express(definition: str) -> list[Diagnostic]:
    try:
        check_definition(definition)
    except InvalidDefinitionError as error:
        code, _, message = error.reason.partition(": ")
        text, _, location = message.partition(" at /")
        return [Diagnostic(code, text, f"/{location}" if location else "")]
    return []


def _describe(one: Diagnostic) -> dict[str, str]:
    shown = {"code": one.code, "message": one.message}
    return shown | ({"location": one.location} if one.location else {})


def apply(patches: Patches) -> None:
    """Install the patch of this module."""
    patches.set_attribute(StepFunctionResponse, "validate_state_machine_definition", _validate_definition)
