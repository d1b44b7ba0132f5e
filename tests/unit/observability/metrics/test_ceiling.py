"""How many metrics 10,000 users make: what the layers count, through the real writer, read as CloudWatch reads it."""

import io
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.errors import ModelUnavailable, PentadError
from pentad.domain.models import CallContext, Outcome
from pentad.domain.runs import CallStatus, Run, RunStatus, ToolCall
from pentad.domain.usage import Usage
from pentad.models.catalog.catalog import Link
from pentad.models.ledger.adapters.ledger_memory import MemoryLedger
from pentad.models.ledger.attempts import Attempts
from pentad.observability.adapters.powertools import PowertoolsTelemetry
from pentad.observability.metrics import names
from pentad.observability.metrics.dimensions import choose_told_apart
from pentad.observability.metrics.table import CEILING, METRICS, compute_ceiling
from pentad.orchestration.lifecycle.announce_end import publish_finished
from pentad.tools.runtime.adapters.audit_memory import MemoryAudit
from pentad.tools.runtime.call_audit import CallAudit, CallTry, Invocation
from tests.unit.models.samples import CATALOG
from twin.alarms.emf import read_line

USERS, TOOLS, AGENTS = 10_000, 50, 40
NOW = datetime(2026, 5, 1, tzinfo=UTC)
ENDS = [one for one in RunStatus if one.ended]
_services = itertools.count()


class Process:
    """A function's process: its telemetry, and the metrics that CloudWatch makes of its lines."""

    def __init__(self, told_apart: dict[str, list[str]]) -> None:
        self.stream = io.StringIO()
        self.telemetry = PowertoolsTelemetry(
            service=f"ceiling-{next(_services)}",
            stage="dev",
            stream=self.stream,
            level="ERROR",
            told_apart=told_apart,
        )

    def read(self) -> Iterator[Any]:
        for line in self.stream.getvalue().splitlines():
            yield from (measured.key for measured in read_line(line))


class _Nowhere:
    """A bus that nobody listens to."""

    def publish(self, detail_type: str, detail: dict[str, Any]) -> None:
        """See `EventPublisher`."""


def end_run(telemetry: PowertoolsTelemetry, number: int) -> None:
    """A user's run of one of many agents ends."""
    run = Run(
        run_id=f"run_{number:026}",
        session_id=f"ses_{number:026}",
        tenant_id=f"tenant-{number % 300}",
        user_id=f"user-{number}",
        agent=f"agent-{number % AGENTS:02}",
        trigger="api",
        request_seq=0,
        request_hash="x",
        status=ENDS[number % len(ENDS)],
        created_at=NOW,
        updated_at=NOW,
        ended_at=NOW + timedelta(seconds=number % 60),
    )
    publish_finished(run, _Nowhere(), telemetry)


def call_tool(telemetry: PowertoolsTelemetry, number: int) -> None:
    """One of fifty tools was called for it."""
    audit = CallAudit(MemoryAudit(), None, telemetry, lambda: NOW, lambda: 1.0)
    name = f"tool_{number % TOOLS:02}"
    spec = ToolSpec(name=name, description="d", input_schema={"type": "object"}, effects="none")
    run = Run(
        run_id=f"run_{number:026}",
        session_id="ses",
        tenant_id="acme",
        agent="agent-00",
        trigger="api",
        status=RunStatus.RUNNING,
        request_seq=0,
        request_hash="x",
        created_at=NOW,
        updated_at=NOW,
    )
    call = ToolCall(
        tenant_id="acme",
        run_id=run.run_id,
        step=1,
        index=0,
        call_id="c",
        tool=name,
        arguments={},
        arguments_hash="0" * 64,
        status=CallStatus.SUCCEEDED,
    )
    made = CallTry(spec, call, run, Invocation(f"req-{number}"), "key", NOW, 0.5)
    audit.end(made, "executed", ("ok", "error", "refused")[number % 3], None)


def ask_model(telemetry: PowertoolsTelemetry, number: int) -> None:
    """A model was asked for it, by every model of the catalog in turn, with every outcome."""
    link = Link(position=0, model=CATALOG.used_models[number % len(CATALOG.used_models)])
    context = CallContext(tenant_id="acme", user_id=f"user-{number}", run_id=f"run_{number:026}", step=1)
    attempts = Attempts(
        context, "primary", MemoryLedger(), lambda: NOW.timestamp(), lambda kind, at: f"{kind}_{number}", telemetry
    )
    outcome = list(Outcome)[number % len(Outcome)]
    attempts.count_retry(link, outcome)
    attempts.record(link, attempts.begin(link), outcome, usage=Usage(input_tokens=9, output_tokens=9))


def count_rest(telemetry: PowertoolsTelemetry, number: int) -> None:
    """All other metrics, with values as hostile as a caller of this code could make them."""
    agent, tool = f"agent-{number % AGENTS:02}", f"tool_{number % TOOLS:02}"
    odd = f"user {number} said hello"
    open_values = {
        "agent": agent,
        "tool": tool,
        "model": f"model-{number % 70}",
        "provider": f"provider-{number % 70}",
        "tier": f"tier-{number % 20}",
        "function": f"tool-{tool}",
    }
    for name, spec in METRICS.items():
        closed = {one.name: sorted(one.values or ()) for one in spec.dimensions.values() if one.values is not None}
        known = {key: values[number % len(values)] if number % 7 else odd for key, values in closed.items()}
        telemetry.count(name, 1, unit=spec.unit, **{**open_values, **known})


def test_ten_thousand_users_and_fifty_tools_stay_below_the_ceiling() -> None:
    declared = {
        "agent": [f"agent-{number:02}" for number in range(AGENTS)],
        "tool": [f"tool_{number:02}" for number in range(TOOLS)],
        "model": [*(one.name for one in CATALOG.used_models), *(f"model-{number}" for number in range(70))],
        "tier": [f"tier-{number}" for number in range(20)],
        "function": [f"tool-tool_{number:02}" for number in range(TOOLS)],
    }
    # Two processes, which see the same names in another order, as two instances of a function do.
    processes = [Process(choose_told_apart(declared)) for _ in range(2)]
    for place, process in enumerate(processes):
        for first in range(0, USERS // 2, 1_000):
            with process.telemetry.bind(request_id=str(first)):
                for number in range(first, first + 1_000):
                    user = number * 2 + place
                    end_run(process.telemetry, user)
                    if number % 3 == 0:
                        call_tool(process.telemetry, user)
                        ask_model(process.telemetry, user)
        with process.telemetry.bind(request_id="rest"):
            for number in range(150):
                count_rest(process.telemetry, number if place else 149 - number)
    made = {key for process in processes for key in process.read()}
    assert {key.name for key in made} == set(METRICS)
    assert len(made) <= compute_ceiling() <= CEILING
    told = {dict(key.dimensions).get("tool") for key in made if key.name == names.TOOL_CALLS} - {None}
    assert told == {f"tool_{number:02}" for number in range(TOOLS)}, "fifty tools are all told apart"
    assert {dict(key.dimensions).get("agent") for key in made if key.name == names.RUN_COST} >= {"other", None}
    assert not [key for key in made if "user" in str(key.dimensions) or "tenant" in str(key.dimensions)]


@pytest.mark.parametrize("error", [ModelUnavailable("x"), ZeroDivisionError(), type("Odd17", (PentadError,), {})("x")])
def test_a_value_that_becomes_other_is_on_the_log(error: Exception) -> None:
    process = Process({})
    process.telemetry = PowertoolsTelemetry(service=f"ceiling-{next(_services)}", stage="dev", stream=process.stream)
    with process.telemetry.bind(request_id="r"):
        process.telemetry.count(names.ERRORS, function="api", error=type(error).__name__)
    listed = type(error).__name__ == "ModelUnavailable"
    assert ('"metrics.other"' in process.stream.getvalue()) is not listed
    written = {dict(key.dimensions).get("error") for key in process.read()}
    assert written == {None, "ModelUnavailable" if listed else "other"}
