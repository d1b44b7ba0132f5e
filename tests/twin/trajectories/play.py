"""Play a trajectory through the deployed loop of a twin: its users speak, its model's replies are the script."""

import json
from dataclasses import dataclass
from typing import Any

from pentad.aws.table import Table
from pentad.tools.adapters.records_dynamodb import DynamoRecords
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
        state: what the tools left.
        executions: how often the function of each call ran, by (run, step, index).
        script: what the model was not asked, and was asked beyond the script.
    """

    runs: list[Json]
    calls: list[Json]
    state: State
    executions: dict[tuple[str, int, int], int]
    script: Json


def play(stack: Stack, agent: str, trajectory: Trajectory) -> Played:
    """Play it as a tenant of its own, in one session."""
    tenant = stack.tenant()
    [table] = [name for name in stack.tables if "records" in name.lower()]
    seed(DynamoRecords(Table(stack.aws("dynamodb"), table), tenant.name), trajectory)
    stack.simulator.script(*trajectory.script())
    runs: list[Json] = []
    try:
        for turn in trajectory.turns:
            runs.append(tenant.ask(turn.message, agent=agent, session=trajectory_session(trajectory)))
            if runs[-1]["status"] != "succeeded":
                break
        script = stack.simulator.script_report()
    finally:
        stack.simulator.reset()
    calls = [call for run in runs for call in _calls(tenant, run["run_id"])]
    return Played(runs, calls, _state(tenant), _executions(tenant), script)


def trajectory_session(trajectory: Trajectory) -> str:
    """Return the session of a trajectory."""
    return "".join(one if one.isalnum() else "-" for one in trajectory.name)[:40] or word("s")


def _calls(tenant: Tenant, run: str) -> list[Json]:
    calls = [one for one in tenant.get(f"/v1/runs/{run}/events?limit=1000")["events"] if one["type"] == "tool_call"]
    return [one["detail"] for one in sorted(calls, key=lambda one: (one["step"], one["detail"]["index"]))]


def _state(tenant: Tenant) -> State:
    found = tenant.items("record")
    return state_of((item["pk"].rsplit("#", 1)[1], item["sk"], item["body"]) for item in found)


def _executions(tenant: Tenant) -> dict[tuple[str, int, int], int]:
    counts: dict[tuple[str, int, int], int] = {}
    entries = [json.loads(item["body"]) for item in tenant.items("audit")]
    for entry in entries:
        if entry["action"] == "executed":
            place = (entry["run"], entry["step"], entry["index"])
            counts[place] = counts.get(place, 0) + 1
    return counts
