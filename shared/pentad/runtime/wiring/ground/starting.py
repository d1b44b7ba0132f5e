"""What starts runs and cancels them: for the API and for the runs queue."""

from dataclasses import dataclass

from pentad.aws.clients import get_client
from pentad.observability.ports import Telemetry
from pentad.orchestration.approvals.ports import ApprovalStore
from pentad.orchestration.lifecycle.cancel import CancelRun
from pentad.orchestration.lifecycle.start import StartRun
from pentad.orchestration.runs.adapters.engine_stepfunctions import StepFunctions
from pentad.orchestration.runs.adapters.events_eventbridge import EventBridge
from pentad.orchestration.runs.machine_arns import MachineArns
from pentad.orchestration.runs.ports import EventPublisher, RunStore, WorkflowEngine
from pentad.orchestration.switches.adapters.switches_dynamodb import DynamoSwitches
from pentad.orchestration.switches.switchboard import Switches
from pentad.runtime.catalog import load_catalog
from pentad.runtime.clock import now
from pentad.runtime.settings import ApiSettings, TriggerSettings
from pentad.runtime.wiring.ground.stores import make_runs, make_table


@dataclass(frozen=True)
class Starting:
    """What starts and cancels runs, with the parts that the function's own wiring goes on with.

    Attributes:
        runs: the run store.
        engine: starts executions.
        events: publishes on the bus.
        switchboard: says what an operator has switched off.
        start: starts runs.
        cancel: cancels runs.
    """

    runs: RunStore
    engine: WorkflowEngine
    events: EventPublisher
    switchboard: Switches
    start: StartRun
    cancel: CancelRun


def make_starting(values: ApiSettings | TriggerSettings, approvals: ApprovalStore, telemetry: Telemetry) -> Starting:
    """Return what starts and cancels runs.

    Args:
        values: the function's settings.
        approvals: those of a cancelled run are closed.
        telemetry: the function's.
    """
    runs = make_runs(values)
    catalog = load_catalog()
    engine = StepFunctions(get_client("stepfunctions"), MachineArns(values.state_machine_arn_prefix, catalog))
    events = EventBridge(get_client("events"), values.event_bus)
    switchboard = Switches(DynamoSwitches(make_table(values.transient_table)), telemetry, now)
    cancel = CancelRun(runs, approvals, engine, events, telemetry, now=now)
    start = StartRun(catalog, runs, engine, telemetry, now=now, switchboard=switchboard, cancel=cancel)
    return Starting(runs, engine, events, switchboard, start, cancel)
