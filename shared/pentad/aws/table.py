"""One DynamoDB table, spoken to in plain Python values.

A thin layer over the low-level client: values are serialised, errors translated, results paged. Items hold their model
as JSON in ``body`` beside the attributes that conditions and updates need.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from pentad.aws.errors import code_of, translate_errors
from pentad.domain.errors import StoreUnavailable

Item = dict[str, Any]
_SERIALIZER = TypeSerializer()
_DESERIALIZER = TypeDeserializer()
_MAX_PAGES = 1000
_BATCH = 100
_BATCH_TRIES = 4
_CONFLICT_TRIES = 12
_CONFLICT_SECONDS = 0.05
_LONGEST_CONFLICT_SECONDS = 1.0
_RANDOM = random.SystemRandom()  # functions restored from one snapshot must not wait equally long


class ConditionFailed(Exception):
    """A condition did not hold; ``item`` is what stands there, where DynamoDB told."""

    def __init__(self, item: Item | None, reasons: Sequence[str] = (), items: Sequence[Item | None] = ()) -> None:
        super().__init__("a condition of the write did not hold")
        self.item = item
        self.reasons = tuple(reasons)
        self.items = tuple(items)


def to_dynamodb(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain values in DynamoDB's form; None is left out. Numbers are int or Decimal, never float."""
    return {name: _SERIALIZER.serialize(value) for name, value in values.items() if value is not None}


def from_dynamodb(item: Mapping[str, Any]) -> Item:
    """Return a DynamoDB item in plain values; numbers are Decimal."""
    return {name: _DESERIALIZER.deserialize(value) for name, value in item.items()}


class Table:
    """A table of this deployment.

    Args:
        client: a low-level DynamoDB client.
        name: the table's name or ARN.
        sleep: waits some seconds.
    """

    def __init__(self, client: Any, name: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep
        self.name = name

    def get(self, pk: str, sk: str, *, consistent: bool = True) -> Item | None:
        """Return an item, or None."""
        with translate_errors("the table"):
            reply = self._client.get_item(
                TableName=self.name, Key=to_dynamodb({"pk": pk, "sk": sk}), ConsistentRead=consistent
            )
        return from_dynamodb(reply["Item"]) if "Item" in reply else None

    def get_many(self, places: Sequence[tuple[str, str]]) -> list[Item]:
        """Return the items of these keys that there are, in no order, as they were last written.

        One request for each 100 keys; what DynamoDB leaves out of an answer is asked for again.

        Raises:
            StoreUnavailable: the table did not answer, or not fully.
        """
        found: list[Item] = []
        for first in range(0, len(places), _BATCH):
            wanted: Any = [
                to_dynamodb({"pk": pk, "sk": sk}) for pk, sk in dict.fromkeys(places[first : first + _BATCH])
            ]
            for _ in range(_BATCH_TRIES):
                with translate_errors("the table"):
                    reply = self._client.batch_get_item(
                        RequestItems={self.name: {"Keys": wanted, "ConsistentRead": True}}
                    )
                found.extend(from_dynamodb(item) for item in reply["Responses"].get(self.name, []))
                wanted = reply.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys")
                if not wanted:
                    break
            else:
                raise StoreUnavailable("the table did not answer for all items")
        return found

    def put(self, item: Mapping[str, Any], *, condition: str | None = None, **expression: Any) -> None:
        """Store an item.

        Args:
            item: the item, with pk and sk.
            condition: a condition expression; ``names`` and ``values`` in ``expression`` fill it.
            expression: ``names``: {"#n": "attribute"}, ``values``: {":v": value}.

        Raises:
            ConditionFailed: the condition did not hold.
            StoreUnavailable: the table did not answer.
        """
        self._write(self._client.put_item, self._put_request(item, condition, **expression))

    def update(self, pk: str, sk: str, update: str, *, condition: str | None = None, **expression: Any) -> Item:
        """Update an item by an update expression and return it as it now stands.

        Raises:
            ConditionFailed: the condition did not hold.
            StoreUnavailable: the table did not answer.
        """
        request = self._update_request(pk, sk, update, condition, **expression) | {"ReturnValues": "ALL_NEW"}
        return from_dynamodb(self._write(self._client.update_item, request)["Attributes"])

    def delete(self, pk: str, sk: str, *, condition: str | None = None, **expression: Any) -> None:
        """Delete an item; one that is not there is no error.

        Raises:
            ConditionFailed: the condition did not hold.
        """
        self._write(self._client.delete_item, self._delete_request(pk, sk, condition, **expression))

    def query(
        self,
        pk: str,
        *,
        begins: str | None = None,
        between: tuple[str, str] | None = None,
        limit: int | None = None,
        descending: bool = False,
        index: str | None = None,
        start: Item | None = None,
        consistent: bool = True,
    ) -> tuple[list[Item], Item | None]:
        """Return items of one partition in key order and where to go on (None at the end).

        Args:
            pk: the partition (the index's, where one is named).
            begins: sort keys that begin with this.
            between: sort keys from the first to the second, both included.
            limit: at most so many; all of them where None, at most 1,000 pages of 1 MB.
            descending: the last first.
            index: the name of an index; reads of one are eventually consistent.
            start: where an earlier query ended.
            consistent: read what was last written.
        """
        items: list[Item] = []
        request = self._query_request(pk, begins, between, descending, index, consistent)
        for _ in range(_MAX_PAGES):
            page = dict(request)
            if limit is not None:
                page["Limit"] = limit - len(items)
            if start is not None:
                page["ExclusiveStartKey"] = to_dynamodb(start)
            with translate_errors("the table"):
                reply = self._client.query(**page)
            items.extend(from_dynamodb(item) for item in reply["Items"])
            start = from_dynamodb(reply["LastEvaluatedKey"]) if "LastEvaluatedKey" in reply else None
            if start is None or (limit is not None and len(items) >= limit):
                break
        return items, start

    def iter_items(self, pk: str, *, begins: str | None = None) -> Iterator[Item]:
        """Yield all items of a partition in key order."""
        yield from self.query(pk, begins=begins)[0]

    def build_put(self, item: Mapping[str, Any], *, condition: str | None = None, **expression: Any) -> Item:
        """Return a put as one entry of `transact`."""
        return {"Put": (self._put_request(item, condition, **expression))}

    def build_update(self, pk: str, sk: str, update: str, *, condition: str | None = None, **expression: Any) -> Item:
        """Return an update as one entry of `transact`."""
        return {"Update": (self._update_request(pk, sk, update, condition, **expression))}

    def build_delete(self, pk: str, sk: str, *, condition: str | None = None, **expression: Any) -> Item:
        """Return a delete as one entry of `transact`."""
        return {"Delete": (self._delete_request(pk, sk, condition, **expression))}

    def build_check(self, pk: str, sk: str, *, condition: str, **expression: Any) -> Item:
        """Return a condition on an item that stays as it is, as one entry of `transact`."""
        return {"ConditionCheck": (self._delete_request(pk, sk, condition, **expression))}

    def transact(self, entries: Sequence[Item], *, conflict_tries: int = _CONFLICT_TRIES) -> None:
        """Write all entries (at most 100, of any table) or none.

        Args:
            entries: what the methods `build_...` return.
            conflict_tries: requests in all where others are in the way each time; 1 for callers with retries of their
                own.

        Raises:
            ConditionFailed: a condition did not hold; ``reasons`` has DynamoDB's code of each entry in order, ``items``
                what stands there.
            StoreUnavailable: the table did not answer, or another transaction was in the way.
        """
        with translate_errors("the table"):
            try:
                self._retry_conflicts(
                    lambda: dict(self._client.transact_write_items(TransactItems=list(entries))), conflict_tries
                )
            except ClientError as error:
                if code_of(error) != "TransactionCanceledException":
                    raise
                reasons: Any = error.response.get("CancellationReasons", [])
                codes = [str(reason.get("Code", "None")) for reason in reasons]
                if "ConditionalCheckFailed" not in codes:
                    raise StoreUnavailable(f"the table cancelled the transaction: {', '.join(codes)}") from error
                items = [from_dynamodb(reason["Item"]) if reason.get("Item") else None for reason in reasons]
                raise ConditionFailed(None, codes, items) from error

    def _retry_conflicts(self, write: Callable[[], Item], tries: int) -> Item:
        """Write again what met a transaction in flight, which lasts for milliseconds; nothing of it was done."""
        for number in range(tries - 1):
            try:
                return write()
            except ClientError as error:
                if not _is_conflict(error):
                    raise
            self._sleep(_RANDOM.uniform(0, min(_LONGEST_CONFLICT_SECONDS, _CONFLICT_SECONDS * 2**number)))
        return write()

    def _write(self, call: Any, request: Item) -> Item:
        with translate_errors("the table"):
            try:
                return self._retry_conflicts(lambda: dict(call(**request)), _CONFLICT_TRIES)
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise
                item: Any = error.response.get("Item")
                raise ConditionFailed(from_dynamodb(item) if item else None) from error

    def _add_condition(self, request: Item, condition: str | None, expression: Mapping[str, Any]) -> Item:
        names: Mapping[str, str] | None = expression.get("names")
        values: Mapping[str, Any] | None = expression.get("values")
        if condition is not None:
            request["ConditionExpression"] = condition
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        if names:
            request["ExpressionAttributeNames"] = dict(names)
        if values:
            request["ExpressionAttributeValues"] = to_dynamodb(values)
        return request

    def _put_request(self, item: Mapping[str, Any], condition: str | None, **expression: Any) -> Item:
        return self._add_condition({"TableName": self.name, "Item": to_dynamodb(item)}, condition, expression)

    def _update_request(self, pk: str, sk: str, update: str, condition: str | None, **expression: Any) -> Item:
        request = {"TableName": self.name, "Key": to_dynamodb({"pk": pk, "sk": sk}), "UpdateExpression": update}
        return self._add_condition(request, condition, expression)

    def _delete_request(self, pk: str, sk: str, condition: str | None, **expression: Any) -> Item:
        return self._add_condition(
            {"TableName": self.name, "Key": to_dynamodb({"pk": pk, "sk": sk})}, condition, expression
        )

    def _query_request(
        self,
        pk: str,
        begins: str | None,
        between: tuple[str, str] | None,
        descending: bool,
        index: str | None,
        consistent: bool,
    ) -> Item:
        partition, sort = ("gsi1pk", "gsi1sk") if index else ("pk", "sk")
        names, values, condition = {"#p": partition}, {":p": pk}, "#p = :p"
        if begins is not None:
            names["#s"], values[":b"] = sort, begins
            condition += " AND begins_with(#s, :b)"
        elif between is not None:
            names["#s"], values[":f"], values[":l"] = sort, *between
            condition += " AND #s BETWEEN :f AND :l"
        request: Item = {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": to_dynamodb(values),
            "ScanIndexForward": not descending,
        }
        return request | ({"IndexName": index} if index else {"ConsistentRead": consistent})


def _is_conflict(error: ClientError) -> bool:
    """Tell whether a write was refused for another transaction's sake, and for nothing else."""
    response: Any = error.response
    codes = {str(reason.get("Code", "None")) for reason in response.get("CancellationReasons", [])}
    return code_of(error) == "TransactionConflictException" or codes - {"None"} == {"TransactionConflict"}
