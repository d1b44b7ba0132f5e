"""Signed requests: whose signature is right, and what a key that signs may ask for."""

import json
from datetime import timedelta
from typing import Any

import pytest

from pentad.api.identity.adapters.keys_memory import MemoryKeys
from pentad.api.identity.keys import KeyAuthenticator, create_key, revoke_key
from pentad.api.identity.signed import AHEAD, OLDEST, SignedRequests, sign_request
from pentad.domain.errors import InvalidInput, NotAuthenticated, PolicyDenied
from tests.unit.orchestration.world import START, TENANT, Clock

ASKED = {"agent": "assistant", "message": "Hello"}


class Producer:
    """A key that signs, and the other side."""

    def __init__(self, **values: Any) -> None:
        self.store, self.clock = MemoryKeys(), Clock()
        self.key, self.token = create_key(
            self.store, TENANT, now=START, **({"scopes": ["runs:write"], "owner": "shop"} | values)
        )
        self.verify = SignedRequests(KeyAuthenticator(self.store, now=self.clock), now=self.clock)

    def sign(self, **values: Any) -> dict[str, str]:
        return sign_request(self.token, ASKED | values, now=START)


def test_a_signed_request_is_its_keys() -> None:
    producer = Producer()
    found = producer.verify(producer.sign())
    assert (found.tenant_id, json.loads(found.text), found.reach) == (TENANT, ASKED, None)
    assert (found.requester.key_id, found.requester.person) == (producer.key.key_id, "shop")


def test_the_secret_is_not_in_the_message() -> None:
    producer = Producer()
    text = json.dumps(producer.sign())
    assert producer.token.rsplit(".", 1)[1] not in text
    assert producer.key.secret_hash not in text


def test_the_key_of_one_user_reaches_that_user_only() -> None:
    producer = Producer(user_id="ann")
    found = producer.verify(producer.sign())
    assert (found.reach, found.requester.user_id, found.requester.person) == ("ann", "ann", "ann")


@pytest.mark.parametrize(
    "change",
    [
        {"signed": json.dumps(ASKED | {"message": "Hello!"})},
        {"key": "ptd.other.000000000000"},
        {"key": "ptd.acme.000000000000"},
        {"key": "ptd.acme"},
        {"at": (START + timedelta(seconds=1)).isoformat()},
        {"signature": "0" * 64},
    ],
)
def test_what_is_changed_after_signing_is_refused(change: dict[str, str]) -> None:
    producer = Producer()
    with pytest.raises(NotAuthenticated):
        producer.verify(producer.sign() | change)


def test_another_tenants_key_does_not_sign_for_this_one() -> None:
    producer, other = Producer(), Producer()
    with pytest.raises(NotAuthenticated):
        producer.verify(other.sign() | {"key": producer.sign()["key"]})


@pytest.mark.parametrize("gone", ["revoked", "expired"])
def test_a_key_that_is_gone_signs_no_more(gone: str) -> None:
    producer = Producer(expires_at=START + timedelta(hours=1))
    message = producer.sign()
    producer.verify(message)
    if gone == "revoked":
        revoke_key(producer.store, TENANT, producer.key.key_id, now=START)
    else:
        producer.clock.advance(3600)
    with pytest.raises(NotAuthenticated):
        producer.verify(message)


def test_a_key_without_the_scope_starts_nothing() -> None:
    producer = Producer(scopes=["runs:read"])
    with pytest.raises(PolicyDenied, match="runs:write"):
        producer.verify(producer.sign())


@pytest.mark.parametrize(
    "message",
    [
        {},
        ASKED | {"tenant": TENANT},
        {"signed": "{}", "key": "ptd.acme.x", "at": "now"},
        {"signed": "{}", "key": "ptd.acme.x", "at": "now", "signature": "A" * 64},
        {"signed": ["{}"], "key": "ptd.acme.x", "at": "now", "signature": "0" * 64},
    ],
)
def test_a_request_that_is_not_signed_says_how(message: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="not signed"):
        Producer().verify(message)


@pytest.mark.parametrize(("after", "fine"), [(OLDEST, True), (OLDEST + timedelta(seconds=1), False), (-AHEAD, True)])
def test_a_signature_is_good_as_long_as_a_message_can_wait(after: timedelta, fine: bool) -> None:
    producer = Producer()
    message = producer.sign()
    producer.clock.time = START + after
    if fine:
        producer.verify(message)
        return
    with pytest.raises(InvalidInput, match="signed too long ago"):
        producer.verify(message)


def test_a_time_without_a_zone_or_of_the_future_is_refused() -> None:
    producer = Producer()
    producer.clock.time = START - AHEAD - timedelta(seconds=1)
    with pytest.raises(InvalidInput):
        producer.verify(producer.sign())


def test_half_a_pair_of_characters_is_signed_like_any_text() -> None:
    producer = Producer()
    found = producer.verify(producer.sign(message="\ud83d"))
    assert json.loads(found.text)["message"] == "\ud83d"
