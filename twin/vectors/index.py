"""The local index as a server: start it, give its URL to the pinecone client as the index host."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from types import TracebackType

from twin.servers.admission import Admission
from twin.servers.loopback import LoopbackServer
from twin.vectors.api import DataPlane
from twin.vectors.schema import Schema
from twin.vectors.store import VectorStore


class LocalIndex:
    """One index: ``Pinecone(api_key=...).Index(host=LocalIndex(path, 384).start())``."""

    def __init__(
        self,
        path: Path,
        dimension: int,
        *,
        metric: str = "cosine",
        schema: Schema | None = None,
        hosts: Collection[str] = (),
    ) -> None:
        """Open the index file.

        Args:
            path: The SQLite file; made if missing.
            dimension: Numbers per vector.
            metric: ``cosine``, ``dotproduct`` or ``euclidean``.
            schema: Makes it a document index, with these fields; else it has vectors with metadata.
            hosts: Names of this machine that requests may have beside ``localhost``.

        Raises:
            IndexUnusable: If another process holds the file, or it has another dimension or metric.
        """
        self._store = VectorStore(path, dimension, metric, schema.texts if schema is not None else ())
        self._server = LoopbackServer(
            DataPlane(self._store, schema), name="vector-index", admission=Admission(hosts), private=True
        )

    @property
    def url(self) -> str:
        """The base URL while running."""
        return self._server.url

    def start(self, port: int = 0) -> str:
        """Serve in the background and return the base URL."""
        return self._server.start(port)

    def write_copy(self, path: Path) -> None:
        """Write a copy of the index file as it is now; the path is new or an empty file."""
        self._store.write_copy(path)

    def stop(self) -> None:
        """Stop serving and close the file."""
        self._server.stop()
        self._store.close()

    def __enter__(self) -> LocalIndex:
        """Start serving."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving."""
        self.stop()
