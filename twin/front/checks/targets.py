"""What EventBridge refuses of a rule's targets beside what its model states (API reference, `PutTargets`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from twin.front.checks.messages import Refusal
from twin.front.model import ApiCall

_INPUTS: Final = ("Input", "InputPath", "InputTransformer")
_BY_ROLE: Final = ("states", "kinesis", "ecs", "batch")
"""Services that EventBridge calls with a role of the target."""


def check_targets(call: ApiCall) -> Refusal | None:
    """Return why targets are not put, None where they are."""
    return next((found for found in map(_check_target, call.params["Targets"]) if found is not None), None)


def _check_target(target: Mapping[str, Any]) -> Refusal | None:
    name, service = target["Id"], str(target["Arn"]).split(":")[2:3]
    if sum(target.get(field) is not None for field in _INPUTS) > 1:
        told = f"Only one of Input, InputPath, or InputTransformer must be provided for target {name}."
        return "ValidationException", told
    if target.get("Input") is not None and not _is_json(target["Input"]):
        return "ValidationException", f"JSON syntax error in input for target {name}"
    if not target.get("RoleArn") and service and service[0] in _BY_ROLE:
        return "ValidationException", f"RoleArn is required for target {target['Arn']}."
    return None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
