"""What DynamoDB refuses of expressions and of what updates make of items, and what it takes at its limits."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.front.conftest import Client, make_table
from twin.front.dynamodb.language.reading import read_expressions

pytestmark = pytest.mark.twin

Json = dict[str, Any]
KEY: Json = {"pk": {"S": "a"}, "sk": {"S": "1"}}
STORED: Json = {**KEY, "gsi1pk": {"S": "g"}, "gsi1sk": {"S": "h"}, "n": {"N": "1"}, "v": {"S": "x"}}
UNSUPPORTED = "The update expression attempted to update the secondary index key to unsupported type"


@pytest.fixture
def dynamodb(client: Client) -> Any:
    make_table(client)
    found = client("dynamodb")
    found.put_item(TableName="items", Item=STORED)
    return found


def refuse(call: Any, **request: Any) -> str:
    """Return the message of the ValidationException that a request gets."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    return str(caught.value.response["Error"]["Message"])


def read(dynamodb: Any, key: Json = KEY) -> Json | None:
    found: Json | None = dynamodb.get_item(TableName="items", Key=key).get("Item")
    return found


_UPDATES: list[tuple[str, Json, str]] = [
    ("SET gsi1pk = :v", {"N": "1"}, UNSUPPORTED),
    ("SET gsi1pk = :v, v = :v", {"NULL": True}, UNSUPPORTED),
    ("SET gsi1pk = n, x = :v", {"N": "1"}, "gsi1pk"),
    ("SET gsi1pk = if_not_exists(nothing, :v)", {"N": "1"}, "gsi1pk"),
    ("REMOVE gsi1pk ADD gsi1sk :v", {"SS": ["a"]}, "incorrect data type"),
    ("SET gsi1pk = :v", {"S": "g" * 2049}, "Size of hashkey has exceeded"),
    ("SET gsi1sk = :v", {"S": "g" * 1025}, "Aggregated size of all range keys"),
    ("SET gsi1sk = :v", {"S": ""}, "cannot contain an empty string value"),
    ("SET v = :v", {"S": "x" * 409_600}, "Item size to update has exceeded the maximum allowed size"),
]


def test_an_update_is_refused_for_what_it_makes_of_the_item(dynamodb: Any) -> None:
    for text, value, message in _UPDATES:
        update = {
            "TableName": "items",
            "Key": KEY,
            "UpdateExpression": text,
            "ExpressionAttributeValues": {":v": value},
        }
        assert message in refuse(dynamodb.update_item, **update), text
        assert read(dynamodb) == STORED, text
        put = {"Put": {"TableName": "items", "Item": {**KEY, "sk": {"S": "2"}}}}
        with pytest.raises(ClientError) as caught:
            dynamodb.transact_write_items(TransactItems=[put, {"Update": update}])
        # What the expression itself shows is told of the whole request.
        codes = [one["Code"] for one in caught.value.response.get("CancellationReasons", [])]
        assert codes in (["None", "ValidationError"], []), text
        assert (read(dynamodb), read(dynamodb, {**KEY, "sk": {"S": "2"}})) == (STORED, None), text


def test_an_update_of_the_older_kind_is_checked_too(dynamodb: Any) -> None:
    added = {"gsi1pk": {"Action": "ADD", "Value": {"N": "1"}}}
    for key in (KEY, {**KEY, "sk": {"S": "new"}}):
        put = {"gsi1pk": {"Action": "PUT", "Value": {"N": "1"}}}
        assert refuse(dynamodb.update_item, TableName="items", Key=key, AttributeUpdates=put) == UNSUPPORTED
    assert refuse(dynamodb.update_item, TableName="items", Key={**KEY, "sk": {"S": "new"}}, AttributeUpdates=added)
    sets = {"UpdateExpression": "ADD gsi1sk :v", "ExpressionAttributeValues": {":v": {"SS": ["a"]}}}
    assert refuse(dynamodb.update_item, TableName="items", Key={**KEY, "sk": {"S": "new"}}, **sets) == UNSUPPORTED
    assert read(dynamodb) == STORED
    assert read(dynamodb, {**KEY, "sk": {"S": "new"}}) is None


def test_an_update_of_a_key_alone_makes_an_item(dynamodb: Any) -> None:
    key = {**KEY, "sk": {"S": "new"}}
    dynamodb.update_item(TableName="items", Key=key)
    assert read(dynamodb, key) == key
    dynamodb.update_item(TableName="items", Key=KEY)
    assert read(dynamodb) == STORED


def test_an_update_of_the_older_kind_adds_all_digits(dynamodb: Any) -> None:
    for first, added, total in (
        ("1", "1E37", f"1{'0' * 36}1"),
        ("9" * 37, "0.9", f"{'9' * 37}.9"),
        ("1", "-1", "0"),
        ("0.0000002", "-0.0000001", "0.0000001"),
    ):
        dynamodb.put_item(TableName="items", Item={**KEY, "n": {"N": first}})
        updates = {"n": {"Action": "ADD", "Value": {"N": added}}}
        dynamodb.update_item(TableName="items", Key=KEY, AttributeUpdates=updates)
        assert read(dynamodb) == {**KEY, "n": {"N": total}}


def test_sums_keep_all_digits_that_a_number_has(dynamodb: Any) -> None:
    def add(text: str, value: str, first: str | None = None) -> str:
        if first is not None:
            dynamodb.put_item(TableName="items", Item={**KEY, "n": {"N": first}})
        update = {"UpdateExpression": text, "ExpressionAttributeValues": {":v": {"N": value}}}
        answer = dynamodb.update_item(TableName="items", Key=KEY, ReturnValues="ALL_NEW", **update)
        return str(answer["Attributes"]["n"]["N"])

    assert add("ADD n :v", "1E37", "1") == f"1{'0' * 36}1"
    assert add("SET n = n - :v", "1e37") == "1"
    assert add("SET n = n + :v", "0.25") == "1.25"
    assert add("ADD n :v", "-1.25") == "0"
    assert add("ADD n :v", "9" * 37, "0.9") == f"{'9' * 37}.9"
    for first, second, message in (
        ("1" + "0" * 37, "0.12345", "more than 38 significant digits"),
        ("9" + "0" * 125, "9E125", "Number overflow"),
    ):
        dynamodb.put_item(TableName="items", Item={**KEY, "n": {"N": first}})
        update = {"UpdateExpression": "ADD n :v", "ExpressionAttributeValues": {":v": {"N": second}}}
        assert message in refuse(dynamodb.update_item, TableName="items", Key=KEY, **update)
        assert read(dynamodb) == {**KEY, "n": {"N": first}}


def test_an_item_has_409600_bytes_at_most(dynamodb: Any) -> None:
    rest = len("pk" + "a" + "sk" + "1" + "v")
    dynamodb.put_item(TableName="items", Item={**KEY, "v": {"S": "x" * (409_600 - rest)}})
    over = {**KEY, "v": {"S": "x" * (409_601 - rest)}}
    assert refuse(dynamodb.put_item, TableName="items", Item=over) == "Item size has exceeded the maximum allowed size"


@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_expression_is_none(dynamodb: Any, text: str) -> None:
    told = "Invalid ConditionExpression: The expression can not be empty;"
    condition = {"TableName": "items", "ConditionExpression": text}
    assert refuse(dynamodb.put_item, Item=KEY, **condition) == told
    assert refuse(dynamodb.delete_item, Key=KEY, **condition) == told
    put = {"Put": {"Item": KEY, **condition}}
    assert refuse(dynamodb.transact_write_items, TransactItems=[put]) == told
    assert refuse(dynamodb.scan, TableName="items", FilterExpression=text).startswith("Invalid FilterExpression")
    assert read(dynamodb) == STORED


_OPERANDS: list[tuple[str, Json, str]] = [
    ("v < :v", {":v": {"BOOL": True}}, "operator or function: <, operand type: BOOL"),
    (":v >= v", {":v": {"SS": ["a"]}}, "operator or function: >=, operand type: SS"),
    ("begins_with(v, :v)", {":v": {"N": "1"}}, "operator or function: begins_with, operand type: N"),
    ("v BETWEEN :v AND :w", {":v": {"S": "b"}, ":w": {"S": "a"}}, "upper bound to be greater than or equal"),
    ("n BETWEEN :v AND :w", {":v": {"N": "10"}, ":w": {"N": "9"}}, "upper bound to be greater than or equal"),
    ("v BETWEEN :v AND :w", {":v": {"S": "b"}, ":w": {"N": "9"}}, "same data type for lower and upper bounds"),
    ("contains(v, v) AND n = :v", {":v": {"N": "1"}}, "first operand must be distinct"),
    (
        f"n IN ({', '.join(f':v{n}' for n in range(101))})",
        {f":v{n}": {"N": str(n)} for n in range(101)},
        "number of operands: 101",
    ),
    (f"{'v = :v OR ' * 410}v = :v", {":v": {"S": "x"}}, "Expression size has exceeded the maximum allowed size"),
]


def test_an_operand_that_its_operator_does_not_take_is_refused(dynamodb: Any) -> None:
    for text, values, message in _OPERANDS:
        given = {"TableName": "items", "ExpressionAttributeValues": values}
        assert message in refuse(dynamodb.scan, FilterExpression=text, **given), text
        assert message in refuse(dynamodb.put_item, Item=KEY, ConditionExpression=text, **given), text
    taken: list[tuple[str, Json]] = [
        ("n BETWEEN :v AND :w", {":v": {"N": "-1"}, ":w": {"N": "1.0"}}),
        ("v <> :v AND begins_with(v, :v) OR :w <= n", {":v": {"S": "x"}, ":w": {"N": "1"}}),
        ("v <> :v", {":v": {"BOOL": True}}),
        ("n IN (:v, :w) AND v >= :s", {":v": {"N": "1"}, ":w": {"S": "x"}, ":s": {"S": "x"}}),
    ]
    for text, values in taken:
        assert dynamodb.scan(TableName="items", FilterExpression=text, ExpressionAttributeValues=values)["Count"] == 1


def test_a_querys_condition_has_one_for_a_key_of_its_type(dynamodb: Any) -> None:
    def ask(text: str, index: str | None = None, **values: Json) -> str:
        given: Json = {"KeyConditionExpression": text, **({"IndexName": index} if index else {})}
        given["ExpressionAttributeValues"] = {f":{name}": value for name, value in values.items()}
        return refuse(dynamodb.query, TableName="items", **given)

    schema = "One or more parameter values were invalid: Condition parameter type does not match schema type"
    assert ask("pk = :p", p={"N": "1"}) == schema
    assert ask("pk = :p AND sk > :s", p={"S": "a"}, s={"N": "1"}) == schema
    assert ask("gsi1pk = :p AND gsi1sk BETWEEN :s AND :t", "gsi1", p={"S": "a"}, s={"N": "1"}, t={"N": "2"}) == schema
    assert "one condition per key" in ask("pk = :p AND pk = :p", p={"S": "a"})
    assert "upper bound" in ask("pk = :p AND sk BETWEEN :s AND :t", p={"S": "a"}, s={"S": "2"}, t={"S": "1"})
    asked = {"KeyConditions": {"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]}}}
    filtered = {"sk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "1"}]}}
    assert "Primary key attribute: sk" in refuse(dynamodb.query, TableName="items", **asked, QueryFilter=filtered)


def test_numbers_names_and_tokens_have_their_form(dynamodb: Any) -> None:
    arabic = {**KEY, "n": {"N": "\u0663"}}
    assert "cannot be converted to a numeric value" in refuse(dynamodb.put_item, TableName="items", Item=arabic)
    named = {**KEY, "n" * 65_536: {"N": "1"}}
    assert "Attribute name is too large" in refuse(dynamodb.put_item, TableName="items", Item=named)
    put = [{"Put": {"TableName": "items", "Item": KEY}}]
    token = "t" * 37
    message = refuse(dynamodb.transact_write_items, TransactItems=put, ClientRequestToken=token)
    assert "Member must have length less than or equal to 36" in message
    dynamodb.transact_write_items(TransactItems=put, ClientRequestToken=token[:36])


def test_a_number_is_kept_without_exponent_and_zeros_that_say_nothing(dynamodb: Any) -> None:
    # moto keeps what was written: 1.0 and 1 are two members of a set, and two keys.
    written = {"1.50": "1.5", "1e2": "100", "-0": "0", "007": "7", "1E-7": "0.0000001", "+3.0": "3", "-2.10e1": "-21"}
    for given, kept in {**written, "9.9e125": "99" + "0" * 124, "0.0": "0"}.items():
        dynamodb.put_item(TableName="items", Item={**KEY, "n": {"N": given}, "l": {"L": [{"N": given}]}})
        item = dynamodb.get_item(TableName="items", Key=KEY)["Item"]
        assert (item["n"], item["l"]) == ({"N": kept}, {"L": [{"N": kept}]})
    dynamodb.put_item(TableName="items", Item={**KEY, "s": {"NS": ["1.0", "2"]}})
    removed = {":v": {"NS": ["1"]}}
    answer = dynamodb.update_item(
        TableName="items",
        Key=KEY,
        UpdateExpression="DELETE s :v",
        ExpressionAttributeValues=removed,
        ReturnValues="ALL_NEW",
    )
    assert answer["Attributes"]["s"] == {"NS": ["2"]}
    names = {"#N": "n"}
    dynamodb.update_item(
        TableName="items",
        Key=KEY,
        UpdateExpression="SET #N = :v",
        ExpressionAttributeNames=names,
        ExpressionAttributeValues={":v": {"N": "5.00"}},
    )
    assert dynamodb.get_item(TableName="items", Key=KEY)["Item"]["n"] == {"N": "5"}


def test_an_update_has_300_operators_and_functions_at_most(dynamodb: Any) -> None:
    dynamodb.put_item(TableName="items", Item={**KEY, "n": {"N": "1"}})

    def update(expression: str) -> Any:
        return {
            "TableName": "items",
            "Key": KEY,
            "UpdateExpression": expression,
            "ExpressionAttributeValues": {":v": {"N": "1"}},
        }

    # moto reads fewer than 300 in one expression, so what is taken is shown where it is counted.
    long = "SET " + ", ".join(f"a{number}=n+:v" for number in range(300))
    read_expressions({"UpdateExpression": long, "ExpressionAttributeValues": {":v": {"N": "1"}}})
    assert "more than 300 operators" in refuse(dynamodb.update_item, **update(f"{long}, b=if_not_exists(n,:v)"))
    dynamodb.update_item(**update("SET a=n - :v + n, b=if_not_exists(n,:v)"))
