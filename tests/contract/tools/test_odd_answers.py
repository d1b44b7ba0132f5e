"""Answers of vendors in forms that nobody has documented: every adapter says so, and none breaks."""

import copy
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pentad.domain.errors import PentadError
from pentad.tools.business.adapters.records_hubspot import HubSpotRecords
from pentad.tools.business.adapters.records_odoo import OdooRecords
from pentad.tools.business.adapters.records_salesforce import SalesforceRecords
from pentad.tools.business.ports import BusinessRecords, RemovableRecords
from pentad.tools.calendars.adapters.calendar_caldav import CalDavCalendar
from pentad.tools.calendars.adapters.calendar_google import GoogleCalendar
from pentad.tools.calendars.ports import EventDraft, StoredEvent
from pentad.tools.communication.adapters.chat_slack import SlackChat
from pentad.tools.communication.adapters.chat_teams import TeamsWorkflow
from pentad.tools.communication.ports import PostedMessage
from pentad.tools.data.web.adapters.search_brave import BraveSearch
from pentad.tools.data.web.adapters.search_tavily import TavilySearch
from pentad.tools.data.web.ports import WebQuery
from pentad.tools.data.web.settings import WebSearchSettings
from pentad.tools.outside.ports import HttpAnswer

JUNK: tuple[Any, ...] = (
    *(None, 0, -1, 1.5, True, "", "x", "\u202e<script>\x1b[31m", [], {}, [None], {"a": None}, [[]], "9" * 400),
    *([1, "x"], {"error": 5}, {"error": [1]}, {"errors": [None]}),
)
RAW = (b"", b"<html>proxy</html>", b"\xff\xfe", b"null", b"[]", b"{", b'"x"', b"[" * 5_000)
STATUSES = (200, 201, 204, 400, 401, 403, 404, 409, 412, 422, 429, 500)
START = datetime(2026, 3, 2, 10, tzinfo=UTC)


class Odd:
    """Answers each request with one body."""

    def __init__(self, body: bytes, status: int) -> None:
        self._body, self._status = body, status

    def request(self, method: str, url: str, **given: Any) -> HttpAnswer:
        return HttpAnswer(self._status, {"content-type": "application/json", "etag": '"1"'}, self._body, url, "vendor")


def draft() -> EventDraft:
    return EventDraft(title="T", start=START, end=START + timedelta(hours=1))


def stored(provider: str) -> StoredEvent:
    event = {"id": "a", "etag": '"1"', "start": {"dateTime": START.isoformat()}, "end": {"dateTime": START.isoformat()}}
    made = GoogleCalendar(Odd(json.dumps(event).encode(), 200), "http://v", calendar="c", token=str).read("a")
    if provider == "google":
        return made
    content = f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:{START:%Y%m%dT%H%M%SZ}\nEND:VEVENT\nEND:VCALENDAR\n"
    return CalDavCalendar(Odd(content.encode(), 200), "http://v", authorize=dict, now=lambda: START).read("a.ics")


def act_on_records(open_records: Callable[[Odd], BusinessRecords], record_id: str) -> dict[str, Callable[[Odd], Any]]:
    return {
        "search": lambda http: open_records(http).search("c", (), ("a",), limit=2, after=None),
        "read": lambda http: open_records(http).read("c", record_id, ("a",)),
        "find": lambda http: open_records(http).find_marked("c", "m", "x"),
        "create": lambda http: open_records(http).create("c", {"a": "b"}),
        "update": lambda http: open_records(http).update("c", record_id, {"a": "b"}, version=None),
        "remove": lambda http: open_records(http).remove("c", record_id, version=None),
        "call": lambda http: open_records(http).call("c", record_id, "act"),
    }


def act_on_crm(open_records: Callable[[Odd], RemovableRecords], record_id: str) -> dict[str, Callable[[Odd], Any]]:
    looks = {"is_removed": lambda http: open_records(http).is_removed("c", record_id)}
    return {**act_on_records(open_records, record_id), **looks}


def open_google(http: Odd) -> GoogleCalendar:
    return GoogleCalendar(http, "http://v", calendar="c", token=str)


def open_caldav(http: Odd) -> CalDavCalendar:
    return CalDavCalendar(http, "http://v", authorize=dict, now=lambda: START)


def open_slack(http: Odd) -> SlackChat:
    return SlackChat(http, "http://v", token=str)


def search_settings(provider: str, url: str) -> WebSearchSettings:
    return WebSearchSettings.model_validate({"provider": provider, "url": url})


QUERY = WebQuery(words="a", page=0, freshness=None)
BRAVE = search_settings("brave", "https://api.search.brave.com")
TAVILY = search_settings("tavily", "https://api.tavily.com")
SALESFORCE = {
    "Id": "001000000000001", "A": "b", "SystemModstamp": "2026-01-01T00:00:00.000+0000",
    "attributes": {"url": "/x/001000000000001"},
}  # fmt: skip
EVENT = {
    "id": "a", "etag": '"1"', "status": "confirmed", "summary": "S", "attendees": [{"email": "a@example.com"}],
    "start": {"dateTime": "2026-03-02T10:00:00Z"}, "end": {"dateTime": "2026-03-02T11:00:00Z"},
    "recurrence": ["RRULE:FREQ=DAILY"], "extendedProperties": {"private": {"pentadCall": "m"}},
}  # fmt: skip
ACTS: dict[str, tuple[Any, dict[str, Callable[[Odd], Any]]]] = {
    "hubspot": (
        {"id": "1", "results": [{"id": "1", "properties": {"a": "b"}, "updatedAt": "2026-01-01"}],
         "properties": {"a": "b"}, "updatedAt": "2026-01-01", "archived": True, "paging": {"next": {"after": "5"}}},
        act_on_crm(lambda http: HubSpotRecords(http, "http://v", token=str), "1"),
    ),
    "salesforce": (
        {**SALESFORCE, "id": "001000000000001", "records": [SALESFORCE], "done": True},
        act_on_crm(lambda http: SalesforceRecords(http, "http://v", api_version="v62.0", token=str),
                   "001000000000001"),
    ),
    "odoo": (
        [{"id": 1, "a": [2, "x"], "write_date": "2026-01-01 00:00:00"}],
        act_on_records(lambda http: OdooRecords(http, "http://v", key=str), "1"),
    ),
    "slack": (
        {"ok": True, "ts": "1.1", "channel": "C", "has_more": False,
         "messages": [{"ts": "1.1", "metadata": {"event_payload": {"call": "m"}}}]},
        {
            "post": lambda http: open_slack(http).post("C1", "x", thread_id=None, marker="m"),
            "find": lambda http: open_slack(http).find_posted("C1", thread_id=None, marker="m"),
            "delete": lambda http: open_slack(http).delete(PostedMessage(channel="C1", message_id="1.1")),
        },
    ),
    "teams": ({}, {"post": lambda http: TeamsWorkflow(http, "https://v.example/x").post("T", "x")}),
    "brave": (
        {"web": {"results": [{"title": "t", "url": "https://x.example/", "description": "d", "page_age": "2026"}]}},
        {"search": lambda http: BraveSearch(http, BRAVE, str).search(QUERY)},
    ),
    "tavily": (
        {"results": [{"title": "t", "url": "https://x.example/", "content": "d"}]},
        {"search": lambda http: TavilySearch(http, TAVILY, str).search(QUERY)},
    ),
    "google": (
        {**EVENT, "items": [EVENT], "nextPageToken": "x"},
        {
            "find": lambda http: open_google(http).find(START, START + timedelta(days=1), text=None, limit=5),
            "read": lambda http: open_google(http).read("a"),
            "create": lambda http: open_google(http).create("a" * 64, draft()),
            "change": lambda http: open_google(http).change(stored("google"), {"title": "N"}, marker="m"),
            "cancel": lambda http: open_google(http).cancel(stored("google")),
            "remove": lambda http: open_google(http).remove("a", version="1"),
        },
    ),
    "caldav": (
        {},
        {
            "find": lambda http: open_caldav(http).find(START, START + timedelta(days=1), text=None, limit=5),
            "read": lambda http: open_caldav(http).read("a.ics"),
            "create": lambda http: open_caldav(http).create("a" * 64, draft()),
            "change": lambda http: open_caldav(http).change(stored("caldav"), {"title": "N"}, marker="m"),
            "cancel": lambda http: open_caldav(http).cancel(stored("caldav")),
            "remove": lambda http: open_caldav(http).remove("a.ics", version="1"),
        },
    ),
}  # fmt: skip
ERRORS = {"error": {"code": "X", "detail": "y", "errors": [{"reason": "r", "message": "m"}], "message": "m"}}


def mutate(value: Any, chance: random.Random) -> Any:
    """Return a copy with one place taken out, or replaced by something else."""
    value = copy.deepcopy(value)
    places: list[tuple[Any, Any]] = [(None, None)]

    def walk(node: Any) -> None:
        for key in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
            places.append((node, key))
            walk(node[key])

    walk(value)
    around, key = chance.choice(places)
    if around is None:
        return chance.choice(JUNK)
    if isinstance(around, dict) and chance.random() < 0.3:
        around.pop(key)
    else:
        around[key] = chance.choice(JUNK)
    return value


@pytest.mark.parametrize(
    ("vendor", "act"), [(vendor, act) for vendor, (_, acts) in ACTS.items() for act in acts], ids=lambda one: str(one)
)
def test_an_answer_in_an_odd_form_is_told_and_breaks_nothing(vendor: str, act: str) -> None:
    chance = random.Random(f"{vendor} {act}")
    good, acts = ACTS[vendor]
    for status in STATUSES:
        bodies = [*RAW, *(json.dumps(mutate(good if status < 300 else ERRORS, chance)).encode() for _ in range(60))]
        for body in bodies:
            try:
                acts[act](Odd(body, status))
            except PentadError:
                continue
            except Exception as error:
                raise AssertionError(f"{vendor} {act} {status} {body[:300]!r}") from error
