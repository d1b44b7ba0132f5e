"""What this stack relies on in DynamoDB holds behind the front: atomic writes, transactions, paging, error shapes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.core.serialize import ResponseSerializer
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from tests.twin.front.conftest import Client, make_table
from twin.front.front import AwsFront

pytestmark = pytest.mark.twin


@pytest.fixture
def dynamodb(client: Client) -> Any:
    make_table(client)
    return client("dynamodb")


def key(pk: str, sk: str = "1") -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def in_threads(count: int, times: int, attempt: Callable[[Any], bool], client: Client) -> int:
    """Run an attempt many times in threads, each with its own client, and count the successes."""

    def work(_: int) -> int:
        own = client("dynamodb")
        return sum(attempt(own) for _ in range(times))

    with ThreadPoolExecutor(count) as threads:
        return sum(threads.map(work, range(count)))


def succeeds(call: Callable[..., Any], code: str, **arguments: Any) -> bool:
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return False
    return True


def test_conditional_counter_never_passes_its_limit_under_threads(dynamodb: Any, client: Client) -> None:
    dynamodb.put_item(TableName="items", Item={**key("counter"), "n": {"N": "0"}})

    def attempt(own: Any) -> bool:
        return succeeds(
            own.update_item,
            "ConditionalCheckFailedException",
            TableName="items",
            Key=key("counter"),
            UpdateExpression="SET n = n + :one",
            ConditionExpression="n < :limit",
            ExpressionAttributeValues={":one": {"N": "1"}, ":limit": {"N": "100"}},
        )

    assert in_threads(20, 10, attempt, client) == 100
    assert dynamodb.get_item(TableName="items", Key=key("counter"))["Item"]["n"] == {"N": "100"}


def test_transactions_are_atomic_under_threads(dynamodb: Any, client: Client) -> None:
    for name in ("from", "to"):
        dynamodb.put_item(TableName="items", Item={**key(name), "n": {"N": "50"}})

    def attempt(own: Any) -> bool:
        move = [("from", "n - :one", "n > :floor"), ("to", "n + :one", "n >= :floor")]
        entries = [
            {
                "Update": {
                    "TableName": "items",
                    "Key": key(name),
                    "UpdateExpression": f"SET n = {change}",
                    "ConditionExpression": condition,
                    "ExpressionAttributeValues": {":one": {"N": "1"}, ":floor": {"N": "0"}},
                }
            }
            for name, change, condition in move
        ]
        for _ in range(200):
            try:
                own.transact_write_items(TransactItems=entries)
            except own.exceptions.TransactionCanceledException as error:
                codes = {reason["Code"] for reason in error.response["CancellationReasons"]}
                if "TransactionConflict" not in codes:
                    assert "ConditionalCheckFailed" in codes
                    return False
            else:
                return True
        raise AssertionError("others' transactions were in the way each time")

    assert in_threads(10, 8, attempt, client) == 50
    found = {name: dynamodb.get_item(TableName="items", Key=key(name))["Item"]["n"]["N"] for name in ("from", "to")}
    assert found == {"from": "0", "to": "100"}


def test_only_one_of_many_creates_an_item(dynamodb: Any, client: Client) -> None:
    def attempt(own: Any) -> bool:
        return succeeds(
            own.put_item,
            "ConditionalCheckFailedException",
            TableName="items",
            Item=key("lease"),
            ConditionExpression="attribute_not_exists(pk)",
        )

    assert in_threads(20, 3, attempt, client) == 1


def test_failed_condition_returns_the_item_when_asked(dynamodb: Any) -> None:
    dynamodb.put_item(TableName="items", Item={**key("a"), "v": {"N": "7"}})
    with pytest.raises(ClientError) as caught:
        dynamodb.update_item(
            TableName="items",
            Key=key("a"),
            UpdateExpression="SET v = :v",
            ConditionExpression="v = :w",
            ExpressionAttributeValues={":v": {"N": "8"}, ":w": {"N": "1"}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    response: Any = caught.value.response
    assert response["Error"]["Code"] == "ConditionalCheckFailedException"
    assert response["Item"] == {**key("a"), "v": {"N": "7"}}


def test_cancelled_transaction_gives_a_reason_for_each_item_and_writes_nothing(dynamodb: Any) -> None:
    dynamodb.put_item(TableName="items", Item={**key("a"), "v": {"N": "7"}})
    with pytest.raises(ClientError) as caught:
        dynamodb.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": "items", "Item": key("new")}},
                {
                    "ConditionCheck": {
                        "TableName": "items",
                        "Key": key("a"),
                        "ConditionExpression": "v = :w",
                        "ExpressionAttributeValues": {":w": {"N": "1"}},
                        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                    }
                },
            ]
        )
    response: Any = caught.value.response
    assert response["Error"]["Code"] == "TransactionCanceledException"
    assert response["Error"]["Message"] == (
        "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]"
    )
    assert response["CancellationReasons"] == [
        {"Code": "None"},
        {
            "Code": "ConditionalCheckFailed",
            "Message": "The conditional request failed",
            "Item": {**key("a"), "v": {"N": "7"}},
        },
    ]
    assert "Item" not in dynamodb.get_item(TableName="items", Key=key("new"))


def test_transaction_with_one_client_token_is_carried_out_once(dynamodb: Any) -> None:
    dynamodb.put_item(TableName="items", Item={**key("a"), "n": {"N": "0"}})
    add = {
        "Update": {
            "TableName": "items",
            "Key": key("a"),
            "UpdateExpression": "SET n = n + :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }
    for _ in range(2):
        dynamodb.transact_write_items(TransactItems=[add], ClientRequestToken="same")
    assert dynamodb.get_item(TableName="items", Key=key("a"))["Item"]["n"] == {"N": "1"}
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        dynamodb.transact_write_items(
            TransactItems=[{"Put": {"TableName": "items", "Item": key("b")}}], ClientRequestToken="same"
        )


def test_transaction_on_one_item_twice_is_refused(dynamodb: Any) -> None:
    put = {"Put": {"TableName": "items", "Item": key("a")}}
    with pytest.raises(ClientError, match="cannot include multiple operations on one item"):
        dynamodb.transact_write_items(TransactItems=[put, put])


def test_transaction_of_more_than_a_hundred_items_is_refused(dynamodb: Any) -> None:
    puts = [{"Put": {"TableName": "items", "Item": key("a", str(n))}} for n in range(101)]
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb.transact_write_items(TransactItems=puts)


def test_query_pages_through_a_prefix_in_order(dynamodb: Any) -> None:
    for n in range(7):
        dynamodb.put_item(TableName="items", Item=key("a", f"m#{n}"))
    dynamodb.put_item(TableName="items", Item=key("a", "z"))
    query: dict[str, Any] = {
        "TableName": "items",
        "KeyConditionExpression": "pk = :p AND begins_with(sk, :s)",
        "ExpressionAttributeValues": {":p": {"S": "a"}, ":s": {"S": "m#"}},
        "Limit": 3,
    }
    pages: list[list[str]] = []
    page = dynamodb.query(**query)
    pages.append([item["sk"]["S"] for item in page["Items"]])
    while "LastEvaluatedKey" in page:
        page = dynamodb.query(**query, ExclusiveStartKey=page["LastEvaluatedKey"])
        pages.append([item["sk"]["S"] for item in page["Items"]])
    assert pages == [["m#0", "m#1", "m#2"], ["m#3", "m#4", "m#5"], ["m#6"]]


def test_backward_query_and_count(dynamodb: Any) -> None:
    for n in range(3):
        dynamodb.put_item(TableName="items", Item=key("a", str(n)))
    query: dict[str, Any] = {
        "TableName": "items",
        "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "a"}},
    }
    newest = dynamodb.query(**query, ScanIndexForward=False, Limit=1)
    assert [item["sk"]["S"] for item in newest["Items"]] == ["2"]
    counted = dynamodb.query(**query, Select="COUNT")
    assert counted["Count"] == 3 and "Items" not in counted


def test_index_is_queried_in_its_own_order(dynamodb: Any) -> None:
    for n in (2, 0, 1):
        item = {**key(f"p{n}"), "gsi1pk": {"S": "g"}, "gsi1sk": {"S": str(n)}}
        dynamodb.put_item(TableName="items", Item=item)
    found = dynamodb.query(
        TableName="items",
        IndexName="gsi1",
        KeyConditionExpression="gsi1pk = :g",
        ExpressionAttributeValues={":g": {"S": "g"}},
        Limit=2,
    )
    assert [item["pk"]["S"] for item in found["Items"]] == ["p0", "p1"]
    assert set(found["LastEvaluatedKey"]) == {"pk", "sk", "gsi1pk", "gsi1sk"}


def test_batch_write_puts_and_deletes(dynamodb: Any) -> None:
    dynamodb.put_item(TableName="items", Item=key("old"))
    requests = [{"PutRequest": {"Item": key("new")}}, {"DeleteRequest": {"Key": key("old")}}]
    assert dynamodb.batch_write_item(RequestItems={"items": requests})["UnprocessedItems"] == {}
    assert [item["pk"]["S"] for item in dynamodb.scan(TableName="items")["Items"]] == ["new"]


def test_item_over_400_kilobytes_is_refused(dynamodb: Any) -> None:
    with pytest.raises(ClientError, match="Item size"):
        dynamodb.put_item(TableName="items", Item={**key("a"), "v": {"S": "x" * (400 * 1024)}})


def test_requests_are_counted_by_operation_and_caller(front: AwsFront, dynamodb: Any) -> None:
    for _ in range(3):
        dynamodb.get_item(TableName="items", Key=key("a"))
    assert front.count_calls()[("dynamodb", "GetItem", "administrator")] == 3  # type: ignore[index]


def test_a_transaction_that_fails_leaves_every_item_as_it_was(dynamodb: Any) -> None:
    dynamodb.put_item(TableName="items", Item={**key("changed"), "n": {"N": "1"}})
    dynamodb.put_item(TableName="items", Item={**key("deleted"), "n": {"N": "2"}})
    entries = [
        {"Put": {"TableName": "items", "Item": key("made")}},
        {
            "Update": {
                "TableName": "items",
                "Key": key("changed"),
                "UpdateExpression": "SET n = n + :one",
                "ExpressionAttributeValues": {":one": {"N": "1"}},
            }
        },
        {"Delete": {"TableName": "items", "Key": key("deleted")}},
        {
            "ConditionCheck": {
                "TableName": "items",
                "Key": key("absent"),
                "ConditionExpression": "attribute_exists(pk)",
            }
        },
    ]
    assert not succeeds(dynamodb.transact_write_items, "TransactionCanceledException", TransactItems=entries)
    found = {pk: dynamodb.get_item(TableName="items", Key=key(pk)).get("Item") for pk in ("made", "changed", "deleted")}
    assert found == {
        "made": None,
        "changed": {**key("changed"), "n": {"N": "1"}},
        "deleted": {**key("deleted"), "n": {"N": "2"}},
    }
    dynamodb.transact_write_items(TransactItems=entries[:3])
    assert dynamodb.get_item(TableName="items", Key=key("changed"))["Item"]["n"] == {"N": "2"}
    assert "Item" not in dynamodb.get_item(TableName="items", Key=key("deleted"))


def test_a_transaction_copies_the_items_it_names_and_not_the_table(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        dynamodb.put_item(TableName="items", Item=key(str(number)))
    copied: list[str] = []
    original = Item.__deepcopy__

    def counted(self: Item, memo: dict[int, Any]) -> Item:
        copied.append(str(self.hash_key.value))
        return original(self, memo)

    monkeypatch.setattr(Item, "__deepcopy__", counted)
    entries = [{"Put": {"TableName": "items", "Item": {**key(pk), "n": {"N": "1"}}}} for pk in ("1", "2")]
    dynamodb.transact_write_items(TransactItems=entries)
    assert copied == ["1", "2"]


def test_a_query_looks_at_its_partition_and_not_at_the_table(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        dynamodb.put_item(TableName="items", Item=key(str(number % 3), f"{number:02d}"))
    looked: list[int] = []
    original = Table.all_items

    def counted(self: Table) -> list[Item]:
        found = original(self)
        looked.append(len(found))
        return found

    monkeypatch.setattr(Table, "all_items", counted)
    answer = dynamodb.query(
        TableName="items",
        KeyConditionExpression="pk = :pk AND sk > :sk",
        ExpressionAttributeValues={":pk": {"S": "1"}, ":sk": {"S": "10"}},
    )
    assert [item["sk"]["S"] for item in answer["Items"]] == ["13", "16", "19", "22", "25", "28"]
    assert looked == [10]


KINDS: dict[str, Any] = {
    "S": "ü\n\x00",
    "N": "1.5",
    "B": b"\x00\xff",
    "SS": ["a", "b"],
    "NS": ["1", "2.5"],
    "BS": [b"\x00", b"b"],
    "BOOL": False,
    "NULL": True,
    "M": {"in": {"L": [{"B": b"x"}, {"M": {}}, {"L": []}, {"NULL": True}]}, "none": {"S": ""}},
    "L": [{"N": "1"}, {"BS": [b"y"]}, {"M": {"S": {"S": "S"}}}],
}


def test_an_answer_writes_each_value_by_the_kind_that_it_has(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    item = key("1") | {f"of-{kind}": {kind: value} for kind, value in KINDS.items()}
    looked: list[str] = []
    original = ResponseSerializer.get_value

    def counted(self: ResponseSerializer, value: Any, name: str, shape: Any) -> Any:
        looked.append(name)
        return original(self, value, name, shape)

    dynamodb.put_item(TableName="items", Item=item)
    monkeypatch.setattr(ResponseSerializer, "get_value", counted)
    where = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "1"}}}
    change = {"UpdateExpression": "SET more = :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    one_of_many = dynamodb.batch_get_item(RequestItems={"items": {"Keys": [key("1")]}})
    found = [
        dynamodb.get_item(TableName="items", Key=key("1"))["Item"],
        *dynamodb.query(TableName="items", **where)["Items"],
        *dynamodb.scan(TableName="items")["Items"],
        *one_of_many["Responses"]["items"],
        dynamodb.update_item(TableName="items", Key=key("1"), ReturnValues="ALL_OLD", **change)["Attributes"],
    ]
    assert [_sort_sets(one) for one in found] == [item] * 5
    assert not set(looked) & set(KINDS)


def _sort_sets(item: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return an item with its sets in order: a set has none."""
    return {
        name: {kind: sorted(held) if kind in {"SS", "NS", "BS"} else held for kind, held in value.items()}
        for name, value in item.items()
    }
