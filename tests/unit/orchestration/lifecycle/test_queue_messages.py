"""Messages that ask for a run: signed ones of the runs queue, and a schedule's of the lifecycle queue."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from pentad.domain.declarations.schedules import ScheduleSpec
from pentad.domain.errors import InvalidInput, NotAuthenticated, PolicyDenied
from pentad.domain.ids import is_reserved_session
from pentad.domain.runs import Actor
from pentad.orchestration.lifecycle.queue_messages import (
    EXECUTION_CHANGED,
    ReadQueues,
    RunRequested,
    Signed,
    build_redrive_message,
    build_schedule_message,
    read_message,
    read_request,
)
from tests.unit.orchestration.world import START

BARE: dict[str, Any] = {"agent": "assistant", "message": "Hello"}
ACTOR = Actor(key_id="k1", person="owner", at=START)
RUN = "run_" + "0" * 26


def verify(content: Mapping[str, Any], reach: str | None = None) -> Signed:
    """Take every text for signed: what is checked of a signature is tested beside its module."""
    if "signed" not in content:
        raise InvalidInput("the request is not signed", field="signature")
    actor = ACTOR.model_copy(update={"user_id": reach})
    return Signed("acme", actor, reach, str(content["signed"]), str(content["signature"]))


def anns(content: Mapping[str, Any]) -> Signed:
    return verify(content, "ann")


def signed(signature: str = "a" * 64, **values: Any) -> dict[str, str]:
    return {"signed": json.dumps(BARE | values), "key": "ptd.acme.k1", "at": "now", "signature": signature}


def event(**values: Any) -> str:
    return json.dumps({"id": "e", "source": "shop", "detail-type": "pentad.run.requested", "detail": signed(**values)})


def test_a_request_is_its_keys_tenants_and_keyed_by_its_signature() -> None:
    asked = read_request(json.dumps(signed()), verify)
    assert (asked.message.tenant_id, asked.trigger, asked.requester) == ("acme", "queue", ACTOR)
    assert asked.message.to_request().message == "Hello"
    assert read_request(json.dumps(signed()), verify) == asked
    assert read_request(json.dumps(signed("b" * 64)), verify).idempotency_key != asked.idempotency_key


def test_an_event_of_the_bus_is_read_as_a_message_is() -> None:
    asked = read_request(event(), verify)
    assert (asked.message.tenant_id, asked.trigger, asked.requester) == ("acme", "event", ACTOR)


@pytest.mark.parametrize("body", [json.dumps(signed(idempotency_key="k")), event(idempotency_key="k")])
def test_its_own_key_comes_first(body: str) -> None:
    assert read_request(body, verify).idempotency_key == "k"


@pytest.mark.parametrize("name", ["tenant", "tenant_id"])
def test_a_request_names_no_other_tenant(name: str) -> None:
    assert read_request(json.dumps(signed(tenant="acme")), verify).message.tenant_id == "acme"
    with pytest.raises((PolicyDenied, InvalidInput)):
        read_request(json.dumps(signed(**{name: "other"})), verify)
    with pytest.raises((PolicyDenied, InvalidInput)):
        read_request(json.dumps(signed(tenant="acme", tenant_id="other")), verify)


@pytest.mark.parametrize("name", ["user", "user_id"])
def test_the_key_of_one_user_asks_for_no_other(name: str) -> None:
    assert read_request(json.dumps(signed()), anns).message.user_id == "ann"
    assert read_request(json.dumps(signed(**{name: "ann"})), anns).message.user_id == "ann"
    assert read_request(json.dumps(signed(**{name: "bob"})), verify).message.user_id == "bob"
    with pytest.raises(PolicyDenied):
        read_request(json.dumps(signed(**{name: "bob"})), anns)


FORGED = [
    {
        "detail-type": EXECUTION_CHANGED,
        "detail": {"status": "FAILED", "input": json.dumps({"tenant": "a", "run": RUN})},
    },
    {"detail-type": "pentad.run.finished", "detail": {"tenant": "a", "session": "s"}},
    json.loads(build_redrive_message("a", RUN)),
    BARE | {"tenant": "a", "idempotency_key": "schedule/clerk/daily/2026-11-29T21:00:00Z"},
]


@pytest.mark.parametrize("body", FORGED)
def test_what_the_stack_tells_itself_is_heard_on_its_own_queue_only(body: Any) -> None:
    read = ReadQueues("arn:lifecycle", verify)
    assert read("arn:lifecycle", json.dumps(body), "m") == read_message(json.dumps(body), "m")
    for queue in ("arn:runs", "arn:lifecycle-dlq", ""):
        with pytest.raises(InvalidInput, match="not signed"):
            read(queue, json.dumps(body), "m")


def test_a_schedules_request_comes_by_the_lifecycle_queue() -> None:
    asked = read_message(json.dumps(FORGED[3]), "m")
    assert isinstance(asked, RunRequested)
    assert (asked.trigger, asked.requester, asked.message.tenant_id) == ("schedule", None, "a")


def test_what_the_check_of_the_signature_says_is_said() -> None:
    def refuse(_: Mapping[str, Any]) -> Signed:
        raise NotAuthenticated("no")

    with pytest.raises(NotAuthenticated):
        read_request(json.dumps(signed()), refuse)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("{", "body"),
        ("[]", "body"),
        ("[" * 100_000, "body"),
        ('{"detail":' * 50_000, "body"),
        ('{"message": 1e999}', "body"),
        (json.dumps(signed() | {"signed": '{"message":' * 50_000}), "body"),
        (json.dumps(signed() | {"signed": "[]"}), "body"),
        (json.dumps(signed(session="../x")), "session"),
        (json.dumps(signed(message="")), "message"),
        (json.dumps(signed(extra=1)), "extra"),
        (json.dumps({"detail-type": "x", "detail": None}), "signature"),
    ],
)
def test_a_wrong_message_names_its_field(body: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_request(body, verify)
    assert caught.value.field == field


@pytest.mark.parametrize("text", ["[" * 100_000, '{"tenant":' * 50_000, '{"tenant": NaN}', "", 5, None])
def test_an_input_of_a_dead_execution_that_is_none_is_refused(text: Any) -> None:
    body = json.dumps({"detail-type": EXECUTION_CHANGED, "detail": {"status": "FAILED", "input": text}})
    with pytest.raises(InvalidInput, match="does not name a run"):
        read_message(body, "m")
    with pytest.raises(InvalidInput, match="not valid JSON"):
        read_message("[" * 100_000, "m")


def test_a_schedules_session_is_one_that_nobody_can_take_before_it() -> None:
    schedule = {
        "name": "daily",
        "expression": "rate(1 day)",
        "tenant": "acme",
        "message": "Report.",
        "session": "daily",
    }
    body = build_schedule_message("clerk", ScheduleSpec.model_validate(schedule))

    def read(**values: Any) -> str | None:
        found = read_message(json.dumps({name: value for name, value in (body | values).items() if value}), "m")
        assert isinstance(found, RunRequested)
        return found.message.session_id

    first = read(idempotency_key="k1")
    assert first == read(idempotency_key="k2") != read(agent="greeter")
    assert is_reserved_session(str(first))
    assert read(session=None) is None
