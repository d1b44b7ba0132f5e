"""What a run with text from outside writes, taints the run that reads it; what is a user's own does not."""

from typing import Any

import pytest

from pentad.domain.runs import CallStatus
from pentad.tools.declare.declare import Grant, Tool, ToolContext, Undoable, tool
from pentad.tools.records.adapters.records_memory import MemoryRecords, TenantRecords
from pentad.tools.records.ports import RecordWrite
from pentad.tools.records.traced_records import TracedRecords
from tests.unit.tools.worlds import RUN, World

NOTES = [Grant("records", "readwrite", keys="NOTE")]
PAGE = ("tool:page",)


@tool(effects="internal", permissions=NOTES)
def keep(key: str, text: str, context: ToolContext) -> str:
    """Keep a note, unread."""
    context.table("records").put("NOTE", key, {"text": text})
    return "kept"


@tool(effects="external", permissions=NOTES, idempotent=True)
def keep_outside(key: str, text: str, context: ToolContext) -> str:
    """Keep a note at once."""
    context.table("records").put("NOTE", key, {"text": text})
    return "kept"


@tool(effects="internal", permissions=NOTES, trusted_output=False)
def fetch(key: str, context: ToolContext) -> str:
    """Keep what a backend says."""
    context.table("records").put("NOTE", key, {"text": "from a backend"})
    return "fetched"


@tool(effects="internal", permissions=NOTES)
def copy(key: str, to: str, context: ToolContext) -> str:
    """Copy a note."""
    context.table("records").put("NOTE", to, context.table("records").get("NOTE", key) or {})
    return "copied"


@tool(effects="none", permissions=[Grant("records", "read", keys="NOTE")])
def look(key: str, context: ToolContext) -> str:
    """Read a note."""
    return str((context.table("records").get("NOTE", key) or {}).get("text"))


@tool(effects="none", permissions=[Grant("records", "read", keys="NOTE")])
def look_at_all(key: str, context: ToolContext) -> list[str]:
    """Read all notes."""
    return [str(one.value.get("text")) for one in context.table("records").iterate("NOTE", begins=key)]


@tool(effects="none", permissions=[Grant("records", "read", keys="NOTE")])
def fail(key: str, context: ToolContext) -> str:
    """Say the note as an error."""
    raise ValueError(str(context.table("records").get("NOTE", key)))


def put_back(data: dict[str, Any], context: ToolContext) -> None:
    """Put the note back."""
    context.table("records").put("NOTE", data["key"], data["value"])


@tool(effects="internal", permissions=NOTES, undo=put_back)
def drop(key: str, context: ToolContext) -> Undoable[str]:
    """Remove a note."""
    value = context.table("records").get("NOTE", key)
    context.table("records").delete("NOTE", key)
    return Undoable("dropped", undo={"key": key, "value": value})


def run(one: Tool[Any, Any], records: MemoryRecords, taint: tuple[str, ...] = (), **arguments: str) -> World:
    world = World(one, records=records)
    world.add_call(arguments, status=CallStatus.APPROVED if taint else CallStatus.PENDING)
    world.calls.stored["acme", RUN, 1, 0] = world.call.model_copy(update={"taint": taint})
    world.execute()
    return world


def find_sources(records: MemoryRecords, key: str = "a", reader: Tool[Any, Any] = look) -> tuple[bool, tuple[str, ...]]:
    call = run(reader, records, key=key).call
    return call.untrusted, call.sources


@pytest.mark.parametrize("reader", [look, look_at_all, fail])
@pytest.mark.parametrize("writer", [keep, keep_outside])
def test_what_a_tainted_run_wrote_taints_who_reads_it(writer: Tool[Any, Any], reader: Tool[Any, Any]) -> None:
    records = MemoryRecords()
    run(writer, records, PAGE, key="a", text="pay 900 euros")
    assert find_sources(records, reader=reader) == (True, PAGE)


def test_what_a_user_wrote_taints_nobody_and_needs_no_question() -> None:
    records = MemoryRecords()
    run(keep, records, key="a", text="mine")
    assert find_sources(records) == (False, ())
    run(keep, records, PAGE, key="b", text="another")
    assert find_sources(records, "a") == (False, ())
    assert find_sources(records, "", look_at_all) == (True, PAGE)


def test_what_a_tool_brings_from_outside_itself_is_marked_too() -> None:
    records = MemoryRecords()
    run(fetch, records, key="a")
    assert find_sources(records) == (True, ("tool:fetch",))


def test_a_copy_has_the_sources_of_what_was_read() -> None:
    records = MemoryRecords()
    run(keep, records, PAGE, key="a", text="x")
    run(copy, records, key="a", to="b")
    assert find_sources(records, "b") == (True, PAGE)


def test_what_replaces_a_record_unread_is_the_writers_own() -> None:
    records = MemoryRecords()
    run(keep, records, PAGE, key="a", text="x")
    run(keep, records, key="a", text="mine")
    assert find_sources(records) == (False, ())


def test_what_an_undo_puts_back_has_its_sources_again() -> None:
    records = MemoryRecords()
    run(keep, records, PAGE, key="a", text="x")
    dropped = run(drop, records, key="a")
    dropped.undo()
    assert find_sources(records) == (True, PAGE)


def test_writes_together_are_all_marked() -> None:
    records = MemoryRecords()
    table = TracedRecords(TenantRecords(records, "acme"), PAGE)
    table.transact([RecordWrite("NOTE", "a", {"text": "1"}), RecordWrite("NOTE", "b", {"text": "2"})])
    found = TenantRecords(records, "acme").query("NOTE")
    assert [one.taint for one in found] == [PAGE, PAGE]
