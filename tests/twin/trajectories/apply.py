"""Apply a trajectory's calls directly: the tools' functions one after the other, over records in memory."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from pentad.domain.canonical import canonical_json
from pentad.domain.errors import InvalidInput
from pentad.tools.declare.context import ToolContext
from pentad.tools.declare.declare import Tool
from pentad.tools.records.adapters.records_memory import MemoryRecords
from pentad.tools.records.ports import RecordStore
from pentad.tools.runtime.arguments import validate_arguments
from pentad.tools.runtime.outcome import ToolOutcome, call_function, make_rejected
from tests.twin.trajectories.loader import Call, Trajectory

Json = dict[str, Any]
TENANT = "direct"
State = dict[str, list[str]]
"""What is stored, by kind: canonical JSON, sorted; the keys are in it but where a tool made them of its effect."""


def seed(store: RecordStore, trajectory: Trajectory) -> None:
    """Store the records that a trajectory begins with."""
    for kind, records in trajectory.database.items():
        for key, value in records.items():
            store.put(kind, key, value)


def applied(trajectory: Trajectory, tools: dict[str, Tool[Any, Any]]) -> tuple[list[ToolOutcome], State]:
    """Return what each call comes to, and the state that all of them leave."""
    records = MemoryRecords()
    seed(records.get_store(TENANT), trajectory)
    outcomes = [_outcome(tools[call.tool], call, place, records) for place, call in enumerate(trajectory.calls)]
    stored = records._bodies
    return outcomes, state_of((kind, key, body) for (_, kind, key), body in stored.items())


def state_of(records: Iterable[tuple[str, str, str]]) -> State:
    """Return records (kind, key, JSON) as they can be compared, whatever the keys that effects made."""
    state: State = {}
    for kind, key, body in records:
        place, _, effect = key.partition("#")
        kept = canonical_json({"key": place if effect else key}) + canonical_json(json.loads(body))
        state.setdefault(kind, []).append(kept)
    return {kind: sorted(values) for kind, values in state.items()}


def _outcome(tool: Tool[Any, Any], call: Call, place: int, records: MemoryRecords) -> ToolOutcome:
    try:
        values = validate_arguments(tool, call.arguments)
    except InvalidInput as error:
        return make_rejected(error)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731
    context = ToolContext(
        tenant=TENANT,
        run="run",
        session="session",
        user=None,
        step=1,
        index=0,
        effect_key=f"effect-{place}",
        now=now,
        remaining_seconds=lambda: 30.0,
        tables={"records": records.get_store(TENANT)},
    )
    return call_function(tool, values, context)
