"""DynamoDB requests of a run, counted: docs/layers/orchestration.md states these numbers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pentad.domain.declarations.agents import ContextSpec
from pentad.domain.runs import CallStatus, Manifest
from pentad.domain.usage import Limits
from pentad.orchestration.lifecycle.deliver import Deliver
from pentad.orchestration.lifecycle.start import RunRequest, StartRun
from pentad.orchestration.turn.think import Think, TurnInput
from tests.unit.orchestration.world import CATALOG, Events, FakeEngine, World

from .stores import Stores

TENANT = "acme"


class Counter:
    """Counts a client's requests, and the bytes that come back."""

    def __init__(self, stores: Stores) -> None:
        assert stores.state is not None
        self.count = 0
        self.bytes = 0
        events = stores.state._client.meta.events
        events.register("before-send.dynamodb", self._seen)
        events.register("after-call.dynamodb", self._answered)

    def _seen(self, **_: object) -> None:
        self.count += 1

    def _answered(self, http_response: Any, **_: object) -> None:
        self.bytes += len(http_response.content)

    @contextmanager
    def expect(self, requests: int) -> Iterator[None]:
        before = self.count
        yield
        assert self.count - before == requests


def test_the_requests_of_a_run_with_one_turn_of_tools(dynamodb: Stores) -> None:
    world = World()
    world.clock = dynamodb.clock  # type: ignore[assignment]
    world.model.script = [[("calculator", {"x": 1})], "4"]
    now, telemetry = dynamodb.clock, world.telemetry
    start = StartRun(CATALOG, dynamodb.runs, FakeEngine(), telemetry, now=now)
    think = Think(CATALOG, dynamodb.runs, dynamodb.sessions, world.model, world.ledger, telemetry, now=now)
    deliver = Deliver(dynamodb.runs, dynamodb.sessions, dynamodb.approvals, Events(), telemetry, now=now)
    counter = Counter(dynamodb)
    with counter.expect(1):
        run = start(TENANT, RunRequest(agent="assistant", message="Hello"), trigger="api")
    dynamodb.runs.set_manifest(
        TENANT, run.run_id, Manifest(epoch_first_seq=0, request_seq=0, passages=0, estimated_tokens=1)
    )
    until = now().timestamp() + 60
    with counter.expect(5):
        think(
            TurnInput(tenant_id=TENANT, run_id=run.run_id, session_id=run.session_id, agent=run.agent, step=1),
            deadline=until,
        )
    with counter.expect(6):
        think(
            TurnInput(tenant_id=TENANT, run_id=run.run_id, session_id=run.session_id, agent=run.agent, step=2),
            deadline=until,
        )
    with counter.expect(1):
        call, of = dynamodb.runs.get_call_and_run(TENANT, run.run_id, 1, 0)
    assert (call.tool, of.run_id) == ("calculator", run.run_id)
    with counter.expect(4):
        deliver.deliver(TENANT, run.run_id, 2)
    with counter.expect(1):
        think(
            TurnInput(tenant_id=TENANT, run_id=run.run_id, session_id=run.session_id, agent=run.agent, step=2),
            deadline=until,
        )


def test_a_turn_costs_the_same_however_long_the_run_is(dynamodb: Stores) -> None:
    world, turns = World(), 60
    world.clock = dynamodb.clock  # type: ignore[assignment]
    world.model.script = [[("calculator", {"x": turn, "words": "w" * 400})] for turn in range(turns)] + ["4"]
    context = ContextSpec(high_water_tokens=2000, low_water_tokens=1000)
    agent = CATALOG.agents["assistant"].model_copy(
        update={"context": context, "limits": Limits(steps=1000, seconds=9000)}
    )
    catalog = CATALOG.model_copy(update={"agents": {"assistant": agent}})
    now, telemetry = dynamodb.clock, world.telemetry
    start = StartRun(catalog, dynamodb.runs, FakeEngine(), telemetry, now=now)
    think = Think(catalog, dynamodb.runs, dynamodb.sessions, world.model, world.ledger, telemetry, now=now)
    deliver = Deliver(dynamodb.runs, dynamodb.sessions, dynamodb.approvals, Events(), telemetry, now=now)
    run = start(TENANT, RunRequest(agent="assistant", message="Hello"), trigger="api")
    manifest = Manifest(epoch_first_seq=0, request_seq=0, passages=0, estimated_tokens=1)
    dynamodb.runs.set_manifest(TENANT, run.run_id, manifest)
    counter = Counter(dynamodb)
    requests, sizes = [], []
    for step in range(1, turns + 2):
        before, size = counter.count, counter.bytes
        turn = TurnInput(tenant_id=TENANT, run_id=run.run_id, session_id=run.session_id, agent=run.agent, step=step)
        decision = think(turn, deadline=now().timestamp() + 60)
        requests.append(counter.count - before)
        sizes.append(counter.bytes - size)
        for reference in decision.calls:
            call = dynamodb.runs.get_call(TENANT, run.run_id, step, reference.index)
            dynamodb.runs.save_call(call.model_copy(update={"status": CallStatus.SUCCEEDED, "result": "r" * 200}))
    # Six; one more where the context begins inside the run (its question), and one where it was cut just now.
    assert max(requests) <= 8
    assert max(sizes[turns // 2 :]) <= 1.05 * max(sizes[: turns // 2])
    with counter.expect(4):
        deliver.deliver(TENANT, run.run_id, turns + 1)
