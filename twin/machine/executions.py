"""Executions: starting by name, what is stored about them, and stopping all of them.

What moto gets wrong: an execution without a name is called `None` and collides with the next one; every machine is
taken for a Standard one; stopping drops error and cause
and does not wait for the end; an execution of a version cannot be described; Express machines cannot be run in line.
"""

import copy
import json
import random
import threading
import uuid
import weakref
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from moto.stepfunctions.exceptions import (
    ExecutionAlreadyExists,
    InvalidExecutionInput,
    StateMachineDoesNotExist,
)
from moto.stepfunctions.parser.api import (
    ExecutionStartedEventDetails,
    ExecutionStatus,
    HistoryEventExecutionDataDetails,
    HistoryEventType,
)
from moto.stepfunctions.parser.asl.eval.program_state import (
    ProgramEnded,
    ProgramError,
    ProgramStopped,
    ProgramTimedOut,
)
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from twin.machine import express, status
from twin.machine.definitions import parse_program
from twin.machine.encoding import dump_json, is_within_quota, to_iso
from twin.machine.events import event_details
from twin.machine.patching import Patches

_KEPT: Final = 5000
"""Finished executions kept per state machine; AWS keeps them for 90 days."""
NAME_LIFETIME: Final = timedelta(days=90)
"""For how long the name of a finished execution cannot be used again. Source: AWS, StartExecution."""
_STOP_SECONDS: Final = 10.0
_STATUS: Final[dict[type, ExecutionStatus]] = {
    ProgramEnded: ExecutionStatus.SUCCEEDED,
    ProgramStopped: ExecutionStatus.ABORTED,
    ProgramTimedOut: ExecutionStatus.TIMED_OUT,
}

_routing: Final = random.Random()  # noqa: S311 (traffic split)
_lock = threading.RLock()
_known: "weakref.WeakValueDictionary[str, Any]" = weakref.WeakValueDictionary()
_running: set[Any] = set()


def find(execution_arn: str) -> Any:
    """Return an execution of this process, or None."""
    with _lock:
        return _known.get(execution_arn)


def stop_all(timeout: float = _STOP_SECONDS) -> int:
    """Stop every running execution and wait for their ends; return how many were running."""
    with _lock:
        running = list(_running)
    for execution in running:
        execution.stop(stop_date=datetime.now(UTC), error=None, cause="The local twin was stopped.")
    deadline = datetime.now(UTC) + timedelta(seconds=timeout)
    for execution in running:
        execution.finished.wait(max(0.0, (deadline - datetime.now(UTC)).total_seconds()))
    return len(running)


def _patch_execution(patches: Patches) -> None:
    init: Any = Execution.__init__
    original_start: Any = Execution.start

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        self.finished = threading.Event()
        self.watchers = []
        self.version_arn = self.alias_arn = None
        init(self, *args, **kwargs)
        _known[self.exec_arn] = self

    def add_done_callback(self: Any, action: Callable[[], None]) -> None:
        with _lock:
            if not self.finished.is_set():
                self.watchers.append(action)
                return
        action()

    def start(self: Any) -> None:
        with _lock:
            _running.add(self)
        status.notify(self, "RUNNING")
        original_start(self)

    patches.set_attribute(Execution, "__init__", __init__)
    patches.set_attribute(Execution, "add_done_callback", add_done_callback)
    patches.set_attribute(Execution, "start", start)
    patches.set_attribute(BaseExecutionWorkerCommunication, "terminated", _handle_termination)


def _handle_termination(self: Any) -> None:
    """Record the end of an execution, and tell of it."""
    execution = self.execution
    try:
        _record_end(self)
    finally:
        with _lock:
            execution.finished.set()
            watchers, execution.watchers = execution.watchers, []
            _running.discard(execution)
        for watcher in watchers:
            watcher()
        status.notify(execution, str(execution.status))


def _wrap_environment(original: Any) -> Any:
    """Moto puts a Python time object into `$states.context.Execution.StartTime`."""

    def build(self: Any) -> Any:
        env = original(self)
        execution = env.states.context_object.context_object_data["Execution"]
        execution["StartTime"] = to_iso(execution["StartTime"])
        execution["RedriveCount"] = 0
        return env

    return build


def _start_worker(self: Any) -> None:
    """Moto makes the environment in the execution's thread, so that a stop right after the start fails."""
    details = self._evaluation_details
    parsed = parse_program(details.state_machine_details.definition)
    env = self.env = self._get_evaluation_environment()
    env.event_manager.add_event(
        context=env.event_history_context,
        event_type=HistoryEventType.ExecutionStarted,
        event_details=event_details(
            executionStartedEventDetails=ExecutionStartedEventDetails(
                input=dump_json(details.execution_details.inpt),
                inputDetails=HistoryEventExecutionDataDetails(truncated=False),
                roleArn=details.aws_execution_details.role_arn,
            )
        ),
        update_source_event_id=False,
    )
    env.next_state_name = parsed.start_at.start_at_name

    def run() -> None:
        try:
            parsed.eval(env)
        finally:
            self._execution_communication.terminated()

    threading.Thread(target=run, name=f"execution {details.execution_details.name}", daemon=True).start()


def _reject_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _check_input(text: str) -> None:
    if not is_within_quota(text):
        raise InvalidExecutionInput("Invalid State Machine Execution Input: 'the input exceeds 262144 bytes'")
    try:
        json.loads(text, parse_constant=_reject_constant)
    except ValueError as exc:
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
    machine, runs, alias_arn = _resolve(self, state_machine_arn)
    text = "{}" if execution_input is None else execution_input
    _check_input(text)
    if name:
        self._validate_name(name)
    name = name or str(uuid.uuid4())
    with _lock:
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
        express.limit_lifetime(execution)
    return execution


def stop_execution(self: Any, execution_arn: str, error: str | None = None, cause: str | None = None) -> Any:
    """Stop an execution and wait until it has ended."""
    execution = self.describe_execution(execution_arn)
    execution.stop(stop_date=datetime.now(UTC), error=error, cause=cause)
    execution.finished.wait(_STOP_SECONDS)
    return execution


def _record_end(self: Any) -> None:
    """Record the end. moto sets the status before the output, and drops the error and cause that a stop was given."""
    execution = self.execution
    end = execution.exec_worker.env.program_state()
    execution.stop_date = datetime.now(UTC)
    status = _STATUS.get(type(end), ExecutionStatus.FAILED)
    if status == ExecutionStatus.SUCCEEDED:
        execution.output = execution.exec_worker.env.states.get_input()
    elif status == ExecutionStatus.ABORTED:
        execution.error, execution.cause = end.error, end.cause
    elif isinstance(end, ProgramError):
        execution.error, execution.cause = (end.error or {}).get("error"), (end.error or {}).get("cause")
    execution.exec_status = status


def apply(patches: Patches, *, routing_seed: int | None = None) -> None:
    """Install the patches of this module.

    Args:
        patches: Where to record them.
        routing_seed: Of the choices between the versions of an alias; None for other choices each time.
    """
    _routing.seed(routing_seed)
    _patch_execution(patches)
    build = _wrap_environment(ExecutionWorker._get_evaluation_environment)
    patches.set_attribute(ExecutionWorker, "_get_evaluation_environment", build)
    patches.set_attribute(ExecutionWorker, "start", _start_worker)
    patches.set_attribute(StepFunctionsParserBackend, "start_execution", start_execution)
    patches.set_attribute(StepFunctionsParserBackend, "stop_execution", stop_execution)
