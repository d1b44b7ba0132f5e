"""Express machines: a definition that they cannot run is refused; moto takes every machine for a Standard one."""

from typing import Any

from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from twin.machine.express import check_definition
from twin.moto_patches.patching import Patches


def _create(original: Any) -> Any:
    def create(self: Any, *args: Any, **named: Any) -> Any:
        if named.get("sm_type") == "EXPRESS":
            check_definition(named["definition"])
        return original(self, *args, **named)

    return create


def _update(original: Any) -> Any:
    def update(self: Any, arn: str, definition: str | None = None, *args: Any, **named: Any) -> Any:
        if definition is not None and self.describe_state_machine(arn).type == "EXPRESS":
            check_definition(definition)
        return original(self, arn, definition, *args, **named)

    return update


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    backend = StepFunctionsParserBackend
    patches.set_attribute(backend, "create_state_machine", _create(backend.create_state_machine))
    patches.set_attribute(backend, "update_state_machine", _update(backend.update_state_machine))
