"""What every store of shares does."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from moto import mock_aws

from pentad.aws.table import Table
from pentad.models.shares.adapters.shares_dynamodb import DynamoShares
from pentad.models.shares.adapters.shares_memory import MemoryShares
from tests.moto_clients import client


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "memory":
        yield MemoryShares()
        return
    with mock_aws():
        dynamodb = client("dynamodb")
        dynamodb.create_table(
            TableName="transient",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield DynamoShares(Table(dynamodb, "transient"))


def take(store: Any, slot: str, *, tenant_id: str = "acme", now: float = 100.0) -> bool:
    return bool(store.take(tenant_id, slot, most=2, now=now, until=now + 50))


def test_slots_are_taken_up_to_the_share_and_given_back(store: Any) -> None:
    assert [take(store, slot) for slot in "abc"] == [True, True, False]
    assert take(store, "a", tenant_id="other")
    store.give_back("acme", "a")
    assert [take(store, slot) for slot in "de"] == [True, False]


def test_slots_whose_time_is_over_are_free_and_no_others(store: Any) -> None:
    assert take(store, "a")
    assert take(store, "b", now=120.0)
    assert not take(store, "c", now=149.0)
    assert take(store, "c", now=150.0)
    assert not take(store, "d", now=150.0)


def test_a_slot_that_is_renewed_ends_later_and_one_that_nobody_holds_is_not_made(store: Any) -> None:
    assert take(store, "a")
    store.renew("acme", "a", until=170.0)
    store.renew("acme", "b", until=170.0)
    store.renew("nobody", "a", until=170.0)
    assert [take(store, slot, now=160.0) for slot in "cd"] == [True, False]
    assert take(store, "d", now=170.0)


def test_a_slot_that_nobody_holds_is_given_back_in_vain(store: Any) -> None:
    store.give_back("nobody", "a")
    assert take(store, "a")
    store.give_back("acme", "b")
    assert take(store, "b")
    assert not take(store, "c")


def test_callers_at_once_never_hold_more_than_the_share(store: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda number: store.take("acme", f"s{number}", most=5, now=1.0, until=9.0), range(24)))
    assert taken.count(True) == 5
