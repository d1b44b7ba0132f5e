"""Operations of an API as tools, through the runner, at a server: credentials, errors, repeats."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pentad.domain.errors import ConfigurationError, TransientError
from pentad.tools.declare.declare import Tool
from pentad.tools.openapi.declare_operation import from_openapi
from pentad.tools.openapi.documents import read_document, read_operation
from tests.contract.tools.vendors.server import Asked, Fault, PlainHttp, Reply, Vendor, listen
from tests.contract.tools.vendors.worlds import Secrets
from tests.unit.tools.openapi.shop import SHOP
from tests.unit.tools.worlds import Crash, Crashing, World

DOCUMENT = read_document(SHOP)
SECRET, GOOD = "shop", "good"


class Shop(Vendor):
    """The API of the document, which knows a repeated order by its key."""

    def __init__(self) -> None:
        super().__init__()
        self.orders: dict[str, Any] = {}

    def respond(self, asked: Asked) -> Reply:
        if asked.method == "POST":
            if asked.headers.get("authorization") != "Bearer good":
                return Reply(401, {"message": "who are you?"})
            key = asked.headers["idempotency-key"]
            self.orders.setdefault(key, asked.json)
            return Reply(201, {"id": f"o{list(self.orders).index(key)}", **asked.json})
        if asked.method == "DELETE":
            return Reply(204) if asked.headers.get("x-api-key") == "good" else Reply(403, {"error": {"message": "no"}})
        if asked.method == "PATCH":
            return Reply(body=asked.body.decode().encode(), headers={"content-type": "text/plain"})
        if asked.parts[-1] == "orders":
            return Reply(body={"query": dict(asked.query), "trace": asked.headers.get("x-trace")})
        if asked.headers.get("authorization") != "Basic dTpw":  # u:p
            return Reply(401, {})
        return Reply(404, {"type": "about:blank", "title": "Not Found", "detail": f"no order {asked.parts[-1]}"})


def make(operation_id: str, url: str, secret: str | None = SECRET, **options: Any) -> Tool[..., Any]:
    operation = read_operation(DOCUMENT, operation_id, url=f"{url}/v1")
    written = operation.model_dump_json(by_alias=True, exclude_defaults=True)
    return from_openapi(written, secrets=[secret] if secret else [], **options)


@pytest.fixture
def shop() -> Iterator[Any]:
    vendor = Shop()
    with listen(vendor) as url:

        def call(tool: Tool[..., Any], secret: str = GOOD, **arguments: Any) -> World:
            world = World(tool, secrets=Secrets({"shop": secret}), outside=PlainHttp())
            world.add_call(arguments)
            return world

        yield vendor, url, call


def run(world: World) -> World:
    world.execute()
    return world


def test_an_operation_is_called_and_its_answer_counts_as_text_from_outside(shop: Any) -> None:
    vendor, url, call = shop
    done = run(call(make("listOrders", url), status=["open"], page_size=5, X_Trace="t-1"))
    assert done.result == {"query": {"status": "open", "page[size]": "5"}, "trace": "t-1"}
    assert done.call.untrusted and vendor.asked[0].headers["authorization"] == "Bearer good"
    form = run(call(make("changeOrder", url, None), order_id="7", body={"a": "b c"}))
    assert form.call.result == "a=b%20c"


def test_arguments_are_checked_before_anything_is_sent(shop: Any) -> None:
    vendor, url, call = shop
    for arguments in ({"page_size": 0}, {"status": ["lost"]}, {"other": 1}):
        assert run(call(make("listOrders", url), **arguments)).call.is_error
    assert not vendor.asked


def test_effects_follow_the_method_and_ask_a_human(shop: Any) -> None:
    _, url, _ = shop
    reading, making, deleting = make("listOrders", url), make("createOrder", url), make("deleteOrder", url)
    assert (reading.spec.effects, reading.spec.approval) == ("none", "never")
    assert (making.spec.effects, making.spec.approval, making.spec.idempotent) == ("external", "always", True)
    assert (deleting.spec.idempotent, make("changeOrder", url, None).spec.idempotent) == (True, False)
    assert make("createOrder", url, effects="none").spec.approval == "never"
    assert list(reading.egress) == [url] and list(reading.secrets) == ["shop"]


def test_a_call_that_was_cut_off_makes_one_order(shop: Any) -> None:
    vendor, url, call = shop
    world = call(make("createOrder", url), body={"customer": "Ann", "lines": [{"item": "tea"}]})
    world.effects = Crashing(world.effects, "finish", before=True)
    with pytest.raises(Crash):
        world.execute()
    world.execute()
    assert world.result["id"] == "o0" and len(vendor.orders) == 1 and len(vendor.asked) == 2


def test_each_kind_of_credential_is_sent_and_a_refused_one_is_told(shop: Any) -> None:
    vendor, url, call = shop
    gone = run(call(make("getOrder", url), secret='{"username": "u", "password": "p"}', order_id="../7"))
    assert gone.call.is_error and (gone.call.result or "").startswith("NotFound")
    assert "no order ../7" in (gone.call.result or "") and vendor.asked[-1].parts == ("v1", "orders", "../7")
    assert run(call(make("deleteOrder", url), order_id="7")).result == {"status": 204}
    refused = run(call(make("deleteOrder", url), secret="wrong-word", order_id="7")).call.result or ""
    assert "403" in refused and ": no" in refused and "wrong-word" not in refused
    lines = [{"item": "tea"}]
    unknown = run(call(make("createOrder", url), secret="wrong-word", body={"customer": "A", "lines": lines}))
    assert (unknown.call.result or "").startswith("ConfigurationError")
    bare = run(call(make("getOrder", url), secret="no-object", order_id="7"))
    assert "'username' and 'password'" in (bare.call.result or "")


@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_for_the_rate_and_an_outage_are_tried_again(shop: Any, status: int) -> None:
    vendor, url, call = shop
    vendor.faults.append(Fault(done=False, reply=Reply(status, {}, {"retry-after": "3"}), method="GET"))
    with pytest.raises(TransientError) as caught:
        run(call(make("listOrders", url)))
    assert caught.value.retry_after == 3


def test_answers_that_are_no_json_are_shown_as_what_they_are(shop: Any) -> None:
    vendor, url, call = shop
    for body, kind, expected in (
        (b"<a/>", "application/xml", "<a/>"),
        (b"\x89PNG", "image/png", {"status": 200, "note": "4 bytes of image/png, which are not shown"}),
        (b"", "application/json", {"status": 200}),
    ):
        reply = Reply(200, body, {"content-type": kind})
        vendor.faults.append(Fault(done=False, reply=reply, method="GET"))
        shown = run(call(make("listOrders", url))).call.result or ""
        assert (shown if isinstance(expected, str) else json.loads(shown)) == expected
    broken = Reply(200, b"{", {"content-type": "application/json"})
    vendor.faults.append(Fault(done=False, reply=broken, method="GET"))
    assert run(call(make("listOrders", url))).call.is_error


@pytest.mark.parametrize(
    ("operation", "options", "told"),
    [
        ("{}", {}, "not valid"),
        ("listOrders", {"secrets": []}, "no secret is named"),
        ("changeOrder", {"secrets": ["shop"]}, "wants no credential"),
        ("listOrders", {"effects": "much"}, "effects"),
    ],
)
def test_a_declaration_that_can_not_be_is_refused(operation: str, options: dict[str, Any], told: str) -> None:
    given = operation if operation == "{}" else read_operation(DOCUMENT, operation).model_dump(mode="json")
    with pytest.raises(ConfigurationError, match=told):
        from_openapi(given, **{"secrets": ["shop"], **options})
