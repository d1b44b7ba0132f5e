"""Play a trajectory through the deployed loop of a twin: its users speak, its model's replies are the script."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from pentad.aws.table import Table
from pentad.tools.records.adapters.records_dynamodb import DynamoRecords
from pentad.tools.runtime.adapters.audit_dynamodb import DynamoAudit
from tests.twin.stack.world import Stack, Tenant, word
from tests.twin.trajectories.apply import State, seed, state_of
from tests.twin.trajectories.loader import Trajectory

Json = dict[str, Any]


@dataclass(frozen=True)
class Played:
    """What came of a trajectory.

    Attributes:
        runs: a run for each turn of the user, until one did not end well.
        calls: all tool calls in order, as the API shows them.
        records: what the tools left: kind, key, and the value as JSON.
        executions: how often the function of each call ran, by (run, step, index).
        script: what the model was not asked, and was asked beyond the script.
    """

    runs: list[Json]
    calls: list[Json]
    records: list[tuple[str, str, str]]
    executions: dict[tuple[str, int, int], int]
    script: Json

    @property
    def state(self) -> State:
        """What the tools left, as it can be compared."""
        return state_of(self.records)


def play(stack: Stack, agent: str, trajectory: Trajectory) -> Played:
    """Play it as a tenant of its own, in one session."""
    tenant = stack.tenant()
    seed(DynamoRecords(Table(stack.aws("dynamodb"), _table(stack, "records")), tenant.name), trajectory)
    stack.simulator.load_script(*trajectory.script())
    runs: list[Json] = []
    try:
        for turn in trajectory.turns:
            runs.append(tenant.ask(turn.message, agent=agent, session=trajectory_session(trajectory)))
            if runs[-1]["status"] != "succeeded":
                break
        script = stack.simulator.get_script_report()
    finally:
        stack.simulator.reset()
    calls = [call for run in runs for call in _calls(tenant, run["run_id"])]
    return Played(runs, calls, _records(tenant), _executions(tenant, runs), script)


def trajectory_session(trajectory: Trajectory) -> str:
    """Return the session of a trajectory."""
    return "".join(one if one.isalnum() else "-" for one in trajectory.name)[:40] or word("s")


def _calls(tenant: Tenant, run_id: str) -> list[Json]:
    calls = [one for one in tenant.get(f"/v1/runs/{run_id}/events?limit=1000")["events"] if one["type"] == "tool_call"]
    return [one["detail"] for one in sorted(calls, key=lambda one: (one["step"], one["detail"]["index"]))]


def _records(tenant: Tenant) -> list[tuple[str, str, str]]:
    found = tenant.stack.items(tenant.name, _table(tenant.stack, "records"))
    records = [item for item in found if item["type"] == "record"]
    return [(item["pk"].rsplit("#", 1)[1], item["sk"], item["body"]) for item in records]


def _executions(tenant: Tenant, runs: list[Json]) -> dict[tuple[str, int, int], int]:
    audit = DynamoAudit(Table(tenant.stack.aws("dynamodb"), _table(tenant.stack, "ledger")))
    entries = [entry for run in runs for entry in audit.list_for_run(tenant.name, run["run_id"])]
    return Counter((entry.run_id, entry.step, entry.index) for entry in entries if entry.action == "executed")


def _table(stack: Stack, name: str) -> str:
    [table] = [one for one in stack.tables if name in one.lower()]
    return table
