"""What every record store does."""

import pytest

from tests.contract.tools.conftest import Stores

VALUE = {"title": "ü", "amount": 1.5, "rows": [1, None, {"x": True}]}


def test_a_record_comes_back_as_it_was_put(stores: Stores) -> None:
    records = stores.records("acme")
    assert records.put("NOTE", "n1", VALUE)
    assert records.get("NOTE", "n1") == VALUE


def test_half_a_surrogate_pair_is_kept_as_one_unknown_character(stores: Stores) -> None:
    records, value = stores.records("acme"), {"title": "cut \ud83d", "k\udfff": ["\ud83d\ude00"]}
    assert records.put("NOTE", "n1", value)
    assert records.get("NOTE", "n1") == {"title": "cut \ufffd", "k\ufffd": ["\U0001f600"]}
    assert records.delete("NOTE", "n1", if_value=value) == "deleted"


def test_a_record_that_is_not_there_is_none(stores: Stores) -> None:
    assert stores.records("acme").get("NOTE", "n1") is None


def test_put_replaces_and_if_absent_does_not(stores: Stores) -> None:
    records = stores.records("acme")
    records.put("NOTE", "n1", {"v": 1})
    assert records.put("NOTE", "n1", {"v": 2})
    assert not records.put("NOTE", "n1", {"v": 3}, if_absent=True)
    assert records.get("NOTE", "n1") == {"v": 2}


def test_query_gives_a_kind_in_key_order_by_prefix_and_limit(stores: Stores) -> None:
    records = stores.records("acme")
    for key in ("b2", "a1", "b1", "c"):
        records.put("NOTE", key, {"key": key})
    records.put("TASK", "b9", {})
    assert [record.key for record in records.query("NOTE")] == ["a1", "b1", "b2", "c"]
    assert [record.value["key"] for record in records.query("NOTE", begins="b")] == ["b1", "b2"]
    assert [record.key for record in records.query("NOTE", limit=2)] == ["a1", "b1"]


def test_tenants_do_not_see_each_other(stores: Stores) -> None:
    stores.records("acme").put("NOTE", "n1", VALUE)
    other = stores.records("other")
    assert other.get("NOTE", "n1") is None
    assert other.query("NOTE") == []
    assert other.delete("NOTE", "n1") == "absent"
    assert stores.records("acme").get("NOTE", "n1") == VALUE


def test_delete_says_whether_there_was_anything(stores: Stores) -> None:
    records = stores.records("acme")
    records.put("NOTE", "n1", VALUE)
    assert records.delete("NOTE", "n1") == "deleted"
    assert records.delete("NOTE", "n1") == "absent"


@pytest.mark.parametrize(("value", "answer", "left"), [(VALUE, "deleted", False), ({"v": 2}, "changed", True)])
def test_delete_with_a_value_only_takes_that_value(
    stores: Stores, value: dict[str, object], answer: str, left: bool
) -> None:
    records = stores.records("acme")
    records.put("NOTE", "n1", VALUE)
    assert records.delete("NOTE", "n1", if_value=value) == answer
    assert (records.get("NOTE", "n1") is not None) is left


def test_delete_with_a_value_of_what_is_not_there_is_absent(stores: Stores) -> None:
    assert stores.records("acme").delete("NOTE", "n1", if_value=VALUE) == "absent"
