"""Web search at servers that answer as Brave and Tavily document it, and pages of a server with all its faults."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from functions.library.data.read_page import read_page
from functions.library.data.search_web import search_web
from pentad.domain.errors import TransientError
from pentad.tools.egress.adapters.resolver_system import SystemResolver
from pentad.tools.egress.adapters.wire_httpcore import HttpcoreWire
from pentad.tools.egress.allowlist import Allowlist
from pentad.tools.egress.client import EgressClient
from tests.contract.tools.vendors.server import Asked, Fault, PlainHttp, Reply, Vendor, listen
from tests.contract.tools.vendors.worlds import make_world
from tests.unit.tools.worlds import World

KEY = "key-of-a-test"
PAGES = [
    {"url": f"https://example.com/{one}", "title": f"Page <strong>{one}</strong>", "words": "Tea &amp; <b>milk</b>"}
    for one in range(30)
] + [{"url": "javascript:alert(1)", "title": "x", "words": "x"}, {"title": "no address", "words": "x"}]


class Brave(Vendor):
    """``GET /res/v1/web/search`` of Brave."""

    def respond(self, asked: Asked) -> Reply:
        if asked.headers.get("x-subscription-token") != KEY:
            return self.fail(422, "SUBSCRIPTION_TOKEN_INVALID", "The provided subscription token is invalid.")
        query = asked.query
        if asked.parts != ("res", "v1", "web", "search") or asked.method != "GET":
            return Reply(404, {})
        too_long = len(query["q"]) > 400 or len(query["q"].split()) > 50
        if too_long or int(query["count"]) > 20 or int(query["offset"]) > 9:
            return self.fail(422, "VALIDATION", "Unable to validate request parameter(s)")
        start = int(query["count"]) * int(query["offset"])
        rows = [{"url": one.get("url"), "title": one["title"], "description": one["words"], "page_age": "2026-01-31"}
                for one in PAGES[start : start + int(query["count"])]]  # fmt: skip
        return Reply(body={"type": "search", "web": {"type": "search", "results": rows}})

    @staticmethod
    def fail(status: int, code: str, detail: str, headers: Mapping[str, str] | None = None) -> Reply:
        error = {"id": "1", "status": status, "code": code, "detail": detail, "meta": {}}
        return Reply(status, {"type": "ErrorResponse", "error": error}, headers or {})


class Tavily(Vendor):
    """``POST /search`` of Tavily."""

    def respond(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return self.fail(401, "Unauthorized: missing or invalid API key.")
        body = asked.json
        if asked.parts != ("search",) or asked.method != "POST":
            return Reply(404, {})
        if len(body["query"]) > 400 or body["max_results"] > 20:
            return self.fail(400, "Query is too long. Max query length is 400 characters.")
        rows = [{"url": one.get("url"), "title": one["title"], "content": one["words"], "score": 0.9} for one in PAGES]
        return Reply(body={"query": body["query"], "results": rows[: body["max_results"]], "response_time": 0.1})

    @staticmethod
    def fail(status: int, error: str, headers: Mapping[str, str] | None = None) -> Reply:
        return Reply(status, {"detail": {"error": error}}, headers or {})


@pytest.fixture
def http() -> PlainHttp:
    return PlainHttp()


class Engine:
    """A provider and calls of the tool at it."""

    def __init__(self, provider: str, vendor: Any, url: str, http: PlainHttp) -> None:
        self.provider, self.vendor, self._http = provider, vendor, http
        self.settings: dict[str, Any] = {"provider": provider, "url": url, "results": 5}
        self.key = KEY

    def call(self, **arguments: Any) -> World:
        world = make_world(
            search_web, arguments, settings=self.settings, secrets={"web-search": self.key}, http=self._http
        )
        world.execute()
        return world

    def fail(self, status: int, code: str, headers: Mapping[str, str] | None = None) -> None:
        made = self.vendor.fail(status, code, "words", headers) if self.provider == "brave" else self.vendor.fail(
            status, code, headers)  # fmt: skip
        method = "GET" if self.provider == "brave" else "POST"
        self.vendor.faults.append(Fault(done=False, reply=made, method=method))


@pytest.fixture(params=["brave", "tavily"])
def engine(request: pytest.FixtureRequest, http: PlainHttp) -> Iterator[Engine]:
    vendor = Brave() if request.param == "brave" else Tavily()
    with listen(vendor) as url:
        yield Engine(request.param, vendor, url, http)


def test_pages_are_found_without_markup_and_count_as_text_from_outside(engine: Engine) -> None:
    found = engine.call(query="tea")
    assert found.call.untrusted and len(found.result["results"]) == 5
    first = found.result["results"][0]
    assert (first["url"], first["title"], first["text"]) == ("https://example.com/0", "Page 0", "Tea & milk")
    engine.settings["results"] = 20
    assert len(engine.call(query="tea", freshness="week").result["results"]) == 20


def test_only_pages_of_the_named_hosts_are_shown(engine: Engine) -> None:
    engine.settings["domains"] = ["example.org"]
    assert engine.call(query="tea").result == {
        "results": [], "note": "nothing was found: use other or fewer words",
    }  # fmt: skip
    engine.settings["domains"] = ["example.com", "example.org"]
    assert engine.call(query="word " * 60).result["results"]


def test_a_key_that_is_refused_is_no_fault_of_the_question_and_is_not_shown(engine: Engine) -> None:
    engine.key = "wrong-key-of-a-test"
    call = engine.call(query="tea").call
    assert call.is_error and (call.result or "").startswith("ConfigurationError") and "wrong" not in (call.result or "")


def test_a_limit_of_the_rate_is_waited_for(engine: Engine) -> None:
    engine.fail(429, "RATE_LIMITED", {"retry-after": "7"})
    with pytest.raises(TransientError) as caught:
        engine.call(query="tea")
    assert caught.value.retry_after == 7


def test_a_quota_that_is_used_up_is_told_and_not_tried_again(engine: Engine) -> None:
    engine.fail(429 if engine.provider == "brave" else 432, "QUOTA_LIMITED")
    call = engine.call(query="tea").call
    assert call.is_error and "limit" in (call.result or "")


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_provider_that_is_down_is_tried_again(engine: Engine, status: int) -> None:
    engine.fail(status, "INTERNAL")
    with pytest.raises(TransientError):
        engine.call(query="tea")


def test_an_answer_that_is_something_else_is_no_result(engine: Engine) -> None:
    method = "GET" if engine.provider == "brave" else "POST"
    bodies: tuple[Any, ...] = (
        [],
        {"results": 5, "web": "x"},
        {"results": [5, None], "web": {"results": [5, {}]}},
        b"<html>",
    )
    for body in bodies:
        engine.vendor.faults.append(Fault(done=False, reply=Reply(body=body), method=method))
        assert engine.call(query="tea").result["results"] == []


MAIN = "<html><head><title>T</title></head><nav>Menu</nav><main><h1>Hé</h1><p>Words &amp; more</main></html>"


PAGES_BY_NAME: dict[str, tuple[bytes, str]] = {
    "main": (MAIN.encode(), "text/html; charset=utf-8"),
    "latin": (MAIN.encode("latin-1"), "text/html; charset=iso-8859-1"),
    "long": (b"word " * 20_000, "text/plain"),
    "huge": (b"x" * 3_000_000, "text/plain"),
    "script": (b"<script>document.write('x')</script>", "text/html"),
    "picture": (b"\x89PNG\x00", "image/png"),
    "disguised": (b"%PDF-1.7 x", "text/html"),
    "feed": (b"<rss><item>News</item></rss>", "application/xml"),
    "broken": (b"<div <p <a href='x" * 1_000, "text/html"),
}
MOVED = {"moved": "/main", "inside": "http://169.254.169.254/latest/meta-data/"}


class Site(Vendor):
    """Pages by their path."""

    def respond(self, asked: Asked) -> Reply:
        name = asked.parts[0]
        if name in MOVED:
            return Reply(302, b"", {"location": MOVED[name]})
        if name in PAGES_BY_NAME:
            body, kind = PAGES_BY_NAME[name]
            return Reply(body=body, headers={"content-type": kind})
        return Reply(int(name) if name.isdigit() else 404, b"<h1>sorry</h1>", {"content-type": "text/html"})


@pytest.fixture
def site(http: PlainHttp) -> Iterator[Any]:
    with listen(Site()) as url:

        def read(path: str, **arguments: Any) -> World:
            address = path if "://" in path else f"{url}/{path}"
            world = World(read_page, outside=http)
            world.add_call({"url": address, **arguments})
            world.execute()
            return world

        yield read


def test_the_main_text_of_a_page_is_read(site: Any) -> None:
    for path in ("main", "latin", "moved"):
        answer = site(path)
        assert answer.result["text"] == "Hé\n\nWords & more" and answer.result["title"] == "Hé"
        assert answer.call.untrusted
    assert site("moved").result["url"].endswith("/main")


def test_a_long_page_comes_in_parts(site: Any) -> None:
    first = site("long").result
    assert (len(first["text"]), first["next_start"]) == (40_000, 40_000)
    last = site("long", start=80_000).result
    assert last["next_start"] is None and last["characters"] == len(first["text"]) * 2 + len(last["text"])
    assert site("long", start=200_000).call.is_error


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("404", "NotFound"),
        ("410", "NotFound"),
        ("403", "the page is not public"),
        ("451", "the page is not public"),
        ("418", "nothing to read"),
        ("picture", "'image/png'"),
        ("huge", "ToolFailed"),
        ("disguised", "is a document"),
        ("inside", "PolicyDenied"),
        ("ftp://example.com/x", "is not a page's address"),
        ("https://user:secret@example.com/", "is not a page's address"),
        ("file:///etc/passwd", "is not a page's address"),
        ("https://exa mple.com/", "is not a page's address"),
    ],
)
def test_what_can_not_be_read_is_told(site: Any, path: str, told: str) -> None:
    call = site(path).call
    assert call.is_error and told in (call.result or "")
    assert "secret" not in (call.result or "")


@pytest.mark.parametrize("path", ["429", "500", "503"])
def test_a_server_that_may_answer_later_is_tried_again(site: Any, path: str) -> None:
    with pytest.raises(TransientError):
        site(path)


def test_a_page_without_text_says_so(site: Any) -> None:
    answer = site("script").result
    assert answer["text"] == "" and "scripts" in answer["notes"][-1]
    assert not site("broken").call.is_error
    assert "News" in site("feed").result["text"]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/", "http://169.254.169.254/", "http://[::1]/", "http://localhost:9/"]
)
def test_addresses_that_are_not_public_are_not_reached(url: str) -> None:
    client = EgressClient(Allowlist(["public"]), resolver=SystemResolver(), wire=HttpcoreWire())
    world = World(read_page, outside=client)
    world.add_call({"url": url})
    world.execute()
    assert world.call.is_error and json.dumps(world.call.result).startswith('"PolicyDenied')
