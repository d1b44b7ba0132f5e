"""Writes that happen at once: nothing that was read is replaced by what was decided on an older state."""

import pytest

from pentad.domain.errors import InvalidInput, PolicyDenied, RecordChanged
from pentad.tools.records.adapters.records_memory import MemoryRecords
from pentad.tools.records.granted_records import GrantedRecords
from pentad.tools.records.grants import Grant
from pentad.tools.records.ports import RecordWrite


@pytest.fixture
def table() -> MemoryRecords:
    return MemoryRecords()


def open_records(table: MemoryRecords, *grants: Grant) -> GrantedRecords:
    given = grants or (Grant("records", "readwrite", keys="NOTE"),)
    return GrantedRecords(table.get_store("acme"), given, "clerk", sleep=lambda seconds: None)


def test_a_put_after_a_read_keeps_what_another_call_wrote_meanwhile(table: MemoryRecords) -> None:
    mine, theirs = open_records(table), open_records(table)
    theirs.put("NOTE", "n", {"rows": []})
    value = mine.get("NOTE", "n")
    theirs.put("NOTE", "n", {"rows": ["theirs"]})
    with pytest.raises(RecordChanged, match="'NOTE' was changed by another call"):
        mine.put("NOTE", "n", {"rows": [*(value or {})["rows"], "mine"]})
    assert mine.get("NOTE", "n") == {"rows": ["theirs"]}
    mine.put("NOTE", "n", {"rows": ["theirs", "mine"]})
    assert theirs.get("NOTE", "n") == {"rows": ["theirs", "mine"]}


@pytest.mark.parametrize("read", ["get", "find", "query", "iterate"])
def test_every_way_to_read_counts(table: MemoryRecords, read: str) -> None:
    mine, theirs = open_records(table), open_records(table)
    theirs.put("NOTE", "n", {"v": 1})
    list(getattr(mine, read)("NOTE", *(() if read in ("query", "iterate") else ("n",))) or ())
    theirs.put("NOTE", "n", {"v": 2})
    with pytest.raises(RecordChanged):
        mine.put("NOTE", "n", {"v": 3})
    with pytest.raises(RecordChanged):
        mine.delete("NOTE", "n")
    with pytest.raises(RecordChanged):
        mine.transact([RecordWrite("NOTE", "n", {"v": 3}), RecordWrite("NOTE", "m", {"v": 3})])
    assert [record.value for record in theirs.query("NOTE")] == [{"v": 2}]


def test_what_was_read_as_absent_must_still_be_absent(table: MemoryRecords) -> None:
    mine, theirs = open_records(table), open_records(table)
    assert mine.get("NOTE", "n") is None
    theirs.put("NOTE", "n", {"v": "theirs"})
    with pytest.raises(RecordChanged):
        mine.put("NOTE", "n", {"v": "mine"})
    assert theirs.get("NOTE", "n") == {"v": "theirs"}


@pytest.mark.parametrize("by", ["put", "transact"])
def test_what_a_page_showed_to_be_absent_must_still_be_absent(table: MemoryRecords, by: str) -> None:
    mine, theirs = open_records(table), open_records(table)
    theirs.put("NOTE", "1", {})
    number = str(len(list(mine.iterate("NOTE"))) + 1)
    theirs.put("NOTE", number, {"of": "theirs"})
    with pytest.raises(RecordChanged):
        if by == "put":
            mine.put("NOTE", number, {"of": "mine"})
        else:
            mine.transact([RecordWrite("NOTE", number, {"of": "mine"}), RecordWrite("NOTE", "9", {})])
    assert [record.key for record in theirs.query("NOTE")] == ["1", "2"]
    assert theirs.get("NOTE", "2") == {"of": "theirs"}
    assert len(list(mine.iterate("NOTE"))) == 2
    mine.put("NOTE", "3", {"of": "mine"})
    mine.put("NOTE", "3", {"of": "mine, again"})
    assert mine.delete("NOTE", "4") == "absent"


def test_pages_one_after_the_other_are_one_range_and_a_full_page_says_nothing_of_what_is_behind(
    table: MemoryRecords,
) -> None:
    mine, theirs = open_records(table), open_records(table)
    for number in range(250):
        theirs.put("NOTE", f"{number:03}", {})
    assert len(mine.query("NOTE", limit=100)) == 100
    theirs.put("NOTE", "100a", {"of": "theirs"})
    mine.put("NOTE", "100a", {"of": "mine"})
    assert len(list(mine.iterate("NOTE"))) == 251
    theirs.put("NOTE", "199a", {})
    with pytest.raises(RecordChanged):
        mine.put("NOTE", "199a", {})


def test_a_record_that_was_removed_and_made_anew_is_another_one(table: MemoryRecords) -> None:
    mine, theirs = open_records(table), open_records(table)
    theirs.put("NOTE", "n", {"v": 1})
    mine.get("NOTE", "n")
    theirs.delete("NOTE", "n")
    theirs.put("NOTE", "n", {"v": 2})
    with pytest.raises(RecordChanged):
        mine.put("NOTE", "n", {"v": 3})


def test_own_writes_do_not_stand_in_each_others_way(table: MemoryRecords) -> None:
    records = open_records(table)
    records.get("NOTE", "n")
    records.put("NOTE", "n", {"v": 1})
    records.put("NOTE", "n", {"v": 2})
    records.update("NOTE", "n", lambda value: {"v": 3})
    records.put("NOTE", "n", {"v": 4})
    records.transact([RecordWrite("NOTE", "n", {"v": 5})])
    records.put("NOTE", "n", {"v": 6})
    assert records.delete("NOTE", "n") == "deleted"
    records.put("NOTE", "n", {"v": 7})
    assert records.get("NOTE", "n") == {"v": 7}


def test_a_blind_put_replaces_and_conditions_of_its_own_answer_false(table: MemoryRecords) -> None:
    mine, theirs = open_records(table), open_records(table)
    theirs.put("NOTE", "n", {"v": 1})
    assert mine.put("NOTE", "n", {"v": 2})
    assert not mine.put("NOTE", "n", {"v": 3}, if_absent=True)
    found = theirs.find("NOTE", "n")
    assert found is not None
    assert not mine.put("NOTE", "n", {"v": 3}, if_version=found.version + 1)
    assert mine.put("NOTE", "n", {"v": 3}, if_version=found.version)


def test_a_tool_that_may_only_write_reads_nothing(table: MemoryRecords) -> None:
    records = open_records(table, Grant("records", "write", keys="LOG"))
    assert records.put("LOG", "l", {"v": 1}, if_absent=True)
    assert not records.put("LOG", "l", {"v": 2}, if_absent=True)
    assert records.delete("LOG", "l", if_value={"v": 2}) == "changed"
    for read in (
        lambda: records.get("LOG", "l"),
        lambda: records.find("LOG", "l"),
        lambda: records.query("LOG"),
        lambda: list(records.iterate("LOG")),
        lambda: records.update("LOG", "l", lambda value: value),
    ):
        with pytest.raises(PolicyDenied, match="no grant to read"):
            read()


@pytest.mark.parametrize(
    ("writes", "said"),
    [
        ([RecordWrite("NOTE", str(number), {}) for number in range(99)], "100 writes"),
        ([RecordWrite("NOTE", str(number), {"x": "y" * 280_000}) for number in range(15)], "bytes can't be made"),
        ([RecordWrite("NOTE", "a", {}), RecordWrite("NOTE", "a", {})], "one record twice"),
        ([RecordWrite("NOTE", "a", {"x": float("nan")})], "not JSON"),
        ([RecordWrite("NOTE", "", {})], "key is out of bounds"),
    ],
)
def test_what_can_not_be_written_together_is_refused_as_a_whole(
    table: MemoryRecords, writes: list[RecordWrite], said: str
) -> None:
    records = open_records(table)
    with pytest.raises(InvalidInput, match=said):
        records.transact([RecordWrite("NOTE", "first", {}), *writes])
    assert records.query("NOTE") == []


@pytest.mark.parametrize("key", ["", "x" * 513, "\N{EURO SIGN}" * 342, "\N{GRINNING FACE}" * 257, "half \ud83d"])
def test_a_key_that_dynamodb_does_not_take_is_refused_before(table: MemoryRecords, key: str) -> None:
    records = open_records(table)
    for use in (
        lambda: records.put("NOTE", key, {}),
        lambda: records.get("NOTE", key),
        lambda: records.delete("NOTE", key),
        lambda: records.query("NOTE", after=key),
    ):
        with pytest.raises(InvalidInput):
            use()


@pytest.mark.parametrize("key", ["x" * 512, "\N{EURO SIGN}" * 341, "\N{GRINNING FACE}" * 256])
def test_a_key_may_be_as_long_as_dynamodb_takes(table: MemoryRecords, key: str) -> None:
    records = open_records(table)
    records.put("NOTE", key, {"v": 1})
    assert [record.key for record in records.query("NOTE", begins=key)] == [key]


@pytest.mark.parametrize(("limit", "after"), [(0, None), (1001, None), (10, "other"), (10, "")])
def test_a_query_out_of_bounds_is_refused(table: MemoryRecords, limit: int, after: str | None) -> None:
    with pytest.raises(InvalidInput):
        open_records(table).query("NOTE", begins="k", limit=limit, after=after)
