"""The tools of the library, through the runner, at vendors' servers: once, and undone."""

import email
import email.policy
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.library.business.crm_cancel import crm_cancel
from functions.library.business.crm_create import crm_create
from functions.library.business.crm_find import crm_find
from functions.library.business.crm_update import crm_update
from functions.library.business.erp_cancel import erp_cancel
from functions.library.business.erp_create import erp_create
from functions.library.business.erp_find import erp_find
from functions.library.business.erp_update import erp_update
from functions.library.calendar.calendar_cancel import calendar_cancel
from functions.library.calendar.calendar_create import calendar_create
from functions.library.calendar.calendar_find import calendar_find
from functions.library.calendar.calendar_update import calendar_update
from functions.library.communication.send_email import send_email
from pentad.domain.errors import ToolUnavailable
from pentad.domain.runs import CallStatus
from pentad.tools.declare.declare import Tool
from tests.contract.tools.conftest import Stores
from tests.contract.tools.test_mail_servers import Inbox, MailController
from tests.contract.tools.vendors.calendars import Google, run_radicale
from tests.contract.tools.vendors.records import HubSpot, Odoo, RecordVendor, Salesforce
from tests.contract.tools.vendors.server import TOKEN, Fault, PlainHttp, listen
from tests.contract.tools.vendors.worlds import make_world
from tests.unit.tools.worlds import Crash, Crashing, World

KINDS = {
    "hubspot": ("contacts", "lastname", "pentad_call"),
    "salesforce": ("Contact", "LastName", "Pentad_Call__c"),
    "odoo": ("res.partner", "name", "x_pentad_call"),
}


@pytest.fixture
def http() -> PlainHttp:
    return PlainHttp()


class Desk:
    """A vendor's server and calls of tools at it."""

    def __init__(self, provider: str, vendor: RecordVendor, url: str, http: PlainHttp) -> None:
        self.kind, self.name, marker = KINDS[provider]
        self.vendor = vendor
        self._http = http
        self.find, self.create, self.update = (
            (erp_find, erp_create, erp_update) if provider == "odoo" else (crm_find, crm_create, crm_update)
        )
        fields = [self.name, "email", "state"]
        ends = {"cancel": "action_cancel"} if provider == "odoo" else {"remove": True}
        kind = {"read": fields, "write": fields, "create": True, "marker": marker} | ends
        self.settings = {"provider": provider, "url": url, "kinds": {self.kind: kind}}

    def call(self, tool: Tool[Any, Any], secret: Any = TOKEN, **arguments: Any) -> World:
        values = {"erp" if tool.name.startswith("erp") else "crm": secret}
        return make_world(
            tool, {"kind": self.kind, **arguments}, settings=self.settings, secrets=values, http=self._http
        )


@pytest.fixture(params=list(KINDS))
def desk(request: pytest.FixtureRequest, http: PlainHttp) -> Iterator[Desk]:
    vendor: RecordVendor = {"hubspot": HubSpot, "salesforce": Salesforce, "odoo": Odoo}[request.param]()
    with listen(vendor) as url:
        yield Desk(request.param, vendor, url, http)


def test_a_record_is_found_changed_and_the_change_taken_back(desk: Desk) -> None:
    made = desk.call(desk.create, fields={desk.name: "Jones"})
    made.execute()
    record_id = made.result["record_id"]
    found = desk.call(desk.find, conditions=[{"field": desk.name, "value": "Jones"}])
    found.execute()
    assert [one["record_id"] for one in found.result["records"]] == [record_id]
    assert found.call.untrusted
    changed = desk.call(desk.update, record_id=record_id, fields={desk.name: "Smith"}, version=made.result["version"])
    changed.execute()
    assert changed.result["fields"] == {desk.name: "Smith"}
    changed.undo()
    changed.undo()
    assert desk.vendor.rows[record_id][desk.name] == "Jones"


@pytest.mark.parametrize("before", [True, False])
def test_a_create_whose_runner_dies_makes_one_record(desk: Desk, before: bool) -> None:
    world = desk.call(desk.create, fields={desk.name: "Jones"})
    world.effects = Crashing(world.effects, "finish", before=before)
    with pytest.raises(Crash):
        world.execute()
    world.execute()
    world.execute()
    assert world.call.status is CallStatus.SUCCEEDED
    assert len(desk.vendor.rows) == 1


def test_a_create_that_the_vendor_did_not_answer_is_found_by_the_state_s_retry(desk: Desk) -> None:
    world = desk.call(desk.create, fields={desk.name: "Jones"})
    desk.vendor.faults = [Fault(True, None, "POST")]
    with pytest.raises(ToolUnavailable):
        world.execute()
    world.execute()
    assert world.call.status is CallStatus.SUCCEEDED
    assert len(desk.vendor.rows) == 1


@pytest.mark.parametrize(
    "secret",
    [
        [json.dumps({"token": "rotated-away"}), json.dumps({"token": TOKEN})],
        ["rotated-away", TOKEN],
        json.dumps({"token_url": "https://x", "first": "rotated-away", "second": TOKEN}),
    ],
)
def test_a_token_that_is_rotated_in_the_middle_is_read_again(desk: Desk, secret: Any) -> None:
    world = desk.call(desk.create, secret=secret, fields={desk.name: "Jones"})
    world.execute()
    assert world.call.status is CallStatus.SUCCEEDED, world.call.result
    assert len(desk.vendor.rows) == 1


def test_erp_cancel_asks_a_human_and_is_not_repeated(http: PlainHttp) -> None:
    vendor = Odoo()
    with listen(vendor) as url:
        desk = Desk("odoo", vendor, url, http)
        record_id = vendor.put({"state": "sale"})
        assert erp_cancel.spec.approval == "always"
        world = desk.call(erp_cancel, record_id=record_id)
        world.effects = Crashing(world.effects, "finish", before=True)
        with pytest.raises(Crash):
            world.execute()
        world.execute()
        assert "EffectUncertain" in (world.call.result or "")
        assert sum(one.parts[-1] == "action_cancel" for one in vendor.asked) == 1


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("provider", ["hubspot", "salesforce"])
def test_crm_cancel_asks_a_human_and_removes_once_though_its_runner_dies(
    provider: str, before: bool, http: PlainHttp
) -> None:
    vendor: RecordVendor = {"hubspot": HubSpot, "salesforce": Salesforce}[provider]()
    with listen(vendor) as url:
        desk = Desk(provider, vendor, url, http)
        record_id = vendor.put({desk.name: "Jones"})
        assert crm_cancel.spec.approval == "always"
        assert not crm_cancel.spec.reversible
        world = desk.call(crm_cancel, record_id=record_id)
        world.effects = Crashing(world.effects, "finish", before=before)
        with pytest.raises(Crash):
            world.execute()
        world.execute()
        world.execute()
        assert world.call.status is CallStatus.SUCCEEDED, world.call.result
        assert "a human can restore it" in world.result["note"]
        assert sum(one.method == "DELETE" for one in vendor.asked) == 1
        assert list(vendor.removed) == [record_id]


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("versioned", [True, False])
@pytest.mark.parametrize("provider", ["hubspot", "salesforce"])
def test_a_removal_that_the_vendor_did_not_answer_keeps_its_claim_and_ends_as_what_is_there(
    provider: str, versioned: bool, late: bool, http: PlainHttp, stores: Stores
) -> None:
    vendor: RecordVendor = {"hubspot": HubSpot, "salesforce": Salesforce}[provider]()
    with listen(vendor) as url:
        desk = Desk(provider, vendor, url, http)
        record_id = vendor.put({desk.name: "Jones"})
        found = desk.call(crm_find, record_id=record_id)
        found.execute()
        given = {"version": found.result["records"][0]["version"]} if versioned else {}
        world = desk.call(crm_cancel, record_id=record_id, **given)
        world.effects = stores.effects
        vendor.faults = [Fault(False, None, "DELETE")]
        with pytest.raises(ToolUnavailable):
            world.execute()
        if late:  # the vendor does what it did not answer, after we looked
            vendor.removed[record_id] = vendor.rows.pop(record_id)
        world.execute()
        if late or versioned:
            assert world.call.status is CallStatus.SUCCEEDED, world.call.result
            assert list(vendor.removed) == [record_id]
        else:
            assert "EffectUncertain" in (world.call.result or "")
            assert record_id in vendor.rows
        assert sum(one.method == "DELETE" for one in vendor.asked) == (2 if versioned and not late else 1)


def test_an_email_goes_out_once_though_the_call_is_tried_again(http: PlainHttp) -> None:
    inbox = Inbox()
    controller = MailController(inbox)
    controller.start()
    try:
        settings = {
            "sender": "desk@example.com",
            "host": "127.0.0.1",
            "port": controller.port,
            "security": "none",
            "secret": None,
            "recipient_domains": ["example.com"],
        }
        arguments = {"to": ["mary@example.com"], "subject": "Hello", "text": "Hello, Mary."}
        world = make_world(send_email, arguments, settings=settings, secrets={}, http=http)
        world.effects = Crashing(world.effects, "finish", before=True)
        with pytest.raises(Crash):
            world.execute()
        world.execute()
        assert "EffectUncertain" in (world.call.result or "")
        assert len(inbox.taken) == 1
        world = make_world(send_email, arguments, settings=settings, secrets={}, http=http)
        world.execute()
        assert world.result["accepted"] == ["mary@example.com"]
    finally:
        controller.stop()


def test_an_email_has_the_files_of_the_outbox_and_no_others(http: PlainHttp) -> None:
    inbox = Inbox()
    controller = MailController(inbox)
    controller.start()
    try:

        def call(*paths: str, tenant: str = "acme") -> World:
            settings = {
                "sender": "desk@example.com",
                "host": "127.0.0.1",
                "port": controller.port,
                "security": "none",
                "secret": None,
                "recipient_domains": ["example.com"],
            }
            arguments = {"to": ["mary@example.com"], "subject": "Hi", "text": "Hi", "attachments": list(paths)}
            world = make_world(send_email, arguments, settings=settings, secrets={}, http=http)
            files = world.files.get_store(tenant)
            for path in ("outbox/Bericht März.pdf", "outbox/page.eml", "reports/secret.pdf"):
                files.write(
                    path, b"\x00\xff of " + path.encode(), content_type="text/html\r\nBcc: x", marks={}, if_etag=None
                )
            world.execute()
            return world

        world = call("outbox/Bericht März.pdf", "outbox/page.eml", "outbox/page.eml")
        assert world.call.status is CallStatus.SUCCEEDED, world.call.result
        ((_, content),) = inbox.taken
        found = list(email.message_from_bytes(content, policy=email.policy.default).iter_attachments())
        assert [(one.get_filename(), one.get_content_type()) for one in found] == [
            ("Bericht März.pdf", "application/pdf"),
            ("page.eml", "application/octet-stream"),
        ]
        assert found[0].get_content() == b"\x00\xff of outbox/Bericht M\xc3\xa4rz.pdf"
        for path in ("reports/secret.pdf", "outbox/../reports/secret.pdf", "outbox/none.pdf", "/outbox/page.eml"):
            assert call(path).call.is_error
        assert call("outbox/page.eml", tenant="globex").call.is_error
        assert len(inbox.taken) == 1
    finally:
        controller.stop()


@pytest.mark.parametrize("provider", ["caldav", "google"])
def test_an_event_is_made_once_changed_cancelled_and_brought_back(
    provider: str, http: PlainHttp, tmp_path: Path
) -> None:
    google = Google()
    with listen(google) as google_url, run_radicale(tmp_path) as caldav_url:
        url = caldav_url if provider == "caldav" else f"{google_url}/calendar/v3"
        settings = {"provider": provider, "url": url, "timezone": "Europe/Zurich"}
        login = {"username": "ada", "password": "secret words"} if provider == "caldav" else {"token": TOKEN}

        def call(tool: Tool[Any, Any], **arguments: Any) -> World:
            values = {"calendar": ["{}", json.dumps(login)]}
            return make_world(tool, arguments, settings=settings, secrets=values, http=http)

        def list_titles() -> list[str]:
            world = call(calendar_find, start="2026-03-01", end="2026-04-01")
            world.execute()
            return [one["title"] for one in world.result["events"]]

        made = call(calendar_create, title="Meeting", start="2026-03-02T10:00", end="2026-03-02T11:00")
        made.effects = Crashing(made.effects, "finish", before=True)
        with pytest.raises(Crash):
            made.execute()
        made.execute()
        assert list_titles() == ["Meeting"]
        event = made.result["event"]
        changed = call(calendar_update, event_id=event["event_id"], title="Lunch", version=event["version"])
        changed.execute()
        assert list_titles() == ["Lunch"]
        cancelled = call(calendar_cancel, event_id=event["event_id"])
        cancelled.execute()
        assert list_titles() == []
        cancelled.undo()
        assert list_titles() == ["Lunch"]


@pytest.mark.parametrize("tool", [crm_create, crm_update, crm_cancel, erp_create, erp_update, erp_cancel, send_email])
def test_what_reaches_the_outside_says_so_to_the_model(tool: Tool[Any, Any]) -> None:
    assert tool.spec.effects == "external"
    assert tool.spec.approval == "always" or tool.spec.reversible
    assert inspect.getdoc(tool.function)
