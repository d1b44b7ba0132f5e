"""The worker of an execution.

What moto gets wrong: it makes the environment in the execution's thread, so that a stop right after the start fails;
the start time in the context object is a Python object; the definition is parsed anew for each execution; none goes on
after its end.
"""

import threading
from datetime import datetime
from typing import Any

from moto.stepfunctions.parser.api import (
    ExecutionStartedEventDetails,
    HistoryEventExecutionDataDetails,
    HistoryEventType,
)
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

from twin.machine.definitions import parse_program
from twin.machine.encoding import dump_json, to_iso
from twin.machine.events import add_event, event_details
from twin.machine.operations.execution_logs import ExecutionLog, find_group
from twin.moto_patches.patching import Patches


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
    env.event_manager.execution_log = _open_log(self._execution_communication.execution)
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
    _run_program(self, parsed, env)


def _open_log(execution: Any) -> ExecutionLog | None:
    machine = execution.state_machine
    group = find_group(machine.loggingConfiguration)
    return ExecutionLog(group, machine.name, execution, machine.loggingConfiguration) if group is not None else None


def _redrive(self: Any, count: int, at: datetime) -> None:
    """Go on in a new environment: what is left of the attempt before finds its own one ended."""
    former = self.env
    env = self._get_evaluation_environment()
    env.event_manager, env.progress = former.event_manager, former.progress
    env.map_run_record_pool_manager = former.map_run_record_pool_manager
    last = env.event_manager._history_event_list[-1]["id"]
    env.event_history_context = EventHistoryContext(previous_event_id=last)
    execution = env.states.context_object.context_object_data["Execution"]
    execution["RedriveCount"], execution["RedriveTime"] = count, to_iso(at)
    redriven = event_details(executionRedrivenEventDetails={"redriveCount": count})
    add_event(env, HistoryEventType.ExecutionRedriven, redriven)
    self.env = env
    _run_program(self, parse_program(self._evaluation_details.state_machine_details.definition), env)


def _run_program(self: Any, parsed: Any, env: Any) -> None:
    env.next_state_name = parsed.start_at.start_at_name

    def run() -> None:
        try:
            parsed.eval(env)
        finally:
            self._execution_communication.terminated()

    name = self._evaluation_details.execution_details.name
    threading.Thread(target=run, name=f"execution {name}", daemon=True).start()


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    build = _wrap_environment(ExecutionWorker._get_evaluation_environment)
    patches.set_attribute(ExecutionWorker, "_get_evaluation_environment", build)
    patches.set_attribute(ExecutionWorker, "start", _start_worker)
    patches.set_attribute(ExecutionWorker, "redrive", _redrive)
