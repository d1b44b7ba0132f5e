"""Vectors in PostgreSQL with pgvector (0.8 or later): one table, the tenant first in its key.

The first call makes the table where it is missing, under a lock, so functions may start at once. The driver is imported
with the first call.
"""

import json
import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pentad.domain.errors import ConfigurationError, PentadError, StoreUnavailable
from pentad.domain.values import Page
from pentad.memory.retrieval.adapters import postgres_statements as sql
from pentad.memory.retrieval.adapters.conversions import (
    check_dimension,
    dump_metadata,
    list_labels_of,
    make_unit,
    split_batches,
)
from pentad.memory.retrieval.adapters.postgres_connections import PostgresConnections
from pentad.memory.retrieval.checks import Where, can_match, check_metadata_size, require_condition
from pentad.memory.retrieval.ports import Match, SearchRequest, StoreCapabilities, Vector

if TYPE_CHECKING:
    from psycopg import Connection

MAX_METADATA_BYTES = 1024 * 1024
MAX_DIMENSION = 16_000
UPSERT_VECTORS = 200
DELETE_IDS = 1000
_LAST = "\x7f"  # after every character that an id may have


class PostgresVectors:
    """A vector store in a PostgreSQL of the project's own.

    Args:
        credentials: returns the secret ``{url}``, ``postgresql://USER:PASSWORD@HOST:5432/DATABASE?sslmode=verify-full``;
            called with the first use, and again after the password was refused.
        most_connections: at once, for this store.
        statement_seconds: after so long the server gives a statement up.
        exact_vectors: a tenant with at most so many is searched exactly, one with more by the index.
    """

    def __init__(
        self,
        credentials: Callable[[], Mapping[str, str]],
        *,
        most_connections: int = 4,
        statement_seconds: float = 15.0,
        exact_vectors: int = sql.EXACT_VECTORS,
    ) -> None:
        self._connections = PostgresConnections(credentials, most=most_connections)
        self._timeout = str(int(statement_seconds * 1000))
        self._exact_vectors = exact_vectors
        self._lock = threading.Lock()
        self._dimension: int | None = None

    @property
    def capabilities(self) -> StoreCapabilities:
        """What the store can do; the dimension is that of the table, once it is there."""
        if self._dimension is None:
            with self._use() as connection:
                self._is_ready(connection)
        return StoreCapabilities(
            words=True, dimension=self._dimension, max_metadata_bytes=MAX_METADATA_BYTES, consistency="strong"
        )

    def upsert(self, tenant_id: str, vectors: Sequence[Vector]) -> None:
        """Store vectors, replacing those of the same id, 200 in a transaction.

        Raises:
            InvalidInput: a vector's metadata is larger than 1 MB.
            StoreUnavailable: the server did not answer.
            ConfigurationError: it refused: the credential, or the dimension.
        """
        for vector in vectors:
            check_metadata_size(vector.vector_id, vector.metadata, MAX_METADATA_BYTES)
        if not vectors:
            return
        self._prepare(len(vectors[0].values))
        for vector in vectors:
            check_dimension(vector.values, self._dimension)
        latest = {vector.vector_id: vector for vector in vectors}
        # In the order of their ids: two writers of the same vectors wait for each other and never in a circle.
        for batch in split_batches([latest[name] for name in sorted(latest)], UPSERT_VECTORS):
            with self._use() as connection:
                connection.cursor().executemany(sql.UPSERT, [_make_row(tenant_id, one) for one in batch])

    def search(self, tenant_id: str, request: SearchRequest) -> list[Match]:
        """Return the ``k`` nearest by meaning and the ``k`` best by words.

        Raises:
            StoreUnavailable: the server did not answer.
            ConfigurationError: it refused: the credential, or the dimension.
        """
        if not can_match(request.where):
            return []
        with self._use(request.k) as connection:
            if not self._is_ready(connection):
                return []
            found: dict[str, Match] = {}
            if request.dense is not None:
                check_dimension(request.dense, self._dimension)
                for match in self._find_nearest(connection, tenant_id, request, request.dense):
                    found[match.vector_id] = match
            for match in _find_words(connection, tenant_id, request):
                known = found.get(match.vector_id)
                found[match.vector_id] = match if known is None else known.model_copy(update={"words": match.words})
            return list(found.values())

    def fetch(self, tenant_id: str, vector_ids: Sequence[str]) -> dict[str, Vector]:
        """Return those of the vectors that are there, by id.

        Raises:
            StoreUnavailable: the server did not answer.
            ConfigurationError: it refused the credential.
        """
        if not vector_ids:
            return {}
        with self._use() as connection:
            if not self._is_ready(connection):
                return {}
            rows = connection.execute(sql.FETCH, (tenant_id, list(vector_ids))).fetchall()
        return {
            name: Vector(vector_id=name, values=json.loads(values), text=body, metadata=json.loads(metadata))
            for name, values, body, metadata in rows
        }

    def delete(self, tenant_id: str, vector_ids: Sequence[str]) -> None:
        """Remove vectors; one that is not there is no error.

        Raises:
            StoreUnavailable: the server did not answer.
            ConfigurationError: it refused the credential.
        """
        for batch in split_batches(sorted(vector_ids), DELETE_IDS):
            self._change(sql.DELETE, (tenant_id, list(batch)))

    def delete_where(self, tenant_id: str, where: Where) -> None:
        """Remove the vectors whose metadata match.

        Raises:
            ValueError: there is no condition.
            StoreUnavailable: the server did not answer.
            ConfigurationError: it refused the credential.
        """
        require_condition(where)
        if can_match(where):
            conditions, values = sql.make_conditions(where)
            self._change(sql.DELETE_TENANT + conditions, (tenant_id, *values))

    def delete_tenant(self, tenant_id: str) -> None:
        """Remove all vectors of the tenant.

        Raises:
            StoreUnavailable: the server did not answer.
            ConfigurationError: it refused the credential.
        """
        self._change(sql.DELETE_TENANT, (tenant_id,))

    def list_ids(self, tenant_id: str, *, prefix: str = "", cursor: str | None = None, limit: int = 100) -> Page[str]:
        """Return one page of the ids that begin with ``prefix``, in order.

        Raises:
            StoreUnavailable: the server did not answer.
            ConfigurationError: it refused the credential.
        """
        with self._use() as connection:
            if not self._is_ready(connection):
                return Page(items=())
            values = (tenant_id, prefix, prefix + _LAST, cursor or "", limit + 1)
            names = [name for (name,) in connection.execute(sql.LIST, values).fetchall()]
        return Page(items=tuple(names[:limit]), cursor=names[limit - 1] if len(names) > limit else None)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._connections.close()

    def _change(self, statement: str, values: tuple[Any, ...]) -> None:
        with self._use() as connection:
            if self._is_ready(connection):
                connection.execute(statement, values)

    def _find_nearest(
        self, connection: "Connection[Any]", tenant_id: str, request: SearchRequest, dense: Sequence[float]
    ) -> Iterator[Match]:
        count = connection.execute(sql.COUNT, (tenant_id, self._exact_vectors + 1)).fetchone()
        exact = count is None or count[0] <= self._exact_vectors
        conditions, values = sql.make_conditions(request.where)
        asked = str(make_unit(dense))
        statement = sql.make_nearest(conditions, len(dense), exact=exact)
        rows = connection.execute(statement, (asked, tenant_id, *values, asked, request.k)).fetchall()
        for name, score, metadata in rows:
            yield Match(vector_id=name, dense=_read_score(score), metadata=json.loads(metadata))

    @contextmanager
    def _use(self, k: int = 0) -> Iterator["Connection[Any]"]:
        """Yield a connection in a transaction; what the driver raises inside is translated."""
        import psycopg

        try:
            with self._connections.borrow() as connection, connection.transaction():
                connection.execute(sql.SETTINGS, (self._timeout, str(max(40, min(k, 1000)))))
                yield connection
        except psycopg.Error as error:
            if _is_credential(error):
                self.close()  # the password may have been rotated: the next call reads the secret again
            raise _translate_error(error) from error

    def _is_ready(self, connection: "Connection[Any]") -> bool:
        """Return whether the table is there; its dimension is read once."""
        if self._dimension is not None:
            return True
        row = connection.execute(sql.EXISTS).fetchone()
        if row is None or not row[0]:
            return False
        self._read_table(connection)
        return True

    def _read_table(self, connection: "Connection[Any]") -> None:
        version = connection.execute(sql.READ_VERSION).fetchone()
        if version is None or version[0] > sql.SCHEMA_VERSION:
            raise ConfigurationError(
                f"the table 'pentad_vectors' has version {version and version[0]}, not {sql.SCHEMA_VERSION}",
                fix="deploy the version of pentad that made it, or a later one",
            )
        dimension = connection.execute(sql.READ_DIMENSION).fetchone()
        self._dimension = dimension[0] if dimension is not None and dimension[0] > 0 else None

    def _prepare(self, dimension: int) -> None:
        """Make the table where it is missing, for vectors of that many numbers."""
        if dimension > MAX_DIMENSION:
            raise ConfigurationError(
                f"a vector has {dimension} numbers, and pgvector takes {MAX_DIMENSION:,}",
                fix="use an embedding model with fewer dimensions",
            )
        with self._lock:
            if self._dimension is not None:
                return
            with self._use() as connection:
                if not self._is_ready(connection):
                    connection.execute(sql.TAKE_LOCK, (sql.LOCK,))
                    for statement in sql.list_schema(dimension):
                        connection.execute(statement)
                    self._read_table(connection)


def _find_words(connection: "Connection[Any]", tenant_id: str, request: SearchRequest) -> Iterator[Match]:
    lexemes = sql.list_lexemes(tenant_id, request.text or "")
    if not lexemes:
        return
    conditions, wanted = sql.make_conditions(request.where)
    values: dict[str, Any] = {"tenant": tenant_id, "lexemes": lexemes, "k": request.k}
    values |= {f"where{number}": labels for number, labels in enumerate(wanted)}
    values |= {} if request.dense is None else {"dense": str(make_unit(request.dense))}
    statement = sql.make_best_words(conditions, dense=request.dense is not None)
    for name, score, dense, metadata in connection.execute(statement, values).fetchall():
        cosine = None if dense is None else _read_score(dense)
        yield Match(vector_id=name, words=float(score), dense=cosine, metadata=json.loads(metadata))


def _make_row(tenant_id: str, vector: Vector) -> tuple[Any, ...]:
    words, count = sql.make_tsvector(tenant_id, vector.text)
    values = str(make_unit(vector.values))
    body = vector.text.replace("\x00", " ")  # PostgreSQL's text has no NUL
    metadata = dump_metadata(vector.metadata)
    return (tenant_id, vector.vector_id, values, words, count, list_labels_of(vector.metadata), body, metadata)


def _read_score(score: float) -> float:
    return 0.0 if math.isnan(score) else float(score)  # a question of zeros has no direction


def _is_credential(error: Exception) -> bool:
    return (getattr(error, "sqlstate", None) or "").startswith("28") or "authentication failed" in str(error)


def _translate_error(error: Exception) -> PentadError:
    """Return our error for one of the driver's. Messages are ours: the driver's may quote what was sent."""
    import psycopg

    state = getattr(error, "sqlstate", None) or "no state"
    if _is_credential(error):
        return ConfigurationError("the vector store refused the credential", fix="check the secret's url")
    if state.startswith(("42", "3D", "3F", "0A", "22")) or "does not exist" in str(error):
        return ConfigurationError(
            f"the vector store is not set up: PostgreSQL answered {state}",
            fix="check that the database of the secret's url exists, has the extension vector 0.8 or later, "
            "and that its user may create tables",
        )
    if isinstance(error, psycopg.ProgrammingError):
        return ConfigurationError("the vector store's url can't be read", fix="check the secret's url")
    # Not reached, shut down, too many connections, timed out, a deadlock.
    return StoreUnavailable(f"the vector store did not answer: {type(error).__name__}, {state}")
