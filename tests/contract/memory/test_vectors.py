"""What every vector store does. `store` is each of those of `tests.contract.memory.vector_stores`."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pentad.domain.errors import ConfigurationError, InvalidInput, StoreUnavailable
from pentad.memory.retrieval.adapters.vectors_pinecone import PineconeVectors
from pentad.memory.retrieval.checks import is_match
from pentad.memory.retrieval.ports import MAX_CANDIDATES, SearchRequest, Vector, VectorStore
from pentad.memory.retrieval.words import split_words
from tests.contract.memory.vector_stores import SCHEMA, STORES, open_store
from twin.vectors import LocalIndex


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorStore]:
    with open_store(request.param, tmp_path, request) as one:
        yield one


def vector(name: str, *values: float, text: str = "", **metadata: Any) -> Vector:
    return Vector(vector_id=name, values=values or (1, 0, 0), text=text, metadata=metadata or {"document": "a"})


def nearest(store: VectorStore, *values: float, k: int = 5, tenant: str = "acme", **where: Any) -> list[str]:
    found = store.search(tenant, SearchRequest(k=k, dense=values or (1, 0, 0), where=where))
    return [match.vector_id for match in found]


def with_words(store: VectorStore, text: str, k: int = 5, **where: Any) -> list[str]:
    if not store.capabilities.words:
        pytest.skip("this store does not find by words")
    found = store.search("acme", SearchRequest(k=k, text=text, where=where))
    assert all(match.words is not None and match.words > 0 for match in found)
    return [match.vector_id for match in found]


def test_the_nearest_come_first_with_cosine_scores_and_metadata(store: VectorStore) -> None:
    store.upsert(
        "acme", [vector("x", 2, 0, 0), vector("y", 1, 1, 0, start=7, text="é", tags=["a"]), vector("z", 0, 0, 1)]
    )
    found = store.search("acme", SearchRequest(k=2, dense=(1, 0, 0)))
    assert [match.vector_id for match in found] == ["x", "y"]
    assert [match.dense for match in found] == pytest.approx([1, 0.7071], abs=1e-4)
    assert found[1].metadata == {"start": 7, "tags": ["a"]}


def test_words_find_what_has_them_and_rare_ones_count_more(store: VectorStore) -> None:
    common = [vector(f"c{n}", text="the account of a customer of the bank") for n in range(5)]
    store.upsert("acme", [*common, vector("x", text="the overdraft of an account"), vector("y", text="nothing here")])
    found = with_words(store, "Overdrafts of my account", k=10)
    assert found[0] == "x"
    assert set(found) == {"x", "c0", "c1", "c2", "c3", "c4"}


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Die Überweisung wurde zurückgebucht.", "uberweisung"),
        ("Перевод был отменён вчера.", "отменен"),
        ("客户可以在网上银行冻结银行卡。", "冻结银行卡"),
        ("ลูกค้าสามารถอายัดบัตรได้", "อายัดบัตร"),
        ("खाता बंद करने की प्रक्रिया", "प्रक्रिया"),
        ("Error E-4021: card_declined (see ISO-8583)", "e 4021"),
        ("a" * 100 + " and more", "a" * 100),
    ],
)
def test_words_of_every_script_are_found(store: VectorStore, text: str, question: str) -> None:
    store.upsert("acme", [vector("x", text=text), vector("y", text="something else altogether")])
    assert with_words(store, question) == ["x"]


def test_both_kinds_come_together_each_once(store: VectorStore) -> None:
    store.upsert(
        "acme",
        [vector("near", 1, 0, 0, text="nothing"), vector("said", 0, 1, 0, text="overdraft"), vector("far", 0, 0, 1)],
    )
    found = {
        match.vector_id: match for match in store.search("acme", SearchRequest(k=1, dense=(1, 0, 0), text="overdraft"))
    }
    if not store.capabilities.words:
        assert set(found) == {"near"}
        return
    assert set(found) == {"near", "said"}
    assert found["near"].dense == pytest.approx(1)
    assert (found["said"].words or 0) > 0


@pytest.mark.parametrize("text", ["", "???", "   ", "$match_all", '"unclosed AND (', "words:* OR 1=1", "%' --"])
def test_no_text_breaks_a_search(store: VectorStore, text: str) -> None:
    store.upsert("acme", [vector("x", text="an account")])
    assert [match.vector_id for match in store.search("acme", SearchRequest(k=3, dense=(1, 0, 0), text=text))] == ["x"]
    assert store.search("acme", SearchRequest(k=3, text=text)) == []


def test_a_vector_of_the_same_id_is_replaced_whole(store: VectorStore) -> None:
    store.upsert("acme", [vector("x", 1, 0, 0, text="first", version="1", old=True)])
    store.upsert("acme", [vector("x", 0, 1, 0, text="second", version="2")])
    [match] = store.search("acme", SearchRequest(k=5, dense=(0, 1, 0)))
    assert match.metadata == {"version": "2"}
    assert match.dense == pytest.approx(1)
    if store.capabilities.words:
        assert (with_words(store, "first"), with_words(store, "second")) == ([], ["x"])


def test_an_id_twice_in_one_call_is_the_last(store: VectorStore) -> None:
    store.upsert("acme", [vector("x", version="1"), vector("x", version="2")])
    assert store.fetch("acme", ["x"])["x"].metadata == {"version": "2"}


def test_as_many_are_found_as_the_port_lets_ask_for(store: VectorStore) -> None:
    store.upsert("acme", [vector(f"v{n}", 1, n / 1000, 0, text="a common word") for n in range(MAX_CANDIDATES + 50)])
    assert nearest(store, k=MAX_CANDIDATES) == [f"v{n}" for n in range(MAX_CANDIDATES)]
    assert len(set(with_words(store, "word", k=MAX_CANDIDATES))) == MAX_CANDIDATES


def test_conditions_match_metadata(store: VectorStore) -> None:
    store.upsert(
        "acme",
        [
            vector("x", document="a", kind="t", readers=["*"]),
            vector("y", document="b", kind="t", readers=["user:ada", "user:bob"]),
            vector("z", kind="t"),
        ],
    )
    assert nearest(store, document="b", kind="t") == ["y"]
    assert sorted(nearest(store, document=("a", "b"))) == ["x", "y"]
    assert nearest(store, readers=("user:bob", "user:eve")) == ["y"]
    assert nearest(store, readers="*") == ["x"]
    assert nearest(store, document=()) == []
    assert nearest(store, document="A") == []
    assert nearest(store, missing="a") == []


def test_conditions_hold_for_words(store: VectorStore) -> None:
    store.upsert("acme", [vector(name, text="overdraft", document=name) for name in ("x", "y", "z")])
    assert with_words(store, "overdraft", document=("y", "q")) == ["y"]


def test_conditions_that_can_not_be_searched_for_are_refused() -> None:
    for where in ({"Kind": "a"}, {"$or": "a"}, {"words": "a"}, {"document": "x" * 2001}):
        with pytest.raises(ValueError, match=r"'\S+'"):
            SearchRequest(k=1, dense=(1, 0, 0), where=where)
    with pytest.raises(ValueError, match="needs 'dense' or 'text'"):
        SearchRequest(k=1)


@pytest.mark.parametrize("values", [(0, 0, 0), (float("nan"), 1, 1), (float("inf"), 1, 1), ()])
def test_vectors_that_no_store_takes_are_refused(values: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="values"):
        Vector(vector_id="x", values=values)


def test_random_conditions_never_leak(store: VectorStore) -> None:
    rng = random.Random(7)
    kinds, owners = ("document", "turn", "fact"), [f"user:{n}" for n in range(6)]
    all_vectors = [
        vector(
            f"v{n}",
            rng.random() + 0.1,
            rng.random(),
            rng.random(),
            text="account overdraft",
            kind=rng.choice(kinds),
            readers=rng.sample(owners, rng.randint(1, 3)),
        )
        for n in range(120)
    ]
    for tenant in ("acme", "other"):
        store.upsert(
            tenant,
            [one.model_copy(update={"metadata": {**one.metadata, "tenant_said": tenant}}) for one in all_vectors],
        )
    for _ in range(60):
        where: dict[str, Any] = {"readers": tuple(rng.sample(owners, rng.randint(1, 2)))}
        if rng.random() < 0.5:
            where["kind"] = rng.choice(kinds)
        found = store.search("acme", SearchRequest(k=200, dense=(1, 1, 1), text="overdraft", where=where))
        assert all(match.metadata["tenant_said"] == "acme" for match in found)
        expected = {one.vector_id for one in all_vectors if is_match(one.metadata, where)}
        assert {match.vector_id for match in found} == expected


def test_tenants_are_apart(store: VectorStore) -> None:
    store.upsert("acme", [vector("x", text="overdraft")])
    store.upsert("other", [vector("y", text="overdraft")])
    store.delete("other", ["x"])
    store.delete_where("other", {"document": "a"})
    assert nearest(store) == ["x"]
    assert nearest(store, tenant="other") == []
    assert store.fetch("other", ["x"]) == {}
    store.delete_tenant("other")
    assert nearest(store) == ["x"]


def test_a_tenant_without_vectors_finds_none(store: VectorStore) -> None:
    assert nearest(store, tenant="nobody") == []
    assert store.search("nobody", SearchRequest(k=5, text="overdraft")) == []
    assert store.fetch("nobody", ["x"]) == {}
    assert store.list_ids("nobody").items == ()
    store.delete("nobody", ["x"])
    store.delete_where("nobody", {"document": "a"})
    store.delete_tenant("nobody")


def test_fetch_returns_what_is_there(store: VectorStore) -> None:
    kept = vector("a#1", 0.25, 0.5, 0.125, text="Two accounts: 銀行口座, कर्म", note="é", start=3)
    store.upsert("acme", [kept, vector("b#1")])
    found = store.fetch("acme", ["a#1", "missing"])
    assert list(found) == ["a#1"]
    assert found["a#1"].metadata == kept.metadata
    if store.capabilities.words:
        assert split_words(found["a#1"].text) == split_words(kept.text)
    # A store may keep the direction alone.
    scale = 0.25 / found["a#1"].values[0]
    assert [value * scale for value in found["a#1"].values] == pytest.approx(kept.values, abs=1e-6)
    assert store.fetch("acme", []) == {}


def test_what_was_fetched_can_be_stored_again(store: VectorStore) -> None:
    store.upsert("acme", [vector("x", 0, 1, 0, text="Überweisungen und 銀行口座の残高")])
    for _ in range(2):
        store.upsert("acme", list(store.fetch("acme", ["x"]).values()))
    assert nearest(store, 0, 1, 0) == ["x"]
    if store.capabilities.words:
        assert with_words(store, "残高") == ["x"]


def test_deleted_vectors_are_gone_and_a_repeat_is_no_error(store: VectorStore) -> None:
    store.upsert("acme", [vector("x", text="overdraft"), vector("y", text="overdraft")])
    for _ in range(2):
        store.delete("acme", ["x", "never"])
    store.delete("acme", [])
    assert nearest(store) == ["y"]
    if store.capabilities.words:
        assert with_words(store, "overdraft") == ["y"]


def test_vectors_are_deleted_by_condition(store: VectorStore) -> None:
    store.upsert("acme", [vector("x", document="a"), vector("y", document="b"), vector("z", document="b")])
    store.delete_where("acme", {"document": "b"})
    store.delete_where("acme", {"document": ()})
    assert nearest(store) == ["x"]
    with pytest.raises(ValueError, match="condition"):
        store.delete_where("acme", {})


def test_a_tenants_vectors_are_deleted_together(store: VectorStore) -> None:
    store.upsert("acme", [vector("x"), vector("y")])
    store.delete_tenant("acme")
    assert nearest(store) == []
    store.upsert("acme", [vector("z")])
    assert nearest(store) == ["z"]


def test_ids_come_in_pages_by_prefix(store: VectorStore) -> None:
    store.upsert("acme", [vector(f"doc1#{n:02}", 1, n, 0) for n in range(7)] + [vector("doc2#00")])
    pages, cursor = [], None
    while True:
        page = store.list_ids("acme", prefix="doc1#", cursor=cursor, limit=3)
        pages.append(page.items)
        cursor = page.cursor
        if cursor is None or len(pages) > 5:
            break
    names = [name for items in pages for name in items]
    if store.capabilities.pages:
        assert [len(items) for items in pages] == [3, 3, 1]
        assert names == sorted(names)
    assert sorted(names) == [f"doc1#{n:02}" for n in range(7)]
    assert len(store.list_ids("acme").items) == 8


def test_thousands_of_vectors_and_megabytes_of_metadata_go_through(store: VectorStore) -> None:
    many = [vector(f"v{n:04d}", 1, n, 1, note="x" * 15_000 if n < 150 else "x") for n in range(1200)]
    store.upsert("acme", many)
    assert len(store.fetch("acme", [one.vector_id for one in many])) == 1200
    store.delete("acme", [one.vector_id for one in many])
    assert nearest(store) == []


def test_metadata_over_the_limit_is_refused_by_name(store: VectorStore) -> None:
    most = store.capabilities.max_metadata_bytes
    with pytest.raises(InvalidInput, match="'big'"):
        store.upsert("acme", [vector("fits"), vector("big", note="x" * most)])
    assert nearest(store) == []
    store.upsert("acme", [vector("long", note="é" * (most // 2 - 20))])
    assert nearest(store) == ["long"]


def test_another_dimension_is_a_configuration_error(store: VectorStore) -> None:
    store.upsert("acme", [vector("x")])
    with pytest.raises(ConfigurationError):
        store.upsert("acme", [vector("y", 1, 2)])
    with pytest.raises(ConfigurationError):
        nearest(store, 1, 2)


def test_writers_at_once_lose_nothing(store: VectorStore) -> None:
    def write(worker: int) -> None:
        for n in range(5):
            store.upsert("acme", [vector(f"{worker}-{n}", worker + 1, n, 1, text="overdraft")])
            nearest(store)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert len(nearest(store, k=100)) == 40


def test_writers_of_the_same_vectors_do_not_block_each_other(store: VectorStore) -> None:
    names = [f"v{n:02}" for n in range(30)]

    def write(turn: int) -> None:
        order = names if turn % 2 else names[::-1]
        store.upsert("acme", [vector(name, turn + 1, 1, 0, document=f"{turn}") for name in order])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(8)))
    assert sorted(nearest(store, k=100)) == names


ODD = (
    "'; DROP TABLE pentad_vectors; --",
    'say "hello" \\ {}[]()%s %(x)s ${x} `x`',
    "\u0000\u0001\u200b\ufeff\r\n\t",
    "👩‍👩‍👧‍👦 🏳️‍🌈 \U0010ffff",
    "שלום עולם مرحبا بالعالم",
    "ﬁ Å Å \uff21\uff22\uff23 ½",
    "é" * 1500,
)


@pytest.mark.parametrize("odd", ODD)
def test_any_text_is_kept_and_found_by_its_own_value_only(store: VectorStore, odd: str) -> None:
    note = odd * (store.capabilities.max_metadata_bytes // (8 * len(odd.encode())))
    store.upsert("acme", [vector("x", text=odd, document=odd, tags=[odd, "b"], note=note), vector("y", document="b")])
    assert nearest(store, document=odd) == ["x"]
    assert nearest(store, tags=odd) == ["x"]
    assert nearest(store, document=odd[:-1]) == []
    assert store.fetch("acme", ["x"])["x"].metadata == {"document": odd, "tags": [odd, "b"], "note": note}
    store.search("acme", SearchRequest(k=3, dense=(1, 0, 0), text=odd, where={"document": odd}))
    store.delete_where("acme", {"document": odd})
    assert nearest(store) == ["y"]


def test_numbers_and_flags_come_back_as_they_were_and_match_no_string(store: VectorStore) -> None:
    store.upsert("acme", [vector("x", start=3, share=0.5, on=True, none="", many=[])])
    [match] = store.search("acme", SearchRequest(k=1, dense=(1, 0, 0)))
    assert match.metadata == {"start": 3, "share": 0.5, "on": True, "none": "", "many": []}
    assert nearest(store, start="3") == nearest(store, on="true") == nearest(store, many="") == []
    assert nearest(store, none="") == ["x"]


def test_vectors_of_any_length_keep_their_direction(store: VectorStore) -> None:
    store.upsert("acme", [vector("large", 1e18, 1e18, 0), vector("small", 1e-18, 0, 0)])
    found = store.search("acme", SearchRequest(k=2, dense=(5, 0, 0)))
    assert [match.vector_id for match in found] == ["small", "large"]
    assert [match.dense for match in found] == pytest.approx([1, 0.7071], abs=1e-3)


def test_ids_of_any_printable_characters_are_kept(store: VectorStore) -> None:
    names = ["a'b", 'a"b', "a%b_c", "a\\b", "a/b?c=d&e#f", "~!@$^*()[]{}<>|;:,.", "x" * 512]
    store.upsert("acme", [vector(name) for name in names])
    assert sorted(store.list_ids("acme").items) == sorted(names)
    assert set(store.fetch("acme", names)) == set(names)
    assert store.list_ids("acme", prefix="a%").items == ("a%b_c",)
    store.delete("acme", names[:-1])
    assert nearest(store) == [names[-1]]


# What is Pinecone's alone.


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalIndex]:
    with LocalIndex(tmp_path / "index.sqlite", 3, schema=SCHEMA) as index:
        yield index


def secret(index: LocalIndex, **changes: str) -> dict[str, str]:
    return {"api_key": "local", "index_host": index.url, "index_kind": "documents"} | changes


def test_pinecone_reads_its_secret_with_the_first_call_only(server: LocalIndex) -> None:
    reads: list[int] = []

    def read() -> dict[str, str]:
        reads.append(1)
        return secret(server)

    store = PineconeVectors(read)
    assert reads == []
    nearest(store)
    nearest(store)
    store.close()
    assert reads == [1]


def test_pinecone_reads_its_secret_again_after_the_key_was_refused(server: LocalIndex) -> None:
    keys = iter(["invalid", "rotated"])
    store = PineconeVectors(lambda: secret(server, api_key=next(keys)))
    with pytest.raises(ConfigurationError, match="credential"):
        nearest(store)
    assert nearest(store) == []
    store.close()


@pytest.mark.parametrize("kind", ["vectors", "none of them"])
def test_pinecone_of_another_kind_than_the_secret_says_is_a_configuration_error(server: LocalIndex, kind: str) -> None:
    store = PineconeVectors(lambda: secret(server, index_kind=kind))
    with pytest.raises(ConfigurationError) as error:
        nearest(store)
    assert "index_kind" in str(error.value.fix) or "schema" in str(error.value.fix)
    store.close()


def test_pinecone_that_can_not_be_reached_is_transient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("pinecone._internal.http_client._retry_sleep", lambda seconds: None)
    with LocalIndex(tmp_path / "gone.sqlite", 3) as index:
        url = index.url
    store = PineconeVectors(lambda: {"api_key": "local", "index_host": url, "index_kind": "documents"})
    with pytest.raises(StoreUnavailable):
        nearest(store)
    store.close()
