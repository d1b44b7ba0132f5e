"""Express machines: what they may not contain, how long they live, and the operations that know nothing of them.

What moto gets wrong: it takes every machine for a Standard one. Source: "Choosing workflow type" of the Step Functions
developer guide, and its quotas.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from moto.core.exceptions import AWSError

from twin.machine.definitions import InvalidDefinitionError

_PATTERN: Final = re.compile(r"\.(sync(:2)?|waitForTaskToken)$")


class TypeNotSupportedError(AWSError):
    """An operation that knows Standard machines only."""

    TYPE = "StateMachineTypeNotSupported"
    STATUS = 400

    def __init__(self) -> None:
        super().__init__("This operation is not supported by this type of state machine")


class InvalidArnError(AWSError):
    """An operation on executions was given that of an Express machine."""

    TYPE = "InvalidArn"
    STATUS = 400

    def __init__(self) -> None:
        super().__init__("Invalid Arn: 'Resource type not valid in this context: express'")


def strip_qualifier(machine_arn: str) -> str:
    """Return a state machine's ARN without the version or alias behind it."""
    return ":".join(machine_arn.split(":")[:7])


def refuse_express_execution(execution_arn: str) -> None:
    """Refuse an operation that has no record of Express executions.

    Raises:
        InvalidArnError: the execution is one.
    """
    if execution_arn.split(":")[5:6] == ["express"]:
        raise InvalidArnError


def refuse_express_machine(machine: Any) -> None:
    """Refuse an operation that lists executions.

    Raises:
        TypeNotSupportedError: the machine is an Express one.
    """
    if machine.type == "EXPRESS":
        raise TypeNotSupportedError


def check_definition(definition: str) -> None:
    """Refuse what an Express machine cannot do.

    Raises:
        InvalidDefinitionError: it waits for a callback or another service's end, works on an activity, or has a
            distributed Map.
    """
    for name, state in _walk_states(json.loads(definition)):
        resource = str(state.get("Resource", ""))
        found = _PATTERN.search(resource)
        if found:
            raise InvalidDefinitionError(
                "SCHEMA_VALIDATION_FAILED: Express state machine does not support "
                f"'{found.group()}' service integration at /States/{name}/Resource"
            )
        if ":activity:" in resource:
            raise InvalidDefinitionError(
                "SCHEMA_VALIDATION_FAILED: Express state machine does not support Activity ARN"
            )
        if state.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
            raise InvalidDefinitionError(
                f"SCHEMA_VALIDATION_FAILED: Express state machine does not support a distributed Map at /States/{name}"
            )


def _walk_states(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in body.get("States", {}).items():
        yield name, state
        for inner in (state.get("ItemProcessor", {}), state.get("Iterator", {}), *state.get("Branches", [])):
            yield from _walk_states(inner)
