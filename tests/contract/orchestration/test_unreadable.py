"""Something stored was cut, or changed by hand: whoever reads it is told what it is, and the run ends."""

import json
from typing import Any

import pytest

from pentad.domain import keys
from pentad.domain.errors import Unreadable
from pentad.domain.runs import Manifest, Run, RunStatus
from pentad.orchestration.lifecycle.deliver import Deliver
from pentad.orchestration.lifecycle.start import RunRequest, StartRun
from pentad.orchestration.turn.think import Think, TurnInput
from tests.unit.orchestration.world import CATALOG, Events, FakeEngine, World

from .stores import Stores

TENANT = "acme"


class Loop:
    """A turn and an end over the tables."""

    def __init__(self, stores: Stores) -> None:
        world = World()
        world.clock = stores.clock  # type: ignore[assignment]
        world.model.script = [[("calculator", {"x": 1})], "4"]
        now, telemetry = stores.clock, world.telemetry
        start = StartRun(CATALOG, stores.runs, FakeEngine(), telemetry, now=now)
        self.stores = stores
        self.think = Think(CATALOG, stores.runs, stores.sessions, world.model, world.ledger, telemetry, now=now)
        self.deliver = Deliver(stores.runs, stores.sessions, stores.approvals, Events(), telemetry, now=now)
        self.run: Run = start(TENANT, RunRequest(agent="assistant", message="Hello"), trigger="api")
        manifest = Manifest(epoch_first_seq=0, request_seq=0, passages=0, estimated_tokens=1)
        stores.runs.set_manifest(TENANT, self.run.run_id, manifest)

    def turn(self, step: int) -> Any:
        run = self.run
        turn = TurnInput(tenant_id=TENANT, run_id=run.run_id, session_id=run.session_id, agent=run.agent, step=step)
        return self.think(turn, deadline=self.stores.clock().timestamp() + 60)

    def spoil(self, pk: str, sk: str, body: str | None) -> None:
        assert self.stores.state is not None
        if body is None:
            self.stores.state.update(pk, sk, "REMOVE body", condition="attribute_exists(pk)")
        else:
            self.stores.state.update(pk, sk, "SET body = :b", condition="attribute_exists(pk)", values={":b": body})


@pytest.mark.parametrize("body", ['{"message_id": "m', "", None, '{"role": "nobody"}'])
@pytest.mark.parametrize("what", ["message", "step", "call"])
def test_a_run_whose_stored_parts_cannot_be_read_ends_as_failed(dynamodb: Stores, what: str, body: str | None) -> None:
    loop = Loop(dynamodb)
    run = loop.run
    assert loop.turn(1).kind == "tools"
    place = {
        "message": (keys.session_pk(TENANT, run.session_id), keys.message_sk(1)),
        "step": (keys.run_pk(TENANT, run.run_id), keys.step_sk(1)),
        "call": (keys.run_pk(TENANT, run.run_id), keys.call_sk(1, 0)),
    }[what]
    loop.spoil(*place, body)
    with pytest.raises(Unreadable) as told:
        loop.turn(1 if what == "step" else 2)
    assert "nobody" not in told.value.message
    ended = loop.deliver.abort(TENANT, run.run_id, "Unreadable", "", 2)
    assert ended.status is RunStatus.FAILED
    assert dynamodb.runs.find_lease_holder(TENANT, run.session_id) is None


def _newer(body: str) -> str:
    return json.dumps(json.loads(body) | {"of_a_newer_version": {"a": [1]}})


def test_what_a_newer_version_has_stored_beside_it_does_not_keep_this_one_from_its_run(dynamodb: Stores) -> None:
    loop = Loop(dynamodb)
    run, state = loop.run, dynamodb.state
    assert state is not None
    assert loop.turn(1).kind == "tools"
    places = {
        (keys.session_pk(TENANT, run.session_id), keys.message_sk(1)),
        (keys.run_pk(TENANT, run.run_id), keys.META),
        (keys.run_pk(TENANT, run.run_id), keys.step_sk(1)),
        (keys.run_pk(TENANT, run.run_id), keys.call_sk(1, 0)),
    }
    for place in places:
        item = state.get(*place)
        assert item is not None
        loop.spoil(*place, _newer(item["body"]))
    assert loop.turn(1).kind == "tools"
    assert loop.turn(2).kind == "answer"
    assert dynamodb.runs.get(TENANT, run.run_id).run_id == run.run_id
