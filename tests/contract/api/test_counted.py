"""What DynamoDB counts and holds for the API: rates, and one open bulk ingestion for each owner and folder."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from moto import mock_aws

from pentad.api.adapters.claims_dynamodb import DynamoBulkClaims
from pentad.api.ports import Holder
from pentad.api.rates.adapters.rates_dynamodb import DynamoRateCounter
from pentad.aws.table import Table
from tests.moto_clients import client


@pytest.fixture
def table() -> Iterator[Table]:
    with mock_aws():
        dynamodb = client("dynamodb")
        names = ({"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"})
        dynamodb.create_table(
            TableName="transient",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=list(names),
            BillingMode="PAY_PER_REQUEST",
        )
        yield Table(dynamodb, "transient")


def test_requests_are_counted_one_by_one_or_by_twenty(table: Table) -> None:
    counter = DynamoRateCounter(table)
    assert [counter.take("acme", "all", window=60, most=45, count=20) for _ in range(4)] == [True, True, True, False]
    assert [counter.take("acme", "key", window=60, most=2) for _ in range(3)] == [True, True, False]
    assert counter.take("acme", "all", window=120, most=45)
    assert counter.take("other", "all", window=60, most=45)


def test_a_place_is_one_ingestions_until_it_is_replaced(table: Table) -> None:
    now = [1_000.0]
    claims = DynamoBulkClaims(table, clock=lambda: now[0])
    assert claims.take("acme", "docs", "a") is None
    now[0] = 1_030.0
    assert claims.take("acme", "docs", "a") is None
    assert claims.take("acme", "docs", "b") == Holder(name="a", seconds=30)
    assert claims.take("acme", "docs", "b", replaces="c") == Holder(name="a", seconds=30)
    assert claims.take("acme", "docs", "b", replaces="a") is None
    assert claims.take("acme", "docs", "c", replaces="a") == Holder(name="b", seconds=0)
    assert claims.take("acme", "plans", "c") is None
    assert claims.take("other", "docs", "c") is None


def test_of_many_at_once_one_gets_the_place(table: Table) -> None:
    claims = DynamoBulkClaims(table)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: claims.take("acme", "docs", f"n{number}"), range(8)))
    assert found.count(None) == 1
