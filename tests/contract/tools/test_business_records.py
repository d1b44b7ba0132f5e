"""One suite over HubSpot, Salesforce and Odoo: each call once, and undone only where nobody changed it since."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from pentad.domain.errors import (
    ConfigurationError,
    EffectUncertain,
    InvalidInput,
    NotFound,
    PolicyDenied,
    RecordChanged,
    ToolFailed,
    ToolThrottled,
    ToolUnavailable,
)
from pentad.tools.business.actions import RecordActions
from pentad.tools.business.adapters.records_hubspot import HubSpotRecords
from pentad.tools.business.adapters.records_odoo import OdooRecords
from pentad.tools.business.adapters.records_salesforce import SalesforceRecords
from pentad.tools.business.ports import BusinessRecords, Condition
from pentad.tools.business.settings import CrmSettings, ErpSettings, KindSettings, RecordSettings
from tests.contract.tools.vendors.records import HubSpot, Odoo, RecordVendor, Salesforce
from tests.contract.tools.vendors.server import TOKEN, Fault, PlainHttp, Reply, listen

KEY = "k" * 64


@dataclass
class World:
    """A vendor with rows, and what a tool does with them."""

    vendor: RecordVendor
    adapter: Callable[[str], BusinessRecords]
    settings: RecordSettings
    provider: str

    def act(self, token: str = TOKEN, **kind: Any) -> RecordActions:
        found = self.settings.kinds[self.kind].model_copy(update=kind)
        return RecordActions(self.adapter(token), self.settings.model_copy(update={"kinds": {self.kind: found}}))

    @property
    def kind(self) -> str:
        return self.vendor.kind

    @property
    def name(self) -> str:
        return self.vendor.words["name"]

    @property
    def number(self) -> str:
        return self.vendor.words["number"]

    def names(self) -> list[str]:
        return [row[self.name] for row in self.vendor.rows.values()]


FAULTS: dict[str, Reply | None] = {
    "500": Reply(500, b"<html>oops</html>"),
    "503": Reply(503, None, {"retry-after": "9"}),
    "hang up": None,
}


@pytest.fixture(params=["hubspot", "salesforce", "odoo"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    vendor: RecordVendor = {"hubspot": HubSpot, "salesforce": Salesforce, "odoo": Odoo}[request.param]()
    words = vendor.words
    fields = (words["name"], words["number"], "email")
    kinds = {vendor.kind: KindSettings(read=fields, write=fields, create=True, marker=words["marker"])}
    http = PlainHttp()
    with listen(vendor) as url:
        settings: RecordSettings
        if request.param == "odoo":
            settings = ErpSettings(url=url, kinds=kinds)
        else:
            settings = CrmSettings(provider=request.param, url=url, kinds=kinds)

        def make(token: str) -> BusinessRecords:
            if request.param == "hubspot":
                return HubSpotRecords(http, url, token=lambda: token)
            if request.param == "salesforce":
                return SalesforceRecords(http, url, api_version="v62.0", token=lambda: token)
            return OdooRecords(http, url, key=lambda: token)

        yield World(vendor, make, settings, request.param)


def find(world: World, *conditions: Condition, **given: Any) -> list[str]:
    page = world.act().find(world.kind, conditions=conditions, **given)
    return [str(one.fields[world.name]) for one in page.records]


def test_all_pages_have_each_record_once(world: World) -> None:
    for number in range(45):
        world.vendor.put({world.name: f"Jones {number}", world.number: number})
    seen: list[str] = []
    after = None
    for _ in range(10):
        page = world.act().find(world.kind, limit=10, after=after)
        seen += [str(one.fields[world.name]) for one in page.records]
        after = page.after
        if after is None:
            break
    assert sorted(seen) == sorted(f"Jones {number}" for number in range(45))


HOSTILE = [
    "O'Hara",
    "x' OR Id != null OR LastName = '",
    'say "hi"',
    "back\\slash",
    "\\' OR name != '",
    "100%",
    "a_b",
    "two\nlines",
    "tab\there",
    "Zoë 漢字 🎉",
    "null",
    "') OR (1=1",
    "{{7*7}}",
]


@pytest.mark.parametrize("operator", ["=", "contains", "in"])
def test_a_hostile_text_finds_itself_only(world: World, operator: Any) -> None:
    stored = (*HOSTILE, "Jones", "axb", "1000")
    for text in stored:
        world.vendor.put({world.name: text})
    for text in HOSTILE:
        wanted = [one for one in stored if one == text or (operator == "contains" and text.lower() in one.lower())]
        value = [text] if operator == "in" else text
        assert find(world, Condition(field=world.name, operator=operator, value=value)) == wanted


def test_conditions_are_all_to_hold(world: World) -> None:
    for number in (5, 50, 500):
        world.vendor.put({world.name: f"Jones {number}", world.number: number, "email": None})
    more = Condition(field=world.number, operator=">", value=5)
    less = Condition(field=world.number, operator="<=", value=50)
    assert find(world, more, less) == ["Jones 50"]
    assert len(find(world, Condition(field="email", operator="=", value=None))) == 3


@pytest.mark.parametrize(
    "condition",
    [
        Condition(field="email", operator="in", value="one"),
        Condition(field="email", operator="=", value=["one"]),
        Condition(field="email", operator="in", value=[]),
        Condition(field="email", operator="<", value=None),
        Condition(field="email", operator="contains", value=" "),
        Condition(field="email", operator="contains", value=5),
    ],
)
def test_a_condition_that_can_not_be_is_refused_before_the_vendor_is_asked(world: World, condition: Condition) -> None:
    with pytest.raises(InvalidInput):
        find(world, condition)
    assert world.vendor.asked == []


def test_what_the_settings_do_not_name_is_neither_read_nor_set(world: World) -> None:
    act = world.act(write=(world.name,))
    with pytest.raises(InvalidInput, match="no kind 'invoices'"):
        act.find("invoices")
    with pytest.raises(PolicyDenied, match="read 'salary'"):
        act.find(world.kind, fields=["salary"])
    with pytest.raises(PolicyDenied, match="read 'salary'"):
        act.find(world.kind, conditions=[Condition(field="salary", operator=">", value=1)])
    with pytest.raises(PolicyDenied, match="set 'email'"):
        act.update(world.kind, "1", {"email": "x"}, version=None, again=False)
    with pytest.raises(PolicyDenied, match="create"):
        world.act(create=False).create(world.kind, {world.name: "x"}, effect_key=KEY, again=False)
    assert world.vendor.asked == []


@pytest.mark.parametrize("record_id", ["../other", "1/../../x", "5?x=1", "#", "", "a b", "9" * 30, "-1", "1 OR 1=1"])
def test_an_id_stays_an_id_whatever_is_in_it(world: World, record_id: str) -> None:
    world.vendor.put({world.name: "Jones"})
    with pytest.raises((InvalidInput, NotFound)):
        world.act().find(world.kind, record_id=record_id)


@pytest.mark.parametrize(
    "given", [{"after": "2"}, {"conditions": [Condition(field="email", operator="=", value="m@example.com")]}]
)
def test_a_search_beside_an_id_is_refused(world: World, given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="are both given"):
        world.act().find(world.kind, record_id="1", **given)
    assert world.vendor.asked == []


def test_a_record_that_is_not_there_is_told(world: World) -> None:
    missing = world.vendor.name_next()
    with pytest.raises(NotFound):
        world.act().find(world.kind, record_id=missing)
    with pytest.raises(NotFound):
        world.act().update(world.kind, missing, {world.name: "x"}, version=None, again=False)


def test_a_record_is_made_once_however_often_the_call_is_tried(world: World) -> None:
    first, _ = world.act().create(world.kind, {world.name: "Jones"}, effect_key=KEY, again=False)
    second, undo = world.act().create(world.kind, {world.name: "Jones"}, effect_key=KEY, again=True)
    other, _ = world.act().create(world.kind, {world.name: "Jones"}, effect_key="o" * 64, again=True)
    assert first.record_id == second.record_id != other.record_id
    assert world.names() == ["Jones", "Jones"]
    assert undo is not None


@pytest.mark.parametrize("fault", list(FAULTS))
@pytest.mark.parametrize("done", [True, False])
def test_a_create_that_is_not_answered_makes_one_record_in_the_end(world: World, fault: str, done: bool) -> None:
    world.vendor.faults = [Fault(done, FAULTS[fault], "POST")]
    with pytest.raises(ToolUnavailable):
        world.act().create(world.kind, {world.name: "Jones"}, effect_key=KEY, again=False)
    world.act().create(world.kind, {world.name: "Jones"}, effect_key=KEY, again=True)
    assert world.names() == ["Jones"]


def test_without_a_marker_a_create_that_was_cut_off_is_not_repeated(world: World) -> None:
    with pytest.raises(EffectUncertain, match="not repeated"):
        world.act(marker=None).create(world.kind, {world.name: "Jones"}, effect_key=KEY, again=True)
    assert world.vendor.asked == []


def test_a_create_is_undone_once_and_only_where_nobody_changed_the_record(world: World) -> None:
    act = world.act()
    made, undo = act.create(world.kind, {world.name: "Jones"}, effect_key=KEY, again=False)
    assert undo is not None
    world.vendor.put({"email": "m@example.com"}, made.record_id)
    with pytest.raises(ToolFailed, match="changed since"):
        act.undo_create(undo)
    assert find(world) == ["Jones"]
    _, undo = act.create(world.kind, {world.name: "Smith"}, effect_key="o" * 64, again=False)
    assert undo is not None
    act.undo_create(undo)
    assert find(world) == ["Jones"]


def test_an_update_is_undone_once_and_leaves_what_others_changed_beside_it(world: World) -> None:
    record_id = world.vendor.put({world.name: "Jones", world.number: 5, "email": "old@example.com"})
    act = world.act()
    done, undo = act.update(world.kind, record_id, {world.name: "Smith", world.number: None}, version=None, again=False)
    assert done.fields[world.name] == "Smith"
    assert undo is not None
    world.vendor.put({"email": "new@example.com"}, record_id)
    act.undo_update(undo)
    act.undo_update(undo)
    row = world.vendor.rows[record_id]
    assert (row[world.name], str(row[world.number]), row["email"]) == ("Jones", "5", "new@example.com")


def test_an_update_that_somebody_changed_since_is_not_undone(world: World) -> None:
    record_id = world.vendor.put({world.name: "Jones"})
    _, undo = world.act().update(world.kind, record_id, {world.name: "Smith"}, version=None, again=False)
    assert undo is not None
    world.vendor.put({world.name: "Miller"}, record_id)
    with pytest.raises(ToolFailed, match="changed since"):
        world.act().undo_update(undo)
    assert world.names() == ["Miller"]
    del world.vendor.rows[record_id]
    with pytest.raises(ToolFailed, match="changed since"):
        world.act().undo_update(undo)


@pytest.mark.parametrize(
    ("before", "wanted"),
    [("Acme ", "Acme"), ("Acme", "Acme "), ("acme", "Acme"), ("False", ""), ("", "False"), ("10", "10.0"), ("x", None)],
)
def test_an_update_to_what_is_only_alike_is_written_and_undone(world: World, before: str, wanted: str | None) -> None:
    record_id = world.vendor.put({world.name: before or None})
    done, undo = world.act().update(world.kind, record_id, {world.name: wanted}, version=None, again=False)
    assert (done.note, undo is not None) == (None, True)
    assert (world.vendor.rows[record_id][world.name] or "") == (wanted or "")
    assert undo is not None
    world.act().undo_update(undo)
    assert (world.vendor.rows[record_id][world.name] or "") == before
    same, undo = world.act().update(world.kind, record_id, {world.name: before or None}, version=None, again=False)
    assert undo is None and "already has these values" in (same.note or "")


def test_what_is_not_set_is_not_false(world: World) -> None:
    record_id = world.vendor.put({world.name: None, "email": "a@example.com"})
    done, undo = world.act().update(world.kind, record_id, {world.name: False}, version=None, again=False)
    if world.provider == "odoo":  # there it is the same
        assert undo is None and done.note is not None
    else:
        assert undo is not None and done.note is None
    world.vendor.put({world.name: 1}, record_id)
    _, undo = world.act().update(world.kind, record_id, {world.name: True}, version=None, again=False)
    assert undo is not None


def test_an_update_that_another_one_came_near_to_since_is_not_undone(world: World) -> None:
    record_id = world.vendor.put({world.name: "Jones"})
    _, undo = world.act().update(world.kind, record_id, {world.name: "Smith"}, version=None, again=False)
    assert undo is not None
    world.vendor.put({world.name: "Smith "}, record_id)
    with pytest.raises(ToolFailed, match="changed since"):
        world.act().undo_update(undo)
    assert world.names() == ["Smith "]


def test_one_of_several_is_found_whatever_its_case() -> None:
    vendor = HubSpot()
    for name, status in (("Jones", "NEW"), ("SMITH", "new"), ("Miller", "OPEN")):
        vendor.put({"lastname": name, "hs_lead_status": status})
    kinds = {"contacts": KindSettings(read=("lastname", "hs_lead_status"))}
    with listen(vendor) as url:
        settings = CrmSettings(provider="hubspot", url=url, kinds=kinds)
        act = RecordActions(HubSpotRecords(PlainHttp(), url, token=lambda: TOKEN), settings)

        def find_names(field: str, *values: str) -> list[Any]:
            condition = Condition(field=field, operator="in", value=list(values))
            return [one.fields["lastname"] for one in act.find("contacts", conditions=[condition]).records]

        assert find_names("lastname", "jones", "Smith") == ["Jones", "SMITH"]
        assert find_names("hs_lead_status", "OPEN") == ["Miller"]
        assert find_names("hs_lead_status", "Open") == []


def test_an_update_of_what_was_read_before_somebody_changed_it_is_refused(world: World) -> None:
    record_id = world.vendor.put({world.name: "Jones"})
    read = world.act().find(world.kind, record_id=record_id).records[0]
    world.vendor.put({world.name: "Miller"}, record_id)
    with pytest.raises(RecordChanged):
        world.act().update(world.kind, record_id, {world.name: "Smith"}, version=read.version, again=False)
    done, _ = world.act().update(world.kind, record_id, {world.name: "Smith"}, version=None, again=False)
    assert done.version != read.version


@pytest.mark.parametrize("fault", list(FAULTS))
def test_an_update_that_was_done_but_not_answered_is_found_done(world: World, fault: str) -> None:
    record_id = world.vendor.put({world.name: "Jones"})
    fail_update(world, FAULTS[fault], done=True)
    _, undo = world.act().update(world.kind, record_id, {world.name: "Smith"}, version=None, again=False)
    assert undo is not None
    world.act().undo_update(undo)
    assert world.names() == ["Jones"]


@pytest.mark.parametrize("fault", list(FAULTS))
@pytest.mark.parametrize("versioned", [True, False])
def test_an_update_that_was_not_answered_is_tried_again_only_on_the_version_that_was_read(
    world: World, fault: str, versioned: bool
) -> None:
    record_id = world.vendor.put({world.name: "Jones"})
    version = world.act().find(world.kind, record_id=record_id).records[0].version if versioned else None
    fail_update(world, FAULTS[fault], done=False)
    with pytest.raises(ToolUnavailable):
        world.act().update(world.kind, record_id, {world.name: "Smith"}, version=version, again=False)
    assert world.names() == ["Jones"]
    if versioned:
        world.act().update(world.kind, record_id, {world.name: "Smith"}, version=version, again=True)
        assert world.names() == ["Smith"]
        return
    with pytest.raises(EffectUncertain):
        world.act().update(world.kind, record_id, {world.name: "Smith"}, version=None, again=True)
    assert world.names() == ["Jones"]


def fail_update(world: World, reply: Reply | None, *, done: bool) -> None:
    """Let the next request that changes a record fail. Odoo's requests are all POST: there the second one is it."""
    if world.provider != "odoo":
        world.vendor.faults = [Fault(done, reply, "PATCH")]
        return
    serve = world.vendor.serve

    def serve_write(asked: Any) -> Reply | None:
        if asked.parts[-1] == "write":
            world.vendor.faults = [Fault(done, reply, "POST")]
            world.vendor.serve = serve  # type: ignore[method-assign]
        return serve(asked)

    world.vendor.serve = serve_write  # type: ignore[method-assign]


def test_an_update_that_was_cut_off_is_found_done_or_told_as_uncertain(world: World) -> None:
    record_id = world.vendor.put({world.name: "Smith"})
    done, undo = world.act().update(world.kind, record_id, {world.name: "Smith"}, version="old", again=True)
    assert (undo, done.note) == (None, "an earlier try did it: it can't be undone")
    with pytest.raises(EffectUncertain):
        world.act().update(world.kind, record_id, {world.name: "Miller"}, version=None, again=True)
    assert world.names() == ["Smith"]


def test_what_fails_before_anything_was_changed_says_so(world: World) -> None:
    record_id = world.vendor.put({world.name: "Jones"})
    method = "POST" if world.provider == "odoo" else "GET"
    world.vendor.faults = [Fault(False, FAULTS["503"], method)]
    with pytest.raises(ToolThrottled, match="nothing was done") as caught:
        world.act().update(world.kind, record_id, {world.name: "Smith"}, version=None, again=False)
    assert caught.value.retry_after == 9


def test_a_limit_is_told_as_one_and_nothing_is_done(world: World) -> None:
    for method in ("POST", "PATCH", "DELETE"):
        world.vendor.faults.append(Fault(False, world.vendor.limit, method))
    with pytest.raises(ToolThrottled, match="limit"):
        world.act().create(world.kind, {world.name: "Jones"}, effect_key=KEY, again=False)
    assert world.names() == []


def test_a_credential_that_is_not_accepted_is_the_operators_to_mend(world: World) -> None:
    with pytest.raises(ConfigurationError, match="does not accept the credential") as caught:
        world.act(token="some-other-token").find(world.kind)
    assert "some-other-token" not in str(caught.value) + str(caught.value.fix)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"[1]", b"{}", b'{"message": 5}', b'"x"', b"\xff", b"null"])
def test_a_refusal_in_any_form_is_told(world: World, body: bytes) -> None:
    method = "POST" if world.provider != "salesforce" else "GET"
    world.vendor.faults = [Fault(False, Reply(400, body), method)]
    with pytest.raises(ToolFailed, match="answered 400"):
        world.act().find(world.kind)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", b"[1]", b'{"results": [5]}', b'{"records": [{}]}', b'{"results": 5}', b"null"]
)
def test_a_success_in_a_form_that_is_not_known_is_told(world: World, body: bytes) -> None:
    method = "POST" if world.provider != "salesforce" else "GET"
    world.vendor.faults = [Fault(False, Reply(200, body), method)]
    with pytest.raises(ToolFailed, match=r"unknown format|no list|not JSON") as caught:
        world.act().find(world.kind)
    assert "records" not in caught.value.message


@pytest.mark.parametrize("status", [401, 403, 418])
def test_a_look_that_is_refused_after_a_try_leaves_it_uncertain(world: World, status: int) -> None:
    record_id = world.vendor.put({world.name: "Jones"})
    method = "POST" if world.provider == "odoo" else "GET"

    def update(again: bool) -> None:
        world.vendor.faults = [Fault(False, Reply(status, b""), method)]
        world.act().update(world.kind, record_id, {world.name: "Smith"}, version=None, again=again)

    with pytest.raises((ToolFailed, ConfigurationError)):
        update(again=False)
    with pytest.raises(EffectUncertain, match="earlier try may have done it"):
        update(again=True)
    world.vendor.faults = [Fault(False, Reply(status, b""), method)]
    with pytest.raises(EffectUncertain, match="earlier try may have done it"):
        world.act().create(world.kind, {world.name: "Miller"}, effect_key=KEY, again=True)
    assert world.names() == ["Jones"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"id": null}', b"null", b"true"])
def test_a_success_without_an_id_is_uncertain_and_not_repeated(world: World, body: bytes) -> None:
    world.vendor.faults = [Fault(True, Reply(200, body), "POST")]
    with pytest.raises(EffectUncertain, match="was not repeated"):
        world.act().create(world.kind, {world.name: "Jones"}, effect_key=KEY, again=False)


def test_hubspot_tells_the_record_that_is_there_already_and_the_limit_of_a_day() -> None:
    vendor, http = HubSpot(), PlainHttp()
    with listen(vendor) as url:
        records = HubSpotRecords(http, url, token=lambda: TOKEN)
        there = vendor.put({"email": "m@example.com"})
        with pytest.raises(ToolFailed, match=f"its id is '{there}'"):
            records.create("contacts", {"email": "m@example.com"})
        vendor.faults = [Fault(False, HubSpot.daily, "POST"), Fault(False, HubSpot.limit, "POST")]
        with pytest.raises(ToolFailed, match="whole day"):
            records.create("contacts", {"email": "n@example.com"})
        with pytest.raises(ToolThrottled, match="TEN_SECONDLY_ROLLING") as caught:
            records.create("contacts", {"email": "n@example.com"})
        assert caught.value.retry_after == 7


def test_salesforce_with_a_marker_of_several_records_is_told() -> None:
    vendor, http = Salesforce(), PlainHttp()
    with listen(vendor) as url:
        records = SalesforceRecords(http, url, api_version="v62.0", token=lambda: TOKEN)
        for _ in range(2):
            vendor.put({"Pentad_Call__c": KEY})
        with pytest.raises(ToolFailed, match="several records"):
            records.find_marked("Contact", "Pentad_Call__c", KEY)


def test_odoo_cancels_by_the_method_of_the_settings_and_takes_it_back_if_nobody_changed_it() -> None:
    vendor, http = Odoo(), PlainHttp()
    with listen(vendor) as url:
        kinds = {"res.partner": KindSettings(read=("state",), cancel="action_cancel", uncancel="action_draft")}
        act = RecordActions(OdooRecords(http, url, key=lambda: TOKEN), ErpSettings(url=url, kinds=kinds))
        record_id = vendor.put({"state": "sale"})
        done, undo = act.cancel("res.partner", record_id, again=False)
        assert (done.fields["state"], undo is None) == ("cancel", False)
        assert undo is not None
        act.undo_cancel(undo)
        assert vendor.rows[record_id]["state"] == "draft"
        _, undo = act.cancel("res.partner", record_id, again=False)
        vendor.put({"note": "seen"}, record_id)
        assert undo is not None
        with pytest.raises(ToolFailed, match="changed since"):
            act.undo_cancel(undo)
        with pytest.raises(EffectUncertain):
            act.cancel("res.partner", record_id, again=True)
