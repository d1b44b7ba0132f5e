"""Child executions of a Map Run: executions of a machine's inner definition, by the machine's role."""

import copy
import threading
import uuid
from datetime import UTC, datetime
from typing import Any, Final

from moto.stepfunctions.parser.api import StateMachineType
from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import StateCredentials
from moto.stepfunctions.parser.backend.execution import Execution

from twin.machine import executions
from twin.machine.clients import create_client
from twin.machine.distributed.fields import MapFields
from twin.machine.distributed.runs import MapRun
from twin.machine.encoding import dump_json
from twin.machine.lifecycle import limit_lifetime
from twin.machine.operations.redrive import find_reason

_lock = threading.Lock()
_asking: Final[dict[str, Any]] = {}
"""Child executions by name, for which a machine's role is asking whether it may start them."""


def build_child(parent: Any, run: MapRun, fields: MapFields, text: str) -> Any:
    """Return a child execution that is not started yet."""
    kind = "STANDARD" if fields.child_type == "STANDARD" else "EXPRESS"
    machine = copy.copy(parent.state_machine)
    machine.arn, machine.name = run.machine_arn, f"{parent.state_machine.name}/{run.label}"
    machine.definition, machine.sm_type = fields.child, kind
    name = str(uuid.uuid4())
    arn = run.machine_arn.replace(":stateMachine:", ":execution:" if kind == "STANDARD" else ":express:")
    return Execution(
        name=name,
        sm_type=StateMachineType(kind),
        role_arn=parent.role_arn,
        exec_arn=f"{arn}:{name}" if kind == "STANDARD" else f"{arn}:{name}:{uuid.uuid4()}",
        account_id=parent.account_id,
        region_name=parent.region_name,
        state_machine=machine,
        start_date=datetime.now(UTC),
        cloud_watch_logging_session=None,
        input_data=text,
        activity_store={},
    )


def start_child(child: Any) -> None:
    """Start a child execution."""
    child.start()
    if child.sm_type == "EXPRESS":
        limit_lifetime(child)


def can_go_on(child: Any) -> bool:
    """Tell whether a redrive goes on with a child execution that has ended: an Express one begins anew."""
    return child.sm_type == "STANDARD" and child.settled.is_set() and find_reason(child, str(child.status)) is None


def go_on_with(child: Any) -> None:
    """Redrive a child execution that has ended."""
    with executions.lock:
        child.redrive(None)


def ask_to_start(parent: Any, child: Any) -> None:
    """Start a run's first child execution through the API, so that the machine's role must have the right to.

    AWS needs ``states:StartExecution`` on the machine itself for each child; asking once a run tells as much.

    Raises:
        ClientError: the role may not.
    """
    client = create_client(parent.region_name, "stepfunctions", StateCredentials(role_arn=parent.role_arn))
    with _lock:
        _asking[child.name] = child
    try:
        text = dump_json(child.input_data)
        client.start_execution(stateMachineArn=parent.state_machine.arn, name=child.name, input=text)
    finally:
        with _lock:
            _asking.pop(child.name, None)


def take_asked(name: str | None) -> Any:
    """Return the child execution that a start by this name means, or None."""
    with _lock:
        return _asking.pop(name or "", None)
