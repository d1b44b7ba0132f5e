"""What a twin keeps from one start to the next: items of tables, the newest objects of buckets, vectors.

Kept is data, not the account: what the assembly says (tables, roles, functions, secrets) is deployed anew each time,
and executions, queues and logs begin empty. Written when the twin stops, into a folder that replaces the former one as
a whole; what a twin that was killed had written since it started is lost.
"""

import base64
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twin.private_files import make_private_folder, touch_private

FOLDER, DATA, VECTORS = "kept", "data.sqlite", "vectors.sqlite"
_FORMAT = "1"
_BYTES = "$bytes"  # the names in an attribute value are types
_SCHEMA = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE items (tbl TEXT NOT NULL, item TEXT NOT NULL);
CREATE TABLE objects (
    bucket TEXT NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL, changed TEXT NOT NULL, metadata TEXT NOT NULL,
    content BLOB NOT NULL
);
"""


class KeptUnreadable(Exception):
    """What was kept is of another version of the twin, or damaged; the message says how to begin anew."""

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(f"what the twin kept in {folder} can't be read ({why}): delete that folder to start again")


class KeptData:
    """The data in a state folder.

    Args:
        state_dir: the twin's folder.
    """

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / FOLDER
        self._next, self._former = state_dir / f"{FOLDER}.next", state_dir / f"{FOLDER}.former"

    @property
    def vectors(self) -> Path | None:
        """The kept vectors, or None."""
        self._finish_exchange()
        path = self._folder / VECTORS
        return path if path.is_file() else None

    def restore(self, dynamodb: Any, s3: Any) -> int:
        """Put what was kept into tables and buckets that are still there, and return how many items and objects.

        It goes past the front and tells no pump: nothing is indexed or triggered again.

        Args:
            dynamodb: moto's backend of DynamoDB.
            s3: moto's backend of S3.

        Raises:
            KeptUnreadable: it is of another version, or damaged.
        """
        from moto.core.exceptions import JsonRESTError

        self._finish_exchange()
        path = self._folder / DATA
        if not path.is_file():
            return 0
        count = 0
        try:
            with closing(sqlite3.connect(path)) as kept:
                _check_format(kept)
                for table, item in kept.execute("SELECT tbl, item FROM items"):
                    count += _restore_item(dynamodb.tables.get(table), json.loads(item, object_hook=_decode_binary))
                for row in kept.execute("SELECT bucket, key, version, changed, metadata, content FROM objects"):
                    count += _restore_object(s3, *row)
        except (sqlite3.Error, ValueError, RecursionError, KeyError, JsonRESTError) as error:
            raise KeptUnreadable(self._folder, str(error)) from error
        return count

    def save(self, dynamodb: Any, s3: Any, write_vectors: Callable[[Path], object] | None = None) -> None:
        """Keep what tables and buckets hold now, in place of what was kept before.

        Tables and buckets that the assembly no longer has stay as they were kept.

        Args:
            dynamodb: moto's backend of DynamoDB.
            s3: moto's backend of S3.
            write_vectors: writes a copy of the vectors to a path; None where there is no index.
        """
        shutil.rmtree(self._next, ignore_errors=True)
        make_private_folder(self._next)
        path = self._next / DATA
        touch_private(path)
        with closing(sqlite3.connect(path)) as kept, kept:
            kept.executescript(_SCHEMA)
            kept.execute("INSERT INTO settings VALUES ('format', ?)", (_FORMAT,))
            kept.executemany("INSERT INTO items VALUES (?, ?)", _iter_items(dynamodb))
            kept.executemany("INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?)", _iter_objects(s3))
            self._copy_absent(kept, "items", "tbl", set(dynamodb.tables))
            self._copy_absent(kept, "objects", "bucket", set(s3.buckets))
        if write_vectors is not None:
            touch_private(self._next / VECTORS)
            write_vectors(self._next / VECTORS)
        self._exchange()

    def _copy_absent(self, kept: sqlite3.Connection, table: str, column: str, there: set[str]) -> None:
        former = self._folder / DATA
        if not former.is_file():
            return
        with closing(sqlite3.connect(former)) as before:
            for row in before.execute(f"SELECT * FROM {table}"):  # noqa: S608 - our own names
                if row[0] not in there:
                    kept.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608

    def _exchange(self) -> None:
        if self._folder.exists():
            shutil.rmtree(self._former, ignore_errors=True)
            self._folder.rename(self._former)
        self._next.rename(self._folder)
        shutil.rmtree(self._former, ignore_errors=True)

    def _finish_exchange(self) -> None:
        """Take up an exchange that was cut between its two renames: the former data are whole."""
        if not self._folder.exists() and self._former.exists():
            self._former.rename(self._folder)


def _check_format(kept: sqlite3.Connection) -> None:
    row = kept.execute("SELECT value FROM settings WHERE name = 'format'").fetchone()
    if row is None or row[0] != _FORMAT:
        raise ValueError(f"format {row[0] if row else 'unknown'}, not {_FORMAT}")


def _iter_items(dynamodb: Any) -> Iterator[tuple[str, str]]:
    for name, table in dynamodb.tables.items():
        for item in table.all_items():
            yield name, json.dumps(item.to_json()["Attributes"], default=_encode_binary)


def _encode_binary(value: Any) -> dict[str, str]:
    """Return a binary value, which moto holds as bytes, in a form that no attribute value has."""
    if not isinstance(value, bytes):
        raise TypeError(f"a table holds a {type(value).__name__}")
    return {_BYTES: base64.b64encode(value).decode()}


def _decode_binary(value: dict[str, Any]) -> Any:
    # An attribute may have that name, but its value is never plain text: it says its type.
    sole = value.keys() == {_BYTES} and isinstance(value[_BYTES], str)
    return base64.b64decode(value[_BYTES]) if sole else value


def _restore_item(table: Any, attributes: dict[str, Any]) -> int:
    """Store an item; its table's stream is not told."""
    if table is None:
        return 0
    shard, table.stream_shard = table.stream_shard, None
    try:
        table.put_item(attributes, overwrite=True)
    finally:
        table.stream_shard = shard
    return 1


def _iter_objects(s3: Any) -> Iterator[tuple[str, str, str, str, str, bytes]]:
    for name, bucket in s3.buckets.items():
        for key, stored in bucket.keys.items():
            if not hasattr(stored, "value"):
                continue  # a delete marker
            metadata = json.dumps(dict(stored.metadata))
            yield name, key, str(stored.version_id), stored.last_modified.isoformat(), metadata, stored.value


def _restore_object(s3: Any, bucket: str, key: str, version: str, changed: str, metadata: str, content: bytes) -> int:
    if bucket not in s3.buckets:
        return 0
    stored = s3.put_object(bucket, key, content, disable_notification=True)
    stored.metadata.clear()
    for name, value in json.loads(metadata).items():
        stored.metadata[name] = value
    stored.last_modified = datetime.fromisoformat(changed).astimezone(UTC)
    if stored.version_id not in (None, "null"):
        stored._version_id = version  # What is indexed of an object names its version.
    return 1
