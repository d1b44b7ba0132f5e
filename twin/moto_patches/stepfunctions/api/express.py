"""Making and changing machines.

What moto gets wrong: it takes every machine for a Standard one, so that Express machines may have what they cannot run;
a name that is taken gives the machine that is there, whatever was asked for; any logging configuration is taken.
"""

from typing import Any, Final

from moto.core.exceptions import AWSError
from moto.logs.models import logs_backends
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from twin.machine.express import check_definition
from twin.machine.operations.execution_logs import InvalidLoggingError, find_group
from twin.moto_patches.patching import Patches

_CONFIGURED: Final[dict[str, dict[str, Any]]] = {
    "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
    "tracingConfiguration": {"enabled": False},
    "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
}
"""What a machine has unless it is given."""


def _read_publication(request: dict[str, Any]) -> tuple[bool, str | None]:
    return bool(request.get("publish")), request.get("version_description")


def _create(original: Any) -> Any:
    def create(self: Any, *args: Any, **named: Any) -> Any:
        if named.get("sm_type") == "EXPRESS":
            check_definition(named["definition"])
        _check_log(self, named.get("loggingConfiguration"))
        _check_name(self, named)
        machine = original(self, *args, **named)
        if not hasattr(machine, "first_publication"):
            machine.first_publication = _read_publication(named)
        return machine

    return create


def _check_log(backend: Any, configuration: dict[str, Any] | None) -> None:
    """Refuse a log that nobody could write.

    Raises:
        InvalidLoggingError: no log group is named, or there is none of its name.
    """
    group = find_group(configuration)
    if group is not None and group not in logs_backends[backend.account_id][backend.region_name].groups:
        raise InvalidLoggingError("Log Destination not found.")


class StateMachineAlreadyExistsError(AWSError):
    """Another machine has the name."""

    TYPE = "StateMachineAlreadyExists"
    STATUS = 400


def _check_name(backend: Any, wanted: dict[str, Any]) -> None:
    """API reference, CreateStateMachine: the same request gives the same machine; its role and its tags don't count.

    Raises:
        StateMachineAlreadyExistsError: a machine with this name differs in something else.
    """
    found = next((one for one in backend.state_machines if one.name == wanted.get("name")), None)
    if found is None:
        return
    same = (
        found.definition == wanted.get("definition")
        and found.type == (wanted.get("sm_type") or "STANDARD")
        and getattr(found, "first_publication", (False, None)) == _read_publication(wanted)
        and all(
            {**default, **(getattr(found, name) or {})} == {**default, **(wanted.get(name) or {})}
            for name, default in _CONFIGURED.items()
        )
    )
    if not same:
        raise StateMachineAlreadyExistsError(f"State Machine Already Exists: '{found.arn}'")


def _update(original: Any) -> Any:
    def update(self: Any, arn: str, definition: str | None = None, *args: Any, **named: Any) -> Any:
        _check_log(self, named.get("logging_configuration"))
        if definition is not None and self.describe_state_machine(arn).type == "EXPRESS":
            check_definition(definition)
        return original(self, arn, definition, *args, **named)

    return update


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    backend = StepFunctionsParserBackend
    patches.set_attribute(backend, "create_state_machine", _create(backend.create_state_machine))
    patches.set_attribute(backend, "update_state_machine", _update(backend.update_state_machine))
