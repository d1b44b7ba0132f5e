"""Messages that ask for a run."""

import json
from typing import Any

import pytest

from pentad.domain.errors import InvalidInput
from pentad.orchestration.lifecycle.queue_messages import RunRequested, read_message

BARE: dict[str, Any] = {"tenant": "acme", "agent": "assistant", "message": "Hello"}


def _event(**detail: Any) -> str:
    return json.dumps({"id": "event-1", "source": "shop", "detail-type": "pentad.run.requested", "detail": detail})


def asked_by(body: str) -> RunRequested:
    found = read_message(body, "sqs-1")
    assert isinstance(found, RunRequested)
    return found


def test_a_bare_message_is_keyed_by_its_sqs_id() -> None:
    asked = asked_by(json.dumps(BARE))
    assert (asked.trigger, asked.idempotency_key, asked.message.to_request().message) == ("queue", "sqs-1", "Hello")


def test_an_event_is_keyed_by_its_id() -> None:
    asked = asked_by(_event(**BARE))
    assert (asked.trigger, asked.idempotency_key, asked.message.tenant_id) == ("event", "event-1", "acme")


@pytest.mark.parametrize("body", [json.dumps(BARE | {"idempotency_key": "k"}), _event(**BARE, idempotency_key="k")])
def test_its_own_key_comes_first(body: str) -> None:
    assert asked_by(body).idempotency_key == "k"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("{", "body"),
        ("[]", "body"),
        (json.dumps({"agent": "assistant", "message": "Hello"}), "tenant"),
        (json.dumps(BARE | {"tenant": "A#B"}), "tenant"),
        (json.dumps(BARE | {"session": "../x"}), "session"),
        (json.dumps(BARE | {"message": ""}), "message"),
        (json.dumps(BARE | {"extra": 1}), "extra"),
        (_event(agent="assistant"), "message"),
        (json.dumps({"detail-type": "x", "detail": None}), None),
    ],
)
def test_a_wrong_message_names_its_field(body: str, field: str | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_message(body, "sqs-1")
    assert caught.value.field == field
