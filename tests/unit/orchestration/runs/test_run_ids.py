"""Ids of runs that a key names: what goes into them, and requests that an earlier version has begun."""

from itertools import combinations
from typing import Any

import pytest

from pentad.domain.errors import IdempotencyConflict, InvalidInput, NotFound
from pentad.domain.ids import derive_id
from pentad.domain.runs import Actor, Run
from pentad.orchestration.lifecycle.start import RunRequest, Trigger
from pentad.orchestration.runs.run_ids import derive_run_id
from tests.unit.orchestration.world import START, TENANT, World

HELLO = RunRequest(agent="plain", message="Hello")


def actor(user_id: str | None = None, key_id: str = "k1") -> Actor:
    return Actor(user_id=user_id, key_id=key_id, person=user_id or "owner", at=START)


def start(world: World, key: str, *, trigger: Trigger = "api", requester: Actor | None = None, **values: Any) -> Run:
    request = HELLO.model_copy(update=values)
    return world.start(TENANT, request, trigger=trigger, requester=requester, idempotency_key=key)


def test_nobody_claims_what_another_or_another_way_will_ask_for() -> None:
    asked = [
        (TENANT, "api", actor("ann"), "k"),
        (TENANT, "api", actor("bob"), "k"),
        (TENANT, "api", actor(key_id="ann"), "k"),
        (TENANT, "api", actor(key_id="stack"), "k"),
        (TENANT, "queue", actor("ann"), "k"),
        (TENANT, "schedule", None, "k"),
        ("other", "schedule", None, "k"),
        (TENANT, "schedule", None, "schedule/clerk/daily/2026-11-29T21:00:00Z"),
        (TENANT, "api", actor("ann"), "schedule/clerk/daily/2026-11-29T21:00:00Z"),
    ]
    for one, other in combinations(asked, 2):
        assert derive_run_id(*one) != derive_run_id(*other), (one, other)
    world = World()
    claimed = start(world, asked[-1][3], requester=actor("ann"))
    tick = start(world, asked[-1][3], trigger="schedule")
    assert claimed.run_id != tick.run_id
    assert {claimed.run_id, tick.run_id} == set(world.engine.started)


@pytest.mark.parametrize("key", ["order-1", "signed-0a1b2c"])
def test_a_signed_request_that_is_put_into_an_event_is_the_same_run(key: str) -> None:
    world = World()
    sent, wrapped = (start(world, key, trigger=way, requester=actor("ann")) for way in ("queue", "event"))
    assert sent.run_id == wrapped.run_id
    assert set(world.engine.started) == {sent.run_id}


def test_two_credentials_of_one_user_share_their_keys_and_two_keys_of_a_service_do_not() -> None:
    world = World()
    phone, laptop = (start(world, "k", requester=actor("ann", key)) for key in ("jwt", "abc"))
    assert phone == laptop
    one, other = (start(world, "k", requester=actor(None, key)) for key in ("k1", "k2"))
    assert one.run_id != other.run_id


def test_the_session_of_a_run_with_a_key_can_not_be_told_before() -> None:
    sessions = {start(World(), "k", requester=actor("ann")).session_id for _ in range(3)}
    assert len(sessions) == 3


def earlier(world: World, **values: Any) -> Run:
    """Store a run as an earlier version did: its id of tenant and key, and nobody known who asked."""
    run = start(world, "k", **values)
    moved = run.model_copy(
        update={"run_id": derive_id("run", TENANT, "k"), "session_id": f"{run.session_id}x", "requester": None}
    )
    world.runs._runs[TENANT, moved.run_id] = moved
    del world.runs._runs[TENANT, run.run_id]
    return moved


def test_a_request_that_an_earlier_version_has_begun_is_the_same_run() -> None:
    world = World()
    before = earlier(world)
    assert start(world, "k", requester=actor()).run_id == before.run_id
    with pytest.raises(IdempotencyConflict):
        start(world, "k", requester=actor(), message="Something else")


@pytest.mark.parametrize("values", [{"user_id": "bob"}, {"trigger": "queue"}])
def test_what_another_has_begun_in_an_earlier_version_is_not_taken_for_it(values: Any) -> None:
    world = World()
    before = earlier(world, **values)
    assert start(world, "k", requester=actor()).run_id != before.run_id


def test_a_session_of_our_names_is_gone_on_with_and_never_made() -> None:
    world = World()
    with pytest.raises(NotFound, match="no such session"):
        start(world, "k", session_id="ses_" + "0" * 26)
    run = start(world, "k")
    assert run.session_id.startswith("ses_")


def test_a_key_that_is_not_well_formed_is_refused() -> None:
    with pytest.raises(InvalidInput):
        derive_run_id(TENANT, "api", None, "a b")
