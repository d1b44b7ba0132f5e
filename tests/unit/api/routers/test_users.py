"""A user is erased by those who may, once at a time, on the record and never with a run under way."""

from typing import Any

import pytest

from pentad.api.acts.subjects import USERS
from pentad.api.routers.users import build_erasure_view
from pentad.domain.ids import hash_user
from pentad.orchestration.erasure.ports import ERASURE_REQUESTED
from pentad.orchestration.erasure.stays import KeptDays, list_stays
from tests.unit.api.client import Client
from tests.unit.orchestration.world import TENANT

USER = "sam+x@example.com"
PATH = "/v1/users/sam%2Bx%40example.com"


@pytest.fixture
def client() -> Client:
    return Client()


def list_asked(client: Client) -> list[dict[str, Any]]:
    return [detail for kind, detail in client.world.events.published if kind == ERASURE_REQUESTED]


def end(client: Client, erasure_id: str, **changes: Any) -> None:
    found = client.services.erasures.get(TENANT, hash_user(USER), erasure_id)
    assert found is not None
    assert client.services.erasures.save(found.model_copy(update={"status": "done", **changes})) is not None


def test_an_erasure_is_asked_for_and_its_receipt_is_read(client: Client) -> None:
    asked = client("DELETE", PATH)
    assert asked.status == 202
    erasure_id = asked.json["erasure"]
    assert (asked.json["status"], asked.json["user_hash"]) == ("asked", hash_user(USER))
    assert list_asked(client) == [{"tenant": TENANT, "user": USER, "erasure": erasure_id}]
    end(client, erasure_id, removed={"runs": 2})
    read = client("GET", f"{PATH}/erasures/{erasure_id}")
    assert (read.status, read.json["status"], read.json["removed"]) == (200, "done", {"runs": 2})
    found = client.services.erasures.get(TENANT, hash_user(USER), erasure_id)
    assert found is not None
    kept = KeptDays(14, 90, 7)
    assert build_erasure_view(found, kept).model_dump(mode="json") == read.json
    assert "example" not in read.text
    assert [(one["what"], one["until"]) for one in read.json["stays"]] == list(list_stays(kept, found.updated_at))


def test_asked_again_it_is_the_same_until_its_end(client: Client) -> None:
    first = client("DELETE", PATH).json["erasure"]
    assert client("DELETE", PATH, request_id="r2").json["erasure"] == first
    assert len(list_asked(client)) == 2  # The first message may be lost.
    end(client, first)
    client.world.clock.advance(1)
    assert client("DELETE", PATH, request_id="r3").json["erasure"] != first


def test_a_run_under_way_is_named_and_one_of_others_is_no_matter(client: Client) -> None:
    client.world.begin(user_id="bob")
    assert client("DELETE", PATH).status == 202
    other = Client()
    run = other.world.begin(user_id=USER)
    refused = other("DELETE", PATH)
    assert refused.status == 409
    assert run.run_id in refused.json["detail"]
    assert list_asked(other) == []
    assert other("DELETE", PATH, tenant_id="other", request_id="r2").status == 202


def test_a_second_look_is_asked_for(client: Client) -> None:
    erasure_id = client("DELETE", PATH).json["erasure"]
    end(client, erasure_id)
    again = client("POST", f"{PATH}/erasures/{erasure_id}", request_id="r2")
    assert (again.status, again.json["status"], again.json["stage"]) == (202, "asked", "check")
    assert len(list_asked(client)) == 2


def test_receipts_are_of_one_user_of_one_tenant(client: Client) -> None:
    erasure_id = client("DELETE", PATH).json["erasure"]
    path = f"{PATH}/erasures/{erasure_id}"
    assert client("GET", path, tenant_id="other").status == 404
    assert client("GET", f"/v1/users/bob/erasures/{erasure_id}").status == 404
    assert client("POST", f"/v1/users/bob/erasures/{erasure_id}").status == 404
    assert client("GET", f"{PATH}/erasures/era_{'0' * 26}").status == 404


def test_it_needs_its_scope_and_the_user(client: Client) -> None:
    assert client("DELETE", PATH, scopes="runs:write memory:write documents:write").status == 403
    assert client("DELETE", PATH, scopes="users:erase", user_id="bob").status == 404
    assert client("DELETE", PATH, scopes="users:erase", user_id=USER).status == 202
    for user in ("a%20b", "%23", "..", "a%2Fb", "%00"):
        assert client("DELETE", f"/v1/users/{user}").status == 404
    assert len(list_asked(client)) == 1


def test_it_is_in_the_audit_without_the_users_name(client: Client) -> None:
    client("DELETE", PATH)
    acts = client.services.acts.list_for(TENANT, USERS)
    assert [(act.name, act.target, act.stage, act.status) for act in acts] == [
        ("erase_user", hash_user(USER), "asked", None),
        ("erase_user", hash_user(USER), "ended", 202),
    ]
    assert not any("example" in act.model_dump_json() for act in acts)
