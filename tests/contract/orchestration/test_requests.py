"""DynamoDB requests of a run, counted: docs/layers/orchestration.md states these numbers."""

from collections.abc import Iterator
from contextlib import contextmanager

from pentad.domain.runs import Manifest
from pentad.orchestration.deliver import Deliver
from pentad.orchestration.start import RunRequest, StartRun
from pentad.orchestration.turn import Think, Turn
from tests.unit.orchestration.world import CATALOG, Events, FakeEngine, World

from .stores import Stores

TENANT = "acme"


class Counter:
    """Counts a client's requests."""

    def __init__(self, stores: Stores) -> None:
        assert stores.state is not None
        self.count = 0
        stores.state._client.meta.events.register("before-send.dynamodb", self._seen)

    def _seen(self, **_: object) -> None:
        self.count += 1

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
    with counter.expect(2):
        run = start(TENANT, RunRequest(agent="assistant", message="Hello"), trigger="api")
    dynamodb.runs.set_manifest(
        TENANT, run.run, Manifest(epoch_first_seq=0, request_seq=0, passages=0, estimated_tokens=1)
    )
    until = now().timestamp() + 60
    with counter.expect(6):
        think(Turn(tenant=TENANT, run=run.run, session=run.session, agent=run.agent, step=1), deadline=until)
    with counter.expect(7):
        think(Turn(tenant=TENANT, run=run.run, session=run.session, agent=run.agent, step=2), deadline=until)
    with counter.expect(5):
        deliver.deliver(TENANT, run.run, 2)
    with counter.expect(1):
        think(Turn(tenant=TENANT, run=run.run, session=run.session, agent=run.agent, step=2), deadline=until)
