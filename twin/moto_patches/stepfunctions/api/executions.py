"""StartExecution and StopExecution.

What moto gets wrong: an execution without a name is called `None` and collides with the next one; every machine is
taken for a Standard one; a stop drops error and cause and does not wait for the end; a version or alias cannot be run;
child executions of a Map Run do not exist.
"""

import copy
import json
import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from moto.stepfunctions.exceptions import (
    ExecutionAlreadyExists,
    InvalidExecutionInput,
    StateMachineDoesNotExist,
)
from moto.stepfunctions.parser.backend.execution import Execution
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from twin.machine.distributed.children import start_child, take_asked
from twin.machine.encoding import is_within_quota
from twin.machine.executions import STOP_SECONDS, lock
from twin.machine.lifecycle import limit_lifetime
from twin.moto_patches.patching import Patches

_KEPT: Final = 5000
"""Finished executions kept per state machine; AWS keeps them for 90 days."""


NAME_LIFETIME: Final = timedelta(days=90)
"""For how long the name of a finished execution cannot be used again. Source: AWS, StartExecution."""


_routing: Final = random.Random()  # noqa: S311 (traffic split)


def _reject_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _check_input(text: str) -> None:
    if not is_within_quota(text):
        raise InvalidExecutionInput("Invalid State Machine Execution Input: 'the input exceeds 262144 bytes'")
    try:
        json.loads(text, parse_constant=_reject_constant)
    except (ValueError, RecursionError) as exc:
        raise InvalidExecutionInput(f"Invalid State Machine Execution Input: '{exc}'") from exc


def _resolve(backend: Any, arn: str) -> tuple[Any, Any, str | None]:
    """Return the machine, the machine or version to run, and the alias ARN, for the ARN of any of the three."""
    base = ":".join(arn.split(":")[:7])
    machine = next((m for m in backend.state_machines if m.arn == base), None)
    suffix = arn[len(base) + 1 :]
    if machine is None:
        raise StateMachineDoesNotExist(f"State Machine Does Not Exist: '{arn}'")
    if not suffix:
        return machine, machine, None
    alias_arn = None
    if not suffix.isnumeric():
        alias = machine.aliases.get(suffix)
        if alias is None:
            raise StateMachineDoesNotExist(f"State Machine Does Not Exist: '{arn}'")
        routes = alias.routing_configuration
        route = _routing.choices(routes, weights=[r["weight"] for r in routes])[0]
        suffix, alias_arn = route["stateMachineVersionArn"].rsplit(":", 1)[1], arn
    version = machine.versions.get(int(suffix))
    if version is None:
        raise StateMachineDoesNotExist(f"State Machine Does Not Exist: '{arn}'")
    return machine, version, alias_arn


def _find_duplicate(machine: Any, name: str, text: str) -> Any:
    """Return the running execution that a repeated start means.

    Raises:
        ExecutionAlreadyExists: The name is taken by another input or by a finished execution.
    """
    for execution in machine.executions:
        if execution.name != name:
            continue
        if execution.status == "RUNNING" and execution.execution_input == text:
            return execution
        if execution.stop_date is None or datetime.now(UTC) - execution.stop_date < NAME_LIFETIME:
            raise ExecutionAlreadyExists(f"Execution Already Exists: '{execution.exec_arn}'")
    return None


def _trim(machine: Any) -> None:
    surplus = len(machine.executions) - _KEPT
    if surplus > 0:
        finished = [e for e in machine.executions if e.finished.is_set()][:surplus]
        machine.executions[:] = [e for e in machine.executions if e not in finished]


def _build_execution(backend: Any, machine: Any, runs: Any, name: str, text: str, trace_header: str | None) -> Any:
    kind = machine.type
    middle = "execution" if kind == "STANDARD" else "express"
    arn = f"arn:{backend.partition}:states:{backend.region_name}:{backend.account_id}:{middle}:{machine.name}:{name}"
    snapshot = copy.copy(machine)
    snapshot.definition, snapshot.roleArn, snapshot.sm_type = runs.definition, runs.roleArn, kind
    snapshot.loggingConfiguration = runs.loggingConfiguration
    return Execution(
        name=name,
        sm_type=kind,
        role_arn=runs.roleArn,
        exec_arn=arn if kind == "STANDARD" else f"{arn}:{uuid.uuid4()}",
        account_id=backend.account_id,
        region_name=backend.region_name,
        state_machine=snapshot,
        start_date=datetime.now(UTC),
        cloud_watch_logging_session=None,
        input_data=text,
        trace_header=trace_header,
        activity_store={},
    )


def start_execution(
    self: Any,
    state_machine_arn: str,
    name: str | None = None,
    execution_input: str | None = None,
    trace_header: str | None = None,
) -> Any:
    """Start an execution, or return the running one of that name and input.

    Raises:
        ExecutionAlreadyExists: The name is taken.
        InvalidExecutionInput: The input is not JSON or too large.
        StateMachineDoesNotExist: No machine, version or alias has the ARN.
    """
    child = take_asked(name)
    if child is not None:
        start_child(child)
        return child
    machine, runs, alias_arn = _resolve(self, state_machine_arn)
    text = "{}" if execution_input is None else execution_input
    _check_input(text)
    if name:
        self._validate_name(name)
    name = name or str(uuid.uuid4())
    with lock:
        standard = machine.type == "STANDARD"
        existing = _find_duplicate(machine, name, text) if standard else None
        if existing is not None:
            return existing
        execution = _build_execution(self, machine, runs, name, text, trace_header)
        execution.alias_arn = alias_arn
        execution.version_arn = runs.arn if runs is not machine else None
        if standard:
            machine.executions.append(execution)
            _trim(machine)
        execution.start()
    if not standard:
        limit_lifetime(execution)
    return execution


def stop_execution(self: Any, execution_arn: str, error: str | None = None, cause: str | None = None) -> Any:
    """Stop an execution and wait until it has ended."""
    execution = self.describe_execution(execution_arn)
    execution.stop(stop_date=datetime.now(UTC), error=error, cause=cause)
    execution.finished.wait(STOP_SECONDS)
    return execution


def apply(patches: Patches, *, routing_seed: int | None = None) -> None:
    """Install the patches of this module.

    Args:
        patches: Where to record them.
        routing_seed: Of the choices between the versions of an alias; None for other choices each time.
    """
    _routing.seed(routing_seed)
    patches.set_attribute(StepFunctionsParserBackend, "start_execution", start_execution)
    patches.set_attribute(StepFunctionsParserBackend, "stop_execution", stop_execution)
