"""The orchestration benchmark: units, growth, the same turn in LangGraph, options."""

from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("langgraph", reason="the extra `graphs` is not installed")

from benchmarks import orchestration
from benchmarks import orchestration_langgraph as langgraph
from benchmarks.history import Payload
from benchmarks.items import Stored
from benchmarks.orchestration import Measured, growth
from benchmarks.orchestration_units import Units, units_of
from benchmarks.requests import Request, Row, keys_of
from tests.unit.benchmarks.builders import turn

ITEM = {"pk": {"S": "T#t#R#r"}, "sk": {"S": "META"}, "body": {"S": "x" * 5_000}}
KEY = {"pk": ITEM["pk"], "sk": ITEM["sk"]}


class Client:
    """A table with one item of 5 KB."""

    def get_item(self, **params: Any) -> Any:
        return {"Item": ITEM}

    def query(self, **params: Any) -> Any:
        return {"Items": [ITEM, ITEM]}


def units(operation: str, **params: Any) -> Units:
    return units_of([Request(0.0, "role", operation, (), {"TableName": "t", **params})], Client())


@pytest.mark.parametrize(
    ("operation", "params", "expected"),
    [
        ("GetItem", {"Key": KEY, "ConsistentRead": True}, Units(read=2)),
        ("GetItem", {"Key": KEY}, Units(read=1)),
        ("Query", {"ConsistentRead": True}, Units(read=3)),
        ("BatchGetItem", {"RequestItems": {"t": {"Keys": [KEY, KEY], "ConsistentRead": True}}}, Units(read=4)),
        ("PutItem", {"Item": ITEM}, Units(write=5)),
        ("UpdateItem", {"Key": KEY}, Units(write=5)),
        ("PutItem", {"Item": ITEM | {"gsi1pk": {"S": "x"}}}, Units(write=10)),
        (
            "TransactWriteItems",
            {"TransactItems": [{"Put": {"Item": ITEM}}, {"Update": {"TableName": "t", "Key": KEY}}]},
            Units(write=20),
        ),
    ],
)
def test_units_are_those_that_dynamodb_bills(operation: str, params: dict[str, Any], expected: Units) -> None:
    assert units(operation, **params) == expected


def test_a_batch_is_about_each_of_its_items() -> None:
    assert len(keys_of("BatchGetItem", {"RequestItems": {"t": {"Keys": [KEY, KEY]}}})) == 2


def measured(messages: int, stored: int = 4_000, **changes: Any) -> Measured:
    made = turn(stored=(Stored("table state", 1, 0, stored, stored),), **changes)
    return Measured("plain answer", messages, made, Units(), None)


def test_a_turn_that_does_the_same_behind_a_longer_conversation_keeps_the_promise() -> None:
    # A circuit's state is kept in memory for a while, so it is read now and then.
    seldom = (Row("gateway", "Query", "transient", "circuit", 1), Row("gateway", "Query", "state", "budget, share", 3))
    rows = (Row("gateway", "GetItem", "state", "run", 2), *seldom)
    assert all(promise.kept for promise in growth([measured(10), measured(1000, stored=4_010, dynamodb=rows)]))


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        (measured(1000, stored=9_000), "bytes stored"),
        (measured(1000, transitions=5), "transitions"),
        (measured(1000, dynamodb=(Row("gateway", "GetItem", "state", "run", 3),)), "requests for session and run"),
        (measured(1000, invocations={"gateway": 3}), "invocations"),
        (measured(1000, largest=Payload(9_000, "Deliver", "TaskSucceeded", "output")), "largest payload"),
    ],
)
def test_a_turn_that_grows_breaks_it(changed: Measured, what: str) -> None:
    broken = [promise.what for promise in growth([measured(10), changed]) if not promise.kept]
    assert [one.rpartition(": ")[2] for one in broken] == [what]


def test_langgraphs_turn_stores_the_whole_conversation_again() -> None:
    short, long = langgraph.measure(10, 0, 1), langgraph.measure(100, 0, 1)
    assert (short.supersteps, long.supersteps) == (3, 3)
    assert long.bytes_written > 5 * short.bytes_written
    assert langgraph.measure(10, 1, 1).supersteps == 5


def test_with_a_channel_of_deltas_it_stores_what_is_new() -> None:
    short, long = langgraph.measure(10, 0, 1, deltas=True), langgraph.measure(150, 0, 1, deltas=True)
    assert long.bytes_written < short.bytes_written + 500


@pytest.mark.parametrize("given", [["--samples", "0"], ["--samples", "51"], ["--messages", "many"]])
def test_options_out_of_bounds_are_refused(given: list[str]) -> None:
    with pytest.raises(SystemExit):
        orchestration.arguments(given)


def test_the_sum_of_units_is_of_both_kinds() -> None:
    assert Units(1, 2) + Units(3, 4) == replace(Units(), read=4, write=6)
