"""A request tells its table and its kinds of items."""

from collections.abc import Mapping
from typing import Any

import pytest

from benchmarks.requests import Key, Row, keys_of, rows, short_table
from tests.unit.benchmarks.builders import request


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


@pytest.mark.parametrize(
    ("pk", "sk", "kind"),
    [
        ("T#t#R#r", "META", "run"),
        ("T#t#S#s", "META", "session head"),
        ("T#t#S#s", "LEASE", "session lease"),
        ("T#t#DOC#d", "LEASE", "document's claim"),
        ("T#t#S#s", "REMEMBERED", "progress of the memory"),
        ("T#t#S#s", "M#00000001", "message"),
        ("T#t#R#r", "STEP#00001", "step"),
        ("T#t#R#r", "ATTEMPT#2026#a", "model attempt"),
        ("T#t#KEYS", "k1", "API key"),
        ("T#t#NOTE", "n1", "record"),
        ("T#t#SHARES", "01", "share"),
        ("T#t#BUDGETS", "tenant#month#t", "budget"),
        ("T#t#BUDGET#tenant#t", "2026-12", "budget's use"),
        ("T#t#SPEND#TOTAL", "2026-12-01#all#00", "spend"),
        ("T#t#BREAKER", "m", "circuit"),
        ("SYS#BREAKER", "m", "circuit"),
        ("T#t#RATES", "k#1", "rate"),
        ("SYS#TOOLRATES", "notes", "rate"),
        ("SYS#SWITCH", "all", "switch"),
        ("T#t#TOOLS", "notes", "tool's health"),
    ],
)
def test_the_kind_of_an_item_follows_from_its_key(pk: str, sk: str, kind: str) -> None:
    assert Key("table", pk, sk).kind == kind


@pytest.mark.parametrize("field", ["Key", "Item"])
def test_a_request_about_one_item_names_it(field: str) -> None:
    params = {"TableName": "state", field: _key("T#t#R#r", "META")}
    assert keys_of("GetItem", params) == (Key("state", "T#t#R#r", "META"),)


def test_a_transaction_names_each_item_with_its_table() -> None:
    put = {"Put": {"TableName": "state", "Item": _key("T#t#R#r", "META")}}
    delete = {"Delete": {"TableName": "transient", "Key": _key("T#t#S#s", "LEASE")}}
    keys = keys_of("TransactWriteItems", {"TransactItems": [put, delete]})
    assert [(key.table, key.kind) for key in keys] == [("state", "run"), ("transient", "session lease")]


@pytest.mark.parametrize(
    ("values", "sk"),
    [
        ({":p": {"S": "T#t#S#s"}, ":f": {"S": "M#1"}, ":l": {"S": "M#2"}}, "M#1..M#2"),
        ({":p": {"S": "T#t#S#s"}, ":b": {"S": "M#"}}, "M#"),
        ({":p": {"S": "T#t#S#s"}}, ""),
    ],
)
def test_a_query_names_its_partition_and_its_sort_keys(values: Mapping[str, Any], sk: str) -> None:
    params = {"TableName": "state", "ExpressionAttributeValues": values}
    assert keys_of("Query", params) == (Key("state", "T#t#S#s", sk),)


def test_an_operation_on_a_whole_table_names_no_item() -> None:
    assert keys_of("Scan", {"TableName": "state"}) == ()


def test_a_generated_table_name_is_cut_to_its_own() -> None:
    assert short_table("pentad-dev-state-transient2374480B-F03EFF6AE9E8") == "transient"


def test_an_unknown_table_keeps_its_name() -> None:
    assert short_table("somebody-elses") == "somebody-elses"


def test_requests_are_added_up_and_those_of_others_left_out() -> None:
    seen = [request("role-a", 1), request("role-a", 2), request("role-a", 3, sk="STEP#1"), request("administrator", 4)]
    assert rows(seen, {"role-a": "pentad-dev-gateway"}) == [
        Row("gateway", "GetItem", "state", "run", 2),
        Row("gateway", "GetItem", "state", "step", 1),
    ]
