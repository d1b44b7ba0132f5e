"""Bulk ingestions: started once, told to who started them, and never over another user's documents."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pentad.api.ports import BulkIngest
from pentad.api.routers.knowledge.bulk import BULK_ID, BulkRequest
from tests.unit.api.client import Client
from tests.unit.orchestration.world import TENANT

BULK = "b" * 32
PATH = "/v1/bulk-ingests"
AT = datetime(2026, 11, 30, tzinfo=UTC)
FOUND = BulkIngest(
    status="running", documents=10, done=4, failed=1, running=2, error=None, started_at=AT, ended_at=None
)


@pytest.fixture
def client() -> Client:
    return Client()


def test_a_folder_is_indexed_and_followed(client: Client) -> None:
    asked = client("POST", PATH, {"bulk": BULK, "folder": "docs/plans/"})
    assert (asked.status, asked.json) == (202, {"bulk": BULK})
    [(name, started)] = client.services.bulk.started.items()
    assert started == (TENANT, "docs/plans/")
    assert len(name) <= 80  # of an execution
    client.services.bulk.found[name] = FOUND
    told = client("GET", f"{PATH}/{BULK}")
    assert (told.status, told.json["documents"], told.json["done"], told.json["failed"]) == (200, 10, 4, 1)


def test_asked_again_it_is_the_same_ingestion(client: Client) -> None:
    for _ in range(2):
        assert client("POST", PATH, {"bulk": BULK}).status == 202
    assert list(client.services.bulk.started.values()) == [(TENANT, "")]


def test_another_tenants_ingestion_is_not_there(client: Client) -> None:
    client("POST", PATH, {"bulk": BULK})
    assert client("GET", f"{PATH}/{BULK}", tenant_id="other").status == 404
    assert client("POST", PATH, {"bulk": BULK}, tenant_id="other").status == 202
    assert sorted(tenant for tenant, _ in client.services.bulk.started.values()) == sorted([TENANT, "other"])


@pytest.mark.parametrize("bulk", ["short", "x" * 41, "a/../../bbbbbbbb", "b" * 8 + "\n"])
def test_an_id_that_is_none_is_refused(client: Client, bulk: str) -> None:
    assert client("POST", PATH, {"bulk": bulk}).status in (400, 422)
    assert BULK_ID.startswith("^")


def test_a_users_credential_indexes_its_own_documents_only(client: Client) -> None:
    ann = {"tenant": TENANT, "key_id": "k-ann", "user": "ann", "scopes": "documents:write documents:read", "groups": ""}
    for folder in ("", "docs", "users", "users/anna", "users/bob"):
        refused = client("POST", PATH, {"bulk": BULK, "folder": folder}, caller=ann)
        assert (refused.status, refused.json["code"]) == (403, "PolicyDenied"), folder
    assert client("POST", PATH, {"bulk": BULK, "folder": "users/ann"}, caller=ann).status == 202
    [(name, started)] = client.services.bulk.started.items()
    assert started == (TENANT, "users/ann/")
    client.services.bulk.found[name] = FOUND
    bob = ann | {"user": "bob"}
    assert client("GET", f"{PATH}/{BULK}", caller=ann).status == 200
    assert client("GET", f"{PATH}/{BULK}", caller=bob).status == 404


@pytest.mark.parametrize("folder", ["../other", "/docs//x", "a/../b", "docs\n", "x\u202e", "a\u0081b", " ", "a\\b"])
def test_what_is_no_folder_is_refused_and_named(client: Client, folder: str) -> None:
    refused = client("POST", PATH, {"bulk": BULK, "folder": folder})
    assert (refused.status, refused.json["field"]) == (400, "folder")
    assert client.services.bulk.started == {}


@pytest.mark.parametrize("folder", ["", "/", "docs", "/docs/", "Pläne/2026 (neu)"])
def test_the_document_lets_a_folder_be_written_as_it_is_taken(client: Client, folder: str) -> None:
    schema = BulkRequest.model_json_schema()["properties"]["folder"]
    assert re.search(schema["pattern"], folder)
    assert client("POST", PATH, {"bulk": BULK, "folder": folder}).status == 202


DONE = replace(FOUND, status="done", ended_at=AT)


def test_one_ingestion_of_a_folder_is_open_and_the_next_one_begins_when_it_has_ended(client: Client) -> None:
    assert client("POST", PATH, {"bulk": "first-one", "folder": "docs"}).status == 202
    [name] = client.services.bulk.started
    client.services.bulk.found[name] = FOUND
    refused = client("POST", PATH, {"bulk": "second-one", "folder": "/docs/"})
    assert (refused.status, refused.json["code"]) == (429, "ModelThrottled")
    assert int(refused.headers["retry-after"]) >= 1
    assert "'first-one'" in refused.json["detail"]
    assert client("POST", PATH, {"bulk": "first-one", "folder": "docs"}).status == 202
    assert len(client.services.bulk.started) == 1
    assert client("POST", PATH, {"bulk": "another-1", "folder": "plans"}).status == 202
    client.services.bulk.found[name] = DONE
    assert client("POST", PATH, {"bulk": "second-one", "folder": "docs"}).status == 202


@pytest.mark.parametrize(("seconds", "status"), [(5, 429), (3_600, 202)])
def test_one_that_never_began_holds_its_folder_for_a_minute(client: Client, seconds: int, status: int) -> None:
    client("POST", PATH, {"bulk": "first-one"})
    client.services.bulk.started.clear()
    client.services.claims.seconds = seconds
    assert client("POST", PATH, {"bulk": "second-one"}).status == status


def test_of_many_starts_in_a_minute_the_rest_is_refused(client: Client) -> None:
    asked = [client("POST", PATH, {"bulk": f"bulk-{number:04}", "folder": f"f{number}"}) for number in range(10)]
    assert [one.status for one in asked] == [202] * 6 + [429] * 4
