"""Documents: indexed, cited, changed, removed, refused, and never another tenant's."""

import hashlib
import json
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from pentad.api.identity.adapters.keys_dynamodb import DynamoKeys
from pentad.api.identity.keys import revoke_key
from pentad.aws.table import Table
from pentad.cli.client import describe_document
from tests.twin.stack.world import Stack, Tenant, until, word
from tests.ugly_names import UGLY_NAMES
from tests.unit.memory.documents.formats.office.make import make_pdf

pytestmark = pytest.mark.twin

ASKED_EACH = 9
"""Of the ugly names one in so many is asked for: an answer takes half a second."""
COLOURS = ("white", "black", "green")
QUESTION = "Which flag does the harbour master of Brackwater hoist in fog?"
PAGE = "# Harbour\n\n## Fog\n\nIn fog the harbour master of Brackwater hoists the {colour} flag.\n"


def chapter(number: int, colour: str) -> str:
    filler = " ".join(f"Rule {number}.{line} concerns berth {line} of quay {number}." for line in range(1, 30))
    return f"## Quay {number}\n\nThe bollards of quay {number} are painted {colour}. {filler}\n\n"


def test_document_is_indexed_and_cited(tenant: Tenant) -> None:
    entry = tenant.ingest("harbour/rules.md", PAGE.format(colour="yellow"))
    assert (entry["status"], entry["error"], entry["media_type"]) == ("indexed", None, "text/markdown")
    assert entry["chunks"] == entry["embedded"] > 0
    view = tenant.ask(QUESTION)
    assert "yellow" in view["answer"]
    assert {citation["document"] for citation in view["citations"]} == {"harbour/rules.md"}


def test_only_what_changed_is_embedded_again(tenant: Tenant) -> None:
    first = "# Harbour\n\n" + "".join(chapter(number, "white") for number in range(1, 7))
    before = tenant.ingest("quays.md", first)
    assert before["chunks"] >= 3
    after = tenant.ingest("quays.md", first.replace("quay 4 are painted white", "quay 4 are painted black"))
    assert after["chunks"] == before["chunks"]
    assert 0 < after["embedded"] <= 2
    assert "black" in tenant.ask("What colour are the bollards of quay 4 painted?")["answer"]
    assert tenant.post("/v1/documents/quays.md", {}).status_code == 202
    anew = until(lambda: found if (found := tenant.document("quays.md")) != after else None, "the reading anew")
    assert (anew["status"], anew["chunks"], anew["embedded"]) == ("indexed", after["chunks"], 0)


def test_removed_document_is_in_no_answer(tenant: Tenant) -> None:
    tenant.ingest("harbour.md", PAGE.format(colour="yellow"))
    assert "yellow" in tenant.ask(QUESTION)["answer"]
    assert tenant.send("DELETE", "/v1/documents/harbour.md").status_code == 202
    until(lambda: (found := tenant.document("harbour.md")) is None or found["status"] == "deleted", "the removal")
    view = tenant.ask(QUESTION)
    assert view["citations"] == []
    assert "yellow" not in view["answer"]


def test_document_that_cannot_be_read_has_failed_with_the_reason(tenant: Tenant) -> None:
    entry = tenant.ingest("plan.pdf", "%PDF-1.7 something", "application/pdf")
    assert entry["status"] == "failed"
    assert "PDF" in entry["error"]
    assert entry["chunks"] == 0


def test_a_pdf_is_read_by_the_function_that_has_the_parsers(tenant: Tenant) -> None:
    content = make_pdf([[(780, 20, "Harbour"), (740, 12, PAGE.rpartition("\n\n")[2].strip().format(colour="yellow"))]])
    assert tenant.put(tenant.ask_upload("fog.pdf", content, "application/pdf"), content).status_code == 200
    entry = until(lambda: tenant.document("fog.pdf"), "the entry")
    assert (entry["status"], entry["error"], entry["parser"], entry["notes"]) == ("indexed", None, "pdfium", [])
    assert "yellow" in tenant.ask(QUESTION)["answer"]


def test_another_tenant_never_sees_it(stack: Stack, tenant: Tenant) -> None:
    tenant.ingest("harbour.md", PAGE.format(colour="yellow"))
    stranger = stack.tenant()
    stranger.ingest("harbour.md", PAGE.format(colour="purple"))
    assert "yellow" in tenant.ask(QUESTION)["answer"]
    assert "purple" in stranger.ask(QUESTION)["answer"]
    assert stack.tenant().ask(QUESTION)["citations"] == []


def test_hostile_documents_fail_alone_and_hold_up_no_other_tenant(stack: Stack, tenant: Tenant) -> None:
    hostile = {
        "quotes.html": ("<a href='" * 8_000, "text/html"),
        "lines.md": ("\n" * 2_000_000, "text/markdown"),
        "deep.json": ("[" * 200_000, "application/json"),
    }
    for name, (text, media_type) in hostile.items():
        tenant.upload(name, text, media_type)
    assert stack.tenant().ingest("harbour.md", PAGE.format(colour="purple"))["status"] == "indexed"
    entries = {name: until(lambda name=name: tenant.document(name), f"the entry of {name}") for name in hostile}  # type: ignore[misc]
    assert all((one["error"] is None) == (one["status"] == "indexed") for one in entries.values())
    assert entries["deep.json"]["error"].startswith("the JSON can't be read")


def test_an_upload_is_taken_once_and_as_it_was_asked_for(tenant: Tenant) -> None:
    content = PAGE.format(colour="yellow").encode()
    ticket = tenant.ask_upload("harbour.md", content)
    assert tenant.put(ticket, content + b"more", **{"Content-Length": None}).status_code == 403
    assert tenant.put(ticket, content[::-1]).status_code == 400
    assert tenant.put(ticket, content, **{"If-None-Match": None}).status_code == 403
    assert tenant.put(ticket, content).status_code == 200
    assert tenant.put(ticket, content).status_code == 412
    # A new version has an address of its own, which works once too.
    second = PAGE.format(colour="purple").encode()
    ticket = tenant.ask_upload("harbour.md", second)
    assert [tenant.put(ticket, second).status_code for _ in range(2)] == [200, 412]


def test_addresses_for_many_are_each_good_for_one_upload_of_what_was_asked_for(tenant: Tenant) -> None:
    contents = {f"quays/{number}.md": PAGE.format(colour=colour).encode() for number, colour in enumerate(COLOURS)}
    asked = [describe_document(name, "text/markdown", content) for name, content in contents.items()]
    answer = tenant.post("/v1/bulk-uploads", {"documents": [*asked, asked[0] | {"name": "../x"}]})
    assert answer.status_code == 200
    *uploads, refused = answer.json()["documents"]
    assert (refused["upload"], refused["problem"]["field"]) == (None, "name")
    for (name, content), one in zip(contents.items(), uploads, strict=True):
        assert one["name"] == name
        assert tenant.put(one["upload"], content + b"more", **{"Content-Length": None}).status_code == 403
        assert tenant.put(one["upload"], content[::-1]).status_code == 400
        assert [tenant.put(one["upload"], content).status_code for _ in range(2)] == [200, 412]
    for name in contents:
        assert until(lambda name=name: tenant.document(name), f"the entry of {name}")["status"] == "indexed"  # type: ignore[misc]


def test_an_upload_made_with_a_key_that_was_revoked_is_not_indexed(stack: Stack, tenant: Tenant) -> None:
    content = PAGE.format(colour="yellow").encode()
    ticket = tenant.ask_upload("harbour.md", content)
    key_id = tenant.token.split(".")[2]
    table = Table(stack.aws("dynamodb"), stack.outputs["StateTable"])
    revoke_key(DynamoKeys(table), tenant.name, key_id, now=datetime.now(UTC))
    assert tenant.put(ticket, content).status_code == 200
    entries = Table(stack.aws("dynamodb"), stack.outputs["StateTable"])
    item = until(lambda: entries.get(f"T#{tenant.name}#DOCS", "harbour.md"), "the entry")
    entry = json.loads(item["body"])
    assert (entry["status"], "revoked" in entry["error"]) == ("failed", True)


def test_ugly_names_are_uploaded_cited_opened_read_and_removed(tenant: Tenant) -> None:
    contents = {
        name: f"# Quay\n\nQuay Q{n:02} has the code word {word('code')}.\n" for n, name in enumerate(UGLY_NAMES)
    }
    asked = [describe_document(name, "text/markdown", text.encode()) for name, text in contents.items()]
    uploads = tenant.post("/v1/bulk-uploads", {"documents": asked}).json()["documents"]
    for (name, text), one in zip(contents.items(), uploads, strict=True):
        assert (one["problem"], one["name"]) == (None, name)
        assert tenant.put(one["upload"], text.encode()).status_code == 200, name
    for name, text in contents.items():
        entry = until(lambda name=name: tenant.document(name), f"the entry of {name}")  # type: ignore[misc]
        assert (entry["name"], entry["status"]) == (name, "indexed")
        assert entry["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert {one["name"] for one in tenant.get("/v1/documents?limit=100")["items"]} == set(UGLY_NAMES)
    for n, name in list(enumerate(UGLY_NAMES))[::ASKED_EACH]:
        view = tenant.ask(f"What is the code word of quay Q{n:02}?")
        [cited] = [one for one in view["citations"] if one["document"] == name]
        place = tenant.get(cited["link"])
        assert (place["document"], place["text"] in contents[name]) == (name, True)
    for name in UGLY_NAMES:
        gone = tenant.send("DELETE", f"/v1/documents/{quote(name)}")
        assert (gone.status_code, gone.json()["name"]) == (202, name)
    until(lambda: _is_gone(tenant), "the removals")


def _is_gone(tenant: Tenant) -> bool:
    return all(one["status"] == "deleted" for one in tenant.get("/v1/documents?limit=100")["items"])


def test_names_that_are_equal_in_nfc_are_one_document(tenant: Tenant) -> None:
    forms = ("caf\u00e9/\u1e69.md", "cafe\u0301/s\u0307\u0323.md")
    tenant.ingest(forms[0], PAGE.format(colour="yellow"))
    assert tenant.ingest(forms[1], PAGE.format(colour="purple"))["name"] == forms[0]
    assert tenant.document(forms[0]) == tenant.document(forms[1])
    assert [one["name"] for one in tenant.get("/v1/documents")["items"]] == [forms[0]]
    view = tenant.ask(QUESTION)
    assert ("purple" in view["answer"], [one["document"] for one in view["citations"]]) == (True, [forms[0]])
    assert tenant.send("DELETE", f"/v1/documents/{quote(forms[1])}").json()["name"] == forms[0]
