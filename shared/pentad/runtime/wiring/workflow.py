"""The wiring of functions.orchestration.workflow."""

from dataclasses import dataclass
from functools import cache

from pentad.orchestration.runs.machine_arns import MachineArns
from pentad.orchestration.runs.spill import Spill
from pentad.orchestration.switches.adapters.switches_dynamodb import DynamoSwitches
from pentad.orchestration.switches.switchboard import Switches
from pentad.orchestration.workflows.adapters.results_dynamodb import DynamoResults
from pentad.orchestration.workflows.agent_steps import Children
from pentad.orchestration.workflows.human_steps import Humans
from pentad.orchestration.workflows.run_ends import Ends
from pentad.orchestration.workflows.steps import Stores
from pentad.orchestration.workflows.tool_steps import Calls
from pentad.runtime.catalog import load_catalog
from pentad.runtime.clock import now
from pentad.runtime.settings import WorkflowSettings, read_settings
from pentad.runtime.wiring.ground.humans import make_approvals, make_asking
from pentad.runtime.wiring.ground.stores import make_objects, make_runs, make_sessions, make_table
from pentad.runtime.wiring.ground.telemetry import telemetry_of
from pentad.tools.policy.adapters.sums_dynamodb import DynamoCallSums
from pentad.tools.runtime.adapters.effects_dynamodb import DynamoEffects


@dataclass(frozen=True)
class Workflow:
    """What the states of workflows call.

    Attributes:
        ends: begins and ends runs.
        children: starts and collects agents' runs.
        calls: plans and collects tools' calls.
        humans: asks humans.
    """

    ends: Ends
    children: Children
    calls: Calls
    humans: Humans


@cache
def make_workflow() -> Workflow:
    """Return what the states of workflows call."""
    values, telemetry = read_settings(WorkflowSettings), telemetry_of("workflow")
    state, objects = make_table(values.state_table), make_objects(values.payload_bucket)
    catalog, transient = load_catalog(), make_table(values.transient_table)
    stores = Stores(
        catalog,
        make_runs(values),
        make_sessions(values),
        DynamoResults(state, Spill(objects)),
        now,
        Switches(DynamoSwitches(transient), telemetry, now),
        telemetry,
        DynamoCallSums(transient),
    )
    return Workflow(
        ends=Ends(stores),
        children=Children(stores, MachineArns(values.state_machine_arn_prefix, catalog)),
        calls=Calls(stores, DynamoEffects(state)),
        humans=Humans(stores, make_approvals(values), make_asking(values, telemetry)),
    )
