"""What DynamoDB refuses, in its own words: limits, types of keys, values of expressions, malformed requests.

The limits are in the developer guide, "Quotas in Amazon DynamoDB", and in the API reference of each operation.
"""

import json
import urllib.request
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.twin.front.conftest import REGION, Client, make_table
from twin.front.front import AwsFront

pytestmark = pytest.mark.twin

Json = dict[str, Any]
KEY: Json = {"pk": {"S": "a"}, "sk": {"S": "1"}}
INVALID = "One or more parameter values were invalid: "
UNUSED = "Value provided in ExpressionAttributeValues unused in expressions: keys: {:x}"
SPARE = {"ExpressionAttributeValues": {":v": {"N": "1"}, ":x": {"N": "2"}}}


@pytest.fixture
def dynamodb(client: Client) -> Any:
    make_table(client)
    return client("dynamodb")


def refuse(call: Any, **request: Any) -> str:
    """Return the message of the ValidationException that a request gets."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    return str(caught.value.response["Error"]["Message"])


def nest(levels: int) -> Json:
    value: Json = {"S": "deep"}
    for _ in range(levels):
        value = {"L": [value]}
    return value


_VALUES: list[tuple[Json, str]] = [
    ({"N": "1" * 39}, "Attempting to store more than 38 significant digits in a Number"),
    ({"N": "0." + "0" * 5 + "12345678901234567890123456789012345678901"}, "Attempting to store more than 38"),
    ({"N": "1E126"}, "Number overflow. Attempting to store a number with magnitude larger than supported range"),
    ({"N": "1E-131"}, "Number underflow. Attempting to store a number with magnitude smaller than supported range"),
    # Rounded to fewer digits these are the largest and the smallest number.
    ({"N": "9." + "9" * 36 + "E-131"}, "Number underflow. Attempting to store a number with magnitude smaller"),
    ({"N": "one"}, "The parameter cannot be converted to a numeric value: one"),
    ({"N": "NaN"}, "The parameter cannot be converted to a numeric value: NaN"),
    ({"SS": ["a", "b", "a"]}, INVALID + "Input collection [a, b, a] contains duplicates."),
    ({"NS": ["1", "1.0"]}, INVALID + "Input collection [1, 1.0] contains duplicates."),
    ({"SS": []}, INVALID + "An string set  may not be empty"),
    ({"L": [{"M": {"x": {"N": "9" * 39}}}]}, "Attempting to store more than 38 significant digits in a Number"),
    ({"NULL": False}, INVALID + "Null attribute value types must have the value of true"),
    (nest(33), "Nesting Levels have exceeded supported limits"),
]


def test_a_value_that_cannot_be_stored_is_refused_wherever_it_stands(dynamodb: Any) -> None:
    for value, message in _VALUES:
        item = {**KEY, "v": value}
        values = {"UpdateExpression": "SET v = :v", "ExpressionAttributeValues": {":v": value}}
        transaction = [{"Put": {"TableName": "items", "Item": item}}]
        batch = {"items": [{"PutRequest": {"Item": item}}]}
        told = [
            refuse(dynamodb.put_item, TableName="items", Item=item),
            refuse(dynamodb.update_item, TableName="items", Key=KEY, **values),
            refuse(dynamodb.transact_write_items, TransactItems=transaction),
            refuse(dynamodb.batch_write_item, RequestItems=batch),
        ]
        assert [text[: len(message)] for text in told] == [message] * 4
    assert dynamodb.scan(TableName="items")["Count"] == 0


def test_the_largest_values_are_stored(dynamodb: Any) -> None:
    values = {"n": {"N": "9" * 38}, "e": {"N": "9.99E+125"}, "s": {"N": "-1E-130"}, "z": {"N": "0.000"}, "l": nest(32)}
    values |= {"w": {"N": "-9." + "9" * 37 + "E125"}, "t": {"N": "1." + "0" * 36 + "1E-130"}}
    dynamodb.put_item(TableName="items", Item={"pk": {"S": "p" * 2048}, "sk": {"S": "s" * 1024}, **values})
    [found] = dynamodb.scan(TableName="items")["Items"]
    assert found["w"] == {"N": "-" + "9" * 38 + "0" * 88}


_KEYS: list[tuple[Json, str]] = [
    ({"pk": {"S": "é" * 1025}}, INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes"),
    (
        {"sk": {"S": "s" * 1025}},
        INVALID + "Aggregated size of all range keys has exceeded the size limit of 1024 bytes",
    ),
    ({"gsi1pk": {"S": "g" * 2049}}, INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes"),
    (
        {"gsi1pk": {"N": "1"}},
        INVALID + "Type mismatch for Index Key gsi1pk Expected: S Actual: N IndexName: gsi1",
    ),
    (
        {"gsi1sk": {"NULL": True}},
        INVALID + "Type mismatch for Index Key gsi1sk Expected: S Actual: NULL IndexName: gsi1",
    ),
    ({"pk": {"N": "1"}}, INVALID + "Type mismatch for key pk expected: S actual: N"),
    (
        {"sk": {"S": ""}},
        "One or more parameter values are not valid. The AttributeValue for a key attribute "
        "cannot contain an empty string value. Key: sk",
    ),
]


def test_a_key_that_is_too_long_empty_or_of_another_type_is_refused(dynamodb: Any) -> None:
    for changed, message in _KEYS:
        put = {"TableName": "items", "Item": {**KEY, **changed}}
        assert refuse(dynamodb.put_item, **put) == message
        assert refuse(dynamodb.transact_write_items, TransactItems=[{"Put": put}]) == message


def test_a_key_of_a_request_has_the_tables_attributes_and_no_others(dynamodb: Any) -> None:
    for key in ({"pk": {"S": "a"}}, {**KEY, "v": {"S": "x"}}, {**KEY, "sk": {"N": "1"}}):
        message = refuse(dynamodb.get_item, TableName="items", Key=key)
        assert message == "The provided key element does not match the schema"
    assert (
        refuse(dynamodb.get_item, TableName="items", Key={**KEY, "pk": {"S": "p" * 2049}})
        == INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes"
    )


def test_an_update_of_an_index_key_to_another_type_is_refused(dynamodb: Any) -> None:
    message = refuse(
        dynamodb.update_item,
        TableName="items",
        Key=KEY,
        UpdateExpression="SET v = :w, #g = :v",
        ExpressionAttributeNames={"#g": "gsi1pk"},
        ExpressionAttributeValues={":v": {"N": "1"}, ":w": {"N": "2"}},
    )
    assert message == "The update expression attempted to update the secondary index key to unsupported type"


def test_a_value_that_no_expression_of_a_transaction_uses_is_refused(dynamodb: Any) -> None:
    fields: dict[str, Json] = {
        "Put": {"Item": KEY, "ConditionExpression": "v = :v"},
        "Update": {"Key": KEY, "UpdateExpression": "SET v = :v"},
        "Delete": {"Key": KEY, "ConditionExpression": "v = :v"},
        "ConditionCheck": {"Key": KEY, "ConditionExpression": "v = :v"},
    }
    for kind, given in fields.items():
        entry = {kind: {"TableName": "items", **given, **SPARE}}
        assert refuse(dynamodb.transact_write_items, TransactItems=[entry]) == UNUSED


def test_values_and_names_belong_to_expressions(dynamodb: Any) -> None:
    values = {"ExpressionAttributeValues": {":v": {"N": "1"}}}
    assert refuse(dynamodb.put_item, TableName="items", Item=KEY, **values) == (
        "ExpressionAttributeValues can only be specified when using expressions"
    )
    assert refuse(dynamodb.put_item, TableName="items", Item=KEY, ConditionExpression="v = :w", **values) == (
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}"
    )
    undefined = refuse(dynamodb.delete_item, TableName="items", Key=KEY, ConditionExpression="#v = :v", **values)
    assert undefined == (
        "Invalid ConditionExpression: An expression attribute name used in the document path is not defined; "
        "attribute name: #v"
    )


@pytest.mark.parametrize("index", [None, "gsi1"])
def test_a_querys_filter_names_no_key_of_what_is_queried(dynamodb: Any, index: str | None) -> None:
    first, second = ("gsi1pk", "gsi1sk") if index else ("pk", "sk")
    query: Json = {
        "TableName": "items",
        "KeyConditionExpression": f"{first} = :p",
        "ExpressionAttributeValues": {":p": {"S": "a"}, ":s": {"S": "1"}},
        **({"IndexName": index} if index else {}),
    }
    for text, names in ((f"begins_with({second}, :s)", {}), ("note = :s AND #k < :s", {"#k": second})):
        named = {"ExpressionAttributeNames": names} if names else {}
        assert refuse(dynamodb.query, **query, FilterExpression=text, **named) == (
            f"Filter Expression can only contain non-primary key attributes: Primary key attribute: {second}"
        )
    assert dynamodb.query(**query, FilterExpression=f"note.{second} = :s")["Count"] == 0


def test_a_batch_has_25_writes_in_all_of_its_tables(dynamodb: Any, client: Client) -> None:
    make_table(client, "others")

    def puts(count: int, pk: str = "a") -> list[Json]:
        return [{"PutRequest": {"Item": {"pk": {"S": pk}, "sk": {"S": str(number)}}}} for number in range(count)]

    assert refuse(dynamodb.batch_write_item, RequestItems={"items": puts(13), "others": puts(13, "b")}) == (
        "Too many items requested for the BatchWriteItem call"
    )
    dynamodb.batch_write_item(RequestItems={"items": puts(13), "others": puts(12, "b")})
    twice = [*puts(1), {"DeleteRequest": {"Key": {**KEY, "sk": {"S": "0"}}}}]
    assert refuse(dynamodb.batch_write_item, RequestItems={"items": twice}) == (
        "Provided list of item keys contains duplicates"
    )


def test_a_batch_reads_100_items(dynamodb: Any) -> None:
    keys = [{**KEY, "sk": {"S": str(number)}} for number in range(101)]
    assert refuse(dynamodb.batch_get_item, RequestItems={"items": {"Keys": keys}}) == (
        "Too many items requested for the BatchGetItem call"
    )
    assert dynamodb.batch_get_item(RequestItems={"items": {"Keys": keys[:100]}})["Responses"] == {"items": []}


def test_a_transaction_reads_100_items_and_no_more(dynamodb: Any) -> None:
    gets = [{"Get": {"TableName": "items", "Key": {**KEY, "sk": {"S": str(number)}}}} for number in range(101)]
    assert "Member must have length less than or equal to 100" in refuse(
        dynamodb.transact_get_items, TransactItems=gets
    )
    assert len(dynamodb.transact_get_items(TransactItems=gets[:100])["Responses"]) == 100


def test_the_items_of_a_transaction_are_4_megabytes_at_most(dynamodb: Any) -> None:
    def puts(count: int) -> list[Json]:
        return [
            {"Put": {"TableName": "items", "Item": {"pk": {"S": "p"}, "sk": {"S": str(n)}, "v": {"S": "x" * 399_000}}}}
            for n in range(count)
        ]

    assert "aggregate size" in refuse(dynamodb.transact_write_items, TransactItems=puts(11))
    dynamodb.transact_write_items(TransactItems=puts(10))
    # An item that is only changed counts with what it holds.
    changes = [
        {
            "Update": {
                "TableName": "items",
                "Key": {"pk": {"S": "p"}, "sk": {"S": str(n)}},
                "UpdateExpression": "SET n = :n",
                "ExpressionAttributeValues": {":n": {"S": "x" * 30_000}},
            }
        }
        for n in range(10)
    ]
    assert "aggregate size" in refuse(dynamodb.transact_write_items, TransactItems=changes)


def test_a_starting_key_that_is_none_of_the_table_is_refused(dynamodb: Any) -> None:
    query: Json = {
        "TableName": "items",
        "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "a"}},
    }
    for start in ({"pk": {"S": "a"}}, {**KEY, "gsi1pk": {"S": "g"}}, {**KEY, "sk": {"N": "1"}}):
        assert refuse(dynamodb.query, **query, ExclusiveStartKey=start) == "The provided starting key is invalid"


def test_a_starting_key_has_values_of_a_key_and_fits_the_condition(dynamodb: Any) -> None:
    query: Json = {
        "TableName": "items",
        "KeyConditionExpression": "pk = :p AND sk > :s",
        "ExpressionAttributeValues": {":p": {"S": "a"}, ":s": {"S": "5"}},
    }
    told = refuse(dynamodb.query, **query, ExclusiveStartKey={**KEY, "pk": {"S": "p" * 2049}})
    assert told.startswith("The provided starting key is invalid: ")
    told = refuse(dynamodb.query, **query, ExclusiveStartKey={**KEY, "pk": {"S": "b"}})
    assert told == "The provided starting key is outside query boundaries based on provided conditions"
    told = refuse(dynamodb.query, **query, ExclusiveStartKey={**KEY, "sk": {"S": "5"}})
    assert told == "The provided starting key does not match the range key predicate"
    assert dynamodb.query(**query, ExclusiveStartKey={**KEY, "sk": {"S": "6"}})["Count"] == 0


def test_expressions_do_not_stand_beside_the_parameters_of_the_time_before_them(dynamodb: Any) -> None:
    keys = {"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]}}
    other = {"v": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "x"}]}}
    values = {"ExpressionAttributeValues": {":p": {"S": "a"}}}
    asked = {"KeyConditionExpression": "pk = :p", **values}
    both: tuple[tuple[Any, Json, str], ...] = (
        (dynamodb.get_item, {"Key": KEY, "AttributesToGet": ["v"], "ProjectionExpression": "v"}, "AttributesToGet"),
        (dynamodb.put_item, {"Item": KEY, "Expected": other, "ConditionExpression": "attribute_exists(v)"}, "Expected"),
        (dynamodb.query, {**asked, "KeyConditions": keys}, "KeyConditions"),
        (dynamodb.query, {**asked, "QueryFilter": other}, "QueryFilter"),
        (dynamodb.query, {"KeyConditions": keys, "QueryFilter": other, "ProjectionExpression": "v"}, "QueryFilter"),
        (dynamodb.scan, {"ScanFilter": other, "FilterExpression": "v = :p", **values}, "ScanFilter"),
        (
            dynamodb.update_item,
            {"Key": KEY, "AttributeUpdates": {"v": {"Value": {"S": "x"}}}, "ConditionExpression": "v = :p", **values},
            "AttributeUpdates",
        ),
    )
    for call, request, legacy in both:
        told = refuse(call, TableName="items", **request)
        assert told.startswith("Can not use both expression and non-expression parameters in the same request: ")
        assert f"Non-expression parameters: {{{legacy}}} Expression parameters: {{" in told
    batch = {"items": {"Keys": [KEY], "AttributesToGet": ["v"], "ProjectionExpression": "v"}}
    assert refuse(dynamodb.batch_get_item, RequestItems=batch).startswith("Can not use both expression")
    filtered = {"KeyConditions": keys, "FilterExpression": "v = :p", **values}
    assert dynamodb.query(TableName="items", **filtered)["Count"] == 0


def test_an_update_leaves_the_key_as_it_is(dynamodb: Any) -> None:
    told = INVALID + "Cannot update attribute sk. This attribute is part of the key"
    updated = {"sk": {"Action": "PUT", "Value": {"S": "2"}}}
    assert refuse(dynamodb.update_item, TableName="items", Key=KEY, AttributeUpdates=updated) == told
    assert refuse(dynamodb.update_item, TableName="items", Key=KEY, UpdateExpression="REMOVE sk") == told


def test_names_of_placeholders_attributes_and_indexes_are_what_they_can_be(dynamodb: Any) -> None:
    named = {"ProjectionExpression": "#a-b", "ExpressionAttributeNames": {"#a-b": "v"}}
    told = refuse(dynamodb.get_item, TableName="items", Key=KEY, **named)
    assert told == 'ExpressionAttributeNames contains invalid key: Syntax error; key: "#a-b"'
    told = refuse(dynamodb.get_item, TableName="items", Key=KEY, AttributesToGet=["v", "v"])
    assert told == INVALID + "Duplicate value in attribute name: v"
    told = refuse(dynamodb.scan, TableName="items", IndexName="other")
    assert told == "The table does not have the specified index: other"
    # moto failed at a comma at the end, and the answer was an internal failure.
    told = refuse(dynamodb.get_item, TableName="items", Key=KEY, ProjectionExpression="v,")
    assert told == 'Invalid ProjectionExpression: Syntax error; token: "<EOF>", near: ","'


def send(front: AwsFront, operation: str, body: object) -> tuple[int, str]:
    """Send what no SDK would send; return the status and the error's name."""
    keys = front.principals.administrator
    headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}", "Content-Type": "application/x-amz-json-1.0"}
    request = AWSRequest("POST", front.url + "/", data=json.dumps(body), headers=headers)
    SigV4Auth(Credentials(keys.access_key_id, keys.secret_access_key), "dynamodb", REGION).add_auth(request)
    prepared = request.prepare()
    sent = urllib.request.Request(prepared.url, json.dumps(body).encode(), dict(prepared.headers))  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(sent, timeout=10) as response:  # noqa: S310
            return response.status, "no error"
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["__type"].rpartition("#")[2]


_MALFORMED: list[tuple[str, Json]] = [
    ("PutItem", {}),
    ("PutItem", {"TableName": "items"}),
    ("PutItem", {"TableName": "items", "Item": {"pk": {"S": "a"}}}),
    ("PutItem", {"TableName": "items", "Item": {**KEY, "v": {}}}),
    ("PutItem", {"TableName": "items", "Item": {**KEY, "v": {"S": "a", "N": "1"}}}),
    ("GetItem", {"TableName": "items", "Key": {}}),
    ("UpdateItem", {"TableName": "items", "Key": KEY, "UpdateExpression": "SET"}),
    ("UpdateItem", {"TableName": "items", "Key": KEY, "UpdateExpression": "SET a = b +"}),
    ("UpdateItem", {"TableName": "items", "Key": KEY, "UpdateExpression": "SET a = if_not_exists(a)"}),
    ("PutItem", {"TableName": "items", "Item": KEY, "ConditionExpression": "a ="}),
    ("PutItem", {"TableName": "items", "Item": KEY, "ConditionExpression": "size(a, b) = c"}),
    ("Query", {"TableName": "items"}),
    ("Query", {"TableName": "items", "KeyConditionExpression": "pk"}),
    ("Query", {"TableName": "items", "KeyConditionExpression": "pk = :p AND sk <> :p", **SPARE}),
    ("Scan", {"TableName": "items", "Limit": 0}),
    ("Scan", {"TableName": "items", "FilterExpression": "contains(a)"}),
    ("Scan", {"TableName": "items", "Segment": 3, "TotalSegments": 2}),
    ("BatchGetItem", {"RequestItems": {}}),
    ("BatchWriteItem", {"RequestItems": {"items": []}}),
    ("TransactWriteItems", {"TransactItems": []}),
    ("TransactGetItems", {"TransactItems": [{"Get": {"TableName": "items"}}]}),
]


def test_a_malformed_request_is_a_validation_error_and_no_failure_of_the_service(
    front: AwsFront, dynamodb: Any
) -> None:
    found = {f"{operation} {body}": send(front, operation, body) for operation, body in _MALFORMED}
    assert found == dict.fromkeys(found, (400, "ValidationException"))
    assert len(found) == len(_MALFORMED)


def test_a_field_of_another_type_is_a_serialization_error(front: AwsFront, dynamodb: Any) -> None:
    for body in ({"TableName": 5}, {"TableName": "items", "Key": [1]}):
        assert send(front, "GetItem", body) == (400, "SerializationException")


@pytest.mark.parametrize("operation", ["query", "scan"])
def test_a_limit_that_is_met_exactly_gives_a_key_and_an_empty_page_after_it(dynamodb: Any, operation: str) -> None:
    # Developer guide, "Paginating table query results": only a page without LastEvaluatedKey is the last one. A limit
    # counts the items that are looked at, before the filter.
    for number in range(3):
        item = {**KEY, "sk": {"S": str(number)}, "note": {"S": "dropped" if number == 2 else "kept"}}
        dynamodb.put_item(TableName="items", Item=item)
    values = {":k": {"S": "kept"}, **({":p": {"S": "a"}} if operation == "query" else {})}
    request: Json = {
        "TableName": "items",
        "Limit": 3,
        "FilterExpression": "note = :k",
        "ExpressionAttributeValues": values,
        **({"KeyConditionExpression": "pk = :p"} if operation == "query" else {}),
    }
    page = getattr(dynamodb, operation)(**request)
    assert (page["Count"], page["ScannedCount"]) == (2, 3)
    assert page["LastEvaluatedKey"] == {**KEY, "sk": {"S": "2"}}
    after = getattr(dynamodb, operation)(**request, ExclusiveStartKey=page["LastEvaluatedKey"])
    assert (after["Count"], "LastEvaluatedKey" in after) == (0, False)


def test_a_limit_that_is_met_exactly_gives_an_indexs_key(dynamodb: Any) -> None:
    item = {**KEY, "gsi1pk": {"S": "g"}, "gsi1sk": {"S": "1"}}
    dynamodb.put_item(TableName="items", Item=item)
    page = dynamodb.query(
        TableName="items",
        IndexName="gsi1",
        KeyConditionExpression="gsi1pk = :g",
        ExpressionAttributeValues={":g": {"S": "g"}},
        Limit=1,
    )
    assert page["LastEvaluatedKey"] == item


def test_partiql_is_refused_by_name(dynamodb: Any) -> None:
    # moto reads it in a way of its own.
    statement = "SELECT * FROM items"
    for call, request in (
        (dynamodb.execute_statement, {"Statement": statement}),
        (dynamodb.batch_execute_statement, {"Statements": [{"Statement": statement}]}),
        (dynamodb.execute_transaction, {"TransactStatements": [{"Statement": statement}]}),
    ):
        with pytest.raises(ClientError, match="The twin has no PartiQL") as caught:
            call(**request)
        assert caught.value.response["Error"]["Code"] == "UnsupportedOperationException"
