"""Tools that read and write records: calls of one reply at once, and tries after a crash, each counted once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydantic import BaseModel

from pentad.domain.errors import ToolFailed, ToolThrottled, ToolUnavailable
from pentad.domain.runs import CallStatus
from pentad.tools.declare.declare import Grant, ToolContext, Undoable, tool
from pentad.tools.records.adapters.records_memory import MemoryRecords, TenantRecords
from pentad.tools.records.ports import CallMark, RecordWrite
from tests.unit.tools.worlds import Crash, World

ORDERS = [Grant("records", "readwrite", keys="ORDER")]
failures: list[BaseException] = []
meeting: list[threading.Barrier] = []


def _book(certificate: str, context: ToolContext) -> list[str]:
    orders = context.table("records")
    order = orders.get("ORDER", "o1") or {"certificates": []}
    if meeting:  # All calls have read before the first one writes.
        meeting.pop().wait(10)
    order["certificates"].append(certificate)
    orders.put("ORDER", "o1", order)
    if failures:
        raise failures.pop(0)
    return list(order["certificates"])


@tool(effects="internal", permissions=ORDERS)
def book(certificate: str, context: ToolContext) -> list[str]:
    """Book a certificate."""
    return _book(certificate, context)


@tool(effects="external", permissions=ORDERS, idempotent=True)
def book_again(certificate: str, context: ToolContext) -> list[str]:
    """Book a certificate; its author says that it may run again."""
    return _book(certificate, context)


@tool(effects="external", permissions=ORDERS)
def book_outside(certificate: str, context: ToolContext) -> list[str]:
    """Book a certificate somewhere outside, which may not run again."""
    return _book(certificate, context)


class Booked(BaseModel):
    """What undoing needs."""

    certificate: str


def cancel(data: Booked, context: ToolContext) -> None:
    """Take the certificate out of the order."""
    context.table("records").update(
        "ORDER", "o1", lambda order: {"count": (order or {"count": 0})["count"] - 1, "last": data.certificate}
    )
    if failures:
        raise failures.pop(0)


@tool(effects="internal", permissions=ORDERS, undo=cancel)
def book_with_undo(certificate: str, context: ToolContext) -> Undoable[int]:
    """Book a certificate."""
    changed = context.table("records").update(
        "ORDER", "o1", lambda order: {"count": (order or {"count": 0})["count"] + 1}
    )
    return Undoable((changed or {})["count"], undo={"certificate": certificate})


@pytest.fixture(autouse=True)
def nothing_left() -> None:
    failures.clear()
    meeting.clear()


def stored(world: World, key: str = "o1") -> Any:
    return world.records.get_store("acme").get("ORDER", key)


def run_at_once(world: World, calls: int) -> list[str]:
    """Run calls at once, all of which read before the first writes, and return how they ended."""
    for index in range(calls):
        world.add_call({"certificate": f"c{index}"}, index=index)
    meeting.extend([threading.Barrier(calls)] * calls)
    with ThreadPoolExecutor(calls) as threads:
        return [str(one["status"]) for one in threads.map(lambda index: world.execute(index=index), range(calls))]


@pytest.mark.parametrize("declared", [book, book_again])
@pytest.mark.parametrize("calls", [3, 8])
def test_calls_of_one_reply_lose_none_of_each_others_updates(declared: Any, calls: int) -> None:
    world = World(declared)
    assert run_at_once(world, calls) == ["succeeded"] * calls
    assert sorted(stored(world)["certificates"]) == [f"c{index}" for index in range(calls)]
    told = [world.calls.get_call("acme", world.call.run_id, 1, index).result for index in range(calls)]
    assert sorted(result.count("c") for result in told) == list(range(1, calls + 1))


def test_a_call_that_may_not_run_again_says_that_it_wrote_nothing() -> None:
    world = World(book_outside)
    ended = run_at_once(world, 3)
    assert sorted(ended) == ["failed", "failed", "succeeded"]
    assert len(stored(world)["certificates"]) == 1
    errors = [world.calls.get_call("acme", world.call.run_id, 1, index).error_type for index in range(3)]
    assert errors.count("RecordChanged") == 2


def test_what_a_tool_wrote_before_it_failed_is_not_written() -> None:
    world = World(book)
    world.add_call({"certificate": "c"})
    failures.append(ToolFailed("no"))
    assert world.execute()["status"] == "failed"
    assert stored(world) is None
    # What an outside tool writes is written at once: what it did outside is done, too.
    world = World(book_outside)
    world.add_call({"certificate": "c"})
    failures.append(ToolFailed("no"))
    assert world.execute()["status"] == "failed"
    assert stored(world) == {"certificates": ["c"]}


class Dying:
    """A tenant's records, whose process dies before or after the first transaction."""

    def __init__(self, table: TenantRecords, before: bool) -> None:
        self._table = table
        self._before = before
        self._armed = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    def write_all(self, writes: list[RecordWrite], mark: CallMark | None = None) -> None:
        armed, self._armed = self._armed, False
        if armed and self._before:
            raise Crash
        self._table.write_all(writes, mark)
        if armed:
            raise Crash


@pytest.mark.parametrize("before", [True, False])
def test_a_read_and_write_tool_that_is_tried_again_counts_once(before: bool) -> None:
    world = World(book)
    world.add_call({"certificate": "c0"})
    world.add_call({"certificate": "c1"}, index=1)
    dying = Dying(world.records.get_store("acme"), before)
    world.records = _Records(world.records, dying)
    with pytest.raises(Crash):
        world.execute()
    assert world.execute(index=1)["status"] == "succeeded"
    assert world.execute()["status"] == "succeeded"
    assert sorted(stored(world)["certificates"]) == ["c0", "c1"]
    # It is told what its own writing came to, not what stands there now.
    assert world.result == (["c1", "c0"] if before else ["c0"])


@pytest.mark.parametrize("before", [True, False])
def test_an_undo_that_is_tried_again_counts_once(before: bool) -> None:
    world = World(book_with_undo)
    world.add_call({"certificate": "c"})
    world.execute()
    memory = world.records
    world.records = _Records(memory, Dying(memory.get_store("acme"), before))
    with pytest.raises(Crash):
        world.undo()
    assert world.undo()["status"] == "undone"
    assert stored(world)["count"] == 0
    assert world.call.status is CallStatus.UNDONE


def test_a_transient_error_leaves_nothing_and_is_tried_again() -> None:
    world = World(book)
    world.add_call({"certificate": "c"})
    failures.append(ToolUnavailable("a backend is down"))
    with pytest.raises(ToolUnavailable):
        world.execute()
    assert stored(world) is None
    assert world.execute()["status"] == "succeeded"
    assert stored(world) == {"certificates": ["c"]}


def test_a_large_answer_is_kept_as_its_text_and_found_again() -> None:
    @tool(effects="internal", permissions=ORDERS)
    def large(context: ToolContext) -> list[str]:
        """Write, and answer at length."""
        context.table("records").put("ORDER", "o1", {"v": 1})
        return ["word " * 10] * 20_000

    world = World(large)
    world.add_call({})
    first, second = World(large), world
    first.add_call({})
    assert first.execute()["status"] == "succeeded"
    second.records = _Records(second.records, Dying(second.records.get_store("acme"), before=False))
    with pytest.raises(Crash):
        second.execute()
    assert second.execute()["status"] == "succeeded"
    assert second.call.result == first.call.result


HALF = "cut \ud83d"


def cut(data: Booked, context: ToolContext) -> None:
    """Undo nothing."""
    raise ToolFailed(HALF, fix=HALF)


@pytest.mark.parametrize("effects", ["internal", "external"])
def test_half_a_character_in_what_a_tool_says_is_one_unknown_character(effects: Any) -> None:
    @tool(effects=effects, permissions=ORDERS, undo=cut)
    def cutting(context: ToolContext) -> Undoable[Any]:
        """Write, and answer with what was cut."""
        context.table("records").put("ORDER", "o1", {"v": 1})
        if failures:
            raise failures.pop(0)
        return Undoable({HALF: HALF}, undo={"certificate": HALF})

    world = World(cutting)
    world.add_call({})
    failures.append(ToolThrottled(HALF))
    with pytest.raises(ToolThrottled, match="cut"):
        world.execute()
    assert world.execute()["status"] == "succeeded"
    assert world.result == {"cut \ufffd": "cut \ufffd"}
    assert world.call.undo == {"certificate": "cut \ufffd"}
    with pytest.raises(ToolFailed, match="cut") as refused:
        world.undo()
    assert refused.value.fix == "cut \ufffd"


def test_only_what_changes_nothing_but_records_is_written_in_one_piece() -> None:
    assert (book.spec.idempotent, book.in_one_piece) == (True, True)
    assert (book_outside.spec.idempotent, book_outside.in_one_piece) == (False, False)
    assert not book_again.in_one_piece

    @tool(effects="internal", permissions=ORDERS, idempotent=False)
    def by_itself(context: ToolContext) -> None:
        """Write each by itself."""

    @tool(effects="internal")
    def elsewhere() -> None:
        """Change what is no record."""

    assert (by_itself.spec.idempotent, by_itself.in_one_piece) == (False, False)
    assert (elsewhere.spec.idempotent, elsewhere.in_one_piece) == (False, False)


class _Records(MemoryRecords):
    """Records of which one tenant's table is given."""

    def __init__(self, memory: MemoryRecords, table: Any) -> None:
        super().__init__()
        self._bodies, self._versions, self._answers = memory._bodies, memory._versions, memory._answers
        self._table = table

    def get_store(self, tenant_id: str) -> Any:
        return self._table
