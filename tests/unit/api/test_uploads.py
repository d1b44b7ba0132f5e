"""Addresses for many documents in one request: each as if it were asked for alone, and none at another's cost."""

from typing import Any

import pytest

from pentad.api.ports import UploadTerms
from pentad.api.rates.rates import RateLimits
from pentad.api.uploads import UPLOADS_AT_ONCE
from pentad.domain.errors import StoreUnavailable
from tests.unit.api.client import Client
from tests.unit.orchestration.world import TENANT

Json = dict[str, Any]
PATH = "/v1/bulk-uploads"


def document(name: str = "docs/plan.md", **fields: Any) -> Json:
    return {"name": name, "media_type": "text/markdown", "bytes": 4, "sha256": "0" * 64} | fields


def ask(client: Client, *documents: Any) -> list[Json]:
    reply = client("POST", PATH, {"documents": documents})
    assert reply.status == 200, reply.text
    found: list[Json] = reply.json["documents"]
    return found


def test_each_is_answered_as_alone_and_in_order() -> None:
    client = Client()
    names = [f"docs/{number:02}.md" for number in range(UPLOADS_AT_ONCE)]
    many = ask(client, *map(document, names))
    assert [one["name"] for one in many] == names
    alone = client("POST", "/v1/documents", document(names[7])).json
    assert many[7] == alone | {"problem": None}
    assert ask(client, *map(document, names)) == many  # asked again it is the same


def test_what_is_bad_takes_no_other_along() -> None:
    bad = [
        document("../x"),
        document(sha256="no"),
        document(bytes=26_214_401),
        {},
        document(colour="red"),
    ]
    first, *refused, last = ask(Client(), document("a.md"), *bad, document("b.md"))
    assert (first["name"], last["name"]) == ("a.md", "b.md")
    problems = [one["problem"] for one in refused]
    fields = ["name", "sha256", "bytes", "name", "colour"]
    assert [(problem["status"], problem["field"]) for problem in problems] == [(400, field) for field in fields]
    assert {one["upload"] for one in refused} == {None}
    assert {problem["instance"] for problem in problems} == {"request-1"}


def test_a_bucket_that_does_not_answer_for_one_answers_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    sign = client.services.bucket.sign_upload

    def sign_or_fail(terms: UploadTerms) -> tuple[str, dict[str, str]]:
        if terms.key == f"{TENANT}/b.md":
            raise StoreUnavailable("the documents bucket did not answer")
        return sign(terms)

    monkeypatch.setattr(client.services.bucket, "sign_upload", sign_or_fail)
    found = ask(client, *map(document, ("a.md", "b.md", "c.md")))
    assert [one["problem"] and one["problem"]["status"] for one in found] == [None, 503, None]


@pytest.mark.parametrize("documents", [[], [document()] * (UPLOADS_AT_ONCE + 1), None, ["a.md"], {}])
def test_what_is_no_list_of_documents_is_refused_whole(documents: Any) -> None:
    reply = Client()("POST", PATH, {"documents": documents})
    assert (reply.status, reply.json["field"].partition(".")[0]) == (400, "documents")


def test_it_needs_the_scope_of_one_upload() -> None:
    refused = Client()("POST", PATH, {"documents": [document()]}, scopes="documents:read runs:write")
    assert (refused.status, refused.json["code"]) == (403, "PolicyDenied")


def test_ten_thousand_documents_are_asked_for_within_a_minutes_rate() -> None:
    limits = RateLimits()
    client = Client(limits=limits)
    documents = [document()] * UPLOADS_AT_ONCE
    for _ in range(10_000 // UPLOADS_AT_ONCE):
        assert len(ask(client, *documents)) == UPLOADS_AT_ONCE
    for _ in range(limits.starts.key - 10_000 // UPLOADS_AT_ONCE):
        ask(client, document())
    assert client("POST", PATH, {"documents": [document()]}).status == 429  # each request counts as one
