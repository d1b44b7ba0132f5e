"""What is PostgreSQL's alone, on a real server with pgvector."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import fmean

import psycopg
import pytest

from pentad.domain.errors import ConfigurationError, StoreUnavailable
from pentad.memory.retrieval.adapters import postgres_statements as sql
from pentad.memory.retrieval.adapters.vectors_memory import MemoryVectors
from pentad.memory.retrieval.adapters.vectors_postgres import PostgresVectors
from pentad.memory.retrieval.ports import SearchRequest, Vector

pytestmark = pytest.mark.xdist_group("postgres")


@pytest.fixture
def store(postgres_url: str) -> Iterator[PostgresVectors]:
    one = PostgresVectors(lambda: {"url": postgres_url})
    yield one
    one.close()


def make_vectors(count: int, dimension: int, document: str = "a") -> list[Vector]:
    rng = random.Random(count)
    return [
        Vector(
            vector_id=f"{document}{n:04}",
            values=tuple(rng.gauss(0, 1) for _ in range(dimension)),
            text=f"account number {n}",
            metadata={"document": document},
        )
        for n in range(count)
    ]


def test_functions_that_start_at_once_make_the_table_once(postgres_url: str) -> None:
    def write(number: int) -> None:
        own = PostgresVectors(lambda: {"url": postgres_url})
        own.upsert("acme", [Vector(vector_id=f"v{number}", values=(1, 0, 0))])
        own.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT count(*) FROM pentad_vectors").fetchone() == (6,)
        assert connection.execute(sql.READ_VERSION).fetchall() == [(sql.SCHEMA_VERSION,)]


def test_a_table_of_a_later_version_is_refused(store: PostgresVectors, postgres_url: str) -> None:
    store.upsert("acme", make_vectors(1, 3))
    with psycopg.connect(postgres_url) as connection:
        connection.execute("UPDATE pentad_vectors_version SET version = 99")
    later = PostgresVectors(lambda: {"url": postgres_url})
    with pytest.raises(ConfigurationError, match="version 99"):
        later.list_ids("acme")
    later.close()


def test_the_index_finds_what_conditions_leave_among_many(postgres_url: str) -> None:
    store = PostgresVectors(lambda: {"url": postgres_url}, exact_vectors=0)
    store.upsert("acme", make_vectors(600, 8) + make_vectors(12, 8, "rare"))
    store.upsert("other", make_vectors(600, 8))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        # The planner takes the index at once where a table is large; here it has to be told.
        connection.execute("ALTER DATABASE postgres SET enable_seqscan = off")
        connection.execute("ALTER DATABASE postgres SET enable_bitmapscan = off")
        connection.execute("ALTER DATABASE postgres SET enable_sort = off")
    store.close()
    try:
        found = store.search("acme", SearchRequest(k=20, dense=(1,) * 8, where={"document": "rare"}))
    finally:
        store.close()
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            for name in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
                connection.execute(f"ALTER DATABASE postgres RESET {name}")
    assert len(found) == 12
    assert [one.dense for one in found] == sorted((one.dense or 0 for one in found), reverse=True)


@pytest.mark.parametrize("dimension", [2500, 4500])
def test_vectors_larger_than_the_index_takes_are_found(store: PostgresVectors, dimension: int) -> None:
    many = make_vectors(3, dimension)
    store.upsert("acme", many)
    assert store.capabilities.dimension == dimension
    assert store.search("acme", SearchRequest(k=1, dense=many[1].values))[0].vector_id == many[1].vector_id


def test_more_numbers_than_pgvector_takes_are_refused(store: PostgresVectors) -> None:
    with pytest.raises(ConfigurationError, match="16001"):
        store.upsert("acme", [Vector(vector_id="x", values=(1.0,) * 16_001)])


def test_common_words_alone_do_not_bring_every_vector_of_a_large_tenant(store: PostgresVectors) -> None:
    store.upsert("acme", make_vectors(sql.SAMPLE, 3))
    found = store.search("acme", SearchRequest(k=50, text="account number 77"))
    assert [one.vector_id for one in found] == ["a0077"]
    assert len(store.search("acme", SearchRequest(k=50, text="account numbers"))) == 50


def ask(text: str, kind: str) -> SearchRequest:
    return SearchRequest(k=10, text=text, where={"kind": kind})


@pytest.mark.parametrize("kind", ["a", "few"])
def test_statistics_from_a_sample_find_what_counting_all_finds(store: PostgresVectors, kind: str) -> None:
    rng, exact = random.Random(7), MemoryVectors(3)
    words = [f"w{number}x" for number in range(300)]
    weights = [1 / (number + 1) for number in range(300)]  # as words of a language are
    many = [
        Vector(
            vector_id=f"{rng.getrandbits(64):016x}",  # as those of documents are: by no order of their words
            values=(1, 0, 0),
            text=" ".join(rng.choices(words, weights, k=rng.randint(20, 120))),
            metadata={"kind": "few" if number % 50 == 0 else "ab"[number % 2]},
        )
        for number in range(3 * sql.SAMPLE)
    ]
    store.upsert("acme", many)
    exact.upsert("acme", [one for one in many if one.metadata["kind"] == kind])
    shared: list[float] = []
    for _ in range(20):
        text = " ".join(rng.choices(words, k=6))
        found = {one.vector_id: one.words or 0 for one in store.search("acme", ask(text, kind))}
        wanted = {one.vector_id: one.words or 0 for one in exact.search("acme", ask(text, kind))}
        shared.append(len(set(found) & set(wanted)) / len(wanted))
        assert all(abs(found[name] / wanted[name] - 1) < 0.15 for name in set(found) & set(wanted))
    assert fmean(shared) > 0.85


def test_a_connection_that_the_server_closed_is_replaced(store: PostgresVectors, postgres_url: str) -> None:
    store.upsert("acme", make_vectors(1, 3))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    with pytest.raises(StoreUnavailable):
        store.list_ids("acme")
    assert store.list_ids("acme").items == ("a0000",)


def test_a_statement_that_takes_too_long_is_given_up(postgres_url: str, store: PostgresVectors) -> None:
    store.upsert("acme", make_vectors(1, 3))
    hasty = PostgresVectors(lambda: {"url": postgres_url}, statement_seconds=0.2)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("LOCK TABLE pentad_vectors")
        with pytest.raises(StoreUnavailable):
            hasty.fetch("acme", ["a0000"])
    hasty.close()


@pytest.mark.parametrize(
    ("secret", "error"),
    [
        ({}, ConfigurationError),
        ({"url": "postgresql://ada@127.0.0.1:1/db"}, StoreUnavailable),
        ({"url": "no url at all"}, ConfigurationError),
    ],
)
def test_a_server_that_can_not_be_used_is_told_apart(secret: dict[str, str], error: type[Exception]) -> None:
    broken = PostgresVectors(lambda: secret)
    with pytest.raises(error):
        broken.list_ids("acme")


def test_a_database_that_is_not_there_is_a_configuration_error(postgres_url: str) -> None:
    broken = PostgresVectors(lambda: {"url": postgres_url.replace("/postgres?", "/missing?")})
    with pytest.raises(ConfigurationError, match="not set up"):
        broken.list_ids("acme")
