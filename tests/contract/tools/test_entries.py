"""The tools for records on each store: kinds of a deployment, versions, undo."""

import json
from typing import Any, cast

import pytest
from pydantic import ValidationError

from functions.library.data.delete_record import delete_record
from functions.library.data.find_records import find_records
from functions.library.data.save_record import save_record
from pentad.domain.errors import ToolFailed
from pentad.domain.runs import CallStatus, ToolCall
from pentad.tools.data.entries.actions import KIND
from pentad.tools.data.entries.settings import EntrySettings
from pentad.tools.declare.declare import Tool
from pentad.tools.records.ports import RecordWrite
from tests.contract.tools.conftest import Stores
from tests.unit.tools.worlds import RUN, World

SETTINGS = EntrySettings.model_validate(
    {
        "kinds": {
            "contact": {
                "description": "somebody we know",
                "fields": {"name": "text", "city": "text", "age": "number", "vip": "boolean", "since": "date"},
                "required": ["name"],
            },
            "visit": {"fields": {"notes": "list"}},
            "diary": {"fields": {"text": "text"}, "own": True},
        }
    }
)


class Done:
    """A call that has ended."""

    def __init__(self, world: World, index: int) -> None:
        self._world = world
        self._index = index

    @property
    def call(self) -> ToolCall:
        found: ToolCall = self._world.calls.get_call("acme", RUN, 1, self._index)
        return found

    @property
    def result(self) -> Any:
        return json.loads(self.call.result or "null")

    def undo(self) -> None:
        self._world.runtime().undo("acme", RUN, 1, self._index, invocation=self._world.invocation())


class Desk:
    """Calls of the tools, one after the other, on one store."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._calls = 0

    def get_store(self, tenant_id: str) -> Any:
        return self._stores.records(tenant_id)

    def call(self, tool: Tool[Any, Any], *, user: str | None = "ada", **arguments: Any) -> Done:
        self._calls += 1
        world = World(tool, settings=SETTINGS, records=cast(Any, self))
        world.add_call(arguments, index=self._calls)
        world.calls.runs["acme", RUN] = world.calls.runs["acme", RUN].model_copy(update={"user_id": user})
        world.execute(index=self._calls)
        return Done(world, self._calls)

    def save(self, key: str, **value: Any) -> Done:
        done = self.call(save_record, kind="contact", key=key, value=value)
        assert not done.call.is_error, done.call.result
        return done

    def find(self, **arguments: Any) -> list[Any]:
        done = self.call(find_records, **{"kind": "contact", **arguments})
        assert not done.call.is_error, done.call.result
        rows: list[Any] = done.result["records"]
        return rows


@pytest.fixture
def desk(stores: Stores) -> Desk:
    return Desk(stores)


def test_a_record_is_saved_changed_and_found(desk: Desk) -> None:
    assert desk.save("mary@example.com", name="Mary", age=41, vip=True, since="2026-01-31").result["created"]
    desk.save("mary@example.com", city="Bern", vip=None)
    desk.save("bob", name="Bob", city="Basel")
    found = desk.find(where={"city": "Bern"})
    assert [(one["key"], one["value"]) for one in found] == [
        ("mary@example.com", {"name": "Mary", "age": 41, "since": "2026-01-31", "city": "Bern"})
    ]
    assert [one["key"] for one in desk.find(begins="b")] == ["bob"]
    assert desk.find(kind="visit") == []
    assert desk.call(find_records, kind="contact").call.untrusted


def test_a_change_is_done_only_on_the_version_that_was_found(desk: Desk) -> None:
    desk.save("a", name="A")
    version = desk.find()[0]["version"]
    desk.save("a", city="Bern")
    stale = desk.call(save_record, kind="contact", key="a", value={"age": 1}, if_version=version).call
    assert stale.is_error and "changed since" in (stale.result or "")
    again = desk.call(save_record, kind="contact", key="a", value={"name": "B"}, if_version=0).call
    assert again.is_error and "already exists" in (again.result or "")
    gone = desk.call(delete_record, kind="contact", key="a", if_version=version).call
    assert gone.is_error and len(desk.find()) == 1


def test_undo_brings_back_what_was_there_unless_it_was_changed(desk: Desk) -> None:
    made = desk.save("a", name="A")
    changed = desk.save("a", city="Bern")
    with pytest.raises(ToolFailed, match="changed since"):
        made.undo()
    changed.undo()
    assert desk.find()[0]["value"] == {"name": "A"}
    gone = desk.call(delete_record, kind="contact", key="a")
    assert desk.find() == []
    gone.undo()
    assert gone.call.status is CallStatus.UNDONE and desk.find()[0]["value"] == {"name": "A"}
    made.undo()
    assert desk.find() == []


def test_pages_go_on_after_the_last_key(desk: Desk) -> None:
    store = desk.get_store("acme")
    writes = [RecordWrite(KIND, f"contact/{number:03}", {"name": str(number % 2)}, "any") for number in range(120)]
    for write in writes:
        store.write(write)
    seen, after = [], None
    for _ in range(5):
        page = desk.call(find_records, kind="contact", where={"name": "1"}, after=after).result
        seen += [one["key"] for one in page["records"]]
        after = page["more_after"]
        if after is None:
            break
    assert seen == [f"{number:03}" for number in range(1, 120, 2)]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            {"kind": "secret", "key": "a", "value": {}},
            "no kind 'secret' Fix: use one of 'contact', 'visit',",
        ),
        ({"kind": "contact", "key": "a", "value": {"name": "A", "iban": "x"}}, "has no field 'iban'"),
        ({"kind": "contact", "key": "a", "value": {"city": "x"}}, "(somebody we know) needs 'name'"),
        ({"kind": "contact", "key": "a", "value": {"name": 5}}, "'name' of a contact is not a valid text"),
        (
            {"kind": "contact", "key": "a", "value": {"name": "A", "age": True}},
            "'age' of a contact is not a valid",
        ),
        ({"kind": "contact", "key": "a", "value": {"name": "A", "since": "31.1.2026"}}, "is not a valid date"),
        ({"kind": "contact", "key": " a", "value": {"name": "A"}}, "invisible characters"),
        ({"kind": "contact", "key": "a\u202e", "value": {"name": "A"}}, "invisible characters"),
        ({"kind": "contact", "key": "a", "value": {"name": "x" * 20_000}}, "20,0"),
        ({"kind": "contact/x", "key": "a", "value": {"name": "A"}}, "no kind"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_stored(desk: Desk, arguments: dict[str, Any], told: str) -> None:
    call = desk.call(save_record, **arguments).call
    assert call.is_error and told in (call.result or "")
    assert desk.find() == []


def test_a_kind_does_not_reach_into_another_by_its_key(desk: Desk) -> None:
    desk.save("visit/1", name="A")
    assert desk.find(kind="visit") == []
    assert [one["key"] for one in desk.find()] == ["visit/1"]


@pytest.mark.parametrize(
    "kinds",
    [
        {},
        {"a b": {"fields": {"x": "text"}}},
        {"a": {"fields": {}}},
        {"a": {"fields": {"x": "text"}, "required": ["y"]}},
    ],
)
def test_settings_that_say_nothing_sensible_are_refused(kinds: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EntrySettings.model_validate({"kinds": kinds})


def test_records_of_users_are_each_users_own_under_a_key_that_says_so(desk: Desk) -> None:
    for user in ("ada", "bob"):
        made = desk.call(save_record, user=user, kind="diary", key="monday", value={"text": f"of {user}"})
        assert made.result["created"], made.call.result
    assert [one["value"] for one in desk.find(kind="diary")] == [{"text": "of ada"}]
    assert [record.key for record in desk.get_store("acme").query(KIND, begins="users/")] == [
        "users/ada/diary/monday",
        "users/bob/diary/monday",
    ]
    gone = desk.call(delete_record, kind="diary", key="monday")
    assert [one["value"] for one in desk.find(kind="diary", user="bob")] == [{"text": "of bob"}]
    gone.undo()
    assert [one["key"] for one in desk.find(kind="diary")] == ["monday"]


@pytest.mark.parametrize("key", ["../bob/diary/monday", "users/bob/diary/monday", "/monday"])
def test_no_key_leads_to_another_users_record(desk: Desk, key: str) -> None:
    desk.call(save_record, user="bob", kind="diary", key="monday", value={"text": "of bob"})
    desk.call(save_record, kind="diary", key=key, value={"text": "of ada"})
    assert [one["value"] for one in desk.find(kind="diary", user="bob")] == [{"text": "of bob"}]
    assert [one["value"] for one in desk.find(kind="diary", begins=key)] == [{"text": "of ada"}]


def test_a_run_without_a_user_has_no_records_of_users(desk: Desk) -> None:
    calls: list[tuple[Tool[Any, Any], dict[str, Any]]] = [
        (find_records, {}),
        (save_record, {"key": "a", "value": {}}),
        (delete_record, {"key": "a"}),
    ]
    for tool, more in calls:
        call = desk.call(tool, user=None, kind="diary", **more).call
        assert call.is_error and "this run has no user" in (call.result or "")


def test_no_kind_has_the_name_of_the_folder_of_users() -> None:
    with pytest.raises(ValidationError, match="stands in front of users' own records"):
        EntrySettings.model_validate({"kinds": {"users": {"fields": {"name": "text"}}}})
