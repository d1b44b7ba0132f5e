"""The vectors on disk: one SQLite file, written through, with a matrix per namespace for search."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from twin.private_files import touch_private
from twin.vectors.errors import IndexUnusable
from twin.vectors.filters import Predicate
from twin.vectors.matrix import NamespaceMatrix
from twin.vectors.records import Floats, Record, Sparse

METRICS = ("cosine", "dotproduct", "euclidean")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS namespaces (name TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS vectors (
    namespace TEXT NOT NULL, id TEXT NOT NULL, dense BLOB NOT NULL, metadata TEXT, sparse TEXT,
    PRIMARY KEY (namespace, id)
) WITHOUT ROWID;
"""


class VectorStore:
    """Namespaces of records. Every method is atomic and safe under threads; one process owns the file."""

    def __init__(self, path: Path, dimension: int, metric: str = "cosine", texts: Sequence[str] = ()) -> None:
        """Open or create the file and read it into memory.

        Args:
            path: the file.
            dimension: numbers per vector.
            metric: how vectors are compared.
            texts: fields of the metadata that are searched for words.

        Raises:
            IndexUnusable: If another process holds the file, or it was made with another dimension or metric.
        """
        if metric not in METRICS:
            raise ValueError(f"metric must be one of {METRICS}, got {metric!r}")
        self.dimension = dimension
        self.metric = metric
        self._texts = tuple(texts)
        self._lock = threading.RLock()
        self._namespaces: dict[str, NamespaceMatrix] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        touch_private(path)  # SQLite gives its journals the mode of the file
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=2.0)
        try:
            self._open(path)
        except BaseException:
            self._database.close()
            raise

    def _open(self, path: Path) -> None:
        try:
            # The matrices live in this process only, so no other process may write behind them.
            self._database.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=NORMAL")
            # Who is erased is to be found in no file: freed pages are written over, and the journal is cut off.
            self._database.execute("PRAGMA secure_delete=ON")
            self._database.execute("BEGIN EXCLUSIVE")
            self._database.execute("COMMIT")
            self._database.executescript(_SCHEMA)
        except sqlite3.OperationalError as exc:
            raise IndexUnusable(f"the index file {path.name} is in use or unreadable: {exc}") from exc
        stored = dict(self._database.execute("SELECT name, value FROM settings"))
        if stored and stored.get("texts", "") != ",".join(self._texts):
            raise IndexUnusable(f"the index file {path.name} was made with another schema")
        settings = (("dimension", str(self.dimension)), ("metric", self.metric), ("texts", ",".join(self._texts)))
        for name, value in settings:
            self._database.execute("INSERT OR IGNORE INTO settings VALUES (?, ?)", (name, value))
            if (found := stored.get(name, value)) != value:
                raise IndexUnusable(f"the index file {path.name} has {name} {found}, not {value}")
        for (name,) in self._database.execute("SELECT name FROM namespaces").fetchall():
            self._namespaces[name] = self._make_matrix()
        rows = self._database.execute("SELECT namespace, id, dense, metadata, sparse FROM vectors")
        for namespace, id_, dense, metadata, sparse in rows:
            self._namespaces[namespace].put(_from_row(id_, dense, metadata, sparse))

    def _make_matrix(self) -> NamespaceMatrix:
        return NamespaceMatrix(self.dimension, self.metric, self._texts)

    def write_copy(self, path: Path) -> None:
        """Write a copy of the file as it is now; the path is new or an empty file."""
        with self._lock:
            self._database.execute("VACUUM INTO ?", (str(path),))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def list_namespaces(self) -> dict[str, int]:
        """Return each namespace with its number of records, by name."""
        with self._lock:
            return {name: len(self._namespaces[name]) for name in sorted(self._namespaces)}

    def create_namespace(self, name: str) -> bool:
        """Make an empty namespace; False if it exists."""
        with self._lock:
            if name in self._namespaces:
                return False
            self._run_transaction([("INSERT OR IGNORE INTO namespaces VALUES (?)", [(name,)])])
            self._namespaces[name] = self._make_matrix()
            return True

    def delete_namespace(self, name: str) -> bool:
        """Remove a namespace with its records; False if there is none."""
        with self._lock:
            if name not in self._namespaces:
                return False
            self._run_transaction(
                [
                    ("DELETE FROM vectors WHERE namespace = ?", [(name,)]),
                    ("DELETE FROM namespaces WHERE name = ?", [(name,)]),
                ]
            )
            self._cut_journal()
            del self._namespaces[name]
            return True

    def put(self, namespace: str, records: Sequence[Record]) -> None:
        """Insert or replace records; the namespace is made if needed."""
        rows = [_to_row(namespace, record) for record in records]
        with self._lock:
            self._run_transaction(
                [
                    ("INSERT OR IGNORE INTO namespaces VALUES (?)", [(namespace,)]),
                    ("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?, ?)", rows),
                ]
            )
            matrix = self._namespaces.setdefault(namespace, self._make_matrix())
            for record in records:
                matrix.put(record)

    def update(self, namespace: str, ids: Iterable[str], change: Callable[[Record], Record]) -> int:
        """Replace records that exist by what ``change`` makes of them; return how many there were."""
        with self._lock:
            current = self.get(namespace, ids)
            if current:
                self.put(namespace, [change(record) for record in current])
            return len(current)

    def drop_where(self, namespace: str, keep: Predicate | None) -> None:
        """Remove the records whose metadata match, all of them without a predicate."""
        with self._lock:
            self.drop(namespace, [record.id for record in self.select(namespace, keep)])

    def drop(self, namespace: str, ids: Sequence[str]) -> None:
        """Remove records; unknown ids are ignored."""
        with self._lock:
            matrix = self._namespaces.get(namespace)
            if matrix is None:
                return
            self._run_transaction(
                [("DELETE FROM vectors WHERE namespace = ? AND id = ?", [(namespace, id_) for id_ in ids])]
            )
            self._cut_journal()
            for id_ in ids:
                matrix.drop(id_)

    def get(self, namespace: str, ids: Iterable[str]) -> list[Record]:
        """Return the records that exist, in the order asked for."""
        with self._lock:
            matrix = self._namespaces.get(namespace)
            if matrix is None:
                return []
            return [record for id_ in ids if (record := matrix.get(id_)) is not None]

    def select(self, namespace: str, keep: Predicate | None = None, prefix: str = "") -> list[Record]:
        """Return the records whose metadata and id match, ordered by id."""
        with self._lock:
            matrix = self._namespaces.get(namespace)
            records = list(matrix) if matrix is not None else []
        chosen = [
            record
            for record in records
            if record.id.startswith(prefix) and (keep is None or keep(record.metadata or {}))
        ]
        return sorted(chosen, key=lambda record: record.id)

    def search(
        self,
        namespace: str,
        values: Floats,
        top_k: int,
        keep: Predicate | None = None,
        sparse: Sparse | None = None,
    ) -> list[tuple[Record, float]]:
        """Return the closest records with their scores, best first."""
        with self._lock:
            matrix = self._namespaces.get(namespace)
            return matrix.search(values, top_k, keep, sparse) if matrix is not None else []

    def search_text(
        self, namespace: str, queries: Iterable[tuple[str, str]], top_k: int, keep: Predicate | None = None
    ) -> list[tuple[Record, float]]:
        """Return the records with any of the words of the (field, query) pairs, the best first."""
        with self._lock:
            matrix = self._namespaces.get(namespace)
            return matrix.search_text(queries, top_k, keep) if matrix is not None else []

    def _cut_journal(self) -> None:
        """Bring what was deleted out of the journal, which holds pages as they were written before."""
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _run_transaction(self, statements: Sequence[tuple[str, Sequence[tuple[Any, ...]]]]) -> None:
        self._database.execute("BEGIN")
        try:
            for statement, rows in statements:
                self._database.executemany(statement, rows)
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")


def _to_row(namespace: str, record: Record) -> tuple[Any, ...]:
    return (
        namespace,
        record.id,
        record.values.astype("<f4").tobytes(),
        None if record.metadata is None else json.dumps(record.metadata, ensure_ascii=False),
        None if record.sparse is None else json.dumps(list(record.sparse.items())),
    )


def _from_row(id_: str, dense: bytes, metadata: str | None, sparse: str | None) -> Record:
    return Record(
        id=id_,
        values=np.frombuffer(dense, dtype="<f4").astype(np.float32),
        metadata=None if metadata is None else json.loads(metadata),
        sparse=None if sparse is None else {int(index): float(value) for index, value in json.loads(sparse)},
    )
