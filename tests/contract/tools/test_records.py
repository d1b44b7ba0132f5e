"""What every record store does."""

import hashlib
import json
from typing import Any, cast

import pytest

from pentad.aws.table import Table
from pentad.domain.errors import RecordChanged
from pentad.tools.records.ports import CallMark, RecordTable, RecordWrite, WriteRefused
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


def test_keys_of_a_value_keep_their_order(stores: Stores) -> None:
    records = stores.records("acme")
    records.put("NOTE", "n1", {"zulu": 1, "alpha": {"y": 1, "b": 2}, "mike": [{"q": 1, "c": 2}]})
    found = records.get("NOTE", "n1")
    assert found is not None
    assert json.dumps(found) == '{"zulu": 1, "alpha": {"y": 1, "b": 2}, "mike": [{"q": 1, "c": 2}]}'
    # The order is no part of what a condition compares.
    reordered = {"mike": [{"c": 2, "q": 1}], "alpha": {"b": 2, "y": 1}, "zulu": 1}
    assert records.delete("NOTE", "n1", if_value=reordered) == "deleted"


def test_a_version_grows_with_each_write_and_a_put_may_ask_for_it(stores: Stores) -> None:
    records = stores.records("acme")
    assert records.find("NOTE", "n1") is None
    for number in (1, 2, 3):
        records.put("NOTE", "n1", {"v": number})
    found = records.find("NOTE", "n1")
    assert found is not None
    assert (found.version, found.value) == (3, {"v": 3})
    assert not records.put("NOTE", "n1", {"v": "late"}, if_version=2)
    assert records.put("NOTE", "n1", {"v": 4}, if_version=3)
    assert not records.put("NOTE", "absent", {"v": 1}, if_version=1)
    assert records.get("NOTE", "absent") is None
    assert records.delete("NOTE", "n1", if_version=3) == "changed"
    assert records.delete("NOTE", "n1", if_version=4) == "deleted"


def test_a_record_of_before_there_were_versions_has_version_nought(stores: Stores) -> None:
    if stores.client is None:
        pytest.skip("the memory adapter keeps nothing from before")
    body = '{"v":1}'
    digest = hashlib.sha256(body.encode()).hexdigest()
    old = {"pk": "T#acme#NOTE", "sk": "n1", "type": "record", "body": body, "digest": digest}
    Table(stores.client, "records").put(old)
    records = stores.records("acme")
    found = records.find("NOTE", "n1")
    assert found is not None
    assert (found.version, found.value) == (0, {"v": 1})
    assert not records.put("NOTE", "n2", {"v": 2}, if_version=0)
    assert records.put("NOTE", "n1", {"v": 2}, if_version=0)
    assert not records.put("NOTE", "n1", {"v": 3}, if_version=0)
    stored = records.find("NOTE", "n1")
    assert stored is not None
    assert (stored.version, stored.value) == (1, {"v": 2})


def test_a_cursor_leads_past_any_page_and_all_are_iterated(stores: Stores) -> None:
    records = stores.records("acme")
    keys = [f"k{number:04d}" for number in range(1015)] + ["l"]
    _put_all(stores, keys)
    first = records.query("NOTE", begins="k", limit=1000)
    rest = records.query("NOTE", begins="k", limit=1000, after=first[-1].key)
    assert [record.key for record in [*first, *rest]] == keys[:-1]
    assert records.query("NOTE", begins="k", after=keys[-2]) == []
    # A cursor may be a key that is gone.
    records.delete("NOTE", "k0003")
    assert [record.key for record in records.query("NOTE", limit=2, after="k0003")] == ["k0004", "k0005"]
    assert [record.key for record in records.iterate("NOTE")] == [key for key in keys if key != "k0003"]


def _put_all(stores: Stores, keys: list[str]) -> None:
    """Put equal records under keys: in DynamoDB as copies of the first, since a thousand puts take long."""
    records = stores.records("acme")
    records.put("NOTE", keys[0], {})
    if stores.client is None:
        for key in keys[1:]:
            records.put("NOTE", key, {})
        return
    [stored] = stores.client.scan(TableName="records")["Items"]
    for first in range(1, len(keys), 25):
        copies = [{"PutRequest": {"Item": stored | {"sk": {"S": key}}}} for key in keys[first : first + 25]]
        answer = stores.client.batch_write_item(RequestItems={"records": copies})
        assert answer["UnprocessedItems"] == {}


def test_update_changes_makes_and_removes_in_one_piece(stores: Stores) -> None:
    records = stores.records("acme")
    assert records.update("NOTE", "n1", lambda value: {"count": 1} if value is None else None) == {"count": 1}

    def add_while_another_writes(value: dict[str, Any] | None) -> dict[str, Any]:
        assert value is not None
        if value["count"] == 1:
            stores.records("acme").put("NOTE", "n1", {"count": 10})
        return {"count": value["count"] + 1}

    assert records.update("NOTE", "n1", add_while_another_writes) == {"count": 11}
    assert records.get("NOTE", "n1") == {"count": 11}
    assert records.update("NOTE", "n1", lambda value: None) is None
    assert records.get("NOTE", "n1") is None
    assert records.update("NOTE", "n1", lambda value: None) is None


def test_a_transaction_does_all_or_nothing(stores: Stores) -> None:
    records = stores.records("acme")
    records.put("ACCOUNT", "a", {"cents": 100})
    records.put("ACCOUNT", "b", {"cents": 0})
    a = records.find("ACCOUNT", "a")
    assert a is not None
    moved = [
        RecordWrite("ACCOUNT", "a", {"cents": 60}, a.state),
        RecordWrite("ACCOUNT", "b", {"cents": 40}, "present"),
        RecordWrite("TRANSFER", "t1", {"cents": 40}, "absent"),
    ]
    records.transact(moved)
    assert [records.get("ACCOUNT", key) for key in "ab"] == [{"cents": 60}, {"cents": 40}]
    with pytest.raises(RecordChanged, match="'ACCOUNT', 'TRANSFER'"):
        records.transact([*moved, RecordWrite("ACCOUNT", "c", {"cents": 1})])
    assert [records.get("ACCOUNT", key) for key in "abc"] == [{"cents": 60}, {"cents": 40}, None]
    records.transact([RecordWrite("TRANSFER", "t1", None, "present")])
    assert records.get("TRANSFER", "t1") is None


def test_a_mark_is_written_once_and_with_the_writes_only(stores: Stores) -> None:
    table = cast(RecordTable, stores.records("acme"))
    mark = CallMark(kind="NOTE", effect_key="e1", answer='{"kind":"value"}')
    assert table.find_answer("NOTE", "e1") is None
    with pytest.raises(WriteRefused):
        table.write_all([RecordWrite("NOTE", "n1", {"v": 1}, "present")], mark)
    assert table.find_answer("NOTE", "e1") is None
    table.write_all([RecordWrite("NOTE", "n1", {"v": 1}, "absent")], mark)
    assert table.find_answer("NOTE", "e1") == mark.answer
    later = mark.model_copy(update={"answer": "{}"})
    with pytest.raises(WriteRefused) as refused:
        table.write_all([RecordWrite("NOTE", "n2", {"v": 1})], later)
    assert (refused.value.answer, table.find("NOTE", "n2")) == (mark.answer, None)
    assert [record.key for record in table.query("NOTE")] == ["n1"]
    assert cast(RecordTable, stores.records("other")).find_answer("NOTE", "e1") is None


def test_a_record_keeps_the_sources_of_its_last_write(stores: Stores) -> None:
    table = cast(RecordTable, stores.records("acme"))
    written = table.write(RecordWrite("NOTE", "n1", {"v": 1}, taint=("tool:page", "trigger")))
    assert written is not None and written.taint == ("tool:page", "trigger")
    table.write_all([RecordWrite("NOTE", "n2", {"v": 1}, taint=("tool:page",)), RecordWrite("NOTE", "n3", {"v": 1})])
    assert [one.taint for one in table.query("NOTE")] == [("tool:page", "trigger"), ("tool:page",), ()]
    table.write(RecordWrite("NOTE", "n1", {"v": 2}))
    found = table.find("NOTE", "n1")
    assert found is not None and found.taint == ()
