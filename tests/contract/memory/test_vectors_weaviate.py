"""What is Weaviate's alone, and that adapter and server of the tests say what Weaviate's own client says."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import graphql
import pytest

from pentad.domain.errors import ConfigurationError, StoreUnavailable
from pentad.memory.retrieval.adapters.vectors_weaviate import WeaviateVectors
from pentad.memory.retrieval.ports import SearchRequest, Vector
from tests.contract.memory.weaviate_recording import DOCUMENT, RECORDING
from tests.contract.memory.weaviate_server import KEY, Engine, Refused, serve_weaviate

ONE = Vector(vector_id="x", values=(1, 0, 0), text="an account", metadata={"document": "a"})
SENT = json.loads(RECORDING.read_text(encoding="utf-8"))
Requests = list[tuple[str, str, Any]]


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def store(engine: Engine) -> Iterator[WeaviateVectors]:
    with serve_weaviate(engine) as url:
        made = WeaviateVectors(lambda: {"url": url, "api_key": KEY})
        yield made
        made.close()


def list_all(store: WeaviateVectors, tenant_id: str = "acme", limit: int = 100) -> list[str]:
    page = store.list_ids(tenant_id, limit=limit)
    names = list(page.items)
    while page.cursor is not None:
        page = store.list_ids(tenant_id, cursor=page.cursor, limit=limit)
        names += page.items
    return names


def test_functions_that_start_at_once_make_collection_and_tenant_once(engine: Engine) -> None:
    with serve_weaviate(engine) as url:

        def write(number: int) -> None:
            own = WeaviateVectors(lambda: {"url": url, "api_key": KEY})
            own.upsert("acme", [ONE.model_copy(update={"vector_id": f"v{number}"})])
            own.close()

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(write, range(6)))
        store = WeaviateVectors(lambda: {"url": url, "api_key": KEY})
        assert sorted(list_all(store)) == [f"v{number}" for number in range(6)]
        store.close()
    assert {name: set(tenants) for name, tenants in engine.tenants.items()} == {"Pentad": {"t-acme"}}


def test_the_key_is_read_again_after_it_was_refused() -> None:
    with serve_weaviate() as url:
        keys = iter(["old", KEY])
        store = WeaviateVectors(lambda: {"url": url, "api_key": next(keys)})
        with pytest.raises(ConfigurationError, match="credential"):
            store.upsert("acme", [ONE])
        store.upsert("acme", [ONE])
        assert store.list_ids("acme").items == ("x",)
        store.close()


@pytest.mark.parametrize(
    ("secret", "error"),
    [
        ({}, ConfigurationError),
        ({"url": "http://127.0.0.1:1", "collection": "pentad"}, ConfigurationError),
        ({"url": "http://127.0.0.1:1", "collection": 'Pentad(tenant: "t-other")'}, ConfigurationError),
        ({"url": "http://127.0.0.1:1"}, StoreUnavailable),
    ],
)
def test_a_server_that_can_not_be_used_is_told_apart(secret: dict[str, str], error: type[Exception]) -> None:
    store = WeaviateVectors(lambda: secret)
    with pytest.raises(error):
        store.list_ids("acme")
    store.close()


@pytest.mark.parametrize("more", [{}, {"multiTenancyConfig": {"enabled": True}}])
def test_a_collection_of_someone_else_is_left_alone(store: WeaviateVectors, engine: Engine, more: Any) -> None:
    engine.answer("POST", "/v1/schema", {"class": "Pentad", "vectorizer": "none", "properties": [], **more})
    with pytest.raises(ConfigurationError, match="not made by Pentad"):
        store.upsert("acme", [ONE])
    with pytest.raises(ConfigurationError, match="not made by Pentad"):
        store.delete_tenant("acme")


@pytest.mark.parametrize("reply", [None, {}, [], {"results": {}}, {"data": None}, {"data": {"Get": {}}}])
def test_an_answer_without_what_was_asked_for_is_no_success(
    store: WeaviateVectors, engine: Engine, monkeypatch: pytest.MonkeyPatch, reply: Any
) -> None:
    calls: list[Callable[[], object]] = [
        lambda: store.upsert("acme", [ONE]),
        lambda: store.fetch("acme", ["x"]),
        lambda: store.delete("acme", ["x"]),
    ]
    for call in calls:
        store.upsert("acme", [ONE])
        with monkeypatch.context() as patch, pytest.raises(StoreUnavailable):
            patch.setattr(engine, "answer", lambda *asked: reply)
            call()


@pytest.mark.parametrize(
    ("status", "said", "error"),
    [
        (503, "", StoreUnavailable),
        (429, "too many requests", StoreUnavailable),
        (500, "shard is read-only", StoreUnavailable),
        (403, "forbidden", ConfigurationError),
        (422, "invalid where filter", ConfigurationError),
    ],
)
def test_refusals_are_told_apart_without_the_servers_words(
    store: WeaviateVectors, engine: Engine, monkeypatch: pytest.MonkeyPatch, status: int, said: str, error: Any
) -> None:
    def refuse(*asked: Any) -> Any:
        raise Refused(status, said)

    store.upsert("acme", [ONE])
    monkeypatch.setattr(engine, "answer", refuse)
    calls: list[Callable[[], object]] = [
        lambda: store.upsert("acme", [ONE]),
        lambda: store.delete_tenant("acme"),
    ]
    for call in calls:
        with pytest.raises(error) as caught:
            call()
        assert not said or said not in str(caught.value)


def test_a_deletion_goes_on_until_the_servers_limit_leaves_none() -> None:
    with serve_weaviate(Engine(limit=3)) as url:
        store = WeaviateVectors(lambda: {"url": url, "api_key": KEY})
        many = [ONE.model_copy(update={"vector_id": f"v{number}"}) for number in range(10)]
        store.upsert("acme", [*many, ONE.model_copy(update={"vector_id": "kept", "metadata": {"document": "b"}})])
        store.delete_where("acme", {"document": "a"})
        assert list_all(store, limit=3) == ["kept"]
        store.close()


def test_more_than_the_server_finds_is_an_error_and_not_a_short_answer() -> None:
    with serve_weaviate(Engine(limit=3)) as url:
        store = WeaviateVectors(lambda: {"url": url, "api_key": KEY})
        store.upsert("acme", [ONE])
        with pytest.raises(ConfigurationError):
            store.search("acme", SearchRequest(k=4, dense=(1, 0, 0)))
        store.close()


def test_all_pages_of_a_tenant_have_each_id_once(store: WeaviateVectors) -> None:
    names = [f"v{number:03}" for number in range(230)]
    for tenant in ("acme", "other"):
        store.upsert(tenant, [ONE.model_copy(update={"vector_id": name}) for name in names])
    assert sorted(list_all(store, limit=7)) == names


def test_a_tenant_that_another_function_removed_is_made_again(store: WeaviateVectors, engine: Engine) -> None:
    store.upsert("acme", [ONE])
    engine.answer("DELETE", "/v1/schema/Pentad/tenants", ["t-acme"])
    assert list_all(store) == []
    store.upsert("acme", [ONE])
    assert list_all(store) == ["x"]


def test_a_collection_that_was_removed_is_made_again_after_one_error(store: WeaviateVectors, engine: Engine) -> None:
    store.upsert("acme", [ONE])
    del engine.collections["Pentad"], engine.tenants["Pentad"]
    with pytest.raises(ConfigurationError):
        store.upsert("acme", [ONE])
    store.upsert("acme", [ONE])
    assert list_all(store) == ["x"]


def test_a_batch_of_which_one_is_refused_is_no_success(store: WeaviateVectors) -> None:
    with pytest.raises(ConfigurationError, match="another dimension") as caught:
        store.upsert("acme", [ONE, Vector(vector_id="secret", values=(1, 0), text="a secret")])
    assert "secret" not in str(caught.value)
    assert list_all(store) == ["x"]


def test_tenants_of_any_name_are_apart(store: WeaviateVectors, engine: Engine) -> None:
    names = ["a", "A", "t-a", "a b", 'a") {x}}', "é", "a" * 62, "a" * 63, "a" * 64, ""]
    for number, name in enumerate(names):
        store.upsert(name, [ONE.model_copy(update={"vector_id": f"v{number}"})])
    assert [list_all(store, name) for name in names] == [[f"v{number}"] for number in range(len(names))]
    assert len(engine.tenants["Pentad"]) == len(names)


@pytest.mark.parametrize("name", ['a"b', "a\\", "a\\u0041", "{a}", "*", "a?", "#$(tenant)"])
def test_ids_of_any_characters_are_found_and_removed_alone(store: WeaviateVectors, name: str) -> None:
    store.upsert("acme", [ONE, ONE.model_copy(update={"vector_id": name})])
    assert list(store.fetch("acme", [name])) == [name]
    store.delete("acme", [name])
    assert list_all(store) == ["x"]


def send_all(store: WeaviateVectors, engine: Engine) -> Requests:
    """Return what the adapter sends for what the client was recorded with."""
    two = Vector(vector_id="x", values=(1, 0, 0), text="account", metadata={"document": ["a", "b"]})
    store.upsert("acme", [two])
    store.search("acme", SearchRequest(k=5, dense=(1, 0, 0), where={"document": ("a", "b")}))
    store.search("acme", SearchRequest(k=5, dense=(1, 0, 0), where={"document": ("a", "b"), "kind": "t"}))
    store.delete_where("acme", {"document": ("a", "b")})
    store.delete_where("acme", {"document": ("a", "b"), "kind": "t"})
    return engine.requests


def list_bodies(requests: Requests, method: str, path: str) -> list[Any]:
    return [body for one, target, body in requests if (one, target.partition("?")[0]) == (method, path)]


def read_where(query: str) -> Any:
    """Return the condition of a query, without regard to blanks and commas."""
    [operation] = graphql.parse(query).definitions
    assert isinstance(operation, graphql.OperationDefinitionNode)
    [root] = operation.selection_set.selections
    assert isinstance(root, graphql.FieldNode) and root.selection_set is not None
    [field] = root.selection_set.selections
    assert isinstance(field, graphql.FieldNode)
    [condition] = [one.value for one in field.arguments or () if one.name.value == "where"]
    return graphql.value_from_ast_untyped(condition)


def test_the_collection_is_the_one_that_the_client_makes(store: WeaviateVectors, engine: Engine) -> None:
    [own] = list_bodies(send_all(store, engine), "POST", "/v1/schema")
    [known] = list_bodies(SENT["requests"], "POST", "/v1/schema")
    assert own == known


def test_objects_and_tenants_are_those_that_the_client_makes(store: WeaviateVectors, engine: Engine) -> None:
    requests = send_all(store, engine)
    [tenants] = list_bodies(requests, "POST", "/v1/schema/Pentad/tenants")
    [[known]] = list_bodies(SENT["requests"], "POST", "/v1/schema/Pentad/tenants")
    assert [{**one, "activityStatus": "HOT"} for one in tenants] == [known]
    own = list_bodies(requests, "POST", "/v1/batch/objects")[-1]["objects"][0]
    client = list_bodies(SENT["requests"], "POST", "/v1/objects")[0]
    assert set(own) == set(client)
    assert {**own, "id": "", "properties": None} == {**client, "id": "", "properties": None}
    assert own["properties"].keys() == client["properties"].keys()
    assert own["properties"]["labels"] == client["properties"]["labels"] == DOCUMENT


def test_conditions_are_those_that_the_client_makes(store: WeaviateVectors, engine: Engine) -> None:
    requests = send_all(store, engine)
    removals = [one["match"]["where"] for one in list_bodies(requests, "DELETE", "/v1/batch/objects")]
    assert removals == SENT["conditions"]["rest"]
    queries = [read_where(one["query"]) for one in list_bodies(requests, "POST", "/v1/graphql")]
    assert queries == [read_where(f"{{Get {{Pentad({one}) {{x}}}}}}") for one in SENT["conditions"]["graphql"]]


def test_the_server_answers_what_the_client_sends_as_the_client_read_it(engine: Engine) -> None:
    refused, found = [], None
    for method, target, body in SENT["requests"]:
        try:
            reply = engine.answer(method, target, body)
        except Refused as error:
            refused.append((method, error.status))
        else:
            found = reply["data"]["Get"]["Pentad"] if target == "/v1/graphql" else found
    assert refused == [("HEAD", 404), *(("POST", status) for status in SENT["read"]["refused"])]
    assert found == SENT["read"]["found"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"properties": {"unknown": "a"}}, 422),
        ({"properties": {"labels": "a"}}, 422),
        ({"properties": {"words": 1}}, 422),
        ({"tenant": "t-none"}, 422),
        ({"tenant": None}, 422),
        ({"vector": [1.0]}, 422),
        ({"class": "Other"}, 422),
    ],
)
def test_the_server_refuses_what_weaviate_refuses(
    store: WeaviateVectors, engine: Engine, change: dict[str, Any], status: int
) -> None:
    store.upsert("acme", [ONE])
    [[sent]] = [one["objects"] for one in list_bodies(engine.requests, "POST", "/v1/batch/objects")][-1:]
    with pytest.raises(Refused) as caught:
        engine.answer("POST", "/v1/objects", {**sent, **change})
    assert caught.value.status == status
