"""All writes of a call in one piece: done when it has returned, run again where another call was faster."""

from collections.abc import Callable
from typing import Any

import pytest

from pentad.domain.errors import InvalidInput, StoreUnavailable
from pentad.tools.records.adapters.records_memory import MemoryRecords
from pentad.tools.records.call_records import CallRecords, run_in_one_piece
from pentad.tools.records.grants import Grant
from pentad.tools.records.ports import RecordStore, RecordWrite

READWRITE = (Grant("records", "readwrite", keys="NOTE"),)
WRITE = (Grant("records", "write", keys="NOTE"),)


class Bench:
    """A table, and calls on it."""

    def __init__(self) -> None:
        self.memory = MemoryRecords()
        self.table = self.memory.get_store("acme")
        self.runs = 0

    def call(
        self, function: Callable[[RecordStore], Any], *, key: str = "e", grants: tuple[Grant, ...] = READWRITE
    ) -> str:
        def run(records: CallRecords) -> tuple[str, bool]:
            self.runs += 1
            try:
                return str(function(records)), True
            except KeyError as error:
                return f"failed: {error}", False

        return run_in_one_piece(self.table, grants, "clerk", key, run, sleep=lambda seconds: None)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_what_is_written_is_seen_by_the_call_and_by_nobody_else_before_it_ends(bench: Bench) -> None:
    bench.table.put("NOTE", "b", {"v": "before"})
    bench.table.put("NOTE", "d", {"v": "before"})

    def work(records: RecordStore) -> list[str]:
        records.put("NOTE", "a", {"v": 1})
        records.put("NOTE", "b", {"v": 2})
        assert records.delete("NOTE", "d") == "deleted"
        assert records.get("NOTE", "a") == {"v": 1}
        assert records.get("NOTE", "d") is None
        assert records.put("NOTE", "d", {"v": 3}, if_absent=True)
        assert not records.put("NOTE", "d", {"v": 4}, if_absent=True)
        assert [record.key for record in bench.table.query("NOTE")] == ["b", "d"]
        return [f"{record.key}{record.value['v']}" for record in records.query("NOTE")]

    assert bench.call(work) == "['a1', 'b2', 'd3']"
    assert [record.value["v"] for record in bench.table.query("NOTE")] == [1, 2, 3]


def test_pages_hold_what_the_call_wrote_and_not_what_it_removed(bench: Bench) -> None:
    for key in "abcdef":
        bench.table.put("NOTE", key, {})

    def work(records: RecordStore) -> list[str]:
        records.delete("NOTE", "b")
        records.put("NOTE", "bb", {})
        records.put("NOTE", "z", {})
        pages, after = [], None
        while page := records.query("NOTE", limit=2, after=after):
            after = page[-1].key
            pages.append("".join(record.key + " " for record in page))
        return pages

    assert bench.call(work) == "['a bb ', 'c d ', 'e f ', 'z ']"


def test_a_call_that_fails_writes_nothing(bench: Bench) -> None:
    def work(records: RecordStore) -> None:
        records.put("NOTE", "a", {"v": 1})
        raise KeyError("no")

    assert bench.call(work).startswith("failed")
    assert bench.table.query("NOTE") == []
    assert bench.table.find_answer("NOTE", "e") is None


def test_a_call_that_met_another_runs_again_on_what_stands_there(bench: Bench) -> None:
    bench.table.put("NOTE", "list", {"rows": []})

    def book(name: str, meanwhile: Callable[[], object]) -> Callable[[RecordStore], list[str]]:
        def work(records: RecordStore) -> list[str]:
            value = records.get("NOTE", "list") or {}
            if bench.runs == 1:
                meanwhile()
            value["rows"].append(name)
            records.put("NOTE", "list", value)
            records.put("NOTE", f"note-{name}", {})
            return list(value["rows"])

        return work

    other = book("theirs", lambda: None)
    assert bench.call(book("mine", lambda: bench.call(other, key="other"))) == "['theirs', 'mine']"
    assert bench.table.get("NOTE", "list") == {"rows": ["theirs", "mine"]}
    assert bench.runs == 3


def test_a_call_that_is_done_is_answered_and_not_done_again(bench: Bench) -> None:
    def count(records: RecordStore) -> int:
        value = records.get("NOTE", "n") or {"count": 0}
        records.put("NOTE", "n", {"count": value["count"] + 1})
        return int(value["count"]) + 1

    assert bench.call(count) == "1"
    assert bench.call(count, key="another") == "2"
    # The first try's answer was lost: its mark is found, whatever has been written since.
    assert bench.call(count) == "1"
    assert bench.table.get("NOTE", "n") == {"count": 2}


def test_a_tool_that_may_only_write_learns_what_stands_there_when_it_is_refused(bench: Bench) -> None:
    bench.table.put("NOTE", "taken", {"v": "theirs"})

    def work(records: RecordStore) -> list[object]:
        return [
            records.put("NOTE", "taken", {"v": "mine"}, if_absent=True),
            records.put("NOTE", "free", {"v": "mine"}, if_absent=True),
            records.put("NOTE", "free", {"v": "again"}, if_absent=True),
            records.delete("NOTE", "gone"),
        ]

    assert bench.call(work, grants=WRITE) == "[False, True, False, 'absent']"
    assert [record.value["v"] for record in bench.table.query("NOTE")] == ["mine", "theirs"]


def test_writes_without_a_look_may_be_many_and_decided_ones_must_fit(bench: Bench) -> None:
    def put_many(records: RecordStore) -> None:
        for number in range(250):
            records.put("NOTE", f"{number:03d}", {"v": number})
        records.update("NOTE", "count", lambda value: {"v": (value or {"v": 0})["v"] + 1})

    bench.call(put_many)
    assert sum(1 for _ in bench.table.iterate("NOTE")) == 251

    def remove_all(records: RecordStore) -> None:
        for record in list(records.iterate("NOTE")):
            records.delete("NOTE", record.key)

    with pytest.raises(InvalidInput, match="251 writes") as refused:
        bench.call(remove_all, key="remove")
    assert "idempotent=False" in (refused.value.fix or "")
    assert sum(1 for _ in bench.table.iterate("NOTE")) == 251


def test_a_call_that_is_never_faster_gives_up_and_has_written_nothing(bench: Bench) -> None:
    bench.table.put("NOTE", "n", {"v": 0})

    def work(records: RecordStore) -> None:
        records.get("NOTE", "n")
        bench.table.put("NOTE", "n", {"v": bench.runs})
        records.put("NOTE", "n", {"v": "mine"})
        records.put("NOTE", "m", {"v": "mine"})

    with pytest.raises(StoreUnavailable, match="nothing was written"):
        bench.call(work)
    assert bench.table.get("NOTE", "m") is None


def test_a_transaction_of_the_tool_is_refused_as_a_whole_and_else_part_of_the_call(bench: Bench) -> None:
    bench.table.put("NOTE", "a", {"v": 1})

    def work(records: RecordStore) -> str:
        found = records.find("NOTE", "a")
        assert found is not None
        try:
            records.transact([RecordWrite("NOTE", "b", {"v": 2}), RecordWrite("NOTE", "a", {"v": 2}, "absent")])
        except Exception as error:
            said = type(error).__name__
        assert records.get("NOTE", "b") is None
        records.transact([RecordWrite("NOTE", "b", {"v": 2}), RecordWrite("NOTE", "a", None, found.state)])
        return said

    assert bench.call(work) == "RecordChanged"
    assert [record.key for record in bench.table.query("NOTE")] == ["b"]


def make_number(records: RecordStore) -> str:
    """Put a record with the number after those that are there."""
    number = len(list(records.iterate("NOTE"))) + 1
    records.put("NOTE", f"{number}", {"n": number})
    return str(number)


def test_two_calls_that_count_the_records_and_put_the_next_both_keep_theirs(bench: Bench) -> None:
    def work(records: RecordStore) -> str:
        answer = make_number(records)
        if bench.runs == 1:
            bench.table.put("NOTE", answer, {"of": "the other"})
        return answer

    bench.table.put("NOTE", "0", {})
    assert bench.call(work) == "3"
    assert [record.key for record in bench.table.query("NOTE")] == ["0", "2", "3"]
    assert bench.table.get("NOTE", "2") == {"of": "the other"}


@pytest.mark.parametrize(
    ("asked", "key", "runs"),
    [
        ({}, "k", 2),
        ({"begins": "k"}, "k", 2),
        ({"begins": "x"}, "k", 1),
        ({"limit": 1}, "k", 1),
        ({"limit": 2}, "k", 2),
        ({"after": "a"}, "k", 2),
        ({"after": "m"}, "k", 1),
    ],
)
def test_only_a_page_that_would_have_shown_a_record_says_that_it_is_not_there(
    bench: Bench, asked: dict[str, Any], key: str, runs: int
) -> None:
    for one in "am":
        bench.table.put("NOTE", one, {})

    def work(records: RecordStore) -> None:
        records.query("NOTE", **asked)
        records.put("NOTE", key, {"of": "mine"})
        if bench.runs == 1:
            bench.table.put("NOTE", key, {"of": "the other"})

    bench.call(work)
    assert bench.runs == runs
    assert bench.table.get("NOTE", key) == {"of": "mine"}


def test_more_new_records_than_a_transaction_takes_are_put_after_a_look_at_all(bench: Bench) -> None:
    def work(records: RecordStore) -> int:
        start = len(list(records.iterate("NOTE")))
        for number in range(150):
            records.put("NOTE", f"{start + number:04}", {"n": number})
        return start

    assert bench.call(work, key="one") == "0"
    assert bench.call(work, key="two") == "150"
    assert len(bench.table.query("NOTE", limit=1_000)) == 300
