"""Google Calendar as its documentation describes it, and a real CalDAV server: Radicale.

Google's "Events", "Handle API errors" and "Get specific versions of resources", as of November 2026.
"""

import copy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from zoneinfo import ZoneInfo

import httpx
from dateutil.rrule import rrulestr
from radicale import config
from radicale.app import Application

from tests.contract.tools.vendors.server import TOKEN, Asked, Reply, Vendor

LIMITS = {
    "429": Reply(429, {"error": {"code": 429, "errors": [{"reason": "rateLimitExceeded"}]}}, {"retry-after": "7"}),
    "403": Reply(403, {"error": {"code": 403, "errors": [{"reason": "userRateLimitExceeded"}], "message": "Limit"}}),
}


def refuse(status: int, reason: str, message: str = "No.") -> Reply:
    return Reply(status, {"error": {"code": status, "message": message, "errors": [{"reason": reason}]}})


class Google(Vendor):
    """One calendar. An occurrence of a series has an id of its own, and is an event of its own once it was changed."""

    def __init__(self) -> None:
        super().__init__()
        self.events: dict[str, dict[str, Any]] = {}
        self._etags = 0

    def touch(self, event_id: str, **fields: Any) -> None:
        """Change an event as a person would."""
        self._etags += 1
        self.events[event_id] = {**self.events[event_id], **fields, "etag": f'"{self._etags}"'}

    def respond(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return refuse(401, "authError", "Invalid Credentials")
        assert asked.parts[:5] == ("calendar", "v3", "calendars", "primary", "events")
        if len(asked.parts) == 5:
            return self._list(asked) if asked.method == "GET" else self._insert(asked.json)
        event_id = asked.parts[5]
        event = self.events.get(event_id) or self._find_instance(event_id)
        if event is None:
            return refuse(404, "notFound")
        if asked.method == "GET":
            return Reply(200, copy.deepcopy(event))
        if asked.method == "DELETE" and event["status"] == "cancelled":
            return refuse(410, "deleted")
        if asked.headers.get("if-match", event["etag"]) != event["etag"]:
            return refuse(412, "conditionNotMet")
        if asked.method == "DELETE":
            self.events[event_id] = event
            self.touch(event_id, status="cancelled")
            return Reply(204)
        content = asked.json
        assert content["start"].keys() & {"date", "dateTime"}
        self.events[event_id] = content
        self.touch(event_id, id=event_id, status=content.get("status", "confirmed"))
        return Reply(200, copy.deepcopy(self.events[event_id]))

    def _insert(self, content: dict[str, Any]) -> Reply:
        event_id = content["id"]
        assert set(event_id) <= set("0123456789abcdefghijklmnopqrstuv")
        if event_id in self.events:
            return refuse(409, "duplicate", "The requested identifier already exists.")
        self.events[event_id] = content
        self.touch(event_id, status="confirmed")
        return Reply(200, copy.deepcopy(self.events[event_id]))

    def _list(self, asked: Asked) -> Reply:
        first, last = (datetime.fromisoformat(asked.query[name]) for name in ("timeMin", "timeMax"))
        assert asked.query["singleEvents"] == "true"
        found = [
            one
            for one in self._list_single(last)
            if one["status"] != "cancelled"
            and _read(one["start"]) < last
            and _read(one["end"]) > first
            and asked.query.get("q", "").lower() in str(one.get("summary", "")).lower()
        ]
        found.sort(key=lambda one: _read(one["start"]))
        most = int(asked.query["maxResults"])
        following = {"nextPageToken": "next"} if len(found) > most else {}
        return Reply(200, {"items": copy.deepcopy(found[:most]), **following})

    def _list_single(self, last: datetime) -> Iterator[dict[str, Any]]:
        """Yield events, and of series their occurrences; one that was changed or cancelled as it is now."""
        for event in self.events.values():
            series = self.events.get(event.get("recurringEventId", ""), event)
            if "recurrence" in event and event["status"] != "cancelled":
                yield from (one for one in _expand(event, last) if one["id"] not in self.events)
            elif series["status"] != "cancelled":
                yield event

    def _find_instance(self, event_id: str) -> dict[str, Any] | None:
        series = self.events.get(event_id.partition("_")[0])
        if series is None or "recurrence" not in series or series["status"] == "cancelled":
            return None
        return next((one for one in _expand(series, datetime(2030, 1, 1, tzinfo=UTC)) if one["id"] == event_id), None)


def _expand(series: dict[str, Any], last: datetime) -> Iterator[dict[str, Any]]:
    """Yield the occurrences of a series, on the clock of its zone; each has the series' etag until it is changed."""
    start, length = _read(series["start"]), _read(series["end"]) - _read(series["start"])
    whole = "date" in series["start"]
    zone = UTC if whole else ZoneInfo(series["start"].get("timeZone", "UTC"))
    (rule,) = (one.removeprefix("RRULE:") for one in series["recurrence"])
    bare = {name: value for name, value in series.items() if name not in ("recurrence", "extendedProperties")}
    first = start.astimezone(zone)
    # Of times the last one has to be in UTC, as RFC 5545 says: dateutil raises for another.
    for at in rrulestr(rule, dtstart=first.replace(tzinfo=None) if whole else first):
        moment = at.replace(tzinfo=zone)
        if moment > last:
            return
        name = moment.astimezone(UTC).strftime("%Y%m%d" if whole else "%Y%m%dT%H%M%SZ")
        at_start = _write(moment, whole, series["start"])
        yield {
            **bare,
            "id": f"{series['id']}_{name}",
            "recurringEventId": series["id"],
            "originalStartTime": at_start,
            "start": at_start,
            "end": _write((moment.astimezone(UTC) + length).astimezone(zone), whole, series["end"]),
        }


def _write(moment: datetime, whole: bool, like: dict[str, str]) -> dict[str, str]:
    return {"date": moment.date().isoformat()} if whole else {**like, "dateTime": moment.isoformat()}


def _read(moment: dict[str, str]) -> datetime:
    found = datetime.fromisoformat(moment.get("dateTime") or moment["date"])
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        return


@contextmanager
def run_radicale(folder: Path, port: int = 0) -> Iterator[str]:
    """Serve CalDAV with a calendar of the user ada, and yield the calendar's address."""
    (folder / "users").write_text("ada:secret words\n", encoding="utf-8")
    settings = config.load()
    settings.update(
        {
            "auth": {"type": "htpasswd", "htpasswd_filename": str(folder / "users"), "htpasswd_encryption": "plain"},
            "storage": {"filesystem_folder": str(folder / "collections")},
            "logging": {"level": "critical"},
        },
        "a test",
        privileged=True,
    )
    server = make_server("127.0.0.1", port, Application(settings), server_class=_Server, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/ada/work"
        httpx.request("MKCALENDAR", f"{url}/", auth=("ada", "secret words"), trust_env=False).raise_for_status()
        yield url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
