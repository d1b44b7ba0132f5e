"""A request that meets a transaction in flight on its item is refused, and an index may show a write late.

Developer guide, "Managing complex workflows with DynamoDB transactions" (transaction conflict handling), and "Using
Global Secondary Indexes" (eventually consistent reads).
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.clocks import StillClock
from tests.twin.front.conftest import REGION, Client, make_table
from twin.front.account import reset_account
from twin.front.dynamodb import gate, late_indexes
from twin.front.front import AwsFront
from twin.front.model import TableTimes

pytestmark = pytest.mark.twin

Json = dict[str, Any]
DELAY = 10.0


@pytest.fixture
def front() -> Iterator[AwsFront]:
    reset_account()
    times = TableTimes(transaction_seconds=1, index_delay_seconds=DELAY, seed=5)
    with AwsFront(REGION, table_times=times) as running:
        yield running


@pytest.fixture
def dynamodb(client: Client) -> Any:
    make_table(client)
    return client("dynamodb")


def key(pk: str) -> Json:
    return {"pk": {"S": pk}, "sk": {"S": "1"}}


def put(pk: str, **attributes: str) -> Json:
    return {"TableName": "items", "Item": {**key(pk), **{name: {"S": text} for name, text in attributes.items()}}}


def fail(call: Any, **request: Any) -> tuple[str, list[str]]:
    """Return the code of a call's error, and the codes of its reasons."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    response: Any = caught.value.response
    return response["Error"]["Code"], [reason["Code"] for reason in response.get("CancellationReasons", [])]


class Held:
    """Transactions stay in flight until they are let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.released = threading.Event()

    def __call__(self, seconds: float) -> None:
        self.begun.set()
        assert self.released.wait(60)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    found = Held()
    monkeypatch.setattr(gate, "sleep", found)
    yield found
    found.released.set()


def test_what_meets_a_transaction_in_flight_is_refused_and_reads_are_not(dynamodb: Any, held: Held) -> None:
    check = {
        "ConditionCheck": {"TableName": "items", "Key": key("b"), "ConditionExpression": "attribute_not_exists(v)"}
    }
    entries = [{"Put": put("a", v="new")}, check]
    with ThreadPoolExecutor(1) as thread:
        writing = thread.submit(dynamodb.transact_write_items, TransactItems=entries, ClientRequestToken="t")
        assert held.begun.wait(60)
        assert "Item" not in dynamodb.get_item(TableName="items", Key=key("a"))
        for pk in ("a", "b"):
            where = {"TableName": "items", "Key": key(pk)}
            assert fail(dynamodb.put_item, **put(pk)) == ("TransactionConflictException", [])
            assert fail(dynamodb.delete_item, **where) == ("TransactionConflictException", [])
            assert fail(
                dynamodb.update_item,
                **where,
                UpdateExpression="SET v = :v",
                ExpressionAttributeValues={":v": {"S": "x"}},
            ) == ("TransactionConflictException", [])
        cancelled = ("TransactionCanceledException", ["None", "TransactionConflict"])
        assert fail(dynamodb.transact_write_items, TransactItems=[{"Put": put("c")}, check]) == cancelled
        reads = [{"Get": {"TableName": "items", "Key": key(pk)}} for pk in ("c", "a")]
        assert fail(dynamodb.transact_get_items, TransactItems=reads) == cancelled
        again = fail(dynamodb.transact_write_items, TransactItems=entries, ClientRequestToken="t")
        assert again == ("TransactionInProgressException", [])
        dynamodb.put_item(**put("other"))
        held.released.set()
        writing.result(60)
    assert dynamodb.get_item(TableName="items", Key=key("a"))["Item"]["v"] == {"S": "new"}
    dynamodb.put_item(**put("a"))
    dynamodb.transact_write_items(TransactItems=entries, ClientRequestToken="t")
    assert "v" not in dynamodb.get_item(TableName="items", Key=key("a"))["Item"]  # carried out once


def test_a_transaction_that_fails_holds_nothing_any_more(dynamodb: Any, held: Held) -> None:
    held.released.set()
    check = {"ConditionCheck": {"TableName": "items", "Key": key("b"), "ConditionExpression": "attribute_exists(pk)"}}
    assert fail(dynamodb.transact_write_items, TransactItems=[{"Put": put("a")}, check])[1] == [
        "None",
        "ConditionalCheckFailed",
    ]
    dynamodb.put_item(**put("a"))
    dynamodb.put_item(**put("b"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> StillClock:
    found = StillClock()
    monkeypatch.setattr(late_indexes, "monotonic", found)
    return found


def listed(dynamodb: Any, operation: str = "query") -> list[str]:
    """Return what the index has, as notes in its order."""
    values = {"ExpressionAttributeValues": {":g": {"S": "g"}}}
    query: Json = {"KeyConditionExpression": "gsi1pk = :g", **values} if operation == "query" else {}
    found = getattr(dynamodb, operation)(TableName="items", IndexName="gsi1", **query)
    return [item["note"]["S"] for item in found["Items"]]


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("operation", ["query", "scan"])
def test_an_index_shows_a_write_late_and_the_table_at_once(dynamodb: Any, clock: StillClock, operation: str) -> None:
    dynamodb.put_item(**put("a", gsi1pk="g", gsi1sk="1", note="first"))
    assert dynamodb.get_item(TableName="items", Key=key("a"))["Item"]["note"] == {"S": "first"}
    assert listed(dynamodb, operation) == []
    clock.now += DELAY
    assert listed(dynamodb, operation) == ["first"]
    dynamodb.put_item(**put("a", gsi1pk="g", gsi1sk="1", note="second"))
    dynamodb.put_item(**put("b", gsi1pk="g", gsi1sk="2", note="another"))
    assert listed(dynamodb, operation) == ["first"]
    clock.now += DELAY
    assert listed(dynamodb, operation) == ["second", "another"]
    dynamodb.delete_item(TableName="items", Key=key("a"))
    assert dynamodb.scan(TableName="items")["Count"] == 1
    assert listed(dynamodb, operation) == ["second", "another"]
    clock.now += DELAY
    assert listed(dynamodb, operation) == ["another"]


def test_batches_and_transactions_are_late_too_and_refused_writes_change_nothing(
    dynamodb: Any, clock: StillClock, held: Held
) -> None:
    held.released.set()
    one, two = (put(pk, gsi1pk="g", gsi1sk=pk, note=pk) for pk in ("a", "b"))
    dynamodb.batch_write_item(RequestItems={"items": [{"PutRequest": {"Item": one["Item"]}}]})
    dynamodb.transact_write_items(TransactItems=[{"Put": two}])
    assert listed(dynamodb) == []
    clock.now += DELAY
    assert listed(dynamodb) == ["a", "b"]
    assert fail(dynamodb.put_item, **one, ConditionExpression="attribute_not_exists(pk)")[0] == (
        "ConditionalCheckFailedException"
    )
    assert listed(dynamodb) == ["a", "b"]


def test_an_index_shows_the_writes_of_an_item_in_their_order(dynamodb: Any, clock: StillClock) -> None:
    for note in "abcdef":
        dynamodb.put_item(**put("a", gsi1pk="g", gsi1sk="1", note=note))
    seen: list[str] = []
    while not seen or seen[-1] != "f":
        seen += listed(dynamodb)
        clock.now += DELAY / 50
        assert clock.now <= 2 * DELAY
    assert seen == sorted(seen)
